//! The deployment as a node sees it, and the nodes as the page sees them.

use std::collections::BTreeSet;

use shared::api::{NodeServer, NodeView};
use shared::deployment::{Deployment, HostedServer, ServerRole, ServerState};
use shared::topology::SqlStore;
use shared::{Fqdn, ObjectId};
use store::management::nodes as kept;

use crate::app::App;
use crate::door::{Fault, store_error};

/// The deployment with what runs *here* as the node `name` sees it.
pub fn for_node(d: &Deployment, name: &str) -> Deployment {
    let mut d = d.clone();
    let front = d.front_ends.iter_mut().flat_map(|f| &mut f.servers);
    let chat = d.pools.iter_mut().flat_map(|p| p.servers.iter_mut().map(|s| &mut s.server));
    for s in front.chain(chat) {
        s.runs_here = s.node.as_deref() == Some(name);
        s.unreachable &= !s.runs_here;
    }
    for p in &mut d.pools {
        p.pair = p.pair.take().filter(|pair| pair.of(Some(name)).is_some());
    }
    d
}

/// The same for a node whose version ships no logs: it must not open what another process may take over.
pub fn without_pairs(mut d: Deployment, name: &str) -> Deployment {
    for p in d.pools.iter_mut().filter(|p| p.pair.is_some()) {
        p.pair = None;
        p.database = p.database.take().filter(|h| h.node != name);
    }
    d
}

/// Servers that the node runs, each with the pool it is of.
pub fn servers_of(d: &Deployment, name: &str) -> Vec<(Fqdn, Fqdn, ServerRole)> {
    let here = |s: &HostedServer| s.node.as_deref() == Some(name);
    let front = d.front_ends.iter().flat_map(|f| {
        f.servers.iter().filter(|s| here(s)).map(|s| (s.fqdn.clone(), f.fqdn.clone(), ServerRole::FrontEnd))
    });
    let chat = d.pools.iter().flat_map(|p| {
        let own = p.servers.iter().filter(|s| here(&s.server));
        own.map(|s| (s.server.fqdn.clone(), p.fqdn.clone(), ServerRole::Chat))
    });
    front.chain(chat).collect()
}

/// Stores whose databases the node owns, each with its pool.
pub fn stores_of(d: &Deployment, name: &str) -> Vec<(SqlStore, Fqdn, ObjectId)> {
    let own = d.pools.iter().filter_map(|p| {
        let store = match &p.pair {
            Some(pair) => &pair.side(pair.of(Some(name))?).store,
            None => &p.database.as_ref().filter(|h| h.node == name)?.store,
        };
        Some((store.clone(), p.fqdn.clone(), p.id.clone()))
    });
    own.collect()
}

/// Front End pools with a server on the node: their users sign in there.
pub fn homes(d: &Deployment, name: &str) -> BTreeSet<ObjectId> {
    let own = d.front_ends.iter().filter(|f| f.servers.iter().any(|s| s.node.as_deref() == Some(name)));
    own.map(|f| f.id.clone()).collect()
}

/// Pools with a server on the node: their databases may be asked.
pub fn pools(d: &Deployment, name: &str) -> BTreeSet<ObjectId> {
    let own = d.pools.iter().filter(|p| p.servers.iter().any(|s| s.server.node.as_deref() == Some(name)));
    own.map(|p| p.id.clone()).collect()
}

/// The nodes with their state and what they run.
///
/// # Errors
/// The store's.
pub fn views(app: &App) -> Result<Vec<NodeView>, shared::ApiError> {
    let rows = app.store.read(|c| Ok::<_, Fault>(kept::nodes(c)?)).map_err(|f| f.0)?;
    let d = app.deployment.borrow().clone();
    let now = app.clock.now();
    let view = |n: kept::Node| {
        let link = app.nodes.connected(&n.name);
        let (state, since) = match (&link, &n.key_hash) {
            (Some(l), _) => ("Connected", Some(l.since)),
            (None, Some(_)) => ("Unreachable", n.seen),
            (None, None) if n.token_until.is_some_and(|t| t > now) => ("Waiting", Some(n.created)),
            (None, None) => ("Expired", n.token_until),
        };
        let server = |(fqdn, pool, _): (Fqdn, Fqdn, ServerRole)| {
            let report = app.report(&fqdn);
            NodeServer { state: report.map_or(ServerState::Starting, |r| r.state), fqdn, pool }
        };
        let database = |(store, pool, id): (SqlStore, Fqdn, ObjectId)| NodeServer {
            fqdn: store.fqdn,
            pool,
            state: match database_trouble(app, &d, &id, &n.name) {
                None => ServerState::Running,
                Some(why) => ServerState::Unreachable(why),
            },
        };
        let servers = servers_of(&d, &n.name).into_iter().map(server);
        NodeView {
            servers: servers.chain(stores_of(&d, &n.name).into_iter().map(database)).collect(),
            name: n.name,
            state: state.to_owned(),
            since,
            address: n.address,
            product: n.product,
            joined: n.joined,
            token_until: n.token_until,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Why the database that a node has of a pool does not answer.
fn database_trouble(app: &App, d: &Deployment, pool: &ObjectId, node: &str) -> Option<String> {
    let pair = d.pools.iter().find(|p| p.id == *pool).and_then(|p| p.pair.as_ref());
    match pair.and_then(|pair| pair.of(Some(node))) {
        Some(side) => app.fleet.apart().why(pool, side),
        None => app.fleet.elsewhere().away(pool),
    }
}

/// Why a server cannot be placed on the node now; none when it can.
///
/// # Errors
/// The store's.
pub fn trouble(app: &App, name: &str) -> Result<Option<String>, shared::ApiError> {
    let row = app.store.read(|c| kept::node(c, name)).map_err(store_error)?;
    if row.as_ref().is_some_and(|n| n.key_hash.is_some()) && app.nodes.connected(name).is_some() {
        return Ok(None);
    }
    Ok(Some(super::gone(&app.store, name)))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use shared::deployment::{ChatPoolHost, ChatSettings, DatabaseHost, PairHost, PoolState, SideHost};
    use shared::shipping::Schedule;
    use shared::topology::Placement;

    use super::*;

    fn store(node: &str) -> SqlStore {
        SqlStore {
            id: ObjectId::try_from(node).unwrap(),
            fqdn: Fqdn::try_from(format!("{node}.contoso.com").as_str()).unwrap(),
            instance: None,
            placement: Placement::Node(node.to_owned()),
        }
    }

    /// A pool with its primary on `n1`, in use, and its backup on `n2`.
    fn two_owners() -> Deployment {
        let side = |n: &str| SideHost { node: Some(n.to_owned()), store: store(n) };
        let pair = PairHost {
            in_use: PoolState::Normal,
            epoch: 1,
            state: PoolState::Normal,
            forced: false,
            hold: None,
            primary: side("n1"),
            backup: side("n2"),
            share: "/mnt/chat".to_owned(),
            schedule: Schedule::default(),
        };
        let database = DatabaseHost {
            node: "n1".to_owned(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            store: store("n1"),
            generation: 1,
        };
        let uri = || shared::SipUri::try_from("sip:x@contoso.com").unwrap();
        let pool = ChatPoolHost {
            id: ObjectId::try_from("p1").unwrap(),
            fqdn: Fqdn::try_from("pool.contoso.com").unwrap(),
            display_name: String::new(),
            port: 5041,
            next_hop: ObjectId::try_from("fe").unwrap(),
            servers: Vec::new(),
            lookup_uri: uri(),
            channel_uri: uri(),
            endpoints: Vec::new(),
            default_for: Vec::new(),
            default_for_front_ends: Vec::new(),
            compliance: false,
            settings: ChatSettings::default(),
            database: Some(database),
            pair: Some(pair),
        };
        Deployment { pools: vec![pool], ..Deployment::default() }
    }

    #[test]
    fn owners_alone_hear_of_both_sides_and_an_old_one_opens_nothing() {
        let d = two_owners();
        for (node, told) in [("n1", true), ("n2", true), ("n3", false)] {
            let seen = for_node(&d, node);
            assert_eq!(seen.pools[0].pair.is_some(), told, "{node}");
            assert!(seen.pools[0].database.is_some(), "{node} knows who has the database");
            assert_eq!(stores_of(&d, node).len(), usize::from(told), "{node}");
        }
        let old = without_pairs(for_node(&d, "n1"), "n1");
        assert!(old.pools[0].pair.is_none() && old.pools[0].database.is_none(), "it would not ship");
        let guest = without_pairs(for_node(&d, "n3"), "n3");
        assert!(guest.pools[0].database.is_some(), "its chat servers reach the owner");
    }
}
