//! Chat databases of the pools that run here: opens the side that is wanted, and switches a pool
//! between primary and backup. This is the only place that opens, copies or closes an mgc.
//!
//! Switching: close the gate and drain → copy the open side into the other (a rename is the commit
//! point; the copy carries the next epoch) → note the side → open it. The side that was opened last is
//! noted before it is opened, so a restart in between does the same again, and a database that vanished
//! is never silently replaced by an older one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::traits::{ChatStore, Databases};
use rusqlite::Connection;
use shared::deployment::PoolState;
use shared::topology::{ChatPool, Placement, SqlStore, Topology};
use shared::{ObjectId, Timestamp};
use store::chat::{DbInfo, MgcDatabase};
use store::management::{Management, StoreError, pools, topology};
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::door::Fault;
use crate::settings::Settings;

/// What is wanted of a pool's databases.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The pool.
    pub pool: ObjectId,
    /// Normal: primary; FailedOver: backup.
    pub state: PoolState,
    /// Generation of the state row.
    pub generation: u64,
    /// The loss was acknowledged.
    pub forced: bool,
    /// Primary: label and folder.
    pub primary: (String, PathBuf),
    /// Backup.
    pub backup: Option<(String, PathBuf)>,
    /// Compliance queue, when enabled.
    pub compliance: Option<PathBuf>,
}

impl Wanted {
    fn side(&self, state: PoolState) -> Option<&(String, PathBuf)> {
        match state {
            PoolState::Normal => Some(&self.primary),
            PoolState::FailedOver => self.backup.as_ref(),
        }
    }
}

/// What is known of one side.
#[derive(Debug, Clone, Default)]
pub struct SideView {
    /// Store label.
    pub store: String,
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
}

struct Open {
    state: PoolState,
    generation: u64,
    /// Compliance queue it was opened with; another one needs it opened anew.
    compliance: Option<PathBuf>,
    database: Arc<MgcDatabase>,
}

impl Open {
    fn fits(&self, w: &Wanted) -> bool {
        self.state == w.state && self.compliance == w.compliance
    }
}

#[derive(Default)]
struct Slot {
    wanted: Option<Wanted>,
    open: Option<Open>,
    trouble: Option<String>,
}

/// The databases of all pools that run here.
pub struct Fleet {
    slots: Mutex<HashMap<ObjectId, Slot>>,
    wake: Notify,
    changed: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    store: Management,
}

/// What the published topology and the state rows want.
pub fn wanted(c: &Connection, s: &Settings) -> Result<Vec<Wanted>, Fault> {
    let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
    let mut out = Vec::new();
    for p in &t.pools {
        let here = |store: &SqlStore| {
            (store.placement == Placement::RunHere).then(|| (store.label(), s.sql_dir(store)))
        };
        let Some(primary) = t.sql_store(&p.sql_store).and_then(here) else { continue };
        let row = pools::state(c, &p.id)?;
        out.push(Wanted {
            pool: p.id.clone(),
            state: row.map(|r| r.state).unwrap_or_default(),
            generation: row.map_or(0, |r| r.generation),
            forced: row.is_some_and(|r| r.forced),
            primary,
            backup: p.backup_sql_store.as_ref().and_then(|id| t.sql_store(id)).and_then(here),
            compliance: compliance_dir(s, &t, p),
        });
    }
    Ok(out)
}

fn compliance_dir(s: &Settings, t: &Topology, p: &ChatPool) -> Option<PathBuf> {
    let store = t.sql_store(p.compliance_sql_store.as_ref()?)?;
    (store.placement == Placement::RunHere).then(|| s.sql_dir(store))
}

/// Creates the databases a pool needs and lacks; what was done, a line each.
///
/// # Errors
/// What could not be created.
pub fn create_databases(
    s: &Settings,
    t: &Topology,
    p: &ChatPool,
    at: Timestamp,
) -> Result<Vec<String>, String> {
    let mut log = Vec::new();
    let store = |id: &ObjectId| t.sql_store(id).filter(|x| x.placement == Placement::RunHere);
    if let Some(primary) = store(&p.sql_store) {
        let dir = s.sql_dir(primary);
        log.push(created(MgcDatabase::create(&dir), "mgc", primary, p)?);
    }
    if let (Some(primary), Some(backup)) = (store(&p.sql_store), p.backup_sql_store.as_ref().and_then(store))
    {
        log.push(first_copy(&s.sql_dir(primary), &s.sql_dir(backup), backup, p, at)?);
    }
    if let Some(dir) = compliance_dir(s, t, p) {
        let made = store::chat::ComplianceQueue::create(&dir);
        let label = p.compliance_sql_store.as_ref().and_then(|id| t.sql_store(id));
        if let Some(label) = label {
            log.push(created(made, "mgccomp", label, p)?);
        }
    }
    Ok(log)
}

/// The backup begins as a copy of the primary, so that there is something to fall back to from the start.
/// Its epoch 0 is below any that was ever open.
fn first_copy(
    from: &Path,
    to: &Path,
    backup: &SqlStore,
    p: &ChatPool,
    at: Timestamp,
) -> Result<String, String> {
    if MgcDatabase::probe(to).is_ok() {
        return Ok(format!("The backup mgc of {} is on {} already.", p.fqdn, backup.label()));
    }
    MgcDatabase::copy(from, to, 0, at)
        .map_err(|e| format!("the backup mgc could not be made on {}: {e}", backup.label()))?;
    Ok(format!("The backup mgc of {} is made on {} as a copy of the primary.", p.fqdn, backup.label()))
}

fn created<E: std::fmt::Display>(
    r: Result<bool, E>,
    db: &str,
    s: &SqlStore,
    p: &ChatPool,
) -> Result<String, String> {
    match r {
        Ok(true) => Ok(format!("{db} of {} is created on {}.", p.fqdn, s.label())),
        Ok(false) => Ok(format!("{db} of {} is on {} already.", p.fqdn, s.label())),
        Err(e) => Err(format!("{db} of {} could not be created on {}: {e}", p.fqdn, s.label())),
    }
}

impl Fleet {
    /// A fleet with no pools yet.
    pub fn new(clock: Arc<dyn Clock>, store: Management) -> Arc<Self> {
        Arc::new(Self {
            slots: Mutex::default(),
            wake: Notify::new(),
            changed: watch::channel(0).0,
            clock,
            store,
        })
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
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
        loop {
            let mut trouble = false;
            let pools: Vec<ObjectId> = self.slots().keys().cloned().collect();
            for pool in pools {
                trouble |= !self.reconcile(&pool).await;
            }
            let wait = if trouble { Duration::from_secs(5) } else { Duration::from_secs(60) };
            // Woken by a change; the time-out is for databases that come back by themselves.
            let _ = tokio::time::timeout(wait, self.wake.notified()).await;
        }
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
            (w, slot.open.take())
        };
        self.bump();
        if let Some(o) = open {
            o.database.close().await;
        }
        let at = self.clock.now();
        let (w, store) = (wanted.clone(), self.store.clone());
        let result = tokio::task::spawn_blocking(move || switch(&w, &store, at))
            .await
            .unwrap_or_else(|e| Err(e.to_string()));
        let ok = result.is_ok();
        let mut slots = self.slots();
        if let Some(slot) = slots.get_mut(pool) {
            match result {
                Ok(database) => {
                    slot.trouble = None;
                    let (state, generation) = (wanted.state, wanted.generation);
                    slot.open = Some(Open { state, generation, compliance: wanted.compliance, database });
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

    /// Waits until the pool uses the side that is wanted.
    ///
    /// # Errors
    /// Why it does not, when `limit` has passed.
    pub async fn converged(&self, pool: &ObjectId, limit: Duration) -> Result<(), String> {
        let done = || {
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
            .unwrap_or_else(|| "it takes longer than expected.".to_owned()))
    }

    /// What is known of both sides of a pool; probes files that are not open.
    pub async fn sides(&self, pool: &ObjectId) -> Sides {
        let (wanted, open, trouble) = {
            let slots = self.slots();
            let Some(slot) = slots.get(pool) else { return Sides::default() };
            (
                slot.wanted.clone(),
                slot.open.as_ref().map(|o| (o.state, o.database.clone())),
                slot.trouble.clone(),
            )
        };
        let Some(w) = wanted else { return Sides::default() };
        let state = open.as_ref().map(|o| o.0);
        let look = move || {
            let side = |s: PoolState| {
                let live = open.as_ref().filter(|o| o.0 == s).map(|o| &o.1);
                w.side(s).map(|(label, dir)| view(label, dir, live)).unwrap_or_default()
            };
            let queue = w.compliance.as_ref().and_then(|d| store::chat::ComplianceQueue::count(d).ok());
            Sides {
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

/// Opens the wanted side. When the other side was in use, that one is copied first; when it does not
/// answer, the wanted side is opened as it stands only if the loss was acknowledged.
fn switch(w: &Wanted, store: &Management, at: Timestamp) -> Result<Arc<MgcDatabase>, String> {
    let (_, to) = w.side(w.state).ok_or("the pool has no backup SQL Server store")?;
    let last = store.read(|c| pools::opened(c, &w.pool)).map_err(|e: StoreError| e.to_string())?;
    if let Some((side, last_epoch)) = last.filter(|(side, _)| *side != w.state) {
        let (label, from) = w.side(side).ok_or("the side that was in use is not in the topology any more")?;
        match MgcDatabase::probe(from).and_then(|i| fresh(&i, last_epoch)) {
            Ok(there) => {
                MgcDatabase::copy(from, to, there.epoch + 1, at)
                    .map_err(|e| format!("the copy from {label} failed: {e}"))?;
            }
            Err(_) if w.forced => {
                let here = MgcDatabase::probe(to)?;
                MgcDatabase::promote(to, here.epoch.max(last_epoch) + 1).map_err(|e| e.to_string())?;
            }
            Err(e) => {
                return Err(format!("{label} does not answer ({e}), and the loss was not acknowledged"));
            }
        }
    }
    let info = MgcDatabase::probe(to)?;
    if let Some((_, epoch)) = last {
        fresh(&info, epoch)?;
    }
    store
        .write(|tx| pools::set_opened(tx, &w.pool, w.state, info.epoch))
        .map_err(|e: StoreError| e.to_string())?;
    MgcDatabase::open(to, info.epoch, w.compliance.as_deref(), None).map_err(|e| e.to_string())
}

/// A database that is older than the one used last is a stranger or a restored copy.
fn fresh(i: &DbInfo, last_epoch: u64) -> Result<DbInfo, String> {
    if i.epoch >= last_epoch {
        return Ok(i.clone());
    }
    Err(format!("its database is older (epoch {}) than the one used last (epoch {last_epoch})", i.epoch))
}

impl Databases for Fleet {
    fn current(&self, pool: &ObjectId) -> Option<Arc<dyn ChatStore>> {
        self.slots().get(pool).and_then(|s| s.open.as_ref()).map(|o| o.database.store())
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
