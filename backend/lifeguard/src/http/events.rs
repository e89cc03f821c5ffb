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
use shared::events::Event;
use tokio_stream::wrappers::{BroadcastStream, IntervalStream};

use super::auth::{SignedIn, still_signed_in};
use crate::app::App;

/// How often a live page is checked against the end of its session, besides at every event.
const LOOK: Duration = Duration::from_secs(5);

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

/// `GET /api/v1/events`.
pub async fn stream(
    State(app): State<Arc<App>>,
    SignedIn(_): SignedIn,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<SseEvent, Infallible>>> {
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    // What ends a session or token ends its live page as well, at the next event or look.
    let looks = IntervalStream::new(tokio::time::interval(LOOK)).map(|_| None);
    let told = stream::select(from(&app, last).map(Some), looks)
        .take_while(move |_| std::future::ready(still_signed_in(&app, &headers)))
        .filter_map(std::future::ready);
    Sse::new(told).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
