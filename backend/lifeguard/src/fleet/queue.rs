//! The compliance queue of the side in use: where it is, its mirror, and its move between the two. mgccomp is
//! not failed over with mgc: each side has its own, and each may have a mirror.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use shared::deployment::PoolState;
use shared::topology::{ChatPool, Placement, SqlStore, Topology};
use shared::{ObjectId, Timestamp};
use store::chat::mirror::{self, MirrorState, MirrorTo};
use store::chat::{ComplianceQueue, MgcDatabase, QueueAt, queue_mirror};
use store::management::mirrors::{self, Which};
use store::management::{Management, StoreError};

use super::Fleet;
use super::switch::Rows;
use super::wanted::{Pair, Place, Wanted, compliance_dir, mirrored};
use crate::door::Fault;
use crate::settings::Settings;

/// The mirror of the queue in use; empty when it is not mirrored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueMirror {
    /// Label and folder of the mirror.
    pub to: Place,
    /// Where the queue was last, when it is wanted on the other of the two.
    pub move_from: Place,
}

impl From<Option<Pair>> for QueueMirror {
    fn from(p: Option<Pair>) -> Self {
        p.map(|p| Self { to: p.mirror, move_from: p.move_from }).unwrap_or_default()
    }
}

/// Principal and mirror of a side's queue; none when it is not mirrored.
pub(super) fn pair_of(
    c: &Connection,
    s: &Settings,
    t: &Topology,
    p: &ChatPool,
    state: PoolState,
) -> Result<Option<Pair>, Fault> {
    let here = |x: &SqlStore| (x.placement == Placement::RunHere).then(|| (x.label(), s.sql_dir(x)));
    let place = |id: Option<&ObjectId>| id.and_then(|id| t.sql_store(id)).and_then(here);
    let (own, mirror) = p.mgccomp_stores(state);
    let row = mirrors::get(c, &p.id, Which::queue(state))?;
    let found = mirrored(place(own), place(mirror), row);
    Ok(found.mirror.is_some().then_some(found))
}

/// Folder of the queue: a mirrored one stays where its principal is, whichever store mgc is on.
pub(super) fn place(p: Option<&Pair>, otherwise: impl FnOnce() -> Option<PathBuf>) -> Option<PathBuf> {
    match p {
        Some(p) => p.principal.as_ref().map(|(_, dir)| dir.clone()),
        None => otherwise(),
    }
}

/// A queue that the adapter writes out.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Mark in the names of its files.
    pub mark: &'static str,
    /// Its folder.
    pub dir: PathBuf,
    /// The side whose mirrored queue it is.
    pub mirrored: Option<PoolState>,
}

/// Every queue of a pool that there may be: of each side, and the one that was made beside an mgc while that
/// was in use on its mirror's store.
///
/// # Errors
/// The store's.
pub fn queues(c: &Connection, s: &Settings, t: &Topology, p: &ChatPool) -> Result<Vec<Queue>, Fault> {
    let mut out: Vec<Queue> = Vec::new();
    let mut add = |q: Queue| {
        let there = ComplianceQueue::path(&q.dir).exists() && !queue_mirror::is_mirror(&q.dir);
        if there && !out.iter().any(|o| o.dir == q.dir) {
            out.push(q);
        }
    };
    for (side, mark) in [(PoolState::Normal, ""), (PoolState::FailedOver, "backup-")] {
        let pair = pair_of(c, s, t, p, side)?;
        let on = pair.is_some().then_some(side);
        if let Some(dir) = place(pair.as_ref(), || compliance_dir(s, t, p, side)) {
            add(Queue { mark, dir, mirrored: on });
        }
    }
    for (side, mark) in [(PoolState::Normal, "mirror-"), (PoolState::FailedOver, "backup-mirror-")] {
        let store = p.mgc_stores(side).1.and_then(|id| t.sql_store(id));
        if let Some(x) = store.filter(|x| x.placement == Placement::RunHere) {
            add(Queue { mark, dir: s.sql_dir(x), mirrored: None });
        }
    }
    Ok(out)
}

/// What the database is opened with.
pub(super) fn open_at(w: &Wanted, store: &Management) -> Option<QueueAt> {
    let mirror = w.queue.to.as_ref().map(|(_, dir)| MirrorTo {
        dir: dir.clone(),
        witness: Arc::new(Rows { store: store.clone(), pool: w.pool.clone(), of: Which::queue(w.state) }),
        patience: mirror::PATIENCE,
    });
    w.compliance.clone().map(|dir| QueueAt { dir, mirror })
}

/// The queue goes from one store of the pair to the other, by the rules of an mgc. One that is mirrored and does
/// not answer is said: its mirror may have everything.
pub(super) fn move_queue(w: &Wanted, store: &Management, at: Timestamp) -> Result<(), String> {
    let (Some((mirror, _)), Some(to)) = (&w.queue.to, &w.compliance) else { return Ok(()) };
    if let Some((label, from)) = &w.queue.move_from {
        moved(w, store, (label, from), to, at)?;
    }
    ComplianceQueue::answers(to).map_err(|e| {
        format!(
            "{e}. It is mirrored to {mirror}: Invoke-CsDatabaseFailover with DatabaseType PersistentChatCompliance moves it"
        )
    })
}

fn moved(
    w: &Wanted,
    store: &Management,
    (label, from): (&str, &Path),
    to: &Path,
    at: Timestamp,
) -> Result<(), String> {
    let text = |e: node::traits::StoreError| e.to_string();
    let row = store.read(|c| mirrors::get(c, &w.pool, Which::queue(w.state)));
    let row = row.map_err(|e: StoreError| e.to_string())?;
    // A kill after the move and before it was noted: nothing is done twice.
    if queue_mirror::moved(from, to) {
        return Ok(());
    }
    let there = ComplianceQueue::answers(from);
    match (&there, row.synchronized) {
        (_, true) => queue_mirror::take_over(to).map_err(text)?,
        (Ok(()), false) => queue_mirror::copy(from, to).map_err(text)?,
        (Err(_), false) if row.forced => queue_mirror::take_over_with_loss(to, at).map_err(text)?,
        (Err(e), false) => {
            return Err(format!(
                "mgccomp on {label} does not answer ({e}), its mirror has not everything, and the loss was not acknowledged"
            ));
        }
    }
    // One that did not answer and comes back may hold what nobody else has: it is kept as an orphan.
    if there.is_ok() { queue_mirror::step_down(from).map_err(text) } else { Ok(()) }
}

impl Fleet {
    /// State of the mirror of the queue in use; none when it has none or nothing is open.
    pub fn queue_mirror_of(&self, pool: &ObjectId) -> Option<MirrorState> {
        self.slots().get(pool)?.open.as_ref()?.database.queue_mirror()
    }

    /// The open database whose queue is in this folder: only through it a mirrored queue is written to.
    pub fn queue_in_use(&self, pool: &ObjectId, dir: &Path) -> Option<Arc<MgcDatabase>> {
        let slots = self.slots();
        let open = slots.get(pool)?.open.as_ref()?;
        (open.compliance.as_deref() == Some(dir)).then(|| open.database.clone())
    }
}
