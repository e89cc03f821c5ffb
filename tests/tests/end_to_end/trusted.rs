//! Registrars whose certificate comes from an authority of others: the host's, or one that was added.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Options, wait};
use serde_json::json;

use crate::causes::{front_end, good, is};
use crate::support::{Sample, refused, run};

const AT: &str = "127.77.0.14";

/// An authority: its certificate in PEM, and what it issues.
pub struct Foreign {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pub pem: String,
    /// Its key in PEM, which nobody may be given.
    key: String,
}

impl Foreign {
    pub fn new() -> Result<Self> {
        let key = rcgen::KeyPair::generate()?;
        let mut p = rcgen::CertificateParams::new(Vec::<String>::new())?;
        p.distinguished_name.push(rcgen::DnType::CommonName, "Fabrikam Root");
        p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = p.self_signed(&key)?.pem();
        let text = key.serialize_pem();
        Ok(Self { issuer: rcgen::Issuer::new(p, key), pem, key: text })
    }

    /// Certificate and key in PEM.
    pub fn issue(&self, name: &str) -> Result<(String, String)> {
        let key = rcgen::KeyPair::generate()?;
        let p = rcgen::CertificateParams::new(vec![name.to_owned()])?;
        Ok((p.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }

    /// A server of this authority that ends TLS and passes what is said on to `to`; its port.
    pub async fn before(&self, at: &str, to: SocketAddr) -> Result<u16> {
        use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
        let (cert, key) = self.issue(at)?;
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(
                    vec![CertificateDer::from_pem_slice(cert.as_bytes())?],
                    PrivateKeyDer::from_pem_slice(key.as_bytes())?,
                )?;
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let l = tokio::net::TcpListener::bind(format!("{at}:0")).await?;
        let port = l.local_addr()?.port();
        tokio::spawn(async move {
            while let Ok((c, _)) = l.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut outer = acceptor.accept(c).await?;
                    let mut inner = tokio::net::TcpStream::connect(to).await?;
                    tokio::io::copy_bidirectional(&mut outer, &mut inner).await
                });
            }
        });
        Ok(port)
    }
}

async fn plain(s: &Sample) -> Result<SocketAddr> {
    let mut at = front_end(s).await?;
    at.set_port(5060);
    Ok(at)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_others_is_trusted_once_it_is_added() -> Result<()> {
    let (s, theirs) = (Sample::start().await?, Foreign::new()?);
    let (a, b) = (&s.users[0], &s.users[1]);
    let port = theirs.before(AT, plain(&s).await?).await?;
    let args = json!({ "TargetFqdn": AT, "RegistrarPort": port });
    let t = s.test(a, b, args.clone()).await?;
    is(&t, "tls_untrusted", "authority that is not trusted")?;
    ensure!(t["report"]["diagnosis"]["check_next"].to_string().contains("New-LgTrustedCertificate"), "{t}");

    let (new, get) = ("New-LgTrustedCertificate", "Get-LgTrustedCertificate");
    for (text, words) in [("C:\\ca.cer", "no certificate"), (theirs.key.as_str(), "private key")] {
        let e = refused(&s.client, new, json!({ "Name": "Fabrikam", "Certificate": text }), 400).await?;
        ensure!(e["field"] == "Certificate" && e["message"].to_string().contains(words), "{e}");
    }
    let added = json!({ "Name": "Fabrikam", "Certificate": theirs.pem });
    let plan = s.client.cmdlet(new, added.clone(), "what_if").await?.1;
    ensure!(plan["plan"]["sentences"].to_string().contains("CN=Fabrikam Root (SHA-256 "), "{plan}");
    let t = s.test(a, b, args.clone()).await?;
    is(&t, "tls_untrusted", "")?;
    run(&s.client, new, added.clone()).await?;
    good(&s.test(a, b, args.clone()).await?)?;
    // Our own authority is trusted as before.
    good(&s.test(a, b, json!({})).await?)?;
    refused(&s.client, new, added, 409).await?;
    let list = run(&s.client, get, json!({})).await?;
    ensure!(
        list["output"][0]["Identity"] == "Fabrikam" && list["output"][0]["Subject"][0] == "CN=Fabrikam Root",
        "{list}"
    );
    run(&s.client, "Remove-LgTrustedCertificate", json!({ "Identity": "fabrikam" })).await?;
    is(&s.test(a, b, args).await?, "tls_untrusted", "")?;
    refused(&s.client, get, json!({ "Identity": "Fabrikam" }), 404).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorities_of_the_host_are_trusted() -> Result<()> {
    let theirs = Foreign::new()?;
    let place = tempfile::tempdir()?;
    let file = place.path().join("roots.pem");
    // Where OpenSSL's programs look for the host's authorities as well.
    let env = vec![("SSL_CERT_FILE".to_owned(), file.display().to_string())];
    std::fs::write(&file, "")?;
    let s = Sample::with(Options { env, ..Options::default() }).await?;
    let port = theirs.before("127.77.0.15", plain(&s).await?).await?;
    let args = json!({ "TargetFqdn": "127.77.0.15", "RegistrarPort": port });
    is(&s.test(&s.users[0], &s.users[1], args.clone()).await?, "tls_untrusted", "")?;
    // The administrator of the host adds it: it counts at once.
    std::fs::write(&file, &theirs.pem)?;
    good(&s.test(&s.users[0], &s.users[1], args).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_adds_and_removes_an_authority() -> Result<()> {
    let (s, theirs) = (Sample::start().await?, Foreign::new()?);
    let b = Browser::start().await?;
    crate::page::sign_in(&b, &s).await?;
    b.goto(&format!("{}/test-message", s.server.url())).await?;
    b.wait_text("No pool is watched yet.").await?;
    b.script("document.querySelectorAll('details.card').forEach(d => d.open = true)", vec![]).await?;
    b.wait_text("No authority was added.").await?;
    b.fill("Name of the authority", "Fabrikam").await?;
    b.fill("Certificate (PEM)", &theirs.pem).await?;
    b.click_button("Trust Fabrikam").await?;
    b.wait_text("CN=Fabrikam Root").await?;
    b.script("document.querySelector('.authorities').scrollIntoView({ block: 'center' })", vec![]).await?;
    b.assert_accessible("authorities").await?;
    b.screenshot("test-authorities").await?;
    b.size(390, 844).await?;
    b.script("document.querySelector('.authorities').scrollIntoView({ block: 'center' })", vec![]).await?;
    let wide = b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
    ensure!(wide == json!(false), "it scrolls sideways");
    b.screenshot("test-authorities-narrow").await?;
    let found = run(&s.client, "Get-LgTrustedCertificate", json!({})).await?;
    let name = found["output"][0]["Identity"].as_str().context("none")?.to_owned();
    run(&s.client, "Remove-LgTrustedCertificate", json!({ "Identity": name })).await?;
    wait::until("the list to follow", async || b.wait_text("No authority was added.").await).await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}
