//! One writer thread per database: a bounded queue, group commit, acknowledgement after the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use node::traits::{Committed, StoreError};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::database_error;
use super::mirror::Mirror;
use super::shipping::{self, ShipError, Turn};

/// Writes that may wait; beyond that callers wait.
const QUEUE: usize = 1024;
/// Writes per commit.
const GROUP: usize = 64;

/// What runs after the commit (or its failure).
type After = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// A write: its SQL, giving what runs afterwards, and whether its part is kept. Instead of a connection it
/// gets the reason when its turn cannot come.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> (After, bool) + Send>;

/// What comes of a turn of the backup job.
type Cut = Result<Turn, ShipError>;

/// What the thread does next.
enum Work {
    /// A write; several share a commit.
    Write(Job),
    /// A turn of the backup job of log shipping; between its turns only what may not wait that long.
    Ship(bool, oneshot::Sender<Cut>),
}

/// Handle of the thread.
pub struct Writer {
    sender: mpsc::Sender<Work>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
    events: broadcast::Sender<Committed>,
    messages: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread; it checks `epoch` at each commit. `messages` is counted on.
    pub fn start(
        connection: Connection,
        epoch: u64,
        events: broadcast::Sender<Committed>,
        shipping: Option<shipping::Job>,
        messages: Arc<AtomicU64>,
        mirror: Option<Mirror>,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("mgc-writer".to_owned())
            .spawn(move || work(connection, epoch, (shipping, mirror), receiver))?;
        Ok(Self { sender, thread: std::sync::Mutex::new(Some(thread)), events, messages })
    }

    /// Runs `f` in the next group and returns when it is committed.
    pub async fn call<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<(T, Vec<Committed>), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let (events, messages) = (self.events.clone(), self.messages.clone());
        let job: Job = Box::new(move |c| {
            let result = c.and_then(f);
            let keep = result.is_ok();
            let after: After = Box::new(move |committed| {
                let out = result.and_then(|(value, list)| committed.map(|()| (value, list)));
                let out = out.map(|(value, list)| {
                    for e in list {
                        if matches!(e, Committed::Message(_)) {
                            messages.fetch_add(1, Ordering::Relaxed);
                        }
                        // Nobody listening is fine.
                        let _ = events.send(e);
                    }
                    value
                });
                let _ = reply.send(out);
            });
            (after, keep)
        });
        self.sender.send(Work::Write(job)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// One turn of the backup job between commits; it does not wait for the share. When the job is not `due`,
    /// the mirror and the fence in the share are looked after all the same.
    pub async fn ship(&self, due: bool) -> Cut {
        let (reply, answer) = oneshot::channel();
        if self.sender.send(Work::Ship(due, reply)).await.is_err() {
            return Ok(Turn::Nothing);
        }
        answer.await.unwrap_or(Ok(Turn::Nothing))
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

fn work(
    mut c: Connection,
    epoch: u64,
    (mut shipping, mut mirror): (Option<shipping::Job>, Option<Mirror>),
    mut receiver: mpsc::Receiver<Work>,
) {
    let mut fenced = false;
    let mut next = receiver.blocking_recv();
    while let Some(work) = next.take() {
        match work {
            Work::Ship(due, reply) => {
                let hold = mirror.as_ref().is_some_and(Mirror::copying);
                let cut = match shipping.as_mut() {
                    Some(s) if due => s.turn(&c, hold, super::now()),
                    Some(s) => {
                        s.between();
                        Ok(Turn::Nothing)
                    }
                    None => Ok(Turn::Nothing),
                };
                if let Some(m) = &mut mirror {
                    m.tick(&c, shipping.is_none());
                }
                let _ = reply.send(cut);
            }
            Work::Write(first) => {
                let mut group = vec![first];
                while group.len() < GROUP {
                    match receiver.try_recv() {
                        Ok(Work::Write(job)) => group.push(job),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                // Another side is in use: what would be written here now would be lost.
                fenced |= shipping.as_ref().is_some_and(shipping::Job::fenced);
                commit(&mut c, if fenced { u64::MAX } else { epoch }, group, mirror.as_mut());
            }
        }
        if next.is_none() {
            next = receiver.blocking_recv();
        }
    }
    if let Some(m) = &mut mirror {
        m.settle();
    }
    let tail = shipping.as_mut().map(|s| s.finish(&c, super::now()));
    if let Some(Err(e)) = &tail {
        tracing::warn!(cause = %e, "the tail of a chat database could not be shipped; it stays in its log");
        return;
    }
    if let Err(e) = c.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
        tracing::warn!(cause = %e, "the last checkpoint of a chat database failed");
    }
    if let Some(m) = &mut mirror {
        m.follow();
    }
}

fn commit(c: &mut Connection, epoch: u64, group: Vec<Job>, mirror: Option<&mut Mirror>) {
    let (mut afters, mut group) = (Vec::new(), group.into_iter());
    let result = (|| {
        let mut tx = c.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database_error)?;
        if super::database::epoch_of(&tx).map_err(database_error)? != epoch {
            return Err(StoreError::Closed);
        }
        for job in group.by_ref() {
            let part = tx.savepoint().map_err(database_error)?;
            let (after, keep) = job(Ok(&part));
            afters.push(after);
            // SQLite ends the whole transaction by itself when the disk is full or fails: the next savepoint
            // would open one of its own, and half of the group would be kept.
            if part.is_autocommit() {
                return Err(StoreError::Database("the transaction was rolled back".to_owned()));
            }
            // A refused write leaves nothing; dropping the savepoint rolls it back.
            if keep {
                part.commit().map_err(database_error)?;
            }
        }
        tx.commit().map_err(database_error)
    })();
    // Acknowledged only when the mirror has it, or when it is noted that it has not.
    let result = result.and_then(|()| mirror.map_or(Ok(()), Mirror::committed));
    for after in afters {
        after(result.clone());
    }
    // Those whose turn did not come learn why: the database is locked, for example.
    if let Err(e) = result {
        group.for_each(|job| job(Err(e.clone())).0(Err(e.clone())));
    }
}
