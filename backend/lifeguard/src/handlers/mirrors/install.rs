//! Setting a mirror up and taking it away.

use async_trait::async_trait;
use shared::cmdlets::{InstallCsMirrorDatabase, UninstallCsMirrorDatabase};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{Placement, SqlStore};
use store::chat::{MgcDatabase, mirror, queue_mirror};
use store::management::mirrors;

use super::relation::{Relation, none_here, on_server, same};
use super::{CONVERGENCE, SOURCE};
use crate::door::{Cx, Handler, Outcome};

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
pub(super) fn property(r: &Relation) -> &'static str {
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
