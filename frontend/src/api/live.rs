//! The one stream of live events. Pages name the topics they show; a topic's counter rises when something
//! of it changed, and the page reads its resource again.

use std::cell::RefCell;

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use shared::Timestamp;
use shared::events::{Event, Topic};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent, VisibilityState};

use crate::app::app;
use crate::dom::document;
use crate::{session, time};

const TOPICS: [Topic; 10] = [
    Topic::Pool,
    Topic::Server,
    Topic::Topology,
    Topic::Job,
    Topic::Test,
    Topic::Directory,
    Topic::Rooms,
    Topic::Draft,
    Topic::Audit,
    Topic::Alert,
];
/// Events that come together are answered with one re-read.
const COALESCE_MS: u32 = 120;
/// Wait before a new attempt when the portal refused the stream.
const RETRY_MS: u32 = 3_000;

/// Whether the page hears of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Not asked for yet, or the tab is hidden.
    Idle,
    /// Events arrive.
    Connected,
    /// Lost since then; the browser tries again by itself.
    Reconnecting(Timestamp),
}

/// Counters by topic and the state of the stream.
#[derive(Clone, Copy)]
pub struct Live {
    versions: RwSignal<[u64; TOPICS.len()]>,
    /// State of the stream.
    pub connection: RwSignal<Connection>,
}

impl Default for Live {
    fn default() -> Self {
        Self { versions: RwSignal::new([0; TOPICS.len()]), connection: RwSignal::new(Connection::Idle) }
    }
}

#[derive(Default)]
struct Stream {
    source: Option<EventSource>,
    pending: [bool; TOPICS.len()],
    flush: Option<Timeout>,
    retry: Option<Timeout>,
}

thread_local!(static STREAM: RefCell<Stream> = RefCell::default());

/// A counter that rises when something of these topics changed.
pub fn use_live(topics: &'static [Topic]) -> Signal<u64> {
    let versions = app().live.versions;
    Memo::new(move |_| {
        versions.with(|v| TOPICS.iter().zip(v).filter(|(t, _)| topics.contains(t)).map(|(_, n)| n).sum())
    })
    .into()
}

/// Opens the stream and keeps it while the tab is seen; called when somebody has signed in.
pub fn start() {
    let watch = Closure::<dyn Fn()>::new(|| {
        if document().visibility_state() == VisibilityState::Hidden {
            close();
        } else {
            open();
            // What happened meanwhile was not heard.
            mark_all();
        }
    });
    let heard =
        document().add_event_listener_with_callback("visibilitychange", watch.as_ref().unchecked_ref());
    if heard.is_ok() {
        watch.forget();
    }
    open();
}

/// Closes the stream; called at sign-out.
pub fn close() {
    STREAM.with_borrow_mut(|s| {
        if let Some(source) = s.source.take() {
            source.close();
        }
        s.retry = None;
    });
    app().live.connection.set(Connection::Idle);
}

fn open() {
    let signed_in = app().session.with_untracked(|s| s.as_ref().is_some_and(|s| s.account.is_some()));
    if !signed_in || STREAM.with_borrow(|s| s.source.is_some()) {
        return;
    }
    let Ok(source) = EventSource::new("/api/v1/events") else { return };
    let opened = Closure::<dyn Fn()>::new(|| {
        let was = app().live.connection.get_untracked();
        app().live.connection.set(Connection::Connected);
        if matches!(was, Connection::Reconnecting(_)) {
            mark_all();
        }
    });
    let failed = Closure::<dyn Fn()>::new(lost);
    let message = Closure::<dyn Fn(MessageEvent)>::new(|e: MessageEvent| {
        let event = e.data().as_string().and_then(|t| super::lean::from_str::<Event>(&t).ok());
        if let Some(i) = event.and_then(|e| TOPICS.iter().position(|t| *t == e.topic)) {
            mark(|pending| pending[i] = true);
        }
    });
    let reset = Closure::<dyn Fn()>::new(mark_all);
    source.set_onopen(Some(opened.as_ref().unchecked_ref()));
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    source.set_onmessage(Some(message.as_ref().unchecked_ref()));
    let heard = source.add_event_listener_with_callback("reset", reset.as_ref().unchecked_ref());
    if heard.is_err() {
        leptos::logging::warn!("the stream's reset is not heard");
    }
    // A stream lives as long as the tab is seen; its four small closures go with the page.
    opened.forget();
    failed.forget();
    message.forget();
    reset.forget();
    STREAM.with_borrow_mut(|s| s.source = Some(source));
}

/// The stream broke. The browser reconnects by itself unless the portal refused it; then this does.
fn lost() {
    let connection = app().live.connection;
    if !matches!(connection.get_untracked(), Connection::Reconnecting(_)) {
        connection.set(Connection::Reconnecting(time::now()));
    }
    STREAM.with_borrow_mut(|s| {
        if s.source.as_ref().is_some_and(|e| e.ready_state() == EventSource::CLOSED) {
            s.source = None;
            s.retry = Some(Timeout::new(RETRY_MS, || leptos::task::spawn_local(again())));
        }
    });
}

/// Asks who is signed in before the next attempt: a session that ended refuses the stream for ever.
async fn again() {
    match session::peek().await {
        Ok(s) if s.account.is_none() => {
            super::gate::passed().await;
            open();
        }
        Ok(_) => open(),
        Err(_) => lost_again(),
    }
}

fn lost_again() {
    STREAM.with_borrow_mut(|s| {
        s.retry = Some(Timeout::new(RETRY_MS, || leptos::task::spawn_local(again())));
    });
}

fn mark_all() {
    mark(|pending| *pending = [true; TOPICS.len()]);
}

fn mark(change: impl FnOnce(&mut [bool; TOPICS.len()])) {
    STREAM.with_borrow_mut(|s| {
        change(&mut s.pending);
        if s.flush.is_none() {
            s.flush = Some(Timeout::new(COALESCE_MS, flush));
        }
    });
}

fn flush() {
    let pending = STREAM.with_borrow_mut(|s| {
        s.flush = None;
        std::mem::take(&mut s.pending)
    });
    app().live.versions.update(|v| {
        for (n, changed) in v.iter_mut().zip(pending) {
            *n += u64::from(changed);
        }
    });
}
