//! The shared status page: whoever has the link reads it; a revoked link is dead at once.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::StreamExt;
use shared::api::StatusView;
use shared::error::ApiError;
use shared::events::Topic;
use store::management::accounts::{self, Share};

use super::error::HttpError;
use super::site;
use crate::app::App;
use crate::door::store_error;
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

fn find(app: &App, token: &str) -> Result<Option<Share>, ApiError> {
    app.store.read(|c| accounts::live_share(c, token, app.clock.now())).map_err(store_error)
}

fn gone() -> HttpError {
    HttpError(ApiError::not_found("This link does not exist, was revoked, or has ended."))
}

/// `GET /status/{token}`.
pub async fn page(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let Some(share) = find(&app, &token)? else {
        return Ok((StatusCode::NOT_FOUND, Html(NO_LINK)).into_response());
    };
    // A page that reads itself again was opened once.
    if !headers.contains_key(AGAIN) {
        let now = app.clock.now();
        app.store.write(|tx| accounts::note_share_use(tx, &share.id, now)).map_err(store_error)?;
        app.bus.send(Topic::Directory, "shares");
    }
    let view = status::view(&app).await?;
    let html = status::html(&view, "/status.css", "/status.js");
    let robots = (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    Ok(([robots], Html(html)).into_response())
}

/// `GET /status/{token}/data`.
pub async fn data(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Json<StatusView>, HttpError> {
    find(&app, &token)?.ok_or_else(gone)?;
    Ok(Json(status::view(&app).await?))
}

/// `GET /status/{token}/events`: a nudge whenever something changed; ends when the link is revoked.
pub async fn events(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Response, HttpError> {
    find(&app, &token)?.ok_or_else(gone)?;
    let (rx, _) = app.bus.subscribe(None);
    let changes = tokio_stream::wrappers::BroadcastStream::new(rx).map(|_| true);
    let ticks = tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(CHECK)).map(|_| false);
    let stream = futures_util::stream::select(changes, ticks)
        .take_while(move |_| {
            let alive = find(&app, &token).is_ok_and(|s| s.is_some());
            std::future::ready(alive)
        })
        .filter(|changed| std::future::ready(*changed))
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
