//! Live viewers of a shared status page, for `cargo xtask bench`: what each costs in memory, how long until the
//! last of them is told of a change, and until the last has read the page again. `LIFEGUARD_VIEWERS` says how many.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, Server, sample};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Changes that are measured.
const CHANGES: u32 = 5;
/// Between two changes; what the viewers do with the first is over then.
const PAUSE: Duration = Duration::from_secs(2);

async fn invoke(c: &Client, name: &str, args: Value) -> Result<Value> {
    let (status, answer) = c.invoke(name, &json!({ "args": args, "confirmed": true })).await?;
    ensure!(status == 200, "{name}: {answer}");
    Ok(answer)
}

fn resident_kb(server: &Server) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn request(address: &str, path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{more}\r\n")
}

/// A viewer: says when it is told of a change.
async fn viewer(address: String, path: String, told: mpsc::UnboundedSender<Instant>) -> Result<()> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.write_all(request(&address, &format!("{path}/events"), "").as_bytes()).await?;
    let mut buffer = [0; 1024];
    let mut head = true;
    loop {
        let n = stream.read(&mut buffer).await?;
        ensure!(n > 0, "the portal ended a live page");
        let text = String::from_utf8_lossy(&buffer[..n]);
        if text.contains("data: changed") || std::mem::take(&mut head) {
            told.send(Instant::now()).ok().context("nobody listens")?;
        }
    }
}

/// Reads the page again, as a viewer's script does.
async fn again(address: String, path: String) -> Result<()> {
    let mut stream = TcpStream::connect(&address).await?;
    let more = "X-Lifeguard-Again: 1\r\nConnection: close\r\n";
    stream.write_all(request(&address, &path, more).as_bytes()).await?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).await?;
    ensure!(page.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&page));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let count: usize = std::env::var("LIFEGUARD_VIEWERS").map_or(Ok(2000), |n| n.parse())?;
    lifeguard_tests::more_files(8_192)?;
    let (server, client, _) = sample().await?;
    let made = invoke(&client, "New-LgShare", json!({ "Label": "bench" })).await?;
    let link = made["output"][0]["Link"].as_str().context("no link")?;
    let address = server.url().trim_start_matches("http://").to_owned();
    let path = format!("/status/{}", link.rsplit('/').next().context("no token")?);
    let before = resident_kb(&server)?;
    let (send, mut told) = mpsc::unbounded_channel();
    let mut viewers = JoinSet::new();
    for _ in 0..count {
        viewers.spawn(viewer(address.clone(), path.clone(), send.clone()));
    }
    for _ in 0..count {
        told.recv().await.context("no viewer")?;
    }
    tokio::time::sleep(PAUSE).await;
    let each = (resident_kb(&server)?.saturating_sub(before)) as f64 / count as f64;
    println!("{:<34}{each:>10.1} kB each, {count} of them", "live viewer's memory");
    let (mut last_told, mut last_read) = (Vec::new(), Vec::new());
    for n in 0..CHANGES {
        while told.try_recv().is_ok() {}
        let begun = Instant::now();
        invoke(&client, "New-LgAnnouncement", json!({ "Text": format!("change {n}") })).await?;
        let mut latest = begun;
        let mut readers = JoinSet::new();
        for _ in 0..count {
            let at = tokio::time::timeout(Duration::from_secs(60), told.recv()).await;
            latest = at.context("a viewer was not told")?.context("no viewer")?;
            readers.spawn(again(address.clone(), path.clone()));
        }
        last_told.push(latest.duration_since(begun));
        while let Some(done) = readers.join_next().await {
            done??;
        }
        last_read.push(begun.elapsed());
        ensure!(viewers.try_join_next().is_none(), "a viewer was lost");
        tokio::time::sleep(PAUSE).await;
    }
    for (name, all) in [
        ("a change until the last is told", &mut last_told),
        ("… and has read the page again", &mut last_read),
    ] {
        all.sort_unstable();
        let ms = |d: Option<&Duration>| d.map_or(0.0, |d| d.as_secs_f64() * 1e3);
        println!(
            "{name:<34}{:>10.0} ms median {:>8.0} ms at the most",
            ms(all.get(all.len() / 2)),
            ms(all.last())
        );
    }
    println!("{:<34}{:>10} kB resident in the end", "", resident_kb(&server)?);
    Ok(())
}
