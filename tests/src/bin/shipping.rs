//! What log shipping and the mirror cost: posts per second with and without them in one run, how far the other
//! side is behind, how long it takes to catch up over many segments and over a large database, and how long a
//! guided run takes from *go* to the first delivered message. `LIFEGUARD_SEGMENTS` and `LIFEGUARD_MEGABYTES`
//! set the sizes (2000 and 64; case 29 asks for 10000, the soak for 1024).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
use lifeguard_tests::{sample, wait};
use node::traits::{Category, ChatStore, NewPost, Room};
use serde_json::{Value, json};
use store::chat::MgcDatabase;
use store::chat::mirror::{MirrorState, MirrorTo, Witness};
use store::chat::shipping::{PATIENCE, Secondary, ShipTo};

/// People who post at the same time.
const WRITERS: u64 = 16;
/// How long each way is measured.
const PERIOD: Duration = Duration::from_secs(5);
const POOL: &str = "atl-cs-001.litwareinc.com";

fn text(e: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{e}")
}

fn size(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// A witness that only listens.
struct Notes;

impl Witness for Notes {
    fn note(&self, _: bool) -> Result<(), String> {
        Ok(())
    }
}

fn folder(dir: &Path, name: &str) -> Result<std::path::PathBuf> {
    let at = dir.join(name);
    std::fs::create_dir_all(&at)?;
    Ok(at)
}

fn opened(dir: &Path, ship: bool, mirror: bool) -> Result<Arc<MgcDatabase>> {
    let primary = folder(dir, "primary")?;
    MgcDatabase::create(&primary).map_err(text)?;
    folder(dir, "backup")?;
    let to = ShipTo { share: folder(dir, "share")?, id: "mgc".to_owned(), patience: PATIENCE };
    let copy = MirrorTo { dir: folder(dir, "mirror")?, witness: Arc::new(Notes), patience: PATIENCE };
    let epoch = MgcDatabase::probe(&primary).map_err(text)?.epoch;
    MgcDatabase::open_mirrored(&primary, epoch, None, ship.then_some(to), mirror.then_some(copy))
        .map_err(text)
}

async fn room(store: &dyn ChatStore) -> Result<()> {
    let all = vec!["litwareinc.com".to_owned()];
    let k = Category {
        id: "k".to_owned(),
        name: "k".to_owned(),
        chat_history: true,
        allowed: all.clone(),
        ..Category::default()
    };
    store.create_category("1", k).await.map_err(text)?;
    let (id, category_id) = ("r".to_owned(), "k".to_owned());
    let r = Room { name: id.clone(), id, category_id, members: all, ..Room::default() };
    store.create_room("2", r).await.map_err(text)
}

fn post(writer: u64, n: u64, text: String) -> NewPost {
    let author = format!("sip:writer{writer}@litwareinc.com");
    NewPost { room: "r".to_owned(), client_id: format!("{writer}-{n}"), author, text, ..NewPost::default() }
}

/// Posts of all writers in the period, per second.
async fn rush(store: &Arc<dyn ChatStore>) -> Result<f64> {
    let (begun, count) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut tasks = Vec::new();
    for w in 0..WRITERS {
        let (store, count) = (store.clone(), count.clone());
        tasks.push(tokio::spawn(async move {
            let mut n = 0;
            while begun.elapsed() < PERIOD {
                n += 1;
                store.post(post(w, n, format!("message {n} of writer {w}"))).await.map_err(text)?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        }));
    }
    for t in tasks {
        t.await??;
    }
    let posts = u32::try_from(count.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
    Ok(f64::from(posts) / begun.elapsed().as_secs_f64())
}

/// One turn of the three jobs.
async fn turn(db: &MgcDatabase, dir: &Path) -> Result<()> {
    let mark = db.ship().await.map_err(text)?;
    let (share, other) = (dir.join("share"), Secondary::new(&dir.join("backup"), "mgc"));
    let Some(mark) = mark else { return Ok(()) };
    tokio::task::spawn_blocking(move || {
        other.copy_within(&share, mark.epoch, PATIENCE).and_then(|_| other.apply(mark.epoch)).map(drop)
    })
    .await?
    .map_err(text)
}

/// Posts per second one way, and how far the other side was behind (99th percentile of looks).
async fn way(ship: bool, mirror: bool) -> Result<(f64, Option<Duration>)> {
    let dir = tempfile::tempdir()?;
    let db = opened(dir.path(), ship, mirror)?;
    let store = db.store();
    room(&*store).await?;
    turn(&db, dir.path()).await?;
    if mirror {
        wait::until("the mirror", async || {
            db.between_turns().await;
            ensure!(db.mirror() == Some(MirrorState::Synchronized), "{:?}", db.mirror());
            Ok(())
        })
        .await?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let jobs = {
        let (db, stop, dir) = (db.clone(), stop.clone(), dir.path().to_owned());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1));
            while !stop.load(Ordering::Relaxed) {
                ticks.tick().await;
                turn(&db, &dir).await?;
            }
            anyhow::Ok(())
        })
    };
    let looks = {
        let (stop, other) = (stop.clone(), Secondary::new(&dir.path().join("backup"), "mgc"));
        tokio::spawn(async move {
            let mut lags = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                if let Some(a) = other.applied() {
                    let cut = Duration::from_millis(a.mark.cut.millis().unsigned_abs());
                    lags.push(now.saturating_sub(cut));
                }
            }
            lags.sort_unstable();
            lags.get((lags.len() * 99 / 100).min(lags.len().saturating_sub(1))).copied()
        })
    };
    let rate = rush(&store).await?;
    stop.store(true, Ordering::Relaxed);
    jobs.await??;
    let lag = looks.await?.filter(|_| ship);
    db.close().await;
    Ok((rate, lag))
}

async fn costs() -> Result<()> {
    let mut bare = None;
    for (name, ship, mirror) in [
        ("posts/s, no copy", false, false),
        ("posts/s, log shipping", true, false),
        ("posts/s, mirror", false, true),
        ("posts/s, mirror and log shipping", true, true),
    ] {
        let (rate, lag) = way(ship, mirror).await?;
        let bare = *bare.get_or_insert(rate);
        let lag = lag
            .map(|l| format!("; the other side is {:.2} s behind (p99)", l.as_secs_f64()))
            .unwrap_or_default();
        println!("{name:<34}{rate:>10.0}   {:>5.2} of no copy{lag}", rate / bare);
    }
    Ok(())
}

/// Catching up over many small segments (case 29).
async fn segments(n: u64) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let db = opened(dir.path(), true, false)?;
    let store = db.store();
    room(&*store).await?;
    turn(&db, dir.path()).await?;
    let begun = Instant::now();
    for i in 0..n {
        store.post(post(0, i, format!("message {i}"))).await.map_err(text)?;
        db.ship().await.map_err(text)?;
    }
    let cut = begun.elapsed();
    db.close().await;
    let (share, other) = (dir.path().join("share"), Secondary::new(&dir.path().join("backup"), "mgc"));
    let epoch = other.applied().context("nothing was applied")?.mark.epoch;
    let begun = Instant::now();
    let copied = other.copy(&share, epoch).map_err(text)?;
    let copy = begun.elapsed();
    let begun = Instant::now();
    let applied = other.apply(epoch).map_err(text)?;
    ensure!(applied >= n && copied >= n, "{applied} of {n} applied");
    other.online().map_err(text)?;
    let there = MgcDatabase::probe(&dir.path().join("backup")).map_err(text)?.messages;
    ensure!(there == n, "{there} of {n} messages");
    println!(
        "{:<34}{:>10.1} s to cut, {:.1} s to copy, {:.1} s to apply; nothing missing",
        format!("{n} segments"),
        cut.as_secs_f64(),
        copy.as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A whole copy of a large database.
async fn large(megabytes: u64) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let db = opened(dir.path(), false, false)?;
    let store = db.store();
    room(&*store).await?;
    let mut tasks = Vec::new();
    for w in 0..WRITERS {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..megabytes * 1_000_000 / 60_000 / WRITERS {
                store.post(post(w, n, "x".repeat(60_000))).await.map_err(text)?;
            }
            anyhow::Ok(())
        }));
    }
    for t in tasks {
        t.await??;
    }
    db.close().await;
    let db = opened(dir.path(), true, false)?;
    let begun = Instant::now();
    turn(&db, dir.path()).await?;
    let whole = begun.elapsed();
    let bytes = std::fs::metadata(dir.path().join("backup/mgc.db"))?.len();
    db.store().post(post(99, 1, "after".to_owned())).await.map_err(text)?;
    let begun = Instant::now();
    turn(&db, dir.path()).await?;
    println!(
        "{:<34}{:>10.1} s to ship, copy and apply it whole; {:.0} ms for the next turn",
        format!("mgc of {} MB", bytes / 1_000_000),
        whole.as_secs_f64(),
        begun.elapsed().as_secs_f64() * 1e3
    );
    db.close().await;
    Ok(())
}

/// A guided run step by step, and from *go* to the first delivered message.
async fn go() -> Result<()> {
    let (_server, client, users) = sample().await?;
    let person = |i: usize, k: &str| users[i][k].clone();
    let test = || {
        json!({
            "TargetFqdn": "atl-fe-001.litwareinc.com", "ChatRoomUri": format!("{POOL}\\Lobby"),
            "SenderSipAddress": person(0, "sip_address"),
            "SenderCredential": { "UserName": person(0, "logon_name"), "Password": person(0, "password") },
            "ReceiverSipAddress": person(1, "sip_address"),
            "ReceiverCredential": { "UserName": person(1, "logon_name"), "Password": person(1, "password") },
        })
    };
    let invoke = async |name: &str, args: Value| -> Result<String> {
        let body = json!({ "args": args, "confirmed": true, "reason": "bench" });
        let (status, answer) = client.invoke(name, &body).await?;
        ensure!(status == 200, "{name}: {status} {answer}");
        Ok(answer["job"].as_str().context("no job")?.to_owned())
    };
    let delivered = async || -> Result<()> {
        let id = invoke("Test-CsPersistentChatMessage", test()).await?;
        wait::until("the end of the test message", async || {
            let (_, t) = client.get(&format!("/api/v1/tests/{id}")).await?;
            ensure!(t["summary"]["state"] != "running", "{t}");
            Ok(t)
        })
        .await
        .and_then(|t| {
            ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
            Ok(())
        })
    };
    wait::until("a first message", async || delivered().await).await?;
    wait::until("log shipping", async || {
        let (_, p) = client.get(&format!("/api/v1/pools/{POOL}")).await?;
        ensure!(
            p["shipping"]["messages_behind"] == 0 && p["shipping"]["applied"].is_u64(),
            "{}",
            p["shipping"]
        );
        Ok(())
    })
    .await?;
    for cmdlet in ["Start-LgFailover", "Start-LgFailback"] {
        let begun = Instant::now();
        let id = invoke(cmdlet, json!({ "Identity": POOL })).await?;
        let job = wait::until("the run's end", async || {
            let (_, j) = client.get(&format!("/api/v1/jobs/{id}")).await?;
            ensure!(j["state"] == "done", "{j}");
            Ok(j)
        })
        .await?;
        let run = begun.elapsed();
        wait::until("the first delivered message", async || delivered().await).await?;
        println!(
            "{cmdlet:<34}{:>10.2} s for the run, {:.2} s from go to the first delivered message",
            run.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        );
        for s in job["steps"].as_array().context("no steps")? {
            println!("    {:>7} ms  {}", s["millis"], s["title"].as_str().unwrap_or_default());
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    costs().await?;
    segments(size("LIFEGUARD_SEGMENTS", 2000)).await?;
    large(size("LIFEGUARD_MEGABYTES", 64)).await?;
    go().await
}
