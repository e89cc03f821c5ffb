//! Nodes: processes on other machines that run servers.

use rusqlite::{Connection, OptionalExtension, params};
use shared::Timestamp;

use super::Result;

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Added when.
    pub created: Timestamp,
    /// Until when its token may be used; none when it was used.
    pub token_until: Option<Timestamp>,
    /// SHA-256 of its public key, in hexadecimal; none until it has joined.
    pub key_hash: Option<String>,
    /// Joined when.
    pub joined: Option<Timestamp>,
    /// Last known to be connected.
    pub seen: Option<Timestamp>,
    /// The address its servers listen on.
    pub address: Option<String>,
    /// Name and version of its program.
    pub product: Option<String>,
}

const COLUMNS: &str = "SELECT name, created, token_until, key_hash, joined, seen, address, product FROM node";

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Node> {
    let time = |n: Option<i64>| n.map(Timestamp::from_millis);
    Ok(Node {
        name: r.get(0)?,
        created: Timestamp::from_millis(r.get(1)?),
        token_until: time(r.get(2)?),
        key_hash: r.get(3)?,
        joined: time(r.get(4)?),
        seen: time(r.get(5)?),
        address: r.get(6)?,
        product: r.get(7)?,
    })
}

/// All nodes by name.
///
/// # Errors
/// SQLite's.
pub fn nodes(c: &Connection) -> Result<Vec<Node>> {
    let mut s = c.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    Ok(s.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
}

/// The node of this name.
///
/// # Errors
/// SQLite's.
pub fn node(c: &Connection, name: &str) -> Result<Option<Node>> {
    Ok(c.query_row(&format!("{COLUMNS} WHERE name = ?1"), [name], row).optional()?)
}

/// Adds a node that may join with this token.
///
/// # Errors
/// SQLite's; the name is taken.
pub fn add(c: &Connection, name: &str, token_hash: &str, until: Timestamp, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO node (name, created, token_hash, token_until) VALUES (?1, ?2, ?3, ?4)",
        params![name, at.millis(), token_hash, until.millis()],
    )?;
    Ok(())
}

/// Uses a token up: the name of its node, which has this key from now on. None when it is unknown, was used
/// or is too old.
///
/// # Errors
/// SQLite's.
pub fn join(
    c: &Connection,
    token_hash: &str,
    key_hash: &str,
    address: &str,
    at: Timestamp,
) -> Result<Option<String>> {
    let sql = "UPDATE node SET token_hash = NULL, token_until = NULL, key_hash = ?2, joined = ?3, seen = ?3, address = ?4
               WHERE token_hash = ?1 AND token_until > ?3 RETURNING name";
    Ok(c.query_row(sql, params![token_hash, key_hash, at.millis(), address], |r| r.get(0)).optional()?)
}

/// Notes that a node is or was connected; whether its address is another one now.
///
/// # Errors
/// SQLite's.
pub fn seen(c: &Connection, name: &str, address: &str, product: &str, at: Timestamp) -> Result<bool> {
    let before = node(c, name)?.and_then(|n| n.address);
    c.execute(
        "UPDATE node SET seen = ?2, address = ?3, product = ?4 WHERE name = ?1",
        params![name, at.millis(), address, product],
    )?;
    Ok(before.as_deref() != Some(address))
}

/// Notes when a node was last there.
///
/// # Errors
/// SQLite's.
pub fn lost(c: &Connection, name: &str, at: Timestamp) -> Result<()> {
    c.execute("UPDATE node SET seen = ?2 WHERE name = ?1", params![name, at.millis()])?;
    Ok(())
}

/// Forgets a node.
///
/// # Errors
/// SQLite's.
pub fn remove(c: &Connection, name: &str) -> Result<()> {
    c.execute("DELETE FROM node WHERE name = ?1", [name])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Management, StoreError};
    use super::*;

    #[test]
    fn a_token_is_good_once_and_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = Management::open(&dir.path().join("management.db")).unwrap();
        let t = Timestamp::from_millis;
        let joins = |token: &str, at| {
            store
                .write(|tx| join(tx, token, "key", "127.0.0.1", t(at)))
                .map_err(|e: StoreError| e.to_string())
        };
        store.write(|tx| add(tx, "one", "h1", t(100), t(0))).map_err(|e: StoreError| e.to_string()).unwrap();
        assert_eq!(joins("h2", 50), Ok(None));
        assert_eq!(joins("h1", 100), Ok(None), "too late");
        assert_eq!(joins("h1", 99), Ok(Some("one".to_owned())));
        assert_eq!(joins("h1", 99), Ok(None), "used");
        let n = store.read(|c| node(c, "one")).map_err(|e: StoreError| e.to_string()).unwrap().unwrap();
        assert_eq!((n.key_hash.as_deref(), n.joined), (Some("key"), Some(t(99))));
        assert!(
            store
                .write(|tx| seen(tx, "one", "127.0.0.2", "p", t(200)))
                .map_err(|e: StoreError| e.to_string())
                .unwrap()
        );
    }
}
