//! What is done about an alert: look, acknowledge, mute.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::Timestamp;
use shared::cmdlets::{ConfirmLgAlert, GetLgAlert, SuspendLgAlert};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::Plan;
use store::management::alerts::{self as kept, ALL, Mute, Open};

use crate::alerts::CHANGED;
use crate::door::{Cx, Handler, Outcome, plan};
use crate::views::alerts as views;

const MINUTE: i64 = 60_000;
/// A mute ends after a week, so that a forgotten one does not hide a year.
const LONGEST_MUTE: u32 = 10_080;

#[async_trait]
impl Handler for GetLgAlert {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let limit = if self.identity.is_some() { 0 } else { self.result_size.unwrap_or(20).min(200) };
        let v = views::alerts(&cx.app, limit)?;
        let wanted = |key: &str, subject: &str| {
            self.identity
                .as_ref()
                .is_none_or(|i| key.eq_ignore_ascii_case(i.trim()) || subject.eq_ignore_ascii_case(i.trim()))
        };
        let open = v.open.iter().filter(|a| wanted(&a.key, &a.problem.subject)).map(|a| {
            json!({
                "Identity": a.key, "Text": a.problem.problem.text, "Since": a.since, "Told": a.told,
                "AcknowledgedBy": a.acknowledged_by, "AcknowledgedAt": a.acknowledged_at, "MutedUntil": a.muted_until,
            })
        });
        let mut out: Vec<Value> = open.collect();
        out.extend(v.deliveries.iter().map(|d| {
            json!({
                "Identity": d.key, "Told": d.told, "At": d.at, "Target": d.target, "State": d.state, "Tries": d.tries,
                "Error": d.error, "Delivery": d.id,
            })
        }));
        Ok(Outcome::objects(out))
    }
}

fn open_alert(cx: &Cx, identity: &str) -> Result<Open, ApiError> {
    let found =
        cx.read(|c| Ok(kept::open(c)?))?.into_iter().find(|o| o.key.eq_ignore_ascii_case(identity.trim()));
    found.ok_or_else(|| {
        let text = format!("There is no open alert {}. Get-LgAlert lists them.", identity.trim());
        ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
    })
}

#[async_trait]
impl Handler for ConfirmLgAlert {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let o = open_alert(cx, &self.identity)?;
        if let Some((by, at)) = &o.acknowledged {
            let text = format!("{by} acknowledged this alert already, {}.", at.rfc3339());
            return Err(ApiError::new(ErrorCode::Conflict, text));
        }
        Ok(plan([format!(
            "Acknowledge {}: nobody is told of it again, except that it is gone. It stays on the overview.",
            o.key
        )]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let o = open_alert(cx, &self.identity)?;
        let by = cx.actor.name.clone();
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::acknowledge(tx, &o.key, &by, cx.now())?))?;
        Ok(Outcome::changed(Topic::Alert, CHANGED))
    }
}

/// The subject that is muted.
fn subject(a: &SuspendLgAlert) -> Result<String, ApiError> {
    match (a.identity.as_deref().map(str::trim).filter(|i| !i.is_empty()), a.all) {
        (Some(_), true) => Err(ApiError::invalid("All", "Use either -Identity or -All.")),
        (None, false) => Err(ApiError::invalid("Identity", "Give the subject, or -All.")),
        (None, true) => Ok(ALL.to_owned()),
        // The key of an alert stands for its subject.
        (Some(i), false) => Ok(i.split_once('/').map_or(i, |(_, s)| s).to_lowercase()),
    }
}

#[async_trait]
impl Handler for SuspendLgAlert {
    async fn plan(&self, _: &Cx) -> Result<Plan, ApiError> {
        let subject = subject(self)?;
        if self.minutes > LONGEST_MUTE {
            return Err(ApiError::invalid("Minutes", "Minutes are a whole number from 0 to 10080."));
        }
        let of = if subject == ALL { "any subject".to_owned() } else { subject };
        Ok(plan([match self.minutes {
            0 => format!("Tell of new problems of {of} again."),
            n => format!("Tell nobody of new problems of {of} for {n} minutes. What is gone is still told."),
        }]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let now = cx.now();
        let m = Mute {
            subject: subject(self)?,
            until: Timestamp::from_millis(now.millis() + i64::from(self.minutes) * MINUTE),
            actor: cx.actor.name.clone(),
        };
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::mute(tx, &m, now)?))?;
        Ok(Outcome::changed(Topic::Alert, CHANGED))
    }
}
