//! Versions: list, compare, roll back, export, import. A version is never changed; rolling back loads it
//! into the draft, and publishing that is a version of its own, with all checks.

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::cmdlets::{
    CompareLgTopology, ExportLgTopology, GetLgPublishToDo, GetLgTopologyVersion, ImportLgTopology,
    RestoreLgTopologyVersion,
};
use shared::error::{ApiError, ErrorCode, Problem, Severity};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use shared::topology::diff::{Change, diff, sentences};
use shared::topology::effect::{Effect, effects};
use shared::topology::{FORMAT, Topology};
use store::management::topology as tstore;

use super::{by, load as load_draft};
use crate::door::{Cx, Fault, Handler, Outcome, plan};

/// Largest document that is read in, in bytes.
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// The document of a version; none means the draft of that name.
///
/// # Errors
/// When there is no such version or draft.
pub fn document(
    c: &Connection,
    version: Option<u32>,
    field: &str,
    draft: Option<&str>,
) -> Result<Topology, Fault> {
    let Some(n) = version else { return Ok(load_draft(c, draft)?.document) };
    Ok(tstore::version(c, u64::from(n))?.ok_or_else(|| unknown(n, field))?.document)
}

fn unknown(n: u32, field: &str) -> ApiError {
    ApiError {
        field: Some(field.to_owned()),
        ..ApiError::not_found(format!("There is no version {n}. Get-LgTopologyVersion lists them."))
    }
}

#[async_trait]
impl Handler for GetLgTopologyVersion {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let all = cx.read(|c| Ok(tstore::versions(c)?))?;
        let wanted = |v: &&tstore::Version| self.identity.is_none_or(|n| u64::from(n) == v.version);
        let out: Vec<Value> = all
            .iter()
            .filter(wanted)
            .map(|v| json!({ "Identity": v.version, "Parent": v.parent, "Author": v.author, "Published": v.at, "Comment": v.comment }))
            .collect();
        match self.identity {
            Some(n) if out.is_empty() => Err(unknown(n, "Identity")),
            _ => Ok(Outcome::objects(out)),
        }
    }
}

#[async_trait]
impl Handler for GetLgPublishToDo {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let only = self.identity.as_deref().map(shared::identity::pool_fqdn).transpose();
        let only = only.map_err(|e| ApiError::invalid("Identity", e.0))?;
        let view = crate::views::todo::view(&cx.app).await?;
        let items = view.items.into_iter().filter(|t| only.as_ref().is_none_or(|f| t.pool == *f));
        Ok(Outcome::objects(
            items
                .map(|t| {
                    json!({
                        "Identity": t.pool, "Task": t.text, "Done": t.done, "Seen": t.seen,
                        "Optional": t.optional, "Why": t.why,
                    })
                })
                .collect(),
        ))
    }
}

#[async_trait]
impl Handler for CompareLgTopology {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (before, after, facts) = cx.read(|c| {
            let before = match self.reference {
                Some(_) => document(c, self.reference, "Reference", None)?,
                None => super::super::published(c)?,
            };
            let facts = crate::publish::facts::facts(c, &before)?;
            Ok((before, document(c, self.difference, "Difference", self.topology_draft.as_deref())?, facts))
        })?;
        let changes = diff(&before, &after);
        let effects = effects(&before, &after, &facts, &changes).each;
        let said = said(&changes, &before, &after);
        let object = |((c, e), sentence): ((&Change, &Effect), String)| {
            json!({
                "Sentence": sentence,
                "Risk": e.risk.word(),
                "Effect": serde_json::to_value(e).unwrap_or(Value::Null),
                "Change": serde_json::to_value(c).unwrap_or(Value::Null),
            })
        };
        Ok(Outcome::objects(changes.iter().zip(&effects).zip(said).map(object).collect()))
    }
}

/// Sentences of the changes; a removed object's name is known to the older document only.
fn said(changes: &[Change], before: &Topology, after: &Topology) -> Vec<String> {
    let (old, new) = (sentences(changes, before), sentences(changes, after));
    let removed = |c: &Change| matches!(c, Change::Removed { .. });
    changes.iter().zip(old.into_iter().zip(new)).map(|(c, (o, n))| if removed(c) { o } else { n }).collect()
}

fn load(cx: &Cx, name: Option<&str>, to: &Topology, sentence: String) -> Result<Plan, ApiError> {
    let draft = cx.read(|c| Ok(load_draft(c, name)?.document))?;
    let changes = diff(&draft, to);
    let mut p = plan([sentence, format!("The draft changes in {} places:", changes.len())]);
    p.sentences.extend(said(&changes, &draft, to));
    p.warnings.push(Problem::warning(
        "draft.replaced",
        "",
        "What stands in the draft and is not published is replaced.",
        "",
    ));
    p.confirm = Confirm::Ask;
    Ok(p)
}

fn store(cx: &Cx, name: Option<&str>, t: &Topology, p: &Plan) -> Result<Outcome, ApiError> {
    cx.commit(p.sentences.first().map_or("", String::as_str), |tx| {
        let base = tstore::published(tx)?.map(|v| v.version);
        Ok(tstore::reset_draft(tx, load_draft(tx, name)?, t, base, by(cx))?)
    })?;
    Ok(Outcome::changed(Topic::Topology, "draft"))
}

#[async_trait]
impl Handler for RestoreLgTopologyVersion {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = cx.read(|c| document(c, Some(self.identity), "Identity", None))?;
        let text = format!(
            "Load version {} into the draft. Nothing runs differently until it is published; pool states and active servers stay as they are.",
            self.identity
        );
        load(cx, self.topology_draft.as_deref(), &t, text)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.read(|c| document(c, Some(self.identity), "Identity", None))?;
        store(cx, self.topology_draft.as_deref(), &t, p)
    }
}

#[async_trait]
impl Handler for ExportLgTopology {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.read(|c| document(c, self.version, "Version", self.topology_draft.as_deref()))?;
        let text = serde_json::to_string_pretty(&t)
            .map_err(|e| ApiError::new(ErrorCode::Internal, e.to_string()))?;
        Ok(Outcome::objects(vec![json!({ "Document": text })]))
    }
}

/// Why a document is none of the portal's, in words.
fn unread(text: &str, e: &serde_json::Error) -> String {
    const OURS: &str = "Only the JSON that the portal itself exports is read (Export, or Export-LgTopology).";
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        return format!("This is XML, for example of Topology Builder. {OURS}");
    }
    // The error names its place itself, at its end.
    let said = e.to_string();
    let why = said.rsplit_once(" at line ").map_or(said.as_str(), |(why, _)| why);
    let why = match why.strip_prefix("missing field ") {
        Some(field) => format!("the field {} is missing", field.replace('`', "")),
        None => why.to_owned(),
    };
    format!("Line {}, column {}: {why}. {OURS}", e.line(), e.column())
}

/// Reads a document that somebody brings.
fn read(text: &str) -> Result<Topology, ApiError> {
    let bad = |why: String| ApiError::invalid("Document", why);
    if text.len() > MAX_DOCUMENT {
        return Err(bad(format!("The document has {} bytes; {MAX_DOCUMENT} are read at most.", text.len())));
    }
    let t: Topology = serde_json::from_str(text).map_err(|e| bad(unread(text, &e)))?;
    if t.format != FORMAT {
        return Err(bad(format!(
            "The document has format {}; this program reads format {FORMAT}.",
            t.format
        )));
    }
    Ok(t)
}

#[async_trait]
impl Handler for ImportLgTopology {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = read(&self.document)?;
        let mut p =
            load(cx, self.topology_draft.as_deref(), &t, "Replace the draft by the document.".to_owned())?;
        // What is wrong with it stops publishing, not reading: it may be mended in the draft.
        for problem in shared::topology::validate::validate(&t).into_iter().filter(Problem::blocks) {
            p.warnings.push(Problem { severity: Severity::Warning, ..problem });
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        store(cx, self.topology_draft.as_deref(), &read(&self.document)?, p)
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_foreign_document_is_refused_in_words_with_its_place_once() {
        let why = |text: &str| read(text).map(drop).unwrap_err().message;
        let xml = why("\u{feff}<?xml version=\"1.0\"?><Topology/>");
        assert!(xml.starts_with("This is XML") && xml.contains("Export-LgTopology"), "{xml}");
        let empty = why("{}");
        assert!(empty.contains("Line 1, column 2: the field format is missing."), "{empty}");
        let half = why("{ \"format\": ");
        assert!(half.to_lowercase().matches("line 1").count() == 1 && !half.contains("at line"), "{half}");
    }
}
