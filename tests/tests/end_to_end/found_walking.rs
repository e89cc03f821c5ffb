//! What people stumbled over when they walked the product: each once in a real Chromium, or in the shell.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, By, Options, Server, target_dir, wait};
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::page::sign_in;
use crate::support::{PASSWORD, POOL, Sample, run};

async fn focus(b: &Browser, id: &str) -> Result<()> {
    wait::until(&format!("the focus at {id}"), async || {
        let at = b.script("return document.activeElement?.id ?? '';", vec![]).await?;
        ensure!(at == id, "it is at {at}");
        Ok(())
    })
    .await
}

async fn narrow(b: &Browser, name: &str) -> Result<()> {
    b.size(390, 844).await?;
    let wide = "const d = document.documentElement; return d.scrollWidth > d.clientWidth";
    let wide = b.script(wide, vec![]).await?;
    b.screenshot(&format!("walking-{name}-narrow")).await?;
    ensure!(wide == json!(false), "{name} scrolls sideways at 390 px");
    b.size(1280, 900).await
}

fn binary() -> std::path::PathBuf {
    std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_followed_in_both_shells_and_a_question_takes_the_keys() -> Result<()> {
    let s = Sample::start().await?;
    let line = format!("Test-LgFailover -Identity PersistentChatServer:{POOL}");
    let token = run(&s.client, "New-LgToken", json!({ "Label": "shell", "Role": "CsAdministrator" })).await?;
    let token = token["output"][0]["Token"].as_str().context("no token")?.to_owned();
    let out = Command::new(binary())
        .args(["shell", "--portal", s.server.url(), "-c", &line])
        .env("LIFEGUARD_TOKEN", token)
        .stdin(std::process::Stdio::null())
        .output()?;
    let told = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    ensure!(told.contains("Take the copy away") && !told.contains("no such test run"), "{told}");
    ensure!(told.contains("This is a rehearsal: the pool goes on as it is"), "{told}");

    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/shell", s.server.url())).await?;
    b.fill("Command line", "Get-Command").await?;
    b.click_button("Run").await?;
    b.wait_text("Test-LgFailover").await?;
    b.fill("Command line", &line).await?;
    b.click_button("Run").await?;
    b.wait_text("The copy is gone. Nothing of the pool was changed.").await?;
    wait::until("the newest line in sight", async || {
        let at = "const t = document.getElementById('shell-transcript');
            return [t.scrollHeight > t.clientHeight, Math.round(t.scrollHeight - t.clientHeight - t.scrollTop)];";
        let at = b.script(at, vec![]).await?;
        ensure!(at[0] == true && at[1].as_i64().is_some_and(|n| n <= 1), "{at}");
        Ok(())
    })
    .await?;
    b.screenshot("walking-rehearsal").await?;

    // A password goes into its own field, whatever had the keys before.
    let field = b.by_label("Command line").await?;
    field.clear().await?;
    field.send_keys("$cred = Get-Credential \"litwareinc\\pilar\"" + Key::Enter).await?;
    focus(&b, "shell-answer").await?;
    b.driver().action_chain().send_keys("hidden").perform().await?;
    b.assert_accessible("a question in the shell").await?;
    narrow(&b, "question").await?;
    ensure!(field.prop("value").await?.as_deref() == Some(""), "the password stands in the command line");
    b.driver().action_chain().send_keys(Key::Enter).perform().await?;
    focus(&b, "shell-input").await?;
    // A yes-or-no question does nothing when a key is held too long.
    field.send_keys("New-LgShare -Label Desk -Confirm" + Key::Enter).await?;
    focus(&b, "shell-answer").await?;
    b.screenshot("walking-confirm").await?;
    b.driver().action_chain().send_keys(Key::Enter).perform().await?;
    b.wait_text("Not confirmed; nothing was done.").await?;
    focus(&b, "shell-input").await?;
    ensure!(!b.text().await?.contains("hidden"), "the password is shown");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_visit_to_a_published_sample_offers_no_deployment() -> Result<()> {
    let server = Server::start(Options::litware()).await?;
    let c = server.client()?;
    let (_, session) = c.get("/api/v1/session").await?;
    ensure!(session["setup_published"] == true, "{session}");
    let token = server.setup_token().await?;
    let body = json!({ "token": token, "name": "root", "password": PASSWORD, "deployment": "litware" });
    let (status, e) = c.post("/api/v1/setup", &body).await?;
    ensure!(status == 409 && e["field"] == "deployment", "{status} {e}");
    let (_, session) = c.get("/api/v1/session").await?;
    ensure!(session["setup_needed"] == true, "an account was made: {session}");

    let b = Browser::start().await?;
    b.goto(&format!("{}/setup?token={token}", server.url())).await?;
    b.wait_text("A topology is published already; the portal begins with it.").await?;
    ensure!(!b.text().await?.contains("Begin with"), "a deployment is offered");
    b.fill("Log-on name", "ro ot").await?;
    b.fill("Password", "short").await?;
    b.fill("Password again", "short").await?;
    b.click_button("Create the administrator").await?;
    b.wait_text("A log-on name has 1 to 64 letters").await?;
    b.fill("Log-on name", "root").await?;
    b.click_button("Create the administrator").await?;
    b.wait_text("A password has 10 characters at least.").await?;
    ensure!(!b.text().await?.contains("Request "), "it stands in a box at the foot");
    b.assert_accessible("set-up with a topology").await?;
    b.screenshot("walking-setup").await?;
    narrow(&b, "setup").await?;
    // Somebody else is quicker.
    let body = json!({ "token": token, "name": "root", "password": PASSWORD, "deployment": "empty" });
    ensure!(c.post("/api/v1/setup", &body).await?.0 == 200);
    b.fill("Password", PASSWORD).await?;
    b.fill("Password again", PASSWORD).await?;
    b.click_button("Create the administrator").await?;
    b.wait_text("The first administrator exists already.").await?;
    b.click_button("Sign in").await?;
    b.wait_text("No account?").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_ones_own_is_given_to_accounts_and_tokens() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-CsAdminRole", json!({ "Identity": "RedmondOps", "Template": "CsHelpDesk" })).await?;
    let create = |more: &[&str]| -> Result<(bool, String)> {
        let out = Command::new(binary())
            .args(["token", "create", "--data-dir"])
            .arg(s.server.data_dir())
            .args(more)
            .output()?;
        let text =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        Ok((out.status.success(), text))
    };
    let (made, text) = create(&["--role", "redmondops", "--label", "ops"])?;
    ensure!(made && text.starts_with("lg_"), "{text}");
    let (made, text) = create(&["--role", "Nobody", "--label", "x"])?;
    ensure!(!made && text.contains("CsAdministrator") && text.contains("RedmondOps"), "{text}");
    let (made, text) = create(&["--role", "RedmondOps", "--label", "x", "--days", "0"])?;
    ensure!(!made && text.contains("ended already"), "{text}");

    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/settings", s.server.url())).await?;
    b.fill("Log-on name", "nina").await?;
    wait::until("the role in the list", async || {
        let options = "return [...document.querySelectorAll('select[name=Role] option')].map(o => o.value);";
        let options = b.script(options, vec![]).await?;
        ensure!(options.as_array().is_some_and(|o| o.contains(&json!("RedmondOps"))), "{options}");
        Ok(())
    })
    .await?;
    b.by_label("Role").await?.send_keys("RedmondOps").await?;
    b.click_button("Create the account nina").await?;
    b.wait_text("This is shown once").await?;
    b.click_button("Close").await?;
    b.click_button("Change nina").await?;
    wait::until("the role of the account", async || {
        let value = b.script("return document.querySelector('dialog[open] select').value;", vec![]).await?;
        ensure!(value == "RedmondOps", "{value}");
        Ok(())
    })
    .await?;
    b.screenshot("walking-own-role").await?;
    ensure!(b.console_errors().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_mended_is_checked_anew() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/users/import", s.server.url())).await?;
    b.wait_text("From a table that a spreadsheet saved").await?;
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("people.csv");
    let head = "SipAddress;DisplayName;LogonName;RegistrarPool\r\n";
    let row = |pool: &str| format!("{head}sip:zoe@litwareinc.com;Zoe;LITWAREINC\\zoe;{pool}\r\n");
    let choose = async || -> Result<()> {
        let input = b.driver().find(By::Css("input[type=file]")).await?;
        Ok(input.send_keys(file.to_string_lossy().as_ref()).await?)
    };
    std::fs::write(&file, row("nowhere.example.com"))?;
    choose().await?;
    b.click_button("Check the file").await?;
    b.wait_text("Nothing can be imported yet").await?;
    std::fs::write(&file, row("atl-fe-001.litwareinc.com"))?;
    b.click_button("Check the file").await?;
    // Chromium does not read a file that changed under it; then a person is told what to do.
    b.wait_text("Choose the file again.").await?;
    b.screenshot("walking-import-again").await?;
    b.script("document.querySelector('input[type=file]').click();", vec![]).await?;
    let left = b.script("return document.querySelector('input[type=file]').files.length;", vec![]).await?;
    ensure!(left == 0, "the same file would not count as a choice");
    choose().await?;
    b.click_button("Check the file").await?;
    b.wait_text("What the file does").await?;
    b.wait_no_text("Nothing can be imported yet").await?;
    b.click_button("Import the users").await?;
    b.wait_text("1 user was created.").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_a_computer_is_changed_and_the_form_stays_filled() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    let (_, t) = s.client.get("/api/v1/topology").await?;
    let pools = t["draft"]["pools"].as_array().context("no pools")?;
    let pool = pools.iter().find(|p| p["fqdn"] == POOL).context("none")?;
    let server = pool["computers"][0]["fqdn"].as_str().context("no server")?.to_owned();
    let id = pool["id"].as_str().context("no id")?;
    b.goto(&format!("{}/topology/object/pool/{id}", s.server.url())).await?;
    b.wait_text("Edit properties").await?;
    b.script("document.querySelector('.edit-object > summary').click();", vec![]).await?;
    b.wait_text(&format!("Where {server} runs: ")).await?;
    b.script("document.querySelector('.edit-place > summary').click();", vec![]).await?;
    b.by_label("At this address").await?.click().await?;
    b.fill("Address", "192.0.2.7").await?;
    b.assert_accessible("edit properties").await?;
    b.screenshot("walking-edit-place").await?;
    narrow(&b, "edit-place").await?;
    b.click_button(&format!("Change {POOL} in the draft")).await?;
    wait::until("the change in the draft", async || {
        let (_, t) = s.client.get("/api/v1/topology").await?;
        let now = &t["draft"]["pools"];
        let p = now.as_array().and_then(|l| l.iter().find(|p| p["id"] == id)).context("gone")?;
        ensure!(p["computers"][0]["placement"].to_string().contains("192.0.2.7"), "{p}");
        ensure!(p["computers"][1]["placement"] == pool["computers"][1]["placement"], "{p}");
        Ok(())
    })
    .await?;
    // The panel stays open, and shows what is stored now.
    wait::until("the form made anew", async || {
        let n = "return document.querySelectorAll('.edit-object[open] .edit-place').length;";
        let n = b.script(n, vec![]).await?;
        ensure!(n.as_u64().is_some_and(|n| n > 1), "{n}");
        ensure!(b.text().await?.contains("192.0.2.7"), "the new place is not shown");
        Ok(())
    })
    .await?;
    b.screenshot("walking-edit-saved").await?;
    let wrong = json!({ "Fqdn": "sql09.litwareinc.com", "Placement": "10.0.0.9" });
    let e = crate::support::refused(&s.client, "New-LgSqlStore", wrong, 400).await?;
    ensure!(e["field"] == "Placement" && e["message"].to_string().contains("Guided"), "{e}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_typed_is_in_sight_and_a_finished_draft_says_so_calmly() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/pools/{POOL}/state", s.server.url())).await?;
    b.wait_text("Guided failover").await?;
    b.click_button("Fail over atl-cs-001 in steps").await?;
    b.wait_text("to confirm").await?;
    let seen = "const i = document.querySelector('.dialog-foot input')?.getBoundingClientRect();
        return !!i && i.top > 0 && i.bottom < innerHeight;";
    wait::until("the field in sight", async || {
        let seen = b.script(seen, vec![]).await?;
        ensure!(seen == true, "it is not");
        Ok(())
    })
    .await?;
    ensure!(b.text().await?.contains("Type "), "nothing says what is missing");
    b.assert_accessible("a plan with a name to type").await?;
    b.screenshot("walking-plan").await?;
    narrow(&b, "plan").await?;
    b.click_button("Cancel").await?;

    let (status, d) = s.client.post("/api/v1/drafts", &json!({})).await?;
    ensure!(status == 200, "{d}");
    let id = d["id"].as_str().context("no id")?.to_owned();
    ensure!(s.client.delete(&format!("/api/v1/drafts/{id}")).await?.0 < 300);
    b.goto(&format!("{}/topology/new-pool/{id}/fqdn", s.server.url())).await?;
    b.wait_text("This draft was finished or discarded.").await?;
    b.by_role("link", "Publish now").await?;
    b.screenshot("walking-draft-gone").await?;
    // The tab that finished it knows the pool.
    b.script(
        "sessionStorage.setItem(`lifeguard-finished-${arguments[0]}`, arguments[1]);",
        vec![json!(id), json!(POOL)],
    )
    .await?;
    b.driver().refresh().await?;
    b.wait_text(&format!("{POOL} is in the topology draft")).await?;
    b.by_role("link", "Show the pool").await?;

    b.goto(&format!("{}/users/new", s.server.url())).await?;
    b.fill("Display name", &"x".repeat(280)).await?;
    b.fill("SIP address", "sip:x@litwareinc.com").await?;
    b.wait_text("256 characters at most; these are 280.").await?;
    b.screenshot("walking-long-name").await?;
    let wide = b.script("return document.documentElement.scrollWidth > innerWidth", vec![]).await?;
    ensure!(wide == false, "a long name makes the page wide");
    narrow(&b, "long-name").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_and_a_chat_server_as_target_are_named() -> Result<()> {
    let s = Sample::start().await?;
    let mut nobody = s.users[0].clone();
    (nobody.sip, nobody.logon) = ("sip:nobody@litwareinc.com".to_owned(), "litwareinc\\nobody".to_owned());
    let t = s.test(&nobody, &s.users[1], json!({})).await?;
    let text = t["report"]["diagnosis"]["text"].as_str().unwrap_or_default();
    let cause = &t["report"]["diagnosis"]["cause"];
    ensure!(
        cause == "unknown_user" || text.starts_with("sip:nobody@litwareinc.com is not in this deployment's"),
        "{t}"
    );
    let (_, p) = s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
    let server = p["summary"]["servers"][0]["report"]["fqdn"].as_str().context("no server")?;
    let args: Value = json!({ "TargetFqdn": server, "SenderSipAddress": s.users[0].sip,
        "SenderCredential": { "UserName": s.users[0].logon, "Password": s.users[0].password },
        "ReceiverSipAddress": s.users[1].sip,
        "ReceiverCredential": { "UserName": s.users[1].logon, "Password": s.users[1].password } });
    let e = crate::support::refused(&s.client, "Test-CsPersistentChatMessage", args, 400).await?;
    ensure!(
        e["field"] == "TargetFqdn" && e["message"].to_string().contains("is a Persistent Chat server"),
        "{e}"
    );
    Ok(())
}

/// As a telephone shows them: with its own kind of viewport, which grows with what sticks out of the page.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_as_wide_as_the_telephone() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.telephone().await?;
    let mut wrong = Vec::new();
    for (path, text) in [
        (format!("/pools/{POOL}"), "atl-cs-001"),
        (format!("/pools/{POOL}/servers"), "gc-006"),
        ("/settings/alerts".to_owned(), "Who is told"),
        ("/users".to_owned(), "Pilar Ackerman"),
    ] {
        b.goto(&format!("{}{path}", s.server.url())).await?;
        b.wait_text(text).await?;
        let out = "const d = document.documentElement;
            return [innerWidth, d.clientWidth, d.scrollWidth, ...[...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > 391).map(e => e.outerHTML.slice(0, 100))];";
        let out = b.script(out, vec![]).await?;
        b.screenshot(&format!("walking-telephone{}", path.replace('/', "-"))).await?;
        if [&out[0], &out[1], &out[2]].iter().any(|w| w.as_u64().is_none_or(|w| w > 390)) {
            wrong.push(format!("{path}: {out}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
