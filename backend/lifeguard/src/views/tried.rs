//! Since when a problem is there, what was tried against it, and the next safe step.
//!
//! All of it is read, nothing remembered: the open alerts know since when and who was told, the audit knows what
//! people did meanwhile, and the test messages how often they failed.

use rusqlite::Connection;
use shared::Timestamp;
use shared::api::{AuditView, LiveProblem, Tried};
use shared::error::ApiError;
use store::management::{StoreError, alerts as kept, audit, jobs, tests};

use crate::alerts::machine::{TEST, key};
use crate::alerts::reached::{self, Deliveries};
use crate::app::App;

/// Newest acts that are looked through.
const ACTS: u32 = 200;
/// Most lines of what was tried, the newest of them.
const LINES: usize = 5;
/// Most acts among them.
const ACTS_SHOWN: usize = 3;
/// Longest reason that is told of an act.
const SHORT: usize = 100;

/// What the service itself does about a problem, again and again.
fn by_itself(code: &str) -> Option<&'static str> {
    Some(match code {
        "server.failed" | "front_end.failed" => "Its host tries to start it every 3 seconds.",
        "pool.database" => "The service tries to open it every 5 seconds.",
        "mirror" | "mirror.compliance" => "The service tries to reach the mirror every 5 seconds.",
        "shipping" | "shipping.late" => "Log shipping tries again by its schedule.",
        "compliance.adapter" => "The adapter tries again by its interval.",
        "backup.failed" => "A backup is tried again within an hour.",
        _ => return None,
    })
}

/// Fills in what is known besides the problem itself.
///
/// # Errors
/// When the store does not answer.
pub fn explain(app: &App, problems: &mut [LiveProblem]) -> Result<(), ApiError> {
    if problems.is_empty() {
        return Ok(());
    }
    app.store.read(|c| fill(c, problems)).map_err(crate::door::store_error)
}

fn fill(c: &Connection, problems: &mut [LiveProblem]) -> Result<(), StoreError> {
    let (open, targets) = (kept::open(c)?, kept::targets(c)?);
    let deliveries = Deliveries::read(c)?;
    for p in problems.iter_mut() {
        let alert = open.iter().find(|o| o.key == key(&p.problem.code, &p.subject));
        p.since = p.since.or(alert.map(|o| o.since));
        let told = alert.iter().flat_map(|o| &o.told);
        let its_key = key(&p.problem.code, &p.subject);
        p.tried.extend(told.filter_map(|(id, at)| {
            let target = targets.iter().find(|t| t.id == *id)?;
            let reached = deliveries.of(id, &its_key, *at);
            Some(Tried { at: Some(*at), text: reached::in_words(&target.label, &reached) })
        }));
        let acknowledged = alert.and_then(|o| o.acknowledged.as_ref());
        p.tried.extend(
            acknowledged
                .map(|(who, at)| Tried { at: Some(*at), text: format!("{who} has acknowledged it.") }),
        );
        if p.problem.code == TEST {
            test(c, p)?;
        }
    }
    if let Some(first) = problems.iter().filter_map(|p| p.since).min() {
        let since = audit::Filter { from: Some(first), ..audit::Filter::default() };
        let acts = audit::search(c, &since, ACTS)?;
        problems.iter_mut().for_each(|p| p.tried.extend(acts_against(p, &acts)));
    }
    problems.iter_mut().for_each(finish);
    Ok(())
}

/// Cmdlets that can mend a problem of this code, or bring it about.
fn bear_on(code: &str) -> &'static [&'static str] {
    match code {
        "server.failed" | "server.stopped" | "front_end.failed" | "front_end.stopped" | "pool.no_server"
        | "pool.inactive" => {
            &["Start-CsWindowsService", "Stop-CsWindowsService", "Set-CsPersistentChatActiveServer"]
        }
        "pool.failed_over" | "pool.database" | "pool.opening" | "run.failed" | "db.error" => &[
            "Set-CsPersistentChatState",
            "Start-LgFailover",
            "Start-LgFailback",
            "Resume-LgRun",
            "Stop-LgRun",
            "Invoke-CsDatabaseFailover",
            "Install-CsDatabase",
        ],
        "mirror" | "mirror.compliance" => {
            &["Install-CsMirrorDatabase", "Uninstall-CsMirrorDatabase", "Invoke-CsDatabaseFailover"]
        }
        "shipping" | "shipping.late" => &["Set-LgLogShipping"],
        "compliance.adapter" | "compliance.no_adapter" => &[
            "New-CsPersistentChatComplianceConfiguration",
            "Set-CsPersistentChatComplianceConfiguration",
            "Remove-CsPersistentChatComplianceConfiguration",
        ],
        TEST | "test.missed" => &[
            "Test-CsPersistentChatMessage",
            "Start-CsWindowsService",
            "Stop-CsWindowsService",
            "Set-CsPersistentChatActiveServer",
            "Set-CsPersistentChatState",
            "Set-CsTestUserCredential",
        ],
        "backup.failed" | "backup.old" | "backup.incomplete" => &["Start-LgBackup", "Set-LgBackupSchedule"],
        "alerts.undelivered" => &["New-LgAlertTarget", "Set-LgAlertTarget", "Test-LgAlertTarget"],
        _ => &[],
    }
}

/// The newest acts since the problem is there that bear on its kind and name what it is about.
fn acts_against(p: &LiveProblem, acts: &[AuditView]) -> Vec<Tried> {
    let Some(since) = p.since else { return Vec::new() };
    let cmdlets = bear_on(&p.problem.code);
    // These are about the portal itself; a run is named by its id.
    let everywhere = ["backup.", "alerts."].iter().any(|x| p.problem.code.starts_with(x));
    let names = |a: &AuditView| {
        everywhere
            || a.target.contains(&p.subject)
            || a.line.contains(&p.subject)
            || (!a.target.is_empty() && p.href.rsplit('/').next() == Some(a.target.as_str()))
    };
    let about = |a: &&AuditView| a.at >= since && cmdlets.contains(&a.cmdlet.as_str()) && names(a);
    let mut found: Vec<&AuditView> = acts.iter().filter(about).collect();
    found.sort_by_key(|a| std::cmp::Reverse(a.at));
    found.into_iter().take(ACTS_SHOWN).map(act).collect()
}

/// The first sentence, or what of it fits in a line.
fn short(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.split_once(". ").map_or(first, |(a, _)| a).trim_end_matches('.');
    if first.chars().count() <= SHORT {
        return first.to_owned();
    }
    let cut: String = first.chars().take(SHORT).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(a, _)| a))
}

fn act(a: &AuditView) -> Tried {
    let outcome = match a.outcome.as_str() {
        "opened" => "under way",
        word => word,
    };
    let why = if ["done", crate::ends::STARTED].contains(&a.outcome.as_str()) || a.detail.is_empty() {
        String::new()
    } else {
        format!(": {}", short(&a.detail))
    };
    Tried { at: Some(a.at), text: format!("{} – {}, {outcome}{why}", a.cmdlet, a.actor) }
}

/// How often the test message failed since it last succeeded, and what its diagnosis wants to be checked.
fn test(c: &Connection, p: &mut LiveProblem) -> Result<(), StoreError> {
    let failed = tests::failed_in_a_row(c, &p.subject)?;
    if let Some(first) = failed.since {
        p.since = Some(first);
    }
    if failed.count > 1 {
        let text = format!("{} test messages in a row have failed.", failed.count);
        p.tried.push(Tried { at: failed.last, text });
    }
    let last = jobs::last_finished(c, &p.subject)?;
    if let Some(d) =
        last.and_then(|t| t.report).and_then(|r| r.diagnosis).filter(|d| !d.check_next.is_empty())
    {
        p.next = d.check_next;
    }
    Ok(())
}

/// The newest few, newest first; what goes on all the time comes last.
fn finish(p: &mut LiveProblem) {
    p.tried.sort_by_key(|t| std::cmp::Reverse(t.at.map(Timestamp::millis)));
    let always: Vec<Tried> = p.tried.iter().filter(|t| t.at.is_none()).cloned().collect();
    p.tried.retain(|t| t.at.is_some());
    p.tried.truncate(LINES);
    p.tried.extend(always);
    // Whoever found the problem may know better what goes on by itself.
    if p.tried.iter().all(|t| t.at.is_some()) {
        p.tried.extend(by_itself(&p.problem.code).map(|text| Tried { at: None, text: text.to_owned() }));
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use shared::error::Problem;
    use shared::problem::next_step;

    /// Codes that a source file gives to problems.
    fn codes(source: &str) -> Vec<&str> {
        let calls = ["problem(\"", "Problem::error(\"", "Problem::warning(\"", "problem(\n"];
        calls
            .iter()
            .flat_map(|call| source.split(call).skip(1))
            .filter_map(|rest| rest.trim_start().trim_start_matches('"').split('"').next())
            .filter(|code| code.contains('.') || ["mirror", "shipping"].contains(code))
            .filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_'))
            .collect()
    }

    #[test]
    fn every_problem_of_the_overview_has_a_next_step() {
        let sources = [
            include_str!("overview/mod.rs"),
            include_str!("overview/summary.rs"),
            include_str!("overview/detail.rs"),
            include_str!("overview/trouble.rs"),
            include_str!("overview/runs.rs"),
            include_str!("overview/serving.rs"),
            include_str!("../alerts/reached.rs"),
            include_str!("../backups.rs"),
            include_str!("../reach.rs"),
            include_str!("../disk.rs"),
        ];
        let found: Vec<&str> = sources.iter().flat_map(|s| codes(s)).collect();
        assert!(found.len() >= 18, "{found:?}");
        for code in found {
            assert!(next_step(code).is_some(), "{code} has no next step in shared/src/problem.rs");
        }
    }

    #[test]
    fn a_long_refusal_is_one_short_line() {
        assert_eq!(short("It cannot be done. Long words follow."), "It cannot be done");
        let long = short(&"word ".repeat(60));
        assert!(long.chars().count() <= SHORT + 1 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn every_cmdlet_that_bears_on_a_problem_is_one() {
        let codes = [
            "server.failed",
            "run.failed",
            "mirror",
            "shipping",
            "compliance.adapter",
            TEST,
            "backup.failed",
            "alerts.undelivered",
        ];
        for cmdlet in codes.iter().flat_map(|c| bear_on(c)) {
            assert!(shared::cmdlets::find(cmdlet).is_some(), "{cmdlet}");
        }
    }

    #[test]
    fn what_was_tried_is_told_in_order_and_only_about_this() {
        let at = |n: i64| Timestamp::from_millis(n);
        let view = |n: i64, cmdlet: &str, line: &str, outcome: &str| AuditView {
            op_id: String::new(),
            at: at(n),
            actor: "nina".to_owned(),
            role: String::new(),
            credential: String::new(),
            source: String::new(),
            cmdlet: cmdlet.to_owned(),
            line: line.to_owned(),
            target: String::new(),
            reason: String::new(),
            outcome: outcome.to_owned(),
            detail: "the port is taken".to_owned(),
            changes: Vec::new(),
            request_id: String::new(),
        };
        let mut p = LiveProblem::new(Problem::error("server.failed", "", "down", ""), "gc-001.a.com", "/");
        p.since = Some(at(10));
        let acts = [
            view(30, "Stop-CsWindowsService", "Stop-CsWindowsService -ComputerName gc-001.a.com", "done"),
            view(20, "Start-CsWindowsService", "Start-CsWindowsService -ComputerName gc-001.a.com", "failed"),
            view(5, "Start-CsWindowsService", "Start-CsWindowsService -ComputerName gc-001.a.com", "done"),
            view(25, "Start-CsWindowsService", "Start-CsWindowsService -ComputerName gc-002.a.com", "done"),
            view(35, "Set-LgWatcher", "Set-LgWatcher gc-001.a.com", "done"),
        ];
        p.tried = acts_against(&p, &acts);
        finish(&mut p);
        let lines: Vec<&str> = p.tried.iter().map(|t| t.text.as_str()).collect();
        assert_eq!(
            lines,
            [
                "Stop-CsWindowsService – nina, done",
                "Start-CsWindowsService – nina, failed: the port is taken",
                "Its host tries to start it every 3 seconds.",
            ]
        );
    }
}
