//! A rehearsal of a guided run: the side that would take over is copied with its log to a scratch folder,
//! and the steps are done there. The pool's databases and its share are only read. Source: S1 steps 2–4.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use node::remote::Rehearsed;
use serde::{Deserialize, Serialize};
use shared::ObjectId;
use shared::api::{JobStep, JobView};
use shared::deployment::PoolState;
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use store::chat::MgcDatabase;
use store::chat::shipping::{PATIENCE, Secondary};
use store::management::{jobs, pools};

use super::run::{titles, usual};
use crate::app::App;
use crate::clock::new_id;
use crate::door::{Cx, store_error};
use crate::fleet::other;
use crate::settings::Settings;

/// Kind of these jobs.
pub const KIND: &str = "rehearsal";
/// Earlier runs that durations are taken from.
const EARLIER: u32 = 20;

const STEPS: [&str; 7] = [
    "Look what stands in the way of a run",
    "Copy the side that would take over, with its log, to a scratch folder",
    "On the copy: copy uncopied log backups from the share",
    "On the copy: apply unapplied log backups in sequence",
    "On the copy: bring the database online",
    "On the copy: read and check it",
    "Take the copy away",
];
const TAKE_AWAY: usize = 6;

/// What a rehearsal is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    /// FQDN, for lists.
    pub pool: String,
    /// The pool.
    pub id: ObjectId,
    /// State that a run would lead to.
    pub to: PoolState,
    /// What the pre-flight of a run found when the rehearsal was begun.
    pub found: Vec<Problem>,
}

/// Folder of all scratch copies.
pub fn scratch(s: &Settings) -> PathBuf {
    s.data_dir.join("rehearsals")
}

/// Stores a new rehearsal in the act's own transaction and starts it; its id.
///
/// # Errors
/// When the store does not answer.
pub fn begin(cx: &Cx, input: Input, detail: &str) -> Result<String, ApiError> {
    let now = cx.now();
    let step = |title: &str| JobStep {
        title: title.to_owned(),
        state: "waiting".to_owned(),
        log: vec![],
        millis: None,
        expected: None,
        remedy: None,
    };
    let verb = if input.to == PoolState::FailedOver { "failover" } else { "failback" };
    let job = JobView {
        id: new_id(&*cx.app.entropy, now),
        title: format!("Rehearsal on a copy: {verb} of {}", input.pool),
        state: "running".to_owned(),
        actor: cx.actor.name.clone(),
        started: now,
        steps: STEPS.into_iter().map(step).collect(),
        error: None,
    };
    cx.commit(detail, |tx| Ok(jobs::save_job(tx, &job, KIND, &input)?))?;
    let id = job.id.clone();
    let app = cx.app.clone();
    tokio::spawn(async move { Rehearsal { app, job, input, epoch: 0, there: None }.run().await });
    Ok(id)
}

/// Ends rehearsals that a restart interrupted, and takes away what they left.
///
/// # Errors
/// When the store does not answer.
pub fn close_interrupted(app: &App) -> Result<(), ApiError> {
    if let Err(e) = std::fs::remove_dir_all(scratch(&app.settings))
        && e.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(cause = %e, "the copy of a rehearsal could not be taken away");
    }
    for (mut job, input) in app.store.read(|c| jobs::running_jobs::<Input>(c, KIND)).map_err(store_error)? {
        let why = "A restart of the portal ended the rehearsal; its copy was taken away.".to_owned();
        for s in job.steps.iter_mut().filter(|s| s.state == "running") {
            "failed".clone_into(&mut s.state);
            s.log.push(why.clone());
        }
        "failed".clone_into(&mut job.state);
        job.error = Some(why);
        app.store.write(|tx| jobs::save_job(tx, &job, KIND, &input)).map_err(store_error)?;
    }
    Ok(())
}

struct Rehearsal {
    app: Arc<App>,
    job: JobView,
    input: Input,
    epoch: u64,
    /// What the owner of the side that would take over did, when that is another process.
    there: Option<Vec<Rehearsed>>,
}

type Log = Vec<String>;

impl Rehearsal {
    async fn run(mut self) {
        let mut broken = None;
        for i in 0..STEPS.len() {
            // What was copied is taken away whatever came before.
            if broken.is_some() && i != TAKE_AWAY {
                self.set(i, "skipped");
                continue;
            }
            self.set(i, "running");
            let started = Instant::now();
            let mut log = Vec::new();
            let result = self.step(i, &mut log).await;
            let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let took = self.part(i).map_or(took, |p| p.millis);
            let step = &mut self.job.steps[i];
            step.log.append(&mut log);
            step.millis = Some(took);
            match result {
                Ok(()) => self.set(i, "done"),
                Err(why) => {
                    step.log.push(why.clone());
                    self.set(i, "failed");
                    broken.get_or_insert(why);
                }
            }
        }
        self.end(broken);
    }

    fn end(&mut self, broken: Option<String>) {
        let stops: Vec<String> =
            self.input.found.iter().filter(|p| p.blocks()).map(|p| p.text.clone()).collect();
        self.job.error = match broken {
            Some(why) => Some(format!("In a run this would not go well: {why}")),
            None if !stops.is_empty() => Some(format!("A run would be refused now: {}", stops.join(" "))),
            None => None,
        };
        let state = if self.job.error.is_some() { "failed" } else { "done" };
        state.clone_into(&mut self.job.state);
        self.save();
        self.app.bus.send(Topic::Pool, self.input.pool.as_str());
    }

    fn set(&mut self, i: usize, state: &str) {
        state.clone_into(&mut self.job.steps[i].state);
        self.save();
    }

    fn save(&self) {
        if let Err(e) = self.app.store.write(|tx| jobs::save_job(tx, &self.job, KIND, &self.input)) {
            tracing::error!(cause = %e, job = %self.job.id, "a rehearsal's progress could not be stored");
        }
        self.app.bus.send(Topic::Job, self.job.id.as_str());
    }

    fn dir(&self) -> PathBuf {
        scratch(&self.app.settings).join(&self.job.id)
    }

    /// The copy as log shipping sees it, and the share.
    fn copied(&self) -> Result<(Secondary, PathBuf), String> {
        let w = self.app.fleet.wanted_of(&self.input.id).ok_or("the pool does not run here")?;
        let share = w.share.ok_or("the pool has no share for log shipping that is reached from here")?;
        Ok((Secondary::new(&self.dir(), self.input.id.as_str()), share))
    }

    async fn step(&mut self, i: usize, log: &mut Log) -> Result<(), String> {
        if (1..TAKE_AWAY).contains(&i) && self.app.fleet.apart().has(&self.input.id) {
            return self.elsewhere(i, log).await;
        }
        match i {
            0 => {
                self.look(log);
                Ok(())
            }
            1 => self.take_copy(log).await,
            2 => self.copy(log).await,
            3 => self.apply(log).await,
            4 => self.online(log).await,
            5 => self.read(log).await,
            _ => self.take_away(log).await,
        }
    }

    /// What the owner of the side says of a step.
    fn part(&self, i: usize) -> Option<&Rehearsed> {
        self.there.as_ref()?.get(i.checked_sub(1)?)
    }

    /// A step that the owner of the side does: all of them are done there at once, and told one by one.
    async fn elsewhere(&mut self, i: usize, log: &mut Log) -> Result<(), String> {
        if i == 1 {
            self.there = Some(crate::apart::rehearse(&self.app, &self.input.id, self.input.to).await?);
        }
        let part = self.part(i).ok_or("its owner did not come to this step")?.clone();
        log.extend(part.log);
        if let Some(why) = part.error {
            return Err(why);
        }
        match part.messages {
            Some(n) => self.compare(n, log),
            None => Ok(()),
        }
    }

    fn look(&self, log: &mut Log) {
        log.push(
            "This is a rehearsal: the pool goes on as it is, its databases and its share are only read."
                .to_owned(),
        );
        for p in &self.input.found {
            log.push(if p.blocks() { format!("Would stop a run: {}", p.text) } else { p.text.clone() });
        }
        if self.input.found.is_empty() {
            log.push("Nothing stands in the way of a run.".to_owned());
        }
    }

    async fn take_copy(&mut self, log: &mut Log) -> Result<(), String> {
        let opened = self.app.store.read(|c| pools::opened(c, &self.input.id)).map_err(|e| e.to_string())?;
        self.epoch = opened.ok_or("the pool's database was never opened")?.1;
        let w = self.app.fleet.wanted_of(&self.input.id).ok_or("the pool does not run here")?;
        let (label, from) = w.side(self.input.to).ok_or("the pool has no backup SQL Server store")?.clone();
        let size = std::fs::metadata(from.join("mgc.db")).map_or(0, |m| m.len());
        let dir = self.dir();
        if let Some(free) = crate::disk::free(&dir).filter(|free| *free < size + size / 5) {
            return Err(format!(
                "the data directory has {} MB free; the copy of {label} takes {} MB (only the rehearsal needs this room)",
                free / 1_000_000,
                (size + size / 5).div_ceil(1_000_000)
            ));
        }
        let begun = Instant::now();
        let bytes = self.app.fleet.copy_side(&self.input.id, &from, &dir).await?;
        log.push(format!(
            "{} KB of {label} were copied in {} ms.",
            bytes.div_ceil(1000),
            begun.elapsed().as_millis()
        ));
        Ok(())
    }

    async fn copy(&self, log: &mut Log) -> Result<(), String> {
        let (secondary, share) = self.copied()?;
        let epoch = self.epoch;
        let n = blocking(move || secondary.copy_within(&share, epoch, PATIENCE).map_err(|e| e.to_string()))
            .await?;
        log.push(format!("{n} segments of epoch {epoch} were read from the share."));
        Ok(())
    }

    async fn apply(&self, log: &mut Log) -> Result<(), String> {
        let (secondary, _) = self.copied()?;
        let epoch = self.epoch;
        let work = move || {
            let n = secondary.apply(epoch).map_err(|e| e.to_string())?;
            Ok((n, secondary.applied()))
        };
        let (n, applied) = blocking(work).await?;
        let applied = applied.filter(|a| a.mark.epoch == epoch).ok_or(
            "nothing of the log in use was ever applied there; a planned run would copy the whole database instead",
        )?;
        log.push(format!("{n} segments were applied; the newest is {} of epoch {epoch}.", applied.mark.seq));
        Ok(())
    }

    async fn online(&self, log: &mut Log) -> Result<(), String> {
        let (secondary, _) = self.copied()?;
        let (dir, epoch) = (self.dir(), self.epoch + 1);
        // The epoch is not claimed in the share: the database in use must not be fenced.
        blocking(move || {
            secondary.online().map_err(|e| e.to_string())?;
            MgcDatabase::promote(&dir, epoch).map_err(|e| e.to_string())
        })
        .await?;
        let dir = self.dir();
        let open =
            blocking(move || MgcDatabase::open(&dir, epoch, None, None).map_err(|e| e.to_string())).await?;
        let rooms = open.store().rooms().await.map_err(|e| e.to_string());
        open.close().await;
        log.push(format!(
            "The copy is online with epoch {epoch} and {} rooms; the share does not know of it.",
            rooms?.len()
        ));
        Ok(())
    }

    async fn read(&self, log: &mut Log) -> Result<(), String> {
        let dir = self.dir();
        let (info, sound) = blocking(move || {
            let info = MgcDatabase::probe(&dir)?;
            let c = rusqlite::Connection::open(dir.join("mgc.db")).map_err(|e| e.to_string())?;
            let sound: String =
                c.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(|e| e.to_string())?;
            Ok((info, sound))
        })
        .await?;
        if sound != "ok" {
            return Err(format!("the database would come online damaged: {sound}"));
        }
        log.push(format!(
            "{} messages, {} KB; SQLite's check finds nothing wrong.",
            info.messages,
            info.size_bytes.div_ceil(1000)
        ));
        self.compare(info.messages, log)
    }

    /// How the copy stands to the database in use.
    fn compare(&self, messages: u64, log: &mut Log) -> Result<(), String> {
        let in_use = self.app.fleet.shipping(&self.input.id).filter(|s| s.from == other(self.input.to));
        log.push(match in_use.and_then(|s| s.messages).map(|n| n.saturating_sub(messages)) {
            None => "How many messages the database in use has now is not known.".to_owned(),
            Some(0) => "The database in use has no message more: even a forced run would lose nothing now.".to_owned(),
            Some(n) => format!("The database in use has {n} messages more: a planned run ships them with the tail, a forced run would lose them."),
        });
        self.durations(log)
    }

    /// How long a run would take: what the steps took here, and what they took in earlier runs.
    fn durations(&self, log: &mut Log) -> Result<(), String> {
        let took: u64 = self.job.steps[2..5].iter().filter_map(|s| s.millis).sum();
        log.push(format!(
            "Copying, applying and bringing online took {took} ms here; posts would wait that long at least."
        ));
        let earlier = self.app.store.read(|c| jobs::jobs_of(c, super::KIND, &self.input.pool, EARLIER));
        let earlier = earlier.map_err(|e| e.to_string())?;
        let known: Vec<u64> = titles(self.input.to).iter().filter_map(|t| usual(&earlier, t)).collect();
        log.push(if known.is_empty() {
            "This pool has had no such run yet; how long its other steps take is not known.".to_owned()
        } else {
            format!(
                "All steps of a run took {:.1?} in the middle of earlier runs.",
                Duration::from_millis(known.iter().sum())
            )
        });
        Ok(())
    }

    async fn take_away(&self, log: &mut Log) -> Result<(), String> {
        let dir = self.dir();
        let gone = move || match std::fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", dir.display())),
            _ => Ok(()),
        };
        blocking(gone).await?;
        log.push("The copy is gone. Nothing of the pool was changed.".to_owned());
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
}
