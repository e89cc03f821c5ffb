//! What edits of the sample do.

use super::*;
use crate::names::Fqdn;
use crate::sample::litware;
use crate::topology::Placement;
use crate::topology::diff::diff;

fn facts() -> Facts {
    let t = litware();
    Facts {
        enabled_of_front_end: [(t.front_end_pools[0].id.clone(), 3), (t.front_end_pools[1].id.clone(), 5)]
            .into(),
        users_of_domain: [("contoso.com".to_owned(), 2)].into(),
        endpoints: [(t.pools[0].id.clone(), vec!["sip:pc@contoso.com".to_owned()])].into(),
        ..Facts::default()
    }
}

/// The effects of one edit of the sample.
fn of(edit: impl FnOnce(&mut Topology)) -> Effects {
    let before = litware();
    let mut after = before.clone();
    edit(&mut after);
    effects(&before, &after, &facts(), &diff(&before, &after))
}

#[test]
fn a_port_restarts_the_servers_and_reaches_the_users_of_the_pools_sites() {
    let t = litware();
    let i = t.pools.iter().position(|p| !p.default_for.is_empty()).unwrap();
    let e = of(|t| t.pools[i].port = crate::names::Port::parse("5051").unwrap());
    let [one] = e.each.as_slice() else { panic!("{e:?}") };
    assert_eq!(one.risk, Risk::Disruptive);
    assert_eq!(one.servers.len(), t.pools[i].computers.len());
    assert!(one.servers.iter().all(|s| s.act == ServerAct::Restarts));
    let homes = t.front_end_pools.iter().filter(|f| t.pools[i].default_for.contains(&f.site));
    let users: u64 = homes.map(|f| facts().enabled_of_front_end[&f.id]).sum();
    assert!(users > 0 && one.users == users && e.users == users, "{one:?}");
    assert!(one.words().starts_with("Disruptive: "), "{}", one.words());
    assert!(one.words().contains("servers restart (") || one.words().contains("server restarts ("));
}

#[test]
fn a_pool_that_goes_takes_its_data_servers_and_endpoints_along() {
    let e = of(|t| drop(t.pools.remove(0)));
    let one = &e.each[0];
    assert_eq!((one.risk, one.endpoints.len()), (Risk::Data, 1));
    assert!(one.servers.iter().all(|s| s.act == ServerAct::Stops));
    assert_eq!(one.servers.len(), 6);
    assert!(one.words().contains("6 servers stop (gc-001.litwareinc.com, "), "{}", one.words());
    assert!(one.words().contains(" and 2 more)"), "{}", one.words());
}

#[test]
fn computers_are_told_apart() {
    let e = of(|t| {
        let p = &mut t.pools[0];
        p.computers.remove(0);
        p.computers[0].placement = Placement::Node("n1".to_owned());
        p.computers[1].placement = Placement::Address("127.0.0.9".to_owned());
        let mut fresh = p.computers[2].clone();
        fresh.fqdn = Fqdn::try_from("new.litwareinc.com").unwrap();
        p.computers.push(fresh.clone());
        fresh.fqdn = Fqdn::try_from("far.litwareinc.com").unwrap();
        fresh.placement = Placement::Address(String::new());
        p.computers.push(fresh);
    });
    use ServerAct::{ByHand, Restarts, Starts, Stops};
    let acts: Vec<_> = e.each[0].servers.iter().map(|s| s.act).collect();
    assert_eq!(acts, [Stops, Restarts, Stops, Starts, ByHand]);
    assert_eq!(e.each[0].risk, Risk::Disruptive);
    let grown = of(|t| {
        let mut c = t.pools[0].computers[0].clone();
        c.fqdn = Fqdn::try_from("new.litwareinc.com").unwrap();
        t.pools[0].computers.push(c);
    });
    assert_eq!((grown.each[0].risk, grown.users), (Risk::Low, 0), "growing interrupts nobody");
}

#[test]
fn users_of_a_domain_and_of_a_home_are_counted_once() {
    let e = of(|t| {
        t.sip_domains.retain(|d| d.as_str() != "contoso.com");
        t.front_end_pools.remove(0);
    });
    assert_eq!(e.each.iter().map(|x| x.users).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(e.each[0].endpoints, ["sip:pc@contoso.com"]);
    assert_eq!(e.users, 5, "at most all of them");
    let all = of(|t| {
        t.front_end_pools.clear();
        t.sip_domains.clear();
    });
    assert_eq!(all.users, 8);
}

#[test]
fn a_label_is_no_risk_and_a_backup_that_goes_is_data() {
    let e = of(|t| t.data_centers.clear());
    assert!(!e.each.is_empty() && e.each.iter().all(|x| x.risk == Risk::None && x.words().is_empty()));
    let e = of(|t| {
        let i = t.pools.iter().position(ChatPool::has_backup).unwrap();
        t.pools[i].backup_sql_store = None;
        t.pools[i].display_name = "Another".to_owned();
    });
    let risks: Vec<_> = e.each.iter().map(|x| x.risk).collect();
    assert!(risks.contains(&Risk::Data) && risks.contains(&Risk::Low), "{risks:?}");
}

#[test]
fn another_sip_domain_may_move_the_pools_own_addresses() {
    let e = of(|t| t.sip_domains.retain(|d| d.as_str() != "litwareinc.com"));
    assert_eq!(e.each[0].risk, Risk::Disruptive);
    let all: usize = litware().pools.iter().map(|p| p.computers.len()).sum();
    assert_eq!(e.each[0].servers.len(), all);
    let e = of(|t| t.sip_domains.push(Fqdn::try_from("fabrikam.com").unwrap()));
    assert_eq!((e.each[0].risk, e.each[0].servers.len()), (Risk::Low, 0));
}
