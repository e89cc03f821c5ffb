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
use shared::synthetic::Outcome;
use shared::topology::{Placement, Topology};
use shared::{Port, SipUri};
use store::management::{jobs, pools};
use synthetic::{Account, TestPlan, Transport};

use crate::app::App;
use crate::clock::{new_id, random_hex};
use crate::door::{Cx, store_error};

/// Seconds a phase may take unless told otherwise.
const PHASE_SECONDS: u32 = 10;

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

/// Resolves target and users. A chat pool's FQDN leads to its next hop with a warning (model §23).
///
/// # Errors
/// When an argument is missing or not acceptable.
pub fn resolve(a: &TestCsPersistentChatMessage, app: &App) -> Result<Resolved, ApiError> {
    if let Some(kind) = a.authentication.as_deref().filter(|k| *k != "Negotiate") {
        let text = format!(
            "-Authentication {kind} needs certificates or tickets that this service does not issue; use Negotiate with credentials."
        );
        return Err(ApiError::invalid("Authentication", text));
    }
    let target = a.target_fqdn.trim();
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    let mut warnings = Vec::new();
    let name = Fqdn::try_from(target).ok();
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
    let registrar = front_end.map_or_else(|| target.to_owned(), |f| f.fqdn.to_string());
    if front_end.is_none() {
        warnings.push(Problem::warning(
            "target.unknown",
            "TargetFqdn",
            shared::synthetic::REGISTRAR_PORT_WARNING,
            "S2",
        ));
    }
    let given = a.registrar_port.map(|p| u16::try_from(p).ok().and_then(|p| Port::try_from(p).ok()));
    let port = match given {
        Some(None) => {
            return Err(ApiError::invalid("RegistrarPort", "A port is a whole number from 1 to 65535."));
        }
        Some(Some(p)) => p.get(),
        None => Port::REGISTRAR_TLS.get(),
    };
    let mut addresses = front_end.map(|f| local_addresses(app, f, name.as_ref(), port)).unwrap_or_default();
    if let Ok(ip) = target.parse() {
        addresses.push(SocketAddr::new(ip, port));
    }
    let room_pool =
        a.chat_room_uri.as_deref().and_then(|r| r.split_once('\\')).and_then(|(p, _)| Fqdn::try_from(p).ok());
    let sender = account(a.sender_sip_address.as_ref(), a.sender_credential.as_ref(), "Sender")?;
    let receiver = account(a.receiver_sip_address.as_ref(), a.receiver_credential.as_ref(), "Receiver")?;
    if sender.sip_uri == receiver.sip_uri {
        return Err(ApiError::invalid("ReceiverSipAddress", "The test needs two different users."));
    }
    let seconds = a.timeout_seconds.unwrap_or(PHASE_SECONDS);
    if !(1..=120).contains(&seconds) {
        return Err(ApiError::invalid("TimeoutSeconds", "Seconds are a whole number from 1 to 120."));
    }
    Ok(Resolved {
        target: target.to_owned(),
        registrar,
        port,
        addresses,
        warnings,
        pool: pool.map(|p| p.fqdn.clone()).or(room_pool).or_else(|| default_pool(&t, front_end)),
        sender,
        receiver,
        room: a.chat_room_uri.clone().filter(|r| !r.trim().is_empty()),
        timeout: Duration::from_secs(u64::from(seconds)),
    })
}

fn default_pool(t: &Topology, fe: Option<&shared::topology::FrontEndPool>) -> Option<Fqdn> {
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
            Placement::Address(a) => out.extend(a.parse().ok().map(|ip| SocketAddr::new(ip, port))),
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

/// Starts the run; its id, and whether it succeeded once it has ended.
pub fn begin(r: Resolved, app: &Arc<App>, actor: &str) -> (String, tokio::task::JoinHandle<bool>) {
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
        },
        steps: Vec::new(),
        report: None,
        printed: None,
    };
    save(&app, &run);
    let task = tokio::spawn(carry_out(app, r, run));
    (id, task)
}

fn save(app: &App, run: &TestRun) {
    if let Err(e) = app.store.write(|tx| jobs::save_test(tx, run)) {
        tracing::error!(cause = %e, run = %run.summary.id, "a test run could not be stored");
    }
    app.bus.send(Topic::Test, run.summary.id.as_str());
}

async fn carry_out(app: Arc<App>, r: Resolved, run: TestRun) -> bool {
    let pool_uri = pool_contact(&app, &r);
    let plan = TestPlan {
        target_fqdn: r.target.clone(),
        registrar_host: r.registrar.clone(),
        port: r.port,
        transport: if r.port == Port::REGISTRAR_TCP.get() { Transport::Tcp } else { Transport::Tls },
        addresses: r.addresses,
        tls: app.ca.client_config(),
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
    let mut report = synthetic::run(plan, progress).await;
    report.warnings.splice(0..0, r.warnings.into_iter().map(|w| w.text));
    let mut run = match keeper.await {
        Ok(run) => run,
        Err(e) => {
            tracing::error!(cause = %e, "a test run's steps were lost");
            return false;
        }
    };
    run.summary.state = if report.result == Outcome::Success { "success" } else { "failure" }.to_owned();
    run.summary.latency_us = (report.result == Outcome::Success).then_some(report.latency_us);
    run.summary.verdict = verdict(&report);
    run.steps.clone_from(&report.steps);
    run.printed = Some(report.print());
    run.report = Some(report);
    save(&app, &run);
    app.bus.send(Topic::Pool, run.summary.pool.as_ref().map_or("", |p| p.as_str()));
    run.summary.latency_us.is_some()
}

/// The contact of the pool that was named, so that a named pool is what is tested.
fn pool_contact(app: &App, r: &Resolved) -> Option<String> {
    let pool = r.pool.as_ref()?;
    let d = app.deployment.borrow().clone();
    d.pools.iter().find(|p| p.fqdn == *pool).map(|p| p.lookup_uri.to_string())
}

fn verdict(r: &shared::synthetic::TestReport) -> String {
    match (&r.result, &r.diagnosis) {
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
