//! The run: both users through the phases, the pair of messages, and the clean-up in any case.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use shared::synthetic::{Hop, Outcome, Phase, Role, StepRecord, TestReport};
use shared::trace::TestTrace;

use crate::cause::Failure;
use crate::client::Client;
use crate::connect::{connect, resolve, secure};
use crate::record::{Recorder, micros};
use crate::trace::{Tap, Trace};
use crate::{Account, TestPlan, Transport};

fn said<T>(r: Result<T, Failure>, text: impl FnOnce(&T) -> String) -> Result<(T, String), Failure> {
    r.map(|v| {
        let t = text(&v);
        (v, t)
    })
}

async fn said_text(work: impl Future<Output = Result<String, Failure>>) -> Result<((), String), Failure> {
    work.await.map(|t| ((), t))
}

/// Signs a user on, up to the open channel. The client is left in `slot` even when a phase fails,
/// so that it can be signed off.
async fn sign_on<'a>(
    p: &'a TestPlan,
    account: &'a Account,
    role: Role,
    addresses: &[SocketAddr],
    rec: &Recorder<'_>,
    tap: Tap,
    slot: &mut Option<Client<'a>>,
) -> Result<(), Failure> {
    let label = if role == Role::Sender { "s" } else { "r" };
    let limit = p.phase_timeout;
    let tcp = rec
        .step(role, Phase::Connect, async {
            said(connect(addresses, limit).await, |s| {
                s.peer_addr().map_or_else(|e| e.to_string(), |a| format!("connected to {a}"))
            })
        })
        .await?;
    let mut conn = match p.transport {
        Transport::Tls => {
            rec.step(role, Phase::Tls, async {
                said(secure(p, tcp, limit).await, |_| format!("certificate of {} accepted", p.registrar_host))
            })
            .await?
        }
        Transport::Tcp => secure(p, tcp, limit).await?,
    };
    conn.note_with(tap);
    let client = slot.insert(Client::new(p, account, label, conn));
    rec.step(role, Phase::SignIn, said_text(client.sign_in())).await?;
    let lookup = rec.step(role, Phase::Policy, client.policy()).await?;
    let channel = rec.step(role, Phase::Lookup, client.lookup(&lookup)).await?;
    rec.step(role, Phase::Channel, said_text(client.open_channel(&channel))).await
}

struct Exchanged {
    latency_us: u64,
    room: String,
}

/// `to` receives while `from` reads on as well: a session that the service ends there is noticed at once.
async fn receive(
    to: &mut Client<'_>,
    from: &mut Client<'_>,
    author: &str,
    (text, nonce): (&str, &str),
) -> Result<((), String), Failure> {
    tokio::select! {
        biased;
        received = said_text(to.receive(author, text, nonce)) => received,
        why = from.watch() => Err(why),
    }
}

async fn exchange(
    p: &TestPlan,
    rec: &Recorder<'_>,
    s: &mut Client<'_>,
    r: &mut Client<'_>,
) -> Result<Exchanged, Failure> {
    let room = rec.step(Role::Sender, Phase::Join, s.find_and_join()).await?;
    rec.step(Role::Receiver, Phase::Join, said_text(r.join(&room))).await?;
    let (one, two) = (format!("{} 1/2", p.nonce), format!("{} 2/2", p.nonce));
    let first_send = Instant::now();
    rec.step(Role::Sender, Phase::Send, said_text(s.post(&one, &p.started_at))).await?;
    rec.step(Role::Receiver, Phase::Receive, receive(r, s, &p.sender.sip_uri, (&one, &p.nonce))).await?;
    rec.step(Role::Receiver, Phase::Send, said_text(r.post(&two, &p.started_at))).await?;
    rec.step(Role::Sender, Phase::Receive, receive(s, r, &p.receiver.sip_uri, (&two, &p.nonce))).await?;
    Ok(Exchanged { latency_us: micros(first_send.elapsed()), room })
}

/// Leaves and signs off whatever stands, in `limit` at most; what failed becomes a warning.
async fn clean_up(
    role: Role,
    account: &Account,
    rec: &Recorder<'_>,
    client: &mut Option<Client<'_>>,
    limit: Duration,
) -> Vec<String> {
    let Some(c) = client else { return Vec::new() };
    let mut warnings = Vec::new();
    if c.is_cut_off() {
        if c.may_be_registered() {
            warnings.push(format!(
                "{} could not be signed off: its connection had ended. The server forgets it by itself.",
                account.sip_uri
            ));
        }
        return warnings;
    }
    let begin = tokio::time::Instant::now();
    // Leaving may not use up the time in which the user is signed off.
    if c.has_session()
        && let Err(f) = rec.step(role, Phase::Leave, said_text(c.leave(begin + limit * 2 / 3))).await
    {
        warnings.push(format!("Leaving the room failed: {}", f.message));
    }
    if c.may_be_registered()
        && let Err(f) = rec.step(role, Phase::SignOff, said_text(c.sign_off(begin + limit))).await
    {
        warnings.push(format!("Signing off failed: {}", f.message));
    }
    c.close(begin + limit).await;
    warnings
}

/// Runs a test; `progress` is told each step as it ends.
///
/// The future is to be awaited to its end: dropped before, it leaves the users signed on until the server
/// notices that their connections are gone. [`run_until`] stops a run in order.
pub async fn run(p: TestPlan, progress: impl Fn(StepRecord) + Send + Sync) -> TestReport {
    run_until(p, progress, std::future::pending()).await
}

/// Runs a test until `stop` is ready. A run that is stopped, or whose total time is used up, reports the
/// step that was under way as the failed one; users are signed off in any case.
pub async fn run_until(
    p: TestPlan,
    progress: impl Fn(StepRecord) + Send + Sync,
    stop: impl Future<Output = ()>,
) -> TestReport {
    run_traced(p, progress, stop).await.0
}

/// The same, with the messages of the run; what is secret in them is blanked.
pub async fn run_traced(
    p: TestPlan,
    progress: impl Fn(StepRecord) + Send + Sync,
    stop: impl Future<Output = ()>,
) -> (TestReport, TestTrace) {
    let rec = Recorder::new(&progress);
    let trace = Trace::new(vec![p.sender.password.clone(), p.receiver.password.clone()], &p.nonce);
    let (mut sender, mut receiver) = (None, None);
    let who = |role: Role| match role {
        Role::Sender => p.sender.sip_uri.as_str(),
        Role::Receiver => p.receiver.sip_uri.as_str(),
    };
    let work = async {
        let addresses = rec.step(Role::Sender, Phase::Resolve, resolve(&p)).await?;
        let (a, b) = tokio::join!(
            sign_on(&p, &p.sender, Role::Sender, &addresses, &rec, trace.tap(Role::Sender), &mut sender),
            sign_on(
                &p,
                &p.receiver,
                Role::Receiver,
                &addresses,
                &rec,
                trace.tap(Role::Receiver),
                &mut receiver
            )
        );
        a.and(b)?;
        match (&mut sender, &mut receiver) {
            (Some(s), Some(r)) => exchange(&p, &rec, s, r).await,
            _ => Err(Failure::timeout(Phase::Connect, &p.registrar_host)),
        }
    };
    // The work is dropped at the end of this statement, whoever was first.
    let ended = tokio::select! {
        biased;
        result = work => Ok(result),
        () = stop => Err(false),
        () = tokio::time::sleep(p.total_timeout) => Err(true),
    };
    let result = ended.unwrap_or_else(|late| {
        let failure = |role: Role, phase: Phase| {
            if late {
                Failure::out_of_time(phase, who(role), p.total_timeout)
            } else {
                Failure::cancelled(phase, who(role))
            }
        };
        Err(rec.cut_off(failure).unwrap_or_else(|| failure(Role::Sender, Phase::Resolve)))
    });
    let hops: Vec<Hop> = sender.as_ref().map(|c: &Client<'_>| c.hops.clone()).unwrap_or_default();
    let limit = p.clean_up_timeout;
    let (mut warnings, more) = tokio::join!(
        clean_up(Role::Sender, &p.sender, &rec, &mut sender, limit),
        clean_up(Role::Receiver, &p.receiver, &rec, &mut receiver, limit)
    );
    warnings.extend(more);
    let total_us = micros(rec.elapsed());
    let mut report = TestReport {
        target_fqdn: p.target_fqdn.clone(),
        result: Outcome::Success,
        latency_us: 0,
        error_message: String::new(),
        diagnosis: None,
        warnings,
        steps: rec.into_steps(),
        hops,
        room: p.room.clone(),
        sender: p.sender.sip_uri.clone(),
        receiver: p.receiver.sip_uri.clone(),
        started_at: p.started_at.clone(),
        total_us,
    };
    match result {
        Ok(x) => {
            report.latency_us = x.latency_us;
            report.room = Some(x.room);
        }
        Err(f) => {
            report.result = Outcome::Failure;
            report.diagnosis = Some(f.diagnosis());
            report.error_message = f.message;
        }
    }
    let (messages, left_out) = trace.take();
    let (sender, receiver) = (report.sender.clone(), report.receiver.clone());
    (report, TestTrace { sender, receiver, messages, left_out })
}
