//! The shared status page: whoever has the link reads it; a revoked link is dead at once.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::StreamExt;
use shared::Fqdn;
use shared::api::StatusView;
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use store::management::accounts::{self, Share};

use super::error::{Fields, HttpError};
use super::guard::{RequestId, Source};
use super::{share_test, site, viewers};
use crate::app::App;
use crate::door::{Actor, store_error};
use crate::views::status;

/// Sent by the status page when it reads itself again.
const AGAIN: &str = "x-lifeguard-again";
/// The page of a link that is dead.
const NO_LINK: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>No such link</title>\
    <link rel=\"stylesheet\" href=\"/status.css\"></head><body><main><h1>This link does not work</h1>\
    <p>It does not exist, was revoked, or has ended. Ask whoever gave it to you for a new one.</p></main></body></html>";
/// How often a live viewer is checked against revocation, besides every change.
const CHECK: Duration = Duration::from_secs(5);
/// How long a given passphrase opens a link in one browser.
const UNLOCKED_MS: i64 = 8 * 3_600_000;

fn find(app: &App, token: &str) -> Result<Option<Share>, ApiError> {
    app.store.read(|c| accounts::live_share(c, token, app.clock.now())).map_err(store_error)
}

fn gone() -> HttpError {
    HttpError(ApiError::not_found("This link does not exist, was revoked, or has ended."))
}

fn cookie_name(app: &App) -> String {
    format!("lifeguard_link_{}", app.settings.block)
}

/// Whether the passphrase was given: the cookie is sealed with the key file and belongs to this link and passphrase.
fn unlocked(app: &App, share: &Share, headers: &HeaderMap) -> bool {
    let Some(hash) = &share.passphrase else { return true };
    let name = cookie_name(app);
    let values = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(';')).filter_map(|p| p.trim().split_once('=')).any(|(k, v)| {
        let plain = (k == name).then(|| hex::decode(v).ok()).flatten().and_then(|s| app.keys.open_text(&s));
        let Some((end, rest)) = plain.as_deref().and_then(|p| p.split_once(' ')) else { return false };
        end.parse::<i64>().is_ok_and(|e| e > app.clock.now().millis())
            && rest == format!("{} {hash}", share.id)
    })
}

/// A live link whose passphrase was given.
fn open(app: &App, token: &str, headers: &HeaderMap) -> Result<Share, HttpError> {
    let share = find(app, token)?.ok_or_else(gone)?;
    if unlocked(app, &share, headers) {
        return Ok(share);
    }
    let text = "This link asks for a passphrase. Open its page and give it there.";
    Err(HttpError(ApiError::new(ErrorCode::Unauthenticated, text)))
}

fn page_of(status: StatusCode, html: String) -> Response {
    let robots = (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    (status, [robots], Html(html)).into_response()
}

/// What the page says after a form was sent; the address carries the word only.
fn said(query: Option<&str>) -> Option<&'static str> {
    match query {
        Some("sent") => Some("The test message is under way; its result will stand at its pool."),
        Some("wait") => {
            Some("A test message to this pool was sent within the last minute. Its result stands below.")
        }
        Some("users") => Some("No test message was sent: test users must be stored in the portal first."),
        Some("failed") => Some("The test message could not be sent. The portal's audit says why."),
        _ => None,
    }
}

/// `GET /status/{token}`.
pub async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let Some(share) = find(&app, &token)? else {
        return Ok(page_of(StatusCode::NOT_FOUND, NO_LINK.to_owned()));
    };
    if !unlocked(&app, &share, &headers) {
        return Ok(page_of(StatusCode::OK, status::ask(None)));
    }
    // A page that reads itself again was opened once.
    if !headers.contains_key(AGAIN) {
        let now = app.clock.now();
        app.store.write(|tx| accounts::note_share_use(tx, &share.id, now)).map_err(store_error)?;
        app.bus.send(Topic::Directory, crate::bus::LINK_OPENED);
    }
    let view = viewers::view(&app, &share).await?;
    let html = status::html(&view, said(query.as_deref()), "/status.css", "/status.js");
    Ok(page_of(StatusCode::OK, html))
}

/// `POST /status/{token}`: the passphrase, or *Send a test message*. Forms cannot send the portal's header
/// against forged requests; here the link itself is what nobody else has, and its cookie is strict.
pub async fn post(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    axum::Extension(source): axum::Extension<Source>,
    axum::Extension(id): axum::Extension<RequestId>,
    headers: HeaderMap,
    Fields(form): Fields,
) -> Result<Response, HttpError> {
    let Some(share) = find(&app, &token)? else {
        return Ok(page_of(StatusCode::NOT_FOUND, NO_LINK.to_owned()));
    };
    let to = |word: &str| {
        let place =
            if word.is_empty() { format!("/status/{token}") } else { format!("/status/{token}?{word}") };
        (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
    };
    if let Some(given) = form.get("passphrase") {
        return match give(&app, &share, source, given).await {
            Ok(()) => {
                let mut response = to("");
                response.headers_mut().insert(header::SET_COOKIE, cookie(&app, &share, &token));
                Ok(response)
            }
            Err(text) => Ok(page_of(StatusCode::FORBIDDEN, status::ask(Some(&text)))),
        };
    }
    if !unlocked(&app, &share, &headers) {
        return Ok(page_of(StatusCode::FORBIDDEN, status::ask(None)));
    }
    let shows =
        |pool: &&String| share.pools.is_empty() || share.pools.iter().any(|p| p.eq_ignore_ascii_case(pool));
    let asked = form.get("test").filter(|_| share.may_test).filter(shows);
    // Only published pools: stored test users would sign in at any other name that somebody writes here.
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    let Some(pool) = asked.and_then(|p| t.pool_by_fqdn(&Fqdn::try_from(p.trim()).ok()?)) else {
        let text = "This link does not allow that.";
        return Err(HttpError(ApiError::new(ErrorCode::Forbidden, text)));
    };
    let actor = Actor {
        name: format!("link {}", share.label),
        maker: String::new(),
        roles: vec!["+Test-CsPersistentChatMessage".to_owned()],
        credential: "share",
        source: source.0.to_string(),
        request_id: id.0,
    };
    Ok(to(share_test::send(&app, actor, pool.fqdn.as_str()).await))
}

/// Compares the passphrase; an attempt counts before it is compared, so that many at once gain nothing.
async fn give(app: &App, share: &Share, source: Source, given: &str) -> Result<(), String> {
    let Some(hash) = share.passphrase.clone() else { return Ok(()) };
    let (name, now) = (format!("link {}", share.id), app.clock.now());
    let wait = app.login_limits.wait_seconds(source.0, &name, now);
    if wait > 0 {
        return Err(format!("Too many wrong passphrases. Try again in {wait} s."));
    }
    let place = super::auth::place(source.0).map_err(|e| e.message)?;
    app.login_limits.failed(source.0, &name, now);
    if !super::auth::compare(place, given.to_owned(), hash).await {
        return Err("This is not the passphrase.".to_owned());
    }
    app.login_limits.succeeded(source.0, &name);
    Ok(())
}

fn cookie(app: &App, share: &Share, token: &str) -> HeaderValue {
    let end = app.clock.now().millis() + UNLOCKED_MS;
    let plain = format!("{end} {} {}", share.id, share.passphrase.as_deref().unwrap_or_default());
    let sealed = hex::encode(app.keys.seal_text(&*app.entropy, &plain));
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    let name = cookie_name(app);
    let age = UNLOCKED_MS / 1000;
    let text =
        format!("{name}={sealed}; Path=/status/{token}; HttpOnly; SameSite=Strict; Max-Age={age}{secure}");
    HeaderValue::from_str(&text)
        .expect("hexadecimal texts make a valid cookie: the token is one that opens a link")
}

/// `GET /status/{token}/data` and `…/status.json`: what the page shows, nothing more.
pub async fn data(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Json<StatusView>, HttpError> {
    let share = open(&app, &token, &headers)?;
    Ok(Json(viewers::view(&app, &share).await?))
}

/// `GET /status/{token}/events`: a nudge whenever something changed; ends when the link is revoked.
pub async fn events(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    open(&app, &token, &headers)?;
    let told = app.viewers.subscribe();
    let mut seen = *told.borrow();
    let changes = tokio_stream::wrappers::WatchStream::from_changes(told).map(Some);
    let ticks = tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(CHECK)).map(|_| None);
    // Whether it is alive is looked up when links changed and now and then, not at each of many changes.
    let stream = futures_util::stream::select(changes, ticks)
        .map(move |told| {
            let (was, now) = (seen, told.unwrap_or(seen));
            seen = now;
            let look = told.is_none() || now.links != was.links;
            (now.shown != was.shown, !look || find(&app, &token).is_ok_and(|s| s.is_some()))
        })
        .take_while(|(_, alive)| std::future::ready(*alive))
        .filter(|(changed, _)| std::future::ready(*changed))
        .map(|_| Ok::<_, std::convert::Infallible>(SseEvent::default().data("changed")));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

/// Style and script of the page, served apart because the policy forbids inline ones.
pub fn asset(path: &str) -> Option<Response> {
    let (body, kind) = match path {
        "/status.css" => (site::STATUS_CSS, "text/css; charset=utf-8"),
        "/status.js" => (site::STATUS_JS, "text/javascript; charset=utf-8"),
        _ => return None,
    };
    Some(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")], body).into_response())
}
