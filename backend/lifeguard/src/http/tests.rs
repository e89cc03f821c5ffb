//! Test messages: what went over the wire, the history, and the history as a file.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::Timestamp;
use shared::api::TestHistory;
use shared::error::ApiError;
use shared::trace::TestTrace;
use store::management::tests::{self, Wanted};

use super::api::may;
use super::auth::SignedIn;
use super::error::{Answer, HttpError};
use crate::app::App;
use crate::door::store_error;
use crate::views::test_history;

type Shared = State<Arc<App>>;

/// Rows of a page unless told otherwise, and at most.
const PAGE: (u32, u32) = (50, 500);
/// Rows of a file at most.
const FILE: u32 = 200_000;

/// `GET /api/v1/tests/{id}/messages`.
pub async fn messages(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Answer<TestTrace> {
    may(&actor, "Get-LgTestTrace")?;
    Ok(Json(crate::probe::trace(&app, &id)?))
}

fn file(name: &str, kind: &'static str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], text).into_response()
}

/// `GET /api/v1/tests/{id}/messages.txt`.
pub async fn messages_text(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Result<Response, HttpError> {
    may(&actor, "Get-LgTestTrace")?;
    let (run, trace) = (crate::probe::get(&app, &id)?, crate::probe::trace(&app, &id)?);
    let s = run.summary;
    let head = format!(
        "Test message {} to {}, started {} by {}\n{}\nPasswords and keys are blanked; what other people said in the room is left out.\n\n",
        s.id,
        s.target,
        s.started.rfc3339(),
        s.actor,
        s.verdict
    );
    Ok(file(&format!("test-message-{}.txt", s.id), "text/plain; charset=utf-8", head + &trace.print()))
}

/// Query of the history.
#[derive(Deserialize)]
pub struct HistoryQuery {
    pool: Option<String>,
    result: Option<String>,
    cause: Option<String>,
    actor: Option<String>,
    from: Option<String>,
    to: Option<String>,
    skip: Option<u32>,
    limit: Option<u32>,
    format: Option<String>,
}

impl HistoryQuery {
    fn wanted(&self) -> Result<Wanted, ApiError> {
        let time = |text: &Option<String>, end: bool, field: &str| {
            let Some(t) = text.as_deref().filter(|t| !t.is_empty()) else { return Ok(None) };
            let found = Timestamp::parse(t).or_else(|| shared::time::parse_day(t, end));
            let wrong =
                || ApiError::invalid(field, format!("'{t}' is no date. Write year-month-day, or RFC 3339."));
            found.ok_or_else(wrong).map(Some)
        };
        Ok(Wanted {
            pool: self.pool.as_ref().map(|p| p.trim().to_lowercase()),
            state: self.result.clone(),
            cause: self.cause.clone(),
            actor: self.actor.clone(),
            from: time(&self.from, false, "from")?,
            to: time(&self.to, true, "to")?,
        })
    }
}

/// `GET /api/v1/test-history`.
pub async fn history(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<HistoryQuery>,
) -> Answer<TestHistory> {
    may(&actor, "Get-LgTestHistory")?;
    let limit = q.limit.unwrap_or(PAGE.0).min(PAGE.1);
    Ok(Json(test_history::history(&app, &q.wanted()?, q.skip.unwrap_or(0), limit)?))
}

/// `GET /api/v1/test-history/export?format=csv`.
pub async fn export(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<HistoryQuery>,
) -> Result<Response, HttpError> {
    may(&actor, "Get-LgTestHistory")?;
    let w = q.wanted()?;
    let rows = app.store.read(|c| tests::page(c, &w, 0, FILE)).map_err(store_error)?;
    Ok(match q.format.as_deref() {
        Some("json") => file("test-messages.json", "application/json", test_history::json(&rows)),
        Some("csv") | None => file("test-messages.csv", "text/csv; charset=utf-8", test_history::csv(&rows)),
        Some(other) => {
            return Err(ApiError::invalid("format", format!("'{other}' is none of csv and json.")).into());
        }
    })
}
