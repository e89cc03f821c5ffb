//! Chat databases of the pools that run here: opens the side that is wanted, and switches a pool
//! between primary and backup. This is the only place that opens, copies or closes an mgc.
//!
//! Switching: close the gate and drain → copy the open side into the other (a rename is the commit
//! point; the copy carries the next epoch) → note the side → open it. The side that was opened last is
//! noted before it is opened, so a restart in between does the same again, and a database that vanished
//! is never silently replaced by an older one.

pub mod apart;
pub mod elsewhere;
mod half;
pub mod queue;
mod rehearse;
mod rehearse_half;
mod shipping;
pub mod switch;
mod wanted;
mod work;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::traits::{ChatStore, Databases};
use shared::deployment::PoolState;
use shared::{ObjectId, Timestamp};
use store::chat::mirror::MirrorState;
use store::chat::{DbInfo, MgcDatabase};
use store::management::Management;
use tokio::sync::{Notify, watch};

pub use self::half::NOT_YET;
pub use self::shipping::Shipping;
use self::switch::switch;
pub use self::wanted::{Wanted, compliance_dir, create_databases, other, pair, wanted};
use crate::clock::Clock;

/// What is known of one side.
#[derive(Debug, Clone, Default)]
pub struct SideView {
    /// Store label.
    pub store: String,
    /// The node that has it; none when it is here.
    pub node: Option<String>,
    /// What the database says of itself, when it answers.
    pub info: Option<DbInfo>,
    /// Why it does not answer.
    pub error: Option<String>,
    /// When it was last copied from the other side.
    pub copied_at: Option<Timestamp>,
    /// Whether its folder can take a new copy.
    pub creatable: bool,
    /// Messages in it, when it is the one in use.
    pub messages: Option<u64>,
    /// Log shipping restores into it: up to when it has what was committed.
    pub restoring: Option<Timestamp>,
}

/// Both sides of a pool.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    /// Primary.
    pub primary: SideView,
    /// Backup; its store is empty when there is none.
    pub backup: SideView,
    /// Events waiting in mgccomp.
    pub compliance_queue: Option<u64>,
    /// Which side is open.
    pub open: Option<PoolState>,
    /// Why the wanted side is not open.
    pub trouble: Option<String>,
    /// Mirror of the side in use: its store and state; no state while nothing is open.
    pub mirror: Option<(String, Option<MirrorState>)>,
    /// The same of mgccomp.
    pub queue_mirror: Option<(String, Option<MirrorState>)>,
}

struct Open {
    state: PoolState,
    generation: u64,
    /// Compliance queue it was opened with; another one needs it opened anew.
    compliance: Option<PathBuf>,
    /// Its folder, its mirrors and where it ships to, likewise.
    place: Places,
    database: Arc<MgcDatabase>,
}

impl Open {
    fn fits(&self, w: &Wanted) -> bool {
        !w.rests() && self.state == w.state && self.compliance == w.compliance && self.place == place(w)
    }
}

type Places = [Option<PathBuf>; 4];

fn place(w: &Wanted) -> Places {
    let share = w.share.clone().filter(|_| w.backup.is_some());
    let [own, mirror, queue] =
        [w.side(w.state), w.mirror.as_ref(), w.queue.to.as_ref()].map(|p| p.map(|(_, d)| d.clone()));
    [own, mirror, queue, share]
}

#[derive(Default)]
struct Slot {
    wanted: Option<Wanted>,
    shipping: Shipping,
    open: Option<Open>,
    /// It is being closed or opened.
    busy: bool,
    /// What the open half of a pool said of itself when it was looked at last: its opening, and when.
    looked: Option<(u64, std::time::Instant, DbInfo)>,
    trouble: Option<String>,
    /// Held while its database files are moved, copied or restored. Each pool has its own: one whose share is slow
    /// keeps no other from being switched.
    moving: Moving,
}

type Moving = Arc<tokio::sync::Mutex<()>>;

/// The databases of all pools that run here.
pub struct Fleet {
    slots: Mutex<HashMap<ObjectId, Slot>>,
    wake: Notify,
    changed: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    store: Management,
    /// Databases that nodes own.
    elsewhere: elsewhere::Elsewhere,
    /// Pools whose sides are in different processes, as the portal sees them.
    apart: apart::Apart,
}

impl Fleet {
    /// A fleet with no pools yet.
    pub fn new(clock: Arc<dyn Clock>, store: Management) -> Arc<Self> {
        let changed = watch::channel(0).0;
        Arc::new(Self {
            slots: Mutex::default(),
            wake: Notify::new(),
            elsewhere: elsewhere::Elsewhere::new(changed.clone()),
            apart: apart::Apart::new(changed.clone()),
            changed,
            clock,
            store,
        })
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock of a pool's files.
    fn moving(&self, pool: &ObjectId) -> Moving {
        self.slots().get(pool).map(|s| s.moving.clone()).unwrap_or_default()
    }

    /// The databases that nodes own.
    pub fn elsewhere(&self) -> &elsewhere::Elsewhere {
        &self.elsewhere
    }

    /// Pools whose sides are in different processes.
    pub fn apart(&self) -> &apart::Apart {
        &self.apart
    }

    /// Sets what is wanted and wakes the reconciler.
    pub fn wanted(&self, list: Vec<Wanted>) {
        let mut slots = self.slots();
        for (pool, slot) in slots.iter_mut() {
            if !list.iter().any(|w| w.pool == *pool) {
                slot.wanted = None;
            }
        }
        for w in list {
            let pool = w.pool.clone();
            slots.entry(pool).or_default().wanted = Some(w);
        }
        drop(slots);
        self.wake.notify_one();
    }

    /// Runs until the program ends: brings every pool to its wanted side; tries again when one fails.
    pub async fn run(self: Arc<Self>) {
        work::run(self).await;
    }

    fn pools(&self) -> Vec<ObjectId> {
        self.slots().keys().cloned().collect()
    }

    async fn reconcile(&self, pool: &ObjectId) -> bool {
        let gone = self.slots().get_mut(pool).filter(|s| s.wanted.is_none()).map(|s| s.open.take());
        if let Some(open) = gone {
            self.release(pool, open).await;
            return true;
        }
        let (wanted, open) = {
            let mut slots = self.slots();
            let Some(slot) = slots.get_mut(pool) else { return true };
            let Some(w) = slot.wanted.clone() else { return true };
            if slot.open.as_ref().is_some_and(|o| o.fits(&w)) {
                if let Some(o) = slot.open.as_mut() {
                    o.generation = w.generation;
                }
                slot.trouble = None;
                self.bump();
                return true;
            }
            // From here on nobody gets the old store: posts stop.
            slot.busy = slot.open.is_some() || !w.rests();
            (w, slot.open.take())
        };
        self.bump();
        if let Some(o) = open {
            o.database.close().await;
        }
        if wanted.rests() {
            if let Some(slot) = self.slots().get_mut(pool) {
                let held = || "a guided run has the databases in hand".to_owned();
                slot.trouble = wanted.held.then(held);
                slot.busy = false;
            }
            self.bump();
            return true;
        }
        let _moving = self.moving(pool).lock_owned().await;
        let at = self.clock.now();
        let (w, store) = (wanted.clone(), self.store.clone());
        let result = tokio::task::spawn_blocking(move || switch(&w, &store, at))
            .await
            .unwrap_or_else(|e| Err(e.to_string()));
        let ok = result.is_ok();
        let mut slots = self.slots();
        if let Some(slot) = slots.get_mut(pool) {
            slot.busy = false;
            match result {
                Ok(database) => {
                    slot.trouble = None;
                    let (state, generation) = (wanted.state, wanted.generation);
                    let place = place(&wanted);
                    slot.open =
                        Some(Open { state, generation, compliance: wanted.compliance, place, database });
                }
                Err(e) => {
                    tracing::error!(%pool, cause = %e, "the wanted database could not be opened");
                    slot.trouble = Some(e);
                }
            }
        }
        drop(slots);
        self.bump();
        ok
    }

    /// A pool that was taken out of the topology: its database is closed, then forgotten.
    async fn release(&self, pool: &ObjectId, open: Option<Open>) {
        if let Some(o) = open {
            o.database.close().await;
        }
        let mut slots = self.slots();
        if slots.get(pool).is_some_and(|s| s.wanted.is_none()) {
            slots.remove(pool);
        }
        drop(slots);
        self.bump();
    }

    /// Waits until the database of a pool that was taken out is closed.
    ///
    /// # Errors
    /// A text when `limit` has passed.
    pub async fn released(&self, pool: &ObjectId, limit: Duration) -> Result<(), String> {
        let mut rx = self.changed.subscribe();
        let wait = async {
            while self.slots().contains_key(pool) {
                if rx.changed().await.is_err() {
                    return;
                }
            }
        };
        let late = || "its database is still being closed".to_owned();
        tokio::time::timeout(limit, wait).await.map_err(|_| late())
    }

    fn bump(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// What is wanted of a pool.
    pub fn wanted_of(&self, pool: &ObjectId) -> Option<Wanted> {
        self.slots().get(pool).and_then(|s| s.wanted.clone())
    }

    /// Pools whose wanted database is not open. One that a guided run has in hand is wanted closed.
    pub fn not_open(&self) -> Vec<ObjectId> {
        let slots = self.slots();
        let missing = |s: &Slot| {
            s.wanted.as_ref().is_some_and(|w| !w.rests() && s.open.as_ref().is_none_or(|o| !o.fits(w)))
        };
        let mut out: Vec<ObjectId> =
            slots.iter().filter(|(_, s)| missing(s)).map(|(id, _)| id.clone()).collect();
        drop(slots);
        let away = |p: &ObjectId| self.elsewhere.away(p).is_some() && !self.apart.held(p);
        out.extend(self.elsewhere.pools().into_iter().filter(away));
        out
    }

    /// Pools with log shipping whose jobs have not run yet since the program was started.
    pub fn not_shipped_yet(&self) -> Vec<ObjectId> {
        let slots = self.slots();
        let new = |s: &Slot| {
            let x = &s.shipping;
            let ran = (x.backup_at.is_some() && x.restore_at.is_some())
                || x.backup_error.is_some()
                || x.restore_error.is_some();
            s.wanted.as_ref().is_some_and(|w| w.share.is_some() && w.half.is_none()) && !ran
        };
        let here = slots.iter().filter(|(_, s)| new(s)).map(|(id, _)| id.clone());
        here.chain(self.apart.unheard()).collect()
    }

    /// Waits until no database of the pool is open, then runs `work` on its files while nobody else
    /// touches them.
    ///
    /// # Errors
    /// What `work` returns, or that the database did not close within `limit`.
    pub async fn with_files<T: Send + 'static>(
        &self,
        pool: &ObjectId,
        limit: Duration,
        work: impl FnOnce(&Wanted) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let mut rx = self.changed.subscribe();
        let closed = || self.slots().get(pool).is_none_or(|s| s.open.is_none() && s.trouble.is_some());
        let wait = async {
            loop {
                while !closed() {
                    if rx.changed().await.is_err() {
                        break;
                    }
                }
                // Who waited for the lock may have opened it by what was wanted before.
                let moving = self.moving(pool).lock_owned().await;
                if closed() {
                    return moving;
                }
            }
        };
        let moving = tokio::time::timeout(limit, wait).await;
        let _moving = moving.map_err(|_| "its database is still being closed".to_owned())?;
        let w = self.wanted_of(pool).ok_or("the pool does not run here")?;
        tokio::task::spawn_blocking(move || work(&w)).await.unwrap_or_else(|e| Err(e.to_string()))
    }

    /// Waits until the pool uses the side that is wanted, or until that was tried and failed.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn tried(&self, pool: &ObjectId, limit: Duration) -> Result<(), String> {
        let mut rx = self.changed.subscribe();
        let failed = || self.slots().get(pool).and_then(|s| s.trouble.clone().filter(|_| !s.busy));
        let trouble = async {
            loop {
                if let Some(why) = failed() {
                    return why;
                }
                if rx.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        tokio::select! {
            r = self.converged(pool, limit) => r,
            why = trouble => Err(why),
        }
    }

    /// Waits until the pool uses the side that is wanted.
    ///
    /// # Errors
    /// Why it does not, when `limit` has passed.
    pub async fn converged(&self, pool: &ObjectId, limit: Duration) -> Result<(), String> {
        let done = || {
            if self.apart.has(pool) {
                return self.unsettled(pool).is_none().then_some(());
            }
            if self.elsewhere.has(pool) {
                return self.elsewhere.away(pool).is_none().then_some(());
            }
            let slots = self.slots();
            let slot = slots.get(pool)?;
            let w = slot.wanted.as_ref()?;
            slot.open.as_ref().filter(|o| o.fits(w) && o.generation == w.generation).map(|_| ())
        };
        let mut rx = self.changed.subscribe();
        let wait = async {
            while done().is_none() {
                if rx.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(limit, wait).await.is_ok() {
            return Ok(());
        }
        Err(self
            .slots()
            .get(pool)
            .and_then(|s| s.trouble.clone())
            .or_else(|| self.unsettled(pool))
            .or_else(|| self.elsewhere.away(pool))
            .unwrap_or_else(|| "it takes longer than expected.".to_owned()))
    }

    /// Why a pool whose sides are in different processes does not use the side that is wanted; none when it
    /// does, and for other pools.
    fn unsettled(&self, pool: &ObjectId) -> Option<String> {
        self.apart.unsettled(pool).or_else(|| self.elsewhere.away(pool).filter(|_| self.apart.has(pool)))
    }

    /// What is known of both sides of a pool; probes files that are not open.
    pub async fn sides(&self, pool: &ObjectId) -> Sides {
        if let Some(told) = self.apart.sides(pool, self.elsewhere.away(pool)) {
            return told;
        }
        if let Some(told) = self.elsewhere.sides(pool).await {
            return told;
        }
        let (wanted, open, trouble, shipping) = {
            let slots = self.slots();
            let Some(slot) = slots.get(pool) else { return Sides::default() };
            (
                slot.wanted.clone(),
                slot.open.as_ref().map(|o| (o.state, o.database.clone())),
                slot.trouble.clone(),
                slot.shipping.clone(),
            )
        };
        let Some(w) = wanted else { return Sides::default() };
        let state = open.as_ref().map(|o| o.0);
        let look = move || {
            let side = |s: PoolState| {
                let live = open.as_ref().filter(|o| o.0 == s).map(|o| &o.1);
                let mut v = w.side(s).map(|(label, dir)| view(label, dir, live)).unwrap_or_default();
                // A quiet database ships nothing: then the jobs' last turn is how far the other side is.
                if v.restoring.is_some() && shipping.from != s && shipping.applied == shipping.shipped {
                    v.restoring = shipping.backup_at.min(shipping.restore_at).or(v.restoring);
                }
                v
            };
            let queue = w.compliance.as_ref().and_then(|d| store::chat::ComplianceQueue::count(d).ok());
            let state_of = |_: &_| open.as_ref().and_then(|(_, db)| db.mirror());
            let mirror = w.mirror.as_ref().map(|m| (m.0.clone(), state_of(m)));
            let queued = |_: &_| open.as_ref().and_then(|(_, db)| db.queue_mirror());
            Sides {
                mirror,
                queue_mirror: w.queue.to.as_ref().map(|m| (m.0.clone(), queued(m))),
                primary: side(PoolState::Normal),
                backup: side(PoolState::FailedOver),
                compliance_queue: queue,
                open: state,
                trouble,
            }
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Closes every database, at the end of the program.
    pub async fn shutdown(&self) {
        let open: Vec<_> = self.slots().values_mut().filter_map(|s| s.open.take()).collect();
        self.bump();
        for o in open {
            o.database.close().await;
        }
    }
}

fn view(label: &str, dir: &Path, live: Option<&Arc<MgcDatabase>>) -> SideView {
    let probe = match live {
        Some(db) => db.probe_open(dir),
        None => MgcDatabase::probe(dir),
    };
    let mut v = SideView { store: label.to_owned(), creatable: dir.is_dir(), ..SideView::default() };
    if let Some(a) = store::chat::shipping::Secondary::new(dir, "").applied() {
        v.restoring = Some(a.mark.cut);
        v.copied_at = Some(a.mark.cut);
        v.creatable = true;
        return v;
    }
    match probe {
        Ok(info) => {
            v.copied_at = info.copied_at;
            v.messages = Some(info.messages);
            v.info = Some(info);
        }
        Err(e) => v.error = Some(e),
    }
    v
}

impl Databases for Fleet {
    fn current(&self, pool: &ObjectId) -> Option<Arc<dyn ChatStore>> {
        let here = self.slots().get(pool).and_then(|s| s.open.as_ref()).map(|o| o.database.store());
        here.or_else(|| self.elsewhere.current(pool))
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
