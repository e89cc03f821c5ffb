//! The host: brings what runs here in line with the deployment, server by server, and reports.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::deployment::{
    ChatPoolHost, Deployment, FrontEndHost, HostedServer, ServerReport, ServerRole, ServerState,
};
use shared::{Fqdn, ObjectId};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::aside::Aside;
use crate::ca::{LocalCa, names_of};
use crate::chat::ChatServer;
use crate::connection::{self, Handler, Timing};
use crate::front_end::FrontEnd;
use crate::roster::Rosters;
use crate::traits::{Databases, Directory};

/// Wait before a server that could not start is tried again.
const RETRY: Duration = Duration::from_secs(3);
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest wait for connections to write their last messages.
const FLUSH: Duration = Duration::from_secs(3);
/// Most connections at one listener.
const MAX_CONNECTIONS: usize = 20_000;
/// Most of them from one address: many users may stand behind one, but nobody takes all the room there is.
const FROM_ONE: usize = 4_000;
/// Sessions come and go in crowds; what is reported of them waits this long for more.
const CALM: Duration = Duration::from_millis(100);

/// What the host works with.
pub struct Settings {
    /// The authority that issues certificates.
    pub ca: Arc<LocalCa>,
    /// Users.
    pub directory: Arc<dyn Directory>,
    /// Chat databases.
    pub databases: Arc<dyn Databases>,
    /// Who is in which room.
    pub rosters: Arc<Rosters>,
}

/// What decides whether a running server must be started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    server: HostedServer,
    pool: ObjectId,
    pool_name: Fqdn,
    role: ServerRole,
    ports: Vec<u16>,
}

enum Service {
    FrontEnd(Arc<FrontEnd>),
    Chat(Arc<ChatServer>),
}

impl Service {
    fn sessions(&self) -> u32 {
        match self {
            Self::FrontEnd(f) => f.sessions(),
            Self::Chat(c) => c.sessions(),
        }
    }
}

struct Running {
    shape: Shape,
    service: Service,
    /// Told when the listeners are to end.
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    /// What is ended with the service.
    tasks: Vec<JoinHandle<()>>,
    /// Writes compliance events; ends by itself.
    journal: Option<JoinHandle<()>>,
    listens: Vec<String>,
}

impl Running {
    /// Stops accepting, lets the service say good-bye, and ends what is left after a short while.
    async fn stop(self) {
        self.stop.send_replace(true);
        match &self.service {
            Service::FrontEnd(f) => f.stop().await,
            Service::Chat(c) => c.stop().await,
        }
        // The listeners end by themselves; their ports are free afterwards.
        for t in self.listeners {
            let _ = t.await;
        }
        for t in self.tasks {
            t.abort();
            let _ = t.await;
        }
        if let Some(mut journal) = self.journal
            && tokio::time::timeout(FLUSH, &mut journal).await.is_err()
        {
            tracing::error!(server = %self.shape.server.fqdn, "compliance events could not be written in time");
            journal.abort();
        }
    }
}

enum Slot {
    Running(Box<Running>),
    Failed(Shape, String),
}

/// The running host.
pub struct HostRuntime {
    reports: watch::Receiver<Vec<ServerReport>>,
    task: JoinHandle<()>,
    stop: Arc<Notify>,
}

fn shapes(d: &Deployment) -> Vec<Shape> {
    let fe = |f: &FrontEndHost| {
        let ports = vec![f.tls_port, f.tcp_port];
        let make = |s: &HostedServer| Shape {
            server: s.clone(),
            pool: f.id.clone(),
            pool_name: f.fqdn.clone(),
            role: ServerRole::FrontEnd,
            ports: ports.clone(),
        };
        f.servers.iter().filter(|s| s.runs_here).map(make).collect::<Vec<_>>()
    };
    let chat = |p: &ChatPoolHost| {
        let make = |s: &HostedServer| Shape {
            server: s.clone(),
            pool: p.id.clone(),
            pool_name: p.fqdn.clone(),
            role: ServerRole::Chat,
            ports: vec![p.port],
        };
        p.servers.iter().map(|s| &s.server).filter(|s| s.runs_here).map(make).collect::<Vec<_>>()
    };
    d.front_ends.iter().flat_map(fe).chain(d.pools.iter().flat_map(chat)).collect()
}

struct Host {
    settings: Settings,
    deployment: watch::Receiver<Arc<Deployment>>,
    changed: Arc<Notify>,
    /// By computer and role: a collocated server is two.
    slots: HashMap<(Fqdn, ServerRole), Slot>,
}

impl HostRuntime {
    /// Starts the host; it follows `deployment` from now on.
    pub fn start(mut settings: Settings, deployment: watch::Receiver<Arc<Deployment>>) -> Self {
        let (sender, reports) = watch::channel(Vec::new());
        settings.directory = Arc::new(Aside(settings.directory));
        let stop = Arc::new(Notify::new());
        let host = Host { settings, deployment, changed: Arc::new(Notify::new()), slots: HashMap::new() };
        let task = tokio::spawn(host.run(sender, stop.clone()));
        Self { reports, task, stop }
    }

    /// What every server does, live.
    pub fn reports(&self) -> watch::Receiver<Vec<ServerReport>> {
        self.reports.clone()
    }

    /// Ends dialogs, closes listeners, and returns when all is done.
    pub async fn shutdown(self) {
        self.stop.notify_one();
        if let Err(e) = self.task.await {
            tracing::error!(cause = %e, "the chat host ended badly");
        }
    }
}

impl Host {
    async fn run(mut self, sender: watch::Sender<Vec<ServerReport>>, stop: Arc<Notify>) {
        let changed = self.changed.clone();
        loop {
            let d = self.deployment.borrow_and_update().clone();
            let failed = self.reconcile(&d).await;
            let reports = self.reports(d.generation);
            sender.send_if_modified(|old| {
                let new = *old != reports;
                *old = reports;
                new
            });
            let retry = tokio::time::sleep(if failed { RETRY } else { Duration::from_secs(3600) });
            tokio::select! {
                r = self.deployment.changed() => if r.is_err() { break },
                () = settled(&changed) => {}
                () = retry => {}
                () = stop.notified() => break,
            }
        }
        let running =
            self.slots.drain().filter_map(|(_, s)| if let Slot::Running(r) = s { Some(r) } else { None });
        let (front, chat): (Vec<_>, Vec<_>) =
            running.partition(|r| matches!(r.service, Service::FrontEnd(_)));
        // The Front Ends first: they end their dialogs at the chat servers.
        for group in [front, chat] {
            let mut ending = tokio::task::JoinSet::new();
            for r in group {
                ending.spawn(r.stop());
            }
            while ending.join_next().await.is_some() {}
        }
    }

    /// Stops what is no longer wanted, starts what is; whether anything failed.
    async fn reconcile(&mut self, d: &Deployment) -> bool {
        let wanted = shapes(d);
        let keep = |slot: &Slot| match slot {
            Slot::Running(r) => wanted.contains(&r.shape),
            Slot::Failed(..) => false,
        };
        let gone: Vec<_> = self.slots.iter().filter(|(_, s)| !keep(s)).map(|(k, _)| k.clone()).collect();
        for key in gone {
            if let Some(Slot::Running(r)) = self.slots.remove(&key) {
                r.stop().await;
            }
        }
        let mut failed = false;
        for shape in wanted {
            let key = (shape.server.fqdn.clone(), shape.role);
            if self.slots.contains_key(&key) {
                continue;
            }
            let slot = match self.launch(&shape).await {
                Ok(r) => Slot::Running(Box::new(r)),
                Err(e) => {
                    tracing::warn!(server = %key.0, cause = %e, "a server could not start");
                    failed = true;
                    Slot::Failed(shape, e)
                }
            };
            self.slots.insert(key, slot);
        }
        failed
    }

    async fn launch(&mut self, shape: &Shape) -> Result<Running, String> {
        let ca = self.settings.ca.clone();
        let identity = ca.issue(&[&shape.server.fqdn, &shape.pool_name]).map_err(|e| e.to_string())?;
        let mut listeners = Vec::new();
        for port in &shape.ports {
            let at = SocketAddr::new(shape.server.address, *port);
            listeners.push(TcpListener::bind(at).await.map_err(|e| format!("cannot listen on {at}: {e}"))?);
        }
        let listens =
            shape.ports.iter().map(|p| SocketAddr::new(shape.server.address, *p).to_string()).collect();
        let names = vec![shape.server.fqdn.clone(), shape.pool_name.clone()];
        let clients = shape.role == ServerRole::FrontEnd;
        let shown = ca.present(names, &identity, clients).map_err(|e| e.to_string())?;
        let (stop, stopped) = watch::channel(false);
        let (mut tasks, mut accepting, mut journal) = (Vec::new(), Vec::new(), None);
        let mut listeners = listeners.into_iter();
        let service = match shape.role {
            ServerRole::FrontEnd => {
                let upstream = ca.upstream_config(&identity).map_err(|e| e.to_string())?;
                let tls = ca.front_end_config(shown).map_err(|e| e.to_string())?;
                let fe = FrontEnd::new(
                    shape.pool.clone(),
                    shape.server.fqdn.clone(),
                    self.deployment.clone(),
                    self.settings.directory.clone(),
                    upstream,
                    self.changed.clone(),
                );
                if let Some(l) = listeners.next() {
                    accepting.push(tokio::spawn(accept(l, Some(tls), fe.clone(), stopped.clone())));
                }
                if let Some(l) = listeners.next() {
                    accepting.push(tokio::spawn(accept(l, None, fe.clone(), stopped)));
                }
                tasks.push(tokio::spawn(fe.clone().watch()));
                Service::FrontEnd(fe)
            }
            ServerRole::Chat => {
                let tls = ca.chat_server_config(shown).map_err(|e| e.to_string())?;
                let roster = self.settings.rosters.of(&shape.pool);
                let chat = ChatServer::new(
                    shape.pool.clone(),
                    shape.server.fqdn.clone(),
                    self.deployment.clone(),
                    self.settings.directory.clone(),
                    self.settings.databases.clone(),
                    roster,
                    self.changed.clone(),
                );
                if let Some(l) = listeners.next() {
                    accepting.push(tokio::spawn(accept(l, Some(tls), chat.clone(), stopped)));
                }
                tasks.push(tokio::spawn(chat.clone().deliver()));
                tasks.push(tokio::spawn(chat.clone().watch()));
                journal = Some(tokio::spawn(chat.clone().keep_journal()));
                Service::Chat(chat)
            }
        };
        Ok(Running { shape: shape.clone(), service, stop, listeners: accepting, tasks, journal, listens })
    }

    fn reports(&self, generation: u64) -> Vec<ServerReport> {
        let mut out: Vec<ServerReport> = self
            .slots
            .iter()
            .map(|((name, _), slot)| match slot {
                Slot::Running(r) => ServerReport {
                    fqdn: name.clone(),
                    role: r.shape.role,
                    state: ServerState::Running,
                    listens: r.listens.clone(),
                    sessions: r.service.sessions(),
                    generation,
                    node: None,
                },
                Slot::Failed(shape, why) => ServerReport {
                    fqdn: name.clone(),
                    role: shape.role,
                    state: ServerState::Failed(why.clone()),
                    listens: Vec::new(),
                    sessions: 0,
                    generation,
                    node: None,
                },
            })
            .collect();
        out.sort_by(|a, b| a.fqdn.cmp(&b.fqdn).then((a.role as u8).cmp(&(b.role as u8))));
        out
    }
}

/// The sessions have changed, and the first crowd is over.
async fn settled(changed: &Notify) {
    changed.notified().await;
    tokio::time::sleep(CALM).await;
}

/// Connections by their far end's address.
#[derive(Default)]
struct Sources(Mutex<HashMap<IpAddr, usize>>);

/// One connection's place among those of its address; given back when it ends.
struct Place(Arc<Sources>, IpAddr);

impl Sources {
    /// A place for one more connection from here, when there is one.
    fn place(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = all.entry(from).or_default();
        if *n >= FROM_ONE {
            return None;
        }
        *n += 1;
        Some(Place(self.clone(), from))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = all.get_mut(&self.1) {
            *n -= 1;
            if *n == 0 {
                all.remove(&self.1);
            }
        }
    }
}

/// Accepts until stopped; a handshake never holds up the next connection. Connections end soon after.
async fn accept(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    handler: Arc<dyn Handler>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    let sources = Arc::new(Sources::default());
    loop {
        let accepted = tokio::select! {
            a = listener.accept() => a,
            _ = stopped.wait_for(|s| *s) => break,
        };
        let (tcp, remote) = match accepted {
            Ok(x) => x,
            Err(e) => {
                tracing::warn!(cause = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= MAX_CONNECTIONS {
            continue;
        }
        let Some(place) = sources.place(remote.ip()) else {
            tracing::debug!(%remote, "a connection too many from this address is refused");
            continue;
        };
        let work = connect(tcp, remote, tls.clone(), handler.clone());
        connections.spawn(async move {
            work.await;
            drop(place);
        });
    }
    drop(listener);
    // The service closes its connections; what is left after that is cut off with the set.
    let _ = tokio::time::timeout(FLUSH, async { while connections.join_next().await.is_some() {} }).await;
}

async fn connect(
    tcp: TcpStream,
    remote: SocketAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
    handler: Arc<dyn Handler>,
) {
    let Ok(local) = tcp.local_addr() else { return };
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let Some(config) = tls else {
        let (peer, work) = connection::start(tcp, remote, local, handler.clone(), Timing::ACCEPTED);
        if handler.accepted(&peer, &[]) {
            work.await;
        }
        return;
    };
    let handshake = tokio_rustls::TlsAcceptor::from(config).accept(tcp);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, handshake).await else { return };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|c| c.first());
    let names = certificate.map(names_of).unwrap_or_default();
    let (peer, work) = connection::start(stream, remote, local, handler.clone(), Timing::ACCEPTED);
    if handler.accepted(&peer, &names) {
        work.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_its_own_room_only_and_gives_it_back() {
        let sources = Arc::new(Sources::default());
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let held: Vec<Place> = (0..FROM_ONE).filter_map(|_| sources.place(one)).collect();
        assert_eq!(held.len(), FROM_ONE);
        assert!(sources.place(one).is_none() && sources.place(other).is_some());
        drop(held);
        assert!(sources.place(one).is_some());
        assert!(sources.0.lock().unwrap().is_empty(), "nothing is kept of who has gone");
    }
}
