//! The three jobs of log shipping, and what they did last. Source: procedures §6.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shared::deployment::PoolState;
use shared::shipping::{Schedule, duration};
use shared::{ObjectId, Timestamp};
use store::chat::MgcDatabase;
use store::chat::mirror::MirrorState;
use store::chat::shipping::{Mark, PATIENCE, ask, clean, heal, within};
use tokio::task::JoinSet;

use super::Fleet;
use super::wanted::Wanted;

/// How often it is looked which jobs are due.
const EVERY: Duration = Duration::from_secs(1);
/// The looks are not a second apart to the millisecond: what is due half a second later is due now.
const SLACK_MILLIS: i64 = 500;
/// A log that is longer is shipped before its time: nothing but the backup job folds it.
const LONG_LOG: u64 = 64 * 1024 * 1024;
const HOUR_MILLIS: i64 = 3_600_000;
/// Segments that follow a whole copy and are older than they are kept for may weigh so much, or as much as the
/// copy: then another one takes their place.
const KEPT: u64 = 64 * 1024 * 1024;
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
    /// The same of mgccomp.
    pub queue_mirror: Option<MirrorState>,
    /// Why the backup job failed the last time.
    pub backup_error: Option<String>,
    /// Why copy or restore failed the last time.
    pub restore_error: Option<String>,
    /// What is later than its threshold, in a sentence.
    pub late: Option<String>,
    pub(super) turns: Turns,
}

/// When each job was begun last, for this opening of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Turns {
    opening: u64,
    begun: Timestamp,
    backup: Option<Timestamp>,
    copy: Option<Timestamp>,
    restore: Option<Timestamp>,
}

/// Whether a job is due again. A clock that was set back makes it due.
fn due(last: Option<Timestamp>, every: u32, now: Timestamp) -> bool {
    last.is_none_or(|t| {
        now < t || now.millis() - t.millis() + SLACK_MILLIS >= i64::from(every).saturating_mul(1000)
    })
}

impl Shipping {
    /// When its side was opened, as far as the jobs count.
    pub(super) fn begun(&self) -> Timestamp {
        self.turns.begun
    }

    /// The same of sides that others own: `begun` as their owner told it, and lateness by the schedule.
    pub(super) fn counted(mut self, begun: Timestamp, s: &Schedule, now: Timestamp) -> Self {
        self.turns.begun = begun;
        self.late = self.lateness(s, now);
        self
    }

    /// Up to when the other side has what was committed; none when it has nothing. A quiet database ships
    /// nothing: then the jobs' last turn is how far the other side is.
    pub fn complete_until(&self) -> Option<Timestamp> {
        let applied = self.applied.as_ref()?;
        let all = self.shipped.as_ref().is_some_and(|s| (s.epoch, s.seq) == (applied.epoch, applied.seq));
        let turn = self.backup_at.min(self.restore_at).filter(|_| all);
        Some(turn.map_or(applied.cut, |t| t.max(applied.cut)))
    }

    /// Seconds since the backup job succeeded, and seconds that the other side is behind; counted from the
    /// opening when they have not begun.
    pub fn ages(&self, now: Timestamp) -> (u64, u64) {
        let since = |t: Option<Timestamp>| t.unwrap_or_default().max(self.turns.begun);
        let age = |t: Option<Timestamp>| now.millis_since(since(t)) / 1000;
        (age(self.backup_at), age(self.complete_until()))
    }

    /// What is later than the schedule allows.
    fn lateness(&self, s: &Schedule, now: Timestamp) -> Option<String> {
        let (backup, restore) = self.ages(now);
        let text = |what: &str, age: u64, limit: u32| {
            format!("{what} {}, more than the {} that are allowed", duration(age), duration(u64::from(limit)))
        };
        if backup > u64::from(s.backup_alert_seconds) {
            return Some(text("the backup job has not succeeded for", backup, s.backup_alert_seconds));
        }
        let late = restore > u64::from(s.restore_alert_seconds);
        late.then(|| text("the other side is behind by", restore, s.restore_alert_seconds))
    }

    /// Messages that the other side does not have yet, as far as is known here.
    pub fn messages_behind(&self) -> Option<u64> {
        Some(self.messages?.saturating_sub(self.applied.as_ref()?.messages))
    }
}

/// The jobs that a turn does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Begin {
    backup: bool,
    pub(super) copy: bool,
    pub(super) restore: bool,
}

/// Deletes segments that are applied and older than the schedule keeps them. Those that follow the newest whole
/// copy are kept until they outweigh it; then another one is asked for, or, where there is no room for one, they go.
pub(super) fn delete_old(share: &Path, mark: &Mark, schedule: &Schedule, now: Timestamp) {
    let kept = i64::from(schedule.delete_after_hours) * HOUR_MILLIS;
    let before = Timestamp::from_millis(now.millis() - kept);
    let (folder, mark) = (share.to_owned(), mark.clone());
    let done = within(share, "clean", PATIENCE, move |p| {
        let c = clean(&folder, &mark, before, false, p)?;
        if c.expired <= c.base.max(KEPT) {
            return Ok(());
        }
        if crate::disk::free(&folder).is_some_and(|free| free < c.base.saturating_mul(2)) {
            return clean(&folder, &mark, before, true, p).map(drop);
        }
        ask(&folder, mark.epoch, "what is kept behind the last one outweighs it").map(drop)
    });
    if let Err(e) = done {
        tracing::warn!(cause = %e, "old segments could not be deleted");
    }
}

impl Fleet {
    /// Runs the jobs of all pools until the program ends.
    pub async fn ship(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut turn, mut turns) = (0_u64, JoinSet::new());
        loop {
            ticks.tick().await;
            turn += 1;
            let tidy = turn.is_multiple_of(CLEAN_EVERY);
            let work: Vec<_> = {
                let slots = self.slots();
                let open = |s: &super::Slot| {
                    Some((s.wanted.clone()?, s.open.as_ref()?.database.clone(), s.open.as_ref()?.state))
                };
                slots.iter().filter_map(|(id, s)| open(s).map(|o| (id.clone(), o))).collect()
            };
            // Each pool has its turns for itself: a share that is slow holds up no other. One whose files are in
            // somebody's hands, or whose last turn is not over, has its next turn later.
            for (pool, (w, database, side)) in work {
                if w.ship_to().is_some() || w.mirror.is_some() || w.queue.to.is_some() {
                    let Ok(moving) = self.moving(&pool).try_lock_owned() else { continue };
                    let begin = self.due(&pool, &w, &database, side);
                    let this = self.clone();
                    turns.spawn(async move {
                        this.turn(&pool, w, &database, side, (begin, tidy)).await;
                        drop(moving);
                    });
                }
            }
            for (pool, w, half) in self.resting() {
                let Ok(moving) = self.moving(&pool).try_lock_owned() else { continue };
                let this = self.clone();
                turns.spawn(async move {
                    this.follow_log(&pool, w, half, tidy).await;
                    drop(moving);
                });
            }
            while turns.try_join_next().is_some() {}
        }
    }

    /// Which jobs are due now; they count as begun. One that failed is due again at once.
    fn due(&self, pool: &ObjectId, w: &Wanted, database: &MgcDatabase, side: PoolState) -> Begin {
        let (now, opening) = (self.clock.now(), database.store().generation());
        let long = w.side(side).is_some_and(|(_, dir)| MgcDatabase::log_bytes(dir) > LONG_LOG);
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(pool) else { return Begin::default() };
        let (t, s) = (&mut slot.shipping.turns, &w.schedule);
        if t.opening != opening {
            *t = Turns { opening, begun: now, ..Turns::default() };
        }
        let failed = (slot.shipping.backup_error.is_some(), slot.shipping.restore_error.is_some());
        let t = &mut slot.shipping.turns;
        let begin = Begin {
            backup: failed.0 || long || due(t.backup, s.backup_seconds, now),
            copy: failed.1 || due(t.copy, s.copy_seconds, now),
            restore: failed.1 || due(t.restore, s.restore_seconds, now),
        };
        for (yes, at) in
            [(begin.backup, &mut t.backup), (begin.copy, &mut t.copy), (begin.restore, &mut t.restore)]
        {
            if yes {
                *at = Some(now);
            }
        }
        begin
    }

    /// Which jobs of a side are due whose log another process ships.
    pub(super) fn due_resting(&self, pool: &ObjectId, w: &Wanted) -> Begin {
        let now = self.clock.now();
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(pool) else { return Begin::default() };
        let x = &mut slot.shipping;
        if x.from != w.state || x.turns.opening != 0 {
            *x = Shipping {
                from: w.state,
                turns: Turns { begun: now, ..Turns::default() },
                ..Shipping::default()
            };
        }
        let (failed, t, s) = (x.restore_error.is_some(), &mut x.turns, &w.schedule);
        let copy = failed || due(t.copy, s.copy_seconds, now);
        let restore = failed || due(t.restore, s.restore_seconds, now);
        t.copy = if copy { Some(now) } else { t.copy };
        t.restore = if restore { Some(now) } else { t.restore };
        Begin { backup: false, copy, restore }
    }

    /// Notes what copy and restore of such a side did.
    pub(super) fn restored(
        &self,
        pool: &ObjectId,
        from: PoolState,
        begin: Begin,
        done: Result<(), String>,
        applied: Option<Mark>,
    ) {
        let now = self.clock.now();
        let mut slots = self.slots();
        let Some(x) = slots.get_mut(pool).map(|s| &mut s.shipping).filter(|x| x.from == from) else { return };
        let old = (x.applied.clone(), x.restore_error.clone());
        if done.is_ok() && begin.restore {
            x.restore_at = Some(now);
        }
        x.restore_error = done.err();
        x.applied = applied;
        let news = old != (x.applied.clone(), x.restore_error.clone());
        drop(slots);
        if news {
            self.bump();
        }
    }

    /// One turn for one pool, by whoever holds the lock that keeps a switch from moving the files meanwhile.
    async fn turn(
        &self,
        pool: &ObjectId,
        w: Wanted,
        database: &MgcDatabase,
        side: PoolState,
        (begin, tidy): (Begin, bool),
    ) {
        let still = self.slots().get(pool).is_some_and(|s| s.open.as_ref().is_some_and(|o| o.state == side));
        if !still {
            return;
        }
        let shipped = if begin.backup {
            Some(database.ship().await)
        } else {
            database.between_turns().await;
            None
        };
        let known = || self.slots().get(pool).and_then(|s| s.shipping.shipped.as_ref().map(|m| m.epoch));
        let epoch = match &shipped {
            Some(Ok(Some(mark))) => Some(mark.epoch),
            _ => known(),
        };
        let now = self.clock.now();
        let schedule = w.schedule;
        let restore = tokio::task::spawn_blocking(move || {
            let (Some(share), Some(secondary)) = (w.share.clone(), w.secondary(side)) else {
                return (Ok(()), None);
            };
            let epoch = epoch.or_else(|| secondary.applied().map(|a| a.mark.epoch)).unwrap_or(0);
            let copied =
                if begin.copy { secondary.copy_within(&share, epoch, PATIENCE).map(drop) } else { Ok(()) };
            let done = copied
                .and_then(|()| if begin.restore { secondary.apply(epoch).map(drop) } else { Ok(()) })
                .map_err(|e| heal(&share, epoch, &e));
            let applied = secondary.applied().map(|a| a.mark);
            if let (true, Some(mark)) = (tidy, &applied) {
                delete_old(&share, mark, &w.schedule, now);
            }
            (done, applied)
        });
        let (restored, applied) = restore.await.unwrap_or_else(|e| (Err(e.to_string()), None));
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(pool) else { return };
        let old = slot.shipping.clone();
        let s = &mut slot.shipping;
        if s.from != side {
            *s = Shipping { from: side, turns: s.turns.clone(), ..Shipping::default() };
        }
        match shipped {
            Some(Ok(Some(mark))) => {
                s.shipped = Some(mark);
                s.backup_at = Some(now);
                s.backup_error = None;
            }
            // Nothing could be shipped yet: that is no success, and is tried again at once.
            Some(Ok(None)) => {
                s.backup_error = None;
                s.turns.backup = None;
            }
            Some(Err(e)) => s.backup_error = Some(e.to_string()),
            None => {}
        }
        match restored {
            Ok(()) => {
                if begin.restore {
                    s.restore_at = Some(now);
                }
                s.restore_error = None;
            }
            Err(e) => s.restore_error = Some(e),
        }
        s.applied = applied;
        s.late = s.lateness(&schedule, now);
        s.messages = Some(database.messages());
        // The page hears of what a person would look at, not of every turn.
        let told = |x: &Shipping| {
            (
                x.shipped.clone(),
                x.applied.clone(),
                x.backup_error.clone(),
                x.restore_error.clone(),
                x.late.is_some(),
                (x.mirror.clone(), x.queue_mirror.clone()),
            )
        };
        s.mirror = database.mirror();
        s.queue_mirror = database.queue_mirror();
        let news = told(&old) != told(s);
        drop(slots);
        if news {
            self.bump();
        }
    }

    /// Pools whose jobs have not succeeded since the program was started: whether they are late is not known.
    pub fn perhaps_late(&self) -> Vec<ObjectId> {
        let slots = self.slots();
        let new = |s: &super::Slot| {
            let ships = s.wanted.as_ref().is_some_and(|w| w.share.is_some() && w.half.is_none());
            ships && s.shipping.late.is_none() && s.shipping.complete_until().is_none()
        };
        let here = slots.iter().filter(|(_, s)| new(s)).map(|(id, _)| id.clone());
        here.chain(self.apart.unheard()).collect()
    }

    /// State of the mirror of the database in use; none when it has none or nothing is open.
    pub fn mirror_of(&self, pool: &ObjectId) -> Option<MirrorState> {
        self.slots().get(pool)?.open.as_ref()?.database.mirror()
    }

    /// What the jobs of a pool did last; none when it ships nowhere.
    pub fn shipping(&self, pool: &ObjectId) -> Option<Shipping> {
        if self.apart.has(pool) {
            return self.apart.shipping(pool, self.clock.now(), self.elsewhere.counted(pool));
        }
        let slots = self.slots();
        let slot = slots.get(pool)?;
        slot.wanted
            .as_ref()?
            .ship_to()
            .filter(|_| slot.wanted.as_ref().is_some_and(|w| w.backup.is_some()))?;
        let mut s = slot.shipping.clone();
        // Those of this moment, not of the jobs' last turn.
        if let Some(o) = slot.open.as_ref().filter(|o| o.state == s.from && s.messages.is_some()) {
            s.messages = Some(o.database.messages());
        }
        Some(s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_job_is_due_by_its_interval_and_after_the_clock_was_set_back() {
        assert!(due(None, 900, at(1000)));
        assert!(!due(Some(at(1000)), 900, at(1899)));
        assert!(due(Some(at(1000)), 900, at(1900)));
        assert!(due(Some(at(1000)), 1, Timestamp::from_millis(1_000_600)), "looks are not exact");
        assert!(due(Some(at(1000)), 900, at(10)), "set back");
    }

    #[test]
    fn lateness_is_counted_from_the_opening_and_names_the_job() {
        let s = Schedule { backup_alert_seconds: 60, restore_alert_seconds: 120, ..Schedule::default() };
        let turns = Turns { begun: at(1000), ..Turns::default() };
        let mut x = Shipping { turns, backup_at: Some(at(10)), ..Shipping::default() };
        assert_eq!(x.lateness(&s, at(1060)), None);
        assert!(
            x.lateness(&s, at(1061))
                .unwrap()
                .contains("backup job has not succeeded for 61 s, more than the 60 s")
        );
        x.backup_at = Some(at(1200));
        assert!(x.lateness(&s, at(1200)).unwrap().contains("behind by 200 s"));
        let mark = Mark { cut: at(1190), ..Mark::default() };
        (x.applied, x.shipped) = (Some(mark.clone()), Some(mark));
        x.restore_at = Some(at(1195));
        assert_eq!((x.lateness(&s, at(1200)), x.ages(at(1200))), (None, (0, 5)));
    }
}
