//! The topology draft: adding, changing and taking out objects. Publishing stands in `crate::publish`.

mod drafts;
mod new;
mod set;
mod versions;

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::json;
use shared::cmdlet::Cmdlet;
use shared::cmdlets::{
    NewLgFileShare, NewLgPersistentChatPool, PublishCsTopology, RemoveLgTopologyObject, ResetLgTopologyDraft,
};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::diff::{Change, ObjectKind, diff, sentences, show};
use shared::topology::edit::{kinds_of, new_problems, remove, users_of};
use shared::topology::merge::key_of;
use shared::topology::transition::transition;
use shared::topology::wizard::{self, NewIds};
use shared::topology::{FileStore, Placement, Topology};
use shared::{Fqdn, ObjectId};
use store::management::topology as tstore;

use crate::clock::{Entropy, random_hex};
use crate::door::{Cx, Fault, Handler, Outcome, blocked, plan};

fn new_object_id(e: &dyn Entropy) -> ObjectId {
    ObjectId::try_from(random_hex(e, 8)).expect("sixteen hexadecimal digits are an object id")
}

fn fqdn(raw: &str, field: &str) -> Result<Fqdn, ApiError> {
    Fqdn::try_from(raw).map_err(|e| ApiError::invalid(field, e.0))
}

/// Where a SQL Server store is. One at an address could be defined and never be published.
fn sql_place(word: Option<&str>) -> Result<Placement, ApiError> {
    match shared::cmdlets::placement(word) {
        Placement::Address(_) | Placement::HereAt(_) => Err(ApiError::invalid(
            "Placement",
            "A SQL Server store is placed with RunHere, Node:<name> or Guided; one at an address of its own cannot be \
             published in this version. Guided is a SQL Server that a person drives.",
        )),
        place => Ok(place),
    }
}

pub use drafts::{by, load, moved};

/// The shared shape of `New-Lg…`: an edit of the draft, its sentence, its new problems as blockers.
trait Edit: Cmdlet {
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError>;
    /// Whether the plan lists every field that changes; a new object is said in one sentence.
    const DETAILS: bool = false;
    /// Maps a topology path of a problem to the parameter it comes from.
    fn parameter(path: &str) -> &'static str;
    /// The draft that is meant.
    fn draft(&self) -> Option<&str>;
    /// Revision of the draft that the person looked at.
    fn seen(&self) -> Option<u32>;
}

/// Where the draft is chosen by a parameter of every such cmdlet.
macro_rules! of_draft {
    ($seen:ident) => {
        fn draft(&self) -> Option<&str> {
            self.topology_draft.as_deref()
        }
        fn seen(&self) -> Option<u32> {
            of_draft!(@$seen self)
        }
    };
    (@revision $me:ident) => { $me.draft_revision };
    (@none $me:ident) => { None };
}
use of_draft;

fn plan_edit<E: Edit>(a: &E, cx: &Cx) -> Result<Plan, ApiError> {
    let draft = cx.read(|c| load(c, a.draft()))?;
    let mut after = draft.document.clone();
    let sentence = a.edit(&mut after, &*cx.app.entropy)?;
    if let Some(seen) = a.seen() {
        untouched::<E>(cx, &draft, &after, seen)?;
    }
    let mut p = plan([sentence]);
    let mut details = sentences(&diff(&draft.document, &after), &after);
    details.retain(|s| !p.sentences.contains(s));
    if E::DETAILS {
        p.sentences.extend(details);
    }
    for mut problem in
        new_problems(&draft.document, &after).into_iter().chain(forbidden(cx, &draft.document, &after)?)
    {
        E::parameter(&problem.field).clone_into(&mut problem.field);
        if problem.blocks() { p.blockers.push(problem) } else { p.warnings.push(problem) }
    }
    Ok(p)
}

/// Refuses to write over fields that somebody changed since `seen`; what changed elsewhere is kept.
fn untouched<E: Edit>(cx: &Cx, draft: &tstore::Draft, after: &Topology, seen: u32) -> Result<(), ApiError> {
    let mut problems = Vec::new();
    for change in diff(&draft.document, after) {
        let Change::Modified { field, from, to, .. } = &change else { continue };
        let who = cx.read(|c| Ok(tstore::changed_since(c, &draft.name, &key_of(&change), seen)?))?;
        let Some(who) = who else { continue };
        let (yours, theirs) = (show(to, after), show(from, &draft.document));
        let text = format!("{who} changed this meanwhile: it is {theirs} now, you have {yours}. Choose one.");
        problems.push(Problem::error("draft.moved", E::parameter(&format!("list.0.{field}")), text, ""));
    }
    let Some(first) = problems.first() else { return Ok(()) };
    let e = ApiError::new(ErrorCode::Conflict, first.text.clone());
    Err(ApiError { field: Some(first.field.clone()), problems, ..e })
}

/// What an edit would make unpublishable that was not so before. Source: `shared::topology::transition`.
fn forbidden(cx: &Cx, draft: &Topology, after: &Topology) -> Result<Vec<Problem>, ApiError> {
    cx.read(|c| {
        let published = super::published(c)?;
        let facts = crate::publish::facts::facts(c, &published)?;
        let known = transition(&published, draft, &facts);
        Ok(transition(&published, after, &facts).into_iter().filter(|p| !known.contains(p)).collect())
    })
}

fn run_edit<E: Edit>(a: &E, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
    cx.commit(&p.sentences.join(" "), |tx| {
        let draft = load(tx, a.draft())?;
        let mut after = draft.document.clone();
        a.edit(&mut after, &*cx.app.entropy)?;
        Ok(tstore::save_draft(tx, draft, &after, by(cx))?)
    })?;
    Ok(Outcome::changed(Topic::Topology, "draft"))
}

macro_rules! edits {
    ($($ty:ident),*) => {$(
        #[async_trait::async_trait]
        impl crate::door::Handler for $ty {
            async fn plan(&self, cx: &crate::door::Cx) -> Result<shared::plan::Plan, ApiError> {
                super::plan_edit(self, cx)
            }
            async fn run(&self, cx: &crate::door::Cx, p: &shared::plan::Plan) -> Result<crate::door::Outcome, ApiError> {
                super::run_edit(self, cx, p)
            }
        }
    )*};
}
use edits;

fn share_of(c: &Connection, a: &NewLgFileShare) -> Result<FileStore, Fault> {
    let (t, identity) = (load(c, a.topology_draft.as_deref())?.document, &a.identity);
    let store = t.file_stores.into_iter().find(|s| s.label().eq_ignore_ascii_case(identity.trim()));
    let store = store
        .ok_or_else(|| ApiError::not_found(format!("There is no file store {identity} in the draft.")))?;
    if store.placement != Placement::RunHere {
        return Err(
            ApiError::invalid("Identity", "Only a share that runs here can be made from here.").into()
        );
    }
    Ok(store)
}

#[async_trait]
impl Handler for NewLgFileShare {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let store = cx.read(|c| share_of(c, self))?;
        let dir = cx.app.settings.share_dir(&store);
        if dir.is_dir() {
            return Ok(plan([format!("The folder of {} exists already; nothing changes.", store.label())]));
        }
        let mut p = plan([format!("Make the folder of {}: {}.", store.label(), dir.display())]);
        p.changes.push(PlannedChange::new(store.label(), "Folder", "", dir.display().to_string()));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let store = cx.read(|c| share_of(c, self))?;
        let dir = cx.app.settings.share_dir(&store);
        std::fs::create_dir_all(&dir).map_err(|e| {
            ApiError::new(
                ErrorCode::Unavailable,
                format!("The folder {} could not be made: {e}", dir.display()),
            )
        })?;
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        Ok(Outcome::changed(Topic::Topology, "draft"))
    }
}

/// The topology draft that a wizard's pool joins: the one it was begun in, unless another one is named.
fn wizard_draft(
    c: &Connection,
    a: &NewLgPersistentChatPool,
    w: &tstore::Wizard,
) -> Result<tstore::Draft, Fault> {
    load(c, Some(a.topology_draft.as_deref().unwrap_or(&w.topology_draft)))
}

fn build(
    a: &NewLgPersistentChatPool,
    c: &Connection,
    e: &dyn Entropy,
) -> Result<(Topology, Topology), Fault> {
    let w = tstore::wizard(c, &a.draft)?
        .ok_or_else(|| ApiError::not_found("This wizard draft does not exist any more."))?;
    let before = wizard_draft(c, a, &w)?.document;
    let problems = wizard::check(&w.document, &before);
    if problems.iter().any(Problem::blocks) {
        return Err(ApiError::from_problems(ErrorCode::InvalidArgument, problems).into());
    }
    let ids = NewIds {
        pool: new_object_id(e),
        sql: std::array::from_fn(|_| new_object_id(e)),
        file: new_object_id(e),
    };
    let after = wizard::build(&w.document, &before, &ids)
        .map_err(|p| ApiError::from_problems(ErrorCode::InvalidArgument, p))?;
    Ok((before, after))
}

#[async_trait]
impl Handler for NewLgPersistentChatPool {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (before, after) = cx.read(|c| build(self, c, &*cx.app.entropy))?;
        Ok(plan(sentences(&diff(&before, &after), &after)))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let fqdn = cx.commit(&p.sentences.join(" "), |tx| {
            let (_, after) = build(self, tx, &*cx.app.entropy)?;
            if let Some(w) = tstore::wizard(tx, &self.draft)? {
                tstore::save_draft(tx, wizard_draft(tx, self, &w)?, &after, by(cx))?;
            }
            tstore::delete_wizard(tx, &self.draft)?;
            Ok(after.pools.last().map(|p| p.fqdn.to_string()).unwrap_or_default())
        })?;
        cx.app.bus.send(Topic::Draft, &self.draft);
        Ok(Outcome::changed(Topic::Topology, "draft").with(json!({ "Identity": fqdn })))
    }
}

/// What is to be removed: the one object of the name, or the one of the named kind.
fn the_kind(a: &RemoveLgTopologyObject, t: &Topology) -> Result<ObjectKind, ApiError> {
    let name = a.identity.trim();
    let found = kinds_of(t, name);
    let wanted = a.kind.as_deref().and_then(ObjectKind::parse);
    match (wanted, found.as_slice()) {
        (Some(k), list) if list.contains(&k) => Ok(k),
        (Some(k), _) => {
            Err(ApiError::not_found(format!("There is no {} {name} in the topology draft.", k.words())))
        }
        (None, [one]) => Ok(*one),
        (None, []) => Err(ApiError::not_found(format!("There is no {name} in the topology draft."))),
        (None, several) => {
            let words = several.iter().map(|k| k.words()).collect::<Vec<_>>().join(" and a ");
            let text = format!("{name} names a {words}. Say which with -Kind.");
            Err(ApiError::invalid("Kind", text))
        }
    }
}

#[async_trait]
impl Handler for RemoveLgTopologyObject {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let draft = self.topology_draft.as_deref();
        let (t, published) = cx.read(|c| Ok((load(c, draft)?.document, super::published(c)?)))?;
        let name = self.identity.trim();
        let kind = the_kind(self, &t)?;
        let mut p = plan([format!(
            "Take the {} {name} out of the draft. Nothing changes until it is published.",
            kind.words()
        )]);
        p.confirm = Confirm::Ask;
        let users = users_of(&t, kind, name);
        if !users.is_empty() {
            p = blocked(
                p,
                "in.use",
                "Identity",
                format!("It is used by {}. Remove or change that first.", users.join(", ")),
                "",
            );
        }
        let mut after = t.clone();
        remove(&mut after, kind, name);
        p.blockers.extend(forbidden(cx, &t, &after)?);
        if kind == ObjectKind::Pool && kinds_of(&published, name).contains(&kind) {
            let rooms = "Publishing this closes the pool's databases and keeps them aside with all rooms and messages; only Uninstall-CsDatabase deletes them.";
            p.warnings.push(Problem::warning("pool.kept", "Identity", rooms, "procedures §14"));
            p.confirm = Confirm::TypeName(name.to_owned());
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let draft = load(tx, self.topology_draft.as_deref())?;
            let mut t = draft.document.clone();
            let kind = the_kind(self, &t)?;
            remove(&mut t, kind, self.identity.trim());
            Ok(tstore::save_draft(tx, draft, &t, by(cx))?)
        })?;
        Ok(Outcome::changed(Topic::Topology, "draft"))
    }
}

#[async_trait]
impl Handler for ResetLgTopologyDraft {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let name = self.topology_draft.as_deref();
        let (draft, published) = cx.read(|c| Ok((load(c, name)?.document, super::published(c)?)))?;
        let changes = diff(&draft, &published);
        let mut p = plan([format!(
            "Set the draft back to what is published; {} changes are dropped.",
            changes.len()
        )]);
        p.confirm = Confirm::Ask;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let v = tstore::published(tx)?;
            let base = v.as_ref().map(|v| v.version);
            let draft = load(tx, self.topology_draft.as_deref())?;
            Ok(tstore::reset_draft(tx, draft, &v.map(|v| v.document).unwrap_or_default(), base, by(cx))?)
        })?;
        Ok(Outcome::changed(Topic::Topology, "draft"))
    }
}

#[async_trait]
impl Handler for PublishCsTopology {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        crate::publish::plan(self, cx)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        crate::publish::start(self, cx, p)
    }
}
