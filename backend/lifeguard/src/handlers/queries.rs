//! Queries that only read: services, topology, audit.

use async_trait::async_trait;
use serde_json::json;
use shared::cmdlets::{GetCsService, GetCsTopology, GetLgAudit};
use shared::error::ApiError;
use shared::identity::{pool_fqdn, wildcard_match};
use shared::plan::Plan;
use store::management::{audit, topology};

use crate::door::{Cx, Handler, Outcome};

#[async_trait]
impl Handler for GetCsService {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let all = !self.persistent_chat_server && !self.registrar;
        let site = |id: &shared::ObjectId| t.site(id).map(|s| format!("Site:{}", s.site_id));
        let mut out = Vec::new();
        if all || self.registrar {
            for p in &t.front_end_pools {
                out.push(json!({
                    "Identity": format!("Registrar:{}", p.fqdn), "PoolFqdn": p.fqdn, "SiteId": site(&p.site),
                    "ServiceId": "UserServices", "SipServerTcpPort": shared::Port::REGISTRAR_TLS, "Role": "Registrar",
                }));
            }
        }
        if all || self.persistent_chat_server {
            for p in &t.pools {
                let active = cx.read(|c| Ok(store::management::pools::active_servers(c, &p.id)?))?;
                out.push(json!({
                    "Identity": format!("PersistentChatServer:{}", p.fqdn),
                    "Registrar": t.front_end_pool(&p.next_hop).map(|f| format!("Registrar:{}", f.fqdn)),
                    "PersistentChatStore": t.sql_store(&p.sql_store).map(|s| format!("PersistentChatStore:{}", s.label())),
                    "BackupPersistentChatStore": p.backup_sql_store.as_ref().and_then(|s| t.sql_store(s)).map(|s| format!("PersistentChatStore:{}", s.label())),
                    "FileStore": format!("FileStore:{}", t.file_store_label(&p.file_store)),
                    "MtlsPort": p.port, "DisplayName": p.display_name, "ActiveServers": active,
                    "SiteId": site(&p.site), "PoolFqdn": p.fqdn, "Version": 6, "Role": "PersistentChatServer",
                }));
            }
        }
        if let Some(f) = &self.pool_fqdn {
            out.retain(|o| o["PoolFqdn"].as_str().is_some_and(|p| p.eq_ignore_ascii_case(f)));
        }
        if let Some(id) = &self.identity {
            let fqdn = pool_fqdn(id).ok();
            out.retain(|o| {
                o["Identity"].as_str().is_some_and(|x| x.eq_ignore_ascii_case(id))
                    || o["PoolFqdn"].as_str() == fqdn.as_ref().map(|f| f.as_str())
            });
        }
        Ok(Outcome::objects(out))
    }
}

#[async_trait]
impl Handler for GetCsTopology {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let version = cx.read(|c| Ok(topology::published(c)?))?;
        let Some(v) = version else { return Ok(Outcome::default()) };
        Ok(Outcome::objects(vec![json!({
            "Version": v.version, "Published": v.at, "Author": v.author, "Comment": v.comment, "Document": v.document,
        })]))
    }
}

#[async_trait]
impl Handler for GetLgAudit {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let rows = cx.read(|c| Ok(audit::list(c, self.result_size.unwrap_or(200))?))?;
        let keep = |a: &&shared::api::AuditView| {
            self.filter
                .as_ref()
                .is_none_or(|f| [&a.cmdlet, &a.actor, &a.target].iter().any(|t| wildcard_match(f, t)))
        };
        Ok(Outcome::objects(
            rows.iter()
                .filter(keep)
                .map(|a| {
                    json!({
                        "Identity": a.op_id, "Time": a.at, "Actor": a.actor, "Role": a.role, "Source": a.source,
                        "Credential": a.credential, "Changes": a.changes,
                        "Cmdlet": a.cmdlet, "Target": a.target, "Reason": a.reason, "Outcome": a.outcome,
                        "Detail": a.detail, "Line": a.line, "RequestId": a.request_id,
                    })
                })
                .collect(),
        ))
    }
}
