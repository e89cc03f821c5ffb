//! Test messages that nodes run: what the portal sends and waits for, and what the node does.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node::ca::LocalCa;
use node::remote::{ERRANDS, Errand, ErrandUser, ToNode, ToPortal, Told};
use rustls::pki_types::CertificateDer;
use shared::synthetic::{StepRecord, TestReport};
use shared::trace::TestTrace;
use synthetic::{Account, Authentication, TestPlan, Transport};
use tokio::sync::{Notify, mpsc};

use crate::app::App;
use crate::clock::{Entropy, SystemEntropy, random_bytes, random_hex};
use crate::running::Running;

/// How long a node that is away is waited for: after a restart of the portal, nodes come back one by one.
const RETURN: Duration = Duration::from_secs(12);
/// How much longer than the run may take its report may be under way.
const GRACE: Duration = Duration::from_secs(10);

/// A link that takes errands.
#[derive(Clone)]
pub(super) struct Way {
    pub link: u64,
    pub version: u32,
    pub out: mpsc::Sender<ToNode>,
}

struct Waiting {
    link: u64,
    to: mpsc::UnboundedSender<Told>,
}

/// Runs that nodes have in hand, at the portal.
#[derive(Default)]
pub struct Errands {
    runs: Mutex<HashMap<String, Waiting>>,
}

impl Errands {
    fn runs(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node tells something; only the link that the run went over is believed.
    pub(super) fn told(&self, link: u64, run: &str, what: Told) {
        if let Some(w) = self.runs().get(run).filter(|w| w.link == link) {
            // Nobody waits any more for a run that was given up.
            let _ = w.to.send(what);
        }
    }

    /// A link has ended, and with it what was under way over it.
    pub(super) fn lost(&self, link: u64) {
        self.runs().retain(|_, w| w.link != link);
    }
}

/// Addresses as they make sense at the node: those of the portal's own loopback only on the same machine.
fn seen_from(addresses: &[SocketAddr], node: SocketAddr) -> Vec<SocketAddr> {
    addresses.iter().copied().filter(|a| !a.ip().is_loopback() || node.ip().is_loopback()).collect()
}

/// Has `name` run the test; progress as if it ran here. A run that the node could not bring to its end is not
/// run elsewhere.
///
/// # Errors
/// Why the node did not do it.
pub async fn run(
    app: &App,
    (name, id): (&str, &str),
    plan: &TestPlan,
    added: &[CertificateDer<'static>],
    progress: impl Fn(StepRecord),
    stop: &Notify,
) -> Result<(TestReport, TestTrace), String> {
    let gone = || super::gone(&app.store, name);
    let mut changes = app.nodes.watch();
    let back = async { while app.nodes.way(name).is_none() && changes.changed().await.is_ok() {} };
    // Time up or stopped: it is not there, and that is said below.
    tokio::select! {
        _ = tokio::time::timeout(RETURN, back) => {}
        () = stop.notified() => {}
    }
    let (Some(way), Some(connected)) = (app.nodes.way(name), app.nodes.connected(name)) else {
        return Err(gone());
    };
    if way.version < ERRANDS {
        return Err(format!(
            "Node {name} runs an older version, which cannot send test messages. Update it."
        ));
    }
    let user = |a: &Account| ErrandUser {
        sip_uri: a.sip_uri.clone(),
        logon: a.logon.clone(),
        password: a.password.clone(),
    };
    let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let errand = Errand {
        run: id.to_owned(),
        target: plan.target_fqdn.clone(),
        registrar: plan.registrar_host.clone(),
        port: plan.port,
        tls: plan.transport == Transport::Tls,
        addresses: seen_from(&plan.addresses, connected.remote),
        sender: user(&plan.sender),
        receiver: user(&plan.receiver),
        room: plan.room.clone(),
        pool_uri: plan.pool_uri_hint.clone(),
        phase_ms: ms(plan.phase_timeout),
        total_ms: ms(plan.total_timeout),
        clean_up_ms: ms(plan.clean_up_timeout),
        nonce: plan.nonce.clone(),
        started_at: plan.started_at.clone(),
        authorities: added.iter().map(hex::encode).collect(),
    };
    let (to, mut told) = mpsc::unbounded_channel();
    let errands = &app.nodes.errands;
    errands.runs().insert(id.to_owned(), Waiting { link: way.link, to });
    let limit = plan.total_timeout + plan.clean_up_timeout + GRACE;
    let work = async {
        if way.out.send(ToNode::Test(Box::new(errand))).await.is_err() {
            return Err(gone());
        }
        let mut stopped = false;
        loop {
            let next = tokio::select! {
                t = told.recv() => t,
                () = stop.notified(), if !stopped => {
                    stopped = true;
                    let ask = ToNode::StopTest { run: id.to_owned() };
                    if way.out.send(ask).await.is_err() {
                        return Err(gone());
                    }
                    continue;
                }
            };
            match next {
                Some(Told::Step(step)) => progress(step),
                Some(Told::Ended(ended)) => return Ok(*ended),
                None => return Err(format!("The connection to node {name} ended during the run.")),
            }
        }
    };
    let late = || Err(format!("Node {name} did not report the end of the run in time."));
    let result = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| late());
    errands.runs().remove(id);
    result
}

/// Runs on the node itself.
#[derive(Default)]
pub(super) struct Here {
    running: Running,
    ids: Mutex<Vec<String>>,
}

impl Here {
    fn ids(&self) -> MutexGuard<'_, Vec<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops one; it signs its users off and reports.
    pub fn stop(&self, run: &str) {
        self.running.stop(run);
    }

    /// Stops all: nobody waits for their reports any more.
    pub fn stop_all(&self) {
        for id in self.ids().iter() {
            self.running.stop(id);
        }
    }

    /// Carries an errand out and tells over `link`.
    pub async fn carry_out(self: Arc<Self>, ca: Arc<LocalCa>, e: Errand, link: mpsc::Sender<ToPortal>) {
        let run = e.run.clone();
        let stop = self.running.begin(&run);
        self.ids().push(run.clone());
        let (steps, mut done) = mpsc::unbounded_channel();
        let tell = |what: Told| link.send(ToPortal::Test { run: run.clone(), what });
        let plan = plan(&ca, e, &SystemEntropy);
        let work = async {
            // The channel closes with the run.
            let steps = steps;
            let progress = move |s: StepRecord| drop(steps.send(s));
            synthetic::run_traced(plan, progress, stop.notified()).await
        };
        let forward = async {
            while let Some(s) = done.recv().await {
                if tell(Told::Step(s)).await.is_err() {
                    stop.notify_one();
                }
            }
        };
        let (ended, ()) = tokio::join!(work, forward);
        self.running.end(&run);
        self.ids().retain(|id| *id != run);
        // A portal that is gone has given the run up.
        let _ = tell(Told::Ended(Box::new(ended))).await;
    }
}

fn plan(ca: &LocalCa, e: Errand, entropy: &dyn Entropy) -> TestPlan {
    let account = |u: ErrandUser| Account { sip_uri: u.sip_uri, logon: u.logon, password: u.password };
    let added = e.authorities.iter().filter_map(|h| hex::decode(h).ok()).map(CertificateDer::from).collect();
    let tls = crate::trust::settings(ca, added, None).unwrap_or_else(|error| {
        tracing::error!(cause = %error, "the authorities for a test message could not be used");
        ca.client_config()
    });
    TestPlan {
        target_fqdn: e.target,
        registrar_host: e.registrar,
        port: e.port,
        transport: if e.tls { Transport::Tls } else { Transport::Tcp },
        addresses: e.addresses,
        authentication: Authentication::Negotiate,
        secret: random_bytes(entropy),
        tls,
        sender: account(e.sender),
        receiver: account(e.receiver),
        room: e.room,
        pool_uri_hint: e.pool_uri,
        phase_timeout: Duration::from_millis(e.phase_ms),
        total_timeout: Duration::from_millis(e.total_ms),
        clean_up_timeout: Duration::from_millis(e.clean_up_ms),
        nonce: e.nonce,
        seed: random_hex(entropy, 8),
        started_at: e.started_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_own_loopback_is_of_no_use_elsewhere() {
        let at = |t: &str| t.parse::<SocketAddr>().unwrap();
        let known = [at("127.16.0.2:5061"), at("10.0.0.7:5061")];
        assert_eq!(seen_from(&known, at("127.1.2.3:50000")), known);
        assert_eq!(seen_from(&known, at("10.0.0.9:50000")), [known[1]]);
    }

    #[test]
    fn only_the_link_of_a_run_is_believed_and_its_end_is_the_runs() {
        let e = Errands::default();
        let (to, mut told) = mpsc::unbounded_channel();
        e.runs().insert("r".to_owned(), Waiting { link: 7, to });
        let step = || {
            Told::Step(StepRecord {
                role: shared::synthetic::Role::Sender,
                phase: shared::synthetic::Phase::Connect,
                started_us: 0,
                duration_us: 1,
                ok: true,
                detail: String::new(),
            })
        };
        e.told(8, "r", step());
        e.told(7, "other", step());
        assert!(told.try_recv().is_err());
        e.told(7, "r", step());
        assert!(told.try_recv().is_ok());
        e.lost(7);
        assert!(told.blocking_recv().is_none());
    }
}
