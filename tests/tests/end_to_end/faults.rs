//! Promises of reliability: the real process is killed, and everything acknowledged is still there.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Options, Server, target_dir, wait};
use serde_json::json;

use crate::support::{PASSWORD, Sample, run};

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_no_acknowledged_change_and_no_message() -> Result<()> {
    let mut s = Sample::start().await?;
    let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{t}");
    run(
        &s.client,
        "New-CsPersistentChatEndpoint",
        json!({ "SipAddress": "sip:pc@contoso.com", "PersistentChatPoolFqdn": "atl-gc-001.litwareinc.com" }),
    )
    .await?;
    run(
        &s.client,
        "Set-CsPersistentChatState",
        json!({ "Identity": "atl-gc-001.litwareinc.com", "PoolState": "FailedOver" }),
    )
    .await?;
    run(
        &s.client,
        "New-CsPersistentChatCategory",
        json!({ "Name": "Kept", "PersistentChatPoolFqdn": "atl-cs-001.litwareinc.com" }),
    )
    .await?;
    s.server.kill9();
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    let (_, e) = s.client.get("/api/v1/endpoints").await?;
    ensure!(e[0]["sip_address"] == "sip:pc@contoso.com", "{e}");
    let (_, categories) = s.client.get("/api/v1/categories").await?;
    ensure!(categories.to_string().contains("Kept"));
    let (_, p) = s.client.get("/api/v1/pools/atl-gc-001.litwareinc.com").await?;
    ensure!(p["summary"]["state"] == "FailedOver" && p["summary"]["converged"] == true, "{p}");
    let (_, p) = s.client.get("/api/v1/pools/atl-cs-001.litwareinc.com").await?;
    ensure!(p["summary"]["databases"][0]["messages"] == 2, "{p}");
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    ensure!(
        audit.as_array().is_some_and(|a| a.iter().all(|r| r["outcome"] != "opened")),
        "no act stays open: {audit}"
    );
    wait::until("a test message after the restart", async || {
        let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_after_kill_9() -> Result<()> {
    let mut server = Server::start(Options::default()).await?;
    let (client, answer) = crate::support::admin(&server, "litware").await?;
    let id = answer["job"].as_str().context("no job")?.to_owned();
    server.kill9();
    server.restart().await?;
    client.login("root", PASSWORD).await?;
    crate::support::job(&client, &id, "done").await?;
    let (_, pools) = client.get("/api/v1/pools").await?;
    ensure!(
        pools.as_array().is_some_and(|p| p.len() == 4 && p.iter().all(|p| p["converged"] == true)),
        "{pools}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_has_one_owner_and_two_portals_run_side_by_side() -> Result<()> {
    let (mut a, b) = (Sample::start().await?, Sample::start().await?);
    for s in [&a, &b] {
        let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
    }
    let bin =
        std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into);
    let second = Command::new(bin)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(a.server.data_dir())
        .output()?;
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    ensure!(!second.status.success() && text.contains("is in use by another lifeguard"), "{text}");

    // While one is down, another takes its loopback addresses: it comes back with others.
    let block = |s: &Sample| {
        let c = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
        let sql = "SELECT value FROM setting WHERE key = 'loopback.block'";
        Ok::<_, anyhow::Error>(c.query_row(sql, [], |r| r.get::<_, String>(0))?.parse::<u8>()?)
    };
    a.server.stop().await?;
    let before = block(&a)?;
    let _taken = std::net::TcpListener::bind((std::net::Ipv4Addr::new(127, before, 255, 254), 7447))?;
    a.server.restart().await?;
    ensure!(block(&a)? != before, "it took the addresses of another one");
    a.client.login("root", PASSWORD).await?;
    wait::until("a test message at the new addresses", async || {
        let t = a.test(&a.users[0], &a.users[1], json!({})).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_running_restores_everything() -> Result<()> {
    let s = Sample::start().await?;
    let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{t}");
    let bin = std::env::var_os("LIFEGUARD_BIN")
        .map_or_else(|| target_dir().join("debug/lifeguard"), std::path::PathBuf::from);
    let place = tempfile::tempdir()?;
    let file = place.path().join("backup.tar");
    let made =
        Command::new(&bin).arg("backup").arg(&file).arg("--data-dir").arg(s.server.data_dir()).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let data = place.path().join("restored");
    let restored = Command::new(&bin).arg("restore").arg(&file).arg("--data-dir").arg(&data).output()?;
    ensure!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let c = rusqlite::Connection::open(data.join("sql/atl-sql-001.litwareinc.com/MSSQLSERVER/mgc.db"))?;
    ensure!(c.query_row("SELECT COUNT(*) FROM message", [], |r| r.get::<_, i64>(0))? == 2);
    let m = rusqlite::Connection::open(data.join("management.db"))?;
    ensure!(m.query_row("SELECT COUNT(*) FROM topology_version", [], |r| r.get::<_, i64>(0))? == 1);
    for f in ["secret.key", "ca/ca.key"] {
        ensure!(std::fs::read(data.join(f))? == std::fs::read(s.server.data_dir().join(f))?, "{f}");
    }
    Ok(())
}
