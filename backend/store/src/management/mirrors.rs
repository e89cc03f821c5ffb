//! The witness of the mirrors: which copy is the principal, and whether the mirror has everything.

use rusqlite::{Connection, OptionalExtension, params};
use shared::ObjectId;
use shared::deployment::PoolState;

use super::Result;

/// The mirror of one side of a pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MirrorRow {
    /// Mirroring is set up.
    pub installed: bool,
    /// The principal is wanted on the mirror's store.
    pub on_mirror: bool,
    /// The principal was opened there last.
    pub opened_on_mirror: bool,
    /// The loss was acknowledged for the move that is wanted.
    pub forced: bool,
    /// The mirror has everything that was acknowledged.
    pub synchronized: bool,
}

/// The row of a side; all no when there is none.
///
/// # Errors
/// SQLite's.
pub fn get(c: &Connection, pool: &ObjectId, side: PoolState) -> Result<MirrorRow> {
    let sql = "SELECT installed, on_mirror, opened_on_mirror, forced, synchronized FROM mirror
               WHERE pool = ?1 AND side = ?2";
    let row = c.query_row(sql, params![pool.as_str(), side.word()], |r| {
        Ok(MirrorRow {
            installed: r.get(0)?,
            on_mirror: r.get(1)?,
            opened_on_mirror: r.get(2)?,
            forced: r.get(3)?,
            synchronized: r.get(4)?,
        })
    });
    Ok(row.optional()?.unwrap_or_default())
}

/// Pools of which a side is mirrored.
///
/// # Errors
/// SQLite's.
pub fn installed(c: &Connection) -> Result<Vec<ObjectId>> {
    let mut s = c.prepare_cached("SELECT DISTINCT pool FROM mirror WHERE installed = 1")?;
    let rows = s.query_map([], |r| r.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.iter().filter_map(|p| ObjectId::try_from(p.as_str()).ok()).collect())
}

/// Sets mirroring up or takes it away; a new one has nothing yet.
///
/// # Errors
/// SQLite's.
pub fn install(c: &Connection, pool: &ObjectId, side: PoolState, on: bool) -> Result<()> {
    c.execute(
        "INSERT INTO mirror (pool, side, installed) VALUES (?1, ?2, ?3)
         ON CONFLICT (pool, side) DO UPDATE SET installed = ?3, synchronized = 0",
        params![pool.as_str(), side.word(), on],
    )?;
    Ok(())
}

/// Wants the principal on the mirror's store, or back on the primary's.
///
/// # Errors
/// SQLite's.
pub fn want(c: &Connection, pool: &ObjectId, side: PoolState, on_mirror: bool, forced: bool) -> Result<()> {
    c.execute(
        "UPDATE mirror SET on_mirror = ?3, forced = ?4 WHERE pool = ?1 AND side = ?2",
        params![pool.as_str(), side.word(), on_mirror, forced],
    )?;
    Ok(())
}

/// Notes that the principal is opened where it is wanted.
///
/// # Errors
/// SQLite's.
pub fn moved(c: &Connection, pool: &ObjectId, side: PoolState) -> Result<()> {
    c.execute(
        "UPDATE mirror SET opened_on_mirror = on_mirror, forced = 0, synchronized = 0 WHERE pool = ?1 AND side = ?2",
        params![pool.as_str(), side.word()],
    )?;
    Ok(())
}

/// Notes whether the mirror has everything.
///
/// # Errors
/// SQLite's.
pub fn note(c: &Connection, pool: &ObjectId, side: PoolState, synchronized: bool) -> Result<()> {
    c.execute(
        "UPDATE mirror SET synchronized = ?3 WHERE pool = ?1 AND side = ?2",
        params![pool.as_str(), side.word(), synchronized],
    )?;
    Ok(())
}
