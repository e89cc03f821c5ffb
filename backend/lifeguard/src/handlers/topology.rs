//! The topology draft: adding and taking out objects. Publishing stands in `crate::publish`.

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::json;
use shared::cmdlet::Cmdlet;
use shared::cmdlets::{
    NewLgFileShare, NewLgFileStore, NewLgFrontEndPool, NewLgPersistentChatPool, NewLgSipDomain, NewLgSite,
    NewLgSqlStore, PublishCsTopology, RemoveLgTopologyObject, ResetLgTopologyDraft, placement,
};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::names::{check_instance, check_share};
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::diff::{ObjectKind, diff};
use shared::topology::edit::{kind_of, new_problems, remove, users_of};
use shared::topology::wizard::{self, NewIds};
use shared::topology::{Computer, Edition, FileStore, FrontEndPool, Placement, Site, SqlStore, Topology};
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

/// The shared shape of `New-Lg…`: an edit of the draft, its sentence, its new problems as blockers.
trait Edit: Cmdlet {
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError>;
    /// Maps a topology path of a problem to the parameter it comes from.
    fn parameter(path: &str) -> &'static str;
}

fn plan_edit<E: Edit>(a: &E, cx: &Cx) -> Result<Plan, ApiError> {
    let draft = cx.read(|c| Ok(tstore::draft(c)?))?;
    let mut after = draft.document.clone();
    let sentence = a.edit(&mut after, &*cx.app.entropy)?;
    let mut p = plan([sentence]);
    for mut problem in new_problems(&draft.document, &after) {
        E::parameter(&problem.field).clone_into(&mut problem.field);
        if problem.blocks() { p.blockers.push(problem) } else { p.warnings.push(problem) }
    }
    Ok(p)
}

fn run_edit<E: Edit>(a: &E, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
    cx.commit(&p.sentences.join(" "), |tx| {
        let mut draft = tstore::draft(tx)?;
        a.edit(&mut draft.document, &*cx.app.entropy)?;
        Ok(tstore::save_draft(tx, &draft.document)?)
    })?;
    Ok(Outcome::changed(Topic::Topology, "draft"))
}

macro_rules! edits {
    ($($ty:ident),*) => {$(
        #[async_trait]
        impl Handler for $ty {
            async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
                plan_edit(self, cx)
            }
            async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
                run_edit(self, cx, p)
            }
        }
    )*};
}

edits!(NewLgSipDomain, NewLgSite, NewLgFrontEndPool, NewLgSqlStore, NewLgFileStore);

impl Edit for NewLgSipDomain {
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let name = fqdn(&self.name, "Name")?;
        t.sip_domains.push(name.clone());
        Ok(format!("Add the SIP domain {name} to the draft."))
    }
    fn parameter(_: &str) -> &'static str {
        "Name"
    }
}

impl Edit for NewLgSite {
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        t.sites.push(Site { id: new_object_id(e), site_id: self.name.trim().to_owned() });
        Ok(format!("Add the site {} to the draft.", self.name.trim()))
    }
    fn parameter(_: &str) -> &'static str {
        "Name"
    }
}

fn site_by_name(t: &Topology, name: &str) -> Result<ObjectId, ApiError> {
    t.sites
        .iter()
        .find(|s| s.site_id.eq_ignore_ascii_case(name.trim()) || s.id.as_str() == name)
        .map(|s| s.id.clone())
        .ok_or_else(|| {
            ApiError::invalid("Site", format!("There is no site {name}. Add it first with New-LgSite."))
        })
}

impl Edit for NewLgFrontEndPool {
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        let name = fqdn(&self.fqdn, "Fqdn")?;
        let standard = self.edition.as_deref() == Some("Standard");
        let place = placement(self.placement.as_deref());
        let servers = if standard {
            vec![Computer { fqdn: name.clone(), placement: place }]
        } else {
            let one = |s: &String| Ok(Computer { fqdn: fqdn(s, "Servers")?, placement: place.clone() });
            self.servers.iter().map(one).collect::<Result<_, ApiError>>()?
        };
        let edition = if standard { Edition::Standard } else { Edition::Enterprise };
        let site = site_by_name(t, &self.site)?;
        t.front_end_pools.push(FrontEndPool {
            id: new_object_id(e),
            fqdn: name.clone(),
            edition,
            site,
            servers,
        });
        let what = if standard { "Standard Edition server" } else { "Front End pool" };
        Ok(format!("Add the {what} {name} to the draft."))
    }
    fn parameter(path: &str) -> &'static str {
        if path.contains(".servers") {
            "Servers"
        } else if path.ends_with(".site") {
            "Site"
        } else {
            "Fqdn"
        }
    }
}

impl Edit for NewLgSqlStore {
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        let instance = self.instance.as_deref().filter(|i| !i.trim().is_empty());
        let instance =
            instance.map(check_instance).transpose().map_err(|e| ApiError::invalid("Instance", e.0))?;
        let store = SqlStore {
            id: new_object_id(e),
            fqdn: fqdn(&self.fqdn, "Fqdn")?,
            instance,
            placement: placement(self.placement.as_deref()),
        };
        let text =
            format!("Add the SQL Server store {} to the draft ({}).", store.label(), store.placement.words());
        t.sql_stores.push(store);
        Ok(text)
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with(".instance") { "Instance" } else { "Fqdn" }
    }
}

impl Edit for NewLgFileStore {
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        let store = FileStore {
            id: new_object_id(e),
            fqdn: fqdn(&self.fqdn, "Fqdn")?,
            share: check_share(&self.share).map_err(|e| ApiError::invalid("Share", e.0))?,
            placement: placement(self.placement.as_deref()),
        };
        let text = format!(
            "Add the file store {} to the draft. The share must exist before publishing.",
            store.label()
        );
        t.file_stores.push(store);
        Ok(text)
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with(".share") { "Share" } else { "Fqdn" }
    }
}

fn share_of(c: &Connection, identity: &str) -> Result<FileStore, Fault> {
    let t = tstore::draft(c)?.document;
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
        let store = cx.read(|c| share_of(c, &self.identity))?;
        let dir = cx.app.settings.share_dir(&store);
        if dir.is_dir() {
            return Ok(plan([format!("The folder of {} exists already; nothing changes.", store.label())]));
        }
        let mut p = plan([format!("Make the folder of {}: {}.", store.label(), dir.display())]);
        p.changes.push(PlannedChange::new(store.label(), "Folder", "", dir.display().to_string()));
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let store = cx.read(|c| share_of(c, &self.identity))?;
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

fn build(
    a: &NewLgPersistentChatPool,
    c: &Connection,
    e: &dyn Entropy,
) -> Result<(Topology, Topology), Fault> {
    let w = tstore::wizard(c, &a.draft)?
        .ok_or_else(|| ApiError::not_found("This wizard draft does not exist any more."))?;
    let before = tstore::draft(c)?.document;
    let problems = wizard::check(&w.document, &before);
    if problems.iter().any(Problem::blocks) {
        return Err(ApiError::from_problems(ErrorCode::InvalidArgument, problems).into());
    }
    let ids = NewIds {
        pool: new_object_id(e),
        sql: [new_object_id(e), new_object_id(e), new_object_id(e), new_object_id(e)],
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
        Ok(plan(diff(&before, &after).iter().map(|c| c.sentence(&after))))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let fqdn = cx.commit(&p.sentences.join(" "), |tx| {
            let (_, after) = build(self, tx, &*cx.app.entropy)?;
            tstore::save_draft(tx, &after)?;
            tstore::delete_wizard(tx, &self.draft)?;
            Ok(after.pools.last().map(|p| p.fqdn.to_string()).unwrap_or_default())
        })?;
        cx.app.bus.send(Topic::Draft, &self.draft);
        Ok(Outcome::changed(Topic::Topology, "draft").with(json!({ "Identity": fqdn })))
    }
}

#[async_trait]
impl Handler for RemoveLgTopologyObject {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (t, published) = cx.read(|c| Ok((tstore::draft(c)?.document, super::published(c)?)))?;
        let name = self.identity.trim();
        let kind = kind_of(&t, name)
            .ok_or_else(|| ApiError::not_found(format!("There is no {name} in the topology draft.")))?;
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
        if kind == ObjectKind::Pool && kind_of(&published, name) == Some(ObjectKind::Pool) {
            let text = "A published pool is taken out by a guided removal, which this version does not have; its rooms and messages would be left without an owner.";
            p = blocked(p, "pool.published", "Identity", text, "procedures §14");
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let mut t = tstore::draft(tx)?.document;
            if let Some(kind) = kind_of(&t, self.identity.trim()) {
                remove(&mut t, kind, self.identity.trim());
            }
            Ok(tstore::save_draft(tx, &t)?)
        })?;
        Ok(Outcome::changed(Topic::Topology, "draft"))
    }
}

#[async_trait]
impl Handler for ResetLgTopologyDraft {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (draft, published) = cx.read(|c| Ok((tstore::draft(c)?.document, super::published(c)?)))?;
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
            Ok(tstore::reset_draft(tx, &v.map(|v| v.document).unwrap_or_default(), base)?)
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
