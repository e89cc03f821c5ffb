//! The pool at work: people, a room, a test message, a switch, an endpoint, a link, the shell.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, By, Server};

use super::hand::Person;

const PILAR: &str = "pilar's pass word";
const KEN: &str = "kenmyer's pass word";

/// Two chat users and the policy that lets them chat.
pub async fn people(p: &Person) -> Result<()> {
    for (name, user, password) in [("Pilar Ackerman", "pilar", PILAR), ("Ken Myer", "kenmyer", KEN)] {
        p.go("Users").await?;
        p.on("Users").await?;
        p.sees(&[if user == "pilar" { "There is no user yet" } else { "sip:pilar@contoso.com" }]).await?;
        if user == "pilar" {
            p.judge("40-users-none").await?;
            p.go("Policies").await?;
            policy(p).await?;
            p.go("Users").await?;
            p.on("Users").await?;
        }
        p.follow("New user").await?;
        p.on("New user").await?;
        p.fill("Display name", name).await?;
        p.fill("SIP address", &format!("sip:{user}@contoso.com")).await?;
        p.fill("Log-on name", &format!("CONTOSO\\{user}")).await?;
        p.fill("Password (optional)", password).await?;
        p.pick("Home Front End pool", "fepool.contoso.com").await?;
        p.judge(&format!("42-user-{user}")).await?;
        p.send(&format!("Create the user {name}")).await?;
        p.on("Users").await?;
    }
    p.sees(&["sip:kenmyer@contoso.com", "Refused"]).await?;
    for name in ["Pilar Ackerman", "Ken Myer"] {
        p.press(&format!("Change {name}")).await?;
        p.pick("User policy (optional)", "Chat users").await?;
        p.judge(&format!("43-grant-{}", &name[..3])).await?;
        p.send(&format!("Grant Chat users to {name}")).await?;
        p.sees(&[&format!("Done: Grant Chat users to {name}.")]).await?;
        p.b.wait_no_text("User policy").await?;
    }
    p.b.wait_no_text("Refused").await?;
    p.judge("44-users").await
}

async fn policy(p: &Person) -> Result<()> {
    p.on("Policies").await?;
    p.fill("Name", "Chat users").await?;
    p.judge("41-policy").await?;
    p.send("Create the policy Chat users").await?;
    p.sees(&["Chat users", "Done: Create the policy Chat users."]).await
}

/// A category for everybody of the domain and an open room in it.
pub async fn room(p: &Person) -> Result<()> {
    p.go("Rooms").await?;
    p.on("Rooms").await?;
    p.follow("New category").await?;
    p.on("New category").await?;
    p.pick("Pool", "Contoso chat").await?;
    p.fill("Name", "Contoso").await?;
    p.fill("Allowed members (optional)", "contoso.com").await?;
    p.judge("50-category").await?;
    p.send("Create the category Contoso").await?;
    p.on("Contoso").await?;
    p.judge("51-category-made").await?;
    p.follow("New room in it").await?;
    p.on("New room").await?;
    p.fill("Name", "Lobby").await?;
    p.choose("Open").await?;
    p.judge("52-room").await?;
    p.send("Create the room Lobby").await?;
    p.on("Lobby").await?;
    p.judge("53-room-made").await
}

/// A message from Pilar to Ken through the real servers.
pub async fn test_message(p: &Person) -> Result<()> {
    p.go("Test message").await?;
    p.sees(&["Target FQDN"]).await?;
    p.fill("Target FQDN", "fepool.contoso.com").await?;
    for (who, user, password) in [("Sender", "pilar", PILAR), ("Receiver", "kenmyer", KEN)] {
        p.fill(&format!("{who} SIP address"), &format!("sip:{user}@contoso.com")).await?;
        p.value(&format!("{who} log-on name"), &format!("CONTOSO\\{user}")).await?;
        p.fill(&format!("{who} password"), password).await?;
    }
    p.judge("60-test-form").await?;
    p.send("Send the test message").await?;
    p.sees(&["Success", "Latency (first send to second receipt)", "Waterfall", "Lobby"]).await?;
    let text = p.b.text().await?;
    let latency = text.split("second receipt)").nth(1).context("no latency")?.trim_start();
    ensure!(latency.starts_with(|c: char| c.is_ascii_digit()), "the latency is {latency:.40}");
    p.judge("61-test-success").await
}

/// *State*: the plan, FailedOver, and back.
pub async fn switch_over_and_back(p: &Person) -> Result<()> {
    p.go("Pools").await?;
    p.on("Pools").await?;
    p.sees(&["Contoso chat", "Normal", "2 of 2", "Success"]).await?;
    p.judge("70-pools").await?;
    p.follow("pcpool.contoso.com").await?;
    p.on("pcpool.contoso.com").await?;
    p.judge("71-pool").await?;
    p.follow("State").await?;
    p.sees(&["The state alone", "Uses mgc on", "now, since"]).await?;
    p.judge("72-state").await?;
    for (act, now, shot) in [
        ("Fail over pcpool", "FailedOver", "73-fail-over"),
        ("Return pcpool to Normal", "Normal", "75-return"),
    ] {
        p.press(act).await?;
        p.sees(&["Reason (optional)"]).await?;
        p.judge(shot).await?;
        if p.b.text().await?.contains("Type pcpool.contoso.com to confirm") {
            p.fill("Type pcpool.contoso.com to confirm", "pcpool.contoso.com").await?;
        }
        p.fill("Reason (optional)", "Drill").await?;
        p.send(act).await?;
        p.b.wait_no_text("Reason (optional)").await?;
        state(p, now).await?;
        p.judge(&format!("{shot}-done")).await?;
    }
    Ok(())
}

/// The card of the state that is now in use.
async fn state(p: &Person, wanted: &str) -> Result<()> {
    lifeguard_tests::wait::until(&format!("the state {wanted}"), async || {
        let card = p.b.driver().find(By::Css(".state-now")).await?.text().await?;
        ensure!(card.starts_with(wanted), "the card says {card}");
        Ok(())
    })
    .await?;
    p.b.wait_no_text("The switch is under way").await
}

/// The SIP address for legacy clients.
pub async fn endpoint(p: &Person) -> Result<()> {
    p.go("Endpoints").await?;
    p.on("Endpoints").await?;
    p.fill("SIP address", "sip:persistentchat@contoso.com").await?;
    p.pick("Pool", "pcpool.contoso.com").await?;
    p.judge("80-endpoint").await?;
    p.send("Create the endpoint sip:persistentchat@contoso.com").await?;
    p.sees(&["Done: Create the endpoint sip:persistentchat@contoso.com."]).await?;
    p.judge("81-endpoint-made").await
}

/// A link that a stranger opens, until it is revoked.
pub async fn share(p: &Person, server: &Server) -> Result<()> {
    p.go("Sharing").await?;
    p.on("Sharing").await?;
    p.fill("Who it is for", "Helpdesk").await?;
    p.judge("90-sharing").await?;
    p.send("Make a link for Helpdesk").await?;
    p.sees(&["This is shown once."]).await?;
    p.judge("91-link").await?;
    let link = p.b.driver().find(By::Css(".once-value")).await?.text().await?;
    ensure!(link.starts_with(server.url()), "{link}");
    p.press("Close").await?;
    p.b.wait_no_text("This is shown once.").await?;
    let complaints = p.b.driver().find_all(By::Css("main .field-error")).await?;
    ensure!(complaints.is_empty(), "the form that was sent complains that it is empty");

    let stranger = Browser::start().await?;
    stranger.goto(&link).await?;
    stranger.wait_text("Chat is up.").await?;
    stranger.wait_text("pcpool.contoso.com").await?;
    stranger.assert_accessible("the shared status").await?;
    stranger.screenshot("walk-92-status").await?;
    let opened = By::Css("tbody td.number");
    lifeguard_tests::wait::until("the count of openings", async || {
        let count = p.b.driver().find(opened.clone()).await?.text().await?;
        ensure!(count == "1", "opened {count} times");
        Ok(())
    })
    .await?;
    p.press("Revoke the link for Helpdesk").await?;
    p.sees(&["It stops working at once."]).await?;
    p.send("Revoke the link for Helpdesk").await?;
    p.sees(&["Done: Revoke the link for Helpdesk.", "Revoked"]).await?;
    p.judge("93-revoked").await?;
    stranger.wait_text("This link does not work").await?;
    stranger.goto(&link).await?;
    stranger.wait_text("This link does not work").await?;
    stranger.assert_accessible("the dead link").await?;
    stranger.screenshot("walk-94-status-dead").await?;
    Ok(())
}

/// A line of the documents.
pub async fn shell(p: &Person) -> Result<()> {
    p.go("Management Shell").await?;
    p.on("Management Shell").await?;
    p.fill("Command line", "Get-CsPersistentChatState").await?;
    p.send("Run").await?;
    p.sees(&["PersistentChatServer:pcpool.contoso.com", "Normal"]).await?;
    p.judge("95-shell").await
}
