//! The backup job: cuts what was committed since the last segment. It runs on the writer's thread, the
//! only writer and the only one that checkpoints, so the log cannot be emptied under it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use shared::Timestamp;

use super::segment::{self, Header, Source};
use super::{Mark, Position, ShipError, claimed, io, list, wal};

/// Above this size the log is shipped whole and checkpointed.
const CHECKPOINT: u64 = 8 * 1024 * 1024;

/// Says that the database file alone, without a log, is what segment `seq` left.
#[derive(Debug, Serialize, Deserialize)]
struct Clean {
    epoch: u64,
    seq: u64,
    size: u64,
    modified: u128,
}

/// The state of the backup job of one database.
#[derive(Debug)]
pub struct Shipper {
    database: PathBuf,
    share: PathBuf,
    id: String,
    epoch: u64,
    last: Option<(Header, String)>,
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn facts(database: &Path) -> Result<(u64, u128), ShipError> {
    let m = std::fs::metadata(database).map_err(io(database))?;
    let modified = m.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    Ok((m.len(), modified.unwrap_or_default().as_nanos()))
}

/// Whether the database file is, to the byte count and time, what the last segment left, with no log.
pub fn is_clean(database: &Path) -> bool {
    let clean: Option<Clean> =
        std::fs::read(beside(database, "-shipped")).ok().and_then(|b| serde_json::from_slice(&b).ok());
    let log = std::fs::metadata(beside(database, "-wal")).map_or(0, |m| m.len());
    clean.is_some_and(|c| log == 0 && facts(database).is_ok_and(|f| f == (c.size, c.modified)))
}

impl Shipper {
    /// Goes on with the chain of this epoch in the share, or begins it with a base. `c` is the writer's
    /// connection; `id` names the pool's database.
    ///
    /// # Errors
    /// When the share cannot be written, or a newer epoch was claimed.
    pub fn start(
        c: &Connection,
        database: &Path,
        share: &Path,
        id: &str,
        epoch: u64,
        at: Timestamp,
    ) -> Result<Self, ShipError> {
        std::fs::create_dir_all(share).map_err(io(share))?;
        let mut me = Self {
            database: database.to_owned(),
            share: share.to_owned(),
            id: id.to_owned(),
            epoch,
            last: None,
        };
        me.check_fence()?;
        let newest = list(share)?.into_iter().rfind(|(e, ..)| *e == epoch);
        if let Some((_, _, path)) = newest {
            me.last = segment::verify(&path).ok();
        }
        match me.last.take() {
            Some(last) if last.0.database == id => match me.resumable(last) {
                Ok(last) => me.last = Some(last),
                Err(_) => me.base(c, at)?,
            },
            _ => me.base(c, at)?,
        }
        Ok(me)
    }

    /// Whether the database is what the newest segment left, plus what its log holds.
    fn resumable(&self, mut last: (Header, String)) -> Result<(Header, String), ShipError> {
        let clean: Option<Clean> = std::fs::read(beside(&self.database, "-shipped"))
            .ok()
            .and_then(|b| serde_json::from_slice(&b).ok());
        if let Some(c) = clean.filter(|c| (c.epoch, c.seq) == (self.epoch, last.0.seq)) {
            if facts(&self.database)? != (c.size, c.modified) {
                return Err(ShipError::Diverged("the database was changed by somebody else".to_owned()));
            }
            last.0.position = Position { salts: None, offset: 0 };
        } else if last.0.position.salts.is_none() {
            return Err(ShipError::Diverged("the end of the last run is not known".to_owned()));
        }
        wal::read(&beside(&self.database, "-wal"), last.0.position)?;
        Ok(last)
    }

    fn check_fence(&self) -> Result<(), ShipError> {
        let newest = claimed(&self.share);
        if newest > self.epoch { Err(ShipError::Fenced(newest)) } else { Ok(()) }
    }

    /// Begins the chain again: the log is folded into the database, and the whole file is shipped.
    fn base(&mut self, c: &Connection, at: Timestamp) -> Result<(), ShipError> {
        if !checkpoint(c) {
            return Err(ShipError::Diverged("the log could not be folded into the database".to_owned()));
        }
        // A base in the middle of an epoch takes the next number; `prev` is empty, so it starts anew.
        let seq = list(&self.share)?.iter().rfind(|(e, ..)| *e == self.epoch).map_or(0, |(_, s, _)| s + 1);
        let page_size: u32 = c.pragma_query_value(None, "page_size", |r| r.get(0)).unwrap_or(4096);
        let (size, _) = facts(&self.database)?;
        let pages = u32::try_from(size / u64::from(page_size)).unwrap_or(u32::MAX);
        let h = Header {
            database: self.id.clone(),
            epoch: self.epoch,
            seq,
            prev: String::new(),
            position: Position { salts: None, offset: 0 },
            page_size,
            db_pages: pages,
            pages,
            commits: 0,
            at,
        };
        let hash = segment::write(&self.share, &h, &Source::File(&self.database))?;
        self.last = Some((h, hash));
        self.note_clean()
    }

    /// The segment that was cut last.
    pub fn mark(&self) -> Option<Mark> {
        self.last.as_ref().map(|(h, _)| Mark::from(h))
    }

    /// Cuts what was committed since; none when nothing was.
    ///
    /// # Errors
    /// [`ShipError::Fenced`], [`ShipError::Diverged`] (a new base is begun by the next start), or I/O; then
    /// the same commits are shipped the next time.
    pub fn ship(&mut self, c: &Connection, at: Timestamp) -> Result<Option<Mark>, ShipError> {
        self.check_fence()?;
        let log = beside(&self.database, "-wal");
        let Some((h, prev)) = &self.last else { return Ok(None) };
        let Some(found) = wal::read(&log, h.position)? else { return Ok(None) };
        let next = Header {
            database: self.id.clone(),
            epoch: self.epoch,
            seq: h.seq + 1,
            prev: prev.clone(),
            position: found.position,
            page_size: found.page_size,
            db_pages: found.db_pages,
            pages: u32::try_from(found.pages.len()).unwrap_or(u32::MAX),
            commits: h.commits + found.commits,
            at,
        };
        let hash = segment::write(&self.share, &next, &Source::Pages(&found.pages))?;
        self.last = Some((next, hash));
        if found.position.offset > CHECKPOINT {
            self.fold(c)?;
        }
        Ok(self.mark())
    }

    /// Everything is shipped: folds the log into the database.
    fn fold(&mut self, c: &Connection) -> Result<(), ShipError> {
        // A reader in the way: the log stays, and the position with it.
        if checkpoint(c) {
            if let Some((h, _)) = &mut self.last {
                h.position = Position { salts: None, offset: 0 };
            }
            self.note_clean()?;
        }
        Ok(())
    }

    /// Ships the tail and folds the log, at the end of the database's use.
    ///
    /// # Errors
    /// As [`Shipper::ship`].
    pub fn finish(&mut self, c: &Connection, at: Timestamp) -> Result<Option<Mark>, ShipError> {
        self.ship(c, at)?;
        self.fold(c)?;
        Ok(self.mark())
    }

    fn note_clean(&self) -> Result<(), ShipError> {
        let Some((h, _)) = &self.last else { return Ok(()) };
        let (size, modified) = facts(&self.database)?;
        let clean = Clean { epoch: self.epoch, seq: h.seq, size, modified };
        let path = beside(&self.database, "-shipped");
        let text = serde_json::to_vec(&clean).map_err(|e| ShipError::Diverged(e.to_string()))?;
        std::fs::write(&path, text).map_err(io(&path))
    }
}

/// Folds the log into the database; whether it is empty now.
fn checkpoint(c: &Connection) -> bool {
    c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0)).is_ok_and(|busy| busy == 0)
}
