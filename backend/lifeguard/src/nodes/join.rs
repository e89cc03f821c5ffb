//! A node joins: its one-time token for a certificate.

use std::net::IpAddr;

use node::remote::ToNode;
use shared::Timestamp;
use shared::events::Topic;
use store::management::audit::{self, Opened};
use store::management::nodes as kept;

use crate::app::App;
use crate::clock::{Entropy, new_id, random_hex};
use crate::door::Fault;
use sha2::{Digest, Sha256};

/// The hash of a token's secret, as it is kept.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.trim().as_bytes()))
}

/// A new token: the authority's fingerprint, by which the node knows the portal, and a secret.
pub fn token(app: &App) -> (String, String) {
    let secret = random_hex(&*app.entropy, 24);
    (format!("lgn_{}_{secret}", app.ca.fingerprint()), hash(&secret))
}

/// Fingerprint and secret of a token.
pub fn parts(token: &str) -> Option<(String, String)> {
    let (fingerprint, secret) = token.trim().strip_prefix("lgn_")?.split_once('_')?;
    let hexadecimal = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_hexdigit());
    (hexadecimal(fingerprint, 64) && hexadecimal(secret, 48))
        .then(|| (fingerprint.to_owned(), secret.to_owned()))
}

fn entry(entropy: &dyn Entropy, now: Timestamp, name: &str, source: IpAddr) -> Opened {
    Opened {
        op_id: new_id(entropy, now),
        actor: format!("node {name}"),
        role: "node".to_owned(),
        credential: "token".to_owned(),
        source: source.to_string(),
        cmdlet: "node join".to_owned(),
        line: "lifeguard node --join".to_owned(),
        target: name.to_owned(),
        ..Opened::default()
    }
}

/// Lets a node in, or says why not.
pub fn admit(app: &App, secret: &str, public_key: &str, address: IpAddr) -> ToNode {
    let refuse = |why: &str| ToNode::Refused { reason: why.to_owned(), removed: false };
    let Ok(key) = hex::decode(public_key) else { return refuse("The public key was not understood.") };
    let now = app.clock.now();
    let joined = app.store.write(|tx| {
        let key_hash = hex::encode(Sha256::digest(&key));
        let Some(name) = kept::join(tx, &hash(secret), &key_hash, &address.to_string(), now)? else {
            return Ok(None);
        };
        let entry = entry(&*app.entropy, now, &name, address);
        audit::open(tx, &entry, now)?;
        audit::close(tx, &entry.op_id, "done", &format!("Node {name} has joined from {address}."), now)?;
        // The token is used up only when the certificate was made.
        let certificate = app
            .ca
            .sign_node(&name, key.clone())
            .map_err(|e| Fault(shared::ApiError::invalid("public_key", e.to_string())))?;
        Ok::<_, Fault>(Some((name, certificate)))
    });
    match joined {
        Ok(Some((name, certificate))) => {
            tracing::info!(node = name, %address, "a node has joined");
            app.bus.send(Topic::Server, "");
            app.bus.send(Topic::Audit, "");
            ToNode::Joined { name, certificate, authority: hex::encode(app.ca.certificate()) }
        }
        Ok(None) => {
            tracing::warn!(%address, "a node was refused: its token is unknown, used or too old");
            refuse("This token is unknown, was used, or is too old. Make a new one with New-LgNode.")
        }
        Err(Fault(e)) => refuse(&e.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_fingerprint_and_a_secret() {
        let (f, s) = ("ab".repeat(32), "cd".repeat(24));
        assert_eq!(parts(&format!(" lgn_{f}_{s}\n")), Some((f.clone(), s.clone())));
        for wrong in [
            String::new(),
            format!("{f}_{s}"),
            format!("lgn_{f}"),
            format!("lgn_{f}_{s}00"),
            format!("lgn_{s}_{f}"),
        ] {
            assert_eq!(parts(&wrong), None, "{wrong}");
        }
    }
}
