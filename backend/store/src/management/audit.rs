//! The audit: a row when an act is opened, a row when it is closed. Nothing is ever changed or deleted.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use shared::Timestamp;
use shared::api::AuditView;

use super::Result;

/// What an act's first row says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Joins both rows; also recorded in a pool's database for acts there.
    pub op_id: String,
    /// Who.
    pub actor: String,
    /// Role under which.
    pub role: String,
    /// Kind of credential.
    pub credential: String,
    /// Address it came from.
    pub source: String,
    /// Cmdlet.
    pub cmdlet: String,
    /// Equivalent line without secrets.
    pub line: String,
    /// What it is about.
    pub target: String,
    /// Why.
    pub reason: String,
    /// Request id.
    pub request_id: String,
    /// Pool whose database carries the outcome, for acts there.
    #[serde(default)]
    pub pool: String,
}

impl Opened {
    /// An act that the service does by itself.
    pub fn by_service(op_id: &str, cmdlet: &str, target: &str) -> Self {
        Self {
            op_id: op_id.to_owned(),
            actor: "service".to_owned(),
            credential: "job".to_owned(),
            source: "local".to_owned(),
            cmdlet: cmdlet.to_owned(),
            line: format!("{cmdlet} {target}"),
            target: target.to_owned(),
            ..Self::default()
        }
    }
}

/// Writes the first row.
///
/// # Errors
/// SQLite's; the same `op_id` twice is refused by it.
pub fn open(c: &Connection, o: &Opened, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO audit (op_id, phase, at, document, outcome, detail) VALUES (?1, 'opened', ?2, ?3, 'opened', '')",
        params![o.op_id, at.millis(), serde_json::to_string(o)?],
    )?;
    Ok(())
}

/// Writes the last row: `done`, `refused`, `failed` or `unknown`, with what changed or the error.
///
/// # Errors
/// SQLite's.
pub fn close(c: &Connection, op_id: &str, outcome: &str, detail: &str, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO audit (op_id, phase, at, document, outcome, detail) VALUES (?1, 'closed', ?2, '{}', ?3, ?4)",
        params![op_id, at.millis(), outcome, detail],
    )?;
    Ok(())
}

/// Outcome of a closed act.
///
/// # Errors
/// SQLite's.
pub fn outcome(c: &Connection, op_id: &str) -> Result<Option<String>> {
    let sql = "SELECT outcome FROM audit WHERE op_id = ?1 AND phase = 'closed'";
    Ok(c.query_row(sql, [op_id], |r| r.get(0)).optional()?)
}

/// Acts that were opened and never closed (the program was killed in between).
///
/// # Errors
/// SQLite's.
pub fn dangling(c: &Connection) -> Result<Vec<Opened>> {
    let mut s = c.prepare(
        "SELECT o.document FROM audit o WHERE o.phase = 'opened'
         AND NOT EXISTS (SELECT 1 FROM audit x WHERE x.op_id = o.op_id AND x.phase = 'closed') ORDER BY o.seq",
    )?;
    let rows = s.query_map([], |r| r.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.iter().map(|t| Ok(serde_json::from_str(t)?)).collect()
}

/// Newest acts first.
///
/// # Errors
/// SQLite's.
pub fn list(c: &Connection, limit: u32) -> Result<Vec<AuditView>> {
    let mut s = c.prepare_cached(
        "SELECT o.at, o.document, COALESCE(x.outcome, 'opened'), COALESCE(x.detail, '') FROM audit o
         LEFT JOIN audit x ON x.op_id = o.op_id AND x.phase = 'closed'
         WHERE o.phase = 'opened' ORDER BY o.seq DESC LIMIT ?1",
    )?;
    let rows = s
        .query_map([limit], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, String>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter()
        .map(|(at, doc, outcome, detail)| {
            let o: Opened = serde_json::from_str(&doc)?;
            Ok(AuditView {
                op_id: o.op_id,
                at: Timestamp::from_millis(at),
                actor: o.actor,
                role: o.role,
                credential: o.credential,
                source: o.source,
                cmdlet: o.cmdlet,
                line: o.line,
                target: o.target,
                reason: o.reason,
                outcome,
                detail,
                request_id: o.request_id,
            })
        })
        .collect()
}
