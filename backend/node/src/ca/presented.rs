//! The certificate that a server shows. It is taken anew while the server runs: sessions outlive both the
//! authority's yearly certificates and one that an administrator sets.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use shared::Fqdn;
use shared::api::CertificateView;
use shared::time::Timestamp;

use super::{CaError, Identity, LocalCa, described, names_of};

/// What servers of this deployment say at each other: they are shown the authority's certificate, whatever
/// clients are shown.
pub(super) const INSIDE: &[u8] = b"lifeguard-server";
/// A certificate of the authority is taken anew when fewer days are left.
const RENEW_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// What a server shows its peers.
#[derive(Debug)]
pub struct Presented {
    names: Vec<Fqdn>,
    /// Whether an own certificate of the pool (the last name) goes before the authority's.
    clients: bool,
    now: RwLock<Shown>,
}

#[derive(Debug)]
struct Shown {
    issued: Arc<CertifiedKey>,
    /// Of the administrator's making, for clients.
    own: Option<Arc<CertifiedKey>>,
}

impl Presented {
    fn read(&self) -> (Arc<CertifiedKey>, Option<Arc<CertifiedKey>>) {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        (now.issued.clone(), now.own.clone())
    }

    /// Takes what has changed since: an own certificate that was set or removed, one that ends soon, one that
    /// was issued anew elsewhere.
    fn refresh(&self, ca: &LocalCa, now: Timestamp) -> Result<(), CaError> {
        let (current, _) = self.read();
        let days = current.end_entity_cert().ok().and_then(|c| details(c, now)).map_or(0, |d| d.days_left);
        let names: Vec<&Fqdn> = self.names.iter().collect();
        let again = days < RENEW_DAYS || !ca.issues();
        let issued = if again { certified(&ca.issue(&names)?)? } else { current };
        let own = self.own(ca);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Shown { issued, own };
        Ok(())
    }

    fn own(&self, ca: &LocalCa) -> Option<Arc<CertifiedKey>> {
        self.names.last().filter(|_| self.clients).and_then(|n| ca.own(n))
    }

    /// Names of the server and its pool.
    pub fn names(&self) -> &[Fqdn] {
        &self.names
    }

    /// The certificate that clients are shown, and whether an administrator set it.
    pub fn certificate(&self) -> Option<(CertificateDer<'static>, bool)> {
        let (issued, own) = self.read();
        let is_own = own.is_some();
        own.unwrap_or(issued).cert.first().cloned().map(|c| (c, is_own))
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let (issued, own) = self.read();
        let inside = hello.alpn().is_some_and(|mut list| list.any(|p| p == INSIDE));
        Some(own.filter(|_| !inside).unwrap_or(issued))
    }
}

fn certified(id: &Identity) -> Result<Arc<CertifiedKey>, CaError> {
    let key = any_supported_type(&id.key)?;
    let made = CertifiedKey::new(id.chain.clone(), key);
    made.keys_match()?;
    Ok(Arc::new(made))
}

impl Identity {
    /// From texts in PEM: the server's certificate with those that signed it, and its key.
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not belong together.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, CaError> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| CaError::Damaged(format!("the certificate cannot be read: {e}")))?;
        if chain.is_empty() {
            return Err(CaError::Damaged("there is no certificate in this text".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|e| CaError::Damaged(format!("the private key cannot be read: {e}")))?;
        let id = Self { chain, key };
        certified(&id).map_err(|e| match e {
            CaError::Tls(rustls::Error::InconsistentKeys(_)) => {
                CaError::Damaged("the private key is not the one of this certificate".to_owned())
            }
            e => e,
        })?;
        Ok(id)
    }

    /// The server's certificate.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }
}

impl LocalCa {
    /// What a server of these names shows from now on; `clients` says whether it is for clients, who are shown
    /// an own certificate of the pool (the last name) when there is one.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn present(&self, names: Vec<Fqdn>, id: &Identity, clients: bool) -> Result<Arc<Presented>, CaError> {
        let issued = certified(id)?;
        let shown = Presented { names, clients, now: RwLock::new(Shown { issued, own: None }) };
        let own = shown.own(self);
        shown.now.write().unwrap_or_else(PoisonError::into_inner).own = own;
        let shown = Arc::new(shown);
        let mut all = self.presented.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|p| p.strong_count() > 0);
        all.push(Arc::downgrade(&shown));
        Ok(shown)
    }

    /// What servers of this process show now.
    pub fn presented(&self) -> Vec<Arc<Presented>> {
        let all = self.presented.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    }

    /// Lets every server take what has changed, without ending a session. One that cannot keeps what it shows.
    pub fn refresh(&self, now: Timestamp) {
        for p in self.presented() {
            if let Err(e) = p.refresh(self, now) {
                let server = p.names.first().map(ToString::to_string).unwrap_or_default();
                tracing::error!(server, cause = %e, "a server's certificate could not be renewed");
            }
        }
    }

    /// The certificates that administrators set, by the pool's name; replaces all earlier ones.
    ///
    /// # Errors
    /// When one cannot be used; then nothing is changed.
    pub fn set_own(&self, all: &[(Fqdn, Identity)]) -> Result<(), CaError> {
        let made =
            all.iter().map(|(n, id)| Ok((n.clone(), certified(id)?))).collect::<Result<_, CaError>>()?;
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = made;
        Ok(())
    }

    fn own(&self, pool: &Fqdn) -> Option<Arc<CertifiedKey>> {
        self.own.read().unwrap_or_else(PoisonError::into_inner).get(pool).cloned()
    }
}

/// What a certificate says of itself; none when it is none.
pub fn details(certificate: &CertificateDer<'_>, now: Timestamp) -> Option<CertificateView> {
    let d = described(certificate)?;
    Some(CertificateView {
        days_left: (d.not_after.millis() - now.millis()).div_euclid(DAY_MS),
        subject: d.subject,
        issuer: d.issuer,
        names: names_of(certificate),
        not_before: d.not_before,
        not_after: d.not_after,
        thumbprint: d.thumbprint,
        server: String::new(),
        pool: String::new(),
        own: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::fingerprint_of;

    fn name(n: &str) -> Fqdn {
        Fqdn::try_from(n).unwrap()
    }

    fn pem(id: &Identity) -> (String, String) {
        use base64::Engine as _;
        let wrap = |label: &str, der: &[u8]| {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
        };
        let chain = id.chain.iter().map(|c| wrap("CERTIFICATE", c)).collect();
        (chain, wrap("PRIVATE KEY", id.key.secret_der()))
    }

    #[test]
    fn an_own_certificate_is_shown_to_clients_and_can_be_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let (ca, other) =
            (LocalCa::open(&dir.path().join("a")).unwrap(), LocalCa::open(&dir.path().join("b")).unwrap());
        let (server, pool) = (name("fe1.contoso.com"), name("fe.contoso.com"));
        let id = ca.issue(&[&server, &pool]).unwrap();
        let shown = ca.present(vec![server, pool.clone()], &id, true).unwrap();
        let issuer = |p: &Presented| fingerprint_of(&p.certificate().unwrap().0);
        let first = issuer(&shown);
        let (chain, key) = pem(&other.issue(&[&pool]).unwrap());
        let own = Identity::from_pem(&chain, &key).unwrap();
        let own_print = fingerprint_of(own.certificate().unwrap());
        ca.set_own(&[(pool, own)]).unwrap();
        let now = Timestamp::from_millis(time::OffsetDateTime::now_utc().unix_timestamp() * 1000);
        ca.refresh(now);
        assert_eq!(issuer(&shown), own_print);
        ca.set_own(&[]).unwrap();
        ca.refresh(now);
        assert_eq!(issuer(&shown), first);
        // A year later the authority's own is taken anew before it ends.
        let later = Timestamp::from_millis(now.millis() + 340 * DAY_MS);
        ca.refresh(later);
        assert_ne!(issuer(&shown), first);
    }

    #[test]
    fn what_does_not_belong_together_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let ca = LocalCa::open(dir.path()).unwrap();
        let (chain, _) = pem(&ca.issue(&[&name("a.contoso.com")]).unwrap());
        let (_, key) = pem(&ca.issue(&[&name("b.contoso.com")]).unwrap());
        let said = |c: &str, k: &str| match Identity::from_pem(c, k) {
            Ok(_) => String::new(),
            Err(e) => e.to_string(),
        };
        assert_eq!(said(&chain, &key), "the private key is not the one of this certificate");
        assert_eq!(said("", &key), "there is no certificate in this text");
        assert!(said(&chain, "nothing").contains("private key cannot be read"));
        assert!(said("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", &key).len() > 10);
        let c = ca.issue(&[&name("a.contoso.com")]).unwrap();
        let d = details(c.certificate().unwrap(), Timestamp::from_millis(0)).unwrap();
        assert_eq!(d.names, ["a.contoso.com"]);
        assert!(d.subject.contains("a.contoso.com") && d.days_left > 364);
    }
}
