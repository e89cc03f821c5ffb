//! The backup job as the writer's thread carries it: begins, goes on, begins anew, gives up when fenced.

use std::path::PathBuf;

use rusqlite::Connection;
use shared::Timestamp;

use super::{Mark, ShipError, Shipper};

/// Above this size the log is folded although it could not be shipped; shipping then needs a new base.
const TOO_LONG: u64 = 256 * 1024 * 1024;

/// Where the database in use ships to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipTo {
    /// Folder of the chain in the share.
    pub share: PathBuf,
    /// The database's identity.
    pub id: String,
}

/// The job's state on the writer's thread.
pub struct Job {
    to: ShipTo,
    database: PathBuf,
    epoch: u64,
    shipper: Option<Shipper>,
}

impl Job {
    /// A job that has not begun yet.
    pub fn new(to: ShipTo, database: PathBuf, epoch: u64) -> Self {
        Self { to, database, epoch, shipper: None }
    }

    /// Ships what was committed since the last time; the newest segment.
    ///
    /// # Errors
    /// Why nothing could be shipped; the next call tries again.
    pub fn run(&mut self, c: &Connection, at: Timestamp) -> Result<Option<Mark>, ShipError> {
        let result = self.once(c, at);
        if let Err(e) = &result {
            // Only a new base helps after a divergence; after anything else the chain may go on.
            if matches!(e, ShipError::Diverged(_)) {
                self.shipper = None;
            }
            self.relieve(c);
        }
        result
    }

    fn once(&mut self, c: &Connection, at: Timestamp) -> Result<Option<Mark>, ShipError> {
        let mut shipper = match self.shipper.take() {
            Some(s) => s,
            None => Shipper::start(c, &self.database, &self.to.share, &self.to.id, self.epoch, at)?,
        };
        let shipped = shipper.ship(c, at);
        let mark = shipper.mark();
        self.shipper = Some(shipper);
        shipped.map(|_| mark)
    }

    /// Ships the tail and folds the log at the end of the database's use.
    ///
    /// # Errors
    /// Why the tail could not be shipped; it stays in the log.
    pub fn finish(&mut self, c: &Connection, at: Timestamp) -> Result<Option<Mark>, ShipError> {
        self.once(c, at)?;
        match &mut self.shipper {
            Some(s) => s.finish(c, at),
            None => Ok(None),
        }
    }

    fn relieve(&mut self, c: &Connection) {
        let mut log = self.database.as_os_str().to_owned();
        log.push("-wal");
        if std::fs::metadata(&log).is_ok_and(|m| m.len() > TOO_LONG)
            && c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).is_ok()
        {
            tracing::warn!(database = %self.database.display(), "the log grew too long unshipped and was folded");
            self.shipper = None;
        }
    }
}
