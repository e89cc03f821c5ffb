//! What an adapter takes out of mgccomp. The end of a batch is written down before anything is read, so a
//! kill at any moment gives the same batch again: nothing is lost, and files are written over, not doubled.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use shared::Timestamp;

use super::compliance::ComplianceQueue;
use super::read_write;

/// Events taken at once.
const BATCH: i64 = 10_000;

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEvent {
    /// Number in the queue.
    pub seq: i64,
    /// When it was queued.
    pub at: Timestamp,
    /// `JOIN`, `PART`, `CHAT`, `BACKCHAT`.
    pub kind: String,
    /// Room id.
    pub room: String,
    /// Who.
    pub user: String,
    /// Text of a post.
    pub text: String,
}

fn connect(dir: &Path) -> rusqlite::Result<Connection> {
    if super::mirror::marked(dir, super::compliance::FILE) {
        return Err(rusqlite::Error::InvalidPath(ComplianceQueue::path(dir)));
    }
    read_write(&ComplianceQueue::path(dir), false)
}

fn prepare(c: &Connection) -> rusqlite::Result<()> {
    c.execute_batch(
        "CREATE TABLE IF NOT EXISTS adapter_batch (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT",
    )
}

/// The batch under way, or a new one; empty when nothing waits.
///
/// # Errors
/// SQLite's.
pub fn batch(dir: &Path) -> rusqlite::Result<Vec<QueuedEvent>> {
    take(&connect(dir)?)
}

/// The same over a connection.
pub(super) fn take(c: &Connection) -> rusqlite::Result<Vec<QueuedEvent>> {
    prepare(c)?;
    c.execute(
        "INSERT OR IGNORE INTO adapter_batch SELECT 1, MAX(seq) FROM (SELECT seq FROM event ORDER BY seq LIMIT ?1)
         HAVING MAX(seq) IS NOT NULL",
        [BATCH],
    )?;
    let last: Option<i64> = c.query_row("SELECT last FROM adapter_batch", [], |r| r.get(0)).optional()?;
    let mut s =
        c.prepare("SELECT seq, at, kind, room, user, text FROM event WHERE seq <= ?1 ORDER BY seq")?;
    let row = |r: &rusqlite::Row<'_>| {
        Ok(QueuedEvent {
            seq: r.get(0)?,
            at: Timestamp::from_millis(r.get(1)?),
            kind: r.get(2)?,
            room: r.get(3)?,
            user: r.get(4)?,
            text: r.get(5)?,
        })
    };
    s.query_map([last.unwrap_or(0)], row)?.collect()
}

/// Deletes the batch under way: its events are written out.
///
/// # Errors
/// SQLite's.
pub fn written(dir: &Path) -> rusqlite::Result<()> {
    done(&mut connect(dir)?)
}

/// The same over a connection.
pub(super) fn done(c: &mut Connection) -> rusqlite::Result<()> {
    prepare(c)?;
    let tx = c.transaction()?;
    tx.execute("DELETE FROM event WHERE seq <= (SELECT last FROM adapter_batch)", [])?;
    tx.execute("DELETE FROM adapter_batch", [])?;
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::traits::ComplianceEvent;

    #[test]
    fn a_batch_that_was_not_finished_comes_again_as_it_was() -> rusqlite::Result<()> {
        let dir = tempfile::tempdir().map_err(|_| rusqlite::Error::InvalidQuery)?;
        let mut q = ComplianceQueue::open(dir.path())?;
        let mut push = |text: &str| {
            let e = ComplianceEvent {
                kind: "CHAT",
                room: "r".into(),
                user: "u".into(),
                text: text.into(),
                message: None,
            };
            q.push(&[e]).map_err(|_| rusqlite::Error::InvalidQuery)
        };
        assert_eq!(batch(dir.path())?, []);
        push("one")?;
        push("two")?;
        let first = batch(dir.path())?;
        assert_eq!(first.len(), 2);
        push("three")?;
        assert_eq!(batch(dir.path())?, first, "what came later waits for the next batch");
        written(dir.path())?;
        let rest = batch(dir.path())?;
        assert_eq!(rest.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["three"]);
        written(dir.path())?;
        assert_eq!(ComplianceQueue::count(dir.path())?, 0);
        Ok(())
    }
}
