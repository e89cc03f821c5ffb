//! Reading the audit: by who, what, when and any word; as a file for a spreadsheet or a program.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use shared::Timestamp;
use shared::api::AuditView;
use shared::error::ApiError;
use shared::time::parse_day;
use store::management::audit::{self, Filter};

use super::api::may;
use super::auth::SignedIn;
use super::error::{Answer, HttpError};
use crate::app::App;
use crate::door::store_error;

/// Acts in a list at most.
const MOST: u32 = 5_000;
/// Acts in a file at most.
const MOST_IN_FILE: u32 = 100_000;

/// Query of the audit; what is left out or empty does not matter.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    limit: Option<u32>,
    actor: Option<String>,
    cmdlet: Option<String>,
    target: Option<String>,
    outcome: Option<String>,
    from: Option<String>,
    until: Option<String>,
    text: Option<String>,
    format: Option<String>,
}

impl AuditQuery {
    fn filter(&self) -> Result<Filter, ApiError> {
        let word = |w: &Option<String>| w.as_ref().map(|w| w.trim().to_owned()).filter(|w| !w.is_empty());
        let time = |raw: &Option<String>, field: &str, end: bool| -> Result<Option<Timestamp>, ApiError> {
            let Some(raw) = word(raw) else { return Ok(None) };
            let text = format!(
                "'{raw}' is not a day or a time. Write it like 2026-12-01 or 2026-12-01 20:00 (UTC)."
            );
            parse_day(&raw, end).map(Some).ok_or_else(|| ApiError::invalid(field, text))
        };
        Ok(Filter {
            actor: word(&self.actor),
            cmdlet: word(&self.cmdlet),
            target: word(&self.target),
            outcome: word(&self.outcome),
            from: time(&self.from, "from", false)?,
            until: time(&self.until, "until", true)?,
            text: word(&self.text),
        })
    }

    fn read(&self, app: &App, most: u32) -> Result<Vec<AuditView>, ApiError> {
        let (f, limit) =
            (self.filter()?, self.limit.unwrap_or(if most == MOST { 200 } else { most }).min(most));
        app.store.read(|c| audit::search(c, &f, limit)).map_err(store_error)
    }
}

/// `GET /api/v1/audit`.
pub async fn audit(
    State(app): State<Arc<App>>,
    SignedIn(actor): SignedIn,
    Query(q): Query<AuditQuery>,
) -> Answer<Vec<AuditView>> {
    may(&actor, "Get-LgAudit")?;
    Ok(Json(q.read(&app, MOST)?))
}

/// `GET /api/v1/audit/export?format=csv|json`: the same as a file.
pub async fn export(
    State(app): State<Arc<App>>,
    SignedIn(actor): SignedIn,
    Query(q): Query<AuditQuery>,
) -> Result<Response, HttpError> {
    may(&actor, "Get-LgAudit")?;
    let rows = q.read(&app, MOST_IN_FILE)?;
    let file = |name: &str| (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
    match q.format.as_deref() {
        Some("csv") => {
            let kind = (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned());
            Ok(([kind, file("audit.csv")], csv(&rows)).into_response())
        }
        None | Some("json") => Ok(([file("audit.json")], Json(rows)).into_response()),
        Some(_) => Err(ApiError::invalid("format", "The format is csv or json.").into()),
    }
}

/// The acts as CSV, one line each.
fn csv(rows: &[AuditView]) -> String {
    let mut out = String::from(
        "Time,Actor,Role,Credential,Source,Cmdlet,Target,Line,Reason,Outcome,Detail,Changes,RequestId,Id\r\n",
    );
    for a in rows {
        let changes =
            a.changes.iter().map(|c| format!("{} {}: {} -> {}", c.target, c.property, c.before, c.after));
        let changes = changes.collect::<Vec<_>>().join("; ");
        let at = a.at.rfc3339();
        let cells = [
            &at,
            &a.actor,
            &a.role,
            &a.credential,
            &a.source,
            &a.cmdlet,
            &a.target,
            &a.line,
            &a.reason,
            &a.outcome,
            &a.detail,
            &changes,
            &a.request_id,
            &a.op_id,
        ];
        out.push_str(&cells.map(|c| cell(c)).join(","));
        out.push_str("\r\n");
    }
    out
}

/// A spreadsheet takes a cell that begins so for a formula; an apostrophe before it keeps it a text.
fn cell(text: &str) -> String {
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (raw, written) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("  =1+1", "'  =1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("+2", "'+2"),
            ("\t=1", "'\t=1"),
            ("\r\n=1", "\"'\r\n=1\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
        ] {
            assert_eq!(cell(raw), written);
        }
    }
}
