//! One-time links: whoever has one sets a password with it, once, without being signed in. The token comes in
//! a body, never in an address; forged requests fail at the guard's header, guesses at the limits.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use shared::SipUri;
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::people::{LinkToken, LinkUse, LinkView};
use store::management::accounts;
use store::management::audit::{self, Opened};
use store::management::directory;
use store::management::people::{self, Kind, PasswordLink};

use super::auth;
use super::error::{Answer, Body};
use super::guard::{RequestId, Source};
use crate::app::App;
use crate::door::Fault;
use crate::handlers::{MIN_ACCOUNT_PASSWORD, MIN_USER_PASSWORD, check_account, check_user_password};
use crate::keys::hash_password;

/// Under which name guesses at links count.
const LIMIT: &str = "one-time link";

fn dead() -> ApiError {
    ApiError::not_found("This link was used already, was taken back, or has ended. Ask for a new one.")
}

/// What a live link says; none when its person is gone or disabled.
fn view(c: &rusqlite::Connection, l: &PasswordLink) -> Result<Option<LinkView>, Fault> {
    let (name, sip_address, shortest) = match l.kind {
        Kind::Account => match accounts::account(c, &l.subject)?.filter(|a| a.enabled) {
            Some(a) => (a.name, None, MIN_ACCOUNT_PASSWORD),
            None => return Ok(None),
        },
        Kind::User => {
            let sip = SipUri::try_from(l.subject.as_str()).ok();
            let user = sip.map(|s| directory::user(c, &s)).transpose()?.flatten().filter(|u| u.enabled);
            let Some(u) = user else { return Ok(None) };
            (u.logon_name, Some(u.sip_address.to_string()), MIN_USER_PASSWORD)
        }
    };
    let shortest = u32::try_from(shortest).unwrap_or(u32::MAX);
    Ok(Some(LinkView { kind: l.kind.word().to_owned(), name, sip_address, shortest, ends: l.expires }))
}

/// The link that a token opens; a wrong one counts as a guess.
fn open(app: &App, source: Source, token: &str) -> Result<(PasswordLink, LinkView), ApiError> {
    let now = app.clock.now();
    let wait = app.login_limits.wait_seconds(source.0, LIMIT, now);
    if wait > 0 {
        let text = format!("Too many links that do not work. Try again in {wait} s.");
        return Err(ApiError::new(ErrorCode::RateLimited, text));
    }
    let found = app.store.read(|c| -> Result<_, Fault> {
        let Some(l) = people::link(c, token.trim(), now)? else { return Ok(None) };
        Ok(view(c, &l)?.map(|v| (l, v)))
    });
    found.map_err(|f| f.0)?.ok_or_else(|| {
        app.login_limits.failed(source.0, LIMIT, now);
        dead()
    })
}

/// `POST /api/v1/links/look`.
pub async fn look(
    State(app): State<Arc<App>>,
    Extension(source): Extension<Source>,
    Body(req): Body<LinkToken>,
) -> Answer<LinkView> {
    Ok(Json(open(&app, source, &req.token)?.1))
}

/// `POST /api/v1/links/use`: sets the password and uses the link up.
pub async fn use_up(
    State(app): State<Arc<App>>,
    Extension(source): Extension<Source>,
    Extension(id): Extension<RequestId>,
    Body(req): Body<LinkUse>,
) -> Answer<LinkView> {
    let (link, view) = open(&app, source, &req.token)?;
    let checked = match link.kind {
        Kind::Account => check_account(&view.name, Some(&req.password)),
        Kind::User => check_user_password(Some(&req.password)),
    };
    checked.map_err(|e| ApiError::invalid("password", e.message))?;
    let hash = (link.kind == Kind::Account).then(|| hash_password(&*app.entropy, &req.password));
    let o = auth::entry(&app, ("Set password by link", "one-time link"), &link.subject, source, &id);
    let o = Opened { target: link.subject.clone(), ..o };
    let now = app.clock.now();
    let done = app.store.write(|tx| -> Result<(), Fault> {
        // Taken here: of two requests at once only one finds it.
        people::take_link(tx, req.token.trim(), now)?.ok_or_else(dead)?;
        audit::open(tx, &o, now)?;
        match &hash {
            Some(h) => {
                people::set_password(tx, &link.subject, h, false)?;
                accounts::end_sessions_of(tx, &link.subject)?;
            }
            None => {
                let sip = SipUri::try_from(link.subject.as_str()).map_err(|_| dead())?;
                let mut u = directory::user(tx, &sip)?.ok_or_else(dead)?;
                u.secrets = app.keys.seal_secrets(&*app.entropy, &sip, &u.logon_name, &req.password);
                directory::save_user(tx, &u)?;
            }
        }
        let detail = format!("by the link of {}", link.created_by);
        Ok(audit::close(tx, &o.op_id, "done", &detail, now)?)
    });
    done.map_err(|f| f.0)?;
    app.bus.send(Topic::Directory, if link.kind == Kind::User { "users" } else { "accounts" });
    app.bus.send(Topic::Audit, "");
    Ok(Json(view))
}
