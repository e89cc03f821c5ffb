//! Authorities of others: what is in a PEM text, and clients that trust them beside our own.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use shared::Timestamp;

use super::{CaError, LocalCa, fingerprint_of, provider};

/// A certificate as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// SHA-256, in hexadecimal.
    pub thumbprint: String,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
}

/// Reads a certificate's facts; none when it is no certificate.
pub fn described(certificate: &[u8]) -> Option<Described> {
    let (_, c) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let at = |t: x509_parser::time::ASN1Time| Timestamp::from_millis(t.timestamp().saturating_mul(1000));
    Some(Described {
        subject: c.subject().to_string(),
        issuer: c.issuer().to_string(),
        thumbprint: fingerprint_of(certificate),
        not_before: at(c.validity().not_before),
        not_after: at(c.validity().not_after),
    })
}

/// The certificates of a PEM text.
///
/// # Errors
/// When there is none, one is damaged, or a private key is among them.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, CaError> {
    if PrivateKeyDer::from_pem_slice(pem.as_bytes()).is_ok() || pem.contains("PRIVATE KEY") {
        return Err(CaError::Damaged("there is a private key in it; give the certificate alone".to_owned()));
    }
    let list = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| CaError::Damaged(format!("it is damaged: {e}")))?;
    if list.is_empty() {
        return Err(CaError::Damaged(
            "there is no certificate in it; it begins with -----BEGIN CERTIFICATE-----".to_owned(),
        ));
    }
    match list.iter().position(|c| described(c).is_none()) {
        Some(n) => Err(CaError::Damaged(format!("certificate {} in it cannot be read", n + 1))),
        None => Ok(list),
    }
}

impl LocalCa {
    /// Settings of a client that trusts this authority and `others`; what cannot be an authority is left out.
    /// With `own` (chain and key in PEM) it shows a certificate of its own.
    ///
    /// # Errors
    /// When its own certificate or key cannot be read, or do not belong together.
    pub fn client_config_trusting(
        &self,
        others: Vec<CertificateDer<'static>>,
        own: Option<(&[u8], &[u8])>,
    ) -> Result<Arc<ClientConfig>, CaError> {
        let mut roots = (*self.roots).clone();
        roots.add_parsable_certificates(others);
        let b = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let b = b.with_root_certificates(roots);
        let Some((chain, key)) = own else { return Ok(Arc::new(b.with_no_client_auth())) };
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| CaError::Damaged(format!("the certificate: {e}")))?;
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|e| CaError::Damaged(format!("the key: {e}")))?;
        Ok(Arc::new(b.with_client_auth_cert(chain, key)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_certificates_and_no_keys() {
        let made = rcgen::generate_simple_self_signed(vec!["ca.contoso.com".to_owned()]).unwrap();
        let pem = made.cert.pem();
        let found = certificates(&format!("Bag of something\n{pem}{pem}")).unwrap();
        assert_eq!(found.len(), 2);
        let d = described(&found[0]).unwrap();
        assert_eq!(d.thumbprint, fingerprint_of(made.cert.der()));
        assert!(d.not_after > Timestamp::from_millis(1_700_000_000_000) && !d.subject.is_empty(), "{d:?}");
        let key = made.signing_key.serialize_pem();
        for (text, words) in [
            ("", "no certificate"),
            ("C:\\ca.cer", "no certificate"),
            (key.as_str(), "private key"),
            (&format!("{pem}{key}"), "private key"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
        ] {
            let e = certificates(text).unwrap_err().to_string();
            assert!(e.contains(words), "{text}: {e}");
        }
    }
}
