//! How people come to a password of their own: one-time links, forced changes, the second factor, and what
//! everybody may do with the own account.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, target_dir, wait};
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::{PASSWORD, Sample, refused, run};

const OWN: &str = "a password of my own";

fn token_of(answer: &Value) -> Result<String> {
    let link = answer["output"][0]["Link"].as_str().context("no link")?;
    let (page, token) = link.split_once("/set-password#").context("not the page of links")?;
    ensure!(page.starts_with("http") && token.len() == 64, "{link}");
    Ok(token.to_owned())
}

/// Everything that the portal keeps or printed, to look for a secret in it.
async fn kept(s: &Sample) -> Result<String> {
    let (_, audit) = s.client.get("/api/v1/audit?limit=500").await?;
    let c = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    let rows: Vec<String> = c
        .prepare("SELECT document || detail FROM audit UNION ALL SELECT hex(token_hash) || subject FROM password_link")?
        .query_map([], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(format!("{audit} {} {}", rows.join(" "), s.server.printed()))
}

async fn login(c: &Client, name: &str, password: &str, code: Option<&str>) -> Result<(u16, Value)> {
    c.post("/api/v1/login", &json!({ "name": name, "password": password, "code": code })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_sets_a_password_once() -> Result<()> {
    let s = Sample::start().await?;
    let both = json!({ "Name": "nina", "Role": "CsHelpDesk", "Password": PASSWORD, "OneTimeLink": true });
    ensure!(refused(&s.client, "New-LgAccount", both, 400).await?["field"] == "Password");
    let long = json!({ "Name": "nina", "Role": "CsHelpDesk", "OneTimeLink": true, "LinkHours": 721 });
    ensure!(refused(&s.client, "New-LgAccount", long, 400).await?["field"] == "LinkHours");
    let args = json!({ "Name": "nina", "Role": "CsHelpDesk", "OneTimeLink": true });
    let token = token_of(&run(&s.client, "New-LgAccount", args).await?)?;
    let list = run(&s.client, "Get-LgPasswordLink", json!({})).await?;
    ensure!(list["output"][0]["Subject"] == "nina" && !list.to_string().contains(&token), "{list}");
    let (_, accounts) = s.client.get("/api/v1/accounts").await?;
    ensure!(accounts[0]["waiting"] == "One-time link not used yet", "{accounts}");

    let nina = s.server.client()?;
    let (status, view) = nina.post("/api/v1/links/look", &json!({ "token": token })).await?;
    ensure!(status == 200 && view["name"] == "nina" && view["shortest"] == 10, "{view}");
    let use_up = |password: &str| json!({ "token": token, "password": password });
    let (status, e) = nina.post("/api/v1/links/use", &use_up("short")).await?;
    ensure!(status == 400 && e["field"] == "password", "{e}");
    // A page of another origin gets nowhere, and of two at once one wins.
    let plain = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/api/v1/links/use", s.server.url());
    ensure!(plain.post(&url).json(&use_up(OWN)).send().await?.status() == 403);
    let body = use_up(OWN);
    let (a, b) = tokio::join!(nina.post("/api/v1/links/use", &body), nina.post("/api/v1/links/use", &body));
    let mut answers = [a?.0, b?.0];
    answers.sort_unstable();
    ensure!(answers == [200, 404], "{answers:?}");
    ensure!(nina.post("/api/v1/links/look", &json!({ "token": token })).await?.0 == 404);
    // The password is the person's own: nothing is asked at the first sign-in.
    let (status, session) = login(&nina, "nina", OWN, None).await?;
    ensure!(status == 200 && session["account"]["must_change"] == false, "{session}");
    ensure!(nina.get("/api/v1/pools").await?.0 == 200);

    // A reset by link ends the password and the sessions; a new link kills the one before, and can be taken back.
    let reset = json!({ "Identity": "nina", "OneTimeLink": true });
    let first = token_of(&run(&s.client, "Set-LgAccount", reset.clone()).await?)?;
    ensure!(nina.get("/api/v1/pools").await?.0 == 401);
    ensure!(login(&nina, "nina", OWN, None).await?.0 == 401);
    let second = token_of(&run(&s.client, "Set-LgAccount", reset).await?)?;
    ensure!(nina.post("/api/v1/links/look", &json!({ "token": first })).await?.0 == 404);
    ensure!(nina.post("/api/v1/links/look", &json!({ "token": second })).await?.0 == 200);
    run(&s.client, "Remove-LgPasswordLink", json!({ "Identity": "nina" })).await?;
    ensure!(nina.post("/api/v1/links/look", &json!({ "token": second })).await?.0 == 404);
    let kept = kept(&s).await?;
    ensure!([&token, &first, &second].iter().all(|t| !kept.contains(t.as_str())), "a token is kept");
    ensure!(kept.contains("Set password by link") && !kept.contains(OWN));
    // Guesses are held back, for this address only.
    let mut status = 0;
    for i in 0..8 {
        status = nina.post("/api/v1/links/look", &json!({ "token": format!("{i:064}") })).await?.0;
    }
    ensure!(status == 429, "{status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_in_time_and_with_its_account() -> Result<()> {
    let s = Sample::start().await?;
    let args = json!({ "Name": "nina", "Role": "CsHelpDesk", "OneTimeLink": true, "LinkHours": 1 });
    let token = token_of(&run(&s.client, "New-LgAccount", args).await?)?;
    let look = async || {
        Ok::<_, anyhow::Error>(s.client.post("/api/v1/links/look", &json!({ "token": token })).await?.0)
    };
    let enabled =
        async |on: bool| run(&s.client, "Set-LgAccount", json!({ "Identity": "nina", "Enabled": on })).await;
    enabled(false).await?;
    ensure!(look().await? == 404, "a disabled account");
    enabled(true).await?;
    ensure!(look().await? == 200);
    let c = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    c.busy_timeout(std::time::Duration::from_secs(10))?;
    let hours: i64 =
        c.query_row("SELECT (expires - created) / 3600000 FROM password_link", [], |r| r.get(0))?;
    ensure!(hours == 1, "{hours}");
    c.execute("UPDATE password_link SET expires = created", [])?;
    ensure!(look().await? == 404, "it has ended");
    ensure!(run(&s.client, "Get-LgPasswordLink", json!({})).await?["output"] == json!([]));
    Ok(())
}

/// Every resource, act and stream refuses this session.
async fn everything_is_refused(c: &Client) -> Result<()> {
    let first = |status: u16, e: &Value, what: &str| -> Result<()> {
        ensure!(status == 403 && e["code"] == "password_change_required", "{what}: {status} {e}");
        Ok(())
    };
    let (_, api) = c.get("/api/v1/openapi.json").await?;
    let paths = api["paths"].as_object().context("no paths")?;
    let mut seen = 0;
    for (path, operations) in paths {
        // What needs no session, and what is the person's way out.
        let open = [
            "/session",
            "/login",
            "/logout",
            "/setup",
            "/readyz",
            "/healthz",
            "/openapi.json",
            "/links/look",
            "/links/use",
            "/me/password",
        ];
        if open.contains(&path.as_str()) || path.starts_with("/status/") {
            continue;
        }
        let real = path.replace("{id}", "1").replace("{fqdn}", "atl-cs-001.litwareinc.com");
        let real = if path == "/metrics" { real } else { format!("/api/v1{real}") };
        let methods = operations.as_object().context("no operations")?.keys().filter(|m| *m != "servers");
        for method in methods {
            let body = match path.as_str() {
                "/me/second-factor" | "/me/second-factor/remove" => json!({ "password": PASSWORD }),
                "/me/second-factor/confirm" => json!({ "code": "123456" }),
                "/me/end" => json!({ "id": "all" }),
                "/drafts/{id}" => json!({ "revision": 1, "path": "name", "value": "x" }),
                _ => json!({ "args": {}, "confirmed": true }),
            };
            let (status, e) = match method.as_str() {
                "get" => c.get(&real).await?,
                "post" => c.post(&real, &body).await?,
                "patch" => c.patch(&real, &body).await?,
                "delete" => c.delete(&real).await?,
                other => anyhow::bail!("{other} {path} is not tried"),
            };
            first(status, &e, &format!("{method} {real}"))?;
            seen += 1;
        }
    }
    ensure!(seen > shared::cmdlets::ALL.len() + 20, "{seen}");
    for (method, path) in [(Method::POST, "drafts"), (Method::DELETE, "drafts/1"), (Method::GET, "events")] {
        let r = c.request(method, &format!("/api/v1/{path}")).json(&json!({})).send().await?;
        let status = r.status().as_u16();
        first(status, &r.json().await?, path)?;
    }
    for path in ["audit/export", "test-history/export", "tests/1/messages.txt"] {
        let (status, e) = c.get(&format!("/api/v1/{path}")).await?;
        first(status, &e, path)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_somebody_elses_is_changed_before_anything_else() -> Result<()> {
    let s = Sample::start().await?;
    run(
        &s.client,
        "New-LgAccount",
        json!({ "Name": "nina", "Role": "CsAdministrator", "Password": PASSWORD }),
    )
    .await?;
    let nina = s.server.client()?;
    let (status, session) = login(&nina, "nina", PASSWORD, None).await?;
    ensure!(status == 200 && session["account"]["must_change"] == true, "{session}");
    everything_is_refused(&nina).await?;
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    for (body, field) in [
        (change(PASSWORD, PASSWORD), "new"),
        (change(PASSWORD, "short"), "new"),
        (change("wrong", OWN), "old"),
    ] {
        let (status, e) = nina.post("/api/v1/me/password", &body).await?;
        ensure!(status == 400 && e["field"] == field, "{body}: {status} {e}");
    }
    let (status, session) = nina.post("/api/v1/me/password", &change(PASSWORD, OWN)).await?;
    ensure!(status == 200 && session["account"]["must_change"] == false, "{session}");
    ensure!(nina.get("/api/v1/pools").await?.0 == 200);
    // A stream that was open ends when an administrator sets another password, and the new session is held.
    let mut stream = nina.request(Method::GET, "/api/v1/events").send().await?;
    ensure!(stream.status() == 200);
    run(&s.client, "Set-LgAccount", json!({ "Identity": "nina", "Password": PASSWORD })).await?;
    tokio::time::timeout(wait::LIMIT, async {
        while stream.chunk().await?.is_some() {}
        Ok::<_, anyhow::Error>(())
    })
    .await
    .context("the stream goes on")??;
    ensure!(login(&nina, "nina", PASSWORD, None).await?.1["account"]["must_change"] == true);
    everything_is_refused(&nina).await?;
    // One's own password is not set past the question for the old one.
    let own = json!({ "Identity": "ROOT", "Password": "correct horse 99" });
    ensure!(refused(&s.client, "Set-LgAccount", own, 400).await?["field"] == "Password");
    let kept = kept(&s).await?;
    ensure!(kept.contains("Change own password") && !kept.contains(OWN) && !kept.contains(PASSWORD));
    Ok(())
}

/// An authenticator app.
struct App(totp_rs::Totp);

impl App {
    fn new(offer: &Value) -> Result<Self> {
        let secret = offer["secret"].as_str().context("no secret")?;
        let secret = Secret::try_from_base32(secret).map_err(|e| anyhow::anyhow!("{e:?}"))?;
        Ok(Self(Builder::new().with_secret(secret).build().map_err(|e| anyhow::anyhow!("{e:?}"))?))
    }

    /// The code of so many steps from now.
    fn code(&self, steps: i64) -> Result<String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        Ok(self.0.generate(now.saturating_add_signed(steps * 30)).to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_no_code_counts_twice() -> Result<()> {
    let s = Sample::start().await?;
    let root = &s.client;
    let (status, e) = root.post("/api/v1/me/second-factor", &json!({ "password": "wrong" })).await?;
    ensure!(status == 400 && e["field"] == "password", "{e}");
    let (status, offer) = root.post("/api/v1/me/second-factor", &json!({ "password": PASSWORD })).await?;
    ensure!(
        status == 200 && offer["picture"].as_str().is_some_and(|p| p.starts_with("data:image/svg")),
        "{offer}"
    );
    let app = App::new(&offer)?;
    let secret = offer["secret"].as_str().context("no secret")?;
    ensure!(offer["uri"].as_str().is_some_and(|u| u.starts_with("otpauth://totp/") && u.contains(secret)));
    // Nothing is asked for before the first code came.
    ensure!(login(&s.server.client()?, "root", PASSWORD, None).await?.0 == 200);
    let confirm = |code: &str| json!({ "code": code });
    ensure!(root.post("/api/v1/me/second-factor/confirm", &confirm("000")).await?.0 == 400);
    let used = app.code(-1)?;
    let (status, codes) = root.post("/api/v1/me/second-factor/confirm", &confirm(&used)).await?;
    let codes: Vec<String> = serde_json::from_value(codes["codes"].clone())?;
    ensure!(status == 200 && codes.len() == 8, "{codes:?}");

    let c = s.server.client()?;
    let refused_code = async |code: Option<&str>| -> Result<()> {
        let (status, e) = login(&c, "root", PASSWORD, code).await?;
        ensure!(
            status == 401 && e["code"] == "second_factor_required" && e["field"] == "code",
            "{status} {e}"
        );
        ensure!(c.get("/api/v1/pools").await?.0 == 401);
        Ok(())
    };
    refused_code(None).await?;
    refused_code(Some(&used)).await?;
    // A code without the password says nothing about either.
    let (status, e) = login(&c, "root", "wrong horse 99", Some(&app.code(0)?)).await?;
    ensure!(status == 401 && e["code"] == "unauthenticated", "{e}");
    let code = app.code(0)?;
    ensure!(login(&c, "root", PASSWORD, Some(&code)).await?.0 == 200);
    c.post("/api/v1/logout", &json!({})).await?;
    refused_code(Some(&code)).await?;
    ensure!(login(&c, "root", PASSWORD, Some(&codes[3].to_uppercase())).await?.0 == 200, "a recovery code");
    let (_, me) = c.get("/api/v1/me").await?;
    ensure!(me["second_factor"] == true && me["recovery_codes"] == 7, "{me}");
    c.post("/api/v1/logout", &json!({})).await?;
    refused_code(Some(&codes[3])).await?;
    // Guesses at codes are counted like guesses at passwords, though the password is right each time.
    let mut last = (0, Value::Null);
    for _ in 0..6 {
        last = login(&c, "root", PASSWORD, Some("000000")).await?;
    }
    ensure!(last.0 == 429, "{last:?}");
    let db = std::fs::read(s.server.data_dir().join("management.db"))?;
    let wal = std::fs::read(s.server.data_dir().join("management.db-wal")).unwrap_or_default();
    let holds = |text: &str| [&db, &wal].iter().any(|f| f.windows(text.len()).any(|w| w == text.as_bytes()));
    ensure!(
        holds("root") && !holds(secret) && codes.iter().all(|c| !holds(c)),
        "a secret lies open in the store"
    );
    let kept = kept(&s).await?;
    ensure!(!kept.contains(secret) && codes.iter().all(|c| !kept.contains(c)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_second_factor_is_removed_by_oneself_an_administrator_or_the_host() -> Result<()> {
    let s = Sample::start().await?;
    let args = json!({ "Name": "nina", "Role": "CsHelpDesk", "Password": PASSWORD });
    run(&s.client, "New-LgAccount", args).await?;
    let nina = s.server.client()?;
    nina.login("nina", PASSWORD).await?;
    let own = format!("{PASSWORD}{}", lifeguard_tests::OWN);
    let enrol = async || -> Result<()> {
        let (_, offer) = nina.post("/api/v1/me/second-factor", &json!({ "password": own })).await?;
        let code = App::new(&offer)?.code(0)?;
        let (status, e) = nina.post("/api/v1/me/second-factor/confirm", &json!({ "code": code })).await?;
        ensure!(status == 200, "{e}");
        Ok(())
    };
    enrol().await?;
    ensure!(nina.post("/api/v1/me/second-factor", &json!({ "password": own })).await?.0 == 409);
    ensure!(nina.post("/api/v1/me/second-factor/remove", &json!({ "password": "wrong" })).await?.0 == 400);
    let (_, me) = nina.post("/api/v1/me/second-factor/remove", &json!({ "password": own })).await?;
    ensure!(me["second_factor"] == false && me["recovery_codes"] == 0, "{me}");
    enrol().await?;
    refused(&nina, "Remove-LgSecondFactor", json!({ "Identity": "nina" }), 403).await?;
    run(&s.client, "Remove-LgSecondFactor", json!({ "Identity": "nina" })).await?;
    ensure!(nina.get("/api/v1/me").await?.0 == 401, "its sessions ended");
    refused(&s.client, "Remove-LgSecondFactor", json!({ "Identity": "nina" }), 404).await?;
    ensure!(login(&nina, "nina", &own, None).await?.0 == 200);
    enrol().await?;
    let bin =
        std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into);
    let reset = Command::new(bin)
        .args(["admin", "reset-password", "nina", "--data-dir"])
        .arg(s.server.data_dir())
        .output()?;
    let text = String::from_utf8(reset.stdout)?;
    let password = text.trim().rsplit(' ').next().context("no password")?;
    let (status, session) = login(&nina, "nina", password, None).await?;
    ensure!(status == 200 && session["account"]["must_change"] == true, "{session}");
    everything_is_refused(&nina).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_and_ends_ones_own_sessions_and_tokens_only() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgAccount", json!({ "Name": "desk", "Role": "CsHelpDesk", "Password": PASSWORD }))
        .await?;
    let (desk, other) = (s.server.client()?, s.server.client()?);
    desk.login("desk", PASSWORD).await?;
    other.login("desk", &format!("{PASSWORD}{}", lifeguard_tests::OWN)).await?;
    let made = run(&s.client, "New-LgToken", json!({ "Label": "report", "Role": "CsHelpDesk" })).await?;
    let token = made["output"][0]["Token"].as_str().context("no token")?.to_owned();
    let (_, root) = s.client.get("/api/v1/me").await?;
    ensure!(
        root["tokens"][0]["name"] == "report" && root["sessions"].as_array().is_some_and(|a| a.len() == 1),
        "{root}"
    );
    let (_, me) = desk.get("/api/v1/me").await?;
    let sessions = me["sessions"].as_array().context("no sessions")?;
    ensure!(sessions.len() == 2 && me["tokens"] == json!([]), "{me}");
    let end = |id: &Value| json!({ "id": id });
    for foreign in [&root["current"], &root["tokens"][0]["id"]] {
        ensure!(desk.post("/api/v1/me/end", &end(foreign)).await?.0 == 404);
    }
    let theirs = sessions.iter().find(|x| x["id"] != me["current"]).context("one session only")?;
    ensure!(desk.post("/api/v1/me/end", &end(&theirs["id"])).await?.1["account"]["name"] == "desk");
    ensure!(other.get("/api/v1/me").await?.0 == 401 && desk.get("/api/v1/me").await?.0 == 200);
    // A new password ends the other sessions, and "everywhere" this one too.
    let own = format!("{PASSWORD}{}", lifeguard_tests::OWN);
    ensure!(login(&other, "desk", &own, None).await?.0 == 200);
    let change = json!({ "old": own, "new": OWN });
    ensure!(desk.post("/api/v1/me/password", &change).await?.0 == 200);
    ensure!(other.get("/api/v1/me").await?.0 == 401 && desk.get("/api/v1/me").await?.0 == 200);
    ensure!(desk.post("/api/v1/me/end", &json!({ "id": "all" })).await?.1["account"].is_null());
    ensure!(desk.get("/api/v1/me").await?.0 == 401);
    // A token is nobody's session.
    let url = format!("{}/api/v1/me", s.server.url());
    ensure!(reqwest::Client::new().get(url).bearer_auth(&token).send().await?.status() == 401);
    ensure!(s.client.post("/api/v1/me/end", &end(&root["tokens"][0]["id"])).await?.0 == 200);
    let url = format!("{}/api/v1/pools", s.server.url());
    ensure!(reqwest::Client::new().get(url).bearer_auth(&token).send().await?.status() == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_user_sets_a_password_by_link_and_signs_on_with_it() -> Result<()> {
    let s = Sample::start().await?;
    let nina = json!({
        "SipAddress": "sip:Nina@litwareinc.com", "DisplayName": "Nina Vietzen", "LogonName": "LITWAREINC\\nina",
        "RegistrarPool": "atl-fe-001.litwareinc.com", "OneTimeLink": true, "LinkHours": 2,
    });
    let token = token_of(&run(&s.client, "New-LgUser", nina).await?)?;
    let grant = json!({ "Identity": "sip:nina@litwareinc.com", "PolicyName": "LitwarePersistentChat" });
    run(&s.client, "Grant-CsPersistentChatPolicy", grant).await?;
    let set = async |users: &Value| {
        let all = users["users"].as_array().cloned().unwrap_or_default();
        all.iter().find(|u| u["sip_address"] == "sip:nina@litwareinc.com").map(|u| u["password_set"] == true)
    };
    ensure!(set(&s.client.get("/api/v1/users").await?.1).await == Some(false));
    let mut user = crate::support::User {
        sip: "sip:nina@litwareinc.com".to_owned(),
        logon: "LITWAREINC\\nina".to_owned(),
        password: "nina's own 7".to_owned(),
    };
    let before = s.test(&user, &s.users[0], json!({})).await?;
    ensure!(before["summary"]["state"] == "failure", "without a password nobody signs on: {before}");
    let stranger = s.server.client()?;
    let (_, view) = stranger.post("/api/v1/links/look", &json!({ "token": token })).await?;
    ensure!(view["kind"] == "user" && view["sip_address"] == user.sip && view["shortest"] == 8, "{view}");
    let used = json!({ "token": token, "password": user.password });
    let (status, e) = stranger.post("/api/v1/links/use", &used).await?;
    ensure!(status == 200, "{e}");
    ensure!(stranger.post("/api/v1/links/use", &used).await?.0 == 404);
    ensure!(set(&s.client.get("/api/v1/users").await?.1).await == Some(true));
    let after = s.test(&user, &s.users[0], json!({})).await?;
    ensure!(after["summary"]["state"] == "success", "{}", after["printed"].as_str().unwrap_or_default());
    // A reset by link ends the old password at once; who administers users sees these links and no others.
    run(
        &s.client,
        "New-LgAccount",
        json!({ "Name": "people", "Role": "CsUserAdministrator", "Password": PASSWORD }),
    )
    .await?;
    run(&s.client, "New-LgAccount", json!({ "Name": "later", "Role": "CsHelpDesk", "OneTimeLink": true }))
        .await?;
    let people = s.server.client()?;
    people.login("people", PASSWORD).await?;
    let reset =
        run(&people, "Reset-LgUserPassword", json!({ "Identity": user.sip, "OneTimeLink": true })).await?;
    let second = token_of(&reset)?;
    let after = s.test(&user, &s.users[0], json!({})).await?;
    ensure!(after["summary"]["state"] == "failure", "the old password still works");
    let list = run(&people, "Get-LgPasswordLink", json!({})).await?;
    ensure!(list["output"].as_array().is_some_and(|l| l.len() == 1 && l[0]["Subject"] == user.sip), "{list}");
    refused(&people, "Remove-LgPasswordLink", json!({ "Identity": "later" }), 404).await?;
    // With the user the link is gone, also for a new one of the same name.
    run(&people, "Remove-LgUser", json!({ "Identity": user.sip })).await?;
    ensure!(stranger.post("/api/v1/links/look", &json!({ "token": second })).await?.0 == 404);
    let kept = kept(&s).await?;
    user.password.push(' ');
    ensure!(!kept.contains(&token) && !kept.contains(user.password.trim()), "a secret is kept");
    Ok(())
}
