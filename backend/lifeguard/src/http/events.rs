//! Server-sent events: small, with ids; `reset` when a client was outrun.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::StreamExt;
use futures_util::stream;
use shared::events::{Event, Topic};
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::wrappers::BroadcastStream;

use super::auth::SignedIn;
use crate::app::App;

fn sse(e: &Event) -> SseEvent {
    let data = serde_json::to_string(e).unwrap_or_default();
    SseEvent::default().id(e.id.clone()).data(data)
}

fn reset() -> SseEvent {
    SseEvent::default().event("reset").data("{}")
}

/// The stream of all events from `last` on.
pub fn from(app: &App, last: Option<&str>) -> impl Stream<Item = Result<SseEvent, Infallible>> + use<> {
    let (rx, missed) = app.bus.subscribe(last);
    let first: Vec<_> = match missed {
        Some(list) => list.iter().map(sse).collect(),
        None => vec![reset()],
    };
    let live = BroadcastStream::new(rx).map(|r| r.map_or_else(|_| reset(), |e| sse(&e)));
    stream::iter(first).chain(live).map(Ok)
}

/// Waits until who asked for the stream may no longer hear it: the session was ended, or a new password was set.
async fn session_ends(app: Arc<App>, headers: HeaderMap) {
    let (mut rx, _) = app.bus.subscribe(None);
    loop {
        match rx.recv().await {
            Ok(e) if e.topic != Topic::Directory => continue,
            Err(RecvError::Closed) => return,
            _ if super::auth::still_signed_in(&app, &headers) => {}
            _ => return,
        }
    }
}

/// `GET /api/v1/events`.
pub async fn stream(
    State(app): State<Arc<App>>,
    SignedIn(_): SignedIn,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>>> {
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let events = from(&app, last);
    Sse::new(events.take_until(session_ends(app, headers)))
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
