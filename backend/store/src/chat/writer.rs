//! One writer thread per database: a bounded queue, group commit, acknowledgement after the commit.

use std::thread::JoinHandle;

use node::traits::{Committed, StoreError};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::database_error;

/// Writes that may wait; beyond that callers wait.
const QUEUE: usize = 1024;
/// Writes per commit.
const GROUP: usize = 64;

/// What runs after the commit (or its failure).
type After = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A write: its SQL, giving what runs afterwards, and whether its part is kept.
type Job = Box<dyn FnOnce(&Connection) -> (After, bool) + Send>;

/// Handle of the thread.
pub struct Writer {
    sender: mpsc::Sender<Job>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
    events: broadcast::Sender<Committed>,
}

impl Writer {
    /// Starts the thread; it checks `epoch` at each commit.
    pub fn start(
        connection: Connection,
        epoch: u64,
        events: broadcast::Sender<Committed>,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("mgc-writer".to_owned())
            .spawn(move || work(connection, epoch, receiver))?;
        Ok(Self { sender, thread: std::sync::Mutex::new(Some(thread)), events })
    }

    /// Runs `f` in the next group and returns when it is committed.
    pub async fn call<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<(T, Vec<Committed>), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let events = self.events.clone();
        let job: Job = Box::new(move |c| {
            let result = f(c);
            let keep = result.is_ok();
            let after: After = Box::new(move |committed| {
                let out = result.and_then(|(value, list)| committed.map(|()| (value, list)));
                let out = out.map(|(value, list)| {
                    for e in list {
                        // Nobody listening is fine.
                        let _ = events.send(e);
                    }
                    value
                });
                let _ = reply.send(out);
            });
            (after, keep)
        });
        self.sender.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Lets the queue run empty and ends the thread.
    pub async fn close(self) {
        let Self { sender, thread, .. } = self;
        drop(sender);
        let thread = thread.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(t) = thread {
            // A panic in the thread has been reported by it; there is nothing to add here.
            let _ = tokio::task::spawn_blocking(move || t.join()).await;
        }
    }
}

fn work(mut c: Connection, epoch: u64, mut receiver: mpsc::Receiver<Job>) {
    while let Some(first) = receiver.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = receiver.try_recv()
        {
            group.push(job);
        }
        commit(&mut c, epoch, group);
    }
    if let Err(e) = c.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
        tracing::warn!(cause = %e, "the last checkpoint of a chat database failed");
    }
}

fn commit(c: &mut Connection, epoch: u64, group: Vec<Job>) {
    let mut afters = Vec::new();
    let result = (|| {
        let mut tx = c.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database_error)?;
        if super::database::epoch_of(&tx).map_err(database_error)? != epoch {
            return Err(StoreError::Closed);
        }
        for job in group {
            let part = tx.savepoint().map_err(database_error)?;
            let (after, keep) = job(&part);
            afters.push(after);
            // A refused write leaves nothing; dropping the savepoint rolls it back.
            if keep {
                part.commit().map_err(database_error)?;
            }
        }
        tx.commit().map_err(database_error)
    })();
    for after in afters {
        after(result.clone());
    }
}
