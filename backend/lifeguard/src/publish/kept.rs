//! Databases that no pool uses any more are moved aside, never deleted: `kept/` beside where they were.
//! Only `Uninstall-CsDatabase` deletes them. Source: procedures §14 step 7.

use std::path::{Path, PathBuf};
use std::time::Duration;

use node::remote::Inquiry;
use shared::topology::{Placement, Topology};
use shared::{Fqdn, ObjectId};
use store::chat::{ComplianceQueue, MgcDatabase};
use store::management::topology as tstore;

use super::{Failed, Log, Run};
use crate::nodes::instance;
use crate::settings::Settings;

/// How long a pool's database may take to close.
const CLOSE: Duration = Duration::from_secs(30);

/// A database that was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// SQL Server.
    pub server: String,
    /// Instance (`MSSQLSERVER` for the default one).
    pub instance: String,
    /// `mgc` or `mgccomp`.
    pub database: &'static str,
    /// The pool it belonged to, and the version that removed it.
    pub origin: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Bytes.
    pub size: u64,
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .map(|d| d.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect())
        .unwrap_or_default();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Every kept database of this data directory.
pub fn list(s: &Settings) -> Vec<Kept> {
    let mut out = Vec::new();
    for server in folders(&s.data_dir.join("sql")) {
        for instance in folders(&server) {
            for folder in folders(&instance.join("kept")) {
                for database in ["mgc", "mgccomp"] {
                    let Ok(meta) = std::fs::metadata(folder.join(format!("{database}.db"))) else { continue };
                    out.push(Kept {
                        server: name(&server),
                        instance: name(&instance),
                        database,
                        origin: name(&folder),
                        folder: folder.clone(),
                        size: meta.len(),
                    });
                }
            }
        }
    }
    out
}

/// A database that a pool uses: the store's folder, `mgc` or `mgccomp`, the pool.
type Use = (PathBuf, &'static str, ObjectId, Fqdn);

fn uses(s: &Settings, t: &Topology) -> Vec<Use> {
    let mut out = Vec::new();
    for p in &t.pools {
        let refs = [
            ("mgc", Some(&p.sql_store)),
            ("mgc", p.backup_sql_store.as_ref()),
            ("mgccomp", p.compliance_sql_store.as_ref()),
            ("mgccomp", p.backup_compliance_sql_store.as_ref()),
        ];
        for (database, id) in refs {
            let store = id.and_then(|id| t.sql_store(id)).filter(|x| x.placement == Placement::RunHere);
            out.extend(store.map(|store| (s.sql_dir(store), database, p.id.clone(), p.fqdn.clone())));
        }
    }
    out
}

impl Run {
    /// The same on nodes; one that does not answer keeps its database where it is, and that is said.
    async fn on_nodes(&self, before: &Topology, version: u64, log: &mut Log) {
        let t = &self.input.document;
        for old in &before.pools {
            let now = t.pool(&old.id);
            for id in [Some(&old.sql_store), old.backup_sql_store.as_ref()].into_iter().flatten() {
                if now.is_some_and(|p| p.sql_store == *id || p.backup_sql_store.as_ref() == Some(id)) {
                    continue;
                }
                let Some(store) = before.sql_store(id) else { continue };
                let Placement::Node(n) = &store.placement else { continue };
                let folder = format!("{}-v{version}", old.fqdn);
                let ask = Inquiry::SetAside { pool: old.id.clone(), store: store.clone(), folder };
                log.push(match instance::said(&self.app, n, ask).await {
                    Ok(to) if to.is_empty() => {
                        format!("mgc of {} was set aside on node {n} already.", old.fqdn)
                    }
                    Ok(to) => format!("mgc of {} is kept on node {n} in {to}.", old.fqdn),
                    Err(e) => format!("mgc of {} stays where it is on node {n}: {e}", old.fqdn),
                });
            }
        }
    }

    /// Moves away what the version before used and this one does not; done once, so it may be repeated.
    pub(super) async fn set_aside(&self, log: &mut Log) -> Result<(), Failed> {
        let parent = self.input.parent;
        let before = self
            .app
            .store
            .read(|c| Ok(parent.map(|v| tstore::version(c, v)).transpose()?.flatten()))
            .map_err(|e: store::management::StoreError| e.to_string())?;
        let Some(before) = before else {
            log.push("This is the first version.".to_owned());
            return Ok(());
        };
        let settings = &self.app.settings;
        let now = uses(settings, &self.input.document);
        for old in before.document.pools.iter().filter(|p| self.input.document.pool(&p.id).is_none()) {
            self.app.fleet.released(&old.id, CLOSE).await.map_err(|e| format!("{}: {e}", old.fqdn))?;
        }
        for (dir, database, pool, fqdn) in uses(settings, &before.document) {
            let kept_pool = self.input.document.pool(&pool).is_some();
            if now.iter().any(|(d, k, p, _)| *d == dir && *k == database && *p == pool) {
                continue;
            }
            if kept_pool && dir.join(format!("{database}.db")).exists() {
                self.app.fleet.converged(&pool, CLOSE).await.map_err(|e| format!("{fqdn}: {e}"))?;
            }
            let to = dir.join("kept").join(format!("{fqdn}-v{}", before.version));
            let moved = match database {
                "mgc" => {
                    let secondary = store::chat::shipping::Secondary::new(&dir, pool.as_str());
                    secondary.abandon().map_err(|e| e.to_string())?;
                    MgcDatabase::set_aside(&dir, &to)
                }
                _ => ComplianceQueue::set_aside(&dir, &to),
            };
            if moved.map_err(|e| format!("{database} of {fqdn} could not be set aside: {e}"))? {
                log.push(format!(
                    "{database} of {fqdn} is kept in {}; Uninstall-CsDatabase deletes it.",
                    to.display()
                ));
            }
        }
        self.on_nodes(&before.document, before.version, log).await;
        if log.is_empty() {
            log.push("Every database is still used.".to_owned());
        }
        Ok(())
    }
}
