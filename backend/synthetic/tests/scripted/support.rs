//! What the tests share: a plan, and what they look for in a report.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::synthetic::{CauseCode, Phase, Role, StepRecord, TestReport};
use synthetic::{Account, TestPlan, Transport};

use crate::peer::{Answer, Heard, PASSWORD, Peer, RECEIVER, SENDER};

/// Long enough for a peer on this computer to answer what it wants to answer.
pub const SHORT: Duration = Duration::from_secs(1);

pub fn usual(_: &Heard<'_>) -> Answer {
    Answer::Usual
}

pub fn cause(r: &TestReport) -> Option<CauseCode> {
    r.diagnosis.as_ref().map(|d| d.cause)
}

pub fn failed(r: &TestReport) -> Vec<(Role, Phase)> {
    r.steps.iter().filter(|s| !s.ok).map(|s| (s.role, s.phase)).collect()
}

pub fn step(r: &TestReport, role: Role, phase: Phase) -> StepRecord {
    r.steps.iter().find(|s| s.role == role && s.phase == phase).unwrap().clone()
}

/// Every dialog was ended by one side, and who was signed in was signed off.
pub fn nothing_is_left(name: &str, peer: &Peer, users: &[&str]) {
    assert_eq!(peer.left_open(), Vec::<String>::new(), "{name}: dialogs are left open");
    for user in users {
        assert!(peer.signed_off(user), "{name}: {user} was not signed off: {:?}", peer.heard(user));
    }
}

/// A script that differs in one request of the sender.
macro_rules! sender {
    ($what:literal => $answer:expr) => {
        |h| {
            if h.user == $crate::peer::SENDER && h.what == $what {
                $answer
            } else {
                $crate::peer::Answer::Usual
            }
        }
    };
}
pub(crate) use sender;

/// A plan against `at`, with plain TCP and time-outs that fit a peer on the same computer.
pub fn plan(at: SocketAddr) -> TestPlan {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let account = |sip: &str, logon: &str| Account {
        sip_uri: sip.to_owned(),
        logon: logon.to_owned(),
        password: PASSWORD.to_owned(),
    };
    TestPlan {
        target_fqdn: "atl-cs-001.litwareinc.com".to_owned(),
        registrar_host: "fe.litware.test".to_owned(),
        port: at.port(),
        transport: Transport::Tcp,
        addresses: vec![at],
        authentication: synthetic::Authentication::default(),
        secret: [7; 32],
        tls: Arc::new(tls),
        sender: account(SENDER, "litware\\pilar"),
        receiver: account(RECEIVER, "litware\\kenmyer"),
        room: None,
        pool_uri_hint: None,
        phase_timeout: Duration::from_secs(20),
        total_timeout: Duration::from_secs(60),
        clean_up_timeout: Duration::from_secs(20),
        nonce: "synthetic 7c1e".to_owned(),
        seed: "5eed".to_owned(),
        started_at: "2026-11-21T09:00:00Z".to_owned(),
    }
}
