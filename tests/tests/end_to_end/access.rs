//! Roles of one's own, sessions, API tokens, the audit's chain, the way back in from the host.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, target_dir};
use serde_json::{Value, json};

use crate::support::{Sample, refused, run};

fn bin() -> std::path::PathBuf {
    std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into)
}

async fn account(s: &Sample, name: &str, role: &str) -> Result<Client> {
    let args = json!({ "Name": name, "Role": role, "Password": "correct horse 13" });
    run(&s.client, "New-LgAccount", args).await?;
    let c = s.server.client()?;
    c.login(name, "correct horse 13").await?;
    Ok(c)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_ones_own_reaches_its_site_and_no_further() -> Result<()> {
    let s = Sample::start().await?;
    let role = json!({
        "Identity": "DublinOperators", "Template": "CsHelpDesk", "ConfigScopes": { "Replace": ["site:Dublin"] },
        "Cmdlets": { "Add": ["set-cspersistentchatactiveserver"] },
    });
    run(&s.client, "New-CsAdminRole", role).await?;
    let nina = account(&s, "nina", "DublinOperators").await?;
    let swap = |pool: &str| json!({ "Identity": pool, "ActiveServers": { "Replace": [] } });
    let e =
        refused(&nina, "Set-CsPersistentChatActiveServer", swap("atl-gc-001.litwareinc.com"), 403).await?;
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("confined to site:Dublin")), "{e}");
    run(&nina, "Set-CsPersistentChatActiveServer", swap("dub-pc-001.litwareinc.com")).await?;
    ensure!(
        run(&nina, "Get-CsPersistentChatState", json!({})).await?["output"]
            .as_array()
            .is_some_and(|o| o.len() == 4)
    );
    refused(&nina, "Set-CsPersistentChatState", json!({ "Identity": "dub-pc-001.litwareinc.com" }), 403)
        .await?;
    let (_, session) = nina.get("/api/v1/session").await?;
    ensure!(session["account"]["roles"][0] == "DublinOperators", "{session}");
    // What is taken from the role is gone with the next request.
    let less = json!({ "Identity": "DublinOperators", "Cmdlets": { "Remove": ["Set-CsPersistentChatActiveServer"] } });
    run(&s.client, "Set-CsAdminRole", less).await?;
    refused(&nina, "Set-CsPersistentChatActiveServer", swap("dub-pc-001.litwareinc.com"), 403).await?;
    let e = refused(&s.client, "Remove-CsAdminRole", json!({ "Identity": "DublinOperators" }), 422).await?;
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("nina")), "{e}");
    refused(
        &s.client,
        "Set-CsAdminRole",
        json!({ "Identity": "CsHelpDesk", "Cmdlets": { "Add": ["Publish-CsTopology"] } }),
        400,
    )
    .await?;
    let none = json!({ "Identity": "DublinOperators", "ConfigScopes": { "Remove": ["site:Dublin"] } });
    let e = refused(&s.client, "Set-CsAdminRole", none, 400).await?;
    ensure!(e["field"] == "ConfigScopes", "{e}");
    let shown = run(&s.client, "Get-CsAdminRole", json!({ "Filter": "*Operators" })).await?;
    ensure!(
        shown["output"][0]["IsStandardRole"] == false && shown["output"][0]["Template"] == "CsHelpDesk",
        "{shown}"
    );
    let mine = run(&s.client, "Get-CsAdminRoleAssignment", json!({ "Identity": "nina" })).await?;
    ensure!(mine["output"] == json!(["DublinOperators"]), "{mine}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_tokens_end_at_once() -> Result<()> {
    let s = Sample::start().await?;
    let desk = account(&s, "desk", "CsHelpDesk").await?;
    refused(&desk, "Get-LgSession", json!({}), 403).await?;
    let sessions = run(&s.client, "Get-LgSession", json!({ "Account": "desk" })).await?;
    let id = sessions["output"][0]["Identity"].as_str().context("no session")?.to_owned();
    run(&s.client, "Remove-LgSession", json!({ "Identity": id })).await?;
    ensure!(desk.get("/api/v1/pools").await?.0 == 401, "the session is dead");

    let made = run(&s.client, "New-LgToken", json!({ "Label": "report", "Role": "CsViewOnlyAdministrator" }))
        .await?;
    let token = made["output"][0]["Token"].as_str().context("no token")?.to_owned();
    let get = async || -> Result<u16> {
        let url = format!("{}/api/v1/pools", s.server.url().trim_end_matches('/'));
        Ok(reqwest::Client::new().get(url).bearer_auth(&token).send().await?.status().as_u16())
    };
    ensure!(get().await? == 200);
    let list = run(&s.client, "Get-LgToken", json!({})).await?;
    ensure!(!list.to_string().contains(&token), "a token is never shown again");
    let id = list["output"][0]["Identity"].as_str().context("no id")?.to_owned();
    run(&s.client, "Remove-LgToken", json!({ "Identity": id })).await?;
    ensure!(get().await? == 401, "the token is dead");
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    ensure!(!audit.to_string().contains(&token), "no token in the audit");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_proves_itself_and_the_host_is_the_way_back_in() -> Result<()> {
    let mut s = Sample::start().await?;
    let whole = run(&s.client, "Test-LgAudit", json!({})).await?;
    ensure!(
        whole["output"][0]["Result"] == "Success" && whole["output"][0]["RowsBeforeTheChain"] == 0,
        "{whole}"
    );
    let verify =
        || Command::new(bin()).args(["audit", "verify", "--data-dir"]).arg(s.server.data_dir()).output();
    let out = verify()?;
    ensure!(out.status.success() && String::from_utf8_lossy(&out.stdout).contains("are what was written"));
    let reset = Command::new(bin())
        .args(["admin", "reset-password", "root", "--data-dir"])
        .arg(s.server.data_dir())
        .output()?;
    let text = String::from_utf8(reset.stdout)?;
    let password = text.trim().rsplit(' ').next().context("no password")?.to_owned();
    ensure!(s.client.get("/api/v1/pools").await?.0 == 401, "its sessions ended");
    s.client.login("root", &password).await?;
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    let rows = audit.as_array().context("no audit")?;
    ensure!(
        rows.iter().any(|r: &Value| r["cmdlet"] == "admin reset-password")
            && !audit.to_string().contains(&password),
        "{audit}"
    );
    s.server.stop().await?;
    let c = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    c.execute_batch("DROP TRIGGER audit_no_update; UPDATE audit SET outcome = 'refused' WHERE seq = 2")?;
    drop(c);
    let out =
        Command::new(bin()).args(["audit", "verify", "--data-dir"]).arg(s.server.data_dir()).output()?;
    ensure!(!out.status.success() && String::from_utf8_lossy(&out.stderr).contains("row 2"), "{out:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_searched_and_saved_without_formulas() -> Result<()> {
    let s = Sample::start().await?;
    let nina = account(&s, "nina", "CsHelpDesk").await?;
    for path in ["/api/v1/audit", "/api/v1/audit/export?format=csv"] {
        ensure!(nina.get(path).await?.0 == 403, "{path} is for who administers the portal");
        ensure!(s.server.client()?.get(path).await?.0 == 401, "{path} without a session");
    }
    let reason = "=HYPERLINK(\"http://evil\")";
    let body =
        json!({ "args": { "Identity": "nina", "Enabled": false }, "confirmed": true, "reason": reason });
    ensure!(s.client.invoke("Set-LgAccount", &body).await?.0 == 200);
    refused(&nina, "Get-LgSession", json!({}), 401).await?;
    let find = async |query: &str| -> Result<Vec<Value>> {
        let (status, rows) = s.client.get(&format!("/api/v1/audit?{query}")).await?;
        ensure!(status == 200, "{query}: {rows}");
        Ok(rows.as_array().cloned().unwrap_or_default())
    };
    let one = find("cmdlet=set-lgaccount&actor=ROOT&target=nina&outcome=done&from=2020-01-01").await?;
    ensure!(one.len() == 1 && one[0]["reason"] == reason && one[0]["credential"] == "session", "{one:?}");
    let change = &one[0]["changes"][0];
    ensure!(
        change["property"] == "Enabled" && change["before"] == "true" && change["after"] == "false",
        "{change}"
    );
    ensure!(find("cmdlet=set-lgaccount&until=2020-01-01").await?.is_empty());
    ensure!(find("text=hyperlink").await?.len() == 1 && find("text=no+such+word").await?.is_empty());
    ensure!(s.client.get("/api/v1/audit?from=yesterday").await?.0 == 400);
    let (_, csv) = s.client.get("/api/v1/audit/export?format=csv&cmdlet=Set-LgAccount").await?;
    let csv = csv.as_str().context("no text")?;
    ensure!(csv.starts_with("Time,Actor,") && csv.lines().count() == 2, "{csv}");
    ensure!(csv.contains("\"'=HYPERLINK(\"\"http://evil\"\")\""), "{csv}");
    let (_, rows) = s.client.get("/api/v1/audit/export?format=json&cmdlet=Set-LgAccount").await?;
    ensure!(rows.as_array().is_some_and(|r| r.len() == 1), "{rows}");
    let whole = run(&s.client, "Test-LgAudit", json!({})).await?;
    ensure!(whole["output"][0]["Result"] == "Success", "{whole}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_are_held_back_and_lock_nobody_else_out() -> Result<()> {
    let s = Sample::start().await?;
    account(&s, "nina", "CsHelpDesk").await?;
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let client = s.server.client()?;
        guesses.spawn(async move {
            let body = json!({ "name": "nina", "password": "wrong horse 99" });
            client.post("/api/v1/login", &body).await.map(|(status, _)| status)
        });
    }
    let answers = guesses.join_all().await.into_iter().collect::<Result<Vec<u16>>>()?;
    let (compared, held) =
        (answers.iter().filter(|a| **a == 401).count(), answers.iter().filter(|a| **a == 429).count());
    ensure!(compared + held == 24 && (1..=8).contains(&compared), "{answers:?}");
    // The same address may still sign in as somebody else, and who is signed in stays so.
    s.server.client()?.login("root", crate::support::PASSWORD).await?;
    ensure!(s.client.get("/api/v1/pools").await?.0 == 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_worth_nothing_while_its_maker_is_disabled() -> Result<()> {
    let s = Sample::start().await?;
    let otto = account(&s, "otto", "CsAdministrator").await?;
    let made = run(&otto, "New-LgToken", json!({ "Label": "otto's script", "Role": "CsHelpDesk" })).await?;
    let token = made["output"][0]["Token"].as_str().context("no token")?.to_owned();
    let get = async || -> Result<u16> {
        let url = format!("{}/api/v1/pools", s.server.url());
        Ok(reqwest::Client::new().get(url).bearer_auth(&token).send().await?.status().as_u16())
    };
    ensure!(get().await? == 200);
    let set = |enabled: bool| json!({ "Identity": "otto", "Enabled": enabled });
    run(&s.client, "Set-LgAccount", set(false)).await?;
    ensure!(get().await? == 401, "the token of a disabled account is taken");
    run(&s.client, "Set-LgAccount", set(true)).await?;
    ensure!(get().await? == 200);
    Ok(())
}
