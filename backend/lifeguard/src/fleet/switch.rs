//! Switching a pool between its sides: what `Set-CsPersistentChatState` alone does at once, and what a
//! guided run does in steps. Source: S1 steps 1–4.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::deployment::PoolState;
use shared::{ObjectId, Timestamp};
use store::chat::mirror::{self, MirrorTo, Witness};
use store::chat::shipping::{PATIENCE, ShipError, claim, claimed, list, within};
use store::chat::{DbInfo, MgcDatabase};
use store::management::{Management, StoreError, mirrors, pools};

use super::wanted::{Wanted, other};

/// Opens the wanted side. When the other side was in use, what it holds is brought over first: by the
/// chain of log shipping when that is complete, else by a whole copy. When the side that was in use does
/// not answer, only an acknowledged loss goes on, with what was shipped.
pub fn switch(w: &Wanted, store: &Management, at: Timestamp) -> Result<Arc<MgcDatabase>, String> {
    if let Some(half) = &w.half {
        return super::half::open_half(w, half, store);
    }
    let (_, to) = w.side(w.state).ok_or("the pool has no backup SQL Server store")?;
    let last = store.read(|c| pools::opened(c, &w.pool)).map_err(|e: StoreError| e.to_string())?;
    if let Some((side, last_epoch)) = last.filter(|(side, _)| *side != w.state) {
        bring_over(w, side, last_epoch, at)?;
        // What the mirror of this side held is older than what was brought over.
        store
            .write(|tx| mirrors::note(tx, &w.pool, w.state, false))
            .map_err(|e: StoreError| e.to_string())?;
    } else if let Some((_, last_epoch)) = last {
        move_principal(w, store, last_epoch, at)?;
    }
    let info = MgcDatabase::probe(to)?;
    if let Some((_, epoch)) = last {
        fresh(&info, epoch)?;
    }
    let info = above_claims(w, to, info, last.is_some_and(|(side, _)| side == w.state))?;
    super::queue::move_queue(w, store, at)?;
    store
        .write(|tx| {
            mirrors::moved(tx, &w.pool, w.state)?;
            mirrors::moved(tx, &w.pool, mirrors::Which::queue(w.state))?;
            pools::set_opened(tx, &w.pool, w.state, info.epoch)
        })
        .map_err(|e: StoreError| e.to_string())?;
    let ship = w.ship_to().filter(|_| w.backup.is_some());
    let mirror = w.mirror.as_ref().map(|(_, dir)| MirrorTo {
        dir: dir.clone(),
        witness: Arc::new(Rows { store: store.clone(), pool: w.pool.clone(), of: w.state.into() }),
        patience: mirror::PATIENCE,
    });
    MgcDatabase::open_with(to, info.epoch, super::queue::open_at(w, store), ship, mirror)
        .map(|db| db.with_members(Arc::new(store.clone())))
        .map_err(|e| e.to_string())
}

/// The witness: the management store.
pub(super) struct Rows {
    pub(super) store: Management,
    pub(super) pool: ObjectId,
    pub(super) of: mirrors::Which,
}

impl Witness for Rows {
    fn note(&self, synchronized: bool) -> Result<(), String> {
        let write = self.store.write(|tx| mirrors::note(tx, &self.pool, self.of, synchronized));
        write.map_err(|e: StoreError| e.to_string())
    }
}

/// The principal goes from one store of the pair to the other. A mirror that has everything takes over; one
/// that has not is replaced by a whole copy while the principal answers, and else only an acknowledged loss
/// goes on with what it has.
fn move_principal(w: &Wanted, store: &Management, last_epoch: u64, at: Timestamp) -> Result<(), String> {
    let Some((label, from)) = &w.move_from else { return Ok(()) };
    let (_, to) = w.side(w.state).ok_or("the pool has no backup SQL Server store")?;
    let row = store.read(|c| mirrors::get(c, &w.pool, w.state)).map_err(|e: StoreError| e.to_string())?;
    if row.on_mirror == row.opened_on_mirror {
        return Ok(()); // moved already; what was wanted then is only tried again
    }
    let there = MgcDatabase::probe(from).and_then(|i| fresh(&i, last_epoch));
    let text = |e: node::traits::StoreError| e.to_string();
    // A kill after the take-over and before it was noted: nothing is done twice.
    let done = MgcDatabase::probe(to).is_ok_and(|i| i.epoch > last_epoch);
    match (&there, row.synchronized) {
        _ if done => {}
        (_, true) => mirror::take_over(to, last_epoch + 1).map_err(text)?,
        (Ok(i), false) => {
            MgcDatabase::copy(from, to, i.epoch + 1, at).map_err(text)?;
            mirror::forget(to).map_err(text)?;
        }
        (Err(_), false) if row.forced => mirror::take_over(to, last_epoch + 1).map_err(text)?,
        (Err(e), false) => {
            return Err(format!(
                "{label} does not answer ({e}), its mirror has not everything, and the loss was not acknowledged"
            ));
        }
    }
    // One that did not answer and comes back may hold what nobody else has: it is kept as an orphan.
    if there.is_ok() { mirror::step_down(from).map_err(text) } else { Ok(()) }
}

/// Brings what the side in use holds to the other side and that one online.
///
/// # Errors
/// When neither chain nor copy is complete and the loss was not acknowledged.
pub fn bring_over(w: &Wanted, side: PoolState, last_epoch: u64, at: Timestamp) -> Result<(), String> {
    let (_, to) = w.side(w.state).ok_or("the pool has no backup SQL Server store")?;
    // A kill after the database came online and before that was noted: nothing is done twice.
    if MgcDatabase::probe(to).is_ok_and(|i| i.epoch > last_epoch) {
        return Ok(());
    }
    let (label, from) = w.side(side).ok_or("the side that was in use is not in the topology any more")?;
    let there = MgcDatabase::probe(from).and_then(|i| fresh(&i, last_epoch));
    let by_log = catch_up(w, side, last_epoch);
    match (&there, by_log) {
        // Decided before it comes online: from then on a next try would take it for brought over.
        (Ok(_), Ok(_)) if has_all(w, side, from) => online(w, side, last_epoch),
        (Ok(there), _) => whole_copy(w, from, label, there, at),
        (Err(_), Ok(_)) if w.forced => online(w, side, last_epoch),
        // The chain is not complete or the share is gone: what is here is all there is.
        (Err(_), Err(_)) if w.forced && w.secondary(side).is_some_and(|s| s.applied().is_some()) => {
            if let Some(Err(e)) = w.secondary(side).map(|s| s.apply(last_epoch)) {
                tracing::warn!(cause = %e, pool = %w.pool, "given up with what is applied so far");
            }
            online(w, side, last_epoch)
        }
        // Nothing was shipped ever: the copy that publishing made is all there is.
        (Err(_), Err(_)) if w.forced => {
            let here = MgcDatabase::probe(to)?;
            MgcDatabase::promote(to, here.epoch.max(last_epoch) + 1).map_err(|e| e.to_string())
        }
        (Err(e), _) => Err(format!("{label} does not answer ({e}), and the loss was not acknowledged")),
    }
}

/// Whether what is applied is all that the closed database in `from` holds. Its tail may not have reached the share.
fn has_all(w: &Wanted, side: PoolState, from: &Path) -> bool {
    let applied = w.secondary(side).and_then(|s| s.applied()).map(|a| (a.mark.epoch, a.mark.seq));
    applied.is_some() && MgcDatabase::shipped_to(from) == applied
}

fn whole_copy(w: &Wanted, from: &Path, label: &str, there: &DbInfo, at: Timestamp) -> Result<(), String> {
    let (_, to) = w.side(w.state).ok_or("the pool has no backup SQL Server store")?;
    if let (Some(share), Some(secondary)) = (&w.share, w.secondary(other(w.state))) {
        take(w, share, there.epoch + 1)?;
        secondary.set_orphan_aside().map_err(|e| e.to_string())?;
        secondary.abandon().map_err(|e| e.to_string())?;
    }
    MgcDatabase::copy(from, to, there.epoch + 1, at).map_err(|e| format!("the copy from {label} failed: {e}"))
}

/// Steps 2 and 3: copies and applies everything of the chain; what was done.
///
/// # Errors
/// A gap, a damaged segment, no chain at all.
pub fn catch_up(w: &Wanted, in_use: PoolState, epoch: u64) -> Result<(u64, u64), String> {
    let share = w.share.as_ref().ok_or("the pool has no share for log shipping")?;
    let secondary = w.secondary(in_use).ok_or("the pool has no backup SQL Server store")?;
    let copied = secondary.copy_within(share, epoch, PATIENCE).map_err(|e| e.to_string())?;
    let applied = secondary.apply(epoch).map_err(|e| e.to_string())?;
    complete(w, in_use, epoch).map_err(|e| e.to_string())?;
    Ok((copied, applied))
}

/// Whether everything that lies in the share is applied.
fn complete(w: &Wanted, in_use: PoolState, epoch: u64) -> Result<(), ShipError> {
    let share = w.share.clone().unwrap_or_default();
    let from = share.clone();
    let all = within(&share, "list", PATIENCE, move |_| list(&from))?;
    let newest = all.into_iter().rfind(|(e, ..)| *e == epoch).map(|(_, seq, _)| seq);
    let applied =
        w.secondary(in_use).and_then(|s| s.applied()).filter(|a| a.mark.epoch == epoch).map(|a| a.mark.seq);
    match (newest, applied) {
        (_, None) => Err(ShipError::Diverged("nothing was shipped yet".to_owned())),
        (Some(n), Some(a)) if n > a => Err(ShipError::Gap { epoch, expected: a + 1, found: n }),
        _ => Ok(()),
    }
}

/// The portal decides which side is in use, so it may claim again what it claimed before it was killed.
fn claimant(w: &Wanted) -> String {
    w.pool.to_string()
}

/// Claims an epoch in the share. With an acknowledged loss a share that is gone stops nobody: the claim is
/// made when the new side first ships.
pub(super) fn take(w: &Wanted, share: &Path, epoch: u64) -> Result<(), String> {
    let (to, who) = (share.to_owned(), claimant(w));
    match within(share, "claim", PATIENCE, move |_| claim(&to, epoch, &who)) {
        Err(e @ (ShipError::Silent(_) | ShipError::Io { .. })) if w.forced => {
            tracing::warn!(cause = %e, pool = %w.pool, epoch, "the epoch is claimed later");
            Ok(())
        }
        r => r.map_err(|e| e.to_string()),
    }
}

/// A claim that came to nothing fenced this side too: it goes on with an epoch above it. While it is `in_use`
/// by the portal's own word, a share that is full or does not answer keeps it no more closed than with an
/// acknowledged loss: the claim is made when it ships again.
pub(super) fn above_claims(w: &Wanted, dir: &Path, info: DbInfo, in_use: bool) -> Result<DbInfo, String> {
    // A share that does not answer says nothing of claims; the backup job looks again before it ships.
    let look = |s: &PathBuf| {
        let share = s.clone();
        within(s, "claims", PATIENCE, move |_| Ok(claimed(&share))).unwrap_or(0)
    };
    let newest = w.share.as_ref().map_or(0, look);
    if newest <= info.epoch {
        return Ok(info);
    }
    if let Some(share) = &w.share {
        take(&Wanted { forced: w.forced || in_use, ..w.clone() }, share, newest + 1)?;
    }
    MgcDatabase::promote(dir, newest + 1).map_err(|e| e.to_string())?;
    MgcDatabase::probe(dir)
}

/// Step 4: claims the next epoch in the share and brings the restored database online. From here on only
/// forward: the side that was in use is fenced.
///
/// # Errors
/// When the epoch is taken, or the database does not open.
pub fn online(w: &Wanted, in_use: PoolState, epoch: u64) -> Result<(), String> {
    let (_, to) = w.side(other(in_use)).ok_or("the pool has no backup SQL Server store")?;
    let share = w.share.as_ref().ok_or("the pool has no share for log shipping")?;
    let secondary = w.secondary(in_use).ok_or("the pool has no backup SQL Server store")?;
    take(w, share, epoch + 1)?;
    secondary.online().map_err(|e| e.to_string())?;
    let here = MgcDatabase::probe(to)?;
    if here.epoch <= epoch {
        MgcDatabase::promote(to, epoch + 1).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// A database that is older than the one used last is a stranger or a restored copy.
pub fn fresh(i: &DbInfo, last_epoch: u64) -> Result<DbInfo, String> {
    if i.epoch >= last_epoch {
        return Ok(i.clone());
    }
    Err(format!("its database is older (epoch {}) than the one used last (epoch {last_epoch})", i.epoch))
}
