//! Carries cuts into the share on a thread of its own: a slow, full or hanging share delays neither posts
//! nor the closing of the database. At most [`ROOM`] cuts wait; beyond that commits stay in the log.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::chain::{Chain, Content, Cut};
use super::cutter::note_clean;
use super::progress::{Progress, Watch};
use super::segment::Header;
use super::{Mark, ShipError, ShipTo};

/// Cuts that may wait.
const ROOM: usize = 2;

/// What is to be carried, in order.
#[derive(Clone)]
enum Load {
    /// Find the newest segment.
    Open,
    /// Write a segment.
    Put(Arc<Cut>),
}

/// What came of [`Load::Open`].
pub enum Opened {
    /// Not asked yet, or asked anew because the chain was lost.
    No,
    /// Asked.
    Asked,
    /// The newest segment; none when a base begins the chain.
    Found(Option<Header>),
    /// The writer goes on from there.
    Used,
}

struct State {
    queue: VecDeque<Load>,
    /// Work to do: a new load, or another try.
    due: bool,
    stop: bool,
    closing: bool,
    /// Counts the times the chain was given up; work of an older one comes to nothing.
    generation: u64,
    working: Option<Watch>,
    /// A base that waits or is being read: the database file must not change.
    reading: bool,
    opened: Opened,
    mark: Option<Mark>,
    error: Option<ShipError>,
    /// The chain can only go on with [`Load::Open`].
    lost: bool,
}

/// The writer's handle of the thread.
pub struct Carrier {
    to: ShipTo,
    database: PathBuf,
    epoch: u64,
    opening: u64,
    state: Mutex<State>,
    wake: Condvar,
    done: Condvar,
    changed: watch::Sender<u64>,
}

impl Carrier {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(to: ShipTo, database: PathBuf, epoch: u64, opening: u64) -> std::io::Result<Arc<Self>> {
        let me = Arc::new(Self {
            to,
            database,
            epoch,
            opening,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                due: false,
                stop: false,
                closing: false,
                generation: 0,
                working: None,
                reading: false,
                opened: Opened::No,
                mark: None,
                error: None,
                lost: false,
            }),
            wake: Condvar::new(),
            done: Condvar::new(),
            changed: watch::channel(0).0,
        });
        let worker = me.clone();
        std::thread::Builder::new().name("mgc-carrier".to_owned()).spawn(move || worker.work())?;
        Ok(me)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the writer may do next: the answer to opening, and whether there is room for a cut.
    pub fn next(&self) -> Next {
        self.look(true)
    }

    /// The same; without `take` an answer to opening is left for the next look.
    pub fn look(&self, take: bool) -> Next {
        let mut s = self.state();
        if std::mem::take(&mut s.lost) {
            s.opened = Opened::No;
        }
        let next = match &s.opened {
            Opened::No => Next::Open,
            Opened::Found(last) => Next::Begin(last.clone()),
            Opened::Asked => Next::Wait,
            Opened::Used if s.queue.len() >= ROOM => Next::Wait,
            Opened::Used => Next::Cut { fold: !s.reading && s.error.is_none() },
        };
        if take && matches!(next, Next::Begin(_)) {
            s.opened = Opened::Used;
        }
        next
    }

    /// Asks for the newest segment.
    pub fn open(&self) {
        self.load(Load::Open, |s| s.opened = Opened::Asked);
    }

    /// Hands a cut over.
    pub fn put(&self, cut: Cut) {
        let base = matches!(cut.content, Content::Base(_));
        self.load(Load::Put(Arc::new(cut)), |s| s.reading |= base);
    }

    /// Tries what waits again, and looks whether a newer epoch was claimed.
    pub fn kick(&self) {
        self.state().due = true;
        self.wake.notify_one();
    }

    fn load(&self, load: Load, note: impl FnOnce(&mut State)) {
        let mut s = self.state();
        note(&mut s);
        s.queue.push_back(load);
        s.due = true;
        drop(s);
        self.wake.notify_one();
    }

    /// Gives up what waits: the next cut is a base. What is being written comes to nothing.
    pub fn give_up(&self) {
        let mut s = self.state();
        s.generation += 1;
        s.queue.clear();
        s.reading = false;
        s.opened = Opened::No;
        s.lost = false;
    }

    /// From here on only the tail is shipped.
    pub fn closing(&self) {
        self.state().closing = true;
    }

    /// Ends the thread as soon as it answers; a base that is not read yet comes to nothing.
    pub fn stop(&self) {
        let mut s = self.state();
        s.stop = true;
        if s.reading {
            s.generation += 1;
        }
        drop(s);
        self.wake.notify_one();
    }

    /// The newest segment in the share.
    pub fn mark(&self) -> Option<Mark> {
        self.state().mark.clone()
    }

    /// Whether a newer epoch was claimed.
    pub fn fenced(&self) -> bool {
        matches!(self.state().error, Some(ShipError::Fenced(_)))
    }

    /// Everything handed over is in the share, or why it is not; none while it is under way.
    pub fn settled(&self) -> Option<Result<(), ShipError>> {
        let mut s = self.state();
        if s.working.as_mut().is_some_and(|w| w.still_for() >= self.to.patience) {
            return Some(Err(ShipError::Silent(self.to.share.display().to_string())));
        }
        if s.working.is_some() || s.due {
            return None;
        }
        Some(s.error.clone().map_or(Ok(()), Err))
    }

    /// Waits until everything is settled; never much longer than the patience after the last thing moved.
    pub async fn wait(&self) -> Result<(), ShipError> {
        let mut rx = self.changed.subscribe();
        loop {
            if let Some(result) = self.settled() {
                return result;
            }
            let _ = tokio::time::timeout(self.to.patience / 4, rx.changed()).await;
        }
    }

    /// The same on a thread.
    pub fn wait_here(&self) -> Result<(), ShipError> {
        loop {
            if let Some(result) = self.settled() {
                return result;
            }
            let s = self.state();
            let _ = self.done.wait_timeout(s, self.to.patience / 8);
        }
    }

    fn work(&self) {
        let mut chain: Option<Chain> = None;
        while let Some((load, generation, progress)) = self.take() {
            let still = || {
                let mut s = self.state();
                let still = s.generation == generation;
                if still {
                    s.reading = false; // from here on the file may change again
                }
                still
            };
            let begun = Instant::now();
            if let Some(c) = &mut chain {
                c.closing = self.state().closing;
            }
            let result = match (&load, &mut chain) {
                (Some(Load::Open), _) => {
                    let run = (self.epoch, self.opening);
                    Chain::open(&self.to.share, &self.to.id, run, &progress).map(|c| {
                        let found = c.last().cloned();
                        chain = Some(c);
                        found
                    })
                }
                (Some(Load::Put(cut)), Some(c)) => c.put(cut, &progress, &still).map(|mark| {
                    if let Some(facts) = cut.folded
                        && let Err(e) = note_clean(&self.database, self.epoch, mark.seq, facts)
                    {
                        tracing::warn!(cause = %e, "a fold could not be noted; the next start ships a base");
                    }
                    None
                }),
                (None, Some(c)) => c.check_fence().and_then(|()| c.check_asked()).map(|()| None),
                (None, None) => Ok(None),
                (Some(Load::Put(_)), None) => {
                    Err(ShipError::Diverged("the chain in the share was given up".to_owned()))
                }
            };
            self.finish(load.as_ref(), generation, result, chain.as_ref());
            let took = begun.elapsed();
            if took > Duration::from_secs(1) {
                tracing::info!(share = %self.to.share.display(), ?took, "the share is slow");
            }
        }
    }

    /// Waits for work; none at the end.
    fn take(&self) -> Option<(Option<Load>, u64, Progress)> {
        let mut s = self.state();
        while !s.due && !s.stop {
            s = self.wake.wait(s).unwrap_or_else(PoisonError::into_inner);
        }
        if s.stop {
            return None;
        }
        s.due = false;
        let progress = Progress::default();
        s.working = Some(progress.watch());
        Some((s.queue.front().cloned(), s.generation, progress))
    }

    fn finish(
        &self,
        load: Option<&Load>,
        generation: u64,
        result: Result<Option<Header>, ShipError>,
        chain: Option<&Chain>,
    ) {
        let mut s = self.state();
        s.working = None;
        if s.generation == generation {
            match result {
                Ok(found) => {
                    s.error = None;
                    if load.is_some() {
                        s.queue.pop_front();
                    }
                    if matches!(load, Some(Load::Open)) {
                        s.opened = Opened::Found(found);
                    }
                    s.mark = chain.and_then(Chain::last).map(Mark::from);
                    s.due |= !s.queue.is_empty();
                }
                Err(e) => {
                    // Only beginning again helps after a divergence; after anything else the same is tried.
                    if matches!(e, ShipError::Diverged(_)) {
                        s.queue.clear();
                        s.reading = false;
                        s.lost = true;
                    }
                    s.error = Some(e);
                }
            }
        } else {
            s.due |= !s.queue.is_empty();
        }
        drop(s);
        self.done.notify_all();
        self.changed.send_modify(|n| *n += 1);
    }
}

/// What the writer may do next.
pub enum Next {
    /// Ask for the newest segment.
    Open,
    /// Go on behind it, or with a base.
    Begin(Option<Header>),
    /// Cut, and fold when the log is long.
    Cut {
        /// The share takes what is cut, and no base is being read.
        fold: bool,
    },
    /// Nothing.
    Wait,
}
