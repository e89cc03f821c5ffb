//! Bytes on a connection, for what no HTTP client would send.

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// `127.0.0.1:PORT` of a portal's URL.
pub fn address(url: &str) -> &str {
    url.trim_start_matches("http://")
}

pub async fn open(url: &str) -> Result<TcpStream> {
    TcpStream::connect(address(url)).await.context("no connection")
}

pub async fn send(stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
    stream.write_all(bytes).await.context("the connection was closed")
}

/// Sends a request as it stands and reads until the portal closes; head and body.
pub async fn exchange(url: &str, request: &[u8]) -> Result<(String, Vec<u8>)> {
    let mut stream = open(url).await?;
    // A portal that has read enough may have answered and closed before all is sent.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let end = tokio::time::timeout(lifeguard_tests::wait::LIMIT, read)
        .await
        .context("the connection stays open")?;
    ensure!(end.is_ok() || !answer.is_empty(), "no answer: {end:?}");
    let cut = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |p| p + 4);
    let body = answer.split_off(cut);
    Ok((String::from_utf8_lossy(&answer).into_owned(), body))
}

/// `GET` of a path that is sent exactly as written.
pub async fn get(url: &str, path: &str) -> Result<(String, Vec<u8>)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address(url));
    exchange(url, request.as_bytes()).await
}
