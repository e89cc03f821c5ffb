//! The audit: a row when an act is opened, a row when it is closed. Nothing is ever changed or deleted.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::Timestamp;
use shared::api::AuditView;
use shared::plan::PlannedChange;

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
    add(
        c,
        &Row {
            op_id: &o.op_id,
            phase: "opened",
            at,
            document: &serde_json::to_string(o)?,
            outcome: "opened",
            detail: "",
        },
    )
}

/// A row as it is hashed and written.
struct Row<'a> {
    op_id: &'a str,
    phase: &'a str,
    at: Timestamp,
    document: &'a str,
    outcome: &'a str,
    detail: &'a str,
}

impl Row<'_> {
    /// Hash over the row before it and itself; lengths keep fields from running into each other.
    fn hash(&self, before: &str) -> String {
        let mut h = Sha256::new();
        let at = self.at.millis().to_string();
        for part in [before, self.op_id, self.phase, &at, self.document, self.outcome, self.detail] {
            h.update((part.len() as u64).to_be_bytes());
            h.update(part.as_bytes());
        }
        hex::encode(h.finalize())
    }
}

fn add(c: &Connection, r: &Row<'_>) -> Result<()> {
    let before: Option<Option<String>> = c
        .prepare_cached("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |r| r.get(0))
        .optional()?;
    let hash = r.hash(&before.flatten().unwrap_or_default());
    c.execute(
        "INSERT INTO audit (op_id, phase, at, document, outcome, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![r.op_id, r.phase, r.at.millis(), r.document, r.outcome, r.detail, hash],
    )?;
    Ok(())
}

/// What verifying the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Rows looked at.
    pub rows: u64,
    /// Rows from before there was a chain.
    pub unchained: u64,
    /// Hash of the newest row; kept elsewhere, it proves later that nothing was cut off the end.
    pub head: String,
    /// The first row that is not what was written, and why.
    pub broken: Option<(i64, String)>,
}

/// Follows the chain from its first row to its last.
///
/// # Errors
/// SQLite's.
pub fn verify(c: &Connection) -> Result<Verified> {
    let mut s =
        c.prepare("SELECT seq, op_id, phase, at, document, outcome, detail, hash FROM audit ORDER BY seq")?;
    let mut rows = s.query([])?;
    let mut out = Verified { rows: 0, unchained: 0, head: String::new(), broken: None };
    let mut last = None;
    while let Some(r) = rows.next()? {
        let seq: i64 = r.get(0)?;
        let (op_id, phase): (String, String) = (r.get(1)?, r.get(2)?);
        let (document, outcome, detail): (String, String, String) = (r.get(4)?, r.get(5)?, r.get(6)?);
        let at = Timestamp::from_millis(r.get(3)?);
        let row =
            Row { op_id: &op_id, phase: &phase, at, document: &document, outcome: &outcome, detail: &detail };
        let hash: Option<String> = r.get(7)?;
        out.rows += 1;
        let why = match (&hash, last) {
            (_, Some(before)) if seq != before + 1 => {
                Some(format!("rows {} to {} are missing", before + 1, seq - 1))
            }
            (None, _) if out.head.is_empty() => None,
            (None, _) => Some("its hash is missing".to_owned()),
            (Some(h), _) if *h != row.hash(&out.head) => Some("it is not what was written".to_owned()),
            (Some(_), _) => None,
        };
        if let (Some(why), None) = (why, &out.broken) {
            out.broken = Some((seq, why));
        }
        out.unchained += u64::from(hash.is_none());
        out.head = hash.unwrap_or_default();
        last = Some(seq);
    }
    Ok(out)
}

/// Writes the last row: `done`, `refused`, `failed` or `unknown`, with what changed or the error.
///
/// # Errors
/// SQLite's.
pub fn close(c: &Connection, op_id: &str, outcome: &str, detail: &str, at: Timestamp) -> Result<()> {
    close_with(c, op_id, outcome, detail, &[], at)
}

/// What the last row has besides its outcome.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Closed {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<PlannedChange>,
}

/// Writes the last row with what the properties were before and are after.
///
/// # Errors
/// SQLite's.
pub fn close_with(
    c: &Connection,
    op_id: &str,
    outcome: &str,
    detail: &str,
    changes: &[PlannedChange],
    at: Timestamp,
) -> Result<()> {
    let document = serde_json::to_string(&Closed { changes: changes.to_vec() })?;
    add(c, &Row { op_id, phase: "closed", at, document: &document, outcome, detail })
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

/// Which acts are wanted; what is none does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of who did it.
    pub actor: Option<String>,
    /// Part of the cmdlet's name.
    pub cmdlet: Option<String>,
    /// Part of what it was about.
    pub target: Option<String>,
    /// The outcome's word.
    pub outcome: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
    /// Stands anywhere in the act.
    pub text: Option<String>,
}

/// Newest acts first.
///
/// # Errors
/// SQLite's.
pub fn list(c: &Connection, limit: u32) -> Result<Vec<AuditView>> {
    search(c, &Filter::default(), limit)
}

/// The newest acts that the filter lets through.
///
/// # Errors
/// SQLite's.
pub fn search(c: &Connection, f: &Filter, limit: u32) -> Result<Vec<AuditView>> {
    let has = |field: &str, n: u8| {
        format!("(?{n} IS NULL OR instr(lower(json_extract(o.document, '$.{field}')), lower(?{n})) > 0)")
    };
    let anywhere =
        ["actor", "role", "credential", "source", "cmdlet", "line", "target", "reason", "request_id"]
            .map(|f| format!("json_extract(o.document, '$.{f}')"))
            .join(" || ' ' || ");
    let sql = format!(
        "SELECT o.at, o.document, COALESCE(x.outcome, 'opened'), COALESCE(x.detail, ''), COALESCE(x.document, '{{}}') FROM audit o
         LEFT JOIN audit x ON x.op_id = o.op_id AND x.phase = 'closed'
         WHERE o.phase = 'opened' AND {} AND {} AND {}
           AND (?5 IS NULL OR COALESCE(x.outcome, 'opened') = lower(?5))
           AND (?6 IS NULL OR o.at >= ?6) AND (?7 IS NULL OR o.at <= ?7)
           AND (?8 IS NULL OR instr(lower({anywhere} || ' ' || COALESCE(x.detail, '')), lower(?8)) > 0)
         ORDER BY o.seq DESC LIMIT ?1",
        has("actor", 2),
        has("cmdlet", 3),
        has("target", 4)
    );
    let mut s = c.prepare_cached(&sql)?;
    let (from, until) = (f.from.map(Timestamp::millis), f.until.map(Timestamp::millis));
    let rows = s
        .query_map(params![limit, f.actor, f.cmdlet, f.target, f.outcome, from, until, f.text], |r| {
            let text = |i: usize| r.get::<_, String>(i);
            Ok((r.get::<_, i64>(0)?, text(1)?, text(2)?, text(3)?, text(4)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter()
        .map(|(at, doc, outcome, detail, closed)| {
            let o: Opened = serde_json::from_str(&doc)?;
            let closed: Closed = serde_json::from_str(&closed)?;
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
                changes: closed.changes,
                request_id: o.request_id,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::management::Management;

    #[test]
    fn acts_are_found_by_who_what_when_and_any_word() {
        let dir = tempfile::tempdir().unwrap();
        let store = Management::open(&dir.path().join("m.db")).unwrap();
        for (i, (who, outcome)) in
            [("nina", "done"), ("root", "refused"), ("Nina", "failed")].iter().enumerate()
        {
            let o = Opened {
                actor: (*who).to_owned(),
                ..Opened::by_service(&format!("op{i}"), "Set-It", "p%_x")
            };
            let at = Timestamp::from_millis(i64::try_from(i).unwrap() * 1000);
            let change = PlannedChange::new("p", "State", "Normal", "FailedOver");
            let write = |tx: &rusqlite::Transaction<'_>| {
                open(tx, &o, at)?;
                close_with(tx, &o.op_id, outcome, "because of Rain", std::slice::from_ref(&change), at)
            };
            store.write(write).unwrap();
        }
        let found = |f: Filter| {
            let rows = store.read(|c| search(c, &f, 10)).unwrap();
            rows.into_iter().map(|a| a.op_id).collect::<Vec<_>>().join(" ")
        };
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(found(Filter { actor: some("nina"), ..Filter::default() }), "op2 op0");
        assert_eq!(found(Filter { outcome: some("Refused"), ..Filter::default() }), "op1");
        assert_eq!(
            found(Filter { cmdlet: some("set-"), target: some("%_"), ..Filter::default() }),
            "op2 op1 op0"
        );
        assert_eq!(found(Filter { target: some("p_x"), ..Filter::default() }), "", "no wildcards");
        assert_eq!(found(Filter { text: some("rain"), ..Filter::default() }), "op2 op1 op0");
        assert_eq!(found(Filter { text: some("snow"), ..Filter::default() }), "");
        let at = |ms| Some(Timestamp::from_millis(ms));
        assert_eq!(found(Filter { from: at(1000), until: at(1999), ..Filter::default() }), "op1");
        let all = store.read(|c| list(c, 1)).unwrap();
        assert_eq!(all[0].changes[0].after, "FailedOver");
        assert_eq!(store.read(verify).unwrap().broken, None, "the chain covers the changes");
    }

    #[test]
    fn the_chain_tells_what_was_changed_or_cut_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        let store = Management::open(&path).unwrap();
        for i in 0..5 {
            let o = Opened::by_service(&format!("op{i}"), "Test-It", "x");
            let at = Timestamp::from_millis(i);
            store.write(|tx| open(tx, &o, at).and_then(|()| close(tx, &o.op_id, "done", "d", at))).unwrap();
        }
        let sound = store.read(verify).unwrap();
        assert_eq!((sound.rows, sound.broken.clone(), sound.head.len()), (10, None, 64));
        let c = Connection::open(&path).unwrap();
        assert!(c.execute("UPDATE audit SET detail = 'other' WHERE seq = 4", []).is_err(), "append-only");
        c.execute_batch("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; UPDATE audit SET detail = 'other' WHERE seq = 4").unwrap();
        assert_eq!(store.read(verify).unwrap().broken, Some((4, "it is not what was written".to_owned())));
        c.execute_batch("UPDATE audit SET detail = 'd' WHERE seq = 4; DELETE FROM audit WHERE seq = 7")
            .unwrap();
        assert_eq!(store.read(verify).unwrap().broken, Some((8, "rows 7 to 7 are missing".to_owned())));
    }
}
