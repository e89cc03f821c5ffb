//! Chat databases on SQLite: one folder per SQL instance, in it `mgc.db` and `mgccomp.db`.

pub mod adapter;
mod administration;
mod compliance;
mod database;
pub mod mirror;
mod orphans;
mod queries;
mod queue;
pub mod queue_mirror;
mod recorded;
mod retired;
mod search;
pub mod shipping;
mod writer;

#[cfg(test)]
mod mirror_tests;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;

pub use compliance::ComplianceQueue;
pub use database::{DbInfo, MgcDatabase, RESTORING};
pub use queue::QueueAt;

use std::path::Path;

use node::traits::StoreError;
use rusqlite::{Connection, OpenFlags};
use shared::Timestamp;

/// `LGMC`.
const APPLICATION_ID: i64 = 0x4C47_4D43;
/// Schema that this program writes.
const SCHEMA: i64 = 4;
/// How long a database that somebody else holds is waited for. Two such waits, of a post and of what stands
/// before it in the queue, are shorter than the time a test message gives a phase, so that the answer comes
/// and says what is wrong.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
fn database_error(e: rusqlite::Error) -> StoreError {
    StoreError::Database(e.to_string())
}

/// Now; the store stamps messages itself, because the commit decides their order.
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let c = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    c.busy_timeout(PATIENCE)?;
    Ok(c)
}

fn read_write(path: &Path, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let c = Connection::open_with_flags(path, flags)?;
    c.busy_timeout(PATIENCE)?;
    c.pragma_update(None, "journal_mode", "WAL")?;
    c.pragma_update(None, "synchronous", "FULL")?;
    c.pragma_update(None, "foreign_keys", true)?;
    Ok(c)
}
