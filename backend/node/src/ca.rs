//! The local certification authority: issues the certificates of servers that run here, and gives the
//! TLS settings of each kind of peer.

mod nodes;
mod presented;
mod trusted;

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock, Weak};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use shared::Fqdn;

pub use self::nodes::{
    Issued, NODES, NewKey, PORTAL, databases_name, fingerprint_of, key_of, new_key, node_name, pinned,
    public_key,
};
pub use self::presented::{Presented, details};
pub use self::trusted::{Described, certificates, described};

/// Days a server's certificate is valid; servers get a new one at every start.
const SERVER_DAYS: i64 = 365;
/// Days the authority is valid.
const CA_DAYS: i64 = 3650;

/// Why the authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file operation failed.
    #[error("the authority's files: {0}")]
    Io(#[from] std::io::Error),
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS settings could not be made.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// A stored file is damaged.
    #[error("{0}")]
    Damaged(String),
}

/// The authority.
pub struct LocalCa {
    /// None on a node: what it needs is issued by the portal.
    issuer: Option<Issuer<'static, KeyPair>>,
    /// Certificates that were issued elsewhere, by the server's name.
    given: Mutex<HashMap<String, Issued>>,
    /// Certificates that administrators set for clients, by the pool's name.
    own: RwLock<HashMap<Fqdn, Arc<rustls::sign::CertifiedKey>>>,
    /// What servers of this process show.
    presented: Mutex<Vec<Weak<Presented>>>,
    certificate: CertificateDer<'static>,
    roots: Arc<RootCertStore>,
}

/// A server's certificate with its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn valid(params: &mut CertificateParams, days: i64) {
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now - time::Duration::days(1);
    params.not_after = now + time::Duration::days(days);
}

fn ca_params() -> Result<CertificateParams, rcgen::Error> {
    let mut p = CertificateParams::new(Vec::<String>::new())?;
    p.distinguished_name.push(DnType::CommonName, "Lifeguard local authority");
    p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    p.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut p, CA_DAYS);
    Ok(p)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut f = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    f.write_all(text.as_bytes())?;
    f.sync_all()
}

impl LocalCa {
    /// Reads the authority of `dir`, or makes one (`ca.pem`, and `ca.key` with mode 0600).
    ///
    /// # Errors
    /// When its files cannot be read, written or used.
    pub fn open(dir: &Path) -> Result<Self, CaError> {
        let (cert_path, key_path) = (dir.join("ca.pem"), dir.join("ca.key"));
        if !cert_path.exists() {
            fs::create_dir_all(dir)?;
            let key = KeyPair::generate()?;
            let cert = ca_params()?.self_signed(&key)?;
            // The key first: a certificate without its key would be taken for complete.
            let _ = fs::remove_file(&key_path);
            write_private(&key_path, &key.serialize_pem())?;
            write_private(&cert_path, &cert.pem())?;
        }
        let key = KeyPair::from_pem(&fs::read_to_string(&key_path)?)?;
        let certificate = CertificateDer::from_pem_slice(&fs::read(&cert_path)?)
            .map_err(|e| CaError::Damaged(format!("{}: {e:?}", cert_path.display())))?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        let issuer = Some(Issuer::new(ca_params()?, key));
        Ok(Self {
            issuer,
            given: Mutex::default(),
            own: RwLock::default(),
            presented: Mutex::default(),
            certificate,
            roots: Arc::new(roots),
        })
    }

    /// Whether it issues certificates itself; a node's replica does not.
    fn issues(&self) -> bool {
        self.issuer.is_some()
    }

    /// A certificate for these names.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn issue(&self, names: &[&Fqdn]) -> Result<Identity, CaError> {
        if self.issuer.is_none() {
            return self.given_to(names);
        }
        let mut list: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        list.dedup();
        self.issue_for(list)
    }

    /// Settings of the portal's own HTTPS, with a new certificate for these names and IP addresses.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn portal_config(&self, names: &[String]) -> Result<ServerConfig, CaError> {
        let id = self.issue_for(names.to_vec())?;
        let b = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        Ok(b.with_no_client_auth().with_single_cert(id.chain, id.key)?)
    }

    fn issue_for(&self, list: Vec<String>) -> Result<Identity, CaError> {
        let issuer = self.issuer.as_ref();
        let issuer = issuer.ok_or_else(|| CaError::Damaged("a node issues no certificates".to_owned()))?;
        let key = KeyPair::generate()?;
        let common = list.first().cloned().unwrap_or_default();
        let mut p = CertificateParams::new(list)?;
        p.distinguished_name.push(DnType::CommonName, common);
        p.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        valid(&mut p, SERVER_DAYS);
        let cert = p.signed_by(&key, issuer)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Identity { chain: vec![cert.der().clone(), self.certificate.clone()], key: der })
    }

    /// Settings of a Front End: clients have no certificate, other Front Ends show theirs.
    ///
    /// # Errors
    /// When the identity does not fit.
    pub fn front_end_config(&self, shown: Arc<Presented>) -> Result<Arc<ServerConfig>, CaError> {
        self.server_config(shown, false)
    }

    /// Settings of a chat server: a certificate of this authority is required; whose it is, is checked
    /// after the handshake against the topology.
    ///
    /// # Errors
    /// When the identity does not fit.
    pub fn chat_server_config(&self, shown: Arc<Presented>) -> Result<Arc<ServerConfig>, CaError> {
        self.server_config(shown, true)
    }

    fn server_config(&self, shown: Arc<Presented>, required: bool) -> Result<Arc<ServerConfig>, CaError> {
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider());
        let verifier = if required { verifier } else { verifier.allow_unauthenticated() };
        let verifier = verifier.build().map_err(|e| CaError::Damaged(e.to_string()))?;
        let b = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let b = b.with_client_cert_verifier(verifier);
        Ok(Arc::new(b.with_cert_resolver(shown)))
    }

    /// Settings of a Front End that connects to a chat server.
    ///
    /// # Errors
    /// When the identity does not fit.
    pub fn upstream_config(&self, id: &Identity) -> Result<Arc<ClientConfig>, CaError> {
        let b = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let b = b.with_root_certificates(self.roots.clone());
        let mut config = b.with_client_auth_cert(id.chain.clone(), id.key.clone_key())?;
        config.alpn_protocols = vec![presented::INSIDE.to_vec()];
        Ok(Arc::new(config))
    }

    /// Settings of a client without a certificate, trusting this authority.
    pub fn client_config(&self) -> Arc<ClientConfig> {
        let b = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions");
        Arc::new(b.with_root_certificates(self.roots.clone()).with_no_client_auth())
    }
}

/// DNS names in a certificate.
pub fn names_of(cert: &CertificateDer<'_>) -> Vec<String> {
    use x509_parser::extensions::GeneralName;
    let Ok((_, c)) = x509_parser::parse_x509_certificate(cert) else { return Vec::new() };
    let Ok(Some(san)) = c.subject_alternative_name() else { return Vec::new() };
    let dns =
        |n: &GeneralName<'_>| if let GeneralName::DNSName(d) = n { Some(d.to_lowercase()) } else { None };
    san.value.general_names.iter().filter_map(dns).collect()
}
