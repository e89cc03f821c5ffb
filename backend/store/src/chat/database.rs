//! An mgc database: create, open, probe, copy, promote.
//!
//! Crash safety of a switch: the copy is made in a temporary file beside the target, carries the next
//! epoch and is synced before a rename puts it in place. Whatever moment the program is killed at, the
//! target is the old database or the whole new one, and the side with the higher epoch is the newer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use node::members::{Members, Membership};
use node::traits::{
    Category, ChatStore, Committed, ComplianceEvent, NewPost, Room, StoreError, StoredMessage,
};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OptionalExtension};
use shared::Timestamp;
use tokio::sync::broadcast;

use super::mirror::{self, Mirror, MirrorState, MirrorTo};
use super::queue::{OpenQueue, QueueAt};
use super::shipping::{self, Mark, ShipError, ShipTo, Turn};
use super::writer::Writer;
use super::{APPLICATION_ID, SCHEMA, database_error, now, queries, read_only, read_write};

/// Counts openings in this process.
static OPENED: AtomicU64 = AtomicU64::new(1);

const READERS: usize = 3;
const FILE: &str = "mgc.db";
/// What a probe says of the other side while log shipping restores into it.
pub const RESTORING: &str = "the database is being restored by log shipping";

/// What a database says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbInfo {
    /// Fence: the higher one was opened last.
    pub epoch: u64,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Last write.
    pub last_write: Option<Timestamp>,
    /// Last copy from the other side.
    pub copied_at: Option<Timestamp>,
}

pub(super) fn meta(c: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    c.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |r| r.get(0)).optional()
}

/// Writes a meta value.
pub fn set_meta(c: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")?
        .execute([key, value])?;
    Ok(())
}

/// The database's epoch.
pub fn epoch_of(c: &Connection) -> rusqlite::Result<u64> {
    Ok(meta(c, "epoch")?.and_then(|v| v.parse().ok()).unwrap_or(0))
}

fn instant(c: &Connection, key: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(meta(c, key)?.and_then(|v| v.parse().ok()).map(Timestamp::from_millis))
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub(super) fn io(e: std::io::Error) -> StoreError {
    StoreError::Database(e.to_string())
}

/// An open database.
pub struct MgcDatabase {
    pub(super) store: Arc<Store>,
}

pub(super) struct Store {
    writer: tokio::sync::RwLock<Option<Writer>>,
    readers: Vec<Mutex<Connection>>,
    next: AtomicUsize,
    events: broadcast::Sender<Committed>,
    pub(super) compliance: Option<OpenQueue>,
    generation: u64,
    /// Messages posted until now.
    messages: Arc<AtomicU64>,
    carrier: Option<Arc<shipping::Carrier>>,
    mirror: Option<Arc<Mutex<MirrorState>>>,
    /// Who belongs to which group and unit; nobody to any where it was not told.
    membership: OnceLock<Arc<dyn Membership>>,
}

impl Store {
    pub(super) fn members(&self) -> Arc<Members> {
        self.membership.get().map(|m| m.current()).unwrap_or_default()
    }
}

impl MgcDatabase {
    /// Tells where it is kept who belongs to which group and unit.
    #[must_use]
    pub fn with_members(self: Arc<Self>, m: Arc<dyn Membership>) -> Arc<Self> {
        // Told twice, the first word counts.
        let _ = self.store.membership.set(m);
        self
    }

    /// Creates an empty database in the instance's folder unless one is there; whether it was created.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(dir: &Path) -> Result<bool, StoreError> {
        let path = dir.join(FILE);
        if path.exists() {
            return Ok(false);
        }
        std::fs::create_dir_all(dir).map_err(io)?;
        let fresh = dir.join("mgc.new");
        remove(&fresh)?;
        {
            let mut c = read_write(&fresh, true).map_err(database_error)?;
            let tx = c.transaction().map_err(database_error)?;
            tx.execute_batch(include_str!("schema.sql")).map_err(database_error)?;
            for step in super::administration::STEPS {
                tx.execute_batch(step).map_err(database_error)?;
            }
            set_meta(&tx, "epoch", "1").map_err(database_error)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(database_error)?;
            tx.pragma_update(None, "user_version", SCHEMA).map_err(database_error)?;
            tx.commit().map_err(database_error)?;
        }
        put(&fresh, &path, dir)?;
        Ok(true)
    }

    /// Opens the database for the epoch it has; writes are refused once another epoch is written into it.
    ///
    /// # Errors
    /// When it cannot be opened, is newer than this program, or has another epoch.
    pub fn open(
        dir: &Path,
        epoch: u64,
        compliance: Option<&Path>,
        ship: Option<ShipTo>,
    ) -> Result<Arc<Self>, StoreError> {
        Self::open_mirrored(dir, epoch, compliance, ship, None)
    }

    /// The same with a synchronous mirror.
    ///
    /// # Errors
    /// Also when the witness does not answer.
    pub fn open_mirrored(
        dir: &Path,
        epoch: u64,
        compliance: Option<&Path>,
        ship: Option<ShipTo>,
        mirror: Option<MirrorTo>,
    ) -> Result<Arc<Self>, StoreError> {
        let queue = compliance.map(|dir| QueueAt { dir: dir.to_owned(), mirror: None });
        Self::open_with(dir, epoch, queue, ship, mirror)
    }

    /// The same with a compliance queue that may have a mirror of its own.
    ///
    /// # Errors
    /// Also when a mirrored queue does not answer.
    pub fn open_with(
        dir: &Path,
        epoch: u64,
        queue: Option<QueueAt>,
        ship: Option<ShipTo>,
        mirror: Option<MirrorTo>,
    ) -> Result<Arc<Self>, StoreError> {
        let path = dir.join(FILE);
        if dir.join("mgc.restoring").exists() {
            return Err(StoreError::Database(RESTORING.to_owned()));
        }
        if mirror::is_mirror(dir) {
            return Err(StoreError::Database(mirror::MIRRORING.to_owned()));
        }
        let c = read_write(&path, false).map_err(database_error)?;
        check(&c).map_err(StoreError::Database)?;
        if epoch_of(&c).map_err(database_error)? != epoch {
            return Err(StoreError::Closed);
        }
        let events = broadcast::channel(4096).0;
        let readers = (0..READERS)
            .map(|_| read_only(&path).map(Mutex::new))
            .collect::<Result<_, _>>()
            .map_err(database_error)?;
        let compliance = queue.map(OpenQueue::open).transpose()?;
        if ship.is_some() || mirror.is_some() {
            // The backup job alone folds the log, after it has shipped it.
            c.pragma_update(None, "wal_autocheckpoint", 0).map_err(database_error)?;
            let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            c.set_db_config(keep, true).map_err(database_error)?;
        }
        super::administration::migrate(&c).map_err(database_error)?;
        match &compliance {
            Some(queue) => queue.follow(&c, epoch)?,
            None => super::recorded::pause(&c).map_err(database_error)?,
        }
        let generation = OPENED.fetch_add(1, Ordering::Relaxed);
        let messages = Arc::new(AtomicU64::new(0));
        let job = ship.map(|to| {
            let n: i64 = c.query_row("SELECT COUNT(*) FROM message", [], |r| r.get(0)).unwrap_or(0);
            messages.store(n.unsigned_abs(), Ordering::Relaxed);
            shipping::Job::new(to, path.clone(), epoch, generation, messages.clone())
        });
        let job = job.transpose().map_err(io)?;
        let carrier = job.as_ref().map(shipping::Job::carrier);
        let mirror = mirror.map(|to| Mirror::start(&path, to)).transpose().map_err(StoreError::Database)?;
        let mirror_state = mirror.as_ref().map(Mirror::state);
        let writer = Writer::start(c, epoch, events.clone(), job, messages.clone(), mirror).map_err(io)?;
        let store = Store {
            writer: tokio::sync::RwLock::new(Some(writer)),
            readers,
            next: AtomicUsize::new(0),
            events,
            compliance,
            generation,
            messages,
            carrier,
            mirror: mirror_state,
            membership: OnceLock::new(),
        };
        Ok(Arc::new(Self { store: Arc::new(store) }))
    }

    /// The store over it.
    pub fn store(&self) -> Arc<dyn ChatStore> {
        Arc::new(Shared(self.store.clone()))
    }

    /// One turn of the backup job of log shipping; the newest segment, none while nothing can be shipped
    /// because the mirror is being copied. Posts go on meanwhile, and a share that does not answer is not
    /// waited for.
    ///
    /// # Errors
    /// Why nothing could be shipped.
    pub async fn ship(&self) -> Result<Option<Mark>, ShipError> {
        let Some(carrier) = &self.store.carrier else {
            self.between_turns().await;
            return Ok(None);
        };
        self.queue_turn().await;
        // Opening the chain, a base, what waited, what is new.
        for _ in 0..4 {
            let turn = match &*self.store.writer.read().await {
                Some(w) => w.ship(true).await?,
                None => return Ok(None),
            };
            carrier.wait().await?;
            match turn {
                Turn::Again => {}
                Turn::Held => return Ok(None),
                Turn::Nothing | Turn::Cut => break,
            }
        }
        Ok(carrier.mark())
    }

    /// What may not wait for the next turn of the backup job: the mirror, and whether another side was claimed.
    pub async fn between_turns(&self) {
        self.queue_turn().await;
        if let Some(w) = &*self.store.writer.read().await {
            // Nothing is cut, so nothing can fail.
            let _ = w.ship(false).await;
        }
    }

    /// Bytes that wait in the log beside the database of this folder.
    pub fn log_bytes(dir: &Path) -> u64 {
        std::fs::metadata(shipping::beside(&dir.join(FILE), "-wal")).map_or(0, |m| m.len())
    }

    /// Epoch and number of the last segment, when the closed database of this folder holds nothing that is
    /// not in the share.
    pub fn shipped_to(dir: &Path) -> Option<(u64, u64)> {
        shipping::shipped_to(&dir.join(FILE))
    }

    /// Makes the next run of the backup job on the closed database of this folder begin with a whole copy.
    ///
    /// # Errors
    /// I/O.
    pub fn ship_whole(dir: &Path) -> Result<(), ShipError> {
        shipping::forget_shipped(&dir.join(FILE))
    }

    /// State of the mirror; none when the database has none.
    pub fn mirror(&self) -> Option<MirrorState> {
        self.store.mirror.as_ref().map(|m| m.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Messages of the database in use, counted since it was opened.
    pub fn messages(&self) -> u64 {
        self.store.messages.load(Ordering::Relaxed)
    }

    /// Drains the queue, checkpoints and closes; later posts get [`StoreError::Closed`].
    pub async fn close(&self) {
        let writer = self.store.writer.write().await.take();
        if let Some(w) = writer {
            w.close().await;
        }
        self.close_queue().await;
    }

    /// Whether the database of this folder answers, and what it says of itself.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn probe(dir: &Path) -> Result<DbInfo, String> {
        let path = dir.join(FILE);
        if !dir.is_dir() {
            return Err(format!("the folder of the SQL instance, {}, is not there", dir.display()));
        }
        if !path.exists() {
            return Err("there is no database mgc on this instance yet".to_owned());
        }
        if dir.join("mgc.restoring").exists() {
            return Err(RESTORING.to_owned());
        }
        if mirror::is_mirror(dir) {
            return Err(mirror::MIRRORING.to_owned());
        }
        let c = whole(&path).map_err(|e| e.to_string())?;
        check(&c)?;
        info(&c, &path).map_err(|e| e.to_string())
    }

    /// The same for a database that is open here.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn probe_open(&self, dir: &Path) -> Result<DbInfo, String> {
        Self::probe(dir)
    }

    /// Copies the database of `from` over the one of `to` as epoch `epoch`.
    ///
    /// # Errors
    /// When either side fails; the target is then what it was.
    pub fn copy(from: &Path, to: &Path, epoch: u64, at: Timestamp) -> Result<(), StoreError> {
        std::fs::create_dir_all(to).map_err(io)?;
        let fresh = to.join("mgc.new");
        remove(&fresh)?;
        let source = read_only(&from.join(FILE)).map_err(database_error)?;
        {
            let mut target = Connection::open(&fresh).map_err(database_error)?;
            let backup = Backup::new(&source, &mut target).map_err(database_error)?;
            backup.run_to_completion(4096, std::time::Duration::ZERO, None).map_err(database_error)?;
        }
        {
            let c = read_write(&fresh, false).map_err(database_error)?;
            set_meta(&c, "epoch", &epoch.to_string()).map_err(database_error)?;
            set_meta(&c, "copied_at", &at.millis().to_string()).map_err(database_error)?;
        }
        put(&fresh, &to.join(FILE), to)
    }

    /// Moves the closed database of this folder to `to`; whether there was one.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(dir: &Path, to: &Path) -> Result<bool, StoreError> {
        set_aside(dir, to, FILE)
    }

    /// Gives the database of this folder a new epoch without a copy: what was opened before is fenced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn promote(dir: &Path, epoch: u64) -> Result<(), StoreError> {
        let c = read_write(&dir.join(FILE), false).map_err(database_error)?;
        check(&c).map_err(StoreError::Database)?;
        set_meta(&c, "epoch", &epoch.to_string()).map_err(database_error)
    }
}

/// A reading connection. What a kill left half written is taken back first: that takes a writing one.
fn whole(path: &Path) -> rusqlite::Result<Connection> {
    let look =
        |c: &Connection| c.pragma_query_value(None, "schema_version", |r| r.get::<_, i64>(0)).map(drop);
    let c = read_only(path)?;
    match look(&c) {
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly) => {
            look(&read_write(path, false)?)?;
            read_only(path)
        }
        r => r.map(|()| c),
    }
}

fn check(c: &Connection) -> Result<(), String> {
    let id: i64 = c.pragma_query_value(None, "application_id", |r| r.get(0)).map_err(|e| e.to_string())?;
    let version: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(|e| e.to_string())?;
    if id != APPLICATION_ID {
        return Err("the file is not a chat database".to_owned());
    }
    if version > SCHEMA {
        return Err(format!(
            "the database was written by a newer program (schema {version}, this one knows {SCHEMA})"
        ));
    }
    Ok(())
}

fn info(c: &Connection, path: &Path) -> rusqlite::Result<DbInfo> {
    let messages: i64 = c.query_row("SELECT COUNT(*) FROM message", [], |r| r.get(0))?;
    Ok(DbInfo {
        epoch: epoch_of(c)?,
        size_bytes: std::fs::metadata(path).map(|m| m.len()).unwrap_or(0),
        messages: messages.unsigned_abs(),
        last_write: instant(c, "last_write")?,
        copied_at: instant(c, "copied_at")?,
    })
}

/// Moves a closed database file with its side files.
pub(super) fn set_aside(dir: &Path, to: &Path, file: &str) -> Result<bool, StoreError> {
    let path = dir.join(file);
    if !path.exists() {
        return Ok(false);
    }
    if to.join(file).exists() {
        let why = format!("{} holds another one already, which is not overwritten", to.display());
        return Err(StoreError::Database(why));
    }
    std::fs::create_dir_all(to).map_err(io)?;
    for from in side_files(&path) {
        if let Some(name) = from.file_name().filter(|_| from.exists()) {
            std::fs::rename(&from, to.join(name)).map_err(io)?;
        }
    }
    std::fs::rename(&path, to.join(file)).map_err(io)?;
    sync_dir(to).and_then(|()| sync_dir(dir)).map_err(io)?;
    Ok(true)
}

fn side_files(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|s| {
        let mut name = path.as_os_str().to_owned();
        name.push(s);
        PathBuf::from(name)
    })
}

pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    for p in side_files(path).iter().chain([&path.to_owned()]) {
        match std::fs::remove_file(p) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
    }
    Ok(())
}

/// Puts a closed, complete database in place.
pub(super) fn put(fresh: &Path, path: &Path, dir: &Path) -> Result<(), StoreError> {
    {
        // Back to one file, so that the rename moves all of it.
        let c = Connection::open(fresh).map_err(database_error)?;
        c.pragma_update(None, "journal_mode", "DELETE").map_err(database_error)?;
    }
    std::fs::File::open(fresh).and_then(|f| f.sync_all()).map_err(io)?;
    // A stale WAL of the old file must not be replayed into the new one.
    for p in side_files(path) {
        match std::fs::remove_file(&p) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
    }
    std::fs::rename(fresh, path).map_err(io)?;
    sync_dir(dir).map_err(io)
}

impl Store {
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let this = self.clone();
        let work = move || {
            let i = this.next.fetch_add(1, Ordering::Relaxed) % this.readers.len();
            f(&this.readers[i].lock().unwrap_or_else(PoisonError::into_inner))
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(StoreError::Database(e.to_string())))
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<(T, Vec<Committed>), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &*self.writer.read().await {
            Some(w) => w.call(f).await,
            None => Err(StoreError::Closed),
        }
    }
}

macro_rules! with_owned {
    ($self:ident . $how:ident ( $($arg:ident),* ) $f:expr) => {{
        let store = $self.0.clone();
        $( let $arg = $arg.to_owned(); )*
        store.$how($f).await
    }};
}

/// [`Store`] behind its `Arc`, as the trait object that servers hold.
pub(super) struct Shared(pub(super) Arc<Store>);

#[async_trait]
impl ChatStore for Shared {
    async fn post(&self, post: NewPost) -> Result<StoredMessage, StoreError> {
        let who = self.0.members().who(&post.author);
        self.0.write(move |c| queries::post(c, &post, &who, now())).await
    }
    async fn history(&self, room: &str, count: u32) -> Result<Vec<StoredMessage>, StoreError> {
        with_owned!(self.read(room) move |c| queries::history(c, &room, count))
    }
    async fn after(&self, room: &str, chat_id: u64) -> Result<Vec<StoredMessage>, StoreError> {
        with_owned!(self.read(room) move |c| queries::after(c, &room, chat_id))
    }
    async fn room(&self, id: &str) -> Result<Option<(Room, Category)>, StoreError> {
        with_owned!(self.read(id) move |c| queries::room(c, &id))
    }
    async fn find_rooms(
        &self,
        user: &str,
        criteria: &str,
        limit: usize,
    ) -> Result<Vec<(Room, Category)>, StoreError> {
        let who = self.0.members().who(user);
        with_owned!(self.read(criteria) move |c| queries::find_rooms(c, &who, &criteria, limit))
    }
    async fn rooms(&self) -> Result<Vec<Room>, StoreError> {
        self.0.read(queries::rooms).await
    }
    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        self.0.read(queries::categories).await
    }
    async fn create_category(&self, op_id: &str, k: Category) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_category(c, &op_id, &k, true, &m, now()))
    }
    async fn update_category(&self, op_id: &str, k: Category) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_category(c, &op_id, &k, false, &m, now()))
    }
    async fn delete_category(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        with_owned!(self.write(op_id, id) move |c| queries::delete_category(c, &op_id, &id, now()))
    }
    async fn create_room(&self, op_id: &str, r: Room) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_room(c, &op_id, &r, &m, now()))
    }
    async fn update_room(&self, op_id: &str, r: Room) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_room(c, &op_id, &r, &m, now()))
    }
    async fn delete_room(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        with_owned!(self.write(op_id, id) move |c| queries::delete_room(c, &op_id, &id, now()))
    }
    async fn applied(&self, op_id: &str) -> Result<bool, StoreError> {
        with_owned!(self.read(op_id) move |c| queries::applied(c, &op_id))
    }
    async fn record_events(&self, events: Vec<ComplianceEvent>) -> Result<(), StoreError> {
        let store = self.0.clone();
        let work = move || match &store.compliance {
            None => Ok(()),
            Some(q) => q.push(&events),
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(StoreError::Database(e.to_string())))
    }
    fn generation(&self) -> u64 {
        self.0.generation
    }
    fn subscribe(&self) -> broadcast::Receiver<Committed> {
        self.0.events.subscribe()
    }
}
