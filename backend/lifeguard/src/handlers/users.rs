//! Chat users. Passwords are kept as sealed digest secrets and never shown after their creation.

use async_trait::async_trait;
use node::members::Membership as _;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::cmdlets::{GetCsUser, NewLgUser, RemoveLgUser, ResetLgUserPassword, SetLgUser};
use shared::dn;
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{FrontEndPool, Topology};
use shared::{Fqdn, SipUri};
use store::management::directory::{self, Spelling, User};
use store::management::people::{self, Kind};

use super::password_links::{self, NewLink};
use super::{groups, names, published};
use crate::clock::random_password;
use crate::door::{Cx, Fault, Handler, Outcome, plan};

/// Shortest password of a chat user.
pub const MIN_PASSWORD: usize = 8;

/// The one user that `identity` names: SIP address, log-on name, or display name.
pub fn find(c: &Connection, identity: &str) -> Result<User, Fault> {
    let wanted = identity.trim();
    let same = |u: &User| {
        [u.sip_address.as_str(), &u.sip_address.as_str()[4..], &u.logon_name, &u.display_name]
            .iter()
            .any(|n| n.eq_ignore_ascii_case(wanted))
    };
    let mut found: Vec<User> = directory::users(c)?.into_iter().filter(same).collect();
    let problem = match found.len() {
        1 => return Ok(found.remove(0)),
        0 => format!("There is no user {wanted}."),
        n => format!("{n} users are called {wanted}; name one by SIP address."),
    };
    Err(Fault(ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(problem) }))
}

fn object(u: &User, t: &Topology) -> Value {
    json!({
        "Identity": u.sip_address,
        "DisplayName": u.display_name,
        "SipAddress": u.sip_address,
        "SamAccountName": u.logon_name,
        "RegistrarPool": t.front_end_pool(&u.front_end).map(|p| p.fqdn.to_string()),
        "Enabled": u.enabled,
        "PersistentChatPolicy": u.policy,
        "OU": if u.ou.is_empty() { Value::Null } else { u.ou.clone().into() },
    })
}

#[async_trait]
impl Handler for GetCsUser {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        cx.read(|c| {
            let t = published(c)?;
            let mut list = match &self.identity {
                Some(id) if id.contains('*') => {
                    let keep = |u: &User| {
                        [u.sip_address.as_str(), &u.logon_name, &u.display_name]
                            .iter()
                            .any(|n| wildcard_match(id, n))
                    };
                    directory::users(c)?.into_iter().filter(keep).collect()
                }
                Some(id) => vec![find(c, id)?],
                None => directory::users(c)?,
            };
            if let Some(ou) = &self.ou {
                let ou = check_ou(ou)?.to_lowercase();
                list.retain(|u| dn::upwards(&u.ou.to_lowercase()).any(|above| above == ou));
            }
            Ok(Outcome::objects(list.iter().map(|u| object(u, &t)).collect()))
        })
    }
}

/// The Front End pool of the published topology with this FQDN.
pub fn front_end(t: &Topology, fqdn: &str) -> Result<FrontEndPool, ApiError> {
    let name = Fqdn::try_from(fqdn).map_err(|e| ApiError::invalid("RegistrarPool", e.0))?;
    t.front_end_by_fqdn(&name).cloned().ok_or_else(|| {
        ApiError::invalid(
            "RegistrarPool",
            format!("There is no Front End pool {name} in the published topology."),
        )
    })
}

/// Checks a chat user's password.
///
/// # Errors
/// It is too short.
pub fn check_password(p: Option<&str>) -> Result<(), ApiError> {
    match p {
        Some(p) if p.chars().count() < MIN_PASSWORD => {
            Err(ApiError::invalid("Password", format!("A password has {MIN_PASSWORD} characters at least.")))
        }
        _ => Ok(()),
    }
}

/// A SIP address in a SIP domain of the published topology.
pub fn check_sip(t: &Topology, text: &str) -> Result<SipUri, ApiError> {
    let sip = SipUri::try_from(text).map_err(|e| ApiError::invalid("SipAddress", e.0))?;
    if !t.has_sip_domain(sip.domain()) {
        return Err(ApiError::invalid(
            "SipAddress",
            format!("{} is not a SIP domain of the published topology.", sip.domain()),
        ));
    }
    Ok(sip)
}

/// The distinguished name of an organizational unit, a container or a domain.
///
/// # Errors
/// It is none.
pub fn check_ou(text: &str) -> Result<String, ApiError> {
    dn::check(text).map_err(|e| ApiError::invalid("OU", e.0))
}

/// A display name without space around it.
pub fn check_name(text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 256 || name.contains(char::is_control) {
        let text = "A display name has 1 to 256 characters, in one line.";
        return Err(ApiError::invalid("DisplayName", text));
    }
    names::check("DisplayName", name)?;
    Ok(name.to_owned())
}

/// A log-on name, `DOMAIN\user`, without space around it.
pub fn check_logon(text: &str) -> Result<String, ApiError> {
    let logon = text.trim();
    let parts: Vec<_> = logon.split('\\').collect();
    if parts.len() != 2
        || parts.iter().any(|p| {
            p.is_empty()
                || p.len() > 64
                || p.contains(['"', '/', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>'])
                || p.contains(char::is_control)
        })
    {
        return Err(ApiError::invalid(
            "LogonName",
            "A log-on name has the form DOMAIN\\user, for example LITWAREINC\\pilar.",
        ));
    }
    names::check("LogonName", logon)?;
    Ok(logon.to_owned())
}

/// Two people may have one name, but a name that only looks like another's is told.
fn warn_of_likeness(cx: &Cx, name: &str, own: &str, p: &mut Plan) -> Result<(), ApiError> {
    let others = cx.read(|c| Ok(directory::spellings(c, Spelling::Display, name, own)?))?;
    if let Some(other) = names::like(name, others.iter().map(String::as_str)) {
        let text = format!("This name looks like {other}, with letters of another script or form.");
        p.warnings.push(Problem::warning("name.like", "DisplayName", text, ""));
    }
    Ok(())
}

/// Checks what `New-LgUser` is given and makes the row, still without secrets.
pub fn new_user(c: &Connection, a: &NewLgUser, now: shared::Timestamp) -> Result<User, Fault> {
    let t = published(c)?;
    let sip = check_sip(&t, &a.sip_address)?;
    if directory::user(c, &sip)?.is_some()
        || store::management::pools::endpoints(c)?.iter().any(|e| e.sip_address == sip)
    {
        return Err(ApiError::invalid("SipAddress", format!("{sip} is in use.")).into());
    }
    let name = check_name(&a.display_name)?;
    let logon = check_logon(&a.logon_name)?;
    if directory::logon_taken(c, &logon)? {
        return Err(ApiError::invalid("LogonName", format!("The log-on name {logon} is in use.")).into());
    }
    let others = directory::spellings(c, Spelling::Logon, &logon, sip.as_str())?;
    names::check_like("LogonName", &logon, others.iter().map(String::as_str))?;
    check_password(a.password.as_deref())?;
    Ok(User {
        sip_address: sip,
        display_name: name,
        logon_name: logon,
        front_end: front_end(&t, &a.registrar_pool)?.id,
        enabled: true,
        secrets: Vec::new(),
        policy: None,
        created: now,
        ou: a.ou.as_deref().map(check_ou).transpose()?.unwrap_or_default(),
    })
}

#[async_trait]
impl Handler for NewLgUser {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let link = password_links::wanted(self.one_time_link, self.link_hours, self.password.as_deref())?;
        let u = cx.read(|c| new_user(c, self, cx.now()))?;
        let mut p = plan([format!("Create the chat user {} ({}).", u.display_name, u.sip_address)]);
        warn_of_likeness(cx, &u.display_name, u.sip_address.as_str(), &mut p)?;
        p.sentences.extend(link.map(|hours| password_links::sentence(&u.display_name, hours)));
        p.changes.push(PlannedChange::new(u.sip_address.as_str(), "LogonName", "", &u.logon_name));
        p.changes.push(PlannedChange::new(u.sip_address.as_str(), "RegistrarPool", "", &self.registrar_pool));
        if !u.ou.is_empty() {
            p.changes.push(PlannedChange::new(u.sip_address.as_str(), "OU", "", &u.ou));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let secret = Secret::wanted(cx, self.password.as_ref(), self.one_time_link, self.link_hours)?;
        let user = cx.commit(&p.sentences.join(" "), |tx| {
            let mut u = new_user(tx, self, cx.now())?;
            secret.give(cx, tx, &mut u)?;
            Ok(u)
        })?;
        cx.app.store.membership_changed();
        Ok(secret.tell(cx, &user, self.password.is_none()))
    }
}

/// The unit that Set-LgUser gives; empty for none.
trait Unit {
    fn unit(&self) -> Result<Option<String>, ApiError>;
}

impl Unit for SetLgUser {
    fn unit(&self) -> Result<Option<String>, ApiError> {
        let given = self.ou.as_deref().map(str::trim);
        given.map(|o| if o.is_empty() { Ok(String::new()) } else { check_ou(o) }).transpose()
    }
}

#[async_trait]
impl Handler for SetLgUser {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (u, t) = cx.read(|c| Ok((find(c, &self.identity)?, published(c)?)))?;
        let target = u.sip_address.as_str();
        let mut p = Plan::default();
        if let Some(on) = self.enabled {
            p.sentences.push(format!("{} {} sign in.", u.display_name, if on { "may" } else { "may not" }));
            p.changes.push(PlannedChange::new(target, "Enabled", u.enabled.to_string(), on.to_string()));
        }
        if let Some(name) = &self.display_name {
            let name = check_name(name)?;
            warn_of_likeness(cx, &name, target, &mut p)?;
            p.sentences.push(format!("{} is called {name}.", u.display_name));
            p.changes.push(PlannedChange::new(target, "DisplayName", &u.display_name, &name));
        }
        if let Some(fe) = &self.registrar_pool {
            let new = front_end(&t, fe)?;
            let old = t.front_end_pool(&u.front_end).map(|f| f.fqdn.to_string()).unwrap_or_default();
            p.sentences.push(format!("{} moves to the Front End pool {}.", u.display_name, new.fqdn));
            p.changes.push(PlannedChange::new(target, "RegistrarPool", old, new.fqdn.as_str()));
        }
        if let Some(ou) = &self.ou {
            let new = self.unit()?.unwrap_or_default();
            p.sentences.push(match new.as_str() {
                "" => format!("{} is in no organizational unit.", u.display_name),
                new => format!("{} is in {new}.", u.display_name),
            });
            p.changes.push(PlannedChange::new(target, "OU", &u.ou, &new));
            let now = cx.app.store.current();
            let then = now.moved(target, &new);
            for unit in [&u.ou, ou].into_iter().filter(|o| !o.is_empty()) {
                groups::say_who_is_put_out_by(cx, unit, [&now, &then], &mut p).await?;
            }
        }
        if p.sentences.is_empty() {
            return Err(ApiError::invalid(
                "Enabled",
                "Nothing to change: give -Enabled, -DisplayName, -RegistrarPool or -OU.",
            ));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let mut u = find(tx, &self.identity)?;
            u.enabled = self.enabled.unwrap_or(u.enabled);
            if let Some(name) = &self.display_name {
                u.display_name = check_name(name)?;
            }
            if let Some(fe) = &self.registrar_pool {
                u.front_end = front_end(&published(tx)?, fe)?.id;
            }
            if let Some(unit) = self.unit()? {
                u.ou = unit;
            }
            Ok(directory::save_user(tx, &u)?)
        })?;
        cx.app.store.membership_changed();
        Ok(Outcome::changed(Topic::Directory, "users"))
    }
}

#[async_trait]
impl Handler for ResetLgUserPassword {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        check_password(self.password.as_deref())?;
        let link = password_links::wanted(self.one_time_link, self.link_hours, self.password.as_deref())?;
        let u = cx.read(|c| find(c, &self.identity))?;
        Ok(match link {
            None => plan([format!("{} gets a new password; the old one stops working.", u.display_name)]),
            Some(hours) => plan([
                format!("The password of {} stops working.", u.display_name),
                password_links::sentence(&u.display_name, hours),
            ]),
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let secret = Secret::wanted(cx, self.password.as_ref(), self.one_time_link, self.link_hours)?;
        let user = cx.commit(&p.sentences.join(" "), |tx| {
            let mut u = find(tx, &self.identity)?;
            secret.give(cx, tx, &mut u)?;
            Ok(u)
        })?;
        if self.password.is_some() {
            return Ok(Outcome::changed(Topic::Directory, "users"));
        }
        Ok(secret.tell(cx, &user, true))
    }
}

/// How a user comes to a password: it is given here, or the user sets it with a link.
enum Secret {
    Password(String),
    Link(NewLink),
}

impl Secret {
    fn wanted(cx: &Cx, password: Option<&String>, link: bool, hours: Option<u32>) -> Result<Self, ApiError> {
        let hours = password_links::wanted(link, hours, password.map(String::as_str))?;
        Ok(match hours {
            Some(h) => Self::Link(NewLink::new(cx, h)),
            None => Self::Password(password.cloned().unwrap_or_else(|| random_password(&*cx.app.entropy))),
        })
    }

    /// Saves the user with it; what was before stops working.
    fn give(&self, cx: &Cx, tx: &rusqlite::Transaction<'_>, u: &mut User) -> Result<(), Fault> {
        let (sip, app) = (&u.sip_address, &cx.app);
        u.secrets = match self {
            Self::Password(p) => app.keys.seal_secrets(&*app.entropy, sip, &u.logon_name, p),
            Self::Link(_) => Vec::new(),
        };
        directory::save_user(tx, u)?;
        people::remove_link_of(tx, Kind::User, u.sip_address.as_str())?;
        match self {
            Self::Password(_) => Ok(()),
            Self::Link(l) => l.keep(cx, tx, Kind::User, u.sip_address.as_str()),
        }
    }

    /// What is returned, with what is shown once.
    fn tell(self, cx: &Cx, u: &User, generated: bool) -> Outcome {
        let mut object = json!({ "Identity": u.sip_address, "LogonName": u.logon_name });
        let mut out = Outcome::changed(Topic::Directory, "users");
        match self {
            Self::Password(p) if generated => object["Password"] = p.into(),
            Self::Password(_) => {}
            Self::Link(l) => {
                l.show(&cx.app, &mut object);
                out.warnings.extend(cx.app.settings.reach_warning());
            }
        }
        out.with(object)
    }
}

#[async_trait]
impl Handler for RemoveLgUser {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let u = cx.read(|c| find(c, &self.identity))?;
        let mut p =
            plan([format!("Delete the chat user {} ({}). Messages stay.", u.display_name, u.sip_address)]);
        p.confirm = Confirm::Ask;
        p.affected_users = Some(1);
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let u = find(tx, &self.identity)?;
            people::remove_link_of(tx, Kind::User, u.sip_address.as_str())?;
            Ok(directory::remove_user(tx, &u.sip_address)?)
        })?;
        cx.app.store.membership_changed();
        Ok(Outcome::changed(Topic::Directory, "users"))
    }
}
