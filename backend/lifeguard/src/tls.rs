//! TLS towards others: the one crypto provider, and the authorities that this host trusts.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Settings of a TLS client that trusts what the operating system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR`
/// choose otherwise). A host without authorities gets settings that trust nobody, so that plain HTTP works.
pub fn client_config() -> ClientConfig {
    let found = rustls_native_certs::load_native_certs();
    if let Some(e) = found.errors.first() {
        tracing::warn!(cause = %e, "some authorities of this host could not be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "authorities of this host");
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
