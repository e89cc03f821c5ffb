//! Topology Builder's other half: editing what is published, rolling back, taking a pool out, services.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};

use crate::support::{Sample, job, refused, run};

const POOL: &str = "PersistentChatServer:atl-gc-001.litwareinc.com";

async fn publish(s: &Sample, comment: &str) -> Result<Value> {
    let answer = run(&s.client, "Publish-CsTopology", json!({ "Comment": comment })).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, "done").await
}

async fn pool(s: &Sample, fqdn: &str) -> Result<(u16, Value)> {
    s.client.get(&format!("/api/v1/pools/{fqdn}")).await
}

fn sentences(answer: &Value) -> String {
    answer["plan"]["sentences"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_pool_is_edited_and_rolled_back() -> Result<()> {
    let s = Sample::start().await?;
    let change = json!({
        "Identity": POOL, "DisplayName": "Group chat two", "Computers": { "Add": ["atl-gcs-003.litwareinc.com"] },
    });
    let answer = run(&s.client, "Set-LgPersistentChatPool", change).await?;
    ensure!(sentences(&answer).contains("Group chat two"), "{answer}");
    publish(&s, "a third computer").await?;
    let (_, p) = pool(&s, "atl-gc-001.litwareinc.com").await?;
    let servers = p["summary"]["servers"].as_array().context("no servers")?;
    ensure!(servers.len() == 3 && servers.iter().all(|x| x["report"]["state"]["state"] == "running"), "{p}");
    // The new computer waits as standby: publishing does not touch the active list.
    ensure!(servers.iter().filter(|x| x["active"] == true).count() == 2, "{p}");

    run(&s.client, "Set-CsPersistentChatState", json!({ "Identity": POOL, "PoolState": "FailedOver" }))
        .await?;
    let back = run(&s.client, "Restore-LgTopologyVersion", json!({ "Identity": 1 })).await?;
    ensure!(sentences(&back).contains("Litware group chat"), "{back}");
    publish(&s, "back to version 1").await?;
    let (_, p) = pool(&s, "atl-gc-001.litwareinc.com").await?;
    ensure!(
        p["summary"]["display_name"] == "Litware group chat" && p["summary"]["state"] == "FailedOver",
        "{p}"
    );
    let versions = run(&s.client, "Get-LgTopologyVersion", json!({})).await?;
    ensure!(
        versions["output"].as_array().is_some_and(|v| v.len() == 3 && v[0]["Comment"] == "back to version 1")
    );
    let same = run(&s.client, "Compare-LgTopology", json!({ "Reference": 1, "Difference": 3 })).await?;
    ensure!(same["output"] == json!([]), "{same}");
    let other = run(&s.client, "Compare-LgTopology", json!({ "Reference": 1, "Difference": 2 })).await?;
    ensure!(other["output"].as_array().is_some_and(|v| v.len() == 2), "{other}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_final_is_refused_at_its_field() -> Result<()> {
    let s = Sample::start().await?;
    let single = json!({ "Identity": "dub-pc-001.litwareinc.com", "Computers": { "Add": ["dub-pc-002.litwareinc.com"] } });
    let e = refused(&s.client, "Set-LgPersistentChatPool", single, 422).await?;
    ensure!(
        e["problems"]
            .as_array()
            .is_some_and(|p| p.iter().any(|p| p["code"] == "V2.grow" && p["field"] == "Computers")),
        "{e}"
    );
    let store = json!({ "Identity": "atl-sql-001.litwareinc.com", "Fqdn": "other.litwareinc.com" });
    let e = refused(&s.client, "Set-LgSqlStore", store, 422).await?;
    ensure!(e["problems"][0]["code"] == "store.final" && e["problems"][0]["field"] == "Fqdn", "{e}");
    let port = json!({ "Identity": POOL, "Port": 70000 });
    let e = refused(&s.client, "Set-LgPersistentChatPool", port, 400).await?;
    ensure!(e["field"] == "Port", "{e}");
    let e = refused(
        &s.client,
        "Set-LgPersistentChatPool",
        json!({ "Identity": POOL, "NextHop": "nowhere.litwareinc.com" }),
        404,
    )
    .await?;
    ensure!(e["field"] == "NextHop", "{e}");
    let nine: Vec<String> = (1..=9).map(|i| format!("gcs-{i}.litwareinc.com")).collect();
    let e = refused(
        &s.client,
        "Set-LgPersistentChatPool",
        json!({ "Identity": POOL, "Computers": { "Replace": nine } }),
        422,
    )
    .await?;
    ensure!(e["problems"][0]["code"] == "V4", "{e}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_is_taken_out_and_its_databases_are_kept() -> Result<()> {
    let s = Sample::start().await?;
    let pool_name = "atl-gc-001.litwareinc.com";
    run(
        &s.client,
        "New-CsPersistentChatEndpoint",
        json!({ "SipAddress": "sip:gc@contoso.com", "PersistentChatPoolFqdn": pool_name }),
    )
    .await?;
    let take = json!({ "Identity": pool_name });
    let e = refused(&s.client, "Remove-LgTopologyObject", take.clone(), 422).await?;
    ensure!(e["problems"][0]["code"] == "remove.endpoint", "{e}");
    run(&s.client, "Remove-CsPersistentChatEndpoint", json!({ "Identity": "sip:gc@contoso.com" })).await?;
    run(&s.client, "Remove-LgTopologyObject", take).await?;
    publish(&s, "the pool goes").await?;
    ensure!(pool(&s, pool_name).await?.0 == 404);
    let kept = run(&s.client, "Get-LgKeptDatabase", json!({})).await?;
    let of = |server: &str| {
        kept["output"]
            .as_array()
            .is_some_and(|k| k.iter().any(|k| k["SqlServerFqdn"] == server && k["Database"] == "mgc"))
    };
    ensure!(of("atl-sql-002.litwareinc.com") && of("dub-sql-002.litwareinc.com"), "{kept}");
    // The servers are gone too.
    wait::until("the removed pool's servers to end", async || {
        let services = run(&s.client, "Get-CsWindowsService", json!({})).await?;
        ensure!(!services.to_string().contains("atl-gcs-001"), "{services}");
        Ok(())
    })
    .await?;
    let gone = json!({ "DatabaseType": "PersistentChat", "SqlServerFqdn": "atl-sql-002.litwareinc.com" });
    run(&s.client, "Uninstall-CsDatabase", gone.clone()).await?;
    refused(&s.client, "Uninstall-CsDatabase", gone, 404).await?;
    // A published pool's database is never uninstalled.
    let used = json!({ "DatabaseType": "PersistentChat", "SqlServerFqdn": "atl-sql-001.litwareinc.com" });
    refused(&s.client, "Uninstall-CsDatabase", used, 404).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topology_is_exported_imported_and_rehearsed() -> Result<()> {
    let s = Sample::start().await?;
    let out = run(&s.client, "Export-LgTopology", json!({ "Version": 1 })).await?;
    let text = out["output"][0]["Document"].as_str().context("no document")?.to_owned();
    let renamed = text.replace("\"Dublin\"", "\"Cork\"");
    run(&s.client, "Import-LgTopology", json!({ "Document": renamed })).await?;
    let diff = run(&s.client, "Compare-LgTopology", json!({})).await?;
    ensure!(diff["output"].to_string().contains("Cork"), "{diff}");
    let e = refused(
        &s.client,
        "Import-LgTopology",
        json!({ "Document": "{\n \"format\": 1,\n \"pools\": 3 }" }),
        400,
    )
    .await?;
    ensure!(e["field"] == "Document" && e["message"].as_str().is_some_and(|m| m.contains("Line 3")), "{e}");
    let checks = run(&s.client, "Test-CsTopology", json!({})).await?;
    let list = checks["output"].as_array().context("no checks")?;
    ensure!(list.len() == 4 && list.iter().all(|c| c["Result"] == "Success"), "{checks}");
    run(&s.client, "Reset-LgTopologyDraft", json!({})).await?;
    run(&s.client, "New-LgFileStore", json!({ "Fqdn": "fs9.contoso.com", "Share": "nothere" })).await?;
    let checks = run(&s.client, "Test-CsTopology", json!({})).await?;
    let failed: Vec<_> = checks["output"]
        .as_array()
        .context("no checks")?
        .iter()
        .filter(|c| c["Result"] == "Failure")
        .collect();
    ensure!(
        failed.len() == 1 && failed[0]["Error"].as_str().is_some_and(|e| e.contains("nothere")),
        "{checks}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_stopped_drained_started_and_replicated() -> Result<()> {
    let s = Sample::start().await?;
    let status = async |computer: &str| -> Result<String> {
        let a = run(&s.client, "Get-CsWindowsService", json!({ "ComputerName": computer })).await?;
        Ok(a["output"][0]["Status"].as_str().context("no status")?.to_owned())
    };
    let gc = "gc-001.litwareinc.com";
    ensure!(status(gc).await? == "Running");
    run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": gc })).await?;
    wait::until("gc-001 to stop", async || {
        ensure!(status(gc).await? == "Stopped");
        Ok(())
    })
    .await?;
    let replication =
        run(&s.client, "Get-CsManagementStoreReplicationStatus", json!({ "ReplicaFqdn": gc })).await?;
    ensure!(replication["output"][0]["UpToDate"] == false, "{replication}");
    let (_, overview) = s.client.get("/api/v1/overview").await?;
    ensure!(overview["problems"].to_string().contains("was stopped on purpose"), "{overview}");
    // The other active server carries on.
    ensure!(s.test(&s.users[0], &s.users[1], json!({})).await?["summary"]["state"] == "success");
    run(&s.client, "Start-CsWindowsService", json!({ "ComputerName": gc })).await?;
    wait::until("gc-001 to run", async || {
        ensure!(status(gc).await? == "Running");
        Ok(())
    })
    .await?;
    // Without sessions draining is over at once.
    run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": gc, "Graceful": true })).await?;
    wait::until("gc-001 to drain", async || {
        ensure!(status(gc).await? == "Stopped");
        Ok(())
    })
    .await?;
    run(&s.client, "Start-CsWindowsService", json!({ "ComputerName": gc })).await?;
    wait::until("all replicas", async || {
        let all = run(&s.client, "Get-CsManagementStoreReplicationStatus", json!({})).await?;
        ensure!(
            all["output"]
                .as_array()
                .is_some_and(|l| l.len() == 13 && l.iter().all(|r| r["UpToDate"] == true)),
            "{all}"
        );
        Ok(())
    })
    .await?;
    let e =
        refused(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": gc, "Name": "W32Time" }), 400)
            .await?;
    ensure!(e["field"] == "Name", "{e}");
    Ok(())
}
