//! `lifeguard serve`: portal and chat host in one process.

use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clap::Args;
use node::HostRuntime;
use node::ca::LocalCa;
use node::traits::{ChatStore, Databases};
use shared::deployment::Deployment;
use store::management::{Management, accounts, audit, set_setting, setting};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::bus::Bus;
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy, random_hex};
use crate::directory::StoreDirectory;
use crate::fleet::Fleet;
use crate::http::tls::PortalTls;
use crate::keys::Keys;
use crate::settings::{DEFAULT_LISTEN, Settings};

/// Options of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Data directory; made when it does not exist.
    #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// Address of the portal.
    #[arg(long, env = "LIFEGUARD_LISTEN", default_value = DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Name of this instance, shown in titles.
    #[arg(long, env = "LIFEGUARD_INSTANCE", default_value = "Lifeguard")]
    pub instance: String,
    /// Certificate of the portal (PEM, with those that signed it); read again when the file changes.
    #[arg(long, env = "LIFEGUARD_TLS_CERTIFICATE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, env = "LIFEGUARD_TLS_KEY", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Speaks TLS on loopback as well; beyond this host it does so by itself unless a TLS proxy stands before it
    /// (`--public-url https://…`).
    #[arg(long, env = "LIFEGUARD_TLS")]
    pub tls: bool,
    /// Base of links given to others, for example https://chat-status.example.com.
    #[arg(long, env = "LIFEGUARD_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Address of a proxy whose X-Forwarded-For is believed (may be repeated).
    #[arg(long, env = "LIFEGUARD_TRUSTED_PROXY")]
    pub trusted_proxy: Vec<std::net::IpAddr>,
    /// A further host name that is answered (may be repeated).
    #[arg(long = "host", env = "LIFEGUARD_HOST")]
    pub hosts: Vec<String>,
    /// Certificate (PEM) with which test messages authenticate as a trusted server.
    #[arg(long, env = "LIFEGUARD_TEST_CERTIFICATE", requires = "test_key")]
    pub test_certificate: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, env = "LIFEGUARD_TEST_KEY", requires = "test_certificate")]
    pub test_key: Option<PathBuf>,
    /// Publishes a sample deployment into an empty data directory: `litware`.
    #[arg(long, value_parser = ["litware"])]
    pub sample: Option<String>,
    /// Address where nodes connect; it is listened on once there is a node, or when it is given.
    #[arg(long, env = "LIFEGUARD_NODE_LISTEN")]
    pub node_listen: Option<SocketAddr>,
    /// Log level: error, warn, info, debug or a tracing filter.
    #[arg(long, env = "LIFEGUARD_LOG", default_value = "info")]
    pub log_level: String,
}

/// Why the program could not start.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Takes the data directory for this process.
///
/// # Errors
/// When another process has it.
pub fn lock(data_dir: &Path) -> Result<std::fs::File, Failed> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let path = data_dir.join("lock");
    let file = std::fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(format!(
            "{} is in use by another lifeguard. End that one first, or give --data-dir another directory.",
            data_dir.display()
        )
        .into()),
        Err(std::fs::TryLockError::Error(e)) => Err(e.into()),
    }
}

/// Where an instance shows that it has a block; nothing is said there.
const MARKER: u16 = 7447;
/// How often, and how long apart, it is looked whether the block of before is free: a process that is ending may hold it still.
const LOOKS: u32 = 10;
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

fn marker(block: u8) -> std::io::Result<std::net::TcpListener> {
    std::net::TcpListener::bind((std::net::Ipv4Addr::new(127, block, 255, 254), MARKER))
}

/// The loopback block of this data directory, remembered, with what shows other instances that it is taken. Another
/// one is chosen when somebody took it while this instance was down: its servers have numbers within the block.
#[expect(
    clippy::disallowed_methods,
    reason = "before anything runs; no event tells that a port of loopback is free"
)]
fn block(store: &Management, entropy: &dyn Entropy) -> Result<(u8, std::net::TcpListener), Failed> {
    let before: Option<u8> = store.read(|c| setting(c, "loopback.block"))?.map(|b| b.parse()).transpose()?;
    if let Some(b) = before {
        for _ in 0..LOOKS {
            if let Ok(shown) = marker(b) {
                return Ok((b, shown));
            }
            std::thread::sleep(LOOK);
        }
        tracing::warn!(block = b, "another instance has taken the loopback block 127.{b}.0.0/16 meanwhile");
    }
    let mut raw = [0];
    entropy.fill(&mut raw);
    let free = (0..=238u8)
        .map(|i| 16 + (raw[0] % 239 + i) % 239)
        .find_map(|x| marker(x).ok().map(|shown| (x, shown)));
    let (chosen, shown) = free.ok_or("no loopback block 127.X.0.0/16 is free")?;
    store.write(|tx| set_setting(tx, "loopback.block", &chosen.to_string()))?;
    Ok((chosen, shown))
}

/// How long a node that owns a database is waited for at start-up.
const OWNERS: std::time::Duration = std::time::Duration::from_secs(3);

/// Closes acts that a kill left open: for those in a pool's database, that database knows what came of them.
async fn close_dangling(app: &App) -> Result<(), Failed> {
    for o in app.store.read(audit::dangling)? {
        let pool = shared::ObjectId::try_from(o.pool.as_str()).ok();
        let store: Option<Arc<dyn ChatStore>> = pool.as_ref().and_then(|p| app.fleet.current(p));
        let outcome = match store {
            Some(s) if s.applied(&o.op_id).await.unwrap_or(false) => "done",
            Some(_) => "failed",
            None => "unknown",
        };
        app.store
            .write(|tx| audit::close(tx, &o.op_id, outcome, "found open after a restart", app.clock.now()))?;
    }
    Ok(())
}

/// Where what servers report is put together.
type Merged = watch::Sender<Vec<shared::deployment::ServerReport>>;

/// The management store is its owner's alone, also in a folder that others may look into.
fn keep_private(data_dir: &Path) -> std::io::Result<()> {
    for name in ["management.db", "management.db-wal", "management.db-shm"] {
        let path = data_dir.join(name);
        if path.exists() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// The application, its servers, their reports, and what shows that its loopback block is taken.
type Built = (Arc<App>, HostRuntime, Merged, std::net::TcpListener);

/// Builds the application over a data directory that is locked.
fn build(args: &ServeArgs) -> Result<Built, Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let store = Management::open(&args.data_dir.join("management.db"))?;
    keep_private(&args.data_dir)?;
    let keys = Arc::new(Keys::open(&args.data_dir.join("secret.key"), &*entropy)?);
    let (block, shown) = block(&store, &*entropy)?;
    let settings = Settings {
        data_dir: std::path::absolute(&args.data_dir)?,
        instance: args.instance.clone(),
        block,
        given_public_url: args.public_url.clone(),
        trusted_proxies: args.trusted_proxy.clone(),
        hosts: args.hosts.clone(),
        test_certificate: args.test_certificate.clone().zip(args.test_key.clone()),
        tls: speaks_tls(args),
        bound: OnceLock::new(),
    };
    let ca = Arc::new(LocalCa::open(&settings.ca_dir())?);
    let fleet = Fleet::new(clock.clone(), store.clone());
    let (deployment, seen) = watch::channel(Arc::new(Deployment::default()));
    let rosters = Arc::new(node::roster::Rosters::default());
    let host = HostRuntime::start(
        node::Settings {
            ca: ca.clone(),
            directory: Arc::new(StoreDirectory::new(store.clone(), keys.clone())),
            databases: fleet.clone(),
            rosters: rosters.clone(),
        },
        seen,
    );
    let (merged, merged_reports) = watch::channel(Vec::new());
    let setup_token = store.read(accounts::accounts)?.is_empty().then(|| random_hex(&*entropy, 16));
    let app = Arc::new(App {
        deploying: std::sync::Mutex::default(),
        looks: crate::looks::Looks::default(),
        bus: Bus::new(random_hex(&*entropy, 4)),
        settings,
        store,
        clock,
        entropy,
        keys,
        turn: tokio::sync::Mutex::new(()),
        fleet,
        deployment,
        reports: merged_reports,
        rosters,
        nodes: crate::nodes::Nodes::new(args.node_listen.unwrap_or(crate::nodes::DEFAULT_LISTEN)),
        ca,
        setup_token: std::sync::Mutex::new(setup_token),
        login_limits: crate::http::limits::LoginLimits::default(),
        alerts: crate::alerts::Alerts::new()?,
        recent: crate::views::recent::Recent::default(),
        requests: crate::http::metrics::Requests::default(),
        adapters: crate::compliance::Adapters::default(),
        running: crate::running::Running::default(),
        backups: crate::backups::Backups::default(),
        viewers: crate::http::viewers::Viewers::default(),
        generation: std::sync::atomic::AtomicU64::new(0),
    });
    Ok((app, host, merged, shown))
}

/// Publishes the sample and writes its credentials to a file of mode 0600.
fn begin_sample(app: &Arc<App>) -> Result<(), Failed> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if app.store.read(store::management::topology::published)?.is_some() {
        return Ok(());
    }
    let begun = crate::sample::begin(app, "host")?;
    let path = app.settings.data_dir.join("sample-credentials.json");
    let mut f =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    f.write_all(&serde_json::to_vec_pretty(&begun.credentials)?)?;
    println!("sample credentials={}", path.display());
    Ok(())
}

/// Tells the page when servers or databases move.
fn announce(app: &Arc<App>) {
    let (a, mut reports) = (app.clone(), app.reports.clone());
    tokio::spawn(async move {
        while reports.changed().await.is_ok() {
            a.bus.send(shared::events::Topic::Server, "");
            if let Err(e) = crate::handlers::stop_drained(&a) {
                tracing::error!(cause = %e.message, "a drained server could not be stopped");
            }
        }
    });
    let (a, mut databases) = (app.clone(), app.fleet.watch());
    tokio::spawn(async move {
        while databases.changed().await.is_ok() {
            a.bus.send(shared::events::Topic::Pool, "");
        }
    });
}

/// Opens the port for nodes when it was asked for, or when there are nodes.
fn listen_for_nodes(app: &Arc<App>, asked: bool) -> Result<(), Failed> {
    if !asked && app.store.read(store::management::nodes::nodes)?.is_empty() {
        return Ok(());
    }
    match crate::nodes::open(app) {
        Ok(at) => println!("nodes url=https://{at}"),
        Err(e) if asked => return Err(e.into()),
        // The portal works without its nodes; they are shown as unreachable.
        Err(e) => tracing::error!(cause = e, "nodes cannot connect"),
    }
    Ok(())
}

/// Whether the portal speaks TLS itself: when it is told to, and beyond this host unless a TLS proxy stands before it.
fn speaks_tls(args: &ServeArgs) -> bool {
    let proxied = args.public_url.as_ref().is_some_and(|u| u.starts_with("https://"));
    args.tls || args.tls_certificate.is_some() || (!args.listen.ip().is_loopback() && !proxied)
}

/// The portal's TLS, when it speaks it.
fn portal_tls(args: &ServeArgs, app: &App, bound: SocketAddr) -> Result<Option<Arc<PortalTls>>, Failed> {
    if !app.settings.tls {
        return Ok(None);
    }
    let made = match (&args.tls_certificate, &args.tls_key) {
        (Some(c), Some(k)) => PortalTls::files(c.clone(), k.clone()),
        _ => {
            let host = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
            let mut names = vec![host, "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
            names.extend(args.hosts.iter().cloned());
            if !bound.ip().is_unspecified() {
                names.push(bound.ip().to_string());
            }
            names.sort();
            names.dedup();
            println!(
                "The portal's certificate is of its own authority: trust {}.",
                app.settings.ca_dir().join("ca.pem").display()
            );
            PortalTls::authority(app.ca.clone(), names)
        }
    };
    Ok(Some(Arc::new(made.map_err(|e| format!("the portal's certificate cannot be used: {e}"))?)))
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start.
pub async fn serve(args: ServeArgs) -> Result<(), Failed> {
    let _lock = lock(&args.data_dir)?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|e| format!("cannot listen on {}: {e}. Give --listen another address.", args.listen))?;
    let (app, host, merged, _shown) = build(&args)?;
    let bound = listener.local_addr()?;
    let _ = app.settings.bound.set(bound);
    let tls = portal_tls(&args, &app, bound)?;
    let portal = shared::Fqdn::try_from(node::ca::PORTAL).map_err(|e| e.0)?;
    let authority = app.ca.clone();
    app.fleet.elsewhere().begin(crate::fleet::elsewhere::Shown {
        node: None,
        tls: Box::new(move || {
            let identity = authority.issue(&[&portal]).map_err(|e| e.to_string())?;
            authority.upstream_config(&identity).map_err(|e| e.to_string())
        }),
        product: concat!("Lifeguard ", env!("CARGO_PKG_VERSION")),
    });
    tokio::spawn(app.fleet.clone().run());
    tokio::spawn(app.fleet.clone().ship());
    tokio::spawn(crate::nodes::follow(app.clone(), host.reports(), merged));
    announce(&app);
    crate::reach::apply(&app)?;
    app.redeploy()?;
    tokio::spawn(crate::apart::run(app.clone()));
    let pools: Vec<_> = app.deployment.borrow().pools.iter().map(|p| p.id.clone()).collect();
    // One deadline for all: many that are gone at once do not keep the portal away for long.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    for p in &pools {
        // A guided run goes on later and opens the database itself.
        if app.fleet.wanted_of(p).is_some_and(|w| w.held) {
            continue;
        }
        let mut left = deadline.saturating_duration_since(std::time::Instant::now());
        if app.fleet.elsewhere().has(p) || app.fleet.apart().has(p) {
            // A node that is down may be so for long; acts that were under way there stay unknown.
            left = left.min(OWNERS);
        }
        if let Err(why) = app.fleet.tried(p, left).await {
            tracing::warn!(pool = %p, why, "a pool's database is not open");
        }
    }
    close_dangling(&app).await?;
    crate::probe::close_interrupted(&app)?;
    crate::ends::follow(&app);
    crate::publish::resume(&app)?;
    crate::failover::rehearsal::close_interrupted(&app)?;
    crate::failover::resume_all(&app)?;
    tokio::spawn(crate::reach::keep(app.clone()));
    tokio::spawn(crate::views::room_life::keep(app.clone()));
    tokio::spawn(crate::watch::run(app.clone()));
    tokio::spawn(crate::alerts::run(app.clone()));
    tokio::spawn(crate::alerts::deliver(app.clone()));
    tokio::spawn(crate::compliance::run(app.clone()));
    tokio::spawn(crate::backups::run(app.clone()));
    tokio::spawn(crate::looks::run(app.clone()));
    tokio::spawn(crate::http::viewers::run(app.clone()));
    let control = crate::control::listen(app.clone())?;
    listen_for_nodes(&app, args.node_listen.is_some())?;
    let scheme = if app.settings.tls { "https" } else { "http" };
    println!("listening url={scheme}://{bound}/");
    if let Some(t) = app.setup_token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref() {
        println!("setup token={t}");
        println!("Open {scheme}://{bound}/setup?token={t} to create the first administrator.");
    } else {
        println!("Open {scheme}://{bound}/");
    }
    if args.sample.is_some() {
        begin_sample(&app)?;
    }
    let (stop, stopped) = watch::channel(false);
    let server =
        tokio::spawn(crate::http::listen::serve(listener, tls, crate::http::router(app.clone()), stopped));
    signal().await;
    tracing::info!("ending");
    control.abort();
    stop.send_replace(true);
    // Live streams never end by themselves; requests get a moment.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(3), server).await;
    host.shutdown().await;
    app.fleet.shutdown().await;
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
pub async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let term = signal(SignalKind::terminate());
    match term {
        Ok(mut t) => {
            tokio::select! {
                _ = t.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
