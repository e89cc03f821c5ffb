//! TLS of the portal itself: with a certificate of the administrator's, read again when its files change, or with
//! one of the portal's own authority.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use node::ca::LocalCa;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::time::Instant;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How long a certificate of the authority is shown; it is valid for a year.
const SHOWN: Duration = Duration::from_secs(30 * 86_400);

/// Where the certificate comes from.
enum Source {
    /// Certificate with those that signed it, and key; PEM files.
    Files(PathBuf, PathBuf),
    /// The portal's authority, for these names and addresses.
    Authority(Arc<LocalCa>, Vec<String>),
}

/// The settings for new connections.
pub struct PortalTls {
    source: Source,
    now: Mutex<Now>,
}

struct Now {
    config: Arc<ServerConfig>,
    /// When it was looked at last.
    looked: Instant,
    /// When the files were written that it was made of.
    written: Option<SystemTime>,
}

fn written(paths: [&Path; 2]) -> Option<SystemTime> {
    let at = |p: &Path| std::fs::metadata(p).and_then(|m| m.modified()).ok();
    paths.into_iter().filter_map(at).max()
}

fn from_files(certificate: &Path, key: &Path) -> Result<ServerConfig, String> {
    let read = |p: &Path| std::fs::read(p).map_err(|e| format!("{}: {e}", p.display()));
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("{}: {e}", certificate.display()))?;
    let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|e| format!("{}: {e}", key.display()))?;
    let made = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|b| b.with_no_client_auth().with_single_cert(chain, secret));
    made.map_err(|e| format!("{} and {}: {e}", certificate.display(), key.display()))
}

impl Source {
    fn make(&self) -> Result<(Arc<ServerConfig>, Option<SystemTime>), String> {
        let (mut config, at) = match self {
            Self::Files(c, k) => {
                let at = written([c, k]);
                (from_files(c, k)?, at)
            }
            Self::Authority(ca, names) => (ca.portal_config(names).map_err(|e| e.to_string())?, None),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Arc::new(config), at))
    }
}

impl PortalTls {
    fn new(source: Source) -> Result<Self, String> {
        let (config, written) = source.make()?;
        Ok(Self { source, now: Mutex::new(Now { config, looked: Instant::now(), written }) })
    }

    /// With PEM files.
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together.
    pub fn files(certificate: PathBuf, key: PathBuf) -> Result<Self, String> {
        Self::new(Source::Files(certificate, key))
    }

    /// With certificates of the portal's authority for these names and addresses.
    ///
    /// # Errors
    /// When none can be made.
    pub fn authority(ca: Arc<LocalCa>, names: Vec<String>) -> Result<Self, String> {
        Self::new(Source::Authority(ca, names))
    }

    /// The settings now. What cannot be read any more is told, and the last one that could be goes on.
    pub fn config(&self) -> Arc<ServerConfig> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.looked.elapsed();
        let again = match &self.source {
            Source::Files(c, k) => age >= LOOK && written([c, k]) != now.written,
            Source::Authority(..) => age >= SHOWN,
        };
        if age >= LOOK && matches!(self.source, Source::Files(..)) {
            now.looked = Instant::now();
        }
        if again {
            match self.source.make() {
                Ok((config, written)) => *now = Now { config, looked: Instant::now(), written },
                Err(cause) => tracing::error!(cause, "the portal's certificate could not be taken anew"),
            }
        }
        now.config.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_that_do_not_belong_together_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let (c, k) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
        let (a, b) = (
            rcgen::generate_simple_self_signed(vec!["a.contoso.com".to_owned()]).unwrap(),
            rcgen::generate_simple_self_signed(vec!["a.contoso.com".to_owned()]).unwrap(),
        );
        let missing = PortalTls::files(c.clone(), k.clone()).err().unwrap();
        assert!(missing.contains("c.pem"), "{missing}");
        std::fs::write(&c, a.cert.pem()).unwrap();
        std::fs::write(&k, b.signing_key.serialize_pem()).unwrap();
        let mixed = PortalTls::files(c.clone(), k.clone()).err().unwrap();
        assert!(mixed.contains("k.pem"), "{mixed}");
        std::fs::write(&k, a.signing_key.serialize_pem()).unwrap();
        assert!(PortalTls::files(c, k).is_ok());
    }
}
