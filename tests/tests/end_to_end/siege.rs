//! Many who mean harm at once, while others talk: how long the others wait, and what the service keeps in memory.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::crowd::services::resident_kb;
use lifeguard_tests::{more_files, wait};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use wire::xccos;

use crate::causes::front_end;
use crate::chat_client::ChatClient;
use crate::plain_sip::sign_on_at;
use crate::sip_client::Sip;
use crate::support::{Sample, run};

const POOL: &str = "atl-cs-001.litwareinc.com";
/// Attackers of each kind.
const EACH: usize = 100;
/// Connections that the service takes from one address.
const FROM_ONE: usize = 4_000;
/// What may be kept of them all, kilobytes: 300 connections that sent little, and what the allocator keeps.
const KEPT: u64 = 96 * 1024;
/// Longest wait of a bystander, on a machine that runs other tests as well.
const PATIENCE: Duration = Duration::from_secs(5);

async fn from(address: [u8; 4], to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((address, 0)))?;
    Ok(socket.connect(to).await?)
}

/// Sends this and waits for the end of the connection; what came back.
async fn until_closed(to: SocketAddr, bytes: &[u8]) -> Result<String> {
    let mut c = from([127, 79, 0, 1], to).await?;
    // The service may close before all is written: that is what is wanted.
    let _ = c.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), c.read_to_end(&mut answer)).await;
    let _ = read.context("the connection stays open")?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The times from a post to its receipt by somebody else.
async fn talk(
    a: &mut ChatClient,
    b: &mut ChatClient,
    room: &str,
    texts: std::ops::Range<u32>,
) -> Result<Duration> {
    let mut longest = Duration::ZERO;
    for n in texts {
        let (begun, text) = (Instant::now(), format!("text {n}"));
        a.post(room, &text).await?;
        b.receive(&text).await?;
        longest = longest.max(begun.elapsed());
    }
    Ok(longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_siege_is_not_noticed_by_who_talks() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken) = (&s.users[0], &s.users[1]);
    let tls = front_end(&s).await?;
    let plain = SocketAddr::new(tls.ip(), 5060);
    let found =
        run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": format!("{POOL}\\Lobby") })).await?;
    let room = found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned();
    let mut a = ChatClient::open(&s, pilar, POOL).await?;
    let mut b = ChatClient::open(&s, ken, POOL).await?;
    a.join(&room).await?;
    b.join(&room).await?;
    let calm = talk(&mut a, &mut b, &room, 0..50).await?;
    let before = resident_kb(s.server.id())?;

    let mut siege = JoinSet::new();
    for n in 0..EACH {
        // A head, a byte at a time, without an end; it is closed when its time to sign in is over.
        siege.spawn(async move {
            let mut c = from([127, 79, 1, 1], plain).await?;
            for byte in b"REGISTER sip:a SIP/2.0\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
                if c.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            anyhow::Ok(())
        });
        // Silent: at the TLS port without a hello, at the other without a word.
        siege.spawn(async move {
            let mut c = from([127, 79, 2, 1], if n % 2 == 0 { tls } else { plain }).await?;
            let mut rest = Vec::new();
            // However it ends is fine.
            let _ = c.read_to_end(&mut rest).await;
            Ok(())
        });
        // A megabyte promised, and most of it sent, by somebody who has not signed in.
        siege.spawn(async move {
            let mut large = b"INFO sip:a SIP/2.0\r\nContent-Length: 1000000\r\n\r\n".to_vec();
            large.resize(900_000, b'x');
            until_closed(plain, &large).await.map(drop)
        });
    }
    // Lengths that no message has, and ten megabytes in fact.
    for length in ["10485760", "99999999999999999999", "-1", "4294967296"] {
        let mut bytes =
            format!("INFO sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INFO\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        bytes.resize(10 << 20, b'x');
        siege.spawn(async move { until_closed(plain, &bytes).await.map(drop) });
    }
    // Entity bombs, and nesting without an end, in a session: refused, and it goes on.
    let mut inside = Sip::connect(&s).await?;
    inside.sign_on(pilar).await?;
    let mut session = inside.invite(pilar, &format!("sip:gc-channel-{POOL}@litwareinc.com")).await?;
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><xccos ver=\"1\" envid=\"1\"><grpchat><chat>&b;&b;</chat></grpchat></xccos>";
    for n in 0..50 {
        let mut r = session.request("INFO");
        let body = if n % 2 == 0 { bomb.to_owned() } else { "<a>".repeat(100_000) };
        r.set_body(xccos::CONTENT_TYPE, body);
        let answer = inside.exchange(&r).await?;
        ensure!(answer.status == 400, "{}", answer.status);
    }
    let (code, _) = inside.command(&mut session, "cmd:getserverinfo", xccos::Data::default()).await?;
    ensure!(code == 200, "the session has ended: {code}");
    let besieged = talk(&mut a, &mut b, &room, 50..150).await?;
    println!("longest wait of 50 in calm: {calm:?}; of 100 under siege: {besieged:?}");
    ensure!(besieged < PATIENCE, "a bystander waited {besieged:?}, {calm:?} in calm");
    let after = resident_kb(s.server.id())?;
    println!("resident: {before} kB before, {after} kB under siege");
    ensure!(after < before + KEPT, "{before} kB before, {after} kB under siege");
    // Nobody stays for ever: each is closed after its time.
    let ended = async {
        while let Some(done) = siege.join_next().await {
            done??;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(90), ended).await.context("some stay connected")??;
    talk(&mut a, &mut b, &room, 150..160).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_all_connections() -> Result<()> {
    more_files(8_192)?;
    let s = Sample::start().await?;
    let mut plain = front_end(&s).await?;
    plain.set_port(5060);
    let mut held = Vec::new();
    for _ in 0..FROM_ONE + 50 {
        held.push(from([127, 79, 3, 1], plain).await?);
    }
    // Those too many are closed without a word; how many of them, once all were accepted.
    wait::until("the refusal of connections too many", async || {
        let closed = held.iter().filter(|c| matches!(c.try_read(&mut [0; 1]), Ok(0))).count();
        ensure!(closed >= 50, "{closed} are closed");
        Ok(())
    })
    .await?;
    // Others get in meanwhile, and so do these once there is room again.
    sign_on_at(plain, &s.users[0]).await?;
    held.truncate(10);
    wait::until("room for this address", async || {
        let mut c = from([127, 79, 3, 1], plain).await?;
        c.write_all(b"\r\n\r\n").await?;
        let mut pong = [0; 2];
        c.read_exact(&mut pong).await?;
        ensure!(&pong == b"\r\n", "{pong:?}");
        Ok(())
    })
    .await
}
