//! Who is in which room, over all servers of a pool that run in this process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;

/// Someone entered or left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Room id.
    pub room: String,
    /// SIP address.
    pub user: String,
    /// Display name.
    pub display: String,
    /// Entered (else left).
    pub entered: bool,
}

#[derive(Default)]
struct Presence {
    display: String,
    sessions: u32,
}

/// The roster of a pool.
pub struct Roster {
    rooms: Mutex<HashMap<String, BTreeMap<String, Presence>>>,
    sender: broadcast::Sender<Movement>,
}

impl Default for Roster {
    fn default() -> Self {
        Self { rooms: Mutex::default(), sender: broadcast::channel(1024).0 }
    }
}

impl Roster {
    fn rooms(&self) -> std::sync::MutexGuard<'_, HashMap<String, BTreeMap<String, Presence>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Movements from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Movement> {
        self.sender.subscribe()
    }

    /// A session of `user` entered; the others are told of his first one.
    pub fn enter(&self, room: &str, user: &str, display: &str) {
        let first = {
            let mut rooms = self.rooms();
            let p = rooms.entry(room.to_owned()).or_default().entry(user.to_owned()).or_default();
            display.clone_into(&mut p.display);
            p.sessions += 1;
            p.sessions == 1
        };
        self.tell(room, user, display, true, first);
    }

    /// A session of `user` left; the others are told of his last one.
    pub fn leave(&self, room: &str, user: &str) {
        let last = {
            let mut rooms = self.rooms();
            let Some(people) = rooms.get_mut(room) else { return };
            let Some(p) = people.get_mut(user) else { return };
            p.sessions = p.sessions.saturating_sub(1);
            let last = p.sessions == 0;
            if last {
                people.remove(user);
            }
            if people.is_empty() {
                rooms.remove(room);
            }
            last
        };
        self.tell(room, user, "", false, last);
    }

    fn tell(&self, room: &str, user: &str, display: &str, entered: bool, really: bool) {
        if really {
            // Nobody listening is fine.
            let _ = self.sender.send(Movement {
                room: room.to_owned(),
                user: user.to_owned(),
                display: display.to_owned(),
                entered,
            });
        }
    }

    /// How many are there.
    pub fn count(&self, room: &str) -> usize {
        self.rooms().get(room).map_or(0, BTreeMap::len)
    }

    /// Who is there: address and display name.
    pub fn people(&self, room: &str) -> Vec<(String, String)> {
        let rooms = self.rooms();
        rooms.get(room).into_iter().flatten().map(|(u, p)| (u.clone(), p.display.clone())).collect()
    }
}
