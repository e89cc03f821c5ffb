//! Overview and pools.

use std::sync::Arc;

use shared::api::{
    ChatServerView, DatabaseView, LiveProblem, Overview, PoolDetail, PoolSummary, ShippingView, TestRun,
    TestSummary,
};
use shared::deployment::{PoolState, ServerReport, ServerRole, ServerState};
use shared::error::{ApiError, Problem};
use shared::topology::diff::diff;
use shared::topology::{ChatPool, Computer, PoolKind, Topology};
use shared::{Fqdn, ObjectId, SipUri, Timestamp};
use store::chat::mirror::MirrorState;
use store::management::pools::Halt;
use store::management::{accounts, announcements, jobs, pools, tests, topology, watch};

use crate::app::App;
use crate::deploy::contacts;
use crate::fleet::{SideView, Sides};

/// Tests read for the lists.
const TESTS: u32 = 100;
/// Test messages in a pool's small line.
const RECENT: u32 = 30;

struct Facts {
    t: Topology,
    version: Option<u64>,
    unpublished: u32,
    tests: Vec<TestSummary>,
    /// The last test message of each pool that has ended: one that runs says nothing yet.
    finished: Vec<TestSummary>,
    /// Last runs of watchers that their nodes were away for.
    missed: Vec<TestSummary>,
    halted: Vec<String>,
    /// Status links that end soon.
    ending: Vec<(String, Timestamp)>,
}

fn facts(app: &App, tests: u32) -> Result<Facts, ApiError> {
    app.store
        .read(|c| {
            let v = topology::published(c)?;
            let draft = topology::draft(c)?;
            let version = v.as_ref().map(|v| v.version);
            let t = v.map(|v| v.document).unwrap_or_default();
            let unpublished = u32::try_from(diff(&t, &draft.document).len()).unwrap_or(u32::MAX);
            let mut finished = Vec::new();
            for p in &t.pools {
                finished.extend(jobs::last_finished(c, p.fqdn.as_str())?.map(|r| r.summary));
            }
            let mut missed = Vec::new();
            for w in
                watch::watchers(c)?.into_iter().filter(|w| w.settings.enabled && w.settings.node.is_some())
            {
                let last = w.last_run.as_deref().map(|id| jobs::test(c, id)).transpose()?.flatten();
                missed.extend(last.map(|r| r.summary).filter(|t| t.state == "missed"));
            }
            let tests = jobs::tests(c, tests)?.into_iter().map(|r: TestRun| r.summary).collect();
            let stopped = |(f, h, _): (String, Halt, _)| (h == Halt::Stopped).then_some(f);
            let halted = pools::halted(c)?.into_iter().filter_map(stopped).collect();
            let ending = ending(accounts::shares(c)?, app.clock.now());
            Ok(Facts { t, version, unpublished, tests, finished, missed, halted, ending })
        })
        .map_err(crate::door::store_error)
}

fn server(app: &App, f: &Facts, c: &Computer, role: ServerRole) -> ServerReport {
    app.report(&c.fqdn).unwrap_or_else(|| ServerReport {
        fqdn: c.fqdn.clone(),
        role,
        state: if f.halted.iter().any(|h| h == c.fqdn.as_str()) {
            ServerState::Stopped
        } else if c.placement.is_run() {
            ServerState::Starting
        } else {
            ServerState::NotHostedHere
        },
        listens: Vec::new(),
        sessions: 0,
        generation: 0,
        node: None,
    })
}

fn database(role: &str, v: &SideView, in_use: bool) -> DatabaseView {
    DatabaseView {
        role: role.to_owned(),
        database: "mgc".to_owned(),
        store: v.store.clone(),
        node: v.node.clone(),
        in_use,
        error: v.error.clone(),
        size_bytes: v.info.as_ref().map(|i| i.size_bytes),
        messages: v.messages,
        epoch: v.info.as_ref().map(|i| i.epoch),
        copied_at: v.copied_at,
        last_write: v.info.as_ref().and_then(|i| i.last_write),
        restoring: v.restoring,
    }
}

fn no_failover(p: &ChatPool) -> Option<String> {
    (!p.has_backup()).then(|| match p.kind {
        PoolKind::Single => "A single computer pool has no backup SQL Server store, so there is nothing to fail over to.".to_owned(),
        PoolKind::Multiple => "This pool has no backup SQL Server store (disaster recovery is off), so there is nothing to fail over to.".to_owned(),
    })
}

async fn summary(app: &App, f: &Facts, p: &ChatPool) -> Result<PoolSummary, ApiError> {
    let (row, active, endpoint, adapter, recent_us) = app
        .store
        .read(|c| {
            let endpoint: Option<SipUri> =
                pools::endpoints(c)?.into_iter().find(|e| e.pool == p.id).map(|e| e.sip_address);
            let adapter = crate::compliance::settings_of(c, &f.t, p)?;
            let recent = tests::recent(c, p.fqdn.as_str(), RECENT)?;
            Ok((pools::state(c, &p.id)?, pools::active_servers(c, &p.id)?, endpoint, adapter, recent))
        })
        .map_err(crate::door::store_error)?;
    let sides: Sides = app.fleet.sides(&p.id).await;
    let state = row.map(|r| r.state).unwrap_or_default();
    let servers: Vec<ChatServerView> = p
        .computers
        .iter()
        .map(|c| ChatServerView {
            report: server(app, f, c, ServerRole::Chat),
            active: active.contains(&c.fqdn.to_string()),
        })
        .collect();
    let mut databases = vec![database("primary", &sides.primary, sides.open == Some(PoolState::Normal))];
    if p.has_backup() {
        databases.push(database("backup", &sides.backup, sides.open == Some(PoolState::FailedOver)));
    }
    Ok(PoolSummary {
        id: p.id.clone(),
        fqdn: p.fqdn.clone(),
        display_name: p.display_name.clone(),
        site: f.t.site(&p.site).map(|s| s.site_id.clone()).unwrap_or_default(),
        state,
        since: row.map(|r| r.since).unwrap_or_default(),
        converged: sides.open == Some(state),
        no_failover_reason: no_failover(p),
        servers,
        databases,
        last_test: f.tests.iter().find(|t| t.pool.as_ref() == Some(&p.fqdn)).cloned(),
        recent_us,
        endpoint,
        compliance: p.compliance,
        compliance_adapter: crate::compliance::view(app, p, &adapter),
        compliance_queue: sides.compliance_queue,
    })
}

/// All pools.
///
/// # Errors
/// When the store does not answer.
pub async fn pools(app: &App) -> Result<Arc<Vec<PoolSummary>>, ApiError> {
    let read = || async {
        let f = facts(app, TESTS)?;
        all_pools(app, &f).await
    };
    app.recent.get(tokio::time::Instant::now(), || app.bus.changes(), read).await
}

/// One pool.
///
/// # Errors
/// When there is none of this name.
pub async fn pool(app: &App, fqdn: &str) -> Result<PoolDetail, ApiError> {
    let f = facts(app, TESTS)?;
    let name = Fqdn::try_from(fqdn).map_err(|e| ApiError::invalid("fqdn", e.0))?;
    let p =
        f.t.pool_by_fqdn(&name)
            .ok_or_else(|| ApiError::not_found(format!("There is no Persistent Chat pool {name}.")))?;
    let kind = if p.kind == PoolKind::Multiple { "Multiple computer pool" } else { "Single computer pool" };
    let [lookup_uri, _] = contacts(p, &f.t);
    let (held, runs, rehearsals) = app
        .store
        .read(|c| {
            let of = |kind, n| jobs::jobs_of(c, kind, p.fqdn.as_str(), n);
            let held = pools::held_by(c, &p.id)?;
            Ok((held, of(crate::failover::KIND, 10)?, of(crate::failover::rehearsal::KIND, 5)?))
        })
        .map_err(crate::door::store_error)?;
    Ok(PoolDetail {
        summary: summary(app, &f, p).await?,
        port: p.port.get(),
        kind: kind.to_owned(),
        file_store: f.t.file_store_label(&p.file_store),
        next_hop: f.t.front_end_pool(&p.next_hop).map_or_else(|| p.fqdn.clone(), |h| h.fqdn.clone()),
        default_for: p.default_for.iter().filter_map(|s| f.t.site(s)).map(|s| s.site_id.clone()).collect(),
        lookup_uri,
        tests: f.tests.iter().filter(|t| t.pool.as_ref() == Some(&p.fqdn)).take(20).cloned().collect(),
        guided: shared::runbook::is_guided(&f.t, p),
        mirror: super::mirror::view(app, &f.t, p).await?,
        compliance_mirror: super::mirror::queue_view(app, &f.t, p).await?,
        shipping: shipped(app, &p.id),
        run: held,
        runs,
        rehearsals,
        next_hops: crate::failover::next_hop::instead(app, &f.t, p)
            .map(|all| all.iter().map(|f| f.fqdn.clone()).collect()),
        near: [PoolState::Normal, PoolState::FailedOver]
            .map(|s| crate::failover::near(&f.t, p, s).into_iter().map(|c| c.fqdn.clone()).collect())
            .into(),
    })
}

/// The last test message of each pool that has ended.
///
/// # Errors
/// When the store does not answer.
pub fn last_tests(app: &App) -> Result<Vec<TestSummary>, ApiError> {
    Ok(facts(app, 0)?.finished)
}

/// Log shipping of a pool; none when nothing is shipped.
pub fn shipped(app: &App, pool: &ObjectId) -> Option<ShippingView> {
    let s = app.fleet.shipping(pool)?;
    let (labels, schedule, orphans) = match app.fleet.apart().pair(pool) {
        Some(pair) => {
            let told = |side| app.fleet.apart().told(pool, side);
            let told = [PoolState::Normal, PoolState::FailedOver].into_iter().filter_map(told);
            let labels = [pair.primary.store.label(), pair.backup.store.label()];
            (labels, pair.schedule, told.flat_map(|t| t.orphans).collect())
        }
        None => {
            let w = app.fleet.wanted_of(pool)?;
            let label = |side: PoolState| w.side(side).map(|(l, _)| l.clone()).unwrap_or_default();
            let sides = [PoolState::Normal, PoolState::FailedOver];
            let orphans = sides.into_iter().filter_map(|x| w.secondary(x)).flat_map(|x| x.orphans());
            (sides.map(label), w.schedule, orphans.map(|o| o.display().to_string()).collect())
        }
    };
    let label = |side: PoolState| labels[usize::from(side == PoolState::FailedOver)].clone();
    let count = |m: &Option<store::chat::shipping::Mark>| m.as_ref().map(|m| m.commits);
    let same = s.shipped.as_ref().map(|m| m.epoch) == s.applied.as_ref().map(|m| m.epoch);
    let applied = count(&s.applied).filter(|_| same).unwrap_or(0);
    let (backup_age, restore_age) = s.ages(app.clock.now());
    Some(ShippingView {
        schedule,
        backup_age: s.backup_at.map(|_| backup_age),
        restore_age: s.applied.as_ref().map(|_| restore_age),
        late: s.late.clone(),
        from: label(s.from),
        to: label(crate::fleet::other(s.from)),
        shipped_at: s.shipped.as_ref().map(|m| m.cut),
        shipped: s.shipped.as_ref().map(|m| m.seq),
        applied: s.applied.as_ref().map(|m| m.seq),
        behind: count(&s.shipped).unwrap_or(0).saturating_sub(applied),
        backup_at: s.backup_at,
        restore_at: s.restore_at,
        complete_until: s.complete_until(),
        messages_behind: s.messages_behind(),
        problem: s.backup_error.or(s.restore_error),
        orphans,
    })
}

fn problem(code: &str, error: bool, text: String, subject: &str, href: String) -> LiveProblem {
    let p = if error { Problem::error(code, "", text, "") } else { Problem::warning(code, "", text, "") };
    LiveProblem::new(p, subject, href)
}

fn pool_problems(f: &Facts, p: &PoolSummary, out: &mut Vec<LiveProblem>) {
    let href = format!("/pools/{}", p.fqdn);
    let name = p.fqdn.as_str();
    if p.state == PoolState::FailedOver {
        let mut x = problem(
            "pool.failed_over",
            false,
            format!("{name} runs on its backup database."),
            name,
            format!("{href}/state"),
        );
        x.since = Some(p.since);
        out.push(x);
    }
    if !p.converged {
        // What every switch goes through for a moment has a code of its own.
        let why = p.databases.iter().find_map(|d| d.error.clone());
        let code = if why.is_some() { "pool.database" } else { "pool.opening" };
        let why = why.unwrap_or_else(|| "it is being opened".to_owned());
        out.push(problem(
            code,
            true,
            format!("{name} has no database in use: {why}."),
            name,
            format!("{href}/databases"),
        ));
    }
    for s in &p.servers {
        if let Some(why) = s.report.state.trouble() {
            out.push(problem(
                "server.failed",
                true,
                format!("{} is down: {why}", s.report.fqdn),
                s.report.fqdn.as_str(),
                format!("{href}/servers"),
            ));
        }
    }
    for s in p.servers.iter().filter(|s| s.active && s.report.state == ServerState::Stopped) {
        let text = format!("{} is active and was stopped on purpose.", s.report.fqdn);
        out.push(problem("server.stopped", false, text, s.report.fqdn.as_str(), format!("{href}/servers")));
    }
    if !p.servers.iter().any(|s| s.active) {
        out.push(problem(
            "pool.inactive",
            true,
            format!("No server of {name} is active; nobody can sign in to chat."),
            name,
            format!("{href}/servers"),
        ));
    }
    for d in p.databases.iter().filter(|d| !d.in_use) {
        // A backup that was never copied to is not a fault before the first switch.
        if let (Some(e), true) = (&d.error, p.state == PoolState::FailedOver || d.copied_at.is_some()) {
            out.push(problem(
                "db.error",
                false,
                format!("The {} database on {} does not answer: {e}", d.role, d.store),
                name,
                format!("{href}/databases"),
            ));
        }
    }
    if let Some(e) = p.compliance_adapter.as_ref().filter(|_| p.compliance).and_then(|a| a.error.as_ref()) {
        let text = format!("The compliance adapter of {name} could not write: {e}");
        out.push(problem("compliance.adapter", false, text, name, href));
    } else if p.compliance && p.compliance_adapter.is_none() {
        let n = p.compliance_queue.unwrap_or(0);
        out.push(problem("compliance.no_adapter", false, format!("Compliance of {name} has no adapter: {n} events are queued in mgccomp and nothing is written out."), name, href));
    }
    let last = f.finished.iter().find(|t| t.pool.as_ref() == Some(&p.fqdn));
    if let Some(t) = last.filter(|t| t.state == "failure") {
        let mut x = problem(
            "test.failed",
            false,
            format!("The last test message failed: {}", t.verdict),
            name,
            format!("/test-message/{}", t.id),
        );
        x.since = Some(t.started);
        out.push(x);
    }
}

async fn all_pools(app: &App, f: &Facts) -> Result<Vec<PoolSummary>, ApiError> {
    let mut out = Vec::new();
    for p in &f.t.pools {
        out.push(summary(app, f, p).await?);
    }
    Ok(out)
}

fn front_ends(app: &App, f: &Facts) -> Vec<ServerReport> {
    let servers = f.t.front_end_pools.iter().flat_map(|p| &p.servers);
    servers.map(|s| server(app, f, s, ServerRole::FrontEnd)).collect()
}

fn all_problems(
    app: &App,
    f: &Facts,
    pools: &[PoolSummary],
    front_ends: &[ServerReport],
) -> Vec<LiveProblem> {
    let ending = crate::reach::problems(app).into_iter();
    let mut problems: Vec<LiveProblem> =
        ending.map(|(subject, problem)| LiveProblem::new(problem, subject, "/settings/clients")).collect();
    let disks = crate::disk::problems(&app.settings, &f.t).into_iter();
    problems.extend(disks.map(|(subject, problem)| LiveProblem::new(problem, subject, "/pools")));
    for r in front_ends {
        if r.state == ServerState::Stopped {
            let text = format!("The Front End Server {} was stopped on purpose.", r.fqdn);
            problems.push(problem("front_end.stopped", false, text, r.fqdn.as_str(), "/topology".to_owned()));
        }
        if let Some(why) = r.state.trouble() {
            problems.push(problem(
                "front_end.failed",
                true,
                format!("The Front End Server {} is down: {why}", r.fqdn),
                r.fqdn.as_str(),
                "/topology".to_owned(),
            ));
        }
    }
    for p in pools {
        pool_problems(f, p, &mut problems);
        if let Some(MirrorState::Disconnected(why)) = app.fleet.mirror_of(&p.id) {
            let text = format!("The mirror of {} is disconnected: {why}. Posts go on without it.", p.fqdn);
            let href = format!("/pools/{}/databases", p.fqdn);
            problems.push(problem("mirror", false, text, p.fqdn.as_str(), href));
        }
        if let Some(MirrorState::Disconnected(why)) = app.fleet.queue_mirror_of(&p.id) {
            let text = format!(
                "The mirror of mgccomp of {} is disconnected: {why}. Events are queued without it.",
                p.fqdn
            );
            let href = format!("/pools/{}/databases", p.fqdn);
            problems.push(problem("mirror.compliance", false, text, p.fqdn.as_str(), href));
        }
        let shipping = app.fleet.shipping(&p.id);
        if let Some(why) = shipping.as_ref().and_then(|s| s.late.clone()) {
            let text = format!("Log shipping of {} is late: {why}.", p.fqdn);
            let href = format!("/pools/{}/databases", p.fqdn);
            problems.push(problem("shipping.late", true, text, p.fqdn.as_str(), href));
        }
        let trouble = shipping.and_then(|s| s.backup_error.or(s.restore_error));
        if let Some(why) = trouble {
            let text = format!(
                "Log shipping of {} stands still: {why}. What is posted now would be lost with the database in use.",
                p.fqdn
            );
            problems.push(problem(
                "shipping",
                false,
                text,
                p.fqdn.as_str(),
                format!("/pools/{}/databases", p.fqdn),
            ));
        }
    }
    problems.extend(f.missed.iter().map(|t| {
        let why = t.verdict.trim_start_matches("Missed – ");
        let text = format!("The scheduled test message to {} was not sent: {why}", t.target);
        let mut x = problem("test.missed", false, text, &t.target, format!("/test-message/{}", t.id));
        x.since = Some(t.started);
        x
    }));
    problems.extend(f.ending.iter().map(|(label, at)| {
        let text = format!(
            "The status link ends {}.",
            at.rfc3339().get(..16).unwrap_or_default().replace('T', " at ") + " UTC"
        );
        problem("share.ending", false, text, label, "/sharing".to_owned())
    }));
    problems.extend(crate::backups::problem(app));
    problems.sort_by_key(|p| std::cmp::Reverse(p.problem.severity));
    problems
}

/// A link that lives longer than this is announced so long before its end.
const NOTICE_MS: i64 = 3 * 86_400_000;

/// Label and end of the links that end soon.
fn ending(shares: Vec<accounts::Share>, now: Timestamp) -> Vec<(String, Timestamp)> {
    let soon = |s: accounts::Share| {
        let at = s.expires.filter(|_| s.revoked.is_none())?;
        let long = at.millis() - s.created.millis() > NOTICE_MS;
        (long && at > now && at.millis() - now.millis() <= NOTICE_MS).then_some((s.label, at))
    };
    shares.into_iter().filter_map(soon).collect()
}

/// What is wrong now, worst first, without the lists of the overview; and the servers that start, of which
/// nothing can be said yet.
///
/// # Errors
/// When the store does not answer.
pub async fn problems(app: &App) -> Result<(Vec<LiveProblem>, Vec<Fqdn>), ApiError> {
    let f = facts(app, 0)?;
    let list = all_pools(app, &f).await?;
    let front_ends = front_ends(app, &f);
    let servers = list.iter().flat_map(|p| &p.servers).map(|s| &s.report).chain(&front_ends);
    let starting = servers.filter(|r| r.state == ServerState::Starting).map(|r| r.fqdn.clone()).collect();
    Ok((all_problems(app, &f, &list, &front_ends), starting))
}

/// The overview: what is wrong first.
///
/// # Errors
/// When the store does not answer.
pub async fn overview(app: &App) -> Result<Overview, ApiError> {
    // Shared with whoever asks for the pools at the same time; who reads them keeps the facts they were made of.
    let mut read = None;
    let keep = &mut read;
    let new = move || async move { all_pools(app, keep.insert(facts(app, TESTS)?)).await };
    let list = app.recent.get(tokio::time::Instant::now(), || app.bus.changes(), new).await?;
    let f = read.map_or_else(|| facts(app, TESTS), Ok)?;
    let front_ends = front_ends(app, &f);
    let now = app.clock.now();
    let mut problems = all_problems(app, &f, &list, &front_ends);
    super::tried::explain(app, &mut problems)?;
    let announcements =
        app.store.read(|c| announcements::announcements(c, now)).map_err(crate::door::store_error)?;
    Ok(Overview {
        announcements,
        problems,
        pools: list.to_vec(),
        front_ends,
        tests: f.tests.into_iter().take(10).collect(),
        version: f.version,
        unpublished: f.unpublished,
        at: app.clock.now(),
    })
}
