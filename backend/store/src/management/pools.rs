//! Operational state of pools: state, active servers, addresses, endpoints.

use rusqlite::{Connection, OptionalExtension, params};
use shared::deployment::PoolState;
use shared::shipping::Schedule;
use shared::{Fqdn, ObjectId, SipUri, Timestamp};

use super::{Result, StoreError};

/// Wanted state of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRow {
    /// Normal or FailedOver.
    pub state: PoolState,
    /// Since when it is wanted.
    pub since: Timestamp,
    /// Rises with every change.
    pub generation: u64,
    /// The loss was acknowledged: the other side may be opened without a copy.
    pub forced: bool,
}

/// The state row of a pool.
///
/// # Errors
/// SQLite's.
pub fn state(c: &Connection, pool: &ObjectId) -> Result<Option<StateRow>> {
    Ok(c.query_row(
        "SELECT state, since, generation, forced FROM pool_state WHERE pool = ?1",
        [pool.as_str()],
        |r| {
            let word: String = r.get(0)?;
            Ok(StateRow {
                state: PoolState::parse(&word).unwrap_or_default(),
                since: Timestamp::from_millis(r.get(1)?),
                generation: r.get::<_, i64>(2)?.unsigned_abs(),
                forced: r.get(3)?,
            })
        },
    )
    .optional()?)
}

/// Writes the wanted state with the next generation.
///
/// # Errors
/// SQLite's.
pub fn set_state(
    c: &Connection,
    pool: &ObjectId,
    state: PoolState,
    forced: bool,
    at: Timestamp,
) -> Result<()> {
    c.execute(
        "INSERT INTO pool_state (pool, state, since, generation, forced) VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT (pool) DO UPDATE SET state = ?2, since = ?3, generation = generation + 1, forced = ?4",
        params![pool.as_str(), state.word(), at.millis(), forced],
    )?;
    Ok(())
}

/// The side that was opened last, with its epoch.
///
/// # Errors
/// SQLite's.
pub fn opened(c: &Connection, pool: &ObjectId) -> Result<Option<(PoolState, u64)>> {
    let sql = "SELECT open_state, open_epoch FROM pool_state WHERE pool = ?1 AND open_state IS NOT NULL";
    let row: Option<(String, i64)> =
        c.query_row(sql, [pool.as_str()], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    Ok(row.and_then(|(s, e)| PoolState::parse(&s).map(|s| (s, e.unsigned_abs()))))
}

/// Notes the side that is opened next.
///
/// # Errors
/// SQLite's.
pub fn set_opened(c: &Connection, pool: &ObjectId, side: PoolState, epoch: u64) -> Result<()> {
    c.execute(
        "UPDATE pool_state SET open_state = ?2, open_epoch = ?3 WHERE pool = ?1",
        params![pool.as_str(), side.word(), epoch.cast_signed()],
    )?;
    Ok(())
}

/// The guided run that has the pool in hand.
///
/// # Errors
/// SQLite's.
pub fn held_by(c: &Connection, pool: &ObjectId) -> Result<Option<String>> {
    let sql = "SELECT held FROM pool_state WHERE pool = ?1";
    Ok(c.query_row(sql, [pool.as_str()], |r| r.get(0)).optional()?.flatten())
}

/// Gives the pool into the hands of a run.
///
/// # Errors
/// SQLite's.
pub fn set_held(c: &Connection, pool: &ObjectId, run: &str) -> Result<()> {
    c.execute("UPDATE pool_state SET held = ?2 WHERE pool = ?1", params![pool.as_str(), run])?;
    Ok(())
}

/// Takes the pool out of the hands of this run; another that has it keeps it.
///
/// # Errors
/// SQLite's.
pub fn release(c: &Connection, pool: &ObjectId, run: &str) -> Result<()> {
    c.execute(
        "UPDATE pool_state SET held = NULL WHERE pool = ?1 AND held = ?2",
        params![pool.as_str(), run],
    )?;
    Ok(())
}

/// When the pool's log shipping runs; the defaults when nothing was set.
///
/// # Errors
/// SQLite's, or a stored text that does not parse.
pub fn shipping(c: &Connection, pool: &ObjectId) -> Result<Schedule> {
    let sql = "SELECT schedule FROM log_shipping WHERE pool = ?1";
    let text: Option<String> = c.query_row(sql, [pool.as_str()], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?.unwrap_or_default())
}

/// Sets when the pool's log shipping runs.
///
/// # Errors
/// SQLite's.
pub fn set_shipping(c: &Connection, pool: &ObjectId, s: &Schedule) -> Result<()> {
    let sql = "INSERT INTO log_shipping VALUES (?1, ?2) ON CONFLICT (pool) DO UPDATE SET schedule = ?2";
    c.execute(sql, params![pool.as_str(), serde_json::to_string(s)?])?;
    Ok(())
}

/// Active servers of a pool, by name.
///
/// # Errors
/// SQLite's.
pub fn active_servers(c: &Connection, pool: &ObjectId) -> Result<Vec<String>> {
    let mut s = c.prepare_cached("SELECT fqdn FROM active_server WHERE pool = ?1 ORDER BY fqdn")?;
    Ok(s.query_map([pool.as_str()], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Replaces the active list.
///
/// # Errors
/// SQLite's.
pub fn set_active_servers(c: &Connection, pool: &ObjectId, list: &[String]) -> Result<()> {
    c.execute("DELETE FROM active_server WHERE pool = ?1", [pool.as_str()])?;
    for fqdn in list {
        c.execute("INSERT OR IGNORE INTO active_server VALUES (?1, ?2)", [pool.as_str(), fqdn])?;
    }
    Ok(())
}

/// Host number (2–65000) of a server that runs here within the instance's block; given once, kept.
///
/// # Errors
/// SQLite's, or when all numbers are taken.
pub fn address_of(c: &Connection, fqdn: &Fqdn) -> Result<u16> {
    let found: Option<i64> = c
        .query_row("SELECT host FROM server_address WHERE fqdn = ?1", [fqdn.as_str()], |r| r.get(0))
        .optional()?;
    if let Some(n) = found {
        return Ok(u16::try_from(n).unwrap_or(2));
    }
    let next: i64 = c.query_row("SELECT COALESCE(MAX(host), 1) + 1 FROM server_address", [], |r| r.get(0))?;
    let host =
        u16::try_from(next).map_err(|_| StoreError::Schema("no loopback address is left".to_owned()))?;
    c.execute("INSERT INTO server_address VALUES (?1, ?2)", params![fqdn.as_str(), next])?;
    Ok(host)
}

/// Host number given earlier; none when the server was never published.
///
/// # Errors
/// SQLite's.
pub fn known_address(c: &Connection, fqdn: &Fqdn) -> Result<Option<u16>> {
    let n: Option<i64> = c
        .query_row("SELECT host FROM server_address WHERE fqdn = ?1", [fqdn.as_str()], |r| r.get(0))
        .optional()?;
    Ok(n.and_then(|n| u16::try_from(n).ok()))
}

/// A legacy endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub sip_address: SipUri,
    /// The pool it points at.
    pub pool: ObjectId,
    /// Name in lists.
    pub display_name: String,
    /// When it was created.
    pub created: Timestamp,
}

/// All endpoints by address.
///
/// # Errors
/// SQLite's.
pub fn endpoints(c: &Connection) -> Result<Vec<Endpoint>> {
    let mut s = c.prepare_cached(
        "SELECT sip_address, pool, display_name, created FROM endpoint ORDER BY sip_address",
    )?;
    let rows = s
        .query_map([], |r| {
            Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, i64>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter()
        .map(|(sip, pool, display_name, created)| {
            let bad = |e: shared::InvalidName| StoreError::Schema(e.0);
            Ok(Endpoint {
                sip_address: SipUri::try_from(sip).map_err(bad)?,
                pool: ObjectId::try_from(pool).map_err(bad)?,
                display_name,
                created: Timestamp::from_millis(created),
            })
        })
        .collect()
}

/// Adds an endpoint; the caller has checked address and pool.
///
/// # Errors
/// SQLite's.
pub fn add_endpoint(c: &Connection, e: &Endpoint) -> Result<()> {
    c.execute(
        "INSERT INTO endpoint VALUES (?1, ?2, ?3, ?4)",
        params![e.sip_address.as_str(), e.pool.as_str(), e.display_name, e.created.millis()],
    )?;
    Ok(())
}

/// Removes an endpoint.
///
/// # Errors
/// SQLite's.
pub fn remove_endpoint(c: &Connection, sip: &SipUri) -> Result<()> {
    c.execute("DELETE FROM endpoint WHERE sip_address = ?1", [sip.as_str()])?;
    Ok(())
}

/// What is wanted of a server's services, when it is not to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Its services are stopped.
    Stopped,
    /// It refuses new sessions and is stopped when the last one has ended.
    Draining,
}

/// Servers that are not to run, with the time since when.
///
/// # Errors
/// SQLite's.
pub fn halted(c: &Connection) -> Result<Vec<(String, Halt, Timestamp)>> {
    let mut s = c.prepare_cached("SELECT fqdn, wanted, since FROM server_service ORDER BY fqdn")?;
    let rows = s.query_map([], |r| {
        let wanted: String = r.get(1)?;
        let halt = if wanted == "draining" { Halt::Draining } else { Halt::Stopped };
        Ok((r.get(0)?, halt, Timestamp::from_millis(r.get(2)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Halts a server, or with none lets it run again.
///
/// # Errors
/// SQLite's.
pub fn set_halted(c: &Connection, fqdn: &Fqdn, halt: Option<Halt>, at: Timestamp) -> Result<()> {
    let Some(halt) = halt else {
        c.execute("DELETE FROM server_service WHERE fqdn = ?1", [fqdn.as_str()])?;
        return Ok(());
    };
    let word = if halt == Halt::Draining { "draining" } else { "stopped" };
    c.execute(
        "INSERT INTO server_service VALUES (?1, ?2, ?3)
         ON CONFLICT (fqdn) DO UPDATE SET wanted = ?2, since = ?3",
        params![fqdn.as_str(), word, at.millis()],
    )?;
    Ok(())
}
