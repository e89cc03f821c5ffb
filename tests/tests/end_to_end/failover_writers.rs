//! Failover and failback while people write as fast as they can: what was acknowledged is there once and in
//! its order, also when the portal is killed at random moments. `cargo xtask soak failover` does it for long.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chat_client::ChatClient;
use crate::plain_sip::sign_on_at;
use crate::support::{PASSWORD, POOL, Sample, User, detail, job, run};

/// A text that was sent, and whether it was acknowledged. One that was not may be there or not.
type Sent = (String, bool);

/// People who write.
struct Writers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<Vec<Sent>>>,
}

impl Writers {
    async fn start(s: &Sample) -> Result<Self> {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        let fe = o["front_ends"]
            .as_array()
            .and_then(|f| f.iter().find(|f| f["fqdn"] == "atl-fes-001.litwareinc.com"));
        let at: SocketAddr = fe.context("no Front End")?["listens"][1].as_str().context("no TCP")?.parse()?;
        let found =
            run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": format!("{POOL}\\Lobby") }))
                .await?;
        let room = found["output"][0]["ChatRoomUri"]
            .as_str()
            .with_context(|| format!("no address: {found}"))?
            .to_owned();
        let (stop, stopped) = watch::channel(false);
        let tasks = s.users[..2]
            .iter()
            .map(|u| tokio::spawn(write(at, u.clone(), room.clone(), stopped.clone())))
            .collect();
        Ok(Self { stop, tasks })
    }

    /// Everything that was sent, by writer.
    async fn end(self) -> Result<Vec<Vec<Sent>>> {
        self.stop.send(true).context("the writers ended by themselves")?;
        let mut all = Vec::new();
        for t in self.tasks {
            all.push(t.await?);
        }
        Ok(all)
    }
}

async fn write(at: SocketAddr, user: User, room: String, stop: watch::Receiver<bool>) -> Vec<Sent> {
    let (mut out, mut n) = (Vec::new(), 0_u64);
    while !*stop.borrow() {
        let opened = tokio::time::timeout(Duration::from_secs(10), async {
            let mut c = ChatClient::over(sign_on_at(at, &user).await?, &user, POOL).await?;
            c.join(&room).await?;
            Ok::<_, anyhow::Error>(c)
        });
        let Ok(Ok(mut c)) = opened.await else {
            // The portal is down, or its database is being moved: a person tries again, too.
            tokio::time::sleep(Duration::from_millis(30)).await;
            continue;
        };
        while !*stop.borrow() {
            n += 1;
            let text = format!("{} {n:06}", user.sip);
            let sent = tokio::time::timeout(Duration::from_secs(10), c.post(&room, &text)).await;
            let acknowledged = matches!(sent, Ok(Ok(())));
            out.push((text, acknowledged));
            if !acknowledged {
                break;
            }
        }
    }
    out
}

/// Texts of the database in use, in their order.
fn stored(s: &Sample, p: &Value) -> Result<Vec<String>> {
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    let store = used.context("no database in use")?["store"].as_str().unwrap_or_default().to_owned();
    let file: PathBuf = s.server.data_dir().join("sql").join(store).join("MSSQLSERVER/mgc.db");
    let c = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| file.display().to_string())?;
    let mut q = c.prepare("SELECT text FROM message ORDER BY chat_id")?;
    Ok(q.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// What was acknowledged is there once, nothing is there twice, and each writer's texts are in their order.
/// How many were acknowledged.
fn complete(stored: &[String], sent: &[Vec<Sent>]) -> Result<usize> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (i, text) in stored.iter().enumerate() {
        ensure!(places.insert(text, i).is_none(), "{text} is there twice");
    }
    let mut acknowledged = 0;
    for writer in sent {
        let mut last = None;
        for (text, yes) in writer {
            let place = places.get(text.as_str()).copied();
            ensure!(place.is_some() || !yes, "{text} was acknowledged and is lost");
            acknowledged += usize::from(*yes);
            ensure!(place.is_none() || place > last, "{text} is out of order");
            last = place.or(last);
        }
    }
    Ok(acknowledged)
}

async fn settled(s: &Sample, state: &str) -> Result<Value> {
    wait::until("the pool to settle", async || {
        let p = detail(s).await?;
        ensure!(p["summary"]["state"] == state && p["summary"]["converged"] == true, "{}", p["summary"]);
        Ok(p)
    })
    .await
}

/// Waits until the writers have got more posts through.
async fn more(s: &Sample, than: u64) -> Result<u64> {
    wait::until("more posts", async || {
        let p = detail(s).await?;
        let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
        let n = used.context("no database in use")?["messages"].as_u64().unwrap_or(0);
        ensure!(n > than, "{n} messages");
        Ok(n)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_and_back_with_writers_at_full_rate_loses_and_doubles_nothing() -> Result<()> {
    let s = Sample::start().await?;
    let writers = Writers::start(&s).await?;
    let mut n = more(&s, 50).await?;
    for (cmdlet, state) in [("Start-LgFailover", "FailedOver"), ("Start-LgFailback", "Normal")] {
        let answer = run(&s.client, cmdlet, json!({ "Identity": POOL })).await?;
        job(&s.client, answer["job"].as_str().context("no run")?, "done").await?;
        settled(&s, state).await?;
        n = more(&s, n + 20).await?;
    }
    let sent = writers.end().await?;
    let p = settled(&s, "Normal").await?;
    let acknowledged = complete(&stored(&s, &p)?, &sent)?;
    ensure!(acknowledged > 90, "{acknowledged} posts");
    println!("{acknowledged} acknowledged posts, none lost, none doubled, in order");
    Ok(())
}

/// Small steps of a generator, so that a run can be had again by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// Kills the portal at random moments of runs in both directions while people write. The moments come from
/// the seed `LIFEGUARD_SOAK_SEED`, the length from `LIFEGUARD_SOAK_SECONDS`.
#[tokio::test(flavor = "multi_thread")]
async fn chaos_kills_at_random_moments_of_runs_lose_nothing() -> Result<()> {
    let seed = number("LIFEGUARD_SOAK_SEED", 20_131_121);
    let length = Duration::from_secs(number("LIFEGUARD_SOAK_SECONDS", 15));
    let mut dice = Dice(seed.max(1));
    let mut s = Sample::start().await?;
    let writers = Writers::start(&s).await?;
    let mut n = more(&s, 20).await?;
    let begun = Instant::now();
    let (mut rounds, mut kills) = (0_u64, 0_u64);
    let mut state = "Normal";
    while rounds < 2 || begun.elapsed() < length {
        let (cmdlet, to) = if state == "Normal" {
            ("Start-LgFailover", "FailedOver")
        } else {
            ("Start-LgFailback", "Normal")
        };
        let answer = run(&s.client, cmdlet, json!({ "Identity": POOL })).await?;
        let id = answer["job"].as_str().context("no run")?.to_owned();
        for _ in 0..dice.below(3) {
            // The moment of the kill is what this is about.
            tokio::time::sleep(Duration::from_millis(dice.below(900))).await;
            s.server.kill9();
            s.server.restart().await?;
            s.client.login("root", PASSWORD).await?;
            kills += 1;
        }
        job(&s.client, &id, "done").await.with_context(|| format!("seed {seed}, round {rounds}"))?;
        settled(&s, to).await?;
        n = more(&s, n).await.with_context(|| format!("seed {seed}, round {rounds}"))?;
        state = to;
        rounds += 1;
    }
    let sent = writers.end().await?;
    let p = settled(&s, state).await?;
    let acknowledged = complete(&stored(&s, &p)?, &sent).with_context(|| format!("seed {seed}"))?;
    let unclear = sent.iter().flatten().filter(|(_, yes)| !yes).count();
    println!(
        "seed {seed}: {rounds} runs, {kills} kills in {:.0} s; {acknowledged} acknowledged posts, none lost, none doubled, in order; {unclear} were not acknowledged",
        begun.elapsed().as_secs_f64()
    );
    ensure!(acknowledged > 0);
    Ok(())
}
