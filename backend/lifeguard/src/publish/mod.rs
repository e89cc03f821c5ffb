//! Publishing: a durable job of checks that can fail, databases, file stores, the new version, servers.
//! Every step may be run again; a job that a restart interrupted goes on from the first step.
//! Source: S3, `reference/domain/procedures.md` §3.

mod checks;
pub mod facts;
pub mod kept;
mod next_hop;
mod rehearse;

pub use checks::writable;
pub use next_hop::NextHop;
pub use rehearse::rehearse;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use shared::ObjectId;
use shared::api::{JobStep, JobView};
use shared::cmdlets::PublishCsTopology;
use shared::deployment::{PoolState, ServerState};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::diff::{diff, sentences as change_sentences};
use shared::topology::effect::{Effect, effects};
use shared::topology::transition::transition;
use shared::topology::validate::{MAX_ACTIVE, validate};
use shared::topology::{ChatPool, Computer, Placement, Topology};
use store::management::drafts::{By, MAIN};
use store::management::mirrors::{self, Which};
use store::management::{jobs, pools, topology as tstore};

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

    async fn databases(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        self.shares(true, log).await?;
        for p in &t.pools {
            if let Some(store) = t.sql_store(&p.sql_store)
                && let Placement::Node(n) = &store.placement
            {
                let ask = node::remote::Inquiry::Create(store.clone());
                let made = crate::nodes::instance::said(&self.app, n, ask).await;
                let made = made.map_err(|e| {
                    format!("mgc of {} could not be created on {}: {e}", p.fqdn, store.label())
                })?;
                log.push(format!("mgc of {} {made} on {}, node {n}.", p.fqdn, store.label()));
            }
            if let Some(pair) = p.pair(t) {
                log.push(format!(
                    "The backup mgc of {} is made on {} by log shipping, as a copy of the primary.",
                    p.fqdn,
                    pair.backup.label()
                ));
            }
            for line in crate::fleet::create_databases(&self.app.settings, t, p, self.app.clock.now())? {
                log.push(line);
            }
        }
        Ok(())
    }

    fn version(&self, log: &mut Log) -> Result<(), Failed> {
        let now = self.app.clock.now();
        let input = &self.input;
        let version = self
            .app
            .store
            .write(|tx| {
                let newest = tstore::published(tx)?;
                if let Some(v) = newest.as_ref().filter(|v| v.document == input.document) {
                    return Ok(Ok(v.version)); // stored before the restart
                }
                if newest.as_ref().map(|v| v.version) != input.parent {
                    return Ok(Err(
                        "Another version was published meanwhile. Review the draft and publish again.",
                    ));
                }
                let v = tstore::add_version(
                    tx,
                    &input.document,
                    input.parent,
                    &input.author,
                    &input.comment,
                    now,
                )?;
                let by = By { author: &input.author, at: now };
                tstore::follow(tx, &input.draft, &input.document, v, input.parent, by)?;
                for p in &input.document.pools {
                    first_state(tx, p, now)?;
                }
                Ok::<_, store::management::StoreError>(Ok(v))
            })
            .map_err(|e| e.to_string())??;
        log.push(format!("Version {version} is stored."));
        if input.sample {
            crate::sample::directory(&self.app).map_err(|e| e.message)?;
        }
        self.app.redeploy().map_err(|e| e.message.into())
    }

    /// Mirrors that are new in the topology are set up; one that was taken away by its cmdlet stays away.
    fn mirrors(&self, log: &mut Log) -> Result<(), Failed> {
        let settings = &self.app.settings;
        let (t, before) = (&self.input.document, self.before()?);
        for p in &t.pools {
            let sides = [PoolState::Normal, PoolState::FailedOver];
            for of in sides.map(Which::from).into_iter().chain(sides.map(Which::queue)) {
                let stores = |p: &ChatPool| {
                    let (_, mirror) =
                        if of.queue { p.mgccomp_stores(of.side) } else { p.mgc_stores(of.side) };
                    mirror.cloned()
                };
                let Some(id) = &stores(p) else { continue };
                let known = before.pool(&p.id).is_some_and(|o| stores(o).as_ref() == Some(id));
                let Some(store) = t.sql_store(id).filter(|s| s.placement == Placement::RunHere && !known)
                else {
                    continue;
                };
                let dir = settings.sql_dir(store);
                let name = if of.queue { "mgccomp" } else { "mgc" };
                if dir.join(format!("{name}.db")).exists() && !dir.join(format!("{name}.mirror")).exists() {
                    log.push(format!(
                        "A database {name} stands on {} already; run Install-CsMirrorDatabase with DropExistingDatabasesOnMirror.",
                        store.label()
                    ));
                    continue;
                }
                std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
                self.app
                    .store
                    .write(|tx| mirrors::install(tx, &p.id, of, true))
                    .map_err(|e: store::management::StoreError| e.to_string())?;
                log.push(format!("{name} of {} is mirrored to {}.", p.fqdn, store.label()));
            }
        }
        if log.is_empty() {
            log.push("No mirror is new.".to_owned());
        }
        self.app.redeploy().map_err(|e| e.message.into())
    }

    /// What was published before this version.
    fn before(&self) -> Result<Topology, Failed> {
        let parent = self.input.parent;
        let found = self
            .app
            .store
            .read(|c| Ok(parent.map(|v| tstore::version(c, v)).transpose()?.flatten()))
            .map_err(|e: store::management::StoreError| e.to_string())?;
        Ok(found.map(|v| v.document).unwrap_or_default())
    }

    /// Waits until every server that runs here serves this generation, or has failed.
    async fn servers(&self, log: &mut Log) -> Result<(), Failed> {
        if let Some(hop) = &self.input.only_next_hop {
            return self.hop_serves(hop, log).await;
        }
        self.app.redeploy().map_err(|e| e.message)?;
        let t = &self.input.document;
        let all: Vec<&Computer> = t
            .front_end_pools
            .iter()
            .flat_map(|p| &p.servers)
            .chain(t.pools.iter().flat_map(|p| &p.computers))
            .collect();
        let here: Vec<_> = all.iter().filter(|c| c.placement.is_run()).collect();
        let mut reports = self.app.reports.clone();
        let ready = reports.wait_for(|list| {
            here.iter().all(|c| {
                list.iter().any(|r| {
                    r.fqdn == c.fqdn && (r.state == ServerState::Running || r.state.trouble().is_some())
                })
            })
        });
        let timed_out = tokio::time::timeout(START_TIMEOUT, ready).await.is_err();
        let list = self.app.reports.borrow().clone();
        let mut failed = Vec::new();
        for c in here {
            let own = list.iter().filter(|r| r.fqdn == c.fqdn);
            match own.min_by_key(|r| r.state == ServerState::Running) {
                Some(r) if r.state == ServerState::Running => {
                    log.push(format!("{} listens on {}.", c.fqdn, r.listens.join(", ")));
                }
                Some(r) if r.state.trouble().is_some() => {
                    failed.push(format!("{}: {}", c.fqdn, r.state.trouble().unwrap_or_default()));
                }
                _ if timed_out => {
                    failed.push(format!("{} did not come up within {} s.", c.fqdn, START_TIMEOUT.as_secs()));
                }
                _ => failed.push(format!("{} is not reported.", c.fqdn)),
            }
        }
        if failed.is_empty() {
            if self.input.sample {
                crate::sample::rooms(&self.app).await.map_err(|e| e.message)?;
                log.push("A category and a room were made on each pool.".to_owned());
            }
            return Ok(());
        }
        Err(failed.join(" ").into())
    }
}

/// A new pool starts Normal, with its first servers active (model §5, 15; at most four).
fn first_state(
    c: &rusqlite::Connection,
    p: &ChatPool,
    now: shared::Timestamp,
) -> store::management::Result<()> {
    if pools::state(c, &p.id)?.is_some() {
        return Ok(());
    }
    pools::set_state(c, &p.id, PoolState::Normal, false, now)?;
    let active: Vec<String> = match shared::sample::active_at_first(p.fqdn.as_str()) {
        Some(list) => list.iter().map(|s| (*s).to_owned()).collect(),
        None => p.computers.iter().take(MAX_ACTIVE).map(|c| c.fqdn.to_string()).collect(),
    };
    pools::set_active_servers(c, &p.id, &active)
}
