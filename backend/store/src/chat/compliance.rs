//! mgccomp: events queued for a compliance adapter. Without an adapter nothing is written out and the
//! queue grows; its length is shown. Source: model §11.

use std::path::Path;
use std::sync::{Arc, Mutex};

use node::traits::{ComplianceEvent, StoreError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::adapter::{self, QueuedEvent};
use super::mirror::{self, Mirror, MirrorState, MirrorTo};
use super::recorded::{self, Notes};
use super::shipping::checkpoint;
use super::{database_error, now, read_only, read_write};

pub(super) const FILE: &str = "mgccomp.db";

/// The queue.
pub struct ComplianceQueue {
    connection: Connection,
    mirror: Option<Mirror>,
    /// Epoch of the database whose posts are noted.
    epoch: Option<i64>,
}

impl ComplianceQueue {
    /// File of the database in a folder.
    pub fn path(dir: &Path) -> std::path::PathBuf {
        dir.join(FILE)
    }

    /// Creates the database unless it is there; whether it was created. A mirror is left alone.
    ///
    /// # Errors
    /// SQLite's.
    pub fn create(dir: &Path) -> Result<bool, rusqlite::Error> {
        if mirror::marked(dir, FILE) {
            return Ok(false);
        }
        let path = Self::path(dir);
        let fresh = !path.exists();
        let c = read_write(&path, true)?;
        c.execute_batch(
            "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
               room TEXT NOT NULL, user TEXT NOT NULL, text TEXT NOT NULL) STRICT",
        )?;
        recorded::prepare(&c)?;
        Ok(fresh)
    }

    /// Opens the queue for writing.
    ///
    /// # Errors
    /// SQLite's; a mirror is not opened.
    pub fn open(dir: &Path) -> Result<Self, rusqlite::Error> {
        if mirror::marked(dir, FILE) {
            return Err(rusqlite::Error::InvalidPath(Self::path(dir)));
        }
        Self::create(dir)?;
        Ok(Self { connection: read_write(&Self::path(dir), false)?, mirror: None, epoch: None })
    }

    /// Opens a queue that is mirrored. One that is gone is not made anew: its mirror would be lost with it.
    ///
    /// # Errors
    /// Also when the witness does not answer.
    pub fn open_mirrored(dir: &Path, to: MirrorTo) -> Result<Self, StoreError> {
        Self::answers(dir).map_err(StoreError::Database)?;
        let connection = read_write(&Self::path(dir), false).map_err(database_error)?;
        // Only the mirror's turn folds the log, when the mirror has it.
        connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(database_error)?;
        let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection.set_db_config(keep, true).map_err(database_error)?;
        recorded::prepare(&connection).map_err(database_error)?;
        let mirror = Mirror::start(&Self::path(dir), to).map_err(StoreError::Database)?;
        Ok(Self { connection, mirror: Some(mirror), epoch: None })
    }

    /// Whether the queue of this folder can be used.
    ///
    /// # Errors
    /// Why not.
    pub fn answers(dir: &Path) -> Result<(), String> {
        if mirror::marked(dir, FILE) {
            return Err(mirror::MIRRORING.to_owned());
        }
        Self::count(dir).map(drop).map_err(|e| format!("mgccomp in {} does not answer: {e}", dir.display()))
    }

    /// State of the mirror, for others to read.
    pub fn mirror(&self) -> Option<Arc<Mutex<MirrorState>>> {
        self.mirror.as_ref().map(Mirror::state)
    }

    /// The database whose posts come from now on. What a kill kept from being queued is queued; how many they were.
    ///
    /// # Errors
    /// As [`ComplianceQueue::push`].
    pub fn follow(&mut self, mgc: &Connection, epoch: u64) -> Result<usize, StoreError> {
        let epoch = epoch.cast_signed();
        self.epoch = Some(epoch);
        let missed = recorded::missed(&self.connection, mgc, epoch).map_err(database_error)?;
        for part in missed.chunks(256) {
            let events: rusqlite::Result<Vec<_>> = part.iter().map(|m| recorded::event(mgc, m)).collect();
            self.queue(&events.map_err(database_error)?)?;
        }
        recorded::begin(&mut self.connection, mgc, epoch).map_err(database_error)?;
        self.mirrored().map(|()| missed.len())
    }

    /// Queues events in their order, all or none, but a post once only; afterwards the mirror has them, or it is
    /// noted that it has not.
    ///
    /// # Errors
    /// SQLite's, or that neither mirror nor witness has them: then they are not queued.
    pub fn push(&mut self, events: &[ComplianceEvent]) -> Result<(), StoreError> {
        let at = now().millis();
        self.queue(&events.iter().map(|e| (at, e.clone())).collect::<Vec<_>>())
    }

    fn queue(&mut self, events: &[(i64, ComplianceEvent)]) -> Result<(), StoreError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let tx = tx.map_err(database_error)?;
        let before = last(&tx).map_err(database_error)?;
        let notes = insert(&tx, self.epoch, events).map_err(database_error)?;
        tx.commit().map_err(database_error)?;
        let Err(why) = self.mirrored() else { return Ok(()) };
        // They come again: nobody was told that they are kept.
        let tx = self.connection.transaction().map_err(database_error)?;
        tx.execute("DELETE FROM event WHERE seq > ?1", [before]).map_err(database_error)?;
        notes.undo(&tx).and_then(|()| tx.commit()).map_err(database_error)?;
        Err(why)
    }

    fn mirrored(&mut self) -> Result<(), StoreError> {
        self.mirror.as_mut().map_or(Ok(()), Mirror::committed)
    }

    /// The adapter's batch under way, or a new one; empty when nothing waits. The mirror knows of it before
    /// anything is written out.
    ///
    /// # Errors
    /// SQLite's, or that neither mirror nor witness has it.
    pub fn batch(&mut self) -> Result<Vec<QueuedEvent>, StoreError> {
        let events = adapter::take(&self.connection).map_err(database_error)?;
        self.mirrored().map(|()| events)
    }

    /// Deletes the batch under way: its events are written out.
    ///
    /// # Errors
    /// SQLite's, or that neither mirror nor witness has it; the next batch is the next one all the same.
    pub fn written(&mut self) -> Result<(), StoreError> {
        adapter::done(&mut self.connection).map_err(database_error)?;
        self.mirrored()
    }

    /// Between commits: looks after the mirror.
    pub fn tick(&mut self) {
        if let Some(m) = &mut self.mirror {
            m.tick(&self.connection, true);
        }
    }

    /// Folds the log on both sides and closes.
    pub fn close(mut self) {
        let Some(m) = &mut self.mirror else { return };
        m.settle();
        if checkpoint(&self.connection) {
            m.follow();
        }
    }

    /// Moves the closed queue of this folder to `to`; whether there was one.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(dir: &Path, to: &Path) -> Result<bool, StoreError> {
        super::database::set_aside(dir, to, FILE)
    }

    /// Events waiting.
    ///
    /// # Errors
    /// SQLite's.
    pub fn count(dir: &Path) -> Result<u64, rusqlite::Error> {
        let n: i64 =
            read_only(&Self::path(dir))?.query_row("SELECT COUNT(*) FROM event", [], |r| r.get(0))?;
        Ok(n.unsigned_abs())
    }
}

/// Writes events, each with its time, and notes the posts among them that are of epoch `of`.
fn insert(tx: &Connection, of: Option<i64>, events: &[(i64, ComplianceEvent)]) -> rusqlite::Result<Notes> {
    let mut notes = Notes::default();
    let mut noting = of.is_some() && recorded::epoch(tx)? == of;
    let mut insert =
        tx.prepare_cached("INSERT INTO event (at, kind, room, user, text) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (at, e) in events {
        match e.message {
            Some(n) if noting && !notes.note(tx, &e.room, n)? => continue,
            None if noting && e.kind == "CHAT" => {
                recorded::give_up(tx)?;
                noting = false;
            }
            _ => {}
        }
        insert.execute(params![at, e.kind, e.room, e.user, e.text])?;
    }
    Ok(notes)
}

/// The number that was given last.
pub(super) fn last(c: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
    Ok(c.query_row(sql, [], |r| r.get(0)).optional()?.unwrap_or(0))
}
