//! A Front End Server: registrar, provisioning and router between clients and chat servers.

mod dialogs;
mod ends;
mod guesses;
mod registrar;
mod router;
mod upstream;
mod watch;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use ring::hmac;
use rustls::ClientConfig;
use shared::deployment::{ChatPoolHost, Deployment};
use shared::{Fqdn, ObjectId};
use tokio::sync::watch as channel;
use tokio::task::JoinSet;
use wire::check;
use wire::provisioning::{self, PersistentChatProvisioning};
use wire::sip::{Message, Request, Response};

use crate::connection::{Handler, Peer};
use crate::nonce::Nonces;
use crate::traits::Directory;
use dialogs::Dialogs;
use guesses::Guesses;
use upstream::Upstream;

/// Longest head of a client's message. What the way to the chat server adds must still fit there.
const CLIENT_HEAD: usize = 16 * 1024;
/// Longest body of anything but an INFO, and of what comes before signing in.
const SMALL_BODY: usize = 16 * 1024;
/// Most bytes kept of an incomplete message before signing in: a head, a small body and what was read with them.
const STRANGER: usize = wire::stream::MAX_HEAD + 2 * SMALL_BODY;

/// An accepted connection.
struct Client {
    peer: Peer,
    /// Names of its certificate.
    names: Vec<String>,
    /// It is another Front End.
    trusted: bool,
    /// Since when nobody is signed in on it.
    since: Instant,
}

/// A signed-in connection.
#[derive(Clone)]
struct Bound {
    aor: String,
    until: Instant,
}

#[derive(Default)]
struct State {
    /// The server ends: no new connections, no new dialogs.
    stopped: bool,
    /// Accepted connections by number.
    accepted: HashMap<u64, Client>,
    /// Signed-in connections by number.
    bound: HashMap<u64, Bound>,
    /// Dialogs by Call-ID and client.
    dialogs: Dialogs,
    /// Call-IDs and users of INVITEs for which a server is being looked for.
    inviting: HashMap<String, String>,
    /// Connections to chat servers and other Front Ends by number; two may be opened to one server at the same moment.
    upstream: HashMap<u64, Upstream>,
    /// Servers that did not answer, and when.
    failed: HashMap<(Fqdn, u16), Instant>,
}

/// The server.
pub struct FrontEnd {
    pool: ObjectId,
    name: Fqdn,
    deployment: channel::Receiver<Arc<Deployment>>,
    directory: Arc<dyn Directory>,
    upstream_tls: Arc<ClientConfig>,
    nonces: Nonces,
    guesses: Guesses,
    /// Seals the branches of our Vias.
    key: hmac::Key,
    state: Mutex<State>,
    /// Tasks of the upstream connections; they end with the server.
    links: Mutex<JoinSet<()>>,
    counter: AtomicU64,
    /// Sessions begun, so that they go around the servers of a pool.
    begun: std::sync::atomic::AtomicUsize,
    /// Told when the number of sessions moves.
    changed: Arc<tokio::sync::Notify>,
    /// Itself, for connections it opens.
    this: std::sync::Weak<FrontEnd>,
}

/// Answers with diagnostics as Lync does.
fn refuse(r: &Request, status: u16, reason: &str, code: &str, text: &str) -> Response {
    let mut out = Response::reply_to(r, status, reason).with_to_tag("fe");
    out.headers.push("ms-diagnostics", format!("{code};reason=\"{text}\""));
    out
}

impl FrontEnd {
    /// A server of the pool `pool` named `name`.
    pub fn new(
        pool: ObjectId,
        name: Fqdn,
        deployment: channel::Receiver<Arc<Deployment>>,
        directory: Arc<dyn Directory>,
        upstream_tls: Arc<ClientConfig>,
        changed: Arc<tokio::sync::Notify>,
    ) -> Arc<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
            .expect("a machine without a random number generator cannot run a secure service");
        Arc::new_cyclic(|this| Self {
            pool,
            name,
            deployment,
            directory,
            upstream_tls,
            nonces: Nonces::new(),
            guesses: Guesses::default(),
            key,
            state: Mutex::default(),
            links: Mutex::default(),
            counter: AtomicU64::new(1),
            begun: std::sync::atomic::AtomicUsize::new(0),
            changed,
            this: this.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deployment(&self) -> Arc<Deployment> {
        self.deployment.borrow().clone()
    }

    /// Registered connections.
    pub fn sessions(&self) -> u32 {
        u32::try_from(self.state().bound.len()).unwrap_or(u32::MAX)
    }

    /// Who is signed in on the connection now.
    fn bound(&self, peer: &Peer) -> Option<Bound> {
        self.state().bound.get(&peer.id).filter(|b| b.until > Instant::now()).cloned()
    }

    fn is_front_end(&self, peer: &Peer) -> bool {
        self.state().accepted.get(&peer.id).is_some_and(|c| c.trusted)
    }

    fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    /// What of a client's request would harm the link that he shares with others, or comes before signing in.
    fn too_large(&self, peer: &Peer, r: &Request) -> Option<Response> {
        if self.is_front_end(peer) {
            return None;
        }
        if r.head_len() > CLIENT_HEAD {
            return Some(refuse(r, 513, "Message Too Large", "1000", "The headers are too large"));
        }
        let signed_in = self.state().bound.contains_key(&peer.id);
        if r.body.len() > SMALL_BODY && !(signed_in && r.method == "INFO") {
            return Some(refuse(r, 413, "Request Entity Too Large", "1000", "The body is too large"));
        }
        None
    }

    async fn request(&self, peer: &Peer, mut r: Request) {
        if let Some(no) = self.too_large(peer, &r) {
            if r.method != "ACK" {
                peer.send_or_close(&Message::Response(no));
            }
            return;
        }
        if let Some(no) = check::fault(&r) {
            if r.method != "ACK" {
                peer.send_or_close(&Message::Response(no));
            }
            return;
        }
        // An identity that a client asserts is not believed; another Front End has checked its own clients.
        if !self.is_front_end(peer) {
            r.headers.remove("P-Asserted-Identity");
        }
        let reply = match r.method.as_str() {
            "REGISTER" => Some(self.register(peer, &r).await),
            "ACK" => {
                self.to_server(peer, r).await;
                None
            }
            "OPTIONS" => {
                let mut ok = Response::reply_to(&r, 200, "OK").with_to_tag("fe");
                ok.headers
                    .push("Allow", "REGISTER, OPTIONS, SUBSCRIBE, INVITE, ACK, INFO, UPDATE, BYE, CANCEL");
                Some(ok)
            }
            "SUBSCRIBE" => Some(self.subscribe(peer, &r).await),
            "INVITE" | "INFO" | "BYE" | "CANCEL" | "UPDATE" => self.to_server(peer, r).await,
            _ => Some(refuse(&r, 501, "Not Implemented", "1000", "This method is not supported")),
        };
        if let Some(reply) = reply {
            peer.send_or_close(&Message::Response(reply));
        }
    }

    /// Whether a certificate with these names is that of another Front End.
    fn trusts(&self, names: &[String]) -> bool {
        let d = self.deployment();
        let mut servers = d.front_ends.iter().flat_map(|f| &f.servers);
        servers.any(|s| names.iter().any(|n| n == s.fqdn.as_str()))
    }

    /// In-band provisioning: the policy and the pool of the user (xccos.md §1).
    async fn subscribe(&self, peer: &Peer, r: &Request) -> Response {
        let Some(bound) = self.bound(peer) else {
            return refuse(r, 403, "Forbidden", "4001", "Sign in first");
        };
        let event = r.headers.get("Event").unwrap_or_default().trim().to_ascii_lowercase();
        if event != provisioning::EVENT {
            return refuse(r, 489, "Bad Event", "2", "Only in-band provisioning can be subscribed to");
        }
        let mut ok = Response::reply_to(r, 200, "OK").with_to_tag(&format!("p{}", self.next()));
        for (n, v) in [
            ("Event", provisioning::EVENT),
            ("Expires", "0"),
            ("ms-piggyback-cseq", "1"),
            ("subscription-state", "terminated;expires=0"),
        ] {
            ok.headers.push(n, v);
        }
        if provisioning::asks_for_persistent_chat(&r.body) {
            let user = shared::SipUri::try_from(bound.aor.as_str()).ok();
            let user = match user {
                Some(u) => self.directory.user_by_aor(&u).await,
                None => Ok(None),
            };
            let user = match user {
                Ok(u) => u,
                Err(e) => return refuse(r, 503, "Service Unavailable", "1019", &e.to_string()),
            };
            let d = self.deployment();
            let home = user.as_ref().map(|u| &u.home_front_end);
            let own: Vec<&ChatPoolHost> = d.pools.iter().collect();
            let default = home.and_then(|h| own.iter().find(|p| p.default_for_front_ends.contains(h)));
            let default = default.or_else(|| own.iter().find(|p| p.next_hop == self.pool));
            let answer = PersistentChatProvisioning {
                enabled: user.is_some_and(|u| u.chat_enabled),
                default_pool_uri: default.map(|p| p.lookup_uri.to_string()),
                web_manager_uri: default.and_then(|p| p.settings.room_management_url.clone()),
                pool_uris: own.iter().map(|p| p.lookup_uri.to_string()).collect(),
            };
            ok.set_body(provisioning::CONTENT_TYPE, answer.to_xml());
        }
        ok
    }
}

#[async_trait]
impl Handler for FrontEnd {
    fn accepted(&self, peer: &Peer, names: &[String]) -> bool {
        let trusted = self.trusts(names);
        if !trusted {
            peer.set_patience(STRANGER);
        } else {
            // Many users stand behind another Front End.
            peer.widen();
        }
        let mut state = self.state();
        let client = Client { peer: peer.clone(), names: names.to_vec(), trusted, since: Instant::now() };
        if !state.stopped {
            state.accepted.insert(peer.id, client);
        }
        !state.stopped
    }

    async fn message(&self, peer: &Peer, message: Message) {
        let upstream = self.state().upstream.contains_key(&peer.id);
        match message {
            Message::Request(r) if upstream => self.to_client(peer, r).await,
            Message::Request(r) => self.request(peer, r).await,
            Message::Response(r) => self.response(peer, r).await,
        }
    }

    async fn closed(&self, peer: &Peer) {
        self.connection_ended(peer);
        self.changed.notify_one();
    }
}
