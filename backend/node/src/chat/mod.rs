//! A Persistent Chat server: lookup and channel service behind mutual TLS.

mod commands;
mod session;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shared::deployment::{ChatPoolHost, Deployment};
use shared::{Fqdn, ObjectId, SipUri};
use tokio::sync::{broadcast, mpsc, watch};
use wire::sip::{Message, NameAddr, Request, Response};
use wire::xccos::{ChanIb, Chat, Data, Element, Item, Uib};

use crate::connection::{Handler, Peer};
use crate::roster::{Movement, Roster};
use crate::traits::{ChatStore, Committed, Databases, Directory, StoredMessage};
use session::{Kind, Session};

/// Requests of one dialog that may wait.
const DIALOG_QUEUE: usize = 64;
/// Key of the role list of ordinary participants (xccos.md §5).
const PARTICIPANTS: &str = "3984";

/// The server.
pub struct ChatServer {
    pool: ObjectId,
    name: Fqdn,
    deployment: watch::Receiver<Arc<Deployment>>,
    directory: Arc<dyn Directory>,
    databases: Arc<dyn Databases>,
    roster: Arc<Roster>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    counter: AtomicU64,
    changed: Arc<tokio::sync::Notify>,
    this: std::sync::Weak<ChatServer>,
}

/// Address of a room on the wire.
fn room_uri(pool: &ChatPoolHost, id: &str) -> String {
    format!("ma-chan://{}/{id}", pool.channel_uri.domain())
}

/// A stored message as it is told.
fn chat_of(pool: &ChatPoolHost, m: &StoredMessage) -> Chat {
    // Seven fraction digits, as real servers write them.
    let text = m.at.rfc3339();
    let (whole, fraction) =
        text.trim_end_matches('Z').split_once('.').map_or((text.trim_end_matches('Z'), ""), |p| p);
    Chat {
        seqid: 1,
        chan_uri: room_uri(pool, &m.room),
        author: m.author.clone(),
        authdisp: Some(m.author_display.clone()),
        alert: false,
        chat_id: Some(m.chat_id),
        ts: format!("{whole}.{fraction:0<7}Z"),
        text: m.text.clone(),
        rtf: m.rtf.clone(),
    }
}

fn refuse(r: &Request, status: u16, reason: &str, text: &str) -> Response {
    let mut out = Response::reply_to(r, status, reason).with_to_tag("pc");
    out.headers.push("ms-diagnostics", format!("1020;reason=\"{text}\""));
    out
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
        Arc::new_cyclic(|this| Self {
            pool,
            name,
            deployment,
            directory,
            databases,
            roster,
            sessions: Mutex::default(),
            counter: AtomicU64::new(1),
            changed,
            this: this.clone(),
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Open channel sessions.
    pub fn sessions(&self) -> u32 {
        let n = self.all().values().filter(|s| s.kind == Kind::Channel).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    fn host(&self) -> Option<ChatPoolHost> {
        self.deployment.borrow().pools.iter().find(|p| p.id == self.pool).cloned()
    }

    fn store(&self) -> Option<Arc<dyn ChatStore>> {
        self.databases.current(&self.pool)
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

    async fn invite(&self, peer: &Peer, r: &Request) -> Response {
        let Some(host) = self.host() else {
            return refuse(r, 404, "Not Found", "This pool is not published");
        };
        let Some(user) = r.headers.get("P-Asserted-Identity").and_then(NameAddr::parse).map(|n| n.uri.aor())
        else {
            return refuse(r, 403, "Forbidden", "The Front End names no user");
        };
        let call = r.call_id().unwrap_or_default().to_owned();
        if self.all().contains_key(&call) {
            return refuse(r, 482, "Loop Detected", "The dialog exists already");
        }
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
            Ok(u) => self.directory.user_by_aor(&u).await.ok().flatten(),
            Err(_) => None,
        };
        let tag = format!("s{}", self.next());
        let port = host.port;
        let mut ok = Response::reply_to(r, 200, "OK").with_to_tag(&tag);
        ok.headers.push("Contact", format!("<sip:{}:{port};transport=tls>", self.name));
        ok.headers.push("Session-Expires", "1200;refresher=uac");
        ok.headers.push("Supported", "timer");
        ok.set_body(wire::sdp::CONTENT_TYPE, wire::sdp::message_session(&peer.local.ip().to_string()));
        let (sender, queue) = mpsc::channel(DIALOG_QUEUE);
        let session = Session::new(peer, r, &ok, kind, user, known.as_ref(), sender);
        let session = Arc::new(session);
        self.all().insert(call, session.clone());
        self.changed.notify_one();
        if let Some(this) = self.this.upgrade() {
            tokio::spawn(this.serve(session, queue));
        }
        ok
    }

    /// Works through one dialog's requests in their order.
    async fn serve(self: Arc<Self>, session: Arc<Session>, mut queue: mpsc::Receiver<Request>) {
        while let Some(r) = queue.recv().await {
            self.info(&session, &r).await;
        }
    }

    /// Takes a session out; its rooms are told.
    fn end(&self, call: &str) -> Option<Arc<Session>> {
        let session = self.all().remove(call)?;
        for room in session.take_rooms() {
            self.roster.leave(&room, &session.user);
            self.record("PART", &room, &session.user, "");
        }
        self.changed.notify_one();
        Some(session)
    }

    fn record(&self, kind: &'static str, room: &str, user: &str, text: &str) {
        if !self.host().is_some_and(|h| h.compliance) {
            return;
        }
        let Some(store) = self.store() else { return };
        let event = crate::traits::ComplianceEvent {
            kind,
            room: room.to_owned(),
            user: user.to_owned(),
            text: text.to_owned(),
        };
        tokio::spawn(async move {
            if let Err(e) = store.record_event(event).await {
                tracing::error!(cause = %e, "a compliance event could not be queued");
            }
        });
    }

    async fn request(&self, peer: &Peer, r: Request) {
        let call = r.call_id().unwrap_or_default().to_owned();
        let reply = match r.method.as_str() {
            "INVITE" => self.invite(peer, &r).await,
            "ACK" => return,
            "OPTIONS" => Response::reply_to(&r, 200, "OK").with_to_tag("pc"),
            "INFO" => {
                let session = self.all().get(&call).cloned();
                match session {
                    None => refuse(&r, 481, "Call/Transaction Does Not Exist", "No such dialog"),
                    Some(s) => match s.queue.try_send(r) {
                        Ok(()) => return,
                        Err(e) => refuse(
                            &e.into_inner(),
                            503,
                            "Service Unavailable",
                            "Too many requests wait in this dialog",
                        ),
                    },
                }
            }
            "UPDATE" if self.all().contains_key(&call) => Response::reply_to(&r, 200, "OK"),
            "BYE" if self.end(&call).is_some() => Response::reply_to(&r, 200, "OK"),
            "BYE" | "UPDATE" => refuse(&r, 481, "Call/Transaction Does Not Exist", "No such dialog"),
            "CANCEL" => Response::reply_to(&r, 200, "OK"),
            _ => refuse(&r, 501, "Not Implemented", "This method is not supported"),
        };
        peer.send(&Message::Response(reply));
    }

    /// Delivers what is committed and who moves, until the server ends; follows the pool's database.
    pub async fn deliver(self: Arc<Self>) {
        let mut switched = self.databases.watch();
        let mut movements = self.roster.subscribe();
        let mut store = self.store();
        loop {
            let mut commits = store.as_ref().map(|s| s.subscribe());
            loop {
                tokio::select! {
                    changed = switched.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let now = self.store();
                        if !same(store.as_ref(), now.as_ref()) {
                            self.drop_all();
                            store = now;
                            break;
                        }
                    }
                    m = movements.recv() => if let Ok(m) = m { self.moved(&m) },
                    c = next_commit(&mut commits) => match c {
                        Ok(c) => self.committed(c).await,
                        Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up().await,
                        Err(broadcast::error::RecvError::Closed) => commits = None,
                    },
                }
            }
        }
    }

    /// The pool's database was closed: channel dialogs end, clients come back by themselves.
    pub fn drop_all(&self) {
        let calls: Vec<String> = self.all().keys().cloned().collect();
        for call in calls {
            if let Some(s) = self.end(&call) {
                s.bye();
            }
        }
    }

    fn in_room(&self, room: &str) -> Vec<Arc<Session>> {
        self.all().values().filter(|s| s.is_in(room)).cloned().collect()
    }

    async fn committed(&self, c: Committed) {
        match c {
            Committed::Message(m) => self.tell(&m),
            Committed::RoomChanged(room) => self.recheck(&room).await,
            Committed::RightsChanged => {
                let mut rooms: Vec<String> = self.all().values().flat_map(|s| s.rooms()).collect();
                rooms.sort();
                rooms.dedup();
                for room in rooms {
                    self.recheck(&room).await;
                }
            }
        }
    }

    fn tell(&self, m: &StoredMessage) {
        let Some(host) = self.host() else { return };
        let element = Element::Chat(chat_of(&host, m));
        for s in self.in_room(&m.room) {
            if s.advance(&m.room, m.chat_id) {
                s.send(element.clone(), self.next());
            }
        }
    }

    /// The broadcast outran us: what was missed is read from the log.
    async fn catch_up(&self) {
        let Some(store) = self.store() else { return };
        let mut oldest: HashMap<String, u64> = HashMap::new();
        for s in self.all().values() {
            for (room, at) in s.positions() {
                let e = oldest.entry(room).or_insert(at);
                *e = (*e).min(at);
            }
        }
        for (room, at) in oldest {
            for m in store.after(&room, at).await.unwrap_or_default() {
                self.tell(&m);
            }
        }
    }

    /// Puts out whoever may no longer be in the room.
    async fn recheck(&self, room: &str) {
        let Some(store) = self.store() else { return };
        let found = store.room(room).await.ok().flatten();
        let Some(host) = self.host() else { return };
        for s in self.in_room(room) {
            let stays = found.as_ref().is_some_and(|(r, c)| crate::rules::may_join(c, r, &s.user).is_ok());
            if !stays && s.leave(room) {
                self.roster.leave(room, &s.user);
                let uib = Uib { uri: s.user.clone(), ..Uib::default() };
                let data = Data::one(Item::ChanIb(ChanIb {
                    uri: room_uri(&host, room),
                    uibs: vec![uib],
                    ..ChanIb::default()
                }));
                s.send(Element::Notice { id: "ntc:part".to_owned(), data }, self.next());
            }
        }
    }

    fn moved(&self, m: &Movement) {
        let Some(host) = self.host() else { return };
        let limit = usize::try_from(host.settings.participant_update_limit).unwrap_or(usize::MAX);
        if self.roster.people(&m.room).len() > limit {
            return; // above the limit rosters are not updated (model §10)
        }
        let domain = host.channel_uri.domain().to_owned();
        let (id, data) = if m.entered {
            let aib = (PARTICIPANTS.to_owned(), domain, m.room.clone());
            let uib =
                Uib { uri: m.user.clone(), disp: Some(m.display.clone()), aibs: vec![aib], ..Uib::default() };
            ("ntc:join", Data::one(Item::Uib(uib)))
        } else {
            let uib = Uib { uri: m.user.clone(), ..Uib::default() };
            (
                "ntc:part",
                Data::one(Item::ChanIb(ChanIb {
                    uri: room_uri(&host, &m.room),
                    uibs: vec![uib],
                    ..ChanIb::default()
                })),
            )
        };
        for s in self.in_room(&m.room).iter().filter(|s| s.user != m.user) {
            s.send(Element::Notice { id: id.to_owned(), data: data.clone() }, self.next());
        }
    }
}

fn same(a: Option<&Arc<dyn ChatStore>>, b: Option<&Arc<dyn ChatStore>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.generation() == b.generation(),
        (None, None) => true,
        _ => false,
    }
}

async fn next_commit(
    rx: &mut Option<broadcast::Receiver<Committed>>,
) -> Result<Committed, broadcast::error::RecvError> {
    match rx {
        Some(rx) => rx.recv().await,
        None => std::future::pending().await,
    }
}

#[async_trait]
impl Handler for ChatServer {
    fn accepted(&self, peer: &Peer, names: &[String]) -> bool {
        let admitted = self.admits(names);
        if !admitted {
            tracing::warn!(remote = %peer.remote, ?names, "a connection is refused: not a server of the next hop");
        }
        admitted
    }

    async fn message(&self, peer: &Peer, message: Message) {
        match message {
            Message::Request(r) => self.request(peer, r).await,
            // The client is gone: 481 and 487 end the dialog (xccos.md §3).
            Message::Response(r) if matches!(r.status, 481 | 487) => {
                self.end(r.call_id().unwrap_or_default());
            }
            Message::Response(_) => {}
        }
    }

    async fn closed(&self, peer: &Peer) {
        let calls: Vec<String> =
            self.all().iter().filter(|(_, s)| s.peer.id == peer.id).map(|(c, _)| c.clone()).collect();
        for call in calls {
            self.end(&call);
        }
    }
}
