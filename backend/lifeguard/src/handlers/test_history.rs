//! Stopping a test message, its messages, and the history.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::api::TestSummary;
use shared::cmdlets::{GetLgTestHistory, GetLgTestTrace, SetLgTestHistory, StopLgTestMessage};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::Plan;
use shared::synthetic::{Role, StepRecord};
use shared::time::parse_day;
use store::management::tests::{self, Wanted};

use crate::door::{Cx, Handler, Outcome, plan};
use crate::probe;
use crate::watch::kept_from;

#[async_trait]
impl Handler for StopLgTestMessage {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let run = probe::stop(&cx.app, self.identity.trim(), false)?;
        Ok(plan([format!(
            "Stop the test message to {} that {} started; both users leave and sign off.",
            run.target, run.actor
        )]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let run = probe::stop(&cx.app, self.identity.trim(), true)?;
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        Ok(Outcome::changed(Topic::Test, run.id))
    }
}

#[async_trait]
impl Handler for GetLgTestTrace {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let offset = |us: u64| format!("{}.{:03} ms", us / 1000, us % 1000);
        if self.steps {
            let run = probe::get(&cx.app, self.identity.trim())?;
            let report = run.report.as_ref();
            let who = |role: Role| match (role, report) {
                (Role::Sender, Some(r)) => r.sender.clone(),
                (Role::Receiver, Some(r)) => r.receiver.clone(),
                (_, None) => String::new(),
            };
            let object = |s: &StepRecord| {
                json!({
                    "Offset": offset(s.started_us), "Duration": offset(s.duration_us), "User": who(s.role),
                    "Activity": s.phase.title(), "Result": if s.ok { "Success" } else { "Failure" }, "Detail": s.detail,
                })
            };
            return Ok(Outcome::objects(run.steps.iter().map(object).collect()));
        }
        let t = probe::trace(&cx.app, self.identity.trim())?;
        let object = |m: &shared::trace::TraceMessage| {
            json!({
                "Offset": offset(m.at_us),
                "Direction": if m.sent { "sent" } else { "received" },
                "User": t.who(m.role), "Message": m.first_line(), "Text": m.text,
            })
        };
        Ok(Outcome::objects(t.messages.iter().map(object).collect()))
    }
}

fn object(t: &TestSummary) -> Value {
    json!({
        "Identity": t.id, "Started": t.started, "Result": t.state, "TargetFqdn": t.target, "Pool": t.pool,
        "LatencyMilliseconds": t.latency_us.map(|us| us as f64 / 1000.0), "Verdict": t.verdict, "StartedBy": t.actor,
        "Node": t.node,
    })
}

fn wanted(a: &GetLgTestHistory) -> Result<Wanted, ApiError> {
    let day = |text: &Option<String>, end, field: &str| {
        let Some(t) = text else { return Ok(None) };
        let wrong =
            || ApiError::invalid(field, format!("'{t}' is no date. Write month/day/year or year-month-day."));
        parse_day(t, end).ok_or_else(wrong).map(Some)
    };
    Ok(Wanted {
        pool: a.pool.as_deref().map(|p| p.trim().to_lowercase()),
        state: a.result.clone(),
        cause: a.cause.clone(),
        actor: a.actor.clone(),
        from: day(&a.start_date, false, "StartDate")?,
        to: day(&a.end_date, true, "EndDate")?,
    })
}

#[async_trait]
impl Handler for GetLgTestHistory {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let w = wanted(self)?;
        let size = self.result_size.unwrap_or(100).min(10_000);
        let rows = cx.read(|c| Ok(tests::page(c, &w, 0, size)?))?;
        Ok(Outcome::objects(rows.iter().map(object).collect()))
    }
}

#[async_trait]
impl Handler for SetLgTestHistory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let days = self.keep_days.ok_or_else(|| ApiError::invalid("KeepDays", "Give -KeepDays."))?;
        if days > 3650 {
            return Err(ApiError::invalid(
                "KeepDays",
                "Days are a whole number from 0 to 3650; 0 means for ever.",
            ));
        }
        let Some(from) = kept_from(days, cx.now()) else {
            return Ok(plan(["Keep test messages for ever.".to_owned()]));
        };
        let old = cx.read(|c| Ok(tests::older_than(c, from)?))?;
        let now = if old > 0 { format!(" {old} older ones are deleted.") } else { String::new() };
        Ok(plan([format!("Keep test messages for {days} days.{now}")]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let days = self.keep_days.unwrap_or(tests::DEFAULT_DAYS);
        cx.commit(&p.sentences.join(" "), |tx| Ok(tests::set_keep_days(tx, days)?))?;
        crate::watch::forget_old(&cx.app)?;
        Ok(Outcome::changed(Topic::Test, "history"))
    }
}
