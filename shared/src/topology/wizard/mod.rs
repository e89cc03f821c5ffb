//! The wizard *Define New Persistent Chat Pool*: its pages, when each applies, what is wrong on each,
//! and the step from a draft to the topology. Source: S3 and `reference/domain/procedures.md` §1.

mod build;
mod page;

pub use self::build::build;
pub use self::page::Page;
use super::draft::PoolDraft;
use super::validate::validate;
use super::{PoolKind, Topology};
use crate::error::Problem;
use crate::names::ObjectId;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::litware;
    use crate::topology::SqlStore;
    use crate::topology::draft::{ComputerDraft, SqlChoice};

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
