//! Guided runs that have not come to their end: where they are, and what that means for the pool.

use shared::api::{JobView, LiveProblem, PoolRun, PoolSummary};
use shared::deployment::PoolState;
use shared::error::ApiError;
use shared::topology::ChatPool;
use store::management::{StoreError, jobs, pools};

use super::trouble::problem;
use crate::app::App;
use crate::failover::{Input, KIND, STATE};

/// The guided run that has the pool in hand, else the last one when it stopped behind the point of no return.
///
/// # Errors
/// When the store does not answer.
pub(super) fn unfinished(app: &App, p: &ChatPool, state: PoolState) -> Result<Option<PoolRun>, ApiError> {
    let read = |c: &rusqlite::Connection| {
        let held = pools::held_by(c, &p.id)?;
        let last = jobs::jobs_of(c, KIND, p.fqdn.as_str(), 1)?.into_iter().next().map(|j| j.id);
        let id = held.clone().or(last);
        let found = id.map(|id| jobs::job_with_input::<Input>(c, &id, KIND)).transpose()?.flatten();
        Ok::<_, StoreError>((held.is_some(), found, pools::opened(c, &p.id)?))
    };
    let (holds, found, opened) = app.store.read(read).map_err(crate::door::store_error)?;
    let Some((job, input)) = found else { return Ok(None) };
    let online = opened.is_some_and(|(side, _)| side == input.to);
    // What somebody decided since by hand has ended the run, whatever it says of itself.
    let its_turn = holds || (job.state == "failed" && state == input.to);
    Ok(its_turn.then(|| at(&job, input.to, holds, online)))
}

fn at(job: &JobView, to: PoolState, holds: bool, online: bool) -> PoolRun {
    let step = job.steps.iter().find(|s| !matches!(s.state.as_str(), "done" | "skipped"));
    PoolRun {
        id: job.id.clone(),
        to,
        state: job.state.clone(),
        step: step.map(|s| s.title.clone()).unwrap_or_default(),
        error: job.error.clone(),
        holds,
        cancellable: !online && job.steps.get(STATE).is_none_or(|s| s.state != "done"),
    }
}

/// What a run is called.
fn word(to: PoolState) -> &'static str {
    match to {
        PoolState::FailedOver => "failover",
        PoolState::Normal => "failback",
    }
}

/// A run that stopped at a step that failed.
pub(super) fn stopped(p: &PoolSummary, r: &PoolRun) -> LiveProblem {
    let why = r.error.as_deref().unwrap_or("it was not told why").trim_end_matches('.');
    let posts = if r.holds { "Posts are refused until then." } else { "Posts go on." };
    let text = format!(
        "The guided {} of {} has stopped at the step “{}”: {why}. {}",
        word(r.to),
        p.fqdn,
        r.step,
        if r.holds { "Posts are refused." } else { "Posts go on." }
    );
    let mut x = problem("run.failed", true, text, p.fqdn.as_str(), format!("/jobs/{}", r.id));
    x.next = if r.cancellable {
        format!(
            "Mend what the reason names, then resume the run; or cancel it: the pool goes on as it was before. {posts}"
        )
    } else {
        format!(
            "Mend what the reason names, then resume the run. The other database is online already; there is only the way forward. {posts}"
        )
    };
    x
}

#[cfg(test)]
mod tests {
    use super::super::serving::tests::pool;
    use super::*;
    use shared::api::JobStep;

    fn run(failed: usize) -> JobView {
        let step = |i: usize| JobStep {
            title: format!("Step {i}"),
            state: match i.cmp(&failed) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "failed",
                std::cmp::Ordering::Greater => "waiting",
            }
            .to_owned(),
            log: vec![],
            millis: None,
            expected: None,
            remedy: None,
        };
        JobView {
            id: "r1".to_owned(),
            title: "Fail back".to_owned(),
            state: "failed".to_owned(),
            actor: "nina".to_owned(),
            started: shared::Timestamp::default(),
            steps: (0..8).map(step).collect(),
            error: Some("No such file or directory (os error 2)".to_owned()),
        }
    }

    #[test]
    fn a_run_that_stopped_says_where_why_and_what_follows() {
        let p = pool();
        let x = stopped(&p, &at(&run(1), PoolState::Normal, true, false));
        assert_eq!((x.problem.code.as_str(), x.href.as_str()), ("run.failed", "/jobs/r1"));
        for part in ["guided failback", "“Step 1”", "No such file", "Posts are refused."] {
            assert!(x.problem.text.contains(part), "{part}: {}", x.problem.text);
        }
        assert!(x.next.contains("or cancel it"), "{}", x.next);
    }

    #[test]
    fn behind_the_point_of_no_return_nothing_is_cancelled() {
        let p = pool();
        let held = stopped(&p, &at(&run(4), PoolState::FailedOver, true, true));
        assert!(held.problem.text.contains("guided failover") && !held.next.contains("cancel"), "{held:?}");
        let late = stopped(&p, &at(&run(6), PoolState::FailedOver, false, true));
        assert!(late.problem.text.contains("Posts go on.") && !late.next.contains("refused"), "{late:?}");
    }
}
