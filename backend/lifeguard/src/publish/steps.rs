//! Steps that make something: databases, the version, mirrors, servers.

use shared::deployment::{PoolState, ServerState};
use shared::topology::validate::MAX_ACTIVE;
use shared::topology::{ChatPool, Computer, Placement, Topology};
use store::management::drafts::By;
use store::management::mirrors::{self, Which};
use store::management::{pools, topology as tstore};

use super::{Failed, Log, Run, START_TIMEOUT};

impl Run {
    pub(super) async fn databases(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        self.shares(true, log).await?;
        for p in &t.pools {
            if let Some(store) = t.sql_store(&p.sql_store)
                && let Placement::Node(n) = &store.placement
            {
                let ask = node::remote::Inquiry::Create(store.clone());
                let made = crate::nodes::instance::said(&self.app, n, ask).await;
                let made = made.map_err(|e| {
                    format!("mgc of {} could not be created on {}: {e}", p.fqdn, store.label())
                })?;
                log.push(format!("mgc of {} {made} on {}, node {n}.", p.fqdn, store.label()));
            }
            if let Some(pair) = p.pair(t) {
                log.push(format!(
                    "The backup mgc of {} is made on {} by log shipping, as a copy of the primary.",
                    p.fqdn,
                    pair.backup.label()
                ));
            }
            for line in crate::fleet::create_databases(&self.app.settings, t, p, self.app.clock.now())? {
                log.push(line);
            }
        }
        Ok(())
    }

    pub(super) fn version(&self, log: &mut Log) -> Result<(), Failed> {
        let now = self.app.clock.now();
        let input = &self.input;
        let version = self
            .app
            .store
            .write(|tx| {
                let newest = tstore::published(tx)?;
                if let Some(v) = newest.as_ref().filter(|v| v.document == input.document) {
                    return Ok(Ok(v.version)); // stored before the restart
                }
                if newest.as_ref().map(|v| v.version) != input.parent {
                    return Ok(Err(
                        "Another version was published meanwhile. Review the draft and publish again.",
                    ));
                }
                let v = tstore::add_version(
                    tx,
                    &input.document,
                    input.parent,
                    &input.author,
                    &input.comment,
                    now,
                )?;
                let by = By { author: &input.author, at: now };
                tstore::follow(tx, &input.draft, &input.document, v, input.parent, by)?;
                for p in &input.document.pools {
                    first_state(tx, p, now)?;
                }
                Ok::<_, store::management::StoreError>(Ok(v))
            })
            .map_err(|e| e.to_string())??;
        log.push(format!("Version {version} is stored."));
        if input.sample {
            crate::sample::directory(&self.app).map_err(|e| e.message)?;
        }
        self.app.redeploy().map_err(|e| e.message.into())
    }

    /// Mirrors that are new in the topology are set up; one that was taken away by its cmdlet stays away.
    pub(super) fn mirrors(&self, log: &mut Log) -> Result<(), Failed> {
        let settings = &self.app.settings;
        let (t, before) = (&self.input.document, self.before()?);
        for p in &t.pools {
            let sides = [PoolState::Normal, PoolState::FailedOver];
            for of in sides.map(Which::from).into_iter().chain(sides.map(Which::queue)) {
                let stores = |p: &ChatPool| {
                    let (_, mirror) =
                        if of.queue { p.mgccomp_stores(of.side) } else { p.mgc_stores(of.side) };
                    mirror.cloned()
                };
                let Some(id) = &stores(p) else { continue };
                let known = before.pool(&p.id).is_some_and(|o| stores(o).as_ref() == Some(id));
                let Some(store) = t.sql_store(id).filter(|s| s.placement == Placement::RunHere && !known)
                else {
                    continue;
                };
                let dir = settings.sql_dir(store);
                let name = if of.queue { "mgccomp" } else { "mgc" };
                if dir.join(format!("{name}.db")).exists() && !dir.join(format!("{name}.mirror")).exists() {
                    log.push(format!(
                        "A database {name} stands on {} already; run Install-CsMirrorDatabase with DropExistingDatabasesOnMirror.",
                        store.label()
                    ));
                    continue;
                }
                std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
                self.app
                    .store
                    .write(|tx| mirrors::install(tx, &p.id, of, true))
                    .map_err(|e: store::management::StoreError| e.to_string())?;
                log.push(format!("{name} of {} is mirrored to {}.", p.fqdn, store.label()));
            }
        }
        if log.is_empty() {
            log.push("No mirror is new.".to_owned());
        }
        self.app.redeploy().map_err(|e| e.message.into())
    }

    /// What was published before this version.
    fn before(&self) -> Result<Topology, Failed> {
        let parent = self.input.parent;
        let found = self
            .app
            .store
            .read(|c| Ok(parent.map(|v| tstore::version(c, v)).transpose()?.flatten()))
            .map_err(|e: store::management::StoreError| e.to_string())?;
        Ok(found.map(|v| v.document).unwrap_or_default())
    }

    /// Waits until every server that runs here serves this generation, or has failed.
    pub(super) async fn servers(&self, log: &mut Log) -> Result<(), Failed> {
        if let Some(hop) = &self.input.only_next_hop {
            return self.hop_serves(hop, log).await;
        }
        self.app.redeploy().map_err(|e| e.message)?;
        let t = &self.input.document;
        let all: Vec<&Computer> = t
            .front_end_pools
            .iter()
            .flat_map(|p| &p.servers)
            .chain(t.pools.iter().flat_map(|p| &p.computers))
            .collect();
        let here: Vec<_> = all.iter().filter(|c| c.placement.is_run()).collect();
        let mut reports = self.app.reports.clone();
        let ready = reports.wait_for(|list| {
            here.iter().all(|c| {
                list.iter().any(|r| {
                    r.fqdn == c.fqdn && (r.state == ServerState::Running || r.state.trouble().is_some())
                })
            })
        });
        let timed_out = tokio::time::timeout(START_TIMEOUT, ready).await.is_err();
        let list = self.app.reports.borrow().clone();
        let mut failed = Vec::new();
        for c in here {
            let own = list.iter().filter(|r| r.fqdn == c.fqdn);
            match own.min_by_key(|r| r.state == ServerState::Running) {
                Some(r) if r.state == ServerState::Running => {
                    log.push(format!("{} listens on {}.", c.fqdn, r.listens.join(", ")));
                }
                Some(r) if r.state.trouble().is_some() => {
                    failed.push(format!("{}: {}", c.fqdn, r.state.trouble().unwrap_or_default()));
                }
                _ if timed_out => {
                    failed.push(format!("{} did not come up within {} s.", c.fqdn, START_TIMEOUT.as_secs()));
                }
                _ => failed.push(format!("{} is not reported.", c.fqdn)),
            }
        }
        if failed.is_empty() {
            if self.input.sample {
                crate::sample::rooms(&self.app).await.map_err(|e| e.message)?;
                log.push("A category and a room were made on each pool.".to_owned());
            }
            return Ok(());
        }
        Err(failed.join(" ").into())
    }
}

/// A new pool starts Normal, with its first servers active (model §5, 15; at most four).
fn first_state(
    c: &rusqlite::Connection,
    p: &ChatPool,
    now: shared::Timestamp,
) -> store::management::Result<()> {
    if pools::state(c, &p.id)?.is_some() {
        return Ok(());
    }
    pools::set_state(c, &p.id, PoolState::Normal, false, now)?;
    let active: Vec<String> = match shared::sample::active_at_first(p.fqdn.as_str()) {
        Some(list) => list.iter().map(|s| (*s).to_owned()).collect(),
        None => p.computers.iter().take(MAX_ACTIVE).map(|c| c.fqdn.to_string()).collect(),
    };
    pools::set_active_servers(c, &p.id, &active)
}
