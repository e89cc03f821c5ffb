//! The three jobs of log shipping, and what they did last. Source: procedures §6.

use std::sync::Arc;
use std::time::Duration;

use shared::deployment::PoolState;
use shared::{ObjectId, Timestamp};
use store::chat::MgcDatabase;
use store::chat::mirror::MirrorState;
use store::chat::shipping::{Mark, PATIENCE, clean, within};

use super::Fleet;
use super::wanted::Wanted;

/// How often the jobs run.
const EVERY: Duration = Duration::from_secs(1);
/// Applied segments are deleted from the share after three days.
const KEEP_MILLIS: i64 = 72 * 3_600_000;
/// Turns between two looks for segments to delete.
const CLEAN_EVERY: u64 = 600;

/// What the jobs of a pool did last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shipping {
    /// The side in use.
    pub from: PoolState,
    /// Newest segment in the share.
    pub shipped: Option<Mark>,
    /// Newest segment that is applied on the other side.
    pub applied: Option<Mark>,
    /// When the backup job last succeeded.
    pub backup_at: Option<Timestamp>,
    /// When copy and restore last succeeded.
    pub restore_at: Option<Timestamp>,
    /// Messages of the database in use, last known; none before the first turn.
    pub messages: Option<u64>,
    /// State of the mirror; told when it changes.
    pub mirror: Option<MirrorState>,
    /// Why the backup job failed the last time.
    pub backup_error: Option<String>,
    /// Why copy or restore failed the last time.
    pub restore_error: Option<String>,
}

impl Shipping {
    /// Up to when the other side has what was committed; none when it has nothing. A quiet database ships
    /// nothing: then the jobs' last turn is how far the other side is.
    pub fn complete_until(&self) -> Option<Timestamp> {
        let applied = self.applied.as_ref()?;
        let all = self.shipped.as_ref().is_some_and(|s| (s.epoch, s.seq) == (applied.epoch, applied.seq));
        let turn = self.backup_at.min(self.restore_at).filter(|_| all);
        Some(turn.map_or(applied.cut, |t| t.max(applied.cut)))
    }

    /// Messages that the other side does not have yet, as far as is known here.
    pub fn messages_behind(&self) -> Option<u64> {
        Some(self.messages?.saturating_sub(self.applied.as_ref()?.messages))
    }
}

impl Fleet {
    /// Runs the jobs of all pools until the program ends.
    pub async fn ship(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut turn = 0_u64;
        loop {
            ticks.tick().await;
            turn += 1;
            let work: Vec<_> = {
                let slots = self.slots();
                let open = |s: &super::Slot| {
                    Some((s.wanted.clone()?, s.open.as_ref()?.database.clone(), s.open.as_ref()?.state))
                };
                slots.iter().filter_map(|(id, s)| open(s).map(|o| (id.clone(), o))).collect()
            };
            for (pool, (w, database, side)) in work {
                if w.ship_to().is_some() || w.mirror.is_some() {
                    self.turn(&pool, w, &database, side, turn.is_multiple_of(CLEAN_EVERY)).await;
                }
            }
        }
    }

    /// One turn for one pool. The lock keeps a switch from moving the files meanwhile.
    async fn turn(&self, pool: &ObjectId, w: Wanted, database: &MgcDatabase, side: PoolState, tidy: bool) {
        let _moving = self.moving.lock().await;
        let still = self.slots().get(pool).is_some_and(|s| s.open.as_ref().is_some_and(|o| o.state == side));
        if !still {
            return;
        }
        let shipped = database.ship().await;
        let epoch = shipped.as_ref().ok().and_then(Option::as_ref).map(|m| m.epoch);
        let now = self.clock.now();
        let restore = tokio::task::spawn_blocking(move || {
            let (Some(share), Some(secondary)) = (w.share.clone(), w.secondary(side)) else {
                return (Ok(()), None);
            };
            let epoch = epoch.or_else(|| secondary.applied().map(|a| a.mark.epoch)).unwrap_or(0);
            let done = secondary
                .copy_within(&share, epoch, PATIENCE)
                .and_then(|_| secondary.apply(epoch))
                .map(drop)
                .map_err(|e| e.to_string());
            let applied = secondary.applied().map(|a| a.mark);
            if let (true, Some(mark)) = (tidy, &applied) {
                let before = Timestamp::from_millis(now.millis() - KEEP_MILLIS);
                let (folder, mark) = (share.clone(), mark.clone());
                let work = move |_: &_| clean(&folder, &mark, before);
                if let Err(e) = within(&share, "clean", PATIENCE, work) {
                    tracing::warn!(cause = %e, "old segments could not be deleted");
                }
            }
            (done, applied)
        });
        let (restored, applied) = restore.await.unwrap_or_else(|e| (Err(e.to_string()), None));
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(pool) else { return };
        let old = slot.shipping.clone();
        let s = &mut slot.shipping;
        if s.from != side {
            *s = Shipping { from: side, ..Shipping::default() };
        }
        match shipped {
            Ok(mark) => {
                s.shipped = mark.or_else(|| s.shipped.take());
                s.backup_at = Some(now);
                s.backup_error = None;
            }
            Err(e) => s.backup_error = Some(e.to_string()),
        }
        match restored {
            Ok(()) => {
                s.restore_at = Some(now);
                s.restore_error = None;
            }
            Err(e) => s.restore_error = Some(e),
        }
        s.applied = applied;
        s.messages = Some(database.messages());
        // The page hears of what a person would look at, not of every turn.
        let told = |x: &Shipping| {
            (
                x.shipped.clone(),
                x.applied.clone(),
                x.backup_error.clone(),
                x.restore_error.clone(),
                x.mirror.clone(),
            )
        };
        s.mirror = database.mirror();
        let news = told(&old) != told(s);
        drop(slots);
        if news {
            self.bump();
        }
    }

    /// State of the mirror of the database in use; none when it has none or nothing is open.
    pub fn mirror_of(&self, pool: &ObjectId) -> Option<MirrorState> {
        self.slots().get(pool)?.open.as_ref()?.database.mirror()
    }

    /// What the jobs of a pool did last; none when it ships nowhere.
    pub fn shipping(&self, pool: &ObjectId) -> Option<Shipping> {
        let slots = self.slots();
        let slot = slots.get(pool)?;
        slot.wanted
            .as_ref()?
            .ship_to()
            .filter(|_| slot.wanted.as_ref().is_some_and(|w| w.backup.is_some()))?;
        Some(slot.shipping.clone())
    }
}
