//! What anybody may send much of, or make large: passwords to compare, names, reasons.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Caller, new_token, plain};
use crate::support::{PASSWORD, Sample, run};

/// The status of a sign-in, and when to try again.
async fn sign_in(s: &Sample, from: &str, name: &str, password: &str) -> Result<(u16, Option<String>, Value)> {
    let r = plain()?.post(format!("{}/api/v1/login", s.server.url())).header("x-lifeguard-csrf", "1");
    let r = r.header("x-forwarded-for", "198.51.100.1").header("x-forwarded-for", from);
    let answer = r.json(&json!({ "name": name, "password": password })).send().await?;
    let again = answer.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(str::to_owned);
    Ok((answer.status().as_u16(), again, answer.json().await?))
}

async fn behind_a_proxy() -> Result<Sample> {
    let args = vec!["--trusted-proxy".to_owned(), "127.0.0.1".to_owned()];
    Sample::with(Options { args, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_is_refused_and_keeps_nobody_elsewhere_out() -> Result<()> {
    let s = behind_a_proxy().await?;
    for (name, password, field) in
        [("x".repeat(65), "y".to_owned(), "name"), ("root".to_owned(), "y".repeat(1025), "password")]
    {
        for _ in 0..8 {
            let (status, _, e) = sign_in(&s, "192.0.2.1", &name, &password).await?;
            ensure!(status == 400 && e["field"] == field, "{status} {e}");
        }
    }
    // Nothing of it was counted.
    let (status, _, e) = sign_in(&s, "192.0.2.1", "root", PASSWORD).await?;
    ensure!(status == 200, "{status} {e}");

    let flood = (0..400).map(|n| {
        let name = format!("nobody{n}");
        let s = &s;
        async move { sign_in(s, "192.0.2.66", &name, "a wrong password").await }
    });
    let meanwhile = async {
        let begun = Instant::now();
        let (status, _, e) = sign_in(&s, "192.0.2.1", "root", PASSWORD).await?;
        ensure!(status == 200, "{status} {e}");
        anyhow::Ok(begun.elapsed())
    };
    let (answers, took) = tokio::join!(futures_util::future::join_all(flood), meanwhile);
    let took = took?;
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    let refused = answers.iter().filter(|a| a.0 == 503).count();
    ensure!(refused > 0, "nothing was refused");
    ensure!(answers.iter().all(|(code, again, _)| match code {
        503 => again.is_some(),
        401 => true,
        _ => false,
    }));
    ensure!(took < Duration::from_secs(20), "the administrator waited {took:?}");
    // What was refused for want of room left no row.
    let (_, rows) = s.client.get("/api/v1/audit?limit=1000").await?;
    let kept = rows.as_array().context("no audit")?.iter().filter(|r| r["source"] == "192.0.2.66").count();
    ensure!(kept == 400 - refused, "{kept} rows, {refused} refused");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_client_writes_himself_is_not_believed() -> Result<()> {
    let s = behind_a_proxy().await?;
    // The client's own line stands before the proxy's and changes with each attempt.
    for n in 0..5 {
        let r = plain()?.post(format!("{}/api/v1/login", s.server.url())).header("x-lifeguard-csrf", "1");
        let r = r.header("x-forwarded-for", format!("198.51.100.{n}")).header("x-forwarded-for", "192.0.2.9");
        let answer = r.json(&json!({ "name": "root", "password": "wrong" })).send().await?;
        ensure!(answer.status() == 401, "{}", answer.status());
    }
    let (status, _, e) = sign_in(&s, "192.0.2.9", "root", "wrong").await?;
    ensure!(status == 429, "{status} {e}");
    let (_, rows) = s.client.get("/api/v1/audit").await?;
    ensure!(
        rows.as_array()
            .context("no audit")?
            .iter()
            .all(|r| { !r["source"].as_str().unwrap_or_default().starts_with("198.51.100.") })
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_does_not_fill_the_audit() -> Result<()> {
    let s = Sample::start().await?;
    let reads = Caller::token("reads", new_token(&s, "reads", "CsViewOnlyAdministrator").await?);
    let act = async |body: Value| -> Result<(u16, Value)> {
        let path = "/api/v1/cmdlets/Set-LgUser";
        let answer = reads.request(s.server.url(), &Method::POST, path)?.json(&body).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    };
    let (status, e) = act(json!({ "args": {}, "reason": "r".repeat(3 << 20) })).await?;
    ensure!(status == 400 && e["field"] == "Reason", "{status} {e}");
    let (status, e) =
        act(json!({ "args": { "Identity": "i".repeat(1 << 20) }, "reason": "é".repeat(1000) })).await?;
    ensure!(status == 403, "{status} {e}");
    let (_, rows) = s.client.get("/api/v1/audit").await?;
    let rows = rows.as_array().context("no audit")?;
    let of_reads: Vec<_> = rows.iter().filter(|r| r["actor"] == "reads").collect();
    ensure!(of_reads.len() == 1, "{} rows", of_reads.len());
    let row = of_reads[0].to_string();
    ensure!(row.len() < 12_000 && row.contains('…'), "a row of {} bytes", row.len());
    // The chain holds what was kept.
    let v = run(&s.client, "Test-LgAudit", json!({})).await?;
    ensure!(v["output"][0]["Result"] == "Success", "{v}");
    Ok(())
}
