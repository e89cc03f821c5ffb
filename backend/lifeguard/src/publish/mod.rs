//! Publishing: a durable job of checks that can fail, databases, file stores, the new version, servers.
//! Every step may be run again; a job that a restart interrupted goes on from the first step.
//! Source: S3, `reference/domain/procedures.md` §3.

mod checks;
pub mod facts;
pub mod kept;
mod next_hop;
mod rehearse;
mod steps;

pub use checks::writable;
pub use next_hop::NextHop;
pub use rehearse::rehearse;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared::ObjectId;
use shared::api::{JobStep, JobView};
use shared::cmdlets::PublishCsTopology;
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::Topology;
use shared::topology::diff::{diff, sentences as change_sentences};
use shared::topology::effect::{Effect, effects};
use shared::topology::transition::transition;
use shared::topology::validate::validate;
use store::management::drafts::{By, MAIN};
use store::management::{jobs, topology as tstore};

use crate::app::App;
use crate::clock::new_id;
use crate::door::{Cx, Outcome, plan as sentences, store_error};
use crate::handlers::load_draft as load;

const KIND: &str = "publish";
/// How long servers may take to come up.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What a publish job needs to be resumed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    document: Topology,
    parent: Option<u64>,
    author: String,
    comment: String,
    sample: bool,
    /// The draft that is published; jobs from before there were several name none.
    #[serde(default = "main_draft")]
    draft: String,
    /// Nothing but the next hop of a pool changes, and this is the new one.
    #[serde(default)]
    only_next_hop: Option<ObjectId>,
}

fn main_draft() -> String {
    MAIN.to_owned()
}

/// The plan: every difference in a sentence, the draft's errors as blockers.
pub fn plan(a: &PublishCsTopology, cx: &Cx) -> Result<Plan, ApiError> {
    let name = a.topology_draft.as_deref();
    let (draft, published) = cx.read(|c| Ok((load(c, name)?, tstore::published(c)?)))?;
    let before = published.as_ref().map(|v| v.document.clone()).unwrap_or_default();
    let changes = diff(&before, &draft.document);
    let facts = cx.read(|c| facts::facts(c, &before))?;
    let effects = effects(&before, &draft.document, &facts, &changes);
    let said = |(c, e): (String, &Effect)| format!("{c} {}", e.words()).trim_end().to_owned();
    let mut p =
        sentences(change_sentences(&changes, &draft.document).into_iter().zip(&effects.each).map(said));
    p.affected_users = Some(effects.users);
    let version = published.as_ref().map_or(0, |v| v.version);
    p.changes.push(PlannedChange::new("topology", "Version", version.to_string(), (version + 1).to_string()));
    p.confirm = Confirm::Ask;
    if a.revision.is_some_and(|r| r != draft.revision) {
        return Err(ApiError::new(
            ErrorCode::PlanChanged,
            "The draft changed since it was reviewed. Look at it again.",
        ));
    }
    for problem in validate(&draft.document).into_iter().chain(transition(&before, &draft.document, &facts)) {
        if problem.blocks() { p.blockers.push(problem) } else { p.warnings.push(problem) }
    }
    if changes.is_empty() {
        p.blockers.push(Problem::error(
            "nothing",
            "",
            "The draft equals what is published; there is nothing to publish.",
            "",
        ));
    }
    if draft.base != published.as_ref().map(|v| v.version) {
        let newest = published.as_ref().map_or(0, |v| v.version);
        let text = format!(
            "Version {newest} was published since this draft was begun. Take it in first: Merge-LgTopologyDraft {}.",
            draft.name
        );
        p.blockers.push(Problem::error("parent", "", text, ""));
    }
    Ok(p)
}

/// Starts the job.
pub fn start(a: &PublishCsTopology, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
    let draft = cx.read(|c| load(c, a.topology_draft.as_deref()))?;
    let input = Input {
        draft: draft.name,
        document: draft.document,
        parent: draft.base,
        author: cx.actor.name.clone(),
        comment: a.comment.clone().unwrap_or_default(),
        sample: false,
        only_next_hop: None,
    };
    let job = new_job(&cx.app, &input);
    cx.commit(&p.sentences.join(" "), |tx| Ok(jobs::save_job(tx, &job, KIND, &input)?))?;
    let id = job.id.clone();
    spawn(cx.app.clone(), job, input);
    Ok(Outcome { job: Some(id), ..Outcome::changed(Topic::Topology, "publish") })
}

/// Publishes the sample for the first visit or `serve --sample`; the job's id.
pub fn start_sample(app: &Arc<App>, document: Topology, author: &str) -> Result<String, ApiError> {
    for s in &document.file_stores {
        std::fs::create_dir_all(app.settings.share_dir(s))
            .map_err(|e| ApiError::new(ErrorCode::Unavailable, e.to_string()))?;
    }
    let input = Input {
        draft: main_draft(),
        document,
        parent: None,
        author: author.to_owned(),
        comment: "Sample Litware".to_owned(),
        sample: true,
        only_next_hop: None,
    };
    let job = new_job(app, &input);
    app.store
        .write(|tx| {
            let by = By { author, at: app.clock.now() };
            tstore::save_draft(tx, tstore::draft(tx)?, &input.document, by)?;
            jobs::save_job(tx, &job, KIND, &input)
        })
        .map_err(store_error)?;
    let id = job.id.clone();
    spawn(app.clone(), job, input);
    Ok(id)
}

/// Goes on with jobs that a restart interrupted.
pub fn resume(app: &Arc<App>) -> Result<(), ApiError> {
    let found = app.store.read(|c| jobs::running_jobs::<Input>(c, KIND)).map_err(store_error)?;
    for (mut job, input) in found {
        for s in &mut job.steps {
            "waiting".clone_into(&mut s.state);
            s.log.push("Interrupted by a restart; begun again.".to_owned());
        }
        spawn(app.clone(), job, input);
    }
    Ok(())
}

const STEPS: [&str; 9] = [
    "Check the topology against its rules",
    "Check where servers run: names, addresses, ports",
    "Check SQL Server stores",
    "Check file stores: read, write, modify, permissions",
    "Create databases",
    "Store the new version",
    "Create mirror databases",
    "Set aside databases that no pool uses any more",
    "Start servers",
];

fn new_job(app: &App, input: &Input) -> JobView {
    let now = app.clock.now();
    let step = |title: &&str| JobStep {
        title: (*title).to_owned(),
        state: "waiting".to_owned(),
        log: vec![],
        millis: None,
        expected: None,
        remedy: None,
    };
    JobView {
        id: new_id(&*app.entropy, now),
        title: "Publish the topology".to_owned(),
        state: "running".to_owned(),
        actor: input.author.clone(),
        started: now,
        steps: STEPS.iter().map(step).collect(),
        error: None,
    }
}

fn spawn(app: Arc<App>, job: JobView, input: Input) {
    tokio::spawn(async move { Run { app, job, input, rehearsal: false }.run().await });
}

struct Run {
    app: Arc<App>,
    job: JobView,
    input: Input,
    /// A rehearsal: checks only, nothing is made.
    rehearsal: bool,
}

/// Why a step failed, with the cmdlet that mends it.
struct Failed {
    text: String,
    remedy: Option<(String, serde_json::Value)>,
}

impl<T: Into<String>> From<T> for Failed {
    fn from(text: T) -> Self {
        Self { text: text.into(), remedy: None }
    }
}

type Log = Vec<String>;

impl Run {
    async fn run(mut self) {
        for i in 0..STEPS.len() {
            self.set(i, "running");
            let started = Instant::now();
            let mut log = Vec::new();
            let result = self.step(i, &mut log).await;
            // The worst moment to be killed: the work is done and not written down.
            crate::hold::at(&self.app.settings, &format!("publish:{i}")).await;
            let step = &mut self.job.steps[i];
            step.log.append(&mut log);
            step.millis = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
            if let Err(f) = result {
                step.log.push(f.text.clone());
                step.remedy = f.remedy;
                self.job.error = Some(f.text);
                "failed".clone_into(&mut self.job.state);
                self.set(i, "failed");
                self.app.bus.send(Topic::Topology, "publish");
                return;
            }
            self.set(i, "done");
        }
        "done".clone_into(&mut self.job.state);
        self.save();
        self.app.bus.send(Topic::Topology, "publish");
        self.app.bus.send(Topic::Pool, "");
    }

    fn set(&mut self, i: usize, state: &str) {
        state.clone_into(&mut self.job.steps[i].state);
        self.save();
    }

    fn save(&self) {
        if let Err(e) = self.app.store.write(|tx| jobs::save_progress(tx, &self.job)) {
            tracing::error!(cause = %e, job = %self.job.id, "a job's progress could not be stored");
        }
        self.app.bus.send(Topic::Job, self.job.id.as_str());
    }

    async fn step(&self, i: usize, log: &mut Log) -> Result<(), Failed> {
        if self.untouched(i, log) {
            return Ok(());
        }
        match i {
            0 => self.rules(log),
            1 => self.places(log).await,
            2 => self.sql(log).await,
            3 => {
                self.files(log)?;
                self.shares(false, log).await
            }
            4 => self.databases(log).await,
            5 => self.version(log),
            6 => self.mirrors(log),
            7 => self.set_aside(log).await,
            _ => self.servers(log).await,
        }
    }
}
