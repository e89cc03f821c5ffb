//! Published versions and wizard drafts; topology drafts stand in `drafts`.

pub use super::drafts::*;
use rusqlite::{Connection, OptionalExtension, params};
use shared::Timestamp;
use shared::topology::Topology;
use shared::topology::draft::PoolDraft;

use super::Result;

/// A published version.
#[derive(Debug, Clone)]
pub struct Version {
    /// Number, rising from 1.
    pub version: u64,
    /// The one it was made from.
    pub parent: Option<u64>,
    /// The document.
    pub document: Topology,
    /// Who published it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// When.
    pub at: Timestamp,
}

fn version_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Option<i64>, String, String, String, i64)> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
}

fn to_version(row: (i64, Option<i64>, String, String, String, i64)) -> Result<Version> {
    Ok(Version {
        version: row.0.unsigned_abs(),
        parent: row.1.map(i64::unsigned_abs),
        document: serde_json::from_str(&row.2)?,
        author: row.3,
        comment: row.4,
        at: Timestamp::from_millis(row.5),
    })
}

const VERSION_COLUMNS: &str = "SELECT version, parent, document, author, comment, at FROM topology_version";

/// The newest published version.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn published(c: &Connection) -> Result<Option<Version>> {
    let sql = format!("{VERSION_COLUMNS} ORDER BY version DESC LIMIT 1");
    c.query_row(&sql, [], version_row).optional()?.map(to_version).transpose()
}

/// Number of the newest published version.
///
/// # Errors
/// SQLite's.
pub fn newest(c: &Connection) -> Result<Option<u64>> {
    let mut s = c.prepare_cached("SELECT MAX(version) FROM topology_version")?;
    Ok(s.query_row([], |r| r.get::<_, Option<i64>>(0))?.map(i64::unsigned_abs))
}

/// One version.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn version(c: &Connection, version: u64) -> Result<Option<Version>> {
    let sql = format!("{VERSION_COLUMNS} WHERE version = ?1");
    c.query_row(&sql, [version.cast_signed()], version_row).optional()?.map(to_version).transpose()
}

/// All versions, newest first.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn versions(c: &Connection) -> Result<Vec<Version>> {
    let mut s = c.prepare(&format!("{VERSION_COLUMNS} ORDER BY version DESC"))?;
    let rows = s.query_map([], version_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter().map(to_version).collect()
}

/// Adds a version; the caller has compared `parent` with the newest (compare-and-set).
///
/// # Errors
/// SQLite's.
pub fn add_version(
    c: &Connection,
    t: &Topology,
    parent: Option<u64>,
    author: &str,
    comment: &str,
    at: Timestamp,
) -> Result<u64> {
    let version = parent.unwrap_or(0) + 1;
    c.execute(
        "INSERT INTO topology_version VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            version.cast_signed(),
            parent.map(u64::cast_signed),
            serde_json::to_string(t)?,
            author,
            comment,
            at.millis()
        ],
    )?;
    Ok(version)
}

/// A wizard's draft.
#[derive(Debug, Clone)]
pub struct Wizard {
    /// Id, also in the URL.
    pub id: String,
    /// Fields as typed.
    pub document: PoolDraft,
    /// Rises with every change.
    pub revision: u32,
    /// Who began it.
    pub author: String,
    /// Last change.
    pub updated: Timestamp,
    /// The topology draft that the pool will join.
    pub topology_draft: String,
}

type WizardRow = (String, String, u32, String, i64, String);

fn wizard_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<WizardRow> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
}

fn to_wizard(row: WizardRow) -> Result<Wizard> {
    Ok(Wizard {
        id: row.0,
        document: serde_json::from_str(&row.1)?,
        revision: row.2,
        author: row.3,
        updated: Timestamp::from_millis(row.4),
        topology_draft: row.5,
    })
}

/// One wizard draft.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn wizard(c: &Connection, id: &str) -> Result<Option<Wizard>> {
    c.query_row("SELECT * FROM wizard_draft WHERE id = ?1", [id], wizard_row)
        .optional()?
        .map(to_wizard)
        .transpose()
}

/// All wizard drafts, last changed first.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn wizards(c: &Connection) -> Result<Vec<Wizard>> {
    let mut s = c.prepare("SELECT * FROM wizard_draft ORDER BY updated DESC")?;
    let rows = s.query_map([], wizard_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter().map(to_wizard).collect()
}

/// Creates or overwrites a wizard draft.
///
/// # Errors
/// SQLite's.
pub fn save_wizard(c: &Connection, w: &Wizard) -> Result<()> {
    c.execute(
        "INSERT INTO wizard_draft VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET document = ?2, revision = ?3, updated = ?5",
        params![
            w.id,
            serde_json::to_string(&w.document)?,
            w.revision,
            w.author,
            w.updated.millis(),
            w.topology_draft
        ],
    )?;
    Ok(())
}

/// Deletes a wizard draft.
///
/// # Errors
/// SQLite's.
pub fn delete_wizard(c: &Connection, id: &str) -> Result<()> {
    c.execute("DELETE FROM wizard_draft WHERE id = ?1", [id])?;
    Ok(())
}
