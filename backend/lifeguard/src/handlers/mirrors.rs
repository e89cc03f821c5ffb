//! Mirroring of the pools' databases. Source: cmdlets.md §9, procedures §4.

use std::path::Path;
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
use store::chat::{ComplianceQueue, MgcDatabase, mirror, queue_mirror};
use store::management::mirrors::{self, Which};
use store::management::pools;

use super::find_pool;
use crate::door::{Cx, Handler, Outcome, plan};

const SOURCE: &str = "L:deploying-sql-mirroring-for-back-end-server-high-availability";
/// How long servers may take to follow.
const CONVERGENCE: Duration = Duration::from_secs(60);
/// What the documents print for a database without a mirror.
const NONE: &str = "DatabaseInaccessibleOrMirroringNotEnabled";
const SIDES: [PoolState; 2] = [PoolState::Normal, PoolState::FailedOver];

/// A database of a side of a pool with its two stores.
struct Relation {
    pool: ChatPool,
    of: Which,
    primary: SqlStore,
    mirror: SqlStore,
}

impl Relation {
    fn database(&self) -> &'static str {
        if self.of.queue { "mgccomp" } else { "mgc" }
    }

    fn kind(&self) -> &'static str {
        if self.of.queue { "PersistentChatCompliance" } else { "PersistentChat" }
    }

    fn is_mirror(&self, dir: &Path) -> bool {
        if self.of.queue { queue_mirror::is_mirror(dir) } else { mirror::is_mirror(dir) }
    }

    fn row(&self, cx: &Cx) -> Result<mirrors::MirrorRow, ApiError> {
        cx.read(|c| Ok(mirrors::get(c, &self.pool.id, self.of)?))
    }
}

fn relations(t: &Topology) -> Vec<Relation> {
    let store = |id: Option<&ObjectId>| id.and_then(|id| t.sql_store(id)).cloned();
    let one = |p: &ChatPool, of: Which| {
        let (own, mirror) = if of.queue { p.mgccomp_stores(of.side) } else { p.mgc_stores(of.side) };
        Some(Relation { pool: p.clone(), of, primary: store(own)?, mirror: store(mirror)? })
    };
    let all = SIDES.map(Which::from).into_iter().chain(SIDES.map(Which::queue));
    t.pools.iter().flat_map(|p| all.clone().filter_map(move |of| one(p, of))).collect()
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
    let name = r.database();
    let file = |s: &SqlStore| cx.app.settings.sql_dir(s).join(format!("{name}.db")).display().to_string();
    format!(
        "Database Name: {name}; Data File: {}; Log File: {}-wal; Primary SQL: {}; Mirror SQL: {}; Witness SQL: the management store of this portal.",
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
        let left_out = |r: &Relation| self.exclude_database_list.iter().any(|d| same(r.database(), d));
        let instance = self.sql_instance_name.as_deref().or(self.for_instance.as_deref());
        let mut found = on_server(&cx.topology()?, &self.sql_server_fqdn, instance);
        found.retain(|r| !left_out(r) && self.database_type.as_deref().is_none_or(|d| same(r.kind(), d)));
        if found.is_empty() {
            return Err(none_here(
                &self.sql_server_fqdn,
                self.database_type.as_deref().unwrap_or("database"),
            ));
        }
        Ok(found)
    }
}

/// The property that is shown as changed.
fn property(r: &Relation) -> &'static str {
    if r.of.queue { "Mirror of mgccomp" } else { "Mirror" }
}

/// What stands on the mirror's store and is no mirror.
fn in_the_way(cx: &Cx, r: &Relation) -> bool {
    let dir = cx.app.settings.sql_dir(&r.mirror);
    dir.join(format!("{}.db", r.database())).exists() && !r.is_mirror(&dir)
}

#[async_trait]
impl Handler for InstallCsMirrorDatabase {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        for r in self.relations(cx)? {
            p.sentences.push(block(cx, &r));
            if r.row(cx)?.installed {
                p.sentences.push("It is mirrored already; nothing changes.".to_owned());
                continue;
            }
            p.sentences.push(format!(
                "The database is copied to {} directly; the share is not used. From then on {} {} is acknowledged when both have it.",
                r.mirror.label(),
                if r.of.queue { "an event of" } else { "a post to" },
                r.pool.fqdn
            ));
            p.changes.push(PlannedChange::new(r.pool.fqdn.as_str(), property(&r), "", r.mirror.label()));
            if r.primary.placement != Placement::RunHere || r.mirror.placement != Placement::RunHere {
                let text = "A SQL Server that is guided is mirrored by its own tools; Get-LgRunbook prints the steps.";
                p.blockers.push(Problem::error("mirror.guided", "SqlServerFqdn", text, SOURCE));
            }
            if in_the_way(cx, &r) && !(self.drop_existing || self.drop_exisiting) {
                let text = format!(
                    "A database {} stands on {} already. With DropExistingDatabasesOnMirror it is set aside.",
                    r.database(),
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
                if !mirrors::get(tx, &r.pool.id, r.of)?.installed {
                    mirrors::install(tx, &r.pool.id, r.of, true)?;
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
        let installed = |r: &Relation| r.row(cx).is_ok_and(|row| row.installed);
        found.retain(|r| same(r.kind(), &self.database_type) && installed(r));
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
            let row = r.row(cx)?;
            p.changes.push(PlannedChange::new(r.pool.fqdn.as_str(), property(&r), r.mirror.label(), ""));
            p.sentences.push(format!(
                "{} of {} is no longer mirrored to {}; the copy there is {}.",
                r.database(),
                r.pool.fqdn,
                r.mirror.label(),
                if self.drop_existing { "deleted" } else { "kept aside" }
            ));
            p.sentences.push("Afterwards the mirror may be taken out of the topology.".to_owned());
            if row.on_mirror || row.opened_on_mirror {
                let text = format!(
                    "{} of {} is in use on the mirror. Move it back first: Invoke-CsDatabaseFailover -PoolFqdn {} -DatabaseType {} -NewPrincipal Primary",
                    r.database(),
                    r.pool.fqdn,
                    r.pool.fqdn,
                    r.kind()
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
                mirrors::install(tx, &r.pool.id, r.of, false)?;
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
            let queue = r.of.queue;
            let put_away = move || {
                let aside = dir.join("kept").join(format!("{name}-mirror-{at}"));
                if queue {
                    let drop_it = || queue_mirror::drop_mirror(&dir).map(drop);
                    return if drops { drop_it() } else { queue_mirror::keep_mirror(&dir, &aside) };
                }
                if drops || !mirror::is_mirror(&dir) {
                    return mirror::drop_mirror(&dir).map(drop);
                }
                MgcDatabase::set_aside(&dir, &aside)?;
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
            let view = crate::views::mirror::queue_view(&cx.app, &t, &pool).await?;
            out.push(state_object("mgccomp", view.as_ref()));
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

/// The databases of the side in use that are meant, with their rows; never none.
fn meant(
    a: &InvokeCsDatabaseFailover,
    cx: &Cx,
) -> Result<(ChatPool, Vec<(Relation, mirrors::MirrorRow)>), ApiError> {
    let t = cx.topology()?;
    let pool = find_pool(&t, &a.pool_fqdn, "PoolFqdn")?;
    let state = cx.read(|c| Ok(pools::state(c, &pool.id)?))?.map(|s| s.state).unwrap_or_default();
    let asked = |r: &Relation| {
        a.database_type.as_deref().is_none_or(|d| same(r.kind(), d))
            && !a.exclude_database_list.iter().any(|d| same(r.database(), d))
    };
    let mut found = Vec::new();
    for r in relations(&t).into_iter().filter(|r| r.pool.id == pool.id && r.of.side == state && asked(r)) {
        let row = r.row(cx)?;
        if row.installed {
            found.push((r, row));
        }
    }
    if found.is_empty() {
        let what = a.database_type.as_deref().unwrap_or("PersistentChat");
        let text = format!("No primary plus mirror is configured for the database {what} of {}.", pool.fqdn);
        return Err(ApiError::invalid("DatabaseType", text));
    }
    Ok((pool, found))
}

/// Old and new principal of a move.
fn ends(a: &InvokeCsDatabaseFailover, r: &Relation) -> (SqlStore, SqlStore) {
    let (primary, mirror) = (r.primary.clone(), r.mirror.clone());
    if on_mirror(a) { (primary, mirror) } else { (mirror, primary) }
}

/// Whether the principal that is in use answers.
async fn answers(cx: &Cx, r: &Relation, old: &SqlStore) -> Result<(), String> {
    let (dir, queue) = (cx.app.settings.sql_dir(old), r.of.queue);
    let look = move || match queue {
        true => ComplianceQueue::answers(&dir),
        false => MgcDatabase::probe(&dir).map(drop),
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_else(|e| Err(e.to_string()))
}

/// What the move of one database does; a loss that is to be acknowledged.
fn sentences(
    r: &Relation,
    synchronized: bool,
    answers: &Result<(), String>,
    (old, new): (&SqlStore, &SqlStore),
    out: &mut Vec<String>,
) -> Option<String> {
    let (thing, none) = match r.of.queue {
        true => ("event", "No event is lost."),
        false => ("post", "No message is lost."),
    };
    let mut loss = None;
    match (answers, synchronized) {
        (_, true) => out.push(format!(
            "{} has every {thing} that was acknowledged; it becomes the principal of {}. {none}",
            new.label(),
            r.database()
        )),
        (Ok(()), false) => out.push(format!(
            "The mirror has not everything, so the whole {} is copied to {} first. {none}",
            r.database(),
            new.label()
        )),
        (Err(e), false) => {
            out.push(format!("{} does not answer ({e}); it is left as it is.", old.label()));
            out.push(format!("{} is opened with what it has.", new.label()));
            let what = if r.of.queue { "what was queued since" } else { "what was posted since" };
            loss = Some(format!(
                "The mirror on {} was not synchronized when {} was lost: {what} is lost.",
                new.label(),
                old.label()
            ));
        }
    }
    out.push(match r.of.queue {
        true => format!("Events are queued on {}; {} is mirrored to.", new.label(), old.label()),
        false => format!("Log shipping goes on from {}; {} is mirrored to.", new.label(), old.label()),
    });
    loss
}

#[async_trait]
impl Handler for InvokeCsDatabaseFailover {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (pool, all) = meant(self, cx)?;
        let stays = |row: &mirrors::MirrorRow| {
            row.on_mirror == on_mirror(self) && row.opened_on_mirror == row.on_mirror
        };
        if all.iter().all(|(_, row)| stays(row)) {
            return Ok(plan([format!("The principal of {} is there already; nothing changes.", pool.fqdn)]));
        }
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        p.affected_users = Some(pool.computers.iter().map(|c| u64::from(cx.app.sessions_of(&c.fqdn))).sum());
        let mut losses = Vec::new();
        for (r, row) in all.iter().filter(|(_, row)| !stays(row)) {
            let (old, new) = ends(self, r);
            let property = if r.of.queue { "Principal of mgccomp" } else { "Principal" };
            p.changes.push(PlannedChange::new(pool.fqdn.as_str(), property, old.label(), new.label()));
            p.sentences.push(format!("Posts to {} stop for a moment; {} is closed.", pool.fqdn, old.label()));
            let answers = answers(cx, r, &old).await;
            losses.extend(sentences(r, row.synchronized, &answers, (&old, &new), &mut p.sentences));
        }
        if !losses.is_empty() {
            p.acknowledge = Some(("AcknowledgeLoss".to_owned(), losses.join(" ")));
        }
        p.sentences.extend(left_behind(self, cx, &all).await?);
        if cx.read(|c| Ok(pools::held_by(c, &pool.id)?))?.is_some() {
            let text = format!("A guided run has {} in hand.", pool.fqdn);
            p.blockers.push(Problem::error("run.busy", "PoolFqdn", text, SOURCE));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        if p.changes.is_empty() {
            return Ok(Outcome::default());
        }
        let (pool, all) = meant(self, cx)?;
        let forced = self.acknowledge_loss && p.acknowledge.is_some();
        cx.commit(&p.sentences.join(" "), |tx| {
            for (r, _) in &all {
                mirrors::want(tx, &pool.id, r.of, on_mirror(self), forced)?;
            }
            Ok(())
        })?;
        cx.app.redeploy()?;
        let mut out = Outcome::changed(Topic::Pool, pool.fqdn.as_str());
        if let Err(why) = cx.app.fleet.converged(&pool.id, CONVERGENCE).await {
            out.warnings.push(format!("It is stored, but {} has not taken it up yet: {why}", pool.fqdn));
        }
        Ok(out)
    }
}

/// The other database of the pool when it is mirrored as well, stays where it is and does not answer there: the
/// pool is not open until it is moved too.
async fn left_behind(
    a: &InvokeCsDatabaseFailover,
    cx: &Cx,
    all: &[(Relation, mirrors::MirrorRow)],
) -> Result<Option<String>, ApiError> {
    let Some((first, _)) = all.first().filter(|_| all.len() == 1) else { return Ok(None) };
    let t = cx.topology()?;
    let other = |r: &Relation| {
        r.pool.id == first.pool.id && r.of.side == first.of.side && r.of.queue != first.of.queue
    };
    let Some(r) = relations(&t).into_iter().find(other) else { return Ok(None) };
    let row = r.row(cx)?;
    if !row.installed {
        return Ok(None);
    }
    let at = if row.on_mirror { &r.mirror } else { &r.primary };
    let Err(e) = answers(cx, &r, at).await else { return Ok(None) };
    Ok(Some(format!(
        "{} on {} does not answer either ({e}). The pool opens when it is moved too: leave DatabaseType out, or run Invoke-CsDatabaseFailover -PoolFqdn {} -DatabaseType {} -NewPrincipal {}.",
        r.database(),
        at.label(),
        r.pool.fqdn,
        r.kind(),
        if row.on_mirror { "Primary" } else { a.new_principal.trim() }
    )))
}
