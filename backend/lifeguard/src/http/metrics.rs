//! `GET /metrics`: numbers in Prometheus' text format, for who may read the overview.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use shared::api::{Overview, PoolSummary, TestSummary};
use shared::deployment::{PoolState, ServerState};
use shared::error::Severity;

use super::api::may;
use super::auth::SignedIn;
use super::error::HttpError;
use crate::app::App;
use crate::views::overview;

/// Requests that were answered, by status.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<u16, u64>>);

impl Requests {
    /// One more.
    pub fn count(&self, status: u16) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
    }

    fn all(&self) -> BTreeMap<u16, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Text being written.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escaped = |v: &str| v.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<_> = labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escaped(v))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A metric with one label that counts.
    fn counts(&mut self, name: &str, help: &str, label: &str, counts: &[(&str, usize)]) {
        self.head(name, "gauge", help);
        for (word, n) in counts {
            self.line(name, &[(label, word)], n);
        }
    }
}

/// Seconds of a count of microseconds or milliseconds, exactly.
fn decimal(value: u64, unit: u64, digits: usize) -> String {
    format!("{}.{:0digits$}", value / unit, value % unit)
}

fn pools(t: &mut Text, list: &[PoolSummary]) {
    let served = |p: &&PoolSummary| p.converged && !overview::nobody_serves(p);
    let state = |s: PoolState| list.iter().filter(served).filter(|p| p.state == s).count();
    let closed = list.iter().filter(|p| !p.converged).count();
    let idle = list.iter().filter(|p| p.converged && overview::nobody_serves(p)).count();
    let counts = [
        ("normal", state(PoolState::Normal)),
        ("failed_over", state(PoolState::FailedOver)),
        ("no_database", closed),
        ("no_server", idle),
    ];
    t.counts("lifeguard_pools", "Persistent Chat pools by state.", "state", &counts);
}

fn servers(t: &mut Text, o: &Overview) {
    let all: Vec<_> =
        o.pools.iter().flat_map(|p| &p.servers).map(|s| &s.report).chain(&o.front_ends).collect();
    let count = |f: fn(&ServerState) -> bool| all.iter().filter(|r| f(&r.state)).count();
    let counts = [
        ("running", count(|s| *s == ServerState::Running)),
        ("starting", count(|s| *s == ServerState::Starting)),
        ("stopped", count(|s| *s == ServerState::Stopped)),
        ("failed", count(|s| matches!(s, ServerState::Failed(_)))),
    ];
    t.counts("lifeguard_servers", "Front End and chat servers that run here, by state.", "state", &counts);
    t.head(
        "lifeguard_sessions",
        "gauge",
        "Registrations at Front End servers and channel dialogs at chat servers.",
    );
    for role in ["front_end", "chat"] {
        let wanted = |r: &shared::deployment::ServerReport| {
            (r.role == shared::deployment::ServerRole::Chat) == (role == "chat")
        };
        let n: u64 = all.iter().filter(|r| wanted(r)).map(|r| u64::from(r.sessions)).sum();
        t.line("lifeguard_sessions", &[("role", role)], n);
    }
}

fn shipping(t: &mut Text, app: &App, o: &Overview) {
    let views: Vec<_> = o.pools.iter().filter_map(|p| Some((p, overview::shipped(app, &p.id)?))).collect();
    t.head("lifeguard_log_shipping_behind", "gauge", "Commits that were shipped and are not applied.");
    for (p, s) in &views {
        t.line("lifeguard_log_shipping_behind", &[("pool", p.fqdn.as_str())], s.behind);
    }
    t.head(
        "lifeguard_log_shipping_age_seconds",
        "gauge",
        "Time since the jobs of log shipping last succeeded; no sample before the first success.",
    );
    for (p, s) in &views {
        if let (Some(b), Some(r)) = (s.backup_at, s.restore_at) {
            let age = o.at.millis_since(b.min(r));
            t.line(
                "lifeguard_log_shipping_age_seconds",
                &[("pool", p.fqdn.as_str())],
                decimal(age, 1_000, 3),
            );
        }
    }
}

fn tests(t: &mut Text, last: &[TestSummary]) {
    let pool = |s: &TestSummary| s.pool.as_ref().map(ToString::to_string).unwrap_or_default();
    t.head("lifeguard_test_message_success", "gauge", "Whether the pool's last test message arrived.");
    for s in last {
        let ok = u8::from(s.state == "success");
        t.line("lifeguard_test_message_success", &[("pool", &pool(s))], ok);
    }
    t.head(
        "lifeguard_test_message_latency_seconds",
        "gauge",
        "First send to second receipt of the last test message.",
    );
    for s in last {
        if let Some(us) = s.latency_us {
            t.line(
                "lifeguard_test_message_latency_seconds",
                &[("pool", &pool(s))],
                decimal(us, 1_000_000, 6),
            );
        }
    }
    t.head("lifeguard_test_message_timestamp_seconds", "gauge", "When the last test message was started.");
    for s in last {
        let at = decimal(u64::try_from(s.started.millis()).unwrap_or(0), 1_000, 3);
        t.line("lifeguard_test_message_timestamp_seconds", &[("pool", &pool(s))], at);
    }
}

/// Resident memory of this process in bytes; none where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// `GET /metrics`.
///
/// # Errors
/// Not signed in, no right, or the store does not answer.
pub async fn metrics(State(app): State<Arc<App>>, SignedIn(actor): SignedIn) -> Result<Response, HttpError> {
    may(&actor, "Get-CsPersistentChatState")?;
    let o = overview::overview(&app).await?;
    let last = overview::last_tests(&app)?;
    let mut t = Text::default();
    t.head("lifeguard_info", "gauge", "Version and name of this portal.");
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("instance", &app.settings.instance)];
    t.line("lifeguard_info", &labels, 1);
    pools(&mut t, &o.pools);
    servers(&mut t, &o);
    shipping(&mut t, &app, &o);
    tests(&mut t, &last);
    let severity = |s: Severity| o.problems.iter().filter(|p| p.problem.severity == s).count();
    let counts = [("error", severity(Severity::Error)), ("warning", severity(Severity::Warning))];
    t.counts("lifeguard_problems", "Problems that the overview shows now.", "severity", &counts);
    t.head("lifeguard_http_requests_total", "counter", "Requests that were answered, by status.");
    for (status, n) in app.requests.all() {
        t.line("lifeguard_http_requests_total", &[("status", &status.to_string())], n);
    }
    if let Some(bytes) = resident() {
        t.head("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
        t.line("process_resident_memory_bytes", &[], bytes);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], t.0).into_response())
}

#[cfg(test)]
mod tests_of_text {
    use super::*;

    #[test]
    fn labels_are_escaped_and_numbers_are_exact() {
        let mut t = Text::default();
        t.head("x", "gauge", "Help.");
        t.line("x", &[("a", "b\"c\\d\ne")], 1);
        assert_eq!(t.0, "# HELP x Help.\n# TYPE x gauge\nx{a=\"b\\\"c\\\\d\\ne\"} 1\n");
        assert_eq!(decimal(1_000_042, 1_000_000, 6), "1.000042");
        assert!(resident().is_some_and(|b| b > 1 << 20));
    }
}
