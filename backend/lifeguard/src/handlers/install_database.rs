//! Creating the databases that the published topology has on a SQL Server. Source: cmdlets.md §9.

use async_trait::async_trait;
use shared::ObjectId;
use shared::cmdlets::InstallCsDatabase;
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Plan, PlannedChange};
use shared::topology::{ChatPool, Placement, SqlStore, Topology};
use store::management::pools;

use crate::door::{Cx, Handler, Outcome, blocked, plan};
use crate::fleet::create_databases;

const SOURCE: &str = "C:Install-CsDatabase";

/// A database of a pool on a store of the server that was named.
struct Meant {
    pool: ChatPool,
    store: SqlStore,
    database: &'static str,
    /// mgc of the pool's primary store.
    primary: bool,
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b.trim())
}

fn meant(a: &InstallCsDatabase, t: &Topology) -> Result<Vec<Meant>, ApiError> {
    if a.clean && a.update {
        return Err(ApiError::invalid("Clean", "Name Clean or Update, not both."));
    }
    if a.clean {
        let text = "Clean would delete what is there. Take the pool out of the topology, then use Uninstall-CsDatabase.";
        return Err(ApiError::invalid("Clean", text));
    }
    if a.for_default_instance && a.for_instance.is_some() {
        return Err(ApiError::invalid(
            "ForDefaultInstance",
            "Name ForInstance or ForDefaultInstance, not both.",
        ));
    }
    let Some(server) = a.sql_server_fqdn.as_deref().map(str::trim).filter(|s| !s.is_empty()) else {
        return Err(ApiError::invalid("SqlServerFqdn", "Name the SQL Server."));
    };
    if !a.configured_databases && a.database_type.is_none() {
        return Err(ApiError::invalid("DatabaseType", "Name DatabaseType, or use ConfiguredDatabases."));
    }
    let instance = a.sql_instance_name.as_deref().or(a.for_instance.as_deref()).map(str::trim);
    let instance = if a.for_default_instance { Some("MSSQLSERVER") } else { instance };
    let fits = |s: &SqlStore| {
        let own = s.instance.as_deref().unwrap_or("MSSQLSERVER");
        same(s.fqdn.as_str(), server) && instance.is_none_or(|i| same(own, i))
    };
    let asked = |kind: &str| a.database_type.as_deref().is_none_or(|d| same(kind, d));
    let mut out = Vec::new();
    for p in &t.pools {
        let all: [(Option<&ObjectId>, &str, &str, bool); 4] = [
            (Some(&p.sql_store), "mgc", "PersistentChat", true),
            (p.backup_sql_store.as_ref(), "mgc", "PersistentChat", false),
            (p.compliance_sql_store.as_ref(), "mgccomp", "PersistentChatCompliance", false),
            (p.backup_compliance_sql_store.as_ref(), "mgccomp", "PersistentChatCompliance", false),
        ];
        for (id, database, kind, primary) in all {
            let Some(store) = id.and_then(|id| t.sql_store(id)).filter(|s| asked(kind) && fits(s)) else {
                continue;
            };
            out.push(Meant { pool: p.clone(), store: store.clone(), database, primary });
        }
    }
    if out.is_empty() {
        let text =
            format!("The published topology has no such database on {server}. Publish the pool first.");
        return Err(ApiError { field: Some("SqlServerFqdn".to_owned()), ..ApiError::not_found(text) });
    }
    Ok(out)
}

fn there(cx: &Cx, m: &Meant) -> bool {
    let dir = cx.app.settings.sql_dir(&m.store);
    dir.join(format!("{}.db", m.database)).exists()
}

/// The portal's own store is what the documents call the central management store.
fn central() -> Plan {
    plan(["The management store of this portal is there already; nothing is created.".to_owned()])
}

#[async_trait]
impl Handler for InstallCsDatabase {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        if self.central_management_database || self.local_databases {
            return Ok(central());
        }
        let t = cx.topology()?;
        let mut p = plan(Vec::new());
        for m in meant(self, &t)? {
            let (db, label, fqdn) = (m.database, m.store.label(), &m.pool.fqdn);
            if m.store.placement != Placement::RunHere {
                let text = format!("{label} is not reached from here; create {db} there by its own means.");
                p = blocked(p, "db.guided", "SqlServerFqdn", text, SOURCE);
            } else if db == "mgc" && !m.primary && m.pool.pair(&t).is_some() {
                p.sentences.push(format!(
                    "{db} of {fqdn} is made on {label} by log shipping, as a copy of the primary."
                ));
            } else if there(cx, &m) {
                p.sentences.push(format!("{db} of {fqdn} is on {label} already; it stays as it is."));
            } else if m.primary && cx.read(|c| Ok(pools::opened(c, &m.pool.id)?))?.is_some() {
                let text = format!(
                    "{db} of {fqdn} was in use and is gone from {label}. An empty one in its place would hide that: bring it back, or fail the pool over."
                );
                p = blocked(p, "db.vanished", "SqlServerFqdn", text, SOURCE);
            } else {
                p.sentences.push(format!("Create {db} of {fqdn} on {label}."));
                p.changes.push(PlannedChange::new(label, db, "", fqdn.as_str()));
            }
        }
        if !self.database_paths.is_empty() {
            p.sentences.push(
                "DatabasePaths is not used: databases that run here lie in the portal's data directory."
                    .to_owned(),
            );
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        cx.open_audit("")?;
        if self.central_management_database || self.local_databases {
            return Ok(Outcome::default());
        }
        let t = cx.topology()?;
        for m in meant(self, &t)? {
            if there(cx, &m) {
                continue;
            }
            // Only what was asked for; the primary's database is what a backup is copied from.
            let only = |id: &Option<ObjectId>| id.clone().filter(|id| *id == m.store.id);
            let (mgc, comp) = (m.database == "mgc", m.database == "mgccomp");
            let one = ChatPool {
                backup_sql_store: only(&m.pool.backup_sql_store).filter(|_| mgc),
                compliance_sql_store: only(&m.pool.compliance_sql_store).filter(|_| comp),
                backup_compliance_sql_store: only(&m.pool.backup_compliance_sql_store).filter(|_| comp),
                ..m.pool.clone()
            };
            let (app, t, at) = (cx.app.clone(), t.clone(), cx.now());
            let made =
                tokio::task::spawn_blocking(move || create_databases(&app.settings, &t, &one, at)).await;
            made.unwrap_or_else(|e| Err(e.to_string()))
                .map_err(|e| ApiError::new(ErrorCode::Unavailable, e))?;
        }
        Ok(Outcome::changed(Topic::Topology, "databases").redeploy())
    }
}
