//! Who is in which room, over all servers of a pool: those of this process, and those of other processes as
//! these tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use shared::ObjectId;
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

/// That someone is, or is no longer, in a room at the servers of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The process: a node's name, empty for the portal's. In a process, empty stands for itself.
    pub origin: String,
    /// Room id.
    pub room: String,
    /// SIP address.
    pub user: String,
    /// Display name.
    pub display: String,
    /// Is there (else no longer).
    pub there: bool,
}

#[derive(Default)]
struct Person {
    display: String,
    /// Sessions in this process.
    sessions: u32,
    /// Other processes where he is, too.
    elsewhere: BTreeSet<String>,
}

impl Person {
    fn is_there(&self) -> bool {
        self.sessions > 0 || !self.elsewhere.is_empty()
    }
}

type Rooms = HashMap<String, BTreeMap<String, Person>>;

/// The roster of a pool.
pub struct Roster {
    pool: ObjectId,
    rooms: Mutex<Rooms>,
    sender: broadcast::Sender<Movement>,
    told: broadcast::Sender<(ObjectId, Presence)>,
}

/// The rosters of all pools in this process.
pub struct Rosters {
    pools: Mutex<HashMap<ObjectId, Arc<Roster>>>,
    told: broadcast::Sender<(ObjectId, Presence)>,
}

impl Default for Rosters {
    fn default() -> Self {
        Self { pools: Mutex::default(), told: broadcast::channel(4096).0 }
    }
}

impl Rosters {
    fn pools(&self) -> MutexGuard<'_, HashMap<ObjectId, Arc<Roster>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The roster of a pool.
    pub fn of(&self, pool: &ObjectId) -> Arc<Roster> {
        let new = || {
            Arc::new(Roster {
                pool: pool.clone(),
                rooms: Mutex::default(),
                sender: broadcast::channel(1024).0,
                told: self.told.clone(),
            })
        };
        self.pools().entry(pool.clone()).or_insert_with(new).clone()
    }

    /// What changes from now on, with where it changed.
    pub fn subscribe(&self) -> broadcast::Receiver<(ObjectId, Presence)> {
        self.told.subscribe()
    }

    /// Nobody is known to be at these processes any more: their link is gone.
    pub fn forget(&self, gone: impl Fn(&str) -> bool) {
        let all: Vec<_> = self.pools().values().cloned().collect();
        for roster in all {
            roster.forget(&gone);
        }
    }
}

impl Roster {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Movements from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Movement> {
        self.sender.subscribe()
    }

    /// Changes one person; the others are told when he came or left over all, other processes when he came or
    /// left at `origin`. Told under the lock: what is told stands in the order in which it happened.
    fn change(&self, room: &str, user: &str, origin: &str, display: &str, f: impl FnOnce(&mut Person)) {
        let mut rooms = self.rooms();
        let people = rooms.entry(room.to_owned()).or_default();
        let p = people.entry(user.to_owned()).or_default();
        let at = |p: &Person| if origin.is_empty() { p.sessions > 0 } else { p.elsewhere.contains(origin) };
        let (was, was_at) = (p.is_there(), at(p));
        if !display.is_empty() {
            display.clone_into(&mut p.display);
        }
        f(p);
        let (is, is_at, display) = (p.is_there(), at(p), p.display.clone());
        if !is {
            people.remove(user);
        }
        if people.is_empty() {
            rooms.remove(room);
        }
        // Nobody listening is fine.
        if was != is {
            let shown = if is { display.clone() } else { String::new() };
            let (room, user) = (room.to_owned(), user.to_owned());
            let _ = self.sender.send(Movement { room, user, display: shown, entered: is });
        }
        if was_at != is_at {
            let (room, user, origin) = (room.to_owned(), user.to_owned(), origin.to_owned());
            let presence = Presence { origin, room, user, display, there: is_at };
            let _ = self.told.send((self.pool.clone(), presence));
        }
    }

    /// A session of `user` entered; the others are told of his first one.
    pub fn enter(&self, room: &str, user: &str, display: &str) {
        self.change(room, user, "", display, |p| p.sessions += 1);
    }

    /// A session of `user` left; the others are told of his last one.
    pub fn leave(&self, room: &str, user: &str) {
        self.change(room, user, "", "", |p| p.sessions = p.sessions.saturating_sub(1));
    }

    /// Takes what another process tells; what it says of this one is not believed.
    pub fn take(&self, p: &Presence) {
        if p.origin.is_empty() {
            return;
        }
        self.change(&p.room, &p.user, &p.origin, &p.display, |x| {
            if p.there {
                x.elsewhere.insert(p.origin.clone());
            } else {
                x.elsewhere.remove(&p.origin);
            }
        });
    }

    /// Everyone who is there, once for each process.
    pub fn all(&self) -> Vec<Presence> {
        let rooms = self.rooms();
        let mut out = Vec::new();
        for (room, people) in rooms.iter() {
            for (user, p) in people {
                let own = (p.sessions > 0).then(String::new);
                out.extend(own.into_iter().chain(p.elsewhere.iter().cloned()).map(|origin| Presence {
                    origin,
                    room: room.clone(),
                    user: user.clone(),
                    display: p.display.clone(),
                    there: true,
                }));
            }
        }
        out
    }

    /// Nobody is known to be at these processes any more.
    pub fn forget(&self, gone: impl Fn(&str) -> bool) {
        for p in self.all() {
            if !p.origin.is_empty() && gone(&p.origin) {
                self.take(&Presence { there: false, ..p });
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_there_as_long_as_he_is_anywhere() {
        let rosters = Rosters::default();
        let roster = rosters.of(&ObjectId::try_from("p").unwrap());
        let (mut moved, mut told) = (roster.subscribe(), rosters.subscribe());
        let elsewhere = |there| Presence {
            origin: "n1".to_owned(),
            room: "r".to_owned(),
            user: "u".to_owned(),
            display: "U".to_owned(),
            there,
        };
        roster.enter("r", "u", "U");
        roster.enter("r", "u", "U");
        roster.take(&elsewhere(true));
        roster.take(&elsewhere(true));
        roster.leave("r", "u");
        roster.leave("r", "u");
        assert_eq!(roster.people("r"), [("u".to_owned(), "U".to_owned())]);
        assert_eq!(roster.all(), [elsewhere(true)]);
        rosters.forget(|o| o == "n2");
        assert_eq!(roster.count("r"), 1);
        rosters.forget(|o| o == "n1");
        assert_eq!((roster.count("r"), roster.all().len()), (0, 0));
        let moves: Vec<bool> = std::iter::from_fn(|| moved.try_recv().ok()).map(|m| m.entered).collect();
        assert_eq!(moves, [true, false], "told once each");
        let origins: Vec<_> =
            std::iter::from_fn(|| told.try_recv().ok()).map(|(_, p)| (p.origin, p.there)).collect();
        let at = |o: &str, t| (o.to_owned(), t);
        assert_eq!(origins, [at("", true), at("n1", true), at("", false), at("n1", false)]);
    }

    #[test]
    fn nobody_speaks_for_this_process() {
        let rosters = Rosters::default();
        let roster = rosters.of(&ObjectId::try_from("p").unwrap());
        roster.enter("r", "u", "U");
        let forged = Presence { there: false, ..roster.all()[0].clone() };
        roster.take(&forged);
        assert_eq!(roster.count("r"), 1);
    }
}
