//! Certificates around nodes: a node's own, those of the servers it runs, and the pin a node joins with.

use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose, PublicKeyData};
use ring::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::{Deserialize, Serialize};
use shared::Fqdn;

use super::{CaError, Identity, LocalCa, SERVER_DAYS, names_of, provider, valid};

/// What a node's name is followed by in its certificate: no server can be called so, so that neither passes
/// for the other.
pub const NODES: &str = "nodes.lifeguard.internal";
/// The portal's name at the port for nodes.
pub const PORTAL: &str = "portal.lifeguard.internal";

/// What a node's name is followed by where it serves databases.
const DATABASES: &str = "databases.lifeguard.internal";

/// The name of a node's port for databases; neither a node nor a server can be called so.
///
/// # Errors
/// When the node's name is none.
pub fn databases_name(node: &str) -> Result<Fqdn, CaError> {
    Fqdn::try_from(format!("{node}.{DATABASES}")).map_err(|e| CaError::Damaged(e.0))
}

/// A certificate with its key, as it goes to a node.
#[derive(Clone, Serialize, Deserialize)]
pub struct Issued {
    /// DER in hexadecimal.
    pub certificate: String,
    /// PKCS#8 in hexadecimal.
    pub key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// SHA-256 of a certificate, in hexadecimal.
pub fn fingerprint_of(certificate: &[u8]) -> String {
    sha256(certificate)
}

/// SHA-256 of a certificate's public key, in hexadecimal; empty when it is none.
pub fn key_of(certificate: &CertificateDer<'_>) -> String {
    x509_parser::parse_x509_certificate(certificate)
        .map(|(_, c)| sha256(&c.public_key().subject_public_key.data))
        .unwrap_or_default()
}

/// The node that a certificate is for.
pub fn node_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let suffix = format!(".{NODES}");
    names_of(certificate).iter().find_map(|n| n.strip_suffix(&suffix).map(str::to_owned))
}

/// A key of which only the public half is known.
struct Public(Vec<u8>);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }
    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Identity {
    /// Of a certificate and key that were issued elsewhere.
    ///
    /// # Errors
    /// When they are not hexadecimal.
    pub fn of(issued: &Issued, authority: &CertificateDer<'static>) -> Result<Self, CaError> {
        let bytes = |text: &str| hex::decode(text).map_err(|e| CaError::Damaged(e.to_string()));
        Ok(Self {
            chain: vec![CertificateDer::from(bytes(&issued.certificate)?), authority.clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(bytes(&issued.key)?)),
        })
    }

    /// For sending to a node.
    pub fn issued(&self) -> Issued {
        Issued {
            certificate: self.chain.first().map(hex::encode).unwrap_or_default(),
            key: hex::encode(self.key.secret_der()),
        }
    }
}

impl LocalCa {
    /// The authority as a node has it: it trusts its certificates and issues none.
    ///
    /// # Errors
    /// When it is no certificate.
    pub fn replica(certificate: Vec<u8>) -> Result<Self, CaError> {
        let certificate = CertificateDer::from(certificate);
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        Ok(Self {
            issuer: None,
            given: std::sync::Mutex::default(),
            own: std::sync::RwLock::default(),
            presented: std::sync::Mutex::default(),
            certificate,
            roots: Arc::new(roots),
        })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its certificate as text.
    pub fn pem(&self) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(&self.certificate);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
        format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    }

    /// SHA-256 of its certificate, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        fingerprint_of(&self.certificate)
    }

    /// Keeps what the portal issued for a server.
    pub fn give(&self, server: &str, issued: Issued) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(server.to_owned(), issued);
    }

    pub(super) fn given_to(&self, names: &[&Fqdn]) -> Result<Identity, CaError> {
        let name = names.first().map(|n| n.as_str()).unwrap_or_default();
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || CaError::Damaged(format!("the portal has not issued a certificate for {name} yet"));
        Identity::of(given.get(name).ok_or_else(missing)?, &self.certificate)
    }

    /// A certificate for a node, of its public key (P-256, uncompressed point).
    ///
    /// # Errors
    /// When it cannot be made; always on a node.
    pub fn sign_node(&self, name: &str, public_key: Vec<u8>) -> Result<String, CaError> {
        let Some(issuer) = &self.issuer else {
            return Err(CaError::Damaged("a node issues no certificates".to_owned()));
        };
        // Only a point of the curve: whoever sends something else gets nothing signed.
        if public_key.len() != 65 || public_key.first() != Some(&4) {
            return Err(CaError::Damaged("this is not a public key of the curve P-256".to_owned()));
        }
        let mut p = CertificateParams::new(vec![format!("{name}.{NODES}")])?;
        p.distinguished_name.push(DnType::CommonName, name);
        p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        valid(&mut p, SERVER_DAYS);
        Ok(hex::encode(p.signed_by(&Public(public_key), issuer)?.der()))
    }
}

/// Trusts the one authority whose certificate has this fingerprint, and what it signed.
#[derive(Debug)]
struct Pin {
    fingerprint: String,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let other = || rustls::Error::General("the portal is not the one that made the token".to_owned());
        let authority = chain
            .iter()
            .find(|c| fingerprint_of(c) == self.fingerprint)
            .ok_or_else(other)?
            .clone()
            .into_owned();
        let mut roots = RootCertStore::empty();
        roots.add(authority)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))?;
        verifier.verify_server_cert(end, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let supported = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, &supported)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let supported = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, &supported)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Settings of a node that joins: it has no certificate yet, and knows the authority by its fingerprint.
///
/// # Errors
/// When the settings cannot be made.
pub fn pinned(fingerprint: &str) -> Result<Arc<ClientConfig>, CaError> {
    let b = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let verifier = Arc::new(Pin { fingerprint: fingerprint.to_lowercase() });
    Ok(Arc::new(b.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

/// A new key: its public half as [`LocalCa::sign_node`] takes it and its private one as [`Issued`] has it, both
/// in hexadecimal.
pub struct NewKey {
    /// Public.
    pub public: String,
    /// Private.
    pub private: String,
}

/// Makes a key.
///
/// # Errors
/// When the machine cannot.
pub fn new_key() -> Result<NewKey, CaError> {
    let key = rcgen::KeyPair::generate()?;
    Ok(NewKey { public: hex::encode(key.public_key_raw()), private: hex::encode(key.serialize_der()) })
}

/// A certificate's public key; empty when it is none.
pub fn public_key(certificate: &CertificateDer<'_>) -> Vec<u8> {
    x509_parser::parse_x509_certificate(certificate)
        .map(|(_, c)| c.public_key().subject_public_key.data.to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_gets_a_certificate_of_its_own_key_and_a_replica_issues_none() {
        let dir = tempfile::tempdir().unwrap();
        let ca = LocalCa::open(dir.path()).unwrap();
        let key = new_key().unwrap();
        let public = hex::decode(&key.public).unwrap();
        let certificate =
            CertificateDer::from(hex::decode(ca.sign_node("n1", public.clone()).unwrap()).unwrap());
        assert_eq!(node_name(&certificate).as_deref(), Some("n1"));
        assert_eq!(public_key(&certificate), public);
        assert_eq!(key_of(&certificate), sha256(&public));
        assert!(ca.sign_node("n1", vec![1; 65]).is_err());
        let server = Fqdn::try_from("s.contoso.com").unwrap();
        let issued = ca.issue(&[&server]).unwrap();
        assert_eq!(node_name(&issued.chain[0]), None, "a server is no node");
        let replica = LocalCa::replica(ca.certificate().to_vec()).unwrap();
        assert!(replica.issue(&[&server]).is_err() && replica.sign_node("n1", public).is_err());
        replica.give("s.contoso.com", issued.issued());
        let same = replica.issue(&[&server]).unwrap();
        assert_eq!(same.chain[0], issued.chain[0]);
        let shown = replica.present(vec![server], &same, false).unwrap();
        assert!(replica.chat_server_config(shown).is_ok());
    }
}
