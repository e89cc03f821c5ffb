//! What a database says of itself, also one that is closed.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use shared::Timestamp;

use super::{FILE, MgcDatabase, RESTORING};
use crate::chat::mirror::{self};
use crate::chat::{APPLICATION_ID, SCHEMA, read_only, read_write};

/// What a database says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DbInfo {
    /// Fence: the higher one was opened last.
    pub epoch: u64,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Last write.
    pub last_write: Option<Timestamp>,
    /// Last copy from the other side.
    pub copied_at: Option<Timestamp>,
}

pub(in crate::chat) fn meta(c: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    c.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |r| r.get(0)).optional()
}

/// Writes a meta value.
pub fn set_meta(c: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")?
        .execute([key, value])?;
    Ok(())
}

/// The database's epoch.
pub fn epoch_of(c: &Connection) -> rusqlite::Result<u64> {
    Ok(meta(c, "epoch")?.and_then(|v| v.parse().ok()).unwrap_or(0))
}

fn instant(c: &Connection, key: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(meta(c, key)?.and_then(|v| v.parse().ok()).map(Timestamp::from_millis))
}

impl MgcDatabase {
    /// Whether a database lies in this folder, in use, restoring, a mirror, or damaged.
    pub fn lies_in(dir: &Path) -> bool {
        dir.join(FILE).exists() || mirror::is_mirror(dir)
    }

    /// Whether the database of this folder answers, and what it says of itself.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn probe(dir: &Path) -> Result<DbInfo, String> {
        let path = dir.join(FILE);
        if !dir.is_dir() {
            return Err(format!("the folder of the SQL instance, {}, is not there", dir.display()));
        }
        if !path.exists() {
            return Err("there is no database mgc on this instance yet".to_owned());
        }
        if dir.join("mgc.restoring").exists() {
            return Err(RESTORING.to_owned());
        }
        if mirror::is_mirror(dir) {
            return Err(mirror::MIRRORING.to_owned());
        }
        let c = whole(&path).map_err(|e| e.to_string())?;
        check(&c)?;
        info(&c, &path).map_err(|e| e.to_string())
    }

    /// The same for a database that is open here.
    ///
    /// # Errors
    /// Why it does not answer.
    pub fn probe_open(&self, dir: &Path) -> Result<DbInfo, String> {
        Self::probe(dir)
    }
}

/// A reading connection. What a kill left half written is taken back first: that takes a writing one.
fn whole(path: &Path) -> rusqlite::Result<Connection> {
    let look =
        |c: &Connection| c.pragma_query_value(None, "schema_version", |r| r.get::<_, i64>(0)).map(drop);
    let c = read_only(path)?;
    match look(&c) {
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly) => {
            look(&read_write(path, false)?)?;
            read_only(path)
        }
        r => r.map(|()| c),
    }
}

pub(super) fn check(c: &Connection) -> Result<(), String> {
    let id: i64 = c.pragma_query_value(None, "application_id", |r| r.get(0)).map_err(|e| e.to_string())?;
    let version: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(|e| e.to_string())?;
    if id != APPLICATION_ID {
        return Err("the file is not a chat database".to_owned());
    }
    if version > SCHEMA {
        return Err(format!(
            "the database was written by a newer program (schema {version}, this one knows {SCHEMA})"
        ));
    }
    Ok(())
}

fn info(c: &Connection, path: &Path) -> rusqlite::Result<DbInfo> {
    let messages: i64 = c.query_row("SELECT COUNT(*) FROM message", [], |r| r.get(0))?;
    Ok(DbInfo {
        epoch: epoch_of(c)?,
        size_bytes: std::fs::metadata(path).map(|m| m.len()).unwrap_or(0),
        messages: messages.unsigned_abs(),
        last_write: instant(c, "last_write")?,
        copied_at: instant(c, "copied_at")?,
    })
}
