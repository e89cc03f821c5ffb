//! Announcements and planned maintenance.

use rusqlite::{Connection, params};
use shared::Timestamp;
use shared::api::AnnouncementView;

use super::Result;

/// All that have not ended, those that began or begin first before the others.
///
/// # Errors
/// SQLite's.
pub fn announcements(c: &Connection, now: Timestamp) -> Result<Vec<AnnouncementView>> {
    let mut s = c.prepare_cached(
        "SELECT id, kind, text, begins, ends, created_by FROM announcement WHERE ends IS NULL OR ends > ?1 ORDER BY begins, id",
    )?;
    let row = |r: &rusqlite::Row<'_>| {
        Ok(AnnouncementView {
            id: r.get(0)?,
            kind: r.get(1)?,
            text: r.get(2)?,
            begins: Timestamp::from_millis(r.get(3)?),
            ends: r.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
            created_by: r.get(5)?,
        })
    };
    Ok(s.query_map([now.millis()], row)?.collect::<rusqlite::Result<_>>()?)
}

/// Adds one; those that ended are forgotten, the audit has them.
///
/// # Errors
/// SQLite's.
pub fn add(c: &Connection, a: &AnnouncementView, now: Timestamp) -> Result<()> {
    c.execute("DELETE FROM announcement WHERE ends <= ?1", [now.millis()])?;
    c.execute(
        "INSERT INTO announcement VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![a.id, a.kind, a.text, a.begins.millis(), a.ends.map(Timestamp::millis), a.created_by],
    )?;
    Ok(())
}

/// Removes one; whether it was there.
///
/// # Errors
/// SQLite's.
pub fn remove(c: &Connection, id: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM announcement WHERE id = ?1", [id])? > 0)
}
