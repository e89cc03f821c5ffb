//! The way to the portal: its address, the connection, and joining with a token.

use std::sync::Arc;
use std::time::Duration;

use node::ca::{Issued, PORTAL};
use node::remote::{FROM_PORTAL, SILENCE, ToNode, ToPortal, VERSION, read, write};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::NodeArgs;
use crate::nodes::join::parts;
use crate::nodes::replica::Own;
use crate::serve::Failed;

/// Longest wait for the portal to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// `host:port` of a URL.
pub(super) fn place(url: &str) -> Result<String, Failed> {
    let rest = url.trim().strip_prefix("https://").unwrap_or(url.trim()).trim_end_matches('/');
    let wrong = || format!("{url} is no address of a portal; give one like https://portal.contoso.com:7444");
    let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || port.parse::<u16>().is_err() || rest.contains('/') {
        return Err(wrong().into());
    }
    Ok(rest.to_owned())
}

pub(super) async fn connect(
    portal: &str,
    tls: Arc<rustls::ClientConfig>,
) -> Result<TlsStream<TcpStream>, Failed> {
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
pub(super) async fn join(args: &NodeArgs) -> Result<Own, Failed> {
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
