//! The steps of failover and failback for a pool whose databases are on SQL Servers that people drive:
//! the exact T-SQL and PowerShell with this topology's names. Pure. Nothing of it was ever executed
//! against a SQL Server by us, and it says so. Source: S1, procedures §5, `reference/dr/sqlserver.md`.

#[cfg(test)]
mod tests;
mod texts;

use crate::deployment::PoolState;
use crate::topology::{ChatPool, Placement, SqlStore, Topology};

/// What stands on every runbook.
pub const DISCLAIMER: &str = "Generated from the topology. We never executed these steps against a SQL Server: read each one before you run it, and try them on a copy first.";

/// What a person chooses.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Share of the log backups.
    pub log_share: Option<String>,
    /// Folder on the SQL Server that restores, where the copy job puts them.
    pub copy_folder: Option<String>,
    /// Active servers afterwards.
    pub active: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub title: String,
    /// Where it is run.
    pub place: String,
    /// `sql` or `powershell`.
    pub language: &'static str,
    /// What is run.
    pub text: String,
    /// What to know and to check.
    pub note: String,
}

/// A runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    /// Its name.
    pub title: String,
    /// In order.
    pub steps: Vec<Step>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRunbook {
    /// Nothing of the pool is guided.
    RunsHere(String),
    /// There is no other side.
    NoBackup(String),
}

impl std::fmt::Display for NoRunbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RunsHere(p) => {
                write!(f, "The databases of {p} run here; use Start-LgFailover and Start-LgFailback.")
            }
            Self::NoBackup(p) => {
                write!(f, "{p} has no backup SQL Server store; there is nothing to fail over to.")
            }
        }
    }
}

/// The names that steps are written with.
struct Names<'a> {
    pool: &'a ChatPool,
    /// The primary's store.
    primary: &'a SqlStore,
    /// The backup's store.
    backup: &'a SqlStore,
    mirror: Option<&'a SqlStore>,
    backup_mirror: Option<&'a SqlStore>,
    log_share: String,
    copy_folder: String,
    active: Vec<String>,
}

/// Whether the pool's databases are driven by people.
pub fn is_guided(t: &Topology, p: &ChatPool) -> bool {
    let guided = |s: &SqlStore| s.placement == Placement::SqlServerGuided;
    t.sql_store(&p.sql_store).is_some_and(guided)
        || p.backup_sql_store.as_ref().and_then(|id| t.sql_store(id)).is_some_and(guided)
}

/// The runbook that brings the pool to `to`.
///
/// # Errors
/// [`NoRunbook`].
pub fn runbook(t: &Topology, p: &ChatPool, to: PoolState, c: &Choices) -> Result<Runbook, NoRunbook> {
    if !is_guided(t, p) {
        return Err(NoRunbook::RunsHere(p.fqdn.to_string()));
    }
    let store = |id: Option<&crate::ObjectId>| id.and_then(|id| t.sql_store(id));
    let (Some(primary), Some(backup)) = (store(Some(&p.sql_store)), store(p.backup_sql_store.as_ref()))
    else {
        return Err(NoRunbook::NoBackup(p.fqdn.to_string()));
    };
    let given = |v: &Option<String>| v.as_deref().map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
    let n = Names {
        pool: p,
        primary,
        backup,
        mirror: store(p.mirror_sql_store.as_ref()),
        backup_mirror: store(p.backup_mirror_sql_store.as_ref()),
        log_share: given(&c.log_share).unwrap_or_else(|| format!("\\\\{}\\mgc-log-backups", backup.fqdn)),
        copy_folder: given(&c.copy_folder).unwrap_or_else(|| "D:\\LogShipping\\mgc".to_owned()),
        active: if c.active.is_empty() {
            p.computers
                .iter()
                .take(crate::topology::validate::MAX_ACTIVE)
                .map(|c| c.fqdn.to_string())
                .collect()
        } else {
            c.active.clone()
        },
    };
    let (title, steps) = match to {
        PoolState::FailedOver => (format!("Fail {} over to {}", p.fqdn, backup.label()), texts::failover(&n)),
        PoolState::Normal => (format!("Fail {} back to {}", p.fqdn, primary.label()), texts::failback(&n)),
    };
    Ok(Runbook { title, steps })
}

/// A text inside `N'…'`.
fn sql(text: &str) -> String {
    text.replace('\'', "''")
}

/// A PowerShell string.
fn ps(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Runbook {
    /// The whole of it to print or keep.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n> {DISCLAIMER}\n", self.title);
        for (i, s) in self.steps.iter().enumerate() {
            out.push_str(&format!("\n## {}. {}\n\nRun on: {}\n", i + 1, s.title, s.place));
            out.push_str(&format!("\n```{}\n{}\n```\n", s.language, s.text.trim_end()));
            if !s.note.is_empty() {
                out.push_str(&format!("\n{}\n", s.note));
            }
        }
        out
    }
}
