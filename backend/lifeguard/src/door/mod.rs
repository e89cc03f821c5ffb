//! The one door: every act of every face (page, HTTP, shell, jobs) comes through [`execute`], which does
//! role check, plan, confirmation, idempotency and audit once for all.

mod checks;
mod cx;
mod handler;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use shared::cmdlet::{Nature, Spec, redact};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{CmdletResponse, Invocation, Mode, Plan};
use shared::roles;
use store::management::audit::{self, Opened};
use store::management::people;

use self::checks::{already, check_confirmation, in_scope};
pub use self::cx::{Cx, Fault, store_error};
pub use self::handler::{AnyHandler, Handler, Outcome, blocked, boxed, plan};
use crate::app::App;
use crate::clock::new_id;

/// Changes of one act that its audit row keeps; of a very long plan the rest is in its sentences.
const AUDITED: usize = 1_000;
/// Longest reason, in characters: it is kept for ever, also of what was refused.
const REASON: usize = 1_000;
/// Characters of a line, and of why it was refused, that an audit row keeps.
const KEPT_LINE: usize = 4_000;
/// Characters of a target that an audit row keeps.
const KEPT_TARGET: usize = 400;

/// Who acts.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Account, token label, or `host`.
    pub name: String,
    /// The account that answers for what is made: the person's own, of a token its maker's; empty at the host.
    pub maker: String,
    /// Roles.
    pub roles: Vec<String>,
    /// `session`, `token`, `host`, `job`.
    pub credential: &'static str,
    /// Address it came from.
    pub source: String,
    /// Request id.
    pub request_id: String,
}

impl Actor {
    /// The data directory's owner on the host: counts as RTCUniversalServerAdmins (RBAC is not applied
    /// at the console. Source: L:planning-for-role-based-access-control).
    pub fn host(request_id: &str) -> Self {
        Self {
            name: "host".to_owned(),
            maker: String::new(),
            roles: vec!["CsAdministrator".to_owned()],
            credential: "host",
            source: "local".to_owned(),
            request_id: request_id.to_owned(),
        }
    }
}

fn fingerprint(plan: &Plan) -> String {
    let content = serde_json::json!([
        plan.cmdlet,
        plan.line,
        plan.sentences,
        plan.changes,
        plan.blockers,
        plan.acknowledge
    ]);
    hex::encode(&Sha256::digest(content.to_string().as_bytes())[..8])
}

fn target_of(spec: &Spec, args: &Map<String, Value>) -> String {
    let first = [
        "Identity",
        "TargetFqdn",
        "SipAddress",
        "Name",
        "Fqdn",
        "Label",
        "Draft",
        "Instance",
        "ComputerName",
        "PoolFqdn",
    ];
    first
        .iter()
        .filter_map(|k| args.get(*k))
        .map(|v| match v {
            Value::String(s) => s.clone(),
            v => v.get("Identity").and_then(Value::as_str).unwrap_or_default().to_owned(),
        })
        .find(|s| !s.is_empty())
        .unwrap_or_else(
            || if spec.name == "Publish-CsTopology" { "topology".to_owned() } else { String::new() },
        )
}

/// The beginning of a text; what was cut is told by a mark.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Runs a cmdlet for an actor.
///
/// # Errors
/// Unknown cmdlet, bad arguments, no right, blockers, a plan that moved, a confirmation that is missing,
/// or what the handler says. Every refused or failed change leaves an audit row.
pub async fn execute(
    app: &Arc<App>,
    actor: Actor,
    name: &str,
    inv: Invocation,
) -> Result<CmdletResponse, ApiError> {
    let Some(spec) = shared::cmdlets::find(name) else {
        return Err(ApiError::not_found(format!("There is no cmdlet {name}.")));
    };
    let op_id = match &inv.op_id {
        Some(id) if uuid::Uuid::parse_str(id).is_ok() => id.clone(),
        Some(_) => return Err(ApiError::invalid("op_id", "op_id is a UUID.")),
        None => new_id(&*app.entropy, app.clock.now()),
    };
    if inv.reason.as_ref().is_some_and(|r| r.chars().nth(REASON).is_some()) {
        return Err(ApiError::invalid("Reason", format!("A reason has {REASON} characters at most.")));
    }
    let line = shared::shell::line_for(spec, &redact(spec, &inv.args));
    let entry = Opened {
        op_id: op_id.clone(),
        actor: actor.name.clone(),
        role: shown_roles(&actor.roles),
        credential: actor.credential.to_owned(),
        source: actor.source.clone(),
        cmdlet: spec.name.to_owned(),
        line: cut(&line, KEPT_LINE),
        target: cut(&target_of(spec, &inv.args), KEPT_TARGET),
        reason: inv.reason.clone().unwrap_or_default(),
        request_id: actor.request_id.clone(),
        pool: String::new(),
    };
    let cx = Cx {
        app: app.clone(),
        op_id,
        reason: inv.reason.clone().unwrap_or_default(),
        entry,
        opened: AtomicBool::new(false),
        closed: AtomicBool::new(false),
        starts: crate::ends::starts(spec.name, inv.args.get("Setup") == Some(&Value::Bool(true))),
        changes: OnceLock::new(),
        actor,
    };
    let result = admitted(&cx, spec, &inv, line).await;
    if let Err(e) = &result
        && spec.nature != Nature::Query
        // The shell asks for the plan first: without the right it never comes further, and was refused all the same.
        && (inv.mode == Mode::Run || e.code == ErrorCode::Forbidden)
    {
        let refused = matches!(
            e.code,
            ErrorCode::Forbidden
                | ErrorCode::PasswordChangeRequired
                | ErrorCode::Blocked
                | ErrorCode::ConfirmationRequired
                | ErrorCode::PlanChanged
                | ErrorCode::InvalidArgument
        );
        cx.finish(if refused { "refused" } else { "failed" }, &e.message);
    }
    result
}

async fn admitted(cx: &Cx, spec: &Spec, inv: &Invocation, line: String) -> Result<CmdletResponse, ApiError> {
    // Asked again here, whatever face the act came through.
    if cx.actor.credential == "session" && cx.read(|c| Ok(people::must_change(c, &cx.actor.name)?))? {
        return Err(crate::http::auth::change_first());
    }
    roles::can(spec.name, &cx.actor.roles).map_err(|why| ApiError::new(ErrorCode::Forbidden, why))?;
    in_scope(cx, spec, inv)?;
    let handler = crate::registry::handler(spec.name, &inv.args)?;
    if spec.nature == Nature::Query {
        let out = handler.run(cx, &Plan::default()).await?;
        return Ok(CmdletResponse {
            output: out.output,
            warnings: out.warnings,
            done: true,
            ..Default::default()
        });
    }
    // One change at a time: what was planned is what is applied.
    let _turn = cx.app.turn.lock().await;
    if inv.op_id.is_some()
        && let Some(outcome) = cx.read(|c| Ok(audit::outcome(c, &cx.op_id)?))?
    {
        return already(cx, &outcome);
    }
    let mut plan = handler.plan(cx).await?;
    spec.name.clone_into(&mut plan.cmdlet);
    plan.line = line;
    plan.fingerprint = fingerprint(&plan);
    if inv.mode == Mode::WhatIf {
        return Ok(CmdletResponse { plan: Some(plan), ..Default::default() });
    }
    check_confirmation(&plan, inv)?;
    cx.changes.get_or_init(|| plan.changes.iter().take(AUDITED).cloned().collect());
    let out = handler.run(cx, &plan).await?;
    cx.finish(cx.well(), &plan.sentences.join(" "));
    if out.redeploy {
        cx.app.redeploy()?;
    }
    for (topic, subject) in out.events {
        cx.app.bus.send(topic, subject);
    }
    cx.app.bus.send(Topic::Audit, "");
    Ok(CmdletResponse {
        plan: Some(plan),
        output: out.output,
        warnings: out.warnings,
        job: out.job,
        done: true,
        text: None,
    })
}

/// Roles without the grants that a role of one's own expands to.
fn shown_roles(roles: &[String]) -> String {
    roles.iter().filter(|r| !r.starts_with('+')).cloned().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_cut_with_a_mark() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü…");
        assert_eq!(cut("", 3), "");
    }
}
