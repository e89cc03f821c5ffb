//! The rules that a whole topology keeps (V1–V31 as far as they concern it). Pure; used by the page,
//! the server, the shell and tests alike. Each finding tells what to do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use super::lookup::Lookup;
use super::{ChatPool, Edition, FileStoreRef, FrontEndPool, Placement, PoolKind, SqlStore, Topology};
use crate::error::Problem;
use crate::names::{Fqdn, ObjectId, check_instance, check_share};

/// At most eight computers in a pool. Source: L:capacity-planning-for-persistent-chat-server.
pub const MAX_COMPUTERS: usize = 8;
/// At most four of them active. Source: L:capacity-planning-for-persistent-chat-server.
pub const MAX_ACTIVE: usize = 4;
/// Longest display name; the documents give no limit, AD's display name has this one.
pub const MAX_DISPLAY_NAME: usize = 256;

/// Everything that is wrong or worth knowing, in document order. Never panics.
pub fn validate(t: &Topology) -> Vec<Problem> {
    let mut out = Vec::new();
    let t = &Lookup::new(t);
    unique_names(t, &mut out);
    unique_ids(t, &mut out);
    for (i, p) in t.front_end_pools.iter().enumerate() {
        front_end_pool(t, i, p, &mut out);
    }
    for (i, s) in t.sql_stores.iter().enumerate() {
        sql_store(i, s, &mut out);
    }
    for (i, f) in t.file_stores.iter().enumerate() {
        let at = format!("file_stores.{i}");
        no_address(&f.placement, format!("{at}.placement"), &mut out);
        no_node(&f.placement, format!("{at}.placement"), &mut out);
        if let Err(e) = check_share(&f.share) {
            out.push(Problem::error("name.share", format!("{at}.share"), e.0, "H:add-file-store"));
        }
        if t.is_enterprise(&f.fqdn) {
            out.push(Problem::error(
                "V31",
                format!("{at}.fqdn"),
                "A file store may not be on an Enterprise Edition Front End Server. Choose another file server.",
                "H:add-persistent-chat-file-store",
            ));
        }
    }
    for (i, p) in t.pools.iter().enumerate() {
        pool(t, i, p, &mut out);
    }
    one_of_a_kind(t, &mut out);
    reserved(t, &mut out);
    one_database_per_instance(t, &mut out);
    one_default_per_site(t, &mut out);
    distances(t, &mut out);
    out
}

/// Ids tell objects of one kind apart; a document from elsewhere may have one twice, and half of it would be lost.
fn unique_ids(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let mut check = |list: &str, ids: &mut dyn Iterator<Item = &ObjectId>| {
        let mut seen = BTreeSet::new();
        for (i, id) in ids.enumerate() {
            if !seen.insert(id) {
                let text = format!("The id {id} stands in this list twice. Give one of the two another id.");
                out.push(Problem::error("dup.id", format!("{list}.{i}.id"), text, ""));
            }
        }
    };
    check("sites", &mut t.sites.iter().map(|x| &x.id));
    check("front_end_pools", &mut t.front_end_pools.iter().map(|x| &x.id));
    check("sql_stores", &mut t.sql_stores.iter().map(|x| &x.id));
    check("file_stores", &mut t.file_stores.iter().map(|x| &x.id));
    check("pools", &mut t.pools.iter().map(|x| &x.id));
}

/// Data centres: unique names, a machine stands in one, and a pool works near its database.
fn distances(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&Fqdn, &str> = BTreeMap::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (i, d) in t.data_centers.iter().enumerate() {
        let at = |f: &str| format!("data_centers.{i}.{f}");
        if d.name.trim().is_empty() || d.name.len() > 64 {
            out.push(Problem::error(
                "name.dc",
                at("name"),
                "A data centre's name has 1 to 64 characters.",
                "",
            ));
        }
        if !names.insert(d.name.to_lowercase()) {
            let text = format!("A data centre {} exists already.", d.name);
            out.push(Problem::error("dup.dc", at("name"), text, ""));
        }
        for m in &d.members {
            if let Some(other) = seen.insert(m, &d.name) {
                let text = format!("{m} stands in {other} already; a machine stands in one data centre.");
                out.push(Problem::error("dup.member", at("members"), text, ""));
            }
        }
        for other in &d.slow_to {
            if !t.data_centers.iter().any(|o| o.name.eq_ignore_ascii_case(other)) {
                let text = format!("There is no data centre {other}.");
                out.push(Problem::error("ref.dc", at("slow_to"), text, ""));
            }
        }
    }
    for (i, p) in t.pools.iter().enumerate() {
        let Some(store) = t.sql_store(&p.sql_store) else { continue };
        let far: Vec<_> = p
            .computers
            .iter()
            .filter(|c| t.far_apart(&c.fqdn, &store.fqdn))
            .map(|c| c.fqdn.as_str())
            .collect();
        if far.len() == p.computers.len() && !far.is_empty() {
            let text = format!(
                "Every computer reaches the primary database on {} over a slow link only. Add computers in its data centre.",
                store.fqdn
            );
            out.push(Problem::warning("link.slow", format!("pools.{i}.computers"), text, "S1 step 7"));
        }
    }
}

fn has_server(p: &FrontEndPool, name: &Fqdn) -> bool {
    p.servers.iter().any(|s| s.fqdn == *name)
}

fn unique_names(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (i, d) in t.sip_domains.iter().enumerate() {
        if !seen.insert(d) {
            out.push(Problem::error(
                "dup.sip_domain",
                format!("sip_domains.{i}"),
                format!("The SIP domain {d} stands twice."),
                "",
            ));
        }
    }
    let mut seen = BTreeSet::new();
    for (i, s) in t.sites.iter().enumerate() {
        if s.site_id.trim().is_empty() || s.site_id.len() > 64 || s.site_id.contains(['"', '\'', '*', ':']) {
            out.push(Problem::error(
                "name.site",
                format!("sites.{i}.site_id"),
                "A site name has 1 to 64 characters, without quotes, * and :, because it is written as site:Name.",
                "C:New-CsAdminRole",
            ));
        }
        if !seen.insert(s.site_id.to_lowercase()) {
            out.push(Problem::error(
                "dup.site",
                format!("sites.{i}.site_id"),
                format!("A site {} exists already.", s.site_id),
                "",
            ));
        }
    }
    duplicates(
        t.sql_stores.iter().map(|s| s.label().to_lowercase()),
        "sql_stores",
        "fqdn",
        "SQL Server store",
        out,
    );
    duplicates(
        t.file_stores.iter().map(|s| s.label().to_lowercase()),
        "file_stores",
        "share",
        "file store",
        out,
    );
    pool_names(t, out);
}

fn duplicates(
    labels: impl Iterator<Item = String>,
    list: &str,
    field: &str,
    what: &str,
    out: &mut Vec<Problem>,
) {
    let mut seen = BTreeSet::new();
    for (i, label) in labels.enumerate() {
        if !seen.insert(label.clone()) {
            out.push(Problem::error(
                "dup.store",
                format!("{list}.{i}.{field}"),
                format!("The {what} {label} exists already. Choose it from the list."),
                "",
            ));
        }
    }
}

/// V1: pool FQDNs are unique over all pools, and no computer serves two pools.
fn pool_names(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let mut pools: BTreeMap<&Fqdn, String> = BTreeMap::new();
    let mut computers: BTreeMap<&Fqdn, String> = BTreeMap::new();
    let fe = t
        .front_end_pools
        .iter()
        .enumerate()
        .map(|(i, p)| (format!("front_end_pools.{i}"), &p.fqdn, &p.servers, "servers"));
    let pc =
        t.pools.iter().enumerate().map(|(i, p)| (format!("pools.{i}"), &p.fqdn, &p.computers, "computers"));
    for (at, fqdn, members, list) in fe.chain(pc) {
        // A Standard Edition server may carry a collocated chat pool with its own name (V29).
        let collocated = t.is_standard(fqdn);
        if pools.insert(fqdn, at.clone()).is_some() && !collocated {
            out.push(Problem::error(
                "V1",
                format!("{at}.fqdn"),
                format!("A pool {fqdn} exists already. Choose another name."),
                "H:define-persistent-chat-fqdn",
            ));
        }
        for (j, c) in members.iter().enumerate() {
            if computers.insert(&c.fqdn, at.clone()).is_some() && !collocated {
                out.push(Problem::error(
                    "dup.computer",
                    format!("{at}.{list}.{j}.fqdn"),
                    format!("The computer {} is already part of a pool. A computer serves one pool.", c.fqdn),
                    "L:components-and-topologies-for-persistent-chat-server",
                ));
            }
        }
    }
}

fn front_end_pool(t: &Lookup<'_>, i: usize, p: &FrontEndPool, out: &mut Vec<Problem>) {
    let at = format!("front_end_pools.{i}");
    if t.site(&p.site).is_none() {
        out.push(Problem::error("ref.site", format!("{at}.site"), "Choose the site of the pool.", ""));
    }
    if p.servers.is_empty() {
        out.push(Problem::error(
            "fe.servers",
            format!("{at}.servers"),
            "Add at least one Front End Server.",
            "",
        ));
    }
    if p.edition == Edition::Standard && (p.servers.len() > 1 || p.servers.iter().any(|s| s.fqdn != p.fqdn)) {
        out.push(Problem::error(
            "V29",
            format!("{at}.servers"),
            "A Standard Edition server stands alone and carries the pool's name.",
            "S3",
        ));
    }
    for (j, s) in p.servers.iter().enumerate() {
        no_guided(&s.placement, format!("{at}.servers.{j}.placement"), out);
    }
}

fn no_guided(p: &Placement, field: String, out: &mut Vec<Problem>) {
    if *p == Placement::SqlServerGuided {
        out.push(Problem::error(
            "place.guided",
            field.clone(),
            "Only a SQL Server store can be guided. Choose run here, a node or an address.",
            "",
        ));
    }
    if matches!(p, Placement::Node(n) if check_node_name(n).is_err()) {
        out.push(Problem::error("place.node", field.clone(), "Choose the node that runs the server.", ""));
    }
    if let Placement::HereAt(a) = p
        && let Err(e) = check_own_address(a)
    {
        out.push(Problem::error("place.address", field, e, ""));
    }
}

/// What a node may be called: it is one label of a DNS name.
///
/// # Errors
/// What is wrong.
pub fn check_node_name(name: &str) -> Result<(), String> {
    let fits = (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err("A node's name has 1 to 63 letters, digits and hyphens, and a hyphen neither first nor last."
        .to_owned())
}

/// What the address of a server that runs here may be: one address, which clients connect to.
///
/// # Errors
/// What is wrong.
pub fn check_own_address(a: &str) -> Result<(), String> {
    match a.trim().parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() || ip.is_multicast() => {
            Err(format!("{ip} is no address that clients can connect to. Enter one address of this machine."))
        }
        Ok(_) => Ok(()),
        Err(_) => Err("Enter an IP address of this machine, for example 192.0.2.10.".to_owned()),
    }
}

/// Only servers listen at addresses.
fn no_address(p: &Placement, field: String, out: &mut Vec<Problem>) {
    if matches!(p, Placement::HereAt(_)) {
        let text = "Only servers listen at an address of this machine; a store runs here.";
        out.push(Problem::error("place.address", field, text, ""));
    }
}

/// Only servers and SQL Server stores run on nodes.
fn no_node(p: &Placement, field: String, out: &mut Vec<Problem>) {
    if matches!(p, Placement::Node(_)) {
        let text = "Only servers and SQL Server stores run on nodes; a file store is a folder here.";
        out.push(Problem::error("place.node", field, text, ""));
    }
}

/// A node has one address, as a server that runs here at an address, and two servers of one kind would listen on the same port there.
fn one_of_a_kind(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let front = t.front_end_pools.iter().enumerate().flat_map(|(i, p)| {
        p.servers.iter().enumerate().map(move |(j, s)| (format!("front_end_pools.{i}.servers.{j}"), s, 5061))
    });
    let chat = t.pools.iter().enumerate().flat_map(|(i, p)| {
        let port = p.port.get();
        p.computers.iter().enumerate().map(move |(j, s)| (format!("pools.{i}.computers.{j}"), s, port))
    });
    let mut seen: HashMap<(&str, u16), &str> = HashMap::new();
    for (field, s, port) in front.chain(chat) {
        let (place, code, what) = match &s.placement {
            Placement::Node(n) => (n.as_str(), "place.node", "node"),
            Placement::HereAt(a) => (a.trim(), "place.address", "address"),
            _ => continue,
        };
        if let Some(other) = seen.insert((place, port), s.fqdn.as_str()) {
            let text = format!(
                "{other} listens on port {port} of {what} {place} already; {} needs another {what}.",
                s.fqdn
            );
            out.push(Problem::error(code, format!("{field}.placement"), text, ""));
        }
    }
}

fn sql_store(i: usize, s: &SqlStore, out: &mut Vec<Problem>) {
    let field = format!("sql_stores.{i}.placement");
    no_address(&s.placement, field.clone(), out);
    if matches!(&s.placement, Placement::Node(n) if check_node_name(n).is_err()) {
        out.push(Problem::error("place.node", field, "Choose the node that has the databases.", ""));
    }
    if let Some(Err(e)) = s.instance.as_deref().map(check_instance) {
        out.push(Problem::error("name.instance", format!("sql_stores.{i}.instance"), e.0, "H:add-sql-store"));
    }
}

fn pool(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
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

/// Nodes own databases mgc; mirrors and the compliance queue are with the portal. Log shipping between two
/// processes goes through a share that both reach by one path.
fn on_node(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
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

/// Names that the portal and its nodes show each other; a server of this name could pass for one of them.
fn reserved(t: &Lookup<'_>, out: &mut Vec<Problem>) {
    let front = t.front_end_pools.iter().enumerate().flat_map(|(i, p)| {
        let own = p.servers.iter().enumerate();
        let own = own.map(move |(j, s)| (format!("front_end_pools.{i}.servers.{j}.fqdn"), &s.fqdn));
        own.chain([(format!("front_end_pools.{i}.fqdn"), &p.fqdn)])
    });
    let chat = t.pools.iter().enumerate().flat_map(|(i, p)| {
        let own = p.computers.iter().enumerate();
        let own = own.map(move |(j, s)| (format!("pools.{i}.computers.{j}.fqdn"), &s.fqdn));
        own.chain([(format!("pools.{i}.fqdn"), &p.fqdn)])
    });
    for (field, name) in front.chain(chat) {
        if name.as_str().ends_with(".lifeguard.internal") {
            let text = "Names that end with lifeguard.internal are the portal's and its nodes' own.";
            out.push(Problem::error("name.reserved", field, text, ""));
        }
    }
}

/// V9: a mirror is neither its primary nor the mirror of the other side, and is driven in the same way.
fn mirrors(t: &Lookup<'_>, i: usize, p: &ChatPool, out: &mut Vec<Problem>) {
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
fn one_database_per_instance(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

/// V14: at most one default pool per site; a site without one is a warning once pools exist.
fn one_default_per_site(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_one_address_and_for_one_server_of_a_kind() {
        let mut t = crate::sample::litware();
        let before = validate(&t).len();
        let at = |a: &str| Placement::HereAt(a.to_owned());
        let places = |t: &Topology| {
            validate(t).into_iter().filter(|p| p.code == "place.address").map(|p| p.text).collect::<Vec<_>>()
        };
        t.pools[0].computers[0].placement = at("192.0.2.10");
        t.front_end_pools[0].servers[0].placement = at("192.0.2.10");
        assert_eq!(validate(&t).len(), before, "a Front End and a chat server fit on one address");
        t.pools[1].computers[0].placement = at("192.0.2.10 ");
        assert!(
            matches!(places(&t).as_slice(), [x] if x.contains("port 5041 of address 192.0.2.10 already"))
        );
        for wrong in ["", "0.0.0.0", "::", "224.0.0.1", "atl.litwareinc.com", "192.0.2.10:5061"] {
            t.pools[1].computers[0].placement = at(wrong);
            assert_eq!(places(&t).len(), 1, "{wrong}");
        }
        t.pools[1].computers[0].placement = at("2001:db8::7");
        t.sql_stores[0].placement = at("192.0.2.10");
        assert_eq!(places(&t).len(), 1, "a store does not listen");
    }

    #[test]
    fn an_id_stands_once_in_its_list() {
        let mut t = crate::sample::litware();
        let mut twin = t.sql_stores[1].clone();
        twin.fqdn = Fqdn::try_from("dub-sql-009.litwareinc.com").unwrap();
        t.sql_stores.push(twin);
        let found: Vec<_> = validate(&t).into_iter().filter(|p| p.code == "dup.id").collect();
        let field = format!("sql_stores.{}.id", t.sql_stores.len() - 1);
        assert!(matches!(found.as_slice(), [p] if p.blocks() && p.field == field), "{found:?}");
    }

    #[test]
    fn a_node_runs_one_server_of_a_kind_and_no_file_store() {
        let mut t = crate::sample::litware();
        let before = validate(&t).len();
        let node = || Placement::Node("n1".to_owned());
        let places = |t: &Topology| {
            validate(t).into_iter().filter(|p| p.code == "place.node").map(|p| p.text).collect::<Vec<_>>()
        };
        t.pools[0].computers[0].placement = node();
        t.front_end_pools[0].servers[0].placement = node();
        assert_eq!(validate(&t).len(), before, "a Front End and a chat server fit on one node");
        t.pools[1].computers[0].placement = node();
        assert!(
            matches!(places(&t).as_slice(), [text] if text.contains("listens on port 5041 of node n1 already"))
        );
        t.pools[1].computers[0].placement = Placement::Node(String::new());
        t.file_stores[0].placement = node();
        assert_eq!(places(&t).len(), 2, "no node chosen; a file store on a node");
        t.pools[1].fqdn = Fqdn::try_from("portal.lifeguard.internal").unwrap();
        assert!(validate(&t).iter().any(|p| p.code == "name.reserved" && p.field == "pools.1.fqdn"));
        assert!(check_node_name("atl-node-001").is_ok());
        for wrong in ["", "-a", "a-", "A", "a.b", "a b"] {
            assert!(check_node_name(wrong).is_err(), "{wrong}");
        }
    }

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
