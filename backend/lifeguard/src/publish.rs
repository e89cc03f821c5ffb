//! Publishing: a durable job of checks that can fail, databases, file stores, the new version, servers.
//! Every step may be run again; a job that a restart interrupted goes on from the first step.
//! Source: S3, `reference/domain/procedures.md` §3.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::api::{JobStep, JobView};
use shared::cmdlets::PublishCsTopology;
use shared::deployment::{PoolState, ServerState};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::diff::diff;
use shared::topology::validate::{MAX_ACTIVE, validate};
use shared::topology::{ChatPool, Computer, FileStore, FileStoreRef, Placement, SqlStore, Topology};
use store::management::{jobs, pools, topology as tstore};

use crate::app::App;
use crate::clock::new_id;
use crate::door::{Cx, Outcome, plan as sentences, store_error};

const KIND: &str = "publish";
/// How long servers may take to come up.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a server elsewhere may take to answer.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// What a publish job needs to be resumed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    document: Topology,
    parent: Option<u64>,
    author: String,
    comment: String,
    sample: bool,
}

/// The plan: every difference in a sentence, the draft's errors as blockers.
pub fn plan(a: &PublishCsTopology, cx: &Cx) -> Result<Plan, ApiError> {
    let (draft, published) = cx.read(|c| Ok((tstore::draft(c)?, tstore::published(c)?)))?;
    let before = published.as_ref().map(|v| v.document.clone()).unwrap_or_default();
    let changes = diff(&before, &draft.document);
    let mut p = sentences(changes.iter().map(|c| c.sentence(&draft.document)));
    let version = published.as_ref().map_or(0, |v| v.version);
    p.changes.push(PlannedChange::new("topology", "Version", version.to_string(), (version + 1).to_string()));
    p.confirm = Confirm::Ask;
    if a.revision.is_some_and(|r| r != draft.revision) {
        return Err(ApiError::new(
            ErrorCode::PlanChanged,
            "The draft changed since it was reviewed. Look at it again.",
        ));
    }
    for problem in validate(&draft.document) {
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
        p.blockers.push(Problem::error(
            "parent",
            "",
            "Another version was published since this draft was begun. Reset the draft.",
            "",
        ));
    }
    Ok(p)
}

/// Starts the job.
pub fn start(a: &PublishCsTopology, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
    let draft = cx.read(|c| Ok(tstore::draft(c)?))?;
    let input = Input {
        document: draft.document,
        parent: draft.base,
        author: cx.actor.name.clone(),
        comment: a.comment.clone().unwrap_or_default(),
        sample: false,
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
        document,
        parent: None,
        author: author.to_owned(),
        comment: "Sample Litware".to_owned(),
        sample: true,
    };
    let job = new_job(app, &input);
    app.store
        .write(|tx| {
            tstore::save_draft(tx, &input.document)?;
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

const STEPS: [&str; 7] = [
    "Check the topology against its rules",
    "Check where servers run: names, addresses, ports",
    "Check SQL Server stores",
    "Check file stores: read, write, modify, permissions",
    "Create databases",
    "Store the new version",
    "Start servers",
];

fn new_job(app: &App, input: &Input) -> JobView {
    let now = app.clock.now();
    let step = |title: &&str| JobStep {
        title: (*title).to_owned(),
        state: "waiting".to_owned(),
        log: vec![],
        millis: None,
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
    tokio::spawn(async move { Run { app, job, input }.run().await });
}

struct Run {
    app: Arc<App>,
    job: JobView,
    input: Input,
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
        if let Err(e) = self.app.store.write(|tx| jobs::save_job(tx, &self.job, KIND, &self.input)) {
            tracing::error!(cause = %e, job = %self.job.id, "a job's progress could not be stored");
        }
        self.app.bus.send(Topic::Job, self.job.id.as_str());
    }

    async fn step(&self, i: usize, log: &mut Log) -> Result<(), Failed> {
        match i {
            0 => self.rules(log),
            1 => self.places(log).await,
            2 => self.sql(log),
            3 => self.files(log),
            4 => self.databases(log),
            5 => self.version(log),
            _ => self.servers(log).await,
        }
    }

    fn rules(&self, log: &mut Log) -> Result<(), Failed> {
        let problems = validate(&self.input.document);
        log.extend(problems.iter().filter(|p| !p.blocks()).map(|p| format!("Warning: {}", p.text)));
        match problems.into_iter().find(Problem::blocks) {
            Some(p) => Err(p.text.into()),
            None => {
                log.push("Every rule holds.".to_owned());
                Ok(())
            }
        }
    }

    /// Whether a server of this name already runs here (then its port is rightly in use).
    fn runs(&self, c: &Computer) -> bool {
        self.app.report(&c.fqdn).is_some_and(|r| r.state == ServerState::Running)
    }

    async fn places(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        let mut hosts: Vec<(&Computer, Vec<u16>)> = Vec::new();
        for p in &t.front_end_pools {
            hosts.extend(p.servers.iter().map(|s| (s, vec![5061, 5060])));
        }
        for p in &t.pools {
            hosts.extend(p.computers.iter().map(|c| (c, vec![p.port.get()])));
        }
        for (c, ports) in hosts {
            match &c.placement {
                Placement::RunHere if self.runs(c) => log.push(format!("{} runs here already.", c.fqdn)),
                Placement::RunHere => self.bindable(c, &ports, log)?,
                Placement::Address(a) => reachable(c, a, &ports, log).await?,
                Placement::SqlServerGuided => {
                    return Err(
                        format!("{} has no place: only SQL Server stores can be guided.", c.fqdn).into()
                    );
                }
            }
        }
        Ok(())
    }

    fn bindable(&self, c: &Computer, ports: &[u16], log: &mut Log) -> Result<(), Failed> {
        let n = self.app.store.write(|tx| pools::address_of(tx, &c.fqdn)).map_err(|e| e.to_string())?;
        let ip = self.app.settings.address(n);
        for port in ports {
            TcpListener::bind((ip, *port)).map_err(|e| {
                format!("{} cannot listen on {ip}:{port}: {e}. End what uses that port, or give the server another place.", c.fqdn)
            })?;
        }
        log.push(format!("{} runs here on {ip}, ports {} are free.", c.fqdn, list(ports)));
        Ok(())
    }

    fn sql(&self, log: &mut Log) -> Result<(), Failed> {
        for s in &self.input.document.sql_stores {
            match &s.placement {
                Placement::RunHere => {
                    let dir = self.app.settings.sql_dir(s);
                    self.instance_exists(s, &dir)?;
                    writable(&dir).map_err(|e| format!("{}: {e}", s.label()))?;
                    log.push(format!("{} runs here in {}.", s.label(), dir.display()));
                }
                Placement::Address(a) => {
                    let what = if a.is_empty() { s.fqdn.as_str() } else { a };
                    return Err(format!("{} stands at {what}: this version keeps chat databases on SQLite run here; a SQL Server elsewhere is guided.", s.label()).into());
                }
                Placement::SqlServerGuided => {
                    log.push(format!(
                        "{} is a SQL Server that a person drives; nothing is checked from here.",
                        s.label()
                    ));
                }
            }
        }
        Ok(())
    }

    /// A named instance on a server that has other instances is more likely mistyped than new (pain 33).
    fn instance_exists(&self, s: &SqlStore, dir: &Path) -> Result<(), Failed> {
        if dir.is_dir() {
            return Ok(());
        }
        let server = self.app.settings.data_dir.join("sql").join(s.fqdn.as_str());
        let others: Vec<String> = std::fs::read_dir(&server)
            .map(|d| d.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        if !others.is_empty() {
            return Err(format!(
                "{} has no instance {}. It has: {}. Correct the name, or make the folder {} when a new instance is meant.",
                s.fqdn,
                s.instance.as_deref().unwrap_or("MSSQLSERVER (default)"),
                others.join(", "),
                dir.display()
            )
            .into());
        }
        std::fs::create_dir_all(dir).map_err(|e| format!("{} could not be made: {e}", dir.display()).into())
    }

    fn files(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        for s in &t.file_stores {
            match &s.placement {
                Placement::RunHere => self.share(s, log)?,
                Placement::Address(path) => {
                    writable(Path::new(path)).map_err(|e| format!("{} at {path}: {e}", s.label()))?;
                    log.push(format!(
                        "{} at {path}: read, write, modify and permission change work.",
                        s.label()
                    ));
                }
                Placement::SqlServerGuided => return Err(format!("{} has no place.", s.label()).into()),
            }
        }
        for p in &t.pools {
            if let FileStoreRef::LocalPath(path) = &p.file_store {
                writable(Path::new(path)).map_err(|e| format!("{path}: {e}"))?;
                log.push(format!("{path}: read, write, modify and permission change work."));
            }
        }
        Ok(())
    }

    fn share(&self, s: &FileStore, log: &mut Log) -> Result<(), Failed> {
        let dir = self.app.settings.share_dir(s);
        if !dir.is_dir() {
            return Err(Failed {
                text: format!(
                    "The share {} does not exist: there is no folder {}. Create it, then publish again.",
                    s.label(),
                    dir.display()
                ),
                remedy: Some(("New-LgFileShare".to_owned(), json!({ "Identity": s.label() }))),
            });
        }
        writable(&dir).map_err(|e| format!("{}: {e}", s.label()))?;
        log.push(format!("{}: read, write, modify and permission change work.", s.label()));
        Ok(())
    }

    fn databases(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        for p in &t.pools {
            for line in crate::fleet::create_databases(&self.app.settings, t, p)? {
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
                tstore::reset_draft(tx, &input.document, Some(v))?;
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

    /// Waits until every server that runs here serves this generation, or has failed.
    async fn servers(&self, log: &mut Log) -> Result<(), Failed> {
        self.app.redeploy().map_err(|e| e.message)?;
        let t = &self.input.document;
        let all: Vec<&Computer> = t
            .front_end_pools
            .iter()
            .flat_map(|p| &p.servers)
            .chain(t.pools.iter().flat_map(|p| &p.computers))
            .collect();
        let here: Vec<_> = all.iter().filter(|c| c.placement == Placement::RunHere).collect();
        let mut reports = self.app.reports.clone();
        let ready = reports.wait_for(|list| {
            here.iter().all(|c| {
                list.iter().any(|r| {
                    r.fqdn == c.fqdn && matches!(r.state, ServerState::Running | ServerState::Failed(_))
                })
            })
        });
        let timed_out = tokio::time::timeout(START_TIMEOUT, ready).await.is_err();
        let list = self.app.reports.borrow().clone();
        let mut failed = Vec::new();
        for c in here {
            match list.iter().find(|r| r.fqdn == c.fqdn) {
                Some(r) if r.state == ServerState::Running => {
                    log.push(format!("{} listens on {}.", c.fqdn, r.listens.join(", ")));
                }
                Some(shared::deployment::ServerReport { state: ServerState::Failed(why), .. }) => {
                    failed.push(format!("{}: {why}", c.fqdn));
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

fn list(ports: &[u16]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

async fn reachable(c: &Computer, address: &str, ports: &[u16], log: &mut Log) -> Result<(), Failed> {
    let name = if address.is_empty() { c.fqdn.as_str() } else { address };
    let ip: Option<IpAddr> = name.parse().ok();
    let addr: SocketAddr = match ip {
        Some(ip) => SocketAddr::new(ip, ports[0]),
        None => {
            let query = (name.to_owned(), ports[0]);
            let found =
                tokio::task::spawn_blocking(move || query.to_socket_addrs().map(|mut a| a.next())).await;
            found.ok().and_then(Result::ok).flatten().ok_or_else(|| {
                format!("The name {name} does not resolve. Add a DNS host record for {}, or choose where it runs.", c.fqdn)
            })?
        }
    };
    match tokio::time::timeout(REACH_TIMEOUT, tokio::net::TcpStream::connect(addr)).await {
        Ok(Ok(_)) => {
            log.push(format!("{} answers at {addr}.", c.fqdn));
            Ok(())
        }
        Ok(Err(e)) => Err(format!("{} does not answer at {addr}: {e}.", c.fqdn).into()),
        Err(_) => {
            Err(format!("{} did not answer at {addr} within {} s.", c.fqdn, REACH_TIMEOUT.as_secs()).into())
        }
    }
}

/// Proves read, write, modify and permission change with a scratch file (seed 003's DACLs).
fn writable(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    if !dir.is_dir() {
        return Err(format!("there is no folder {}", dir.display()));
    }
    let path = dir.join(format!(".lifeguard-check-{}", std::process::id()));
    let check = || -> std::io::Result<()> {
        let mut f = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        f.write_all(b"one")?;
        f.sync_all()?;
        std::fs::OpenOptions::new().append(true).open(&path)?.write_all(b" two")?;
        if std::fs::read(&path)? != b"one two" {
            return Err(std::io::Error::other("what was written is not what is read"));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))
    };
    let result = check();
    let removed = std::fs::remove_file(&path);
    result
        .and(removed)
        .map_err(|e| format!("read, write, modify or permission change failed in {}: {e}", dir.display()))
}
