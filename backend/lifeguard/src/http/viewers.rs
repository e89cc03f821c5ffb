//! Live viewers of shared pages, of whom there may be thousands: one task looks at the events and tells all of
//! them at most twice a second; what they then read is made once for each link, not for each viewer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shared::Timestamp;
use shared::api::StatusView;
use shared::error::ApiError;
use store::management::accounts::Share;
use tokio::sync::{Mutex, broadcast, watch};
use tokio::time::Instant;

use crate::app::App;
use crate::bus::meaning;
use crate::views::status;

/// Between two nudges.
const PAUSE: Duration = Duration::from_millis(500);
/// A page that was made is shown so long at the most, also when nothing was told meanwhile.
const FRESH_MS: u64 = 1_000;

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

/// Runs until the program ends.
pub async fn run(app: Arc<App>) {
    let (mut events, _) = app.bus.subscribe(None);
    let mut quiet_until = None::<Instant>;
    let mut waiting = false;
    loop {
        let (shows, links) = tokio::select! {
            event = events.recv() => match event {
                Ok(e) => {
                    let m = meaning(e.topic, &e.subject);
                    (m.pages, m.links)
                }
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
