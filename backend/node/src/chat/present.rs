//! Which sessions are in which room. A message goes to those in its room, however many others there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::session::{Entered, Session};
use crate::roster::Roster;

/// Sessions by room and key.
#[derive(Default)]
pub struct Present(Mutex<HashMap<String, HashMap<String, Arc<Session>>>>);

fn take(rooms: &mut HashMap<String, HashMap<String, Arc<Session>>>, room: &str, session: &Session) {
    if let Some(here) = rooms.get_mut(room) {
        here.remove(session.key());
        if here.is_empty() {
            rooms.remove(room);
        }
    }
}

impl Present {
    fn rooms(&self) -> MutexGuard<'_, HashMap<String, HashMap<String, Arc<Session>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions in a room.
    pub fn of(&self, room: &str) -> Vec<Arc<Session>> {
        self.rooms().get(room).into_iter().flat_map(HashMap::values).cloned().collect()
    }

    /// Enters a room as [`Session::enter`] does. Under one lock with what stands here: no message goes to a room
    /// between the two.
    pub fn enter(&self, session: &Arc<Session>, room: &str, last: u64, roster: &Roster) -> Entered {
        let mut rooms = self.rooms();
        let entered = session.enter(room, last, roster);
        if entered == Entered::New {
            let here = rooms.entry(room.to_owned()).or_default();
            here.insert(session.key().to_owned(), session.clone());
        }
        entered
    }

    /// Leaves a room; whether it was there.
    pub fn leave(&self, session: &Session, room: &str, roster: &Roster) -> bool {
        let mut rooms = self.rooms();
        let was = session.leave(room, roster);
        if was {
            take(&mut rooms, room, session);
        }
        was
    }

    /// Ends a session as [`Session::close`] does; the rooms it was in.
    pub fn close(&self, session: &Session, roster: &Roster) -> Vec<String> {
        let mut rooms = self.rooms();
        let left = session.close(roster);
        for room in &left {
            take(&mut rooms, room, session);
        }
        left
    }
}
