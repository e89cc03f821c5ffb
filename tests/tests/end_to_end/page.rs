//! The page in a real Chromium: first visit, every page sound for assistive technology, narrow and dark, a
//! test message by mouse and keyboard, the helpdesk's link.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Options, Server};
use serde_json::json;
use thirtyfour::Key;

use crate::support::{PASSWORD, Sample, run};

pub async fn sign_in(b: &Browser, s: &Sample) -> Result<()> {
    b.goto(&format!("{}/login", s.server.url())).await?;
    b.fill("Log-on name", "root").await?;
    b.fill("Password", PASSWORD).await?;
    b.click_button("Sign in").await?;
    b.wait_text("Pools").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_visit_makes_an_administrator_and_the_sample() -> Result<()> {
    let server = Server::start(Options::default()).await?;
    let b = Browser::start().await?;
    b.goto(&format!("{}/setup?token={}", server.url(), server.setup_token().await?)).await?;
    b.wait_text("Set up this portal").await?;
    b.assert_accessible("set-up").await?;
    b.fill("Password", PASSWORD).await?;
    b.fill("Password again", PASSWORD).await?;
    b.click_button("Create the administrator").await?;
    b.wait_text("sip:pilar@litwareinc.com").await?;
    b.assert_accessible("credentials").await?;
    b.goto(&format!("{}/", server.url())).await?;
    b.wait_text("atl-persistentchat-001").await?;
    b.screenshot("first-visit-overview").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_wide_and_narrow_light_and_dark() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    let pages = [
        ("overview", "/", "Overview"),
        ("pools", "/pools", "atl-gc-001"),
        ("pool", "/pools/atl-cs-001.litwareinc.com", "atl-cs-001"),
        ("state", "/pools/atl-cs-001.litwareinc.com/state", "The state alone"),
        ("servers", "/pools/atl-cs-001.litwareinc.com/servers", "gc-006"),
        ("databases", "/pools/atl-cs-001.litwareinc.com/databases", "dub-sql-001"),
        ("topology", "/topology", "Redmond"),
        ("versions", "/topology/versions", "Sample Litware"),
        ("endpoints", "/endpoints", "Endpoints"),
        ("rooms", "/rooms", "Lobby"),
        ("users", "/users", "Pilar Ackerman"),
        ("groups", "/groups", "There is no group yet"),
        ("policies", "/policies", "LitwarePersistentChat"),
        ("test-message", "/test-message", "Target FQDN"),
        ("shell", "/shell", "Command line"),
        ("audit", "/audit", "Audit"),
        ("sharing", "/sharing", "Sharing"),
        ("settings", "/settings", "root"),
        ("alerts", "/settings/alerts", "Who is told"),
        ("nodes", "/settings/nodes", "Add a node"),
        ("clients", "/settings/clients", "_sipinternaltls._tcp"),
        ("settings-chat", "/settings/chat", "Write events out as XML"),
        ("addins", "/rooms?show=addins", "New add-in"),
        ("rooms-used", "/rooms?show=usage", "People, 30 days"),
        ("rooms-deleted", "/rooms?show=deleted", "No room was deleted"),
        ("room", "/rooms/room/atl-cs-001.litwareinc.com/Lobby", "Remove messages"),
        ("category", "/rooms/category/atl-cs-001.litwareinc.com/General", "File upload"),
    ];
    for (name, path, text) in pages {
        b.size(1280, 900).await?;
        b.goto(&format!("{}{path}", s.server.url())).await?;
        b.wait_text(text).await?;
        b.assert_accessible(name).await?;
        b.screenshot(name).await?;
        b.size(390, 844).await?;
        let wide =
            b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
        ensure!(wide == json!(false), "{name} scrolls sideways at 390 px");
        b.screenshot(&format!("{name}-narrow")).await?;
    }
    b.dark().await?;
    b.size(1280, 900).await?;
    for (name, path, text) in [pages[0], pages[3], pages[6], pages[12]] {
        b.goto(&format!("{}{path}", s.server.url())).await?;
        b.wait_text(text).await?;
        b.assert_accessible(&format!("{name}, dark")).await?;
        b.screenshot(&format!("{name}-dark")).await?;
    }
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_in_the_shell_page_and_the_helpdesks_link() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/shell", s.server.url())).await?;
    b.fill("Command line", "Get-CsPersistentChatState | Where-Object {$_.PoolState -eq \"Normal\"}").await?;
    b.click_button("Run").await?;
    b.wait_text("PersistentChatServer:dub-pc-001.litwareinc.com").await?;
    // Tab completes a name and goes on to the next choice; Shift+Tab leaves the field.
    let field = b.by_label("Command line").await?;
    let value = async || -> Result<String> { Ok(field.prop("value").await?.unwrap_or_default()) };
    field.send_keys("Set-CsPersistentChatSt" + Key::Tab).await?;
    ensure!(value().await? == "Set-CsPersistentChatState", "{}", value().await?);
    field.send_keys(" -Pool" + Key::Tab).await?;
    field.send_keys(" " + Key::Tab).await?;
    ensure!(value().await? == "Set-CsPersistentChatState -PoolState Normal", "{}", value().await?);
    field.send_keys("" + Key::Tab).await?;
    ensure!(value().await? == "Set-CsPersistentChatState -PoolState FailedOver", "{}", value().await?);
    b.assert_accessible("shell with completions").await?;
    // The arrow keys bring back the line that ran.
    field.send_keys("" + Key::Up).await?;
    ensure!(value().await?.starts_with("Get-CsPersistentChatState |"), "{}", value().await?);
    field.send_keys(Key::Shift + Key::Tab).await?;
    let focused = b.script("return document.activeElement.id", vec![]).await?;
    ensure!(focused != "shell-input", "Shift+Tab stays in the field");
    let made = run(&s.client, "New-LgShare", json!({ "Label": "Desk" })).await?;
    b.goto(made["output"][0]["Link"].as_str().context("no link")?).await?;
    b.wait_text("Chat is up.").await?;
    b.assert_accessible("shared status").await?;
    b.screenshot("status").await?;
    run(
        &s.client,
        "Set-CsPersistentChatState",
        json!({ "Identity": "atl-gc-001.litwareinc.com", "PoolState": "FailedOver" }),
    )
    .await?;
    b.wait_text("runs on its backup database").await
}
