//! The shared status page: one rendered page and its JSON, without a login.

use std::fmt::Write;

use shared::api::{PoolSummary, StatusPool, StatusView};
use shared::deployment::{PoolState, ServerState};
use shared::error::ApiError;

use crate::app::App;
use crate::views::overview;

fn pool_word(p: &PoolSummary) -> &'static str {
    let running = p.servers.iter().filter(|s| s.active && s.report.state == ServerState::Running).count();
    if !p.converged || running == 0 {
        "Down"
    } else if p.servers.iter().any(|s| s.report.state.trouble().is_some()) {
        "Degraded"
    } else if p.state == PoolState::FailedOver {
        "FailedOver"
    } else {
        "Normal"
    }
}

/// What a share link shows.
///
/// # Errors
/// When the store does not answer.
pub async fn view(app: &App) -> Result<StatusView, ApiError> {
    let pools: Vec<StatusPool> = overview::pools(app)
        .await?
        .iter()
        .map(|p| StatusPool {
            fqdn: p.fqdn.to_string(),
            display_name: p.display_name.clone(),
            state: pool_word(p).to_owned(),
            since: p.since,
            servers: p
                .servers
                .iter()
                .map(|s| {
                    let word = if s.active {
                        s.report.state.word().to_owned()
                    } else {
                        format!("{}, inactive", s.report.state.word())
                    };
                    (s.report.fqdn.to_string(), word)
                })
                .collect(),
            databases: p
                .databases
                .iter()
                .map(|d| {
                    (
                        format!("{} {}", d.role, d.store),
                        if d.in_use {
                            "in use"
                        } else if d.error.is_some() {
                            "not answering"
                        } else {
                            "standby"
                        }
                        .to_owned(),
                    )
                })
                .collect(),
            last_test: p.last_test.as_ref().map(|t| (t.started, t.verdict.clone())),
        })
        .collect();
    let worst =
        ["Down", "Degraded", "FailedOver"].into_iter().find_map(|w| pools.iter().find(|p| p.state == w));
    let verdict = match worst {
        None if pools.is_empty() => "No Persistent Chat pool is published.".to_owned(),
        None => "Chat is up.".to_owned(),
        Some(p) if p.state == "Down" => format!("{} is down.", p.fqdn),
        Some(p) if p.state == "Degraded" => format!("Chat is up; a server of {} is down.", p.fqdn),
        Some(p) => format!("Chat is up; {} runs on its backup database.", p.fqdn),
    };
    Ok(StatusView { instance: app.settings.instance.clone(), at: app.clock.now(), verdict, pools })
}

fn esc(s: &str) -> String {
    s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn time(t: shared::Timestamp) -> String {
    let text = t.rfc3339();
    let shown = text.get(..16).unwrap_or(&text).replace('T', " ");
    format!("<time datetime=\"{text}\">{shown} UTC</time>")
}

/// The page, rendered here; it works without JavaScript (it then reloads itself every 15 s).
pub fn html(v: &StatusView, css: &str, js: &str) -> String {
    let mut body = String::new();
    for p in &v.pools {
        let _ = write!(
            body,
            "<section class=\"pool\"><h2>{} <small>{}</small></h2><p class=\"state state-{}\"><span aria-hidden=\"true\">●</span> {} <span class=\"since\">since {}</span></p>",
            esc(&p.display_name),
            esc(&p.fqdn),
            p.state.to_lowercase(),
            p.state,
            time(p.since)
        );
        let rows = |caption: &str, list: &[(String, String)]| {
            let mut t = format!("<table><caption>{caption}</caption><tbody>");
            for (k, w) in list {
                let _ = write!(t, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", esc(k), esc(w));
            }
            t + "</tbody></table>"
        };
        body.push_str(&rows("Servers", &p.servers));
        body.push_str(&rows("Databases", &p.databases));
        match &p.last_test {
            Some((at, verdict)) => {
                let _ = write!(body, "<p>Last test message: {} ({})</p>", esc(verdict), time(*at));
            }
            None => body.push_str("<p>No test message has been sent yet.</p>"),
        }
        body.push_str("</section>");
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex\"><title>{inst} – status</title><link rel=\"stylesheet\" href=\"{css}\">\
         <noscript><meta http-equiv=\"refresh\" content=\"15\"></noscript></head><body><main id=\"status\">\
         <h1>{inst}: Persistent Chat status</h1><p class=\"verdict\" role=\"status\">{verdict}</p>{body}\
         <footer>As of {at}. Read-only.</footer></main><script src=\"{js}\" defer></script></body></html>",
        inst = esc(&v.instance),
        verdict = esc(&v.verdict),
        at = time(v.at),
    )
}
