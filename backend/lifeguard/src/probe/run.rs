//! One run, from its start to the report that is kept.

use std::sync::Arc;
use std::time::Duration;

use shared::Port;
use shared::api::{TestRun, TestSummary};
use shared::events::Topic;
use shared::synthetic::{CauseCode, Outcome, TestReport};
use store::management::{jobs, tests};
use synthetic::{TestPlan, Transport};
use tokio::sync::Notify;

use super::resolve::Resolved;
use crate::app::App;
use crate::clock::{new_id, random_bytes, random_hex};
use crate::door::Cx;

/// For leaving and signing off, however the test went.
const CLEAN_UP: Duration = Duration::from_secs(3);

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
    super::unknown::explain(&app, &mut report);
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
