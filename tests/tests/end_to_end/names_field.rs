//! Names are offered while one is typed into the lists of categories and rooms, by mouse and by keyboard.

use anyhow::{Result, ensure};
use lifeguard_tests::{Browser, By, Key, Scheme, wait};
use serde_json::{Value, json};
use thirtyfour::TypingData;

use crate::page::sign_in;
use crate::support::{POOL, Sample, run};

const SALES: &str = "CN=Sales,OU=Groups,DC=litwareinc,DC=com";

/// A list as the field at `parameter` has it now: the offered names, which is chosen, and what assistive
/// technology is told.
async fn offered(b: &Browser, parameter: &str) -> Result<Value> {
    let script = "
        const field = document.querySelector(`textarea[name=${arguments[0]}]`);
        const list = document.getElementById(field.getAttribute('aria-controls'));
        const active = document.getElementById(field.getAttribute('aria-activedescendant'));
        return {
            names: [...(list?.querySelectorAll('[role=option]') ?? [])].map(o => o.querySelector('.mono').innerText),
            role: list?.getAttribute('role') ?? null,
            active: active?.querySelector('.mono').innerText ?? null,
            selected: [...document.querySelectorAll('[role=option][aria-selected=true]')].length,
            told: field.parentElement.querySelector('[role=status]').innerText,
            focus: document.activeElement === field,
            value: field.value,
        };";
    b.script(script, vec![json!(parameter)]).await
}

/// Waits until so many names are offered.
async fn offers(b: &Browser, parameter: &str, n: usize) -> Result<Value> {
    wait::until(&format!("{n} names"), async || {
        let o = offered(b, parameter).await?;
        ensure!(o["names"].as_array().map(Vec::len) == Some(n), "{o}");
        Ok(o)
    })
    .await
}

async fn keys(b: &Browser, keys: impl Into<TypingData>) -> Result<()> {
    Ok(b.driver().active_element().await?.send_keys(keys.into()).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_offered_while_a_line_is_typed() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgGroup", json!({ "Name": "Sales", "Members": ["Ken Myer"] })).await?;
    for i in 0..12 {
        let user = json!({
            "SipAddress": format!("sip:many{i:02}@litwareinc.com"), "DisplayName": format!("Many People {i:02}"),
            "LogonName": format!("LITWAREINC\\many{i:02}"), "RegistrarPool": "atl-fe-001.litwareinc.com",
        });
        run(&s.client, "New-LgUser", user).await?;
    }
    run(&s.client, "Set-LgUser", json!({ "Identity": "Guest", "Enabled": false })).await?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    b.goto(&format!("{}/rooms/room/{POOL}/Lobby", s.server.url())).await?;
    b.wait_text("Managers").await?;

    // By keyboard: the arrows choose, Enter takes; the line is replaced, the others stay.
    let field = b.by_label("Members (optional)").await?;
    field.click().await?;
    keys(&b, "litwareinc.com").await?;
    keys(&b, Key::Enter + "pila").await?;
    let o = offers(&b, "Members", 1).await?;
    ensure!(o["names"][0] == "sip:pilar@litwareinc.com" && o["role"] == "listbox", "{o}");
    ensure!(
        o["active"] == json!(null) && o["told"].as_str().is_some_and(|t| t.starts_with("1 name fits")),
        "{o}"
    );
    b.assert_accessible("names offered").await?;
    keys(&b, Key::Down).await?;
    let o = offered(&b, "Members").await?;
    ensure!(o["active"] == "sip:pilar@litwareinc.com" && o["selected"] == 1 && o["focus"] == true, "{o}");
    b.assert_accessible("a name chosen").await?;
    keys(&b, Key::Enter).await?;
    let o = offers(&b, "Members", 0).await?;
    ensure!(o["value"] == "litwareinc.com\nsip:pilar@litwareinc.com" && o["told"] == "", "{o}");
    // Groups come first; Escape puts the list away and keeps what was typed; the next key brings it back.
    keys(&b, Key::Enter + "sale").await?;
    offers(&b, "Members", 1).await?;
    keys(&b, Key::Escape).await?;
    let o = offers(&b, "Members", 0).await?;
    ensure!(o["value"].as_str().is_some_and(|v| v.ends_with("\nsale")), "{o}");
    keys(&b, "s").await?;
    offers(&b, "Members", 1).await?;
    // Tab takes what is chosen and stays; without a choice it goes on.
    keys(&b, Key::Up).await?;
    keys(&b, Key::Tab).await?;
    let o = offers(&b, "Members", 0).await?;
    ensure!(
        o["value"] == format!("litwareinc.com\nsip:pilar@litwareinc.com\n{SALES}") && o["focus"] == true,
        "{o}"
    );
    // A domain is a name of its own, not that of everybody in it.
    let (_, all) = s.client.get("/api/v1/principals?q=litwareinc.com").await?;
    ensure!(all == json!([]), "{all}");
    let (_, all) = s.client.get("/api/v1/principals?q=guest@litwareinc.com").await?;
    ensure!(all[0]["identity"] == "sip:guest@litwareinc.com", "{all}");
    // At most eight; the arrows go round. Somebody who is there already is not offered again.
    keys(&b, Key::Enter + "many peo").await?;
    let o = offers(&b, "Members", 8).await?;
    ensure!(o["told"].as_str().is_some_and(|t| t.starts_with("8 names fit")), "{o}");
    keys(&b, Key::Up).await?;
    ensure!(offered(&b, "Members").await?["active"] == "sip:many07@litwareinc.com");
    keys(&b, Key::Down).await?;
    ensure!(offered(&b, "Members").await?["active"] == "sip:many00@litwareinc.com");
    for (scheme, shade) in [(Scheme::Light, ""), (Scheme::Dark, "-dark")] {
        b.prefer(scheme, true).await?;
        for (width, place) in [(1280, ""), (390, "-narrow")] {
            b.size(width, 844).await?;
            b.assert_accessible(&format!("eight names{shade}{place}")).await?;
            b.screenshot(&format!("names{shade}{place}")).await?;
            let wide = "return document.documentElement.scrollWidth > innerWidth;";
            ensure!(b.script(wide, vec![]).await? == false, "it scrolls sideways at {width} px");
        }
    }
    b.prefer(Scheme::Light, true).await?;
    // By mouse, at the width of a phone.
    b.driver().find(By::XPath("//li[@role='option'][3]")).await?.click().await?;
    let o = offers(&b, "Members", 0).await?;
    ensure!(
        o["focus"] == true && o["value"].as_str().is_some_and(|v| v.ends_with("\nsip:many02@litwareinc.com")),
        "{o}"
    );
    keys(&b, Key::Enter + "many02").await?;
    b.wait_no_text("names fit").await?;
    // A name that nobody knows can be typed, and the portal says at the field that it is not there.
    for _ in 0.."many02".len() {
        keys(&b, Key::Backspace).await?;
    }
    keys(&b, "Nobody at all").await?;
    b.size(1280, 900).await?;
    b.click_button("Save the people of Lobby").await?;
    b.wait_text("'Nobody at all' is neither a SIP address").await?;
    let error = "return document.querySelector('textarea[name=Members]').getAttribute('aria-invalid');";
    ensure!(b.script(error, vec![]).await? == "true", "the error stands at the field");

    // Without the unknown one it is saved; a presenter's and a category's list have the same help.
    b.by_label("Members (optional)").await?.click().await?;
    b.script(
        "const f = document.querySelector('textarea[name=Members]');
         f.value = f.value.replace('Nobody at all', ''); f.dispatchEvent(new Event('input', { bubbles: true }));",
        vec![],
    )
    .await?;
    b.click_button("Save the people of Lobby").await?;
    wait::until("the saved list", async || {
        let (_, r) = s.client.get(&format!("/api/v1/rooms?pool={POOL}&name=Lobby")).await?;
        let all = r["rooms"][0]["members"].to_string();
        ensure!(all.contains("many02") && all.contains(SALES), "{all}");
        Ok(())
    })
    .await?;
    b.goto(&format!("{}/rooms/category/{POOL}/General", s.server.url())).await?;
    b.wait_text("Denied members").await?;
    b.by_label("Denied members (optional)").await?.click().await?;
    keys(&b, "guest").await?;
    let o = offers(&b, "DeniedMembers", 1).await?;
    ensure!(o["names"][0] == "sip:guest@litwareinc.com", "{o}");
    b.wait_text("Disabled user").await?;
    // Elsewhere the list is gone.
    b.by_label("Creators (optional)").await?.click().await?;
    offers(&b, "DeniedMembers", 0).await?;
    let mut errors = b.console_errors().await?;
    errors.retain(|e| !e.contains("400"));
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}
