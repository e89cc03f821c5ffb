//! Too much, too large, too slow, too many.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::wait;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{plain, wire};
use crate::support::Sample;

async fn healthy(s: &Sample, within: Duration) -> Result<()> {
    let begun = Instant::now();
    let answer = plain()?.get(format!("{}/healthz", s.server.url())).send().await?;
    ensure!(
        answer.status() == 200 && begun.elapsed() < within,
        "{} after {:?}",
        answer.status(),
        begun.elapsed()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused() -> Result<()> {
    let s = Sample::start().await?;
    let host = wire::address(s.server.url()).to_owned();
    let many = (0..200).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let long = format!("X-Long: {}\r\n", "y".repeat(100_000));
    for (what, more) in [("many headers", many), ("a long header", long)] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
        let (head, _) = wire::exchange(s.server.url(), request.as_bytes()).await?;
        ensure!(head.starts_with("HTTP/1.1 431"), "{what}: {head}");
    }
    let line = format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "y".repeat(100_000));
    let (head, _) = wire::exchange(s.server.url(), line.as_bytes()).await?;
    ensure!(head.starts_with("HTTP/1.1 4"), "{head}");
    // Said to be large, or large without saying so.
    let (status, answer) =
        s.client.post("/api/v1/login", &json!({ "name": "x".repeat(3 << 20), "password": "y" })).await?;
    ensure!(status == 413 && answer["message"] == "The body is too large.", "{status} {answer}");
    let stream = (0..48).map(|_| anyhow::Ok(vec![b' '; 64 << 10]));
    let body = reqwest::Body::wrap_stream(tokio_stream(stream));
    let answer = plain()?.post(format!("{}/api/v1/login", s.server.url()));
    let answer =
        answer.header("x-lifeguard-csrf", "1").header("content-type", "application/json").body(body).send();
    // The portal stops reading; whether the answer still gets through is the network's affair.
    if let Ok(answer) = answer.await {
        ensure!(answer.status() == 413, "{}", answer.status());
    }
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let request = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nX-Lifeguard-Csrf: 1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{deep}",
        deep.len()
    );
    let (head, _) = wire::exchange(s.server.url(), request.as_bytes()).await?;
    ensure!(head.starts_with("HTTP/1.1 400"), "{head}");
    healthy(&s, Duration::from_secs(5)).await
}

fn tokio_stream<T>(list: impl Iterator<Item = T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::iter(list)
}

/// A head that comes a byte at a time is cut off by its deadline; a body likewise.
#[tokio::test(flavor = "multi_thread")]
async fn what_dribbles_is_cut_off() -> Result<()> {
    let s = Sample::start().await?;
    let host = wire::address(s.server.url()).to_owned();
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (url, host) = (s.server.url().to_owned(), host.clone());
        tasks.spawn(async move {
            let mut stream = wire::open(&url).await?;
            if n % 2 == 0 {
                wire::send(&mut stream, format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Slow: ").as_bytes()).await?;
            } else {
                let head = format!(
                    "POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nX-Lifeguard-Csrf: 1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
                );
                wire::send(&mut stream, head.as_bytes()).await?;
            }
            let (mut read, mut write) = stream.into_split();
            let mut answer = Vec::new();
            let dribble = async {
                // A pause between two bytes is what is tried here, not a wait for something.
                while write.write_all(b"a").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                end = read.read_to_end(&mut answer) => drop(end),
                () = dribble => {}
            }
            anyhow::Ok(answer.len())
        });
    }
    healthy(&s, Duration::from_secs(5)).await?;
    let all = async {
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.context("a slow connection is still open")??;
    ensure!(begun.elapsed() > Duration::from_secs(5), "cut off at once: {:?}", begun.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_keep_nobody_out_and_are_closed() -> Result<()> {
    let s = Sample::start().await?;
    lifeguard_tests::more_files(8_192)?;
    let before = connections(&s)?;
    let mut idle = Vec::new();
    for _ in 0..1_500 {
        idle.push(wire::open(s.server.url()).await?);
    }
    healthy(&s, Duration::from_secs(5)).await?;
    ensure!(s.client.get("/api/v1/overview").await?.0 == 200);
    wait::within(Duration::from_secs(60), "the end of the idle connections", async || {
        let open = connections(&s)?;
        ensure!(open <= before + 20, "{open} files are open, {before} before");
        Ok(())
    })
    .await?;
    drop(idle);
    healthy(&s, Duration::from_secs(5)).await
}

/// Files that the portal has open.
fn connections(s: &Sample) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{}/fd", s.server.id()))?.count())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_cost_bounded_memory() -> Result<()> {
    let s = Sample::start().await?;
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..64 {
        let client = s.server.client()?;
        guesses.spawn(async move {
            let body = json!({ "name": format!("name{n}"), "password": "wrong horse 99" });
            client.post("/api/v1/login", &body).await.map(|(status, _)| status)
        });
    }
    let answers = guesses.join_all().await.into_iter().collect::<Result<Vec<u16>>>()?;
    ensure!(answers.iter().all(|a| *a == 401), "{answers:?}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", s.server.id()))?;
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    // Each comparison takes 19 MB; 64 at once would be more than a gigabyte.
    ensure!(peak < 450_000, "{peak} kB at the most");
    Ok(())
}
