//! Guided runs and log shipping as cmdlets. The runs themselves stand in `crate::failover`.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::api::JobView;
use shared::cmdlets::{GetLgLogShipping, GetLgRun, ResumeLgRun, StartLgFailback, StartLgFailover, StopLgRun};
use shared::deployment::PoolState;
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::identity::pool_identity;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::{jobs, pools};

use super::find_pool;
use crate::door::{Cx, Handler, Outcome, plan};
use crate::failover::preflight::{Wish, preflight};
use crate::failover::{self, Input, KIND};

/// What both directions share.
struct Asked<'a> {
    identity: &'a str,
    active: &'a [String],
    forced: bool,
    to: PoolState,
}

async fn plan_run(cx: &Cx, a: &Asked<'_>) -> Result<Plan, ApiError> {
    let t = cx.topology()?;
    let pool = find_pool(&t, a.identity, "Identity")?;
    let found =
        preflight(cx, &t, &Wish { pool: &pool, to: a.to, forced: a.forced, active: a.active }).await?;
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
    let found =
        preflight(cx, &t, &Wish { pool: &pool, to: a.to, forced: a.forced, active: a.active }).await?;
    let input = Input {
        pool: pool.fqdn.to_string(),
        id: pool.id.clone(),
        to: a.to,
        forced: a.forced,
        active: found.active,
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
                let asked = Asked { identity: &self.identity, active: &self.active_servers, forced: self.forced, to: $to };
                plan_run(cx, &asked).await
            }
            async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
                let asked = Asked { identity: &self.identity, active: &self.active_servers, forced: self.forced, to: $to };
                start_run(cx, &asked, p).await
            }
        }
    )*};
}

runs!(StartLgFailover => PoolState::FailedOver, StartLgFailback => PoolState::Normal);

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

fn object(j: &JobView) -> Value {
    let total: u64 = j.steps.iter().filter_map(|s| s.millis).sum();
    json!({
        "Identity": j.id, "Title": j.title, "State": j.state, "StartedBy": j.actor, "Started": j.started,
        "Milliseconds": total, "Error": j.error, "Steps": j.steps.iter().map(|s| format!("{}: {}", s.title, s.state)).collect::<Vec<_>>(),
    })
}

#[async_trait]
impl Handler for GetLgRun {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let all = cx.read(|c| Ok(jobs::jobs_of_kind(c, KIND, 200)?))?;
        let wanted = |j: &&JobView| self.identity.as_ref().is_none_or(|i| j.id == i.trim());
        Ok(Outcome::objects(all.iter().filter(wanted).map(object).collect()))
    }
}

#[async_trait]
impl Handler for GetLgLogShipping {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let list = match &self.identity {
            Some(id) => vec![find_pool(&t, id, "Identity")?],
            None => t.pools.iter().filter(|p| p.has_backup()).cloned().collect(),
        };
        let mut out = Vec::new();
        for p in &list {
            let detail = crate::views::overview::pool(&cx.app, p.fqdn.as_str()).await?;
            let Some(s) = detail.shipping else { continue };
            out.push(json!({
                "Identity": pool_identity(&p.fqdn), "From": s.from, "To": s.to, "Shipped": s.shipped, "Applied": s.applied,
                "CommitsBehind": s.behind, "LastBackup": s.backup_at, "LastRestore": s.restore_at, "Problem": s.problem,
                "CompleteUntil": s.complete_until, "MessagesBehind": s.messages_behind,
                "Orphans": s.orphans,
            }));
        }
        Ok(Outcome::objects(out))
    }
}
