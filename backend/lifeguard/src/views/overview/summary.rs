//! A pool in a list, and the servers beside it.

use shared::SipUri;
use shared::api::{ChatServerView, DatabaseView, PoolSummary, QueueView};
use shared::deployment::{PoolState, ServerReport, ServerRole, ServerState};
use shared::error::ApiError;
use shared::topology::{ChatPool, Computer, PoolKind};
use store::management::{pools, tests};

use super::Facts;
use crate::app::App;
use crate::fleet::{SideView, Sides, compliance_dir, other};

/// Test messages in a pool's small line.
const RECENT: u32 = 30;

fn server(app: &App, f: &Facts, c: &Computer, role: ServerRole) -> ServerReport {
    app.report(&c.fqdn).unwrap_or_else(|| ServerReport {
        fqdn: c.fqdn.clone(),
        role,
        state: if f.halted.iter().any(|h| h == c.fqdn.as_str()) {
            ServerState::Stopped
        } else if c.placement.is_run() {
            ServerState::Starting
        } else {
            ServerState::NotHostedHere
        },
        listens: Vec::new(),
        sessions: 0,
        generation: 0,
        node: None,
    })
}

fn database(role: &str, v: &SideView, in_use: bool) -> DatabaseView {
    DatabaseView {
        role: role.to_owned(),
        database: "mgc".to_owned(),
        store: v.store.clone(),
        node: v.node.clone(),
        in_use,
        error: v.error.clone(),
        size_bytes: v.info.as_ref().map(|i| i.size_bytes),
        messages: v.messages,
        epoch: v.info.as_ref().map(|i| i.epoch),
        copied_at: v.copied_at,
        last_write: v.info.as_ref().and_then(|i| i.last_write),
        restoring: v.restoring,
    }
}

fn no_failover(p: &ChatPool) -> Option<String> {
    (!p.has_backup()).then(|| match p.kind {
        PoolKind::Single => "A single computer pool has no backup SQL Server store, so there is nothing to fail over to.".to_owned(),
        PoolKind::Multiple => "This pool has no backup SQL Server store (disaster recovery is off), so there is nothing to fail over to.".to_owned(),
    })
}

pub(super) async fn summary(app: &App, f: &Facts, p: &ChatPool) -> Result<PoolSummary, ApiError> {
    let (row, active, endpoint, adapter, recent_us) = app
        .store
        .read(|c| {
            let endpoint: Option<SipUri> =
                pools::endpoints(c)?.into_iter().find(|e| e.pool == p.id).map(|e| e.sip_address);
            let adapter = crate::compliance::settings_of(c, &f.t, p)?;
            let recent = tests::recent(c, p.fqdn.as_str(), RECENT)?;
            Ok((pools::state(c, &p.id)?, pools::active_servers(c, &p.id)?, endpoint, adapter, recent))
        })
        .map_err(crate::door::store_error)?;
    let sides: Sides = app.fleet.sides(&p.id).await;
    let state = row.map(|r| r.state).unwrap_or_default();
    let run = super::runs::unfinished(app, p, state)?;
    let servers: Vec<ChatServerView> = p
        .computers
        .iter()
        .map(|c| ChatServerView {
            report: server(app, f, c, ServerRole::Chat),
            active: active.contains(&c.fqdn.to_string()),
        })
        .collect();
    let mut databases = vec![database("primary", &sides.primary, sides.open == Some(PoolState::Normal))];
    if p.has_backup() {
        databases.push(database("backup", &sides.backup, sides.open == Some(PoolState::FailedOver)));
    }
    had_one(app, p, &mut databases)?;
    // Log shipping and the table of databases say the same of the side that is restored.
    if let Some(until) = app.fleet.shipping(&p.id).and_then(|s| s.complete_until()) {
        for d in databases.iter_mut().filter(|d| d.restoring.is_some()) {
            (d.restoring, d.copied_at) = (Some(until), Some(until));
        }
    }
    let mut summary = PoolSummary {
        id: p.id.clone(),
        fqdn: p.fqdn.clone(),
        display_name: p.display_name.clone(),
        site: f.t.site(&p.site).map(|s| s.site_id.clone()).unwrap_or_default(),
        state,
        since: row.map(|r| r.since).unwrap_or_default(),
        // A database that is open and whose file is gone takes no post that would be there tomorrow.
        converged: sides.open == Some(state) && databases.iter().all(|d| !d.in_use || d.error.is_none()),
        no_failover_reason: no_failover(p),
        servers,
        databases,
        last_test: f.tests.iter().find(|t| t.pool.as_ref() == Some(&p.fqdn)).cloned(),
        recent_us,
        endpoint,
        compliance: p.compliance,
        compliance_adapter: crate::compliance::view(app, p, &adapter),
        compliance_queue: sides.compliance_queue,
        compliance_other: other_queue(app, f, p, state).await,
        down_since: None,
        run,
    };
    summary.down_since = f.down_since(&summary);
    Ok(summary)
}

/// What waits in the mgccomp of the side that is not in use. A folder that is not there is not an empty one.
async fn other_queue(app: &App, f: &Facts, p: &ChatPool, state: PoolState) -> Option<QueueView> {
    if !p.compliance {
        return None;
    }
    let dir = |s| compliance_dir(&app.settings, &f.t, p, s);
    let there = dir(other(state)).filter(|d| Some(d) != dir(state).as_ref())?;
    let id = match other(state) {
        PoolState::Normal => p.compliance_sql_store.as_ref(),
        PoolState::FailedOver => p.backup_compliance_sql_store.as_ref(),
    };
    let store = f.t.sql_store(id?)?.label();
    let read = move || store::chat::ComplianceQueue::count(&there).ok();
    let events = tokio::task::spawn_blocking(read).await.ok().flatten();
    Some(QueueView { store, events })
}

/// What a database says that never was there, said of one that was in use before.
fn had_one(app: &App, p: &ChatPool, databases: &mut [DatabaseView]) -> Result<(), ApiError> {
    let opened = app.store.read(|c| pools::opened(c, &p.id)).map_err(crate::door::store_error)?;
    let Some((side, _)) = opened else { return Ok(()) };
    for d in databases.iter_mut().filter(|d| d.role == super::serving::role(side)) {
        if let Some(e) = d.error.as_mut().filter(|e| e.contains("no database mgc on this instance yet")) {
            *e = "its database mgc was in use and is not there any more".to_owned();
        }
    }
    Ok(())
}

pub(super) async fn all_pools(app: &App, f: &Facts) -> Result<Vec<PoolSummary>, ApiError> {
    let mut out = Vec::new();
    for p in &f.t.pools {
        out.push(summary(app, f, p).await?);
    }
    Ok(out)
}

pub(super) fn front_ends(app: &App, f: &Facts) -> Vec<ServerReport> {
    let servers = f.t.front_end_pools.iter().flat_map(|p| &p.servers);
    servers.map(|s| server(app, f, s, ServerRole::FrontEnd)).collect()
}
