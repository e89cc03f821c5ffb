//! Compliance events on their way to the database: one writer, in the order in which they happened.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::traits::{ChatStore, ComplianceEvent, StoreError};

/// Events that may wait; posts and joins are refused above this, so that nothing goes unrecorded.
const WAITING: usize = 20_000;
/// Events per transaction.
const BATCH: usize = 256;
/// Wait before a failed batch is tried again.
const RETRY: Duration = Duration::from_secs(1);

type Entry = (Arc<dyn ChatStore>, ComplianceEvent);

/// The events that wait, each with the store of its time.
#[derive(Default)]
pub struct Journal {
    waiting: Mutex<VecDeque<Entry>>,
    wake: Notify,
    closed: AtomicBool,
}

impl Journal {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event. It is taken even when [`Journal::is_full`]: a leave cannot be refused.
    pub fn push(&self, store: &Arc<dyn ChatStore>, event: ComplianceEvent) {
        self.waiting().push_back((store.clone(), event));
        self.wake.notify_one();
    }

    /// Whether what can be refused is refused.
    pub fn is_full(&self) -> bool {
        self.waiting().len() >= WAITING
    }

    /// No more events come; [`Journal::run`] ends when all are written.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// The first events that belong to one store.
    fn batch(&self) -> Option<(Arc<dyn ChatStore>, Vec<ComplianceEvent>)> {
        let waiting = self.waiting();
        let store = waiting.front()?.0.clone();
        let same = waiting.iter().take_while(|(s, _)| s.generation() == store.generation());
        let events = same.take(BATCH).map(|(_, e)| e.clone()).collect();
        Some((store, events))
    }

    /// The first `n` events go to another store: theirs is closed. Their numbers are none of that store's.
    fn hand_over(&self, n: usize, to: &Arc<dyn ChatStore>) {
        for (store, event) in self.waiting().iter_mut().take(n) {
            *store = to.clone();
            event.message = None;
        }
    }

    /// Writes batch after batch until closed and empty. `now` is the store in use.
    pub async fn run(&self, now: impl Fn() -> Option<Arc<dyn ChatStore>>) {
        loop {
            while let Some((store, events)) = self.batch() {
                let n = events.len();
                let written = store.record_events(events).await;
                let other = || now().filter(|s| s.generation() != store.generation());
                if let (Err(StoreError::Closed), Some(other)) = (&written, other()) {
                    self.hand_over(n, &other);
                    continue;
                }
                match written {
                    Ok(()) => {
                        self.waiting().drain(..n);
                    }
                    Err(e) => {
                        tracing::error!(cause = %e, waiting = self.waiting().len(), "compliance events wait");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            if self.closed.load(Ordering::Acquire) {
                return;
            }
            self.wake.notified().await;
        }
    }
}
