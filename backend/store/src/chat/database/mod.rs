//! An mgc database: create, open, probe, copy, promote.
//!
//! Crash safety of a switch: the copy is made in a temporary file beside the target, carries the next
//! epoch and is synced before a rename puts it in place. Whatever moment the program is killed at, the
//! target is the old database or the whole new one, and the side with the higher epoch is the newer.

mod backup_job;
mod files;
mod probe;
mod served;

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use node::members::Membership;
use node::traits::{ChatStore, Committed, StoreError};
use rusqlite::Connection;
use tokio::sync::broadcast;

pub(super) use self::files::{io, put, remove, set_aside};
use self::probe::check;
pub(super) use self::probe::meta;
pub use self::probe::{DbInfo, epoch_of, set_meta};
pub(super) use self::served::Shared;
use super::mirror::{self, Mirror, MirrorState, MirrorTo};
use super::queue::{OpenQueue, QueueAt};
use super::shipping::{self, ShipTo};
use super::writer::Writer;
use super::{database_error, read_only, read_write};

/// Counts openings in this process.
static OPENED: AtomicU64 = AtomicU64::new(1);

const READERS: usize = 3;
const FILE: &str = "mgc.db";
/// What a probe says of the other side while log shipping restores into it.
pub const RESTORING: &str = "the database is being restored by log shipping";

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

impl MgcDatabase {
    /// Tells where it is kept who belongs to which group and unit.
    #[must_use]
    pub fn with_members(self: Arc<Self>, m: Arc<dyn Membership>) -> Arc<Self> {
        // Told twice, the first word counts.
        let _ = self.store.membership.set(m);
        self
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
}
