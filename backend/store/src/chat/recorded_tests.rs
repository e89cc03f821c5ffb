//! A kill loses no post's compliance event and doubles none.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use node::traits::{Category, ChatStore, ComplianceEvent, NewPost, Room};
use rusqlite::Connection;

use super::recorded::{self, Notes};
use super::{ComplianceQueue, MgcDatabase, adapter};

const PILAR: &str = "sip:pilar@litwareinc.com";

struct Rig {
    dir: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        let rig = Self { dir: tempfile::tempdir().unwrap() };
        MgcDatabase::create(&rig.at("mgc")).unwrap();
        std::fs::create_dir_all(rig.at("comp")).unwrap();
        let db = rig.open(1, None);
        let allowed = vec!["litwareinc.com".into()];
        let c = Category { id: "c".into(), name: "Category".into(), allowed, ..Category::default() };
        db.store().create_category("1", c).await.unwrap();
        for (op, id) in [("2", "a"), ("3", "b")] {
            let (name, members) = (id.to_owned(), vec![PILAR.into()]);
            let room = Room { id: id.into(), name, category_id: "c".into(), members, ..Room::default() };
            db.store().create_room(op, room).await.unwrap();
        }
        db.close().await;
        rig
    }
    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }
    fn open(&self, epoch: u64, compliance: Option<&Path>) -> Arc<MgcDatabase> {
        MgcDatabase::open(&self.at("mgc"), epoch, compliance, None).unwrap()
    }
    fn recording(&self, epoch: u64) -> Arc<MgcDatabase> {
        self.open(epoch, Some(&self.at("comp")))
    }
    /// Texts that wait in the queue, in their order.
    fn queued(&self) -> Vec<String> {
        adapter::batch(&self.at("comp")).unwrap().into_iter().map(|e| e.text).collect()
    }
}

async fn post(s: &Arc<dyn ChatStore>, room: &str, text: &str) -> ComplianceEvent {
    let post = NewPost {
        room: room.into(),
        author: PILAR.into(),
        text: text.into(),
        client_id: text.into(),
        ..NewPost::default()
    };
    let m = s.post(post).await.unwrap();
    ComplianceEvent { kind: "CHAT", room: m.room, user: m.author, text: m.text, message: Some(m.chat_id) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_kept_from_being_queued_is_queued_once_at_the_next_opening() {
    let rig = Rig::new().await;
    let (db, mut events) = (rig.recording(1), Vec::new());
    for (room, text) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4"), ("a", "5")] {
        events.push(post(&db.store(), room, text).await);
    }
    // Written out of order; 1 and 4 never were.
    db.store().record_events(vec![events[4].clone(), events[1].clone()]).await.unwrap();
    db.store().record_events(vec![events[2].clone(), events[2].clone()]).await.unwrap();
    assert_eq!(rig.queued(), ["5", "2", "3"]);
    db.close().await;

    let again = rig.recording(1);
    assert_eq!(rig.queued(), ["5", "2", "3"], "the adapter's batch under way stays as it is");
    adapter::written(&rig.at("comp")).unwrap();
    assert_eq!(rig.queued(), ["1", "4"]);
    // What the first opening's servers still held comes late.
    db.store().record_events(events.clone()).await.unwrap();
    again.store().record_events(events).await.unwrap();
    adapter::written(&rig.at("comp")).unwrap();
    assert_eq!(rig.queued(), Vec::<String>::new());
    again.close().await;
    rig.recording(1).close().await;
    assert_eq!(rig.queued(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_of_another_side_or_of_a_time_without_compliance_are_not_made_up_for() {
    let rig = Rig::new().await;
    let db = rig.recording(1);
    db.close().await;
    let off = rig.open(1, None);
    post(&off.store(), "a", "unrecorded").await;
    off.close().await;
    let db = rig.recording(1);
    let late = post(&db.store(), "a", "held by a server").await;
    db.close().await;
    assert_eq!(rig.queued(), Vec::<String>::new());
    MgcDatabase::promote(&rig.at("mgc"), 2).unwrap();
    let other = rig.recording(2);
    assert_eq!(rig.queued(), Vec::<String>::new());
    // Handed to the store in use, or written by the old one: queued, whatever its number.
    db.store().record_events(vec![late.clone()]).await.unwrap();
    other.store().record_events(vec![ComplianceEvent { message: None, ..late }]).await.unwrap();
    assert_eq!(rig.queued(), ["held by a server"; 2]);
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_queue_has_is_not_queued_a_second_time() {
    let rig = Rig::new().await;
    rig.recording(1).close().await;
    std::fs::create_dir_all(rig.at("moved")).unwrap();
    let moved = rig.open(1, Some(&rig.at("moved")));
    let event = post(&moved.store(), "a", "recorded there").await;
    moved.store().record_events(vec![event]).await.unwrap();
    moved.close().await;
    rig.recording(1).close().await;
    assert_eq!(rig.queued(), Vec::<String>::new());
}

/// Notes against a plain set: out of order, taken back, repeated.
#[test]
fn notes_are_what_a_set_of_numbers_would_be() {
    let c = Connection::open_in_memory().unwrap();
    recorded::prepare(&c).unwrap();
    let (mut known, mut seed) = (BTreeSet::new(), 7_u64);
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for round in 0..400 {
        let (mut notes, mut batch) = (Notes::default(), BTreeSet::new());
        for _ in 0..=random(6) {
            let n = 1 + random(round / 2 + 8);
            let new = !known.contains(&n) && batch.insert(n);
            assert_eq!(notes.note(&c, "r", n).unwrap(), new, "{n} in round {round}");
        }
        if random(3) == 0 {
            notes.undo(&c).unwrap();
        } else {
            known.append(&mut batch);
        }
    }
    for n in 1..=300 {
        let mut notes = Notes::default();
        assert_eq!(notes.note(&c, "r", n).unwrap(), !known.contains(&n), "{n} at the end");
    }
}

/// A queue of the program before this one has no notes; they begin with the first opening.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_notes_gets_them() {
    let rig = Rig::new().await;
    let old = Connection::open(ComplianceQueue::path(&rig.at("comp"))).unwrap();
    old.execute_batch(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
           room TEXT NOT NULL, user TEXT NOT NULL, text TEXT NOT NULL) STRICT;
         INSERT INTO event (at, kind, room, user, text) VALUES (1, 'CHAT', 'a', 'u', 'before')",
    )
    .unwrap();
    drop(old);
    let off = rig.open(1, None);
    post(&off.store(), "a", "before").await;
    off.close().await;
    let db = rig.recording(1);
    post(&db.store(), "a", "lost in memory").await;
    db.close().await;
    rig.recording(1).close().await;
    assert_eq!(rig.queued(), ["before", "lost in memory"]);
}
