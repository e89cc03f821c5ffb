//! A Front End Server: registrar, provisioning and router between clients and chat servers.

mod registrar;
mod router;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rustls::ClientConfig;
use shared::deployment::{ChatPoolHost, Deployment};
use shared::{Fqdn, ObjectId};
use tokio::sync::watch;
use wire::provisioning::{self, PersistentChatProvisioning};
use wire::sip::{Message, Request, Response};

use crate::connection::{Handler, Peer};
use crate::nonce::Nonces;
use crate::traits::Directory;

/// A signed-in connection.
#[derive(Clone)]
struct Bound {
    aor: String,
}

/// A dialog between a client and a chat server.
#[derive(Clone)]
struct Route {
    client: Peer,
    server: Peer,
    /// From and To of the INVITE, for ending the dialog when the client is gone.
    from: String,
    to: String,
    target: String,
    user: String,
    /// The INVITE until it is answered, so that it can be answered when the server is gone.
    invite: Option<Request>,
}

#[derive(Default)]
struct State {
    /// Accepted connections by number, and whether it is another Front End.
    accepted: HashMap<u64, (Peer, bool)>,
    /// Signed-in connections by number.
    bound: HashMap<u64, Bound>,
    /// Dialogs by Call-ID.
    dialogs: HashMap<String, Route>,
    /// Connections to chat servers and other Front Ends by number; two may be opened to one server at the same moment.
    upstream: HashMap<u64, (Fqdn, Peer)>,
}

/// The server.
pub struct FrontEnd {
    pool: ObjectId,
    name: Fqdn,
    deployment: watch::Receiver<Arc<Deployment>>,
    directory: Arc<dyn Directory>,
    upstream_tls: Arc<ClientConfig>,
    nonces: Nonces,
    state: Mutex<State>,
    counter: AtomicU64,
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
        deployment: watch::Receiver<Arc<Deployment>>,
        directory: Arc<dyn Directory>,
        upstream_tls: Arc<ClientConfig>,
        changed: Arc<tokio::sync::Notify>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            pool,
            name,
            deployment,
            directory,
            upstream_tls,
            nonces: Nonces::new(),
            state: Mutex::default(),
            counter: AtomicU64::new(1),
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

    fn is_front_end(&self, peer: &Peer) -> bool {
        self.state().accepted.get(&peer.id).is_some_and(|(_, trusted)| *trusted)
    }

    fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    async fn request(&self, peer: &Peer, mut r: Request) {
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
            peer.send(&Message::Response(reply));
        }
    }

    /// In-band provisioning: the policy and the pool of the user (xccos.md §1).
    async fn subscribe(&self, peer: &Peer, r: &Request) -> Response {
        let Some(bound) = self.state().bound.get(&peer.id).cloned() else {
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
                Some(u) => self.directory.user_by_aor(&u).await.ok().flatten(),
                None => None,
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
        let d = self.deployment();
        let mut servers = d.front_ends.iter().flat_map(|f| &f.servers);
        let trusted = servers.any(|s| names.iter().any(|n| n == s.fqdn.as_str()));
        self.state().accepted.insert(peer.id, (peer.clone(), trusted));
        true
    }

    async fn message(&self, peer: &Peer, message: Message) {
        let upstream = self.state().upstream.contains_key(&peer.id);
        match message {
            Message::Request(r) if upstream => self.to_client(peer, r),
            Message::Request(r) => self.request(peer, r).await,
            Message::Response(r) => self.response(r),
        }
    }

    async fn closed(&self, peer: &Peer) {
        self.connection_ended(peer);
        self.changed.notify_one();
    }
}
