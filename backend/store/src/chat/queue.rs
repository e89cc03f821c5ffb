//! The compliance queue of an open database: its mirror, and what the adapter takes out of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use node::traits::{ComplianceEvent, StoreError};

use super::adapter::QueuedEvent;
use super::compliance::ComplianceQueue;
use super::database::{MgcDatabase, Store};
use super::database_error;
use super::mirror::{MirrorState, MirrorTo};

/// Where events are queued.
#[derive(Clone)]
pub struct QueueAt {
    /// Folder of the SQL instance.
    pub dir: PathBuf,
    /// Its mirror.
    pub mirror: Option<MirrorTo>,
}

/// The open queue; empty once a mirrored one is closed, because its file may be a mirror from then on.
pub(super) struct OpenQueue {
    queue: Mutex<Option<ComplianceQueue>>,
    mirror: Option<Arc<Mutex<MirrorState>>>,
}

impl OpenQueue {
    pub(super) fn open(at: QueueAt) -> Result<Self, StoreError> {
        let queue = match at.mirror {
            Some(to) => ComplianceQueue::open_mirrored(&at.dir, to)?,
            None => ComplianceQueue::open(&at.dir).map_err(database_error)?,
        };
        let mirror = queue.mirror();
        Ok(Self { queue: Mutex::new(Some(queue)), mirror })
    }

    /// Tells it which database it records; see [`ComplianceQueue::follow`].
    pub(super) fn follow(&self, mgc: &rusqlite::Connection, epoch: u64) -> Result<(), StoreError> {
        let missed = self.with(|q| q.follow(mgc, epoch))?;
        if missed > 0 {
            tracing::info!(missed, "posts whose compliance events a kill had lost are queued");
        }
        Ok(())
    }

    fn with<T>(
        &self,
        f: impl FnOnce(&mut ComplianceQueue) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_mut().map_or(Err(StoreError::Closed), f)
    }

    pub(super) fn push(&self, events: &[ComplianceEvent]) -> Result<(), StoreError> {
        self.with(|q| q.push(events))
    }
}

impl Store {
    /// Runs `f` with the queue where it may wait; none when nothing is recorded.
    async fn queue<T: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&OpenQueue) -> T + Send + 'static,
    ) -> Option<T> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.compliance.as_ref().map(f)).await.unwrap_or_default()
    }
}

impl MgcDatabase {
    /// State of the queue's mirror; none when the queue has none.
    pub fn queue_mirror(&self) -> Option<MirrorState> {
        let state = self.store.compliance.as_ref()?.mirror.as_ref()?;
        Some(state.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The adapter's batch under way, or a new one.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the queue is not open here.
    pub fn queued(&self) -> Result<Vec<QueuedEvent>, StoreError> {
        self.store.compliance.as_ref().map_or(Err(StoreError::Closed), |q| q.with(ComplianceQueue::batch))
    }

    /// Deletes the batch under way.
    ///
    /// # Errors
    /// As [`MgcDatabase::queued`].
    pub fn written(&self) -> Result<(), StoreError> {
        self.store.compliance.as_ref().map_or(Err(StoreError::Closed), |q| q.with(ComplianceQueue::written))
    }

    /// Looks after the queue's mirror.
    pub(super) async fn queue_turn(&self) {
        if self.queue_mirror().is_none() {
            return;
        }
        let tick = |q: &OpenQueue| {
            q.with(|q| {
                q.tick();
                Ok(())
            })
        };
        // Closed: then there is nothing to look after.
        let _ = self.store.queue(tick).await;
    }

    /// Closes a queue that is mirrored. Others stay: what chat servers still have is recorded.
    pub(super) async fn close_queue(&self) {
        if self.queue_mirror().is_none() {
            return;
        }
        let close = |q: &OpenQueue| {
            let taken = q.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(q) = taken {
                q.close();
            }
        };
        self.store.queue(close).await.unwrap_or_default();
    }
}
