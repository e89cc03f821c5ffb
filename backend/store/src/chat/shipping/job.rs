//! The backup job as the writer's thread carries it: begins, goes on, begins anew, gives up when fenced.
//! It reads and folds the log; the share is the carrier's.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use shared::Timestamp;

use super::ShipError;
use super::carrier::{Carrier, Next};
use super::cutter::{self, Cutter};

/// Above this size the log is folded although it could not be shipped; shipping then needs a new base.
const TOO_LONG: u64 = 256 * 1024 * 1024;

/// Where the database in use ships to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipTo {
    /// Folder of the chain in the share.
    pub share: PathBuf,
    /// The database's identity.
    pub id: String,
    /// How long the share may move nothing before nobody waits for it.
    pub patience: Duration,
}

/// What a turn handed to the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing more.
    Nothing,
    /// Something that another turn goes on from.
    Again,
    /// What was committed until now.
    Cut,
    /// Nothing, although there may be something: it waits until the database file may change again.
    Held,
}

/// The job's state on the writer's thread.
pub struct Job {
    database: PathBuf,
    carrier: Arc<Carrier>,
    cutter: Option<Cutter>,
    messages: Arc<AtomicU64>,
    too_long: u64,
}

impl Job {
    /// A job that has not begun yet. `opening` tells it apart from an earlier one that still hangs;
    /// `messages` counts the database's messages.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn new(
        to: ShipTo,
        database: PathBuf,
        epoch: u64,
        opening: u64,
        messages: Arc<AtomicU64>,
    ) -> std::io::Result<Self> {
        let carrier = Carrier::start(to, database.clone(), epoch, opening)?;
        Ok(Self { database, carrier, cutter: None, messages, too_long: TOO_LONG })
    }

    /// The thread that carries to the share.
    pub fn carrier(&self) -> Arc<Carrier> {
        self.carrier.clone()
    }

    /// Whether another side is in use.
    pub fn fenced(&self) -> bool {
        self.carrier.fenced()
    }

    /// Hands what was committed since the last turn to the carrier. It never waits for the share. With
    /// `hold` the database file must not change: somebody copies it.
    ///
    /// # Errors
    /// Why nothing could be cut; the next turn tries again.
    pub fn turn(&mut self, c: &Connection, hold: bool, at: Timestamp) -> Result<Turn, ShipError> {
        let result = if hold { self.held(c, at) } else { self.once(c, at) };
        if matches!(result, Err(ShipError::Diverged(_))) {
            self.begin_again();
        }
        if !hold && (result.is_err() || matches!(self.carrier.settled(), Some(Err(_)))) {
            self.relieve(c);
        }
        result
    }

    /// A turn that folds nothing: what would fold waits. A chain is gone on with when that needs no base.
    fn held(&mut self, c: &Connection, at: Timestamp) -> Result<Turn, ShipError> {
        match self.carrier.look(false) {
            Next::Begin(last) => {
                let Some(cutter) = last.and_then(|h| Cutter::resume(&self.database, &h).ok()) else {
                    // Whether a newer epoch was claimed is looked after all the same.
                    self.carrier.kick();
                    return Ok(Turn::Held);
                };
                self.carrier.next();
                self.cutter = Some(cutter);
                Ok(Turn::Again)
            }
            Next::Cut { .. } if self.cutter.is_some() => self.cut(c, false, at),
            Next::Wait => {
                self.carrier.kick();
                Ok(Turn::Held)
            }
            Next::Open | Next::Cut { .. } => self.once(c, at),
        }
    }

    fn cut(&mut self, c: &Connection, fold: bool, at: Timestamp) -> Result<Turn, ShipError> {
        let Some(cutter) = &mut self.cutter else {
            self.begin_again();
            return Ok(Turn::Again);
        };
        if let Some(cut) = cutter.cut(c, fold, self.messages.load(Ordering::Relaxed), at)? {
            self.carrier.put(cut);
            return Ok(Turn::Cut);
        }
        self.carrier.kick();
        Ok(Turn::Nothing)
    }

    fn once(&mut self, c: &Connection, at: Timestamp) -> Result<Turn, ShipError> {
        let messages = self.messages.load(Ordering::Relaxed);
        match self.carrier.next() {
            Next::Open => {
                self.cutter = None;
                self.carrier.open();
                Ok(Turn::Again)
            }
            Next::Begin(last) => {
                if let Some(cutter) = last.and_then(|h| Cutter::resume(&self.database, &h).ok()) {
                    self.cutter = Some(cutter);
                } else {
                    let (cutter, base) = Cutter::base(c, &self.database, messages, at)?;
                    self.cutter = Some(cutter);
                    self.carrier.put(base);
                }
                Ok(Turn::Again)
            }
            Next::Wait => {
                self.carrier.kick();
                Ok(Turn::Nothing)
            }
            Next::Cut { fold } => self.cut(c, fold, at),
        }
    }

    /// Between two turns: what waits is tried again, and whether a newer epoch was claimed is looked after.
    pub fn between(&self) {
        self.carrier.kick();
    }

    fn begin_again(&mut self) {
        self.carrier.give_up();
        self.cutter = None;
    }

    /// Ships the tail and folds the log at the end of the database's use. A share that does not answer is
    /// waited for no longer than the patience.
    ///
    /// # Errors
    /// Why the tail could not be shipped; it stays in the log.
    pub fn finish(&mut self, c: &Connection, at: Timestamp) -> Result<(), ShipError> {
        let result = self.tail(c, at);
        self.carrier.stop();
        result
    }

    fn tail(&mut self, c: &Connection, at: Timestamp) -> Result<(), ShipError> {
        self.carrier.closing();
        // What failed before gets one more try; then opening, a base, what waits, the tail.
        self.carrier.kick();
        for _ in 0..8 {
            self.carrier.wait_here()?;
            if self.once(c, at)? == Turn::Nothing {
                break;
            }
        }
        self.carrier.wait_here()?;
        let Some(mark) = self.carrier.mark() else { return Ok(()) };
        if let Some(cutter) = &mut self.cutter
            && let Some(facts) = cutter.fold(c)?
        {
            cutter::note_clean(&self.database, mark.epoch, mark.seq, facts)?;
        }
        Ok(())
    }

    fn relieve(&mut self, c: &Connection) {
        let log = cutter::beside(&self.database, "-wal");
        if std::fs::metadata(&log).is_ok_and(|m| m.len() > self.too_long) {
            // A base that is being read must come to nothing before the file changes.
            self.begin_again();
            if cutter::checkpoint(c) {
                tracing::warn!(database = %self.database.display(), "the log grew too long unshipped and was folded");
            }
        }
    }

    /// Another limit of the log, for tests.
    #[cfg(test)]
    pub fn limit(&mut self, bytes: u64) {
        self.too_long = bytes;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.carrier.stop();
    }
}
