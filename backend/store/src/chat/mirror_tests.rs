//! The mirror: at every moment it has what was acknowledged, or it is noted that it has not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use node::traits::{Category, NewPost, Room, StoreError};

use super::MgcDatabase;
use super::mirror::{MirrorState, MirrorTo, Witness, step_down, take_over};
use super::shipping::{ShipError, ShipTo, claim};

/// A witness that notes what it is told, unless it refuses.
#[derive(Default)]
pub(super) struct Note {
    pub(super) synchronized: AtomicBool,
    pub(super) refuses: AtomicBool,
}

impl Witness for Note {
    fn note(&self, synchronized: bool) -> Result<(), String> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err("no answer".to_owned());
        }
        self.synchronized.store(synchronized, Ordering::SeqCst);
        Ok(())
    }
}

struct Rig {
    dir: tempfile::TempDir,
    witness: Arc<Note>,
}

impl Rig {
    fn new() -> Self {
        let rig = Self { dir: tempfile::tempdir().unwrap(), witness: Arc::default() };
        MgcDatabase::create(&rig.at("a")).unwrap();
        std::fs::create_dir_all(rig.at("b")).unwrap();
        rig
    }
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn open(&self, principal: &str, mirror: &str, epoch: u64, ship: bool) -> Arc<MgcDatabase> {
        let patience = Duration::from_millis(300);
        let to = MirrorTo { dir: self.at(mirror), witness: self.witness.clone(), patience };
        let ship = ship.then(|| ShipTo { share: self.at("share"), id: "mgc".to_owned(), patience });
        MgcDatabase::open_mirrored(&self.at(principal), epoch, None, ship, Some(to)).unwrap()
    }
    fn noted(&self) -> bool {
        self.witness.synchronized.load(Ordering::SeqCst)
    }
    /// Messages of a copy of the folder as it is this very moment, after it took over.
    fn survives(&self, name: &str) -> u64 {
        let to = self.at("crash");
        let _ = std::fs::remove_dir_all(&to);
        std::fs::create_dir_all(&to).unwrap();
        // The log first: what is folded between the two copies must not be missing in both.
        for file in ["mgc.db-wal", "mgc.db", "mgc.mirror"] {
            let from = self.at(name).join(file);
            if from.exists() {
                std::fs::copy(from, to.join(file)).unwrap();
            }
        }
        take_over(&to, 9).unwrap();
        MgcDatabase::probe(&to).unwrap().messages
    }
}

async fn until(db: &MgcDatabase, wanted: &MirrorState) {
    let begun = Instant::now();
    while db.mirror().as_ref() != Some(wanted) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", db.mirror());
        let _ = db.ship().await;
        tokio::task::yield_now().await;
    }
}

async fn room(db: &MgcDatabase) {
    let store = db.store();
    let k = Category {
        id: "k".into(),
        name: "K".into(),
        allowed: vec!["contoso.com".into()],
        ..Category::default()
    };
    store.create_category("op-k", k).await.unwrap();
    let members = vec!["sip:a@contoso.com".into()];
    let r = Room { id: "r".into(), category_id: "k".into(), name: "R".into(), members, ..Room::default() };
    store.create_room("op-r", r).await.unwrap();
}

async fn post(db: &MgcDatabase, n: usize) -> Result<(), StoreError> {
    let p = NewPost {
        room: "r".into(),
        author: "sip:a@contoso.com".into(),
        author_display: "A".into(),
        text: "x".repeat(9_000),
        client_id: n.to_string(),
        ..NewPost::default()
    };
    db.store().post(p).await.map(drop)
}

fn break_off(dir: &Path) {
    std::fs::rename(dir, dir.with_extension("gone")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_post_is_on_the_mirror_at_once() {
    for ship in [false, true] {
        let rig = Rig::new();
        let db = rig.open("a", "b", 1, ship);
        room(&db).await;
        post(&db, 0).await.unwrap();
        assert!(!rig.noted(), "not before the copy is complete");
        until(&db, &MirrorState::Synchronized).await;
        assert!(rig.noted());
        for n in 1..60 {
            post(&db, n).await.unwrap();
            assert_eq!(rig.survives("b"), n as u64 + 1);
        }
        // Enough for the log to be folded on both sides.
        for n in 60..1_200 {
            post(&db, n).await.unwrap();
            if n % 100 == 0 {
                let _ = db.ship().await;
            }
        }
        for _ in 0..3 {
            let _ = db.ship().await;
        }
        let folded = std::fs::metadata(rig.at("b").join("mgc.db")).unwrap().len();
        assert!(folded > 4_000_000, "{folded}");
        assert_eq!(rig.survives("b"), 1_200);
        assert_eq!(db.mirror(), Some(MirrorState::Synchronized));
        db.close().await;
        assert_eq!(rig.survives("b"), 1_200, "closing ends nothing");
        assert!(MgcDatabase::open(&rig.at("b"), 1, None, None).is_err(), "nobody opens a mirror");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_share_the_mirrors_sync_and_none_is_missing() {
    let rig = Rig::new();
    let db = rig.open("a", "b", 1, false);
    room(&db).await;
    until(&db, &MirrorState::Synchronized).await;
    let mut all = tokio::task::JoinSet::new();
    for n in 0..200 {
        let db = db.clone();
        all.spawn(async move { post(&db, n).await.unwrap() });
    }
    all.join_all().await;
    assert_eq!(rig.survives("b"), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_is_lost_is_noted_first_and_copied_anew_later() {
    let rig = Rig::new();
    let db = rig.open("a", "b", 1, true);
    room(&db).await;
    until(&db, &MirrorState::Synchronized).await;
    break_off(&rig.at("b"));
    post(&db, 0).await.unwrap();
    assert!(matches!(db.mirror(), Some(MirrorState::Disconnected(_))));
    assert!(!rig.noted(), "noted before the post was acknowledged");
    post(&db, 1).await.unwrap();
    std::fs::rename(rig.at("b.gone"), rig.at("b")).unwrap();
    until(&db, &MirrorState::Synchronized).await;
    post(&db, 2).await.unwrap();
    assert_eq!(rig.survives("b"), 3);
    assert!(!rig.at("b").join("orphans").exists(), "a stale mirror is no orphan");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_when_neither_mirror_nor_witness_has_it() {
    let rig = Rig::new();
    let db = rig.open("a", "b", 1, false);
    room(&db).await;
    until(&db, &MirrorState::Synchronized).await;
    rig.witness.refuses.store(true, Ordering::SeqCst);
    post(&db, 0).await.unwrap();
    break_off(&rig.at("b"));
    assert!(post(&db, 1).await.is_err());
    assert!(post(&db, 2).await.is_err());
    rig.witness.refuses.store(false, Ordering::SeqCst);
    // The client sends it again, as it does after an error.
    post(&db, 1).await.unwrap();
    assert!(!rig.noted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_hangs_is_left_behind() {
    let rig = Rig::new();
    let db = rig.open("a", "b", 1, false);
    room(&db).await;
    until(&db, &MirrorState::Synchronized).await;
    let log = rig.at("b").join("mgc.db-wal");
    let _ = std::fs::remove_file(&log);
    assert!(std::process::Command::new("mkfifo").arg(&log).status().unwrap().success());
    let begun = Instant::now();
    post(&db, 0).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for n in 1..20 {
        post(&db, n).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let begun = Instant::now();
    db.close().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    drop(std::fs::OpenOptions::new().read(true).open(&log).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_while_the_log_is_folded_costs_no_mirror() {
    for ship in [false, true] {
        let rig = Rig::new();
        let db = rig.open("a", "b", 1, ship);
        room(&db).await;
        until(&db, &MirrorState::Synchronized).await;
        assert_eq!(db.ship().await.unwrap().is_some(), ship, "the whole copy is there");
        let reader = rusqlite::Connection::open(rig.at("a").join("mgc.db")).unwrap();
        let log = rig.at("a").join("mgc.db-wal");
        let salts = || std::fs::read(&log).unwrap()[16..24].to_vec();
        let mut n = 0;
        while std::fs::metadata(&log).unwrap().len() < 9_000_000 {
            post(&db, n).await.unwrap();
            n += 1;
        }
        reader.execute_batch("BEGIN; SELECT COUNT(*) FROM message").unwrap();
        db.ship().await.unwrap();
        db.ship().await.unwrap();
        let before = salts();
        reader.execute_batch("COMMIT").unwrap();
        for _ in 0..2 {
            post(&db, n).await.unwrap();
            n += 1;
            assert_eq!(db.mirror(), Some(MirrorState::Synchronized));
            assert_eq!(rig.survives("b"), n as u64);
        }
        assert_ne!(salts(), before, "begun anew");
        db.ship().await.unwrap();
        // Emptied now that nobody reads it.
        while std::fs::metadata(&log).unwrap().len() > 0 {
            post(&db, n).await.unwrap();
            n += 1;
            db.ship().await.unwrap();
        }
        assert!(rig.noted());
    }
}

fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What is there already is set aside just before the copy begins: from then on it hangs.
async fn hangs_now(rig: &Rig, db: &MgcDatabase) {
    let begun = Instant::now();
    while !rig.at("b").join("orphans/1/mgc.db").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", db.mirror());
        tokio::task::yield_now().await;
    }
}

async fn lost(db: &MgcDatabase) {
    let begun = Instant::now();
    while !matches!(db.mirror(), Some(MirrorState::Disconnected(_))) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", db.mirror());
        let _ = db.ship().await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_hangs_is_lost_and_shipping_goes_on_without_it() {
    let rig = Rig::new();
    // Opening a pipe for writing hangs until somebody reads it: a disk that does not answer.
    let hangs = rig.at("b").join("mgc.mirror.copy");
    pipe(&hangs);
    std::fs::write(rig.at("b").join("mgc.db"), "an older one").unwrap();
    let db = rig.open("a", "b", 1, true);
    room(&db).await;
    assert_eq!(
        db.ship().await,
        Ok(None),
        "nothing is folded meanwhile, so nothing is shipped, and it says so"
    );
    lost(&db).await;
    let first = db.ship().await.unwrap().unwrap();
    // It is asked nothing more while it hangs.
    for n in 0..20 {
        post(&db, n).await.unwrap();
        let next = db.ship().await.unwrap().unwrap();
        assert_eq!(next.seq, first.seq + n as u64 + 1);
        assert!(matches!(db.mirror(), Some(MirrorState::Disconnected(_))), "{:?}", db.mirror());
    }
    // A chain that needs no whole copy is gone on with during one of the mirror.
    db.close().await;
    let reader = std::fs::OpenOptions::new().read(true).open(&hangs).unwrap();
    let db = rig.open("a", "b", 1, true);
    db.ship().await.unwrap();
    post(&db, 20).await.unwrap();
    assert_eq!(db.ship().await.unwrap().unwrap().seq, first.seq + 21);
    std::fs::remove_file(&hangs).unwrap();
    drop(reader);
    until(&db, &MirrorState::Synchronized).await;
    post(&db, 21).await.unwrap();
    assert_eq!(rig.survives("b"), 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_heard_of_while_the_mirror_is_copied() {
    let rig = Rig::new();
    let hangs = rig.at("b").join("mgc.mirror.copy");
    pipe(&hangs);
    std::fs::write(rig.at("b").join("mgc.db"), "an older one").unwrap();
    let db = rig.open("a", "b", 1, true);
    room(&db).await;
    assert_eq!(db.ship().await, Ok(None));
    hangs_now(&rig, &db).await;
    claim(&rig.at("share"), 2, "mgc").unwrap();
    assert_eq!(db.ship().await, Err(ShipError::Fenced(2)));
    assert!(post(&db, 0).await.is_err());
    db.close().await;
    drop(std::fs::OpenOptions::new().read(true).open(&hangs).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_comes_back_late_replaces_nothing() {
    for closed in [false, true] {
        let rig = Rig::new();
        let hangs = rig.at("b").join("mgc.mirror.copy");
        pipe(&hangs);
        std::fs::write(rig.at("b").join("mgc.db"), "an older one").unwrap();
        let db = rig.open("a", "b", 1, false);
        let _ = db.ship().await;
        assert_eq!(db.mirror(), Some(MirrorState::Synchronizing));
        hangs_now(&rig, &db).await;
        if closed {
            db.close().await;
        } else {
            lost(&db).await;
        }
        // Somebody else is the principal there meanwhile.
        std::fs::write(rig.at("b").join("mgc.db"), "in use").unwrap();
        let mut reader = std::fs::OpenOptions::new().read(true).open(&hangs).unwrap();
        let late = std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
        assert_eq!(late, 0, "it was told that nobody waits any more");
        assert_eq!(std::fs::read_to_string(rig.at("b").join("mgc.db")).unwrap(), "in use");
        assert!(!rig.at("b").join("mgc.mirror").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_takes_over_and_the_old_principal_becomes_the_mirror() {
    let rig = Rig::new();
    let db = rig.open("a", "b", 1, true);
    room(&db).await;
    until(&db, &MirrorState::Synchronized).await;
    post(&db, 0).await.unwrap();
    db.close().await;
    take_over(&rig.at("b"), 2).unwrap();
    take_over(&rig.at("b"), 2).unwrap();
    step_down(&rig.at("a")).unwrap();
    let db = rig.open("b", "a", 2, true);
    post(&db, 1).await.unwrap();
    until(&db, &MirrorState::Synchronized).await;
    post(&db, 2).await.unwrap();
    assert_eq!(rig.survives("a"), 3);
    assert!(!rig.at("a").join("orphans").exists());
    db.close().await;
    // One that was in use and did not step down is kept: it may hold what nobody else has.
    super::mirror::forget(&rig.at("a")).unwrap();
    let db = rig.open("b", "a", 2, false);
    until(&db, &MirrorState::Synchronized).await;
    assert_eq!(MgcDatabase::probe(&rig.at("a").join("orphans/1")).unwrap().messages, 3);
}
