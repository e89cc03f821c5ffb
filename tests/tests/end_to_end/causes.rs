//! The causes of docs/diagnosis.md, each provoked for real: packets that are dropped, disks that are full,
//! locks, processes that stand still or die, devices between. What these tests and `chat`, `provoke`, `history`
//! and `kamailio` do not provoke stands in `backend/synthetic/tests`, against a scripted peer.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Options, wait};
use serde_json::{Value, json};

use crate::apart;
use crate::node::Halves;
use crate::support::{PASSWORD, Sample, User, run};

pub const POOL: &str = "atl-cs-001.litwareinc.com";

/// The run's diagnosis is this one, and says these words; the whole text.
pub fn is(t: &Value, cause: &str, words: &str) -> Result<String> {
    let d = &t["report"]["diagnosis"];
    let text = d["text"].as_str().unwrap_or_default().to_owned();
    ensure!(
        d["cause"] == cause && text.contains(words),
        "not {cause} ({words}): {}\n{}",
        t["printed"],
        t["report"]["steps"]
    );
    ensure!(d["check_next"].as_str().is_some_and(|n| n.len() > 10), "{d}");
    Ok(text)
}

pub fn good(t: &Value) -> Result<()> {
    ensure!(t["summary"]["state"] == "success", "{}\n{}", t["printed"], t["report"]["steps"]);
    Ok(())
}

/// The phase that failed first.
fn failed_at(t: &Value) -> &str {
    let steps = t["report"]["steps"].as_array();
    steps
        .and_then(|l| l.iter().find(|s| s["ok"] == false))
        .and_then(|s| s["phase"].as_str())
        .unwrap_or("none")
}

fn database(s: &Sample) -> PathBuf {
    s.server.data_dir().join("sql/atl-sql-001.litwareinc.com/MSSQLSERVER/mgc.db")
}

/// Holds the pool's database: posts wait until this is dropped.
struct Held(rusqlite::Connection);

impl Held {
    fn new(s: &Sample) -> Result<Self> {
        let c = rusqlite::Connection::open(database(s))?;
        c.busy_timeout(Duration::from_secs(10))?;
        c.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self(c))
    }

    fn release(self) -> Result<()> {
        Ok(self.0.execute_batch("ROLLBACK")?)
    }
}

fn arguments(a: &User, b: &User, target: &str, seconds: u32) -> Value {
    json!({
        "TargetFqdn": target, "TimeoutSeconds": seconds,
        "SenderSipAddress": a.sip, "SenderCredential": { "UserName": a.logon, "Password": a.password },
        "ReceiverSipAddress": b.sip, "ReceiverCredential": { "UserName": b.logon, "Password": b.password },
    })
}

/// A test message that stands at its first post because the database is held; its id.
async fn at_the_post(s: &Sample, args: Value) -> Result<String> {
    let started = run(&s.client, "Test-CsPersistentChatMessage", args).await?;
    let id = started["job"].as_str().context("no run")?.to_owned();
    wait::until("both in the room", async || {
        let (_, t) = s.client.get(&format!("/api/v1/tests/{id}")).await?;
        let joined = |role: &str| {
            t["steps"].as_array().is_some_and(|l| {
                l.iter().any(|s| s["role"] == role && s["phase"] == "join" && s["ok"] == true)
            })
        };
        ensure!(joined("sender") && joined("receiver"), "{t}");
        Ok(())
    })
    .await?;
    Ok(id)
}

async fn ended(s: &Sample, id: &str) -> Result<Value> {
    wait::until("the test message's end", async || {
        let (_, t) = s.client.get(&format!("/api/v1/tests/{id}")).await?;
        ensure!(t["summary"]["state"] != "running", "{t}");
        Ok(t)
    })
    .await
}

/// Where the first Front End of the sample listens with TLS.
pub async fn front_end(s: &Sample) -> Result<SocketAddr> {
    let (_, overview) = s.client.get("/api/v1/overview").await?;
    let listens = overview["front_ends"][0]["listens"].as_array().context("no listeners")?;
    let tls = listens.iter().filter_map(Value::as_str).find(|l| l.ends_with(":5061"));
    Ok(tls.context("no listener with TLS")?.parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_packets_and_a_slow_line() -> Result<()> {
    if !apart::inside("causes::dropped_packets_and_a_slow_line").await? {
        return Ok(());
    }
    let s = Sample::start().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    let front = front_end(&s).await?;
    let ip = front.ip();
    good(&s.test(a, b, json!({})).await?)?;

    // A firewall that drops what goes to the registrar.
    apart::filter(&[format!("ip daddr {ip} tcp dport 5061 drop")])?;
    let t = s.test(a, b, json!({ "TimeoutSeconds": 1 })).await?;
    is(&t, "no_answer", "did not answer within")?;
    ensure!(failed_at(&t) == "connect", "{t}");

    // The same in the middle of a run: nothing comes back any more.
    apart::filter(&[])?;
    let held = Held::new(&s)?;
    let id = at_the_post(&s, arguments(a, b, "atl-fe-001.litwareinc.com", 2)).await?;
    apart::filter(&[format!("ip saddr {ip} tcp sport 5061 drop")])?;
    held.release()?;
    let t = ended(&s, &id).await?;
    is(&t, "timeout", "got no answer in the phase 'Send'")?;
    // Whoever cannot be signed off is told so.
    ensure!(t["report"]["warnings"].to_string().contains("Signing off failed"), "{t}");
    apart::filter(&[])?;
    good(&s.test(a, b, json!({})).await?)?;

    // A line of 64 kbit/s: it works, slowly; with less patience it is called slow, at the step that was.
    apart::sh(
        "tc qdisc add dev lo root handle 1: htb default 1 && tc class add dev lo parent 1: classid 1:1 htb rate 10gbit \
         && tc class add dev lo parent 1: classid 1:2 htb rate 64kbit burst 2kb \
         && tc filter add dev lo parent 1: protocol ip u32 match ip dport 5061 0xffff flowid 1:2 \
         && tc filter add dev lo parent 1: protocol ip u32 match ip sport 5061 0xffff flowid 1:2",
    )?;
    let t = s.test(a, b, json!({ "TimeoutSeconds": 60 })).await;
    let hasty = s.test(a, b, json!({ "TimeoutSeconds": 1 })).await;
    apart::sh("tc qdisc del dev lo root")?;
    let (t, hasty) = (t?, hasty?);
    good(&t)?;
    ensure!(
        t["report"]["total_us"].as_u64().is_some_and(|us| us > 2_000_000),
        "that was not slow: {}",
        t["printed"]
    );
    let cause = hasty["report"]["diagnosis"]["cause"].as_str().unwrap_or("none");
    ensure!(["no_answer", "timeout"].contains(&cause), "{}", hasty["printed"]);
    good(&s.test(a, b, json!({})).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() -> Result<()> {
    if !apart::inside("causes::a_full_disk").await? {
        return Ok(());
    }
    let mut s = Sample::start().await?;
    let (a, b) = (s.users[0].clone(), s.users[1].clone());
    good(&s.test(&a, &b, json!({})).await?)?;
    // The database moves to a disk of two megabytes.
    s.server.stop().await?;
    let place = s.server.data_dir().join("sql/atl-sql-001.litwareinc.com/MSSQLSERVER");
    let (place, kept) = (place.display().to_string(), format!("{}.kept", place.display()));
    apart::sh(&format!(
        "mv {place} {kept} && mkdir {place} && mount -t tmpfs -o size=2m tmpfs {place} && cp -a {kept}/. {place}"
    ))?;
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    wait::until("the pool on its small disk", async || good(&s.test(&a, &b, json!({})).await?)).await?;
    // Somebody fills it.
    let ballast = format!("{place}/ballast");
    apart::sh(&format!("dd if=/dev/zero of={ballast} bs=4k 2>/dev/null || test -s {ballast}"))?;
    // The file of the log may have room for a few more messages.
    let t = wait::until("the disk to be full", async || {
        let t = s.test(&a, &b, json!({})).await?;
        ensure!(t["summary"]["state"] == "failure", "{}", t["printed"]);
        Ok(t)
    })
    .await?;
    is(&t, "database_full", "disk is full")?;
    let (_, o) = s.client.get("/api/v1/overview").await?;
    let told = o["problems"].as_array().context("no problems")?;
    ensure!(
        told.iter().any(|p| p["problem"]["code"] == "disk.full"),
        "the overview says nothing of the disk: {told:?}"
    );
    ensure!(failed_at(&t) == "send", "{t}");
    // Nothing else is lost, and it goes on by itself when there is room.
    std::fs::remove_file(&ballast)?;
    good(&s.test(&a, &b, json!({})).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_and_a_session_that_is_ended() -> Result<()> {
    let s = Sample::start().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    let held = Held::new(&s)?;
    let t = s.test(a, b, json!({})).await?;
    is(&t, "database_locked", "database is locked")?;
    ensure!(failed_at(&t) == "send", "{t}");
    held.release()?;
    good(&s.test(a, b, json!({})).await?)?;

    // The chat servers stop while a post waits.
    let held = Held::new(&s)?;
    let id = at_the_post(&s, arguments(a, b, POOL, 20)).await?;
    let (_, p) = s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
    let servers = p["summary"]["servers"].as_array().context("no servers")?.clone();
    for n in servers.iter().filter_map(|s| s["report"]["fqdn"].as_str()) {
        run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": n })).await?;
    }
    let t = ended(&s, &id).await?;
    held.release()?;
    is(&t, "session_ended", "ended the session of")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_cannot_be_entered() -> Result<()> {
    let s = Sample::start().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    let room = |name: &str| format!("{POOL}\\{name}");
    let uri = async |name: &str| -> Result<String> {
        let found = run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": room(name) })).await?;
        Ok(found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned())
    };
    let category = run(&s.client, "Get-CsPersistentChatCategory", json!({})).await?;
    let category = category["output"][0]["Identity"].as_str().context("no category")?.to_owned();
    for (name, privacy) in [("Shut", "Open"), ("Few", "Closed")] {
        let args =
            json!({ "Name": name, "PersistentChatPoolFqdn": POOL, "Category": category, "Privacy": privacy });
        run(&s.client, "New-CsPersistentChatRoom", args).await?;
    }
    run(&s.client, "Set-CsPersistentChatRoom", json!({ "Identity": room("Shut"), "Disabled": true })).await?;
    let one = json!({ "Identity": room("Few"), "Members": { "Replace": [a.sip] } });
    run(&s.client, "Set-CsPersistentChatRoom", one).await?;
    let shut = uri("Shut").await?;
    let gone =
        format!("{}/{}", shut.rsplit_once('/').context("no id")?.0, "11111111-2222-4333-8444-555555555555");
    let t = s.test(a, b, json!({ "ChatRoomUri": gone })).await?;
    is(&t, "room_unknown", "does not exist on this pool")?;
    let t = s.test(a, b, json!({ "ChatRoomUri": shut })).await?;
    is(&t, "room_disabled", "is disabled")?;
    let t = s.test(a, b, json!({ "ChatRoomUri": uri("Few").await? })).await?;
    is(&t, "not_a_member", &b.sip)?;
    ensure!(failed_at(&t) == "join", "{t}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_and_certificates_that_are_wrong() -> Result<()> {
    let place = tempfile::tempdir()?;
    let (cert, key) = (place.path().join("c.pem"), place.path().join("k.pem"));
    let foreign = rcgen::generate_simple_self_signed(vec!["portal.contoso.com".to_owned()])?;
    std::fs::write(&cert, foreign.cert.pem())?;
    std::fs::write(&key, foreign.signing_key.serialize_pem())?;
    let text = |p: &std::path::Path| p.display().to_string();
    let args = vec!["--test-certificate".to_owned(), text(&cert), "--test-key".to_owned(), text(&key)];
    let s = Sample::with(Options { args, ..Options::default() }).await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    // The portal's own page answers on this port, without TLS.
    let page: SocketAddr = s.server.url().trim_start_matches("http://").parse()?;
    let t = s.test(a, b, json!({ "TargetFqdn": "127.0.0.1", "RegistrarPort": page.port() })).await?;
    is(&t, "tls_handshake", "not TLS")?;

    for (name, from, to, cause, words) in [
        ("other.litwareinc.com", 2000, 4000, "tls_wrong_name", "is for other.litwareinc.com"),
        ("127.77.0.12", 2000, 2001, "tls_expired", "has expired on 2001-01-01T00:00:00Z"),
        ("127.77.0.12", 3900, 4000, "tls_not_yet_valid", "valid only from 3900-01-01T00:00:00Z"),
    ] {
        let port = with_certificate(&s, name, from, to).await?;
        let t = s.test(a, b, json!({ "TargetFqdn": "127.77.0.12", "RegistrarPort": port })).await?;
        is(&t, cause, words)?;
    }

    // The Front End asks for a certificate of its own authority's, and takes no other.
    let t = s.test(a, b, json!({ "Authentication": "TrustedServer", "SenderCredential": null, "ReceiverCredential": null })).await?;
    is(&t, "tls_handshake", "refused the TLS handshake")?;
    // With one of that authority's it is still no trusted server.
    let ca = node::ca::LocalCa::open(&s.server.data_dir().join("ca"))?;
    let signed = certificate(&s, "portal.contoso.com", 2000, 4000)?;
    drop(ca);
    std::fs::write(&cert, signed.0)?;
    std::fs::write(&key, signed.1)?;
    let t = s.test(a, b, json!({ "Authentication": "TrustedServer", "SenderCredential": null, "ReceiverCredential": null })).await?;
    is(&t, "not_a_trusted_server", "does not take this portal's certificate")?;
    Ok(())
}

/// Certificate and key in PEM, signed by the portal's own authority.
fn certificate(s: &Sample, name: &str, from: i32, to: i32) -> Result<(String, String)> {
    let ca = s.server.data_dir().join("ca");
    let mut own = rcgen::CertificateParams::new(Vec::<String>::new())?;
    own.distinguished_name.push(rcgen::DnType::CommonName, "Lifeguard local authority");
    own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    let signer = rcgen::KeyPair::from_pem(&std::fs::read_to_string(ca.join("ca.key"))?)?;
    let issuer = rcgen::Issuer::new(own, signer);
    let key = rcgen::KeyPair::generate()?;
    let mut p = rcgen::CertificateParams::new(vec![name.to_owned()])?;
    p.not_before = rcgen::date_time_ymd(from, 1, 1);
    p.not_after = rcgen::date_time_ymd(to, 1, 1);
    Ok((p.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
}

/// A server with such a certificate on 127.77.0.12; its port.
async fn with_certificate(s: &Sample, name: &str, from: i32, to: i32) -> Result<u16> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let (cert, key) = certificate(s, name, from, to)?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(cert.as_bytes())?],
            PrivateKeyDer::from_pem_slice(key.as_bytes())?,
        )?;
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let l = tokio::net::TcpListener::bind("127.77.0.12:0").await?;
    let port = l.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((c, _)) = l.accept().await {
            tokio::spawn(acceptor.accept(c));
        }
    });
    Ok(port)
}

/// What a device between does to what the service sends.
#[derive(Clone, Copy, PartialEq)]
enum Meddling {
    /// Passes everything on.
    Nothing,
    /// Swallows the sender's message on its way to the receiver.
    Swallow,
    /// Changes its text.
    Change,
    /// Closes the connection instead of passing it on.
    Close,
    /// Answers the first request with words that are no SIP.
    Babble,
}

/// Reads whole SIP messages; what is not complete yet stays in `rest`.
fn whole(rest: &mut Vec<u8>) -> Option<Vec<u8>> {
    let head = rest.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&rest[..head]).to_lowercase();
    let length = text.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let all = head + length.unwrap_or(0);
    (rest.len() >= all).then(|| rest.drain(..all).collect())
}

/// Passes on what both say until one ends, with what is done to it on the way back.
async fn pass_on(
    client: tokio::net::TcpStream,
    front: SocketAddr,
    how: tokio::sync::watch::Receiver<Meddling>,
) -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::net::TcpStream::connect(front).await?.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut rest = Vec::new();
    while from_server.read_buf(&mut rest).await? > 0 {
        while let Some(message) = whole(&mut rest) {
            let text = String::from_utf8_lossy(&message).into_owned();
            // The post as it is told to the receiver, not its answer.
            let told = text.starts_with("INFO ") && text.contains(" 1/2</chat>");
            let now = *how.borrow();
            match now {
                Meddling::Swallow if told => {}
                Meddling::Change if told => {
                    to_client.write_all(text.replace(" 1/2</chat>", " 1/3</chat>").as_bytes()).await?;
                }
                Meddling::Close if told => {
                    up.abort();
                    return Ok(());
                }
                Meddling::Babble => to_client.write_all(b"220 mail.contoso.com ESMTP\r\n\r\n").await?,
                _ => to_client.write_all(&message).await?,
            }
        }
    }
    up.abort();
    Ok(())
}

/// A device between, on 5060 of `at`, before the Front End at `front`.
async fn between(at: &str, front: SocketAddr, how: tokio::sync::watch::Receiver<Meddling>) -> Result<()> {
    let l = tokio::net::TcpListener::bind(format!("{at}:5060")).await?;
    tokio::spawn(async move {
        while let Ok((c, _)) = l.accept().await {
            tokio::spawn(pass_on(c, front, how.clone()));
        }
    });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_between_swallows_changes_and_closes() -> Result<()> {
    let s = Sample::start().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    let mut front = front_end(&s).await?;
    front.set_port(5060);
    let (how, seen) = tokio::sync::watch::channel(Meddling::Nothing);
    let at = "127.77.0.13";
    between(at, front, seen).await?;
    let args = json!({ "TargetFqdn": at, "RegistrarPort": 5060, "TimeoutSeconds": 2 });
    let test = async |m: Meddling| {
        how.send_replace(m);
        s.test(a, b, args.clone()).await
    };
    good(&test(Meddling::Nothing).await?)?;
    let t = test(Meddling::Swallow).await?;
    is(&t, "message_lost", &format!("{} did not receive the message of {}", b.sip, a.sip))?;
    is(&test(Meddling::Change).await?, "content_mismatch", "1/3' instead of")?;
    let t = test(Meddling::Close).await?;
    is(&t, "connection_lost", "")?;
    // The sender hears his own post as well, maybe before its answer.
    ensure!(["send", "receive"].contains(&failed_at(&t)), "{t}");
    is(&test(Meddling::Babble).await?, "protocol_error", "")?;
    good(&test(Meddling::Nothing).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_stand_still_or_die() -> Result<()> {
    const THERE: &str = "gc-002.litwareinc.com";
    const FRONT: &str = "atl-fes-002.litwareinc.com";
    let mut h = Halves::start().await?;
    h.state_is(THERE, "running").await?;
    let (a, b) = (h.s.users[0].clone(), h.s.users[1].clone());
    let through = |seconds: u32| json!({ "TargetFqdn": FRONT, "TimeoutSeconds": seconds });
    good(&h.s.test(&a, &b, through(10)).await?)?;

    // Its Front End takes connections and says nothing.
    h.node.signal("STOP")?;
    let t = h.s.test(&a, &b, through(1)).await;
    h.node.signal("CONT")?;
    is(&t?, "no_answer", "stays silent")?;
    wait::until("the node to go on", async || good(&h.s.test(&a, &b, through(10)).await?)).await?;

    // It stands still for a while within a run: slow, and nothing is wrong.
    let held = Held::new(&h.s)?;
    let id = at_the_post(&h.s, arguments(&a, &b, FRONT, 20)).await?;
    h.node.signal("STOP")?;
    held.release()?;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    h.node.signal("CONT")?;
    let t = ended(&h.s, &id).await?;
    good(&t)?;
    ensure!(t["summary"]["latency_us"].as_u64().is_some_and(|us| us > 1_500_000), "{}", t["printed"]);

    // And dies within another.
    let held = Held::new(&h.s)?;
    let id = at_the_post(&h.s, arguments(&a, &b, FRONT, 20)).await?;
    h.node.kill9();
    let t = ended(&h.s, &id).await?;
    held.release()?;
    is(&t, "connection_lost", "")?;
    ensure!(failed_at(&t) == "send", "{t}");
    let t = h.s.test(&a, &b, through(2)).await?;
    is(&t, "nothing_listening", "Nothing listens at")?;
    Ok(())
}

/// Whoever adds a cause adds what provokes it. One is left out: our own service always says why it lets nobody
/// in, so it stands in `backend/synthetic/tests` alone.
#[test]
fn every_cause_has_its_provocation() {
    let sources = [
        include_str!("causes.rs"),
        include_str!("chat.rs"),
        include_str!("history.rs"),
        include_str!("kamailio.rs"),
        include_str!("provoke.rs"),
    ];
    for cause in shared::synthetic::CauseCode::ALL {
        let name = serde_json::to_value(cause).expect("a cause has a name").to_string();
        let provoked = sources.iter().any(|s| s.contains(&name));
        assert!(provoked || cause == shared::synthetic::CauseCode::JoinRefused, "{name}");
    }
}
