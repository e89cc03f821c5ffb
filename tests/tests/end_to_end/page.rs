//! The page in a real Chromium: first visit, a line in the shell, the helpdesk's link.

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
