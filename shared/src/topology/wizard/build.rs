//! The topology that a draft makes.

use super::NewIds;
use crate::error::Problem;
use crate::names::{Fqdn, ObjectId, Port, check_instance, check_share};
use crate::topology::draft::{FileChoice, FileChoiceKind, PoolDraft, SqlChoice};
use crate::topology::{ChatPool, Computer, FileStore, FileStoreRef, PoolKind, SqlStore, Topology};

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
