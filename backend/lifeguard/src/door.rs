//! The one door: every act of every face (page, HTTP, shell, jobs) comes through [`execute`], which does
//! role check, plan, confirmation, idempotency and audit once for all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use shared::cmdlet::{Cmdlet, Nature, Spec, read_args, redact};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{CmdletResponse, Confirm, Invocation, Mode, Plan, PlannedChange};
use shared::topology::{ChatPool, Topology};
use shared::{Timestamp, roles};
use store::management::audit::{self, Opened};
use store::management::pools::Endpoint;
use store::management::{StoreError, people};

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

/// What a handler gives back.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects returned.
    pub output: Vec<Value>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Job or test run started.
    pub job: Option<String>,
    /// What changed, for the live page.
    pub events: Vec<(Topic, String)>,
    /// Whether servers must be told (deployment rebuilt).
    pub redeploy: bool,
}

impl Outcome {
    /// Objects of a query.
    pub fn objects(output: Vec<Value>) -> Self {
        Self { output, ..Self::default() }
    }

    /// Something changed.
    pub fn changed(topic: Topic, subject: impl Into<String>) -> Self {
        Self { events: vec![(topic, subject.into())], ..Self::default() }
    }

    /// Servers must be told.
    pub fn redeploy(mut self) -> Self {
        self.redeploy = true;
        self
    }

    /// Returns an object.
    pub fn with(mut self, object: Value) -> Self {
        self.output.push(object);
        self
    }
}

/// What a handler sees.
pub struct Cx {
    /// The application.
    pub app: Arc<App>,
    /// Who acts.
    pub actor: Actor,
    /// Id of this act.
    pub op_id: String,
    /// Reason given.
    pub reason: String,
    entry: Opened,
    opened: AtomicBool,
    closed: AtomicBool,
    /// What the plan changes, for the audit.
    changes: OnceLock<Vec<PlannedChange>>,
}

/// Maps a store error to the one error; the cause goes to the log only.
#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub fn store_error(e: StoreError) -> ApiError {
    tracing::error!(cause = %e, "the management store failed");
    ApiError::new(
        ErrorCode::Internal,
        "The management store did not answer as it should. The log has the cause.",
    )
}

/// The error type of store closures in handlers.
pub struct Fault(pub ApiError);

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Self(store_error(e))
    }
}

impl From<ApiError> for Fault {
    fn from(e: ApiError) -> Self {
        Self(e)
    }
}

impl Cx {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Reads in one snapshot.
    ///
    /// # Errors
    /// What `f` returns.
    pub fn read<T>(&self, f: impl FnOnce(&rusqlite::Connection) -> Result<T, Fault>) -> Result<T, ApiError> {
        self.app.store.read(f).map_err(|f| f.0)
    }

    /// Changes the management store: the act's audit rows and the change stand in one transaction.
    ///
    /// # Errors
    /// What `f` returns; then nothing is kept.
    pub fn commit<T>(
        &self,
        detail: &str,
        f: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, ApiError> {
        let now = self.now();
        let out = self
            .app
            .store
            .write(|tx| {
                if !self.opened.load(Ordering::Acquire) {
                    audit::open(tx, &self.entry, now)?;
                }
                let out = f(tx)?;
                audit::close_with(tx, &self.op_id, "done", detail, self.changes(), now)?;
                Ok::<_, Fault>(out)
            })
            .map_err(|f| f.0)?;
        self.opened.store(true, Ordering::Release);
        self.closed.store(true, Ordering::Release);
        Ok(out)
    }

    /// Opens the audit row before an act that another database records (see ARCHITECTURE.md, two databases).
    ///
    /// # Errors
    /// When the store refuses.
    pub fn open_audit(&self, pool: &str) -> Result<(), ApiError> {
        let entry = Opened { pool: pool.to_owned(), ..self.entry.clone() };
        self.app.store.write(|tx| audit::open(tx, &entry, self.now())).map_err(store_error)?;
        self.opened.store(true, Ordering::Release);
        Ok(())
    }

    fn changes(&self) -> &[PlannedChange] {
        self.changes.get().map_or(&[], Vec::as_slice)
    }

    fn finish(&self, outcome: &str, detail: &str) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let now = self.now();
        let written = self.app.store.write(|tx| {
            let mut op_id = self.op_id.clone();
            if !self.opened.load(Ordering::Acquire) {
                // An id that was used before must not keep a refusal out of the audit.
                if audit::outcome(tx, &op_id)?.is_some() {
                    op_id = new_id(&*self.app.entropy, now);
                }
                audit::open(tx, &Opened { op_id: op_id.clone(), ..self.entry.clone() }, now)?;
            }
            // What was refused or failed changed nothing, and its words may repeat what was sent.
            if outcome != "done" {
                return audit::close_with(tx, &op_id, outcome, &cut(detail, KEPT_LINE), &[], now);
            }
            audit::close_with(tx, &op_id, outcome, detail, self.changes(), now)
        });
        if let Err(e) = written {
            tracing::error!(cause = %e, op_id = %self.op_id, "the audit row could not be closed");
        }
    }
}

/// A cmdlet's behaviour. Pure rules are called from `shared`; this reads, plans and applies.
#[async_trait]
pub trait Handler: Cmdlet {
    /// What it would do; queries have no plan.
    async fn plan(&self, _cx: &Cx) -> Result<Plan, ApiError> {
        Ok(Plan::default())
    }

    /// Does it. The plan has been confirmed and holds, because the door admits one change at a time.
    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError>;
}

/// A handler with its argument type erased.
#[async_trait]
pub trait AnyHandler: Send + Sync {
    /// What it would do.
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError>;
    /// Does it.
    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError>;
}

#[async_trait]
impl<H: Handler> AnyHandler for H {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        Handler::plan(self, cx).await
    }
    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError> {
        Handler::run(self, cx, plan).await
    }
}

/// Reads arguments into a boxed handler.
pub fn boxed<H: Handler>(args: &Map<String, Value>) -> Result<Box<dyn AnyHandler>, ApiError> {
    Ok(Box::new(read_args::<H>(args)?))
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
    let first = ["Identity", "TargetFqdn", "SipAddress", "Name", "Fqdn", "Label", "Draft", "Instance"];
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
        changes: OnceLock::new(),
        actor,
    };
    let result = admitted(&cx, spec, &inv, line).await;
    if let Err(e) = &result
        && spec.nature != Nature::Query
        && inv.mode == Mode::Run
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
    cx.finish("done", &plan.sentences.join(" "));
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

/// The same op_id came before: say what came of it instead of doing it twice.
fn already(cx: &Cx, outcome: &str) -> Result<CmdletResponse, ApiError> {
    cx.closed.store(true, Ordering::Release);
    if outcome == "done" {
        return Ok(CmdletResponse { done: true, ..Default::default() });
    }
    Err(ApiError::new(ErrorCode::Conflict, format!("This act was sent before and ended as '{outcome}'.")))
}

/// Roles without the grants that a role of one's own expands to.
fn shown_roles(roles: &[String]) -> String {
    roles.iter().filter(|r| !r.starts_with('+')).cloned().collect::<Vec<_>>().join(", ")
}

/// A role with a site scope reaches pools of that site only; what concerns no single pool is outside it.
fn in_scope(cx: &Cx, spec: &Spec, inv: &Invocation) -> Result<(), ApiError> {
    if spec.nature == Nature::Query {
        return Ok(());
    }
    let Some(sites) = roles::confined_to(spec.name, &cx.actor.roles) else { return Ok(()) };
    let t = cx.topology()?;
    let endpoints = if spec.name.ends_with("PersistentChatEndpoint") {
        cx.read(|c| Ok(store::management::pools::endpoints(c)?))?
    } else {
        Vec::new()
    };
    // Every pool that is named has to be in scope: one of them alone would open the way to the others. What names
    // none might be found elsewhere by another of its names.
    let mut pools = Vec::new();
    for key in ["Identity", "Instance", "PersistentChatPoolFqdn", "TargetFqdn", "Category", "ChatRoomUri"] {
        let Some(value) = inv.args.get(key).filter(|v| !v.is_null()) else { continue };
        let text =
            value.as_str().or_else(|| value.get("Identity").and_then(Value::as_str)).unwrap_or_default();
        let of_endpoint = matches!(key, "Identity" | "Instance");
        let found = named_pools(&t, if of_endpoint { &endpoints } else { &[] }, text);
        // A bare name of these two is looked for in the pool that the others name.
        let bare = matches!(key, "Category" | "ChatRoomUri") && !text.contains('\\');
        if found.is_empty() && !bare {
            return Err(out_of_scope(&sites, "what concerns no pool of a site"));
        }
        pools.extend(found);
    }
    let site_of = |p: &ChatPool| t.site(&p.site).map(|s| format!("site:{}", s.site_id));
    let inside = |s: &String| sites.iter().any(|x| x.eq_ignore_ascii_case(s));
    let outside = pools.iter().map(|p| site_of(p)).find(|s| !s.as_ref().is_some_and(inside));
    if !pools.is_empty() && outside.is_none() {
        return Ok(());
    }
    let what = outside.flatten().unwrap_or_else(|| "what concerns no pool of a site".to_owned());
    Err(out_of_scope(&sites, &what))
}

fn out_of_scope(sites: &[String], what: &str) -> ApiError {
    let text = format!("Your role is confined to {}; this concerns {what}.", sites.join(", "));
    ApiError::new(ErrorCode::Forbidden, text)
}

/// The pools that an argument concerns: of an endpoint, which has an address and a name that others may have as well,
/// those that it and its namesakes are at; else the pool that is named alone or before a `\`.
fn named_pools<'a>(t: &'a Topology, endpoints: &[Endpoint], text: &str) -> Vec<&'a ChatPool> {
    let wanted = text.trim();
    let same = |e: &&Endpoint| {
        e.sip_address.as_str().eq_ignore_ascii_case(wanted) || e.display_name.eq_ignore_ascii_case(wanted)
    };
    let of_endpoints: Vec<_> =
        endpoints.iter().filter(same).filter_map(|e| t.pools.iter().find(|p| p.id == e.pool)).collect();
    if !of_endpoints.is_empty() {
        return of_endpoints;
    }
    let head = text.split('\\').next().unwrap_or_default();
    shared::identity::pool_fqdn(head).ok().and_then(|f| t.pool_by_fqdn(&f)).into_iter().collect()
}

fn check_confirmation(plan: &Plan, inv: &Invocation) -> Result<(), ApiError> {
    if !plan.blockers.is_empty() {
        return Err(ApiError::from_problems(ErrorCode::Blocked, plan.blockers.clone()));
    }
    if inv.fingerprint.as_ref().is_some_and(|f| *f != plan.fingerprint) {
        return Err(ApiError::new(
            ErrorCode::PlanChanged,
            "Something changed since this plan was shown. Look at the new plan and confirm that one.",
        ));
    }
    if let Some((parameter, text)) = &plan.acknowledge
        && inv.args.get(parameter) != Some(&Value::Bool(true))
    {
        let e = ApiError::new(
            ErrorCode::ConfirmationRequired,
            format!("{text} Set -{parameter} to accept this."),
        );
        return Err(ApiError { field: Some(parameter.clone()), ..e });
    }
    let agreed = match &plan.confirm {
        Confirm::None => true,
        Confirm::Ask => inv.confirmed || inv.fingerprint.is_some(),
        Confirm::TypeName(name) => {
            inv.confirmed || inv.typed_name.as_ref().is_some_and(|t| t.trim().eq_ignore_ascii_case(name))
        }
    };
    if agreed {
        return Ok(());
    }
    Err(match &plan.confirm {
        Confirm::TypeName(name) => ApiError {
            field: Some("typed_name".to_owned()),
            ..ApiError::new(ErrorCode::ConfirmationRequired, format!("Type {name} to confirm."))
        },
        _ => ApiError::new(
            ErrorCode::ConfirmationRequired,
            "This wants a confirmation (-Confirm:$false or -Force).",
        ),
    })
}

/// A plan of sentences.
pub fn plan(sentences: impl IntoIterator<Item = String>) -> Plan {
    Plan { sentences: sentences.into_iter().collect(), ..Plan::default() }
}

/// A plan that cannot be carried out.
pub fn blocked(mut plan: Plan, code: &str, field: &str, text: impl Into<String>, source: &str) -> Plan {
    plan.blockers.push(Problem::error(code, field, text, source));
    plan
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
