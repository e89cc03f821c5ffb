//! Test messages that a node sends from its own place; while it is away they are missed, not sent elsewhere.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Node, wait};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::causes::{front_end, good, is};
use crate::node::{address, portal, token};
use crate::support::{Sample, refused, run};
use crate::trusted::Foreign;

const TARGET: &str = "atl-fe-001.litwareinc.com";

async fn with_node() -> Result<(Sample, Node)> {
    let (s, portal) = portal().await?;
    let node = Node::join(&portal, &token(&s, "n1").await?, &address()).await?;
    node.line("connected portal=").await?;
    Ok((s, node))
}

/// The process that has the other end of a loopback connection from this port.
fn has_port(pid: u32, port: u16) -> Result<bool> {
    let table = std::fs::read_to_string("/proc/net/tcp")?;
    let of = |l: &&str| l.split_whitespace().nth(1).is_some_and(|a| a.ends_with(&format!(":{port:04X}")));
    let inode = table.lines().find(of).and_then(|l| l.split_whitespace().nth(9)).context("no such port")?;
    let wanted = format!("socket:[{inode}]");
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd"))?.flatten();
    Ok(fds.filter_map(|f| std::fs::read_link(f.path()).ok()).any(|l| l.to_string_lossy() == wanted))
}

/// Begins a test message from the node to a registrar that says nothing; its id.
async fn hanging(s: &Sample, l: &TcpListener) -> Result<String> {
    let (a, b) = (&s.users[0], &s.users[1]);
    let at = l.local_addr()?;
    let args = json!({
        "TargetFqdn": at.ip().to_string(), "RegistrarPort": at.port(), "TimeoutSeconds": 100, "Node": "n1",
        "SenderSipAddress": a.sip, "SenderCredential": { "UserName": a.logon, "Password": a.password },
        "ReceiverSipAddress": b.sip, "ReceiverCredential": { "UserName": b.logon, "Password": b.password },
    });
    let started = run(&s.client, "Test-CsPersistentChatMessage", args).await?;
    Ok(started["job"].as_str().context("no run")?.to_owned())
}

async fn ended(s: &Sample, id: &str) -> Result<Value> {
    wait::until("the test message's end", async || {
        let (_, t) = s.client.get(&format!("/api/v1/tests/{id}")).await?;
        ensure!(t["summary"]["state"] != "running", "{t}");
        Ok(t)
    })
    .await
}

/// The watcher's next run is due now.
fn due(s: &Sample) -> Result<()> {
    let db = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    db.busy_timeout(Duration::from_secs(10))?;
    db.execute("UPDATE watcher SET next_run = next_run - 3600000", [])?;
    Ok(())
}

async fn watcher(s: &Sample, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
    wait::until(what, async || {
        let (_, w) = s.client.get("/api/v1/watch").await?;
        ensure!(is_so(&w["watchers"][0]), "{w}");
        Ok(w["watchers"][0].clone())
    })
    .await
}

/// Whether a text stands in a file of the node.
fn on_disk(node: &Node, text: &str) -> Result<bool> {
    for f in std::fs::read_dir(node.data_dir())?.flatten().filter(|f| f.path().is_file()) {
        let bytes = std::fs::read(f.path())?;
        if bytes.windows(text.len()).any(|w| w == text.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_sends_a_test_message_and_it_is_stopped_and_lost_like_any_other() -> Result<()> {
    let (s, mut node) = with_node().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    let from = json!({ "Node": "N1" });
    let t = s.test(a, b, from.clone()).await?;
    good(&t)?;
    ensure!(t["summary"]["node"] == "n1" && t["steps"].as_array().is_some_and(|l| l.len() > 20), "{t}");
    let id = t["summary"]["id"].as_str().context("no id")?;
    let (_, text) = s.client.get(&format!("/api/v1/tests/{id}/messages.txt")).await?;
    ensure!(text.as_str().is_some_and(|t| t.contains("cmd:join") && !t.contains(&a.password)), "{text}");
    ensure!(!on_disk(&node, &a.password)? && !node.printed().contains(&a.password), "a password was kept");
    let wrong = json!({ "Node": "n1", "SenderCredential": { "UserName": a.logon, "Password": "wrong" } });
    is(&s.test(a, b, wrong).await?, "wrong_password", "was refused by")?;

    // What is trusted at the portal is trusted there.
    let theirs = Foreign::new()?;
    let mut plain = front_end(&s).await?;
    plain.set_port(5060);
    let port = theirs.before("127.77.0.18", plain).await?;
    let there = json!({ "Node": "n1", "TargetFqdn": "127.77.0.18", "RegistrarPort": port });
    is(&s.test(a, b, there.clone()).await?, "tls_untrusted", "")?;
    run(&s.client, "New-LgTrustedCertificate", json!({ "Name": "F", "Certificate": theirs.pem })).await?;
    good(&s.test(a, b, there).await?)?;

    // It is really the node that connects; a run is stopped there.
    let l = TcpListener::bind("127.77.0.19:0").await?;
    let id = hanging(&s, &l).await?;
    let (_one, peer) = l.accept().await?;
    let (_two, _) = l.accept().await?;
    ensure!(has_port(node.id(), peer.port())? && !has_port(s.server.id(), peer.port())?, "{peer}");
    run(&s.client, "Stop-LgTestMessage", json!({ "Identity": id })).await?;
    let t = ended(&s, &id).await?;
    ensure!(t["summary"]["state"] == "cancelled" && t["summary"]["node"] == "n1", "{t}");

    // The node dies within a run.
    let id = hanging(&s, &l).await?;
    let (_three, _) = l.accept().await?;
    node.kill9();
    let t = ended(&s, &id).await?;
    ensure!(t["summary"]["state"] == "missed", "{t}");
    ensure!(t["summary"]["verdict"] == "Missed – The connection to node n1 ended during the run.", "{t}");
    // Nobody sends it from elsewhere.
    let args = json!({ "TargetFqdn": TARGET, "Node": "n1", "SenderSipAddress": a.sip, "ReceiverSipAddress": b.sip,
        "SenderCredential": { "UserName": a.logon, "Password": a.password },
        "ReceiverCredential": { "UserName": b.logon, "Password": b.password } });
    let e = refused(&s.client, "Test-CsPersistentChatMessage", args, 503).await?;
    ensure!(e["field"] == "Node" && e["message"].to_string().contains("Node n1 does not answer"), "{e}");
    let (_, h) = s.client.get("/api/v1/test-history?result=missed").await?;
    ensure!(h["total"] == 1 && h["rows"][0]["node"] == "n1", "{h}");
    // It says nothing about any pool.
    let (_, p) = s.client.get("/api/v1/pools/atl-cs-001.litwareinc.com").await?;
    ensure!(p["summary"]["last_test"]["state"] != "missed", "{p}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_on_a_node_misses_what_its_node_is_away_for() -> Result<()> {
    let (s, mut node) = with_node().await?;
    for u in &s.users[..2] {
        let args = json!({ "SipAddress": u.sip, "UserName": u.logon, "Password": u.password });
        run(&s.client, "Set-CsTestUserCredential", args).await?;
    }
    let watch = |node: &str| {
        json!({ "TargetFqdn": TARGET, "PortNumber": 5061, "EveryMinutes": 60, "Node": node,
            "TestUsers": { "Replace": [s.users[0].sip, s.users[1].sip] } })
    };
    let e = refused(&s.client, "New-CsWatcherNodeConfiguration", watch("n7"), 400).await?;
    ensure!(e["field"] == "Node" && e["message"].to_string().contains("There is no node n7"), "{e}");
    run(&s.client, "New-CsWatcherNodeConfiguration", watch("n1")).await?;
    due(&s)?;
    let w = watcher(&s, "the run from the node", |w| w["last"]["state"] == "success").await?;
    ensure!(w["last"]["node"] == "n1" && w["schedule"] == "every 60 minutes; from node n1", "{w}");
    let checked = run(&s.client, "Test-CsWatcherNodeConfiguration", json!({})).await?;
    ensure!(checked["output"][0]["Result"] == "Success", "{checked}");

    node.kill9();
    wait::until("the node to be missed", async || {
        let checked = run(&s.client, "Test-CsWatcherNodeConfiguration", json!({})).await?;
        ensure!(
            checked["output"][0]["Text"].as_str().is_some_and(|t| t.starts_with("Node n1 does not answer")),
            "{checked}"
        );
        Ok(())
    })
    .await?;
    due(&s)?;
    let w = watcher(&s, "the missed run", |w| w["missed"] == 1).await?;
    ensure!(w["last"]["state"] == "missed" && w["failures"] == 0, "{w}");
    ensure!(
        w["last"]["verdict"]
            .as_str()
            .is_some_and(|v| v.starts_with("Missed – Node n1 does not answer since")),
        "{w}"
    );
    let (_, h) = s.client.get("/api/v1/test-history?actor=watcher").await?;
    ensure!(h["total"] == 2 && h["failed"] == 0, "nothing was sent from elsewhere: {h}");

    let (_, overview) = s.client.get("/api/v1/overview").await?;
    let told =
        "The scheduled test message to atl-fe-001.litwareinc.com was not sent: Node n1 does not answer since";
    ensure!(overview["problems"].to_string().contains(told), "{}", overview["problems"]);

    let b = Browser::start().await?;
    crate::page::sign_in(&b, &s).await?;
    b.goto(&format!("{}/", s.server.url())).await?;
    b.wait_text("was not sent: Node n1 does not answer since").await?;
    // The name of what is wrong leads to the run.
    let click = "document.querySelector('a.live-problem-subject[href^=\"/test-message/\"]').click()";
    b.script(click, vec![]).await?;
    b.wait_text("Missed – Node n1 does not answer since").await?;
    b.screenshot("test-missed").await?;
    b.goto(&format!("{}/test-message", s.server.url())).await?;
    for text in
        ["from node n1", "1 missed while the portal or the node was away", "Missed", "watcher, from node n1"]
    {
        b.wait_text(text).await?;
    }
    b.script("document.querySelectorAll('details.card').forEach(d => d.open = true)", vec![]).await?;
    b.wait_text("Sent from").await?;
    b.assert_accessible("a watcher on a node").await?;
    b.screenshot("watch-from-a-node").await?;
    b.dark().await?;
    b.size(390, 900).await?;
    b.script("document.querySelector('.data-table, table').scrollIntoView()", vec![]).await?;
    let wide = b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
    ensure!(wide == json!(false), "it scrolls sideways");
    b.screenshot("watch-from-a-node-dark-narrow").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);

    let plan = s.client.cmdlet("Remove-LgNode", json!({ "Identity": "n1" }), "what_if").await?.1;
    ensure!(
        plan["plan"]["sentences"].to_string().contains("the watcher of atl-fe-001.litwareinc.com"),
        "{plan}"
    );

    // The node comes back while a run is due: it is waited for.
    due(&s)?;
    node.restart().await?;
    watcher(&s, "the run after its return", |w| w["last"]["state"] == "success").await?;
    let (_, overview) = s.client.get("/api/v1/overview").await?;
    ensure!(!overview["problems"].to_string().contains("was not sent"), "{}", overview["problems"]);
    // And the portal may take over when it is told to.
    run(&s.client, "Set-CsWatcherNodeConfiguration", json!({ "Identity": TARGET, "Node": "" })).await?;
    due(&s)?;
    watcher(&s, "the run from the portal", |w| {
        w["last"]["state"] == "success" && w["last"]["node"].is_null()
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shared_page_draws_the_last_test_messages() -> Result<()> {
    let s = Sample::start().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    good(&s.test(a, b, json!({})).await?)?;
    s.test(a, b, json!({ "ChatRoomUri": "No such room" })).await?;
    good(&s.test(a, b, json!({})).await?)?;
    let link = async |level: &str| -> Result<String> {
        let made = run(&s.client, "New-LgShare", json!({ "Label": level, "Level": level })).await?;
        Ok(made["output"][0]["Link"].as_str().context("no link")?.to_owned())
    };
    let page = async |link: &str| -> Result<String> { Ok(reqwest::get(link).await?.text().await?) };
    let (servers, state) = (link("Servers").await?, link("State").await?);
    let text = page(&servers).await?;
    ensure!(text.contains("<title>The last 3 test messages: 1 failed, latency at most "), "{text}");
    ensure!(text.len() < 20_000, "{} bytes", text.len());
    let text = page(&state).await?;
    ensure!(!text.contains("<svg") && !text.contains("latency"), "{text}");
    let browser = Browser::start().await?;
    browser.goto(&servers).await?;
    browser.wait_text("Last test message: Success").await?;
    browser.assert_accessible("the shared page").await?;
    browser.screenshot("shared-sparkline").await?;
    browser.dark().await?;
    browser.size(390, 844).await?;
    browser.screenshot("shared-sparkline-dark-narrow").await?;
    ensure!(browser.console_errors().await?.is_empty(), "{:?}", browser.console_errors().await?);
    Ok(())
}
