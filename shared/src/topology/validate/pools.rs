//! What a Persistent Chat pool must have: computers, stores; one default to a site.

use std::collections::BTreeMap;

use super::databases::{mirrors, on_node};
use super::places::no_guided;
use super::{MAX_COMPUTERS, MAX_DISPLAY_NAME};
use crate::error::Problem;
use crate::names::{Fqdn, ObjectId};
use crate::topology::lookup::Lookup;
use crate::topology::{ChatPool, Edition, FileStoreRef, FrontEndPool, PoolKind};

fn has_server(p: &FrontEndPool, name: &Fqdn) -> bool {
    p.servers.iter().any(|s| s.fqdn == *name)
}

pub(super) fn pool(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
    let at = |f: &str| format!("pools.{i}.{f}");
    if t.site(&p.site).is_none() {
        out.push(Problem::error("ref.site", at("site"), "Choose the site of the pool.", ""));
    }
    let name = p.display_name.trim();
    if name.is_empty() || name.chars().count() > MAX_DISPLAY_NAME {
        out.push(Problem::error(
            "V30",
            at("display_name"),
            "Enter a display name of 1 to 256 characters; clients show it to tell rooms of several pools apart.",
            "S3",
        ));
    }
    pool_computers(i, p, out);
    pool_stores(t, i, p, out);
    match t.front_end_pool(&p.next_hop) {
        None => out.push(Problem::error(
            "V13",
            at("next_hop"),
            "Choose the Front End pool that routes requests to this pool.",
            "S3",
        )),
        Some(fe)
            if fe.edition == Edition::Standard && has_server(fe, &p.fqdn) && p.kind != PoolKind::Single =>
        {
            out.push(Problem::error(
                "V29",
                at("fqdn"),
                "On a Standard Edition server the pool is a single computer pool with that server's FQDN.",
                "S3",
            ));
        }
        Some(_) => {}
    }
    for (j, c) in p.computers.iter().enumerate() {
        if t.is_enterprise(&c.fqdn) {
            out.push(Problem::error(
                "collocation.fe",
                at(&format!("computers.{j}.fqdn")),
                "With Enterprise Edition a Persistent Chat server may not share a computer with a Front End Server.",
                "L:components-and-topologies-for-persistent-chat-server",
            ));
        }
    }
}

fn pool_computers(i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
    let at = |f: &str| format!("pools.{i}.{f}");
    let n = p.computers.len();
    if n == 0 || n > MAX_COMPUTERS {
        let text = if n == 0 {
            "Add at least one computer."
        } else {
            "A pool has 8 computers at most: 4 active and 4 standby."
        };
        out.push(Problem::error(
            "V4",
            at("computers"),
            text,
            "L:capacity-planning-for-persistent-chat-server",
        ));
    }
    match p.kind {
        PoolKind::Single if n != 1 || p.computers.iter().any(|c| c.fqdn != p.fqdn) => {
            out.push(Problem::error(
                "V2",
                at("computers"),
                "A single computer pool has one computer, with the pool's FQDN.",
                "H:define-persistent-chat-fqdn",
            ));
        }
        PoolKind::Multiple if p.computers.iter().any(|c| c.fqdn == p.fqdn) => out.push(Problem::error(
            "V2",
            at("computers"),
            "A multiple computer pool has a name of its own, different from its computers'.",
            "H:define-persistent-chat-fqdn",
        )),
        _ => {}
    }
    for (j, c) in p.computers.iter().enumerate() {
        no_guided(&c.placement, at(&format!("computers.{j}.placement")), out);
    }
}

fn pool_stores(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
    let at = |f: &str| format!("pools.{i}.{f}");
    let mut need =
        |id: Option<&ObjectId>, field: &str, wanted: bool, what: &str, code: &str| match (id, wanted) {
            (None, true) => out.push(Problem::error(code, at(field), format!("Choose the {what}."), "S3")),
            (Some(_), false) => out.push(Problem::error(
                code,
                at(field),
                format!("The {what} does not apply to this pool; leave it out."),
                "model §22",
            )),
            (Some(id), true) if t.sql_store(id).is_none() => {
                out.push(Problem::error(
                    "ref.sql",
                    at(field),
                    format!("The {what} is not in the topology."),
                    "",
                ));
            }
            _ => {}
        };
    let backup = p.backup_sql_store.is_some();
    need(Some(&p.sql_store), "sql_store", true, "SQL Server store", "V8");
    need(
        p.backup_sql_store.as_ref(),
        "backup_sql_store",
        backup && p.kind == PoolKind::Multiple,
        "backup SQL Server store",
        "V7",
    );
    need(
        p.mirror_sql_store.as_ref(),
        "mirror_sql_store",
        p.mirror_sql_store.is_some(),
        "mirroring SQL Server store",
        "V9",
    );
    need(
        p.backup_mirror_sql_store.as_ref(),
        "backup_mirror_sql_store",
        backup && p.backup_mirror_sql_store.is_some(),
        "mirroring SQL Server store of the backup",
        "V9",
    );
    need(
        p.compliance_sql_store.as_ref(),
        "compliance_sql_store",
        p.compliance,
        "compliance SQL Server store",
        "V8",
    );
    need(
        p.backup_compliance_sql_store.as_ref(),
        "backup_compliance_sql_store",
        p.compliance && backup,
        "backup compliance SQL Server store",
        "V8",
    );
    need(
        p.compliance_mirror_sql_store.as_ref(),
        "compliance_mirror_sql_store",
        p.compliance && p.compliance_mirror_sql_store.is_some(),
        "mirroring compliance SQL Server store",
        "V9",
    );
    need(
        p.backup_compliance_mirror_sql_store.as_ref(),
        "backup_compliance_mirror_sql_store",
        p.compliance && backup && p.backup_compliance_mirror_sql_store.is_some(),
        "mirroring compliance SQL Server store of the backup",
        "V9",
    );
    mirrors(t, i, p, out);
    on_node(t, i, p, out);
    for (a, b, field) in [
        (Some(&p.sql_store), p.backup_sql_store.as_ref(), "backup_sql_store"),
        (
            p.compliance_sql_store.as_ref(),
            p.backup_compliance_sql_store.as_ref(),
            "backup_compliance_sql_store",
        ),
    ] {
        if a.is_some() && a == b {
            out.push(Problem::error(
                "V9",
                at(field),
                "The backup must be another SQL Server store than the primary, or it is lost with it.",
                "model §22",
            ));
        }
    }
    match &p.file_store {
        FileStoreRef::Share(id) if t.file_store(id).is_none() => {
            out.push(Problem::error("ref.file", at("file_store"), "Choose or define the file store.", "S3"));
        }
        FileStoreRef::LocalPath(_) if p.kind == PoolKind::Multiple => out.push(Problem::error(
            "V12",
            at("file_store"),
            "A multiple computer pool needs a UNC path (\\\\server\\share), because every server writes there.",
            "S3",
        )),
        FileStoreRef::LocalPath(path) if path.trim().is_empty() => {
            out.push(Problem::error("V11", at("file_store"), "Enter the local path.", "S3"));
        }
        _ => {}
    }
}

/// V14: at most one default pool per site; a site without one is a warning once pools exist.
pub(super) fn one_default_per_site(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let mut owner: BTreeMap<&ObjectId, &Fqdn> = BTreeMap::new();
    for (i, p) in t.pools.iter().enumerate() {
        for site in &p.default_for {
            if let Some(other) = owner.insert(site, &p.fqdn) {
                let name = t.site(site).map_or("?", |s| s.site_id.as_str());
                out.push(Problem::error(
                    "V14",
                    format!("pools.{i}.default_for"),
                    format!("{other} is already the default pool of site {name}; a site has one."),
                    "H:define-properties-and-options-for-persistent-chat-pool",
                ));
            }
        }
    }
    for (i, s) in t.sites.iter().enumerate() {
        if !t.pools.is_empty() && !owner.contains_key(&s.id) {
            out.push(Problem::warning(
                "V14",
                format!("sites.{i}"),
                format!(
                    "Site {} has no default Persistent Chat pool; its users cannot create rooms.",
                    s.site_id
                ),
                "S3",
            ));
        }
    }
}
