//! The test transaction: two real SIP clients sign on, join a room, exchange a pair of messages, leave
//! and sign off. Nothing is simulated. Source: S2, `reference/protocol/xccos.md` §11.

mod cause;
mod client;
mod connect;
mod connection;
mod record;
mod run;
mod texts;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use run::{run, run_traced, run_until};

/// How the registrar is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// SIP over TLS.
    Tls,
    /// SIP over TCP.
    Tcp,
}

/// How users prove who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authentication {
    /// With a password: NTLM where the registrar offers it, else Digest.
    #[default]
    Negotiate,
    /// Not at all: the connection's client certificate is a trusted server's.
    TrustedServer,
}

/// A user of the test.
#[derive(Clone)]
pub struct Account {
    /// `sip:user@domain`.
    pub sip_uri: String,
    /// `DOMAIN\user` or a plain name, as typed: so it is sent and printed. Registrars compare it without
    /// case.
    pub logon: String,
    /// Password; never logged.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("sip_uri", &self.sip_uri)
            .field("logon", &self.logon)
            .finish_non_exhaustive()
    }
}

/// What to do.
#[derive(Clone)]
pub struct TestPlan {
    /// Target as it is printed.
    pub target_fqdn: String,
    /// Registrar's name: SNI and certificate.
    pub registrar_host: String,
    /// Its port.
    pub port: u16,
    /// TLS or TCP.
    pub transport: Transport,
    /// Its addresses, when they are known without DNS, from the topology for example; the name is resolved
    /// when there are none.
    pub addresses: Vec<SocketAddr>,
    /// How users prove who they are.
    pub authentication: Authentication,
    /// Random and never sent: NTLM's nonces and keys are made from it.
    pub secret: [u8; 32],
    /// What certificates are checked against.
    pub tls: Arc<rustls::ClientConfig>,
    /// Sends first.
    pub sender: Account,
    /// Answers.
    pub receiver: Account,
    /// `pool\name`, a name, or `ma-chan://…`; the first room that is found when none.
    pub room: Option<String>,
    /// Lookup address of the pool to test; the provisioned default when none.
    pub pool_uri_hint: Option<String>,
    /// Longest time for a phase.
    pub phase_timeout: Duration,
    /// Longest time for the run, from resolving the name to the second receipt.
    pub total_timeout: Duration,
    /// Longest time for leaving and signing off; both users together, whatever is left to end.
    pub clean_up_timeout: Duration,
    /// Random text of the messages.
    pub nonce: String,
    /// Random text for tags, branches and client nonces.
    pub seed: String,
    /// RFC 3339 start.
    pub started_at: String,
}
