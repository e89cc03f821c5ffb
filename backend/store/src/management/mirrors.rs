//! The witness of the mirrors: which copy is the principal, and whether the mirror has everything.

use rusqlite::{Connection, OptionalExtension, params};
use shared::ObjectId;
use shared::deployment::PoolState;

use super::Result;

/// Which database of a pool: the mgc of a side, or its mgccomp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    /// The side.
    pub side: PoolState,
    /// Its mgccomp instead of its mgc.
    pub queue: bool,
}

impl Which {
    /// The mgccomp of a side.
    pub fn queue(side: PoolState) -> Self {
        Self { side, queue: true }
    }

    /// The word in the table.
    fn word(self) -> String {
        format!("{}{}", self.side.word(), if self.queue { " mgccomp" } else { "" })
    }
}

impl From<PoolState> for Which {
    fn from(side: PoolState) -> Self {
        Self { side, queue: false }
    }
}

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
pub fn get(c: &Connection, pool: &ObjectId, of: impl Into<Which>) -> Result<MirrorRow> {
    let sql = "SELECT installed, on_mirror, opened_on_mirror, forced, synchronized FROM mirror
               WHERE pool = ?1 AND side = ?2";
    let row = c.query_row(sql, params![pool.as_str(), of.into().word()], |r| {
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

/// Pools of which the mgc of a side is mirrored, or with `queue` the mgccomp.
///
/// # Errors
/// SQLite's.
pub fn installed(c: &Connection, queue: bool) -> Result<Vec<ObjectId>> {
    let sql = "SELECT DISTINCT pool FROM mirror WHERE installed = 1 AND (side LIKE '% mgccomp') = ?1";
    let mut s = c.prepare_cached(sql)?;
    let rows = s.query_map([queue], |r| r.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.iter().filter_map(|p| ObjectId::try_from(p.as_str()).ok()).collect())
}

/// Sets mirroring up or takes it away; a new one has nothing yet.
///
/// # Errors
/// SQLite's.
pub fn install(c: &Connection, pool: &ObjectId, of: impl Into<Which>, on: bool) -> Result<()> {
    c.execute(
        "INSERT INTO mirror (pool, side, installed) VALUES (?1, ?2, ?3)
         ON CONFLICT (pool, side) DO UPDATE SET installed = ?3, synchronized = 0",
        params![pool.as_str(), of.into().word(), on],
    )?;
    Ok(())
}

/// Wants the principal on the mirror's store, or back on the primary's.
///
/// # Errors
/// SQLite's.
pub fn want(
    c: &Connection,
    pool: &ObjectId,
    of: impl Into<Which>,
    on_mirror: bool,
    forced: bool,
) -> Result<()> {
    c.execute(
        "UPDATE mirror SET on_mirror = ?3, forced = ?4 WHERE pool = ?1 AND side = ?2",
        params![pool.as_str(), of.into().word(), on_mirror, forced],
    )?;
    Ok(())
}

/// Notes that the principal is opened where it is wanted.
///
/// # Errors
/// SQLite's.
pub fn moved(c: &Connection, pool: &ObjectId, of: impl Into<Which>) -> Result<()> {
    c.execute(
        "UPDATE mirror SET opened_on_mirror = on_mirror, forced = 0, synchronized = 0 WHERE pool = ?1 AND side = ?2",
        params![pool.as_str(), of.into().word()],
    )?;
    Ok(())
}

/// Notes whether the mirror has everything.
///
/// # Errors
/// SQLite's.
pub fn note(c: &Connection, pool: &ObjectId, of: impl Into<Which>, synchronized: bool) -> Result<()> {
    c.execute(
        "UPDATE mirror SET synchronized = ?3 WHERE pool = ?1 AND side = ?2",
        params![pool.as_str(), of.into().word(), synchronized],
    )?;
    Ok(())
}
