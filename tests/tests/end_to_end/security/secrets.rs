//! Secrets that were used are nowhere to be read afterwards: log, audit, stores, backup, answers, addresses.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::{Options, target_dir};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Caller, new_link, new_token, plain, sign_in};
use crate::support::{PASSWORD, Sample, run};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            out.extend(files(&path));
        } else if path.is_file() {
            out.push(path);
        }
    }
    out
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|w| w == secret.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_were_used_are_written_nowhere() -> Result<()> {
    let options = Options { args: vec!["--log-level".to_owned(), "debug".to_owned()], ..Options::default() };
    let s = Sample::with(options).await?;
    let mut secrets: Vec<(String, String)> = vec![("the administrator's password".into(), PASSWORD.into())];
    let mut keep = |what: &str, secret: &str| secrets.push((what.to_owned(), secret.to_owned()));
    for u in &s.users {
        keep("a chat user's password", &u.password);
    }
    let token = new_token(&s, "report", "CsAdministrator").await?;
    keep("an API token", &token);
    let link = new_link(&s, json!({ "Label": "desk", "Passphrase": "open sesame 13" })).await?;
    keep("a link's token", link.rsplit('/').next().context("no token")?);
    keep("a link's passphrase", "open sesame 13");
    let cookie = sign_in(&s, "root", None).await?;
    keep("a session's cookie", cookie.split('=').nth(1).context("no value")?);
    let made = run(&s.client, "New-LgAccount", json!({ "Name": "nina", "Role": "CsHelpDesk" })).await?;
    keep("a generated password", made["output"][0]["Password"].as_str().context("no password")?);
    run(&s.client, "Set-LgAccount", json!({ "Identity": "nina", "Password": "another horse 14" })).await?;
    keep("a changed password", "another horse 14");
    let hook = json!({
        "Label": "hook", "Kind": "Webhook", "Address": "http://127.0.0.1:9/hook", "Secret": "signing key 15 signing key 15",
    });
    run(&s.client, "New-LgAlertTarget", hook).await?;
    keep("a webhook's key", "signing key 15 signing key 15");
    let mail = json!({
        "Label": "mail", "Kind": "Mail", "Address": "desk@contoso.com", "From": "lg@contoso.com",
        "SmtpServer": "127.0.0.1", "UserName": "lg", "Password": "smtp password 16", "Enabled": false,
    });
    run(&s.client, "New-LgAlertTarget", mail).await?;
    keep("a mail password", "smtp password 16");
    for u in &s.users[..2] {
        let args = json!({ "SipAddress": u.sip, "UserName": u.logon, "Password": u.password });
        run(&s.client, "Set-CsTestUserCredential", args).await?;
    }
    let test = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(test["summary"]["state"] == "success", "{test}");
    run(
        &s.client,
        "Reset-LgUserPassword",
        json!({ "Identity": s.users[2].sip, "Password": "chat password 17" }),
    )
    .await?;
    keep("a chat user's new password", "chat password 17");
    let node = run(&s.client, "New-LgNode", json!({ "Name": "atl-node-001" })).await?;
    let text = node["output"].to_string();
    let joins = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-' && c != '.');
    for part in joins.filter(|p| p.starts_with("lgn_")) {
        keep("a node's token", part);
    }
    // What is refused and what is mistyped is a secret as well.
    let typed = json!({ "name": "root", "password": "mistyped password 18" });
    s.server.client()?.post("/api/v1/login", &typed).await?;
    keep("a mistyped password", "mistyped password 18");
    let body = json!({ "args": { "Name": "x", "Role": "NoSuchRole", "Password": "refused password 19" } });
    s.client.invoke("New-LgAccount", &body).await?;
    keep("a refused password", "refused password 19");
    let bad = Caller::token("bad", "lg_thisisnotatokenbutmightbeone");
    bad.request(s.server.url(), &Method::GET, "/api/v1/pools")?.send().await?;
    keep("a wrong token", "lg_thisisnotatokenbutmightbeone");
    for page in ["", "/status.json", "/events"] {
        plain()?.get(format!("{}{link}{page}", s.server.url())).send().await?;
    }
    let form = "passphrase=open+sesame+13";
    let r = plain()?
        .post(format!("{}{link}", s.server.url()))
        .header("content-type", "application/x-www-form-urlencoded");
    let given = r.body(form).send().await?;
    let place = given.headers().get("location").and_then(|l| l.to_str().ok()).unwrap_or_default().to_owned();
    ensure!(given.status() == 303 && !place.contains("sesame"), "{place}");

    let mut places: Vec<(String, Vec<u8>)> = vec![("the log".to_owned(), s.server.output().into_bytes())];
    let token = Caller::token("root", &token);
    for path in [
        "audit?limit=5000",
        "audit/export?format=csv",
        "overview",
        "access",
        "shares",
        "accounts",
        "alerts",
        "alert-targets",
        "nodes",
        "watch",
        "users",
        "tests",
        "test-history",
        "topology",
        "jobs",
        "openapi.json",
    ] {
        let answer = token.request(s.server.url(), &Method::GET, &format!("/api/v1/{path}"))?.send().await?;
        ensure!(answer.status() == 200, "{path}: {}", answer.status());
        places.push((format!("/api/v1/{path}"), answer.bytes().await?.to_vec()));
    }
    let id = test["summary"]["id"].as_str().context("no id")?;
    let (_, trace) = s.client.get(&format!("/api/v1/tests/{id}/messages")).await?;
    places.push(("the trace of a test message".to_owned(), trace.to_string().into_bytes()));
    let backup = s.server.data_dir().join("whole.backup");
    let bin =
        std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into);
    let out =
        Command::new(bin).arg("backup").arg(&backup).arg("--data-dir").arg(s.server.data_dir()).output()?;
    ensure!(out.status.success(), "{out:?}");
    use std::os::unix::fs::PermissionsExt as _;
    ensure!(std::fs::metadata(&backup)?.permissions().mode() & 0o777 == 0o600, "others may read the backup");
    for path in files(s.server.data_dir()) {
        let name = path.strip_prefix(s.server.data_dir())?.display().to_string();
        places.push((name, std::fs::read(&path)?));
    }
    ensure!(
        places.iter().any(|(p, _)| p == "whole.backup") && places.iter().any(|(p, _)| p == "management.db")
    );
    ensure!(places[0].1.len() > 2_000, "nothing was logged: {}", s.server.printed());
    let mut found = Vec::new();
    for (place, bytes) in &places {
        for (what, secret) in &secrets {
            ensure!(secret.len() >= 8, "{what} is too short to be looked for");
            if holds(bytes, secret) {
                found.push(format!("{what} stands in {place}"));
            }
        }
    }
    ensure!(found.is_empty(), "{}", found.join("\n"));
    modes(&s)?;
    Ok(())
}

/// What holds secrets, sealed or not, is its owner's alone.
fn modes(s: &Sample) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["secret.key", "ca/ca.key", "control.sock", "management.db"] {
        let mode = std::fs::metadata(s.server.data_dir().join(name))?.permissions().mode() & 0o777;
        ensure!(mode & 0o077 == 0, "{name} has mode {mode:o}");
    }
    Ok(())
}

/// The audit's line of each cmdlet with a secret parameter shows a mask in its place.
#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_that_is_a_secret_reaches_the_audit() -> Result<()> {
    let s = Sample::start().await?;
    let mut tried = 0;
    for spec in shared::cmdlets::ALL {
        let mut args = serde_json::Map::new();
        for p in spec.params.iter().filter(|p| p.secret()) {
            let value = match p.kind {
                shared::cmdlet::Kind::Credential => {
                    json!({ "UserName": "x", "Password": "hush hush hush 77" })
                }
                _ => json!("hush hush hush 77"),
            };
            args.insert(p.name.to_owned(), value);
        }
        if args.is_empty() {
            continue;
        }
        tried += 1;
        let (status, answer) = s.client.invoke(spec.name, &json!({ "args": args })).await?;
        ensure!(
            status < 500 && !answer.to_string().contains("hush hush"),
            "{}: {status} {answer}",
            spec.name
        );
    }
    ensure!(tried > 5, "{tried}");
    let (_, audit): (u16, Value) = s.client.get("/api/v1/audit?limit=5000").await?;
    ensure!(!audit.to_string().contains("hush hush"), "{audit}");
    Ok(())
}

/// An id that was used before does not keep a refusal out of the audit.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_noted_whatever_id_it_carries() -> Result<()> {
    let s = Sample::start().await?;
    let op = "01890a5d-ac96-774b-bcce-b302099a8057";
    let made = json!({ "args": { "Label": "once" }, "op_id": op });
    ensure!(s.client.invoke("New-LgShare", &made).await?.0 == 200);
    let desk = super::new_session(&s, "desk", "CsHelpDesk").await?;
    let path = "/api/v1/cmdlets/Publish-CsTopology";
    for _ in 0..2 {
        let body = json!({ "args": {}, "op_id": op });
        let answer = desk.request(s.server.url(), &Method::POST, path)?.json(&body).send().await?;
        ensure!(answer.status() == 403);
    }
    let (_, rows) =
        s.client.get("/api/v1/audit?cmdlet=Publish-CsTopology&actor=desk&outcome=refused").await?;
    ensure!(rows.as_array().is_some_and(|r| r.len() == 2), "{rows}");
    let whole = run(&s.client, "Test-LgAudit", json!({})).await?;
    ensure!(whole["output"][0]["Result"] == "Success", "{whole}");
    Ok(())
}
