//! The link to one node, seen from the portal.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use node::ca::{key_of, node_name};
use node::members::Membership as _;
use node::remote::{
    ALIVE, FROM_NODE, FROM_STRANGER, FrameError, OLDEST, SILENCE, ToNode, ToPortal, VERSION, WRITE, answer,
    read, write,
};
use node::roster::Presence;
use node::traits::{Databases, StoreError};
use rustls::pki_types::CertificateDer;
use shared::deployment::Deployment;
use shared::events::Topic;
use store::management::nodes as kept;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;

use super::errand::Way;
use super::instance::DATABASES;
use super::{End, feed, join, spelt, view};
use crate::app::App;
use crate::door::Fault;

/// Longest wait for a stranger's first words.
const FIRST: Duration = Duration::from_secs(10);
/// Frames that may wait for a node.
const WAITING: usize = 256;
/// Questions of one node that are answered at the same time.
const QUESTIONS: usize = 64;

pub(super) fn refused(reason: impl Into<String>, removed: bool) -> ToNode {
    ToNode::Refused { reason: reason.into(), removed }
}

/// Why, and whether for good.
pub(super) type No = (String, bool);

pub(super) fn version(v: u32) -> Result<(), No> {
    if (OLDEST..=VERSION).contains(&v) {
        return Ok(());
    }
    Err((
        format!(
            "The node speaks version {v} of the node protocol; this portal speaks {VERSION} and takes {OLDEST} at least. Update the older of the two."
        ),
        false,
    ))
}

/// Who a certificate is for, when he belongs to the deployment.
fn identify(app: &App, certificate: Option<&CertificateDer<'_>>) -> Result<String, No> {
    let name =
        certificate.and_then(node_name).ok_or_else(|| ("A node shows its certificate.".to_owned(), false))?;
    let key = certificate.map(key_of).unwrap_or_default();
    let row = app.store.read(|c| Ok::<_, Fault>(kept::node(c, &name)?)).map_err(|f| (f.0.message, false))?;
    if row.and_then(|n| n.key_hash).is_some_and(|k| k == key) {
        return Ok(name);
    }
    Err((format!("Node {name} was removed from the deployment."), true))
}

/// Talks to whoever has connected, until one of both ends it.
pub async fn talk(
    app: Arc<App>,
    mut stream: TlsStream<TcpStream>,
    remote: SocketAddr,
    certificate: Option<CertificateDer<'static>>,
) {
    let max = if certificate.is_some() { FROM_NODE } else { FROM_STRANGER };
    let first = tokio::time::timeout(FIRST, read::<ToPortal>(&mut stream, max)).await;
    let reply = match first {
        Ok(Ok(ToPortal::Join { version: v, secret, public_key, listen })) => match version(v) {
            Ok(()) => {
                let app = app.clone();
                let address = listen.unwrap_or(remote.ip());
                let admitted = move || join::admit(&app, &secret, &public_key, address);
                tokio::task::spawn_blocking(admitted).await.unwrap_or_else(|e| refused(e.to_string(), false))
            }
            Err((why, removed)) => refused(why, removed),
        },
        Ok(Ok(ToPortal::Hello { version: v, product, listen, groups })) => {
            match version(v).and_then(|()| identify(&app, certificate.as_ref())) {
                Ok(name) => {
                    let address = listen.unwrap_or(remote.ip());
                    serve(&app, (&name, v, groups), stream, remote, address, &product, certificate).await;
                    return;
                }
                Err((why, removed)) => refused(why, removed),
            }
        }
        Ok(Ok(_)) => refused("A node says first who it is.", false),
        Ok(Err(e)) => {
            tracing::warn!(%remote, cause = %e, "a connection to the port for nodes was not understood");
            return;
        }
        Err(_) => return,
    };
    if let ToNode::Refused { reason, .. } = &reply {
        tracing::warn!(%remote, reason, "a node was refused");
    }
    finish(&mut stream, &reply).await;
}

/// Writes the last frame and closes.
pub(super) async fn finish(stream: &mut (impl AsyncWrite + Unpin), last: &ToNode) {
    let end = async {
        write(stream, last).await?;
        tokio::io::AsyncWriteExt::shutdown(stream).await?;
        Ok::<_, FrameError>(())
    };
    // Who does not read has no use for it.
    let _ = tokio::time::timeout(WRITE, end).await;
}

/// The servers of a node came or went.
fn announce(app: &App) {
    if let Err(e) = app.redeploy() {
        tracing::error!(cause = %e.message, "the servers could not be told of a node");
    }
    app.bus.send(Topic::Server, "");
}

async fn serve(
    app: &Arc<App>,
    (name, version, groups): (&str, u32, bool),
    stream: TlsStream<TcpStream>,
    remote: SocketAddr,
    address: IpAddr,
    product: &str,
    certificate: Option<CertificateDer<'static>>,
) {
    let now = app.clock.now();
    let noted =
        app.store.write(|tx| Ok::<_, Fault>(kept::seen(tx, name, &address.to_string(), product, now)?));
    if let Err(Fault(e)) = noted {
        tracing::error!(node = name, cause = %e.message, "a node could not be noted as connected");
        return;
    }
    let attached = app.nodes.attach(name, remote, now);
    tracing::info!(node = name, %remote, "a node is connected");
    announce(app);
    let why =
        converse(app, (name, version, groups), attached.number, attached.end, stream, certificate).await;
    tracing::warn!(node = name, why, "a node is disconnected");
    if app.nodes.detach(name, attached.number) {
        app.rosters.forget(|o| o == name);
        let now = app.clock.now();
        if let Err(Fault(e)) = app.store.write(|tx| Ok::<_, Fault>(kept::lost(tx, name, now)?)) {
            tracing::error!(node = name, cause = %e.message, "a node could not be noted as gone");
        }
        announce(app);
    }
}

/// A certificate of the node's own key with a new end.
fn renewed(app: &App, name: &str, certificate: Option<&CertificateDer<'_>>) -> String {
    let key = certificate.map(node::ca::public_key).unwrap_or_default();
    app.ca.sign_node(name, key).unwrap_or_else(|e| {
        tracing::error!(node = name, cause = %e, "a node's certificate could not be renewed");
        String::new()
    })
}

async fn converse(
    app: &Arc<App>,
    (name, version, groups): (&str, u32, bool),
    number: u64,
    mut end: watch::Receiver<End>,
    stream: TlsStream<TcpStream>,
    certificate: Option<CertificateDer<'static>>,
) -> String {
    let (read_half, mut write_half) = tokio::io::split(stream);
    let (out, waiting) = mpsc::channel(WAITING);
    let welcome = ToNode::Welcome {
        boot: app.bus.boot().to_owned(),
        certificate: renewed(app, name, certificate.as_ref()),
    };
    if out.send(welcome).await.is_err() {
        return "the link did not open".to_owned();
    }
    app.nodes.ready(name, Way { link: number, version, out: out.clone() });
    let mut tasks = JoinSet::new();
    tasks.spawn(feed::feed(app.clone(), name.to_owned(), number, out.clone()));
    tasks.spawn(feed::rosters(app.clone(), name.to_owned(), out.clone()));
    let of = name.to_owned();
    // A node that knows owners asks them itself.
    let own = move |d: &Deployment| {
        let mut own = view::pools(d, &of);
        if version >= DATABASES {
            own.retain(|id| !d.pools.iter().any(|p| p.id == *id && p.database.is_some()));
        }
        own
    };
    let people = (!groups).then(|| app.store.changes());
    tasks.spawn(feed::databases(app.fleet.clone(), app.deployment.subscribe(), own, people, out.clone()));
    let (stop, stopped) = watch::channel(false);
    let writer = tokio::spawn(async move {
        let why = pump(&mut write_half, waiting, stopped).await;
        (write_half, why)
    });
    let abort = writer.abort_handle();
    let ending = async {
        // The sender lives as long as the link is registered.
        let ended = end.wait_for(|e| *e != End::Open).await;
        ended.map_or(End::Replaced, |e| *e)
    };
    let why = tokio::select! {
        e = ending => {
            if e == End::Removed {
                // What it was told last: it stops what it runs and forgets what it knows.
                stop.send_replace(true);
                if let Ok(Ok((mut w, _))) = tokio::time::timeout(WRITE, writer).await {
                    finish(&mut w, &refused(format!("Node {name} was removed from the deployment."), true)).await;
                }
                "it was removed".to_owned()
            } else {
                "it has connected anew".to_owned()
            }
        }
        why = listen(app, (name, groups), number, read_half, &out) => why,
        r = tasks.join_next() => {
            r.and_then(Result::err).map_or_else(|| "the link takes nothing any more".to_owned(), |e| e.to_string())
        }
    };
    abort.abort();
    why
}

/// Writes what waits, and signs of life; ends when told or when the node takes nothing.
pub(super) async fn pump(
    w: &mut (impl AsyncWrite + Unpin),
    mut waiting: mpsc::Receiver<ToNode>,
    mut stopped: watch::Receiver<bool>,
) -> String {
    let mut beat = tokio::time::interval(ALIVE);
    loop {
        let next = tokio::select! {
            m = waiting.recv() => match m {
                Some(m) => m,
                None => return "nothing more to say".to_owned(),
            },
            _ = beat.tick() => ToNode::Alive,
            _ = stopped.wait_for(|s| *s) => return "told to end".to_owned(),
        };
        match tokio::time::timeout(WRITE, write(w, &next)).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return e.to_string(),
            Err(_) => return "it takes nothing".to_owned(),
        }
    }
}

/// Reads until the node is silent or gone; why it ended.
async fn listen(
    app: &Arc<App>,
    (name, groups): (&str, bool),
    number: u64,
    mut r: impl AsyncRead + Unpin,
    out: &mpsc::Sender<ToNode>,
) -> String {
    let room = Arc::new(Semaphore::new(QUESTIONS));
    let mut answering = JoinSet::new();
    loop {
        let m = match tokio::time::timeout(SILENCE, read::<ToPortal>(&mut r, FROM_NODE)).await {
            Ok(Ok(m)) => m,
            Ok(Err(e)) => return e.to_string(),
            Err(_) => return "it is silent".to_owned(),
        };
        while answering.try_join_next().is_some() {}
        match m {
            ToPortal::Alive => {}
            ToPortal::Reports(list) => {
                // A node speaks for its own servers only.
                let own = view::servers_of(&app.deployment.borrow(), name);
                let list = list.into_iter().filter(|r| own.iter().any(|(f, ..)| *f == r.fqdn)).collect();
                app.nodes.reported(name, number, list);
            }
            ToPortal::Present { pool, reset, people } => {
                // Only of its own servers, and under its own name.
                if view::pools(&app.deployment.borrow(), name).contains(&pool) {
                    let roster = app.rosters.of(&pool);
                    if reset {
                        roster.forget(|o| o == name);
                    }
                    for p in people {
                        roster.take(&Presence { origin: name.to_owned(), ..p });
                    }
                }
            }
            ToPortal::Call { id, pool, generation, call } => {
                let Ok(permit) = room.clone().acquire_owned().await else { return "closed".to_owned() };
                let own = view::pools(&app.deployment.borrow(), name).contains(&pool);
                let store = app.fleet.current(&pool).filter(|s| own && s.generation() == generation);
                let (out, app) = (out.clone(), app.clone());
                answering.spawn(async move {
                    let result = match store {
                        Some(s) => answer(&*s, call).await,
                        None => Err(StoreError::Closed),
                    };
                    let result = if groups { result } else { spelt::out(&app, result) };
                    // Who has gone needs no answer.
                    let _ = out.send(ToNode::Answer { id, result }).await;
                    drop(permit);
                });
            }
            ToPortal::Test { run, what } => app.nodes.errands.told(number, &run, what),
            ToPortal::Inquired { id, result } => app.nodes.inquiries.answered(number, id, result),
            ToPortal::Act { .. } | ToPortal::Inquire { .. } => {
                return "it asked for what administrators do".to_owned();
            }
            ToPortal::Join { .. } | ToPortal::Hello { .. } => return "it said twice who it is".to_owned(),
        }
    }
}
