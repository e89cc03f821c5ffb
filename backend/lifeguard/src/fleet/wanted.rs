//! What is wanted of the pools' databases, and the databases that publishing creates.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use shared::deployment::{PairHost, PoolState, SideHost};
use shared::shipping::Schedule;
use shared::topology::{ChatPool, FileStoreRef, Placement, SqlStore, Topology};
use shared::{ObjectId, Timestamp};
use store::chat::MgcDatabase;
use store::chat::shipping::{PATIENCE, Secondary, ShipTo};
use store::management::mirrors::{self, MirrorRow};
use store::management::{pools, topology};

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
    /// Folder of the log shipping chain in the pool's file store; none when there is no backup.
    pub share: Option<PathBuf>,
    /// Mirror of the side in use: label and folder.
    pub mirror: Option<(String, PathBuf)>,
    /// Where the principal of the side in use was opened last, when it is wanted on the other of the two.
    pub move_from: Option<(String, PathBuf)>,
    /// Mirror of the compliance queue in use, and where the queue was last when it is wanted on the other of the two.
    pub queue: super::queue::QueueMirror,
    /// A guided run has the databases in hand: nothing is opened meanwhile.
    pub held: bool,
    /// When the jobs of log shipping run.
    pub schedule: Schedule,
    /// Only one of the sides is of this process; another one owns the other.
    pub half: Option<Half>,
}

/// What a process knows of a pool of which it owns one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// Its side.
    pub side: PoolState,
    /// The epoch that the side in use was opened with last.
    pub epoch: u64,
    /// The switch under way.
    pub hold: Option<String>,
    /// Whether the portal has said all this since the program was started.
    pub confirmed: bool,
}

impl Wanted {
    /// Of the owner of `side`, which lies in `dir`.
    pub fn half(
        pool: &ObjectId,
        generation: u64,
        pair: &PairHost,
        side: PoolState,
        dir: &Path,
        confirmed: bool,
    ) -> Self {
        let place = |s: PoolState| {
            let dir = if s == side { dir.to_owned() } else { PathBuf::new() };
            (pair.side(s).store.label(), dir)
        };
        Self {
            pool: pool.clone(),
            state: pair.in_use,
            generation,
            forced: false,
            primary: place(PoolState::Normal),
            backup: Some(place(PoolState::FailedOver)),
            compliance: None,
            queue: super::queue::QueueMirror::default(),
            share: Some(PathBuf::from(&pair.share)),
            mirror: None,
            move_from: None,
            held: pair.hold.is_some(),
            schedule: pair.schedule,
            half: Some(Half { side, epoch: pair.epoch, hold: pair.hold.clone(), confirmed }),
        }
    }

    /// Whether nothing is to be open in this process.
    pub fn rests(&self) -> bool {
        self.held || self.half.as_ref().is_some_and(|h| h.side != self.state)
    }

    /// Label and folder of a side; none of one that another process owns.
    pub fn side(&self, state: PoolState) -> Option<&(String, PathBuf)> {
        if self.half.as_ref().is_some_and(|h| h.side != state) {
            return None;
        }
        match state {
            PoolState::Normal => Some(&self.primary),
            PoolState::FailedOver => self.backup.as_ref(),
        }
    }

    /// Where the side in use ships to.
    pub fn ship_to(&self) -> Option<ShipTo> {
        Some(ShipTo { share: self.share.clone()?, id: self.pool.to_string(), patience: PATIENCE })
    }

    /// The side that log shipping restores into while `open` is in use.
    pub fn secondary(&self, open: PoolState) -> Option<Secondary> {
        let (_, dir) = self.side(other(open))?;
        self.share.as_ref().map(|_| Secondary::new(dir, self.pool.as_str()))
    }
}

/// The other side.
pub fn other(state: PoolState) -> PoolState {
    match state {
        PoolState::Normal => PoolState::FailedOver,
        PoolState::FailedOver => PoolState::Normal,
    }
}

/// Folder of the file store where the chain lies; only a folder that this program reaches.
fn share_dir(s: &Settings, t: &Topology, p: &ChatPool) -> Option<PathBuf> {
    p.backup_sql_store.as_ref()?;
    let root = match &p.file_store {
        FileStoreRef::LocalPath(path) => PathBuf::from(path),
        FileStoreRef::Share(id) => {
            let store = t.file_store(id)?;
            match &store.placement {
                Placement::RunHere => s.share_dir(store),
                Placement::Address(path) => PathBuf::from(path),
                Placement::SqlServerGuided | Placement::HereAt(_) | Placement::Node(_) => return None,
            }
        }
    };
    Some(root.join("log-shipping").join(p.fqdn.as_str()))
}

/// A label with its folder.
pub(super) type Place = Option<(String, PathBuf)>;

/// Principal and mirror of one side.
pub(super) struct Pair {
    pub(super) principal: Place,
    pub(super) mirror: Place,
    pub(super) move_from: Place,
    /// The principal is wanted on the mirror's store.
    moved: bool,
}

/// Beside the principal: on the mirror's store events are queued in an mgccomp of its own.
fn beside(p: &Pair) -> Option<PathBuf> {
    p.principal.as_ref().map(|(_, dir)| dir.clone())
}

pub(super) fn mirrored(own: Place, mirror: Place, row: MirrorRow) -> Pair {
    if !row.installed || mirror.is_none() {
        return Pair { principal: own, mirror: None, move_from: None, moved: false };
    }
    let (principal, other) = if row.on_mirror { (mirror, own) } else { (own, mirror) };
    let move_from = other.clone().filter(|_| row.on_mirror != row.opened_on_mirror);
    Pair { principal, mirror: other, move_from, moved: row.on_mirror }
}

/// What the published topology and the state rows want.
pub fn wanted(c: &Connection, s: &Settings) -> Result<Vec<Wanted>, Fault> {
    let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
    let mut out = Vec::new();
    for p in &t.pools {
        if let Some(pair) = pair(c, &t, p)? {
            if let Some(side) = pair.of(None) {
                let dir = s.sql_dir(&pair.side(side).store);
                let generation = pools::state(c, &p.id)?.map_or(0, |r| r.generation);
                out.push(Wanted::half(&p.id, generation, &pair, side, &dir, true));
            }
            continue;
        }
        let here = |store: &SqlStore| {
            (store.placement == Placement::RunHere).then(|| (store.label(), s.sql_dir(store)))
        };
        let row = pools::state(c, &p.id)?;
        let state = row.map(|r| r.state).unwrap_or_default();
        let both = |side: PoolState| -> Result<Pair, Fault> {
            let (own, mirror) = p.mgc_stores(side);
            let place = |id: Option<&ObjectId>| id.and_then(|id| t.sql_store(id)).and_then(here);
            let (own, mirror, row) = (place(own), place(mirror), mirrors::get(c, &p.id, side)?);
            Ok(mirrored(own, mirror, row))
        };
        let (normal, backup) = (both(PoolState::Normal)?, both(PoolState::FailedOver)?);
        let Some(primary) = normal.principal.clone() else { continue };
        let in_use = if state == PoolState::Normal { &normal } else { &backup };
        let (mirror, move_from) = (in_use.mirror.clone(), in_use.move_from.clone());
        let queue = super::queue::pair_of(c, s, &t, p, state)?;
        out.push(Wanted {
            pool: p.id.clone(),
            state,
            generation: row.map_or(0, |r| r.generation),
            forced: row.is_some_and(|r| r.forced),
            primary,
            backup: backup.principal.clone(),
            compliance: super::queue::place(queue.as_ref(), || {
                let own = compliance_dir(s, &t, p, state);
                own.map(|dir| if in_use.moved { beside(in_use).unwrap_or(dir) } else { dir })
            }),
            queue: queue.into(),
            share: share_dir(s, &t, p),
            mirror,
            move_from,
            held: pools::held_by(c, &p.id)?.is_some(),
            schedule: pools::shipping(c, &p.id)?,
            half: None,
        });
    }
    Ok(out)
}

/// The pool's two sides, when they are in different processes and at least one of them is a node's.
pub fn pair(c: &Connection, t: &Topology, p: &ChatPool) -> Result<Option<PairHost>, Fault> {
    let Some(pair) = p.pair(t) else { return Ok(None) };
    let row = pools::state(c, &p.id)?;
    let state = row.map(|r| r.state).unwrap_or_default();
    let (in_use, epoch) = pools::opened(c, &p.id)?.unwrap_or_default();
    let switch = || (state != in_use).then(|| format!("state-{}", row.map_or(0, |r| r.generation)));
    let side = |s: &SqlStore| SideHost {
        node: match &s.placement {
            Placement::Node(n) => Some(n.clone()),
            _ => None,
        },
        store: s.clone(),
    };
    Ok(Some(PairHost {
        in_use,
        epoch,
        state,
        forced: row.is_some_and(|r| r.forced),
        hold: pools::held_by(c, &p.id)?.or_else(switch),
        primary: side(pair.primary),
        backup: side(pair.backup),
        share: pair.share.join("log-shipping").join(p.fqdn.as_str()).display().to_string(),
        schedule: pools::shipping(c, &p.id)?,
    }))
}

/// Events are queued beside the side in use: after a failover in the backup store's own mgccomp. What waits
/// in the other one stays there. Source: S1, H:define-compliance-store.
pub fn compliance_dir(s: &Settings, t: &Topology, p: &ChatPool, state: PoolState) -> Option<PathBuf> {
    let id = match state {
        PoolState::Normal => p.compliance_sql_store.as_ref(),
        PoolState::FailedOver => p.backup_compliance_sql_store.as_ref().or(p.compliance_sql_store.as_ref()),
    };
    let store = t.sql_store(id?)?;
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
    for id in [&p.compliance_sql_store, &p.backup_compliance_sql_store].into_iter().flatten() {
        if let Some(x) = store(id) {
            log.push(created(store::chat::ComplianceQueue::create(&s.sql_dir(x)), "mgccomp", x, p)?);
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
    // Whatever lies there, also a mirror or one that does not answer, is not replaced by publishing.
    if MgcDatabase::lies_in(to) || Secondary::new(to, p.id.as_str()).applied().is_some() {
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
