//! `lifeguard node`: servers of a deployment in a process of their own.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use node::HostRuntime;
use node::ca::{Identity, Issued, LocalCa, PORTAL};
use node::remote::{
    ALIVE, FROM_PORTAL, IdentityRow, Remote, ReplicaDirectory, SILENCE, ToNode, ToPortal, VERSION, WRITE,
    read, write,
};
use node::roster::Rosters;
use rustls::pki_types::ServerName;
use shared::ObjectId;
use shared::deployment::{ChatPoolHost, Deployment, PoolState, ServerReport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_rustls::client::TlsStream;

use super::errand::Here;
use super::instance;
use super::join::parts;
use super::own;
use super::owner::{Owner, Reached};
use super::replica::{Kept, Own, Replica};
use crate::clock::{Clock, SystemClock, SystemEntropy, random_hex};
use crate::fleet::Fleet;
use crate::fleet::elsewhere::Shown;
use crate::serve::{Failed, lock};

const PRODUCT: &str = concat!("Lifeguard ", env!("CARGO_PKG_VERSION"));
/// Longest wait for the portal to take a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Wait before the portal is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Questions that may wait for the link.
const WAITING: usize = 1024;
/// Changes that come together are kept together.
const GATHER: Duration = Duration::from_millis(200);

/// Options of `node`.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// The portal's address for nodes, for example https://portal.contoso.com:7444. Remembered once joined.
    #[arg(long, env = "LIFEGUARD_JOIN")]
    pub join: Option<String>,
    /// The one-time token of New-LgNode; needed only to join.
    #[arg(long, env = "LIFEGUARD_JOIN_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Data directory; made when it does not exist.
    #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "node-data")]
    pub data_dir: PathBuf,
    /// Address that its servers listen on, and at which all others reach them; the one the portal is reached
    /// from when left out.
    #[arg(long, env = "LIFEGUARD_LISTEN")]
    pub listen: Option<IpAddr>,
    /// Log level: error, warn, info, debug or a tracing filter.
    #[arg(long, env = "LIFEGUARD_LOG", default_value = "info")]
    pub log_level: String,
}

/// `host:port` of a URL.
fn place(url: &str) -> Result<String, Failed> {
    let rest = url.trim().strip_prefix("https://").unwrap_or(url.trim()).trim_end_matches('/');
    let wrong = || format!("{url} is no address of a portal; give one like https://portal.contoso.com:7444");
    let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || port.parse::<u16>().is_err() || rest.contains('/') {
        return Err(wrong().into());
    }
    Ok(rest.to_owned())
}

async fn connect(portal: &str, tls: Arc<rustls::ClientConfig>) -> Result<TlsStream<TcpStream>, Failed> {
    let open = async {
        let tcp = TcpStream::connect(portal).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(PORTAL).map_err(|e| std::io::Error::other(e.to_string()))?;
        tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await
    };
    let opened = tokio::time::timeout(CONNECT, open).await;
    let opened = opened.map_err(|_| format!("the portal at {portal} does not answer"))?;
    Ok(opened.map_err(|e| format!("the portal at {portal}: {e}"))?)
}

/// Joins with a token: a new key, and the deployment's certificate for it.
async fn join(args: &NodeArgs) -> Result<Own, Failed> {
    let (Some(url), Some(token)) = (&args.join, &args.token) else {
        return Err("This node has not joined yet: give --join and --token, as New-LgNode shows them.".into());
    };
    let (fingerprint, secret) =
        parts(token).ok_or("The token is not whole; copy all of it as New-LgNode shows it.")?;
    let portal = place(url)?;
    let key = node::ca::new_key()?;
    let mut stream = connect(&portal, node::ca::pinned(&fingerprint)?).await?;
    let ask = ToPortal::Join { version: VERSION, secret, public_key: key.public, listen: args.listen };
    let exchange = async {
        write(&mut stream, &ask).await?;
        read::<ToNode>(&mut stream, FROM_PORTAL).await
    };
    match tokio::time::timeout(SILENCE, exchange).await.map_err(|_| "the portal does not answer")?? {
        ToNode::Joined { name, certificate, authority } => {
            let authority_is = hex::decode(&authority)?;
            if node::ca::fingerprint_of(&authority_is) != fingerprint.to_lowercase() {
                return Err("the portal sent another authority than the token names".into());
            }
            Ok(Own { name, portal, issued: Issued { certificate, key: key.private }, authority })
        }
        ToNode::Refused { reason, .. } => Err(reason.into()),
        _ => Err("the portal answered something else than was asked".into()),
    }
}

/// What a node has in hand while it runs.
struct Node {
    args: NodeArgs,
    kept: Kept,
    own: std::sync::Mutex<Own>,
    ca: Arc<LocalCa>,
    directory: Arc<ReplicaDirectory>,
    remote: Remote,
    rosters: Arc<Rosters>,
    deployment: watch::Sender<Arc<Deployment>>,
    identities: std::sync::Mutex<Vec<IdentityRow>>,
    changed: Notify,
    /// Test messages that it runs for the portal.
    tests: Arc<Here>,
    /// Databases that it owns.
    fleet: Arc<Fleet>,
    /// Whether the portal has sent a deployment since this process began.
    confirmed: Arc<AtomicBool>,
}

/// Sides in use and switches under way.
fn holds(d: &Deployment) -> Vec<(&ObjectId, PoolState, Option<&String>)> {
    let pairs = d.pools.iter().filter_map(|p| Some((&p.id, p.pair.as_ref()?)));
    pairs.map(|(id, pair)| (id, pair.in_use, pair.hold.as_ref())).collect()
}

/// Why a session ended.
enum Over {
    /// Tried again.
    Lost(String),
    /// For good.
    Removed(String),
}

impl Node {
    /// TLS settings with its certificate as it is now.
    fn tls(&self) -> Result<Arc<rustls::ClientConfig>, String> {
        let identity = Identity::of(&self.own().issued, self.ca.certificate()).map_err(|e| e.to_string())?;
        self.ca.upstream_config(&identity).map_err(|e| e.to_string())
    }

    fn own(&self) -> Own {
        self.own.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn identities(&self) -> std::sync::MutexGuard<'_, Vec<IdentityRow>> {
        self.identities.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Keeps the replica as it changes.
    async fn keep(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(GATHER).await;
            let this = self.clone();
            let saved = tokio::task::spawn_blocking(move || this.save()).await;
            if let Err(e) = saved.unwrap_or_else(|e| Err(e.into())) {
                tracing::error!(cause = %e, "the replica could not be kept; tried again with its next change");
            }
        }
    }

    fn save(&self) -> Result<(), Failed> {
        let deployment = (**self.deployment.borrow()).clone();
        self.save_as(deployment)
    }

    fn save_as(&self, deployment: Deployment) -> Result<(), Failed> {
        let identities = self.identities().clone();
        let r = Replica { deployment, users: self.directory.all(), identities };
        self.kept.save_replica(&SystemEntropy, &r)
    }

    /// Takes the renewed certificate.
    fn renew(&self, certificate: String) {
        if certificate.is_empty() {
            return;
        }
        let own = {
            let mut own = self.own.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            own.issued.certificate = certificate;
            own.clone()
        };
        if let Err(e) = self.kept.save_own(&own) {
            tracing::error!(cause = %e, "the renewed certificate could not be kept");
        }
    }

    fn take(&self, boot: &str, m: ToNode, link: &mpsc::Sender<ToPortal>) -> Result<(), Over> {
        match m {
            ToNode::Alive | ToNode::Joined { .. } | ToNode::Welcome { .. } => {}
            ToNode::Refused { reason, removed: true } => return Err(Over::Removed(reason)),
            ToNode::Refused { reason, .. } => return Err(Over::Lost(reason)),
            ToNode::Identities(list) => {
                for row in list {
                    self.ca.give(&row.server, row.issued.clone());
                    let mut known = self.identities();
                    known.retain(|k| k.server != row.server);
                    known.push(row);
                }
                own::apply(&self.ca, &self.identities());
                self.ca.refresh(SystemClock.now());
                self.changed.notify_one();
            }
            ToNode::Deployment(d) => {
                // Keys of servers that run elsewhere now are not kept.
                let front = d.front_ends.iter().flat_map(|f| &f.servers);
                let chat = d.pools.iter().flat_map(|p| p.servers.iter().map(|s| &s.server));
                let servers = front.chain(chat).filter(|s| s.runs_here).map(|s| s.fqdn.clone());
                // What its databases are served with stays: without the portal there would be no other.
                let here: Vec<_> = servers.chain(node::ca::databases_name(&self.own().name)).collect();
                self.identities().retain(|i| here.iter().any(|h| h.as_str() == i.server));
                own::apply(&self.ca, &self.identities());
                self.ca.refresh(SystemClock.now());
                // A switch that the portal is told of holds after a kill as well: it is noted first.
                if holds(&d) != holds(&self.deployment.borrow())
                    && let Err(e) = self.save_as((*d).clone())
                {
                    return Err(Over::Lost(format!("a switch could not be noted: {e}")));
                }
                self.confirmed.store(true, Ordering::Release);
                self.deployment.send_replace(Arc::new(*d));
                self.changed.notify_one();
            }
            ToNode::Users { first, last, changed, removed } => {
                if self.directory.take(first, last, changed, &removed) {
                    self.changed.notify_one();
                }
            }
            ToNode::Present { pool, reset, people } => {
                let roster = self.rosters.of(&pool);
                if reset {
                    roster.forget(|_| true);
                }
                people.iter().for_each(|p| roster.take(p));
            }
            ToNode::Databases(list) => self.remote.databases(boot, &list),
            ToNode::Commit { pool, generation, what } => self.remote.committed(&pool, generation, what),
            ToNode::Answer { id, result } => self.remote.answered(id, result),
            ToNode::Test(errand) => {
                tokio::spawn(self.tests.clone().carry_out(self.ca.clone(), *errand, link.clone()));
            }
            ToNode::StopTest { run } => self.tests.stop(&run),
            ToNode::Inquire { id, what } => {
                let asked = instance::answer(self.fleet.clone(), self.args.data_dir.clone(), what);
                let link = link.clone();
                tokio::spawn(async move {
                    let result = asked.await;
                    // A portal that is gone asks again.
                    let _ = link.send(ToPortal::Inquired { id, result }).await;
                });
            }
        }
        Ok(())
    }

    /// One connection to the portal, from its beginning to its end.
    async fn session(&self, reports: &mut watch::Receiver<Vec<ServerReport>>) -> Over {
        let lost = |e: &dyn std::fmt::Display| Over::Lost(e.to_string());
        let own = self.own();
        let tls = match self.tls() {
            Ok(t) => t,
            Err(e) => return lost(&e),
        };
        let mut stream = match connect(&own.portal, tls).await {
            Ok(s) => s,
            Err(e) => return lost(&e),
        };
        let hello = ToPortal::Hello {
            version: VERSION,
            product: PRODUCT.to_owned(),
            listen: self.args.listen,
            groups: true,
        };
        let exchange = async {
            write(&mut stream, &hello).await?;
            read::<ToNode>(&mut stream, FROM_PORTAL).await
        };
        let (link, waiting) = mpsc::channel(WAITING);
        let boot = match tokio::time::timeout(SILENCE, exchange).await {
            Ok(Ok(ToNode::Welcome { boot, certificate })) => {
                self.renew(certificate);
                boot
            }
            Ok(Ok(other)) => {
                return self
                    .take("", other, &link)
                    .err()
                    .unwrap_or_else(|| lost(&"the portal was not understood"));
            }
            Ok(Err(e)) => return lost(&e),
            Err(_) => return lost(&"the portal is silent"),
        };
        tracing::info!(portal = own.portal, "connected");
        println!("connected portal={}", own.portal);
        let (r, w) = tokio::io::split(stream);
        reports.mark_changed();
        let presence = present(&self.rosters, self.deployment.subscribe(), link.clone());
        let tests = link.clone();
        self.remote.up(link);
        let over = tokio::select! {
            o = self.hear(&boot, r, &tests) => o,
            () = presence => lost(&"the link takes nothing any more"),
            why = speak(w, waiting, reports) => Over::Lost(why),
        };
        self.remote.down();
        self.tests.stop_all();
        // Who is elsewhere is not known any more.
        self.rosters.forget(|_| true);
        over
    }

    async fn hear(&self, boot: &str, mut r: impl AsyncRead + Unpin, link: &mpsc::Sender<ToPortal>) -> Over {
        loop {
            let m = match tokio::time::timeout(SILENCE, read::<ToNode>(&mut r, FROM_PORTAL)).await {
                Ok(Ok(m)) => m,
                Ok(Err(e)) => return Over::Lost(e.to_string()),
                Err(_) => return Over::Lost("the portal is silent".to_owned()),
            };
            if let Err(over) = self.take(boot, m, link) {
                return over;
            }
        }
    }
}

/// Tells the portal who is in which room here, as long as the link takes it.
async fn present(
    rosters: &Rosters,
    mut deployment: watch::Receiver<Arc<Deployment>>,
    link: mpsc::Sender<ToPortal>,
) {
    let mut changes = rosters.subscribe();
    let mut told: BTreeSet<ObjectId> = BTreeSet::new();
    loop {
        let d = deployment.borrow_and_update().clone();
        let here = |p: &&ChatPoolHost| p.servers.iter().any(|s| s.server.runs_here);
        let own: BTreeSet<ObjectId> = d.pools.iter().filter(here).map(|p| p.id.clone()).collect();
        told.retain(|p| own.contains(p));
        for pool in own {
            if told.insert(pool.clone()) {
                let people = rosters.of(&pool).all().into_iter().filter(|p| p.origin.is_empty()).collect();
                if link.send(ToPortal::Present { pool, reset: true, people }).await.is_err() {
                    return;
                }
            }
        }
        tokio::select! {
            r = deployment.changed() => if r.is_err() { return },
            c = changes.recv() => match c {
                Ok((pool, p)) if p.origin.is_empty() && told.contains(&pool) => {
                    let people = vec![p];
                    if link.send(ToPortal::Present { pool, reset: false, people }).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                // Too much at once: told anew as it stands.
                Err(broadcast::error::RecvError::Lagged(_)) => told.clear(),
                Err(broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

/// Writes questions, reports and signs of life.
async fn speak(
    mut w: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<ToPortal>,
    reports: &mut watch::Receiver<Vec<ServerReport>>,
) -> String {
    let mut beat = tokio::time::interval(ALIVE);
    loop {
        let next = tokio::select! {
            m = waiting.recv() => match m {
                Some(m) => m,
                None => return "nothing more to say".to_owned(),
            },
            r = reports.changed() => match r {
                Ok(()) => ToPortal::Reports(reports.borrow_and_update().clone()),
                Err(_) => return "the servers have ended".to_owned(),
            },
            _ = beat.tick() => ToPortal::Alive,
        };
        match tokio::time::timeout(WRITE, write(&mut w, &next)).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return e.to_string(),
            Err(_) => return "the portal takes nothing".to_owned(),
        }
    }
}

/// Runs until SIGTERM or SIGINT, or until the node is removed.
///
/// # Errors
/// When it cannot start, or was removed.
pub async fn run(args: NodeArgs) -> Result<(), Failed> {
    let _lock = lock(&args.data_dir)?;
    let kept = Kept::open(&args.data_dir, &SystemEntropy)?;
    let own = match kept.own()? {
        Some(mut own) => {
            if let Some(url) = &args.join {
                own.portal = place(url)?;
            }
            own
        }
        None => {
            let own = join(&args).await?;
            kept.save_own(&own)?;
            own
        }
    };
    println!("node name={}", own.name);
    // What a rehearsal left that was ended with the process.
    let _ = std::fs::remove_dir_all(args.data_dir.join("rehearsals"));
    let ca = Arc::new(LocalCa::replica(hex::decode(&own.authority)?)?);
    let replica = kept.replica();
    let directory = Arc::new(ReplicaDirectory::default());
    let (deployment, seen) = watch::channel(Arc::new(Deployment::default()));
    let mut identities = Vec::new();
    if let Some(r) = replica {
        r.identities.iter().for_each(|i| ca.give(&i.server, i.issued.clone()));
        identities = r.identities;
        own::apply(&ca, &identities);
        directory.take(true, true, r.users, &[]);
        deployment.send_replace(Arc::new(r.deployment));
    }
    let remote = Remote::default();
    let rosters = Arc::new(Rosters::default());
    // Which side was opened last, and with which epoch, is this process's own to note: the portal may be away.
    let notes = store::management::Management::open(&args.data_dir.join("databases.db"))?;
    let fleet = Fleet::new(Arc::new(SystemClock), notes);
    let databases =
        Arc::new(Reached { fleet: fleet.clone(), portal: remote.clone(), changed: watch::channel(0).0 });
    tokio::spawn(databases.clone().follow());
    let confirmed = Arc::new(AtomicBool::new(false));
    let owner = Arc::new(Owner {
        name: own.name.clone(),
        data_dir: args.data_dir.clone(),
        boot: random_hex(&SystemEntropy, 4),
        ca: ca.clone(),
        fleet: fleet.clone(),
        deployment: seen.clone(),
        confirmed: confirmed.clone(),
    });
    let host = HostRuntime::start(
        node::Settings { ca: ca.clone(), directory: directory.clone(), databases, rosters: rosters.clone() },
        seen,
    );
    let mut reports = host.reports();
    let node = Arc::new(Node {
        args,
        kept,
        own: std::sync::Mutex::new(own),
        ca,
        directory,
        remote,
        rosters,
        deployment,
        identities: std::sync::Mutex::new(identities),
        changed: Notify::new(),
        tests: Arc::default(),
        fleet: fleet.clone(),
        confirmed,
    });
    let shown = node.clone();
    fleet.elsewhere().begin(Shown {
        node: Some(owner.name.clone()),
        tls: Box::new(move || shown.tls()),
        product: PRODUCT,
    });
    let opening = tokio::spawn(fleet.clone().run());
    let shipping = tokio::spawn(fleet.clone().ship());
    let serving = tokio::spawn(owner.run());
    let keeping = tokio::spawn(node.clone().keep());
    let work = async {
        loop {
            match node.session(&mut reports).await {
                Over::Lost(why) => tracing::warn!(why, "not connected to the portal; tried again"),
                Over::Removed(why) => return why,
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    let removed = tokio::select! {
        why = work => Some(why),
        () = crate::serve::signal() => None,
    };
    host.shutdown().await;
    serving.abort();
    opening.abort();
    shipping.abort();
    fleet.shutdown().await;
    keeping.abort();
    let _ = keeping.await;
    match removed {
        Some(why) => {
            node.kept.forget();
            Err(why.into())
        }
        None => node.save(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_has_a_host_and_a_port() {
        assert_eq!(place("https://portal.contoso.com:7444/").unwrap(), "portal.contoso.com:7444");
        assert_eq!(place("127.0.0.1:7444").unwrap(), "127.0.0.1:7444");
        for wrong in ["https://portal", "https://:7444", "https://p:x", "https://p/x:7444"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
