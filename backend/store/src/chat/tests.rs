//! Rules that the chat store keeps within its transactions.

use std::sync::Arc;

use node::traits::{Category, ChatStore, NewPost, Privacy, Room, StoreError};

use super::MgcDatabase;

const PILAR: &str = "sip:pilar@litwareinc.com";

fn room(id: &str, name: &str) -> Room {
    Room {
        id: id.into(),
        name: name.into(),
        category_id: "c".into(),
        members: vec![PILAR.into()],
        ..Room::default()
    }
}

/// A store with one category and the rooms a and b.
async fn store(dir: &std::path::Path) -> (Arc<MgcDatabase>, Arc<dyn ChatStore>) {
    MgcDatabase::create(dir).unwrap();
    let db = MgcDatabase::open(dir, 1, None, None).unwrap();
    let s = db.store();
    let c = Category {
        id: "c".into(),
        name: "Category".into(),
        allowed: vec!["litwareinc.com".into()],
        ..Category::default()
    };
    s.create_category("1", c).await.unwrap();
    s.create_room("2", room("a", "Ärzte")).await.unwrap();
    s.create_room("3", room("b", "Bakers")).await.unwrap();
    (db, s)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_post_is_the_same_only_with_the_same_room_and_text() {
    let dir = tempfile::tempdir().unwrap();
    let (db, s) = store(dir.path()).await;
    let post = NewPost {
        room: "a".into(),
        author: PILAR.into(),
        text: "hello".into(),
        client_id: "d/1/0".into(),
        ..NewPost::default()
    };
    let first = s.post(post.clone()).await.unwrap();
    assert_eq!(s.post(post.clone()).await.unwrap(), first);
    for other in
        [NewPost { room: "b".into(), ..post.clone() }, NewPost { text: "bye".into(), ..post.clone() }]
    {
        assert!(matches!(s.post(other).await, Err(StoreError::Conflict(_))));
    }
    assert!(s.post(NewPost { client_id: "d/1/1".into(), ..post }).await.unwrap().chat_id > first.chat_id);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_member_keeps_a_closed_room_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (db, s) = store(dir.path()).await;
    let bare = Room { members: Vec::new(), ..room("a", "Ärzte") };
    assert!(
        matches!(s.update_room("4", bare.clone()).await, Err(StoreError::Invalid { field, .. }) if field == "Members")
    );
    assert_eq!(s.room("a").await.unwrap().unwrap().0.members.len(), 1);
    s.update_room("5", Room { privacy: Privacy::Open, ..bare }).await.unwrap();
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ignores_case_and_ends_at_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (db, s) = store(dir.path()).await;
    let names = async |criteria: &str, limit| -> Vec<String> {
        s.find_rooms(PILAR, criteria, limit).await.unwrap().into_iter().map(|(r, _)| r.name).collect()
    };
    assert_eq!(names("äRZ", 10).await, ["Ärzte"]);
    assert_eq!(names("", 10).await.len(), 2);
    assert_eq!(names("", 1).await, ["Bakers"]);
    db.close().await;
}

/// A kill in the middle of the first transaction, before the log exists, leaves a journal to be taken back.
#[test]
fn what_a_kill_left_half_written_is_taken_back_when_it_is_looked_at() {
    let (dir, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    MgcDatabase::create(dir.path()).unwrap();
    let before = MgcDatabase::probe(dir.path()).unwrap();
    let c = rusqlite::Connection::open(dir.path().join("mgc.db")).unwrap();
    c.pragma_update(None, "journal_mode", "DELETE").unwrap();
    c.execute_batch(
        "BEGIN IMMEDIATE; CREATE TABLE half (x BLOB); INSERT INTO half VALUES (zeroblob(8000000))",
    )
    .unwrap();
    c.cache_flush().unwrap();
    for name in ["mgc.db", "mgc.db-journal"] {
        std::fs::copy(dir.path().join(name), cut.path().join(name)).unwrap();
    }
    drop(c);
    let after = MgcDatabase::probe(cut.path()).unwrap();
    assert_eq!((after.epoch, after.messages), (before.epoch, before.messages));
    let c = rusqlite::Connection::open(cut.path().join("mgc.db")).unwrap();
    let half =
        c.query_row("SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'", [], |r| r.get::<_, i64>(0));
    assert_eq!(half.unwrap(), 0, "half a transaction stands");
}
