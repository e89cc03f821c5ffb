//! Read-only status links for the helpdesk. The token stands in the link once and is kept as a hash.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::Timestamp;
use shared::cmdlets::{GetLgShare, NewLgShare, RemoveLgShare};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::accounts::{self, Share};

use crate::clock::{new_id, random_hex};
use crate::door::{Cx, Fault, Handler, Outcome, plan};
use crate::handlers::find_pool;
use crate::keys::hash_password;
use crate::views::status::Level;

const DAY_MS: i64 = 86_400_000;
/// Shortest passphrase; guesses are limited besides.
const MIN_PASSPHRASE: usize = 8;

/// The pools that a new link is confined to, by their FQDNs.
fn pools_of(a: &NewLgShare, cx: &Cx) -> Result<Vec<String>, ApiError> {
    let t = cx.topology()?;
    let mut out = Vec::new();
    for p in a.pools.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        out.push(find_pool(&t, p, "Pools")?.fqdn.to_string());
    }
    out.sort();
    out.dedup();
    Ok(out)
}

fn object(s: &Share) -> Value {
    json!({
        "Identity": s.id, "Label": s.label, "Created": s.created, "CreatedBy": s.created_by,
        "Expires": s.expires, "Revoked": s.revoked, "LastUsed": s.last_used, "Uses": s.uses,
        "Pools": s.pools, "Level": s.level, "HasPassphrase": s.passphrase.is_some(), "MayRunTest": s.may_test,
    })
}

fn find(list: Vec<Share>, id: &str) -> Result<Share, Fault> {
    list.into_iter()
        .find(|s| s.id == id || s.label.eq_ignore_ascii_case(id))
        .ok_or_else(|| Fault(ApiError::not_found(format!("There is no share link {id}."))))
}

#[async_trait]
impl Handler for GetLgShare {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        cx.read(|c| {
            let all = accounts::shares(c)?;
            let list = match &self.identity {
                Some(id) => vec![find(all, id)?],
                None => all,
            };
            Ok(Outcome::objects(list.iter().map(object).collect()))
        })
    }
}

#[async_trait]
impl Handler for NewLgShare {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let label = self.label.trim();
        if label.is_empty() || label.chars().count() > 100 {
            return Err(ApiError::invalid("Label", "A label has 1 to 100 characters."));
        }
        if self.expires_in_days.is_some_and(|d| d == 0 || d > 3650) {
            return Err(ApiError::invalid("ExpiresInDays", "Days are a whole number from 1 to 3650."));
        }
        if self.passphrase.as_ref().is_some_and(|p| p.chars().count() < MIN_PASSPHRASE) {
            let text = format!("A passphrase has {MIN_PASSPHRASE} characters at least.");
            return Err(ApiError::invalid("Passphrase", text));
        }
        let pools = pools_of(self, cx)?;
        let of = if pools.is_empty() { "all pools".to_owned() } else { pools.join(", ") };
        let until = self.expires_in_days.map_or_else(String::new, |d| format!(" for {d} days"));
        let level = match Level::of(self.level.as_deref().unwrap_or("Servers")) {
            Level::State => "the state and the last test message",
            Level::Servers => "state, servers, databases and the last test message",
            Level::Procedure => "state, servers, databases, the last test message and guided runs",
        };
        let asked = if self.passphrase.is_some() { " and knows the passphrase" } else { "" };
        let mut p = plan([format!(
            "Make a status link for {label}{until}. Whoever has it{asked} sees {level} of {of} without signing in."
        )]);
        if self.may_run_test {
            p.sentences
                .push("He may send a test message between the stored test users, once a minute.".to_owned());
        }
        p.changes.push(PlannedChange::new(label, "Link", "", "shown once"));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let token = random_hex(&*cx.app.entropy, 24);
        let now = cx.now();
        let share = Share {
            id: new_id(&*cx.app.entropy, now),
            label: self.label.trim().to_owned(),
            created: now,
            created_by: cx.actor.name.clone(),
            expires: self
                .expires_in_days
                .map(|d| Timestamp::from_millis(now.millis() + i64::from(d) * DAY_MS)),
            revoked: None,
            last_used: None,
            uses: 0,
            pools: pools_of(self, cx)?,
            level: Level::of(self.level.as_deref().unwrap_or("Servers")).word().to_owned(),
            passphrase: self.passphrase.as_ref().map(|p| hash_password(&*cx.app.entropy, p)),
            may_test: self.may_run_test,
        };
        cx.commit(&p.sentences.join(" "), |tx| Ok(accounts::add_share(tx, &share, &token)?))?;
        let url = format!("{}/status/{token}", cx.app.settings.public_url());
        let mut object = object(&share);
        object["Link"] = url.into();
        Ok(Outcome::changed(Topic::Directory, "shares").with(object))
    }
}

#[async_trait]
impl Handler for RemoveLgShare {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let s = cx.read(|c| find(accounts::shares(c)?, &self.identity))?;
        let mut p = plan([format!("Revoke the link for {}. It stops working at once.", s.label)]);
        p.confirm = Confirm::Ask;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let s = find(accounts::shares(tx)?, &self.identity)?;
            Ok(accounts::revoke_share(tx, &s.id, cx.now())?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "shares"))
    }
}
