//! Live events: one broadcast, ids `<boot>-<seq>`, a ring for `Last-Event-ID`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use shared::events::{Event, Topic};
use tokio::sync::broadcast;

/// Events kept for a client that reconnects.
const RING: usize = 512;

/// Subject of the event that a status link was opened: it changes the list of links, not what a link shows.
pub const LINK_OPENED: &str = "uses";

/// What an event may change of that which is kept between readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meaning {
    /// What is known of pools.
    pub pools: bool,
    /// What status links show.
    pub pages: bool,
    /// Which status links there are.
    pub links: bool,
}

/// What an event may change. The one table of it: whoever keeps a reading asks here.
pub fn meaning(topic: Topic, subject: &str) -> Meaning {
    let all = |pools, pages, links| Meaning { pools, pages, links };
    match (topic, subject) {
        (Topic::Pool | Topic::Server | Topic::Topology | Topic::Job | Topic::Test, _) => {
            all(true, true, false)
        }
        (Topic::Directory, "announcements") => all(true, true, false),
        (Topic::Directory, "shares") => all(true, false, true),
        (Topic::Directory, LINK_OPENED) | (Topic::Draft | Topic::Audit, _) => Meaning::default(),
        (Topic::Directory | Topic::Rooms | Topic::Alert, _) => all(true, false, false),
    }
}

/// The event bus.
pub struct Bus {
    boot: String,
    state: Mutex<(u64, VecDeque<Event>)>,
    /// Events that may change what is known of pools.
    changes: AtomicU64,
    sender: broadcast::Sender<Event>,
}

impl Bus {
    /// A bus; `boot` tells this process's ids from an earlier one's.
    pub fn new(boot: String) -> Self {
        Self { boot, state: Mutex::default(), changes: AtomicU64::new(0), sender: broadcast::channel(256).0 }
    }

    /// What tells this process from an earlier one.
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// Counts the events that may change what is known of pools.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Tells everyone.
    pub fn send(&self, topic: Topic, subject: impl Into<String>) {
        let subject = subject.into();
        if meaning(topic, &subject).pools {
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        let event = Event { id: format!("{}-{}", self.boot, state.0), topic, subject };
        if state.1.len() == RING {
            state.1.pop_front();
        }
        state.1.push_back(event.clone());
        // Nobody listening is fine.
        let _ = self.sender.send(event);
    }

    /// A receiver, and what was missed since `last`; none when that cannot be told (then: reset).
    pub fn subscribe(&self, last: Option<&str>) -> (broadcast::Receiver<Event>, Option<Vec<Event>>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = match last {
            None => Some(Vec::new()),
            Some(id) => state
                .1
                .iter()
                .position(|e| e.id == id)
                .map(|i| state.1.iter().skip(i + 1).cloned().collect())
                .or_else(|| (format!("{}-{}", self.boot, state.0) == id).then(Vec::new)),
        };
        (self.sender.subscribe(), missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_page_shows_is_told_to_its_viewers() {
        let of = |topic, subject| {
            let m = meaning(topic, subject);
            (m.pools, m.pages, m.links)
        };
        assert_eq!(of(Topic::Pool, ""), (true, true, false));
        assert_eq!(of(Topic::Directory, "announcements"), (true, true, false));
        assert_eq!(of(Topic::Directory, "shares"), (true, false, true));
        assert_eq!(of(Topic::Directory, LINK_OPENED), (false, false, false));
        assert_eq!(of(Topic::Rooms, ""), (true, false, false));
        assert_eq!(of(Topic::Audit, ""), (false, false, false));
    }
}
