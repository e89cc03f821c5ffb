//! Lists of rooms a part at a time: a pool may have tens of thousands.

use std::collections::HashMap;

use node::administration::{Named, RoomQuery};
use node::traits::{Room, StoreError};
use rusqlite::{Connection, params};

use super::database_error as db;

/// How many rooms match, and the part of them that was asked for, by name. Names and categories come from an
/// index; documents are read for the part alone.
pub fn search(c: &Connection, q: &RoomQuery) -> Result<(u64, Vec<Room>), StoreError> {
    let words: Vec<String> = q.words.iter().map(|w| w.to_lowercase()).collect();
    // Said plainly for each case, so that the index is used for what is asked.
    let wanted = match (&q.category, &q.name) {
        (None, None) => "WHERE deleted_at IS NULL AND ?1 IS NULL AND ?2 IS NULL",
        (Some(_), None) => "WHERE deleted_at IS NULL AND category = ?1 AND ?2 IS NULL",
        (None, Some(_)) => "WHERE deleted_at IS NULL AND ?1 IS NULL AND name = ?2",
        (Some(_), Some(_)) => "WHERE deleted_at IS NULL AND category = ?1 AND name = ?2",
    };
    if words.is_empty() {
        let of = params![q.category, q.name];
        let hits: i64 = prepared(c, &format!("SELECT COUNT(*) FROM room {wanted}"))?
            .query_row(of, |r| r.get(0))
            .map_err(db)?;
        let sql = format!(
            "SELECT document FROM room WHERE rowid IN (SELECT rowid FROM room {wanted} ORDER BY name LIMIT ?3 OFFSET ?4) ORDER BY name"
        );
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let mut s = prepared(c, &sql)?;
        let rows = s.query_map(params![q.category, q.name, number(q.limit), number(q.skip)], |r| {
            r.get::<_, String>(0)
        });
        let rooms = rows.map_err(db)?.map(|t| parse(&t.map_err(db)?)).collect::<Result<_, _>>()?;
        return Ok((hits.unsigned_abs(), rooms));
    }
    let categories = categories(c)?;
    let mut statement =
        prepared(c, &format!("SELECT rowid, name, category FROM room {wanted} ORDER BY name"))?;
    let mut rows = statement.query(params![q.category, q.name]).map_err(db)?;
    let (mut hits, mut part) = (0_u64, Vec::new());
    while let Some(r) = rows.next().map_err(db)? {
        let text = |i| r.get_ref(i).map(|v| v.as_str().unwrap_or_default()).map_err(db);
        // LIKE folds the case of ASCII only, so names are compared here.
        let (name, category) = (text(1)?.to_lowercase(), text(2)?);
        let category = categories.get(category).map_or("", String::as_str);
        if !words.iter().all(|w| name.contains(w.as_str()) || category.contains(w.as_str())) {
            continue;
        }
        if hits >= q.skip as u64 && part.len() < q.limit {
            part.push(r.get::<_, i64>(0).map_err(db)?);
        }
        hits += 1;
    }
    let mut document = prepared(c, "SELECT document FROM room WHERE rowid = ?1")?;
    let read = |id: i64| parse(&document.query_row([id], |r| r.get::<_, String>(0)).map_err(db)?);
    Ok((hits, part.into_iter().map(read).collect::<Result<_, _>>()?))
}

fn prepared<'a>(c: &'a Connection, sql: &str) -> Result<rusqlite::CachedStatement<'a>, StoreError> {
    c.prepare_cached(sql).map_err(db)
}

fn parse(text: &str) -> Result<Room, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Database(e.to_string()))
}

/// Names of all rooms and categories.
pub fn names(c: &Connection) -> Result<Vec<Named>, StoreError> {
    let sql =
        "SELECT id, name, 1 FROM category UNION ALL SELECT id, name, 0 FROM room WHERE deleted_at IS NULL";
    let mut statement = c.prepare_cached(sql).map_err(db)?;
    let rows = statement.query_map([], |r| Ok(Named { id: r.get(0)?, name: r.get(1)?, category: r.get(2)? }));
    rows.map_err(db)?.collect::<rusqlite::Result<_>>().map_err(db)
}

/// Names of categories in small letters, by id.
fn categories(c: &Connection) -> Result<HashMap<String, String>, StoreError> {
    let mut statement = c.prepare_cached("SELECT id, name FROM category").map_err(db)?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get::<_, String>(1)?.to_lowercase())));
    rows.map_err(db)?.collect::<rusqlite::Result<_>>().map_err(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Connection {
        let c = Connection::open_in_memory().unwrap();
        c.execute_batch(
            "CREATE TABLE category (id TEXT, name TEXT); CREATE TABLE room (id TEXT, category TEXT, name TEXT COLLATE NOCASE, document TEXT, deleted_at INTEGER);
             INSERT INTO category VALUES ('a', 'Ärzte'), ('b', 'Bank');",
        )
        .unwrap();
        for n in 0..250 {
            let category = if n % 10 == 0 { "a" } else { "b" };
            let room = Room { id: n.to_string(), name: format!("Room {n:03}"), ..Room::default() };
            let text = serde_json::to_string(&room).unwrap();
            c.execute(
                "INSERT INTO room VALUES (?1, ?2, ?3, ?4, NULL)",
                params![room.id, category, room.name, text],
            )
            .unwrap();
        }
        c
    }

    fn ask(words: &[&str], skip: usize, limit: usize) -> RoomQuery {
        RoomQuery {
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            skip,
            limit,
            ..RoomQuery::default()
        }
    }

    #[test]
    fn a_part_of_what_matches_and_how_many_match() {
        let c = filled();
        let names = |q: &RoomQuery| {
            search(&c, q).map(|(n, l)| (n, l.into_iter().map(|r| r.name).collect::<Vec<_>>()))
        };
        assert_eq!(names(&ask(&[], 248, 100)).unwrap(), (250, vec!["Room 248".into(), "Room 249".into()]));
        let (n, list) = names(&ask(&["ROOM", "ärz"], 0, 2)).unwrap();
        assert_eq!((n, list), (25, vec!["Room 000".to_owned(), "Room 010".to_owned()]));
        assert_eq!(names(&ask(&["nothing"], 0, 9)).unwrap(), (0, vec![]));
        let one = RoomQuery { name: Some("room 007".into()), limit: 1, ..RoomQuery::default() };
        assert_eq!(names(&one).unwrap(), (1, vec!["Room 007".to_owned()]));
        let category = RoomQuery { category: Some("a".into()), limit: 1, ..RoomQuery::default() };
        assert_eq!(names(&category).unwrap().0, 25);
    }
}
