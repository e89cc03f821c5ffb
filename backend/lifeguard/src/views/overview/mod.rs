//! Overview and pools.

mod detail;
mod runs;
mod serving;
mod summary;
mod trouble;

use std::sync::Arc;

use shared::api::{LiveProblem, Overview, PoolSummary, TestRun, TestSummary};
use shared::deployment::ServerState;
use shared::error::ApiError;
use shared::topology::Topology;
use shared::topology::diff::diff;
use shared::{Fqdn, Timestamp};
use store::management::pools::Halt;
use store::management::{accounts, alerts, announcements, jobs, pools, topology, watch};

pub use self::detail::{pool, shipped};
use self::summary::{all_pools, front_ends};
use self::trouble::all_problems;
use crate::app::App;

/// Tests read for the lists.
const TESTS: u32 = 100;

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
    /// Since when the problems are there, by key.
    since: std::collections::BTreeMap<String, Timestamp>,
}

impl Facts {
    /// Since when nobody can chat in a pool; none while somebody can, or when it is not known yet.
    fn down_since(&self, p: &PoolSummary) -> Option<Timestamp> {
        let codes = serving::down(p);
        let at = |code: &&str| self.since.get(&crate::alerts::machine::key(code, p.fqdn.as_str())).copied();
        codes.iter().filter_map(at).min()
    }
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
            let since = alerts::open(c)?.into_iter().map(|o| (o.key, o.since)).collect();
            Ok(Facts { t, version, unpublished, tests, finished, missed, halted, ending, since })
        })
        .map_err(crate::door::store_error)
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

/// The last test message of each pool that has ended.
///
/// # Errors
/// When the store does not answer.
pub fn last_tests(app: &App) -> Result<Vec<TestSummary>, ApiError> {
    Ok(facts(app, 0)?.finished)
}

/// No active server of the pool runs, or none is active.
pub fn nobody_serves(p: &PoolSummary) -> bool {
    !p.servers.iter().any(|s| s.active) || serving::nobody(p).is_some()
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
