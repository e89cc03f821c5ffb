//! The chain end to end over real databases: shipped, copied, applied, brought online, and every way in
//! which a segment may be wrong.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use shared::Timestamp;

use super::chain::Chain;
use super::cutter::{self, Cutter};
use super::*;
use crate::chat::read_write;

/// Both ends of the backup job in turn, without threads.
struct Shipper {
    chain: Chain,
    cutter: Cutter,
    database: PathBuf,
}

impl Shipper {
    fn start(
        c: &Connection,
        database: &Path,
        share: &Path,
        id: &str,
        epoch: u64,
        at: Timestamp,
    ) -> Result<Self, ShipError> {
        let mut chain = Chain::open(share, id, (epoch, 1), &Progress::default())?;
        let database = database.to_owned();
        if let Some(cutter) = chain.last().and_then(|h| Cutter::resume(&database, h).ok()) {
            return Ok(Self { chain, cutter, database });
        }
        let (cutter, base) = Cutter::base(c, &database, 0, at)?;
        let mark = chain.put(&base, &Progress::default(), &|| true)?;
        cutter::note_clean(&database, epoch, mark.seq, base.folded.unwrap())?;
        Ok(Self { chain, cutter, database })
    }

    fn mark(&self) -> Option<Mark> {
        self.chain.last().map(Mark::from)
    }

    fn ship(&mut self, c: &Connection, at: Timestamp) -> Result<Option<Mark>, ShipError> {
        self.chain.check_fence()?;
        let Some(cut) = self.cutter.cut(c, true, 0, at)? else { return Ok(None) };
        let mark = self.chain.put(&cut, &Progress::default(), &|| true)?;
        if let Some(facts) = cut.folded {
            cutter::note_clean(&self.database, mark.epoch, mark.seq, facts)?;
        }
        Ok(Some(mark))
    }

    fn finish(&mut self, c: &Connection, at: Timestamp) -> Result<(), ShipError> {
        self.ship(c, at)?;
        let (mark, facts) = (self.mark().unwrap(), self.cutter.fold(c)?.unwrap());
        cutter::note_clean(&self.database, mark.epoch, mark.seq, facts)
    }
}

struct Rig {
    _dir: tempfile::TempDir,
    database: PathBuf,
    share: PathBuf,
    other: PathBuf,
}

const AT: Timestamp = Timestamp::from_millis(1_000);

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (primary, other) = (dir.path().join("primary"), dir.path().join("backup"));
        std::fs::create_dir_all(&primary).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        Self { database: primary.join("mgc.db"), share: dir.path().join("share"), other, _dir: dir }
    }
    fn writer(&self) -> Connection {
        let c = read_write(&self.database, true).unwrap();
        c.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        c.execute_batch("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT)").unwrap();
        c
    }
    fn shipper(&self, c: &Connection) -> Shipper {
        Shipper::start(c, &self.database, &self.share, "mgc", 1, AT).unwrap()
    }
    fn secondary(&self) -> Secondary {
        Secondary::new(&self.other, "mgc")
    }
    fn catch_up(&self) -> Result<u64, ShipError> {
        let s = self.secondary();
        s.copy(&self.share, 1)?;
        s.apply(1)
    }
}

fn add(c: &Connection, n: u32) {
    for i in 0..n {
        c.execute("INSERT INTO t (text) VALUES (?1)", [format!("message {i} {}", "x".repeat(200))]).unwrap();
    }
}

fn count(database: &Path) -> i64 {
    let c = Connection::open(database).unwrap();
    let ok: String = c.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(ok, "ok");
    c.query_row("SELECT COUNT(*) FROM t", [], |r| r.get(0)).unwrap()
}

#[test]
fn what_is_committed_arrives() {
    let rig = Rig::new();
    let c = rig.writer();
    add(&c, 10);
    let mut s = rig.shipper(&c);
    rig.catch_up().unwrap();
    for _ in 0..5 {
        add(&c, 7);
        s.ship(&c, AT).unwrap().unwrap();
    }
    c.execute_batch("ALTER TABLE t ADD COLUMN more TEXT; CREATE INDEX i ON t (text)").unwrap();
    s.ship(&c, AT).unwrap().unwrap();
    assert!(s.ship(&c, AT).unwrap().is_none(), "nothing new, no segment");
    assert_eq!(rig.catch_up().unwrap(), 6);
    rig.secondary().online().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 45);
}

#[test]
fn a_commit_that_was_rolled_back_is_not_shipped() {
    let rig = Rig::new();
    let mut c = rig.writer();
    let mut s = rig.shipper(&c);
    add(&c, 3);
    {
        let tx = c.transaction().unwrap();
        tx.execute("INSERT INTO t (text) VALUES ('no')", []).unwrap();
        tx.rollback().unwrap();
    }
    s.ship(&c, AT).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 3);
}

#[test]
fn a_restart_goes_on_with_the_chain_and_loses_nothing() {
    let rig = Rig::new();
    {
        let c = rig.writer();
        let mut s = rig.shipper(&c);
        add(&c, 4);
        s.ship(&c, AT).unwrap();
        add(&c, 4); // committed, not shipped: as a kill leaves it
        c.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    }
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    assert_eq!(s.mark().unwrap().seq, 1, "no new base");
    s.ship(&c, AT).unwrap();
    add(&c, 4);
    s.finish(&c, AT).unwrap();
    drop(c);
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    assert_eq!(s.mark().unwrap().seq, 3, "a clean end needs no new base either");
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 13);
}

/// The share is lost while the program is down: the chain begins anew at number 0 of the same epoch, and the other
/// side, which is far beyond that number, follows it.
#[test]
fn a_share_that_was_lost_is_begun_anew_and_the_other_side_follows() {
    let rig = Rig::new();
    {
        let c = rig.writer();
        let mut s = rig.shipper(&c);
        for _ in 0..6 {
            add(&c, 1);
            s.ship(&c, AT).unwrap();
        }
        rig.catch_up().unwrap();
        s.finish(&c, AT).unwrap();
    }
    std::fs::remove_dir_all(&rig.share).unwrap();
    let c = rig.writer();
    let later = Timestamp::from_millis(AT.millis() + 1000);
    let mut s = Shipper::start(&c, &rig.database, &rig.share, "mgc", 1, later).unwrap();
    add(&c, 2);
    s.ship(&c, later).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 8);
    add(&c, 1);
    s.ship(&c, later).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 9);
}

/// A share whose own folder is gone is not made up: it may be a disk that is not mounted.
#[test]
fn a_share_that_is_gone_is_not_made_anew() {
    let rig = Rig::new();
    let gone = rig.share.parent().unwrap().join("gone");
    let share = gone.join("log-shipping/pool");
    assert!(matches!(claim(&share, 2, "me"), Err(ShipError::Io { .. })));
    assert!(!gone.exists());
    std::fs::create_dir(&gone).unwrap();
    claim(&share, 2, "me").unwrap();
}

#[test]
fn a_log_that_somebody_else_folded_begins_a_new_base() {
    let rig = Rig::new();
    {
        let c = rig.writer();
        let mut s = rig.shipper(&c);
        add(&c, 4);
        s.ship(&c, AT).unwrap();
        add(&c, 4);
    } // closing folds the log: those four commits are in no log any more
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 9);
}

#[test]
fn a_long_log_is_folded_and_shipping_goes_on() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    for _ in 0..4 {
        add(&c, 700);
        s.ship(&c, AT).unwrap();
    }
    let log = std::fs::metadata(rig.database.with_extension("db-wal")).unwrap().len();
    assert!(log < 12 * 1024 * 1024, "{log}");
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 2801);
}

#[test]
fn a_missing_segment_is_named_and_nothing_after_it_is_applied() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    for _ in 0..4 {
        add(&c, 1);
        s.ship(&c, AT).unwrap();
    }
    std::fs::remove_file(rig.share.join(name(1, 2))).unwrap();
    assert_eq!(rig.catch_up().unwrap_err(), ShipError::Gap { epoch: 1, expected: 2, found: 3 });
    assert_eq!(rig.secondary().applied().unwrap().mark.seq, 1);
}

#[test]
fn damage_is_refused_by_name() {
    for (what, damage) in [
        (
            "flipped",
            Box::new(|b: &mut Vec<u8>| {
                let i = b.len() / 2;
                b[i] ^= 1;
            }) as Box<dyn Fn(&mut Vec<u8>)>,
        ),
        ("short", Box::new(|b| b.truncate(b.len() / 2))),
        ("empty", Box::new(Vec::clear)),
        ("long", Box::new(|b| b.push(0))),
    ] {
        let rig = Rig::new();
        let c = rig.writer();
        let mut s = rig.shipper(&c);
        add(&c, 1);
        s.ship(&c, AT).unwrap();
        let path = rig.share.join(name(1, 1));
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        match rig.catch_up().unwrap_err() {
            ShipError::Corrupt { file, .. } => assert_eq!(file, name(1, 1), "{what}"),
            other => panic!("{what}: {other}"),
        }
    }
}

/// Copying tells of each page that it verifies, so a large base is waited for; what has its name is not
/// verified anew in each turn, and is fetched again when it turns out to be damaged.
#[test]
fn verifying_a_copied_base_counts_as_progress_and_is_done_once() {
    let rig = Rig::new();
    let c = rig.writer();
    add(&c, 4_000);
    let mut s = rig.shipper(&c);
    let pages = u64::from(segment::peek(&rig.share.join(name(1, 0))).unwrap().pages);
    let (secondary, p) = (rig.secondary(), Progress::default());
    assert_eq!(secondary.copying(&rig.share, 1, &p).unwrap(), 1);
    assert!(pages > 200 && p.count() > pages, "{} of {pages}", p.count());
    let p = Progress::default();
    Chain::open(&rig.share, "mgc", (1, 2), &p).unwrap();
    assert!(p.count() >= pages, "the newest segment is verified at each opening");
    let p = Progress::default();
    assert_eq!(secondary.copying(&rig.share, 1, &p).unwrap(), 0);
    assert!(p.count() < 2, "its header is all that is read once more");
    let copy = rig.other.join("shipping").join(name(1, 0));
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[9_000] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let error = secondary.apply(1).unwrap_err().to_string();
    assert!(error.contains("fetched again"), "{error}");
    s.ship(&c, AT).unwrap();
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 4_000);
}

#[test]
fn a_segment_of_another_database_or_chain_is_refused() {
    let (a, b) = (Rig::new(), Rig::new());
    for rig in [&a, &b] {
        let c = rig.writer();
        add(&c, if rig.share == a.share { 1 } else { 2 });
        let mut s = rig.shipper(&c);
        add(&c, 1);
        s.ship(&c, AT).unwrap();
    }
    let (from, to) = (b.share.join(name(1, 1)), a.share.join(name(1, 1)));
    std::fs::copy(from, to).unwrap();
    assert!(matches!(a.catch_up().unwrap_err(), ShipError::Forked { .. }));
}

#[test]
fn a_write_to_the_restoring_side_is_noticed() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    rig.catch_up().unwrap();
    let c2 = Connection::open(rig.other.join("mgc.db")).unwrap();
    c2.execute("INSERT INTO t (text) VALUES ('tampered')", []).unwrap();
    drop(c2);
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    assert!(matches!(rig.catch_up().unwrap_err(), ShipError::Diverged(_)));
}

#[test]
fn a_claimed_epoch_stops_the_older_shipper_and_only_one_claims_it() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    add(&c, 1);
    let winners: Vec<_> = std::thread::scope(|scope| {
        let share = &rig.share;
        let all: Vec<_> =
            (0..8).map(|i| scope.spawn(move || claim(share, 2, &format!("run {i}")).is_ok())).collect();
        all.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).collect()
    });
    assert_eq!(winners.len(), 1);
    assert_eq!(s.ship(&c, AT).unwrap_err(), ShipError::Fenced(2));
    assert!(Shipper::start(&c, &rig.database, &rig.share, "mgc", 1, AT).is_err());
}

#[test]
fn a_kill_while_applying_is_repaired_by_applying_again() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    rig.catch_up().unwrap();
    add(&c, 30);
    s.ship(&c, AT).unwrap();
    let secondary = rig.secondary();
    secondary.copy(&rig.share, 1).unwrap();
    // As a kill leaves it: the note is there, and the file is torn.
    std::fs::write(rig.other.join("mgc.applying"), "").unwrap();
    let mut bytes = std::fs::read(rig.other.join("mgc.db")).unwrap();
    bytes[100..120].fill(7);
    std::fs::write(rig.other.join("mgc.db"), bytes).unwrap();
    assert!(secondary.online().is_err());
    secondary.apply(1).unwrap();
    secondary.online().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 30);
}

/// A kill right after a segment was noted as applied leaves its marker: the segment is complete.
#[test]
fn a_marker_that_outlived_its_segment_stops_nothing() {
    let rig = Rig::new();
    let c = rig.writer();
    add(&c, 5);
    let mut s = rig.shipper(&c);
    add(&c, 5);
    s.ship(&c, AT).unwrap();
    rig.catch_up().unwrap();
    let secondary = rig.secondary();
    std::fs::write(rig.other.join("mgc.applying"), secondary.applied().unwrap().hash).unwrap();
    // What somebody else writes is still noticed.
    let sound = std::fs::read(rig.other.join("mgc.db")).unwrap();
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    std::fs::write(rig.other.join("mgc.db"), [&sound[..], &[0]].concat()).unwrap();
    assert!(matches!(rig.catch_up(), Err(ShipError::Diverged(_))));
    secondary.online().unwrap();
    assert!(!rig.other.join("mgc.applying").exists());
}

#[test]
fn a_database_that_was_in_use_is_kept_as_an_orphan() {
    let rig = Rig::new();
    std::fs::write(rig.other.join("mgc.db"), "the old primary with its tail").unwrap();
    let c = rig.writer();
    add(&c, 2);
    rig.shipper(&c);
    rig.catch_up().unwrap();
    let kept = std::fs::read_to_string(rig.other.join("orphans/1/mgc.db")).unwrap();
    assert_eq!(kept, "the old primary with its tail");
    assert_eq!(count(&rig.other.join("mgc.db")), 2);
}

/// A kill while an orphan is moved: what it left behind goes on into the same folder, and is no clean database.
#[test]
fn an_orphan_that_was_half_moved_is_moved_whole() {
    let rig = Rig::new();
    let c = rig.writer();
    add(&c, 2);
    rig.shipper(&c);
    let old = rig.other.join("mgc.db");
    std::fs::create_dir_all(rig.other.join("orphans/7")).unwrap();
    std::fs::write(rig.other.join("orphans/7/mgc.db"), "an earlier one").unwrap();
    std::fs::create_dir_all(rig.other.join("orphans/9")).unwrap();
    std::fs::write(rig.other.join("orphans/9/mgc.db-wal"), "the tail").unwrap();
    std::fs::write(&old, "pages").unwrap();
    rig.catch_up().unwrap();
    let kept = |file: &str| std::fs::read_to_string(rig.other.join("orphans").join(file)).unwrap();
    assert_eq!((kept("9/mgc.db"), kept("9/mgc.db-wal")), ("pages".to_owned(), "the tail".to_owned()));
    assert_eq!(kept("7/mgc.db"), "an earlier one");
    assert_eq!(rig.secondary().orphans().len(), 2);
}

#[test]
fn applied_segments_are_cleaned_and_others_are_kept() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    for _ in 0..3 {
        add(&c, 1);
        s.ship(&c, AT).unwrap();
    }
    rig.catch_up().unwrap();
    let applied = |rig: &Rig| rig.secondary().applied().unwrap().mark;
    let cleaned = |rig: &Rig, before, all| {
        clean(&rig.share, &applied(rig), Timestamp::from_millis(before), all, &Progress::default()).unwrap()
    };
    assert_eq!(
        cleaned(&rig, 1_000, false),
        Cleaned { base: cleaned(&rig, 0, false).base, ..Cleaned::default() }
    );
    let kept = cleaned(&rig, 2_000, false);
    assert!(kept.gone == 0 && kept.base > 0 && kept.expired > 0, "a base and what follows it: {kept:?}");
    // With them a disk that was replaced is filled again, also when nobody ships any more.
    std::fs::remove_dir_all(&rig.other).unwrap();
    std::fs::create_dir(&rig.other).unwrap();
    assert_eq!(rig.catch_up().unwrap(), 4);
    // What is before a newer base goes.
    ask(&rig.share, 1, "a test").unwrap();
    std::fs::write(rig.share.join("whole-1"), "").unwrap();
    let mut s = rig.shipper(&c);
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    assert_eq!(rig.catch_up().unwrap(), 2);
    assert_eq!(cleaned(&rig, 2_000, false).gone, 4);
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    assert_eq!(rig.catch_up().unwrap(), 1);
    // Without room for another base, all that is old enough goes, as far as it is applied.
    assert_eq!(cleaned(&rig, 2_000, true).gone, 2);
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    assert_eq!(rig.catch_up().unwrap(), 1);
    assert_eq!(count(&rig.other.join("mgc.db")), 6);
}

#[test]
fn an_older_epoch_that_arrives_late_is_ignored() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut old = rig.shipper(&c);
    add(&c, 1);
    let mut new = Shipper::start(&c, &rig.database, &rig.share, "mgc", 2, AT).unwrap();
    // Nobody claimed yet as far as the old one knew: its segment has a higher number than the new chain's.
    std::fs::remove_file(rig.share.join("epoch-2")).unwrap();
    for _ in 0..4 {
        add(&c, 1);
        old.ship(&c, AT).unwrap();
    }
    add(&c, 1);
    new.ship(&c, AT).unwrap();
    let s = rig.secondary();
    s.copy(&rig.share, 2).unwrap();
    s.apply(2).unwrap();
    assert_eq!(s.applied().unwrap().mark.epoch, 2);
    assert_eq!(count(&rig.other.join("mgc.db")), 6);
}

#[test]
fn a_clock_that_is_set_back_changes_no_order() {
    let rig = Rig::new();
    let c = rig.writer();
    let mut s = rig.shipper(&c);
    for hours in [5, 4, -3, 90, 0] {
        add(&c, 1);
        s.ship(&c, Timestamp::from_millis(hours * 3_600_000)).unwrap();
        rig.catch_up().unwrap();
    }
    let applied = rig.secondary().applied().unwrap().mark;
    assert_eq!((applied.seq, applied.cut), (5, Timestamp::from_millis(0)), "order comes from the numbers");
    assert_eq!(count(&rig.other.join("mgc.db")), 5);
}

#[test]
fn a_long_reader_keeps_neither_posts_nor_shipping() {
    let rig = Rig::new();
    let c = rig.writer();
    add(&c, 1);
    let mut s = rig.shipper(&c);
    let reader = Connection::open(&rig.database).unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM t").unwrap();
    for _ in 0..3 {
        add(&c, 700);
        let begun = std::time::Instant::now();
        s.ship(&c, AT).unwrap().unwrap();
        assert!(begun.elapsed() < super::super::PATIENCE, "folding does not wait for the reader");
    }
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 2_101);
    reader.execute_batch("COMMIT").unwrap();
    add(&c, 1);
    s.ship(&c, AT).unwrap();
    let log = std::fs::metadata(rig.database.with_extension("db-wal")).unwrap().len();
    assert_eq!(log, 0, "folded once the reader is gone");
}

/// Everything is folded, but the log cannot be emptied: the next write begins it anew.
#[test]
fn a_reader_while_the_log_is_folded_costs_no_whole_copy() {
    let rig = Rig::new();
    let c = rig.writer();
    add(&c, 1);
    let mut s = rig.shipper(&c);
    let reader = Connection::open(&rig.database).unwrap();
    for _ in 0..3 {
        c.execute_batch("BEGIN").unwrap();
        add(&c, 40_000);
        c.execute_batch("COMMIT").unwrap();
        reader.execute_batch("BEGIN; SELECT COUNT(*) FROM t").unwrap();
        s.ship(&c, AT).unwrap().unwrap();
        let log = rig.database.with_extension("db-wal");
        let salts = || std::fs::read(&log).unwrap()[16..24].to_vec();
        let before = salts();
        reader.execute_batch("COMMIT").unwrap();
        add(&c, 1);
        assert_ne!(salts(), before, "begun anew");
        add(&c, 1);
        s.ship(&c, AT).unwrap().unwrap();
    }
    assert_eq!(s.mark().unwrap().seq, 6);
    rig.catch_up().unwrap();
    assert_eq!(count(&rig.other.join("mgc.db")), 120_007);
    // What somebody else folds is noticed all the same.
    c.execute_batch("BEGIN").unwrap();
    add(&c, 40_000);
    c.execute_batch("COMMIT").unwrap();
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM t").unwrap();
    s.ship(&c, AT).unwrap().unwrap();
    add(&c, 1);
    reader.execute_batch("COMMIT").unwrap();
    reader.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(())).unwrap();
    add(&c, 1);
    assert!(matches!(s.ship(&c, AT), Err(ShipError::Diverged(_))));
}

/// Folding waits for readers only shortly; afterwards a post waits for a held database as long as before.
#[test]
fn folding_leaves_the_patience_of_posts_as_it_was() {
    let rig = Rig::new();
    let c = rig.writer();
    let patience = |c: &Connection| c.query_row("PRAGMA busy_timeout", [], |r| r.get::<_, i64>(0)).unwrap();
    c.busy_timeout(super::super::PATIENCE).unwrap();
    let before = patience(&c);
    add(&c, 1);
    assert!(checkpoint(&c));
    assert_eq!(patience(&c), before);
}
