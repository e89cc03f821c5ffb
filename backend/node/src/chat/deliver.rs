//! Delivery: what is committed and who moves, to the sessions in the room.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use wire::xccos::{ChanIb, Data, Element, Item, Uib};

use super::ChatServer;
use super::replies::{PARTICIPANTS, chat_of, room_uri};
use super::session::{Session, body_of};
use crate::roster::Movement;
use crate::traits::{ChatStore, Committed, StoreError, StoredMessage};

/// Wait before what the database refused is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// What could not be done because the database did not answer.
#[derive(Default)]
struct Owed {
    /// Messages are to be read from the log.
    behind: bool,
    /// Who belongs to what is to be asked again.
    people: bool,
    /// Rooms whose rights are to be looked at.
    rooms: BTreeSet<String>,
}

impl Owed {
    fn is_empty(&self) -> bool {
        !self.behind && !self.people && self.rooms.is_empty()
    }
}

impl ChatServer {
    /// Delivers what is committed and who moves, until the server ends; follows the pool's database.
    pub async fn deliver(self: Arc<Self>) {
        let mut switched = self.databases.watch();
        let mut movements = self.roster.subscribe();
        let mut people = self.directory.changes();
        let mut owed = Owed::default();
        loop {
            let store = self.held().clone();
            let mut commits = store.as_ref().map(|s| s.subscribe());
            // A switch between the start and the subscription of `switched` is seen here.
            if !same(store.as_ref(), self.store().as_ref()) {
                self.switch().await;
                owed = Owed::default();
                continue;
            }
            loop {
                tokio::select! {
                    changed = switched.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        if !same(store.as_ref(), self.store().as_ref()) {
                            break;
                        }
                    }
                    () = next_change(&mut people) => {
                        owed.people = true;
                        self.settle(&mut owed).await;
                    }
                    m = movements.recv() => if let Ok(m) = m { self.moved(&m).await },
                    c = next_commit(&mut commits) => match c {
                        Ok(c) => self.committed(c, &mut owed).await,
                        Err(broadcast::error::RecvError::Lagged(_)) => {
                            // Changes of rights may be among what was missed.
                            owed.behind = true;
                            owed.rooms.extend(self.rooms());
                            self.settle(&mut owed).await;
                        }
                        Err(broadcast::error::RecvError::Closed) => commits = None,
                    },
                    () = tokio::time::sleep(RETRY), if !owed.is_empty() => self.settle(&mut owed).await,
                }
            }
        }
    }

    /// Ends the dialogs of the old store, then takes up the new one.
    async fn switch(&self) {
        let now = self.store();
        self.drop_all().await;
        *self.held() = now;
    }

    fn in_room(&self, room: &str) -> Vec<Arc<Session>> {
        self.present.of(room)
    }

    /// Rooms that anybody is in.
    fn rooms(&self) -> BTreeSet<String> {
        self.all().iter().flat_map(|s| s.rooms()).collect()
    }

    async fn committed(&self, c: Committed, owed: &mut Owed) {
        match c {
            Committed::Message(m) => return self.tell(&m).await,
            Committed::RoomChanged(room) => {
                owed.rooms.insert(room);
            }
            Committed::RightsChanged => owed.rooms.extend(self.rooms()),
            Committed::Missed => {
                owed.behind = true;
                owed.rooms.extend(self.rooms());
            }
        }
        self.settle(owed).await;
    }

    /// Does what is owed; what the database refuses stays owed.
    async fn settle(&self, owed: &mut Owed) {
        if owed.behind {
            match self.catch_up().await {
                Ok(()) => owed.behind = false,
                Err(e) => tracing::warn!(cause = %e, "missed messages could not be read; tried again"),
            }
        }
        if owed.people {
            owed.people = false;
            for s in self.all() {
                owed.people |= !self.ask_again(&s).await;
            }
            // After that: who entered meanwhile was judged by what was known before.
            owed.rooms.extend(self.rooms());
        }
        for room in std::mem::take(&mut owed.rooms) {
            if let Err(e) = self.recheck(&room).await {
                tracing::warn!(%room, cause = %e, "the rights in a room could not be read; tried again");
                owed.rooms.insert(room);
            }
        }
    }

    /// Tells a message to who is in its room. Waits for room in the connection: it is shared by many users,
    /// and the position of a session moves only after the message is queued.
    async fn tell(&self, m: &StoredMessage) {
        let Some(host) = self.host() else { return };
        // The same bytes for everyone.
        let body = body_of(Element::Chat(chat_of(&host, m)), self.next());
        for s in self.in_room(&m.room) {
            if s.wants(&m.room, m.chat_id) && s.send_body(body.as_deref()).await {
                s.advance(&m.room, m.chat_id);
            }
        }
    }

    /// The broadcast outran us: what was missed is read from the log.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let Some(store) = self.store() else { return Err(StoreError::Closed) };
        let mut oldest: HashMap<String, u64> = HashMap::new();
        for s in self.all() {
            for (room, at) in s.positions() {
                let e = oldest.entry(room).or_insert(at);
                *e = (*e).min(at);
            }
        }
        for (room, at) in oldest {
            for m in store.after(&room, at).await? {
                self.tell(&m).await;
            }
        }
        Ok(())
    }

    /// Looks up what a session's user belongs to; whether the directory answered.
    async fn ask_again(&self, s: &Session) -> bool {
        let Ok(uri) = shared::SipUri::try_from(s.user.as_str()) else { return true };
        match self.directory.user_by_aor(&uri).await {
            Ok(known) => s.learn(known),
            Err(e) => {
                tracing::warn!(user = %s.user, cause = %e, "groups could not be read; tried again");
                return false;
            }
        }
        true
    }

    /// Puts out whoever may no longer be in the room.
    async fn recheck(&self, room: &str) -> Result<(), StoreError> {
        let Some(store) = self.store() else { return Err(StoreError::Closed) };
        let found = store.room(room).await?;
        let Some(host) = self.host() else { return Ok(()) };
        for s in self.in_room(room) {
            let stays = found.as_ref().is_some_and(|(r, c)| crate::rules::may_join(c, r, &*s.who()).is_ok());
            if !stays && self.present.leave(&s, room, &self.roster) {
                self.record(&store, "PART", room, &s.user);
                let uib = Uib { uri: s.user.clone(), ..Uib::default() };
                let uri = room_uri(&host, room);
                let data = Data::one(Item::ChanIb(ChanIb { uri, uibs: vec![uib], ..ChanIb::default() }));
                s.send(Element::Notice { id: "ntc:part".to_owned(), data }, self.next()).await;
            }
        }
        Ok(())
    }

    async fn moved(&self, m: &Movement) {
        let Some(host) = self.host() else { return };
        let limit = usize::try_from(host.settings.participant_update_limit).unwrap_or(usize::MAX);
        if self.roster.count(&m.room) > limit {
            return; // above the limit rosters are not updated (model §10)
        }
        let domain = host.channel_uri.domain().to_owned();
        let (id, data) = if m.entered {
            let aib = (PARTICIPANTS.to_owned(), domain, m.room.clone());
            let uib =
                Uib { uri: m.user.clone(), disp: Some(m.display.clone()), aibs: vec![aib], ..Uib::default() };
            ("ntc:join", Data::one(Item::Uib(uib)))
        } else {
            let uib = Uib { uri: m.user.clone(), ..Uib::default() };
            let uri = room_uri(&host, &m.room);
            ("ntc:part", Data::one(Item::ChanIb(ChanIb { uri, uibs: vec![uib], ..ChanIb::default() })))
        };
        let body = body_of(Element::Notice { id: id.to_owned(), data }, self.next());
        for s in self.in_room(&m.room).iter().filter(|s| s.user != m.user) {
            s.send_body(body.as_deref()).await;
        }
    }
}

fn same(a: Option<&Arc<dyn ChatStore>>, b: Option<&Arc<dyn ChatStore>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.generation() == b.generation(),
        (None, None) => true,
        _ => false,
    }
}

async fn next_commit(
    rx: &mut Option<broadcast::Receiver<Committed>>,
) -> Result<Committed, broadcast::error::RecvError> {
    match rx {
        Some(rx) => rx.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits until it changed who belongs to what.
async fn next_change(rx: &mut Option<tokio::sync::watch::Receiver<u64>>) {
    match rx {
        Some(changes) => {
            if changes.changed().await.is_err() {
                *rx = None;
            }
        }
        None => std::future::pending().await,
    }
}
