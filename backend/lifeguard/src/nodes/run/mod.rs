//! `lifeguard node`: servers of a deployment in a process of their own.

mod portal;
mod session;
mod told;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use node::HostRuntime;
use node::ca::{Identity, LocalCa};
use node::remote::{IdentityRow, Remote, ReplicaDirectory};
use node::roster::Rosters;
use shared::deployment::Deployment;
use tokio::sync::{Notify, watch};

use self::portal::{join, place};
use self::session::Over;
use super::errand::Here;
use super::own;
use super::owner::{Owner, Reached};
use super::replica::{Kept, Own, Replica};
use crate::clock::{SystemClock, SystemEntropy, random_hex};
use crate::fleet::Fleet;
use crate::fleet::elsewhere::Shown;
use crate::serve::{Failed, lock};

const PRODUCT: &str = concat!("Lifeguard ", env!("CARGO_PKG_VERSION"));
/// Wait before the portal is tried again.
const AGAIN: Duration = Duration::from_secs(1);
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
