//! Rooms that were deleted and can still be restored, and how much rooms are used.

use node::administration::{Retired, Usage};
use node::members::Members;
use node::traits::{Committed, Room, StoreError};
use rusqlite::{Connection, params};
use shared::Timestamp;

use super::database_error as db;
use super::queries::{self, note};

type Done<T> = Result<T, StoreError>;

/// Deletes a room so that it can be restored: nobody finds it, its name is free.
pub fn retire(c: &Connection, op_id: &str, id: &str, by: &str, at: Timestamp) -> Done<((), Vec<Committed>)> {
    if note(c, op_id, at)? {
        return Ok(((), Vec::new()));
    }
    // No room can be called so: control characters are refused in names.
    let sql = "UPDATE room SET name = id || char(31), deleted_at = ?2, deleted_by = ?3
               WHERE id = ?1 AND deleted_at IS NULL";
    if c.execute(sql, params![id, at.millis(), by]).map_err(db)? == 0 {
        return Err(StoreError::NotFound("The room is not there.".to_owned()));
    }
    Ok(((), vec![Committed::RoomChanged(id.to_owned())]))
}

/// Restores a room under a name, as it was: rights, messages, add-in.
pub fn restore(
    c: &Connection,
    op_id: &str,
    id: &str,
    name: &str,
    members: &Members,
    at: Timestamp,
) -> Done<((), Vec<Committed>)> {
    if queries::applied(c, op_id)? {
        return Ok(((), Vec::new()));
    }
    let found = retired(c)?.into_iter().find(|r| r.room.id == id);
    let found = found.ok_or_else(|| StoreError::NotFound("There is no such deleted room.".to_owned()))?;
    c.execute("UPDATE room SET deleted_at = NULL, deleted_by = NULL WHERE id = ?1", [id]).map_err(db)?;
    queries::save_room(c, op_id, &Room { name: name.to_owned(), ..found.room }, members, at)
}

/// Deleted rooms, the newest first.
pub fn retired(c: &Connection) -> Done<Vec<Retired>> {
    let sql = "SELECT document, deleted_at, deleted_by, (SELECT COUNT(*) FROM message WHERE room = id)
               FROM room WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id";
    let mut s = c.prepare_cached(sql).map_err(db)?;
    let rows = s.query_map([], |r| {
        Ok((r.get::<_, String>(0)?, r.get(1)?, r.get::<_, Option<String>>(2)?, r.get::<_, i64>(3)?))
    });
    let rows = rows.map_err(db)?.collect::<rusqlite::Result<Vec<_>>>().map_err(db)?;
    rows.into_iter()
        .map(|(document, at, by, messages)| {
            Ok(Retired {
                room: serde_json::from_str(&document).map_err(|e| StoreError::Database(e.to_string()))?,
                at: Timestamp::from_millis(at),
                by: by.unwrap_or_default(),
                messages: messages.unsigned_abs(),
            })
        })
        .collect()
}

/// Messages, bytes, last post and people who posted since `since`, of each room by its id.
pub fn usage(c: &Connection, since: Timestamp) -> Done<Vec<Usage>> {
    let sql = "SELECT room, COUNT(*), MAX(at), SUM(LENGTH(CAST(text AS BLOB)) + COALESCE(LENGTH(CAST(rtf AS BLOB)), 0)),
                 COUNT(DISTINCT CASE WHEN at >= ?1 THEN author END)
               FROM message GROUP BY room";
    let mut s = c.prepare_cached(sql).map_err(db)?;
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Usage {
            room: r.get(0)?,
            messages: r.get::<_, i64>(1)?.unsigned_abs(),
            last: r.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
            bytes: r.get::<_, i64>(3)?.unsigned_abs(),
            people: r.get::<_, i64>(4)?.unsigned_abs(),
        })
    };
    s.query_map([since.millis()], row).map_err(db)?.collect::<rusqlite::Result<_>>().map_err(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::MgcDatabase;
    use node::administration::RoomQuery;
    use node::traits::{Category, NewPost};

    const PILAR: &str = "sip:pilar@contoso.com";

    #[tokio::test]
    async fn a_deleted_room_is_nowhere_until_it_is_restored_as_it_was() -> Done<()> {
        let dir = tempfile::tempdir().map_err(|e| StoreError::Database(e.to_string()))?;
        MgcDatabase::create(dir.path())?;
        let mgc = MgcDatabase::open(dir.path(), 1, None, None)?;
        let store = mgc.store();
        let allowed = vec!["contoso.com".to_owned()];
        let c = Category { id: "c".into(), name: "c".into(), allowed, ..Category::default() };
        store.create_category("1", c).await?;
        let r = Room {
            id: "r".into(),
            category_id: "c".into(),
            name: "Lobby".into(),
            members: vec![PILAR.into()],
            ..Room::default()
        };
        store.create_room("2", r.clone()).await?;
        let post = |id: &str| NewPost {
            room: "r".into(),
            author: PILAR.into(),
            text: "hello".into(),
            client_id: id.into(),
            ..NewPost::default()
        };
        store.post(post("a")).await?;
        let [used] = &*store.usage(Timestamp::from_millis(0)).await? else { panic!("one room") };
        assert_eq!((used.messages, used.bytes, used.people), (1, 5, 1));
        store.retire("3", "r", "root").await?;
        store.retire("3", "r", "root").await?;
        assert!(store.retire("4", "r", "root").await.is_err(), "it is deleted already");
        assert_eq!(store.room("r").await?, None);
        assert!(store.rooms().await?.is_empty() && store.find_rooms(PILAR, "", 9).await?.is_empty());
        assert_eq!(store.search(RoomQuery { limit: 9, ..RoomQuery::default() }).await?.0, 0);
        assert!(store.post(post("b")).await.is_err());
        let [gone] = &*store.retired().await? else { panic!("one deleted room") };
        assert_eq!((gone.by.as_str(), gone.messages, &gone.room), ("root", 1, &r));
        // The name is free meanwhile; then the deleted one needs another.
        store.create_room("6", Room { id: "s".into(), ..r.clone() }).await?;
        assert!(store.restore("7", "r", "lobby").await.is_err());
        assert_eq!(store.retired().await?.len(), 1, "a restore that is refused leaves it deleted");
        store.restore("8", "r", "Lobby 2").await?;
        let (back, _) = store.room("r").await?.unwrap_or_default();
        assert_eq!(back, Room { name: "Lobby 2".into(), ..r });
        assert_eq!(store.history("r", 9).await?.len(), 1);
        store.retire("9", "r", "root").await?;
        store.delete_room("10", "r").await?;
        assert!(store.retired().await?.is_empty());
        store.retire("11", "s", "root").await?;
        store.delete_category("12", "c").await?;
        assert!(store.retired().await?.is_empty(), "a category takes its deleted rooms along");
        mgc.close().await;
        Ok(())
    }
}
