//! Test messages: resolves the target, runs `synthetic`, keeps the run's steps live and its report.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::Fqdn;
use shared::api::{TestRun, TestSummary};
use shared::cmdlet::Credential;
use shared::cmdlets::TestCsPersistentChatMessage;
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::synthetic::{CauseCode, Outcome, TestReport};
use shared::topology::{Placement, Topology};
use shared::trace::TestTrace;
use shared::{Port, SipUri};
use store::management::{jobs, pools, tests, watch};
use synthetic::{Account, Authentication, TestPlan, Transport};
use tokio::sync::Notify;

use crate::app::App;
use crate::clock::{new_id, random_bytes, random_hex};
use crate::door::{Cx, store_error};

/// Seconds a phase may take unless told otherwise.
const PHASE_SECONDS: u32 = 10;

/// Who may run this may use stored test users at any address.
const STORES: &str = "Set-CsTestUserCredential";

/// For leaving and signing off, however the test went.
const CLEAN_UP: Duration = Duration::from_secs(3);

/// A test that is ready to run.
pub struct Resolved {
    /// Target as typed.
    pub target: String,
    /// Registrar reached.
    pub registrar: String,
    /// Its port.
    pub port: u16,
    /// Its addresses as far as the topology knows them; DNS is asked when there are none.
    pub addresses: Vec<SocketAddr>,
    /// Warnings to print.
    pub warnings: Vec<Problem>,
    /// Chat pool meant, when the target is one or the room names one.
    pub pool: Option<Fqdn>,
    /// First user.
    pub sender: Account,
    /// Second user.
    pub receiver: Account,
    /// How they prove who they are.
    pub authentication: Authentication,
    /// What certificates are checked against, and the portal's own.
    pub tls: Arc<rustls::ClientConfig>,
    /// The node that runs it; the portal when none.
    pub node: Option<String>,
    /// Room.
    pub room: Option<String>,
    /// Time-out of a phase.
    pub timeout: Duration,
}

fn account(sip: Option<&String>, cred: Option<&Credential>, who: &str) -> Result<Account, ApiError> {
    let field = format!("{who}SipAddress");
    let sip = sip.ok_or_else(|| {
        ApiError::invalid(field.clone(), format!("Give -{field}: no test users are stored for this target."))
    })?;
    let uri = SipUri::try_from(sip.as_str()).map_err(|e| ApiError::invalid(field, e.0))?;
    let field = format!("{who}Credential");
    let c = cred.ok_or_else(|| {
        ApiError::invalid(field.clone(), format!("Give -{field}, for example from Get-Credential."))
    })?;
    let logon = if c.user_name.is_empty() { uri.user().to_owned() } else { c.user_name.clone() };
    Ok(Account { sip_uri: uri.to_string(), logon, password: c.password.clone() })
}

/// Where a test goes.
pub struct Target {
    /// As typed.
    pub typed: String,
    /// Registrar reached.
    pub registrar: String,
    /// Its port.
    pub port: u16,
    /// Its addresses as far as the topology knows them.
    pub addresses: Vec<SocketAddr>,
    /// Warnings to print.
    pub warnings: Vec<Problem>,
    /// Chat pool meant, when the target is one or the room names one.
    pub pool: Option<Fqdn>,
    /// Whether the topology knows the registrar.
    pub known: bool,
}

/// Resolves a target. A chat pool's FQDN leads to its next hop with a warning (model §23).
///
/// # Errors
/// When the port is none.
pub fn target(app: &App, typed: &str, port: Option<u32>, room: Option<&str>) -> Result<Target, ApiError> {
    let typed = typed.trim();
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    let mut warnings = Vec::new();
    let name = Fqdn::try_from(typed).ok();
    let pool = name.as_ref().and_then(|n| t.pool_by_fqdn(n));
    let front_end = match pool {
        Some(p) => t.front_end_pool(&p.next_hop),
        None => name.as_ref().and_then(|n| t.front_end_by_fqdn(n)),
    };
    if let (Some(p), Some(fe)) = (pool, front_end) {
        let text = format!(
            "{} is a Persistent Chat pool, not a registrar pool. Its next hop {} is used.",
            p.fqdn, fe.fqdn
        );
        warnings.push(Problem::warning("target.pool", "TargetFqdn", text, "model §23"));
    }
    let registrar = front_end.map_or_else(|| typed.to_owned(), |f| f.fqdn.to_string());
    if front_end.is_none() {
        warnings.push(Problem::warning(
            "target.unknown",
            "TargetFqdn",
            shared::synthetic::REGISTRAR_PORT_WARNING,
            "S2",
        ));
    }
    let port = match port.map(|p| u16::try_from(p).ok().and_then(|p| Port::try_from(p).ok())) {
        Some(None) => {
            return Err(ApiError::invalid("RegistrarPort", "A port is a whole number from 1 to 65535."));
        }
        Some(Some(p)) => p.get(),
        None => Port::REGISTRAR_TLS.get(),
    };
    let mut addresses = front_end.map(|f| local_addresses(app, f, name.as_ref(), port)).unwrap_or_default();
    if let Ok(ip) = typed.parse() {
        addresses.push(SocketAddr::new(ip, port));
    }
    let of_room = room.and_then(|r| r.split_once('\\')).and_then(|(p, _)| Fqdn::try_from(p).ok());
    Ok(Target {
        typed: typed.to_owned(),
        registrar,
        port,
        addresses,
        warnings,
        pool: pool.map(|p| p.fqdn.clone()).or(of_room).or_else(|| default_pool(&t, front_end)),
        known: front_end.is_some(),
    })
}

/// How users prove who they are.
fn authentication(a: &TestCsPersistentChatMessage, app: &App) -> Result<Authentication, ApiError> {
    let refused = |text: &str| Err(ApiError::invalid("Authentication", text));
    match a.authentication.as_deref() {
        None | Some("Negotiate") => Ok(Authentication::Negotiate),
        Some("TrustedServer") if app.settings.test_certificate.is_some() => Ok(Authentication::TrustedServer),
        Some("TrustedServer") => refused(
            "-Authentication TrustedServer needs a certificate that the deployment trusts: start the portal with --test-certificate and --test-key.",
        ),
        Some("ClientCertificate") => refused(
            "-Authentication ClientCertificate needs certificates that Lync's web service issues to users (TLS-DSK); this test has none. Use Negotiate with credentials.",
        ),
        _ => refused(
            "-Authentication LiveID needs tickets of Microsoft's log-on service, which exist for hosted deployments only. Use Negotiate with credentials.",
        ),
    }
}

/// Why stored test users do not sign in at `target` for somebody.
fn not_lent(target: &str) -> ApiError {
    let text = format!(
        "{} is not part of the published topology: stored test users sign in there only for whoever may run {STORES}.",
        target.trim()
    );
    ApiError { field: Some("TargetFqdn".to_owned()), ..ApiError::new(ErrorCode::Forbidden, text) }
}

/// Whether somebody with `roles` may have stored test users sign in at `name`.
///
/// # Errors
/// Why not.
pub fn lends(app: &App, name: &str, roles: &[String]) -> Result<(), ApiError> {
    let known = target(app, name, None, None)?.known;
    if known || shared::roles::can(STORES, roles).is_ok() { Ok(()) } else { Err(not_lent(name)) }
}

/// Stored test users stand in for what is left out: their address, and their credential. A server that is not of the
/// published topology may be anybody's: their credentials go there only for somebody who may store them himself.
fn with_stored(
    a: &TestCsPersistentChatMessage,
    app: &App,
    anywhere: bool,
) -> Result<TestCsPersistentChatMessage, ApiError> {
    let mut a = a.clone();
    let stored = app.store.read(watch::credentials).map_err(store_error)?;
    if a.sender_sip_address.is_none() && a.receiver_sip_address.is_none() && stored.len() > 1 {
        (a.sender_sip_address, a.receiver_sip_address) = (stored.first().cloned(), stored.get(1).cloned());
    }
    let credential = |sip: &Option<String>| -> Result<Option<Credential>, ApiError> {
        let Some(sip) = sip.as_deref().and_then(|s| SipUri::try_from(s).ok()) else { return Ok(None) };
        if !stored.iter().any(|s| s.eq_ignore_ascii_case(sip.as_str())) {
            return Ok(None);
        }
        if !anywhere {
            return Err(not_lent(&a.target_fqdn));
        }
        crate::watch::stored(app, sip.as_str()).map(|(_, c)| Some(c))
    };
    if a.sender_credential.is_none() {
        a.sender_credential = credential(&a.sender_sip_address)?;
    }
    if a.receiver_credential.is_none() {
        a.receiver_credential = credential(&a.receiver_sip_address)?;
    }
    Ok(a)
}

/// Resolves target and users, for an actor with `roles`.
///
/// # Errors
/// When an argument is missing or not acceptable.
pub fn resolve(a: &TestCsPersistentChatMessage, app: &App, roles: &[String]) -> Result<Resolved, ApiError> {
    let authentication = authentication(a, app)?;
    let trusted = authentication == Authentication::TrustedServer;
    let to = target(app, &a.target_fqdn, a.registrar_port, a.chat_room_uri.as_deref())?;
    // A trusted server shows its certificate and no password.
    let anywhere = to.known || trusted || shared::roles::can(STORES, roles).is_ok();
    let a = with_stored(a, app, anywhere)?;
    let nobody = Credential { user_name: String::new(), password: String::new() };
    let credential = |c: &Option<Credential>| if trusted { Some(nobody.clone()) } else { c.clone() };
    let sender = account(a.sender_sip_address.as_ref(), credential(&a.sender_credential).as_ref(), "Sender")?;
    let receiver =
        account(a.receiver_sip_address.as_ref(), credential(&a.receiver_credential).as_ref(), "Receiver")?;
    if sender.sip_uri == receiver.sip_uri {
        return Err(ApiError::invalid("ReceiverSipAddress", "The test needs two different users."));
    }
    let seconds = a.timeout_seconds.unwrap_or(PHASE_SECONDS);
    if !(1..=120).contains(&seconds) {
        return Err(ApiError::invalid("TimeoutSeconds", "Seconds are a whole number from 1 to 120."));
    }
    Ok(Resolved {
        target: to.typed,
        registrar: to.registrar,
        port: to.port,
        addresses: to.addresses,
        warnings: to.warnings,
        pool: to.pool,
        sender,
        receiver,
        authentication,
        tls: tls(app, trusted)?,
        node: from_node(a.node.as_deref(), trusted)?,
        room: a.chat_room_uri.filter(|r| !r.trim().is_empty()),
        timeout: Duration::from_secs(u64::from(seconds)),
    })
}

/// The node that is to run the test; empty is the portal.
fn from_node(name: Option<&str>, trusted: bool) -> Result<Option<String>, ApiError> {
    let name = name.map(|n| n.trim().to_lowercase()).filter(|n| !n.is_empty());
    if name.is_some() && trusted {
        let text = "The certificate of a trusted server is the portal's: a node cannot test with it.";
        return Err(ApiError::invalid("Node", text));
    }
    Ok(name)
}

/// Read anew for each test, so that a renewed certificate counts at once.
fn tls(app: &App, trusted: bool) -> Result<Arc<rustls::ClientConfig>, ApiError> {
    let wrong = |text: String| ApiError::invalid("Authentication", text);
    let added = crate::trust::added(app)?;
    if !trusted {
        return crate::trust::settings(&app.ca, added, None).map_err(|e| wrong(e.to_string()));
    }
    let Some((certificate, key)) = &app.settings.test_certificate else {
        return Err(wrong("The portal was started without a certificate.".to_owned()));
    };
    let read = |p: &std::path::Path| std::fs::read(p).map_err(|e| wrong(format!("{}: {e}", p.display())));
    let made = crate::trust::settings(&app.ca, added, Some((&read(certificate)?, &read(key)?)));
    made.map_err(|e| wrong(format!("The portal's test certificate cannot be used: {e}.")))
}

/// The chat pool that users of a Front End pool's site get.
pub fn default_pool(t: &Topology, fe: Option<&shared::topology::FrontEndPool>) -> Option<Fqdn> {
    let site = &fe?.site;
    t.pools.iter().find(|p| p.default_for.contains(site)).map(|p| p.fqdn.clone())
}

/// Addresses of the pool's servers; of one alone when the target names that one and not the pool.
fn local_addresses(
    app: &App,
    f: &shared::topology::FrontEndPool,
    target: Option<&Fqdn>,
    port: u16,
) -> Vec<SocketAddr> {
    let mut out = Vec::new();
    let named = f.servers.iter().find(|s| Some(&s.fqdn) == target && s.fqdn != f.fqdn);
    for s in f.servers.iter().filter(|s| named.is_none_or(|n| n.fqdn == s.fqdn)) {
        match &s.placement {
            Placement::RunHere => {
                let n = app.store.read(|c| pools::known_address(c, &s.fqdn)).ok().flatten();
                out.extend(n.map(|n| SocketAddr::new(app.settings.address(n), port)));
            }
            Placement::Address(a) | Placement::HereAt(a) => {
                out.extend(a.trim().parse().ok().map(|ip| SocketAddr::new(ip, port)));
            }
            Placement::Node(n) => {
                let row = app.store.read(|c| store::management::nodes::node(c, n)).ok().flatten();
                let address = row.and_then(|n| n.address).and_then(|a| a.parse().ok());
                out.extend(address.map(|ip| SocketAddr::new(ip, port)));
            }
            Placement::SqlServerGuided => {}
        }
    }
    out
}

/// Starts the run in the background; its id.
pub fn start(r: Resolved, cx: &Cx) -> String {
    begin(r, &cx.app, &cx.actor.name).0
}

/// How a run ended, for whoever counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Both messages arrived.
    Well,
    /// Something failed.
    Badly,
    /// Somebody stopped it: it says nothing.
    Stopped,
    /// It was not run: the node that was to do it is away.
    Missed,
}

/// Starts the run; its id, and how it has ended.
pub fn begin(r: Resolved, app: &Arc<App>, actor: &str) -> (String, tokio::task::JoinHandle<Ended>) {
    let app = app.clone();
    let now = app.clock.now();
    let id = new_id(&*app.entropy, now);
    let run = TestRun {
        summary: TestSummary {
            id: id.clone(),
            target: r.target.clone(),
            pool: r.pool.clone(),
            state: "running".to_owned(),
            started: now,
            latency_us: None,
            verdict: "Running".to_owned(),
            actor: actor.to_owned(),
            node: r.node.clone(),
        },
        steps: Vec::new(),
        report: None,
        printed: None,
    };
    save(&app, &run);
    let stop = app.running.begin(&id);
    let task = tokio::spawn(async move {
        let (running, id) = (app.clone(), run.summary.id.clone());
        let ended = carry_out(app, r, run, &stop).await;
        running.running.end(&id);
        ended
    });
    (id, task)
}

fn save(app: &App, run: &TestRun) {
    if let Err(e) = app.store.write(|tx| jobs::save_test(tx, run)) {
        tracing::error!(cause = %e, run = %run.summary.id, "a test run could not be stored");
    }
    app.bus.send(Topic::Test, run.summary.id.as_str());
}

async fn carry_out(app: Arc<App>, r: Resolved, run: TestRun, stop: &Notify) -> Ended {
    let pool_uri = pool_contact(&app, &r);
    let mut r = r;
    if r.room.is_none() {
        r.room = crate::test_room::of(&app, r.pool.as_ref(), &[&r.sender.sip_uri, &r.receiver.sip_uri]).await;
    }
    let plan = TestPlan {
        target_fqdn: r.target.clone(),
        registrar_host: r.registrar.clone(),
        port: r.port,
        transport: if r.port == Port::REGISTRAR_TCP.get() { Transport::Tcp } else { Transport::Tls },
        addresses: r.addresses,
        authentication: r.authentication,
        secret: random_bytes(&*app.entropy),
        tls: r.tls.clone(),
        sender: r.sender,
        receiver: r.receiver,
        room: r.room,
        pool_uri_hint: pool_uri,
        phase_timeout: r.timeout,
        total_timeout: r.timeout * 12,
        clean_up_timeout: CLEAN_UP,
        nonce: random_hex(&*app.entropy, 8),
        seed: random_hex(&*app.entropy, 8),
        started_at: run.summary.started.rfc3339(),
    };
    // Steps are stored beside the run, not in it: the latency is the messages' alone.
    let id = run.summary.id.clone();
    let (steps, mut stored) = tokio::sync::mpsc::unbounded_channel();
    let keeper = {
        let (app, mut run) = (app.clone(), run);
        tokio::spawn(async move {
            while let Some(step) = stored.recv().await {
                run.steps.push(step);
                save(&app, &run);
            }
            run
        })
    };
    let progress = move |step: shared::synthetic::StepRecord| {
        // The keeper lives until the sender is dropped.
        let _ = steps.send(step);
    };
    let result = match &r.node {
        None => Ok(synthetic::run_traced(plan, progress, stop.notified()).await),
        Some(node) => match crate::trust::added(&app) {
            Ok(added) => crate::nodes::run_test(&app, (node, &id), &plan, &added, progress, stop).await,
            Err(e) => {
                // The keeper waits for its end.
                drop(progress);
                Err(e.message)
            }
        },
    };
    let mut run = match keeper.await {
        Ok(run) => run,
        Err(e) => {
            tracing::error!(cause = %e, "a test run's steps were lost");
            return Ended::Badly;
        }
    };
    let (mut report, trace) = match result {
        Ok(done) => done,
        Err(why) => {
            run.summary.state = MISSED.to_owned();
            run.summary.verdict = format!("Missed – {why}");
            save(&app, &run);
            return Ended::Missed;
        }
    };
    report.warnings.splice(0..0, r.warnings.into_iter().map(|w| w.text));
    run.summary.state = state(&report).to_owned();
    run.summary.latency_us = (report.result == Outcome::Success).then_some(report.latency_us);
    run.summary.verdict = verdict(&report);
    run.steps.clone_from(&report.steps);
    run.printed = Some(report.print());
    run.report = Some(report);
    // Together: whoever sees the end finds the messages.
    let stored = app.store.write(|tx| {
        jobs::save_test(tx, &run)?;
        tests::save_trace(tx, &run.summary.id, &trace)
    });
    if let Err(e) = stored {
        tracing::error!(cause = %e, run = %run.summary.id, "the messages of a test run could not be stored");
    }
    save(&app, &run);
    app.bus.send(Topic::Pool, run.summary.pool.as_ref().map_or("", |p| p.as_str()));
    match run.summary.state.as_str() {
        CANCELLED => Ended::Stopped,
        _ if run.summary.latency_us.is_some() => Ended::Well,
        _ => Ended::Badly,
    }
}

/// State of a run that its node did not bring to an end.
const MISSED: &str = "missed";
/// State of a run that somebody stopped.
const CANCELLED: &str = "cancelled";

fn state(r: &TestReport) -> &'static str {
    match (&r.result, &r.diagnosis) {
        (Outcome::Success, _) => "success",
        (_, Some(d)) if d.cause == CauseCode::Cancelled => CANCELLED,
        _ => "failure",
    }
}

/// Tells a run to stop; it cleans up and is kept as cancelled.
///
/// # Errors
/// When there is no such run, or it has ended.
pub fn stop(app: &App, id: &str, really: bool) -> Result<TestSummary, ApiError> {
    let run = get(app, id)?;
    let ended = || {
        ApiError::new(
            ErrorCode::Conflict,
            format!("The test message has ended already: {}.", run.summary.verdict),
        )
    };
    if run.summary.state != "running" || (really && !app.running.stop(id)) {
        return Err(ended());
    }
    Ok(run.summary)
}

/// The messages of a run.
///
/// # Errors
/// When there is no such run, it runs still, or its messages are not kept any more.
pub fn trace(app: &App, id: &str) -> Result<TestTrace, ApiError> {
    let run = get(app, id)?;
    let found = app.store.read(|c| tests::trace(c, id)).map_err(store_error)?;
    found.ok_or_else(|| {
        ApiError::not_found(match run.summary.state.as_str() {
            "running" => "The messages can be read when the test message has ended.",
            _ => "The messages of this test message are not kept any more; those of the latest 200 that went well and the latest 200 others are.",
        })
    })
}

/// The contact of the pool that was named, so that a named pool is what is tested.
fn pool_contact(app: &App, r: &Resolved) -> Option<String> {
    let pool = r.pool.as_ref()?;
    let d = app.deployment.borrow().clone();
    d.pools.iter().find(|p| p.fqdn == *pool).map(|p| p.lookup_uri.to_string())
}

fn verdict(r: &TestReport) -> String {
    match (&r.result, &r.diagnosis) {
        (Outcome::Failure, Some(d)) if d.cause == CauseCode::Cancelled => format!("Cancelled – {}", d.text),
        (Outcome::Success, _) => format!("Success – {:.1} ms", r.latency_us as f64 / 1000.0),
        (Outcome::Failure, Some(d)) => format!("Failure – {}", d.text),
        (Outcome::Failure, None) => format!("Failure – {}", r.error_message),
    }
}

/// Closes runs that a restart cut off.
///
/// # Errors
/// When the store does not answer.
pub fn close_interrupted(app: &App) -> Result<(), ApiError> {
    let text = "Failure – the portal was restarted during the run";
    app.store.write(|tx| jobs::close_interrupted_tests(tx, text, app.clock.now())).map_err(store_error)
}

/// A run by id.
///
/// # Errors
/// When there is none.
pub fn get(app: &App, id: &str) -> Result<TestRun, ApiError> {
    app.store
        .read(|c| jobs::test(c, id))
        .map_err(store_error)?
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "There is no such test run."))
}
