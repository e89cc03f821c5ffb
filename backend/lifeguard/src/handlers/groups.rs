//! Groups of the directory and units of users. Rooms name groups by distinguished name, so that name stays.
//! Source: model §16.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use node::members::Membership as _;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::cmdlets::{GetLgGroup, GetLgOrganizationalUnit, NewLgGroup, RemoveLgGroup, SetLgGroup};
use shared::dn;
use shared::error::ApiError;
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::directory;
use store::management::groups::{self, Group};

use super::chat_place::{Turn, named_in, rooms_naming, say_who_loses, some_of};
use super::{names, published};
use crate::door::{Cx, Fault, Handler, Outcome, blocked, plan};

/// Most members that one group names.
pub const MAX_MEMBERS: usize = 100_000;

/// The one group that `identity` names: distinguished name, or name.
pub fn find(c: &Connection, identity: &str) -> Result<Group, Fault> {
    let wanted = identity.trim();
    if let Some(g) = groups::group(c, wanted)? {
        return Ok(g);
    }
    let same = |g: &Group| dn::first(&g.dn).to_lowercase() == wanted.to_lowercase();
    let mut found: Vec<Group> = groups::groups(c)?.into_iter().filter(same).collect();
    let problem = match found.len() {
        1 => return Ok(found.remove(0)),
        0 => format!("There is no group {wanted}."),
        n => format!("{n} groups are called {wanted}; name one by its distinguished name."),
    };
    Err(Fault(ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(problem) }))
}

fn object(g: &Group, members: &[String]) -> Value {
    json!({
        "Identity": g.dn, "Name": dn::first(&g.dn), "Description": g.description, "Members": members,
    })
}

#[async_trait]
impl Handler for GetLgGroup {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        cx.read(|c| {
            let mut list = match &self.identity {
                Some(id) if id.contains('*') => {
                    let keep = |g: &Group| wildcard_match(id, &g.dn) || wildcard_match(id, &dn::first(&g.dn));
                    groups::groups(c)?.into_iter().filter(keep).collect()
                }
                Some(id) => vec![find(c, id)?],
                None => groups::groups(c)?,
            };
            if let Some(member) = &self.member {
                let of = groups::of_member(c, &People::read(c, [member])?.one(member, "Member")?)?;
                list.retain(|g| of.contains(&g.dn));
            }
            let objects = list.iter().map(|g| Ok(object(g, &groups::members(c, &g.dn)?)));
            Ok(Outcome::objects(objects.collect::<Result<_, Fault>>()?))
        })
    }
}

/// Users and groups by what they may be called; in small letters.
pub struct People {
    known: HashMap<String, String>,
    names: HashMap<String, Vec<String>>,
}

impl People {
    /// Those that are called as one of `wanted`; of a hundred thousand no more is kept.
    pub fn read<'a>(c: &Connection, wanted: impl IntoIterator<Item = &'a String>) -> Result<Self, Fault> {
        let wanted: HashSet<String> = wanted.into_iter().map(|w| w.trim().to_lowercase()).collect();
        let mut out = Self::groups(c)?;
        directory::each_name(c, |sip, display, logon| {
            for called in [sip, sip.get(4..).unwrap_or(sip), &logon.to_lowercase()] {
                if wanted.contains(called) {
                    out.known.insert(called.to_owned(), sip.to_owned());
                }
            }
            let display = display.to_lowercase();
            if wanted.contains(&display) {
                out.names.entry(display).or_default().push(sip.to_owned());
            }
        })?;
        Ok(out)
    }

    /// Groups only.
    pub fn groups(c: &Connection) -> Result<Self, Fault> {
        let mut out = Self { known: HashMap::new(), names: HashMap::new() };
        for g in groups::groups(c)? {
            out.names.entry(dn::first(&g.dn).to_lowercase()).or_default().push(g.dn.clone());
            out.known.insert(g.dn.to_lowercase(), g.dn);
        }
        Ok(out)
    }

    /// The user or group that is called so.
    pub fn one(&self, text: &str, field: &str) -> Result<String, ApiError> {
        let wanted = text.trim().to_lowercase();
        if let Some(found) = self.known.get(&wanted) {
            return Ok(found.clone());
        }
        match self.names.get(&wanted).map(Vec::as_slice) {
            Some([one]) => Ok(one.clone()),
            Some([a, b, ..]) => Err(ApiError::invalid(
                field,
                format!("Several are called {}: {a} and {b}. Name the one that is meant.", text.trim()),
            )),
            _ => Err(ApiError::invalid(field, format!("There is no user or group {}.", text.trim()))),
        }
    }
}

/// The distinguished name of a group that is to be made.
pub fn name_of(c: &Connection, name: &str, path: Option<&str>) -> Result<String, Fault> {
    let name = name.trim();
    if name.is_empty()
        || name.chars().count() > 256
        || name.contains(char::is_control)
        || name.contains(['@', '|', '*'])
    {
        let text = "The name of a group has 1 to 256 characters, in one line, without @, * and |.";
        return Err(ApiError::invalid("Name", text).into());
    }
    if shared::Fqdn::try_from(name).is_ok() {
        let text = "This is the name of a domain; lists could not tell the group from it.";
        return Err(ApiError::invalid("Name", text).into());
    }
    names::check("Name", name)?;
    let there = groups::groups(c)?;
    names::check_like(
        "Name",
        name,
        there.iter().map(|g| dn::first(&g.dn)).collect::<Vec<_>>().iter().map(String::as_str),
    )?;
    let above = match path {
        Some(path) => path.trim().to_owned(),
        None => {
            let t = published(c)?;
            let domain = t.sip_domains.first().map(ToString::to_string).unwrap_or_default();
            format!("OU=Groups,{}", dn::of_domain(&domain))
        }
    };
    let field = if path.is_some() { "Path" } else { "Name" };
    dn::check(&dn::below("CN", name, &above)).map_err(|e| ApiError::invalid(field, e.0).into())
}

/// Refuses members that would make a circle, with its way, and more members than a group takes.
fn check_members(c: &Connection, group: &str, added: &[String], all: usize) -> Result<(), Fault> {
    if all > MAX_MEMBERS {
        let text = format!("A group names {MAX_MEMBERS} members at most; make groups of this group.");
        return Err(ApiError::invalid("Members", text).into());
    }
    for m in added.iter().filter(|m| dn::is(m)) {
        if let Some(way) = groups::circle(c, group, m)? {
            let way = way.iter().map(|g| dn::first(g)).collect::<Vec<_>>().join(" → ");
            let text = format!("The group would be its own member: {way}.");
            return Err(ApiError::invalid("Members", text).into());
        }
    }
    Ok(())
}

/// A group that cmdlets make or change, examined over the directory.
trait Examined {
    type Found;
    fn examine(&self, c: &Connection) -> Result<Self::Found, Fault>;
}

impl Examined for NewLgGroup {
    type Found = (String, Vec<String>);
    fn examine(&self, c: &Connection) -> Result<(String, Vec<String>), Fault> {
        let name = name_of(c, &self.name, self.path.as_deref())?;
        if groups::group(c, &name)?.is_some() {
            return Err(ApiError::invalid("Name", format!("The group {name} exists already.")).into());
        }
        check_description(self.description.as_deref())?;
        let people = People::read(c, &self.members)?;
        let (mut members, mut there) = (Vec::new(), HashSet::new());
        for m in &self.members {
            let m = people.one(m, "Members")?;
            if there.insert(m.clone()) {
                members.push(m);
            }
        }
        check_members(c, &name, &members, members.len())?;
        Ok((name, members))
    }
}

fn check_description(text: Option<&str>) -> Result<(), ApiError> {
    if text.is_some_and(|t| t.chars().count() > 256) {
        return Err(ApiError::invalid("Description", "A description has 256 characters at most."));
    }
    Ok(())
}

#[async_trait]
impl Handler for NewLgGroup {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (name, members) = cx.read(|c| self.examine(c))?;
        let mut p = plan([format!("Create the group {name}.")]);
        if !members.is_empty() {
            p.sentences.push(format!("Its members: {}.", some_of(&members)));
            p.changes.push(PlannedChange::new(&name, "Members", "", some_of(&members)));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let (group, members) = cx.commit(&p.sentences.join(" "), |tx| {
            let (dn, members) = self.examine(tx)?;
            let description = self.description.clone().unwrap_or_default();
            let g = Group { dn, description, created: cx.now(), members: members.len() as u64 };
            groups::save(tx, &g)?;
            groups::add(tx, &g.dn, members.iter().map(String::as_str))?;
            Ok((g, members))
        })?;
        cx.app.store.membership_changed();
        Ok(Outcome::changed(Topic::Directory, "groups").with(object(&group, &members)))
    }
}

/// A group before and after Set-LgGroup.
struct Change {
    group: Group,
    added: Vec<String>,
    gone: Vec<String>,
    description: String,
}

impl Examined for SetLgGroup {
    type Found = Change;
    fn examine(&self, c: &Connection) -> Result<Change, Fault> {
        let group = find(c, &self.identity)?;
        check_description(self.description.as_deref())?;
        let (mut added, mut gone) = (Vec::new(), Vec::new());
        if let Some(m) = &self.members {
            let people = People::read(c, m.replace.iter().flatten().chain(&m.add).chain(&m.remove))?;
            let all = |list: &[String]| -> Result<Vec<String>, ApiError> {
                list.iter().map(|p| people.one(p, "Members")).collect()
            };
            let wanted = shared::cmdlet::ListModifier {
                replace: m.replace.as_deref().map(all).transpose()?,
                add: all(&m.add)?,
                // Who is not known any more can still be taken out.
                remove: m
                    .remove
                    .iter()
                    .map(|p| people.one(p, "Members").unwrap_or_else(|_| p.clone()))
                    .collect(),
            };
            let set =
                |list: &[String]| -> HashSet<String> { list.iter().map(|p| p.to_lowercase()).collect() };
            let all = if wanted.replace.is_some() {
                let before = groups::members(c, &group.dn)?;
                let after = wanted.apply(&before);
                let (had, has) = (set(&before), set(&after));
                added = after.iter().filter(|p| !had.contains(&p.to_lowercase())).cloned().collect();
                gone = before.iter().filter(|p| !has.contains(&p.to_lowercase())).cloned().collect();
                after.len()
            } else {
                // Of the members that stay, who may be a hundred thousand, nothing is read.
                let (out, mut met) = (set(&wanted.remove), HashSet::new());
                for m in &wanted.add {
                    let low = m.to_lowercase();
                    if !out.contains(&low) && met.insert(low) && !groups::has(c, &group.dn, m)? {
                        added.push(m.clone());
                    }
                }
                for m in &wanted.remove {
                    if met.insert(m.to_lowercase()) && groups::has(c, &group.dn, m)? {
                        gone.push(m.clone());
                    }
                }
                (usize::try_from(group.members).unwrap_or(usize::MAX) + added.len())
                    .saturating_sub(gone.len())
            };
            check_members(c, &group.dn, &added, all)?;
        }
        let description = self.description.clone().unwrap_or_else(|| group.description.clone());
        Ok(Change { group, added, gone, description })
    }
}

#[async_trait]
impl Handler for SetLgGroup {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let ch = cx.read(|c| self.examine(c))?;
        let name = &ch.group.dn;
        let mut p = Plan::default();
        for (what, list, before, after) in [
            ("become members", &ch.added, String::new(), some_of(&ch.added)),
            ("are members no longer", &ch.gone, some_of(&ch.gone), String::new()),
        ] {
            if !list.is_empty() {
                p.sentences.push(format!(
                    "Of {}, {} {what}: {}.",
                    dn::first(name),
                    list.len(),
                    some_of(list)
                ));
                p.changes.push(PlannedChange::new(name, "Members", before, after));
            }
        }
        super::chat_place::text(&ch.group.description, &ch.description, name, "Description", &mut p);
        if !ch.added.is_empty() || !ch.gone.is_empty() {
            let now = cx.app.store.current();
            let then = now.regrouped(name, &ch.added, &ch.gone);
            say_who_is_put_out_by(cx, name, [&now, &then], &mut p).await?;
        }
        Ok(super::chat_place::nothing(p))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let ch = self.examine(tx)?;
            groups::take(tx, &ch.group.dn, ch.gone.iter().map(String::as_str))?;
            groups::add(tx, &ch.group.dn, ch.added.iter().map(String::as_str))?;
            Ok(groups::save(tx, &Group { description: ch.description, ..ch.group })?)
        })?;
        cx.app.store.membership_changed();
        Ok(Outcome::changed(Topic::Directory, "groups"))
    }
}

/// Says whom a change of what belongs to `name` puts out of rooms.
pub async fn say_who_is_put_out_by(
    cx: &Cx,
    name: &str,
    members: [&node::members::Members; 2],
    p: &mut Plan,
) -> Result<(), ApiError> {
    let mut touched = members[0].within(name);
    touched.extend(members[1].within(name));
    let rooms = rooms_naming(cx, &touched).await?;
    if !rooms.is_empty() {
        let n = rooms.len();
        let what = if n == 1 { "1 room".to_owned() } else { format!("{n} rooms") };
        let names: Vec<String> = rooms.iter().map(|(place, _, r)| place.identity(&r.name)).collect();
        p.sentences.push(format!("It counts in {what}: {}.", some_of(&names)));
    }
    // Rooms of one category share its value, so that it is looked at once.
    let categories: HashMap<&str, &node::traits::Category> =
        rooms.iter().map(|(_, c, _)| (c.id.as_str(), c)).collect();
    let turns: Vec<Turn<'_>> = rooms
        .iter()
        .map(|(_, c, r)| {
            let c = categories.get(c.id.as_str()).copied().unwrap_or(c);
            Turn { before: (c, r), after: (c, r) }
        })
        .collect();
    let where_from = if turns.len() == 1 { "the room" } else { "these rooms" };
    say_who_loses(cx, &turns, members, where_from, p)
}

#[async_trait]
impl Handler for RemoveLgGroup {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (g, holders) = cx.read(|c| {
            let g = find(c, &self.identity)?;
            let holders = groups::of_member(c, &g.dn)?;
            Ok((g, holders))
        })?;
        let mut p = plan([format!("Delete the group {}; its {} members stay.", g.dn, g.members)]);
        p.confirm = Confirm::Ask;
        let used = named_in(&cx.app, &g.dn).await?;
        if !used.is_empty() {
            let text = format!("It is named in {}. Take it out of these lists first.", some_of(&used));
            p = blocked(p, "group.used", "Identity", text, "model §16");
        }
        if !holders.is_empty() {
            let text = format!("It is a member of {}. Take it out there first.", some_of(&holders));
            p = blocked(p, "group.member", "Identity", text, "model §16");
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| Ok(groups::remove(tx, &find(tx, &self.identity)?.dn)?))?;
        cx.app.store.membership_changed();
        Ok(Outcome::changed(Topic::Directory, "groups"))
    }
}

#[async_trait]
impl Handler for GetLgOrganizationalUnit {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let units = cx.read(|c| Ok(groups::units(c)?))?;
        // Units above those that users are in are units, too.
        let mut all: std::collections::BTreeMap<String, (String, u64)> = std::collections::BTreeMap::new();
        for (unit, users) in &units {
            for above in dn::upwards(unit) {
                all.entry(above.to_lowercase()).or_insert_with(|| (above.to_owned(), 0)).1 += users;
            }
        }
        let keep = |name: &str| self.identity.as_ref().is_none_or(|id| wildcard_match(id, name));
        let object = |(name, users): &(String, u64)| json!({ "Identity": name, "Name": dn::first(name), "Users": users });
        Ok(Outcome::objects(all.values().filter(|(n, _)| keep(n)).map(object).collect()))
    }
}
