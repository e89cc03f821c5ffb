//! The pages of groups and of acts on many rows, in a real Chromium.

use anyhow::{Result, ensure};
use lifeguard_tests::{Browser, Scheme, wait};
use serde_json::json;

use crate::page::sign_in;
use crate::support::{Sample, run};

const LOBBY: &str = "atl-cs-001.litwareinc.com\\Lobby";

/// Sound for assistive technology, wide and narrow, light and dark; pictures for people.
async fn judge(b: &Browser, name: &str) -> Result<()> {
    for (scheme, shade) in [(Scheme::Light, ""), (Scheme::Dark, "-dark")] {
        b.prefer(scheme, true).await?;
        b.assert_accessible(&format!("{name}{shade}")).await?;
        b.screenshot(&format!("groups-{name}{shade}")).await?;
        b.size(390, 844).await?;
        let wide =
            b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
        b.screenshot(&format!("groups-{name}{shade}-narrow")).await?;
        ensure!(wide == json!(false), "{name} scrolls sideways at 390 px");
        b.size(1280, 900).await?;
    }
    b.prefer(Scheme::Light, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_filled_and_named_on_the_page() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/groups", s.server.url())).await?;
    b.wait_text("There is no group yet").await?;
    b.fill("Name", "Sales").await?;
    b.click_button("Create the group Sales").await?;
    b.wait_text("It has no member yet").await?;
    b.fill("User or group", "Ken Myer").await?;
    b.click_button("Add Ken Myer to Sales").await?;
    b.wait_text("sip:kenmyer@litwareinc.com").await?;
    let named = json!({ "Identity": LOBBY, "Members": { "Replace": ["Sales", "sip:pilar@litwareinc.com"] } });
    run(&s.client, "Set-CsPersistentChatRoom", named).await?;
    // What names the group, and who is put out, is told without asking again.
    b.wait_text(LOBBY).await?;
    judge(&b, "one").await?;
    b.click_button("Remove Ken Myer from Sales").await?;
    b.wait_text("put out at once: Ken Myer").await?;
    b.screenshot("groups-put-out").await?;
    b.click_button("Remove Ken Myer from Sales").await?;
    b.wait_text("It has no member yet").await?;
    b.goto(&format!("{}/groups", s.server.url())).await?;
    b.wait_text("CN=Sales,OU=Groups,DC=litwareinc,DC=com").await?;
    judge(&b, "list").await?;
    ensure!(b.console_errors().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rooms_and_users_are_changed_with_one_preview() -> Result<()> {
    let s = Sample::start().await?;
    for n in 0..12 {
        let room =
            json!({ "Name": format!("Project {n:02}"), "Category": "atl-cs-001.litwareinc.com\\General" });
        run(&s.client, "New-CsPersistentChatRoom", room).await?;
    }
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/rooms?q=project", s.server.url())).await?;
    b.wait_text("Project 11").await?;
    b.script("document.querySelector('[aria-label=\"Select all that match\"]').click();", vec![]).await?;
    b.wait_text("12 selected").await?;
    judge(&b, "rooms-chosen").await?;
    b.click_button("Disable").await?;
    b.wait_text("Will be done: 12").await?;
    judge(&b, "rooms-preview").await?;
    // One of them cannot be done any more: somebody else changes its name while the plan is looked at.
    run(
        &s.client,
        "Set-CsPersistentChatRoom",
        json!({ "Identity": "atl-cs-001.litwareinc.com\\Project 03", "Name": "Elsewhere" }),
    )
    .await?;
    b.fill("Reason (optional)", "the quarter is over").await?;
    b.click_button("Disable (12)").await?;
    b.wait_text("Done: 11").await?;
    b.wait_text("Refused: 1").await?;
    b.wait_text("There is no room Project 03").await?;
    judge(&b, "rooms-done").await?;
    b.click_button("Close").await?;
    b.wait_text("1 selected").await?;
    let (_, page) = s.client.get("/api/v1/rooms?q=project&limit=50").await?;
    let disabled = page["rooms"].as_array().map_or(0, |l| l.iter().filter(|r| r["disabled"] == true).count());
    ensure!(disabled == 11, "{disabled}");
    let (_, audit) = s.client.get("/api/v1/audit?cmdlet=Set-CsPersistentChatRoom&limit=100").await?;
    let n = audit.to_string().matches("the quarter is over").count();
    ensure!(n >= 11, "an audit entry for each act, not {n}");
    // A policy for several users, typed once.
    b.goto(&format!("{}/users", s.server.url())).await?;
    b.wait_text("Pilar Ackerman").await?;
    for who in ["Pilar Ackerman", "Ken Myer"] {
        b.script(&format!("document.querySelector('[aria-label=\"Select {who}\"]').click();"), vec![])
            .await?;
    }
    b.wait_text("2 selected").await?;
    run(&s.client, "New-LgGroup", json!({ "Name": "Field" })).await?;
    b.click_button("Add to group").await?;
    b.fill("Group", "Field").await?;
    b.click_button("Preview").await?;
    b.wait_text("Will be done: 2").await?;
    b.click_button("Add to group (2)").await?;
    b.wait_text("Done: 2").await?;
    b.click_button("Close").await?;
    wait::until("the group's members", async || {
        let (_, g) = s.client.get("/api/v1/group?identity=Field").await?;
        ensure!(g["total"] == 2, "{g}");
        Ok(())
    })
    .await?;
    // The browser notes the one act that was refused.
    let mut errors = b.console_errors().await?;
    errors.retain(|e| !e.contains("404"));
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}
