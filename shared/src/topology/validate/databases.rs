//! Which databases may stand where: on nodes, as mirrors, one of each to a server.

use std::collections::BTreeMap;

use crate::error::Problem;
use crate::names::ObjectId;
use crate::topology::lookup::Lookup;
use crate::topology::{ChatPool, FileStoreRef, Placement};

/// Nodes own databases mgc; mirrors and the compliance queue are with the portal. Log shipping between two
/// processes goes through a share that both reach by one path.
pub(super) fn on_node(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
    let node = |id: Option<&ObjectId>| match &t.sql_store(id?)?.placement {
        Placement::Node(n) => Some(n.clone()),
        _ => None,
    };
    let (primary, backup) = (node(Some(&p.sql_store)), node(p.backup_sql_store.as_ref()));
    let owner = primary.as_ref().or(backup.as_ref());
    let others = [
        (p.mirror_sql_store.as_ref(), "mirror_sql_store", "mirroring SQL Server store"),
        (
            p.backup_mirror_sql_store.as_ref(),
            "backup_mirror_sql_store",
            "mirroring SQL Server store of the backup",
        ),
        (p.compliance_sql_store.as_ref(), "compliance_sql_store", "compliance SQL Server store"),
        (
            p.backup_compliance_sql_store.as_ref(),
            "backup_compliance_sql_store",
            "backup compliance SQL Server store",
        ),
        (
            p.compliance_mirror_sql_store.as_ref(),
            "compliance_mirror_sql_store",
            "mirroring compliance SQL Server store",
        ),
        (
            p.backup_compliance_mirror_sql_store.as_ref(),
            "backup_compliance_mirror_sql_store",
            "mirroring compliance SQL Server store of the backup",
        ),
    ];
    let mut refuse = |field: &str, code: &str, text: String| {
        out.push(Problem::error(code, format!("pools.{i}.{field}"), text, ""));
    };
    for (id, field, what) in others.into_iter().filter(|(id, ..)| id.is_some()) {
        let text = match (owner, node(id)) {
            (Some(n), _) => format!(
                "A database of this pool is on node {n}; such a pool has no {what}. Leave it out, or choose SQL Server stores that run here."
            ),
            (None, Some(n)) => format!(
                "A {what} is not on a node: only a pool's primary and backup SQL Server stores are. Choose another one than that on node {n}."
            ),
            (None, None) => continue,
        };
        refuse(field, "place.node", text);
    }
    let (Some(n), Some(id)) = (owner, p.backup_sql_store.as_ref()) else { return };
    if primary.is_some() && primary == backup && p.sql_store != *id {
        let text = format!(
            "Primary and backup are both on node {n} and would be lost together. Choose a store that runs here or on another node."
        );
        refuse("backup_sql_store", "place.node", text);
    }
    let run = |id: &ObjectId| {
        t.sql_store(id).is_none_or(|s| matches!(s.placement, Placement::RunHere | Placement::Node(_)))
    };
    if !run(&p.sql_store) || !run(id) {
        let text = format!(
            "One database of this pool is on node {n}; the other one must be on a node too, or run here."
        );
        refuse("backup_sql_store", "place.node", text);
    }
    let path = match &p.file_store {
        FileStoreRef::Share(id) => t.file_store(id).map(|s| &s.placement),
        FileStoreRef::LocalPath(_) => return,
    };
    let reached = match path {
        Some(Placement::Address(a)) => a.trim().starts_with('/'),
        Some(_) => false,
        None => return,
    };
    if !reached {
        let text = format!(
            "Primary and backup are in different processes and ship the log through the file store. Choose one that stands at an address: the path of a folder, such as /mnt/chatfiles, which node {n} and the owner of the other database both have mounted."
        );
        refuse("file_store", "place.share", text);
    }
}

/// V9: a mirror is neither its primary nor the mirror of the other side, and is driven in the same way.
pub(super) fn mirrors(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
    const SOURCE: &str = "L:deploying-sql-mirroring-for-back-end-server-high-availability";
    let at = |f: &str| format!("pools.{i}.{f}");
    let all = [Some(&p.sql_store), p.backup_sql_store.as_ref(), p.mirror_sql_store.as_ref()];
    let comp = [
        p.compliance_sql_store.as_ref(),
        p.backup_compliance_sql_store.as_ref(),
        p.compliance_mirror_sql_store.as_ref(),
    ];
    let both = [
        (p.compliance_mirror_sql_store.as_ref(), "compliance_mirror_sql_store", comp[0], &comp[..2]),
        (
            p.backup_compliance_mirror_sql_store.as_ref(),
            "backup_compliance_mirror_sql_store",
            comp[1],
            &comp[..],
        ),
        (p.mirror_sql_store.as_ref(), "mirror_sql_store", Some(&p.sql_store), &all[..2]),
        (
            p.backup_mirror_sql_store.as_ref(),
            "backup_mirror_sql_store",
            p.backup_sql_store.as_ref(),
            &all[..],
        ),
    ];
    for (mirror, field, primary, others) in both {
        let Some(mirror) = mirror else { continue };
        if others.contains(&Some(mirror)) {
            let text = "A mirror stands on a SQL Server store of its own: neither primary, backup nor the other mirror. Choose another one.";
            out.push(Problem::error("V9", at(field), text, SOURCE));
        }
        let place = |id: Option<&ObjectId>| id.and_then(|id| t.sql_store(id)).map(|s| &s.placement);
        if place(Some(mirror)).is_some_and(|m| place(primary).is_some_and(|p| p != m)) {
            let text = "Primary and mirror must be driven in the same way: both run here, or both on SQL Server, guided.";
            out.push(Problem::error("mirror.place", at(field), text, SOURCE));
        }
    }
}

/// V10: one mgc and one mgccomp per instance, and one of each per database server.
pub(super) fn one_database_per_instance(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let mut used: BTreeMap<(&str, String), String> = BTreeMap::new();
    for (i, p) in t.pools.iter().enumerate() {
        let refs = [
            ("mgc", Some(&p.sql_store), "sql_store"),
            ("mgc", p.backup_sql_store.as_ref(), "backup_sql_store"),
            ("mgc", p.mirror_sql_store.as_ref(), "mirror_sql_store"),
            ("mgc", p.backup_mirror_sql_store.as_ref(), "backup_mirror_sql_store"),
            ("mgccomp", p.compliance_sql_store.as_ref(), "compliance_sql_store"),
            ("mgccomp", p.backup_compliance_sql_store.as_ref(), "backup_compliance_sql_store"),
            ("mgccomp", p.compliance_mirror_sql_store.as_ref(), "compliance_mirror_sql_store"),
            ("mgccomp", p.backup_compliance_mirror_sql_store.as_ref(), "backup_compliance_mirror_sql_store"),
        ];
        for (db, id, field) in refs {
            let Some(store) = id.and_then(|id| t.sql_store(id)) else { continue };
            if let Some(owner) = used.insert((db, store.fqdn.to_string()), p.fqdn.to_string()) {
                out.push(Problem::error(
                    "V10",
                    format!("pools.{i}.{field}"),
                    format!(
                        "The SQL Server {} already holds the {db} database of {owner}; one database server holds one of each. Choose another server.",
                        store.fqdn
                    ),
                    "L:server-collocation-in-an-enterprise-edition-front-end-pool-deployment",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;
    use crate::topology::validate::validate;

    #[test]
    fn a_pool_whose_database_is_on_a_node_has_no_other_stores_and_says_so_at_each() {
        let mut t = crate::sample::litware();
        let at = |t: &Topology| {
            validate(t).into_iter().filter(|p| p.code == "place.node").map(|p| p.field).collect::<Vec<_>>()
        };
        let plain = t.pools.iter().position(|p| p.backup_sql_store.is_none() && !p.compliance).unwrap();
        let of = |t: &Topology, id: &ObjectId| t.sql_stores.iter().position(|s| s.id == *id).unwrap();
        let own = of(&t, &t.pools[plain].sql_store);
        t.sql_stores[own].placement = Placement::Node("n1".to_owned());
        assert_eq!(at(&t), Vec::<String>::new(), "one database on a node");
        t.sql_stores[own].placement = Placement::Node(String::new());
        assert_eq!(at(&t), [format!("sql_stores.{own}.placement")]);
        t.sql_stores[own].placement = Placement::RunHere;
        let double = t.pools.iter().position(|p| p.backup_sql_store.is_some()).unwrap();
        let (primary, backup) =
            (t.pools[double].sql_store.clone(), t.pools[double].backup_sql_store.clone().unwrap());
        let (primary, backup) = (of(&t, &primary), of(&t, &backup));
        let codes = |t: &Topology| {
            let of = format!("pools.{double}.");
            let mut found: Vec<_> = validate(t)
                .into_iter()
                .filter_map(|p| Some((p.field.strip_prefix(&of)?.to_owned(), p.code)))
                .collect();
            found.sort();
            found
        };
        let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        for place in [primary, backup] {
            let was = t.clone();
            t.sql_stores[place].placement = Placement::Node("n1".to_owned());
            let found = codes(&t);
            assert!(found.contains(&one("compliance_sql_store", "place.node")[0]), "{found:?}");
            t.pools[double].compliance = false;
            t.pools[double].compliance_sql_store = None;
            t.pools[double].backup_compliance_sql_store = None;
            assert_eq!(codes(&t), one("file_store", "place.share"), "a share that only the portal reaches");
            assert!(t.pools[double].pair(&t).is_none());
            let FileStoreRef::Share(share) = t.pools[double].file_store.clone() else { panic!("no share") };
            let share = t.file_stores.iter().position(|s| s.id == share).unwrap();
            t.file_stores[share].placement = Placement::Address("mnt".to_owned());
            assert_eq!(codes(&t), one("file_store", "place.share"), "no path of a folder");
            t.file_stores[share].placement = Placement::Address("/mnt/files".to_owned());
            assert_eq!(codes(&t), [], "one side on a node, the other here");
            assert!(t.pools[double].pair(&t).is_some());
            let far = primary + backup - place;
            t.sql_stores[far].placement = Placement::Node("n2".to_owned());
            assert_eq!(codes(&t), [], "each on a node of its own");
            t.sql_stores[far].placement = Placement::Node("n1".to_owned());
            assert_eq!(codes(&t), one("backup_sql_store", "place.node"), "lost together");
            t.sql_stores[far].placement = Placement::SqlServerGuided;
            assert!(
                codes(&t).contains(&one("backup_sql_store", "place.node")[0]),
                "a person drives the other"
            );
            t = was;
        }
    }
}
