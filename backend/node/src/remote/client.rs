//! The chat databases of another process: questions go over the link to the one that owns them.
//! Nothing is queued while the link is down: what is asked then is refused, and what was committed
//! meanwhile is read from the log when it is back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shared::{ObjectId, Timestamp};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::wire::Recorded;
use super::{Act, Call, Inquiry, Reply, ToPortal};
use crate::administration::{Addin, Administration, Fate, Named, Retired, RoomQuery, Selection, Usage};
use crate::traits::{
    Category, ChatStore, Committed, ComplianceEvent, Databases, NewPost, Room, StoreError, StoredMessage,
};

/// Longest wait for an answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// Longest wait for an administrator's act: it may look at every message of a room.
const ACT_DEADLINE: Duration = Duration::from_secs(60);
/// Commits that may wait for a chat server.
const COMMITS: usize = 4096;

type Waiting = oneshot::Sender<Result<Reply, StoreError>>;

#[derive(Default)]
struct State {
    link: Option<mpsc::Sender<ToPortal>>,
    waiting: HashMap<u64, Waiting>,
    pools: HashMap<ObjectId, Arc<RemoteStore>>,
    /// Messages by pool that were heard of, and posts that were acknowledged over this link; never reset.
    counted: HashMap<ObjectId, Counted>,
}

/// Messages that were seen at this end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Commits that were told.
    pub commits: u64,
    /// Posts of this end that were acknowledged.
    pub posts: u64,
}

impl Counted {
    /// At least so many came after `before`: a post of this end is told as a commit too.
    pub fn since(self, before: Self) -> u64 {
        self.commits.saturating_sub(before.commits).max(self.posts.saturating_sub(before.posts))
    }
}

struct Inner {
    /// Whether this end is the portal, which alone does administrators' acts.
    administrator: bool,
    state: Mutex<State>,
    next: AtomicU64,
    changed: watch::Sender<u64>,
}

/// The databases of the deployment, reached over the link.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

/// One opening of one database.
struct RemoteStore {
    remote: Remote,
    pool: ObjectId,
    /// The portal's process and the number it gave.
    opening: (String, u64),
    /// Differs between two openings in this process.
    generation: u64,
    events: broadcast::Sender<Committed>,
}

fn away() -> StoreError {
    StoreError::Database("the process that owns it is out of reach".to_owned())
}

impl Default for Remote {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Remote {
    /// Of a chat host, or of the portal.
    pub fn new(administrator: bool) -> Self {
        Self(Arc::new(Inner {
            administrator,
            state: Mutex::default(),
            next: AtomicU64::new(1),
            changed: watch::channel(0).0,
        }))
    }
}

impl Remote {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link is up: questions go there.
    pub fn up(&self, link: mpsc::Sender<ToPortal>) {
        self.state().link = Some(link);
    }

    /// The link is down: who waits is refused now.
    pub fn down(&self) {
        let mut state = self.state();
        state.link = None;
        state.waiting.clear();
    }

    /// The databases that are open. One that is the same as before may have committed what was not seen.
    pub fn databases(&self, boot: &str, list: &[(ObjectId, u64)]) {
        let mut state = self.state();
        let before = std::mem::take(&mut state.pools);
        for (pool, number) in list {
            let opening = (boot.to_owned(), *number);
            let store = match before.get(pool).filter(|s| s.opening == opening) {
                Some(same) => {
                    // Nobody listening is fine.
                    let _ = same.events.send(Committed::Missed);
                    same.clone()
                }
                None => Arc::new(RemoteStore {
                    remote: self.clone(),
                    pool: pool.clone(),
                    opening,
                    generation: self.0.next.fetch_add(1, Ordering::Relaxed),
                    events: broadcast::channel(COMMITS).0,
                }),
            };
            state.pools.insert(pool.clone(), store);
        }
        drop(state);
        self.0.changed.send_modify(|n| *n += 1);
    }

    /// Something was committed.
    pub fn committed(&self, pool: &ObjectId, generation: u64, what: Committed) {
        let store = self.state().pools.get(pool).filter(|s| s.opening.1 == generation).cloned();
        if let Some(s) = store {
            if matches!(what, Committed::Message(_)) {
                self.count(pool, |c| c.commits += 1);
            }
            let _ = s.events.send(what);
        }
    }

    fn count(&self, pool: &ObjectId, add: impl FnOnce(&mut Counted)) {
        add(self.state().counted.entry(pool.clone()).or_default());
    }

    /// Messages of a pool that were seen at this end.
    pub fn counted(&self, pool: &ObjectId) -> Counted {
        self.state().counted.get(pool).copied().unwrap_or_default()
    }

    /// An answer came; one that nobody waits for any more is dropped.
    pub fn answered(&self, id: u64, result: Result<Reply, StoreError>) {
        let waiting = self.state().waiting.remove(&id);
        if let Some(w) = waiting {
            let _ = w.send(result);
        }
    }

    /// Asks the node at the other end about the databases it keeps.
    ///
    /// # Errors
    /// What it says, or that it did not answer within `limit`.
    pub async fn inquire(&self, what: Inquiry, limit: Duration) -> Result<Reply, StoreError> {
        self.ask(limit, |id| ToPortal::Inquire { id, what }).await
    }

    async fn ask(
        &self,
        limit: Duration,
        question: impl FnOnce(u64) -> ToPortal,
    ) -> Result<Reply, StoreError> {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        {
            let mut state = self.state();
            let link = state.link.clone().ok_or_else(away)?;
            let question = question(id);
            link.try_send(question).map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => {
                    StoreError::Database("too many questions wait for the process that owns it".to_owned())
                }
                mpsc::error::TrySendError::Closed(_) => away(),
            })?;
            state.waiting.insert(id, sender);
        }
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(away()),
            Err(_) => {
                self.state().waiting.remove(&id);
                Err(StoreError::Database("the process that owns it did not answer in time".to_owned()))
            }
        }
    }
}

impl Databases for Remote {
    fn current(&self, pool: &ObjectId) -> Option<Arc<dyn ChatStore>> {
        self.state().pools.get(pool).map(|s| s.clone() as Arc<dyn ChatStore>)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }
}

impl RemoteStore {
    async fn ask(&self, call: Call) -> Result<Reply, StoreError> {
        let (pool, generation) = (self.pool.clone(), self.opening.1);
        self.remote.ask(DEADLINE, |id| ToPortal::Call { id, pool, generation, call }).await
    }

    async fn act(&self, act: Act) -> Result<Reply, StoreError> {
        if !self.remote.0.administrator {
            let text = "administrators' acts are done at the portal";
            return Err(StoreError::Forbidden(text.to_owned()));
        }
        let (pool, generation) = (self.pool.clone(), self.opening.1);
        self.remote.ask(ACT_DEADLINE, |id| ToPortal::Act { id, pool, generation, act }).await
    }

    /// An act that answers nothing.
    async fn done(&self, act: Act) -> Result<(), StoreError> {
        match self.act(act).await? {
            Reply::Done => Ok(()),
            other => odd(&other),
        }
    }
}

fn odd<T>(r: &Reply) -> Result<T, StoreError> {
    tracing::error!(reply = ?std::mem::discriminant(r), "the owner of a database answered something else than was asked");
    Err(StoreError::Database("the answer was not understood".to_owned()))
}

macro_rules! ask {
    ($self:ident, $call:expr, $reply:ident) => {
        match $self.ask($call).await? {
            Reply::$reply(x) => Ok(x),
            other => odd(&other),
        }
    };
}

macro_rules! act {
    ($self:ident, $act:expr, $reply:ident) => {
        match $self.act($act).await? {
            Reply::$reply(x) => Ok(x),
            other => odd(&other),
        }
    };
}

#[async_trait]
impl ChatStore for RemoteStore {
    async fn post(&self, post: NewPost) -> Result<StoredMessage, StoreError> {
        let stored: Result<StoredMessage, StoreError> = ask!(self, Call::Post(post), Message);
        // Before whoever posted hears of it.
        if stored.is_ok() {
            self.remote.count(&self.pool, |c| c.posts += 1);
        }
        stored
    }
    async fn history(&self, room: &str, count: u32) -> Result<Vec<StoredMessage>, StoreError> {
        ask!(self, Call::History(room.to_owned(), count), Messages)
    }
    async fn after(&self, room: &str, chat_id: u64) -> Result<Vec<StoredMessage>, StoreError> {
        ask!(self, Call::After(room.to_owned(), chat_id), Messages)
    }
    async fn room(&self, id: &str) -> Result<Option<(Room, Category)>, StoreError> {
        let found: Result<_, StoreError> = ask!(self, Call::Room(id.to_owned()), Room);
        Ok(found?.map(|b| *b))
    }
    async fn find_rooms(
        &self,
        user: &str,
        criteria: &str,
        limit: usize,
    ) -> Result<Vec<(Room, Category)>, StoreError> {
        ask!(self, Call::FindRooms(user.to_owned(), criteria.to_owned(), limit), Found)
    }
    async fn rooms(&self) -> Result<Vec<Room>, StoreError> {
        ask!(self, Call::Rooms, Rooms)
    }
    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        ask!(self, Call::Categories, Categories)
    }
    async fn create_category(&self, op_id: &str, c: Category) -> Result<(), StoreError> {
        self.done(Act::CreateCategory(op_id.to_owned(), c)).await
    }
    async fn update_category(&self, op_id: &str, c: Category) -> Result<(), StoreError> {
        self.done(Act::UpdateCategory(op_id.to_owned(), c)).await
    }
    async fn delete_category(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        self.done(Act::DeleteCategory(op_id.to_owned(), id.to_owned())).await
    }
    async fn create_room(&self, op_id: &str, r: Room) -> Result<(), StoreError> {
        self.done(Act::CreateRoom(op_id.to_owned(), r)).await
    }
    async fn update_room(&self, op_id: &str, r: Room) -> Result<(), StoreError> {
        self.done(Act::UpdateRoom(op_id.to_owned(), r)).await
    }
    async fn delete_room(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        self.done(Act::DeleteRoom(op_id.to_owned(), id.to_owned())).await
    }
    async fn applied(&self, op_id: &str) -> Result<bool, StoreError> {
        ask!(self, Call::Applied(op_id.to_owned()), Truth)
    }
    async fn record_events(&self, events: Vec<ComplianceEvent>) -> Result<(), StoreError> {
        let row = |e: ComplianceEvent| Recorded(e.kind.to_owned(), e.room, e.user, e.text, e.message);
        match self.ask(Call::Record(events.into_iter().map(row).collect())).await? {
            Reply::Done => Ok(()),
            other => odd(&other),
        }
    }
    fn generation(&self) -> u64 {
        self.generation
    }
    fn subscribe(&self) -> broadcast::Receiver<Committed> {
        self.events.subscribe()
    }
}

#[async_trait]
impl Administration for RemoteStore {
    async fn count(&self, selection: Selection) -> Result<u64, StoreError> {
        act!(self, Act::Count(selection), Count)
    }
    async fn purge(&self, op_id: &str, selection: Selection, fate: Fate) -> Result<u64, StoreError> {
        act!(self, Act::Purge(op_id.to_owned(), selection, fate), Count)
    }
    async fn content_bytes(&self, room: &str) -> Result<u64, StoreError> {
        act!(self, Act::ContentBytes(room.to_owned()), Count)
    }
    async fn search(&self, query: RoomQuery) -> Result<(u64, Vec<Room>), StoreError> {
        match self.act(Act::Search(query)).await? {
            Reply::Part(n, rooms) => Ok((n, rooms)),
            other => odd(&other),
        }
    }
    async fn names(&self) -> Result<Vec<Named>, StoreError> {
        act!(self, Act::Names, Names)
    }
    async fn retire(&self, op_id: &str, id: &str, by: &str) -> Result<(), StoreError> {
        self.done(Act::Retire(op_id.to_owned(), id.to_owned(), by.to_owned())).await
    }
    async fn retired(&self) -> Result<Vec<Retired>, StoreError> {
        act!(self, Act::Retired, Retired)
    }
    async fn restore(&self, op_id: &str, id: &str, name: &str) -> Result<(), StoreError> {
        self.done(Act::Restore(op_id.to_owned(), id.to_owned(), name.to_owned())).await
    }
    async fn usage(&self, since: Timestamp) -> Result<Vec<Usage>, StoreError> {
        act!(self, Act::Usage(since), Usage)
    }
    async fn addins(&self) -> Result<Vec<Addin>, StoreError> {
        act!(self, Act::Addins, Addins)
    }
    async fn save_addin(&self, op_id: &str, addin: Addin) -> Result<(), StoreError> {
        self.done(Act::SaveAddin(op_id.to_owned(), addin)).await
    }
    async fn delete_addin(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        self.done(Act::DeleteAddin(op_id.to_owned(), id.to_owned())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> ObjectId {
        ObjectId::try_from("p1").unwrap()
    }

    #[tokio::test]
    async fn without_a_link_everything_is_refused_and_nothing_waits() {
        let remote = Remote::default();
        remote.databases("b", &[(pool(), 7)]);
        let store = remote.current(&pool()).unwrap();
        assert!(matches!(store.post(NewPost::default()).await, Err(StoreError::Database(_))));
        let (link, mut asked) = mpsc::channel(4);
        remote.up(link);
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.room("r").await }
        });
        assert!(matches!(asked.recv().await, Some(ToPortal::Call { generation: 7, .. })));
        remote.down();
        assert!(matches!(waiting.await.unwrap(), Err(StoreError::Database(_))));
        assert!(remote.state().waiting.is_empty());
    }

    #[tokio::test]
    async fn the_same_opening_goes_on_and_another_one_is_another_store() {
        let remote = Remote::default();
        remote.databases("b", &[(pool(), 7)]);
        let store = remote.current(&pool()).unwrap();
        let mut commits = store.subscribe();
        remote.databases("b", &[(pool(), 7)]);
        assert_eq!(commits.recv().await, Ok(Committed::Missed));
        assert_eq!(remote.current(&pool()).unwrap().generation(), store.generation());
        remote.committed(&pool(), 6, Committed::RightsChanged);
        remote.committed(&pool(), 7, Committed::RoomChanged("r".to_owned()));
        assert_eq!(commits.recv().await, Ok(Committed::RoomChanged("r".to_owned())));
        // The portal was started again: its numbers begin anew.
        remote.databases("c", &[(pool(), 7)]);
        assert_ne!(remote.current(&pool()).unwrap().generation(), store.generation());
        remote.databases("c", &[]);
        assert!(remote.current(&pool()).is_none());
    }

    #[test]
    fn messages_are_counted_by_what_is_told_or_acknowledged_whichever_is_more() {
        let remote = Remote::default();
        remote.databases("b", &[(pool(), 7)]);
        let before = remote.counted(&pool());
        remote.committed(&pool(), 7, Committed::Message(StoredMessage::default()));
        remote.committed(&pool(), 7, Committed::RightsChanged);
        remote.committed(&pool(), 6, Committed::Message(StoredMessage::default()));
        assert_eq!(remote.counted(&pool()).since(before), 1);
        remote.count(&pool(), |c| c.posts += 2);
        assert_eq!(remote.counted(&pool()).since(before), 2);
        remote.down();
        assert_eq!(remote.counted(&pool()).since(before), 2, "also when the link is gone");
    }
}
