//! Each way in which TLS fails has a cause of its own.

use std::sync::Arc;

use crate::peer::{Answer, Peer};
use crate::support::plan;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use shared::synthetic::{CauseCode, Outcome, Phase, TestReport};
use synthetic::{TestPlan, Transport, run};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const HOST: &str = "fe.litware.test";

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut p = CertificateParams::new(Vec::<String>::new()).unwrap();
        p.distinguished_name.push(DnType::CommonName, name);
        p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = p.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(p, key), certificate }
    }

    /// A server's settings; years from and to.
    fn server(&self, name: &str, years: (i32, i32)) -> Arc<ServerConfig> {
        self.server_with(name, years, rustls::DEFAULT_VERSIONS, None)
    }

    fn server_with(
        &self,
        name: &str,
        years: (i32, i32),
        versions: &[&'static SupportedProtocolVersion],
        wants: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut p = CertificateParams::new(vec![name.to_owned()]).unwrap();
        p.not_before = date_time_ymd(years.0, 1, 1);
        p.not_after = date_time_ymd(years.1, 1, 1);
        let cert = p.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let b = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
        let b = match wants {
            None => b.with_no_client_auth(),
            Some(v) => b.with_client_cert_verifier(v),
        };
        Arc::new(b.with_single_cert(vec![cert], key).unwrap())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }

    fn client_with(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let b = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
        Arc::new(b.with_root_certificates(self.roots()).with_no_client_auth())
    }

    fn plan(&self, at: std::net::SocketAddr) -> TestPlan {
        TestPlan {
            tls: self.client_with(rustls::DEFAULT_VERSIONS),
            transport: Transport::Tls,
            registrar_host: HOST.to_owned(),
            ..plan(at)
        }
    }
}

fn is(report: &TestReport, cause: CauseCode, words: &str) {
    let d = report.diagnosis.as_ref().unwrap();
    assert_eq!(d.cause, cause, "{}", report.print());
    assert!(d.text.contains(words), "{}", d.text);
    assert!(!d.check_next.is_empty() && report.error_message.starts_with("TLS: "), "{}", report.print());
    assert!(report.steps.iter().any(|s| s.phase == Phase::Tls && !s.ok));
}

#[tokio::test]
async fn a_good_certificate_is_accepted() {
    let ours = Authority::new("ours");
    let peer = Peer::start_with(Some(ours.server(HOST, (2000, 4000))), |_| Answer::Usual).await;
    let report = run(ours.plan(peer.at), |_| {}).await;
    assert_eq!(report.result, Outcome::Success, "{}", report.print());
    assert_eq!(report.steps.iter().filter(|s| s.phase == Phase::Tls && s.ok).count(), 2);
}

#[tokio::test]
async fn bad_certificates_are_told_apart() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for (server, cause, words) in [
        (theirs.server(HOST, (2000, 4000)), CauseCode::TlsUntrusted, "authority that is not trusted"),
        (
            ours.server("other.litware.test", (2000, 4000)),
            CauseCode::TlsWrongName,
            "is for other.litware.test, not for fe.litware.test",
        ),
        (ours.server(HOST, (2000, 2001)), CauseCode::TlsExpired, "has expired on 2001-01-01T00:00:00Z"),
        (ours.server(HOST, (3900, 4000)), CauseCode::TlsNotYetValid, "valid only from 3900-01-01T00:00:00Z"),
    ] {
        let peer = Peer::start_with(Some(server), |_| Answer::Usual).await;
        is(&run(ours.plan(peer.at), |_| {}).await, cause, words);
        assert!(peer.heard(crate::peer::SENDER).is_empty());
    }
}

#[tokio::test]
async fn a_refused_handshake_is_no_bad_certificate() {
    let ours = Authority::new("ours");
    // Closed at once, not TLS at all, and a server that wants another version.
    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (closes, speaks) = (closing.local_addr().unwrap(), plain.local_addr().unwrap());
    tokio::spawn(async move { while closing.accept().await.is_ok() {} });
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut c, _)) = plain.accept().await {
            c.write_all(b"SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            kept.push(c);
        }
    });
    is(&run(ours.plan(closes), |_| {}).await, CauseCode::TlsHandshake, "closed the connection");
    is(&run(ours.plan(speaks), |_| {}).await, CauseCode::TlsHandshake, "not TLS");

    let old = ours.server_with(HOST, (2000, 4000), &[&rustls::version::TLS12], None);
    let peer = Peer::start_with(Some(old), |_| Answer::Usual).await;
    let mut p = ours.plan(peer.at);
    p.tls = ours.client_with(&[&rustls::version::TLS13]);
    is(&run(p, |_| {}).await, CauseCode::TlsHandshake, "with the alert ProtocolVersion");
}

/// With TLS 1.3 the client has finished the handshake when the server refuses it: the next read tells.
#[tokio::test]
async fn a_server_that_wants_a_client_certificate_is_told() {
    let ours = Authority::new("ours");
    let wants = WebPkiClientVerifier::builder_with_provider(ours.roots(), provider()).build().unwrap();
    let server = ours.server_with(HOST, (2000, 4000), rustls::DEFAULT_VERSIONS, Some(wants));
    let peer = Peer::start_with(Some(server), |_| Answer::Usual).await;
    let report = run(ours.plan(peer.at), |_| {}).await;
    let d = report.diagnosis.as_ref().unwrap();
    assert_eq!(d.cause, CauseCode::TlsHandshake, "{}", report.print());
    assert!(d.text.contains("CertificateRequired"), "{}", d.text);
}

/// A trusted server shows its certificate and is asked for nothing else.
#[tokio::test]
async fn a_trusted_server_signs_users_on_with_its_certificate_alone() {
    let ours = Authority::new("ours");
    let wants = WebPkiClientVerifier::builder_with_provider(ours.roots(), provider()).build().unwrap();
    let server = ours.server_with(HOST, (2000, 4000), rustls::DEFAULT_VERSIONS, Some(wants));
    let script = |h: &crate::peer::Heard<'_>| {
        if h.what.starts_with("REGISTER") { Answer::Status(200, "OK", "") } else { Answer::Usual }
    };
    let peer = Peer::start_with(Some(server), script).await;
    let key = KeyPair::generate().unwrap();
    let mine = CertificateParams::new(vec!["portal.litware.test".to_owned()]).unwrap();
    let certificate = mine.signed_by(&key, &ours.issuer).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let b = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let b = b.with_root_certificates(ours.roots());
    let mut p = ours.plan(peer.at);
    p.tls = Arc::new(b.with_client_auth_cert(vec![certificate], key).unwrap());
    p.authentication = synthetic::Authentication::TrustedServer;
    let report = run(p, |_| {}).await;
    assert_eq!(report.result, Outcome::Success, "{}", report.print());
    assert_eq!(peer.names(), Vec::<String>::new());
}
