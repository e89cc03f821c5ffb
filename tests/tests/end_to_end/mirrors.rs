//! A mirrored pool: its primary is lost and nothing with it; the old primary comes back, and the database
//! moves back.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};

use crate::support::{POOL, Sample, detail, job, refused, run, two_messages};

const MIRROR: &str = "atl-sql-009.litwareinc.com";

fn messages(p: &Value) -> Result<u64> {
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    used.context("no database in use")?["messages"].as_u64().context("no count")
}

async fn state(s: &Sample) -> Result<Value> {
    let args = json!({ "PoolFqdn": POOL, "DatabaseType": "PersistentChat" });
    Ok(run(&s.client, "Get-CsDatabaseMirrorState", args).await?["output"][0].clone())
}

/// Waits until the mirror has everything and log shipping follows.
async fn synchronized(s: &Sample, principal: &str) -> Result<()> {
    wait::until("the mirror", async || {
        let m = state(s).await?;
        ensure!(m[principal] == "Principal" && m["MirroringStatusOnPrimary"] == "synchronized", "{m}");
        let p = detail(s).await?;
        ensure!(p["mirror"]["state"] == "synchronized", "{}", p["mirror"]);
        let x = &p["shipping"];
        ensure!(x["problem"].is_null() && x["messages_behind"] == 0 && x["applied"] == x["shipped"], "{x}");
        Ok(())
    })
    .await
}

async fn publish(s: &Sample) -> Result<Value> {
    let answer = run(&s.client, "Publish-CsTopology", json!({ "Comment": "mirror" })).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, "done").await
}

fn folder(s: &Sample, store: &str) -> PathBuf {
    s.server.data_dir().join("sql").join(store).join("MSSQLSERVER")
}

async fn move_to(s: &Sample, principal: &str) -> Result<Value> {
    let args = json!({ "PoolFqdn": POOL, "DatabaseType": "PersistentChat", "NewPrincipal": principal });
    run(&s.client, "Invoke-CsDatabaseFailover", args).await
}

async fn mirrored() -> Result<Sample> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgSqlStore", json!({ "Fqdn": MIRROR })).await?;
    run(&s.client, "Set-LgPersistentChatPool", json!({ "Identity": POOL, "MirrorSqlStore": MIRROR })).await?;
    let done = publish(&s).await?;
    ensure!(done["steps"].to_string().contains("is mirrored to atl-sql-009"), "{done}");
    synchronized(&s, "StateOnPrimary").await?;
    Ok(s)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirrored_primary_is_lost_and_nothing_with_it() -> Result<()> {
    let s = mirrored().await?;
    two_messages(&s).await?;
    let primary = folder(&s, "atl-sql-001.litwareinc.com");
    std::fs::rename(&primary, primary.with_extension("lost"))?;
    // No loss is to be acknowledged: the witness knows that the mirror has everything.
    move_to(&s, "Mirror").await?;
    let p = detail(&s).await?;
    ensure!(p["summary"]["converged"] == true && messages(&p)? == 2, "{}", p["summary"]);
    two_messages(&s).await?;
    wait::until("the page to say that the mirror is gone", async || {
        let p = detail(&s).await?;
        ensure!(
            p["mirror"]["state"] == "disconnected" && p["mirror"]["on_mirror"] == true,
            "{}",
            p["mirror"]
        );
        let (_, o) = s.client.get("/api/v1/overview").await?;
        ensure!(o["problems"].to_string().contains("is disconnected"), "{}", o["problems"]);
        Ok(())
    })
    .await?;
    // It comes back with what it had: that is kept, and it becomes the mirror.
    std::fs::rename(primary.with_extension("lost"), &primary)?;
    synchronized(&s, "StateOnMirror").await?;
    ensure!(primary.join("orphans/1/mgc.db").exists(), "what was in use is never deleted");
    move_to(&s, "Primary").await?;
    ensure!(messages(&detail(&s).await?)? == 4);
    two_messages(&s).await?;
    synchronized(&s, "StateOnPrimary").await?;
    ensure!(messages(&detail(&s).await?)? == 6);
    ensure!(!folder(&s, MIRROR).join("orphans").exists(), "a planned move leaves no orphan");
    // The guided failover to the second data centre goes on from there.
    let answer = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    job(&s.client, answer["job"].as_str().context("no run")?, "done").await?;
    ensure!(messages(&detail(&s).await?)? == 6);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_mirror_takes_over_only_when_the_loss_is_accepted() -> Result<()> {
    let s = mirrored().await?;
    two_messages(&s).await?;
    let (primary, mirror) = (folder(&s, "atl-sql-001.litwareinc.com"), folder(&s, MIRROR));
    std::fs::rename(&mirror, mirror.with_extension("lost"))?;
    two_messages(&s).await?; // posts go on without it
    wait::until("the mirror to be missed", async || {
        ensure!(detail(&s).await?["mirror"]["state"] == "disconnected");
        Ok(())
    })
    .await?;
    std::fs::rename(&primary, primary.with_extension("lost"))?;
    std::fs::rename(mirror.with_extension("lost"), &mirror)?;
    let args = json!({ "PoolFqdn": POOL, "NewPrincipal": "Mirror" });
    let e = refused(&s.client, "Invoke-CsDatabaseFailover", args.clone(), 428).await?;
    ensure!(e["field"] == "AcknowledgeLoss", "{e}");
    let mut args = args;
    args["AcknowledgeLoss"] = true.into();
    run(&s.client, "Invoke-CsDatabaseFailover", args).await?;
    ensure!(messages(&detail(&s).await?)? == 2);
    two_messages(&s).await
}

#[tokio::test(flavor = "multi_thread")]
async fn mirroring_goes_by_its_cmdlet_before_the_topology() -> Result<()> {
    let s = mirrored().await?;
    let e = refused(
        &s.client,
        "Set-LgPersistentChatPool",
        json!({ "Identity": POOL, "MirrorSqlStore": "" }),
        422,
    )
    .await?;
    ensure!(e["problems"][0]["code"] == "mirror.installed", "{e}");
    let same = json!({ "Identity": POOL, "BackupMirrorSqlStore": MIRROR });
    let e = refused(&s.client, "Set-LgPersistentChatPool", same, 422).await?;
    ensure!(e["problems"].to_string().contains("V9"), "the mirror of the backup is another one: {e}");
    let here = json!({ "DatabaseType": "PersistentChat", "SqlServerFqdn": "atl-sql-001.litwareinc.com" });
    move_to(&s, "Mirror").await?;
    let e = refused(&s.client, "Uninstall-CsMirrorDatabase", here.clone(), 422).await?;
    ensure!(e["problems"][0]["code"] == "mirror.principal", "{e}");
    synchronized(&s, "StateOnMirror").await?;
    move_to(&s, "Primary").await?;
    run(&s.client, "Uninstall-CsMirrorDatabase", here).await?;
    let m = state(&s).await?;
    ensure!(m["StateOnPrimary"] == "DatabaseInaccessibleOrMirroringNotEnabled", "{m}");
    ensure!(!folder(&s, MIRROR).join("mgc.db").exists());
    // Set up again by hand, as the documents print it.
    let again = json!({
        "ConfiguredDatabases": true, "FileShare": "\\\\atl-fs-001\\DbBackup",
        "SqlServerFqdn": "atl-sql-001.litwareinc.com", "DropExisitingDatabasesOnMirror": true,
    });
    run(&s.client, "Install-CsMirrorDatabase", again).await?;
    synchronized(&s, "StateOnPrimary").await?;
    let none = run(
        &s.client,
        "Get-CsDatabaseMirrorState",
        json!({ "PoolFqdn": POOL, "DatabaseType": "Monitoring" }),
    )
    .await?;
    ensure!(none["output"][0]["DatabaseName"] == "lcscdr", "{none}");
    // What runs here has guided runs, not a runbook.
    let e = refused(&s.client, "Get-LgRunbook", json!({ "Identity": POOL }), 400).await?;
    ensure!(e.to_string().contains("run here"), "{e}");
    let user = json!({ "PoolFqdn": POOL, "DatabaseType": "User", "NewPrincipal": "Mirror" });
    refused(&s.client, "Invoke-CsDatabaseFailover", user, 400).await?;
    let tried = json!({ "ConfiguredDatabases": true, "SqlServerFqdn": "atl-sql-001.litwareinc.com" });
    let t = run(&s.client, "Test-CsDatabase", tried).await?;
    ensure!(t["output"][0]["Succeed"] == true && t["output"][0]["MirrorSqlServerFqdn"] == MIRROR, "{t}");
    run(&s.client, "Uninstall-CsMirrorDatabase", json!({ "DatabaseType": "PersistentChat", "SqlServerFqdn": "atl-sql-001.litwareinc.com", "DropExistingDatabasesOnMirror": true })).await?;
    run(&s.client, "Set-LgPersistentChatPool", json!({ "Identity": POOL, "MirrorSqlStore": "" })).await?;
    publish(&s).await?;
    Ok(())
}
