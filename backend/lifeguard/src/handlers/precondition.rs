//! What would keep a test message from going well, said before it is sent. Source: pain 12, procedures §10.

use async_trait::async_trait;
use node::members::Membership as _;
use node::rules;
use serde_json::{Value, json};
use shared::SipUri;
use shared::cmdlets::TestLgPrecondition;
use shared::deployment::ServerState;
use shared::error::ApiError;
use shared::plan::Plan;
use store::management::{pools, watch};

use super::chat_place::{chat_error, split};
use crate::door::{Cx, Handler, Outcome};
use crate::probe::{self, Target};
use crate::test_room;
use crate::views::users;

/// What was looked at: `Success`, `Failure` or `Unknown`, and in words.
struct Check(&'static str, &'static str, String);

impl Check {
    fn new(what: &'static str, good: bool, text: String) -> Self {
        Self(what, if good { "Success" } else { "Failure" }, text)
    }

    fn unknown(what: &'static str, text: String) -> Self {
        Self(what, "Unknown", text)
    }

    fn object(self) -> Value {
        json!({ "Check": self.0, "Result": self.1, "Text": self.2 })
    }
}

fn registrar(t: &Target) -> Check {
    if !t.known {
        return Check::unknown(
            "Target",
            format!("{} is no pool of this topology; it is tried at port {} as it is.", t.typed, t.port),
        );
    }
    let via =
        if t.registrar.eq_ignore_ascii_case(&t.typed) { "" } else { ", the next hop of that chat pool" };
    Check::new("Target", true, format!("The registrar is {}:{}{via}.", t.registrar, t.port))
}

fn user(cx: &Cx, what: &'static str, sip: &str) -> Result<Check, ApiError> {
    let Some(u) = users::user(&cx.app, sip)? else {
        let text = format!("{sip} is no user here; another deployment may know the address.");
        return Ok(Check::unknown(what, text));
    };
    let problem = if !u.enabled {
        Some("is disabled and cannot sign in".to_owned())
    } else if !u.chat_enabled {
        Some(format!("may not use Persistent Chat: {} does not allow it", u.decided_by))
    } else {
        None
    };
    Ok(match problem {
        Some(p) => Check::new(what, false, format!("{sip} {p}.")),
        None => {
            Check::new(what, true, format!("{sip} is enabled, and {} allows Persistent Chat.", u.decided_by))
        }
    })
}

fn servers(cx: &Cx, t: &Target) -> Result<Check, ApiError> {
    let Some(fqdn) = &t.pool else {
        return Ok(Check::unknown("Pool", "Which chat pool answers is decided by the registrar.".to_owned()));
    };
    let Some((pool, _)) = test_room::place(&cx.app, fqdn) else {
        return Ok(Check::new(
            "Pool",
            false,
            format!("The pool {fqdn} is not there, or its database is not open."),
        ));
    };
    let active = cx.read(|c| Ok(pools::active_servers(c, &pool.id)?))?;
    let runs = |f: &str| {
        let f = shared::Fqdn::try_from(f).ok();
        f.and_then(|f| cx.app.report(&f)).is_some_and(|r| r.state == ServerState::Running)
    };
    let up: Vec<&str> = active.iter().map(String::as_str).filter(|f| runs(f)).collect();
    Ok(if up.is_empty() {
        Check::new("Pool", false, format!("The database of {fqdn} is open, but no active server of it runs."))
    } else {
        Check::new("Pool", true, format!("{fqdn} is served by {}.", up.join(", ")))
    })
}

/// The room of the test, or that there is none for both.
async fn room(cx: &Cx, t: &Target, wanted: Option<&str>, users: &[&str]) -> Result<Check, ApiError> {
    let unknown = |text: &str| Ok(Check::unknown("Room", text.to_owned()));
    let Some((pool, store)) = t.pool.as_ref().and_then(|p| test_room::place(&cx.app, p)) else {
        return unknown("The rooms of the pool cannot be looked at.");
    };
    let categories = store.categories().await.map_err(chat_error)?;
    let rooms = store.rooms().await.map_err(chat_error)?;
    let members = cx.app.store.current();
    let may = |r: &node::traits::Room, u: &str| {
        let c = categories.iter().find(|c| c.id == r.category_id);
        c.is_some_and(|c| rules::may_join(c, r, &members.who(u)).is_ok())
    };
    let identity = |name: &str| format!("{}\\{name}", pool.fqdn);
    if let Some(wanted) = wanted {
        let name = split(wanted).1;
        if name.starts_with("ma-chan:") {
            return unknown("The room is given by its address; the run will show whether both may enter it.");
        }
        let Some(r) = rooms.iter().find(|r| r.name.eq_ignore_ascii_case(name)) else {
            return Ok(Check::new("Room", false, format!("There is no room {}.", identity(name))));
        };
        if r.disabled {
            return Ok(Check::new("Room", false, format!("The room {} is disabled.", identity(&r.name))));
        }
        let out: Vec<&str> = users.iter().copied().filter(|u| !may(r, u)).collect();
        return Ok(if out.is_empty() {
            Check::new("Room", true, format!("Both are members of {}.", identity(&r.name)))
        } else {
            Check::new(
                "Room",
                false,
                format!("{} is not a member of {}.", out.join(" and "), identity(&r.name)),
            )
        });
    }
    if let Some(r) = test_room::of(&cx.app, Some(&pool.fqdn), users).await {
        return Ok(Check::new("Room", true, format!("Both are members of the test room {r}.")));
    }
    let first = rooms.iter().find(|r| users.iter().all(|u| may(r, u)));
    Ok(match first {
        Some(r) => Check::new("Room", true, format!("Both may enter {}.", identity(&r.name))),
        None => Check::new(
            "Room",
            false,
            format!("There is no room on {} that both may enter. Make one, or use -Setup.", pool.fqdn),
        ),
    })
}

#[async_trait]
impl Handler for TestLgPrecondition {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let given = |v: &Option<String>| v.clone().filter(|t| !t.trim().is_empty());
        let wanted = given(&self.chat_room_uri);
        let t = probe::target(&cx.app, &self.target_fqdn, None, wanted.as_deref())?;
        let stored = cx.read(|c| Ok(watch::credentials(c)?))?;
        let mut out = vec![registrar(&t)];
        let mut users = Vec::new();
        let both = [
            ("Sender", "SenderSipAddress", given(&self.sender_sip_address), 0),
            ("Receiver", "ReceiverSipAddress", given(&self.receiver_sip_address), 1),
        ];
        for (what, field, sip, nth) in both {
            let Some(sip) = sip.or_else(|| stored.get(nth).cloned()) else {
                out.push(Check::new(what, false, "No user is given, and no test user is stored.".to_owned()));
                continue;
            };
            let sip = SipUri::try_from(sip.as_str()).map_err(|e| ApiError::invalid(field, e.0))?.to_string();
            out.push(user(cx, what, &sip)?);
            users.push(sip);
        }
        if users.len() == 2 && users[0] == users[1] {
            out.push(Check::new("Receiver", false, "The test needs two different users.".to_owned()));
        }
        out.push(servers(cx, &t)?);
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        out.push(room(cx, &t, wanted.as_deref(), &users).await?);
        Ok(Outcome::objects(out.into_iter().map(Check::object).collect()))
    }
}
