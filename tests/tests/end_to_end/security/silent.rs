//! Connections that say nothing, or take nothing of what they are told.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::{new_token, wire};
use crate::support::{Sample, run};

async fn from(address: [u8; 4], to: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((address, 0)))?;
    Ok(socket.connect(to).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_an_answer_is_let_go() -> Result<()> {
    let s = Sample::start().await?;
    let token = new_token(&s, "reads", "CsViewOnlyAdministrator").await?;
    let open = || Ok::<_, anyhow::Error>(std::fs::read_dir(format!("/proc/{}/fd", s.server.id()))?.count());
    let host = wire::address(s.server.url()).to_owned();
    let request =
        format!("GET /api/v1/openapi.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    let before = open()?;
    let mut unread = Vec::new();
    for _ in 0..40 {
        let mut stream = wire::open(s.server.url()).await?;
        wire::send(&mut stream, request.repeat(50).as_bytes()).await?;
        unread.push(stream);
    }
    wait::until("the connections to be open", async || {
        let now = open()?;
        ensure!(now >= before + 40, "{now} files are open, {before} before");
        Ok(())
    })
    .await?;
    wait::within(Duration::from_secs(150), "their end", async || {
        let now = open()?;
        ensure!(now <= before + 5, "{now} files are open, {before} before");
        Ok(())
    })
    .await?;
    drop(unread);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_strangers_keep_no_node_out() -> Result<()> {
    let (s, portal) = crate::node::portal().await?;
    run(&s.client, "New-LgNode", serde_json::json!({ "Name": "n1" })).await?;
    let to: SocketAddr = portal.trim_start_matches("https://").parse()?;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(from([127, 79, 0, 7], to).await?);
    }
    // Whoever is talked to hears that this is no TLS; whoever is not sees the end at once.
    let mut other = from([127, 79, 0, 8], to).await?;
    other.write_all(b"no TLS at all\r\n\r\n").await?;
    let mut told = [0; 1];
    let n = tokio::time::timeout(wait::LIMIT, other.read(&mut told)).await.context("nothing is said")??;
    ensure!(n == 1, "another address is not talked to");
    drop(silent);
    Ok(())
}
