//! Shares that hang, are full, are gone or cannot be written: posts go on, closing does not wait, and what
//! was committed meanwhile arrives once the share is well again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::traits::{Category, NewPost, Privacy, Room};

use super::*;
use crate::chat::MgcDatabase;

const QUICK: Duration = Duration::from_millis(400);

struct Rig {
    dir: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("backup")).unwrap();
        MgcDatabase::create(&dir.path().join("primary")).unwrap();
        Self { dir }
    }
    fn primary(&self) -> PathBuf {
        self.dir.path().join("primary")
    }
    fn share(&self) -> PathBuf {
        self.dir.path().join("share")
    }
    fn open(&self) -> Arc<MgcDatabase> {
        let to = ShipTo { share: self.share(), id: "mgc".to_owned(), patience: QUICK };
        MgcDatabase::open(&self.primary(), 1, None, Some(to)).unwrap()
    }
    /// The name under which this opening writes segment `seq` first.
    fn temporary(&self, db: &MgcDatabase, seq: u64) -> PathBuf {
        self.share().join(format!("{}.{}.tmp", name(1, seq), db.store().generation()))
    }
    /// Messages that arrive on the other side.
    fn arrived(&self) -> u64 {
        let other = self.dir.path().join("backup");
        let s = Secondary::new(&other, "mgc");
        s.copy(&self.share(), 1).unwrap();
        s.apply(1).unwrap();
        s.online().unwrap();
        let n = MgcDatabase::probe(&other).unwrap().messages;
        std::fs::remove_dir_all(&other).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        n
    }
}

async fn room(db: &MgcDatabase) {
    let store = db.store();
    let k = Category {
        id: "k".to_owned(),
        name: "K".to_owned(),
        allowed: vec!["contoso.com".to_owned()],
        ..Category::default()
    };
    store.create_category("op-k", k).await.unwrap();
    let r = Room {
        id: "r".to_owned(),
        category_id: "k".to_owned(),
        name: "R".to_owned(),
        privacy: Privacy::Open,
        members: vec!["sip:a@contoso.com".to_owned()],
        ..Room::default()
    };
    store.create_room("op-r", r).await.unwrap();
}

async fn post(db: &MgcDatabase, n: u32) -> Duration {
    let begun = Instant::now();
    let p = NewPost {
        room: "r".to_owned(),
        author: "sip:a@contoso.com".to_owned(),
        author_display: "A".to_owned(),
        text: format!("message {n}"),
        rtf: None,
        client_id: n.to_string(),
    };
    db.store().post(p).await.unwrap();
    begun.elapsed()
}

fn fifo(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_and_closing_do_not_wait_for_a_share_that_hangs() {
    let rig = Rig::new();
    let db = rig.open();
    room(&db).await;
    db.ship().await.unwrap().unwrap();
    // Opening a pipe for writing hangs until somebody reads it: a share that does not answer.
    let pipe = rig.temporary(&db, 1);
    fifo(&pipe);
    post(&db, 1).await;
    assert!(matches!(db.ship().await, Err(ShipError::Silent(_))));
    let mut slowest = Duration::ZERO;
    for n in 2..50 {
        slowest = slowest.max(post(&db, n).await);
        let begun = Instant::now();
        assert!(matches!(db.ship().await, Err(ShipError::Silent(_))), "known to hang, not waited for");
        assert!(begun.elapsed() < QUICK);
    }
    assert!(slowest < QUICK, "{slowest:?}");
    let begun = Instant::now();
    db.close().await;
    assert!(begun.elapsed() < QUICK * 3, "{:?}", begun.elapsed());
    // The next opening goes on from the log, although the old thread still hangs.
    let again = rig.open();
    again.ship().await.unwrap().unwrap();
    post(&again, 50).await;
    again.ship().await.unwrap().unwrap();
    let before = list(&rig.share()).unwrap().len();
    // It wakes up: what it was about to write is taken and comes to nothing.
    drop(std::fs::OpenOptions::new().read(true).open(&pipe).unwrap());
    post(&again, 51).await;
    again.ship().await.unwrap().unwrap();
    assert_eq!(list(&rig.share()).unwrap().len(), before + 1);
    again.close().await;
    assert_eq!(rig.arrived(), 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_share_leaves_nothing_half_written_and_catches_up() {
    let rig = Rig::new();
    let db = rig.open();
    room(&db).await;
    db.ship().await.unwrap().unwrap();
    for n in 0..30 {
        // The very error of a full disk, each time anew.
        let full = rig.temporary(&db, 1);
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        post(&db, n).await;
        let why = db.ship().await.unwrap_err().to_string();
        assert!(why.contains("No space left"), "{why}");
        assert!(!full.exists() && list(&rig.share()).unwrap().len() == 1);
    }
    db.ship().await.unwrap().unwrap();
    db.close().await;
    assert_eq!(rig.arrived(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_gone_for_a_while_or_cannot_be_written_stops_nothing() {
    let rig = Rig::new();
    let db = rig.open();
    room(&db).await;
    db.ship().await.unwrap().unwrap();
    std::fs::rename(rig.share(), rig.dir.path().join("unmounted")).unwrap();
    for n in 0..5 {
        post(&db, n).await;
        assert!(matches!(db.ship().await, Err(ShipError::Io { .. })));
    }
    std::fs::rename(rig.dir.path().join("unmounted"), rig.share()).unwrap();
    db.ship().await.unwrap().unwrap();
    db.close().await;
    assert_eq!(rig.arrived(), 5);
    // Nobody writes to /sys, not even root.
    let to = ShipTo { share: "/sys/lifeguard".into(), id: "mgc".to_owned(), patience: QUICK };
    let db = MgcDatabase::open(&rig.primary(), 1, None, Some(to)).unwrap();
    post(&db, 5).await;
    assert!(matches!(db.ship().await, Err(ShipError::Io { .. })));
    db.close().await;
    let db = rig.open();
    db.ship().await.unwrap().unwrap();
    db.close().await;
    assert_eq!(rig.arrived(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_hangs_is_given_up_when_the_database_closes() {
    let rig = Rig::new();
    let db = rig.open();
    room(&db).await;
    let pipe = rig.temporary(&db, 0);
    fifo(&pipe);
    assert!(matches!(db.ship().await, Err(ShipError::Silent(_))));
    post(&db, 1).await;
    db.close().await;
    let again = rig.open();
    post(&again, 2).await;
    again.ship().await.unwrap().unwrap();
    // The old base is read from a file that has changed since: it must never get a name.
    let mut reader = std::fs::OpenOptions::new().read(true).open(&pipe).unwrap();
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    post(&again, 3).await;
    again.ship().await.unwrap().unwrap();
    again.close().await;
    assert_eq!(rig.arrived(), 3);
}

/// A way to break the side that restores, and what is said of it.
type Breakage = (&'static str, fn(&Rig));

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_cannot_go_on_gets_a_whole_copy_once_in_ten_minutes() {
    fn change(path: &Path) {
        let mut bytes = std::fs::read(path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    fn newest(rig: &Rig) -> PathBuf {
        list(&rig.share()).unwrap().pop().unwrap().2
    }
    let all: [Breakage; 4] = [
        ("was written to by somebody else", |rig| change(&rig.dir.path().join("backup/mgc.db"))),
        ("is missing", |rig| {
            std::fs::remove_file(list(&rig.share()).unwrap().iter().rev().nth(1).unwrap().2.clone()).unwrap();
        }),
        ("is damaged", |rig| change(&newest(rig))),
        ("segment 0 of epoch 1 is missing", |rig| {
            std::fs::remove_dir_all(rig.dir.path().join("backup")).unwrap();
            std::fs::create_dir(rig.dir.path().join("backup")).unwrap();
            // As older programs cleaned the share: the base and what is before it.
            let all = list(&rig.share()).unwrap();
            let base = all.iter().rposition(|(.., p)| segment::peek(p).unwrap().prev.is_empty()).unwrap();
            for (.., path) in &all[..=base] {
                std::fs::remove_file(path).unwrap();
            }
        }),
    ];
    let rig = Rig::new();
    let other = Secondary::new(&rig.dir.path().join("backup"), "mgc");
    let follow = || other.copy(&rig.share(), 1).and_then(|_| other.apply(1));
    let long_ago = || {
        for (.., path) in list(&rig.share()).unwrap() {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::now() - Duration::from_mins(11)).unwrap();
        }
    };
    let db = rig.open();
    room(&db).await;
    db.ship().await.unwrap();
    follow().unwrap();
    for (n, (what, damage)) in (0..).zip(all) {
        for i in 0..2 {
            post(&db, n * 2 + i).await;
            db.ship().await.unwrap();
        }
        damage(&rig);
        if n < 3 {
            let told = heal(&rig.share(), 1, &follow().unwrap_err());
            assert!(told.contains(what) && told.contains("ten minutes after the last one"), "{told}");
            db.ship().await.unwrap();
        }
        long_ago();
        for _ in 0..2 {
            let told = heal(&rig.share(), 1, &follow().unwrap_err());
            assert!(told.contains(what) && told.ends_with("begins again with a whole copy."), "{told}");
        }
        // The backup job hears of it also between its turns, and begins anew.
        db.between_turns().await;
        while db.ship().await.is_err() {}
        follow().unwrap();
        assert_eq!(other.applied().map(|a| a.mark), db.ship().await.unwrap());
        assert!(!rig.share().join("whole-1").exists());
    }
    db.close().await;
    follow().unwrap();
    assert_eq!(rig.arrived(), 8);
}

#[test]
fn a_log_that_grows_too_long_unshipped_is_folded_and_a_base_follows() {
    let dir = tempfile::tempdir().unwrap();
    let (database, share) = (dir.path().join("mgc.db"), dir.path().join("share"));
    let c = crate::chat::read_write(&database, true).unwrap();
    c.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    c.execute_batch("CREATE TABLE t (x TEXT)").unwrap();
    let to = ShipTo { share: share.clone(), id: "mgc".to_owned(), patience: QUICK };
    let mut job = Job::new(to, database.clone(), 1, 7, Arc::default()).unwrap();
    job.limit(100_000);
    let ship = |job: &mut Job| {
        while job.turn(&c, false, Timestamp::from_millis(1)).unwrap() == Turn::Again {
            job.carrier().wait_here()?;
        }
        job.carrier().wait_here()
    };
    ship(&mut job).unwrap();
    let pipe = share.join(format!("{}.7.tmp", name(1, 1)));
    fifo(&pipe);
    for _ in 0..60 {
        c.execute("INSERT INTO t VALUES (?1)", ["x".repeat(4000)]).unwrap();
        let _ = ship(&mut job);
    }
    let log = std::fs::metadata(database.with_extension("db-wal")).unwrap().len();
    assert!(log < 200_000, "{log}");
    drop(std::fs::OpenOptions::new().read(true).open(&pipe).unwrap());
    while ship(&mut job).is_err() {}
    c.execute("INSERT INTO t VALUES ('last')", []).unwrap();
    ship(&mut job).unwrap();
    let s = Secondary::new(&dir.path().join("other"), "mgc");
    std::fs::create_dir_all(dir.path().join("other")).unwrap();
    s.copy(&share, 1).unwrap();
    s.apply(1).unwrap();
    let other = rusqlite::Connection::open(dir.path().join("other/mgc.db")).unwrap();
    assert_eq!(other.query_row("SELECT COUNT(*) FROM t", [], |r| r.get::<_, i64>(0)).unwrap(), 61);
}

#[test]
fn what_was_given_up_never_gets_a_name_and_a_taken_number_is_told() {
    use super::chain::{Chain, Content, Cut};
    let dir = tempfile::tempdir().unwrap();
    let position = Position { salts: None, offset: 0 };
    let at = Timestamp::from_millis(1);
    let pages = Content::Pages([(1, vec![0; 512])].into());
    let mut cut = Cut {
        content: pages,
        position,
        page_size: 512,
        db_pages: 1,
        commits: 1,
        messages: 0,
        at,
        folded: None,
    };
    let file = dir.path().join("mgc.db");
    std::fs::write(&file, [0; 512]).unwrap();
    let base = Cut {
        content: Content::Base(file),
        position,
        page_size: 512,
        db_pages: 1,
        commits: 0,
        messages: 0,
        at,
        folded: None,
    };
    let (share, p) = (dir.path().join("share"), Progress::default());
    let mut chain = Chain::open(&share, "mgc", (1, 1), &Progress::default()).unwrap();
    assert!(matches!(chain.put(&base, &p, &|| false), Err(ShipError::Diverged(_))));
    assert_eq!(std::fs::read_dir(&share).unwrap().count(), 0, "not even a temporary file");
    chain.put(&base, &p, &|| true).unwrap();
    let mut late = Chain::open(&share, "mgc", (1, 2), &Progress::default()).unwrap();
    chain.put(&cut, &p, &|| true).unwrap();
    cut.commits = 2;
    assert!(matches!(late.put(&cut, &p, &|| true), Err(ShipError::Diverged(_))), "never replaced");
}

#[test]
fn a_side_that_came_online_without_the_share_fences_the_older_one_when_it_ships() {
    use super::chain::Chain;
    let dir = tempfile::tempdir().unwrap();
    let old = Chain::open(dir.path(), "mgc", (1, 1), &Progress::default()).unwrap();
    old.check_fence().unwrap();
    Chain::open(dir.path(), "mgc", (2, 2), &Progress::default()).unwrap();
    assert_eq!(old.check_fence(), Err(ShipError::Fenced(2)));
}

#[test]
fn work_that_moves_is_waited_for_and_work_that_hangs_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let patience = Duration::from_millis(100);
    let moved = within(dir.path(), "moves", patience, |p| {
        let (_open, never) = std::sync::mpsc::channel::<()>();
        for _ in 0..20 {
            let _ = never.recv_timeout(Duration::from_millis(20));
            p.moved();
        }
        Ok(1)
    });
    assert_eq!(moved, Ok(1), "four times the patience, but something moved");
    let (go, hangs) = std::sync::mpsc::channel::<()>();
    let hung = within(dir.path(), "hangs", patience, move |_| {
        let _ = hangs.recv();
        Ok(())
    });
    assert!(matches!(hung, Err(ShipError::Silent(_))));
    let begun = Instant::now();
    assert!(within(dir.path(), "hangs", patience, |_| Ok(())).is_err(), "one at a time");
    assert!(begun.elapsed() < patience);
    drop(go);
    while within(dir.path(), "hangs", patience, |_| Ok(())).is_err() {}
}
