//! Topology drafts: several, each with a name, begun from a version; and which revision changed which field.

use rusqlite::{Connection, OptionalExtension, params};
use shared::Timestamp;
use shared::topology::Topology;
use shared::topology::diff::diff;
use shared::topology::merge::key_of;

use super::Result;
use super::topology::{published, version};

/// The draft that is always there.
pub const MAIN: &str = "main";

/// A topology draft.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// The document.
    pub document: Topology,
    /// Version it was begun from.
    pub base: Option<u64>,
    /// Rises with every change.
    pub revision: u32,
    /// Who began it; empty for one that nobody did.
    pub author: String,
    /// When it was begun.
    pub created: Timestamp,
    /// Last change.
    pub updated: Timestamp,
}

/// Who changes a draft, and when.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Account.
    pub author: &'a str,
    /// Now.
    pub at: Timestamp,
}

type Row = (String, String, Option<i64>, u32, String, i64, i64);

const COLUMNS: &str = "SELECT name, document, base, revision, author, created, updated FROM named_draft";

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?))
}

fn to_draft(r: Row) -> Result<Draft> {
    Ok(Draft {
        name: r.0,
        document: serde_json::from_str(&r.1)?,
        base: r.2.map(i64::unsigned_abs),
        revision: r.3,
        author: r.4,
        created: Timestamp::from_millis(r.5),
        updated: Timestamp::from_millis(r.6),
    })
}

/// The draft main; a fresh one equals what is published.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn draft(c: &Connection) -> Result<Draft> {
    if let Some(d) = stored(c, MAIN)? {
        return Ok(d);
    }
    let v = published(c)?;
    let base = v.as_ref().map(|v| v.version);
    let document = v.map(|v| v.document).unwrap_or_default();
    Ok(Draft { name: MAIN.to_owned(), document, base, ..Draft::default() })
}

/// The draft of this name; main is always there.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn named(c: &Connection, name: &str) -> Result<Option<Draft>> {
    if name.eq_ignore_ascii_case(MAIN) { draft(c).map(Some) } else { stored(c, name) }
}

fn stored(c: &Connection, name: &str) -> Result<Option<Draft>> {
    let sql = format!("{COLUMNS} WHERE name = ?1");
    c.prepare_cached(&sql)?.query_row([name], row).optional()?.map(to_draft).transpose()
}

/// All drafts: main first, then by name.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn drafts(c: &Connection) -> Result<Vec<Draft>> {
    let mut s = c.prepare_cached(&format!("{COLUMNS} WHERE name <> 'main' ORDER BY name"))?;
    let rows = s.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut out = vec![draft(c)?];
    for r in rows {
        out.push(to_draft(r)?);
    }
    Ok(out)
}

fn write(c: &Connection, d: &Draft) -> Result<()> {
    c.execute(
        "INSERT INTO named_draft VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (name) DO UPDATE SET document = ?2, base = ?3, revision = ?4, updated = ?7",
        params![
            d.name,
            serde_json::to_string(&d.document)?,
            d.base.map(u64::cast_signed),
            d.revision,
            d.author,
            d.created.millis(),
            d.updated.millis()
        ],
    )?;
    Ok(())
}

/// Begins a draft; the caller has looked that there is none of this name.
///
/// # Errors
/// SQLite's.
pub fn add_draft(c: &Connection, name: &str, t: &Topology, base: Option<u64>, by: By<'_>) -> Result<()> {
    let d = Draft {
        name: name.to_owned(),
        document: t.clone(),
        base,
        revision: 1,
        author: by.author.to_owned(),
        created: by.at,
        updated: by.at,
    };
    write(c, &d)
}

/// Stores `old` with the document `t` and the next revision, which is returned; notes which fields changed.
///
/// # Errors
/// SQLite's.
pub fn save_draft(c: &Connection, old: Draft, t: &Topology, by: By<'_>) -> Result<u32> {
    let revision = old.revision + 1;
    let mut note = c.prepare_cached(
        "INSERT INTO draft_field VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (draft, place) DO UPDATE SET revision = ?3, author = ?4",
    )?;
    for change in diff(&old.document, t) {
        note.execute(params![old.name, key_of(&change), revision, by.author])?;
    }
    // A draft that nobody has begun is begun by its first change.
    let fresh = old.revision == 0;
    let d = Draft {
        document: t.clone(),
        revision,
        author: if fresh { by.author.to_owned() } else { old.author },
        created: if fresh { by.at } else { old.created },
        updated: by.at,
        ..old
    };
    write(c, &d)?;
    Ok(revision)
}

/// Sets a draft to `t`, begun from `base`; the revision still rises.
///
/// # Errors
/// SQLite's.
pub fn reset_draft(c: &Connection, old: Draft, t: &Topology, base: Option<u64>, by: By<'_>) -> Result<()> {
    save_draft(c, Draft { base, ..old }, t, by).map(drop)
}

/// Who changed this place of a draft after `revision`; none when nobody did.
///
/// # Errors
/// SQLite's.
pub fn changed_since(c: &Connection, draft: &str, place: &str, revision: u32) -> Result<Option<String>> {
    let sql = "SELECT author FROM draft_field WHERE draft = ?1 AND place = ?2 AND revision > ?3";
    Ok(c.prepare_cached(sql)?.query_row(params![draft, place, revision], |r| r.get(0)).optional()?)
}

/// Drops a draft, what is known of its fields, and the pools that are being defined in it.
///
/// # Errors
/// SQLite's.
pub fn remove_draft(c: &Connection, name: &str) -> Result<()> {
    c.execute("DELETE FROM named_draft WHERE name = ?1", [name])?;
    c.execute("DELETE FROM draft_field WHERE draft = ?1", [name])?;
    c.execute("DELETE FROM wizard_draft WHERE topology_draft = ?1 COLLATE NOCASE", [name])?;
    Ok(())
}

/// Gives a draft another name.
///
/// # Errors
/// SQLite's.
pub fn rename_draft(c: &Connection, name: &str, new: &str) -> Result<()> {
    c.execute("UPDATE named_draft SET name = ?2 WHERE name = ?1", [name, new])?;
    c.execute("UPDATE draft_field SET draft = ?2 WHERE draft = ?1", [name, new])?;
    c.execute(
        "UPDATE wizard_draft SET topology_draft = ?2 WHERE topology_draft = ?1 COLLATE NOCASE",
        [name, new],
    )?;
    Ok(())
}

/// After `v` was published from the draft `from` with the document `t`: that draft goes on from it, and so does
/// every draft that had no change of its own. Another one keeps its base, so that its changes are merged.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn follow(
    c: &Connection,
    from: &str,
    t: &Topology,
    v: u64,
    parent: Option<u64>,
    by: By<'_>,
) -> Result<()> {
    let before = parent.map(|n| version(c, n)).transpose()?.flatten().map(|v| v.document).unwrap_or_default();
    for d in drafts(c)? {
        if d.name.eq_ignore_ascii_case(from) {
            // What was edited while it was being published stays in it.
            let document = if d.document == before { t.clone() } else { d.document.clone() };
            reset_draft(c, d, &document, Some(v), by)?;
        } else if d.base == parent && d.document == before {
            reset_draft(c, d, t, Some(v), by)?;
        }
    }
    Ok(())
}
