//! A database of a side of a pool with its two stores, and how one is found.

use std::path::Path;

use shared::ObjectId;
use shared::deployment::PoolState;
use shared::error::ApiError;
use shared::topology::{ChatPool, SqlStore, Topology};
use store::chat::{mirror, queue_mirror};
use store::management::mirrors::{self, Which};

use crate::door::Cx;

const SIDES: [PoolState; 2] = [PoolState::Normal, PoolState::FailedOver];

/// A database of a side of a pool with its two stores.
pub(super) struct Relation {
    pub(super) pool: ChatPool,
    pub(super) of: Which,
    pub(super) primary: SqlStore,
    pub(super) mirror: SqlStore,
}

impl Relation {
    pub(super) fn database(&self) -> &'static str {
        if self.of.queue { "mgccomp" } else { "mgc" }
    }

    pub(super) fn kind(&self) -> &'static str {
        if self.of.queue { "PersistentChatCompliance" } else { "PersistentChat" }
    }

    pub(super) fn is_mirror(&self, dir: &Path) -> bool {
        if self.of.queue { queue_mirror::is_mirror(dir) } else { mirror::is_mirror(dir) }
    }

    pub(super) fn row(&self, cx: &Cx) -> Result<mirrors::MirrorRow, ApiError> {
        cx.read(|c| Ok(mirrors::get(c, &self.pool.id, self.of)?))
    }
}

pub(super) fn relations(t: &Topology) -> Vec<Relation> {
    let store = |id: Option<&ObjectId>| id.and_then(|id| t.sql_store(id)).cloned();
    let one = |p: &ChatPool, of: Which| {
        let (own, mirror) = if of.queue { p.mgccomp_stores(of.side) } else { p.mgc_stores(of.side) };
        Some(Relation { pool: p.clone(), of, primary: store(own)?, mirror: store(mirror)? })
    };
    let all = SIDES.map(Which::from).into_iter().chain(SIDES.map(Which::queue));
    t.pools.iter().flat_map(|p| all.clone().filter_map(move |of| one(p, of))).collect()
}

pub(super) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b.trim())
}

/// Relations whose primary is on this SQL Server.
pub(super) fn on_server(t: &Topology, server: &str, instance: Option<&str>) -> Vec<Relation> {
    let instance = instance.map(str::trim).filter(|i| !i.is_empty() && !same("MSSQLSERVER", i));
    let fits = |s: &SqlStore| {
        let own = s.instance.as_deref();
        same(s.fqdn.as_str(), server) && instance.is_none_or(|i| own.is_some_and(|o| same(o, i)))
    };
    relations(t).into_iter().filter(|r| fits(&r.primary)).collect()
}

pub(super) fn none_here(server: &str, what: &str) -> ApiError {
    let text = format!(
        "{server} has no {what} that the published topology mirrors. Choose the mirroring SQL Server store in the pool's properties and publish first."
    );
    ApiError { field: Some("SqlServerFqdn".to_owned()), ..ApiError::not_found(text) }
}
