//! From a name to an open connection: addresses, TCP, TLS.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};
use shared::Timestamp;
use shared::synthetic::CauseCode;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::cause::Failure;
use crate::connection::Connection;
use crate::{TestPlan, Transport};

/// The registrar's addresses and what was seen: the ones of the plan, or those that DNS has.
pub async fn resolve(p: &TestPlan) -> Result<(Vec<SocketAddr>, String), Failure> {
    let list = |a: &[SocketAddr]| a.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !p.addresses.is_empty() {
        let text = format!("{} is {}, known without DNS", p.registrar_host, list(&p.addresses));
        return Ok((p.addresses.clone(), text));
    }
    let host = (p.registrar_host.as_str(), p.port);
    let found: Vec<SocketAddr> = match timeout(p.phase_timeout, tokio::net::lookup_host(host)).await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(e)) => return Err(Failure::not_resolved(&p.registrar_host, &format!(": {e}"))),
        Err(_) => {
            let why = format!(": DNS did not answer within {} s", p.phase_timeout.as_secs_f64());
            return Err(Failure::not_resolved(&p.registrar_host, &why));
        }
    };
    if found.is_empty() {
        return Err(Failure::not_resolved(&p.registrar_host, ""));
    }
    let text = format!("{} is {}", p.registrar_host, list(&found));
    Ok((found, text))
}

/// Opens TCP to the first address that answers. The limit is for all of them: each gets its share of
/// what is left.
pub async fn connect(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, Failure> {
    let end = Instant::now() + limit;
    let mut last =
        Failure::new(CauseCode::NameNotResolved, "no address", "There is no address to connect to.");
    for (i, a) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
        match timeout(share, TcpStream::connect(a)).await {
            Ok(Ok(s)) => return s.set_nodelay(true).map(|()| s).map_err(|_| Failure::refused(*a)),
            Ok(Err(e)) if e.kind() == ErrorKind::ConnectionRefused => last = Failure::refused(*a),
            Ok(Err(e)) => {
                let code = e.raw_os_error().unwrap_or_default();
                last = Failure::new(
                    CauseCode::NothingListening,
                    format!("{code}, {e} {a}"),
                    format!("{a} cannot be reached: {e}."),
                );
            }
            Err(_) => {
                let seen = format!("{a} did not answer within {:.3} s.", share.as_secs_f64());
                last = Failure::no_answer(*a, seen.replace(".000 s", " s"));
            }
        }
    }
    Err(last)
}

/// Puts TLS on it, when the plan says so.
pub async fn secure(p: &TestPlan, tcp: TcpStream, limit: Duration) -> Result<Connection, Failure> {
    let broken = |e: std::io::Error| {
        Failure::new(CauseCode::ConnectionLost, e.to_string(), "The connection broke at once.")
    };
    let peer = tcp.peer_addr().map_err(broken)?;
    let local = tcp.local_addr().map_err(broken)?;
    if p.transport == Transport::Tcp {
        return Ok(Connection::new(tcp, peer, local));
    }
    let name = rustls::pki_types::ServerName::try_from(p.registrar_host.clone()).map_err(|e| {
        let seen = format!("{} is not a host name.", p.registrar_host);
        Failure::new(CauseCode::NameNotResolved, e.to_string(), seen)
    })?;
    let handshake = tokio_rustls::TlsConnector::from(p.tls.clone()).connect(name, tcp);
    match timeout_at(Instant::now() + limit, handshake).await {
        Ok(Ok(stream)) => Ok(Connection::new(stream, peer, local)),
        Ok(Err(e)) => Err(handshake_failure(&e, &p.registrar_host, peer)),
        Err(_) => Err(Failure::no_answer(peer, format!("{peer} accepts connections and stays silent."))),
    }
}

fn date(t: rustls::pki_types::UnixTime) -> String {
    let millis = i64::try_from(t.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
    Timestamp::from_millis(millis).rfc3339()
}

/// Which of the ways in which a handshake fails it was.
fn handshake_failure(e: &std::io::Error, host: &str, peer: SocketAddr) -> Failure {
    let tls = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let (cause, seen) = match tls {
        Some(rustls::Error::InvalidCertificate(c)) => certificate(c, host, peer),
        Some(rustls::Error::AlertReceived(a)) => return refused_by_alert(peer, *a, e),
        Some(rustls::Error::InvalidMessage(_)) => {
            (CauseCode::TlsHandshake, format!("{peer} answered with something that is not TLS."))
        }
        Some(e) => (CauseCode::TlsHandshake, format!("The TLS handshake with {peer} failed: {e}.")),
        None => (CauseCode::TlsHandshake, format!("{peer} closed the connection during the TLS handshake.")),
    };
    Failure::new(cause, format!("TLS: {e}"), seen)
}

/// The server ended the handshake with an alert.
pub fn refused_by_alert(peer: SocketAddr, alert: AlertDescription, e: &std::io::Error) -> Failure {
    let seen = format!("{peer} refused the TLS handshake with the alert {alert:?}.");
    Failure::new(CauseCode::TlsHandshake, format!("TLS: {e}"), seen)
}

fn certificate(c: &CertificateError, host: &str, peer: SocketAddr) -> (CauseCode, String) {
    match c {
        CertificateError::UnknownIssuer => (
            CauseCode::TlsUntrusted,
            format!("The certificate of {peer} comes from an authority that is not trusted here."),
        ),
        CertificateError::NotValidForName => {
            (CauseCode::TlsWrongName, format!("The certificate of {peer} is not for {host}."))
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = if presented.is_empty() { "no name".to_owned() } else { names(presented) };
            (CauseCode::TlsWrongName, format!("The certificate of {peer} is for {names}, not for {host}."))
        }
        CertificateError::Expired => {
            (CauseCode::TlsExpired, format!("The certificate of {peer} has expired."))
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            (CauseCode::TlsExpired, format!("The certificate of {peer} has expired on {}.", date(*not_after)))
        }
        CertificateError::NotValidYet => {
            (CauseCode::TlsNotYetValid, format!("The certificate of {peer} is not valid yet."))
        }
        CertificateError::NotValidYetContext { not_before, .. } => (
            CauseCode::TlsNotYetValid,
            format!("The certificate of {peer} is valid only from {}.", date(*not_before)),
        ),
        other => (CauseCode::TlsUntrusted, format!("The certificate of {peer} is not accepted: {other}.")),
    }
}

/// The names of a certificate as a person reads them: `DnsName("a.b")` is a.b.
fn names(presented: &[String]) -> String {
    let plain = |n: &String| match n.split_once('"') {
        Some((_, rest)) => rest.split('"').next().unwrap_or(rest).to_owned(),
        None => n.clone(),
    };
    presented.iter().map(plain).collect::<Vec<_>>().join(", ")
}
