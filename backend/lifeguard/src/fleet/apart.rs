//! Pools whose sides are in different processes, as the portal sees them: what it decided, and what both owners
//! said last. Owners are asked every second; pages and pre-flights read what is known here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use node::remote::{Counted, HalfTold};
use shared::deployment::{Deployment, PairHost, PoolState};
use shared::{ObjectId, Timestamp};
use store::chat::DbInfo;
use tokio::sync::watch;

use super::half::mark;
use super::{Shipping, SideView, Sides, other};

/// What is known of one side.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// What its owner said last.
    last: Option<HalfTold>,
    /// Why it says nothing now.
    error: Option<String>,
    /// Messages that were seen here when it was asked.
    counted: Counted,
}

impl Heard {
    /// What its owner says now.
    fn now(&self) -> Option<&HalfTold> {
        self.last.as_ref().filter(|_| self.error.is_none())
    }
}

struct Known {
    pair: PairHost,
    primary: Heard,
    backup: Heard,
    /// Why a switch does not get on.
    trouble: Option<String>,
}

impl Known {
    fn heard(&self, side: PoolState) -> &Heard {
        match side {
            PoolState::Normal => &self.primary,
            PoolState::FailedOver => &self.backup,
        }
    }

    fn heard_mut(&mut self, side: PoolState) -> &mut Heard {
        match side {
            PoolState::Normal => &mut self.primary,
            PoolState::FailedOver => &mut self.backup,
        }
    }

    /// Whether the side in use is open.
    fn open(&self) -> bool {
        let in_use = self.heard(self.pair.in_use).now();
        self.pair.hold.is_none()
            && in_use.is_some_and(|t| {
                t.open && t.error.is_none() && t.in_use == self.pair.in_use && t.epoch >= self.pair.epoch
            })
    }

    fn why(&self, side: PoolState) -> Option<String> {
        let h = self.heard(side);
        let said = h.error.clone().or_else(|| {
            let t = h.last.as_ref()?;
            t.trouble.clone().or_else(|| t.error.clone())
        });
        let host = self.pair.side(side);
        Some(match (&host.node, said?) {
            (Some(n), why) if h.error.is_none() => format!("on node {n}: {why}"),
            (_, why) => why,
        })
    }

    /// The jobs of both owners; `counted` is what was seen here until now, also after the owner said something.
    fn shipping(&self, now: Timestamp, counted: Counted) -> Shipping {
        let from = self.pair.in_use;
        let (used, rest) = (self.heard(from), self.heard(other(from)));
        // What was said before the last switch says nothing of this log.
        let own = used.last.as_ref().filter(|t| t.in_use == from);
        let far = rest.last.as_ref().filter(|t| t.in_use == from);
        let gone = |h: &Heard, side| h.error.as_ref().and_then(|_| self.why(side));
        let x = Shipping {
            from,
            shipped: own.and_then(|t| t.shipped.as_ref()).map(mark),
            applied: far.and_then(|t| t.applied.as_ref()).map(mark),
            backup_at: own.and_then(|t| t.backup_at),
            restore_at: far.and_then(|t| t.restore_at),
            messages: own.map(|t| t.messages + counted.since(used.counted)),
            backup_error: gone(used, from).or_else(|| own.and_then(|t| t.backup_error.clone())),
            restore_error: gone(rest, other(from)).or_else(|| far.and_then(|t| t.restore_error.clone())),
            ..Shipping::default()
        };
        x.counted(own.map(|t| t.begun).unwrap_or(now), &self.pair.schedule, now)
    }

    fn view(&self, side: PoolState, now_shipping: &Shipping) -> SideView {
        let host = self.pair.side(side);
        let mut v = SideView { store: host.store.label(), node: host.node.clone(), ..SideView::default() };
        let Some(t) = self.heard(side).now() else {
            let unheard = || "its owner has not said anything yet".to_owned();
            v.error = Some(self.why(side).unwrap_or_else(unheard));
            return v;
        };
        v.creatable = t.folder;
        v.copied_at = t.copied_at;
        if let Some(a) = t.applied.as_ref().filter(|_| side != self.pair.in_use) {
            v.restoring = now_shipping.complete_until().or(Some(a.cut));
            v.copied_at = v.restoring;
            return v;
        }
        v.error = self.why(side);
        if v.error.is_none() {
            v.messages = Some(t.messages);
            v.info = Some(DbInfo {
                epoch: t.epoch,
                size_bytes: t.size_bytes,
                messages: t.messages,
                last_write: t.last_write,
                copied_at: t.copied_at,
            });
        }
        v
    }
}

/// Pools whose sides are in different processes.
pub struct Apart {
    pools: Mutex<HashMap<ObjectId, Known>>,
    changed: watch::Sender<u64>,
}

impl Apart {
    pub(super) fn new(changed: watch::Sender<u64>) -> Self {
        Self { pools: Mutex::default(), changed }
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<ObjectId, Known>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bump(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Follows what the portal decided.
    pub fn follow(&self, d: &Deployment) {
        let mut pools = self.pools();
        pools.retain(|id, _| d.pools.iter().any(|p| p.id == *id && p.pair.is_some()));
        for p in &d.pools {
            let Some(pair) = p.pair.clone() else { continue };
            let known = pools.entry(p.id.clone()).or_insert_with(|| Known {
                pair: pair.clone(),
                primary: Heard::default(),
                backup: Heard::default(),
                trouble: None,
            });
            for side in [PoolState::Normal, PoolState::FailedOver] {
                if known.pair.side(side) != pair.side(side) {
                    *known.heard_mut(side) = Heard::default();
                }
            }
            if known.pair.hold != pair.hold {
                known.trouble = None;
            }
            known.pair = pair;
        }
        drop(pools);
        self.bump();
    }

    /// Whether the pool is one of these.
    pub fn has(&self, pool: &ObjectId) -> bool {
        self.pools().contains_key(pool)
    }

    /// All of them.
    pub fn all(&self) -> Vec<(ObjectId, PairHost)> {
        self.pools().iter().map(|(id, k)| (id.clone(), k.pair.clone())).collect()
    }

    /// What the portal decided of a pool.
    pub fn pair(&self, pool: &ObjectId) -> Option<PairHost> {
        self.pools().get(pool).map(|k| k.pair.clone())
    }

    /// Whether the pool is being switched: then nothing is wanted open.
    pub fn held(&self, pool: &ObjectId) -> bool {
        self.pools().get(pool).is_some_and(|k| k.pair.hold.is_some())
    }

    /// What an owner said of its side, or why it says nothing.
    /// `counted` was seen here before it was asked.
    pub fn heard(&self, pool: &ObjectId, side: PoolState, what: Result<HalfTold, String>, counted: Counted) {
        let mut pools = self.pools();
        let Some(known) = pools.get_mut(pool) else { return };
        let of = known.heard_mut(side);
        let news = match what {
            Ok(t) if t.side == side => {
                // The page hears of what a person would look at, not of every second.
                let told = |t: &HalfTold| HalfTold {
                    free: None,
                    backup_at: None,
                    restore_at: None,
                    size_bytes: 0,
                    last_write: None,
                    ..t.clone()
                };
                let news = of.error.take().is_some() || of.last.as_ref().map(told) != Some(told(&t));
                (of.last, of.counted) = (Some(t), counted);
                news
            }
            Ok(_) => {
                of.error.replace("its owner has not heard of the pool as it is now".to_owned()).is_none()
            }
            Err(why) => of.error.replace(why.clone()) != Some(why),
        };
        drop(pools);
        if news {
            self.bump();
        }
    }

    /// What the owner of a side says now; none while it says nothing.
    pub fn told(&self, pool: &ObjectId, side: PoolState) -> Option<HalfTold> {
        self.pools().get(pool)?.heard(side).now().cloned()
    }

    /// Why a side does not answer.
    pub fn why(&self, pool: &ObjectId, side: PoolState) -> Option<String> {
        self.pools().get(pool)?.why(side)
    }

    /// Notes why a switch does not get on, or that it does.
    pub fn trouble(&self, pool: &ObjectId, why: Option<String>) {
        let mut pools = self.pools();
        let Some(known) = pools.get_mut(pool) else { return };
        let news = known.trouble != why;
        known.trouble = why;
        drop(pools);
        if news {
            self.bump();
        }
    }

    /// Why the side that is wanted is not in use; none when it is.
    pub fn unsettled(&self, pool: &ObjectId) -> Option<String> {
        let pools = self.pools();
        let k = pools.get(pool)?;
        if k.pair.state == k.pair.in_use && k.open() {
            return None;
        }
        let why = k.trouble.clone().or_else(|| k.why(k.pair.in_use));
        Some(why.unwrap_or_else(|| "its owners have not taken it up yet".to_owned()))
    }

    /// Both sides; `away` says why chat servers do not reach the one in use.
    pub(super) fn sides(&self, pool: &ObjectId, away: Option<String>) -> Option<Sides> {
        let pools = self.pools();
        let k = pools.get(pool)?;
        let x = k.shipping(Timestamp::default(), Counted::default());
        let open = k.open() && away.is_none();
        let trouble = k.trouble.clone().or_else(|| k.why(k.pair.in_use)).or(away);
        Some(Sides {
            queue_mirror: None,
            primary: k.view(PoolState::Normal, &x),
            backup: k.view(PoolState::FailedOver, &x),
            compliance_queue: None,
            open: open.then_some(k.pair.in_use),
            trouble: trouble.filter(|_| !open),
            mirror: None,
        })
    }

    /// What the jobs of both owners did last.
    pub(super) fn shipping(&self, pool: &ObjectId, now: Timestamp, counted: Counted) -> Option<Shipping> {
        self.pools().get(pool).map(|k| k.shipping(now, counted))
    }

    /// Pools of which not both owners have said anything yet.
    pub(super) fn unheard(&self) -> Vec<ObjectId> {
        let pools = self.pools();
        let new = |h: &Heard| h.last.is_none();
        let found = pools.iter().filter(|(_, k)| new(&k.primary) || new(&k.backup));
        found.map(|(id, _)| id.clone()).collect()
    }
}
