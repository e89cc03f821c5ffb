//! The mirror of the compliance queue: it has what was acknowledged, or it is noted that it has not; what the
//! adapter has written comes never again under another name.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use node::traits::{ComplianceEvent, StoreError};
use shared::Timestamp;

use super::mirror::{MirrorState, MirrorTo};
use super::mirror_tests::Note;
use super::queue_mirror::{copy, is_mirror, moved, step_down, take_over, take_over_with_loss};
use super::{ComplianceQueue, adapter};

struct Rig {
    dir: tempfile::TempDir,
    witness: Arc<Note>,
}

impl Rig {
    fn new() -> Self {
        let rig = Self { dir: tempfile::tempdir().unwrap(), witness: Arc::default() };
        for name in ["a", "b"] {
            fs::create_dir_all(rig.at(name)).unwrap();
        }
        ComplianceQueue::create(&rig.at("a")).unwrap();
        rig
    }
    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn open(&self, principal: &str, mirror: &str) -> Result<ComplianceQueue, StoreError> {
        let patience = Duration::from_millis(300);
        let to = MirrorTo { dir: self.at(mirror), witness: self.witness.clone(), patience };
        ComplianceQueue::open_mirrored(&self.at(principal), to)
    }
    /// Opened, and the mirror has everything.
    fn synchronized(&self, principal: &str, mirror: &str) -> ComplianceQueue {
        let mut q = self.open(principal, mirror).unwrap();
        until(&mut q, &MirrorState::Synchronized);
        assert!(self.noted());
        q
    }
    fn noted(&self) -> bool {
        self.witness.synchronized.load(Ordering::SeqCst)
    }
    /// A copy of a folder as a crash would leave it this very moment.
    fn crashed(&self, name: &str) -> PathBuf {
        let to = self.at("crash");
        let _ = fs::remove_dir_all(&to);
        fs::create_dir_all(&to).unwrap();
        for file in ["mgccomp.db-wal", "mgccomp.db", "mgccomp.mirror"] {
            let from = self.at(name).join(file);
            if from.exists() {
                fs::copy(from, to.join(file)).unwrap();
            }
        }
        to
    }
    /// Texts that are there after such a crash.
    fn survives(&self, name: &str) -> Vec<String> {
        let to = self.crashed(name);
        take_over(&to).unwrap();
        texts(adapter::batch(&to).unwrap())
    }
}

fn state(q: &ComplianceQueue) -> MirrorState {
    q.mirror().unwrap().lock().unwrap().clone()
}

fn until(q: &mut ComplianceQueue, wanted: &MirrorState) {
    let begun = Instant::now();
    while state(q) != *wanted {
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", state(q));
        q.tick();
        std::thread::yield_now();
    }
}

fn texts(events: Vec<adapter::QueuedEvent>) -> Vec<String> {
    events.into_iter().map(|e| e.text).collect()
}

fn push(q: &mut ComplianceQueue, all: &[&str]) -> Result<(), StoreError> {
    let event = |text: &&str| ComplianceEvent {
        kind: "CHAT",
        room: "r".into(),
        user: "u".into(),
        text: (*text).to_owned(),
        message: None,
    };
    q.push(&all.iter().map(event).collect::<Vec<_>>())
}

#[test]
fn every_acknowledged_event_is_on_the_mirror_at_once() {
    let rig = Rig::new();
    let mut q = rig.open("a", "b").unwrap();
    push(&mut q, &["0"]).unwrap();
    assert!(!rig.noted(), "not before the copy is complete");
    until(&mut q, &MirrorState::Synchronized);
    let mut all = vec!["0".to_owned()];
    for n in 1..40 {
        let text = n.to_string();
        push(&mut q, &[&text]).unwrap();
        all.push(text);
        assert_eq!(rig.survives("b"), all);
    }
    // Enough for the log to be folded on both sides.
    let long = "x".repeat(500_000);
    for _ in 0..40 {
        push(&mut q, &[&long]).unwrap();
        q.tick();
    }
    assert_eq!(rig.survives("b").len(), 80);
    let folded = fs::metadata(rig.at("b").join("mgccomp.db")).unwrap().len();
    assert!(folded > 8_000_000, "{folded}");
    assert_eq!(state(&q), MirrorState::Synchronized);
    q.close();
    assert_eq!(rig.survives("b").len(), 80, "closing ends nothing");
    assert!(ComplianceQueue::open(&rig.at("b")).is_err() && adapter::batch(&rig.at("b")).is_err());
    assert!(!ComplianceQueue::create(&rig.at("b")).unwrap(), "a mirror is left alone");
}

#[test]
fn a_frame_that_was_torn_when_the_principal_died_is_not_read() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    push(&mut q, &["kept"]).unwrap();
    let whole = fs::read(rig.at("b").join("mgccomp.db-wal")).unwrap().len();
    push(&mut q, &["torn"]).unwrap();
    let crash = rig.crashed("b");
    let log = crash.join("mgccomp.db-wal");
    let bytes = fs::read(&log).unwrap();
    for cut in [whole + 1, whole + 24, bytes.len() - 1] {
        fs::write(&log, &bytes[..cut]).unwrap();
        let other = rig.at("torn");
        let _ = fs::remove_dir_all(&other);
        fs::create_dir_all(&other).unwrap();
        for file in ["mgccomp.db-wal", "mgccomp.db", "mgccomp.mirror"] {
            fs::copy(crash.join(file), other.join(file)).unwrap();
        }
        take_over(&other).unwrap();
        assert_eq!(texts(adapter::batch(&other).unwrap()), ["kept"], "cut at {cut}");
    }
}

#[test]
fn a_mirror_that_is_lost_is_noted_first_and_has_everything_again_later() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    fs::rename(rig.at("b"), rig.at("gone")).unwrap();
    push(&mut q, &["0"]).unwrap();
    assert!(!rig.noted(), "noted before the event was acknowledged");
    assert!(matches!(state(&q), MirrorState::Disconnected(_)));
    push(&mut q, &["1"]).unwrap();
    fs::rename(rig.at("gone"), rig.at("b")).unwrap();
    until(&mut q, &MirrorState::Synchronized);
    push(&mut q, &["2"]).unwrap();
    assert_eq!(rig.survives("b"), ["0", "1", "2"]);
    assert!(!rig.at("b").join("orphans").exists(), "a stale mirror is no orphan");
}

#[test]
fn events_that_neither_mirror_nor_witness_has_are_not_queued_and_not_doubled() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    fs::rename(rig.at("b"), rig.at("gone")).unwrap();
    rig.witness.refuses.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(push(&mut q, &["one", "two"]).is_err());
    }
    assert_eq!(ComplianceQueue::count(&rig.at("a")).unwrap(), 0);
    rig.witness.refuses.store(false, Ordering::SeqCst);
    push(&mut q, &["one", "two"]).unwrap();
    assert_eq!(texts(q.batch().unwrap()), ["one", "two"]);
}

#[test]
fn the_adapters_batch_goes_over_with_the_queue() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    push(&mut q, &["one", "two"]).unwrap();
    let written = q.batch().unwrap();
    push(&mut q, &["three"]).unwrap();
    // Killed before and after the files are there: the same batch, so the same names.
    let crash = rig.crashed("b");
    take_over(&crash).unwrap();
    assert_eq!(adapter::batch(&crash).unwrap(), written);
    q.written().unwrap();
    assert_eq!(rig.survives("b"), ["three"], "never again");
}

#[test]
fn the_queue_moves_to_the_mirror_and_back() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    push(&mut q, &["one"]).unwrap();
    q.close();
    take_over(&rig.at("b")).unwrap();
    take_over(&rig.at("b")).unwrap();
    assert!(!moved(&rig.at("a"), &rig.at("b")));
    step_down(&rig.at("a")).unwrap();
    assert!(moved(&rig.at("a"), &rig.at("b")));
    assert!(rig.open("a", "b").is_err(), "what stepped down is not opened");
    let mut q = rig.open("b", "a").unwrap();
    push(&mut q, &["two"]).unwrap();
    // Not synchronized: a whole copy goes over.
    q.close();
    copy(&rig.at("b"), &rig.at("a")).unwrap();
    assert!(!is_mirror(&rig.at("a")));
    step_down(&rig.at("b")).unwrap();
    let mut q = rig.synchronized("a", "b");
    assert_eq!(texts(q.batch().unwrap()), ["one", "two"]);
    assert!(!rig.at("a").join("orphans").exists() && !rig.at("b").join("orphans").exists());
}

#[test]
fn after_a_loss_no_number_is_given_twice() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    push(&mut q, &["kept"]).unwrap();
    fs::rename(rig.at("b"), rig.at("gone")).unwrap();
    push(&mut q, &["lost"]).unwrap();
    let numbers: Vec<i64> = q.batch().unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(numbers, [1, 2]);
    drop(q);
    fs::rename(rig.at("gone"), rig.at("b")).unwrap();
    fs::rename(rig.at("a"), rig.at("gone")).unwrap();
    take_over_with_loss(&rig.at("b"), Timestamp::from_millis(1_000)).unwrap();
    let mut q = ComplianceQueue::open(&rig.at("b")).unwrap();
    push(&mut q, &["new"]).unwrap();
    let numbers: Vec<i64> = q.batch().unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(numbers, [1, 1_000_002]);
    // One that has nothing begins above what a clock has counted.
    fs::create_dir_all(rig.at("c")).unwrap();
    take_over_with_loss(&rig.at("c"), Timestamp::from_millis(1_700_000_000_000)).unwrap();
    let mut q = ComplianceQueue::open(&rig.at("c")).unwrap();
    push(&mut q, &["new"]).unwrap();
    assert_eq!(q.batch().unwrap()[0].seq, 1_700_000_001);
}

#[test]
fn a_mirrored_queue_that_is_gone_is_not_made_anew() {
    let rig = Rig::new();
    let mut q = rig.synchronized("a", "b");
    push(&mut q, &["one"]).unwrap();
    drop(q);
    for file in ["mgccomp.db", "mgccomp.db-wal", "mgccomp.db-shm"] {
        let _ = fs::remove_file(rig.at("a").join(file));
    }
    assert!(rig.open("a", "b").is_err());
    assert!(rig.noted(), "the witness still knows that the mirror has everything");
    assert_eq!(rig.survives("b"), ["one"]);
    // An old principal that comes back and did not step down is kept.
    take_over(&rig.at("b")).unwrap();
    ComplianceQueue::create(&rig.at("a")).unwrap();
    let q = rig.synchronized("b", "a");
    assert!(rig.at("a").join("orphans/1/mgccomp.db").exists());
    q.close();
}
