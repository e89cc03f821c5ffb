//! A node that owns databases: opens those that the deployment places on it, and serves them at a port of its
//! own over mutual TLS. The portal is let in and does administrators' acts; another node asks for pools it has
//! servers of, and for nothing else. None of this needs the portal to be there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use node::ca::{LocalCa, PORTAL, databases_name, key_of, names_of, node_name};
use node::remote::{
    FROM_NODE, FROM_STRANGER, Remote, Reply, SILENCE, ToNode, ToPortal, administer, answer, read,
};
use node::traits::{ChatStore, Databases, StoreError};
use rustls::pki_types::CertificateDer;
use shared::ObjectId;
use shared::deployment::{DATABASE_PORT, Deployment, PoolState};
use tokio::io::AsyncRead;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;

use super::link::{finish, pump, refused, version};
use super::places::{Places, Stranger};
use super::{feed, instance, view};
use crate::fleet::{Fleet, Wanted};
use crate::settings::sql_dir;

/// Longest TLS handshake, and longest wait for the first words.
const FIRST: Duration = Duration::from_secs(10);
/// Wait before a port that could not be opened is tried again.
const RETRY: Duration = Duration::from_secs(3);
/// Frames that may wait for a peer.
const WAITING: usize = 256;
/// Questions of one peer that are answered at the same time.
const QUESTIONS: usize = 64;

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Portal,
    Node(String),
}

/// The owner.
pub struct Owner {
    /// Name of this node.
    pub name: String,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Tells this process from an earlier one.
    pub boot: String,
    /// Certificates.
    pub ca: Arc<LocalCa>,
    /// The databases.
    pub fleet: Arc<Fleet>,
    /// What is to run.
    pub deployment: watch::Receiver<Arc<Deployment>>,
    /// Whether the portal has said so since this process began.
    pub confirmed: Arc<AtomicBool>,
}

/// Pools whose databases are on this node.
fn owned(d: &Deployment, name: &str) -> BTreeSet<ObjectId> {
    let here = |p: &&shared::deployment::ChatPoolHost| p.database.as_ref().is_some_and(|h| h.node == name);
    d.pools.iter().filter(here).map(|p| p.id.clone()).collect()
}

impl Owner {
    fn wanted(&self, d: &Deployment) -> Vec<Wanted> {
        let confirmed = self.confirmed.load(Ordering::Acquire);
        let own = d.pools.iter().filter_map(|p| {
            if let Some(pair) = &p.pair {
                let side = pair.of(Some(&self.name))?;
                let dir = sql_dir(&self.data_dir, &pair.side(side).store);
                let generation = p.database.as_ref().map_or(0, |h| h.generation);
                return Some(Wanted::half(&p.id, generation, pair, side, &dir, confirmed));
            }
            let h = p.database.as_ref().filter(|h| h.node == self.name)?;
            Some(Wanted {
                pool: p.id.clone(),
                state: PoolState::Normal,
                generation: h.generation,
                forced: false,
                primary: (h.store.label(), sql_dir(&self.data_dir, &h.store)),
                backup: None,
                compliance: None,
                share: None,
                mirror: None,
                queue: crate::fleet::queue::QueueMirror::default(),
                move_from: None,
                held: false,
                schedule: Default::default(),
                half: None,
            })
        });
        own.collect()
    }

    /// Follows the deployment: databases, links to other owners, and the port.
    pub async fn run(self: Arc<Self>) {
        let mut deployment = self.deployment.clone();
        // The tasks end with this one.
        let mut port: Option<(SocketAddr, JoinSet<()>)> = None;
        loop {
            let d = deployment.borrow_and_update().clone();
            self.fleet.wanted(self.wanted(&d));
            self.fleet.elsewhere().follow(&d);
            let here = d.pools.iter().filter_map(|p| p.database.as_ref()).find(|h| h.node == self.name);
            let at = here.map(|h| SocketAddr::new(h.address, DATABASE_PORT));
            if port.as_ref().map(|(at, _)| *at) != at {
                port = None;
                if let Some(at) = at {
                    match self.clone().open(at).await {
                        Ok(tasks) => port = Some((at, tasks)),
                        Err(why) => tracing::error!(%at, why, "databases cannot be served; tried again"),
                    }
                }
            }
            let retry = if at.is_some() && port.is_none() { RETRY } else { Duration::from_secs(3600) };
            tokio::select! {
                r = deployment.changed() => if r.is_err() { return },
                () = tokio::time::sleep(retry) => {}
            }
        }
    }

    async fn open(self: Arc<Self>, at: SocketAddr) -> Result<JoinSet<()>, String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let name = databases_name(&self.name).map_err(|e| text(&e))?;
        let identity = self.ca.issue(&[&name]).map_err(|e| text(&e))?;
        let shown = self.ca.present(vec![name], &identity, false).map_err(|e| text(&e))?;
        let tls = self.ca.chat_server_config(shown).map_err(|e| text(&e))?;
        let listener = TcpListener::bind(at).await.map_err(|e| text(&e))?;
        println!("databases at={at}");
        let mut tasks = JoinSet::new();
        tasks.spawn(self.accept(listener, tls));
        Ok(tasks)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener, tls: Arc<rustls::ServerConfig>) {
        let places = Places::new();
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok((tcp, remote)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Some(place) = places.stranger(remote.ip()) else { continue };
            let (this, tls) = (self.clone(), tls.clone());
            connections.spawn(async move { this.connect(tcp, remote, tls, place).await });
        }
    }

    async fn connect(
        &self,
        tcp: TcpStream,
        remote: SocketAddr,
        tls: Arc<rustls::ServerConfig>,
        place: Stranger,
    ) {
        if tcp.set_nodelay(true).is_err() {
            return;
        }
        let handshake = tokio_rustls::TlsAcceptor::from(tls).accept(tcp);
        let mut stream = match tokio::time::timeout(FIRST, handshake).await {
            Ok(Ok(s)) => s,
            Ok(Err(e)) => {
                tracing::warn!(%remote, cause = %e, "a connection to the databases was refused");
                return;
            }
            Err(_) => return,
        };
        let certificate = stream.get_ref().1.peer_certificates().and_then(|c| c.first()).cloned();
        // The handshake lets in nobody without a certificate of the deployment's authority.
        let Some(_member) = place.admitted() else { return };
        let first = tokio::time::timeout(FIRST, read::<ToPortal>(&mut stream, FROM_STRANGER)).await;
        let reply = match first {
            Ok(Ok(ToPortal::Hello { version: v, .. })) => {
                match version(v).and_then(|()| self.identify(certificate.as_ref())) {
                    Ok(who) => {
                        tracing::info!(%remote, ?who, "connected to the databases");
                        let why = self.converse(&who, stream).await;
                        tracing::info!(%remote, ?who, why, "disconnected from the databases");
                        return;
                    }
                    Err((why, _)) => refused(why, false),
                }
            }
            Ok(Ok(_)) => refused("Whoever asks says first who he is.", false),
            Ok(Err(_)) | Err(_) => return,
        };
        if let ToNode::Refused { reason, .. } = &reply {
            tracing::warn!(%remote, reason, "someone was not let in to the databases");
        }
        finish(&mut stream, &reply).await;
    }

    /// Whose certificate it is: the portal's, or of a node that belongs to the deployment with this very key.
    fn identify(&self, certificate: Option<&CertificateDer<'_>>) -> Result<Who, (String, bool)> {
        let no = |text: String| (text, false);
        let certificate =
            certificate.ok_or_else(|| no("Only the portal and nodes are let in.".to_owned()))?;
        if names_of(certificate).iter().any(|n| n == PORTAL) {
            return Ok(Who::Portal);
        }
        let name =
            node_name(certificate).ok_or_else(|| no("Only the portal and nodes are let in.".to_owned()))?;
        let key = key_of(certificate);
        let d = self.deployment.borrow();
        if !d.nodes.iter().any(|n| n.name == name && n.key == key) {
            return Err(no(format!("Node {name} does not belong to the deployment.")));
        }
        let who = Who::Node(name.clone());
        if self.may(&d, &who).is_empty() {
            return Err(no(format!("Node {name} runs no server of a pool whose database is here.")));
        }
        Ok(who)
    }

    /// Pools that a peer may ask for: all that are here, of a node only those it has servers of.
    fn may(&self, d: &Deployment, who: &Who) -> BTreeSet<ObjectId> {
        let here = owned(d, &self.name);
        match who {
            Who::Portal => here,
            Who::Node(n) if d.nodes.iter().any(|p| p.name == *n) => {
                here.intersection(&view::pools(d, n)).cloned().collect()
            }
            Who::Node(_) => BTreeSet::new(),
        }
    }

    async fn converse(&self, who: &Who, stream: TlsStream<TcpStream>) -> String {
        let (r, mut w) = tokio::io::split(stream);
        let (out, waiting) = mpsc::channel(WAITING);
        let welcome = ToNode::Welcome { boot: self.boot.clone(), certificate: String::new() };
        if out.send(welcome).await.is_err() {
            return "the link did not open".to_owned();
        }
        let own = |d: &Deployment| self.may(d, who);
        let (_stop, stopped) = watch::channel(false);
        tokio::select! {
            () = feed::databases(self.fleet.clone(), self.deployment.clone(), own, None, out.clone()) => {
                "the link takes nothing any more".to_owned()
            }
            why = pump(&mut w, waiting, stopped) => why,
            why = self.listen(who, r, &out) => why,
            () = self.put_out(who) => "it is not let in any more".to_owned(),
        }
    }

    /// Waits until a node that was let in may ask for nothing any more.
    async fn put_out(&self, who: &Who) {
        let mut deployment = self.deployment.clone();
        if deployment.wait_for(|d| *who != Who::Portal && self.may(d, who).is_empty()).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The store that a question is about, when this peer may ask for it and it is still that opening.
    fn store(&self, who: &Who, pool: &ObjectId, generation: u64) -> Option<Arc<dyn ChatStore>> {
        let may = self.may(&self.deployment.borrow(), who).contains(pool);
        self.fleet.current(pool).filter(|s| may && s.generation() == generation)
    }

    async fn listen(&self, who: &Who, mut r: impl AsyncRead + Unpin, out: &mpsc::Sender<ToNode>) -> String {
        let room = Arc::new(Semaphore::new(QUESTIONS));
        // Answers under way end with the link: who has gone needs none.
        let mut answering = JoinSet::new();
        loop {
            let m = match tokio::time::timeout(SILENCE, read::<ToPortal>(&mut r, FROM_NODE)).await {
                Ok(Ok(m)) => m,
                Ok(Err(e)) => return e.to_string(),
                Err(_) => return "it is silent".to_owned(),
            };
            while answering.try_join_next().is_some() {}
            let (id, work): (u64, Work) = match m {
                ToPortal::Alive => continue,
                ToPortal::Call { id, pool, generation, call } => match self.store(who, &pool, generation) {
                    Some(s) => (id, Box::pin(async move { answer(&*s, call).await })),
                    None => (id, Box::pin(async { Err(StoreError::Closed) })),
                },
                ToPortal::Act { id, pool, generation, act } if *who == Who::Portal => {
                    match self.store(who, &pool, generation) {
                        Some(s) => (id, Box::pin(async move { administer(&*s, act).await })),
                        None => (id, Box::pin(async { Err(StoreError::Closed) })),
                    }
                }
                ToPortal::Inquire { id, what } if *who == Who::Portal => {
                    (id, Box::pin(instance::answer(self.fleet.clone(), self.data_dir.clone(), what)))
                }
                _ => return "it asked for what is not its to ask".to_owned(),
            };
            let Ok(permit) = room.clone().acquire_owned().await else { return "closed".to_owned() };
            let out = out.clone();
            answering.spawn(async move {
                let result = work.await;
                let _ = out.send(ToNode::Answer { id, result }).await;
                drop(permit);
            });
        }
    }
}

/// The answer to a question, under way.
type Work = std::pin::Pin<Box<dyn Future<Output = Result<Reply, StoreError>> + Send>>;

/// The databases as servers of a node have them: its own, those of other nodes, and the portal's.
pub struct Reached {
    /// Its own and those of other nodes.
    pub fleet: Arc<Fleet>,
    /// The portal's.
    pub portal: Remote,
    /// Rises with either.
    pub changed: watch::Sender<u64>,
}

impl Reached {
    /// Follows both, until the program ends.
    pub async fn follow(self: Arc<Self>) {
        let (mut near, mut far) = (self.fleet.watch(), self.portal.watch());
        loop {
            tokio::select! {
                r = near.changed() => if r.is_err() { return },
                r = far.changed() => if r.is_err() { return },
            }
            self.changed.send_modify(|n| *n += 1);
        }
    }
}

impl Databases for Reached {
    fn current(&self, pool: &ObjectId) -> Option<Arc<dyn ChatStore>> {
        self.fleet.current(pool).or_else(|| self.portal.current(pool))
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
