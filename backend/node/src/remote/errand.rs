//! A test message that a node runs for the portal, from its own place in the network.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use shared::synthetic::{StepRecord, TestReport};
use shared::trace::TestTrace;

/// The first version of the protocol in which nodes run test messages.
pub const ERRANDS: u32 = 2;

/// A user of the test. His password is on the node for this run only: never on its disk.
#[derive(Clone, Serialize, Deserialize)]
pub struct ErrandUser {
    /// SIP address.
    pub sip_uri: String,
    /// Log-on name.
    pub logon: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for ErrandUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrandUser").field("sip_uri", &self.sip_uri).finish_non_exhaustive()
    }
}

/// What the node is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Errand {
    /// Id of the run.
    pub run: String,
    /// Target as typed.
    pub target: String,
    /// Registrar's name.
    pub registrar: String,
    /// Its port.
    pub port: u16,
    /// TLS, or plain TCP.
    pub tls: bool,
    /// Its addresses as far as the topology knows them; the node asks its own DNS when there are none.
    pub addresses: Vec<SocketAddr>,
    /// Sends first.
    pub sender: ErrandUser,
    /// Answers.
    pub receiver: ErrandUser,
    /// Room.
    pub room: Option<String>,
    /// Lookup address of the pool.
    pub pool_uri: Option<String>,
    /// Milliseconds that a phase may take.
    pub phase_ms: u64,
    /// Milliseconds that the run may take.
    pub total_ms: u64,
    /// Milliseconds that leaving and signing off may take.
    pub clean_up_ms: u64,
    /// Random text of the messages.
    pub nonce: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// Authorities that were added at the portal, DER in hexadecimal; the node trusts those of its own host
    /// as well.
    pub authorities: Vec<String>,
}

/// What the node tells of a run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A step has ended.
    Step(StepRecord),
    /// The run has ended.
    Ended(Box<(TestReport, TestTrace)>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_of_an_errand_has_no_password() {
        let user = ErrandUser {
            sip_uri: "sip:pilar@litwareinc.com".to_owned(),
            logon: "litwareinc\\pilar".to_owned(),
            password: "07Apples".to_owned(),
        };
        let shown = format!("{user:?}");
        assert!(shown.contains("pilar@") && !shown.contains("07Apples"), "{shown}");
        let sent = serde_json::to_string(&user).unwrap();
        assert!(sent.contains("07Apples"), "the node needs it: {sent}");
    }
}
