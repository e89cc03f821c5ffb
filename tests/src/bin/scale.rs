//! The part of `cargo xtask bench` about large topologies: 10, 100 and 1,000 pools of eight servers, validated,
//! compared, merged, brought to the real server, shown, published, and drawn in a real browser. What grows with
//! the number of pools should grow with it and not with its square. `LIFEGUARD_SCALE_NO_PAGE` leaves the drawing out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Client, Options, Server, wait};
use serde_json::{Value, json};
use shared::topology::Topology;
use shared::topology::diff::{apply, diff, sentences};
use shared::topology::effect::effects;
use shared::topology::made::{ELSEWHERE, Size, made};
use shared::topology::merge::merge;
use shared::topology::transition::{Facts, transition};
use shared::topology::validate::validate;
use thirtyfour::By;

const SIZES: [usize; 3] = [10, 100, 1000];
const PASSWORD: &str = "correct horse 12";
/// The steps of a publish, as the table has them.
const STEPS: [&str; 9] = [
    "  its rules",
    "  places",
    "  SQL stores",
    "  file stores",
    "  databases",
    "  version",
    "  mirrors",
    "  set aside",
    "  servers",
];
/// The longest that the largest may take to be published.
const PUBLISH: Duration = Duration::from_secs(300);

fn timed<T>(f: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let out = f();
    (out, begun.elapsed().as_secs_f64() * 1e3)
}

/// Milliseconds of the rules and comparisons, by name.
fn pure(t: &Topology) -> Result<Vec<(&'static str, f64)>> {
    let empty = Topology::default();
    let mut other = t.clone();
    for p in &mut other.pools {
        "Another".clone_into(&mut p.display_name);
    }
    let (problems, rules) = timed(|| validate(t));
    ensure!(problems.iter().all(|p| !p.blocks()), "{problems:?}");
    let (changes, compared) = timed(|| diff(&empty, t));
    let (_, said) = timed(|| sentences(&changes, t));
    let (_, reach) = timed(|| effects(&empty, t, &Facts::default(), &changes));
    let (_, between) = timed(|| transition(t, &other, &Facts::default()));
    let (applied, done) = timed(|| apply(&empty, &changes));
    ensure!(applied.is_ok_and(|a| diff(&a, t).is_empty()));
    let (merged, three) = timed(|| merge(t, &other, t, &BTreeMap::new()));
    ensure!(merged.is_ok_and(|m| m.open.is_empty()));
    Ok(vec![
        ("validate", rules),
        ("compare", compared),
        ("sentences", said),
        ("risk and reach", reach),
        ("rules between versions", between),
        ("apply", done),
        ("three-way merge", three),
    ])
}

async fn run(c: &Client, name: &str, args: Value, mode: &str) -> Result<(Value, f64)> {
    let begun = Instant::now();
    let body = json!({ "args": args, "confirmed": true, "mode": mode });
    let (status, answer) = c.invoke(name, &body).await?;
    ensure!(status == 200, "{name}: {answer}");
    Ok((answer, begun.elapsed().as_secs_f64() * 1e3))
}

/// Milliseconds of what the real server does with it.
async fn served(t: &Topology) -> Result<Vec<(&'static str, f64)>> {
    let server = Server::start(Options::default()).await?;
    let client = server.client()?;
    let body = json!({ "token": server.setup_token().await?, "name": "root", "password": PASSWORD, "deployment": "empty" });
    ensure!(client.post("/api/v1/setup", &body).await?.0 == 200);
    for f in &t.file_stores {
        std::fs::create_dir_all(server.data_dir().join("shares").join(f.fqdn.as_str()).join(&f.share))?;
    }
    let document = serde_json::to_string(t)?;
    let (_, brought) = run(&client, "Import-LgTopology", json!({ "Document": document }), "run").await?;
    let begun = Instant::now();
    let (status, view) = client.get("/api/v1/topology").await?;
    let read = begun.elapsed().as_secs_f64() * 1e3;
    ensure!(
        status == 200
            && view["problems"].as_array().is_some_and(|p| p.iter().all(|p| p["severity"] != "error"))
    );
    let (_, planned) = run(&client, "Publish-CsTopology", json!({}), "what_if").await?;
    let begun = Instant::now();
    let (answer, _) = run(&client, "Publish-CsTopology", json!({}), "run").await?;
    let id = answer["job"].as_str().context("no job")?.to_owned();
    let mut job = Value::Null;
    wait::within(PUBLISH, "the publish", async || {
        job = client.get(&format!("/api/v1/jobs/{id}")).await?.1;
        ensure!(job["state"] != "running", "{}", job["state"]);
        ensure!(job["state"] == "done", "{}", job["error"]);
        Ok(())
    })
    .await?;
    let published = begun.elapsed().as_secs_f64() * 1e3;
    let mut out = vec![("import", brought), ("read", read), ("plan", planned), ("publish", published)];
    let taken = |i: usize| job["steps"][i]["millis"].as_f64().unwrap_or(f64::NAN);
    out.extend(STEPS.iter().enumerate().map(|(i, name)| (*name, taken(i))));
    if std::env::var_os("LIFEGUARD_SCALE_NO_PAGE").is_none() {
        out.extend(drawn(&server, t.pools.len()).await?);
    }
    Ok(out)
}

/// How long the page takes from its address to the tree, and from a key or click to what is then painted.
async fn drawn(server: &Server, pools: usize) -> Result<Vec<(&'static str, f64)>> {
    let b = Browser::start().await?;
    b.size(1280, 900).await?;
    b.goto(&format!("{}/login", server.url())).await?;
    b.fill("Log-on name", "root").await?;
    b.fill("Password", PASSWORD).await?;
    b.click_button("Sign in").await?;
    b.wait_text("Pools").await?;
    let begun = Instant::now();
    b.goto(&format!("{}/topology", server.url())).await?;
    b.wait_text("Whole topology").await?;
    b.wait_text("pc-0").await?;
    let first = begun.elapsed().as_secs_f64() * 1e3;
    watch_input(&b).await?;
    b.driver().find(By::Css(".tree a[href*='pool-0']")).await?.click().await?;
    b.wait_text("Edit properties").await?;
    let object = slowest(&b).await?;
    // A small tree has no search.
    let mut search = f64::NAN;
    if pools > 50 {
        let find = b.by_label("Find in the topology").await?;
        for key in "pc-7.made".chars() {
            find.send_keys(key.to_string()).await?;
        }
        b.wait_text("pc-7.made.example").await?;
        search = slowest(&b).await?;
    }
    b.goto(&format!("{}/topology/new-pool", server.url())).await?;
    let name = b.by_label("Pool FQDN").await?;
    watch_input(&b).await?;
    for key in "pc-x.made.example".chars() {
        name.send_keys(key.to_string()).await?;
    }
    let wizard = slowest(&b).await?;
    Ok(vec![
        ("first drawing of the page", first),
        ("click to paint, an object", object),
        ("key to paint, tree's search", search),
        ("key to paint, wizard", wizard),
    ])
}

/// Has the browser note how long each input takes until the next paint (Event Timing).
async fn watch_input(b: &Browser) -> Result<()> {
    let js = "window.inputs = []; new PerformanceObserver(l => l.getEntries().forEach(e => window.inputs.push(e.duration)))
        .observe({ type: 'event', durationThreshold: 16 });";
    b.script(js, Vec::new()).await.map(drop)
}

/// Milliseconds of the slowest input since then; 16, the least that is noted, when all were faster.
async fn slowest(b: &Browser) -> Result<f64> {
    // The browser tells it at the next frames.
    let js = "return new Promise(r => requestAnimationFrame(() => setTimeout(() => {
        const all = window.inputs; window.inputs = []; r(Math.max(16, ...all)); }, 100)))";
    b.script(js, Vec::new()).await?.as_f64().context("no number of milliseconds")
}

/// Answers on the ports that publishing knocks at.
fn listen() -> Result<()> {
    for port in [5061, 5060, 5041] {
        // A thousand servers have a thousand queues; this one stands for all of them.
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        let at: std::net::IpAddr = ELSEWHERE.parse().context("no address")?;
        socket.bind((at, port).into()).context("the address is taken")?;
        let l = socket.listen(4096)?;
        tokio::spawn(async move { while l.accept().await.is_ok() {} });
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    listen()?;
    let mut table: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let mut names = Vec::new();
    for n in SIZES {
        let t = made(1, Size::of_pools(n));
        let mut all = pure(&t)?;
        all.extend(served(&t).await?);
        for (i, (name, ms)) in all.into_iter().enumerate() {
            if !names.contains(&name) {
                names.push(name);
            }
            table.entry(i).or_default().push(ms);
        }
    }
    println!(
        "{:<34}{:>12}{:>12}{:>12}{:>28}",
        "topology of so many pools", 10, 100, 1000, "1000 to 100, 10 is linear"
    );
    for (name, ms) in names.iter().zip(table.values()) {
        let cell = |m: &f64| if m.is_nan() { format!("{:>12}", "–") } else { format!("{m:>9.1} ms") };
        let line: String = ms.iter().map(cell).collect();
        let growth = ms.get(2).zip(ms.get(1)).map_or(0.0, |(a, b)| a / b);
        println!("{name:<34}{line}{growth:>28.1}");
    }
    Ok(())
}
