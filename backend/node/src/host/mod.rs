//! The host: brings what runs here in line with the deployment, server by server, and reports.

mod accept;
mod server;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::Fqdn;
use shared::deployment::{Deployment, ServerReport, ServerRole, ServerState};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use self::accept::accept;
use self::server::{Running, Service, Shape, Slot, shapes};
use crate::aside::Aside;
use crate::ca::LocalCa;
use crate::chat::ChatServer;
use crate::front_end::FrontEnd;
use crate::roster::Rosters;
use crate::traits::{Databases, Directory};

/// Wait before a server that could not start is tried again.
const RETRY: Duration = Duration::from_secs(3);
/// Longest wait for connections to write their last messages.
const FLUSH: Duration = Duration::from_secs(3);
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

/// The running host.
pub struct HostRuntime {
    reports: watch::Receiver<Vec<ServerReport>>,
    task: JoinHandle<()>,
    stop: Arc<Notify>,
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
