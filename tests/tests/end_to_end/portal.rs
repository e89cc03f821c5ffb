//! Sessions, roles, shares, resources.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, Options, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Sample, admin, refused, run};

#[tokio::test(flavor = "multi_thread")]
async fn first_visit_sessions_and_their_guards() -> Result<()> {
    let server = Server::start(Options::default()).await?;
    let c = server.client()?;
    let (status, e) = c.get("/api/v1/pools").await?;
    ensure!(status == 401 && e["code"] == "unauthenticated", "{e}");
    let wrong = json!({ "token": "x", "name": "root", "password": PASSWORD, "deployment": "empty" });
    ensure!(c.post("/api/v1/setup", &wrong).await?.1["field"] == "token");
    let short = json!({ "token": server.setup_token().await?, "name": "root", "password": "short", "deployment": "empty" });
    ensure!(c.post("/api/v1/setup", &short).await?.1["field"] == "password");
    let (root, _) = admin(&server, "empty").await?;
    ensure!(c.post("/api/v1/setup", &short).await?.0 == 409, "set-up happens once");
    ensure!(root.get("/api/v1/session").await?.1["account"]["name"] == "root");

    let login = root
        .request(Method::POST, "/api/v1/login")
        .json(&json!({ "name": "root", "password": PASSWORD }))
        .send()
        .await?;
    let cookie = login.headers().get("set-cookie").context("no cookie")?.to_str()?.to_owned();
    ensure!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let csp = login.headers().get("content-security-policy").context("no policy")?.to_str()?.to_owned();
    ensure!(csp.contains("script-src 'self' 'wasm-unsafe-eval'") && !csp.contains("unsafe-inline"), "{csp}");

    let plain = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/api/v1/login", server.url());
    let body = json!({ "name": "root", "password": PASSWORD });
    ensure!(plain.post(&url).json(&body).send().await?.status() == 403, "no CSRF header, no change");
    let cross =
        plain.post(&url).header("x-lifeguard-csrf", "1").header("sec-fetch-site", "cross-site").json(&body);
    ensure!(cross.send().await?.status() == 403, "a cross-site request is refused");
    let foreign = plain.get(format!("{}/healthz", server.url())).header("host", "evil.example.com");
    ensure!(foreign.send().await?.status() == 400, "a foreign Host is refused");

    for i in 0..6 {
        let (status, e) =
            c.post("/api/v1/login", &json!({ "name": "root", "password": "guess guess" })).await?;
        ensure!(status == if i < 5 { 401 } else { 429 }, "attempt {i}: {status} {e}");
    }
    Ok(())
}

async fn account(s: &Sample, name: &str, role: &str) -> Result<Client> {
    run(&s.client, "New-LgAccount", json!({ "Name": name, "Role": role, "Password": PASSWORD })).await?;
    let c = s.server.client()?;
    c.login(name, PASSWORD).await?;
    Ok(c)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_helpdesk_reads_and_tests_and_changes_nothing() -> Result<()> {
    let s = Sample::start().await?;
    let desk = account(&s, "desk", "CsHelpDesk").await?;
    for path in
        ["overview", "pools", "topology", "endpoints", "users", "policies", "rooms", "tests", "shares"]
    {
        ensure!(desk.get(&format!("/api/v1/{path}")).await?.0 == 200, "{path}");
    }
    for path in ["audit", "accounts"] {
        ensure!(desk.get(&format!("/api/v1/{path}")).await?.0 == 403, "{path}");
    }
    ensure!(desk.post("/api/v1/drafts", &json!({})).await?.0 == 403);
    let mut refusals = 0;
    for spec in shared::cmdlets::ALL {
        if shared::roles::role_allows("CsHelpDesk", spec.name) {
            continue;
        }
        let (status, e) = desk.invoke(spec.name, &json!({ "args": {}, "confirmed": true })).await?;
        ensure!(
            status == 403 && e["message"].as_str().is_some_and(|m| m.contains("CsAdministrator")),
            "{}: {status} {e}",
            spec.name
        );
        refusals += 1;
    }
    ensure!(refusals > 20);
    // A role that is taken away ends the session at once.
    run(&s.client, "Set-LgAccount", json!({ "Identity": "desk", "Enabled": false })).await?;
    ensure!(desk.get("/api/v1/pools").await?.0 == 401);
    let e =
        refused(&s.client, "Set-LgAccount", json!({ "Identity": "root", "Role": "CsHelpDesk" }), 422).await?;
    ensure!(e["problems"][0]["code"] == "last.admin", "{e}");
    let (_, audit) = s.client.get("/api/v1/audit?limit=500").await?;
    let rows = audit.as_array().context("no audit")?;
    ensure!(rows.iter().filter(|r| r["actor"] == "desk" && r["outcome"] == "refused").count() >= 20);
    let text = audit.to_string();
    ensure!(
        !text.contains(PASSWORD) && s.users.iter().all(|u| !text.contains(&u.password)),
        "a secret stands in the audit"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_link_shows_states_without_login_until_it_is_revoked() -> Result<()> {
    let s = Sample::start().await?;
    let made = run(&s.client, "New-LgShare", json!({ "Label": "Helpdesk Redmond" })).await?;
    let link = made["output"][0]["Link"].as_str().context("no link")?;
    let path = link.strip_prefix(s.server.url()).context("another host")?.to_owned();
    let anyone = Client::new(s.server.url())?;
    let page = anyone.request(Method::GET, &path).send().await?;
    ensure!(
        page.headers()["x-robots-tag"] == "noindex, nofollow"
            && page.headers()["referrer-policy"] == "no-referrer"
    );
    let html = page.text().await?;
    for wanted in ["Chat is up.", "atl-cs-001.litwareinc.com", "Normal", "gc-001.litwareinc.com", "in use"] {
        ensure!(html.contains(wanted), "{wanted} is missing: {html}");
    }
    let data = anyone.get(&format!("{path}/data")).await?;
    ensure!(data.0 == 200 && data.1["pools"].as_array().is_some_and(|p| p.len() == 4));
    let (_, shares) = s.client.get("/api/v1/shares").await?;
    ensure!(shares["shares"][0]["uses"] == 1 && shares["reach_warning"].is_string(), "{shares}");
    run(&s.client, "Remove-LgShare", json!({ "Identity": "Helpdesk Redmond" })).await?;
    ensure!(anyone.request(Method::GET, &path).send().await?.status() == 404, "dead at once");
    ensure!(anyone.get(&format!("{path}/data")).await?.0 == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn openapi_names_every_cmdlet_and_plans_are_bound_to_what_was_shown() -> Result<()> {
    let s = Sample::start().await?;
    let (status, doc) = s.client.get("/api/v1/openapi.json").await?;
    ensure!(status == 200);
    for spec in shared::cmdlets::ALL {
        ensure!(doc["paths"][format!("/cmdlets/{}", spec.name)].is_object(), "{} is missing", spec.name);
    }
    let args = json!({ "Identity": "atl-gc-001.litwareinc.com", "ActiveServers": { "Remove": ["atl-gcs-001.litwareinc.com"] } });
    let (_, what_if) = s.client.cmdlet("Set-CsPersistentChatActiveServer", args.clone(), "what_if").await?;
    let fingerprint = what_if["plan"]["fingerprint"].clone();
    run(&s.client, "Set-CsPersistentChatActiveServer", args.clone()).await?;
    let (status, e) = s
        .client
        .invoke("Set-CsPersistentChatActiveServer", &json!({ "args": args, "fingerprint": fingerprint }))
        .await?;
    ensure!(status == 409 && e["code"] == "plan_changed", "{status} {e}");
    let op = "01890a5d-ac96-774b-bcce-b302099a8057";
    for _ in 0..2 {
        let inv = json!({ "args": { "Label": "once" }, "op_id": op });
        ensure!(s.client.invoke("New-LgShare", &inv).await?.0 == 200);
    }
    let (_, shares) = s.client.get("/api/v1/shares").await?;
    ensure!(shares["shares"].as_array().map(Vec::len) == Some(1), "the same op_id is applied once: {shares}");
    let (_, e): (u16, Value) = s.client.get("/api/v1/nowhere").await?;
    ensure!(e["code"] == "not_found" && e["request_id"].is_string(), "{e}");
    Ok(())
}
