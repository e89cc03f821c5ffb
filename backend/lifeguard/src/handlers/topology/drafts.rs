//! Topology drafts: begin, list, rename, drop, and take in what was published meanwhile.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::json;
use shared::cmdlets::{
    GetLgTopologyDraft, MergeLgTopologyDraft, NewLgTopologyDraft, RemoveLgTopologyDraft,
    RenameLgTopologyDraft,
};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::diff::diff;
use shared::topology::merge::{Merged, Side, merge};
use shared::topology::validate::validate;
use store::management::drafts::{By, MAIN};
use store::management::topology as tstore;

use crate::door::{Cx, Fault, Handler, Outcome, plan};

/// The draft of this name; main when none is named.
///
/// # Errors
/// When there is none.
pub fn load(c: &Connection, name: Option<&str>) -> Result<tstore::Draft, Fault> {
    let name = name.map(str::trim).filter(|n| !n.is_empty()).unwrap_or(MAIN);
    tstore::named(c, name)?.ok_or_else(|| {
        let text = format!("There is no topology draft {name}. Get-LgTopologyDraft lists them.");
        ApiError { field: Some("TopologyDraft".to_owned()), ..ApiError::not_found(text) }.into()
    })
}

/// Who changes a draft in this act.
pub fn by(cx: &Cx) -> By<'_> {
    By { author: &cx.actor.name, at: cx.now() }
}

fn check_name(name: &str, field: &str) -> Result<String, ApiError> {
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        let text = "A draft's name has 1 to 40 letters, digits, hyphens, dots and underscores.";
        return Err(ApiError::invalid(field, text));
    }
    Ok(name.to_owned())
}

fn free(c: &Connection, name: &str, field: &str) -> Result<(), Fault> {
    if tstore::named(c, name)?.is_some() {
        return Err(ApiError::invalid(field, format!("There is a topology draft {name} already.")).into());
    }
    Ok(())
}

fn not_main(name: &str, what: &str) -> Result<(), ApiError> {
    if name.trim().eq_ignore_ascii_case(MAIN) {
        let text =
            format!("The draft main is always there; it is not {what}. Reset-LgTopologyDraft empties it.");
        return Err(ApiError::invalid("Identity", text));
    }
    Ok(())
}

#[async_trait]
impl Handler for GetLgTopologyDraft {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (all, published) = cx.read(|c| {
            let all = match &self.identity {
                Some(name) => vec![load(c, Some(name))?],
                None => tstore::drafts(c)?,
            };
            Ok((all, tstore::published(c)?))
        })?;
        let newest = published.as_ref().map(|v| v.version);
        let document = published.map(|v| v.document).unwrap_or_default();
        let object = |d: &tstore::Draft| {
            let changes = diff(&document, &d.document).len();
            json!({
                "Identity": d.name, "Author": d.author, "Created": d.created, "Updated": d.updated,
                "Base": d.base, "Moved": d.base != newest, "Revision": d.revision, "Changes": changes,
            })
        };
        Ok(Outcome::objects(all.iter().map(object).collect()))
    }
}

#[async_trait]
impl Handler for NewLgTopologyDraft {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let name = check_name(&self.name, "Name")?;
        cx.read(|c| {
            free(c, &name, "Name")?;
            self.copy_of.as_deref().map(|n| load(c, Some(n))).transpose()
        })?;
        let from = self
            .copy_of
            .as_ref()
            .map_or_else(|| "what is published".to_owned(), |n| format!("the draft {n}"));
        Ok(plan([format!("Begin the topology draft {name} from {from}.")]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let name = check_name(&self.name, "Name")?;
        cx.commit(&p.sentences.join(" "), |tx| {
            free(tx, &name, "Name")?;
            let (document, base) = match &self.copy_of {
                Some(n) => load(tx, Some(n)).map(|d| (d.document, d.base))?,
                None => {
                    tstore::published(tx)?.map_or_else(Default::default, |v| (v.document, Some(v.version)))
                }
            };
            Ok(tstore::add_draft(tx, &name, &document, base, by(cx))?)
        })?;
        Ok(Outcome::changed(Topic::Topology, "draft").with(json!({ "Identity": name })))
    }
}

#[async_trait]
impl Handler for RenameLgTopologyDraft {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        not_main(&self.identity, "renamed")?;
        let new = check_name(&self.new_name, "NewName")?;
        let old = cx.read(|c| {
            let old = load(c, Some(&self.identity))?.name;
            if !old.eq_ignore_ascii_case(&new) {
                free(c, &new, "NewName")?;
            }
            Ok(old)
        })?;
        let mut p = plan([format!(
            "Call the topology draft {old} {new}. Links with the old name lead nowhere then."
        )]);
        p.changes.push(PlannedChange::new(&old, "Name", &old, new));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let new = check_name(&self.new_name, "NewName")?;
        cx.commit(&p.sentences.join(" "), |tx| {
            let old = load(tx, Some(&self.identity))?.name;
            Ok(tstore::rename_draft(tx, &old, &new)?)
        })?;
        Ok(Outcome::changed(Topic::Topology, "draft").with(json!({ "Identity": new })))
    }
}

#[async_trait]
impl Handler for RemoveLgTopologyDraft {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        not_main(&self.identity, "dropped")?;
        let (d, published) =
            cx.read(|c| Ok((load(c, Some(&self.identity))?, super::super::published(c)?)))?;
        let n = diff(&published, &d.document).len();
        let text =
            format!("Drop the topology draft {}; {n} changes that are not published are lost.", d.name);
        Ok(Plan { confirm: Confirm::Ask, ..plan([text]) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let name = load(tx, Some(&self.identity))?.name;
            Ok(tstore::remove_draft(tx, &name)?)
        })?;
        cx.app.bus.send(Topic::Draft, "");
        Ok(Outcome::changed(Topic::Topology, "draft"))
    }
}

/// What publishing in between means for a draft; none when nothing was published since it was begun.
///
/// # Errors
/// When the store does not answer.
pub fn moved(
    c: &Connection,
    d: &tstore::Draft,
    choose: &BTreeMap<String, Side>,
) -> Result<Option<(u64, Merged)>, Fault> {
    let Some(newest) = tstore::published(c)?.filter(|v| Some(v.version) != d.base) else { return Ok(None) };
    let base = d.base.map(|n| tstore::version(c, n)).transpose()?.flatten();
    let base = base.map(|v| v.document).unwrap_or_default();
    let merged = merge(&base, &d.document, &newest.document, choose)
        .map_err(|why| ApiError::new(ErrorCode::Internal, why))?;
    Ok(Some((newest.version, merged)))
}

fn choices(a: &MergeLgTopologyDraft) -> BTreeMap<String, Side> {
    let side = |list: &[String], s: Side| list.iter().map(|k| (k.trim().to_owned(), s)).collect::<Vec<_>>();
    side(&a.mine, Side::Mine).into_iter().chain(side(&a.theirs, Side::Theirs)).collect()
}

#[async_trait]
impl Handler for MergeLgTopologyDraft {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let choose = choices(self);
        let (d, found) = cx.read(|c| {
            let d = load(c, Some(&self.identity))?;
            let found = moved(c, &d, &choose)?;
            Ok((d, found))
        })?;
        let Some((version, m)) = found else {
            return Ok(plan([format!("The draft {} stands on what is published; nothing changes.", d.name)]));
        };
        let mut p = plan([format!("Take version {version} into the draft {}.", d.name)]);
        for r in m.rows.iter().filter(|r| r.theirs != r.base || r.collides) {
            let both = if r.collides { format!(", yours {}", r.yours) } else { String::new() };
            p.sentences.push(format!("{}: {} → {}{both}.", r.place, r.base, r.theirs));
            if m.open.contains(&r.key) {
                let text = format!(
                    "{}: it was {}, you have {}, version {version} has {}. Choose with -Mine or -Theirs {}.",
                    r.place, r.base, r.yours, r.theirs, r.key
                );
                p.blockers.push(Problem::error("merge.open", r.key.clone(), text, ""));
            }
        }
        let known = validate(&d.document);
        let fresh = validate(&m.document).into_iter().filter(|x| x.blocks() && !known.contains(x));
        p.warnings.extend(fresh.map(|x| Problem { severity: shared::Severity::Warning, ..x }));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let choose = choices(self);
        cx.commit(p.sentences.first().map_or("", String::as_str), |tx| {
            let d = load(tx, Some(&self.identity))?;
            if let Some((version, m)) = moved(tx, &d, &choose)? {
                tstore::reset_draft(tx, d, &m.document, Some(version), by(cx))?;
            }
            Ok(())
        })?;
        Ok(Outcome::changed(Topic::Topology, "draft"))
    }
}
