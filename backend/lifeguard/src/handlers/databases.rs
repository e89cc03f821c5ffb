//! Trying the databases of SQL Servers. Source: cmdlets.md §9.

use async_trait::async_trait;
use node::remote::Inquiry;
use serde_json::{Value, json};
use shared::cmdlets::TestCsDatabase;
use shared::error::ApiError;
use shared::plan::Plan;
use shared::topology::{Placement, SqlStore, Topology};
use store::chat::{ComplianceQueue, MgcDatabase};

use crate::door::{Cx, Handler, Outcome};
use crate::nodes::instance;

/// Schema of mgc that this program expects, as the documents print versions.
const MGC: &str = "2.0.0";
const OTHERS: &str = "1.0.0";

/// Databases that the topology has on stores: store, mirror's store, kind.
fn databases(t: &Topology) -> Vec<(&SqlStore, Option<&SqlStore>, &'static str)> {
    let store = |id: Option<&shared::ObjectId>| id.and_then(|id| t.sql_store(id));
    let mut out = Vec::new();
    for p in &t.pools {
        let mgc = [
            (Some(&p.sql_store), p.mirror_sql_store.as_ref()),
            (p.backup_sql_store.as_ref(), p.backup_mirror_sql_store.as_ref()),
        ];
        out.extend(mgc.into_iter().filter_map(|(s, m)| Some((store(s)?, store(m), "PersistentChat"))));
        let comp = [
            (p.compliance_sql_store.as_ref(), p.compliance_mirror_sql_store.as_ref()),
            (p.backup_compliance_sql_store.as_ref(), p.backup_compliance_mirror_sql_store.as_ref()),
        ];
        out.extend(
            comp.into_iter().filter_map(|(s, m)| Some((store(s)?, store(m), "PersistentChatCompliance"))),
        );
    }
    out
}

fn object(s: &SqlStore, mirror: Option<&SqlStore>, name: &str, found: &Result<String, String>) -> Value {
    let expected = if name == "mgc" { MGC } else { OTHERS };
    json!({
        "SqlServerFqdn": s.fqdn, "SqlInstanceName": s.instance.clone().unwrap_or_default(),
        "MirrorSqlServerFqdn": mirror.map(|m| m.fqdn.to_string()).unwrap_or_default(),
        "MirrorSqlInstanceName": mirror.and_then(|m| m.instance.clone()).unwrap_or_default(),
        "DatabaseName": name, "DataSource": found.as_ref().err().cloned().unwrap_or_default(), "SQLServerVersion": "",
        "ExpectedVersion": expected, "InstalledVersion": found.as_ref().ok().map(|_| expected), "Succeed": found.is_ok(),
    })
}

#[async_trait]
impl Handler for TestCsDatabase {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        if self.local_service || self.central_management_database {
            let found = cx.read(|c| Ok(store::management::topology::published(c)?.map(|v| v.version)));
            return Ok(Outcome::objects(vec![json!({
                "SqlServerFqdn": "", "SqlInstanceName": "", "MirrorSqlServerFqdn": "", "MirrorSqlInstanceName": "",
                "DatabaseName": "xds", "DataSource": "", "SQLServerVersion": "", "ExpectedVersion": MGC,
                "InstalledVersion": found.is_ok().then_some(MGC), "Succeed": found.is_ok(),
            })]));
        }
        let Some(server) = self.sql_server_fqdn.as_deref().map(str::trim) else {
            return Err(ApiError::invalid("SqlServerFqdn", "Name the SQL Server."));
        };
        if !self.configured_databases && self.database_type.is_none() {
            return Err(ApiError::invalid("DatabaseType", "Name DatabaseType, or use ConfiguredDatabases."));
        }
        let mut out = Vec::new();
        for (s, mirror, kind) in databases(&t) {
            let asked = self.database_type.as_deref().is_none_or(|d| d.eq_ignore_ascii_case(kind));
            let instance = self.sql_instance_name.as_deref().is_none_or(|i| {
                s.instance.as_deref().unwrap_or("MSSQLSERVER").eq_ignore_ascii_case(i.trim())
            });
            if !(asked && instance && s.fqdn.as_str().eq_ignore_ascii_case(server)) {
                continue;
            }
            let name = if kind == "PersistentChat" { "mgc" } else { "mgccomp" };
            if let Placement::Node(n) = &s.placement {
                let asked = instance::said(&cx.app, n, Inquiry::Check(s.clone())).await;
                let found = asked.and_then(|said| {
                    said.starts_with("holds")
                        .then(String::new)
                        .ok_or_else(|| format!("node {n} has no database mgc there"))
                });
                out.push(object(s, mirror, name, &found));
                continue;
            }
            let dir = cx.app.settings.sql_dir(s);
            let here = s.placement == Placement::RunHere;
            let work = move || match name {
                _ if !here => Err("It is not reached from here.".to_owned()),
                "mgc" => match MgcDatabase::probe(&dir) {
                    // A database that follows is well although nobody opens it.
                    Err(e) if e == store::chat::RESTORING || e == store::chat::mirror::MIRRORING => Ok(e),
                    r => r.map(|_| String::new()),
                },
                _ if store::chat::queue_mirror::is_mirror(&dir) => Ok(String::new()),
                _ => ComplianceQueue::count(&dir).map(|_| String::new()).map_err(|e| e.to_string()),
            };
            let found = tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()));
            out.push(object(s, mirror, name, &found));
        }
        if out.is_empty() {
            let text = format!("The published topology has no such database on {server}.");
            return Err(ApiError { field: Some("SqlServerFqdn".to_owned()), ..ApiError::not_found(text) });
        }
        Ok(Outcome::objects(out))
    }
}
