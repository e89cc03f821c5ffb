//! Stored test users and test messages that run by themselves.

use anyhow::{Result, ensure};
use lifeguard_tests::wait;
use serde_json::json;

use crate::support::{PASSWORD, Sample, refused, run};

const TARGET: &str = "atl-fe-001.litwareinc.com";

async fn store(s: &Sample, i: usize) -> Result<()> {
    let u = &s.users[i];
    let args = json!({ "SipAddress": u.sip, "UserName": u.logon, "Password": u.password });
    run(&s.client, "Set-CsTestUserCredential", args).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_pool_is_tested_by_itself_and_a_missed_run_is_made_up_for() -> Result<()> {
    let mut s = Sample::start().await?;
    let (a, b) = (s.users[0].sip.clone(), s.users[1].sip.clone());
    let watch = json!({ "TargetFqdn": TARGET, "PortNumber": 5061, "TestUsers": { "Replace": [a, b] }, "EveryMinutes": 60 });
    let e = refused(&s.client, "New-CsWatcherNodeConfiguration", watch.clone(), 400).await?;
    ensure!(e["field"] == "TestUsers" && e.to_string().contains("is not a stored test user"), "{e}");
    store(&s, 0).await?;
    store(&s, 1).await?;
    let shown = run(&s.client, "Get-CsTestUserCredential", json!({ "SipAddress": a })).await?;
    ensure!(
        shown["output"][0]["Password"] == "System.Security.SecureString"
            && !shown.to_string().contains(&s.users[0].password),
        "{shown}"
    );
    run(&s.client, "New-CsWatcherNodeConfiguration", watch).await?;
    let twice = json!({ "Identity": TARGET, "Tests": { "Add": ["PersistentChatMessage"] } });
    let e = refused(&s.client, "Set-CsWatcherNodeConfiguration", twice, 400).await?;
    ensure!(
        e["message"]
            .as_str()
            .is_some_and(|m| m.starts_with("There is a duplicate key sequence 'PersistentChatMessage'")),
        "{e}"
    );
    let one = json!({ "Identity": TARGET, "TestUsers": { "Remove": [b] } });
    let e = refused(&s.client, "Set-CsWatcherNodeConfiguration", one, 400).await?;
    ensure!(e["field"] == "TestUsers", "{e}");
    let checked = run(&s.client, "Test-CsWatcherNodeConfiguration", json!({})).await?;
    ensure!(checked["output"][0]["Result"] == "Success", "{checked}");

    // As if the portal had not been running when three runs were due.
    s.server.stop().await?;
    let db = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    db.execute("UPDATE watcher SET next_run = next_run - 4 * 3600000 - 1000", [])?;
    drop(db);
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    wait::until("the watcher's run", async || {
        let (_, w) = s.client.get("/api/v1/watch").await?;
        let first = &w["watchers"][0];
        ensure!(first["last"]["state"] == "success" && first["missed"] == 3 && first["failures"] == 0, "{w}");
        Ok(())
    })
    .await?;
    let (_, tests) = s.client.get("/api/v1/tests").await?;
    ensure!(tests[0]["actor"] == "watcher", "{tests}");
    let removed = json!({ "SipAddress": b });
    run(&s.client, "Remove-CsTestUserCredential", removed.clone()).await?;
    refused(&s.client, "Remove-CsTestUserCredential", removed, 404).await?;
    let checked = run(&s.client, "Test-CsWatcherNodeConfiguration", json!({})).await?;
    ensure!(checked["output"][0]["Result"] == "Failure", "{checked}");
    Ok(())
}
