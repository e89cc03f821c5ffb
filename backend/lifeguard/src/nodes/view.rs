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
