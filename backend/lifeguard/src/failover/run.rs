//! The run: its steps, each stored before it begins and after it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use node::traits::Databases as _;
use shared::api::{JobStep, JobView};
use shared::deployment::{PoolState, ServerState};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::roles;
use store::chat::MgcDatabase;
use store::chat::shipping::PATIENCE as PATIENCE_OF_SHARES;
use store::management::audit::{self, Opened};
use store::management::{accounts, jobs, pools, roles as own_roles};

use super::{Input, KIND, next_hop};
use crate::apart::Over;
use crate::app::App;
use crate::clock::new_id;
use crate::door::{Cx, Fault, store_error};
use crate::fleet::switch::{bring_over, catch_up};
use crate::fleet::{Wanted, other};
use crate::publish::NextHop;

/// How long a database may take to close, and servers to follow.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the first whole copy to the other side is waited for; it goes on afterwards all the same.
const FIRST_COPY: Duration = Duration::from_secs(20);
/// Earlier runs that the usual duration of a step is taken from.
const EARLIER: u32 = 20;
/// How long a run waits before it stores its progress again, when that failed.
const STORE_AGAIN: Duration = Duration::from_secs(1);
/// Step that brings the other database online: the point of no return.
const ONLINE: usize = 3;
/// Step that sets the state and gives the pool back into everybody's hands.
pub const STATE: usize = ONLINE + 1;
/// Step that publishes another next hop, in a run that has it.
const NEXT_HOP: usize = 7;

/// Titles of the steps, in order.
pub(super) fn titles(to: PoolState) -> [&'static str; 8] {
    match to {
        PoolState::FailedOver => [
            "Remove log shipping from the backup database: posts stop, the tail is shipped",
            "Copy uncopied log backups from the share",
            "Apply unapplied log backups in sequence",
            "Bring the backup database online",
            "Set the pool state to FailedOver",
            "Ship the log of the new primary database to the other side",
            "Set the active servers near the new primary database",
            "Check that the pool works",
        ],
        PoolState::Normal => [
            "Stop posts and ship the tail of the backup database",
            "Copy uncopied log backups from the share",
            "Apply unapplied log backups in sequence",
            "Bring the primary database online",
            "Set the pool state to Normal",
            "Ship the log of the primary database to the backup again",
            "Set the active servers near the primary database",
            "Check that the pool works",
        ],
    }
}

/// The titles of a run: one that changes the next hop has a step more.
fn all_titles(input: &Input) -> Vec<String> {
    let mut all: Vec<String> = titles(input.to).into_iter().map(str::to_owned).collect();
    if let Some((_, hop)) = &input.next_hop {
        all.insert(NEXT_HOP, format!("Publish {hop} as next hop"));
    }
    all
}

/// What a step took in the middle of the earlier runs of the pool that ended well.
pub fn usual(earlier: &[JobView], title: &str) -> Option<u64> {
    let done = earlier.iter().filter(|j| j.state == "done");
    let steps = done.flat_map(|j| &j.steps).filter(|s| s.title == title && s.state == "done");
    let mut took: Vec<u64> = steps.filter_map(|s| s.millis).collect();
    took.sort_unstable();
    took.get(took.len() / 2).copied()
}

/// Stores a new run in the act's own transaction and starts it; its id.
///
/// # Errors
/// When the store does not answer.
pub fn begin(cx: &Cx, input: Input, detail: &str) -> Result<String, ApiError> {
    let now = cx.now();
    let earlier = cx.read(|c| Ok(jobs::jobs_of(c, KIND, &input.pool, EARLIER)?))?;
    let step = |title: &str| JobStep {
        title: title.to_owned(),
        state: "waiting".to_owned(),
        log: vec![],
        millis: None,
        expected: usual(&earlier, title),
        remedy: None,
    };
    let verb = if input.to == PoolState::FailedOver { "Fail over" } else { "Fail back" };
    let job = JobView {
        id: new_id(&*cx.app.entropy, now),
        title: format!("{verb} {}", input.pool),
        state: "running".to_owned(),
        actor: input.actor.clone(),
        started: now,
        steps: all_titles(&input).iter().map(|t| step(t)).collect(),
        error: None,
    };
    cx.commit(detail, |tx| {
        pools::set_held(tx, &input.id, &job.id)?;
        Ok(jobs::save_job(tx, &job, KIND, &input)?)
    })?;
    let id = job.id.clone();
    spawn(cx.app.clone(), job, input);
    Ok(id)
}

/// Goes on with runs that a restart interrupted.
///
/// # Errors
/// When the store does not answer.
pub fn resume_all(app: &Arc<App>) -> Result<(), ApiError> {
    for (mut job, input) in app.store.read(|c| jobs::running_jobs::<Input>(c, KIND)).map_err(store_error)? {
        for s in job.steps.iter_mut().filter(|s| s.state == "running") {
            s.log.push("Interrupted by a restart; begun again.".to_owned());
        }
        spawn(app.clone(), job, input);
    }
    Ok(())
}

/// Goes on with a run that stopped at a failed step, in the hands of whoever resumes it.
///
/// # Errors
/// When there is no such run, or it did not fail.
pub fn resume(cx: &Cx, id: &str, detail: &str) -> Result<(), ApiError> {
    let (mut job, mut input) = find(cx, id)?;
    if job.state != "failed" {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            format!("This run is {}; only a failed one is resumed.", job.state),
        ));
    }
    let holds = !done(&job, STATE);
    still_its_turn(cx, &job, &input, holds)?;
    input.actor.clone_from(&cx.actor.name);
    "running".clone_into(&mut job.state);
    job.error = None;
    for s in job.steps.iter_mut().filter(|s| s.state == "failed") {
        "waiting".clone_into(&mut s.state);
        s.log.push(format!("Resumed by {}.", cx.actor.name));
    }
    cx.commit(detail, |tx| {
        if holds {
            pools::set_held(tx, &input.id, &job.id)?;
        }
        Ok(jobs::save_job(tx, &job, KIND, &input)?)
    })?;
    spawn(cx.app.clone(), job, input);
    Ok(())
}

fn done(job: &JobView, step: usize) -> bool {
    job.steps.get(step).is_some_and(|s| s.state == "done")
}

/// An old run neither takes the pool out of the hands of a newer one nor undoes what was decided since.
fn still_its_turn(cx: &Cx, job: &JobView, input: &Input, holds: bool) -> Result<(), ApiError> {
    let (held, state) = cx.read(|c| Ok((pools::held_by(c, &input.id)?, pools::state(c, &input.id)?)))?;
    let refuse = |text: String| Err(ApiError::new(ErrorCode::Conflict, text));
    if let Some(other) = held.filter(|h| *h != job.id) {
        return refuse(format!("Another run has {} in hand: /jobs/{other}", input.pool));
    }
    let now = state.map(|s| s.state).unwrap_or_default();
    if !holds && now != input.to {
        return refuse(format!("{} was set to {} since. This run is over.", input.pool, now.word()));
    }
    Ok(())
}

fn find(cx: &Cx, id: &str) -> Result<(JobView, Input), ApiError> {
    let found = cx.read(|c| Ok(jobs::job_with_input::<Input>(c, id, KIND)?))?;
    found.ok_or_else(|| ApiError {
        field: Some("Identity".to_owned()),
        ..ApiError::not_found("There is no such run.")
    })
}

/// Cancels a run before the point of no return; the pool goes on as it was.
///
/// # Errors
/// When it is under way or went too far.
pub fn stop(cx: &Cx, id: &str, dry: bool, detail: &str) -> Result<String, ApiError> {
    let (mut job, input) = find(cx, id)?;
    let opened = cx.read(|c| Ok(pools::opened(c, &input.id)?))?;
    let refuse = |text: String| Err(ApiError::new(ErrorCode::Conflict, text));
    if job.state != "failed" {
        return refuse(format!(
            "This run is {}. Only one that stopped at a failed step is cancelled.",
            job.state
        ));
    }
    if done(&job, STATE) || opened.is_some_and(|(side, _)| side == input.to) {
        return refuse(
            "The other database is online already; there is only the way forward. Resume the run.".to_owned(),
        );
    }
    if !dry {
        "cancelled".clone_into(&mut job.state);
        cx.commit(detail, |tx| {
            pools::release(tx, &input.id, &job.id)?;
            Ok(jobs::save_job(tx, &job, KIND, &input)?)
        })?;
    }
    Ok(input.pool)
}

fn spawn(app: Arc<App>, job: JobView, input: Input) {
    tokio::spawn(async move { Run { app, job, input }.run().await });
}

struct Run {
    app: Arc<App>,
    job: JobView,
    input: Input,
}

type Log = Vec<String>;

impl Run {
    async fn run(mut self) {
        for i in 0..self.job.steps.len() {
            if self.job.steps[i].state == "done" {
                continue;
            }
            self.set(i, "running").await;
            let started = Instant::now();
            let mut log = Vec::new();
            crate::hold::at(&self.app.settings, &format!("failover:{i}")).await;
            let result = match self.still_allowed() {
                Ok(()) => self.step(i, &mut log).await,
                Err(e) => Err(e),
            };
            let step = &mut self.job.steps[i];
            step.log.append(&mut log);
            step.millis = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
            if let Err(why) = result {
                step.log.push(why.clone());
                self.job.error = Some(why);
                "failed".clone_into(&mut self.job.state);
                self.set(i, "failed").await;
                self.app.bus.send(Topic::Pool, self.input.pool.as_str());
                return;
            }
            self.set(i, "done").await;
        }
        "done".clone_into(&mut self.job.state);
        self.save().await;
        self.app.bus.send(Topic::Pool, self.input.pool.as_str());
    }

    async fn set(&mut self, i: usize, state: &str) {
        state.clone_into(&mut self.job.steps[i].state);
        self.save().await;
    }

    /// The run goes on only when its progress is stored: with a full disk it waits for room.
    async fn save(&self) {
        while let Err(e) = self.app.store.write(|tx| jobs::save_job(tx, &self.job, KIND, &self.input)) {
            tracing::error!(cause = %e, job = %self.job.id, "a run's progress could not be stored");
            tokio::time::sleep(STORE_AGAIN).await;
        }
        self.app.bus.send(Topic::Job, self.job.id.as_str());
    }

    /// A role that was taken away stops the run before its next step; it can be resumed by somebody else.
    fn still_allowed(&self) -> Result<(), String> {
        self.may(self.input.cmdlet())
    }

    fn may(&self, cmdlet: &str) -> Result<(), String> {
        let account =
            self.app.store.read(|c| accounts::account(c, &self.input.actor)).map_err(|e| e.to_string())?;
        let Some(a) = account else { return Ok(()) }; // a token, or the host
        if !a.enabled {
            return Err(format!(
                "The account {} was disabled. Somebody else may resume the run.",
                self.input.actor
            ));
        }
        let granted = self.app.store.read(|c| own_roles::expand(c, &a.role)).map_err(|e| e.to_string())?;
        roles::can(cmdlet, &granted).map_err(|why| format!("{why} Somebody else may resume the run."))
    }

    async fn step(&self, i: usize, log: &mut Log) -> Result<(), String> {
        match i {
            0 => self.take_in_hand(log).await,
            1 => self.copy(log).await,
            2 => self.apply(log).await,
            ONLINE => self.online(log).await,
            STATE => self.state(log).await,
            5 => self.ship(log).await,
            6 => self.servers(log),
            NEXT_HOP if self.input.next_hop.is_some() => self.next_hop(log).await,
            _ => self.check(log),
        }
    }

    /// The switch, when the sides are in different processes.
    fn over(&self) -> Option<Over<'_>> {
        let (to, forced) = (self.input.to, self.input.forced);
        let over = Over { app: &self.app, pool: &self.input.id, to, forced, hold: &self.job.id };
        self.app.fleet.apart().has(&self.input.id).then_some(over)
    }

    fn opened(&self) -> Result<(PoolState, u64), String> {
        let found = self.app.store.read(|c| pools::opened(c, &self.input.id)).map_err(|e| e.to_string())?;
        if self.over().is_some() {
            return Ok(found.unwrap_or_default());
        }
        found.ok_or_else(|| "the pool's database was never opened".to_owned())
    }

    /// Whether the other database is online already; then the steps before that are behind us.
    fn is_online(&self) -> Result<bool, String> {
        Ok(self.opened()?.0 == self.input.to)
    }

    async fn take_in_hand(&self, log: &mut Log) -> Result<(), String> {
        self.app.redeploy().map_err(|e| e.message)?;
        if let Some(over) = self.over() {
            if self.is_online()? {
                return done_already(log);
            }
            log.push(match over.close().await? {
                (_, Some(t)) if t.tail.is_some() => {
                    "Posts are refused; the database in use is closed, and the tail of its log is in the share."
                }
                (_, Some(_)) => "Posts are refused; the database in use is closed.",
                (_, None) => "The database in use does not answer; from now on nobody is led to it.",
            }
            .to_owned());
            return Ok(());
        }
        self.app.fleet.with_files(&self.input.id, PATIENCE, |_| Ok(())).await?;
        log.push(
            "Posts are refused; the database in use is closed, and the tail of its log is in the share."
                .to_owned(),
        );
        Ok(())
    }

    async fn copy(&self, log: &mut Log) -> Result<(), String> {
        if self.is_online()? {
            return done_already(log);
        }
        if let Some(over) = self.over() {
            match over.copy().await {
                Ok((n, epoch)) => log.push(format!("{n} segments of epoch {epoch} were copied.")),
                Err(e) => self.fall_back(&e, log)?,
            }
            return Ok(());
        }
        let (side, epoch) = self.opened()?;
        let work = move |w: &Wanted| {
            let (share, secondary) = (w.share.clone(), w.secondary(side));
            let (Some(share), Some(secondary)) = (share, secondary) else { return Ok(None) };
            secondary.copy_within(&share, epoch, PATIENCE_OF_SHARES).map(Some).map_err(|e| e.to_string())
        };
        match self.app.fleet.with_files(&self.input.id, PATIENCE, work).await {
            Ok(Some(n)) => log.push(format!("{n} segments of epoch {epoch} were copied.")),
            Ok(None) => log.push(
                "The pool has no share that is reached from here; the whole database is copied later."
                    .to_owned(),
            ),
            Err(e) => self.fall_back(&e, log)?,
        }
        Ok(())
    }

    /// A chain that is not complete: planned, the whole database is copied; forced, what was lost with it
    /// was acknowledged.
    fn fall_back(&self, why: &str, log: &mut Log) -> Result<(), String> {
        log.push(format!("The chain is not complete: {why}."));
        log.push(if self.input.forced {
            "The loss of what comes after it was acknowledged.".to_owned()
        } else {
            "The database in use answers, so the whole of it is copied instead.".to_owned()
        });
        Ok(())
    }

    async fn apply(&self, log: &mut Log) -> Result<(), String> {
        if self.is_online()? {
            return done_already(log);
        }
        if let Some(over) = self.over() {
            return match over.apply(log).await {
                Err(e) if self.input.forced => self.fall_back(&e, log),
                r => r,
            };
        }
        let (side, epoch) = self.opened()?;
        let work = move |w: &Wanted| catch_up(w, side, epoch);
        match self.app.fleet.with_files(&self.input.id, PATIENCE, work).await {
            Ok((_, n)) => log.push(format!("{n} segments were applied; nothing is missing.")),
            Err(e) => self.fall_back(&e, log)?,
        }
        Ok(())
    }

    async fn online(&self, log: &mut Log) -> Result<(), String> {
        if self.is_online()? {
            return done_already(log);
        }
        if let Some(over) = self.over() {
            let did = over.online().await?;
            let pair = self.app.fleet.apart().pair(&self.input.id).ok_or("the pool is not published")?;
            return self.came_online(&pair.side(self.input.to).store.label(), did.epoch, did.messages, log);
        }
        let (side, epoch) = self.opened()?;
        let (to, forced, at) = (self.input.to, self.input.forced, self.app.clock.now());
        let work = move |w: &Wanted| {
            let w = Wanted { state: to, forced, ..w.clone() };
            bring_over(&w, side, epoch, at)?;
            let (label, dir) = w.side(to).ok_or("the pool has no backup SQL Server store")?;
            Ok((label.clone(), MgcDatabase::probe(dir)?))
        };
        let (label, info) = self.app.fleet.with_files(&self.input.id, PATIENCE, work).await?;
        self.came_online(&label, info.epoch, info.messages, log)
    }

    fn came_online(&self, label: &str, epoch: u64, messages: u64, log: &mut Log) -> Result<(), String> {
        let noted = self.app.store.write(|tx| pools::set_opened(tx, &self.input.id, self.input.to, epoch));
        noted.map_err(|e| e.to_string())?;
        log.push(format!("mgc on {label} is online with {messages} messages, epoch {epoch}."));
        log.push("The database that was in use is fenced: it takes no more writes.".to_owned());
        Ok(())
    }

    async fn state(&self, log: &mut Log) -> Result<(), String> {
        let (now, to) = (self.app.clock.now(), self.input.to);
        self.audited("Set-CsPersistentChatState", to.word(), |tx| {
            pools::set_state(tx, &self.input.id, to, self.input.forced, now)?;
            pools::release(tx, &self.input.id, &self.job.id)
        })?;
        self.app.redeploy().map_err(|e| e.message)?;
        self.app.fleet.converged(&self.input.id, PATIENCE).await?;
        log.push(format!(
            "Set-CsPersistentChatState -Identity \"service:{}\" -PoolState {}",
            self.input.pool,
            to.word()
        ));
        log.push("All servers follow: they use the database that is online now.".to_owned());
        Ok(())
    }

    async fn ship(&self, log: &mut Log) -> Result<(), String> {
        let mut rx = self.app.fleet.watch();
        let to = self.input.to;
        let begun = || {
            self.app
                .fleet
                .shipping(&self.input.id)
                .filter(|s| s.from == to && s.applied.is_some() && s.restore_error.is_none())
        };
        let stuck = || {
            let now = self.app.fleet.shipping(&self.input.id).filter(|s| s.from == to);
            now.is_some_and(|s| s.restore_error.is_some() || s.backup_error.is_some())
        };
        let wait = async {
            while begun().is_none() && !stuck() {
                if rx.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(FIRST_COPY, wait).await;
        if begun().is_some() {
            log.push("The other side has a first copy and follows the log.".to_owned());
            return Ok(());
        }
        let why = self.app.fleet.shipping(&self.input.id).and_then(|s| s.backup_error.or(s.restore_error));
        log.push(format!(
            "The other side does not follow yet{}. It begins by itself when it can; until then nothing protects the database in use.",
            why.map(|w| format!(" ({w})")).unwrap_or_default()
        ));
        Ok(())
    }

    fn servers(&self, log: &mut Log) -> Result<(), String> {
        self.audited("Set-CsPersistentChatActiveServer", &self.input.active.join(", "), |tx| {
            pools::set_active_servers(tx, &self.input.id, &self.input.active)
        })?;
        self.app.redeploy().map_err(|e| e.message)?;
        log.push(format!("Active: {}.", self.input.active.join(", ")));
        Ok(())
    }

    /// Publishes the new next hop as a version of its own.
    async fn next_hop(&self, log: &mut Log) -> Result<(), String> {
        let Some((id, hop)) = &self.input.next_hop else { return Ok(()) };
        self.may(next_hop::PUBLISH)?;
        let comment = format!("{}: the next hop is down", self.job.title);
        let (pool, author) = (&self.input.id, &self.input.actor);
        let Some(change) = NextHop::new(&self.app, author, pool, id, comment)? else {
            log.push(format!("{hop} is the next hop already."));
            return Ok(());
        };
        self.audited(next_hop::PUBLISH, hop, |tx| change.save(tx))?;
        log.push(change.publish(&self.app).await?);
        log.push(format!(
            "Clients reach {} through {hop}. Set it back in the topology when the other one is there again.",
            self.input.pool
        ));
        Ok(())
    }

    fn check(&self, log: &mut Log) -> Result<(), String> {
        let running = |name: &&String| {
            let reports = self.app.reports.borrow();
            reports.iter().any(|r| r.fqdn.as_str() == name.as_str() && r.state == ServerState::Running)
        };
        let up = self.input.active.iter().filter(running).count();
        if up == 0 {
            return Err(
                "No active server of the pool runs. Start one, or make another one active.".to_owned()
            );
        }
        log.push(format!(
            "{up} of {} active servers run, and the database takes posts.",
            self.input.active.len()
        ));
        log.push(format!("Send a test message to {} to prove it from a client's side.", self.input.pool));
        let orphans: Vec<String> = if self.over().is_some() {
            let told = self.app.fleet.apart().told(&self.input.id, other(self.input.to));
            told.map(|t| t.orphans).unwrap_or_default()
        } else {
            let w = self.app.fleet.wanted_of(&self.input.id);
            let secondary = w.and_then(|w| w.secondary(self.input.to));
            let found = secondary.map(|s| s.orphans()).unwrap_or_default();
            found.iter().map(|o| o.display().to_string()).collect()
        };
        for o in orphans {
            log.push(format!("The database that was in use before is kept in {o}; it may hold messages that were never shipped."));
        }
        Ok(())
    }

    /// A change that a step makes, with its audit rows in the same transaction.
    fn audited(
        &self,
        cmdlet: &str,
        detail: &str,
        f: impl FnOnce(&rusqlite::Transaction<'_>) -> store::management::Result<()>,
    ) -> Result<(), String> {
        let now = self.app.clock.now();
        let op_id = new_id(&*self.app.entropy, now);
        let entry = Opened {
            actor: self.input.actor.clone(),
            reason: self.input.reason.clone(),
            request_id: self.job.id.clone(),
            line: format!("{cmdlet} {} ({detail})", self.input.pool),
            ..Opened::by_service(&op_id, cmdlet, &self.input.pool)
        };
        self.app
            .store
            .write(|tx| {
                audit::open(tx, &entry, now)?;
                f(tx)?;
                audit::close(tx, &op_id, "done", detail, now)?;
                Ok::<(), Fault>(())
            })
            .map_err(|f| f.0.message)
    }
}

fn done_already(log: &mut Log) -> Result<(), String> {
    log.push("The other database is online already; nothing to do.".to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_duration_is_the_middle_one_of_runs_that_ended_well() {
        let run = |state: &str, millis: u64| JobView {
            id: String::new(),
            title: String::new(),
            state: state.to_owned(),
            actor: String::new(),
            started: shared::Timestamp::default(),
            steps: vec![JobStep {
                title: "Copy".to_owned(),
                state: "done".to_owned(),
                log: vec![],
                millis: Some(millis),
                expected: None,
                remedy: None,
            }],
            error: None,
        };
        let all = [run("done", 900), run("done", 10), run("failed", 1), run("done", 30)];
        assert_eq!(usual(&all, "Copy"), Some(30));
        assert_eq!(usual(&all, "Apply"), None);
    }
}
