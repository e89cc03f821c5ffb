//! Databases that nodes own: links to the ports where they serve them, and what those nodes say of them.
//! The portal and chat hosts have the same links; what each may ask is the owner's to decide.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use node::ca::databases_name;
use node::remote::{
    ALIVE, Counted, FROM_PORTAL, FrameError, Inquiry, OLDEST, Remote, Reply, SILENCE, SideTold, ToNode,
    ToPortal, WRITE, read, write,
};
use node::traits::{ChatStore, Databases};
use rustls::pki_types::ServerName;
use shared::ObjectId;
use shared::deployment::{DATABASE_PORT, DatabaseHost, Deployment, PoolState};
use store::chat::DbInfo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{SideView, Sides};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Wait before an owner is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Questions that may wait for a link.
const WAITING: usize = 1024;
/// Longest wait for what a page shows: a node that hangs is soon known to.
const LOOK: Duration = Duration::from_secs(2);

/// How this process shows itself to owners.
pub struct Shown {
    /// Its name; none for the portal, which alone does administrators' acts.
    pub node: Option<String>,
    /// TLS settings with its certificate as it is now.
    pub tls: Box<dyn Fn() -> Result<Arc<rustls::ClientConfig>, String> + Send + Sync>,
    /// Name and version of the program.
    pub product: &'static str,
}

struct Link {
    at: SocketAddr,
    remote: Remote,
    /// Why the owner does not answer.
    trouble: Arc<Mutex<Option<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
        self.remote.down();
    }
}

#[derive(Default)]
struct State {
    pools: HashMap<ObjectId, DatabaseHost>,
    links: HashMap<String, Link>,
}

/// The databases that nodes own.
pub struct Elsewhere {
    shown: OnceLock<Arc<Shown>>,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

impl Elsewhere {
    pub(super) fn new(changed: watch::Sender<u64>) -> Self {
        Self { shown: OnceLock::new(), state: Mutex::default(), changed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who this process is; nothing is reached before.
    pub fn begin(&self, shown: Shown) {
        let _ = self.shown.set(Arc::new(shown));
    }

    /// Links follow the deployment: one to each node that owns a database.
    pub fn follow(&self, d: &Deployment) {
        let Some(shown) = self.shown.get() else { return };
        let others = d.pools.iter().filter_map(|p| Some((p.id.clone(), p.database.clone()?)));
        let pools: HashMap<ObjectId, DatabaseHost> =
            others.filter(|(_, h)| shown.node.as_ref() != Some(&h.node)).collect();
        let owners: HashMap<String, SocketAddr> = pools
            .values()
            .map(|h| (h.node.clone(), SocketAddr::new(h.address, DATABASE_PORT)))
            .filter(|(_, at)| !at.ip().is_unspecified())
            .collect();
        let mut state = self.state();
        state.links.retain(|node, l| owners.get(node) == Some(&l.at));
        for (node, at) in owners {
            if state.links.contains_key(&node) {
                continue;
            }
            let remote = Remote::new(shown.node.is_none());
            let trouble = Arc::new(Mutex::new(Some("it is being connected to".to_owned())));
            let work = Keep {
                node: node.clone(),
                at,
                remote: remote.clone(),
                trouble: trouble.clone(),
                shown: shown.clone(),
                changed: self.changed.clone(),
            };
            let task = tokio::spawn(work.run());
            state.links.insert(node, Link { at, remote, trouble, task });
        }
        let news = state.pools != pools;
        state.pools = pools;
        drop(state);
        if news {
            self.changed.send_modify(|n| *n += 1);
        }
    }

    /// Whether a node other than this process owns the pool's database.
    pub fn has(&self, pool: &ObjectId) -> bool {
        self.state().pools.contains_key(pool)
    }

    /// Pools whose database a node owns.
    pub fn pools(&self) -> Vec<ObjectId> {
        self.state().pools.keys().cloned().collect()
    }

    /// The store a pool uses; while its owner is out of reach it refuses what it is asked.
    pub fn current(&self, pool: &ObjectId) -> Option<Arc<dyn ChatStore>> {
        let state = self.state();
        state.links.get(&state.pools.get(pool)?.node)?.remote.current(pool)
    }

    /// Messages of the pool that were seen at this end.
    pub fn counted(&self, pool: &ObjectId) -> Counted {
        let state = self.state();
        let link = state.pools.get(pool).and_then(|h| state.links.get(&h.node));
        link.map(|l| l.remote.counted(pool)).unwrap_or_default()
    }

    /// Why the pool's database is out of reach or not open; none when it is in use, or not at a node.
    pub fn away(&self, pool: &ObjectId) -> Option<String> {
        let state = self.state();
        let host = state.pools.get(pool)?;
        let Some(link) = state.links.get(&host.node) else {
            return Some(format!("node {}, which has it, is not known or was never connected", host.node));
        };
        let trouble = link.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match trouble {
            Some(why) => {
                Some(format!("node {}, which has it, does not answer at {}: {why}", host.node, link.at))
            }
            None if link.remote.current(pool).is_none() => {
                Some(format!("node {} has not opened it", host.node))
            }
            None => None,
        }
    }

    /// What the owner says of a pool's database; none when no node has it.
    pub async fn sides(&self, pool: &ObjectId) -> Option<Sides> {
        let (host, remote) = {
            let state = self.state();
            let host = state.pools.get(pool)?.clone();
            let remote = state.links.get(&host.node).map(|l| l.remote.clone());
            (host, remote)
        };
        let mut primary =
            SideView { store: host.store.label(), node: Some(host.node.clone()), ..SideView::default() };
        let asked = match (&remote, self.away(pool)) {
            (Some(r), None) => r.inquire(Inquiry::Side(pool.clone()), LOOK).await.map_err(|e| e.to_string()),
            // A database that could not be opened: its owner says why.
            (Some(r), Some(why)) => r.inquire(Inquiry::Side(pool.clone()), LOOK).await.map_err(|_| why),
            (None, why) => Err(why.unwrap_or_default()),
        };
        let mut sides = Sides::default();
        match asked {
            Ok(Reply::Side(told)) => {
                let told: SideTold = *told;
                sides.open = told.open.then_some(PoolState::Normal);
                sides.trouble = told.trouble.clone();
                primary.error = told.error.or(told.trouble).map(|e| format!("on node {}: {e}", host.node));
                primary.creatable = true;
                primary.messages = Some(told.messages);
                primary.info = primary.error.is_none().then_some(DbInfo {
                    epoch: told.epoch,
                    size_bytes: told.size_bytes,
                    messages: told.messages,
                    last_write: told.last_write,
                    copied_at: None,
                });
            }
            Ok(_) => primary.error = Some(format!("node {} was not understood", host.node)),
            Err(why) => {
                sides.trouble = Some(why.clone());
                primary.error = Some(why);
            }
        }
        sides.primary = primary;
        Some(sides)
    }
}

/// Why a connection failed, for a person on call.
fn plain(e: &std::io::Error) -> String {
    use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, UnexpectedEof};
    match e.kind() {
        ConnectionRefused => "nothing listens there".to_owned(),
        UnexpectedEof | ConnectionReset | BrokenPipe => "the connection ended".to_owned(),
        _ => e.to_string(),
    }
}

fn framed(e: &FrameError) -> String {
    match e {
        FrameError::Io(e) => plain(e),
        other => other.to_string(),
    }
}

/// One link, kept up.
struct Keep {
    node: String,
    at: SocketAddr,
    remote: Remote,
    trouble: Arc<Mutex<Option<String>>>,
    shown: Arc<Shown>,
    changed: watch::Sender<u64>,
}

impl Keep {
    async fn run(self) {
        loop {
            let why = self.session().await;
            self.remote.down();
            if self.set(Some(&why)) {
                tracing::warn!(node = self.node, at = %self.at, why, "the owner of databases does not answer; tried again");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Notes whether the owner answers; whether that is new.
    fn set(&self, why: Option<&str>) -> bool {
        let new = why.map(str::to_owned);
        let before =
            std::mem::replace(&mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner), new);
        if before.as_deref() != why {
            self.changed.send_modify(|n| *n += 1);
        }
        before.is_none() != why.is_none()
    }

    /// One connection, from its beginning to its end; why it ended.
    async fn session(&self) -> String {
        let opened = tokio::time::timeout(CONNECT, self.open()).await;
        let (boot, stream) = match opened {
            Ok(Ok(x)) => x,
            Ok(Err(why)) => return why,
            Err(_) => return "it takes too long".to_owned(),
        };
        let (r, w) = tokio::io::split(stream);
        let (link, waiting) = mpsc::channel(WAITING);
        self.remote.up(link);
        tokio::select! {
            why = self.hear(&boot, r) => why,
            why = speak(w, waiting) => why,
        }
    }

    async fn open(&self) -> Result<(String, tokio_rustls::client::TlsStream<TcpStream>), String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let tls = (self.shown.tls)()?;
        let name = databases_name(&self.node).map_err(|e| text(&e))?;
        let name = ServerName::try_from(name.to_string()).map_err(|e| text(&e))?;
        let tcp = TcpStream::connect(self.at).await.map_err(|e| plain(&e))?;
        tcp.set_nodelay(true).map_err(|e| text(&e))?;
        let connector = tokio_rustls::TlsConnector::from(tls);
        let mut stream = connector.connect(name, tcp).await.map_err(|e| plain(&e))?;
        let hello = ToPortal::Hello {
            // What is asked here is older than this version: an owner that was not updated yet answers too.
            version: OLDEST,
            product: self.shown.product.to_owned(),
            listen: None,
            groups: true,
        };
        write(&mut stream, &hello).await.map_err(|e| framed(&e))?;
        match read::<ToNode>(&mut stream, FROM_PORTAL).await.map_err(|e| framed(&e))? {
            ToNode::Welcome { boot, .. } => Ok((boot, stream)),
            ToNode::Refused { reason, .. } => Err(reason),
            _ => Err("it was not understood".to_owned()),
        }
    }

    async fn hear(&self, boot: &str, mut r: impl AsyncRead + Unpin) -> String {
        loop {
            let m = match tokio::time::timeout(SILENCE, read::<ToNode>(&mut r, FROM_PORTAL)).await {
                Ok(Ok(m)) => m,
                Ok(Err(e)) => return framed(&e),
                Err(_) => return "it is silent".to_owned(),
            };
            match m {
                ToNode::Databases(list) => {
                    self.remote.databases(boot, &list);
                    if self.set(None) {
                        tracing::info!(node = self.node, at = %self.at, "connected to an owner of databases");
                    }
                    self.changed.send_modify(|n| *n += 1);
                }
                ToNode::Commit { pool, generation, what } => self.remote.committed(&pool, generation, what),
                ToNode::Answer { id, result } => self.remote.answered(id, result),
                ToNode::Refused { reason, .. } => return reason,
                _ => {}
            }
        }
    }
}

/// Writes questions and signs of life.
async fn speak(mut w: impl AsyncWrite + Unpin, mut waiting: mpsc::Receiver<ToPortal>) -> String {
    let mut beat = tokio::time::interval(ALIVE);
    loop {
        let next = tokio::select! {
            m = waiting.recv() => match m {
                Some(m) => m,
                None => return "nothing more to say".to_owned(),
            },
            _ = beat.tick() => ToPortal::Alive,
        };
        match tokio::time::timeout(WRITE, write(&mut w, &next)).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return framed(&e),
            Err(_) => return "it takes nothing".to_owned(),
        }
    }
}
