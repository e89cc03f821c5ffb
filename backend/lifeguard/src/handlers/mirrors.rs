//! Mirroring of the pools' databases. Source: cmdlets.md §9, procedures §4.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::ObjectId;
use shared::cmdlets::{
    GetCsDatabaseMirrorState, InstallCsMirrorDatabase, InvokeCsDatabaseFailover, UninstallCsMirrorDatabase,
};
use shared::deployment::PoolState;
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{ChatPool, Placement, SqlStore, Topology};
use store::chat::MgcDatabase;
use store::chat::mirror;
use store::management::{mirrors, pools};

use super::find_pool;
use crate::door::{Cx, Handler, Outcome, plan};

const SOURCE: &str = "L:deploying-sql-mirroring-for-back-end-server-high-availability";
/// How long servers may take to follow.
const CONVERGENCE: Duration = Duration::from_secs(60);
/// What the documents print for a database without a mirror.
const NONE: &str = "DatabaseInaccessibleOrMirroringNotEnabled";
const SIDES: [PoolState; 2] = [PoolState::Normal, PoolState::FailedOver];

/// A side of a pool with its two stores.
struct Relation {
    pool: ChatPool,
    side: PoolState,
    primary: SqlStore,
    mirror: SqlStore,
}

fn relations(t: &Topology) -> Vec<Relation> {
    let store = |id: Option<&ObjectId>| id.and_then(|id| t.sql_store(id)).cloned();
    let one = |p: &ChatPool, side| {
        let (own, mirror) = p.mgc_stores(side);
        Some(Relation { pool: p.clone(), side, primary: store(own)?, mirror: store(mirror)? })
    };
    t.pools.iter().flat_map(|p| SIDES.into_iter().filter_map(move |s| one(p, s))).collect()
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b.trim())
}

/// Relations whose primary is on this SQL Server.
fn on_server(t: &Topology, server: &str, instance: Option<&str>) -> Vec<Relation> {
    let instance = instance.map(str::trim).filter(|i| !i.is_empty() && !same("MSSQLSERVER", i));
    let fits = |s: &SqlStore| {
        let own = s.instance.as_deref();
        same(s.fqdn.as_str(), server) && instance.is_none_or(|i| own.is_some_and(|o| same(o, i)))
    };
    relations(t).into_iter().filter(|r| fits(&r.primary)).collect()
}

fn none_here(server: &str, what: &str) -> ApiError {
    let text = format!(
        "{server} has no {what} that the published topology mirrors. Choose the mirroring SQL Server store in the pool's properties and publish first."
    );
    ApiError { field: Some("SqlServerFqdn".to_owned()), ..ApiError::not_found(text) }
}

/// The block that is printed for a database.
fn block(cx: &Cx, r: &Relation) -> String {
    let file = |s: &SqlStore| cx.app.settings.sql_dir(s).join("mgc.db").display().to_string();
    format!(
        "Database Name: mgc; Data File: {}; Log File: {}-wal; Primary SQL: {}; Mirror SQL: {}; Witness SQL: the management store of this portal.",
        file(&r.primary),
        file(&r.primary),
        r.primary.label(),
        r.mirror.label()
    )
}

/// What a cmdlet means.
trait Meant {
    /// The relations it is about; never none.
    fn relations(&self, cx: &Cx) -> Result<Vec<Relation>, ApiError>;
}

impl Meant for InstallCsMirrorDatabase {
    fn relations(&self, cx: &Cx) -> Result<Vec<Relation>, ApiError> {
        if self.for_default_instance && self.for_instance.is_some() {
            let text = "Name ForInstance or ForDefaultInstance, not both (V25).";
            return Err(ApiError::invalid("ForDefaultInstance", text));
        }
        if !self.file_share.trim().starts_with("\\\\") {
            return Err(ApiError::invalid("FileShare", "The file share is a UNC path, \\\\server\\share."));
        }
        if !self.configured_databases && self.database_type.is_none() {
            return Err(ApiError::invalid("DatabaseType", "Name DatabaseType, or use ConfiguredDatabases."));
        }
        let chat = |d: &str| same("PersistentChat", d);
        let left_out = self.exclude_database_list.iter().any(|d| same("mgc", d));
        let instance = self.sql_instance_name.as_deref().or(self.for_instance.as_deref());
        let mut found = on_server(&cx.topology()?, &self.sql_server_fqdn, instance);
        if left_out || !self.database_type.as_deref().is_none_or(chat) {
            found.clear();
        }
        if found.is_empty() {
            return Err(none_here(
                &self.sql_server_fqdn,
                self.database_type.as_deref().unwrap_or("database"),
            ));
        }
        Ok(found)
    }
}

/// What stands on the mirror's store and is no mirror.
fn in_the_way(cx: &Cx, r: &Relation) -> bool {
    let dir = cx.app.settings.sql_dir(&r.mirror);
    dir.join("mgc.db").exists() && !mirror::is_mirror(&dir)
}

#[async_trait]
impl Handler for InstallCsMirrorDatabase {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        for r in self.relations(cx)? {
            p.sentences.push(block(cx, &r));
            let row = cx.read(|c| Ok(mirrors::get(c, &r.pool.id, r.side)?))?;
            if row.installed {
                p.sentences.push("It is mirrored already; nothing changes.".to_owned());
                continue;
            }
            p.sentences.push(format!(
                "The database is copied to {} directly; the share is not used. From then on a post to {} is acknowledged when both have it.",
                r.mirror.label(),
                r.pool.fqdn
            ));
            p.changes.push(PlannedChange::new(r.pool.fqdn.as_str(), "Mirror", "", r.mirror.label()));
            if r.primary.placement != Placement::RunHere || r.mirror.placement != Placement::RunHere {
                let text = "A SQL Server that is guided is mirrored by its own tools; Get-LgRunbook prints the steps.";
                p.blockers.push(Problem::error("mirror.guided", "SqlServerFqdn", text, SOURCE));
            }
            if in_the_way(cx, &r) && !(self.drop_existing || self.drop_exisiting) {
                let text = format!(
                    "A database mgc stands on {} already. With DropExistingDatabasesOnMirror it is set aside.",
                    r.mirror.label()
                );
                p.blockers.push(Problem::error(
                    "mirror.exists",
                    "DropExistingDatabasesOnMirror",
                    text,
                    SOURCE,
                ));
            }
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let all = self.relations(cx)?;
        for r in &all {
            let dir = cx.app.settings.sql_dir(&r.mirror);
            std::fs::create_dir_all(&dir)
                .map_err(|e| ApiError::new(ErrorCode::Unavailable, format!("{}: {e}", dir.display())))?;
        }
        cx.commit(&p.sentences.join(" "), |tx| {
            for r in &all {
                if !mirrors::get(tx, &r.pool.id, r.side)?.installed {
                    mirrors::install(tx, &r.pool.id, r.side, true)?;
                }
            }
            Ok(())
        })?;
        Ok(Outcome::changed(Topic::Pool, all[0].pool.fqdn.as_str()).redeploy())
    }
}

impl Meant for UninstallCsMirrorDatabase {
    fn relations(&self, cx: &Cx) -> Result<Vec<Relation>, ApiError> {
        let mut found = on_server(&cx.topology()?, &self.sql_server_fqdn, self.sql_instance_name.as_deref());
        let installed = |r: &Relation| {
            cx.read(|c| Ok(mirrors::get(c, &r.pool.id, r.side)?)).is_ok_and(|row| row.installed)
        };
        found.retain(|r| same("PersistentChat", &self.database_type) && installed(r));
        if found.is_empty() {
            return Err(none_here(
                &self.sql_server_fqdn,
                &format!("mirrored database {}", self.database_type),
            ));
        }
        Ok(found)
    }
}

#[async_trait]
impl Handler for UninstallCsMirrorDatabase {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        for r in self.relations(cx)? {
            let row = cx.read(|c| Ok(mirrors::get(c, &r.pool.id, r.side)?))?;
            p.changes.push(PlannedChange::new(r.pool.fqdn.as_str(), "Mirror", r.mirror.label(), ""));
            p.sentences.push(format!(
                "{} is no longer mirrored to {}; the copy there is {}.",
                r.pool.fqdn,
                r.mirror.label(),
                if self.drop_existing { "deleted" } else { "kept aside" }
            ));
            p.sentences.push("Afterwards the mirror may be taken out of the topology.".to_owned());
            if row.on_mirror || row.opened_on_mirror {
                let text = format!(
                    "The database of {} is in use on the mirror. Move it back first: Invoke-CsDatabaseFailover -PoolFqdn {} -DatabaseType PersistentChat -NewPrincipal Primary",
                    r.pool.fqdn, r.pool.fqdn
                );
                p.blockers.push(Problem::error("mirror.principal", "SqlServerFqdn", text, SOURCE));
            }
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let all = self.relations(cx)?;
        cx.commit(&p.sentences.join(" "), |tx| {
            for r in &all {
                mirrors::install(tx, &r.pool.id, r.side, false)?;
            }
            Ok(())
        })?;
        cx.app.redeploy()?;
        let mut out = Outcome::changed(Topic::Pool, all[0].pool.fqdn.as_str());
        for r in &all {
            if let Err(why) = cx.app.fleet.converged(&r.pool.id, CONVERGENCE).await {
                out.warnings.push(format!("{} has not taken it up yet: {why}", r.pool.fqdn));
            }
            let dir = cx.app.settings.sql_dir(&r.mirror);
            let (drops, name, at) = (self.drop_existing, r.pool.fqdn.to_string(), cx.now().millis());
            let put_away = move || {
                if drops || !mirror::is_mirror(&dir) {
                    return mirror::drop_mirror(&dir).map(drop);
                }
                MgcDatabase::set_aside(&dir, &dir.join("kept").join(format!("{name}-mirror-{at}")))?;
                mirror::forget(&dir)
            };
            let done = tokio::task::spawn_blocking(put_away).await;
            if let Some(e) = done.map_or_else(|e| Some(e.to_string()), |r| r.err().map(|e| e.to_string())) {
                out.warnings.push(format!("The copy on {} could not be put away: {e}", r.mirror.label()));
            }
        }
        Ok(out)
    }
}

fn state_object(name: &str, view: Option<&shared::api::MirrorView>) -> Value {
    let known = view.filter(|v| v.installed);
    let (first, second, status) = match known {
        None => (NONE, NONE, String::new()),
        Some(v) if v.state == "suspended" => (NONE, NONE, v.state.clone()),
        Some(v) if v.on_mirror => ("Mirror", "Principal", v.state.clone()),
        Some(v) => ("Principal", "Mirror", v.state.clone()),
    };
    json!({
        "DatabaseName": name, "StateOnPrimary": first, "StateOnMirror": second,
        "MirroringStatusOnPrimary": status, "MirroringStatusOnSecondary": status,
    })
}

#[async_trait]
impl Handler for GetCsDatabaseMirrorState {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let pool = find_pool(&t, &self.pool_fqdn, "PoolFqdn")?;
        let view = crate::views::mirror::view(&cx.app, &t, &pool).await?;
        let wanted = |d: &str| self.database_type.as_deref().is_none_or(|w| same(d, w));
        let mut out = Vec::new();
        if wanted("PersistentChat") {
            out.push(state_object("mgc", view.as_ref()));
        }
        if pool.compliance && wanted("PersistentChatCompliance") {
            out.push(state_object("mgccomp", None));
        }
        // Databases of other roles are not here; the value says so, as the documents print it.
        let others: &[&str] = match self.database_type.as_deref() {
            Some("Monitoring") => &["lcscdr", "qoemetrics"],
            Some("User") => &["rtcxds", "rtcshared", "rtcab"],
            Some("Archiving") => &["lcslog"],
            Some("PersistentChatCompliance") if !pool.compliance => &["mgccomp"],
            _ => &[],
        };
        out.extend(others.iter().map(|n| state_object(n, None)));
        Ok(Outcome::objects(out))
    }
}

fn on_mirror(a: &InvokeCsDatabaseFailover) -> bool {
    same("Mirror", &a.new_principal)
}

/// The side in use and its row.
fn relation(a: &InvokeCsDatabaseFailover, cx: &Cx) -> Result<(Relation, mirrors::MirrorRow), ApiError> {
    let t = cx.topology()?;
    let pool = find_pool(&t, &a.pool_fqdn, "PoolFqdn")?;
    let state = cx.read(|c| Ok(pools::state(c, &pool.id)?))?.map(|s| s.state).unwrap_or_default();
    let chat = a.database_type.as_deref().is_none_or(|d| same("PersistentChat", d));
    let left_out = a.exclude_database_list.iter().any(|d| same("mgc", d));
    let found = relations(&t).into_iter().find(|r| r.pool.id == pool.id && r.side == state);
    let refuse = || {
        let what = a.database_type.as_deref().unwrap_or("PersistentChat");
        let text = format!("No primary plus mirror is configured for the database {what} of {}.", pool.fqdn);
        ApiError::invalid("DatabaseType", text)
    };
    let r = found.filter(|_| chat && !left_out).ok_or_else(refuse)?;
    let row = cx.read(|c| Ok(mirrors::get(c, &r.pool.id, r.side)?))?;
    if row.installed { Ok((r, row)) } else { Err(refuse()) }
}

#[async_trait]
impl Handler for InvokeCsDatabaseFailover {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (r, row) = relation(self, cx)?;
        if row.on_mirror == on_mirror(self) && row.opened_on_mirror == row.on_mirror {
            return Ok(plan([format!(
                "The principal of {} is there already; nothing changes.",
                r.pool.fqdn
            )]));
        }
        let (old, new) = if on_mirror(self) { (&r.primary, &r.mirror) } else { (&r.mirror, &r.primary) };
        let dir = cx.app.settings.sql_dir(old);
        let answers = tokio::task::spawn_blocking(move || MgcDatabase::probe(&dir)).await;
        let answers = answers.unwrap_or_else(|e| Err(e.to_string()));
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        p.changes.push(PlannedChange::new(r.pool.fqdn.as_str(), "Principal", old.label(), new.label()));
        p.affected_users =
            Some(r.pool.computers.iter().map(|c| u64::from(cx.app.sessions_of(&c.fqdn))).sum());
        p.sentences.push(format!("Posts to {} stop for a moment; {} is closed.", r.pool.fqdn, old.label()));
        match (&answers, row.synchronized) {
            (_, true) => p.sentences.push(format!(
                "{} has every post that was acknowledged; it becomes the principal. No message is lost.",
                new.label()
            )),
            (Ok(_), false) => p.sentences.push(format!(
                "The mirror has not everything, so the whole database is copied to {} first. No message is lost.",
                new.label()
            )),
            (Err(e), false) => {
                p.sentences.push(format!("{} does not answer ({e}); it is left as it is.", old.label()));
                p.sentences.push(format!("{} is opened with what it has.", new.label()));
                let text = format!(
                    "The mirror on {} was not synchronized when {} was lost: what was posted since is lost.",
                    new.label(),
                    old.label()
                );
                p.acknowledge = Some(("AcknowledgeLoss".to_owned(), text));
            }
        }
        p.sentences.push(format!(
            "Log shipping goes on from {}; {} is mirrored to.",
            new.label(),
            old.label()
        ));
        if cx.read(|c| Ok(pools::held_by(c, &r.pool.id)?))?.is_some() {
            let text = format!("A guided run has {} in hand.", r.pool.fqdn);
            p.blockers.push(Problem::error("run.busy", "PoolFqdn", text, SOURCE));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        if p.changes.is_empty() {
            return Ok(Outcome::default());
        }
        let (r, _) = relation(self, cx)?;
        let forced = self.acknowledge_loss && p.acknowledge.is_some();
        cx.commit(&p.sentences.join(" "), |tx| {
            Ok(mirrors::want(tx, &r.pool.id, r.side, on_mirror(self), forced)?)
        })?;
        cx.app.redeploy()?;
        let mut out = Outcome::changed(Topic::Pool, r.pool.fqdn.as_str());
        if let Err(why) = cx.app.fleet.converged(&r.pool.id, CONVERGENCE).await {
            out.warnings.push(format!("It is stored, but {} has not taken it up yet: {why}", r.pool.fqdn));
        }
        Ok(out)
    }
}
