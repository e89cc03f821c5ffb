//! Clients from other machines: a server at an address of this machine is reached from a network namespace of
//! the test's own, with the DNS records and certificates that the page shows.

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use node::ca::{LocalCa, fingerprint_of};
use serde_json::{Value, json};
use shared::Fqdn;
use tokio::net::TcpStream;

use crate::interop::{files, front_end};
use crate::support::{Sample, job, refused, run};
use crate::support_tls;

const FRONT: &str = "atl-fe-001.litwareinc.com";

/// Another machine: a network namespace with one cable to this one.
struct Elsewhere {
    name: String,
    /// The address of this machine at the cable.
    here: IpAddr,
    /// The address of the other machine.
    there: IpAddr,
}

impl Elsewhere {
    fn new() -> Result<Self> {
        // A network of its own for each process of tests; the range is for measurements inside a laboratory.
        let id = std::process::id();
        let [a, b] = [(id >> 6) % 256, (id % 64) * 4];
        let name = format!("lg{id}");
        let this = Self {
            here: format!("198.18.{a}.{}", b + 1).parse()?,
            there: format!("198.18.{a}.{}", b + 2).parse()?,
            name,
        };
        let (n, cable) = (&this.name, format!("{}h", this.name));
        ip(&format!("netns add {n}"))?;
        ip(&format!("link add {cable} type veth peer name {n}t netns {n}"))?;
        ip(&format!("addr add {}/30 dev {cable}", this.here))?;
        ip(&format!("link set {cable} up"))?;
        ip(&format!("-n {n} addr add {}/30 dev {n}t", this.there))?;
        ip(&format!("-n {n} link set {n}t up"))?;
        ip(&format!("-n {n} link set lo up"))?;
        Ok(this)
    }

    /// A program on the other machine.
    fn program(&self, name: &str) -> Command {
        let mut c = Command::new("ip");
        c.args(["netns", "exec", &self.name, name]).stdin(Stdio::null());
        c
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = ip(&format!("link del {}h", self.name));
        let _ = ip(&format!("netns del {}", self.name));
    }
}

fn ip(words: &str) -> Result<()> {
    let out = Command::new("ip").args(words.split(' ')).output();
    let out = out.context("ip does not start: cargo xtask test installs it (iproute2)")?;
    ensure!(
        out.status.success(),
        "ip {words}: {} (network namespaces need root)",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(())
}

async fn publish(s: &Sample) -> Result<()> {
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, "done").await?;
    Ok(())
}

async fn place(s: &Sample, placement: &str) -> Result<()> {
    let set = json!({ "Identity": FRONT, "Placement": placement });
    run(&s.client, "Set-LgFrontEndPool", set).await?;
    Ok(())
}

async fn sign_in(e: &Elsewhere, at: SocketAddr, s: &Sample, scenario: &str) -> Result<()> {
    let (user, dir) = (&s.users[0], tempfile::tempdir()?);
    let name = user.logon.rsplit('\\').next().unwrap_or_default();
    let mut c = e.program("sipp");
    c.current_dir(dir.path())
        .arg(at.to_string())
        .args(["-t", "t1", "-i", &e.there.to_string(), "-nostdin", "-timeout", "20s", "-timeout_error"])
        .arg("-sf")
        .arg(files().join(scenario))
        .args(["-key", "user", name, "-key", "domain", "litwareinc.com", "-au", name, "-ap", &user.password])
        .args(["-key", "lookup", "gc-lookup-atl-cs-001.litwareinc.com", "-m", "1"]);
    let out = tokio::task::spawn_blocking(move || c.output()).await??;
    ensure!(out.status.success(), "{scenario}: {}", String::from_utf8_lossy(&out.stdout));
    Ok(())
}

fn record<'a>(list: &'a Value, kind: &str, name: &str) -> Result<&'a Value> {
    let all = list.as_array().context("no list")?;
    all.iter().find(|r| r["kind"] == kind && r["name"] == name).context("no such record")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_elsewhere_signs_in_and_reaches_a_pool() -> Result<()> {
    let (e, s) = (Elsewhere::new()?, Sample::start().await?);
    let (_, before) = s.client.get("/api/v1/dns").await?;
    let a = record(&before, "A", FRONT)?;
    ensure!(a["warning"].as_str().is_some_and(|w| w.contains("from this machine only")), "{a}");
    // An address that this machine does not have is found out before anything is changed.
    place(&s, "Here:203.0.113.77").await?;
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    let failed = job(&s.client, answer["job"].as_str().context("no job")?, "failed").await?;
    ensure!(failed.to_string().contains("this machine has no such address"), "{failed}");
    place(&s, &format!("Here:{}", e.here)).await?;
    publish(&s).await?;
    let at = wait::until("the Front End at its address", async || {
        let at = front_end(&s).await?;
        ensure!(at.ip() == e.here, "{at}");
        Ok(at)
    })
    .await?;
    sign_in(&e, at, &s, "register.xml").await?;
    sign_in(&e, at, &s, "lookup.xml").await?;
    let (_, now) = s.client.get("/api/v1/dns").await?;
    let a = record(&now, "A", FRONT)?;
    ensure!(a["value"] == e.here.to_string().as_str() && a["warning"] == "", "{a}");
    let srv = record(&now, "SRV", "_sipinternaltls._tcp.litwareinc.com")?;
    ensure!(srv["value"].as_str().is_some_and(|v| v.ends_with(&format!("5061 {FRONT}"))), "{srv}");
    Ok(())
}

pub fn pem(label: &str, hexadecimal: &str) -> Result<String> {
    use std::fmt::Write;
    use std::io::Write as _;
    let mut c = Command::new("base64");
    c.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = c.spawn().context("base64 does not start")?;
    child.stdin.take().context("no input")?.write_all(&hex::decode(hexadecimal)?)?;
    let mut out = format!("-----BEGIN {label}-----\n");
    out += &String::from_utf8(child.wait_with_output()?.stdout)?;
    writeln!(out, "-----END {label}-----")?;
    Ok(out)
}

/// SHA-256 of the certificate that the server shows to a client who trusts only `ca`.
pub async fn shown(at: SocketAddr, ca: &LocalCa) -> Result<String> {
    let tcp = TcpStream::connect(at).await?;
    let name = rustls::pki_types::ServerName::try_from(FRONT)?;
    let tls = tokio_rustls::TlsConnector::from(ca.client_config()).connect(name, tcp).await?;
    let all = tls.get_ref().1.peer_certificates().context("no certificate")?;
    Ok(fingerprint_of(all.first().context("no certificate")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_shows_clients_a_certificate_of_ones_own_and_sessions_go_on() -> Result<()> {
    let s = Sample::start().await?;
    let dir = tempfile::tempdir()?;
    let own = Arc::new(LocalCa::open(dir.path())?);
    let local = LocalCa::open(&s.server.data_dir().join("ca"))?;
    let mut at = front_end(&s).await?;
    at.set_port(5061);
    let issued = own.issue(&[&Fqdn::try_from(FRONT)?])?.issued();
    let (certificate, key) = (pem("CERTIFICATE", &issued.certificate)?, pem("PRIVATE KEY", &issued.key)?);
    ensure!(shown(at, &own).await.is_err(), "nobody knows that authority yet");
    let first = shown(at, &local).await?;
    let set = |pool: &str| json!({ "Identity": pool, "Certificate": certificate, "PrivateKey": key });
    let wrong = refused(&s.client, "Set-LgCertificate", set("dub-fe-001.litwareinc.com"), 400).await?;
    ensure!(wrong["field"] == "Certificate", "{wrong}");
    let mut other = set(FRONT);
    other["PrivateKey"] = pem("PRIVATE KEY", &own.issue(&[&Fqdn::try_from(FRONT)?])?.issued().key)?.into();
    let wrong = refused(&s.client, "Set-LgCertificate", other, 400).await?;
    ensure!(wrong["field"] == "PrivateKey", "{wrong}");
    run(&s.client, "Set-LgCertificate", set(FRONT)).await?;
    let now = shown(at, &own).await?;
    ensure!(now == fingerprint_of(&hex::decode(&issued.certificate)?), "{now}");
    let list = run(&s.client, "Get-LgCertificate", json!({ "Identity": FRONT })).await?;
    ensure!(list["output"][0]["Own"] == true && list["output"][0]["Thumbprint"] == now.as_str(), "{list}");
    // Dublin's users still reach Redmond's pool: servers are shown the authority's certificate.
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    let text = audit.to_string();
    ensure!(
        text.contains("Set-LgCertificate") && !text.contains("PRIVATE KEY"),
        "the key stands in the audit"
    );
    let dublin = support_tls::other_server(s.server.data_dir())?;
    let spoke = support_tls::speaks(at, FRONT, s.server.data_dir(), Some(dublin)).await?;
    ensure!(spoke, "a server of this deployment is refused");
    run(&s.client, "Remove-LgCertificate", json!({ "Identity": FRONT })).await?;
    ensure!(shown(at, &local).await? == first, "the authority's certificate is shown again");
    Ok(())
}

/// A request over TLS by a client who trusts the authority in this data directory; the answer.
async fn said(at: SocketAddr, data: &std::path::Path, line: &str, body: &str) -> Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ca = LocalCa::open(&data.join("ca"))?;
    let name = rustls::pki_types::ServerName::from(at.ip());
    let tcp = TcpStream::connect(at).await?;
    let mut tls = tokio_rustls::TlsConnector::from(ca.client_config()).connect(name, tcp).await?;
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {at}\r\nX-Lifeguard-Csrf: 1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    tls.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    // Closing without a farewell of TLS is no fault of the answer.
    let _ = tls.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_speaks_tls_with_a_certificate_of_its_own_authority() -> Result<()> {
    let options = lifeguard_tests::Options { args: vec!["--tls".to_owned()], ..Default::default() };
    let server = lifeguard_tests::Server::start(options).await?;
    ensure!(server.url().starts_with("https://127.0.0.1:"), "{}", server.url());
    let at: SocketAddr = server.url().trim_start_matches("https://").parse()?;
    let body = json!({ "token": server.setup_token().await?, "name": "root", "password": crate::support::PASSWORD, "deployment": "empty" });
    let setup = said(at, server.data_dir(), "POST /api/v1/setup", &body.to_string()).await?;
    ensure!(setup.starts_with("HTTP/1.1 200"), "{setup}");
    let cookie = setup.lines().find(|l| l.to_lowercase().starts_with("set-cookie:")).context("no cookie")?;
    ensure!(cookie.contains("; Secure"), "{cookie}");
    ensure!(said(at, server.data_dir(), "GET /healthz", "").await?.starts_with("HTTP/1.1 200"));
    // Neither a stranger to the authority nor plain HTTP gets anywhere.
    let strange = tempfile::tempdir()?;
    ensure!(said(at, strange.path(), "GET /healthz", "").await.is_err());
    let plain = server.url().replace("https://", "http://");
    ensure!(reqwest::Client::new().get(format!("{plain}/healthz")).send().await.is_err());
    Ok(())
}
