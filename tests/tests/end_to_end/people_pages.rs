//! The pages on which people come to a password of their own, in a real Chromium.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, wait};
use serde_json::json;
use totp_rs::{Builder, Secret};

use crate::page::sign_in;
use crate::support::{PASSWORD, Sample, run};

const OWN: &str = "a password of my own";

/// Sound for assistive technology wide and narrow, light and dark; pictures for people.
async fn judge(b: &Browser, name: &str) -> Result<()> {
    for dark in [false, true] {
        let scheme = if dark { lifeguard_tests::Scheme::Dark } else { lifeguard_tests::Scheme::Light };
        b.prefer(scheme, true).await?;
        still(b).await?;
        let shade = if dark { "-dark" } else { "" };
        b.assert_accessible(&format!("{name}{shade}")).await?;
        b.screenshot(&format!("people-{name}{shade}")).await?;
        b.size(390, 844).await?;
        let wide =
            b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
        b.screenshot(&format!("people-{name}{shade}-narrow")).await?;
        ensure!(wide == json!(false), "{name} scrolls sideways at 390 px");
        b.size(1280, 900).await?;
    }
    b.prefer(lifeguard_tests::Scheme::Light, false).await
}

/// Waits until no colour is on its way to another one.
async fn still(b: &Browser) -> Result<()> {
    wait::until("the end of movements", async || {
        let moving = "return document.getAnimations().filter(a => a.playState === 'running').length;";
        let moving = b.script(moving, vec![]).await?;
        ensure!(moving == json!(0), "{moving} things move");
        Ok(())
    })
    .await
}

async fn once(b: &Browser) -> Result<String> {
    let value = wait::until("the value that is shown once", async || {
        let v = b.script("return document.querySelector('.once-value')?.innerText ?? null;", vec![]).await?;
        v.as_str().map(str::to_owned).context("none is shown")
    })
    .await?;
    b.click_button("Close").await?;
    Ok(value)
}

async fn sign_out(b: &Browser) -> Result<()> {
    b.script("document.querySelector('details.user').open = true;", vec![]).await?;
    b.click_button("Sign out").await?;
    b.wait_text("No account?").await
}

async fn enter(b: &Browser, name: &str, password: &str) -> Result<()> {
    b.fill("Log-on name", name).await?;
    b.fill("Password", password).await?;
    b.click_button("Sign in").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_by_link_and_its_person_sets_up_a_second_factor() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/settings", s.server.url())).await?;
    b.fill("Log-on name", "nina").await?;
    b.by_label("Role").await?.send_keys("CsHelpDesk").await?;
    b.click_button("Create the account nina").await?;
    b.wait_text("This is shown once").await?;
    judge(&b, "link-once").await?;
    let link = once(&b).await?;
    b.wait_text("One-time link not used yet").await?;
    judge(&b, "accounts").await?;
    sign_out(&b).await?;

    b.goto(&link).await?;
    b.wait_text("For this portal: log-on name nina.").await?;
    judge(&b, "set-password").await?;
    b.fill("New password", OWN).await?;
    b.fill("New password again", "another one").await?;
    b.click_button("Set the password").await?;
    b.wait_text("The two passwords differ.").await?;
    b.fill("New password again", OWN).await?;
    b.click_button("Set the password").await?;
    b.wait_text("The password is set").await?;
    let place = b.script("return location.href;", vec![]).await?;
    ensure!(place.as_str().is_some_and(|p| !p.contains('#')), "the token is left in the address: {place}");
    b.goto(&link).await?;
    b.script("location.reload();", vec![]).await?;
    b.wait_text("This link does not work").await?;
    judge(&b, "dead-link").await?;
    // What the dead link answered stands in the console.
    b.console_errors().await?;

    b.goto(&format!("{}/login", s.server.url())).await?;
    enter(&b, "nina", OWN).await?;
    b.wait_text("Pools").await?;
    b.goto(&format!("{}/account", s.server.url())).await?;
    b.wait_text("You are signed in as nina.").await?;
    b.wait_text("This one").await?;
    judge(&b, "account").await?;
    b.fill("Your password", OWN).await?;
    b.click_button("Set up a second factor").await?;
    b.wait_text("Photograph this").await?;
    judge(&b, "second-factor").await?;
    let key = b
        .script("return document.querySelector('.factor-key code').innerText.replaceAll(' ', '');", vec![])
        .await?;
    let key = key.as_str().context("no key")?;
    let wide = "const i = document.querySelector('.factor-code'); return i.complete && i.naturalWidth > 0;";
    ensure!(b.script(wide, vec![]).await? == true, "the QR code is not drawn");
    let secret = Secret::try_from_base32(key).map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let app = Builder::new().with_secret(secret).build().map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let code = |steps: i64| -> Result<String> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        Ok(app.generate(now.saturating_add_signed(steps * 30)).to_string())
    };
    b.fill("Code", &code(-1)?).await?;
    b.click_button("Turn the second factor on").await?;
    b.wait_text("These recovery codes are shown once").await?;
    judge(&b, "recovery-codes").await?;
    b.click_button("I have kept them").await?;
    b.wait_text("On. 8 recovery codes are left.").await?;

    sign_out(&b).await?;
    enter(&b, "nina", OWN).await?;
    let asked = b.by_label("Code").await?;
    let focused = "return document.activeElement === arguments[0];";
    wait::until("the focus in the code's field", async || {
        ensure!(b.script(focused, vec![asked.to_json()?]).await? == true);
        Ok(())
    })
    .await?;
    judge(&b, "code").await?;
    b.fill("Code", "000000").await?;
    b.click_button("Sign in").await?;
    b.wait_text("This code is wrong").await?;
    b.fill("Code", &code(0)?).await?;
    b.click_button("Sign in").await?;
    b.wait_text("You are signed in as nina.").await?;
    b.click_button("Sign out everywhere").await?;
    b.wait_text("No account?").await?;
    let (_, me) = s.client.get("/api/v1/accounts").await?;
    ensure!(me.to_string().contains("\"second_factor\":true"), "{me}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_somebody_elses_stands_before_every_page() -> Result<()> {
    let s = Sample::start().await?;
    run(
        &s.client,
        "New-LgAccount",
        json!({ "Name": "nina", "Role": "CsAdministrator", "Password": PASSWORD }),
    )
    .await?;
    let b = Browser::start().await?;
    b.goto(&format!("{}/users", s.server.url())).await?;
    enter(&b, "nina", PASSWORD).await?;
    b.wait_text("Change your password").await?;
    judge(&b, "change-first").await?;
    b.goto(&format!("{}/users/new", s.server.url())).await?;
    b.wait_text("Somebody else has set the present one").await?;
    b.fill("Present password", PASSWORD).await?;
    b.fill("New password", OWN).await?;
    b.fill("New password again", OWN).await?;
    b.click_button("Change the password").await?;
    b.wait_text("Home Front End pool").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_imported_from_a_file_on_the_page() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/users", s.server.url())).await?;
    b.click_link("Import users").await?;
    b.wait_text("From a table that a spreadsheet saved").await?;
    judge(&b, "import").await?;
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("people.csv");
    let head = "SipAddress;DisplayName;LogonName;RegistrarPool\r\n";
    let good = "sip:zoe@litwareinc.com;Zo\u{eb} \u{dc}nal;LITWAREINC\\zoe;atl-fe-001.litwareinc.com\r\n";
    let choose = async |text: &str| -> Result<()> {
        // Windows-1252, as spreadsheets save it.
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        std::fs::write(&file, bytes)?;
        let input = b.driver().find(lifeguard_tests::By::Css("input[type=file]")).await?;
        input.send_keys(file.to_string_lossy().as_ref()).await?;
        b.click_button("Check the file").await
    };
    choose(&format!("{head}{good}sip:pilar@litwareinc.com;=1+1;LITWAREINC\\p;nowhere.example.com\r\n"))
        .await?;
    b.wait_text("Row 3, DisplayName: It begins like a formula").await?;
    judge(&b, "import-problems").await?;
    b.driver().refresh().await?;
    b.wait_text("From a table that a spreadsheet saved").await?;
    choose(&format!("{head}{good}")).await?;
    b.wait_text("Zo\u{eb} \u{dc}nal").await?;
    b.wait_text("windows-1252, separated by semicolons").await?;
    judge(&b, "import-preview").await?;
    b.click_button("Import the users").await?;
    b.wait_text("1 user was created.").await?;
    judge(&b, "import-done").await?;
    b.button("Save the links").await?;
    b.click_link("Show the users").await?;
    b.wait_text("no password yet").await?;
    judge(&b, "users").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}
