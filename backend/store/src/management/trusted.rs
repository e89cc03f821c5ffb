//! Authorities of others that test messages trust.

use rusqlite::{Connection, params};
use shared::Timestamp;

use super::Result;

/// An authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// What it is called here.
    pub name: String,
    /// Its certificates in PEM.
    pub pem: String,
    /// Since when.
    pub added: Timestamp,
    /// By whom.
    pub added_by: String,
}

/// All by name.
///
/// # Errors
/// SQLite's.
pub fn all(c: &Connection) -> Result<Vec<Trusted>> {
    let mut s =
        c.prepare_cached("SELECT name, pem, added, added_by FROM trusted_certificate ORDER BY name")?;
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Trusted {
            name: r.get(0)?,
            pem: r.get(1)?,
            added: Timestamp::from_millis(r.get(2)?),
            added_by: r.get(3)?,
        })
    };
    Ok(s.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
}

/// Adds one.
///
/// # Errors
/// SQLite's, or there is one of this name.
pub fn add(c: &Connection, t: &Trusted) -> Result<()> {
    c.execute(
        "INSERT INTO trusted_certificate VALUES (?1, ?2, ?3, ?4)",
        params![t.name, t.pem, t.added.millis(), t.added_by],
    )?;
    Ok(())
}

/// Removes one; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn remove(c: &Connection, name: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM trusted_certificate WHERE name = ?1", [name])? > 0)
}
