//! The run: both users through the phases, the pair of messages, and the clean-up in any case.

use std::future::Future;
use std::sync::Mutex;
use std::time::Instant;

use shared::synthetic::{Hop, Outcome, Phase, Role, StepRecord, TestReport};

use crate::cause::Failure;
use crate::client::Client;
use crate::connection::{connect, secure};
use crate::{Account, TestPlan, Transport};

/// Records steps.
struct Recorder<'a> {
    zero: Instant,
    steps: Mutex<Vec<StepRecord>>,
    progress: &'a (dyn Fn(StepRecord) + Send + Sync),
}

fn micros(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

impl Recorder<'_> {
    /// Runs a phase and records it.
    async fn step<T>(
        &self,
        role: Role,
        phase: Phase,
        work: impl Future<Output = Result<(T, String), Failure>>,
    ) -> Result<T, Failure> {
        let started = self.zero.elapsed();
        let result = work.await;
        let (ok, detail) = match &result {
            Ok((_, d)) => (true, d.clone()),
            Err(f) => (false, f.seen.clone()),
        };
        let duration = self.zero.elapsed().saturating_sub(started);
        let record = StepRecord {
            role,
            phase,
            started_us: micros(started),
            duration_us: micros(duration),
            ok,
            detail,
        };
        self.steps.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(record.clone());
        (self.progress)(record);
        result.map(|r| r.0)
    }
}

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
    rec: &Recorder<'_>,
    slot: &mut Option<Client<'a>>,
) -> Result<(), Failure> {
    let label = if role == Role::Sender { "s" } else { "r" };
    let limit = p.phase_timeout;
    let tcp = rec
        .step(role, Phase::Connect, async {
            said(connect(p, limit).await, |s| {
                s.peer_addr().map_or_else(|e| e.to_string(), |a| format!("connected to {a}"))
            })
        })
        .await?;
    let conn = match p.transport {
        Transport::Tls => {
            rec.step(role, Phase::Tls, async {
                said(secure(p, tcp, limit).await, |_| format!("certificate of {} accepted", p.registrar_host))
            })
            .await?
        }
        Transport::Tcp => secure(p, tcp, limit).await?,
    };
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

async fn exchange(
    p: &TestPlan,
    rec: &Recorder<'_>,
    s: &mut Client<'_>,
    r: &mut Client<'_>,
) -> Result<Exchanged, Failure> {
    let room = rec.step(Role::Sender, Phase::Join, async {
        let room = s.find_room().await?;
        let text = s.join(&room).await?;
        Ok((room, text))
    });
    let room = room.await?;
    rec.step(Role::Receiver, Phase::Join, said_text(r.join(&room))).await?;
    let (one, two) = (format!("{} 1/2", p.nonce), format!("{} 2/2", p.nonce));
    let first_send = Instant::now();
    rec.step(Role::Sender, Phase::Send, said_text(s.post(&one, &p.started_at))).await?;
    rec.step(Role::Receiver, Phase::Receive, said_text(r.receive(&p.sender.sip_uri, &one, &one))).await?;
    rec.step(Role::Receiver, Phase::Send, said_text(r.post(&two, &p.started_at))).await?;
    rec.step(Role::Sender, Phase::Receive, said_text(s.receive(&p.receiver.sip_uri, &two, &two))).await?;
    Ok(Exchanged { latency_us: micros(first_send.elapsed()), room })
}

/// Leaves and signs off whatever stands; what failed becomes a warning.
async fn clean_up(role: Role, rec: &Recorder<'_>, client: &mut Option<Client<'_>>) -> Vec<String> {
    let Some(c) = client else { return Vec::new() };
    let mut warnings = Vec::new();
    if c.has_session()
        && let Err(f) = rec.step(role, Phase::Leave, said_text(c.leave())).await
    {
        warnings.push(format!("Leaving the room failed: {}", f.message));
    }
    if c.is_registered()
        && let Err(f) = rec.step(role, Phase::SignOff, said_text(c.sign_off())).await
    {
        warnings.push(format!("Signing off failed: {}", f.message));
    }
    warnings
}

/// Runs a test; `progress` is told each step as it ends.
pub async fn run(p: TestPlan, progress: impl Fn(StepRecord) + Send + Sync) -> TestReport {
    let rec = Recorder { zero: Instant::now(), steps: Mutex::default(), progress: &progress };
    let (mut sender, mut receiver) = (None, None);
    let work = async {
        let (a, b) = tokio::join!(
            sign_on(&p, &p.sender, Role::Sender, &rec, &mut sender),
            sign_on(&p, &p.receiver, Role::Receiver, &rec, &mut receiver)
        );
        a.and(b)?;
        match (&mut sender, &mut receiver) {
            (Some(s), Some(r)) => exchange(&p, &rec, s, r).await,
            _ => Err(Failure::timeout(Phase::Connect, &p.registrar_host)),
        }
    };
    let result = tokio::time::timeout(p.total_timeout, work)
        .await
        .unwrap_or_else(|_| Err(Failure::timeout(Phase::Receive, "The run")));
    let hops: Vec<Hop> = sender.as_ref().map(|c: &Client<'_>| c.hops.clone()).unwrap_or_default();
    let mut warnings = clean_up(Role::Sender, &rec, &mut sender).await;
    warnings.extend(clean_up(Role::Receiver, &rec, &mut receiver).await);
    let total_us = micros(rec.zero.elapsed());
    let steps = rec.steps.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut report = TestReport {
        target_fqdn: p.target_fqdn.clone(),
        result: Outcome::Success,
        latency_us: 0,
        error_message: String::new(),
        diagnosis: None,
        warnings,
        steps,
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
    report
}
