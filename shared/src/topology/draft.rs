//! The wizard's draft of a Persistent Chat pool: raw strings as typed, nothing is ever refused on save.

use serde::{Deserialize, Serialize};

use super::{Placement, PoolKind};

/// A computer as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ComputerDraft {
    /// Computer FQDN as typed.
    pub fqdn: String,
    /// Where it runs.
    pub placement: Placement,
}

/// A SQL store chosen or newly described on a wizard page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SqlChoice {
    /// `true`: *Define New SQL Store*; `false`: one of the list.
    pub define_new: bool,
    /// Id of an existing store.
    pub existing: String,
    /// SQL Server FQDN of a new one.
    pub fqdn: String,
    /// `true`: Named Instance.
    pub named: bool,
    /// Instance name.
    pub instance: String,
    /// Where the new one runs.
    pub placement: Placement,
}

/// Which of the three file store choices is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileChoiceKind {
    /// Use a previously defined file store.
    #[default]
    Existing,
    /// Define a new file store.
    New,
    /// A local path (single-computer pools).
    LocalPath,
}

/// The file store page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct FileChoice {
    /// Which choice.
    pub kind: FileChoiceKind,
    /// Id of an existing store.
    pub existing: String,
    /// File server FQDN of a new one.
    pub fqdn: String,
    /// File share of a new one.
    pub share: String,
    /// Local path.
    pub path: String,
    /// Where the new one is.
    pub placement: Placement,
}

/// All fields of the wizard *Define New Persistent Chat Pool*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PoolDraft {
    /// Id of the site the pool belongs to.
    pub site: String,
    /// Pool FQDN as typed.
    pub fqdn: String,
    /// Multiple or single computer pool.
    pub kind: PoolKind,
    /// Computers of a multiple computer pool, in order.
    pub computers: Vec<ComputerDraft>,
    /// Where the one computer of a single computer pool runs.
    pub single_placement: Placement,
    /// Display name of the Persistent Chat pool.
    pub display_name: String,
    /// Persistent Chat port as typed.
    pub port: String,
    /// Enable compliance.
    pub compliance: bool,
    /// Use backup SQL Server stores to enable disaster recovery.
    pub disaster_recovery: bool,
    /// Use this pool as default for site <SiteName>.
    pub default_for_site: bool,
    /// Use this pool as default for all sites.
    pub default_for_all: bool,
    /// Store of mgc.
    pub sql: SqlChoice,
    /// Enable SQL Server store mirroring.
    pub mirrored: bool,
    /// Store of the mirror of mgc.
    pub mirror_sql: SqlChoice,
    /// Store of the backup mgc.
    pub backup_sql: SqlChoice,
    /// Enable SQL Server store mirroring of the backup.
    pub backup_mirrored: bool,
    /// Store of the mirror of the backup mgc.
    pub backup_mirror_sql: SqlChoice,
    /// Store of mgccomp.
    pub compliance_sql: SqlChoice,
    /// Store of the backup mgccomp.
    pub backup_compliance_sql: SqlChoice,
    /// Enable SQL Server store mirroring of the compliance store.
    pub compliance_mirrored: bool,
    /// Store of the mirror of mgccomp.
    pub compliance_mirror_sql: SqlChoice,
    /// Enable SQL Server store mirroring of the backup compliance store.
    pub backup_compliance_mirrored: bool,
    /// Store of the mirror of the backup mgccomp.
    pub backup_compliance_mirror_sql: SqlChoice,
    /// File store.
    pub file: FileChoice,
    /// Id of the next hop Front End pool.
    pub next_hop: String,
}

impl Default for PoolDraft {
    /// What Topology Builder preselects: multiple, 5041, default for the site (P:PChat_Options_Page).
    fn default() -> Self {
        Self {
            site: String::new(),
            fqdn: String::new(),
            kind: PoolKind::Multiple,
            computers: Vec::new(),
            single_placement: Placement::RunHere,
            display_name: String::new(),
            port: "5041".to_owned(),
            compliance: false,
            disaster_recovery: false,
            default_for_site: true,
            default_for_all: false,
            sql: SqlChoice::default(),
            mirrored: false,
            mirror_sql: SqlChoice::default(),
            backup_sql: SqlChoice::default(),
            backup_mirrored: false,
            backup_mirror_sql: SqlChoice::default(),
            compliance_sql: SqlChoice::default(),
            backup_compliance_sql: SqlChoice::default(),
            compliance_mirrored: false,
            compliance_mirror_sql: SqlChoice::default(),
            backup_compliance_mirrored: false,
            backup_compliance_mirror_sql: SqlChoice::default(),
            file: FileChoice::default(),
            next_hop: String::new(),
        }
    }
}

impl PoolDraft {
    /// Disaster recovery counts for multiple computer pools only (V7).
    pub fn wants_backup(&self) -> bool {
        self.disaster_recovery && self.kind == PoolKind::Multiple
    }
}
