//! Connections to chat servers and to other Front Ends: opened when needed, shared by all users, kept alive.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use shared::Fqdn;
use shared::deployment::{ChatPoolHost, ChatServerHost, Deployment, HostedServer};
use tokio::net::TcpStream;

use super::FrontEnd;
use crate::connection::{self, Peer, Timing};

/// Longest wait for a chat server to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// A server that did not answer is not asked again for this long.
const AVOID: Duration = Duration::from_secs(3);

/// A connection that we opened.
pub struct Upstream {
    /// Name and port of the server.
    pub server: (Fqdn, u16),
    /// The connection.
    pub peer: Peer,
}

impl FrontEnd {
    /// A connection to an active server of the pool; the next one is tried when one does not answer.
    pub(super) async fn pick(&self, pool: &ChatPoolHost) -> Result<Peer, String> {
        let active: Vec<&ChatServerHost> =
            pool.servers.iter().filter(|s| s.active && !s.server.unreachable).collect();
        if active.is_empty() {
            return Err(format!("No server of {} is active and reachable", pool.fqdn));
        }
        // New sessions go around; a dialog stays where it began.
        let start = self.begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % active.len();
        let mut last = String::new();
        for s in active.iter().cycle().skip(start).take(active.len()) {
            match self.upstream(&s.server, pool.port).await {
                Ok(peer) => return Ok(peer),
                Err(e) => last = format!("{}: {e}", s.server.fqdn),
            }
        }
        Err(format!("No active server of {} answers; last tried {last}", pool.fqdn))
    }

    /// Another Front End that is the pool's next hop: only that one may talk to its servers.
    pub(super) async fn next_hop(&self, d: &Deployment, pool: &ChatPoolHost) -> Result<Peer, String> {
        let hop = d.front_ends.iter().find(|f| f.id == pool.next_hop).ok_or("The pool has no next hop")?;
        let mut last = format!("{} has no server", hop.fqdn);
        for s in hop.servers.iter().filter(|s| !s.unreachable) {
            match self.upstream(s, hop.tls_port).await {
                Ok(peer) => return Ok(peer),
                Err(e) => last = format!("{}: {e}", s.fqdn),
            }
        }
        Err(format!("The next hop {} does not answer; last tried {last}", hop.fqdn))
    }

    async fn upstream(&self, s: &HostedServer, port: u16) -> Result<Peer, String> {
        let key = (s.fqdn.clone(), port);
        {
            let state = self.state();
            if let Some(u) = state.upstream.values().find(|u| u.server == key && !u.peer.is_closed()) {
                return Ok(u.peer.clone());
            }
            // Everyone would wait for a server that has just not answered.
            if state.failed.get(&key).is_some_and(|at| at.elapsed() < AVOID) {
                return Err("it did not answer a moment ago".to_owned());
            }
        }
        let opened = self.connect(s, port, key.clone()).await;
        let mut state = self.state();
        match &opened {
            Ok(_) => state.failed.remove(&key),
            Err(_) => state.failed.insert(key, Instant::now()),
        };
        opened
    }

    async fn connect(&self, s: &HostedServer, port: u16, key: (Fqdn, u16)) -> Result<Peer, String> {
        let at = SocketAddr::new(s.address, port);
        let name = rustls::pki_types::ServerName::try_from(s.fqdn.to_string()).map_err(|e| e.to_string())?;
        let open = async {
            let tcp = TcpStream::connect(at).await?;
            tcp.set_nodelay(true)?;
            let local = tcp.local_addr()?;
            let tls = tokio_rustls::TlsConnector::from(self.upstream_tls.clone()).connect(name, tcp).await?;
            Ok::<_, std::io::Error>((tls, local))
        };
        let opened =
            tokio::time::timeout(CONNECT, open).await.map_err(|_| "it does not answer".to_owned())?;
        let (tls, local) = opened.map_err(|e| e.to_string())?;
        let handler: Arc<FrontEnd> = self.this.upgrade().ok_or("the Front End is ending")?;
        let (peer, work) = connection::start(tls, at, local, handler, Timing::OPENED);
        let mut state = self.state();
        if state.stopped {
            return Err("the Front End is ending".to_owned());
        }
        state.upstream.insert(peer.id, Upstream { server: key, peer: peer.clone() });
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        while links.try_join_next().is_some() {}
        links.spawn(work);
        Ok(peer)
    }
}
