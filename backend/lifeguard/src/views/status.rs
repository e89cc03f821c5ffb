//! The shared status page: one rendered page and its JSON, without a login.

use std::fmt::Write;

use shared::api::{
    AnnouncementView, ChatServerView, DatabaseView, PoolSummary, StatusNote, StatusPool, StatusProcedure,
    StatusView,
};
use shared::deployment::{PoolState, ServerState};
use shared::error::ApiError;
use store::management::accounts::Share;
use store::management::{announcements, jobs, pools};

use crate::app::App;
use crate::door::store_error;
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

/// How much of a pool a link shows; each has what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// State, since when, whether the last test message succeeded.
    State,
    /// Servers, databases, what the last test message said and how long the last ones took.
    Servers,
    /// The guided run that is under way and its step.
    Procedure,
}

impl Level {
    /// The level that a stored word names; the least one for what is unknown.
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "procedure" => Self::Procedure,
            "servers" => Self::Servers,
            _ => Self::State,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::State => "State",
            Self::Servers => "Servers",
            Self::Procedure => "Procedure",
        }
    }
}

/// What a share link shows.
///
/// # Errors
/// When the store does not answer.
pub async fn view(app: &App, share: &Share) -> Result<StatusView, ApiError> {
    let mut pools = Vec::new();
    for p in overview::pools(app).await?.iter() {
        pools.push(pool(p, procedure(app, p)?));
    }
    let now = app.clock.now();
    let told = app.store.read(|c| announcements::announcements(c, now)).map_err(store_error)?;
    let note =
        |a: AnnouncementView| StatusNote { kind: a.kind, text: a.text, begins: a.begins, ends: a.ends };
    // Maintenance is told beforehand, an announcement when it begins.
    let due = |a: &AnnouncementView| a.kind == "Maintenance" || a.begins <= now;
    let everything = StatusView {
        instance: app.settings.instance.clone(),
        at: now,
        verdict: String::new(),
        level: String::new(),
        may_test: false,
        announcements: told.into_iter().filter(due).map(note).collect(),
        pools,
    };
    Ok(reduce(everything, share))
}

/// The run that has the pool in hand.
fn procedure(app: &App, p: &PoolSummary) -> Result<Option<StatusProcedure>, ApiError> {
    let (held, runs) = app
        .store
        .read(|c| {
            Ok((pools::held_by(c, &p.id)?, jobs::jobs_of(c, crate::failover::KIND, p.fqdn.as_str(), 1)?))
        })
        .map_err(store_error)?;
    Ok(runs.into_iter().find(|r| r.state == "running" || held.as_ref() == Some(&r.id)).map(|r| {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let at = r.steps.iter().find(|s| matches!(s.state.as_str(), "running" | "failed" | "waiting"));
        StatusProcedure {
            step: at.map_or_else(String::new, |s| s.title.clone()),
            done: count(r.steps.iter().filter(|s| matches!(s.state.as_str(), "done" | "skipped")).count()),
            steps: count(r.steps.len()),
            title: r.title,
            state: r.state,
        }
    }))
}

fn pool(p: &PoolSummary, procedure: Option<StatusProcedure>) -> StatusPool {
    let server = |s: &ChatServerView| {
        let word = s.report.state.word();
        let word = if s.active { word.to_owned() } else { format!("{word}, inactive") };
        (s.report.fqdn.to_string(), word)
    };
    let database = |d: &DatabaseView| {
        let word = match &d.error {
            Some(_) => "not answering",
            None if d.in_use => "in use",
            None => "standby",
        };
        (format!("{} {}", d.role, d.store), word.to_owned())
    };
    let state = pool_word(p);
    StatusPool {
        fqdn: p.fqdn.to_string(),
        display_name: p.display_name.clone(),
        state: state.to_owned(),
        // The last change of state says nothing about when a pool went down.
        since: match state {
            "Down" => p.down_since,
            "Degraded" => None,
            _ => Some(p.since),
        },
        servers: p.servers.iter().map(server).collect(),
        databases: p.databases.iter().map(database).collect(),
        last_test: p.last_test.as_ref().map(|t| (t.started, t.verdict.clone())),
        recent_us: p.recent_us.clone(),
        procedure,
    }
}

/// Takes away what the link does not show. The page and its JSON are made of what is left, of nothing else.
fn reduce(mut v: StatusView, share: &Share) -> StatusView {
    let level = Level::of(&share.level);
    v.level = level.word().to_owned();
    v.may_test = share.may_test;
    if !share.pools.is_empty() {
        v.pools.retain(|p| share.pools.iter().any(|f| f.eq_ignore_ascii_case(&p.fqdn)));
    }
    for p in &mut v.pools {
        if level < Level::Procedure {
            p.procedure = None;
        }
        if level < Level::Servers {
            p.servers.clear();
            p.databases.clear();
            p.recent_us.clear();
            // What follows the first word names servers and addresses.
            if let Some((_, verdict)) = &mut p.last_test {
                let good = verdict.starts_with("Success");
                *verdict = if good { "Success" } else { "Failure" }.to_owned();
            }
        }
    }
    v.verdict = verdict(&v.pools);
    v
}

fn verdict(pools: &[StatusPool]) -> String {
    let worst =
        ["Down", "Degraded", "FailedOver"].into_iter().find_map(|w| pools.iter().find(|p| p.state == w));
    match worst {
        None if pools.is_empty() => "No Persistent Chat pool is published.".to_owned(),
        None => "Chat is up.".to_owned(),
        Some(p) if p.state == "Down" => format!("{} is down.", p.fqdn),
        Some(p) if p.state == "Degraded" => format!("Chat is up; a server of {} is down.", p.fqdn),
        Some(p) => format!("Chat is up; {} runs on its backup database.", p.fqdn),
    }
}

fn esc(s: &str) -> String {
    s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn time(t: shared::Timestamp) -> String {
    let text = t.rfc3339();
    let shown = text.get(..16).unwrap_or(&text).replace('T', " ");
    format!("<time datetime=\"{text}\">{shown} UTC</time>")
}

fn rows(caption: &str, list: &[(String, String)]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let mut t = format!("<table><caption>{caption}</caption><tbody>");
    for (k, w) in list {
        let _ = write!(t, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", esc(k), esc(w));
    }
    t + "</tbody></table>"
}

fn notes(v: &StatusView) -> String {
    let mut out = String::new();
    for n in &v.announcements {
        let head = match (n.kind == "Maintenance", n.begins <= v.at) {
            (true, true) => "Maintenance is under way",
            (true, false) => "Planned maintenance",
            _ => "Announcement",
        };
        let until = n.ends.map_or_else(String::new, |e| format!(" until {}", time(e)));
        let _ = write!(
            out,
            "<section class=\"note\"><h2>{head}</h2><p>{}</p><p class=\"since\">from {}{until}</p></section>",
            esc(&n.text),
            time(n.begins)
        );
    }
    out
}

fn pool_html(p: &StatusPool, may_test: bool) -> String {
    let since =
        p.since.map_or_else(String::new, |at| format!(" <span class=\"since\">since {}</span>", time(at)));
    let mut out = format!(
        "<section class=\"pool\"><h2>{} <small>{}</small></h2><p class=\"state state-{}\"><span aria-hidden=\"true\">●</span> {}{since}</p>",
        esc(&p.display_name),
        esc(&p.fqdn),
        p.state.to_lowercase(),
        p.state,
    );
    if let Some(r) = &p.procedure {
        let word = if r.state == "running" { "Under way" } else { "Stands still" };
        let _ = write!(
            out,
            "<p class=\"procedure\">{word}: {} – {} ({} of {} steps done)</p>",
            esc(&r.title),
            esc(&r.step),
            r.done,
            r.steps
        );
    }
    out.push_str(&rows("Servers", &p.servers));
    out.push_str(&rows("Databases", &p.databases));
    let _ = match &p.last_test {
        Some((at, verdict)) => write!(out, "<p>Last test message: {} ({})</p>", esc(verdict), time(*at)),
        None => write!(out, "<p>No test message has been sent yet.</p>"),
    };
    out.push_str(&super::sparkline::svg(&p.recent_us));
    if may_test {
        // Without an address: a form posts to the page it stands on.
        let _ = write!(
            out,
            "<form method=\"post\"><button name=\"test\" value=\"{0}\">Send a test message to {0}</button></form>",
            esc(&p.fqdn)
        );
    }
    out + "</section>"
}

/// A page of the link's look around `body`.
pub fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex, nofollow\"><title>{}</title><link rel=\"stylesheet\" href=\"/status.css\"></head>\
         <body><main>{body}</main></body></html>",
        esc(title)
    )
}

/// The form that asks for the passphrase.
pub fn ask(wrong: Option<&str>) -> String {
    let wrong =
        wrong.map_or_else(String::new, |w| format!("<p role=\"alert\" class=\"state-down\">{}</p>", esc(w)));
    let body = format!(
        "<h1>This link asks for a passphrase</h1>{wrong}<form method=\"post\"><p><label for=\"p\">Passphrase</label><br>\
         <input id=\"p\" type=\"password\" name=\"passphrase\" autocomplete=\"off\" required autofocus></p>\
         <button>Show the status</button></form><p class=\"since\">Whoever gave you the link knows it.</p>"
    );
    frame("Passphrase", &body)
}

/// The page, rendered here; it works without JavaScript (it then reloads itself every 15 s).
pub fn html(v: &StatusView, said: Option<&str>, css: &str, js: &str) -> String {
    let pools: String = v.pools.iter().map(|p| pool_html(p, v.may_test)).collect();
    let said = said.map_or_else(String::new, |s| format!("<p role=\"status\">{}</p>", esc(s)));
    let body = notes(v) + &said + &pools;
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"robots\" content=\"noindex, nofollow\"><title>{inst} – status</title><link rel=\"stylesheet\" href=\"{css}\">\
         <noscript><meta http-equiv=\"refresh\" content=\"15\"></noscript></head><body><main id=\"status\">\
         <h1>{inst}: Persistent Chat status</h1><p class=\"verdict\" role=\"status\">{verdict}</p>{body}\
         <footer>As of {at}. </footer></main><script src=\"{js}\" defer></script></body></html>",
        inst = esc(&v.instance),
        verdict = esc(&v.verdict),
        at = time(v.at),
    )
}

#[cfg(test)]
mod tests {
    use shared::Timestamp;

    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn pool(name: &str) -> StatusPool {
        let fact = |what: &str| format!("{name}-{what}");
        StatusPool {
            fqdn: fact("fqdn"),
            display_name: fact("display"),
            state: "Normal".to_owned(),
            since: Some(AT),
            servers: vec![(fact("server"), fact("serverword"))],
            databases: vec![(fact("database"), fact("databaseword"))],
            last_test: Some((AT, format!("Failure – {}", fact("diagnosis")))),
            recent_us: vec![Some(77_771_000), None, Some(0)],
            procedure: Some(StatusProcedure {
                title: fact("procedure"),
                state: "running".to_owned(),
                step: fact("step"),
                done: 7,
                steps: 1313,
            }),
        }
    }

    fn share(pools: &[&str], level: &str) -> Share {
        Share {
            id: String::new(),
            label: "label-of-the-link".to_owned(),
            created: AT,
            created_by: "its-maker".to_owned(),
            expires: None,
            revoked: None,
            last_used: None,
            uses: 0,
            pools: pools.iter().map(|p| (*p).to_owned()).collect(),
            level: level.to_owned(),
            passphrase: Some("its-hash".to_owned()),
            may_test: false,
        }
    }

    /// Page and JSON that a link makes of these pools, all facts being there.
    fn shown(s: &Share, pools: Vec<StatusPool>) -> [String; 2] {
        let note = StatusNote {
            kind: "Announcement".to_owned(),
            text: "<b>told</b>".to_owned(),
            begins: AT,
            ends: None,
        };
        let all = StatusView {
            instance: "inst".to_owned(),
            at: AT,
            verdict: String::new(),
            level: String::new(),
            may_test: false,
            announcements: vec![note],
            pools,
        };
        let v = reduce(all, s);
        [html(&v, None, "/status.css", "/status.js"), serde_json::to_string(&v).unwrap()]
    }

    const FACTS: [(Level, &[&str]); 3] = [
        (Level::State, &["fqdn", "display"]),
        (Level::Servers, &["server", "serverword", "database", "databaseword", "diagnosis"]),
        (Level::Procedure, &["procedure", "step"]),
    ];

    #[test]
    fn a_level_shows_its_facts_and_none_of_a_higher_one() {
        for level in [Level::State, Level::Servers, Level::Procedure] {
            for text in shown(&share(&["ONE-fqdn"], level.word()), vec![pool("one"), pool("two")]) {
                for (of, facts) in FACTS {
                    for f in facts {
                        assert_eq!(text.contains(&format!("one-{f}")), of <= level, "{level:?} {f}: {text}");
                        assert!(!text.contains(&format!("two-{f}")), "a pool out of scope: {text}");
                    }
                }
                assert_eq!(text.contains("1313"), level == Level::Procedure, "{text}");
                assert_eq!(text.contains("77771"), level >= Level::Servers, "{text}");
                assert_eq!(
                    text.contains("<svg"),
                    level >= Level::Servers && text.contains("<html"),
                    "{text}"
                );
                for never in ["label-of-the-link", "its-maker", "its-hash"] {
                    assert!(!text.contains(never), "{text}");
                }
            }
        }
    }

    #[test]
    fn no_pools_named_is_all_and_an_unknown_level_is_the_least() {
        let [page, json] = shown(&share(&[], "whatever"), vec![pool("one"), pool("two")]);
        assert!(page.contains("one-fqdn") && json.contains("two-fqdn") && !page.contains("one-server"));
        assert!(
            page.contains("&lt;b&gt;told&lt;/b&gt;") && !page.contains("<b>told"),
            "words stay words: {page}"
        );
    }

    #[test]
    fn the_page_is_light_and_has_nothing_inline() {
        let big = |n: u32| {
            let mut p = pool(&format!("pool-{n}.litwareinc.com"));
            p.servers = vec![p.servers[0].clone(); 4];
            p.databases = vec![p.databases[0].clone(); 2];
            p.recent_us = (0..30).map(|i| (i % 2 == 0).then_some(i * 1000)).collect();
            p
        };
        let s = Share { may_test: true, ..share(&[], "Procedure") };
        let [page, _] = shown(&s, (0..8).map(big).collect());
        assert!(page.len() < 20_000, "eight pools are {} bytes", page.len());
        assert!(!page.contains("style=") && !page.contains("onclick") && !page.contains("<script>"));
    }
}
