//! What test messages trust: the deployment's own authority, those of this host, and those that were added.

use std::sync::Arc;

use node::ca::{self, LocalCa};
use rustls::pki_types::CertificateDer;
use shared::error::ApiError;
use store::management::trusted::{self, Trusted};

use crate::app::App;
use crate::door::store_error;

/// Certificates of the authorities that were added.
///
/// # Errors
/// The store's.
pub fn added(app: &App) -> Result<Vec<CertificateDer<'static>>, ApiError> {
    let list = app.store.read(trusted::all).map_err(store_error)?;
    let certificates = |t: &Trusted| {
        ca::certificates(&t.pem).unwrap_or_else(|e| {
            tracing::error!(name = %t.name, cause = %e, "a trusted certificate cannot be read any more");
            Vec::new()
        })
    };
    Ok(list.iter().flat_map(certificates).collect())
}

/// Settings of a client that trusts `authority`, this host's authorities and `added`. All are read anew for
/// each test, so that what an administrator of the host changes counts at once.
///
/// # Errors
/// When the client's own certificate, in PEM with its key, cannot be used.
pub fn settings(
    authority: &LocalCa,
    added: Vec<CertificateDer<'static>>,
    own: Option<(&[u8], &[u8])>,
) -> Result<Arc<rustls::ClientConfig>, ca::CaError> {
    let mut others = rustls_native_certs::load_native_certs().certs;
    others.extend(added);
    authority.client_config_trusting(others, own)
}
