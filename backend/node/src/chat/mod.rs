//! A Persistent Chat server: lookup and channel service behind mutual TLS.

mod commands;
mod deliver;
mod journal;
mod present;
mod replies;
mod session;
mod sweep;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shared::deployment::{ChatPoolHost, Deployment};
use shared::{Fqdn, ObjectId, SipUri};
use tokio::sync::{mpsc, watch};
use wire::sip::{Message, NameAddr, Request, Response};

use crate::connection::{Handler, Peer};
use crate::dialog::dialog_key;
use crate::roster::Roster;
use crate::traits::{ChatStore, ComplianceEvent, Databases, Directory, DirectoryError};
use journal::Journal;
use present::Present;
use session::{Kind, Session};

/// Requests of one dialog that may wait.
const DIALOG_QUEUE: usize = 64;
/// Lifetime of a dialog that its client does not refresh, seconds.
const SESSION_EXPIRES: u64 = 1200;
/// How long what the directory said of a user is believed at his next command.
const TRUST: Duration = Duration::from_secs(3);

/// A dialog with the queue of its requests; its task ends when this is dropped.
struct Dialog {
    session: Arc<Session>,
    queue: mpsc::Sender<Request>,
}

#[derive(Default)]
struct State {
    /// The server ends: no new dialogs.
    stopped: bool,
    /// Connections with the names of their certificates.
    peers: HashMap<u64, (Peer, Vec<String>)>,
    /// Dialogs by Call-ID.
    dialogs: HashMap<String, Dialog>,
}

/// The server.
pub struct ChatServer {
    pool: ObjectId,
    name: Fqdn,
    deployment: watch::Receiver<Arc<Deployment>>,
    directory: Arc<dyn Directory>,
    databases: Arc<dyn Databases>,
    roster: Arc<Roster>,
    present: Present,
    state: Mutex<State>,
    /// The store whose messages are delivered; after a switch the old one until its dialogs have ended.
    held: Mutex<Option<Arc<dyn ChatStore>>>,
    journal: Journal,
    counter: AtomicU64,
    changed: Arc<tokio::sync::Notify>,
    this: std::sync::Weak<ChatServer>,
}

fn refuse(r: &Request, status: u16, reason: &str, text: &str) -> Response {
    let mut out = Response::reply_to(r, status, reason).with_to_tag("pc");
    out.headers.push("ms-diagnostics", format!("1020;reason=\"{text}\""));
    out
}

fn no_dialog(r: &Request) -> Response {
    refuse(r, 481, "Call/Transaction Does Not Exist", "No such dialog")
}

impl ChatServer {
    /// A server of the pool `pool` named `name`.
    pub fn new(
        pool: ObjectId,
        name: Fqdn,
        deployment: watch::Receiver<Arc<Deployment>>,
        directory: Arc<dyn Directory>,
        databases: Arc<dyn Databases>,
        roster: Arc<Roster>,
        changed: Arc<tokio::sync::Notify>,
    ) -> Arc<Self> {
        let held = Mutex::new(databases.current(&pool));
        Arc::new_cyclic(|this| Self {
            pool,
            name,
            deployment,
            directory,
            databases,
            roster,
            present: Present::default(),
            state: Mutex::default(),
            held,
            journal: Journal::default(),
            counter: AtomicU64::new(1),
            changed,
            this: this.clone(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<Arc<Session>> {
        self.state().dialogs.values().map(|d| d.session.clone()).collect()
    }

    /// Open channel sessions.
    pub fn sessions(&self) -> u32 {
        let n = self.state().dialogs.values().filter(|d| d.session.kind == Kind::Channel).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    fn host(&self) -> Option<ChatPoolHost> {
        self.deployment.borrow().pools.iter().find(|p| p.id == self.pool).cloned()
    }

    fn store(&self) -> Option<Arc<dyn ChatStore>> {
        self.databases.current(&self.pool)
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<dyn ChatStore>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    fn active(&self, host: &ChatPoolHost) -> bool {
        host.servers.iter().any(|s| s.server.fqdn == self.name && s.active)
    }

    /// Whether a certificate with these names may talk to us: a server of the published next hop.
    pub fn admits(&self, names: &[String]) -> bool {
        let d = self.deployment.borrow();
        let Some(pool) = d.pools.iter().find(|p| p.id == self.pool) else { return false };
        let hop = d.front_ends.iter().find(|f| f.id == pool.next_hop);
        hop.is_some_and(|f| f.servers.iter().any(|s| names.iter().any(|n| *n == s.fqdn.to_string())))
    }

    /// The answer that makes a dialog, or refreshes it.
    fn accept(&self, peer: &Peer, r: &Request, port: u16, tag: &str) -> Response {
        let mut ok = Response::reply_to(r, 200, "OK").with_to_tag(tag);
        ok.headers.push("Contact", format!("<sip:{}:{port};transport=tls>", self.name));
        ok.headers.push("Allow", "INVITE, ACK, INFO, UPDATE, BYE, CANCEL, OPTIONS");
        ok.headers.push("Session-Expires", format!("{SESSION_EXPIRES};refresher=uac"));
        ok.headers.push("Supported", "timer");
        ok.set_body(wire::sdp::CONTENT_TYPE, wire::sdp::message_session(&peer.local.ip().to_string()));
        ok
    }

    async fn invite(&self, peer: &Peer, r: &Request) -> Response {
        let Some(host) = self.host() else {
            return refuse(r, 404, "Not Found", "This pool is not published");
        };
        let admitted = self.state().peers.get(&peer.id).is_some_and(|(_, names)| self.admits(names));
        if !admitted {
            return refuse(r, 403, "Forbidden", "This server is not the pool's next hop");
        }
        let Some(user) = r.headers.get("P-Asserted-Identity").and_then(NameAddr::parse).map(|n| n.uri.aor())
        else {
            return refuse(r, 403, "Forbidden", "The Front End names no user");
        };
        if !self.active(&host) {
            return refuse(
                r,
                480,
                "Temporarily Unavailable",
                "This server is not active and takes no new sessions",
            );
        }
        if self.store().is_none() {
            return refuse(r, 503, "Service Unavailable", "The pool's database is not open");
        }
        let target = NameAddr::parse(&format!("<{}>", r.uri)).map(|n| n.uri.aor()).unwrap_or_default();
        let kind = if target == host.channel_uri.as_str() { Kind::Channel } else { Kind::Lookup };
        let known = match SipUri::try_from(user.as_str()) {
            Ok(u) => self.directory.user_by_aor(&u).await,
            Err(_) => Ok(None),
        };
        let known = match known {
            Ok(known) => known,
            Err(DirectoryError(why)) => {
                tracing::warn!(%user, cause = %why, "a session was refused without the directory");
                return refuse(r, 503, "Service Unavailable", "The directory does not answer");
            }
        };
        let ok = self.accept(peer, r, host.port, &format!("s{}", self.next()));
        let (sender, queue) = mpsc::channel(DIALOG_QUEUE);
        let session = Arc::new(Session::new(peer, r, &ok, kind, user, known.as_ref()));
        {
            // What ended while the directory was asked is looked at again, under the lock of the entry.
            let mut state = self.state();
            if state.stopped || !state.peers.contains_key(&peer.id) {
                return refuse(r, 503, "Service Unavailable", "The server is stopping");
            }
            if state.dialogs.contains_key(session.key()) {
                return refuse(r, 482, "Loop Detected", "The dialog exists already");
            }
            let dialog = Dialog { session: session.clone(), queue: sender };
            state.dialogs.insert(session.key().to_owned(), dialog);
        }
        self.changed.notify_one();
        if let Some(this) = self.this.upgrade() {
            tokio::spawn(this.serve(session, queue));
        }
        ok
    }

    /// Works through one dialog's requests in their order.
    async fn serve(self: Arc<Self>, session: Arc<Session>, mut queue: mpsc::Receiver<Request>) {
        while let Some(r) = queue.recv().await {
            if session.is_closed() {
                self.reply(&session.peer, no_dialog(&r)).await;
            } else {
                self.info(&session, &r).await;
            }
        }
    }

    /// Takes a session out; its rooms are told. False when it was out already.
    fn end(&self, session: &Arc<Session>) -> bool {
        {
            let mut state = self.state();
            let own = state.dialogs.get(session.key()).is_some_and(|d| Arc::ptr_eq(&d.session, session));
            if !own {
                return false;
            }
            state.dialogs.remove(session.key());
        }
        let held = self.held().clone();
        for room in self.present.close(session, &self.roster) {
            if let Some(store) = &held {
                self.record(store, "PART", &room, &session.user);
            }
        }
        self.changed.notify_one();
        true
    }

    fn record(&self, store: &Arc<dyn ChatStore>, kind: &'static str, room: &str, user: &str) {
        let (room, user) = (room.to_owned(), user.to_owned());
        self.record_event(store, ComplianceEvent { kind, room, user, text: String::new(), message: None });
    }

    fn record_event(&self, store: &Arc<dyn ChatStore>, event: ComplianceEvent) {
        if self.host().is_some_and(|h| h.compliance) {
            self.journal.push(store, event);
        }
    }

    async fn reply(&self, peer: &Peer, response: Response) {
        // Who has gone needs no answer.
        let _ = peer.deliver(&Message::Response(response)).await;
    }

    async fn request(&self, peer: &Peer, r: Request) {
        let found = {
            let state = self.state();
            let dialog = state.dialogs.get(&dialog_key(r.call_id(), r.from()));
            dialog.filter(|d| d.session.owns(peer, &r)).map(|d| (d.session.clone(), d.queue.clone()))
        };
        let reply = match (r.method.as_str(), found) {
            ("ACK", _) => return,
            ("OPTIONS", _) => Response::reply_to(&r, 200, "OK").with_to_tag("pc"),
            ("CANCEL", _) => Response::reply_to(&r, 200, "OK"),
            ("INVITE", None) if r.to_tag().is_none() => {
                // The directory may take its time; the connection's other users do not wait for it.
                let (this, peer) = (self.this.upgrade(), peer.clone());
                if let Some(this) = this {
                    tokio::spawn(async move {
                        let reply = this.invite(&peer, &r).await;
                        this.reply(&peer, reply).await;
                    });
                }
                return;
            }
            ("INVITE" | "INFO" | "UPDATE" | "BYE", None) => no_dialog(&r),
            ("INVITE" | "INFO" | "UPDATE" | "BYE", Some((s, queue))) => {
                let Some((number, _)) = r.cseq() else {
                    return self.reply(peer, refuse(&r, 400, "Bad Request", "No valid CSeq")).await;
                };
                if !s.in_order(number) {
                    let late =
                        refuse(&r, 500, "Server Internal Error", "A later request came before this one");
                    return self.reply(peer, late).await;
                }
                match r.method.as_str() {
                    "INVITE" => match self.host() {
                        Some(host) => self.accept(peer, &r, host.port, s.tag()),
                        None => refuse(&r, 404, "Not Found", "This pool is not published"),
                    },
                    "UPDATE" => {
                        let mut ok = Response::reply_to(&r, 200, "OK");
                        ok.headers.push("Session-Expires", format!("{SESSION_EXPIRES};refresher=uac"));
                        ok
                    }
                    "BYE" if self.end(&s) => Response::reply_to(&r, 200, "OK"),
                    "BYE" => no_dialog(&r),
                    _ => match queue.try_send(r) {
                        Ok(()) => return,
                        Err(mpsc::error::TrySendError::Closed(r)) => no_dialog(&r),
                        Err(mpsc::error::TrySendError::Full(r)) => {
                            refuse(&r, 503, "Service Unavailable", "Too many requests wait in this dialog")
                        }
                    },
                }
            }
            _ => refuse(&r, 501, "Not Implemented", "This method is not supported"),
        };
        self.reply(peer, reply).await;
    }

    /// Writes compliance events until the server has stopped and all are written.
    pub async fn keep_journal(self: Arc<Self>) {
        self.journal.run(|| self.store()).await;
    }
}

#[async_trait]
impl Handler for ChatServer {
    fn accepted(&self, peer: &Peer, names: &[String]) -> bool {
        let admitted = self.admits(names) && !self.state().stopped;
        if admitted {
            peer.widen();
            self.state().peers.insert(peer.id, (peer.clone(), names.to_vec()));
        } else {
            tracing::warn!(remote = %peer.remote, ?names, "a connection is refused: not a server of the next hop");
        }
        admitted
    }

    async fn message(&self, peer: &Peer, message: Message) {
        match message {
            Message::Request(r) => self.request(peer, r).await,
            // The client is gone: 481 and 487 end the dialog (xccos.md §3), from where it lives only.
            Message::Response(r) if matches!(r.status, 481 | 487) => {
                let found = {
                    let state = self.state();
                    let dialog = state.dialogs.get(&dialog_key(r.call_id(), r.to()));
                    dialog.filter(|d| d.session.owns_answer(peer, &r)).map(|d| d.session.clone())
                };
                if let Some(s) = found {
                    self.end(&s);
                }
            }
            Message::Response(_) => {}
        }
    }

    async fn closed(&self, peer: &Peer) {
        self.state().peers.remove(&peer.id);
        for s in self.all().iter().filter(|s| s.peer.id == peer.id) {
            self.end(s);
        }
    }
}
