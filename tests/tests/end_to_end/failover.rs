//! Log shipping and the guided runs, over real databases and real clients.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};

use crate::support::{PASSWORD, POOL, Sample, detail, job, refused, run, shipped, two_messages};

const SHARE: &str = "shares/atl-fs-001.litwareinc.com/chatfiles/log-shipping/atl-cs-001.litwareinc.com";

fn messages(p: &Value, state: &str) -> Result<u64> {
    ensure!(p["summary"]["state"] == state && p["summary"]["converged"] == true, "{}", p["summary"]);
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    used.context("no database in use")?["messages"].as_u64().context("no count")
}

fn active(p: &Value) -> Vec<String> {
    let servers = p["summary"]["servers"].as_array().into_iter().flatten();
    let names = servers.filter(|s| s["active"] == true).filter_map(|s| s["report"]["fqdn"].as_str());
    names.map(|n| n.split('.').next().unwrap_or_default().to_owned()).collect()
}

async fn guided(s: &Sample, cmdlet: &str, more: Value) -> Result<Value> {
    let mut args = json!({ "Identity": POOL });
    if let (Some(a), Some(m)) = (args.as_object_mut(), more.as_object()) {
        a.extend(m.clone());
    }
    let answer = run(&s.client, cmdlet, args).await?;
    job(&s.client, answer["job"].as_str().context("no run")?, "done").await
}

#[tokio::test(flavor = "multi_thread")]
async fn over_back_and_over_again_loses_nothing() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    let done = guided(&s, "Start-LgFailover", json!({})).await?;
    ensure!(
        done["steps"].as_array().is_some_and(|x| x.len() == 8 && x.iter().all(|x| x["state"] == "done")),
        "{done}"
    );
    let p = detail(&s).await?;
    ensure!(messages(&p, "FailedOver")? == 2 && active(&p) == ["gc-004", "gc-005", "gc-006"], "{p}");
    two_messages(&s).await?;
    // The old primary is the log shipping secondary now: no whole copy is needed to go back.
    let p = shipped(&s).await?;
    ensure!(
        p["shipping"]["to"] == "atl-sql-001.litwareinc.com" && p["shipping"]["orphans"] == json!([]),
        "{}",
        p["shipping"]
    );
    guided(
        &s,
        "Start-LgFailback",
        json!({ "ActiveServers": ["gc-001.litwareinc.com", "gc-002.litwareinc.com"] }),
    )
    .await?;
    let p = detail(&s).await?;
    ensure!(messages(&p, "Normal")? == 4 && active(&p) == ["gc-001", "gc-002"], "{p}");
    two_messages(&s).await?;
    guided(&s, "Start-LgFailover", json!({})).await?;
    ensure!(messages(&detail(&s).await?, "FailedOver")? == 6);
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    ensure!(
        audit.to_string().contains("Set-CsPersistentChatState atl-cs-001.litwareinc.com (FailedOver)"),
        "{audit}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_primary_is_given_up_in_words_only() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let e = refused(&s.client, "Start-LgFailover", json!({ "Identity": POOL, "Forced": true }), 422).await?;
    ensure!(e["problems"][0]["code"] == "db.answers", "an answering primary is not given up: {e}");
    let primary = s.server.data_dir().join("sql/atl-sql-001.litwareinc.com");
    std::fs::rename(&primary, primary.with_extension("lost"))?;
    let e = refused(&s.client, "Start-LgFailover", json!({ "Identity": POOL }), 422).await?;
    ensure!(e["problems"][0]["code"] == "db.unreachable", "{e}");
    ensure!(e.to_string().contains("unreachable from here"), "unreachable is not called down: {e}");
    let forced = json!({ "Identity": POOL, "Forced": true });
    let e = refused(&s.client, "Start-LgFailover", forced, 428).await?;
    ensure!(e["field"] == "AcknowledgeLoss", "{e}");
    guided(&s, "Start-LgFailover", json!({ "Forced": true, "AcknowledgeLoss": true })).await?;
    // Everything was shipped before the primary went away.
    ensure!(messages(&detail(&s).await?, "FailedOver")? == 2);
    two_messages(&s).await?;
    // The old primary comes back with what it had: it is kept, and the log is shipped to it.
    std::fs::rename(primary.with_extension("lost"), &primary)?;
    let p = shipped(&s).await?;
    ensure!(p["shipping"]["to"] == "atl-sql-001.litwareinc.com", "{}", p["shipping"]);
    guided(&s, "Start-LgFailback", json!({})).await?;
    ensure!(messages(&detail(&s).await?, "Normal")? == 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_in_the_middle_of_a_run_is_gone_on_from() -> Result<()> {
    let mut s = Sample::start().await?;
    two_messages(&s).await?;
    for (round, millis) in [5_u64, 30, 80, 200].into_iter().enumerate() {
        let (cmdlet, state) =
            if round % 2 == 0 { ("Start-LgFailover", "FailedOver") } else { ("Start-LgFailback", "Normal") };
        let answer = run(&s.client, cmdlet, json!({ "Identity": POOL })).await?;
        let id = answer["job"].as_str().context("no run")?.to_owned();
        // The moment of the kill is the point of this test: each round another one.
        tokio::time::sleep(Duration::from_millis(millis)).await;
        s.server.kill9();
        s.server.restart().await?;
        s.client.login("root", PASSWORD).await?;
        job(&s.client, &id, "done").await?;
        let found = messages(&detail(&s).await?, state)?;
        ensure!(found == 2 * (round as u64 + 1), "round {round}: {found}");
        two_messages(&s).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_stops_is_cancelled_or_resumed_and_has_one_owner() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let share = s.server.data_dir().join(SHARE);
    let away = share.with_extension("away");
    // The share is gone: a file stands in its place, so that neither chain nor claim can be written.
    std::fs::rename(&share, &away)?;
    std::fs::write(&share, "")?;
    let answer = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no run")?.to_owned();
    let failed = job(&s.client, &id, "failed").await?;
    ensure!(failed["steps"][3]["state"] == "failed" && failed["steps"][4]["state"] == "waiting", "{failed}");
    let e = refused(&s.client, "Start-LgFailover", json!({ "Identity": POOL }), 422).await?;
    ensure!(e["problems"][0]["code"] == "run.busy", "{e}");
    run(&s.client, "Stop-LgRun", json!({ "Identity": id })).await?;
    wait::until("the pool to go on as it was", async || {
        ensure!(messages(&detail(&s).await?, "Normal")? == 2);
        Ok(())
    })
    .await?;
    let answer = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no run")?.to_owned();
    job(&s.client, &id, "failed").await?;
    std::fs::remove_file(&share)?;
    std::fs::rename(&away, &share)?;
    run(&s.client, "Resume-LgRun", json!({ "Identity": id })).await?;
    job(&s.client, &id, "done").await?;
    ensure!(messages(&detail(&s).await?, "FailedOver")? == 2);
    refused(&s.client, "Stop-LgRun", json!({ "Identity": id }), 409).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_far_from_the_database_are_refused_and_a_damaged_segment_is_told() -> Result<()> {
    let s = Sample::start().await?;
    let far = json!({ "Identity": POOL, "ActiveServers": ["gc-001.litwareinc.com"] });
    let e = refused(&s.client, "Start-LgFailover", far, 422).await?;
    ensure!(e["problems"][0]["code"] == "servers.far", "{e}");
    two_messages(&s).await?;
    shipped(&s).await?;
    // The other side is written to: the next segment is refused, and everybody is told.
    let other = s.server.data_dir().join("sql/dub-sql-001.litwareinc.com/MSSQLSERVER/mgc.db");
    let mut bytes = std::fs::read(&other)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&other, bytes)?;
    two_messages(&s).await?;
    wait::until("the problem to be told", async || {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        ensure!(o["problems"].to_string().contains("was written to by somebody else"), "{}", o["problems"]);
        Ok(())
    })
    .await?;
    // A planned run still loses nothing: the whole database is copied.
    guided(&s, "Start-LgFailover", json!({})).await?;
    ensure!(messages(&detail(&s).await?, "FailedOver")? == 4);
    Ok(())
}
