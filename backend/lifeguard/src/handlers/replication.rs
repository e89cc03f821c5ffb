//! Replication: whether each server has taken up what is published, pools and sites of the topology, the
//! rehearsal of publishing. Source: cmdlets.md §9.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::cmdlets::{
    EnableCsTopology, GetCsManagementStoreReplicationStatus, GetCsPool, GetCsSite,
    InvokeCsManagementStoreReplication, TestCsTopology,
};
use shared::deployment::ServerState;
use shared::error::ApiError;
use shared::events::Topic;
use shared::identity::pool_fqdn;
use shared::plan::Plan;
use shared::topology::Topology;
use store::management::topology as tstore;

use crate::door::{Cx, Handler, Outcome, plan};

const PRODUCT: &str = concat!("Lifeguard ", env!("CARGO_PKG_VERSION"));

fn computers(t: &Topology) -> impl Iterator<Item = &shared::topology::Computer> {
    t.front_end_pools.iter().flat_map(|p| &p.servers).chain(t.pools.iter().flat_map(|p| &p.computers))
}

#[async_trait]
impl Handler for GetCsManagementStoreReplicationStatus {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let Some(v) = cx.read(|c| Ok(tstore::published(c)?))? else { return Ok(Outcome::default()) };
        let replicas: Vec<_> = computers(&v.document).collect();
        if self.central_management_store_status {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            return Ok(Outcome::objects(vec![json!({
                "LastMasterChange": v.at, "ActiveMasterFqdn": host.trim(), "LastUpdateCreation": v.at,
                "ActiveReplicas": replicas.iter().map(|c| &c.fqdn).collect::<Vec<_>>(), "Version": v.version,
            })]));
        }
        let wanted = cx.app.deployment.borrow().generation;
        let state = |c: &&shared::topology::Computer| {
            let report = cx.app.report(&c.fqdn);
            let up =
                report.as_ref().is_some_and(|r| r.state == ServerState::Running && r.generation >= wanted);
            let last = report.is_some().then(|| cx.now());
            json!({
                "UpToDate": up, "ReplicaFqdn": c.fqdn, "LastStatusReport": last,
                "LastUpdateCreation": v.at, "ProductVersion": if c.placement.is_run() { PRODUCT } else { "" },
            })
        };
        let same = |c: &&&shared::topology::Computer| {
            self.replica_fqdn.as_ref().is_none_or(|f| c.fqdn.as_str().eq_ignore_ascii_case(f.trim()))
        };
        let out: Vec<Value> = replicas.iter().filter(same).map(state).collect();
        match &self.replica_fqdn {
            Some(f) if out.is_empty() => Err(unknown(f)),
            _ => Ok(Outcome::objects(out)),
        }
    }
}

fn unknown(f: &str) -> ApiError {
    let text = format!("There is no server {f} in the published topology.");
    ApiError { field: Some("ReplicaFqdn".to_owned()), ..ApiError::not_found(text) }
}

#[async_trait]
impl Handler for InvokeCsManagementStoreReplication {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = cx.topology()?;
        let to = match &self.replica_fqdn {
            None => format!("all {} servers", computers(&t).count()),
            Some(f) if computers(&t).any(|c| c.fqdn.as_str().eq_ignore_ascii_case(f.trim())) => f.clone(),
            Some(f) => return Err(unknown(f)),
        };
        Ok(plan([format!("Send the newest version to {to}.")]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        Ok(Outcome::changed(Topic::Server, "").redeploy())
    }
}

#[async_trait]
impl Handler for EnableCsTopology {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let v = cx.read(|c| Ok(tstore::published(c)?))?;
        let v = v.ok_or_else(|| ApiError::not_found("Nothing is published yet."))?;
        Ok(plan([format!(
            "Activate version {}: databases are opened and servers that are to run are started.",
            v.version
        )]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        Ok(Outcome::changed(Topic::Server, "").redeploy())
    }
}

#[async_trait]
impl Handler for TestCsTopology {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let draft = cx.read(|c| super::topology::load(c, self.topology_draft.as_deref()))?;
        let mut document = draft.document;
        if let Some(service) = &self.service {
            let name = pool_fqdn(service).map_err(|e| ApiError::invalid("Service", e.0))?;
            let known = |f: &shared::Fqdn| *f == name;
            if !(document.pools.iter().any(|p| known(&p.fqdn))
                || document.front_end_pools.iter().any(|p| known(&p.fqdn)))
            {
                return Err(ApiError::invalid(
                    "Service",
                    format!("There is no service {service} in the topology."),
                ));
            }
            document.pools.retain(|p| known(&p.fqdn));
        }
        let parent = if self.service.is_some() { None } else { draft.base };
        Ok(Outcome::objects(crate::publish::rehearse(&cx.app, document, parent).await))
    }
}

fn site_label(t: &Topology, id: &shared::ObjectId) -> String {
    t.site(id).map(|s| format!("Site:{}", s.site_id)).unwrap_or_default()
}

#[async_trait]
impl Handler for GetCsPool {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let mut out = Vec::new();
        for p in &t.front_end_pools {
            let services = [format!("Registrar:{}", p.fqdn), format!("UserServer:{}", p.fqdn)];
            out.push(json!({
                "Identity": p.fqdn, "Services": services, "Computers": p.servers.iter().map(|c| &c.fqdn).collect::<Vec<_>>(),
                "Fqdn": p.fqdn, "Site": site_label(&t, &p.site),
            }));
        }
        for p in &t.pools {
            out.push(json!({
                "Identity": p.fqdn, "Services": [format!("PersistentChatServer:{}", p.fqdn)],
                "Computers": p.computers.iter().map(|c| &c.fqdn).collect::<Vec<_>>(), "Fqdn": p.fqdn,
                "Site": site_label(&t, &p.site),
            }));
        }
        let bare = |s: &str| s.trim().trim_start_matches("Site:").trim_start_matches("site:").to_lowercase();
        out.retain(|o| {
            let is = |key: &str, given: &Option<String>| {
                given.as_ref().is_none_or(|g| o[key].as_str().is_some_and(|x| bare(x) == bare(g)))
            };
            is("Identity", &self.identity) && is("Site", &self.site)
        });
        match &self.identity {
            Some(n) if out.is_empty() => Err(ApiError::not_found(format!("There is no pool {n}."))),
            _ => Ok(Outcome::objects(out)),
        }
    }
}

#[async_trait]
impl Handler for GetCsSite {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let wanted = self.identity.as_deref().map(|i| i.trim().to_lowercase());
        let mut out = Vec::new();
        for s in &t.sites {
            let id = s.site_id.to_lowercase();
            if wanted.as_ref().is_some_and(|w| *w != id && *w != format!("site:{id}")) {
                continue;
            }
            let fe = t.front_end_pools.iter().filter(|p| p.site == s.id).map(|p| p.fqdn.to_string());
            let pc = t.pools.iter().filter(|p| p.site == s.id).map(|p| p.fqdn.to_string());
            let pools: Vec<String> = fe.chain(pc).collect();
            out.push(json!({
                "Identity": format!("Site:{}", s.site_id), "SiteId": s.site_id, "DisplayName": s.site_id,
                "Services": Vec::<String>::new(), "Pools": pools,
            }));
        }
        match &self.identity {
            Some(n) if out.is_empty() => Err(ApiError::not_found(format!("There is no site {n}."))),
            _ => Ok(Outcome::objects(out)),
        }
    }
}
