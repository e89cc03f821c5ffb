//! Test messages: resolves the target, runs `synthetic`, keeps the run's steps live and its report.

mod resolve;
mod run;
mod target;
mod unknown;

use shared::api::{TestRun, TestSummary};
use shared::error::{ApiError, ErrorCode};
use shared::trace::TestTrace;
use store::management::{jobs, tests};

pub use self::resolve::{Resolved, lends, resolve};
pub use self::run::{Ended, begin, start};
pub use self::target::{Target, default_pool, target};
use crate::app::App;
use crate::door::store_error;

/// Tells a run to stop; it cleans up and is kept as cancelled.
///
/// # Errors
/// When there is no such run, or it has ended.
pub fn stop(app: &App, id: &str, really: bool) -> Result<TestSummary, ApiError> {
    let run = get(app, id)?;
    let ended = || {
        ApiError::new(
            ErrorCode::Conflict,
            format!("The test message has ended already: {}.", run.summary.verdict),
        )
    };
    if run.summary.state != "running" || (really && !app.running.stop(id)) {
        return Err(ended());
    }
    Ok(run.summary)
}

/// The messages of a run.
///
/// # Errors
/// When there is no such run, it runs still, or its messages are not kept any more.
pub fn trace(app: &App, id: &str) -> Result<TestTrace, ApiError> {
    let run = get(app, id)?;
    let found = app.store.read(|c| tests::trace(c, id)).map_err(store_error)?;
    found.ok_or_else(|| {
        ApiError::not_found(match run.summary.state.as_str() {
            "running" => "The messages can be read when the test message has ended.",
            _ => "The messages of this test message are not kept any more; those of the latest 200 that went well and the latest 200 others are.",
        })
    })
}

/// Closes runs that a restart cut off.
///
/// # Errors
/// When the store does not answer.
pub fn close_interrupted(app: &App) -> Result<(), ApiError> {
    let text = "Failure – the portal was restarted during the run";
    app.store.write(|tx| jobs::close_interrupted_tests(tx, text, app.clock.now())).map_err(store_error)
}

/// A run by id.
///
/// # Errors
/// When there is none.
pub fn get(app: &App, id: &str) -> Result<TestRun, ApiError> {
    app.store
        .read(|c| jobs::test(c, id))
        .map_err(store_error)?
        .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "There is no such test run."))
}
