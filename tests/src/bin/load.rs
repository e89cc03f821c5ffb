//! The load run of `cargo xtask bench`: requests per second and latencies of the pool list and the shared
//! status page beside a bare axum handler that answers the same bytes, and the test message's latency
//! beside the bare number of its round trips over loopback. Ratios within one run, on one machine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::routing::get;
use lifeguard_tests::{Client, delay, sample, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connections that ask at the same time.
const CONNECTIONS: usize = 16;
/// How long each is asked.
const PERIOD: Duration = Duration::from_secs(4);
/// Test messages that are measured.
const TESTS: usize = 20;
/// How long test messages are sent as fast as they go.
const RUSH: Duration = Duration::from_secs(10);
/// How often a run under way is looked at in the rush.
const LOOK: Duration = Duration::from_millis(5);
/// What a line with delay adds to each direction.
const DELAY: Duration = Duration::from_millis(20);
/// Where that line begins; the port says plain TCP.
const DELAYED: &str = "127.77.0.17:5060";
/// Round trips of a test message between first send and second receipt: each of the two posts goes from
/// the client over the Front End to the chat server, and from there to the other client.
const ROUND_TRIPS: u32 = 4;
/// The sample's Front End pool.
const TARGET: (&str, u16) = ("atl-fe-001.litwareinc.com", 5061);

struct Measured {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

fn percentile(sorted: &[Duration], p: usize) -> Duration {
    sorted.get((sorted.len() * p / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

async fn load(url: &str, cookie: Option<String>) -> Result<Measured> {
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (url, cookie) = (url.to_owned(), cookie.clone());
        tasks.push(tokio::spawn(async move {
            let http = reqwest::Client::builder().no_proxy().build()?;
            let mut taken = Vec::new();
            while started.elapsed() < PERIOD {
                let begun = Instant::now();
                let mut request = http.get(&url);
                if let Some(c) = &cookie {
                    request = request.bearer_auth(c);
                }
                let answer = request.send().await?;
                ensure!(answer.status() == 200, "{url}: {}", answer.status());
                answer.bytes().await?;
                taken.push(begun.elapsed());
            }
            Ok(taken)
        }));
    }
    let mut all = Vec::new();
    for t in tasks {
        all.extend(t.await??);
    }
    let seconds = started.elapsed().as_secs_f64();
    all.sort_unstable();
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    Ok(Measured {
        per_second: f64::from(count) / seconds,
        p50: percentile(&all, 50),
        p99: percentile(&all, 99),
    })
}

fn print(name: &str, m: &Measured, bare: &Measured) {
    println!(
        "{name:<34}{:>10.0} requests/s {:>8.2} ms p50 {:>8.2} ms p99   {:>5.2} of the bare handler",
        m.per_second,
        m.p50.as_secs_f64() * 1e3,
        m.p99.as_secs_f64() * 1e3,
        m.per_second / bare.per_second
    );
}

/// A bare axum handler in this process that answers `body`; its address.
async fn bare(body: String) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let handler = move || {
        let body = body.clone();
        async move { ([("content-type", "application/json")], body) }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(handler))).await });
    Ok(format!("http://{address}/"))
}

/// Median of a round trip of a kilobyte over loopback.
async fn round_trip() -> Result<Duration> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut s, _) = listener.accept().await?;
        let mut buffer = [0; 1024];
        while s.read_exact(&mut buffer).await.is_ok() {
            s.write_all(&buffer).await?;
        }
        anyhow::Ok(())
    });
    let mut s = tokio::net::TcpStream::connect(address).await?;
    s.set_nodelay(true)?;
    let mut buffer = [7; 1024];
    let mut taken = Vec::new();
    for _ in 0..500 {
        let begun = Instant::now();
        s.write_all(&buffer).await?;
        s.read_exact(&mut buffer).await?;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    Ok(percentile(&taken, 50))
}

async fn invoke(c: &Client, name: &str, args: Value) -> Result<Value> {
    let (status, answer) = c.invoke(name, &json!({ "args": args, "confirmed": true })).await?;
    ensure!(status == 200, "{name}: {answer}");
    Ok(answer)
}

/// A test message from one user to the other; its report.
async fn test_message(
    c: &Client,
    users: &Value,
    (from, to): (usize, usize),
    target: (&str, u16),
) -> Result<Value> {
    let credential =
        |i: usize| json!({ "UserName": users[i]["logon_name"], "Password": users[i]["password"] });
    let args = json!({
        "TargetFqdn": target.0, "RegistrarPort": target.1,
        "SenderSipAddress": users[from]["sip_address"], "SenderCredential": credential(from),
        "ReceiverSipAddress": users[to]["sip_address"], "ReceiverCredential": credential(to),
    });
    let id =
        invoke(c, "Test-CsPersistentChatMessage", args).await?["job"].as_str().context("no run")?.to_owned();
    let begun = Instant::now();
    loop {
        let (_, t) = c.get(&format!("/api/v1/tests/{id}")).await?;
        if t["summary"]["state"] == "success" {
            return Ok(t["report"].clone());
        }
        ensure!(t["summary"]["state"] == "running" && begun.elapsed() < wait::LIMIT, "{t}");
        tokio::time::sleep(LOOK).await;
    }
}

fn micros(report: &Value, name: &str) -> Result<Duration> {
    Ok(Duration::from_micros(report[name].as_u64().with_context(|| format!("no {name}"))?))
}

/// Latencies of test messages, and the times of the whole runs, both sorted.
async fn test_messages(
    c: &Client,
    users: &Value,
    target: (&str, u16),
) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let (mut latency, mut total) = (Vec::new(), Vec::new());
    for _ in 0..TESTS {
        let report = test_message(c, users, (0, 1), target).await?;
        latency.push(micros(&report, "latency_us")?);
        total.push(micros(&report, "total_us")?);
    }
    latency.sort_unstable();
    total.sort_unstable();
    Ok((latency, total))
}

/// Test messages per minute, one after the other in each direction at the same time.
async fn rush(c: &Client, users: &Value) -> Result<f64> {
    let begun = Instant::now();
    let one = async |way: (usize, usize)| {
        let mut count = 0_u32;
        while begun.elapsed() < RUSH {
            test_message(c, users, way, TARGET).await?;
            count += 1;
        }
        anyhow::Ok(count)
    };
    let (a, b) = tokio::try_join!(one((0, 1)), one((1, 0)))?;
    Ok(f64::from(a + b) * 60.0 / begun.elapsed().as_secs_f64())
}

/// What a slower line adds to a test message: its round trips, counted by their time.
async fn round_trips(c: &Client, users: &Value) -> Result<()> {
    let (_, overview) = c.get("/api/v1/overview").await?;
    let listens = overview["front_ends"][0]["listens"].as_array().context("no Front End")?;
    let plain = listens.iter().filter_map(Value::as_str).find(|l| l.ends_with(":5060")).context("no TCP")?;
    delay::line(DELAYED.parse()?, plain.parse()?, DELAY).await?;
    let ip = |at: &str| at.rsplit_once(':').map(|(ip, _)| ip.to_owned()).unwrap_or_default();
    let (near, far) = (ip(plain), ip(DELAYED));
    let (latency, total) = test_messages(c, users, (&near, 5060)).await?;
    let (slow_latency, slow_total) = test_messages(c, users, (&far, 5060)).await?;
    let trip = DELAY * 2;
    for (name, fast, slow) in
        [("latency of a test message", latency, slow_latency), ("whole test message", total, slow_total)]
    {
        let (fast, slow) = (percentile(&fast, 50), percentile(&slow, 50));
        println!(
            "{name:<34}{:>10.2} ms p50; over a line of {} ms {:>8.2} ms: {:.1} round trips",
            fast.as_secs_f64() * 1e3,
            trip.as_millis(),
            slow.as_secs_f64() * 1e3,
            slow.saturating_sub(fast).as_secs_f64() / trip.as_secs_f64()
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let (server, client, users) = sample().await?;
    let token =
        invoke(&client, "New-LgToken", json!({ "Label": "bench", "Role": "CsViewOnlyAdministrator" }))
            .await?;
    let token = token["output"][0]["Token"].as_str().context("no token")?.to_owned();
    let share = invoke(&client, "New-LgShare", json!({ "Label": "bench" })).await?;
    let link = share["output"][0]["Link"].as_str().context("no link")?.to_owned();
    let (_, pools) = client.get("/api/v1/pools").await?;
    let handler = bare(pools.to_string()).await?;
    let plain = load(&handler, None).await?;
    print("bare axum handler, same bytes", &plain, &plain);
    let list = load(&format!("{}/api/v1/pools", server.url().trim_end_matches('/')), Some(token)).await?;
    print("GET /api/v1/pools", &list, &plain);
    print("shared status page", &load(&link, None).await?, &plain);
    print("its JSON form", &load(&format!("{link}/status.json"), None).await?, &plain);
    let (taken, _) = test_messages(&client, &users, TARGET).await?;
    let bare_trips = round_trip().await? * ROUND_TRIPS;
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    println!(
        "{:<34}{:>10.2} ms p50 {:>8.2} ms p99; its {ROUND_TRIPS} round trips bare take {:.3} ms: {:.0} times that",
        "test message latency",
        ms(percentile(&taken, 50)),
        ms(percentile(&taken, 99)),
        ms(bare_trips),
        ms(percentile(&taken, 50)) / ms(bare_trips)
    );
    round_trips(&client, &users).await?;
    println!("{:<34}{:>10.0} per minute, two at a time", "test messages", rush(&client, &users).await?);
    Ok(())
}
