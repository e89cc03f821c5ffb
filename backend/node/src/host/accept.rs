//! Connections at a listener: how many, from where, and their handshake.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::FLUSH;
use crate::ca::names_of;
use crate::connection::{self, Handler, Timing};

/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Most connections at one listener.
const MAX_CONNECTIONS: usize = 20_000;
/// Most of them from one address: many users may stand behind one, but nobody takes all the room there is.
const FROM_ONE: usize = 4_000;

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
pub(super) async fn accept(
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
