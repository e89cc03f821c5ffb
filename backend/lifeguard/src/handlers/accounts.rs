//! Portal accounts.

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::cmdlets::{GetLgAccount, NewLgAccount, RemoveLgSecondFactor, SetLgAccount};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::roles;
use store::management::accounts::{self, Account};
use store::management::people::{self, Kind};
use store::management::roles as own_roles;

use super::password_links::{self, NewLink};
use crate::clock::{random_hex, random_password};
use crate::door::{Cx, Fault, Handler, Outcome, blocked, plan};
use crate::keys::hash_password;

/// Shortest password of a portal account.
pub const MIN_PASSWORD: usize = 10;
/// Longest, in bytes: a longer one is refused before it is compared.
pub const MAX_PASSWORD: usize = 1024;
/// Longest log-on name.
pub const MAX_NAME: usize = 64;

fn object(a: &Account) -> Value {
    json!({
        "Identity": a.name, "Role": a.role, "Enabled": a.enabled, "LastLogin": a.last_login,
        "SecondFactor": a.second_factor, "MustChangePassword": a.must_change,
    })
}

fn find(c: &Connection, name: &str) -> Result<Account, Fault> {
    accounts::account(c, name.trim())?
        .ok_or_else(|| Fault(ApiError::not_found(format!("There is no account {name}."))))
}

/// A standard role, or one of one's own, as it is spelt.
pub fn role(cx: &Cx, word: &str) -> Result<String, ApiError> {
    let standard = roles::STANDARD.into_iter().find(|r| r.eq_ignore_ascii_case(word.trim()));
    if let Some(r) = standard {
        return Ok(r.to_owned());
    }
    let own = cx.read(|c| Ok(own_roles::roles(c)?))?;
    if let Some(r) = own.iter().find(|r| r.name.eq_ignore_ascii_case(word.trim())) {
        return Ok(r.name.clone());
    }
    let names = roles::STANDARD.iter().map(|r| (*r).to_owned()).chain(own.into_iter().map(|r| r.name));
    let text = format!("'{word}' is not a role. Roles: {}.", names.collect::<Vec<_>>().join(", "));
    Err(ApiError::invalid("Role", text))
}

/// Checks a new account's name and password.
pub fn check_account(name: &str, password: Option<&str>) -> Result<(), ApiError> {
    let name = name.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-@\\".contains(c);
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Err(ApiError::invalid("Name", "A log-on name has 1 to 64 letters, digits or . _ - @ \\."));
    }
    if password.is_some_and(|p| p.chars().count() < MIN_PASSWORD) {
        return Err(ApiError::invalid(
            "Password",
            format!("A password has {MIN_PASSWORD} characters at least."),
        ));
    }
    if password.is_some_and(|p| p.len() > MAX_PASSWORD) {
        return Err(ApiError::invalid("Password", format!("A password has {MAX_PASSWORD} bytes at most.")));
    }
    Ok(())
}

#[async_trait]
impl Handler for GetLgAccount {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        cx.read(|c| {
            let list = match &self.identity {
                Some(n) => vec![find(c, n)?],
                None => accounts::accounts(c)?,
            };
            Ok(Outcome::objects(list.iter().map(object).collect()))
        })
    }
}

#[async_trait]
impl Handler for NewLgAccount {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        check_account(&self.name, self.password.as_deref())?;
        let link = password_links::wanted(self.one_time_link, self.link_hours, self.password.as_deref())?;
        let role = role(cx, &self.role)?;
        let exists = cx.read(|c| Ok(accounts::account(c, self.name.trim())?.is_some()))?;
        let mut p = plan([format!("Create the portal account {} with role {role}.", self.name.trim())]);
        p.sentences.push(match link {
            Some(hours) => password_links::sentence(self.name.trim(), hours),
            None => "The password must be changed at the first sign-in.".to_owned(),
        });
        p.changes.push(PlannedChange::new(self.name.trim(), "Role", "", role.as_str()));
        Ok(if exists {
            blocked(p, "dup.account", "Name", format!("The account {} exists already.", self.name), "")
        } else {
            p
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let hours = password_links::wanted(self.one_time_link, self.link_hours, self.password.as_deref())?;
        let link = hours.map(|h| NewLink::new(cx, h));
        let password = match (&self.password, &link) {
            (Some(p), _) => p.clone(),
            (None, Some(_)) => nobodys(cx),
            (None, None) => random_password(&*cx.app.entropy),
        };
        let a = Account {
            name: self.name.trim().to_owned(),
            role: role(cx, &self.role)?,
            password_hash: hash_password(&*cx.app.entropy, &password),
            enabled: true,
            must_change: link.is_none(),
            ..Account::default()
        };
        cx.commit(&p.sentences.join(" "), |tx| {
            accounts::save_account(tx, &a, cx.now())?;
            link.as_ref().map_or(Ok(()), |l| l.keep(cx, tx, Kind::Account, &a.name))
        })?;
        let mut object = object(&a);
        match &link {
            Some(l) => l.show(&cx.app, &mut object),
            None if self.password.is_none() => object["Password"] = password.into(),
            None => {}
        }
        let mut out = Outcome::changed(Topic::Directory, "accounts").with(object);
        out.warnings.extend(link.and_then(|_| cx.app.settings.reach_warning()));
        Ok(out)
    }
}

/// A password that nobody knows, so that guessing at an account without one takes the same time.
fn nobodys(cx: &Cx) -> String {
    random_hex(&*cx.app.entropy, 32)
}

/// One's own password is changed where the old one is asked for, so that a session left open is not enough.
fn not_ones_own(cx: &Cx, name: &str) -> Result<(), ApiError> {
    if cx.actor.credential == "session" && cx.actor.name.eq_ignore_ascii_case(name) {
        let text = "Change your own password under My account, which asks for the old one.";
        return Err(ApiError::invalid("Password", text));
    }
    Ok(())
}

#[async_trait]
impl Handler for SetLgAccount {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (old, all) = cx.read(|c| Ok((find(c, &self.identity)?, accounts::accounts(c)?)))?;
        check_account(&old.name, self.password.as_deref())?;
        let link = password_links::wanted(self.one_time_link, self.link_hours, self.password.as_deref())?;
        if link.is_some() || self.password.is_some() {
            not_ones_own(cx, &old.name)?;
        }
        let mut p = Plan::default();
        if let Some(r) = &self.role {
            let new = role(cx, r)?;
            p.sentences.push(format!("The account {} gets the role {new}; its sessions end.", old.name));
            p.changes.push(PlannedChange::new(&old.name, "Role", &old.role, new.as_str()));
        }
        if let Some(on) = self.enabled {
            let words = if on { "may sign in" } else { "may not sign in; its sessions end" };
            p.sentences.push(format!("The account {} {words}.", old.name));
            p.changes.push(PlannedChange::new(&old.name, "Enabled", old.enabled.to_string(), on.to_string()));
        }
        if self.password.is_some() {
            p.sentences.push(format!(
                "The account {} gets a new password, to be changed at the next sign-in; its sessions end.",
                old.name
            ));
        }
        if let Some(hours) = link {
            p.sentences.push(format!("The password of {} stops working; its sessions end.", old.name));
            p.sentences.push(password_links::sentence(&old.name, hours));
        }
        if p.sentences.is_empty() {
            return Err(ApiError::invalid(
                "Role",
                "Nothing to change: give -Role, -Enabled, -Password or -OneTimeLink.",
            ));
        }
        p.confirm = Confirm::Ask;
        let stays = |a: &Account| a.enabled && a.role == "CsAdministrator";
        let loses = stays(&old)
            && (self.enabled == Some(false)
                || self.role.as_deref().is_some_and(|r| !r.eq_ignore_ascii_case("CsAdministrator")));
        if loses && all.iter().filter(|a| stays(a)).count() == 1 {
            p = blocked(
                p,
                "last.admin",
                "Identity",
                "This is the last enabled CsAdministrator. Create another one first.",
                "",
            );
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let new_role = self.role.as_deref().map(|r| role(cx, r)).transpose()?;
        let hours = password_links::wanted(self.one_time_link, self.link_hours, self.password.as_deref())?;
        let link = hours.map(|h| NewLink::new(cx, h));
        let password = self.password.clone().or_else(|| link.as_ref().map(|_| nobodys(cx)));
        let hash = password.map(|pw| hash_password(&*cx.app.entropy, &pw));
        let name = cx.commit(&p.sentences.join(" "), |tx| {
            let mut a = find(tx, &self.identity)?;
            if let Some(r) = &new_role {
                a.role.clone_from(r);
            }
            a.enabled = self.enabled.unwrap_or(a.enabled);
            accounts::save_account(tx, &a, cx.now())?;
            if let Some(h) = &hash {
                people::set_password(tx, &a.name, h, link.is_none())?;
            }
            if let Some(l) = &link {
                l.keep(cx, tx, Kind::Account, &a.name)?;
            }
            accounts::end_sessions_of(tx, &a.name)?;
            Ok(a.name)
        })?;
        let mut out = Outcome::changed(Topic::Directory, "accounts");
        if let Some(l) = link {
            let mut object = json!({ "Identity": name });
            l.show(&cx.app, &mut object);
            out = out.with(object);
            out.warnings.extend(cx.app.settings.reach_warning());
        }
        Ok(out)
    }
}

#[async_trait]
impl Handler for RemoveLgSecondFactor {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let a = cx.read(|c| find(c, &self.identity))?;
        if !a.second_factor {
            return Err(ApiError::not_found(format!("The account {} has no second factor.", a.name)));
        }
        let mut p = plan([format!(
            "{} signs in with the password alone, until a new second factor is set up; its sessions end.",
            a.name
        )]);
        p.changes.push(PlannedChange::new(&a.name, "SecondFactor", "true", "false"));
        p.confirm = Confirm::Ask;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let a = find(tx, &self.identity)?;
            people::remove_factor(tx, &a.name)?;
            Ok(accounts::end_sessions_of(tx, &a.name)?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "accounts"))
    }
}
