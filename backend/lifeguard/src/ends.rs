//! How runs ended, in the audit: the row of the act that starts one only says that it was started. The last
//! row of a publish, a guided run, a rehearsal or a test message is written when it has ended, in the name
//! of whoever started it.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use shared::api::{JobView, TestSummary};
use shared::events::Topic;
use store::management::audit::{self, Opened};
use store::management::{StoreError, jobs};
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;

/// Newest runs that are looked through after a start, or when events were missed.
const NEWEST: u32 = 50;
/// Outcome of an act that started a run.
pub const STARTED: &str = "started";
/// Who sends the test messages that are scheduled: no act started them.
const WATCHER: &str = "watcher";

/// Whether an act starts a run that goes on when the act is over.
pub fn starts(cmdlet: &str, setup: bool) -> bool {
    match cmdlet {
        "Publish-CsTopology" | "Start-LgFailover" | "Start-LgFailback" | "Resume-LgRun"
        | "Test-LgFailover" => true,
        "Test-CsPersistentChatMessage" => !setup,
        _ => false,
    }
}

/// Follows runs until the program ends. What is sent after this call is heard.
pub fn follow(app: &Arc<App>) {
    let app = app.clone();
    let (mut events, _) = app.bus.subscribe(None);
    tokio::spawn(async move {
        // A kill may have come between the end of a run and its row.
        noted(&app, newest);
        loop {
            match events.recv().await {
                Ok(e) if e.topic == Topic::Job => {
                    noted(&app, |c| Ok(jobs::job(c, &e.subject)?.iter().filter_map(of_job).collect()));
                }
                Ok(e) if e.topic == Topic::Test => {
                    noted(&app, |c| {
                        Ok(jobs::test(c, &e.subject)?.iter().filter_map(|t| of_test(&t.summary)).collect())
                    });
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => noted(&app, newest),
                Err(RecvError::Closed) => return,
            }
        }
    });
}

/// An end as it is written.
#[derive(Debug, PartialEq, Eq)]
struct End {
    entry: Opened,
    outcome: &'static str,
    detail: String,
}

/// Ends of the newest runs. Runs of before there were such rows get none.
fn newest(c: &Connection) -> Result<Vec<End>, StoreError> {
    let sql = "SELECT MIN(at) FROM audit WHERE outcome = ?1";
    let first: Option<i64> = c.query_row(sql, [STARTED], |r| r.get(0)).optional()?.flatten();
    let Some(first) = first else { return Ok(Vec::new()) };
    let later = |at: shared::Timestamp| at.millis() >= first;
    let runs = jobs::jobs(c, NEWEST)?;
    let mut out: Vec<End> = runs.iter().filter(|j| later(j.started)).filter_map(of_job).collect();
    let tests = jobs::tests(c, NEWEST)?;
    out.extend(tests.iter().map(|t| &t.summary).filter(|t| later(t.started)).filter_map(of_test));
    Ok(out)
}

/// Writes the ends that are not written yet.
fn noted(app: &App, found: impl Fn(&Connection) -> Result<Vec<End>, StoreError>) {
    let new = |c: &Connection| {
        let mut list = found(c)?;
        let mut out = Vec::new();
        for e in list.drain(..) {
            if audit::outcome(c, &e.entry.op_id)?.is_none() {
                out.push(e);
            }
        }
        Ok::<_, StoreError>(out)
    };
    let written = app.store.read(new).and_then(|list| {
        if list.is_empty() {
            return Ok(false);
        }
        let now = app.clock.now();
        app.store.write(|tx| {
            for e in &list {
                audit::open(tx, &e.entry, now)?;
                audit::close(tx, &e.entry.op_id, e.outcome, &e.detail, now)?;
            }
            Ok::<_, StoreError>(true)
        })
    });
    match written {
        Ok(true) => app.bus.send(Topic::Audit, ""),
        Ok(false) => {}
        Err(e) => tracing::error!(cause = %e, "the end of a run could not be written to the audit"),
    }
}

fn entry(run: &str, nth: usize, actor: &str, cmdlet: &str, target: &str) -> Opened {
    Opened {
        actor: actor.to_owned(),
        request_id: run.to_owned(),
        line: format!("{cmdlet} {target} (the end of the run)"),
        ..Opened::by_service(&format!("{run}.{nth}"), cmdlet, target)
    }
}

/// How a job ended; none while it runs, and when somebody cancelled it, which is an act of its own.
fn of_job(j: &JobView) -> Option<End> {
    let outcome = match j.state.as_str() {
        "done" => "done",
        "failed" => "failed",
        _ => return None,
    };
    let cmdlet = match j.title.split_whitespace().take(2).collect::<Vec<_>>().as_slice() {
        ["Fail", "over"] => "Start-LgFailover",
        ["Fail", "back"] => "Start-LgFailback",
        ["Rehearsal", ..] => "Test-LgFailover",
        _ => "Publish-CsTopology",
    };
    let target = match cmdlet {
        "Publish-CsTopology" => "topology",
        _ => j.title.rsplit(' ').next().unwrap_or_default(),
    };
    // A run that was resumed ends once more.
    let resumed = j.steps.iter().flat_map(|s| &s.log).filter(|l| l.starts_with("Resumed by ")).count();
    let at = j.steps.iter().find(|s| s.state == "failed").map(|s| format!(" at “{}”", s.title));
    let detail = match (&j.error, outcome) {
        (Some(why), "failed") => format!("{}: it has stopped{}: {why}", j.title, at.unwrap_or_default()),
        (_, "failed") => format!("{}: it has stopped{}.", j.title, at.unwrap_or_default()),
        _ => format!("{}: all steps are done.", j.title),
    };
    Some(End { entry: entry(&j.id, resumed + 1, &j.actor, cmdlet, target), outcome, detail })
}

/// How a test message ended; none for those that are scheduled.
fn of_test(t: &TestSummary) -> Option<End> {
    let outcome = match t.state.as_str() {
        "success" => "done",
        "failure" | "missed" => "failed",
        _ => return None,
    };
    let entry = entry(&t.id, 1, &t.actor, "Test-CsPersistentChatMessage", &t.target);
    (t.actor != WATCHER).then(|| End { entry, outcome, detail: t.verdict.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::api::JobStep;

    fn job(title: &str, state: &str, log: &[&str]) -> JobView {
        let step = JobStep {
            title: "Copy".to_owned(),
            state: state.to_owned(),
            log: log.iter().map(|l| (*l).to_owned()).collect(),
            millis: None,
            expected: None,
            remedy: None,
        };
        JobView {
            id: "j1".to_owned(),
            title: title.to_owned(),
            state: state.to_owned(),
            actor: "nina".to_owned(),
            started: shared::Timestamp::default(),
            steps: vec![step],
            error: (state == "failed").then(|| "no room".to_owned()),
        }
    }

    #[test]
    fn a_run_that_ended_is_said_in_the_name_of_whoever_started_it() {
        let e = of_job(&job("Fail back cs.a.com", "failed", &[])).unwrap();
        assert_eq!((e.outcome, e.entry.cmdlet.as_str()), ("failed", "Start-LgFailback"));
        assert_eq!((e.entry.actor.as_str(), e.entry.target.as_str()), ("nina", "cs.a.com"));
        assert_eq!(e.detail, "Fail back cs.a.com: it has stopped at “Copy”: no room");
        let e = of_job(&job("Publish the topology", "done", &[])).unwrap();
        assert_eq!((e.outcome, e.entry.cmdlet.as_str()), ("done", "Publish-CsTopology"));
        assert_eq!(e.entry.target, "topology");
        for state in ["running", "cancelled"] {
            assert_eq!(of_job(&job("Fail over cs.a.com", state, &[])), None);
        }
    }

    #[test]
    fn a_resumed_run_ends_once_more() {
        let first = of_job(&job("Fail over a", "failed", &["x"])).unwrap();
        let second = of_job(&job("Fail over a", "failed", &["x", "Resumed by root."])).unwrap();
        assert_ne!(first.entry.op_id, second.entry.op_id);
    }

    #[test]
    fn a_scheduled_test_message_was_started_by_no_act() {
        let mut t = TestSummary {
            id: "t1".to_owned(),
            target: "fe.a.com".to_owned(),
            pool: None,
            state: "failure".to_owned(),
            started: shared::Timestamp::default(),
            latency_us: None,
            verdict: "Failure – refused".to_owned(),
            actor: "nina".to_owned(),
            node: None,
        };
        let e = of_test(&t).unwrap();
        assert_eq!((e.outcome, e.detail.as_str()), ("failed", "Failure – refused"));
        WATCHER.clone_into(&mut t.actor);
        assert_eq!(of_test(&t), None);
    }
}
