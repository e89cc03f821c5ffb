//! One user. What stands – registration, dialogs, the joined room – is always noted here before the next
//! await, so that a run that is cut off anywhere can still be cleaned up.

mod dialog;
mod leave;
pub mod ntlm;
mod registration;
mod room;
mod service;

use shared::synthetic::{Hop, Phase};
use tokio::time::Instant;
use wire::sip::{Request, Response};

use crate::cause::Failure;
use crate::connection::Connection;
use crate::{Account, TestPlan, Transport};
use dialog::Dialog;

/// Envelope numbers begin here; only their being different counts.
const ENVELOPES: u64 = 4000;

/// Whether the registrar has the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Registered {
    /// It has not, or has refused.
    No,
    /// A REGISTER is under way, its answer did not come yet.
    Asked,
    /// It has.
    Yes,
}

/// One signed-on user.
pub struct Client<'a> {
    plan: &'a TestPlan,
    account: &'a Account,
    label: &'static str,
    conn: Connection,
    counter: u32,
    register_call: String,
    register_cseq: u32,
    registered: Registered,
    /// Which spelling of the log-on name the password is hashed with; the one that went well is kept.
    spelling: usize,
    contact: String,
    /// Dialogs that were begun and not ended yet, by either side.
    dialogs: Vec<Dialog>,
    /// Call-ID of the channel's dialog.
    channel: Option<String>,
    /// The joined room's URI.
    room: Option<String>,
    /// Envelope of the last post.
    posted: Option<u64>,
    /// Path of the channel dialog.
    pub hops: Vec<Hop>,
}

type Done<T> = Result<T, Failure>;

impl<'a> Client<'a> {
    /// On an open connection.
    pub fn new(plan: &'a TestPlan, account: &'a Account, label: &'static str, conn: Connection) -> Self {
        let user = account.sip_uri.trim_start_matches("sip:").split('@').next().unwrap_or("user").to_owned();
        let via = if plan.transport == Transport::Tls { "tls" } else { "tcp" };
        let contact = format!("<sip:{user}@{};transport={via}>", conn.local);
        Self {
            register_call: format!("reg-{}-{label}", plan.seed),
            plan,
            account,
            label,
            conn,
            counter: 0,
            register_cseq: 0,
            registered: Registered::No,
            spelling: 0,
            contact,
            dialogs: Vec::new(),
            channel: None,
            room: None,
            posted: None,
            hops: Vec::new(),
        }
    }

    fn who(&self) -> &str {
        &self.account.sip_uri
    }

    /// When a phase that begins now ends.
    fn until(&self) -> Instant {
        Instant::now() + self.plan.phase_timeout
    }

    fn unique(&mut self) -> String {
        self.counter += 1;
        format!("{}{}{}", self.plan.seed, self.label, self.counter)
    }

    fn envelope(&mut self) -> u64 {
        self.counter += 1;
        ENVELOPES + u64::from(self.counter)
    }

    fn domain(&self) -> &str {
        self.account.sip_uri.split('@').nth(1).unwrap_or_default()
    }

    fn request(&mut self, method: &str, uri: &str, to: &str, tag: &str, call: &str, cseq: u32) -> Request {
        let mut r = Request::new(method, uri);
        let transport = if self.plan.transport == Transport::Tls { "TLS" } else { "TCP" };
        let branch = self.unique();
        r.headers.push("Via", format!("SIP/2.0/{transport} {};branch=z9hG4bK{branch}", self.conn.local));
        r.headers.push("Max-Forwards", "70");
        r.headers.push("From", format!("<{}>;tag={tag};epid={}", self.account.sip_uri, self.label));
        r.headers.push("To", to);
        r.headers.push("Call-ID", call);
        r.headers.push("CSeq", format!("{cseq} {method}"));
        r.headers.push("User-Agent", "Lifeguard test");
        r
    }

    /// Sends a request and waits for its final response.
    async fn exchange(&mut self, r: &Request, phase: Phase, until: Instant) -> Done<Response> {
        self.conn.queue(r);
        self.conn.expect(r, until, phase, &self.account.sip_uri).await
    }
}
