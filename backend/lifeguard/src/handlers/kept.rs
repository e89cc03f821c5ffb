//! Databases that were kept when their pool was removed. Source: procedures §14 step 7.

use async_trait::async_trait;
use serde_json::json;
use shared::cmdlets::{GetLgKeptDatabase, UninstallCsDatabase};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};

use crate::door::{Cx, Handler, Outcome, plan};
use crate::publish::kept::{Kept, list};

#[async_trait]
impl Handler for GetLgKeptDatabase {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let object = |k: &Kept| {
            json!({
                "SqlServerFqdn": k.server, "SqlInstanceName": k.instance, "Database": k.database,
                "Origin": k.origin, "Bytes": k.size, "Folder": k.folder.display().to_string(),
            })
        };
        Ok(Outcome::objects(list(&cx.app.settings).iter().map(object).collect()))
    }
}

fn found(a: &UninstallCsDatabase, cx: &Cx) -> Vec<Kept> {
    let database = if a.database_type == "PersistentChat" { "mgc" } else { "mgccomp" };
    let instance = a.sql_instance_name.as_deref().filter(|i| !i.trim().is_empty()).unwrap_or("MSSQLSERVER");
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b.trim());
    let mut all = list(&cx.app.settings);
    all.retain(|k| {
        k.database == database && same(&k.server, &a.sql_server_fqdn) && same(&k.instance, instance)
    });
    all
}

#[async_trait]
impl Handler for UninstallCsDatabase {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let all = found(self, cx);
        if all.is_empty() {
            let text = format!(
                "No database was kept on {}. Databases of published pools are not uninstalled; remove the pool first.",
                self.sql_server_fqdn
            );
            return Err(ApiError { field: Some("SqlServerFqdn".to_owned()), ..ApiError::not_found(text) });
        }
        let line = |k: &Kept| {
            format!("Delete {} of {} on {} for good ({} bytes).", k.database, k.origin, k.server, k.size)
        };
        let mut p = plan(all.iter().map(line));
        p.confirm = Confirm::TypeName(all[0].server.clone());
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.open_audit("")?;
        for k in found(self, cx) {
            let file = k.folder.join(format!("{}.db", k.database));
            let gone = |e: std::io::Error| {
                ApiError::new(ErrorCode::Unavailable, format!("{} could not be deleted: {e}", file.display()))
            };
            std::fs::remove_file(&file).map_err(gone)?;
            // Left in place when the other database of the pool still lies there.
            let _ = std::fs::remove_dir(&k.folder);
        }
        let _ = p;
        Ok(Outcome::changed(Topic::Topology, "kept"))
    }
}
