//! The steps of a run as they happen, with those that are under way.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::synthetic::{Phase, Role, StepRecord};

use crate::cause::Failure;

/// A step under way.
#[derive(Debug, Clone, Copy)]
struct Running {
    role: Role,
    phase: Phase,
    started: Duration,
}

/// Records steps; `progress` is told each as it ends.
pub struct Recorder<'a> {
    zero: Instant,
    steps: Mutex<Vec<StepRecord>>,
    running: Mutex<Vec<Running>>,
    progress: &'a (dyn Fn(StepRecord) + Send + Sync),
}

/// Microseconds, as the report counts.
pub fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Recorder<'a> {
    /// Begins now.
    pub fn new(progress: &'a (dyn Fn(StepRecord) + Send + Sync)) -> Self {
        Self { zero: Instant::now(), steps: Mutex::default(), running: Mutex::default(), progress }
    }

    /// Time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.zero.elapsed()
    }

    fn end(&self, r: Running, ok: bool, detail: String) {
        let duration = self.zero.elapsed().saturating_sub(r.started);
        let record = StepRecord {
            role: r.role,
            phase: r.phase,
            started_us: micros(r.started),
            duration_us: micros(duration),
            ok,
            detail,
        };
        lock(&self.steps).push(record.clone());
        (self.progress)(record);
    }

    /// Runs a phase and records it.
    pub async fn step<T>(
        &self,
        role: Role,
        phase: Phase,
        work: impl Future<Output = Result<(T, String), Failure>>,
    ) -> Result<T, Failure> {
        let running = Running { role, phase, started: self.zero.elapsed() };
        lock(&self.running).push(running);
        let result = work.await;
        // A user is in one step at a time.
        lock(&self.running).retain(|r| (r.role, r.phase) != (role, phase));
        match result {
            Ok((value, detail)) => {
                self.end(running, true, detail);
                Ok(value)
            }
            Err(f) => {
                self.end(running, false, f.seen.clone());
                Err(f)
            }
        }
    }

    /// The run was cut off: each step that was under way ends as failed, with what `failure` says of it.
    /// The failure of the one that began first is returned.
    pub fn cut_off(&self, failure: impl Fn(Role, Phase) -> Failure) -> Option<Failure> {
        let mut cut = std::mem::take(&mut *lock(&self.running));
        cut.sort_by_key(|r| r.started);
        let mut first = None;
        for r in cut {
            let f = failure(r.role, r.phase);
            self.end(r, false, f.seen.clone());
            first.get_or_insert(f);
        }
        first
    }

    /// The steps in the order in which they ended.
    pub fn into_steps(self) -> Vec<StepRecord> {
        self.steps.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
