//! Where servers and stores may run, and how far a pool may be from its database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::error::Problem;
use crate::names::{Fqdn, check_instance};
use crate::topology::lookup::Lookup;
use crate::topology::{Edition, FrontEndPool, Placement, SqlStore};

/// Data centres: unique names, a machine stands in one, and a pool works near its database.
pub(super) fn distances(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

pub(super) fn front_end_pool(t: &Lookup<'_>, i: usize, p: &FrontEndPool, out: &mut Vec<Problem>) {
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

pub(super) fn no_guided(p: &Placement, field: String, out: &mut Vec<Problem>) {
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
pub(super) fn no_address(p: &Placement, field: String, out: &mut Vec<Problem>) {
    if matches!(p, Placement::HereAt(_)) {
        let text = "Only servers listen at an address of this machine; a store runs here.";
        out.push(Problem::error("place.address", field, text, ""));
    }
}

/// Only servers and SQL Server stores run on nodes.
pub(super) fn no_node(p: &Placement, field: String, out: &mut Vec<Problem>) {
    if matches!(p, Placement::Node(_)) {
        let text = "Only servers and SQL Server stores run on nodes; a file store is a folder here.";
        out.push(Problem::error("place.node", field, text, ""));
    }
}

/// A node has one address, as a server that runs here at an address, and two servers of one kind would listen on the same port there.
pub(super) fn one_of_a_kind(t: &Lookup<'_>, out: &mut Vec<Problem>) {
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

pub(super) fn sql_store(i: usize, s: &SqlStore, out: &mut Vec<Problem>) {
    let field = format!("sql_stores.{i}.placement");
    no_address(&s.placement, field.clone(), out);
    if matches!(&s.placement, Placement::Node(n) if check_node_name(n).is_err()) {
        out.push(Problem::error("place.node", field, "Choose the node that has the databases.", ""));
    }
    if let Some(Err(e)) = s.instance.as_deref().map(check_instance) {
        out.push(Problem::error("name.instance", format!("sql_stores.{i}.instance"), e.0, "H:add-sql-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;
    use crate::topology::validate::validate;

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
}
