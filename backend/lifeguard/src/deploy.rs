//! From the published topology and the operational state to what hosts run.

use std::net::{IpAddr, Ipv4Addr};

use rusqlite::Connection;
use shared::configuration::{ChatConfiguration, effective};
use shared::deployment::{
    ChatPoolHost, ChatServerHost, ChatSettings, DatabaseHost, Deployment, FrontEndHost, HostedServer,
    NodePeer, PairHost, PoolState,
};
use shared::topology::{ChatPool, Computer, Placement, Topology};
use shared::{Port, SipUri};
use store::management::pools::Halt;
use store::management::{configuration, pools, topology};

use crate::door::Fault;
use crate::settings::Settings;

/// A pool's own contacts: lookup and channel address, in the SIP domain that fits the pool's name best.
pub fn contacts(p: &ChatPool, t: &Topology) -> [SipUri; 2] {
    let own = t.sip_domains.iter().find(|d| p.fqdn.as_str().ends_with(&format!(".{d}")));
    let domain =
        own.or(t.sip_domains.first()).map_or_else(|| p.fqdn.as_str().to_owned(), ToString::to_string);
    let stem = p.fqdn.as_str();
    let uri = |what: &str| {
        SipUri::try_from(format!("sip:gc-{what}-{stem}@{domain}"))
            .expect("an FQDN has only characters that a SIP user part may have")
    };
    [uri("lookup"), uri("channel")]
}

/// The address at which a node's servers listen; unspecified before it has told it.
fn node_address(c: &Connection, name: &str) -> Result<IpAddr, Fault> {
    let address = store::management::nodes::node(c, name)?.and_then(|n| n.address);
    Ok(address.and_then(|a| a.parse().ok()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// The node that owns the database that a pool uses.
fn database(
    c: &Connection,
    t: &Topology,
    p: &ChatPool,
    pair: Option<&PairHost>,
) -> Result<Option<DatabaseHost>, Fault> {
    let id = match pair {
        Some(pair) if pair.in_use == PoolState::FailedOver => Some(&pair.backup.store.id),
        _ => Some(&p.sql_store),
    };
    let Some(store) = id.and_then(|id| t.sql_store(id)) else { return Ok(None) };
    let Placement::Node(node) = &store.placement else { return Ok(None) };
    Ok(Some(DatabaseHost {
        node: node.clone(),
        address: node_address(c, node)?,
        store: store.clone(),
        generation: pools::state(c, &p.id)?.map_or(0, |r| r.generation),
    }))
}

fn host(c: &Connection, s: &Settings, m: &Computer, halted: &[Halted]) -> Result<HostedServer, Fault> {
    let (address, runs_here) = match &m.placement {
        Placement::RunHere => {
            let n = pools::known_address(c, &m.fqdn)?;
            (n.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |n| s.address(n)), n.is_some())
        }
        Placement::HereAt(a) => {
            let ip = a.trim().parse();
            (ip.clone().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), ip.is_ok())
        }
        Placement::Address(a) => (a.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), false),
        Placement::SqlServerGuided => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), false),
        Placement::Node(n) => (node_address(c, n)?, false),
    };
    let stopped = halted.iter().any(|(f, h, _)| m.fqdn.as_str() == f && *h == Halt::Stopped);
    let node = match &m.placement {
        Placement::Node(n) if !stopped => Some(n.clone()),
        _ => None,
    };
    Ok(HostedServer {
        fqdn: m.fqdn.clone(),
        address,
        runs_here: runs_here && !stopped,
        node,
        unreachable: false,
    })
}

type Halted = (String, Halt, shared::Timestamp);

/// The settings that apply to a pool (model §10: its own, else its site's, else the global ones).
fn settings(list: &[(String, ChatConfiguration)], t: &Topology, p: &ChatPool) -> ChatSettings {
    let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
    let c = effective(list, site, &p.fqdn).cloned().unwrap_or_default();
    ChatSettings {
        // The range is checked when it is set (V18); 500 is its end.
        default_chat_history: u16::try_from(c.default_chat_history).unwrap_or(500),
        participant_update_limit: c.participant_update_limit,
        room_management_url: c.room_management_url,
    }
}

/// Builds the deployment of the published topology.
pub fn build(c: &Connection, s: &Settings, generation: u64) -> Result<Deployment, Fault> {
    let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
    let endpoints = pools::endpoints(c)?;
    let halted = pools::halted(c)?;
    let configurations = configuration::all(c, configuration::Kind::PersistentChat)?;
    let mut front_ends = Vec::new();
    for p in &t.front_end_pools {
        let servers = p.servers.iter().map(|m| host(c, s, m, &halted)).collect::<Result<_, _>>()?;
        front_ends.push(FrontEndHost {
            id: p.id.clone(),
            fqdn: p.fqdn.clone(),
            servers,
            tls_port: Port::REGISTRAR_TLS.get(),
            tcp_port: Port::REGISTRAR_TCP.get(),
        });
    }
    let mut chat = Vec::new();
    for p in &t.pools {
        let active = pools::active_servers(c, &p.id)?;
        let server = |m: &Computer| {
            Ok::<_, Fault>(ChatServerHost {
                // A server that drains or is stopped takes no new sessions, whatever the active list says.
                active: active.contains(&m.fqdn.to_string())
                    && !halted.iter().any(|(f, ..)| m.fqdn.as_str() == f),
                server: host(c, s, m, &halted)?,
            })
        };
        let [lookup_uri, channel_uri] = contacts(p, &t);
        let pair = crate::fleet::pair(c, &t, p)?;
        chat.push(ChatPoolHost {
            id: p.id.clone(),
            fqdn: p.fqdn.clone(),
            display_name: p.display_name.clone(),
            port: p.port.get(),
            next_hop: p.next_hop.clone(),
            servers: p.computers.iter().map(server).collect::<Result<_, _>>()?,
            lookup_uri,
            channel_uri,
            endpoints: endpoints.iter().filter(|e| e.pool == p.id).map(|e| e.sip_address.clone()).collect(),
            default_for: p.default_for.clone(),
            default_for_front_ends: t
                .front_end_pools
                .iter()
                .filter(|f| p.default_for.contains(&f.site))
                .map(|f| f.id.clone())
                .collect(),
            compliance: p.compliance,
            settings: settings(&configurations, &t, p),
            database: database(c, &t, p, pair.as_ref())?,
            pair,
        });
    }
    let peer = |n: store::management::nodes::Node| Some(NodePeer { name: n.name, key: n.key_hash? });
    let nodes = store::management::nodes::nodes(c)?.into_iter().filter_map(peer).collect();
    Ok(Deployment { generation, sip_domains: t.sip_domains, front_ends, pools: chat, nodes })
}
