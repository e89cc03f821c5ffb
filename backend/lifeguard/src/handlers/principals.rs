//! Who may be in rooms: the lists of a category spelt out over the directory.
//! Source: model §16, C:Get-CsPersistentChatEligiblePrincipal.

use async_trait::async_trait;
use node::members::{Members, Membership as _};
use node::rules::{self, Cut};
use node::traits::{Category, RoomKind};
use serde_json::{Value, json};
use shared::cmdlet::ListModifier;
use shared::cmdlets::GetCsPersistentChatEligiblePrincipal;
use shared::dn;
use shared::error::{ApiError, Problem};
use shared::identity::wildcard_match;
use shared::plan::Plan;
use store::management::{directory, groups};

use super::chat_place::{category, room};
use crate::door::{Cx, Handler, Outcome};

/// What the directory knows of groups and units, to read what people write.
struct Known {
    groups: Vec<String>,
    /// Units with users.
    units: Vec<String>,
}

impl Known {
    fn read(cx: &Cx) -> Result<Self, ApiError> {
        cx.read(|c| {
            let groups = groups::groups(c)?.into_iter().map(|g| g.dn).collect();
            Ok(Self { groups, units: groups::units(c)?.into_keys().collect() })
        })
    }

    fn same(a: &str, b: &str) -> bool {
        a.to_lowercase() == b.to_lowercase()
    }

    /// Whether a user is in the unit, or below it.
    fn has_users(&self, unit: &str) -> bool {
        self.units.iter().any(|u| dn::upwards(u).any(|above| Self::same(above, unit)))
    }

    /// The one form of a principal: a group may be named by its name alone.
    fn form(&self, text: &str) -> Result<String, ApiError> {
        let text = text.trim();
        if !dn::is(text) {
            let named: Vec<&String> =
                self.groups.iter().filter(|g| Self::same(&dn::first(g), text)).collect();
            return match named.as_slice() {
                [] => Ok(text.to_owned()),
                [one] => Ok((*one).clone()),
                [a, b, ..] => Err(ApiError::invalid(
                    "Identity",
                    format!("Several groups are called {text}; name one in full: {a} or {b}."),
                )),
            };
        }
        let name = dn::check(text).map_err(|e| ApiError::invalid("Identity", e.0))?;
        if let Some(group) = self.groups.iter().find(|g| Self::same(g, &name)) {
            return Ok(group.clone());
        }
        if name.starts_with("CN=") && !self.has_users(&name) {
            let text = format!(
                "The principal {name} is not provisioned: there is no such group. People → Groups lists those there are."
            );
            return Err(ApiError::not_found(text));
        }
        Ok(name)
    }
}

fn plain(p: &str) -> bool {
    p.contains('@') || !dn::is(p) && shared::Fqdn::try_from(p).is_ok()
}

/// Principals in their one form.
///
/// # Errors
/// A group is not there, or a name is none.
pub fn resolve(cx: &Cx, list: &[String]) -> Result<Vec<String>, ApiError> {
    if list.iter().all(|p| plain(p)) {
        return Ok(list.to_vec());
    }
    let known = Known::read(cx)?;
    list.iter().map(|p| if plain(p) { Ok(p.clone()) } else { known.form(p) }).collect()
}

/// A list after what a cmdlet was told of it.
///
/// # Errors
/// A group is not there, or a name is none.
pub fn apply(cx: &Cx, m: Option<&ListModifier>, list: &[String]) -> Result<Vec<String>, ApiError> {
    let Some(m) = m else { return Ok(list.to_vec()) };
    // What goes may be something that is not known any more.
    let remove = m
        .remove
        .iter()
        .map(|p| resolve(cx, std::slice::from_ref(p)).map_or_else(|_| p.clone(), |v| v[0].clone()));
    let m = ListModifier {
        replace: m.replace.as_ref().map(|r| resolve(cx, r)).transpose()?,
        add: resolve(cx, &m.add)?,
        remove: remove.collect(),
    };
    Ok(m.apply(list))
}

/// Says of units that are new in a list that nobody is in them.
///
/// # Errors
/// When the directory does not answer.
pub fn warn_of_empty(cx: &Cx, before: &[String], after: &[String], p: &mut Plan) -> Result<(), ApiError> {
    let new: Vec<&String> = after.iter().filter(|a| dn::is(a) && !before.contains(a)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let known = Known::read(cx)?;
    for name in new {
        let group = known.groups.iter().any(|g| Known::same(g, name));
        if !group && !known.has_users(name) {
            let text = format!("No user is in {name} now.");
            p.warnings.push(Problem::warning("principal.empty", "Identity", text, "pain 18"));
        }
    }
    Ok(())
}

fn whole(name: &str, kind: &str) -> Value {
    let shown = if dn::is(name) { dn::first(name) } else { name.to_owned() };
    json!({ "Identity": name, "DisplayName": shown, "SipAddress": null, "PersistentChatPrincipalType": kind })
}

/// The type of a principal that is no user. Source: model §16.
fn kind_of(name: &str, known: &Known) -> &'static str {
    if !dn::is(name) || name.starts_with("DC=") {
        "DC"
    } else if known.groups.iter().any(|g| Known::same(g, name)) {
        "Group"
    } else {
        "Folder"
    }
}

/// Domains, groups and units that may be named in rooms of the category.
fn wholes(c: &Category, known: &Known, members: &Members) -> Vec<Value> {
    let cut = Cut::new(c);
    let mut names: Vec<&String> = c.allowed.iter().filter(|p| !p.contains('@')).collect();
    for g in known.groups.iter().chain(&known.units) {
        if !names.iter().any(|n| Known::same(n, g)) {
            names.push(g);
        }
    }
    names.into_iter().filter(|n| cut.within(n, members)).map(|n| whole(n, kind_of(n, known))).collect()
}

#[async_trait]
impl Handler for GetCsPersistentChatEligiblePrincipal {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let pool = self.persistent_chat_pool_fqdn.as_deref();
        let (category, room) = match (&self.category, &self.room) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("Room", "Use either -Category or -Room (V25)."));
            }
            (None, None) => return Err(ApiError::invalid("Category", "Give -Category or -Room.")),
            (Some(c), None) => (category(cx, c, pool, "Category").await?.1, None),
            (None, Some(r)) => {
                let (p, r) = room(cx, r, pool, "Room").await?;
                (p.category_of(&r).await?, Some(r))
            }
        };
        if self.presenters && room.as_ref().is_none_or(|r| r.kind != RoomKind::Auditorium) {
            let text = "Only a room of type Auditorium has presenters (V22).";
            return Err(ApiError::invalid("Presenters", text));
        }
        let members = cx.app.store.current();
        let cut = Cut::new(&category);
        let may = |principal: &str| {
            let who = members.who(principal);
            cut.allowed(&who)
                && room.as_ref().filter(|_| self.presenters).is_none_or(|r| rules::member(&category, r, &who))
        };
        // The filter is over SIP addresses, which domains, groups and units have not.
        let mut out = match self.filter {
            None => wholes(&category, &Known::read(cx)?, &members),
            Some(_) => Vec::new(),
        };
        for u in cx.read(|c| Ok(directory::users(c)?))? {
            let sip = u.sip_address.as_str();
            if may(sip) && self.filter.as_ref().is_none_or(|f| wildcard_match(f, sip)) {
                out.push(json!({
                    "Identity": sip, "DisplayName": u.display_name, "SipAddress": sip,
                    "PersistentChatPrincipalType": "User",
                }));
            }
        }
        out.truncate(self.result_size.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)));
        Ok(Outcome::objects(out))
    }
}
