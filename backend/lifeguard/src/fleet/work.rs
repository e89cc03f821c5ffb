//! Brings every pool to its wanted side, each for itself: one whose share or disk is slow holds up no other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use shared::ObjectId;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::Fleet;

/// A pool that could not be brought there is tried again after this long.
const RETRY: Duration = Duration::from_secs(5);
/// All are looked at this often even when nothing was heard: databases come back by themselves.
const LOOK: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Work {
    tasks: JoinSet<bool>,
    pools: HashMap<Id, ObjectId>,
    /// Something changed while they were at work.
    again: HashSet<ObjectId>,
}

impl Work {
    fn begin(&mut self, fleet: &Arc<Fleet>, pool: ObjectId) {
        if self.pools.values().any(|p| *p == pool) {
            self.again.insert(pool);
            return;
        }
        let (fleet, of) = (fleet.clone(), pool.clone());
        let task = self.tasks.spawn(async move { fleet.reconcile(&of).await });
        self.pools.insert(task.id(), pool);
    }

    /// The next task that ends: its pool, and whether it got there.
    async fn ended(&mut self) -> Option<(ObjectId, bool)> {
        let (id, ok) = match self.tasks.join_next_with_id().await? {
            Ok(done) => done,
            Err(e) => {
                tracing::error!(cause = %e, "bringing a pool to its wanted side ended with a panic");
                (e.id(), false)
            }
        };
        self.pools.remove(&id).map(|pool| (pool, ok))
    }
}

/// Runs until the program ends.
pub(super) async fn run(fleet: Arc<Fleet>) {
    let mut work = Work::default();
    let mut look = Instant::now();
    loop {
        tokio::select! {
            () = fleet.wake.notified() => look = Instant::now(),
            () = sleep_until(look) => {
                for pool in fleet.pools() {
                    work.begin(&fleet, pool);
                }
                look = Instant::now() + LOOK;
            }
            Some((pool, ok)) = work.ended(), if !work.pools.is_empty() => {
                if work.again.remove(&pool) {
                    work.begin(&fleet, pool);
                } else if !ok {
                    look = look.min(Instant::now() + RETRY);
                }
            }
        }
    }
}
