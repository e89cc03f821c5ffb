//! Everything that is wrong now, each with its code.

use shared::api::{LiveProblem, PoolSummary};
use shared::deployment::{PoolState, ServerReport, ServerState};
use shared::error::Problem;
use store::chat::mirror::MirrorState;

use super::{Facts, runs, serving};
use crate::app::App;

pub(super) fn problem(code: &str, error: bool, text: String, subject: &str, href: String) -> LiveProblem {
    let p = if error { Problem::error(code, "", text, "") } else { Problem::warning(code, "", text, "") };
    LiveProblem::new(p, subject, href)
}

fn pool_problems(f: &Facts, p: &PoolSummary, out: &mut Vec<LiveProblem>) {
    let href = format!("/pools/{}", p.fqdn);
    let name = p.fqdn.as_str();
    let stopped = p.run.as_ref().filter(|r| r.state == "failed");
    if p.state == PoolState::FailedOver {
        let held = stopped.is_some_and(|r| r.holds);
        let text = if held { "is in the state FailedOver" } else { "runs on its backup database" };
        let text = format!("{name} {text}.");
        let mut x = problem("pool.failed_over", false, text, name, format!("{href}/state"));
        x.since = Some(p.since);
        if stopped.is_some() {
            "First decide about the guided run that has stopped.".clone_into(&mut x.next);
        } else if serving::down(p).is_empty() {
            x.next = format!("Nothing is urgent. {}", x.next);
        }
        out.push(x);
    }
    out.extend(stopped.map(|r| runs::stopped(p, r)));
    out.extend(serving::database(p));
    out.extend(serving::nobody(p));
    for s in &p.servers {
        if let Some(why) = s.report.state.trouble() {
            let mut x = problem(
                "server.failed",
                true,
                format!("{} is down: {why}", s.report.fqdn),
                s.report.fqdn.as_str(),
                format!("{href}/servers"),
            );
            serving::down_server(&mut x, &s.report, &p.servers);
            out.push(x);
        }
    }
    for s in p.servers.iter().filter(|s| s.active && s.report.state == ServerState::Stopped) {
        let text = format!("{} is active and was stopped on purpose.", s.report.fqdn);
        out.push(problem("server.stopped", false, text, s.report.fqdn.as_str(), format!("{href}/servers")));
    }
    if !p.servers.iter().any(|s| s.active) {
        out.push(problem(
            "pool.inactive",
            true,
            format!("No server of {name} is active; nobody can sign in to chat."),
            name,
            format!("{href}/servers"),
        ));
    }
    for d in p.databases.iter().filter(|d| !d.in_use) {
        // A backup that was never copied to is not a fault before the first switch.
        if let (Some(e), true) = (&d.error, p.state == PoolState::FailedOver || d.copied_at.is_some()) {
            out.push(problem(
                "db.error",
                false,
                format!("The {} database on {} does not answer: {e}", d.role, d.store),
                name,
                format!("{href}/databases"),
            ));
        }
    }
    if let Some(e) = p.compliance_adapter.as_ref().filter(|_| p.compliance).and_then(|a| a.error.as_ref()) {
        let text = format!("The compliance adapter of {name} could not write: {e}");
        out.push(problem("compliance.adapter", false, text, name, href));
    } else if p.compliance && p.compliance_adapter.is_none() {
        let text = format!(
            "Compliance of {name} has no adapter and nothing is written out: {}.",
            serving::queued(p)
        );
        out.push(problem("compliance.no_adapter", false, text, name, href));
    }
    let last = f.finished.iter().find(|t| t.pool.as_ref() == Some(&p.fqdn));
    if let Some(t) = last.filter(|t| t.state == "failure") {
        let mut x = problem(
            "test.failed",
            false,
            format!("The last test message failed: {}", t.verdict),
            name,
            format!("/test-message/{}", t.id),
        );
        x.since = Some(t.started);
        out.push(x);
    }
}

pub(super) fn all_problems(
    app: &App,
    f: &Facts,
    pools: &[PoolSummary],
    front_ends: &[ServerReport],
) -> Vec<LiveProblem> {
    let ending = crate::reach::problems(app).into_iter();
    let mut problems: Vec<LiveProblem> =
        ending.map(|(subject, problem)| LiveProblem::new(problem, subject, "/settings/clients")).collect();
    let disks = crate::disk::problems(app, &f.t).into_iter();
    problems.extend(disks.map(|(subject, problem)| LiveProblem::new(problem, subject, "/pools")));
    for r in front_ends {
        if r.state == ServerState::Stopped {
            let text = format!("The Front End Server {} was stopped on purpose.", r.fqdn);
            problems.push(problem("front_end.stopped", false, text, r.fqdn.as_str(), "/topology".to_owned()));
        }
        if let Some(why) = r.state.trouble() {
            let text = format!("The Front End Server {} is down: {why}", r.fqdn);
            let mut x = problem("front_end.failed", true, text, r.fqdn.as_str(), "/topology".to_owned());
            serving::down_server(&mut x, r, &[]);
            problems.push(x);
        }
    }
    for p in pools {
        pool_problems(f, p, &mut problems);
        if let Some(MirrorState::Disconnected(why)) = app.fleet.mirror_of(&p.id) {
            let text = format!("The mirror of {} is disconnected: {why}. Posts go on without it.", p.fqdn);
            let href = format!("/pools/{}/databases", p.fqdn);
            problems.push(problem("mirror", false, text, p.fqdn.as_str(), href));
        }
        if let Some(MirrorState::Disconnected(why)) = app.fleet.queue_mirror_of(&p.id) {
            let text = format!(
                "The mirror of mgccomp of {} is disconnected: {why}. Events are queued without it.",
                p.fqdn
            );
            let href = format!("/pools/{}/databases", p.fqdn);
            problems.push(problem("mirror.compliance", false, text, p.fqdn.as_str(), href));
        }
        let shipping = app.fleet.shipping(&p.id);
        if let Some(why) = shipping.as_ref().and_then(|s| s.late.clone()) {
            let text = format!("Log shipping of {} is late: {why}.", p.fqdn);
            let href = format!("/pools/{}/databases", p.fqdn);
            problems.push(problem("shipping.late", true, text, p.fqdn.as_str(), href));
        }
        let trouble = shipping.and_then(|s| s.backup_error.or(s.restore_error));
        if let Some(why) = trouble {
            let text = format!(
                "Log shipping of {} stands still: {why}. What is posted now would be lost with the database in use.",
                p.fqdn
            );
            problems.push(problem(
                "shipping",
                false,
                text,
                p.fqdn.as_str(),
                format!("/pools/{}/databases", p.fqdn),
            ));
        }
    }
    problems.extend(f.missed.iter().map(|t| {
        let why = t.verdict.trim_start_matches("Missed – ");
        let text = format!("The scheduled test message to {} was not sent: {why}", t.target);
        let mut x = problem("test.missed", false, text, &t.target, format!("/test-message/{}", t.id));
        x.since = Some(t.started);
        x
    }));
    problems.extend(f.ending.iter().map(|(label, at)| {
        let text = format!(
            "The status link ends {}.",
            at.rfc3339().get(..16).unwrap_or_default().replace('T', " at ") + " UTC"
        );
        problem("share.ending", false, text, label, "/sharing".to_owned())
    }));
    problems.extend(crate::backups::problem(app));
    problems.extend(crate::alerts::reached::problem(app));
    problems.sort_by_key(|p| std::cmp::Reverse(p.problem.severity));
    problems
}
