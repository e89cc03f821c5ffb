//! TLS peers of several kinds, for the chat servers' mutual TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use node::ca::{Identity, LocalCa};
use shared::Fqdn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn issue(ca: &LocalCa, name: &str) -> Result<Identity> {
    Ok(ca.issue(&[&Fqdn::try_from(name)?])?)
}

/// A certificate with the right name from another authority.
pub fn stranger() -> Result<Identity> {
    let dir = tempfile::tempdir()?;
    issue(&LocalCa::open(dir.path())?, "atl-fes-001.litwareinc.com")
}

/// A certificate of our authority for a server that is not the next hop.
pub fn other_server(data_dir: &Path) -> Result<Identity> {
    issue(&LocalCa::open(&data_dir.join("ca"))?, "dub-fes-001.litwareinc.com")
}

/// A certificate of the next hop.
pub fn next_hop(data_dir: &Path) -> Result<Identity> {
    issue(&LocalCa::open(&data_dir.join("ca"))?, "atl-fes-001.litwareinc.com")
}

/// Whether the server at `at` answers an OPTIONS of this peer.
pub async fn speaks(at: SocketAddr, name: &str, data_dir: &Path, identity: Option<Identity>) -> Result<bool> {
    let ca = LocalCa::open(&data_dir.join("ca"))?;
    let config = match &identity {
        Some(i) => ca.upstream_config(i)?,
        None => ca.client_config(),
    };
    let tcp = TcpStream::connect(at).await?;
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).context("a name")?;
    let Ok(mut tls) = tokio_rustls::TlsConnector::from(Arc::clone(&config)).connect(name, tcp).await else {
        return Ok(false);
    };
    let request = b"OPTIONS sip:gc-001.litwareinc.com SIP/2.0\r\nVia: SIP/2.0/TLS x;branch=z9hG4bK1\r\nFrom: <sip:a@b.c>;tag=1\r\nTo: <sip:b@b.c>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    if tls.write_all(request).await.is_err() {
        return Ok(false);
    }
    let mut buffer = [0; 512];
    match tokio::time::timeout(Duration::from_secs(5), tls.read(&mut buffer)).await {
        Ok(Ok(n)) => Ok(n > 0 && buffer.starts_with(b"SIP/2.0 200")),
        _ => Ok(false),
    }
}
