//! The port where nodes connect: TLS of its own; a certificate of the deployment's authority, or the
//! one-time token of a node that joins.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use shared::Fqdn;
use tokio::net::{TcpListener, TcpStream};

use super::places::{Places, Stranger};
use crate::app::App;

/// Where nodes connect unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 7444));
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Opens the port unless it is open; where it is.
///
/// # Errors
/// Why it cannot be opened.
pub fn open(app: &Arc<App>) -> Result<SocketAddr, String> {
    if let Some(at) = app.nodes.address() {
        return Ok(at);
    }
    let wanted = app.nodes.wanted;
    let bound = std::net::TcpListener::bind(wanted)
        .and_then(|l| l.set_nonblocking(true).map(|()| l))
        .and_then(TcpListener::from_std);
    let failed = |e: &dyn std::fmt::Display| {
        format!("nodes cannot be listened for on {wanted}: {e}. Give --node-listen another address.")
    };
    let listener = bound.map_err(|e| failed(&e))?;
    let name = Fqdn::try_from(node::ca::PORTAL).map_err(|e| failed(&e.0))?;
    let identity = app.ca.issue(&[&name]).map_err(|e| failed(&e))?;
    let shown = app.ca.present(vec![name], &identity, false).map_err(|e| failed(&e))?;
    let tls = app.ca.front_end_config(shown).map_err(|e| failed(&e))?;
    let at = listener.local_addr().map_err(|e| failed(&e))?;
    let _ = app.nodes.bound.set(at);
    tokio::spawn(accept(app.clone(), listener, tls));
    Ok(at)
}

async fn accept(app: Arc<App>, listener: TcpListener, tls: Arc<rustls::ServerConfig>) {
    let places = Places::new();
    loop {
        let Ok((tcp, remote)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(place) = places.stranger(remote.ip()) else { continue };
        tokio::spawn(connect(app.clone(), tcp, remote, tls.clone(), place));
    }
}

async fn connect(
    app: Arc<App>,
    tcp: TcpStream,
    remote: SocketAddr,
    tls: Arc<rustls::ServerConfig>,
    place: Stranger,
) {
    if tcp.set_nodelay(true).is_err() {
        return;
    }
    let handshake = tokio_rustls::TlsAcceptor::from(tls).accept(tcp);
    let stream = match tokio::time::timeout(HANDSHAKE, handshake).await {
        Ok(Ok(s)) => s,
        Ok(Err(e)) => {
            tracing::warn!(%remote, cause = %e, "a connection to the port for nodes was refused");
            return;
        }
        Err(_) => return,
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|c| c.first()).cloned();
    // Whoever joins has no certificate yet, and is done soon.
    let (_stranger, _member) = if certificate.is_some() {
        let Some(member) = place.admitted() else { return };
        (None, Some(member))
    } else {
        (Some(place), None)
    };
    super::link::talk(app, stream, remote, certificate).await;
}
