//! One side of a pool whose other side is in another process: what its owner does. The side in use is opened
//! and ships its log to the share that both reach; the other one is copied to and restored into from there.
//! Which side that is, the portal says; a claim in the share keeps one that has not heard of a switch yet from
//! writing. A switch is done in steps that the portal asks for, while neither side is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::remote::{Did, HalfTold, MarkTold, Step};
use shared::{ObjectId, Timestamp};
use store::chat::MgcDatabase;
use store::chat::shipping::{Mark, PATIENCE, ShipError, claimed, heal, list, within};
use store::management::{Management, StoreError, pools};

use super::shipping::delete_old;
use super::switch::{above_claims, catch_up, fresh, online, take};
use super::wanted::{Half, Wanted, other};
use super::{Fleet, SideView, Slot, view};

/// Counting the messages of a large database takes a while: one that is open is looked at so often.
const LOOK: Duration = Duration::from_secs(5);
/// Turns of the backup job in which a base may be read, and what came after it.
const TURNS: usize = 4;

/// What an owner says while a step must wait: it has not heard of the switch, or is still closing.
pub const NOT_YET: &str = "the node has not closed its side yet";

/// The highest epoch that was claimed, when the share says it. A folder that is not there says nothing: a
/// share that is not mounted looks the same. `what` tells apart who looks at the same time.
fn claims(share: &Path, what: &'static str) -> Result<u64, ShipError> {
    let from = share.to_owned();
    within(share, what, PATIENCE, move |_| {
        list(&from)?;
        match std::fs::read_dir(&from) {
            Ok(_) => Ok(claimed(&from)),
            Err(e) => Err(ShipError::Io { path: from.display().to_string(), why: e.to_string() }),
        }
    })
}

/// Opens the side in use, unless something says that another one took over.
///
/// # Errors
/// What says so, or why it cannot be opened.
pub(super) fn open_half(w: &Wanted, half: &Half, store: &Management) -> Result<Arc<MgcDatabase>, String> {
    let (_, dir) = w.side(half.side).ok_or("the side in use is of another process")?;
    let share = w.share.as_ref().ok_or("the pool has no share for log shipping")?;
    let info = MgcDatabase::probe(dir)?;
    let text = |e: StoreError| e.to_string();
    let noted = store.read(|c| pools::opened(c, &w.pool)).map_err(text)?.filter(|(s, _)| *s == half.side);
    let last = noted.map_or(0, |(_, epoch)| epoch).max(half.epoch);
    fresh(&info, last)?;
    match claims(share, "claims before opening") {
        Ok(n) if n > info.epoch => return Err(fenced(n)),
        Ok(_) => {}
        Err(e) if half.confirmed => {
            tracing::warn!(cause = %e, pool = %w.pool, "opened on the portal's word; the share does not answer");
        }
        Err(e) => {
            return Err(format!(
                "neither the portal nor the share has said since the start that this side is still the one in use ({e})"
            ));
        }
    }
    store
        .write(|tx| {
            if pools::state(tx, &w.pool)?.is_none() {
                pools::set_state(tx, &w.pool, w.state, false, Timestamp::default())?;
            }
            pools::set_opened(tx, &w.pool, half.side, info.epoch)
        })
        .map_err(text)?;
    MgcDatabase::open(dir, info.epoch, None, w.ship_to())
        .map(|db| db.with_members(Arc::new(store.clone())))
        .map_err(|e| e.to_string())
}

fn fenced(epoch: u64) -> String {
    format!("epoch {epoch} was claimed in the share: another database is in use, and this one stays closed")
}

fn told(m: &Mark) -> MarkTold {
    MarkTold { epoch: m.epoch, seq: m.seq, cut: m.cut, commits: m.commits, messages: m.messages }
}

/// As log shipping counts it.
pub fn mark(m: &MarkTold) -> Mark {
    Mark { epoch: m.epoch, seq: m.seq, cut: m.cut, commits: m.commits, messages: m.messages }
}

/// The epoch that the side in use ships: the newest in the share, unless the portal knows a newer one.
pub(super) fn followed(share: &Path, half: &Half) -> Result<u64, ShipError> {
    let from = share.to_owned();
    let newest =
        within(share, "list to follow", PATIENCE, move |_| list(&from))?.pop().map_or(0, |(e, ..)| e);
    Ok(newest.max(half.epoch))
}

impl Fleet {
    /// Sides that rest while another process has the one in use.
    pub(super) fn resting(&self) -> Vec<(ObjectId, Wanted, Half)> {
        let rests = |(id, s): (&ObjectId, &Slot)| {
            let w = s.wanted.clone().filter(|w| w.rests() && !w.held)?;
            let half = w.half.clone().filter(|_| s.open.is_none() && !s.busy)?;
            Some((id.clone(), w, half))
        };
        self.slots().iter().filter_map(rests).collect()
    }

    /// One turn of copy and restore for the side of another process's log.
    pub(super) async fn follow_log(&self, pool: &ObjectId, w: Wanted, half: Half, tidy: bool) {
        let begin = self.due_resting(pool, &w);
        if !begin.copy && !begin.restore {
            return;
        }
        let still = self.slots().get(pool).is_some_and(|s| s.wanted.as_ref() == Some(&w) && s.open.is_none());
        if !still {
            return;
        }
        let (now, in_use) = (self.clock.now(), w.state);
        let work = move || {
            let (Some(share), Some(secondary)) = (w.share.clone(), w.secondary(in_use)) else {
                return (Ok(()), None);
            };
            let follow = |epoch| {
                if begin.copy {
                    secondary.copy_within(&share, epoch, PATIENCE)?;
                }
                if begin.restore {
                    secondary.apply(epoch)?;
                }
                Ok(())
            };
            let done = followed(&share, &half)
                .map_err(|e| e.to_string())
                .and_then(|epoch| follow(epoch).map_err(|e| heal(&share, epoch, &e)));
            let applied = secondary.applied().map(|a| a.mark);
            if let (true, Some(mark)) = (tidy, &applied) {
                delete_old(&share, mark, &w.schedule, now);
            }
            (done, applied)
        };
        let done = tokio::task::spawn_blocking(work).await;
        let (done, applied) = done.unwrap_or_else(|e| (Err(e.to_string()), None));
        self.restored(pool, in_use, begin, done, applied);
    }

    /// What there is to say of the side that this process owns.
    ///
    /// # Errors
    /// That it owns none.
    pub async fn half_told(&self, pool: &ObjectId) -> Result<HalfTold, String> {
        let (w, half, open, busy, trouble, s, looked) = {
            let slots = self.slots();
            let slot = slots.get(pool).ok_or("it has not heard of this pool yet")?;
            let w = slot.wanted.clone().ok_or("the pool is not in its topology any more")?;
            let half = w.half.clone().ok_or("it has not heard yet that the pool has two owners")?;
            let open = slot.open.as_ref().map(|o| o.database.clone());
            (w, half, open, slot.busy, slot.trouble.clone(), slot.shipping.clone(), slot.looked.clone())
        };
        let opening = open.as_ref().map(|db| db.store().generation());
        let looked = looked.filter(|(of, at, _)| Some(*of) == opening && at.elapsed() < LOOK);
        let fresh = looked.is_none();
        let look = move || {
            let Some((label, dir)) = w.side(half.side) else { return (HalfTold::default(), None) };
            let v = match looked {
                Some((.., info)) => SideView { info: Some(info), ..SideView::default() },
                None => view(label, dir, open.as_ref()),
            };
            let found = v.info.clone();
            let info = v.info.unwrap_or_default();
            let is_open = open.is_some() || busy;
            let stuck = !is_open && !w.rests() && trouble.is_some();
            let claimed = w.share.as_ref().filter(|_| stuck).and_then(|s| claims(s, "claims to tell").ok());
            let secondary = w.secondary(other(half.side));
            let told = HalfTold {
                side: half.side,
                in_use: w.state,
                hold: half.hold,
                open: is_open,
                trouble: trouble.filter(|_| stuck),
                error: v.error,
                epoch: info.epoch,
                size_bytes: info.size_bytes,
                messages: open.as_ref().map_or(info.messages, |db| db.messages()),
                last_write: info.last_write,
                copied_at: v.copied_at,
                folder: dir.is_dir(),
                free: crate::disk::free(dir),
                tail: if is_open { None } else { MgcDatabase::shipped_to(dir) },
                claimed: claimed.filter(|c| *c > info.epoch),
                shipped: s.shipped.as_ref().filter(|_| s.from == half.side).map(told),
                applied: secondary.as_ref().and_then(|x| x.applied()).map(|a| told(&a.mark)),
                begun: s.begun(),
                backup_at: s.backup_at.filter(|_| s.from == half.side),
                restore_at: s.restore_at.filter(|_| s.from != half.side),
                backup_error: s.backup_error.filter(|_| s.from == half.side),
                restore_error: s.restore_error.filter(|_| s.from != half.side),
                orphans: secondary
                    .map(|x| x.orphans().iter().map(|o| o.display().to_string()).collect())
                    .unwrap_or_default(),
            };
            (told, found)
        };
        let (told, found) = tokio::task::spawn_blocking(look).await.map_err(|e| e.to_string())?;
        if let (true, Some(opening), Some(info)) = (fresh, opening, found)
            && let Some(slot) = self.slots().get_mut(pool)
        {
            slot.looked = Some((opening, Instant::now(), info));
        }
        Ok(told)
    }

    /// The side of this process, while nothing of it is open and it has heard of this switch.
    fn at_rest(&self, pool: &ObjectId, hold: Option<&str>) -> Result<(Wanted, Half), String> {
        let slots = self.slots();
        let slot = slots.get(pool).ok_or("it has not heard of this pool yet")?;
        let w = slot.wanted.clone().ok_or("the pool is not in its topology any more")?;
        let half = w.half.clone().ok_or("it has not heard yet that the pool has two owners")?;
        if slot.open.is_some() || slot.busy || half.hold.as_deref() != hold {
            return Err(NOT_YET.to_owned());
        }
        Ok((w, half))
    }

    /// Does a step of a switch on the side of this process.
    ///
    /// # Errors
    /// What cannot be done.
    pub async fn half_step(&self, pool: &ObjectId, hold: Option<&str>, step: Step) -> Result<Did, String> {
        self.at_rest(pool, hold)?;
        let _moving = self.moving(pool).lock_owned().await;
        // Nothing is opened or closed while the lock is held, but what came before may have been.
        let (w, half) = self.at_rest(pool, hold)?;
        if let Step::Ship { whole } = step {
            return ship(w, half, whole).await;
        }
        let work = move || match step {
            Step::Copy(epoch) => copy(&w, &half, epoch),
            Step::Apply(epoch) => apply(&w, &half, epoch),
            Step::Online { epoch, forced } => bring_online(w, &half, epoch, forced),
            Step::Ship { .. } | Step::Reclaim => reclaim(&w, &half),
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
    }
}

/// Label and folder of the side, and the share.
fn place<'a>(w: &'a Wanted, half: &Half) -> Result<(&'a PathBuf, &'a PathBuf), String> {
    let (_, dir) = w.side(half.side).ok_or("the side is of another process")?;
    Ok((dir, w.share.as_ref().ok_or("the pool has no share for log shipping")?))
}

fn copy(w: &Wanted, half: &Half, epoch: u64) -> Result<Did, String> {
    let (_, share) = place(w, half)?;
    let secondary = w.secondary(other(half.side)).ok_or("the side is of another process")?;
    let count = secondary.copy_within(share, epoch, PATIENCE).map_err(|e| e.to_string())?;
    Ok(Did { count, epoch, ..Did::default() })
}

fn apply(w: &Wanted, half: &Half, epoch: u64) -> Result<Did, String> {
    let (dir, _) = place(w, half)?;
    // A kill after the database came online and before that was noted.
    if let Ok(i) = MgcDatabase::probe(dir)
        && i.epoch > epoch
    {
        return Ok(Did { epoch: i.epoch, messages: i.messages, ..Did::default() });
    }
    let (_, count) = catch_up(w, other(half.side), epoch)?;
    let applied = w.secondary(other(half.side)).and_then(|s| s.applied()).map(|a| a.mark).unwrap_or_default();
    Ok(Did { count, epoch: applied.epoch, seq: applied.seq, messages: applied.messages })
}

fn bring_online(w: Wanted, half: &Half, epoch: u64, forced: bool) -> Result<Did, String> {
    let w = Wanted { forced, ..w };
    let (dir, share) = place(&w, half)?;
    let in_use = other(half.side);
    if !MgcDatabase::probe(dir).is_ok_and(|i| i.epoch > epoch) {
        let secondary = w.secondary(in_use).ok_or("the side is of another process")?;
        // A claim that came to nothing is not used again.
        let above = claims(share, "claims before online").unwrap_or(0).max(epoch);
        match catch_up(&w, in_use, epoch) {
            Ok(_) => online(&w, in_use, above)?,
            Err(e) if !forced => return Err(e),
            Err(e) if secondary.applied().is_some() => {
                tracing::warn!(cause = e, pool = %w.pool, "given up with what is applied so far");
                online(&w, in_use, above)?;
            }
            // Nothing was ever shipped here: what this side had before is all there is.
            Err(_) => {
                let here = MgcDatabase::probe(dir)?;
                let above = above.max(here.epoch);
                take(&w, share, above + 1)?;
                MgcDatabase::promote(dir, above + 1).map_err(|e| e.to_string())?;
            }
        }
    }
    let i = MgcDatabase::probe(dir)?;
    Ok(Did { count: 0, epoch: i.epoch, seq: 0, messages: i.messages })
}

fn reclaim(w: &Wanted, half: &Half) -> Result<Did, String> {
    let (dir, _) = place(w, half)?;
    // The portal asks for it only after the other side said that it is not online.
    let i = above_claims(w, dir, MgcDatabase::probe(dir)?, true)?;
    Ok(Did { epoch: i.epoch, messages: i.messages, ..Did::default() })
}

/// Opens the closed side for nobody but the backup job, until everything in it is in the share.
async fn ship(w: Wanted, half: Half, whole: bool) -> Result<Did, String> {
    let open = {
        let w = w.clone();
        move || {
            let (dir, share) = place(&w, &half)?;
            let info = MgcDatabase::probe(dir)?;
            if let Some(n) = claims(share, "claims before shipping").ok().filter(|n| *n > info.epoch) {
                return Err(fenced(n));
            }
            if whole {
                MgcDatabase::ship_whole(dir).map_err(|e| e.to_string())?;
            }
            let db = MgcDatabase::open(dir, info.epoch, None, w.ship_to()).map_err(|e| e.to_string())?;
            Ok((db, dir.clone(), info))
        }
    };
    let opened: Result<_, String> =
        tokio::task::spawn_blocking(open).await.unwrap_or_else(|e| Err(e.to_string()));
    let (db, dir, info) = opened?;
    let mut result = db.ship().await;
    for _ in 1..TURNS {
        if !matches!(result, Ok(None)) {
            break;
        }
        result = db.ship().await;
    }
    db.close().await;
    result.map_err(|e| e.to_string())?;
    let tail = tokio::task::spawn_blocking(move || MgcDatabase::shipped_to(&dir)).await;
    let (epoch, seq) =
        tail.ok().flatten().ok_or("the last of the log could not be shipped: the database is being read")?;
    Ok(Did { count: 0, epoch, seq, messages: info.messages })
}

#[cfg(test)]
mod tests {
    use shared::deployment::PoolState;
    use shared::shipping::Schedule;
    use store::chat::shipping::claim;

    use super::*;

    fn wanted(dir: &Path, share: &Path, epoch: u64, confirmed: bool) -> Wanted {
        let half = Half { side: PoolState::Normal, epoch, hold: None, confirmed };
        Wanted {
            pool: ObjectId::try_from("p1").unwrap(),
            state: PoolState::Normal,
            generation: 1,
            forced: false,
            primary: ("sql.contoso.com".to_owned(), dir.to_owned()),
            backup: Some(("other.contoso.com".to_owned(), PathBuf::new())),
            compliance: None,
            queue: super::super::queue::QueueMirror::default(),
            share: Some(share.to_owned()),
            mirror: None,
            move_from: None,
            held: false,
            schedule: Schedule::default(),
            half: Some(half),
        }
    }

    async fn opens(w: &Wanted, notes: &Management) -> Result<(), String> {
        let (w, notes) = (w.clone(), notes.clone());
        let work = move || open_half(&w, w.half.as_ref().unwrap(), &notes);
        match tokio::task::spawn_blocking(work).await.unwrap() {
            Ok(db) => {
                db.close().await;
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_side_is_opened_on_the_word_of_share_or_portal_and_never_after_a_claim() {
        let root = tempfile::tempdir().unwrap();
        let (dir, share) = (root.path().join("sql"), root.path().join("share/chain"));
        let notes = Management::open(&root.path().join("notes.db")).unwrap();
        MgcDatabase::create(&dir).unwrap();
        let error = opens(&wanted(&dir, &share, 0, false), &notes).await.unwrap_err();
        assert!(error.contains("neither the portal nor the share"), "{error}");
        opens(&wanted(&dir, &share, 0, true), &notes).await.unwrap();
        assert_eq!(
            notes.read(|c| pools::opened(c, &ObjectId::try_from("p1").unwrap())).unwrap(),
            Some((PoolState::Normal, 1))
        );
        // Now the chain lies in the share, and says that nobody took over.
        opens(&wanted(&dir, &share, 1, false), &notes).await.unwrap();
        claim(&share, 2, "p1").unwrap();
        for confirmed in [false, true] {
            let error = opens(&wanted(&dir, &share, 1, confirmed), &notes).await.unwrap_err();
            assert!(error.contains("epoch 2 was claimed"), "{error}");
        }
        // What was claimed came to nothing: it goes on above that, also while the share takes no claim.
        let deep = root.path().join("x".repeat(200)).join("y".repeat(200));
        let deep = (0..17).fold(deep, |d, _| d.join("z".repeat(200)));
        let blocked = deep.join("z".repeat(4_084 - deep.as_os_str().len()));
        std::fs::create_dir_all(&blocked).unwrap();
        std::fs::write(blocked.join("epoch-2"), "p1").unwrap();
        let (w, info) = (wanted(&dir, &blocked, 1, true), MgcDatabase::probe(&dir).unwrap());
        // Names of the claim's length are too long there: nothing can be written, and epoch 2 can be read.
        let refused = above_claims(&w, &dir, info.clone(), false).unwrap_err();
        assert!(refused.contains("too long"), "{refused}");
        assert_eq!(above_claims(&w, &dir, info, true).unwrap().epoch, 3);
        // A copy that was restored from somewhere is older than what was in use.
        let error = opens(&wanted(&dir, &share, 4, true), &notes).await.unwrap_err();
        assert!(error.contains("older (epoch 3)"), "{error}");
    }
}
