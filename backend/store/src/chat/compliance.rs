//! mgccomp: events queued for a compliance adapter. Without an adapter nothing is written out and the
//! queue grows; its length is shown. Source: model §11.

use std::path::Path;

use node::traits::ComplianceEvent;
use rusqlite::{Connection, params};

use super::{now, read_only, read_write};

/// The queue.
pub struct ComplianceQueue {
    connection: Connection,
}

impl ComplianceQueue {
    /// File of the database in a folder.
    pub fn path(dir: &Path) -> std::path::PathBuf {
        dir.join("mgccomp.db")
    }

    /// Creates the database unless it is there; whether it was created.
    ///
    /// # Errors
    /// SQLite's.
    pub fn create(dir: &Path) -> Result<bool, rusqlite::Error> {
        let path = Self::path(dir);
        let fresh = !path.exists();
        let c = read_write(&path, true)?;
        c.execute_batch(
            "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
               room TEXT NOT NULL, user TEXT NOT NULL, text TEXT NOT NULL) STRICT",
        )?;
        Ok(fresh)
    }

    /// Opens the queue for writing.
    ///
    /// # Errors
    /// SQLite's.
    pub fn open(dir: &Path) -> Result<Self, rusqlite::Error> {
        Self::create(dir)?;
        Ok(Self { connection: read_write(&Self::path(dir), false)? })
    }

    /// Queues events in their order, all or none.
    ///
    /// # Errors
    /// SQLite's.
    pub fn push(&self, events: &[ComplianceEvent]) -> Result<(), rusqlite::Error> {
        let tx = self.connection.unchecked_transaction()?;
        for e in events {
            tx.execute(
                "INSERT INTO event (at, kind, room, user, text) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![now().millis(), e.kind, e.room, e.user, e.text],
            )?;
        }
        tx.commit()
    }

    /// Moves the closed queue of this folder to `to`; whether there was one.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(dir: &Path, to: &Path) -> Result<bool, node::traits::StoreError> {
        super::database::set_aside(dir, to, "mgccomp.db")
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
