//! The synchronous mirror of an mgc, or of an mgccomp: a second copy, byte for byte, that has every commit before it is
//! acknowledged. Source: procedures §4.
//!
//! The mirror's folder holds the database file as it was folded last and the log since; SQLite itself
//! reads both when the mirror takes over. After each commit the new frames of the log are appended there
//! and synced. When that fails or hangs, the witness notes first that the mirror does not have everything;
//! only then are posts acknowledged without it. It is copied anew when it answers again.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use node::traits::StoreError;
use rusqlite::Connection;

use super::shipping::{Position, Progress, ShipError, Steady, Watch, beside, checkpoint, wal};
use super::{database_error, read_write};

/// What a probe says of it.
pub const MIRRORING: &str = "the database is the mirror of another";
const FILE: &str = "mgc.db";
/// How long the mirror may take for a commit; the default of mirroring's ping.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries to copy it anew.
const RETRY: Duration = Duration::from_secs(5);
/// Above this size the log is folded when nobody else does it.
const CHECKPOINT: u64 = 8 * 1024 * 1024;
const EMPTY: Position = Position { salts: None, offset: 0 };

/// Keeps whether the mirror has everything, elsewhere than on the two of them.
pub trait Witness: Send + Sync {
    /// Notes it durably.
    ///
    /// # Errors
    /// Why it could not; then nothing is acknowledged.
    fn note(&self, synchronized: bool) -> Result<(), String>;
}

/// Where a database is mirrored to.
#[derive(Clone)]
pub struct MirrorTo {
    /// Folder of the mirror's SQL instance.
    pub dir: PathBuf,
    /// The witness.
    pub witness: Arc<dyn Witness>,
    /// How long a commit waits for it.
    pub patience: Duration,
}

/// State of the relation. Source: model §20.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MirrorState {
    /// The whole database is being copied; posts are acknowledged without the mirror.
    #[default]
    Synchronizing,
    /// The mirror has every commit that was acknowledged.
    Synchronized,
    /// The mirror is lost, and why.
    Disconnected(String),
}

/// What the mirror's thread does.
enum Task {
    Copy(PathBuf, Run),
    Append(u64, Vec<u8>),
    Fold,
}

type Answer = Result<(), String>;

/// A copy under way.
#[derive(Clone, Default)]
struct Run {
    progress: Progress,
    /// Nobody waits for it any more; when it comes back late it must replace nothing.
    given_up: Arc<AtomicBool>,
}

impl Run {
    fn go_on(&self) -> std::io::Result<()> {
        if self.given_up.load(Ordering::SeqCst) {
            return Err(std::io::Error::other("the copy was given up"));
        }
        Ok(())
    }
}

struct Copying {
    answer: Receiver<Answer>,
    run: Run,
    watch: Watch,
}

enum Phase {
    Lost { since: Instant },
    Copying(Copying),
    Synchronized,
}

/// The principal's end, on the writer's thread.
pub struct Mirror {
    database: PathBuf,
    to: MirrorTo,
    hand: SyncSender<(Task, SyncSender<Answer>)>,
    phase: Phase,
    /// What the thread was asked last and has not answered in time: until it does, nothing more is asked.
    hanging: Option<Receiver<Answer>>,
    position: Position,
    /// Lost, and not noted yet.
    unnoted: Option<String>,
    state: Arc<Mutex<MirrorState>>,
}

impl Mirror {
    /// Begins: the mirror is copied anew, and until then it does not count.
    ///
    /// # Errors
    /// When the witness does not answer, or there can be no more threads.
    pub fn start(database: &Path, to: MirrorTo) -> Result<Self, String> {
        to.witness.note(false)?;
        let (hand, tasks) = mpsc::sync_channel::<(Task, SyncSender<Answer>)>(1);
        let dir = to.dir.clone();
        let file = database.file_name().map_or_else(|| FILE.to_owned(), |n| n.to_string_lossy().into_owned());
        let work = move || {
            while let Ok((task, reply)) = tasks.recv() {
                // Whoever did not wait has noted that the mirror is lost.
                let _ = reply.send(carry_out(&dir, &file, task).map_err(|e| e.to_string()));
            }
        };
        std::thread::Builder::new().name("mgc-mirror".to_owned()).spawn(work).map_err(|e| e.to_string())?;
        Ok(Self {
            database: database.to_owned(),
            to,
            hand,
            phase: Phase::Lost { since: long_ago() },
            hanging: None,
            position: EMPTY,
            unnoted: None,
            state: Arc::default(),
        })
    }

    /// The state, for others to read.
    pub fn state(&self) -> Arc<Mutex<MirrorState>> {
        self.state.clone()
    }

    fn say(&self, state: MirrorState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The database file must not change now: it is being copied.
    pub fn copying(&self) -> bool {
        matches!(self.phase, Phase::Copying(_))
    }

    /// Before closing: a copy under way is given up, so that it does not end when another one is the principal.
    pub fn settle(&mut self) {
        if let Phase::Copying(c) = &self.phase {
            c.run.given_up.store(true, Ordering::SeqCst);
            // What came of it does not matter: the next opening copies again.
            let _ = c.answer.recv_timeout(self.to.patience);
            self.phase = Phase::Lost { since: Instant::now() };
        }
    }

    /// After each commit: sends it to the mirror. Nothing may be acknowledged when this fails.
    ///
    /// # Errors
    /// When neither mirror nor witness has it.
    pub fn committed(&mut self) -> Result<(), StoreError> {
        if matches!(self.phase, Phase::Synchronized)
            && let Err(why) = self.push()
        {
            self.lose(why);
        }
        self.noted().map_err(|e| StoreError::Database(format!("the mirror is lost, and the witness: {e}")))
    }

    fn noted(&mut self) -> Result<(), String> {
        if let Some(why) = self.unnoted.take()
            && let Err(e) = self.to.witness.note(false)
        {
            self.unnoted = Some(why);
            return Err(e);
        }
        Ok(())
    }

    fn lose(&mut self, why: String) {
        tracing::warn!(cause = %why, mirror = %self.to.dir.display(), "the mirror is lost; it is copied anew");
        self.say(MirrorState::Disconnected(why.clone()));
        self.unnoted = Some(why);
        let before = std::mem::replace(&mut self.phase, Phase::Lost { since: Instant::now() });
        if let Phase::Copying(c) = before {
            c.run.given_up.store(true, Ordering::SeqCst);
            self.hanging = Some(c.answer);
        }
    }

    /// Whether the thread still does what nobody waits for any more.
    fn hangs(&mut self) -> bool {
        if self.hanging.as_ref().is_some_and(|r| matches!(r.try_recv(), Err(TryRecvError::Empty))) {
            return true;
        }
        self.hanging = None;
        false
    }

    /// Sends what is in the log behind the last position.
    fn push(&mut self) -> Answer {
        let log = beside(&self.database, "-wal");
        let found = match wal::read(&log, self.position) {
            // A reader kept the log from being emptied when it was folded, and this write began it anew: the
            // mirror has all of the old one.
            Err(ShipError::Diverged(_)) if wal::begun_anew(&log, self.position).unwrap_or(false) => {
                self.ask(Task::Fold)?;
                self.position = EMPTY;
                wal::read(&log, EMPTY)
            }
            r => r,
        };
        let Some(found) = found.map_err(|e| e.to_string())? else { return Ok(()) };
        let start = if self.position.salts.is_some() { self.position.offset } else { 0 };
        let length = usize::try_from(found.position.offset - start).map_err(|e| e.to_string())?;
        let mut bytes = vec![0; length];
        let read = |bytes: &mut [u8]| {
            let mut f = File::open(&log)?;
            f.seek(SeekFrom::Start(start))?;
            f.read_exact(bytes)
        };
        read(&mut bytes).map_err(|e| e.to_string())?;
        self.ask(Task::Append(start, bytes))?;
        self.position = found.position;
        Ok(())
    }

    fn ask(&mut self, task: Task) -> Answer {
        let answer = self.hand_over(task)?;
        match answer.recv_timeout(self.to.patience) {
            Ok(done) => done,
            Err(e) => {
                self.hanging = (e == RecvTimeoutError::Timeout).then_some(answer);
                Err(self.silent())
            }
        }
    }

    fn silent(&self) -> String {
        format!("the mirror on {} does not answer", self.to.dir.display())
    }

    fn hand_over(&self, task: Task) -> Result<Receiver<Answer>, String> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.hand.try_send((task, reply)).map_err(|_| self.silent())?;
        Ok(answer)
    }

    /// Between commits: copies a lost mirror, ends a copy, folds what the principal has folded. With
    /// `alone` nobody else folds the principal's log.
    pub fn tick(&mut self, c: &Connection, alone: bool) {
        // Tried again here, so that a quiet database is told of as well.
        let _ = self.noted();
        // Without a mirror nothing is to be kept in the log for it.
        if alone && matches!(self.phase, Phase::Lost { .. }) && self.log_bytes() > CHECKPOINT {
            checkpoint(c);
        }
        let idle = !self.hangs();
        match &mut self.phase {
            Phase::Lost { since }
                if idle && since.elapsed() >= RETRY.min(self.to.patience) && self.unnoted.is_none() =>
            {
                let run = Run::default();
                match self.hand_over(Task::Copy(self.database.clone(), run.clone())) {
                    Ok(answer) => {
                        self.say(MirrorState::Synchronizing);
                        self.phase = Phase::Copying(Copying { answer, watch: run.progress.watch(), run });
                    }
                    Err(why) => self.lose(why),
                }
            }
            Phase::Copying(c) => match c.answer.try_recv() {
                // A copy of any length is waited for while it moves.
                Err(TryRecvError::Empty) if c.watch.still_for() < self.to.patience => {}
                Err(TryRecvError::Empty) => self.lose(self.silent()),
                Ok(Ok(())) => {
                    self.position = EMPTY;
                    match self.push().and_then(|()| self.to.witness.note(true)) {
                        Ok(()) => {
                            self.phase = Phase::Synchronized;
                            self.say(MirrorState::Synchronized);
                        }
                        Err(why) => self.lose(why),
                    }
                }
                Ok(Err(why)) => self.lose(why),
                Err(TryRecvError::Disconnected) => self.lose("its thread has ended".to_owned()),
            },
            Phase::Synchronized if alone && self.position.offset > CHECKPOINT => {
                checkpoint(c);
            }
            Phase::Lost { .. } | Phase::Synchronized => {}
        }
        self.follow();
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(beside(&self.database, "-wal")).map_or(0, |m| m.len())
    }

    /// The principal's log was folded: the mirror folds its own, which holds the same.
    pub fn follow(&mut self) {
        let empty = self.log_bytes() == 0;
        if matches!(self.phase, Phase::Synchronized) && empty && self.position.salts.is_some() {
            match self.ask(Task::Fold) {
                Ok(()) => self.position = EMPTY,
                Err(why) => self.lose(why),
            }
        }
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Phase::Copying(c) = &self.phase {
            c.run.given_up.store(true, Ordering::SeqCst);
        }
    }
}

fn long_ago() -> Instant {
    Instant::now().checked_sub(RETRY).unwrap_or_else(Instant::now)
}

fn carry_out(dir: &Path, file: &str, task: Task) -> std::io::Result<()> {
    match task {
        Task::Copy(from, run) => copy(&from, dir, file, &run),
        Task::Append(offset, bytes) => append(dir, file, offset, &bytes),
        Task::Fold => fold(dir, file, &Progress::default()),
    }
}

fn log_of(dir: &Path, file: &str) -> PathBuf {
    beside(&dir.join(file), "-wal")
}

/// The marker of a database file: `mgc.mirror` of `mgc.db`.
fn marker(dir: &Path, file: &str) -> PathBuf {
    dir.join(file).with_extension("mirror")
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Replaces the mirror by the principal's file. One that is no mirror may hold what nobody else has.
fn copy(from: &Path, dir: &Path, name: &str, run: &Run) -> std::io::Result<()> {
    run.go_on()?;
    if !dir.is_dir() {
        let text = format!("the folder of the SQL instance, {}, is not there", dir.display());
        return Err(std::io::Error::new(std::io::ErrorKind::NotFound, text));
    }
    let (file, fresh) = (dir.join(name), dir.join(name).with_extension("mirror.copy"));
    if marker(dir, name).exists() {
        fold(dir, name, &run.progress)?; // what it had stays readable until the new file is there
    } else if file.exists() {
        let aside = super::orphans::place(dir, name)?;
        super::database::set_aside(dir, &aside, name).map_err(|e| std::io::Error::other(e.to_string()))?;
    }
    let facts = |p: &Path| std::fs::metadata(p).and_then(|m| Ok((m.len(), m.modified()?)));
    let before = facts(from)?;
    pour(from, &fresh, run)?;
    if facts(from)? != before {
        return Err(std::io::Error::other("the database was folded while it was copied"));
    }
    run.go_on()?;
    File::create(marker(dir, name))?.sync_all()?;
    for ending in ["-wal", "-shm", "-shipped"] {
        match std::fs::remove_file(beside(&file, ending)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    std::fs::rename(&fresh, &file)?;
    sync_dir(dir)
}

/// Copies a file in pieces that are synced one by one.
fn pour(from: &Path, to: &Path, run: &Run) -> std::io::Result<()> {
    let mut source = File::open(from)?;
    let file = File::create(to)?;
    file.set_permissions(source.metadata()?.permissions())?;
    let mut target = Steady::new(file, &run.progress);
    let mut piece = vec![0; 1 << 18];
    loop {
        run.go_on()?;
        let n = source.read(&mut piece)?;
        if n == 0 {
            return target.finish();
        }
        target.write_all(&piece[..n])?;
    }
}

fn append(dir: &Path, file: &str, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
    let path = log_of(dir, file);
    let mut log = OpenOptions::new().write(true).create(offset == 0).truncate(false).open(&path)?;
    if log.metadata()?.len() != offset {
        return Err(std::io::Error::other("the mirror's log was written to by somebody else"));
    }
    log.seek(SeekFrom::Start(offset))?;
    log.write_all(bytes)?;
    log.sync_data()?;
    if offset == 0 { sync_dir(dir) } else { Ok(()) }
}

/// Writes what the log holds into the file. A kill in between is repaired by doing it again.
fn fold(dir: &Path, name: &str, progress: &Progress) -> std::io::Result<()> {
    let log = log_of(dir, name);
    if let Some(found) = wal::read(&log, EMPTY).map_err(|e| std::io::Error::other(e.to_string()))? {
        let file = OpenOptions::new().write(true).open(dir.join(name))?;
        let size = u64::from(found.db_pages) * u64::from(found.page_size);
        file.set_len(size)?;
        let mut file = Steady::new(file, progress);
        for (number, page) in &found.pages {
            file.seek(SeekFrom::Start(u64::from(number - 1) * u64::from(found.page_size)))?;
            file.write_all(page)?;
        }
        file.finish()?;
    }
    if log.exists() {
        let log = OpenOptions::new().write(true).open(&log)?;
        log.set_len(0)?;
        log.sync_all()?;
    }
    Ok(())
}

/// Whether the database of this folder is a mirror.
pub fn is_mirror(dir: &Path) -> bool {
    marked(dir, FILE)
}

/// The same of a file.
pub(super) fn marked(dir: &Path, file: &str) -> bool {
    marker(dir, file).exists()
}

/// Opens what was the mirror, when it is sound.
pub(super) fn sound(dir: &Path, file: &str) -> Result<Connection, StoreError> {
    let c = read_write(&dir.join(file), false).map_err(database_error)?;
    let sound: String = c.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(database_error)?;
    if sound == "ok" { Ok(c) } else { Err(StoreError::Database(format!("the mirror is damaged: {sound}"))) }
}

/// Makes the mirror of this folder the database that is opened, as epoch `epoch`: what was opened before is
/// fenced. Doing it again changes nothing.
///
/// # Errors
/// When there is no readable database.
pub fn take_over(dir: &Path, epoch: u64) -> Result<(), StoreError> {
    let c = sound(dir, FILE)?;
    if super::database::epoch_of(&c).map_err(database_error)? < epoch {
        super::database::set_meta(&c, "epoch", &epoch.to_string()).map_err(database_error)?;
    }
    drop(c);
    forget(dir)
}

/// The database of this folder is no mirror any more.
///
/// # Errors
/// I/O.
pub fn forget(dir: &Path) -> Result<(), StoreError> {
    unmark(dir, FILE)
}

/// The same of a file.
pub(super) fn unmark(dir: &Path, file: &str) -> Result<(), StoreError> {
    let removed = match std::fs::remove_file(marker(dir, file)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        // A marker that a power cut brings back would keep closed what took over.
        _ if dir.is_dir() => sync_dir(dir),
        _ => Ok(()),
    };
    removed.map_err(|e| StoreError::Database(e.to_string()))
}

/// A principal that was closed and whose mirror has everything becomes the mirror: it is no orphan.
///
/// # Errors
/// I/O.
pub fn step_down(dir: &Path) -> Result<(), StoreError> {
    mark(dir, FILE)
}

/// The same of a file.
pub(super) fn mark(dir: &Path, file: &str) -> Result<(), StoreError> {
    let made = File::create(marker(dir, file)).and_then(|f| f.sync_all()).and_then(|()| sync_dir(dir));
    made.map_err(|e| StoreError::Database(e.to_string()))
}

/// Deletes the mirror of this folder; a database that is no mirror is left alone. Whether there was one.
///
/// # Errors
/// I/O.
pub fn drop_mirror(dir: &Path) -> Result<bool, StoreError> {
    drop_marked(dir, FILE)
}

/// The same of a file.
pub(super) fn drop_marked(dir: &Path, file: &str) -> Result<bool, StoreError> {
    if !marked(dir, file) {
        return Ok(false);
    }
    for ending in ["-wal", "-shm", "-shipped", ""] {
        match std::fs::remove_file(beside(&dir.join(file), ending)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Database(e.to_string()));
            }
            _ => {}
        }
    }
    unmark(dir, file).map(|()| true)
}
