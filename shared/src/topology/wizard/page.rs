//! The pages of the wizard: their order, titles and slugs, and when each is needed.

use serde::{Deserialize, Serialize};

use crate::topology::PoolKind;
use crate::topology::draft::PoolDraft;

/// A page of the wizard, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// Define the fully qualified domain name (FQDN).
    Fqdn,
    /// Define the computers in this pool.
    Computers,
    /// Define properties of the Persistent Chat pool.
    Properties,
    /// Define the SQL Server store.
    SqlStore,
    /// Define the backup SQL Server store.
    BackupSqlStore,
    /// Define the compliance SQL Server store.
    ComplianceSqlStore,
    /// Define the backup compliance SQL Server store.
    BackupComplianceSqlStore,
    /// Define the file store.
    FileStore,
    /// Select the next hop pool.
    NextHop,
    /// Summary.
    Summary,
}

impl Page {
    /// All pages in the original's order.
    pub const ALL: [Self; 10] = [
        Self::Fqdn,
        Self::Computers,
        Self::Properties,
        Self::SqlStore,
        Self::BackupSqlStore,
        Self::ComplianceSqlStore,
        Self::BackupComplianceSqlStore,
        Self::FileStore,
        Self::NextHop,
        Self::Summary,
    ];

    /// The part of the page's URL.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Fqdn => "fqdn",
            Self::Computers => "computers",
            Self::Properties => "properties",
            Self::SqlStore => "sql-store",
            Self::BackupSqlStore => "backup-sql-store",
            Self::ComplianceSqlStore => "compliance-sql-store",
            Self::BackupComplianceSqlStore => "backup-compliance-sql-store",
            Self::FileStore => "file-store",
            Self::NextHop => "next-hop",
            Self::Summary => "summary",
        }
    }

    /// The page with this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.slug() == slug)
    }

    /// The title as Topology Builder prints it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fqdn => "Define the fully qualified domain name (FQDN)",
            Self::Computers => "Define the computers in this pool",
            Self::Properties => "Define properties of the Persistent Chat pool",
            Self::SqlStore => "Define the SQL Server store",
            Self::BackupSqlStore => "Define the backup SQL Server store",
            Self::ComplianceSqlStore => "Define the compliance SQL Server store",
            Self::BackupComplianceSqlStore => "Define the backup compliance SQL Server store",
            Self::FileStore => "Define the file store",
            Self::NextHop => "Select the next hop pool",
            Self::Summary => "Summary",
        }
    }

    /// Why the page does not apply to this draft; none when it does.
    pub fn not_needed(self, d: &PoolDraft) -> Option<&'static str> {
        match self {
            Self::Computers if d.kind == PoolKind::Single => {
                Some("A single computer pool has one computer, with the pool's FQDN.")
            }
            Self::BackupSqlStore if !d.wants_backup() => Some("Disaster recovery is not enabled."),
            Self::ComplianceSqlStore if !d.compliance => Some("Compliance is not enabled."),
            Self::BackupComplianceSqlStore if !(d.compliance && d.wants_backup()) => {
                Some("Needs both compliance and disaster recovery.")
            }
            _ => None,
        }
    }

    /// The page a draft's field stands on.
    pub fn of_field(field: &str) -> Self {
        match field.split('.').next().unwrap_or_default() {
            "computers" => Self::Computers,
            "display_name" | "port" | "compliance" | "disaster_recovery" | "default_for_site"
            | "default_for_all" => Self::Properties,
            "sql" | "mirrored" | "mirror_sql" => Self::SqlStore,
            "backup_sql" | "backup_mirrored" | "backup_mirror_sql" => Self::BackupSqlStore,
            "compliance_sql" | "compliance_mirrored" | "compliance_mirror_sql" => Self::ComplianceSqlStore,
            "backup_compliance_sql" | "backup_compliance_mirrored" | "backup_compliance_mirror_sql" => {
                Self::BackupComplianceSqlStore
            }
            "file" => Self::FileStore,
            "next_hop" => Self::NextHop,
            _ => Self::Fqdn,
        }
    }
}
