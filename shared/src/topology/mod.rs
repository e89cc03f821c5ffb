//! The topology document: what is published, versioned and compared. Source: model §§2–6.

pub mod diff;
pub mod draft;
pub mod edit;
pub mod effect;
pub mod lookup;
pub mod made;
pub mod merge;
pub mod todo;
pub mod transition;
pub mod validate;
pub mod wizard;

use serde::{Deserialize, Serialize};

use crate::names::{Fqdn, ObjectId, Port};

/// Version of the document's shape; older ones are upcast on read.
pub const FORMAT: u32 = 1;

/// Where a server or store runs. A name with none of these cannot be published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "at", content = "address")]
pub enum Placement {
    /// In this process, on a loopback address of its own.
    #[default]
    RunHere,
    /// On a machine of its own: the name must resolve and the port answer.
    Address(String),
    /// A SQL Server that a person drives with printed steps (stores only).
    SqlServerGuided,
    /// On the node of this name: a process of this program on another machine (servers and SQL Server stores).
    Node(String),
    /// In this process, at this IP address of this machine, so that other machines reach it (servers only).
    HereAt(String),
}

impl Placement {
    /// As the page and the diff say it.
    pub fn words(&self) -> String {
        match self {
            Self::RunHere => "run here".to_owned(),
            Self::Address(a) if a.is_empty() => "at its own address (DNS)".to_owned(),
            Self::Address(a) => format!("at address {a}"),
            Self::SqlServerGuided => "SQL Server, guided".to_owned(),
            Self::Node(n) => format!("on node {n}"),
            Self::HereAt(a) => format!("run here at address {a}"),
        }
    }

    /// Whether this deployment starts and stops what is placed so: here or on a node.
    pub fn is_run(&self) -> bool {
        matches!(self, Self::RunHere | Self::HereAt(_) | Self::Node(_))
    }

    /// Whether this process runs what is placed so.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::RunHere | Self::HereAt(_))
    }
}

/// A site. Source: model §2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Site {
    /// Stable id.
    pub id: ObjectId,
    /// `SiteId` as used in `site:<SiteId>`.
    pub site_id: String,
}

/// Edition of a Front End pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    /// Several Front End Servers, databases on their own machine.
    #[default]
    Enterprise,
    /// One server with everything on it.
    Standard,
}

/// A computer with a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Computer {
    /// Name as in the DNS host record.
    pub fqdn: Fqdn,
    /// Where it runs.
    #[serde(default)]
    pub placement: Placement,
}

/// A Front End pool or Standard Edition server: the registrar and next hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FrontEndPool {
    /// Stable id.
    pub id: ObjectId,
    /// Pool name.
    pub fqdn: Fqdn,
    /// Enterprise or Standard.
    pub edition: Edition,
    /// Its site.
    pub site: ObjectId,
    /// Its servers; a Standard Edition server stands alone with the pool's name.
    pub servers: Vec<Computer>,
}

/// A SQL Server store (shared component). Source: model §3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SqlStore {
    /// Stable id.
    pub id: ObjectId,
    /// SQL Server FQDN.
    pub fqdn: Fqdn,
    /// Named instance; none is the default instance.
    #[serde(default)]
    pub instance: Option<String>,
    /// Where it runs.
    #[serde(default)]
    pub placement: Placement,
}

impl SqlStore {
    /// `sql01.contoso.net\PCHAT`, as Topology Builder prints it.
    pub fn label(&self) -> String {
        match &self.instance {
            Some(i) => format!("{}\\{i}", self.fqdn),
            None => self.fqdn.to_string(),
        }
    }
}

/// A file store (shared component). Source: model §4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileStore {
    /// Stable id.
    pub id: ObjectId,
    /// File server FQDN.
    pub fqdn: Fqdn,
    /// Share name.
    pub share: String,
    /// Where it is; run here maps `\\server\share` to a folder of the data directory.
    #[serde(default)]
    pub placement: Placement,
}

impl FileStore {
    /// `\\server\share`.
    pub fn label(&self) -> String {
        format!("\\\\{}\\{}", self.fqdn, self.share)
    }
}

/// Kind of a Persistent Chat pool; never convertible (V3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// One to eight computers behind a name of its own.
    #[default]
    Multiple,
    /// One computer that carries the pool's name, for ever.
    Single,
}

/// Where uploaded files lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum FileStoreRef {
    /// A file store of the topology, by id (UNC path).
    Share(ObjectId),
    /// A local path; single-computer pools only (V12).
    LocalPath(String),
}

/// A Persistent Chat pool. Source: model §5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChatPool {
    /// Stable id.
    pub id: ObjectId,
    /// Pool FQDN.
    pub fqdn: Fqdn,
    /// Multiple or single computer.
    pub kind: PoolKind,
    /// Its site.
    pub site: ObjectId,
    /// Its computers.
    pub computers: Vec<Computer>,
    /// Friendly name for clients.
    pub display_name: String,
    /// SIP over mutual TLS from the Front Ends.
    pub port: Port,
    /// Whether events are recorded in mgccomp.
    #[serde(default)]
    pub compliance: bool,
    /// Sites whose users create rooms here by default.
    #[serde(default)]
    pub default_for: Vec<ObjectId>,
    /// Holds mgc.
    pub sql_store: ObjectId,
    /// Holds the backup mgc; present means disaster recovery is enabled.
    #[serde(default)]
    pub backup_sql_store: Option<ObjectId>,
    /// Mirrors the mgc of `sql_store`.
    #[serde(default)]
    pub mirror_sql_store: Option<ObjectId>,
    /// Mirrors the backup mgc once that is in use; another one than `mirror_sql_store` (V9).
    #[serde(default)]
    pub backup_mirror_sql_store: Option<ObjectId>,
    /// Holds mgccomp (V8).
    #[serde(default)]
    pub compliance_sql_store: Option<ObjectId>,
    /// Holds the backup mgccomp (V8).
    #[serde(default)]
    pub backup_compliance_sql_store: Option<ObjectId>,
    /// Mirrors the mgccomp of `compliance_sql_store` (V9).
    #[serde(default)]
    pub compliance_mirror_sql_store: Option<ObjectId>,
    /// Mirrors the backup mgccomp once that is in use (V9).
    #[serde(default)]
    pub backup_compliance_mirror_sql_store: Option<ObjectId>,
    /// Uploaded files.
    pub file_store: FileStoreRef,
    /// The Front End pool that routes to this pool (V13).
    pub next_hop: ObjectId,
}

impl ChatPool {
    /// The store of a side's mgc and the one of its mirror.
    pub fn mgc_stores(&self, state: crate::deployment::PoolState) -> (Option<&ObjectId>, Option<&ObjectId>) {
        match state {
            crate::deployment::PoolState::Normal => (Some(&self.sql_store), self.mirror_sql_store.as_ref()),
            crate::deployment::PoolState::FailedOver => {
                (self.backup_sql_store.as_ref(), self.backup_mirror_sql_store.as_ref())
            }
        }
    }

    /// The store of a side's mgccomp and the one of its mirror.
    pub fn mgccomp_stores(
        &self,
        state: crate::deployment::PoolState,
    ) -> (Option<&ObjectId>, Option<&ObjectId>) {
        match state {
            crate::deployment::PoolState::Normal => {
                (self.compliance_sql_store.as_ref(), self.compliance_mirror_sql_store.as_ref())
            }
            crate::deployment::PoolState::FailedOver => {
                (self.backup_compliance_sql_store.as_ref(), self.backup_compliance_mirror_sql_store.as_ref())
            }
        }
    }

    /// Every SQL Server store it uses, in the order of the fields.
    pub fn sql_stores(&self) -> impl Iterator<Item = &ObjectId> {
        let more = [
            &self.backup_sql_store,
            &self.mirror_sql_store,
            &self.backup_mirror_sql_store,
            &self.compliance_sql_store,
            &self.backup_compliance_sql_store,
            &self.compliance_mirror_sql_store,
            &self.backup_compliance_mirror_sql_store,
        ];
        std::iter::once(&self.sql_store).chain(more.into_iter().flatten())
    }

    /// Whether a backup database exists to fail over to (V15).
    pub fn has_backup(&self) -> bool {
        self.backup_sql_store.is_some()
    }
}

/// The two sides of a pool whose databases are in different processes, and the share between them.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    /// Primary.
    pub primary: &'a SqlStore,
    /// Backup.
    pub backup: &'a SqlStore,
    /// Folder of the file store.
    pub share: std::path::PathBuf,
}

impl ChatPool {
    /// Its sides, when at least one is on a node and the share is reached from everywhere by one path.
    pub fn pair<'a>(&self, t: &'a Topology) -> Option<Pair<'a>> {
        let (primary, backup) =
            (t.sql_store(&self.sql_store)?, t.sql_store(self.backup_sql_store.as_ref()?)?);
        let owned = |s: &SqlStore| matches!(s.placement, Placement::Node(_));
        let run = |s: &SqlStore| owned(s) || s.placement == Placement::RunHere;
        if !(owned(primary) || owned(backup)) || !run(primary) || !run(backup) {
            return None;
        }
        let FileStoreRef::Share(id) = &self.file_store else { return None };
        let Placement::Address(path) = &t.file_store(id)?.placement else { return None };
        Some(Pair { primary, backup, share: path.trim().into() })
    }
}

/// A data centre: a label on computers and SQL Servers. A stretched pool is one site, so this is what
/// "near the database" (S1 step 7) is checked by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DataCenter {
    /// Its name, unique without case.
    pub name: String,
    /// Computers and SQL Servers that stand in it.
    #[serde(default)]
    pub members: Vec<Fqdn>,
    /// Names of data centres reached over a slow link only; one direction is enough.
    #[serde(default)]
    pub slow_to: Vec<String>,
}

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Topology {
    /// Shape of the document.
    pub format: u32,
    /// SIP domains of the organisation.
    #[serde(default)]
    pub sip_domains: Vec<Fqdn>,
    /// Sites.
    #[serde(default)]
    pub sites: Vec<Site>,
    /// Front End pools and Standard Edition servers.
    #[serde(default)]
    pub front_end_pools: Vec<FrontEndPool>,
    /// SQL Server stores.
    #[serde(default)]
    pub sql_stores: Vec<SqlStore>,
    /// File stores.
    #[serde(default)]
    pub file_stores: Vec<FileStore>,
    /// Persistent Chat pools.
    #[serde(default)]
    pub pools: Vec<ChatPool>,
    /// Data centres; none means that nothing is known of distances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_centers: Vec<DataCenter>,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            format: FORMAT,
            sip_domains: Vec::new(),
            sites: Vec::new(),
            front_end_pools: Vec::new(),
            sql_stores: Vec::new(),
            file_stores: Vec::new(),
            pools: Vec::new(),
            data_centers: Vec::new(),
        }
    }
}

impl Topology {
    /// The site with this id.
    pub fn site(&self, id: &ObjectId) -> Option<&Site> {
        self.sites.iter().find(|s| s.id == *id)
    }
    /// The Front End pool with this id.
    pub fn front_end_pool(&self, id: &ObjectId) -> Option<&FrontEndPool> {
        self.front_end_pools.iter().find(|p| p.id == *id)
    }
    /// The SQL store with this id.
    pub fn sql_store(&self, id: &ObjectId) -> Option<&SqlStore> {
        self.sql_stores.iter().find(|s| s.id == *id)
    }
    /// The file store with this id.
    pub fn file_store(&self, id: &ObjectId) -> Option<&FileStore> {
        self.file_stores.iter().find(|s| s.id == *id)
    }
    /// The Persistent Chat pool with this id.
    pub fn pool(&self, id: &ObjectId) -> Option<&ChatPool> {
        self.pools.iter().find(|p| p.id == *id)
    }
    /// The Persistent Chat pool with this name.
    pub fn pool_by_fqdn(&self, fqdn: &Fqdn) -> Option<&ChatPool> {
        self.pools.iter().find(|p| p.fqdn == *fqdn)
    }
    /// The Front End pool with this name, or with a server of this name.
    pub fn front_end_by_fqdn(&self, fqdn: &Fqdn) -> Option<&FrontEndPool> {
        self.front_end_pools.iter().find(|p| p.fqdn == *fqdn || p.servers.iter().any(|s| s.fqdn == *fqdn))
    }
    /// Whether `domain` is one of the organisation's SIP domains.
    pub fn has_sip_domain(&self, domain: &str) -> bool {
        self.sip_domains.iter().any(|d| d.as_str().eq_ignore_ascii_case(domain))
    }
    /// The data centre that a computer or SQL Server stands in, when it is labelled.
    pub fn data_center_of(&self, name: &Fqdn) -> Option<&DataCenter> {
        self.data_centers.iter().find(|d| d.members.contains(name))
    }
    /// Whether two machines are known to be joined by a slow link only.
    pub fn far_apart(&self, a: &Fqdn, b: &Fqdn) -> bool {
        let (Some(a), Some(b)) = (self.data_center_of(a), self.data_center_of(b)) else { return false };
        let slow = |x: &DataCenter, y: &DataCenter| x.slow_to.iter().any(|n| n.eq_ignore_ascii_case(&y.name));
        slow(a, b) || slow(b, a)
    }
    /// The label of a pool's file store.
    pub fn file_store_label(&self, r: &FileStoreRef) -> String {
        match r {
            FileStoreRef::Share(id) => self.file_store(id).map_or_else(|| id.to_string(), FileStore::label),
            FileStoreRef::LocalPath(p) => p.clone(),
        }
    }
}
