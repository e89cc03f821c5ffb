//! The fields of a Persistent Chat pool.

use shared::topology::{ChatPool, FileStoreRef, PoolKind, Topology};

use super::describe::{Described, any, check_port, each_fqdn, names, places};
use super::fields::{Way, input};

pub(super) fn pool(t: &Topology, p: &ChatPool) -> Described {
    let sql: Vec<_> = t.sql_stores.iter().map(|s| (s.label(), s.label())).collect();
    let label = |id: Option<&shared::ObjectId>| {
        id.and_then(|id| t.sql_store(id)).map(|s| s.label()).unwrap_or_default()
    };
    let sites: Vec<_> = p.default_for.iter().filter_map(|s| t.site(s)).map(|s| s.site_id.clone()).collect();
    let hops = t.front_end_pools.iter().map(|f| (f.fqdn.to_string(), f.fqdn.to_string())).collect();
    let hop = t.front_end_pool(&p.next_hop).map(|f| f.fqdn.to_string()).unwrap_or_default();
    let mut hidden = vec![
        "FQDN, kind and SQL Server store are final: to change them, remove the pool and define it anew.",
    ];
    let mut out = vec![
        input(
            "Display name",
            "DisplayName",
            p.display_name.clone(),
            Way::Text,
            "Clients show it to tell the rooms of several pools apart.",
        ),
        input(
            "Persistent Chat port",
            "Port",
            p.port.to_string(),
            Way::Name(check_port),
            "Front End Servers talk to the pool's servers on it; 5041 by default.",
        ),
        input(
            "Default for sites",
            "DefaultForSites",
            sites.join("\n"),
            Way::List(any),
            "Names of sites, one per line: where their users create rooms.",
        ),
    ];
    if p.kind == PoolKind::Single {
        hidden.push("No computer can be added to a single computer pool.");
        hidden.push("Only a multiple computer pool has backup databases.");
    } else {
        out.push(input(
            "Computers in this pool",
            "Computers",
            names(&p.computers),
            Way::List(each_fqdn),
            "One FQDN per line, eight at most; one that is added runs here until another place is chosen. Which are active is chosen on the pool's Servers page.",
        ));
        out.push(input(
            "Backup SQL Server store",
            "BackupSqlStore",
            label(p.backup_sql_store.as_ref()),
            Way::Switched(sql.clone(), "none: disaster recovery is off", "DisasterRecovery"),
            "Turns disaster recovery on; it gets a first copy when it is published.",
        ));
    }
    out.extend(places("Computers", &p.computers));
    out.push(input(
        "Mirroring SQL Server store",
        "MirrorSqlStore",
        label(p.mirror_sql_store.as_ref()),
        Way::Choice(sql.clone(), "none"),
        "A second copy that has every post before it is acknowledged. It is set up when it is published.",
    ));
    if p.backup_sql_store.is_some() {
        out.push(input(
            "Mirroring SQL Server store of the backup",
            "BackupMirrorSqlStore",
            label(p.backup_mirror_sql_store.as_ref()),
            Way::Choice(sql.clone(), "none"),
            "Mirrors the backup database while that is in use; another store than the mirror above.",
        ));
    }
    let compliance = Way::Switched(sql.clone(), "none: compliance is off", "Compliance");
    out.push(input(
        "Compliance SQL Server store",
        "ComplianceSqlStore",
        label(p.compliance_sql_store.as_ref()),
        compliance,
        "Turns compliance on: every event is queued in mgccomp there.",
    ));
    let mut mirror = |words, name, of: Option<&shared::ObjectId>| {
        let help = "A second copy of mgccomp: an event is queued when both have it.";
        out.push(input(words, name, label(of), Way::Choice(sql.clone(), "none"), help));
    };
    if p.compliance {
        let of = p.compliance_mirror_sql_store.as_ref();
        mirror("Compliance SQL Server store mirror", "ComplianceMirrorSqlStore", of);
    }
    if p.compliance && p.backup_sql_store.is_some() {
        let of = p.backup_compliance_mirror_sql_store.as_ref();
        mirror("Backup compliance SQL Server store mirror", "BackupComplianceMirrorSqlStore", of);
    }
    if p.kind == PoolKind::Multiple {
        out.push(input(
            "Backup compliance SQL Server store",
            "BackupComplianceSqlStore",
            label(p.backup_compliance_sql_store.as_ref()),
            Way::Choice(sql, "none"),
            "Needed with both compliance and disaster recovery.",
        ));
    }
    if matches!(p.file_store, FileStoreRef::Share(_)) {
        let files = t.file_stores.iter().map(|f| (f.label(), f.label())).collect();
        out.push(input(
            "File store",
            "FileStore",
            t.file_store_label(&p.file_store),
            Way::Choice(files, "Choose …"),
            "Files are not moved.",
        ));
    }
    out.push(input(
        "Next hop pool",
        "NextHop",
        hop,
        Way::Choice(hops, "Choose …"),
        "The Front End pool whose servers route requests to this pool.",
    ));
    ("Set-LgPersistentChatPool", p.fqdn.to_string(), out, hidden)
}
