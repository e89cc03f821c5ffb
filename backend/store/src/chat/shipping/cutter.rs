//! The database's end of the backup job: cuts committed pages out of the log and folds it. It runs on the
//! writer's thread, the only writer and the only one that checkpoints, so the log cannot be emptied
//! under it; it never touches the share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use shared::Timestamp;

use super::chain::{Content, Cut};
use super::segment::Header;
use super::{Position, ShipError, io, wal};

/// Above this size the log is folded once it is cut.
const CHECKPOINT: u64 = 8 * 1024 * 1024;
/// How long folding waits for readers; posts wait meanwhile.
const FOLD_PATIENCE: Duration = Duration::from_millis(50);
/// As at the opening.
const BUSY: Duration = crate::chat::PATIENCE;

/// Says that the database file alone, without a log, is what segment `seq` left.
#[derive(Debug, Serialize, Deserialize)]
struct Clean {
    epoch: u64,
    seq: u64,
    size: u64,
    modified: u128,
}

pub fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn facts(database: &Path) -> Result<(u64, u128), ShipError> {
    let m = std::fs::metadata(database).map_err(io(database))?;
    let modified = m.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    Ok((m.len(), modified.unwrap_or_default().as_nanos()))
}

fn note(database: &Path) -> Option<Clean> {
    std::fs::read(beside(database, "-shipped")).ok().and_then(|b| serde_json::from_slice(&b).ok())
}

/// Notes that segment `seq` is in the share and that nothing but it and what came before is in the file.
pub fn note_clean(database: &Path, epoch: u64, seq: u64, facts: (u64, u128)) -> Result<(), ShipError> {
    let clean = Clean { epoch, seq, size: facts.0, modified: facts.1 };
    let path = beside(database, "-shipped");
    let text = serde_json::to_vec(&clean).map_err(|e| ShipError::Diverged(e.to_string()))?;
    std::fs::write(&path, text).map_err(io(&path))
}

/// Whether the database file is, to the byte count and time, what the last segment left, with no log.
pub fn is_clean(database: &Path) -> bool {
    let log = std::fs::metadata(beside(database, "-wal")).map_or(0, |m| m.len());
    note(database).is_some_and(|c| log == 0 && facts(database).is_ok_and(|f| f == (c.size, c.modified)))
}

/// The last segment, when the closed database holds nothing that is not in the share.
pub fn shipped_to(database: &Path) -> Option<(u64, u64)> {
    note(database).filter(|_| is_clean(database)).map(|c| (c.epoch, c.seq))
}

/// Makes the next run of the backup job begin with a whole copy.
pub fn forget_shipped(database: &Path) -> Result<(), ShipError> {
    let path = beside(database, "-shipped");
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(&path)(e)),
        _ => Ok(()),
    }
}

/// Cuts the log of one database.
#[derive(Debug)]
pub struct Cutter {
    database: PathBuf,
    /// Where the last cut ended.
    position: Position,
    /// Where it ended when the log was folded last and a reader kept it from being emptied: once the reader
    /// is gone, the next write begins it anew.
    folded: Option<Position>,
}

const EMPTY: Position = Position { salts: None, offset: 0 };

impl Cutter {
    /// Goes on behind `last` when the database is what that segment left plus what its log holds.
    ///
    /// # Errors
    /// [`ShipError::Diverged`]: a base is needed.
    pub fn resume(database: &Path, last: &Header) -> Result<Self, ShipError> {
        let mut position = last.position;
        if let Some(c) = note(database).filter(|c| (c.epoch, c.seq) == (last.epoch, last.seq)) {
            if facts(database)? != (c.size, c.modified) {
                return Err(ShipError::Diverged("the database was changed by somebody else".to_owned()));
            }
            position = EMPTY;
        } else if position.salts.is_none() {
            return Err(ShipError::Diverged("the end of the last run is not known".to_owned()));
        }
        wal::read(&beside(database, "-wal"), position)?;
        Ok(Self { database: database.to_owned(), position, folded: None })
    }

    /// Begins anew: folds the log and gives the whole file. The log is not folded again before the file
    /// was read.
    ///
    /// # Errors
    /// When a reader keeps the log from being folded.
    pub fn base(
        c: &Connection,
        database: &Path,
        messages: u64,
        at: Timestamp,
    ) -> Result<(Self, Cut), ShipError> {
        if !checkpoint(c) {
            return Err(ShipError::Diverged("the log could not be folded into the database".to_owned()));
        }
        let page_size: u32 = c.pragma_query_value(None, "page_size", |r| r.get(0)).unwrap_or(4096);
        let facts = facts(database)?;
        let cut = Cut {
            content: Content::Base(database.to_owned()),
            position: EMPTY,
            page_size,
            db_pages: u32::try_from(facts.0 / u64::from(page_size)).unwrap_or(u32::MAX),
            commits: 0,
            messages,
            at,
            folded: Some(facts),
        };
        Ok((Self { database: database.to_owned(), position: EMPTY, folded: None }, cut))
    }

    /// Cuts what was committed since; none when nothing was. With `fold` a long log is folded at once:
    /// what it held is in the cut.
    ///
    /// # Errors
    /// [`ShipError::Diverged`]: a base is needed; I/O on the database's own disk.
    pub fn cut(
        &mut self,
        c: &Connection,
        fold: bool,
        messages: u64,
        at: Timestamp,
    ) -> Result<Option<Cut>, ShipError> {
        let log = beside(&self.database, "-wal");
        let found = match wal::read(&log, self.position) {
            // All of the old log was cut, and nothing was written into it since: this thread is the only writer.
            Err(ShipError::Diverged(_))
                if self.folded == Some(self.position) && wal::begun_anew(&log, self.position)? =>
            {
                self.position = EMPTY;
                wal::read(&log, EMPTY)?
            }
            r => r?,
        };
        let Some(found) = found else { return Ok(None) };
        self.position = found.position;
        let mut cut = Cut {
            position: found.position,
            page_size: found.page_size,
            db_pages: found.db_pages,
            commits: found.commits,
            content: Content::Pages(found.pages),
            messages,
            at,
            folded: None,
        };
        if fold && found.position.offset > CHECKPOINT {
            cut.folded = self.fold(c)?;
        }
        Ok(Some(cut))
    }

    /// Folds the log, all of which is cut; size and time of the file then, none when a reader is in the way.
    ///
    /// # Errors
    /// I/O.
    pub fn fold(&mut self, c: &Connection) -> Result<Option<(u64, u128)>, ShipError> {
        if !checkpoint(c) {
            self.folded = Some(self.position);
            return Ok(None); // the log stays, and the position with it
        }
        self.position = EMPTY;
        facts(&self.database).map(Some)
    }
}

/// Folds the log into the database; whether it is empty now.
pub fn checkpoint(c: &Connection) -> bool {
    let _ = c.busy_timeout(FOLD_PATIENCE);
    let done = c
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))
        .is_ok_and(|busy| busy == 0);
    let _ = c.busy_timeout(BUSY);
    done
}
