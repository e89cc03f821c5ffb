//! Which posts mgccomp has queued, room by room.
//!
//! Chat servers hold events in memory for a moment. A kill loses those, but not the posts: they are in mgc. So
//! mgccomp notes the number of each post with its event, and when the database is opened again the posts that are
//! not noted are queued. Numbers mean something within one epoch of mgc and one queue only: another epoch, another
//! queue, or a time without compliance, begins anew with what is posted from then on.

use std::collections::HashMap;

use node::traits::ComplianceEvent;
use rusqlite::{Connection, OptionalExtension, params};

use super::database::{meta, set_meta};

/// In mgc, while its posts are recorded: the name of the queue.
const RECORDING: &str = "recording";

/// A post without a note: when, where, and its number.
pub(super) type Missed = (i64, String, u64);

pub(super) fn prepare(c: &Connection) -> rusqlite::Result<()> {
    c.execute_batch(
        "CREATE TABLE IF NOT EXISTS recording (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL,
           name TEXT NOT NULL DEFAULT (hex(randomblob(16)))) STRICT;
         CREATE TABLE IF NOT EXISTS recorded (room TEXT PRIMARY KEY, through INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS recorded_ahead (room TEXT NOT NULL, chat_id INTEGER NOT NULL,
           PRIMARY KEY (room, chat_id)) STRICT, WITHOUT ROWID;",
    )
}

/// The epoch whose numbers are noted; none where they are not.
pub(super) fn epoch(c: &Connection) -> rusqlite::Result<Option<i64>> {
    c.prepare_cached("SELECT epoch FROM recording")?.query_row([], |r| r.get(0)).optional()
}

fn name(c: &Connection) -> rusqlite::Result<Option<String>> {
    c.query_row("SELECT name FROM recording", [], |r| r.get(0)).optional()
}

/// From now on nothing is noted, until the database is opened again: a post came without its number.
pub(super) fn give_up(c: &Connection) -> rusqlite::Result<()> {
    c.execute("DELETE FROM recording", []).map(drop)
}

fn through(c: &Connection, room: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT through FROM recorded WHERE room = ?1";
    Ok(c.prepare_cached(sql)?.query_row([room], |r| r.get(0)).optional()?.unwrap_or(0))
}

fn set_through(c: &Connection, room: &str, n: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO recorded VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET through = ?2";
    c.prepare_cached(sql)?.execute(params![room, n]).map(drop)
}

fn ahead(c: &Connection, room: &str, n: i64) -> rusqlite::Result<bool> {
    c.prepare_cached("SELECT 1 FROM recorded_ahead WHERE room = ?1 AND chat_id = ?2")?
        .exists(params![room, n])
}

fn add_ahead(c: &Connection, room: &str, n: i64) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR IGNORE INTO recorded_ahead VALUES (?1, ?2)")?
        .execute(params![room, n])
        .map(drop)
}

fn drop_ahead(c: &Connection, room: &str, n: i64) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM recorded_ahead WHERE room = ?1 AND chat_id = ?2";
    Ok(c.prepare_cached(sql)?.execute(params![room, n])? > 0)
}

/// What a batch of events noted, so that it can be taken back.
#[derive(Default)]
pub(super) struct Notes {
    before: HashMap<String, i64>,
    new: Vec<(String, i64)>,
}

impl Notes {
    /// Notes a post; false when it was noted before, and its event is queued already.
    pub(super) fn note(&mut self, c: &Connection, room: &str, number: u64) -> rusqlite::Result<bool> {
        let n = number.cast_signed();
        let mut end = through(c, room)?;
        if n <= end || ahead(c, room, n)? {
            return Ok(false);
        }
        self.before.entry(room.to_owned()).or_insert(end);
        self.new.push((room.to_owned(), n));
        if n > end + 1 {
            add_ahead(c, room, n)?;
            return Ok(true);
        }
        end = n;
        while drop_ahead(c, room, end + 1)? {
            end += 1;
        }
        set_through(c, room, end)?;
        Ok(true)
    }

    /// Takes them back: their events are not queued after all.
    pub(super) fn undo(self, c: &Connection) -> rusqlite::Result<()> {
        for (room, old) in &self.before {
            for n in old + 1..=through(c, room)? {
                add_ahead(c, room, n)?;
            }
            set_through(c, room, *old)?;
        }
        for (room, n) in &self.new {
            drop_ahead(c, room, *n)?;
        }
        Ok(())
    }
}

/// Each room of mgc with the highest number it has given.
fn rooms(mgc: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let sql = "SELECT id, MAX(IFNULL((SELECT MAX(chat_id) FROM message WHERE room = id), 0),
                          IFNULL((SELECT chat_id FROM last_number WHERE room = id), 0)) FROM room";
    mgc.prepare(sql)?.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
}

/// The posts of `mgc` without a note, oldest first; none when notes begin with this opening.
pub(super) fn missed(c: &Connection, mgc: &Connection, of: i64) -> rusqlite::Result<Vec<Missed>> {
    if epoch(c)? != Some(of) || meta(mgc, RECORDING)? != name(c)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut later = mgc.prepare("SELECT at, chat_id FROM message WHERE room = ?1 AND chat_id > ?2")?;
    for (room, last) in rooms(mgc)? {
        let end = through(c, &room)?;
        if last <= end {
            continue;
        }
        for row in later.query_map(params![room, end], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?)))? {
            let (at, n) = row?;
            if !ahead(c, &room, n)? {
                found.push((at, room.clone(), n.cast_unsigned()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The event of a post, and when it was posted.
pub(super) fn event(mgc: &Connection, (at, room, n): &Missed) -> rusqlite::Result<(i64, ComplianceEvent)> {
    let sql = "SELECT author, text FROM message WHERE room = ?1 AND chat_id = ?2";
    let post = |r: &rusqlite::Row<'_>| {
        let (user, text) = (r.get(0)?, r.get(1)?);
        Ok(ComplianceEvent { kind: "CHAT", room: room.clone(), user, text, message: Some(*n) })
    };
    Ok((*at, mgc.prepare_cached(sql)?.query_row(params![room, n.cast_signed()], post)?))
}

/// All that `mgc` has is queued, or is none of this queue's: from here on each post is noted.
pub(super) fn begin(c: &mut Connection, mgc: &Connection, of: i64) -> rusqlite::Result<()> {
    let tx = c.transaction()?;
    tx.execute_batch("DELETE FROM recorded; DELETE FROM recorded_ahead;")?;
    for (room, last) in rooms(mgc)?.iter().filter(|(_, last)| *last > 0) {
        set_through(&tx, room, *last)?;
    }
    let sql = "INSERT INTO recording (id, epoch) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET epoch = ?1";
    tx.execute(sql, [of])?;
    let name = name(&tx)?;
    tx.commit()?;
    // After the notes: a kill between the two begins once more, and nobody has posted yet.
    match name {
        Some(name) if meta(mgc, RECORDING)?.as_ref() != Some(&name) => set_meta(mgc, RECORDING, &name),
        _ => Ok(()),
    }
}

/// `mgc` is used without compliance: what is posted now is not made up for later.
pub(super) fn pause(mgc: &Connection) -> rusqlite::Result<()> {
    if meta(mgc, RECORDING)?.is_some() {
        mgc.execute("DELETE FROM meta WHERE key = ?1", [RECORDING])?;
    }
    Ok(())
}
