//! Log shipping of mgc: what the database in use commits is cut from its write-ahead log at commit
//! boundaries into numbered segments in the share (backup job), copied to the other side (copy job) and
//! applied there (restore job). Source: S1 steps 1–4, procedures §6.
//!
//! Invariants:
//! - A segment is immutable and carries the hash of the one before it; the first of an epoch is the base,
//!   a whole copy. A gap, a torn, foreign or changed segment is refused and named, never skipped.
//! - Each epoch has one chain. Whoever brings the other side online claims the next epoch in the share
//!   with a file that can be created once; a shipper of an older epoch stops there.
//! - The other side is a plain file until it is brought online: nobody reads or writes it. Applying a
//!   segment again gives the same pages, so a kill while applying is repaired by applying again.
//! - The writer's thread cuts ([`cutter`]) and never touches the share; a thread of its own carries what is
//!   cut ([`carrier`]). A share that hangs delays neither posts nor closing; it is said not to answer.

mod anew;
mod carrier;
mod chain;
mod claim;
mod cutter;
mod job;
mod progress;
mod secondary;
mod segment;
pub(super) mod wal;

#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::Timestamp;

pub use anew::{ask, heal};
pub use carrier::Carrier;
pub use claim::{claim, claimed};
pub(super) use cutter::{beside, checkpoint, forget_shipped, shipped_to};
pub use job::{Job, ShipTo, Turn};
pub use progress::{PATIENCE, Progress, within};
pub(super) use progress::{Steady, Watch};
pub use secondary::{Applied, Secondary};
pub use segment::Header;

/// Why shipping cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShipError {
    /// A segment is missing.
    #[error("segment {expected} of epoch {epoch} is missing; {found} is there")]
    Gap {
        /// Epoch.
        epoch: u64,
        /// The one wanted.
        expected: u64,
        /// The lowest one found after it.
        found: u64,
    },
    /// A segment is damaged: half copied, changed, too long.
    #[error("{file} is damaged: {why}")]
    Corrupt {
        /// File name.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A segment does not follow the one applied last.
    #[error("{file} does not continue what is applied here: {why}")]
    Forked {
        /// File name.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The database is not what the chain says; a new base is needed.
    #[error("{0}; shipping begins again with a whole copy")]
    Diverged(String),
    /// A newer epoch was claimed: another side is in use.
    #[error("epoch {0} was claimed: another database is in use, and this one takes no more writes")]
    Fenced(u64),
    /// The share moves nothing: the call hangs.
    #[error("the share does not answer ({0})")]
    Silent(String),
    /// A file operation failed.
    #[error("{path}: {why}")]
    Io {
        /// File or folder.
        path: String,
        /// The cause.
        why: String,
    },
}

/// An I/O error with its path.
fn io(path: &Path) -> impl Fn(std::io::Error) -> ShipError {
    let path = path.display().to_string();
    move |e| ShipError::Io { path: path.clone(), why: e.to_string() }
}

/// Where a position in the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Salts of the log's generation; none right after a checkpoint emptied it.
    pub salts: Option<(u32, u32)>,
    /// Byte offset behind the last frame that was taken.
    pub offset: u64,
}

/// What one side of log shipping did last, for the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Epoch of the chain.
    pub epoch: u64,
    /// Segment.
    pub seq: u64,
    /// When it was cut.
    pub cut: Timestamp,
    /// Commits since the base, in this segment and before it.
    pub commits: u64,
    /// Messages of the database with it.
    #[serde(default)]
    pub messages: u64,
}

impl From<&Header> for Mark {
    fn from(h: &Header) -> Self {
        Self { epoch: h.epoch, seq: h.seq, cut: h.at, commits: h.commits, messages: h.messages }
    }
}

/// Segments in a folder, by epoch and number.
///
/// # Errors
/// When the folder cannot be read; one that is not there has none.
pub fn list(dir: &Path) -> Result<Vec<(u64, u64, PathBuf)>, ShipError> {
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        r => r.map_err(io(dir))?,
    };
    let mut out: Vec<_> = entries
        .flatten()
        .filter_map(|e| {
            let name = e.file_name().into_string().ok()?;
            let (epoch, seq) = name.strip_prefix('e')?.strip_suffix(".seg")?.split_once('-')?;
            Some((epoch.parse().ok()?, seq.parse().ok()?, e.path()))
        })
        .collect();
    out.sort();
    Ok(out)
}

fn name(epoch: u64, seq: u64) -> String {
    format!("e{epoch}-{seq:010}.seg")
}

/// Makes the pool's folder in the share. A share that is not there is not made: it may be a disk that is not mounted.
fn make_folder(folder: &Path) -> Result<(), ShipError> {
    for dir in folder.parent().into_iter().chain([folder]) {
        match std::fs::create_dir(dir) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(dir)(e)),
            _ => {}
        }
    }
    Ok(())
}

fn sync_dir(dir: &Path) -> Result<(), ShipError> {
    std::fs::File::open(dir).and_then(|f| f.sync_all()).map_err(io(dir))
}

/// What [`clean`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Segments that were deleted.
    pub gone: u64,
    /// Bytes of the newest base that is applied; 0 without one.
    pub base: u64,
    /// Bytes of applied segments behind it that are old enough, and kept only because they follow it.
    pub expired: u64,
}

/// Deletes segments of the share that were cut before `before` and that the other side has applied. What
/// follows the newest base is kept: with it alone a side whose disk was replaced can be restored. With `all`
/// that goes too.
///
/// # Errors
/// When one cannot be deleted.
pub fn clean(
    dir: &Path,
    applied: &Mark,
    before: Timestamp,
    all: bool,
    progress: &Progress,
) -> Result<Cleaned, ShipError> {
    let done: Vec<_> = list(dir)?
        .into_iter()
        .filter(|(epoch, seq, _)| (*epoch, *seq) < (applied.epoch, applied.seq + 1))
        .filter_map(|(epoch, seq, path)| {
            progress.moved();
            Some((epoch, seq, segment::peek(&path).ok()?, path))
        })
        .collect();
    let base = done.iter().rfind(|(epoch, _, h, _)| *epoch == applied.epoch && h.prev.is_empty());
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |m| m.len());
    let mut out = Cleaned { base: base.map_or(0, |(.., path)| size(path)), ..Cleaned::default() };
    let from = base.map(|(epoch, seq, ..)| (*epoch, *seq));
    for (epoch, seq, h, path) in &done {
        if h.at >= before || (*epoch, *seq) == (applied.epoch, applied.seq) {
            continue;
        }
        if !all && from.is_some_and(|from| (*epoch, *seq) >= from) {
            out.expired += if from == Some((*epoch, *seq)) { 0 } else { size(path) };
            continue;
        }
        progress.moved();
        std::fs::remove_file(path).map_err(io(path))?;
        out.gone += 1;
    }
    Ok(out)
}
