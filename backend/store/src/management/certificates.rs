//! Certificates of Front End pools that administrators set for clients.

use rusqlite::{Connection, params};
use shared::Timestamp;

use super::Result;

/// One of them.
#[derive(Debug, Clone)]
pub struct OwnCertificate {
    /// The Front End pool.
    pub pool: String,
    /// The certificate and those that signed it, PEM.
    pub chain: String,
    /// The private key (PEM), sealed with the key file.
    pub key: Vec<u8>,
}

/// All of them, by the pool's name.
///
/// # Errors
/// SQLite's.
pub fn own_certificates(c: &Connection) -> Result<Vec<OwnCertificate>> {
    let mut s = c.prepare_cached("SELECT pool, chain, private_key FROM own_certificate ORDER BY pool")?;
    let row =
        |r: &rusqlite::Row<'_>| Ok(OwnCertificate { pool: r.get(0)?, chain: r.get(1)?, key: r.get(2)? });
    Ok(s.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
}

/// Sets the certificate of a pool; an earlier one is replaced.
///
/// # Errors
/// SQLite's.
pub fn set_own_certificate(c: &Connection, o: &OwnCertificate, by: &str, now: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO own_certificate VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (pool) DO UPDATE SET chain = ?2, private_key = ?3, set_at = ?4, set_by = ?5",
        params![o.pool, o.chain, o.key, now.millis(), by],
    )?;
    Ok(())
}

/// Removes the certificate of a pool; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn remove_own_certificate(c: &Connection, pool: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM own_certificate WHERE pool = ?1", [pool])? > 0)
}
