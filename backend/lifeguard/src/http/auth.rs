//! Sessions, log-on, first visit, API tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use shared::Timestamp;
use shared::api::{AccountInfo, LoginRequest, Session, SetupRequest, SetupResponse};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use store::management::accounts::{self, Account};
use store::management::audit::{self, Opened};
use store::management::roles;
use subtle::ConstantTimeEq;

pub(super) use super::compare::{compare, place};
use super::error::{Body, HttpError};
use super::guard::{RequestId, Source};
use crate::app::App;
use crate::clock::{new_id, random_hex};
use crate::door::{Actor, store_error};
use crate::handlers::{MAX_ACCOUNT_PASSWORD, MAX_NAME};
use crate::keys::hash_password;
use crate::second_factor;

/// A session ends after this time without use.
const SESSION_MS: i64 = 8 * 3_600_000;
/// The end is moved when this much of it is used.
const EXTEND_AFTER_MS: u64 = 60_000;
/// Verified when the name is unknown, so that both take the same time.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Cookie of this instance: two portals on one host keep their sessions apart.
fn cookie_name(app: &App) -> String {
    format!("lifeguard_{}", app.settings.block)
}

pub(super) fn cookie(app: &App, token: &str, max_age: i64) -> HeaderValue {
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    let text =
        format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}", cookie_name(app));
    HeaderValue::from_str(&text).expect("a hexadecimal token is a valid cookie value")
}

pub(super) fn token_of(app: &App, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(app);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|p| p.trim().split_once('='))
        .find(|(k, _)| *k == name)
        .map(|(_, v)| v.to_owned())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// A signed-in actor; extracting it is the check.
pub struct SignedIn(pub Actor);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, HttpError> {
        let request_id = parts.extensions.get::<RequestId>().map(|r| r.0.clone()).unwrap_or_default();
        let source = parts.extensions.get::<Source>().map(|s| s.0.to_string()).unwrap_or_default();
        let now = app.clock.now();
        let expand = |role: &str| app.store.read(|c| roles::expand(c, role)).map_err(store_error);
        if let Some(t) = bearer(&parts.headers) {
            let found = app.store.read(|c| accounts::api_token(c, t, now)).map_err(store_error)?;
            let t = found.ok_or_else(|| unauthenticated("This API token is not valid or has ended."))?;
            let (mut roles, mut maker) = (expand(&t.role)?, String::new());
            // Whoever made it may have had another role then.
            if let Some((name, role)) = t.maker {
                (roles, maker) = (shared::roles::both(&expand(&role)?, &roles), name);
            }
            return Ok(Self(Actor { name: t.label, maker, roles, credential: "token", source, request_id }));
        }
        let (a, _) =
            live_session(app, &parts.headers, now)?.ok_or_else(|| unauthenticated("Sign in first."))?;
        if a.must_change {
            return Err(change_first().into());
        }
        let (maker, roles) = (a.name.clone(), expand(&a.role)?);
        Ok(Self(Actor { name: a.name, maker, roles, credential: "session", source, request_id }))
    }
}

/// Whether a request with these headers would be admitted now; does not prolong the session.
pub(super) fn still_signed_in(app: &App, headers: &HeaderMap) -> bool {
    let now = app.clock.now();
    let alive = app.store.read(|c| match (bearer(headers), token_of(app, headers)) {
        (Some(t), _) => Ok(accounts::api_token(c, t, now)?.is_some()),
        (None, Some(t)) => Ok(accounts::session(c, &t, now)?.is_some_and(|(a, _)| !a.must_change)),
        (None, None) => Ok(false),
    });
    // A store that does not answer ends nothing: the next event asks again.
    alive.map_err(store_error).unwrap_or(true)
}

pub(super) fn unauthenticated(text: &str) -> ApiError {
    ApiError::new(ErrorCode::Unauthenticated, text)
}

pub(super) fn live_session(
    app: &App,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Option<(Account, Timestamp)>, ApiError> {
    let Some(token) = token_of(app, headers) else { return Ok(None) };
    let found = app.store.read(|c| accounts::session(c, &token, now)).map_err(store_error)?;
    let Some((account, mut expires)) = found else { return Ok(None) };
    let full = Timestamp::from_millis(now.millis() + SESSION_MS);
    if full.millis_since(expires) > EXTEND_AFTER_MS {
        app.store.write(|tx| accounts::extend_session(tx, &token, now, full)).map_err(store_error)?;
        expires = full;
    }
    Ok(Some((account, expires)))
}

fn setup_needed(app: &App) -> bool {
    app.setup_token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
}

pub(super) fn session_view(app: &App, account: Option<(Account, Timestamp)>) -> Session {
    let expand = |role: String| app.store.read(|c| roles::expand(c, &role)).unwrap_or_else(|_| vec![role]);
    Session {
        setup_needed: setup_needed(app),
        setup_published: setup_needed(app) && crate::sample::is_there(app).unwrap_or_default(),
        account: account.map(|(a, expires)| AccountInfo {
            name: a.name,
            roles: expand(a.role),
            expires,
            must_change: a.must_change,
        }),
        instance: app.settings.instance.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// `GET /api/v1/session`.
pub async fn session(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Session>, HttpError> {
    let found = live_session(&app, &headers, app.clock.now())?;
    Ok(Json(session_view(&app, found)))
}

/// Opens a session for `account` and answers with it and its cookie. One that the browser had before ends.
fn open_session(
    app: &App,
    account: Account,
    source: Source,
    before: Option<&str>,
) -> Result<(HeaderValue, Session), ApiError> {
    let token = random_hex(&*app.entropy, 32);
    let now = app.clock.now();
    let expires = Timestamp::from_millis(now.millis() + SESSION_MS);
    app.store
        .write(|tx| {
            if let Some(before) = before {
                accounts::end_session(tx, before)?;
            }
            accounts::add_session(tx, &token, &account.name, &source.0.to_string(), now, expires)?;
            accounts::note_login(tx, &account.name, now)
        })
        .map_err(store_error)?;
    Ok((cookie(app, &token, SESSION_MS / 1000), session_view(app, Some((account, expires)))))
}

/// What a session whose password somebody else has set is told everywhere.
pub fn change_first() -> ApiError {
    let text = "Change your password first: somebody else has set it. Sign in to the page, which asks for a new one.";
    ApiError::new(ErrorCode::PasswordChangeRequired, text)
}

fn note(app: &App, name: &str, source: Source, id: &RequestId, outcome: &str) {
    note_act(app, ("Sign-in", "password"), name, source, id, outcome);
}

/// Notes in the audit what a person did with a credential, where no cmdlet does.
pub(super) fn note_act(
    app: &App,
    (act, credential): (&str, &str),
    name: &str,
    source: Source,
    id: &RequestId,
    outcome: &str,
) {
    let o = entry(app, (act, credential), name, source, id);
    let now = app.clock.now();
    let written = app.store.write(|tx| {
        audit::open(tx, &o, now)?;
        audit::close(tx, &o.op_id, outcome, "", now)
    });
    if let Err(e) = written {
        tracing::error!(cause = %e, "a sign-in could not be noted in the audit");
    }
}

/// An entry of the audit for what a person does with a credential.
pub(super) fn entry(
    app: &App,
    (act, credential): (&str, &str),
    name: &str,
    source: Source,
    id: &RequestId,
) -> Opened {
    Opened {
        op_id: new_id(&*app.entropy, app.clock.now()),
        actor: name.chars().take(64).collect(),
        credential: credential.to_owned(),
        source: source.0.to_string(),
        cmdlet: act.to_owned(),
        request_id: id.0.clone(),
        ..Opened::default()
    }
}

/// Refuses who has guessed too often, and counts this attempt before it is compared, so that many attempts
/// at once gain nothing; success forgets it.
pub(super) fn count_attempt(app: &App, source: Source, name: &str) -> Result<(), ApiError> {
    let now = app.clock.now();
    let wait = app.login_limits.wait_seconds(source.0, name, now);
    if wait > 0 {
        let text = format!("Too many failed sign-ins. Try again in {wait} s.");
        return Err(ApiError::new(ErrorCode::RateLimited, text));
    }
    app.login_limits.failed(source.0, name, now);
    Ok(())
}

/// The second step of signing in. The attempt stays counted until a code fits.
fn check_code(
    app: &App,
    a: &Account,
    code: Option<&str>,
    source: Source,
    id: &RequestId,
) -> Result<(), ApiError> {
    let at = |code, text: &str| ApiError { field: Some("code".to_owned()), ..ApiError::new(code, text) };
    let Some(code) = code.map(str::trim).filter(|c| !c.is_empty()) else {
        let text = "Enter the code that your authenticator app shows, or a recovery code.";
        return Err(at(ErrorCode::SecondFactorRequired, text));
    };
    let now = app.clock.now();
    let accepted = app.store.write(|tx| second_factor::accept(tx, &app.keys, &a.name, code, now));
    if accepted.map_err(store_error)? {
        return Ok(());
    }
    note_act(app, ("Sign-in", "code"), &a.name, source, id, "refused");
    let text = "This code is wrong, has passed, or was used already. Wait for the next one.";
    Err(at(ErrorCode::SecondFactorRequired, text))
}

/// `POST /api/v1/login`. Unknown name and wrong password get the same answer in the same time.
pub async fn login(
    State(app): State<Arc<App>>,
    axum::Extension(source): axum::Extension<Source>,
    axum::Extension(id): axum::Extension<RequestId>,
    headers: HeaderMap,
    Body(req): Body<LoginRequest>,
) -> Result<Response, HttpError> {
    if setup_needed(&app) {
        return Err(ApiError::new(ErrorCode::SetupRequired, "Create the first administrator first.").into());
    }
    // No account has such a name or password: nothing is to be counted or compared.
    if req.name.trim().len() > MAX_NAME {
        return Err(
            ApiError::invalid("name", format!("A log-on name has {MAX_NAME} characters at most.")).into()
        );
    }
    if req.password.len() > MAX_ACCOUNT_PASSWORD {
        let text = format!("A password has {MAX_ACCOUNT_PASSWORD} bytes at most.");
        return Err(ApiError::invalid("password", text).into());
    }
    let place = place(source.0)?;
    count_attempt(&app, source, &req.name)?;
    let found = app.store.read(|c| accounts::account(c, req.name.trim())).map_err(store_error)?;
    let hash = found.as_ref().map_or_else(|| DUMMY.to_owned(), |a| a.password_hash.clone());
    let right = compare(place, req.password, hash).await;
    match found.filter(|a| right && a.enabled) {
        Some(a) => {
            if a.second_factor {
                check_code(&app, &a, req.code.as_deref(), source, &id)?;
            }
            app.login_limits.succeeded(source.0, &req.name);
            note(&app, &a.name, source, &id, "done");
            let (cookie, session) = open_session(&app, a, source, token_of(&app, &headers).as_deref())?;
            Ok(([(header::SET_COOKIE, cookie)], Json(session)).into_response())
        }
        None => {
            note(&app, &req.name, source, &id, "refused");
            let e = unauthenticated("Name or password is wrong, or the account is disabled.");
            Err(ApiError { field: Some("password".to_owned()), ..e }.into())
        }
    }
}

/// `POST /api/v1/logout`.
pub async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, HttpError> {
    if let Some(token) = token_of(&app, &headers) {
        app.store.write(|tx| accounts::end_session(tx, &token)).map_err(store_error)?;
        app.bus.send(Topic::Directory, "sessions");
    }
    Ok(([(header::SET_COOKIE, cookie(&app, "", 0))], Json(session_view(&app, None))).into_response())
}

/// `POST /api/v1/setup`: the first administrator, then the sample or nothing.
pub async fn setup(
    State(app): State<Arc<App>>,
    axum::Extension(source): axum::Extension<Source>,
    axum::Extension(id): axum::Extension<RequestId>,
    Body(req): Body<SetupRequest>,
) -> Result<Response, HttpError> {
    let now = app.clock.now();
    let wait = app.login_limits.wait_seconds(source.0, "setup", now);
    if wait > 0 {
        return Err(ApiError::new(
            ErrorCode::RateLimited,
            format!("Too many wrong tokens. Try again in {wait} s."),
        )
        .into());
    }
    let expected = app.setup_token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let Some(expected) = expected else {
        return Err(
            ApiError::new(ErrorCode::Conflict, "The first administrator exists already. Sign in.").into()
        );
    };
    if !bool::from(expected.as_bytes().ct_eq(req.token.trim().as_bytes())) {
        app.login_limits.failed(source.0, "setup", now);
        return Err(ApiError::invalid(
            "token",
            "This is not the set-up token. The program printed it when it started.",
        )
        .into());
    }
    super::first_visit::check(&app, &req)?;
    let account = Account {
        name: req.name.trim().to_owned(),
        role: "CsAdministrator".to_owned(),
        password_hash: hash_password(&*app.entropy, &req.password),
        enabled: true,
        ..Account::default()
    };
    app.store.write(|tx| accounts::save_account(tx, &account, now)).map_err(store_error)?;
    *app.setup_token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    note(&app, &account.name, source, &id, "done");
    let (job, credentials) = if req.deployment == "litware" {
        let s = crate::sample::begin(&app, &account.name)?;
        (Some(s.job), s.credentials)
    } else {
        (None, Vec::new())
    };
    app.bus.send(Topic::Topology, "");
    let (cookie, _) = open_session(&app, account, source, None)?;
    Ok(([(header::SET_COOKIE, cookie)], Json(SetupResponse { job, credentials })).into_response())
}
