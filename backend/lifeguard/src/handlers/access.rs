//! Sessions, API tokens, and whether the audit is whole.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::Timestamp;
use shared::cmdlets::{GetLgSession, GetLgToken, NewLgToken, RemoveLgSession, RemoveLgToken, TestLgAudit};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use shared::{cmdlets, roles};
use store::management::accounts::{self, Access};
use store::management::{audit, people, roles as own};

use super::accounts::role;
use crate::clock::random_hex;
use crate::door::{Cx, Handler, Outcome, plan};

#[async_trait]
impl Handler for GetLgSession {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let all = cx.read(|c| Ok(accounts::sessions(c, cx.now())?))?;
        let keep = |s: &&Access| self.account.as_ref().is_none_or(|a| s.name.eq_ignore_ascii_case(a.trim()));
        let object = |s: &Access| {
            json!({
                "Identity": s.id, "Account": s.name, "Source": s.detail, "SignedIn": s.created,
                "LastUsed": s.last_seen, "Ends": s.expires,
            })
        };
        Ok(Outcome::objects(all.iter().filter(keep).map(object).collect()))
    }
}

#[async_trait]
impl Handler for RemoveLgSession {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let all = cx.read(|c| Ok(accounts::sessions(c, cx.now())?))?;
        let mut p = match (&self.identity, &self.account) {
            (Some(id), None) => {
                let found = all.iter().find(|s| s.id == id.trim());
                let s = found.ok_or_else(|| ApiError::not_found(format!("There is no session {id}.")))?;
                plan([format!("End the session of {} from {}.", s.name, s.detail)])
            }
            (None, Some(a)) => {
                let n = all.iter().filter(|s| s.name.eq_ignore_ascii_case(a.trim())).count();
                plan([format!("End all {n} sessions of {a}.")])
            }
            _ => return Err(ApiError::invalid("Identity", "Give either -Identity or -Account.")),
        };
        p.confirm = Confirm::Ask;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            if let Some(id) = &self.identity {
                accounts::end_session_by_id(tx, id.trim())?;
            }
            if let Some(a) = &self.account {
                accounts::end_sessions_of(tx, a.trim())?;
            }
            Ok(())
        })?;
        Ok(Outcome::changed(Topic::Directory, "sessions"))
    }
}

#[async_trait]
impl Handler for GetLgToken {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let all = cx.read(|c| Ok(accounts::api_tokens(c)?))?;
        let keep = |t: &&Access| self.identity.as_ref().is_none_or(|i| t.id.eq_ignore_ascii_case(i.trim()));
        let object = |t: &Access| json!({ "Identity": t.id, "Label": t.name, "Role": t.detail, "Created": t.created, "Ends": t.expires });
        Ok(Outcome::objects(all.iter().filter(keep).map(object).collect()))
    }
}

/// Nobody makes a token that may do more than oneself.
fn within(cx: &Cx, role: &str) -> Result<(), ApiError> {
    let granted = cx.read(|c| Ok(own::expand(c, role)?))?;
    let more = cmdlets::ALL
        .iter()
        .find(|s| roles::can(s.name, &granted).is_ok() && roles::can(s.name, &cx.actor.roles).is_err());
    match more {
        Some(s) => {
            let text = format!("{role} may run {}, which your own role may not.", s.name);
            Err(ApiError { field: Some("Role".to_owned()), ..ApiError::new(ErrorCode::Forbidden, text) })
        }
        None => Ok(()),
    }
}

#[async_trait]
impl Handler for NewLgToken {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let role = role(cx, &self.role)?;
        within(cx, &role)?;
        if self.label.trim().is_empty() || self.label.len() > 100 {
            return Err(ApiError::invalid("Label", "A label has 1 to 100 characters."));
        }
        if self.expires_in_days == Some(0) {
            let text = "A token of 0 days has ended already; give 1 or more, or leave it out.";
            return Err(ApiError::invalid("ExpiresInDays", text));
        }
        let until = self
            .expires_in_days
            .map_or_else(|| "until it is deleted".to_owned(), |d| format!("for {d} days"));
        Ok(plan([format!("Make an API token '{}' with role {role}; it works {until}.", self.label.trim())]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let role = role(cx, &self.role)?;
        let token = format!("lg_{}", random_hex(&*cx.app.entropy, 24));
        let now = cx.now();
        let ends =
            self.expires_in_days.map(|d| Timestamp::from_millis(now.millis() + i64::from(d) * 86_400_000));
        cx.commit(&p.sentences.join(" "), |tx| {
            accounts::add_api_token(tx, &token, self.label.trim(), &role, now, ends)?;
            // A token's token belongs to whoever made the first one.
            Ok(people::note_token_maker(tx, &token, &cx.actor.maker)?)
        })?;
        let object = json!({ "Label": self.label.trim(), "Role": role, "Ends": ends, "Token": token });
        Ok(Outcome::changed(Topic::Directory, "tokens").with(object))
    }
}

#[async_trait]
impl Handler for RemoveLgToken {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let all = cx.read(|c| Ok(accounts::api_tokens(c)?))?;
        let found = all.iter().find(|t| t.id.eq_ignore_ascii_case(self.identity.trim()));
        let t =
            found.ok_or_else(|| ApiError::not_found(format!("There is no API token {}.", self.identity)))?;
        Ok(Plan {
            confirm: Confirm::Ask,
            ..plan([format!("Delete the API token '{}'; it is dead at once.", t.name)])
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| Ok(accounts::remove_api_token(tx, self.identity.trim())?))?;
        Ok(Outcome::changed(Topic::Directory, "tokens"))
    }
}

#[async_trait]
impl Handler for TestLgAudit {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let v = cx.read(|c| Ok(audit::verify(c)?))?;
        Ok(Outcome::objects(vec![verdict(&v)]))
    }
}

/// What verifying found, as an object.
pub fn verdict(v: &audit::Verified) -> Value {
    let (result, text) = match &v.broken {
        None => ("Success", format!("All {} rows are what was written.", v.rows)),
        Some((seq, why)) => ("Failure", format!("Row {seq}: {why}. What stands before it is sound.")),
    };
    json!({ "Result": result, "Text": text, "Rows": v.rows, "RowsBeforeTheChain": v.unchained, "Head": v.head })
}
