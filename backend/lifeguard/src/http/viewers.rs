//! Live viewers of shared pages, of whom there may be thousands: one task looks at the events and tells all of
//! them at most twice a second; what they then read is made once for each link, not for each viewer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shared::Timestamp;
use shared::api::StatusView;
use shared::error::ApiError;
use shared::events::{Event, Topic};
use store::management::accounts::Share;
use tokio::sync::{Mutex, broadcast, watch};
use tokio::time::Instant;

use crate::app::App;
use crate::views::status;

/// Between two nudges.
const PAUSE: Duration = Duration::from_millis(500);
/// A page that was made is shown so long at the most, also when nothing was told meanwhile.
const FRESH_MS: u64 = 1_000;
/// Subject of the event that a page was opened: it changes the list of links, not what a link shows.
pub const OPENED: &str = "uses";

/// What viewers are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Rises when what pages show changed.
    pub shown: u64,
    /// Rises when links were made or revoked.
    pub links: u64,
}

/// A page that was made.
struct Made {
    shown: u64,
    at: Timestamp,
    view: StatusView,
}

/// What the viewers share.
#[derive(Default)]
pub struct Viewers {
    told: watch::Sender<Told>,
    made: Mutex<HashMap<String, Made>>,
}

impl Viewers {
    /// What was told, and what will be.
    pub fn subscribe(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }
}

/// What a link shows; made anew when something changed or a second has passed.
///
/// # Errors
/// When the store does not answer.
pub async fn view(app: &App, share: &Share) -> Result<StatusView, ApiError> {
    // Who comes while it is made waits for it instead of making it once more.
    let mut made = app.viewers.made.lock().await;
    let (shown, now) = (app.viewers.told.borrow().shown, app.clock.now());
    made.retain(|_, m| m.shown == shown && m.at <= now && now.millis_since(m.at) <= FRESH_MS);
    if let Some(m) = made.get(&share.id) {
        return Ok(m.view.clone());
    }
    let view = status::view(app, share).await?;
    made.insert(share.id.clone(), Made { shown, at: now, view: view.clone() });
    Ok(view)
}

/// What an event means to viewers: whether pages show it, whether links changed.
fn meaning(e: &Event) -> (bool, bool) {
    match e.topic {
        Topic::Pool | Topic::Server | Topic::Topology | Topic::Job | Topic::Test => (true, false),
        Topic::Directory => (e.subject == "announcements", e.subject == "shares"),
        Topic::Rooms | Topic::Draft | Topic::Alert | Topic::Audit => (false, false),
    }
}

/// Runs until the program ends.
pub async fn run(app: Arc<App>) {
    let (mut events, _) = app.bus.subscribe(None);
    let mut quiet_until = None::<Instant>;
    let mut waiting = false;
    loop {
        let (shows, links) = tokio::select! {
            event = events.recv() => match event {
                Ok(e) => meaning(&e),
                Err(broadcast::error::RecvError::Lagged(_)) => (true, true),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = tokio::time::sleep_until(quiet_until.unwrap_or_else(Instant::now)), if quiet_until.is_some() => {
                quiet_until = None;
                (std::mem::take(&mut waiting), false)
            }
        };
        waiting |= shows && quiet_until.is_some();
        let now = shows && quiet_until.is_none();
        if now {
            quiet_until = Some(Instant::now() + PAUSE);
        }
        if now || links {
            app.viewers.told.send_modify(|t| {
                t.shown += u64::from(now);
                t.links += u64::from(links);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_page_shows_is_told() {
        let event = |topic, subject: &str| Event { id: String::new(), topic, subject: subject.to_owned() };
        assert_eq!(meaning(&event(Topic::Pool, "")), (true, false));
        assert_eq!(meaning(&event(Topic::Directory, "announcements")), (true, false));
        assert_eq!(meaning(&event(Topic::Directory, "shares")), (false, true));
        assert_eq!(meaning(&event(Topic::Directory, OPENED)), (false, false));
        assert_eq!(meaning(&event(Topic::Audit, "")), (false, false));
    }
}
