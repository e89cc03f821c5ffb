//! Test messages as a thing to look back at: what went over the wire, stopping one, the history.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, wait};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{PASSWORD, Sample, refused, run};

/// A registrar that takes connections and says nothing.
async fn silent(at: &str) -> Result<u16> {
    let l = TcpListener::bind(at).await?;
    let port = l.local_addr()?.port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((c, _)) = l.accept().await {
            kept.push(c);
        }
    });
    Ok(port)
}

async fn ended(s: &Sample, id: &str) -> Result<Value> {
    wait::until("the test message's end", async || {
        let (_, t) = s.client.get(&format!("/api/v1/tests/{id}")).await?;
        ensure!(t["summary"]["state"] != "running", "{t}");
        Ok(t)
    })
    .await
}

/// Starts a test message that hangs; its id.
async fn hanging(s: &Sample, port: u16) -> Result<String> {
    let (a, b) = (&s.users[0], &s.users[1]);
    let args = json!({
        "TargetFqdn": "127.77.0.10", "RegistrarPort": port, "TimeoutSeconds": 100,
        "SenderSipAddress": a.sip, "SenderCredential": { "UserName": a.logon, "Password": a.password },
        "ReceiverSipAddress": b.sip, "ReceiverCredential": { "UserName": b.logon, "Password": b.password },
    });
    let started = run(&s.client, "Test-CsPersistentChatMessage", args).await?;
    Ok(started["job"].as_str().context("no run")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_that_runs_is_stopped_and_kept_as_cancelled() -> Result<()> {
    let s = Sample::start().await?;
    let port = silent("127.77.0.10:0").await?;
    let id = hanging(&s, port).await?;
    let (_, early) = s.client.get(&format!("/api/v1/tests/{id}/messages")).await?;
    ensure!(
        early["message"].as_str().is_some_and(|m| m.contains("when the test message has ended")),
        "{early}"
    );
    run(&s.client, "Stop-LgTestMessage", json!({ "Identity": id })).await?;
    let t = ended(&s, &id).await?;
    ensure!(t["summary"]["state"] == "cancelled", "{t}");
    ensure!(t["report"]["diagnosis"]["cause"] == "cancelled", "{t}");
    ensure!(t["summary"]["verdict"].as_str().is_some_and(|v| v.starts_with("Cancelled – ")), "{t}");
    refused(&s.client, "Stop-LgTestMessage", json!({ "Identity": id }), 409).await?;
    refused(&s.client, "Stop-LgTestMessage", json!({ "Identity": "0199" }), 404).await?;
    // It says nothing about any pool: no problem, and not in the numbers.
    let (_, overview) = s.client.get("/api/v1/overview").await?;
    ensure!(!overview["problems"].to_string().contains("test message"), "{overview}");
    let (_, h) = s.client.get("/api/v1/test-history?result=cancelled").await?;
    ensure!(h["total"] == 1 && h["failed"] == 0 && h["measured"] == 0 && h["rows"][0]["id"] == id, "{h}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_are_kept_without_secrets_and_the_history_is_filtered() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken) = (&s.users[0], &s.users[1]);
    let good = s.test(pilar, ken, json!({})).await?;
    let wrong = json!({ "SenderCredential": { "UserName": pilar.logon, "Password": "not the password" } });
    let bad = s.test(pilar, ken, wrong).await?;
    ensure!(good["summary"]["state"] == "success" && bad["summary"]["state"] == "failure", "{bad}");
    let id = good["summary"]["id"].as_str().context("no id")?;
    let (status, text) = s.client.get(&format!("/api/v1/tests/{id}/messages.txt")).await?;
    let text = text.as_str().context("no text")?.to_owned();
    ensure!(status == 200 && text.contains("sent by sip:pilar@litwareinc.com\nREGISTER "), "{text}");
    for wanted in ["INVITE ", "cmd:join", "SIP/2.0 200 OK", "received by sip:kenmyer@litwareinc.com", "BYE "]
    {
        ensure!(text.contains(wanted), "{wanted}: {text}");
    }
    ensure!(text.contains("response=\"(blanked)\"") && !text.contains(&pilar.password), "{text}");
    let traced = run(&s.client, "Get-LgTestTrace", json!({ "Identity": id })).await?;
    ensure!(
        traced["output"].as_array().is_some_and(|l| l.len() > 30 && l[0]["Direction"] == "sent"),
        "{traced}"
    );

    let get = async |q: &str| -> Result<Value> {
        let (status, h) = s.client.get(&format!("/api/v1/test-history?{q}")).await?;
        ensure!(status == 200, "{h}");
        Ok(h)
    };
    let all = get("limit=1").await?;
    ensure!(all["total"] == 2 && all["succeeded"] == 1 && all["failed"] == 1, "{all}");
    ensure!(all["rows"].as_array().is_some_and(|r| r.len() == 1 && r[0]["state"] == "failure"), "{all}");
    ensure!(all["causes"] == json!(["wrong_password"]) && all["actors"] == json!(["root"]), "{all}");
    let phases = all["phases"].as_array().context("no phases")?;
    ensure!(phases.len() == 13 && phases[12]["phase"].is_null() && phases[12]["count"] == 1, "{phases:?}");
    ensure!(phases[1]["phase"] == "connect" && phases[1]["count"] == 2, "{phases:?}");
    ensure!(get("skip=1").await?["rows"][0]["id"] == id);
    ensure!(get("cause=wrong_password").await?["total"] == 1);
    ensure!(get("pool=ATL-cs-001.litwareinc.com&result=success").await?["rows"][0]["id"] == id);
    ensure!(get("pool=atl-gc-001.litwareinc.com").await?["total"] == 0);
    ensure!(get("actor=watcher").await?["total"] == 0 && get("to=2020-01-01").await?["total"] == 0);
    let (status, e) = s.client.get("/api/v1/test-history?from=soon").await?;
    ensure!(status == 400 && e["field"] == "from", "{e}");
    let (_, csv) = s.client.get("/api/v1/test-history/export?result=failure").await?;
    let csv = csv.as_str().context("no text")?.to_owned();
    ensure!(csv.starts_with("id,started,target,pool,result,") && csv.lines().count() == 2, "{csv}");
    let (_, list) = s.client.get("/api/v1/test-history/export?format=json").await?;
    ensure!(list.as_array().is_some_and(|l| l.len() == 2), "{list}");
    let rows = run(&s.client, "Get-LgTestHistory", json!({ "Result": "failure" })).await?;
    ensure!(rows["output"].as_array().is_some_and(|l| l.len() == 1 && l[0]["StartedBy"] == "root"), "{rows}");
    let (_, pool) = s.client.get("/api/v1/pools/atl-cs-001.litwareinc.com").await?;
    let line = pool["summary"]["recent_us"].as_array().context("no line")?;
    ensure!(line.len() == 2 && line[0].as_u64().is_some_and(|n| n > 0) && line[1].is_null(), "{line:?}");

    // What is older than it is kept is deleted, with its messages.
    let db = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    db.execute("UPDATE test_fact SET started = started - 864000000 WHERE id = ?1", [id])?;
    let plan = s.client.cmdlet("Set-LgTestHistory", json!({ "KeepDays": 7 }), "what_if").await?.1;
    ensure!(plan["plan"]["sentences"].to_string().contains("1 older ones are deleted"), "{plan}");
    run(&s.client, "Set-LgTestHistory", json!({ "KeepDays": 7 })).await?;
    ensure!(get("").await?["total"] == 1 && get("").await?["keep_days"] == 7);
    let (status, _) = s.client.get(&format!("/api/v1/tests/{id}")).await?;
    ensure!(status == 404);
    let left: i64 = db.query_row("SELECT count(*) FROM test_trace", [], |r| r.get(0))?;
    ensure!(left == 1, "{left} traces are left");
    refused(&s.client, "Set-LgTestHistory", json!({ "KeepDays": 9999 }), 400).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_messages_history_and_stops_a_run() -> Result<()> {
    let s = Sample::start().await?;
    let mut last = String::new();
    for i in 0..6 {
        let more = if i == 3 { json!({ "ChatRoomUri": "No such room" }) } else { json!({}) };
        let t = s.test(&s.users[0], &s.users[1], more).await?;
        last = t["summary"]["id"].as_str().context("no id")?.to_owned();
    }
    let b = Browser::start().await?;
    b.goto(&format!("{}/login", s.server.url())).await?;
    b.fill("Log-on name", "root").await?;
    b.fill("Password", PASSWORD).await?;
    b.click_button("Sign in").await?;
    b.wait_text("Pools").await?;
    b.goto(&format!("{}/test-message/{last}", s.server.url())).await?;
    b.click_button("Show the messages").await?;
    b.wait_text("Save the messages as text").await?;
    wait::until("a message in the list", async || {
        let open = "const m = document.querySelector('.message'); if (m) m.open = true; return !!m;";
        ensure!(b.script(open, vec![]).await? == json!(true), "there is none yet");
        Ok(())
    })
    .await?;
    b.wait_text("User-Agent: Lifeguard test").await?;
    b.assert_accessible("messages").await?;
    for (name, width) in [("messages", 1280), ("messages-narrow", 390)] {
        b.size(width, 900).await?;
        b.script("document.querySelector('.messages').scrollIntoView()", vec![]).await?;
        b.screenshot(&format!("test-{name}")).await?;
    }
    b.size(1280, 900).await?;
    b.goto(&format!("{}/test-message?result=failure", s.server.url())).await?;
    b.wait_text("1 to 1 of 1").await?;
    b.goto(&format!("{}/test-message", s.server.url())).await?;
    b.wait_text("1 to 6 of 6").await?;
    b.wait_text("83.3 %").await?;
    b.script("document.querySelectorAll('details').forEach(d => d.open = true)", vec![]).await?;
    b.wait_text("Latency: first send to second receipt").await?;
    b.assert_accessible("history").await?;
    for (name, width) in [("history", 1280), ("history-narrow", 390)] {
        b.size(width, 1400).await?;
        b.script("document.querySelector('.history-filters').scrollIntoView()", vec![]).await?;
        let wide =
            b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
        ensure!(wide == json!(false), "{name} scrolls sideways");
        b.screenshot(&format!("test-{name}")).await?;
    }
    b.dark().await?;
    b.size(1280, 1400).await?;
    b.goto(&format!("{}/test-message", s.server.url())).await?;
    b.wait_text("1 to 6 of 6").await?;
    b.assert_accessible("history, dark").await?;
    b.script("document.querySelector('.history-filters').scrollIntoView()", vec![]).await?;
    b.screenshot("test-history-dark").await?;
    b.fill("Target FQDN", "atl-cs-001.litwareinc.com").await?;
    b.fill("Sender SIP address", &s.users[2].sip).await?;
    b.fill("Receiver SIP address", &s.users[1].sip).await?;
    b.click_button("Check before sending").await?;
    b.wait_text("may not use Persistent Chat").await?;
    b.wait_text("is served by").await?;
    b.script("document.querySelectorAll('details').forEach(d => d.open = true)", vec![]).await?;
    b.assert_accessible("preconditions").await?;
    for (name, width) in [("precheck-dark", 1280), ("precheck-dark-narrow", 390)] {
        b.size(width, 900).await?;
        b.script("document.querySelector('.checks').scrollIntoView({ block: 'center' })", vec![]).await?;
        b.screenshot(&format!("test-{name}")).await?;
    }
    b.size(1280, 900).await?;
    let port = silent("127.77.0.10:0").await?;
    let id = hanging(&s, port).await?;
    b.goto(&format!("{}/test-message/{id}", s.server.url())).await?;
    b.click_button("Stop this test message").await?;
    b.wait_text("Cancelled – ").await?;
    b.wait_no_text("Stop this test message").await?;
    b.goto(&format!("{}/", s.server.url())).await?;
    b.wait_text("atl-persistentchat-001").await?;
    b.screenshot("overview-sparkline-dark").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}
