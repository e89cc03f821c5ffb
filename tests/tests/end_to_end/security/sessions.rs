//! Cookies, sessions, forged requests.

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::Options;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::{Caller, new_session, operations, plain, sign_in};
use crate::support::{PASSWORD, Sample, run};

async fn status(s: &Sample, caller: &Caller, path: &str) -> Result<u16> {
    Ok(caller.request(s.server.url(), &Method::GET, path)?.send().await?.status().as_u16())
}

fn with_cookie(cookie: &str) -> Caller {
    Caller { name: "cookie".to_owned(), token: None, cookie: Some(cookie.to_owned()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_never_one_that_somebody_else_chose() -> Result<()> {
    let s = Sample::start().await?;
    let nina = new_session(&s, "nina", "CsAdministrator").await?.cookie.context("no cookie")?;
    let name = nina.split('=').next().context("no name")?;
    // What an attacker set before is not taken over by the sign-in.
    let planted = format!("{name}={}", "ab".repeat(32));
    let first = sign_in(&s, "nina", Some(&planted)).await?;
    ensure!(first != planted && status(&s, &with_cookie(&planted), "/api/v1/pools").await? == 401);
    ensure!(status(&s, &with_cookie(&first), "/api/v1/pools").await? == 200);
    // A new sign-in in the same browser ends the session before it, and no other one.
    let second = sign_in(&s, "nina", Some(&first)).await?;
    ensure!(second != first && status(&s, &with_cookie(&first), "/api/v1/pools").await? == 401);
    ensure!(status(&s, &with_cookie(&nina), "/api/v1/pools").await? == 200);
    // A changed role or password ends them all: what comes after it is a new cookie.
    for change in [json!({ "Role": "CsHelpDesk" }), json!({ "Password": PASSWORD })] {
        let before = sign_in(&s, "nina", None).await?;
        let mut args = change.clone();
        args["Identity"] = "nina".into();
        run(&s.client, "Set-LgAccount", args).await?;
        ensure!(status(&s, &with_cookie(&before), "/api/v1/pools").await? == 401, "{change}");
    }
    // Signing out is at once, also for whoever kept the cookie.
    let last = sign_in(&s, "nina", None).await?;
    let out = with_cookie(&last).request(s.server.url(), &Method::POST, "/api/v1/logout")?.send().await?;
    let set = out.headers().get("set-cookie").context("no cookie")?.to_str()?;
    ensure!(set.contains("Max-Age=0"), "{set}");
    ensure!(status(&s, &with_cookie(&last), "/api/v1/pools").await? == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_page_ends_with_its_session() -> Result<()> {
    let s = Sample::start().await?;
    let nina = new_session(&s, "nina", "CsHelpDesk").await?;
    let mut live = nina.request(s.server.url(), &Method::GET, "/api/v1/events")?.send().await?;
    ensure!(live.status() == 200);
    run(&s.client, "Remove-LgSession", json!({ "Account": "nina" })).await?;
    run(&s.client, "New-LgAnnouncement", json!({ "Text": "not for nina any more" })).await?;
    let rest = async {
        let mut told = Vec::new();
        while let Some(part) = live.chunk().await? {
            told.extend_from_slice(&part);
        }
        anyhow::Ok(String::from_utf8_lossy(&told).into_owned())
    };
    let told =
        tokio::time::timeout(lifeguard_tests::wait::LIMIT, rest).await.context("the stream goes on")??;
    ensure!(!told.contains("announcements"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_page_is_told_of_changes_and_ends_with_its_link() -> Result<()> {
    let s = Sample::start().await?;
    let link = super::new_link(&s, json!({ "Label": "desk" })).await?;
    let mut live = plain()?.get(format!("{}{link}/events", s.server.url())).send().await?;
    ensure!(live.status() == 200);
    run(&s.client, "New-LgAnnouncement", json!({ "Text": "a change" })).await?;
    let first = tokio::time::timeout(lifeguard_tests::wait::LIMIT, live.chunk())
        .await
        .context("nothing was told")??;
    ensure!(first.is_some_and(|c| c.starts_with(b"data: changed")));
    // What was told of can be read, at once.
    let page = plain()?.get(format!("{}{link}", s.server.url())).send().await?.text().await?;
    ensure!(page.contains("a change"), "{page}");
    run(&s.client, "Remove-LgShare", json!({ "Identity": "desk" })).await?;
    let rest = async {
        while live.chunk().await?.is_some() {}
        anyhow::Ok(())
    };
    tokio::time::timeout(lifeguard_tests::wait::LIMIT, rest).await.context("the stream goes on")??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_strict_and_secure_behind_https() -> Result<()> {
    let options = Options {
        args: vec!["--public-url".to_owned(), "https://chat.example.com".to_owned()],
        ..Options::default()
    };
    let s = Sample::with(options).await?;
    for (name, public) in [("127.0.0.1", false), ("chat.example.com", true)] {
        let caller = Caller::anonymous().request(s.server.url(), &Method::POST, "/api/v1/login")?;
        let mut caller = caller.json(&json!({ "name": "root", "password": PASSWORD }));
        if public {
            caller = caller.header("host", name).header("origin", "https://chat.example.com");
        }
        let answer = caller.send().await?;
        ensure!(answer.status() == 200, "{name}: {}", answer.status());
        let set = answer.headers().get("set-cookie").context("no cookie")?.to_str()?.to_owned();
        for flag in ["; Path=/;", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
            ensure!(set.contains(flag), "{flag}: {set}");
        }
        ensure!(!set.contains("Domain"), "{set}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_request_changes_nothing() -> Result<()> {
    let s = Sample::start().await?;
    let root = sign_in(&s, "root", None).await?;
    let own = s.server.url();
    let forgeries: [&[(&str, &str)]; 7] = [
        &[],
        &[("x-lifeguard-csrf", "1"), ("origin", "https://evil.example.com")],
        &[("x-lifeguard-csrf", "1"), ("origin", "null")],
        &[("x-lifeguard-csrf", "1"), ("origin", "http://127.0.0.1:1")],
        &[("x-lifeguard-csrf", "1"), ("sec-fetch-site", "cross-site")],
        &[("x-lifeguard-csrf", "1"), ("sec-fetch-site", "same-site")],
        &[("origin", own), ("sec-fetch-site", "same-origin")],
    ];
    let mut tried = 0;
    for (method, whole, _) in operations(&s).await? {
        if method == Method::GET || whole.starts_with("/status/") {
            continue;
        }
        for headers in forgeries {
            let mut r = plain()?.request(method.clone(), format!("{own}{whole}")).header("cookie", &root);
            for (name, value) in headers {
                r = r.header(*name, *value);
            }
            let answer = r.json(&json!({ "args": {}, "confirmed": true })).send().await?;
            ensure!(answer.status() == 403, "{method} {whole} {headers:?}: {}", answer.status());
            let text = answer.text().await?;
            ensure!(text.contains("X-Lifeguard-Csrf"), "refused for another reason: {text}");
            tried += 1;
        }
    }
    ensure!(tried > 300, "{tried}");
    let answer = with_cookie(&root).request(own, &Method::POST, "/api/v1/cmdlets/Get-CsPool")?;
    let answer =
        answer.header("origin", own).header("sec-fetch-site", "same-origin").json(&json!({ "args": {} }));
    ensure!(answer.send().await?.status() == 200, "the portal's own page is let in");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgAccount", json!({ "Name": "nina", "Role": "CsHelpDesk", "Password": PASSWORD }))
        .await?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..24_u8 {
        // From an address of its own each time: guesses from one address have to wait.
        let from = std::net::IpAddr::from([127, 0, 9, pair + 1]);
        let http = reqwest::Client::builder().no_proxy().local_address(from).build()?;
        for (name, taken) in [("nina", &mut known), ("nobody", &mut unknown)] {
            let begun = std::time::Instant::now();
            let body = json!({ "name": name, "password": "wrong horse 13" });
            let url = format!("{}/api/v1/login", s.server.url());
            let answer = http.post(url).header("x-lifeguard-csrf", "1").json(&body).send().await?;
            let (status, text) = (answer.status(), answer.json::<Value>().await?);
            taken.push(begun.elapsed());
            ensure!(
                status == 401 && text["message"].as_str().is_some_and(|m| m.starts_with("Name or password")),
                "{text}"
            );
        }
    }
    let median = |taken: &mut Vec<std::time::Duration>| {
        taken.sort_unstable();
        taken[taken.len() / 2].as_secs_f64() * 1e3
    };
    let (known, unknown) = (median(&mut known), median(&mut unknown));
    println!("wrong password {known:.1} ms, unknown name {unknown:.1} ms");
    // Without the second comparison an unknown name takes a tenth of the time.
    ensure!((0.5..2.0).contains(&(known / unknown)), "wrong password {known} ms, unknown name {unknown} ms");
    Ok(())
}

/// Who is refused before his body has come cannot keep the connection busy with it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_body_has_come_ends_the_connection() -> Result<()> {
    let s = Sample::start().await?;
    let mut raw = super::wire::open(s.server.url()).await?;
    let head = format!(
        "POST /api/v1/cmdlets/Get-CsPool HTTP/1.1\r\nHost: {}\r\nX-Lifeguard-Csrf: 1\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{{",
        super::wire::address(s.server.url())
    );
    super::wire::send(&mut raw, head.as_bytes()).await?;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(lifeguard_tests::wait::LIMIT, raw.read_to_end(&mut answer)).await;
    read.context("the connection stays open")??;
    let text = String::from_utf8_lossy(&answer);
    ensure!(text.starts_with("HTTP/1.1 401 "), "{text}");
    Ok(())
}
