//! SQL of the chat store.

use std::collections::HashMap;

use node::members::{Members, Who};
use node::rules;
use node::traits::{Category, Committed, NewPost, Privacy, Room, StoreError, StoredMessage};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use shared::Timestamp;

use super::database_error as db;

type Done<T> = Result<T, StoreError>;

fn parse<T: DeserializeOwned>(text: &str) -> Done<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Database(e.to_string()))
}

fn json<T: serde::Serialize>(v: &T) -> Done<String> {
    serde_json::to_string(v).map_err(|e| StoreError::Database(e.to_string()))
}

fn documents<T: DeserializeOwned>(c: &Connection, sql: &str) -> Done<Vec<T>> {
    let mut s = c.prepare_cached(sql).map_err(db)?;
    let rows = s
        .query_map([], |r| r.get::<_, String>(0))
        .map_err(db)?
        .collect::<rusqlite::Result<Vec<_>>>()
        .map_err(db)?;
    rows.iter().map(|t| parse(t)).collect()
}

pub fn categories(c: &Connection) -> Done<Vec<Category>> {
    documents(c, "SELECT document FROM category ORDER BY name")
}

pub fn rooms(c: &Connection) -> Done<Vec<Room>> {
    documents(c, "SELECT document FROM room WHERE deleted_at IS NULL ORDER BY name")
}

fn rooms_of(c: &Connection, category: &str) -> Done<Vec<Room>> {
    let mut s = c
        .prepare_cached("SELECT document FROM room WHERE category = ?1 AND deleted_at IS NULL")
        .map_err(db)?;
    let rows = s.query_map([category], |r| r.get::<_, String>(0)).map_err(db)?;
    rows.map(|t| parse(&t.map_err(db)?)).collect()
}

pub fn room(c: &Connection, id: &str) -> Done<Option<(Room, Category)>> {
    let sql = "SELECT r.document, c.document FROM room r JOIN category c ON c.id = r.category WHERE r.id = ?1 AND r.deleted_at IS NULL";
    let row: Option<(String, String)> = c
        .prepare_cached(sql)
        .map_err(db)?
        .query_row([id], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()
        .map_err(db)?;
    row.map(|(r, c)| Ok((parse(&r)?, parse(&c)?))).transpose()
}

pub fn find_rooms(c: &Connection, user: &Who, criteria: &str, limit: usize) -> Done<Vec<(Room, Category)>> {
    let wanted = criteria.trim().to_lowercase();
    let categories: HashMap<String, Category> =
        categories(c)?.into_iter().map(|k| (k.id.clone(), k)).collect();
    // LIKE folds the case of ASCII only: names are compared here, and a document is read on a hit alone.
    let mut s = c
        .prepare_cached("SELECT name, category, document FROM room WHERE deleted_at IS NULL ORDER BY name")
        .map_err(db)?;
    let mut rows = s.query([]).map_err(db)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(db)? {
        let name = row.get_ref(0).and_then(|v| Ok(v.as_str()?)).map_err(db)?;
        if !name.to_lowercase().contains(&wanted) {
            continue;
        }
        let Some(category) = categories.get(&row.get::<_, String>(1).map_err(db)?) else { continue };
        let room: Room = parse(&row.get::<_, String>(2).map_err(db)?)?;
        if rules::visible(category, &room, user) {
            found.push((room, category.clone()));
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

fn message(r: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        room: r.get(0)?,
        chat_id: r.get::<_, i64>(1)?.unsigned_abs(),
        at: Timestamp::from_millis(r.get(2)?),
        author: r.get(3)?,
        author_display: r.get(4)?,
        text: r.get(5)?,
        rtf: r.get(6)?,
    })
}

const MESSAGE: &str = "SELECT room, chat_id, at, author, author_display, text, rtf FROM message";

pub fn history(c: &Connection, room: &str, count: u32) -> Done<Vec<StoredMessage>> {
    let mut s =
        c.prepare_cached(&format!("{MESSAGE} WHERE room = ?1 ORDER BY chat_id DESC LIMIT ?2")).map_err(db)?;
    let rows = s.query_map(params![room, count], message).map_err(db)?;
    let mut list = rows.collect::<rusqlite::Result<Vec<_>>>().map_err(db)?;
    list.reverse();
    Ok(list)
}

pub fn after(c: &Connection, room: &str, chat_id: u64) -> Done<Vec<StoredMessage>> {
    let mut s = c
        .prepare_cached(&format!("{MESSAGE} WHERE room = ?1 AND chat_id > ?2 ORDER BY chat_id"))
        .map_err(db)?;
    let rows = s.query_map(params![room, chat_id.cast_signed()], message).map_err(db)?;
    rows.collect::<rusqlite::Result<_>>().map_err(db)
}

pub fn post(c: &Connection, p: &NewPost, who: &Who, at: Timestamp) -> Done<(StoredMessage, Vec<Committed>)> {
    let (r, category) =
        room(c, &p.room)?.ok_or_else(|| StoreError::NotFound("The room does not exist.".to_owned()))?;
    rules::may_post(&category, &r, who)?;
    let known = c
        .prepare_cached(&format!("{MESSAGE} WHERE author = ?1 AND client_id = ?2"))
        .map_err(db)?
        .query_row([&p.author, &p.client_id], message)
        .optional()
        .map_err(db)?;
    if let Some(m) = known {
        if (&m.room, &m.text, &m.rtf) != (&p.room, &p.text, &p.rtf) {
            return Err(StoreError::Conflict("Another post was sent under the same number.".to_owned()));
        }
        return Ok((m, Vec::new())); // the same post again: stored once, told once
    }
    let next: i64 = c
        .prepare_cached(
            // A number that was removed is not given again: servers tell by it what a client has seen.
            "SELECT COALESCE(MAX(n), 0) + 1 FROM (SELECT MAX(chat_id) AS n FROM message WHERE room = ?1
             UNION ALL SELECT chat_id FROM last_number WHERE room = ?1)",
        )
        .map_err(db)?
        .query_row([&p.room], |r| r.get(0))
        .map_err(db)?;
    c.prepare_cached("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        .map_err(db)?
        .execute(params![p.room, next, at.millis(), p.author, p.author_display, p.text, p.rtf, p.client_id])
        .map_err(db)?;
    super::database::set_meta(c, "last_write", &at.millis().to_string()).map_err(db)?;
    let m = StoredMessage {
        room: p.room.clone(),
        chat_id: next.unsigned_abs(),
        at,
        author: p.author.clone(),
        author_display: p.author_display.clone(),
        text: p.text.clone(),
        rtf: p.rtf.clone(),
    };
    Ok((m.clone(), vec![Committed::Message(m)]))
}

pub fn applied(c: &Connection, op_id: &str) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM applied_operation WHERE op_id = ?1)";
    c.query_row(sql, [op_id], |r| r.get(0)).map_err(db)
}

/// Notes the act; true when it was applied before and must not be again.
pub(super) fn note(c: &Connection, op_id: &str, at: Timestamp) -> Done<bool> {
    let n = c
        .execute("INSERT OR IGNORE INTO applied_operation VALUES (?1, ?2)", params![op_id, at.millis()])
        .map_err(db)?;
    super::database::set_meta(c, "last_write", &at.millis().to_string()).map_err(db)?;
    Ok(n == 0)
}

/// Names are unique over categories and rooms of a pool (V20).
fn free(c: &Connection, name: &str, own: &str) -> Done<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM category WHERE name = ?1 AND id <> ?2
               UNION SELECT 1 FROM room WHERE name = ?1 AND id <> ?2)";
    let taken: bool = c.query_row(sql, [name, own], |r| r.get(0)).map_err(db)?;
    if taken {
        return Err(StoreError::invalid(
            "Name",
            format!("A room or category {name} exists already in this pool."),
        ));
    }
    Ok(())
}

pub fn save_category(
    c: &Connection,
    op_id: &str,
    k: &Category,
    new: bool,
    members: &Members,
    at: Timestamp,
) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    let old = categories(c)?.into_iter().find(|o| !new && o.id == k.id);
    rules::check_category(k, old.as_ref(), members)?;
    free(c, &k.name, &k.id)?;
    // Without a change of who may be in it, its rooms need no look.
    if let Some(old) = old.as_ref().filter(|old| !rules::touched_by(old, k).is_empty()) {
        for r in &rooms_of(c, &k.id)? {
            rules::check_kept(old, k, r, members).map_err(|e| {
                StoreError::Conflict(format!("The room {} would break its lists: {e}", r.name))
            })?;
        }
    }
    c.execute(
        "INSERT INTO category VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = ?2, document = ?3",
        params![k.id, k.name, json(k)?],
    )
    .map_err(db)?;
    Ok(((), vec![Committed::RightsChanged]))
}

pub fn delete_category(c: &Connection, op_id: &str, id: &str, at: Timestamp) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    let used: bool = c
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM room WHERE category = ?1 AND deleted_at IS NULL)",
            [id],
            |r| r.get(0),
        )
        .map_err(db)?;
    if used {
        return Err(StoreError::Conflict(
            "The category has rooms; it is deleted when it is empty.".to_owned(),
        ));
    }
    c.execute("DELETE FROM room WHERE category = ?1", [id]).map_err(db)?;
    c.execute("DELETE FROM category WHERE id = ?1", [id]).map_err(db)?;
    Ok(((), Vec::new()))
}

pub fn save_room(
    c: &Connection,
    op_id: &str,
    r: &Room,
    members: &Members,
    at: Timestamp,
) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    let category = categories(c)?.into_iter().find(|k| k.id == r.category_id);
    let category = category.ok_or_else(|| StoreError::NotFound("The category does not exist.".to_owned()))?;
    let old = room(c, &r.id)?.map(|(old, _)| old);
    rules::check_change(&category, old.as_ref(), r, members)?;
    if r.privacy != Privacy::Open && r.members.is_empty() && old.is_some_and(|o| !o.members.is_empty()) {
        // No members means those of the category: taking the last one away would let everyone in.
        let text =
            "Without members everyone whom the category allows would enter; keep one, or make the room Open.";
        return Err(StoreError::invalid("Members", text));
    }
    free(c, &r.name, &r.id)?;
    c.execute(
        "INSERT INTO room (id, category, name, document) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET category = ?2, name = ?3, document = ?4",
        params![r.id, r.category_id, r.name, json(r)?],
    )
    .map_err(db)?;
    Ok(((), vec![Committed::RoomChanged(r.id.clone())]))
}

pub fn delete_room(c: &Connection, op_id: &str, id: &str, at: Timestamp) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    c.execute("DELETE FROM room WHERE id = ?1", [id]).map_err(db)?;
    Ok(((), vec![Committed::RoomChanged(id.to_owned())]))
}
