//! Headers of every kind of answer, the content security policy, host names, paths that lead elsewhere.

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::Browser;
use reqwest::Method;
use serde_json::json;

use super::{Caller, new_link, new_token, plain, wire};
use crate::support::{Sample, refused, run};

const HEADERS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ("content-security-policy", "frame-ancestors 'none'"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_answer_carries_the_headers() -> Result<()> {
    let s = Sample::start().await?;
    let link = new_link(&s, json!({ "Label": "desk" })).await?;
    let token = Caller::token("token", new_token(&s, "t", "CsViewOnlyAdministrator").await?);
    let nobody = Caller::anonymous();
    let page = plain()?.get(s.server.url()).send().await?.text().await?;
    let asset =
        page.split('"').find(|p| p.starts_with('/') && p.ends_with(".js")).unwrap_or("/status.js").to_owned();
    let large = "x".repeat(21 << 20);
    let mut seen = Vec::new();
    for (who, method, path, host, body, expected) in [
        (&nobody, "GET", "/", None, "", 200),
        (&nobody, "HEAD", "/", None, "", 200),
        (&nobody, "GET", "/pools/anything", None, "", 200),
        (&nobody, "GET", asset.as_str(), None, "", 200),
        (&nobody, "GET", "/no-such-file.js", None, "", 404),
        (&nobody, "POST", "/", None, "", 405),
        (&nobody, "GET", "/healthz", None, "", 200),
        (&nobody, "GET", "/readyz", None, "", 200),
        (&nobody, "GET", "/metrics", None, "", 401),
        (&token, "GET", "/metrics", None, "", 200),
        (&token, "GET", "/api/v1/pools", None, "", 200),
        (&token, "GET", "/api/v1/audit", None, "", 403),
        (&token, "GET", "/api/v1/test-history?limit=x", None, "", 400),
        (&token, "GET", "/api/v1/test-history/export?format=csv", None, "", 200),
        (&token, "GET", "/api/v1/events", None, "", 200),
        (&token, "GET", "/api/v1/nowhere", None, "", 404),
        (&token, "DELETE", "/api/v1/pools", None, "", 405),
        (&nobody, "GET", "/api/v1/pools", None, "", 401),
        (&nobody, "POST", "/api/v1/login", None, "no json", 400),
        (&token, "POST", "/api/v1/cmdlets/Get-CsPool", None, large.as_str(), 413),
        (&nobody, "GET", link.as_str(), None, "", 200),
        (&nobody, "GET", "/status/nothing", None, "", 404),
        (&nobody, "GET", "/status/nothing/status.json", None, "", 404),
        (&nobody, "GET", "/healthz", Some("evil.example.com"), "", 400),
    ] {
        let mut r = who.request(s.server.url(), &Method::from_bytes(method.as_bytes())?, path)?;
        if let Some(h) = host {
            r = r.header("host", h);
        }
        if !body.is_empty() {
            r = r.header("content-type", "application/json").body(body.to_owned());
        }
        let answer = r.send().await.with_context(|| format!("{method} {path}"))?;
        let what = format!("{method} {path} {host:?}");
        ensure!(answer.status() == expected, "{what}: {} instead of {expected}", answer.status());
        for (name, part) in HEADERS {
            let value = answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
            ensure!(value.contains(part), "{what}: {name} is '{value}'");
        }
        let csp = answer.headers()["content-security-policy"].to_str()?;
        for bad in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:"] {
            ensure!(!csp.contains(bad), "{what}: {csp}");
        }
        ensure!(
            answer.headers().contains_key("x-request-id") && answer.headers().contains_key("cache-control"),
            "{what}"
        );
        let secret = path.starts_with("/api/") || path.starts_with("/status/");
        ensure!(!secret || answer.headers()["cache-control"] == "no-store" || expected == 200, "{what}");
        ensure!(!answer.headers().contains_key("access-control-allow-origin"), "{what}");
        ensure!(!answer.headers().contains_key("server"), "{what}");
        seen.push(expected);
    }
    seen.sort_unstable();
    seen.dedup();
    ensure!(seen.len() >= 7, "{seen:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_work_under_their_policy_and_a_planted_script_does_not_run() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgAnnouncement", json!({ "Text": "<img src=x onerror=window.planted=1>" })).await?;
    let link = new_link(&s, json!({ "Label": "desk" })).await?;
    let browser = Browser::start().await?;
    for (path, text) in [("/", "Sign in"), (link.as_str(), "<img src=x")] {
        browser.goto(&format!("{}{path}", s.server.url())).await?;
        browser.wait_text(text).await?;
        let errors = browser.console_errors().await?;
        // Who is not signed in is told so by one answer; nothing else may go wrong.
        let errors: Vec<_> = errors.iter().filter(|e| !e.contains("401")).collect();
        ensure!(errors.is_empty(), "{path}: {errors:?}");
        let plant = "const s = document.createElement('script'); s.textContent = 'window.planted = 1';
            document.body.append(s);
            const d = document.createElement('div'); d.setAttribute('onclick', 'window.planted = 1');
            document.body.append(d); d.click(); return window.planted === undefined;";
        ensure!(browser.script(plant, vec![]).await? == true, "{path}: a planted script ran");
        let errors = browser.console_errors().await?;
        ensure!(errors.iter().any(|e| e.contains("Content Security Policy")), "{path}: {errors:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_names_are_answered() -> Result<()> {
    let s = Sample::start().await?;
    let port = wire::address(s.server.url()).rsplit(':').next().context("no port")?.to_owned();
    for (host, ok) in [
        ("localhost".to_owned(), true),
        (format!("localhost:{port}"), true),
        (format!("127.0.0.1:{port}"), true),
        (format!("[::1]:{port}"), true),
        ("evil.example.com".to_owned(), false),
        ("localhost.evil.example.com".to_owned(), false),
        ("evil.example.com:7443".to_owned(), false),
        ("127.0.0.1.evil.example.com".to_owned(), false),
        ("10.0.0.1".to_owned(), false),
        (String::new(), false),
    ] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let (head, _) = wire::exchange(s.server.url(), request.as_bytes()).await?;
        ensure!(head.starts_with(if ok { "HTTP/1.1 200" } else { "HTTP/1.1 400" }), "{host:?}: {head}");
    }
    let none = wire::exchange(s.server.url(), b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").await?;
    ensure!(none.0.starts_with("HTTP/1.1 400"), "{}", none.0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_site_or_a_store() -> Result<()> {
    let s = Sample::start().await?;
    let key = std::fs::read(s.server.data_dir().join("secret.key"))?;
    let up = "../".repeat(12);
    let mut paths = vec![
        "//etc/passwd".to_owned(),
        "/.%00/etc/passwd".to_owned(),
        "/status/..%2f..%2fetc%2fpasswd".to_owned(),
    ];
    for root in ["/", "/api/v1/", "/status/", "/api/v1/pools/", "/api/v1/tests/", "/api/v1/jobs/"] {
        for target in ["etc/passwd", "secret.key", "management.db", "ca/ca.key"] {
            paths.push(format!("{root}{up}{target}"));
            paths.push(format!("{root}{}{target}", up.replace('/', "%2f")));
            paths.push(format!("{root}{}{target}", up.replace("..", "%2e%2e")));
            paths.push(format!("{root}{}{target}", up.replace('/', "\\")));
        }
    }
    for path in paths {
        let (head, body) = wire::get(s.server.url(), &path).await?;
        let holds = |what: &[u8]| body.windows(what.len()).any(|w| w == what);
        ensure!(head.starts_with("HTTP/1.1 "), "{path}: {head}");
        ensure!(!head.starts_with("HTTP/1.1 5"), "{path}: {head}");
        ensure!(
            !holds(b"root:") && !holds(&key) && !holds(b"SQLite format 3") && !holds(b"PRIVATE KEY"),
            "{path}"
        );
    }
    // Names that become folders and files.
    for (cmdlet, args) in [
        ("New-LgFileStore", json!({ "Fqdn": "fs.litwareinc.com", "Share": "../../out" })),
        ("New-LgFileStore", json!({ "Fqdn": "../../out", "Share": "x" })),
        ("New-LgSqlStore", json!({ "Fqdn": "sql.litwareinc.com", "Instance": "../../out" })),
        ("New-LgSqlStore", json!({ "Fqdn": "../../out", "Instance": "x" })),
    ] {
        let (status, answer) = s.client.invoke(cmdlet, &json!({ "args": args, "confirmed": true })).await?;
        ensure!(status == 400 || status == 422, "{cmdlet} {args}: {status} {answer}");
    }
    refused(
        &s.client,
        "Uninstall-CsDatabase",
        json!({ "SqlServerFqdn": "../../..", "DatabaseType": "PersistentChat" }),
        404,
    )
    .await?;
    ensure!(!s.server.data_dir().parent().is_some_and(|p| p.join("out").exists()));
    Ok(())
}
