//! SQL of what only administrators do in an mgc: clearing, replacing, add-ins.

use async_trait::async_trait;
use node::administration::{Addin, Administration, Fate, Named, Retired, RoomQuery, Selection, Usage};
use node::traits::{Committed, Room, StoreError};
use rusqlite::{Connection, params};
use shared::Timestamp;

use super::database::Shared;
use super::queries::{self, note};
use super::{database_error as db, now, retired, search};

type Done<T> = Result<T, StoreError>;

/// The steps from each schema to the next, from schema 1 on.
pub const STEPS: [&str; 3] =
    [include_str!("migration_2.sql"), include_str!("migration_3.sql"), include_str!("migration_4.sql")];

/// Brings a database to the schema of this program, each step in one transaction.
pub fn migrate(c: &Connection) -> rusqlite::Result<()> {
    let version: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0))?;
    for (to, step) in (2..).zip(STEPS).filter(|(to, _)| *to > version) {
        c.execute_batch(&format!("BEGIN IMMEDIATE; {step} PRAGMA user_version = {to}; COMMIT;"))?;
    }
    Ok(())
}

/// Numbers of the selected messages, in order.
fn selected(c: &Connection, s: &Selection) -> Done<Vec<i64>> {
    let sql = "SELECT chat_id, text FROM message WHERE room = ?1 AND at BETWEEN ?2 AND ?3
               AND (?4 IS NULL OR author = ?4 COLLATE NOCASE) ORDER BY chat_id";
    let from = s.from.map_or(i64::MIN, Timestamp::millis);
    let until = s.until.map_or(i64::MAX, Timestamp::millis);
    let mut statement = c.prepare_cached(sql).map_err(db)?;
    let mut rows = statement.query(params![s.room, from, until, s.author]).map_err(db)?;
    let mut out = Vec::new();
    while let Some(r) = rows.next().map_err(db)? {
        let text = r.get_ref(1).map_err(db)?.as_str().unwrap_or_default();
        if s.matches(text) {
            out.push(r.get(0).map_err(db)?);
        }
    }
    Ok(out)
}

fn purge(
    c: &Connection,
    op_id: &str,
    s: &Selection,
    fate: &Fate,
    at: Timestamp,
) -> Done<(u64, Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok((0, Vec::new()));
    }
    let hit = selected(c, s)?;
    match fate {
        Fate::Removed => {
            let keep_number = "INSERT INTO last_number SELECT ?1, MAX(chat_id) FROM message WHERE room = ?1 HAVING MAX(chat_id) IS NOT NULL
                               ON CONFLICT (room) DO UPDATE SET chat_id = MAX(chat_id, excluded.chat_id)";
            c.execute(keep_number, [&s.room]).map_err(db)?;
            let mut one =
                c.prepare_cached("DELETE FROM message WHERE room = ?1 AND chat_id = ?2").map_err(db)?;
            for id in &hit {
                one.execute(params![s.room, id]).map_err(db)?;
            }
        }
        Fate::Replaced(text) => {
            // The formatted alternative carries the same words, so it goes.
            let sql = "UPDATE message SET text = ?3, rtf = NULL WHERE room = ?1 AND chat_id = ?2";
            let mut one = c.prepare_cached(sql).map_err(db)?;
            for id in &hit {
                one.execute(params![s.room, id, text]).map_err(db)?;
            }
        }
    }
    Ok((hit.len() as u64, Vec::new()))
}

fn content_bytes(c: &Connection, room: &str) -> Done<u64> {
    let sql = "SELECT COALESCE(SUM(LENGTH(CAST(text AS BLOB)) + COALESCE(LENGTH(CAST(rtf AS BLOB)), 0)), 0)
               FROM message WHERE room = ?1";
    c.query_row(sql, [room], |r| r.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(db)
}

fn addins(c: &Connection) -> Done<Vec<Addin>> {
    let mut s = c.prepare_cached("SELECT id, name, url FROM addin ORDER BY name").map_err(db)?;
    let row = |r: &rusqlite::Row<'_>| Ok(Addin { id: r.get(0)?, name: r.get(1)?, url: r.get(2)? });
    s.query_map([], row).map_err(db)?.collect::<rusqlite::Result<_>>().map_err(db)
}

fn save_addin(c: &Connection, op_id: &str, a: &Addin, at: Timestamp) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    a.check()?;
    let same = |o: &Addin| o.id != a.id && o.name.to_lowercase() == a.name.to_lowercase();
    if addins(c)?.iter().any(same) {
        let text = format!("An add-in {} exists already in this pool.", a.name);
        return Err(StoreError::invalid("Name", text));
    }
    let sql = "INSERT INTO addin VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET name = ?2, url = ?3";
    c.execute(sql, params![a.id, a.name, a.url]).map_err(db)?;
    Ok(((), Vec::new()))
}

fn delete_addin(c: &Connection, op_id: &str, id: &str, at: Timestamp) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    for r in queries::rooms(c)?.iter().filter(|r| r.addin.as_deref() == Some(id)) {
        let sql = "UPDATE room SET document = json_remove(document, '$.addin') WHERE id = ?1";
        c.execute(sql, [&r.id]).map_err(db)?;
    }
    c.execute("DELETE FROM addin WHERE id = ?1", [id]).map_err(db)?;
    Ok(((), Vec::new()))
}

#[async_trait]
impl Administration for Shared {
    async fn count(&self, s: Selection) -> Done<u64> {
        self.0.read(move |c| Ok(selected(c, &s)?.len() as u64)).await
    }
    async fn purge(&self, op_id: &str, s: Selection, fate: Fate) -> Done<u64> {
        let op_id = op_id.to_owned();
        self.0.write(move |c| purge(c, &op_id, &s, &fate, now())).await
    }
    async fn content_bytes(&self, room: &str) -> Done<u64> {
        let room = room.to_owned();
        self.0.read(move |c| content_bytes(c, &room)).await
    }
    async fn search(&self, query: RoomQuery) -> Done<(u64, Vec<Room>)> {
        self.0.read(move |c| search::search(c, &query)).await
    }
    async fn names(&self) -> Done<Vec<Named>> {
        self.0.read(search::names).await
    }
    async fn retire(&self, op_id: &str, id: &str, by: &str) -> Done<()> {
        let (op_id, id, by) = (op_id.to_owned(), id.to_owned(), by.to_owned());
        self.0.write(move |c| retired::retire(c, &op_id, &id, &by, now())).await
    }
    async fn retired(&self) -> Done<Vec<Retired>> {
        self.0.read(retired::retired).await
    }
    async fn restore(&self, op_id: &str, id: &str, name: &str) -> Done<()> {
        let (op_id, id, name) = (op_id.to_owned(), id.to_owned(), name.to_owned());
        let m = self.0.members();
        self.0.write(move |c| retired::restore(c, &op_id, &id, &name, &m, now())).await
    }
    async fn usage(&self, since: Timestamp) -> Done<Vec<Usage>> {
        self.0.read(move |c| retired::usage(c, since)).await
    }
    async fn addins(&self) -> Done<Vec<Addin>> {
        self.0.read(addins).await
    }
    async fn save_addin(&self, op_id: &str, addin: Addin) -> Done<()> {
        let op_id = op_id.to_owned();
        self.0.write(move |c| save_addin(c, &op_id, &addin, now())).await
    }
    async fn delete_addin(&self, op_id: &str, id: &str) -> Done<()> {
        let (op_id, id) = (op_id.to_owned(), id.to_owned());
        self.0.write(move |c| delete_addin(c, &op_id, &id, now())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::MgcDatabase;
    use node::administration::Matching;
    use node::traits::{Category, ChatStore, NewPost, Room};
    use std::sync::Arc;

    const PILAR: &str = "sip:pilar@contoso.com";

    async fn filled(dir: &std::path::Path) -> Done<(Arc<MgcDatabase>, Arc<dyn ChatStore>)> {
        MgcDatabase::create(dir)?;
        let mgc = MgcDatabase::open(dir, 1, None, None)?;
        let store = mgc.store();
        let c = Category {
            id: "c".into(),
            name: "c".into(),
            allowed: vec!["contoso.com".into()],
            ..Category::default()
        };
        store.create_category("1", c).await?;
        let r = Room { id: "r".into(), category_id: "c".into(), name: "r".into(), ..Room::default() };
        store.create_room("2", r).await?;
        for (i, text) in ["one", "the secret word", "three"].into_iter().enumerate() {
            post(&*store, PILAR, text, &i.to_string()).await?;
        }
        Ok((mgc, store))
    }

    async fn post(store: &dyn ChatStore, author: &str, text: &str, id: &str) -> Done<u64> {
        let p = NewPost {
            room: "r".into(),
            author: author.into(),
            text: text.into(),
            rtf: Some("{\\rtf1}".into()),
            client_id: id.into(),
            ..NewPost::default()
        };
        Ok(store.post(p).await?.chat_id)
    }

    fn whole() -> Selection {
        Selection { room: "r".into(), ..Selection::default() }
    }

    #[tokio::test]
    async fn replaced_messages_keep_their_place_and_removed_numbers_stay_used() -> Done<()> {
        let dir = tempfile::tempdir().map_err(|e| StoreError::Database(e.to_string()))?;
        let (mgc, store) = filled(dir.path()).await?;
        let secret = Selection {
            words: "SECRET word".into(),
            matching: Matching::All,
            author: Some("SIP:Pilar@contoso.com".into()),
            ..whole()
        };
        assert_eq!(store.count(secret.clone()).await?, 1);
        let replaced = Fate::Replaced("gone".into());
        assert_eq!(store.purge("op-1", secret.clone(), replaced.clone()).await?, 1);
        assert_eq!(store.purge("op-1", whole(), Fate::Removed).await?, 0, "an act is applied once");
        assert!(store.applied("op-1").await?);
        let list = store.history("r", 10).await?;
        assert_eq!((list[1].text.as_str(), list[1].rtf.as_ref(), list[1].chat_id), ("gone", None, 2));
        let earlier = Selection { until: Some(Timestamp::from_millis(1)), ..whole() };
        assert_eq!(store.count(earlier).await?, 0);
        assert_eq!(store.purge("op-2", whole(), Fate::Removed).await?, 3);
        assert_eq!(store.history("r", 10).await?, []);
        assert_eq!(store.content_bytes("r").await?, 0);
        assert_eq!(post(&*store, PILAR, "four", "4").await?, 4, "a removed number is not given again");
        mgc.close().await;
        Ok(())
    }

    #[tokio::test]
    async fn addins_are_unique_and_leave_their_rooms() -> Done<()> {
        let dir = tempfile::tempdir().map_err(|e| StoreError::Database(e.to_string()))?;
        let (mgc, store) = filled(dir.path()).await?;
        let addin =
            |id: &str, name: &str| Addin { id: id.into(), name: name.into(), url: "http://a/b".into() };
        store.save_addin("op-1", addin("a", "Ärzte")).await?;
        let clash = store.save_addin("op-2", addin("b", "ärzte")).await;
        assert!(matches!(clash, Err(StoreError::Invalid { field, .. }) if field == "Name"));
        let (mut room, _) = store.room("r").await?.unwrap_or_default();
        room.addin = Some("a".into());
        store.update_room("op-3", room).await?;
        store.delete_addin("op-4", "a").await?;
        assert_eq!(store.room("r").await?.and_then(|(r, _)| r.addin), None);
        assert_eq!(store.addins().await?, []);
        mgc.close().await;
        Ok(())
    }

    #[test]
    fn a_database_of_schema_1_is_brought_up() -> rusqlite::Result<()> {
        let c = Connection::open_in_memory()?;
        c.execute_batch(include_str!("schema.sql"))?;
        c.pragma_update(None, "user_version", 1)?;
        migrate(&c)?;
        migrate(&c)?;
        c.execute("INSERT INTO addin VALUES ('a', 'b', 'c')", [])?;
        c.execute("UPDATE room SET deleted_at = 1", [])?;
        c.pragma_query_value(None, "user_version", |r| r.get::<_, i64>(0)).map(|v| assert_eq!(v, 4))
    }
}
