//! The wizard *Define New Persistent Chat Pool*: its pages, when each applies, what is wrong on each,
//! and the step from a draft to the topology. Source: S3 and `reference/domain/procedures.md` §1.

use serde::{Deserialize, Serialize};

use super::draft::{FileChoice, FileChoiceKind, PoolDraft, SqlChoice};
use super::validate::validate;
use super::{ChatPool, Computer, FileStore, FileStoreRef, PoolKind, SqlStore, Topology};
use crate::error::Problem;
use crate::names::{Fqdn, ObjectId, Port, check_instance, check_share};

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

/// Ids for the objects a finished draft creates; passed in, because `shared` has no randomness.
#[derive(Debug, Clone)]
pub struct NewIds {
    /// Pool.
    pub pool: ObjectId,
    /// Up to eight SQL stores.
    pub sql: [ObjectId; 8],
    /// File store.
    pub file: ObjectId,
}

impl NewIds {
    /// Ids from a common prefix, for validation of a draft that is not finished yet.
    pub fn provisional() -> Self {
        let id = |s: &str| ObjectId::try_from(format!("new-{s}")).expect("a fixed id is well formed");
        Self {
            pool: id("pool"),
            sql: [
                "sql",
                "backup",
                "comp",
                "backupcomp",
                "mirror",
                "backupmirror",
                "compmirror",
                "backupcompmirror",
            ]
            .map(id),
            file: id("file"),
        }
    }
}

/// Everything wrong with the draft against the topology it will join, by draft field.
pub fn check(d: &PoolDraft, t: &Topology) -> Vec<Problem> {
    match build(d, t, &NewIds::provisional()) {
        Err(problems) => problems,
        Ok(after) => {
            let index = after.pools.len() - 1;
            let known = validate(t);
            validate(&after)
                .into_iter()
                .filter(|p| !known.contains(p))
                .filter_map(|p| to_draft_field(p, d, index))
                .collect()
        }
    }
}

/// Translates a topology path back to the wizard's field.
fn to_draft_field(mut p: Problem, d: &PoolDraft, index: usize) -> Option<Problem> {
    let prefix = format!("pools.{index}.");
    let field = if let Some(rest) = p.field.strip_prefix(&prefix) {
        match rest.split('.').next().unwrap_or_default() {
            "sql_store" => "sql.existing".to_owned(),
            "backup_sql_store" => "backup_sql.existing".to_owned(),
            "mirror_sql_store" => "mirror_sql.existing".to_owned(),
            "backup_mirror_sql_store" => "backup_mirror_sql.existing".to_owned(),
            "compliance_sql_store" => "compliance_sql.existing".to_owned(),
            "backup_compliance_sql_store" => "backup_compliance_sql.existing".to_owned(),
            "compliance_mirror_sql_store" => "compliance_mirror_sql.existing".to_owned(),
            "backup_compliance_mirror_sql_store" => "backup_compliance_mirror_sql.existing".to_owned(),
            "file_store" => "file.existing".to_owned(),
            "default_for" if d.default_for_all => "default_for_all".to_owned(),
            "default_for" => "default_for_site".to_owned(),
            "computers" if d.kind == PoolKind::Single => "fqdn".to_owned(),
            _ => rest.to_owned(),
        }
    } else if p.field.starts_with("sql_stores.") {
        "sql.fqdn".to_owned()
    } else if p.field.starts_with("file_stores.") {
        if p.code == "V31" { "file.fqdn".to_owned() } else { "file.share".to_owned() }
    } else if p.field.starts_with("sites.") {
        return None;
    } else {
        p.field.clone()
    };
    p.field = field;
    Some(p)
}

/// The topology with the draft's pool and new stores in it.
///
/// # Errors
/// Problems of single fields, each with the draft's field path.
pub fn build(d: &PoolDraft, t: &Topology, ids: &NewIds) -> Result<Topology, Vec<Problem>> {
    let mut out = Vec::new();
    let mut after = t.clone();
    let fqdn = take(Fqdn::try_from(d.fqdn.as_str()), "fqdn", "name.fqdn", "S3", &mut out);
    let port = take(Port::parse(&d.port), "port", "V30", "P:PChat_Options_Page", &mut out);
    let site =
        reference(&d.site, |id| t.site(id).is_some(), "site", "Choose the site of the pool.", &mut out);
    let next_hop = reference(
        &d.next_hop,
        |id| t.front_end_pool(id).is_some(),
        "next_hop",
        "Choose the Front End pool that routes requests to this pool.",
        &mut out,
    );
    if d.display_name.trim().is_empty() {
        out.push(Problem::error(
            "V30",
            "display_name",
            "Enter a display name; clients show it to tell rooms of several pools apart.",
            "S3",
        ));
    }
    let computers = computers(d, fqdn.as_ref(), &mut out);
    let sql = sql_choice(&d.sql, "sql", &ids.sql[0], &mut after, &mut out);
    let backup = d
        .wants_backup()
        .then(|| sql_choice(&d.backup_sql, "backup_sql", &ids.sql[1], &mut after, &mut out))
        .flatten();
    let comp = d
        .compliance
        .then(|| sql_choice(&d.compliance_sql, "compliance_sql", &ids.sql[2], &mut after, &mut out))
        .flatten();
    let backup_comp = (d.compliance && d.wants_backup())
        .then(|| {
            sql_choice(&d.backup_compliance_sql, "backup_compliance_sql", &ids.sql[3], &mut after, &mut out)
        })
        .flatten();
    let mirror = d
        .mirrored
        .then(|| sql_choice(&d.mirror_sql, "mirror_sql", &ids.sql[4], &mut after, &mut out))
        .flatten();
    let backup_mirror = (d.backup_mirrored && d.wants_backup())
        .then(|| sql_choice(&d.backup_mirror_sql, "backup_mirror_sql", &ids.sql[5], &mut after, &mut out))
        .flatten();
    let queue_mirrors = [
        (d.compliance && d.compliance_mirrored, &d.compliance_mirror_sql, "compliance_mirror_sql"),
        (
            d.compliance && d.backup_compliance_mirrored && d.wants_backup(),
            &d.backup_compliance_mirror_sql,
            "backup_compliance_mirror_sql",
        ),
    ];
    let mut queue_mirrors = queue_mirrors.into_iter().zip(&ids.sql[6..]).map(|((on, choice, field), id)| {
        on.then(|| sql_choice(choice, field, id, &mut after, &mut out)).flatten()
    });
    let (comp_mirror, backup_comp_mirror) = (queue_mirrors.next().flatten(), queue_mirrors.next().flatten());
    let file = file_choice(&d.file, d.kind, &ids.file, &mut after, &mut out);
    match (fqdn, port, site, next_hop, sql, file, out.is_empty()) {
        (Some(fqdn), Some(port), Some(site), Some(next_hop), Some(sql_store), Some(file_store), true) => {
            let default_for = if d.default_for_all {
                t.sites.iter().map(|s| s.id.clone()).collect()
            } else if d.default_for_site {
                vec![site.clone()]
            } else {
                Vec::new()
            };
            after.pools.push(ChatPool {
                id: ids.pool.clone(),
                fqdn,
                kind: d.kind,
                site,
                computers,
                display_name: d.display_name.trim().to_owned(),
                port,
                compliance: d.compliance,
                default_for,
                sql_store,
                mirror_sql_store: mirror,
                backup_mirror_sql_store: backup_mirror,
                backup_sql_store: backup,
                compliance_sql_store: comp,
                backup_compliance_sql_store: backup_comp,
                compliance_mirror_sql_store: comp_mirror,
                backup_compliance_mirror_sql_store: backup_comp_mirror,
                file_store,
                next_hop,
            });
            Ok(after)
        }
        _ => Err(out),
    }
}

fn take<T, E: std::fmt::Display>(
    r: Result<T, E>,
    field: &str,
    code: &str,
    source: &str,
    out: &mut Vec<Problem>,
) -> Option<T> {
    r.map_err(|e| out.push(Problem::error(code, field, e.to_string(), source))).ok()
}

fn reference(
    raw: &str,
    exists: impl Fn(&ObjectId) -> bool,
    field: &str,
    text: &str,
    out: &mut Vec<Problem>,
) -> Option<ObjectId> {
    let id = ObjectId::try_from(raw).ok().filter(|id| exists(id));
    if id.is_none() {
        out.push(Problem::error(&format!("ref.{field}"), field, text, "S3"));
    }
    id
}

fn computers(d: &PoolDraft, fqdn: Option<&Fqdn>, out: &mut Vec<Problem>) -> Vec<Computer> {
    if d.kind == PoolKind::Single {
        return fqdn
            .map(|f| Computer { fqdn: f.clone(), placement: d.single_placement.clone() })
            .into_iter()
            .collect();
    }
    if d.computers.is_empty() {
        out.push(Problem::error(
            "V4",
            "computers",
            "Add at least one computer.",
            "P:Define_Persistent_Chat_Pool_Computers",
        ));
    }
    let mut list: Vec<Computer> = Vec::new();
    for (i, c) in d.computers.iter().enumerate() {
        let field = format!("computers.{i}.fqdn");
        let Some(fqdn) = take(
            Fqdn::try_from(c.fqdn.as_str()),
            &field,
            "name.fqdn",
            "P:Define_Persistent_Chat_Pool_Computers",
            out,
        ) else {
            continue;
        };
        if list.iter().any(|x| x.fqdn == fqdn) {
            out.push(Problem::error("dup.computer", field, format!("{fqdn} stands twice in the list."), ""));
        } else {
            list.push(Computer { fqdn, placement: c.placement.clone() });
        }
    }
    list
}

fn sql_choice(
    c: &SqlChoice,
    at: &str,
    id: &ObjectId,
    after: &mut Topology,
    out: &mut Vec<Problem>,
) -> Option<ObjectId> {
    if !c.define_new {
        let field = format!("{at}.existing");
        let text = "Choose a SQL Server store from the list, or define a new one.";
        return reference(&c.existing, |id| after.sql_store(id).is_some(), &field, text, out);
    }
    let fqdn = take(Fqdn::try_from(c.fqdn.as_str()), &format!("{at}.fqdn"), "name.fqdn", "S3", out)?;
    let instance = match c.named {
        true => Some(take(
            check_instance(&c.instance),
            &format!("{at}.instance"),
            "name.instance",
            "H:add-sql-store",
            out,
        )?),
        false => None,
    };
    let store = SqlStore { id: id.clone(), fqdn, instance, placement: c.placement.clone() };
    let label = store.label().to_lowercase();
    // The same new store may be described on two pages of one draft (mgc and mgccomp may share an instance).
    if let Some(same) = after.sql_stores.iter().find(|s| s.label().to_lowercase() == label) {
        return Some(same.id.clone());
    }
    after.sql_stores.push(store);
    Some(id.clone())
}

fn file_choice(
    c: &FileChoice,
    kind: PoolKind,
    id: &ObjectId,
    after: &mut Topology,
    out: &mut Vec<Problem>,
) -> Option<FileStoreRef> {
    match c.kind {
        FileChoiceKind::Existing => {
            let text = "Choose a file store from the list, or define a new one.";
            reference(&c.existing, |id| after.file_store(id).is_some(), "file.existing", text, out)
                .map(FileStoreRef::Share)
        }
        FileChoiceKind::New => {
            let fqdn =
                take(Fqdn::try_from(c.fqdn.as_str()), "file.fqdn", "name.fqdn", "H:add-file-store", out);
            let share = take(check_share(&c.share), "file.share", "name.share", "H:add-file-store", out);
            let store =
                FileStore { id: id.clone(), fqdn: fqdn?, share: share?, placement: c.placement.clone() };
            after.file_stores.push(store);
            Some(FileStoreRef::Share(id.clone()))
        }
        FileChoiceKind::LocalPath if kind == PoolKind::Single && !c.path.trim().is_empty() => {
            Some(FileStoreRef::LocalPath(c.path.trim().to_owned()))
        }
        FileChoiceKind::LocalPath => {
            let text = if kind == PoolKind::Single {
                "Enter the local path."
            } else {
                "A multiple computer pool needs a UNC path (\\\\server\\share), because every server writes there."
            };
            out.push(Problem::error("V12", "file.path", text, "S3"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::litware;
    use crate::topology::draft::ComputerDraft;

    fn whole() -> PoolDraft {
        let store =
            |fqdn: &str| SqlChoice { define_new: true, fqdn: fqdn.to_owned(), ..SqlChoice::default() };
        let mut d = PoolDraft {
            site: "site-redmond".to_owned(),
            fqdn: "pcpool.contoso.com".to_owned(),
            display_name: "Contoso".to_owned(),
            default_for_site: false,
            disaster_recovery: true,
            sql: store("sql11.contoso.com"),
            backup_sql: store("sql12.contoso.com"),
            mirrored: true,
            mirror_sql: store("sql13.contoso.com"),
            next_hop: "fe-atl".to_owned(),
            ..PoolDraft::default()
        };
        d.computers = vec![ComputerDraft { fqdn: "pc01.contoso.com".to_owned(), ..ComputerDraft::default() }];
        d.file.existing = "file-atl".to_owned();
        d
    }

    #[test]
    fn a_mirror_of_the_draft_is_the_mirror_of_the_pool() {
        let t = litware();
        let mut d = whole();
        assert!(check(&d, &t).iter().all(|p| !p.blocks()), "{:?}", check(&d, &t));
        let built = |d: &PoolDraft| build(d, &litware(), &NewIds::provisional()).unwrap();
        let after = built(&d);
        let p = after.pools.last().unwrap();
        let label =
            |id: &Option<ObjectId>| id.as_ref().and_then(|id| after.sql_store(id)).map(SqlStore::label);
        assert_eq!(label(&p.mirror_sql_store).as_deref(), Some("sql13.contoso.com"));
        assert_eq!(p.backup_mirror_sql_store, None);
        d.mirrored = false;
        assert_eq!(
            built(&d).pools.last().unwrap().mirror_sql_store,
            None,
            "what was typed before counts no more"
        );
    }

    #[test]
    fn what_is_wrong_with_a_mirror_stands_at_its_field() {
        let mut d = whole();
        d.mirror_sql = SqlChoice::default();
        let at = |d: &PoolDraft| check(d, &litware()).into_iter().find(Problem::blocks).map(|p| p.field);
        assert_eq!(at(&d).as_deref(), Some("mirror_sql.existing"), "none chosen");
        d.mirror_sql = d.sql.clone();
        assert_eq!(at(&d).as_deref(), Some("mirror_sql.existing"), "the primary itself");
        assert_eq!(Page::of_field("mirror_sql.existing"), Page::SqlStore);
        assert_eq!(Page::of_field("backup_mirrored"), Page::BackupSqlStore);
    }
}
