//! Persistent Chat policies: global, site, user. Source: model §9.

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::cmdlets::{
    GetCsPersistentChatPolicy, GrantCsPersistentChatPolicy, NewCsPersistentChatPolicy,
    RemoveCsPersistentChatPolicy, SetCsPersistentChatPolicy,
};
use shared::error::ApiError;
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::directory::{self, Policy};

use super::{published, users};
use crate::door::{Cx, Fault, Handler, Outcome, plan};

/// As the cmdlet prints identities: `Global`, `Site:Redmond`, `Tag:name`.
pub fn printed(identity: &str) -> String {
    match identity.split_once(':') {
        _ if identity == "global" => "Global".to_owned(),
        Some((_, site)) if is_site(identity) => format!("Site:{site}"),
        _ => format!("Tag:{identity}"),
    }
}

fn is_site(identity: &str) -> bool {
    identity.get(..5).is_some_and(|p| p.eq_ignore_ascii_case("site:"))
}

/// The stored form of what a person writes: `tag:x` is `x`.
fn stored(identity: &str) -> String {
    let id = identity.trim();
    match id.split_once(':') {
        Some((p, name)) if p.eq_ignore_ascii_case("tag") => name.to_owned(),
        Some((p, name)) if p.eq_ignore_ascii_case("site") => format!("site:{name}"),
        _ if id.eq_ignore_ascii_case("global") => "global".to_owned(),
        _ => id.to_owned(),
    }
}

fn object(p: &Policy) -> Value {
    json!({ "Identity": printed(&p.identity), "Description": p.description, "EnablePersistentChat": p.enable })
}

fn find(c: &Connection, identity: &str) -> Result<Policy, Fault> {
    let id = stored(identity);
    directory::policies(c)?.into_iter().find(|p| p.identity.eq_ignore_ascii_case(&id)).ok_or_else(|| {
        let e = ApiError::not_found(format!("There is no Persistent Chat policy {identity}."));
        Fault(ApiError { field: Some("Identity".to_owned()), ..e })
    })
}

fn word(b: bool) -> &'static str {
    if b { "True" } else { "False" }
}

#[async_trait]
impl Handler for GetCsPersistentChatPolicy {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        if self.identity.is_some() && self.filter.is_some() {
            return Err(ApiError::invalid("Filter", "Use either -Identity or -Filter (V25)."));
        }
        cx.read(|c| {
            let list = match &self.identity {
                Some(id) => vec![find(c, id)?],
                None => directory::policies(c)?,
            };
            let keep = |p: &&Policy| {
                self.filter.as_ref().is_none_or(|f| {
                    wildcard_match(f, &printed(&p.identity)) || wildcard_match(f, &p.identity)
                })
            };
            Ok(Outcome::objects(list.iter().filter(keep).map(object).collect()))
        })
    }
}

fn check_new(c: &Connection, identity: &str) -> Result<String, Fault> {
    let id = stored(identity);
    let bad = |text: String| Err(ApiError::invalid("Identity", text).into());
    if id == "global" {
        return bad("The global policy always exists; change it with Set-CsPersistentChatPolicy.".to_owned());
    }
    if let Some(site) = id.strip_prefix("site:") {
        let t = published(c)?;
        let Some(s) = t.sites.iter().find(|s| s.site_id.eq_ignore_ascii_case(site)) else {
            return bad(format!("There is no site {site} in the published topology."));
        };
        let id = format!("site:{}", s.site_id);
        return unused(c, id);
    }
    if id.is_empty() || id.len() > 64 || id.contains([':', '*', '"']) {
        return bad("A user policy's name has 1 to 64 characters, without : * and quotes.".to_owned());
    }
    unused(c, id)
}

fn unused(c: &Connection, id: String) -> Result<String, Fault> {
    if directory::policies(c)?.iter().any(|p| p.identity.eq_ignore_ascii_case(&id)) {
        return Err(ApiError::invalid("Identity", format!("A policy {id} exists already.")).into());
    }
    Ok(id)
}

#[async_trait]
impl Handler for NewCsPersistentChatPolicy {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let id = cx.read(|c| check_new(c, &self.identity))?;
        let on = word(self.enable_persistent_chat.unwrap_or(false));
        let mut p = plan([format!("Create the policy {} with EnablePersistentChat {on}.", printed(&id))]);
        p.changes.push(PlannedChange::new(printed(&id), "EnablePersistentChat", "", on));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let made = cx.commit(&p.sentences.join(" "), |tx| {
            let policy = Policy {
                identity: check_new(tx, &self.identity)?,
                description: self.description.clone().unwrap_or_default(),
                enable: self.enable_persistent_chat.unwrap_or(false),
            };
            directory::save_policy(tx, &policy)?;
            Ok(object(&policy))
        })?;
        Ok(Outcome::changed(Topic::Directory, "policies").with(made))
    }
}

#[async_trait]
impl Handler for SetCsPersistentChatPolicy {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let old = cx.read(|c| find(c, self.identity.as_deref().unwrap_or("global")))?;
        let name = printed(&old.identity);
        let mut p = Plan::default();
        if let Some(on) = self.enable_persistent_chat {
            p.sentences.push(format!("The policy {name} sets EnablePersistentChat to {}.", word(on)));
            p.changes.push(PlannedChange::new(&name, "EnablePersistentChat", word(old.enable), word(on)));
        }
        if let Some(d) = &self.description {
            p.sentences.push(format!("The policy {name} gets the description '{d}'."));
            p.changes.push(PlannedChange::new(&name, "Description", &old.description, d));
        }
        if p.sentences.is_empty() {
            return Err(ApiError::invalid(
                "EnablePersistentChat",
                "Nothing to change: give -EnablePersistentChat or -Description.",
            ));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let old = find(tx, self.identity.as_deref().unwrap_or("global"))?;
            let new = Policy {
                description: self.description.clone().unwrap_or(old.description),
                enable: self.enable_persistent_chat.unwrap_or(old.enable),
                identity: old.identity,
            };
            Ok(directory::save_policy(tx, &new)?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "policies"))
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatPolicy {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (old, granted) = cx.read(|c| {
            let p = find(c, &self.identity)?;
            let n = directory::users(c)?
                .iter()
                .filter(|u| u.policy.as_ref().is_some_and(|g| g.eq_ignore_ascii_case(&p.identity)))
                .count();
            Ok((p, n))
        })?;
        let name = printed(&old.identity);
        let mut p = if old.identity == "global" {
            plan(["The global policy cannot be deleted; it is reset: EnablePersistentChat False.".to_owned()])
        } else {
            plan([format!("Delete the policy {name}.")])
        };
        p.changes.push(PlannedChange::new(
            &name,
            "EnablePersistentChat",
            word(old.enable),
            if old.identity == "global" { "False" } else { "" },
        ));
        p.affected_users = Some(granted as u64);
        p.confirm = if granted > 0 || old.identity == "global" { Confirm::Ask } else { Confirm::None };
        if granted > 0 {
            p.sentences.push(format!(
                "{granted} users have it; the site or global policy decides for them from then on."
            ));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let old = find(tx, &self.identity)?;
            if old.identity == "global" {
                return Ok(directory::save_policy(
                    tx,
                    &Policy { description: String::new(), enable: false, ..old },
                )?);
            }
            Ok(directory::remove_policy(tx, &old.identity)?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "policies"))
    }
}

fn grantable(c: &Connection, name: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(name) = name.map(str::trim).filter(|n| !n.is_empty()) else { return Ok(None) };
    let policy = find(c, name).map_err(|_| {
        ApiError::invalid(
            "PolicyName",
            format!("There is no user policy {name}. Create it with New-CsPersistentChatPolicy."),
        )
    })?;
    if policy.identity == "global" || is_site(&policy.identity) {
        return Err(ApiError::invalid(
            "PolicyName",
            "Global and site policies apply by themselves; only a user policy is granted.",
        )
        .into());
    }
    Ok(Some(policy.identity))
}

#[async_trait]
impl Handler for GrantCsPersistentChatPolicy {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (user, new) =
            cx.read(|c| Ok((users::find(c, &self.identity)?, grantable(c, self.policy_name.as_deref())?)))?;
        let sentence = match &new {
            Some(p) => format!("{} gets the user policy {p}.", user.display_name),
            None => format!("{} has no user policy any more.", user.display_name),
        };
        let mut p = plan([sentence]);
        let (before, after) = (user.policy.unwrap_or_default(), new.unwrap_or_default());
        p.changes.push(PlannedChange::new(user.sip_address.as_str(), "PersistentChatPolicy", before, after));
        p.affected_users = Some(1);
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let mut user = users::find(tx, &self.identity)?;
            user.policy = grantable(tx, self.policy_name.as_deref())?;
            Ok(directory::save_user(tx, &user)?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "users"))
    }
}
