//! The harness itself, against a page with known faults: what finds nothing wrong anywhere proves nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use lifeguard_tests::{Browser, Client, Options, Scheme, Server, wait};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A sound page: labels of every kind, a script, a style that follows the system's colours.
const GOOD: &str = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Good</title>
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css"><script src="/page.js" defer></script></head>
<body><main><h1>Pools</h1>
<label for="fqdn">Pool FQDN <span aria-hidden="true">*</span></label><input id="fqdn">
<label>Port <input type="number" value="5041"></label>
<span id="kind">Kind</span><select aria-labelledby="kind"><option>Single</option><option>Multiple</option></select>
<label><input type="checkbox"> Compliance</label>
<label hidden>Hidden <input></label>
<button id="add" aria-label="Add the pool">Add</button> <button>Twice</button> <button>Twice</button>
<a href="/bad">Next</a><p id="state" role="status"></p></main></body></html>"#;
const STYLE: &str = "body { color: #111; background: #fff }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #123456 } a { color: #9cf } }
@media (max-width: 400px) { h1::after { content: ' narrow' } }";
const SCRIPT: &str = "document.getElementById('add').addEventListener('click', () => setTimeout(() => {
    document.getElementById('state').textContent = 'Added ' + document.getElementById('fqdn').value;
}, 200));";
/// A page with a picture without words, a field without a label, and a script that the policy forbids.
const BAD: &str = r#"<!doctype html><html lang="en"><head><title>Bad</title><link rel="icon" href="/icon.svg"></head>
<body><main><h1>Bad</h1><img src="/icon.svg"><input><script>var inline = 1;</script></main></body></html>"#;
const ICON: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>"#;

/// Serves the pages above, with the policy of the real portal, for as long as the test runs.
async fn serve() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(respond(stream));
        }
    });
    Ok(url)
}

async fn respond(mut stream: TcpStream) -> Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let request = String::from_utf8_lossy(&request);
    let csrf = request.to_lowercase().contains("\r\nx-lifeguard-csrf: 1\r\n");
    let cookie = request.contains("session=1");
    let seen = format!(r#"{{"csrf":{csrf},"cookie":{cookie}}}"#);
    let (status, kind, body) = match request.split(' ').nth(1).unwrap_or_default() {
        "/" => ("200 OK", "text/html", GOOD),
        "/bad" => ("200 OK", "text/html", BAD),
        "/style.css" => ("200 OK", "text/css", STYLE),
        "/page.js" => ("200 OK", "text/javascript", SCRIPT),
        "/icon.svg" => ("200 OK", "image/svg+xml", ICON),
        "/api/v1/login" => ("204 No Content", "text/plain", ""),
        _ => ("404 Not Found", "application/json", seen.as_str()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Set-Cookie: session=1; HttpOnly\r\nContent-Security-Policy: default-src 'self'; script-src 'self'\r\n\r\n{body}",
        body.len()
    );
    Ok(stream.write_all(answer.as_bytes()).await?)
}

#[tokio::test]
async fn controls_are_found_by_what_they_are_called() -> Result<()> {
    let (url, browser) = (serve().await?, Browser::start().await?);
    browser.goto(&url).await?;
    browser.fill("Pool FQDN", "old").await?;
    browser.fill("Pool FQDN", "rdg-cs-001.litwareinc.com").await?;
    for (label, tag) in [("Port", "input"), ("Kind", "select"), ("Compliance", "input")] {
        assert_eq!(browser.by_label(label).await?.tag_name().await?, tag, "{label}");
    }
    browser.click_button("Add the pool").await?;
    browser.wait_text("Added rdg-cs-001.litwareinc.com").await?;
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.click_link("Next").await?;
    browser.wait_text("Bad").await?;
    browser.wait_no_text("Pools").await
}

#[tokio::test]
async fn a_lookup_that_fails_says_what_the_page_shows() -> Result<()> {
    let (url, mut browser) = (serve().await?, Browser::start().await?);
    browser.set_patience(Duration::from_millis(300));
    browser.goto(&url).await?;
    assert!(format!("{:#}", browser.button("Twice").await.unwrap_err()).contains("2 are there"));
    assert!(format!("{:#}", browser.by_label("Hidden").await.unwrap_err()).contains("the page says:\nPools"));
    assert!(
        format!("{:#}", browser.wait_text("Nothing like it").await.unwrap_err())
            .contains("the page says:\nPools")
    );
    Ok(())
}

#[tokio::test]
async fn axe_passes_a_sound_page_and_finds_planted_faults() -> Result<()> {
    let (url, browser) = (serve().await?, Browser::start().await?);
    browser.goto(&url).await?;
    browser.assert_accessible("the sound page").await?;
    browser.dark().await?;
    browser.assert_accessible("the sound page in the dark").await?;
    browser.goto(&format!("{url}/bad")).await?;
    let rules: Vec<String> = browser.axe().await?.into_iter().map(|violation| violation.rule).collect();
    assert!(rules.contains(&"image-alt".to_owned()) && rules.contains(&"label".to_owned()), "{rules:?}");
    let errors = browser.console_errors().await?;
    assert!(errors.iter().any(|error| error.contains("Content Security Policy")), "{errors:?}");
    Ok(())
}

#[tokio::test]
async fn colours_and_size_are_emulated() -> Result<()> {
    let (url, browser) = (serve().await?, Browser::start().await?);
    browser.goto(&url).await?;
    let background = "return getComputedStyle(document.body).backgroundColor;";
    let motion = "return matchMedia('(prefers-reduced-motion: reduce)').matches;";
    browser.prefer(Scheme::Light, false).await?;
    assert_eq!(browser.script(background, vec![]).await?, "rgb(255, 255, 255)");
    assert_eq!(browser.script(motion, vec![]).await?, false);
    browser.prefer(Scheme::Dark, true).await?;
    assert_eq!(browser.script(background, vec![]).await?, "rgb(18, 52, 86)");
    assert_eq!(browser.script(motion, vec![]).await?, true);
    let view = "return [innerWidth, innerHeight, matchMedia('(max-width: 400px)').matches];";
    assert_eq!(browser.script(view, vec![]).await?, json!([1280, 900, false]));
    browser.size(390, 844).await?;
    assert_eq!(browser.script(view, vec![]).await?, json!([390, 844, true]));
    let picture = std::fs::read(browser.screenshot("harness-390-dark").await?)?;
    let width = u32::from_be_bytes(picture[16..20].try_into()?);
    assert_eq!(width, 390, "width in the header of the PNG");
    Ok(())
}

#[tokio::test]
async fn the_client_keeps_its_session_and_sends_the_header() -> Result<()> {
    let url = serve().await?;
    let client = Client::new(&url)?;
    assert_eq!(client.get("/api/v1/session").await?, (404, json!({ "csrf": true, "cookie": false })));
    client.login("ada", "a long password").await?;
    let (status, seen) = client.cmdlet("Get-CsPool", json!({}), "run").await?;
    assert_eq!((status, seen), (404, json!({ "csrf": true, "cookie": true })));
    let (_, seen) = Client::new(&url)?.get("/api/v1/session").await?;
    assert_eq!(seen["cookie"], false, "a second client has a jar of its own");
    Ok(())
}

#[tokio::test]
async fn a_dropped_browser_leaves_nothing_behind() -> Result<()> {
    let browser = Browser::start().await?;
    let profile = browser.profile().to_owned();
    assert!(processes_with(&profile) > 0);
    drop(browser);
    wait::until("the end of Chromium", async || {
        let left = processes_with(&profile);
        ensure!(left == 0, "{left} processes are left");
        Ok(())
    })
    .await?;
    assert!(!profile.exists());
    Ok(())
}

/// Processes whose command line names a path.
fn processes_with(path: &Path) -> usize {
    let path = path.to_string_lossy();
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = all.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(&*path)).count()
}

fn pretend_server() -> Options {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join("pretend-server.sh");
    Options { binary: Some(script), ..Options::litware() }
}

#[tokio::test]
async fn a_server_is_started_killed_and_started_again_on_the_same_port() -> Result<()> {
    let mut server = Server::start(pretend_server()).await?;
    assert_eq!(server.url(), "http://127.0.0.1:4711");
    assert_eq!(server.setup_token().await?, "abc");
    let args = server.line("args ").await?;
    assert!(args.ends_with(" --listen 127.0.0.1:0 --sample litware"), "{args}");
    let first = server.id();
    server.kill9();
    server.restart().await?;
    assert_ne!(server.id(), first);
    assert!(server.line("args ").await?.contains(" --listen 127.0.0.1:4711 "));
    assert_eq!(server.stop().await?.code(), Some(5));
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_start_says_why() -> Result<()> {
    let env = vec![("PRETEND_FAILURE".to_owned(), "the data directory is in use".to_owned())];
    let error = Server::start(Options { env, ..pretend_server() }).await.err();
    let text = format!("{:#}", error.expect("the pretended server has failed"));
    assert!(text.contains("ended before it printed listening url="), "{text}");
    assert!(text.contains("the data directory is in use"), "{text}");
    Ok(())
}
