//! The wizard's draft and publishing, with every check failing for real.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, Options, Server};
use serde_json::{Value, json};

use crate::support::{admin, job, refused, run};

/// An empty deployment with SIP domain, site, Front End pool and stores for pcpool.contoso.com (seed 004).
async fn contoso() -> Result<(Server, Client)> {
    let server = Server::start(Options::default()).await?;
    let (c, _) = admin(&server, "empty").await?;
    run(&c, "New-LgSipDomain", json!({ "Name": "contoso.com" })).await?;
    run(&c, "New-LgSite", json!({ "Name": "Redmond" })).await?;
    run(
        &c,
        "New-LgFrontEndPool",
        json!({ "Fqdn": "fe.contoso.com", "Site": "Redmond", "Servers": ["fe1.contoso.com"] }),
    )
    .await?;
    run(&c, "New-LgSqlStore", json!({ "Fqdn": "sql1.contoso.com", "Instance": "PCHAT" })).await?;
    run(&c, "New-LgFileStore", json!({ "Fqdn": "fs1.contoso.com", "Share": "chat" })).await?;
    Ok((server, c))
}

async fn patch(c: &Client, draft: &Value, path: &str, from: Value, to: Value) -> Result<(u16, Value)> {
    let id = draft["id"].as_str().context("no draft")?;
    c.patch(&format!("/api/v1/drafts/{id}"), &json!({ "path": path, "from": from, "to": to })).await
}

/// Fills the wizard for pcpool.contoso.com with two computers.
async fn wizard(c: &Client) -> Result<String> {
    let (_, t) = c.get("/api/v1/topology").await?;
    let (status, d) = c.post("/api/v1/drafts", &json!({})).await?;
    ensure!(status == 200, "{d}");
    let computers = json!([{ "fqdn": "pc1.contoso.com", "placement": { "at": "run_here" } }, { "fqdn": "pc2.contoso.com", "placement": { "at": "run_here" } }]);
    for (path, from, to) in [
        ("/fqdn", json!(""), json!("pcpool.contoso.com")),
        ("/computers", json!([]), computers),
        ("/display_name", json!(""), json!("Contoso chat")),
        ("/sql/existing", json!(""), t["draft"]["sql_stores"][0]["id"].clone()),
        ("/file/existing", json!(""), t["draft"]["file_stores"][0]["id"].clone()),
    ] {
        let (status, answer) = patch(c, &d, path, from, to).await?;
        ensure!(status == 200, "{path}: {answer}");
    }
    Ok(d["id"].as_str().context("no id")?.to_owned())
}

async fn publish(c: &Client, state: &str) -> Result<Value> {
    let answer = run(c, "Publish-CsTopology", json!({ "Comment": "test" })).await?;
    job(c, answer["job"].as_str().context("no job")?, state).await
}

#[tokio::test(flavor = "multi_thread")]
async fn from_empty_to_a_running_pool() -> Result<()> {
    let (_server, c) = contoso().await?;
    let id = wizard(&c).await?;
    run(&c, "New-LgPersistentChatPool", json!({ "Draft": id })).await?;
    ensure!(c.get(&format!("/api/v1/drafts/{id}")).await?.0 == 404, "a finished draft is gone");
    let failed = publish(&c, "failed").await?;
    let step = failed["steps"]
        .as_array()
        .and_then(|s| s.iter().find(|s| s["state"] == "failed"))
        .context("no failed step")?
        .clone();
    ensure!(
        failed["error"].as_str().is_some_and(|e| e.contains("\\\\fs1.contoso.com\\chat does not exist")),
        "{failed}"
    );
    let (name, args) = (step["remedy"][0].as_str().context("no remedy")?, step["remedy"][1].clone());
    run(&c, name, args).await?;
    publish(&c, "done").await?;
    let (_, pool) = c.get("/api/v1/pools/pcpool.contoso.com").await?;
    let servers = pool["summary"]["servers"].as_array().context("no servers")?;
    ensure!(
        servers.len() == 2
            && servers.iter().all(|s| s["active"] == true && s["report"]["state"]["state"] == "running"),
        "{pool}"
    );
    ensure!(pool["summary"]["converged"] == true && pool["summary"]["no_failover_reason"].is_string());
    let (_, versions) = c.get("/api/v1/topology/versions").await?;
    ensure!(versions[0]["version"] == 1 && versions[0]["comment"] == "test", "{versions}");
    refused(&c, "Publish-CsTopology", json!({}), 422).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_keeps_what_is_typed_and_tells_conflicts_at_the_field() -> Result<()> {
    let (_server, c) = contoso().await?;
    let (_, d) = c.post("/api/v1/drafts", &json!({})).await?;
    let (status, saved) = patch(&c, &d, "/fqdn", json!(""), json!("not a name")).await?;
    ensure!(
        status == 200 && saved["draft"]["fqdn"] == "not a name",
        "a save is never refused for what it says: {saved}"
    );
    ensure!(
        saved["problems"]
            .as_array()
            .is_some_and(|p| p.iter().any(|p| p["field"] == "fqdn" && p["severity"] == "error"))
    );
    let (status, e) = patch(&c, &d, "/fqdn", json!(""), json!("other.contoso.com")).await?;
    ensure!(
        status == 409
            && e["field"] == "/fqdn"
            && e["message"].as_str().is_some_and(|m| m.contains("not a name")),
        "{e}"
    );
    let (status, e) = patch(&c, &d, "/nowhere", json!(null), json!(1)).await?;
    ensure!(status == 400, "{e}");
    let id = d["id"].as_str().context("no id")?;
    let e = refused(&c, "New-LgPersistentChatPool", json!({ "Draft": id }), 400).await?;
    ensure!(e["problems"].as_array().is_some_and(|p| p.len() > 3), "{e}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_publishing_check_fails_for_real() -> Result<()> {
    let (server, c) = contoso().await?;
    run(&c, "New-LgFileShare", json!({ "Identity": "\\\\fs1.contoso.com\\chat" })).await?;
    let id = wizard(&c).await?;
    run(&c, "New-LgPersistentChatPool", json!({ "Draft": id })).await?;
    publish(&c, "done").await?;
    let fails = async |expected: &str| -> Result<()> {
        let j = publish(&c, "failed").await?;
        ensure!(j["error"].as_str().is_some_and(|e| e.contains(expected)), "{expected}: {}", j["error"]);
        run(&c, "Reset-LgTopologyDraft", json!({})).await?;
        Ok(())
    };
    // A mistyped instance on a server that has another one.
    run(&c, "New-LgSqlStore", json!({ "Fqdn": "sql1.contoso.com", "Instance": "PCHATT" })).await?;
    fails("has no instance PCHATT. It has: PCHAT").await?;
    // A server elsewhere whose name does not resolve.
    run(&c, "New-LgFrontEndPool", json!({ "Fqdn": "fe2.contoso.com", "Site": "Redmond", "Servers": ["fe2a.contoso.invalid"], "Placement": "Dns" })).await?;
    fails("does not resolve").await?;
    // A server elsewhere where nothing listens.
    run(&c, "New-LgFrontEndPool", json!({ "Fqdn": "fe2.contoso.com", "Site": "Redmond", "Servers": ["fe2a.contoso.com"], "Placement": "127.0.0.1" })).await?;
    fails("does not answer at 127.0.0.1:5061").await?;
    // A port that something else has taken: the next address of this instance's block.
    let (_, o) = c.get("/api/v1/overview").await?;
    let own = o["front_ends"][0]["listens"][0].as_str().context("not listening")?;
    let block: Vec<&str> = own.split('.').collect();
    let mut held = Vec::new();
    for n in 2..20 {
        held.extend(std::net::TcpListener::bind(format!("{}.{}.0.{n}:5061", block[0], block[1])));
    }
    run(
        &c,
        "New-LgFrontEndPool",
        json!({ "Fqdn": "fe3.contoso.com", "Site": "Redmond", "Servers": ["fe3a.contoso.com"] }),
    )
    .await?;
    fails("cannot listen on").await?;
    drop(held);
    // A share that cannot be written: its folder is a file.
    run(&c, "New-LgFileStore", json!({ "Fqdn": "fs2.contoso.com", "Share": "files" })).await?;
    let dir = server.data_dir().join("shares/fs2.contoso.com");
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("files"), "not a folder")?;
    fails("does not exist").await?;
    Ok(())
}
