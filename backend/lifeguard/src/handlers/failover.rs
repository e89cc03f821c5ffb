//! Guided runs as cmdlets. The runs themselves stand in `crate::failover`.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::api::JobView;
use shared::cmdlets::{GetLgRun, ResumeLgRun, StartLgFailback, StartLgFailover, StopLgRun, TestLgFailover};
use shared::deployment::PoolState;
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::ChatPool;
use store::management::{jobs, pools};

use super::find_pool;
use crate::door::{Cx, Handler, Outcome, blocked, plan};
use crate::failover::preflight::{Wish, preflight};
use crate::failover::{self, Input, KIND, rehearsal};

/// What both directions share.
struct Asked<'a> {
    identity: &'a str,
    active: &'a [String],
    forced: bool,
    to: PoolState,
    next_hop: Option<&'a str>,
}

impl Asked<'_> {
    fn wish<'w>(&'w self, pool: &'w ChatPool) -> Wish<'w> {
        Wish { pool, to: self.to, forced: self.forced, active: self.active, next_hop: self.next_hop }
    }
}

async fn plan_run(cx: &Cx, a: &Asked<'_>) -> Result<Plan, ApiError> {
    let t = cx.topology()?;
    let pool = find_pool(&t, a.identity, "Identity")?;
    let found = preflight(cx, &t, &a.wish(&pool)).await?;
    let (old, new) = &found.stores;
    let mut p = plan([
        if a.forced {
            format!("{old} is given up; posts to {} stop.", pool.fqdn)
        } else {
            format!("Posts to {} stop; {old} is closed, and the tail of its log is shipped.", pool.fqdn)
        },
        format!("What was shipped and is not applied yet is copied and applied on {new}."),
        format!("The database on {new} is brought online, and the pool's state becomes {}.", a.to.word()),
        format!("From then on its log is shipped to {old}."),
        format!("Active servers: {}.", found.active.join(", ")),
    ]);
    let from = if a.to == PoolState::FailedOver { PoolState::Normal } else { PoolState::FailedOver };
    p.changes.push(PlannedChange::new(pool.fqdn.as_str(), "PoolState", from.word(), a.to.word()));
    p.changes.push(PlannedChange::new(pool.fqdn.as_str(), "mgc", old, new));
    let before = cx.read(|c| Ok(pools::active_servers(c, &pool.id)?))?;
    p.changes.push(PlannedChange::new(
        pool.fqdn.as_str(),
        "ActiveServers",
        before.join(", "),
        found.active.join(", "),
    ));
    if let Some((_, hop)) = &found.next_hop {
        let old = t.front_end_pool(&pool.next_hop).map_or("", |f| f.fqdn.as_str());
        p.sentences.push(format!(
            "{hop} becomes the next hop of {}; that is published as a version of its own.",
            pool.fqdn
        ));
        p.changes.push(PlannedChange::new(pool.fqdn.as_str(), "NextHop", old, hop));
    }
    p.confirm = Confirm::TypeName(pool.fqdn.to_string());
    p.affected_users = Some(pool.computers.iter().map(|c| u64::from(cx.app.sessions_of(&c.fqdn))).sum());
    p.acknowledge = found.loss.map(|text| ("AcknowledgeLoss".to_owned(), text));
    for problem in found.problems {
        if problem.blocks() { p.blockers.push(problem) } else { p.warnings.push(problem) }
    }
    Ok(p)
}

async fn start_run(cx: &Cx, a: &Asked<'_>, p: &Plan) -> Result<Outcome, ApiError> {
    let t = cx.topology()?;
    let pool = find_pool(&t, a.identity, "Identity")?;
    if a.forced && cx.reason.trim().is_empty() {
        let text = "A forced run wants a reason; it stands in the audit.";
        return Err(ApiError {
            field: Some("reason".to_owned()),
            ..ApiError::new(ErrorCode::ConfirmationRequired, text)
        });
    }
    let found = preflight(cx, &t, &a.wish(&pool)).await?;
    let input = Input {
        pool: pool.fqdn.to_string(),
        id: pool.id.clone(),
        to: a.to,
        forced: a.forced,
        active: found.active,
        next_hop: found.next_hop,
        actor: cx.actor.name.clone(),
        reason: cx.reason.clone(),
    };
    let id = failover::begin(cx, input, &p.sentences.join(" "))?;
    Ok(Outcome { job: Some(id), ..Outcome::changed(Topic::Pool, pool.fqdn.as_str()) })
}

macro_rules! runs {
    ($($ty:ident => $to:expr),*) => {$(
        #[async_trait]
        impl Handler for $ty {
            async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
                let asked = Asked { identity: &self.identity, active: &self.active_servers, forced: self.forced, to: $to, next_hop: self.next_hop.as_deref() };
                plan_run(cx, &asked).await
            }
            async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
                let asked = Asked { identity: &self.identity, active: &self.active_servers, forced: self.forced, to: $to, next_hop: self.next_hop.as_deref() };
                start_run(cx, &asked, p).await
            }
        }
    )*};
}

runs!(StartLgFailover => PoolState::FailedOver, StartLgFailback => PoolState::Normal);

#[async_trait]
impl Handler for TestLgFailover {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = cx.topology()?;
        let pool = find_pool(&t, &self.identity, "Identity")?;
        let whose = if cx.app.fleet.apart().has(&pool.id) { "its owner" } else { "the portal" };
        let p = plan([
            format!(
                "A rehearsal: the database that would take over {} is copied to a scratch folder of {whose}, and the steps of a run are done there.",
                pool.fqdn
            ),
            "The pool goes on as it is. Its databases and its share are read and not changed; log shipping waits while they are copied."
                .to_owned(),
        ]);
        if !pool.has_backup() {
            let text = format!("{} has no backup SQL Server store; there is nothing to rehearse.", pool.fqdn);
            return Ok(blocked(p, "V15", "Identity", text, "S0"));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let pool = find_pool(&t, &self.identity, "Identity")?;
        let state = cx.read(|c| Ok(pools::state(c, &pool.id)?))?.map(|s| s.state).unwrap_or_default();
        let to = crate::fleet::other(state);
        let wish = Wish { pool: &pool, to, forced: false, active: &[], next_hop: None };
        let found = preflight(cx, &t, &wish).await?.problems;
        let input = rehearsal::Input { pool: pool.fqdn.to_string(), id: pool.id.clone(), to, found };
        let id = rehearsal::begin(cx, input, &p.sentences.join(" "))?;
        Ok(Outcome { job: Some(id), ..Outcome::changed(Topic::Pool, pool.fqdn.as_str()) })
    }
}

#[async_trait]
impl Handler for ResumeLgRun {
    async fn plan(&self, _: &Cx) -> Result<Plan, ApiError> {
        Ok(Plan { confirm: Confirm::Ask, ..plan(["Go on with the run at the step that failed.".to_owned()]) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        failover::resume(cx, self.identity.trim(), &p.sentences.join(" "))?;
        Ok(Outcome {
            job: Some(self.identity.trim().to_owned()),
            ..Outcome::changed(Topic::Job, self.identity.trim())
        })
    }
}

#[async_trait]
impl Handler for StopLgRun {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let pool = failover::stop(cx, self.identity.trim(), true, "")?;
        let text = format!("Cancel the run; {pool} goes on with the database it used before.");
        Ok(Plan { confirm: Confirm::Ask, ..plan([text]) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let pool = failover::stop(cx, self.identity.trim(), false, &p.sentences.join(" "))?;
        cx.app.bus.send(Topic::Job, self.identity.trim());
        Ok(Outcome::changed(Topic::Pool, pool).redeploy())
    }
}

fn object(j: &JobView, rehearsal: bool) -> Value {
    let total: u64 = j.steps.iter().filter_map(|s| s.millis).sum();
    json!({
        "Identity": j.id, "Rehearsal": rehearsal, "Title": j.title, "State": j.state, "StartedBy": j.actor, "Started": j.started,
        "Milliseconds": total, "Error": j.error, "Steps": j.steps.iter().map(|s| format!("{}: {}", s.title, s.state)).collect::<Vec<_>>(),
    })
}

#[async_trait]
impl Handler for GetLgRun {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let wanted = |j: &&JobView| self.identity.as_ref().is_none_or(|i| j.id == i.trim());
        let mut out = Vec::new();
        for (kind, rehearsal) in [(KIND, false), (rehearsal::KIND, true)] {
            let all = cx.read(|c| Ok(jobs::jobs_of_kind(c, kind, 200)?))?;
            out.extend(all.iter().filter(wanted).map(|j| object(j, rehearsal)));
        }
        Ok(Outcome::objects(out))
    }
}
