//! The mirror of an mgccomp: who takes over, who steps down. It has no epoch; the marker says which of the
//! two nobody writes to.

use std::path::Path;

use node::traits::StoreError;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use shared::Timestamp;

use super::compliance::{ComplianceQueue, FILE, last};
use super::{database_error, mirror, read_only, read_write};

/// Numbers that are left out when the queue goes on without what was lost.
const GAP: i64 = 1_000_000;

/// Whether the queue of this folder is a mirror.
pub fn is_mirror(dir: &Path) -> bool {
    mirror::marked(dir, FILE)
}

/// Whether a move from one folder to the other was done before and only not noted.
pub fn moved(from: &Path, to: &Path) -> bool {
    is_mirror(from) && !is_mirror(to) && ComplianceQueue::path(to).exists()
}

/// Makes the mirror of this folder the queue that is used. Doing it again changes nothing.
///
/// # Errors
/// When there is no readable database.
pub fn take_over(dir: &Path) -> Result<(), StoreError> {
    drop(mirror::sound(dir, FILE)?);
    mirror::unmark(dir, FILE)
}

/// The same of one that has not everything; one that has nothing begins empty. Its numbers go on far above what
/// was lost: the adapter's files carry them, and none may take the place of one that is written already.
///
/// # Errors
/// When it cannot be read or made.
pub fn take_over_with_loss(dir: &Path, at: Timestamp) -> Result<(), StoreError> {
    if !ComplianceQueue::path(dir).exists() {
        mirror::unmark(dir, FILE)?;
        ComplianceQueue::create(dir).map_err(database_error)?;
    }
    let mut c = mirror::sound(dir, FILE)?;
    let tx = c.transaction().map_err(database_error)?;
    let next = (last(&tx).map_err(database_error)? + GAP).max(at.millis() / 1000);
    let set = |sql: &str| tx.execute(sql, [next]);
    let known = set("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'event'").map_err(database_error)?;
    if known == 0 {
        set("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?1)").map_err(database_error)?;
    }
    tx.commit().map_err(database_error)?;
    drop(c);
    mirror::unmark(dir, FILE)
}

/// Replaces the mirror in `to` by a whole copy of the queue in `from`; the copy is the one that is used.
///
/// # Errors
/// When either side fails; the target is then what it was.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(to).map_err(super::database::io)?;
    let fresh = to.join("mgccomp.new");
    super::database::remove(&fresh)?;
    let source = read_only(&ComplianceQueue::path(from)).map_err(database_error)?;
    {
        let mut target = Connection::open(&fresh).map_err(database_error)?;
        let backup = Backup::new(&source, &mut target).map_err(database_error)?;
        backup.run_to_completion(4096, std::time::Duration::ZERO, None).map_err(database_error)?;
    }
    drop(read_write(&fresh, false).map_err(database_error)?);
    super::database::put(&fresh, &ComplianceQueue::path(to), to)?;
    mirror::unmark(to, FILE)
}

/// A queue that was closed and whose mirror has everything becomes the mirror: it is no orphan.
///
/// # Errors
/// I/O.
pub fn step_down(dir: &Path) -> Result<(), StoreError> {
    mirror::mark(dir, FILE)
}

/// Deletes the mirror of this folder; a queue that is no mirror is left alone. Whether there was one.
///
/// # Errors
/// I/O.
pub fn drop_mirror(dir: &Path) -> Result<bool, StoreError> {
    mirror::drop_marked(dir, FILE)
}

/// Moves the mirror of this folder to `to`; a queue that is no mirror is left alone.
///
/// # Errors
/// I/O.
pub fn keep_mirror(dir: &Path, to: &Path) -> Result<(), StoreError> {
    if is_mirror(dir) {
        ComplianceQueue::set_aside(dir, to)?;
    }
    mirror::unmark(dir, FILE)
}
