//! Groups, and principals for completion while somebody types.

use std::collections::HashMap;

use node::members::Membership as _;
use serde::Deserialize;
use shared::api::{GroupDetail, GroupMember, GroupView, PrincipalView};
use shared::dn;
use shared::error::ApiError;
use store::management::directory;
use store::management::groups::{self, Group};

use crate::app::App;
use crate::door::Fault;
use crate::handlers::{find_group, named_in};

/// Members in one answer, and places that name a group.
const MEMBERS: usize = 200;
const PLACES: usize = 20;
/// Principals offered at once.
const OFFERED: usize = 20;

fn view(g: Group) -> GroupView {
    GroupView { name: dn::first(&g.dn), identity: g.dn, description: g.description, members: g.members }
}

/// All groups.
///
/// # Errors
/// When the store does not answer.
pub fn groups(app: &App) -> Result<Vec<GroupView>, ApiError> {
    let list = app.store.read(|c| Ok::<_, Fault>(groups::groups(c)?)).map_err(|f| f.0)?;
    Ok(list.into_iter().map(view).collect())
}

/// Which group, and which of its members.
#[derive(Deserialize)]
pub struct GroupAsked {
    identity: String,
    #[serde(default)]
    q: String,
}

fn matches(q: &str, texts: [&str; 2]) -> bool {
    q.split_whitespace().all(|w| texts.iter().any(|t| t.to_lowercase().contains(&w.to_lowercase())))
}

/// One group.
///
/// # Errors
/// It is not there, or a store does not answer.
pub async fn group(app: &App, asked: &GroupAsked) -> Result<GroupDetail, ApiError> {
    let (g, members, holders, users) = app
        .store
        .read(|c| {
            let g = find_group(c, &asked.identity)?;
            let (members, holders) = (groups::members(c, &g.dn)?, groups::of_member(c, &g.dn)?);
            Ok::<_, Fault>((g, members, holders, directory::users(c)?))
        })
        .map_err(|f| f.0)?;
    let names: HashMap<&str, &str> =
        users.iter().map(|u| (u.sip_address.as_str(), u.display_name.as_str())).collect();
    let member = |identity: String| {
        let group = dn::is(&identity);
        let name = match names.get(identity.as_str()) {
            Some(n) => (*n).to_owned(),
            None if group => dn::first(&identity),
            None => identity.clone(),
        };
        GroupMember { identity, name, group }
    };
    let mut found: Vec<GroupMember> =
        members.into_iter().map(member).filter(|m| matches(&asked.q, [&m.identity, &m.name])).collect();
    let total = found.len() as u64;
    found.truncate(MEMBERS);
    let all = app.store.current();
    let own = g.dn.to_lowercase();
    let people =
        users.iter().filter(|u| all.principals(u.sip_address.as_str()).contains(&own)).count() as u64;
    let mut places = named_in(app, &g.dn).await?;
    places.truncate(PLACES);
    Ok(GroupDetail {
        group: view(g),
        members: found,
        total,
        people,
        holders: holders.into_iter().map(member).collect(),
        named_in: places,
    })
}

/// What was typed so far.
#[derive(Deserialize)]
pub struct PrincipalsAsked {
    #[serde(default)]
    q: String,
}

/// Users, groups and units that match what was typed.
///
/// # Errors
/// When the store does not answer.
pub fn principals(app: &App, asked: &PrincipalsAsked) -> Result<Vec<PrincipalView>, ApiError> {
    let mut out: Vec<PrincipalView> = Vec::new();
    // Everyone is in some domain: that part counts only for who types an address or a distinguished name.
    let whole_name = asked.q.contains(['@', '=']);
    let fits = |identity: &str, name: &str| {
        let user = identity.split_once('@').map_or("", |(user, _)| user);
        matches(&asked.q, [if whole_name { identity } else { user }, name])
    };
    let whole = |identity: String, kind: &str| PrincipalView {
        name: dn::first(&identity),
        identity,
        kind: kind.to_owned(),
        disabled: false,
    };
    app.store
        .read(|c| {
            let list = groups::groups(c)?.into_iter().map(|g| whole(g.dn, "Group"));
            let units = groups::units(c)?.into_keys().map(|u| {
                let kind = if u.starts_with("DC=") { "DC" } else { "Folder" };
                whole(u, kind)
            });
            out.extend(list.chain(units).filter(|p| fits(&p.identity, &p.name)).take(OFFERED));
            // Users last: there may be many, and none is looked at once there is enough to offer.
            let users = directory::some_named(c, OFFERED - out.len(), fits)?;
            out.extend(users.into_iter().map(|u| PrincipalView {
                identity: u.sip_address,
                name: u.display_name,
                kind: "User".to_owned(),
                disabled: !u.enabled,
            }));
            Ok::<_, Fault>(())
        })
        .map_err(|f| f.0)?;
    Ok(out)
}
