//! One's own account: password, sessions, second factor, API tokens. Belongs to the person's session and to no
//! role; it is also all that a session may do whose password somebody else has set.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use shared::api::{AccessEntry, Session};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::people::{EndOwn, FactorOffer, MyAccount, PasswordChange, RecoveryCodes, WithCode, WithPassword};
use store::management::accounts::{self, Access, Account};
use store::management::{StoreError, audit, people};

use super::auth;
use super::error::{Answer, Body, HttpError};
use super::guard::{RequestId, Source};
use crate::app::App;
use crate::door::store_error;
use crate::handlers::check_account;
use crate::keys::hash_password;
use crate::second_factor;

/// The person of a session, whatever is asked of it first.
pub struct Person {
    account: Account,
    token: String,
    source: Source,
    id: RequestId,
}

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, HttpError> {
        let first = || auth::unauthenticated("Sign in first.");
        let missing = || ApiError::new(ErrorCode::Internal, "The request did not pass the guard.");
        let source = *parts.extensions.get::<Source>().ok_or_else(missing)?;
        let id = parts.extensions.get::<RequestId>().cloned().ok_or_else(missing)?;
        let token = auth::token_of(app, &parts.headers).ok_or_else(first)?;
        let (account, _) = auth::live_session(app, &parts.headers, app.clock.now())?.ok_or_else(first)?;
        Ok(Self { account, token, source, id })
    }
}

impl Person {
    /// Everything but a new password waits until the password is the person's own.
    fn own(self) -> Result<Self, HttpError> {
        if self.account.must_change { Err(auth::change_first().into()) } else { Ok(self) }
    }

    /// Asks for the password; guesses count towards the limits of signing in.
    async fn knows(&self, app: &App, password: String, act: &str, field: &str) -> Result<(), ApiError> {
        let place = auth::place(self.source.0)?;
        auth::count_attempt(app, self.source, &self.account.name)?;
        if !auth::compare(place, password, self.account.password_hash.clone()).await {
            auth::note_act(app, (act, "session"), &self.account.name, self.source, &self.id, "refused");
            let text = "This is not your password.";
            return Err(ApiError::invalid(field, text));
        }
        app.login_limits.succeeded(self.source.0, &self.account.name);
        Ok(())
    }

    /// Changes the store and the audit in one transaction, and tells the pages.
    fn change<T>(
        &self,
        app: &App,
        act: &str,
        detail: &str,
        f: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, ApiError> {
        let o = auth::entry(app, (act, "session"), &self.account.name, self.source, &self.id);
        let o = audit::Opened { target: self.account.name.clone(), ..o };
        let now = app.clock.now();
        let out = app.store.write(|tx| {
            audit::open(tx, &o, now)?;
            let out = f(tx)?;
            audit::close(tx, &o.op_id, "done", detail, now)?;
            Ok(out)
        });
        let out = out.map_err(store_error)?;
        app.bus.send(Topic::Directory, "accounts");
        app.bus.send(Topic::Audit, "");
        Ok(out)
    }

    fn view(&self, app: &App) -> Result<MyAccount, ApiError> {
        let name = &self.account.name;
        let entry = |a: Access| AccessEntry {
            id: a.id,
            name: a.name,
            detail: a.detail,
            created: a.created,
            last_seen: a.last_seen,
            expires: a.expires,
        };
        let read = app.store.read(|c| {
            let own = people::own_tokens(c, name)?;
            let sessions = accounts::sessions(c, app.clock.now())?;
            let tokens = accounts::api_tokens(c)?;
            Ok::<_, StoreError>(MyAccount {
                name: name.clone(),
                second_factor: people::second_factor(c, name)?.is_some(),
                recovery_codes: people::recovery_codes(c, name)?,
                sessions: sessions
                    .into_iter()
                    .filter(|s| s.name.eq_ignore_ascii_case(name))
                    .map(entry)
                    .collect(),
                current: accounts::session_id(&self.token),
                tokens: tokens.into_iter().filter(|t| own.contains(&t.id)).map(entry).collect(),
            })
        });
        read.map_err(store_error)
    }
}

/// `GET /api/v1/me`.
pub async fn me(State(app): State<Arc<App>>, person: Person) -> Answer<MyAccount> {
    Ok(Json(person.own()?.view(&app)?))
}

/// `POST /api/v1/me/password`. The other sessions end.
pub async fn password(
    State(app): State<Arc<App>>,
    person: Person,
    Body(req): Body<PasswordChange>,
) -> Answer<Session> {
    let at_new = |text: &str| ApiError::invalid("new", text);
    check_account(&person.account.name, Some(&req.new)).map_err(|e| at_new(&e.message))?;
    if req.new == req.old {
        return Err(at_new("The new password is the old one.").into());
    }
    person.knows(&app, req.old, "Change own password", "old").await?;
    let hash = hash_password(&*app.entropy, &req.new);
    let (name, token) = (&person.account.name, &person.token);
    person.change(&app, "Change own password", "the other sessions end", |tx| {
        people::set_password(tx, name, &hash, false)?;
        people::end_other_sessions(tx, name, token)
    })?;
    let found = app.store.read(|c| accounts::session(c, token, app.clock.now())).map_err(store_error)?;
    Ok(Json(auth::session_view(&app, found)))
}

/// `POST /api/v1/me/second-factor`: a new secret, which counts once its first code came.
pub async fn begin_factor(
    State(app): State<Arc<App>>,
    person: Person,
    Body(req): Body<WithPassword>,
) -> Answer<FactorOffer> {
    let person = person.own()?;
    if person.account.second_factor {
        let text = "There is a second factor already. Remove it first.";
        return Err(ApiError::new(ErrorCode::Conflict, text).into());
    }
    person.knows(&app, req.password, "Begin second factor", "password").await?;
    let secret = second_factor::new_secret(&*app.entropy);
    let sealed = app.keys.seal_text(&*app.entropy, &secret);
    let name = &person.account.name;
    app.store.write(|tx| people::begin_factor(tx, name, &sealed)).map_err(store_error)?;
    Ok(Json(second_factor::offer(&app.settings.instance, name, secret)))
}

/// `POST /api/v1/me/second-factor/confirm`: the first code.
pub async fn confirm_factor(
    State(app): State<Arc<App>>,
    person: Person,
    Body(req): Body<WithCode>,
) -> Answer<RecoveryCodes> {
    let person = person.own()?;
    auth::count_attempt(&app, person.source, &person.account.name)?;
    let name = &person.account.name;
    let sealed = app.store.read(|c| people::pending_factor(c, name)).map_err(store_error)?;
    let Some(secret) = sealed.and_then(|s| app.keys.open_text(&s)) else {
        return Err(
            ApiError::new(ErrorCode::Conflict, "Begin anew: no second factor is being set up.").into()
        );
    };
    let Some(step) = second_factor::step_of(&secret, &req.code, app.clock.now()) else {
        let text = "This code is wrong or has passed. Check the clock of the device, and take the next one.";
        return Err(ApiError::invalid("code", text).into());
    };
    app.login_limits.succeeded(person.source.0, name);
    let codes = second_factor::new_recovery_codes(&*app.entropy);
    person.change(&app, "Set up second factor", "", |tx| people::confirm_factor(tx, name, step, &codes))?;
    Ok(Json(RecoveryCodes { codes }))
}

/// `POST /api/v1/me/second-factor/remove`.
pub async fn remove_factor(
    State(app): State<Arc<App>>,
    person: Person,
    Body(req): Body<WithPassword>,
) -> Answer<MyAccount> {
    let person = person.own()?;
    person.knows(&app, req.password, "Remove own second factor", "password").await?;
    let name = &person.account.name;
    person.change(&app, "Remove own second factor", "", |tx| people::remove_factor(tx, name))?;
    Ok(Json(person.view(&app)?))
}

/// `POST /api/v1/me/end`: a session or API token of one's own, or all sessions.
pub async fn end(
    State(app): State<Arc<App>>,
    person: Person,
    Body(req): Body<EndOwn>,
) -> Result<Response, HttpError> {
    let person = person.own()?;
    let (name, id) = (&person.account.name, req.id.trim());
    let everywhere = id == "all";
    let here = everywhere || id == accounts::session_id(&person.token);
    let act = if everywhere { "Sign out everywhere" } else { "End own session or token" };
    let found = person.change(&app, act, id, |tx| {
        if everywhere {
            accounts::end_sessions_of(tx, name)?;
            return Ok(true);
        }
        let own = people::own_tokens(tx, name)?.iter().any(|t| t == id);
        Ok(people::end_own_session(tx, name, id)? || (own && accounts::remove_api_token(tx, id)?))
    })?;
    if !found {
        return Err(ApiError::not_found("You have no such session or API token.").into());
    }
    let view = |a| Json(auth::session_view(&app, a));
    if here {
        return Ok(([(header::SET_COOKIE, auth::cookie(&app, "", 0))], view(None)).into_response());
    }
    let found = app.store.read(|c| accounts::session(c, &person.token, app.clock.now()));
    Ok(view(found.map_err(store_error)?).into_response())
}
