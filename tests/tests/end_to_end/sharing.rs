//! Links for the helpdesk: scope, level, passphrase, test button, announcements.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sample, refused, run};

const POOL: &str = "atl-cs-001.litwareinc.com";

/// A browser without a session and without the page's header, and the link's path.
async fn link(s: &Sample, args: Value) -> Result<String> {
    let made = run(&s.client, "New-LgShare", args).await?;
    let url = made["output"][0]["Link"].as_str().context("no link")?;
    Ok(format!("/status/{}", url.rsplit('/').next().context("no token")?))
}

struct Page {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

async fn send(c: &reqwest::Client, s: &Sample, method: Method, path: &str, form: &str) -> Result<Page> {
    let url = format!("{}{path}", s.server.url().trim_end_matches('/'));
    let mut r = c.request(method.clone(), url);
    if method == Method::POST {
        r = r.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    }
    let r = r.send().await?;
    Ok(Page { status: r.status().as_u16(), headers: r.headers().clone(), text: r.text().await? })
}

fn browser() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_its_pools_at_its_level_in_page_and_json() -> Result<()> {
    let s = Sample::start().await?;
    let no_such = json!({ "Label": "x", "Pools": ["nowhere.litwareinc.com"] });
    refused(&s.client, "New-LgShare", no_such, 404).await?;
    run(&s.client, "New-LgAnnouncement", json!({ "Text": "Hats <b>on</b>" })).await?;
    let early = json!({ "Text": "x", "Kind": "Maintenance", "From": "2099-01-02", "Until": "2099-01-01" });
    ensure!(refused(&s.client, "New-LgAnnouncement", early, 400).await?["field"] == "Until");
    let planned =
        json!({ "Text": "New disks", "Kind": "Maintenance", "From": "2099-01-01", "Until": "2099-01-02" });
    run(&s.client, "New-LgAnnouncement", planned).await?;
    let (_, overview) = s.client.get("/api/v1/overview").await?;
    ensure!(overview["announcements"].as_array().is_some_and(|a| a.len() == 2), "{overview}");

    let path = link(&s, json!({ "Label": "Desk", "Pools": [POOL], "Level": "State" })).await?;
    let (b, stranger) = (browser()?, Client::new(s.server.url())?);
    let page = send(&b, &s, Method::GET, &path, "").await?;
    let (_, data) = stranger.get(&format!("{path}/status.json")).await?;
    for text in [page.text.clone(), data.to_string()] {
        ensure!(text.contains(POOL) && !text.contains("dub-pc-001") && !text.contains("gc-001"), "{text}");
        ensure!(!text.contains("atl-sql") && text.contains("New disks"), "{text}");
    }
    ensure!(
        page.text.contains("Hats &lt;b&gt;on") && page.text.contains("Planned maintenance"),
        "{}",
        page.text
    );
    ensure!(page.text.len() < 20_000 && !page.text.contains("Send a test message"));
    for (name, value) in [("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex, nofollow")] {
        ensure!(page.headers.get(name).is_some_and(|v| v == value), "{name}: {:?}", page.headers);
    }
    let full = link(&s, json!({ "Label": "Boss", "Level": "Procedure" })).await?;
    let full = send(&b, &s, Method::GET, &full, "").await?;
    ensure!(full.text.contains("dub-pc-001") && full.text.contains("<caption>Databases"), "{}", full.text);

    let list = run(&s.client, "Get-LgShare", json!({ "Identity": "Desk" })).await?;
    ensure!(list["output"][0]["Uses"] == 1 && list["output"][0]["Level"] == "State", "{list}");
    // A test that the link does not allow, or of a pool that it does not show, is refused.
    let press = send(&b, &s, Method::POST, &path, &format!("test={POOL}")).await?;
    ensure!(press.status == 403, "{}", press.status);
    run(&s.client, "Remove-LgShare", json!({ "Identity": "Desk" })).await?;
    ensure!(send(&b, &s, Method::GET, &path, "").await?.status == 404);
    ensure!(stranger.get(&format!("{path}/status.json")).await?.0 == 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_and_guessing_it_takes_longer_each_time() -> Result<()> {
    let s = Sample::start().await?;
    let secret = "open sesame 9";
    refused(&s.client, "New-LgShare", json!({ "Label": "x", "Passphrase": "short" }), 400).await?;
    let path = link(&s, json!({ "Label": "Night", "Passphrase": secret })).await?;
    let b = browser()?;
    let asked = send(&b, &s, Method::GET, &path, "").await?;
    ensure!(asked.text.contains("Passphrase") && !asked.text.contains(POOL), "{}", asked.text);
    for part in ["status.json", "data", "events"] {
        let closed = send(&b, &s, Method::GET, &format!("{path}/{part}"), "").await?;
        ensure!(closed.status == 401 && !closed.text.contains(POOL), "{part}: {}", closed.text);
    }
    let give = async |b: &reqwest::Client, p: &str| {
        send(b, &s, Method::POST, &path, &format!("passphrase={}", p.replace(' ', "+"))).await
    };
    ensure!(give(&b, "open sesame 8").await?.status == 403);
    let right = give(&b, secret).await?;
    let cookie = right.headers.get("set-cookie").and_then(|c| c.to_str().ok()).unwrap_or_default().to_owned();
    ensure!(
        right.status == 303 && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    ensure!(send(&b, &s, Method::GET, &path, "").await?.text.contains(POOL));
    ensure!(send(&b, &s, Method::GET, &format!("{path}/status.json"), "").await?.status == 200);
    // The cookie of one link opens no other.
    let other = link(&s, json!({ "Label": "Other", "Passphrase": "another one 7" })).await?;
    let value = cookie.split(';').next().unwrap_or_default().to_owned();
    let url = format!("{}{other}/status.json", s.server.url().trim_end_matches('/'));
    ensure!(browser()?.get(url).header("cookie", value).send().await?.status() == 401);
    let stranger = browser()?;
    for _ in 0..5 {
        ensure!(give(&stranger, "wrong wrong").await?.status == 403);
    }
    let late = give(&stranger, secret).await?;
    ensure!(late.status == 403 && late.text.contains("Too many wrong passphrases"), "{}", late.text);
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    ensure!(!audit.to_string().contains(secret), "the passphrase is in the audit");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_button_tests_that_pool_once_a_minute_and_is_audited_as_the_link() -> Result<()> {
    let s = Sample::start().await?;
    let path =
        link(&s, json!({ "Label": "Desk", "Pools": [POOL], "Level": "State", "MayRunTest": true })).await?;
    let b = browser()?;
    let place =
        |p: &Page| p.headers.get("location").and_then(|l| l.to_str().ok()).unwrap_or_default().to_owned();
    let form = format!("test={POOL}");
    let none = send(&b, &s, Method::POST, &path, &form).await?;
    ensure!(place(&none).ends_with("?users"), "{}", place(&none));
    for u in &s.users[..2] {
        let args = json!({ "SipAddress": u.sip, "UserName": u.logon, "Password": u.password });
        run(&s.client, "Set-CsTestUserCredential", args).await?;
    }
    // Two presses at once are one test.
    let (one, two) =
        tokio::join!(send(&b, &s, Method::POST, &path, &form), send(&b, &s, Method::POST, &path, &form));
    let mut words = [place(&one?), place(&two?)];
    words.sort();
    ensure!(words[0].ends_with("?sent") && words[1].ends_with("?wait"), "{words:?}");
    let elsewhere = send(&b, &s, Method::POST, &path, "test=dub-pc-001.litwareinc.com").await?;
    ensure!(elsewhere.status == 403, "a pool that the link does not show");
    let shown = wait::until("the verdict on the page", async || {
        let page = send(&b, &s, Method::GET, &path, "").await?;
        ensure!(page.text.contains("Last test message: Success ("), "{}", page.text);
        Ok(page.text)
    })
    .await?;
    ensure!(!shown.contains("pilar") && !shown.contains("atl-fe-001"), "{shown}");
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    let rows = audit.as_array().context("no audit")?;
    let row = rows.iter().find(|r| r["credential"] == "share").context("no row of the link")?;
    ensure!(row["actor"] == "link Desk" && row["cmdlet"] == "Test-CsPersistentChatMessage", "{row}");
    ensure!(s.users.iter().all(|u| !audit.to_string().contains(&u.password)), "a password in the audit");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_told_of_before_it_ends() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgShare", json!({ "Label": "night shift", "ExpiresInDays": 4 })).await?;
    run(&s.client, "New-LgShare", json!({ "Label": "today only", "ExpiresInDays": 1 })).await?;
    let ending = async || -> Result<Vec<String>> {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        let all = o["problems"].as_array().context("no problems")?;
        let about = all.iter().filter(|p| p["problem"]["code"] == "share.ending");
        Ok(about.map(|p| p["subject"].as_str().unwrap_or_default().to_owned()).collect())
    };
    ensure!(ending().await?.is_empty(), "a link that was just made is no news");
    // Two days pass.
    rusqlite::Connection::open(s.server.data_dir().join("management.db"))?.execute(
        "UPDATE share SET created = created - 172800000, expires = expires - 172800000 WHERE label = 'night shift'",
        [],
    )?;
    ensure!(ending().await? == ["night shift"], "{:?}", ending().await?);
    Ok(())
}
