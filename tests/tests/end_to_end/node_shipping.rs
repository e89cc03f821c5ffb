//! Pools whose primary and backup are in different processes: the log goes through a share that both reach, and
//! a switch loses nothing but what was acknowledged as lost.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Node, wait};
use serde_json::{Value, json};
use shared::Timestamp;

use crate::chat_client::ChatClient;
use crate::node::portal;
use crate::node_database::{front_end, join, publish, room_on};
use crate::plain_sip::sign_on_at;
use crate::support::{PASSWORD, Sample, User, job, refused, run};

const POOL: &str = "atl-shp-001.litwareinc.com";
const PRIMARY: &str = "shp-sql-001.litwareinc.com";
const BACKUP: &str = "shp-sql-002.litwareinc.com";

/// A pool with two owners: a node `n1`, and a node `n2` or the portal.
struct Pair {
    s: Sample,
    n1: Node,
    n2: Option<Node>,
    share: tempfile::TempDir,
    room: String,
    /// Messages that were posted one by one.
    posted: AtomicU64,
}

/// Where things are: the stores of primary and backup, and the pool's servers.
struct Places<'a> {
    primary: &'a str,
    backup: &'a str,
    servers: Value,
}

async fn define(s: &Sample, share: &str, at: &Places<'_>) -> Result<()> {
    run(&s.client, "New-LgSqlStore", json!({ "Fqdn": PRIMARY, "Placement": at.primary })).await?;
    run(&s.client, "New-LgSqlStore", json!({ "Fqdn": BACKUP, "Placement": at.backup })).await?;
    let file = json!({ "Fqdn": "shp-fs-001.litwareinc.com", "Share": "chat", "Placement": share });
    run(&s.client, "New-LgFileStore", file).await?;
    let (_, t) = s.client.get("/api/v1/topology").await?;
    let id = |list: &str, name: &str| {
        let all = t["draft"][list].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|x| x["fqdn"] == name).map(|x| x["id"].clone()).context("no store")
    };
    let (status, d) = s.client.post("/api/v1/drafts", &json!({})).await?;
    ensure!(status == 200, "{d}");
    let draft = d["id"].as_str().context("no draft")?;
    for (path, to) in [
        ("/fqdn", json!(POOL)),
        ("/computers", at.servers.clone()),
        ("/display_name", json!("Two owners")),
        ("/default_for_site", json!(false)),
        ("/site", json!("site-redmond")),
        ("/sql/existing", id("sql_stores", PRIMARY)?),
        ("/disaster_recovery", json!(true)),
        ("/backup_sql/existing", id("sql_stores", BACKUP)?),
        ("/file/existing", id("file_stores", "shp-fs-001.litwareinc.com")?),
        ("/next_hop", json!("fe-atl")),
    ] {
        let from = d["draft"].pointer(path).cloned().unwrap_or_default();
        if from == to {
            continue;
        }
        let body = json!({ "path": path, "from": from, "to": to });
        let (status, answer) = s.client.patch(&format!("/api/v1/drafts/{draft}"), &body).await?;
        ensure!(status == 200, "{path}: {answer}");
    }
    run(&s.client, "New-LgPersistentChatPool", json!({ "Draft": draft })).await?;
    Ok(())
}

fn here() -> Value {
    let place = json!({ "at": "run_here" });
    json!([
        { "fqdn": "shp-001.litwareinc.com", "placement": place },
        { "fqdn": "shp-002.litwareinc.com", "placement": place },
    ])
}

impl Pair {
    async fn start(primary: &str, backup: &str) -> Result<Self> {
        let (s, portal) = portal().await?;
        let (n1, _) = join(&s, &portal, "n1").await?;
        let two = [primary, backup].contains(&"Node:n2");
        let n2 = if two { Some(join(&s, &portal, "n2").await?.0) } else { None };
        Self::finish(s, n1, n2, &Places { primary, backup, servers: here() }).await
    }

    async fn finish(s: Sample, n1: Node, n2: Option<Node>, at: &Places<'_>) -> Result<Self> {
        let share = tempfile::tempdir()?;
        define(&s, &share.path().display().to_string(), at).await?;
        let done = publish(&s, "done").await.with_context(|| n1.printed())?;
        ensure!(done.to_string().contains("by log shipping, as a copy of the primary"), "{done}");
        let many = json!({ "Identity": "global", "DefaultChatHistory": 500 });
        run(&s.client, "Set-CsPersistentChatConfiguration", many).await?;
        let room = room_on(&s, POOL).await.with_context(|| n1.printed())?;
        Ok(Self { s, n1, n2, share, room, posted: AtomicU64::new(0) })
    }

    fn printed(&self) -> String {
        let n2 = self.n2.as_ref().map(Node::printed).unwrap_or_default();
        format!("portal:\n{}\nn1:\n{}\nn2:\n{n2}", self.s.server.printed(), self.n1.printed())
    }

    async fn detail(&self) -> Result<Value> {
        let (status, p) = self.s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
        ensure!(status == 200, "{p}");
        Ok(p)
    }

    /// Waits until everything is applied on the side of `to`.
    async fn shipped(&self, to: &str) -> Result<Value> {
        wait::until("log shipping to catch up", async || {
            let p = self.detail().await?;
            let x = &p["shipping"];
            // What is shown is up to a second old.
            let all = p["summary"]["databases"].as_array().context("no databases")?;
            let used = all.iter().find(|d| d["in_use"] == true).context("none in use")?;
            ensure!(used["messages"].as_u64() >= Some(self.posted.load(Ordering::Relaxed)), "{used}");
            let there = x["problem"].is_null()
                && x["late"].is_null()
                && x["to"] == to
                && x["behind"] == 0
                && x["messages_behind"] == 0
                && x["applied"].is_u64()
                && x["applied"] == x["shipped"];
            ensure!(there, "{x} {}", p["summary"]["databases"]);
            Ok(p)
        })
        .await
        .with_context(|| self.printed())
    }

    /// Waits until the pool uses the side of `store`, in `state`, with so many messages.
    async fn uses(&self, store: &str, state: &str, messages: usize) -> Result<()> {
        wait::until("the side in use", async || {
            let p = self.detail().await?;
            ensure!(p["summary"]["state"] == state && p["summary"]["converged"] == true, "{}", p["summary"]);
            let all = p["summary"]["databases"].as_array().context("no databases")?.clone();
            let used = all.iter().find(|d| d["in_use"] == true).context("none in use")?;
            ensure!(used["store"] == store && used["messages"] == messages, "{used}");
            Ok(())
        })
        .await
        .with_context(|| self.printed())
    }

    async fn session(&self, user: &User) -> Result<ChatClient> {
        wait::until("a session", async || {
            let mut c = ChatClient::open(&self.s, user, POOL).await?;
            c.join(&self.room).await?;
            Ok(c)
        })
        .await
        .with_context(|| self.printed())
    }

    async fn post(&self, texts: &[&str]) -> Result<()> {
        let mut c = self.session(&self.s.users[0]).await?;
        for text in texts {
            c.post(&self.room, text).await?;
            self.posted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn stored(&self) -> Result<Vec<String>> {
        self.session(&self.s.users[1]).await?.history(&self.room).await
    }

    async fn guided(&self, cmdlet: &str, more: Value, state: &str) -> Result<Value> {
        let mut args = json!({ "Identity": POOL });
        if let (Some(a), Some(m)) = (args.as_object_mut(), more.as_object()) {
            a.extend(m.clone());
        }
        let answer = run(&self.s.client, cmdlet, args).await?;
        let id = answer["job"].as_str().context("no run")?.to_owned();
        job(&self.s.client, &id, state).await.with_context(|| self.printed())
    }

    /// A backup holds the database in use, whichever node has it.
    async fn backed_up(&self) -> Result<()> {
        let set = |state: &str| json!({ "Identity": POOL, "PoolState": state });
        run(&self.s.client, "Set-CsPersistentChatState", set("FailedOver")).await?;
        self.uses(BACKUP, "FailedOver", 7).await?;
        let bin = std::env::var_os("LIFEGUARD_BIN")
            .map_or_else(|| lifeguard_tests::target_dir().join("debug/lifeguard"), Into::into);
        let into = tempfile::tempdir()?;
        let (file, restored) = (into.path().join("one.tar"), into.path().join("restored"));
        for (what, data) in [("backup", self.s.server.data_dir()), ("restore", restored.as_path())] {
            let mut command = std::process::Command::new(&bin);
            let out = command.arg(what).arg(&file).arg("--data-dir").arg(data).output()?;
            ensure!(
                out.status.success() && !String::from_utf8_lossy(&out.stdout).contains("does not hold"),
                "{out:?}"
            );
        }
        let of = |node: &str, store: &str| {
            restored.join("nodes").join(node).join("sql").join(store).join("MSSQLSERVER/mgc.db")
        };
        let db = rusqlite::Connection::open(of("n2", BACKUP))?;
        let n: u32 = db.query_row("SELECT COUNT(*) FROM message", [], |r| r.get(0))?;
        ensure!(n == 7 && !of("n1", PRIMARY).exists(), "{n} messages in the backup");
        run(&self.s.client, "Set-CsPersistentChatState", set("Normal")).await?;
        self.uses(PRIMARY, "Normal", 7).await
    }

    /// A pool that goes leaves what both nodes have, set aside.
    async fn removed(&self) -> Result<()> {
        self.shipped(BACKUP).await?;
        run(&self.s.client, "Remove-LgTopologyObject", json!({ "Identity": POOL })).await?;
        let j = publish(&self.s, "done").await?.to_string();
        for node in ["n1", "n2"] {
            ensure!(j.contains(&format!("mgc of {POOL} is kept on node {node} in ")), "{j}");
        }
        Ok(())
    }

    /// Over by a guided run, back by a guided run, and both once more by the plain cmdlet.
    async fn over_and_back(&self) -> Result<()> {
        self.post(&["one", "two", "three"]).await?;
        self.shipped(BACKUP).await?;
        let done = self.guided("Start-LgFailover", json!({}), "done").await?;
        ensure!(done.to_string().contains("nothing is missing"), "{done}");
        ensure!(done.to_string().contains("is online with 3 messages, epoch 2"), "{done}");
        self.uses(BACKUP, "FailedOver", 3).await?;
        ensure!(self.stored().await? == ["one", "two", "three"]);
        self.post(&["four"]).await?;
        let p = self.shipped(PRIMARY).await?;
        ensure!(p["shipping"]["orphans"] == json!([]), "{}", p["shipping"]);
        self.guided("Start-LgFailback", json!({}), "done").await?;
        self.uses(PRIMARY, "Normal", 4).await?;
        self.post(&["five"]).await?;
        for (state, store, n) in [("FailedOver", BACKUP, 5), ("Normal", PRIMARY, 6)] {
            let set = json!({ "Identity": POOL, "PoolState": state });
            let answer = run(&self.s.client, "Set-CsPersistentChatState", set).await?;
            ensure!(answer["warnings"].as_array().is_none_or(Vec::is_empty), "{answer}\n{}", self.printed());
            self.uses(store, state, n).await?;
            self.post(&[state]).await?;
        }
        ensure!(self.stored().await? == ["one", "two", "three", "four", "five", "FailedOver", "Normal"]);
        let x = run(&self.s.client, "Get-LgLogShipping", json!({ "Identity": POOL })).await?;
        ensure!(x["output"][0]["From"] == PRIMARY && x["output"][0]["To"] == BACKUP, "{x}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_goes_from_node_to_node_and_back_and_loses_nothing() -> Result<()> {
    let p = Pair::start("Node:n1", "Node:n2").await?;
    p.over_and_back().await?;
    let n2 = p.n2.as_ref().context("no n2")?;
    let mgc = PathBuf::from("sql").join(BACKUP).join("MSSQLSERVER/mgc.db");
    ensure!(n2.data_dir().join(&mgc).is_file() && !p.s.server.data_dir().join(&mgc).exists());
    ensure!(p.share.path().join("log-shipping").join(POOL).join("epoch-5").is_file(), "five owners in turn");
    // A rehearsal is done by the owner of the side that would take over, and leaves nothing behind.
    p.shipped(BACKUP).await?;
    let before = p.detail().await?["shipping"]["shipped"].clone();
    let told = p.guided("Test-LgFailover", json!({}), "done").await?.to_string();
    ensure!(told.contains("segments of epoch 5 were read from the share"), "{told}");
    ensure!(told.contains("7 messages, ") && told.contains("even a forced run would lose nothing"), "{told}");
    ensure!(std::fs::read_dir(n2.data_dir().join("rehearsals"))?.next().is_none(), "a copy is left");
    ensure!(!p.share.path().join("log-shipping").join(POOL).join("epoch-6").exists(), "nothing was claimed");
    ensure!(p.detail().await?["shipping"]["shipped"] == before && p.stored().await?.len() == 7);
    p.backed_up().await?;
    p.removed().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_goes_from_a_node_to_the_portal_and_back() -> Result<()> {
    Pair::start("Node:n1", "RunHere").await?.over_and_back().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_goes_from_the_portal_to_a_node_and_back() -> Result<()> {
    Pair::start("RunHere", "Node:n1").await?.over_and_back().await
}

/// Posts until one is not acknowledged: the texts with when they were acknowledged.
async fn until_it_breaks(c: &mut ChatClient, room: &str) -> Vec<(String, Timestamp)> {
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
    };
    let mut out = Vec::new();
    loop {
        let text = format!("post {}", out.len());
        match tokio::time::timeout(Duration::from_secs(10), c.post(room, &text)).await {
            Ok(Ok(())) => out.push((text, now())),
            _ => return out,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_primary_is_given_up_with_what_was_shipped_and_takes_no_more_posts() -> Result<()> {
    let mut p = Pair::start("Node:n1", "Node:n2").await?;
    p.post(&["before"]).await?;
    p.shipped(BACKUP).await?;
    let mut c = p.session(&p.s.users[0]).await?;
    let room = p.room.clone();
    let posting = tokio::spawn(async move { until_it_breaks(&mut c, &room).await });
    wait::until("some posts to be shipped", async || {
        let n = p.detail().await?["summary"]["databases"][0]["messages"].as_u64();
        ensure!(n > Some(25), "{n:?}");
        Ok(())
    })
    .await?;
    p.n1.kill9();
    let acknowledged = posting.await?;
    wait::until("the portal to miss it", async || {
        let d = p.detail().await?;
        let said = d["summary"]["databases"][0]["error"].as_str().unwrap_or_default().to_owned();
        ensure!(said.contains("Node n1 does not answer") && d["summary"]["converged"] == false, "{d}");
        Ok(())
    })
    .await?;
    let planned = refused(&p.s.client, "Start-LgFailover", json!({ "Identity": POOL }), 422).await?;
    ensure!(planned["problems"][0]["code"] == "db.unreachable", "{planned}");
    let forced = json!({ "Identity": POOL, "Forced": true });
    let e = refused(&p.s.client, "Start-LgFailover", forced, 428).await?;
    ensure!(
        e["field"] == "AcknowledgeLoss" && e.to_string().contains("it has what was committed until"),
        "{e}"
    );
    let told = p.detail().await?["shipping"].clone();
    let until: Timestamp = serde_json::from_value(told["complete_until"].clone())?;
    let behind = told["messages_behind"].as_u64().context("no count")?;
    ensure!(e.to_string().contains("were seen here") && e.to_string().contains("are missing there"), "{e}");
    p.guided("Start-LgFailover", json!({ "Forced": true, "AcknowledgeLoss": true }), "done").await?;
    let stored = p.stored().await?;
    p.uses(BACKUP, "FailedOver", stored.len()).await?;
    let there: BTreeSet<_> = stored.iter().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|(text, _)| !there.contains(text)).collect();
    ensure!(there.len() == stored.len() && stored[0] == "before", "{stored:?}");
    println!("{} acknowledged, {} lost, {behind} told as missing", acknowledged.len(), lost.len());
    ensure!(behind >= lost.len() as u64, "{behind} were told as missing, and {} are", lost.len());
    for (text, at) in &lost {
        ensure!(
            *at >= until,
            "{text} was acknowledged at {at:?}, and all until {until:?} was said to be there"
        );
    }
    p.post(&["after"]).await?;
    // The old primary comes back while nobody can tell it what happened: the share does.
    p.s.server.kill9();
    p.n1.restart().await?;
    wait::until("it to see the claim", async || {
        let said = p.n1.printed();
        ensure!(said.contains("epoch 2 was claimed in the share"), "{said}");
        Ok(())
    })
    .await?;
    p.s.server.restart().await?;
    p.s.client.login("root", PASSWORD).await?;
    // Its database is kept, and the log is shipped to it.
    let d = p.shipped(PRIMARY).await?;
    let orphans = d["shipping"]["orphans"].as_array().map(Vec::len);
    ensure!(orphans == Some(1) || lost.is_empty(), "{}", d["shipping"]);
    p.guided("Start-LgFailback", json!({}), "done").await?;
    p.uses(PRIMARY, "Normal", stored.len() + 1).await?;
    ensure!(p.stored().await?.last().map(String::as_str) == Some("after"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_wakes_up_after_a_forced_run_gives_way() -> Result<()> {
    let p = Pair::start("Node:n1", "Node:n2").await?;
    p.post(&["one"]).await?;
    p.shipped(BACKUP).await?;
    p.n1.signal("STOP")?;
    wait::until("the portal to miss it", async || {
        let d = p.detail().await?;
        let said = d["summary"]["databases"][0]["error"].as_str().unwrap_or_default().to_owned();
        ensure!(said.contains("Node n1 does not answer"), "{d}");
        Ok(())
    })
    .await?;
    let set = json!({ "Identity": POOL, "PoolState": "FailedOver", "AcknowledgeLoss": true });
    run(&p.s.client, "Set-CsPersistentChatState", set).await?;
    p.uses(BACKUP, "FailedOver", 1).await?;
    p.post(&["two"]).await?;
    p.n1.signal("CONT")?;
    p.shipped(PRIMARY).await?;
    p.post(&["three"]).await?;
    ensure!(p.stored().await? == ["one", "two", "three"]);
    p.guided("Start-LgFailback", json!({}), "done").await?;
    p.uses(PRIMARY, "Normal", 3).await
}

/// What log shipping has applied at the node that does not use its side.
fn applied(node: &Node, store: &str) -> Result<u64> {
    let file = node.data_dir().join("sql").join(store).join("MSSQLSERVER/mgc.restoring");
    let text: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    text["mark"]["messages"].as_u64().context("no mark")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_shipped_from_node_to_node_without_the_portal() -> Result<()> {
    let (s, portal) = portal().await?;
    let (n1, at) = join(&s, &portal, "n1").await?;
    let (n2, _) = join(&s, &portal, "n2").await?;
    let front = front_end(&s, "n1", &at).await?;
    let place = json!({ "at": "node", "address": "n1" });
    let servers = json!([{ "fqdn": "shp-001.litwareinc.com", "placement": place }]);
    let places = Places { primary: "Node:n1", backup: "Node:n2", servers };
    let mut p = Pair::finish(s, n1, Some(n2), &places).await?;
    let user = p.s.users[0].clone();
    let mut c = wait::until("a session at the node's Front End", async || {
        let mut c = ChatClient::over(sign_on_at(front, &user).await?, &user, POOL).await?;
        c.join(&p.room).await?;
        Ok(c)
    })
    .await?;
    c.post(&p.room, "before").await?;
    p.shipped(BACKUP).await?;
    p.s.server.kill9();
    for i in 0..10 {
        c.post(&p.room, &format!("alone {i}")).await?;
    }
    let n2 = p.n2.as_mut().context("no n2")?;
    let arrived = async |n2: &Node, n: u64| {
        wait::until("the posts on the other node", async || {
            let there = applied(n2, BACKUP)?;
            ensure!(there == n, "{there}");
            Ok(())
        })
        .await
    };
    arrived(n2, 11).await?;
    // A node that is started anew without the portal goes on where it was.
    n2.restart().await?;
    c.post(&p.room, "after its start").await?;
    arrived(n2, 12).await?;
    p.n1.restart().await?;
    let mut c = wait::until("a session after the owner's start", async || {
        let mut c = ChatClient::over(sign_on_at(front, &user).await?, &user, POOL).await?;
        c.join(&p.room).await?;
        c.post(&p.room, "again").await?;
        Ok(c)
    })
    .await?;
    ensure!(c.history(&p.room).await?.len() == 13);
    arrived(p.n2.as_ref().context("no n2")?, 13).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_between_nodes_survives_a_kill_of_the_portal_and_of_owners() -> Result<()> {
    let mut p = Pair::start("Node:n1", "Node:n2").await?;
    let mut messages = 0;
    for round in 1..=4_usize {
        messages += 1;
        p.post(&[&format!("round {round}")]).await?;
        let (cmdlet, state, store) = match round % 2 {
            1 => ("Start-LgFailover", "FailedOver", BACKUP),
            _ => ("Start-LgFailback", "Normal", PRIMARY),
        };
        p.shipped(store).await?;
        let hold = p.s.server.data_dir().join("hold");
        std::fs::write(&hold, format!("failover:{round}"))?;
        let answer = run(&p.s.client, cmdlet, json!({ "Identity": POOL })).await?;
        let id = answer["job"].as_str().context("no run")?.to_owned();
        p.s.server.line(&format!("held at=failover:{round}")).await?;
        p.s.server.kill9();
        // Owners that are started anew meanwhile know that nothing is to be opened.
        if round == 2 {
            p.n1.restart().await?;
            p.n2.as_mut().context("no n2")?.restart().await?;
        }
        std::fs::remove_file(&hold)?;
        p.s.server.restart().await?;
        p.s.client.login("root", PASSWORD).await?;
        job(&p.s.client, &id, "done").await.with_context(|| p.printed())?;
        p.uses(store, state, messages).await.with_context(|| format!("round {round}"))?;
    }
    ensure!(p.stored().await?.len() == messages);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_leaves_the_pool_as_it_was_also_after_a_claim() -> Result<()> {
    let p = Pair::start("Node:n1", "Node:n2").await?;
    p.post(&["one"]).await?;
    p.shipped(BACKUP).await?;
    let chain = p.share.path().join("log-shipping").join(POOL);
    let (away, hold) = (chain.with_extension("away"), p.s.server.data_dir().join("hold"));
    std::fs::write(&hold, "failover:3")?;
    let answer = run(&p.s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no run")?.to_owned();
    p.s.server.line("held at=failover:3").await?;
    // The share is gone for a while: a file stands in its place.
    std::fs::rename(&chain, &away)?;
    std::fs::write(&chain, "")?;
    std::fs::remove_file(&hold)?;
    let failed = job(&p.s.client, &id, "failed").await.with_context(|| p.printed())?;
    ensure!(failed["steps"][3]["state"] == "failed", "{failed}");
    std::fs::remove_file(&chain)?;
    std::fs::rename(&away, &chain)?;
    // As if the owner had been killed right after its claim.
    std::fs::write(chain.join("epoch-2"), "somebody")?;
    run(&p.s.client, "Stop-LgRun", json!({ "Identity": id })).await?;
    p.uses(PRIMARY, "Normal", 1).await?;
    p.post(&["two"]).await?;
    p.shipped(BACKUP).await?;
    ensure!(chain.join("epoch-3").is_file(), "the claim is passed over");
    p.guided("Start-LgFailover", json!({}), "done").await?;
    p.uses(BACKUP, "FailedOver", 2).await?;
    ensure!(p.stored().await? == ["one", "two"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_side_and_a_share_that_is_not_there_are_told_and_cost_no_post() -> Result<()> {
    let p = Pair::start("Node:n1", "Node:n2").await?;
    p.post(&["one"]).await?;
    p.shipped(BACKUP).await?;
    let n2 = p.n2.as_ref().context("no n2")?;
    let other = n2.data_dir().join("sql").join(BACKUP).join("MSSQLSERVER/mgc.db");
    let mut bytes = std::fs::read(&other)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&other, bytes)?;
    p.post(&["two"]).await?;
    wait::until("the problem to be told", async || {
        let (_, o) = p.s.client.get("/api/v1/overview").await?;
        ensure!(o["problems"].to_string().contains("was written to by somebody else"), "{}", o["problems"]);
        Ok(())
    })
    .await?;
    // A planned run loses nothing all the same: the whole database goes through the share.
    let done = p.guided("Start-LgFailover", json!({}), "done").await?;
    ensure!(done.to_string().contains("the whole of it was shipped and applied instead"), "{done}");
    p.uses(BACKUP, "FailedOver", 2).await?;
    p.shipped(PRIMARY).await?;
    // Without the share posts go on, and it is said that nothing protects them.
    let (share, away) = (p.share.path().join("log-shipping"), p.share.path().join("away"));
    std::fs::rename(&share, &away)?;
    std::fs::write(&share, "")?;
    p.post(&["three"]).await?;
    wait::until("the share to be missed", async || {
        let d = p.detail().await?;
        ensure!(d["shipping"]["problem"].is_string(), "{}", d["shipping"]);
        Ok(())
    })
    .await?;
    std::fs::remove_file(&share)?;
    std::fs::rename(&away, &share)?;
    let d = p.shipped(PRIMARY).await?;
    ensure!(d["summary"]["databases"][1]["messages"] == 3, "{d}");
    // Publishing asks each owner whether it reaches the share.
    std::fs::rename(p.share.path(), p.share.path().with_extension("gone"))?;
    let rehearsed = run(&p.s.client, "Test-CsTopology", json!({})).await?;
    ensure!(rehearsed.to_string().contains("there is no folder"), "{rehearsed}");
    std::fs::rename(p.share.path().with_extension("gone"), p.share.path())?;
    let rehearsed = run(&p.s.client, "Test-CsTopology", json!({})).await?.to_string();
    ensure!(rehearsed.contains("on node n1: read, write, modify"), "{rehearsed}");
    Ok(())
}
