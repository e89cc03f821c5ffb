//! Switches of pools whose sides are in different processes. The portal alone decides which side is in use and
//! notes it; owners do what they are asked while neither side is open. A switch that was interrupted begins
//! again: every step may be repeated.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::remote::{Did, HalfTold, Inquiry, Rehearsed, Reply, Step};
use shared::ObjectId;
use shared::deployment::{PairHost, PoolState};
use store::management::{StoreError, pools};
use tokio::time::Instant;

use crate::app::App;
use crate::clock::random_hex;
use crate::fleet::{NOT_YET, other};
use crate::nodes::instance::inquire_within;

/// How often owners are asked how their sides are.
const EVERY: Duration = Duration::from_secs(1);
/// Longest wait for an answer to that.
const LOOK: Duration = Duration::from_secs(3);
/// Wait before an owner is asked again whether it has closed its side.
const AGAIN: Duration = Duration::from_millis(150);
/// How long an owner may take to close its side and to ship the tail.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Longest step: a large database is copied through the share.
const STEP: Duration = Duration::from_secs(3600);

/// Asks the owner of a side.
async fn ask(app: &App, pool: &ObjectId, pair: &PairHost, side: PoolState) -> Result<HalfTold, String> {
    match &pair.side(side).node {
        None => app.fleet.half_told(pool).await,
        Some(n) => match inquire_within(app, n, Inquiry::Half(pool.clone()), LOOK).await? {
            Reply::Half(told) => Ok(*told),
            _ => Err(format!("node {n} was not understood")),
        },
    }
}

/// Asks the owner of a side how it is, and notes it.
///
/// # Errors
/// Why there is no answer.
pub async fn look_at(app: &App, pool: &ObjectId, side: PoolState) -> Result<HalfTold, String> {
    let pair = app.fleet.apart().pair(pool).ok_or("the pool has not two owners")?;
    let counted = app.fleet.elsewhere().counted(pool);
    let told = ask(app, pool, &pair, side).await;
    app.fleet.apart().heard(pool, side, told.clone(), counted);
    told
}

/// Asks both owners, and notes what they say.
pub async fn look(app: &App, pool: &ObjectId) {
    if app.fleet.apart().has(pool) {
        // Why there is no answer is noted with the side.
        let _ =
            tokio::join!(look_at(app, pool, PoolState::Normal), look_at(app, pool, PoolState::FailedOver));
    }
}

/// Waits until a side is closed for this switch. With `forced`, one whose owner does not answer or whose
/// database is gone is none.
///
/// # Errors
/// Why it is not closed.
pub async fn closed(
    app: &App,
    pool: &ObjectId,
    side: PoolState,
    hold: &str,
    forced: bool,
) -> Result<Option<HalfTold>, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        let why = match look_at(app, pool, side).await {
            Ok(t) if t.hold.as_deref() == Some(hold) && !t.open => {
                return match t.error {
                    Some(_) if forced => Ok(None),
                    _ => Ok(Some(t)),
                };
            }
            Ok(_) => "its database is still being closed".to_owned(),
            Err(_) if forced => return Ok(None),
            Err(why) => why,
        };
        if Instant::now() > until {
            return Err(why);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Does a step at the owner of a side, once that has closed it.
///
/// # Errors
/// What could not be done.
pub async fn step(
    app: &App,
    pool: &ObjectId,
    side: PoolState,
    hold: Option<&str>,
    step: Step,
) -> Result<Did, String> {
    let pair = app.fleet.apart().pair(pool).ok_or("the pool has not two owners")?;
    if let Some(hold) = hold {
        closed(app, pool, side, hold, false).await?;
    }
    let until = Instant::now() + PATIENCE;
    loop {
        let done = match &pair.side(side).node {
            None => app.fleet.half_step(pool, hold, step).await,
            Some(n) => {
                let what = Inquiry::Step { pool: pool.clone(), hold: hold.map(str::to_owned), step };
                match inquire_within(app, n, what, STEP).await {
                    Ok(Reply::Did(did)) => Ok(did),
                    Ok(_) => Err(format!("node {n} was not understood")),
                    Err(why) => Err(why),
                }
            }
        };
        match done {
            Err(why) if why.contains(NOT_YET) && Instant::now() < until => tokio::time::sleep(AGAIN).await,
            done => return done,
        }
    }
}

/// Has the owner of the side that would take over rehearse it on a copy; its steps as far as they went.
///
/// # Errors
/// Why it does not do so.
pub async fn rehearse(app: &App, pool: &ObjectId, side: PoolState) -> Result<Vec<Rehearsed>, String> {
    let pair = app.fleet.apart().pair(pool).ok_or("the pool has not two owners")?;
    match &pair.side(side).node {
        None => {
            let scratch =
                crate::failover::rehearsal::scratch(&app.settings).join(random_hex(&*app.entropy, 4));
            app.fleet.rehearse_half(pool, scratch).await
        }
        Some(n) => match inquire_within(app, n, Inquiry::Rehearse(pool.clone()), STEP).await? {
            Reply::Rehearsed(all) => Ok(all),
            _ => Err(format!("node {n} was not understood")),
        },
    }
}

/// A switch from the side in use to the other one, as far as its files are concerned.
pub struct Over<'a> {
    /// The application.
    pub app: &'a App,
    /// The pool.
    pub pool: &'a ObjectId,
    /// The side that takes over.
    pub to: PoolState,
    /// The loss was acknowledged.
    pub forced: bool,
    /// The switch.
    pub hold: &'a str,
}

impl Over<'_> {
    async fn at(&self, side: PoolState, what: Step) -> Result<Did, String> {
        step(self.app, self.pool, side, Some(self.hold), what).await
    }

    /// Waits until the side in use is closed; the epoch that it has, or had as far as is known.
    ///
    /// # Errors
    /// Why it is not closed, or does not answer.
    pub async fn close(&self) -> Result<(u64, Option<HalfTold>), String> {
        let noted = self.app.fleet.apart().pair(self.pool).map_or(0, |p| p.epoch);
        let told = closed(self.app, self.pool, other(self.to), self.hold, self.forced).await?;
        if let Some(why) = told.as_ref().and_then(|t| t.error.clone()) {
            return Err(why);
        }
        Ok((told.as_ref().map_or(0, |t| t.epoch).max(noted), told))
    }

    /// Copies what is in the share; how many segments.
    ///
    /// # Errors
    /// A gap, a damaged segment, a share that does not answer.
    pub async fn copy(&self) -> Result<(u64, u64), String> {
        let (epoch, _) = self.close().await?;
        Ok((self.at(self.to, Step::Copy(epoch)).await?.count, epoch))
    }

    /// Applies everything that the side in use had when it was closed. When that cannot be done by the log, it
    /// ships the whole database once more.
    ///
    /// # Errors
    /// What is missing.
    pub async fn apply(&self, log: &mut Vec<String>) -> Result<(), String> {
        let (epoch, told) = self.close().await?;
        let Some(told) = told else {
            let did = self.at(self.to, Step::Apply(epoch)).await?;
            log.push(format!("{} segments were applied; the database in use does not answer.", did.count));
            return Ok(());
        };
        let mut tail = told.tail;
        if tail.is_none() {
            let did = self.at(other(self.to), Step::Ship { whole: false }).await?;
            log.push("The tail of the log was shipped in a second try.".to_owned());
            tail = Some((did.epoch, did.seq));
        }
        match self.applied(epoch, tail).await {
            Ok(n) => log.push(format!("{n} segments were applied; nothing is missing.")),
            Err(why) if self.forced => return Err(why),
            Err(why) => {
                log.push(format!("The chain is not complete: {why}."));
                let did = self.at(other(self.to), Step::Ship { whole: true }).await?;
                self.applied(epoch, Some((did.epoch, did.seq))).await?;
                log.push(
                    "The database in use answers, so the whole of it was shipped and applied instead."
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    async fn applied(&self, epoch: u64, tail: Option<(u64, u64)>) -> Result<u64, String> {
        let did = self.at(self.to, Step::Apply(epoch)).await?;
        if did.epoch > epoch || Some((did.epoch, did.seq)) == tail {
            return Ok(did.count);
        }
        let (e, seq) = tail.unwrap_or_default();
        Err(format!(
            "segment {seq} of epoch {e} was shipped, and {} of epoch {} is applied",
            did.seq, did.epoch
        ))
    }

    /// Brings the other side online.
    ///
    /// # Errors
    /// Why it does not come online.
    pub async fn online(&self) -> Result<Did, String> {
        if !self.forced {
            // After an interruption the side in use may have been open again: what it took then is there too.
            self.apply(&mut Vec::new()).await?;
        }
        let (epoch, _) = self.close().await?;
        self.at(self.to, Step::Online { epoch, forced: self.forced }).await
    }
}

/// Notes what is in use, unless something else was decided meanwhile; whether it was noted.
fn note(
    app: &App,
    pool: &ObjectId,
    was: PoolState,
    now: (PoolState, u64),
    wanted: PoolState,
) -> Result<bool, String> {
    let write = app.store.write(|tx| {
        let still = pools::opened(tx, pool)?.unwrap_or_default().0 == was
            && pools::held_by(tx, pool)?.is_none()
            && pools::state(tx, pool)?.map(|s| s.state).unwrap_or_default() == wanted;
        if still {
            pools::set_opened(tx, pool, now.0, now.1)?;
        }
        Ok(still)
    });
    let noted = write.map_err(|e: StoreError| e.to_string())?;
    // Also when something else was decided: what is wanted here may be of before that.
    app.redeploy().map_err(|e| e.message)?;
    Ok(noted)
}

/// What `Set-CsPersistentChatState` alone wants: everything at once.
async fn switch(app: &App, pool: &ObjectId, pair: &PairHost, hold: &str) -> Result<(), String> {
    let over = Over { app, pool, to: pair.state, forced: pair.forced, hold };
    let mut log = Vec::new();
    if let Err(why) = over.apply(&mut log).await {
        if !pair.forced {
            return Err(why);
        }
        tracing::warn!(%pool, why, "given up with what was shipped");
    }
    let did = over.online().await?;
    tracing::info!(%pool, epoch = did.epoch, messages = did.messages, log = log.join(" "), "switched");
    note(app, pool, pair.in_use, (pair.state, did.epoch), pair.state).map(drop)
}

/// Brings one pool on: a switch that is wanted, an epoch to note, a claim that came to nothing.
async fn conduct(app: &App, pool: &ObjectId) -> Result<(), String> {
    let apart = app.fleet.apart();
    let Some(pair) = apart.pair(pool) else { return Ok(()) };
    let side = pair.in_use;
    match &pair.hold {
        Some(hold) if pair.state != side && hold.starts_with("state-") => {
            switch(app, pool, &pair, hold).await
        }
        // A guided run has it in hand.
        Some(_) => Ok(()),
        None => {
            let Some(told) = apart.told(pool, side).filter(|t| t.in_use == side) else { return Ok(()) };
            if told.open && told.epoch > pair.epoch {
                note(app, pool, side, (side, told.epoch), side)?;
            } else if let Some(claimed) = told.claimed.filter(|_| !told.open && told.epoch >= pair.epoch) {
                // Only the portal knows that what was claimed never came into use; and only when the other
                // side says so too.
                let far = look_at(app, pool, other(side)).await.map_err(|e| {
                    format!("epoch {claimed} was claimed in the share, and whether the other side came online is not known: {e}")
                })?;
                if far.error.is_none() && far.epoch > told.epoch {
                    return Err(format!(
                        "the database on {} is online with epoch {}: go on with the switch to it",
                        pair.side(other(side)).store.label(),
                        far.epoch
                    ));
                }
                let did = step(app, pool, side, None, Step::Reclaim).await?;
                note(app, pool, side, (side, did.epoch), side)?;
            }
            Ok(())
        }
    }
}

/// Asks owners and conducts switches until the program ends.
pub async fn run(app: Arc<App>) {
    let busy: Arc<Mutex<HashSet<ObjectId>>> = Arc::default();
    let mut deployment = app.deployment.subscribe();
    loop {
        for (pool, _) in app.fleet.apart().all() {
            let free = busy.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.clone());
            if !free {
                continue;
            }
            let (app, busy) = (app.clone(), busy.clone());
            tokio::spawn(async move {
                look(&app, &pool).await;
                let result = conduct(&app, &pool).await;
                if let Err(why) = &result {
                    tracing::warn!(%pool, why, "a pool with two owners does not get on; tried again");
                }
                app.fleet.apart().trouble(&pool, result.err());
                busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&pool);
            });
        }
        // A change is taken up at once; what owners do is asked for.
        let _ = tokio::time::timeout(EVERY, deployment.changed()).await;
    }
}
