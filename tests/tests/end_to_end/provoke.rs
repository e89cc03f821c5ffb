//! Failures of a test message that are provoked for real: processes that are stopped, servers that are down,
//! a database that somebody holds. Rooms for tests, preconditions, maintenance windows.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{Sample, refused, run};

const POOL: &str = "atl-cs-001.litwareinc.com";

fn cause(t: &Value) -> &str {
    t["report"]["diagnosis"]["cause"].as_str().unwrap_or("none")
}

fn signal(pid: u32, name: &str) -> Result<()> {
    ensure!(Command::new("kill").args([name, &pid.to_string()]).status()?.success(), "kill {name}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_deployment_is_not_trusted_and_a_stopped_process_does_not_answer() -> Result<()> {
    let (s, other) = (Sample::start().await?, Sample::start().await?);
    let (_, overview) = other.client.get("/api/v1/overview").await?;
    let listens = overview["front_ends"][0]["listens"][0].as_str().context("no listener")?.to_owned();
    let ip = listens.rsplit_once(':').context("no port")?.0;
    let args = json!({ "TargetFqdn": ip, "TimeoutSeconds": 1 });
    let t = s.test(&s.users[0], &s.users[1], args.clone()).await?;
    ensure!(cause(&t) == "tls_untrusted", "{t}");
    signal(other.server.id(), "-STOP")?;
    let t = s.test(&s.users[0], &s.users[1], args).await;
    signal(other.server.id(), "-CONT")?;
    let t = t?;
    // The kernel still takes connections; nobody speaks on them.
    ensure!(cause(&t) == "no_answer", "{t}");
    ensure!(t["report"]["diagnosis"]["text"].as_str().is_some_and(|d| d.contains("stays silent")), "{t}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_down_and_a_database_that_is_held() -> Result<()> {
    let s = Sample::start().await?;
    let (a, b) = (&s.users[0], &s.users[1]);
    // Somebody holds the database: the post cannot be written.
    let file = s.server.data_dir().join("sql/atl-sql-001.litwareinc.com/MSSQLSERVER/mgc.db");
    let db = rusqlite::Connection::open(file)?;
    db.execute_batch("BEGIN IMMEDIATE")?;
    let t = s.test(a, b, json!({ "TimeoutSeconds": 1 })).await?;
    let at = t["report"]["steps"].as_array().and_then(|l| l.iter().find(|s| s["ok"] == false)).cloned();
    ensure!(["timeout", "pool_unavailable", "message_lost"].contains(&cause(&t)), "{t}");
    ensure!(at.is_some_and(|a| a["phase"] == "send" || a["phase"] == "receive"), "{t}");
    db.execute_batch("ROLLBACK")?;
    drop(db);
    let t = s.test(a, b, json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "it goes on afterwards: {t}");

    // No active server of the pool runs.
    let (_, p) = s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
    let servers = p["summary"]["servers"].as_array().context("no servers")?.clone();
    let names: Vec<&str> = servers.iter().filter_map(|s| s["report"]["fqdn"].as_str()).collect();
    for n in &names {
        run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": n })).await?;
    }
    let t = s.test(a, b, json!({ "TimeoutSeconds": 2 })).await?;
    ensure!(cause(&t) == "pool_unavailable", "{t}");
    let pre = json!({ "TargetFqdn": POOL, "SenderSipAddress": a.sip, "ReceiverSipAddress": b.sip });
    let found = run(&s.client, "Test-LgPrecondition", pre.clone()).await?;
    let line = found["output"].as_array().and_then(|l| l.iter().find(|c| c["Check"] == "Pool")).cloned();
    ensure!(line.is_some_and(|l| l["Result"] == "Failure"), "{found}");
    for n in &names {
        run(&s.client, "Start-CsWindowsService", json!({ "ComputerName": n })).await?;
    }

    // The next hop is down.
    let (_, overview) = s.client.get("/api/v1/overview").await?;
    for f in overview["front_ends"].as_array().context("no Front Ends")? {
        run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": f["fqdn"] })).await?;
    }
    let t = s.test(a, b, json!({ "TimeoutSeconds": 2 })).await?;
    ensure!(cause(&t) == "nothing_listening", "{t}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_for_tests_is_made_used_and_removed_and_preconditions_are_said() -> Result<()> {
    let s = Sample::start().await?;
    let (a, b, guest) = (&s.users[0], &s.users[1], &s.users[2]);
    let pre = async |sender: &str| -> Result<Vec<Value>> {
        let args = json!({ "TargetFqdn": POOL, "SenderSipAddress": sender, "ReceiverSipAddress": b.sip });
        let found = run(&s.client, "Test-LgPrecondition", args).await?;
        found["output"].as_array().cloned().context("no list")
    };
    let result = |l: &[Value], what: &str| {
        l.iter().find(|c| c["Check"] == what).map(|c| c["Result"].as_str().unwrap_or_default().to_owned())
    };
    let good = pre(&a.sip).await?;
    ensure!(good.len() == 5 && good.iter().all(|c| c["Result"] == "Success"), "{good:?}");
    let bad = pre(&guest.sip).await?;
    ensure!(result(&bad, "Sender").as_deref() == Some("Failure"), "{bad:?}");
    let unknown = pre("sip:nobody@elsewhere.com").await?;
    ensure!(result(&unknown, "Sender").as_deref() == Some("Unknown"), "{unknown:?}");

    let setup = |more: Value| {
        let mut args = json!({ "TargetFqdn": POOL, "Setup": true, "TestUser1SipAddress": a.sip });
        if let (Some(args), Some(more)) = (args.as_object_mut(), more.as_object()) {
            args.extend(more.clone());
        }
        args
    };
    let e = refused(&s.client, "Test-CsPersistentChatMessage", setup(json!({})), 400).await?;
    ensure!(e["field"] == "TestUser2SipAddress", "{e}");
    let both = setup(json!({ "TestUser2SipAddress": b.sip }));
    for _ in 0..2 {
        // The second time changes nothing.
        let made = run(&s.client, "Test-CsPersistentChatMessage", both.clone()).await?;
        ensure!(
            made["job"].is_null()
                && made["output"][0]["Identity"] == format!("{POOL}\\Test of pilar and kenmyer"),
            "{made}"
        );
    }
    let rooms = run(&s.client, "Get-LgTestRoom", json!({})).await?;
    ensure!(rooms["output"].as_array().is_some_and(|l| l.len() == 1), "{rooms}");
    let t = s.test(a, b, json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
    ensure!(t["report"]["steps"].to_string().contains("joined Test of pilar and kenmyer"), "{t}");
    let room = pre(&a.sip).await?;
    ensure!(room.iter().any(|c| c["Text"].as_str().is_some_and(|t| t.contains("test room"))), "{room:?}");
    run(&s.client, "Remove-LgTestRoom", json!({})).await?;
    refused(&s.client, "Remove-LgTestRoom", json!({}), 404).await?;
    let (_, categories) = s.client.get("/api/v1/categories").await?;
    ensure!(!categories.to_string().contains("Test messages"), "{categories}");

    for (kind, words) in
        [("ClientCertificate", "TLS-DSK"), ("LiveID", "hosted"), ("TrustedServer", "--test-certificate")]
    {
        let args = json!({ "TargetFqdn": POOL, "Authentication": kind });
        let e = refused(&s.client, "Test-CsPersistentChatMessage", args, 400).await?;
        ensure!(e["message"].as_str().is_some_and(|m| m.contains(words)), "{e}");
    }
    // Stored test users stand in for credentials that are left out.
    for u in [a, b] {
        let args = json!({ "SipAddress": u.sip, "UserName": u.logon, "Password": u.password });
        run(&s.client, "Set-CsTestUserCredential", args).await?;
    }
    let started = run(&s.client, "Test-CsPersistentChatMessage", json!({ "TargetFqdn": POOL })).await?;
    let id = started["job"].as_str().context("no run")?.to_owned();
    lifeguard_tests::wait::until("the end", async || {
        let (_, t) = s.client.get(&format!("/api/v1/tests/{id}")).await?;
        ensure!(t["summary"]["state"] == "success", "{t}");
        Ok(())
    })
    .await?;

    // In a maintenance window nothing runs, and nobody is alerted.
    let watch = json!({ "TargetFqdn": POOL, "PortNumber": 5061, "TestUsers": { "Replace": [a.sip, b.sip] },
        "Cron": "* * * * *", "JitterSeconds": 5, "MaintenanceWindows": { "Replace": ["daily 00:00-12:00", "daily 12:00-24:00"] } });
    run(&s.client, "New-CsWatcherNodeConfiguration", watch).await?;
    let w = run(&s.client, "Get-CsWatcherNodeConfiguration", json!({})).await?;
    let words = w["output"][0]["Schedule"].as_str().unwrap_or_default();
    ensure!(
        words
            == "at * * * * * (UTC), up to 5 s later; not in maintenance (daily 00:00-12:00, daily 12:00-24:00 UTC)",
        "{words}"
    );
    let (_, alerts) = s.client.get("/api/v1/alerts").await?;
    let muted =
        |subject: &str| alerts["muted"].as_array().is_some_and(|l| l.iter().any(|m| m["subject"] == subject));
    ensure!(muted(POOL) && muted("gc-001.litwareinc.com"), "{alerts}");
    ensure!(alerts.to_string().contains("the maintenance window of"), "{alerts}");
    let bad = json!({ "Identity": POOL, "Cron": "61 * * * *" });
    let e = refused(&s.client, "Set-CsWatcherNodeConfiguration", bad, 400).await?;
    ensure!(e["field"] == "Cron", "{e}");
    let bad = json!({ "Identity": POOL, "MaintenanceWindows": { "Add": ["always"] } });
    let e = refused(&s.client, "Set-CsWatcherNodeConfiguration", bad, 400).await?;
    ensure!(e["field"] == "MaintenanceWindows", "{e}");
    Ok(())
}
