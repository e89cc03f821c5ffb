//! What must be told apart: names and ids, and what names may be.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Problem;
use crate::names::{Fqdn, ObjectId};
use crate::topology::lookup::Lookup;

/// Ids tell objects of one kind apart; a document from elsewhere may have one twice, and half of it would be lost.
pub(super) fn unique_ids(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

pub(super) fn unique_names(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

/// Names that the portal and its nodes show each other; a server of this name could pass for one of them.
pub(super) fn reserved(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::validate::validate;

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
}
