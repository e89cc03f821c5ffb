//! Where a test message goes: the registrar, its addresses, the pool that is meant.

use std::net::SocketAddr;

use shared::error::{ApiError, Problem};
use shared::topology::{Placement, Topology};
use shared::{Fqdn, Port};
use store::management::pools;

use crate::app::App;

/// Where a test goes.
pub struct Target {
    /// As typed.
    pub typed: String,
    /// Registrar reached.
    pub registrar: String,
    /// Its port.
    pub port: u16,
    /// Its addresses as far as the topology knows them.
    pub addresses: Vec<SocketAddr>,
    /// Warnings to print.
    pub warnings: Vec<Problem>,
    /// Chat pool meant, when the target is one or the room names one.
    pub pool: Option<Fqdn>,
    /// Whether the topology knows the registrar.
    pub known: bool,
}

/// Resolves a target. A chat pool's FQDN leads to its next hop with a warning (model §23).
///
/// # Errors
/// When the port is none, or the target is a Persistent Chat server.
pub fn target(app: &App, typed: &str, port: Option<u32>, room: Option<&str>) -> Result<Target, ApiError> {
    let typed = typed.trim();
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    let mut warnings = Vec::new();
    let name = Fqdn::try_from(typed).ok();
    let pool = name.as_ref().and_then(|n| t.pool_by_fqdn(n));
    let front_end = match pool {
        Some(p) => t.front_end_pool(&p.next_hop),
        None => name.as_ref().and_then(|n| t.front_end_by_fqdn(n)),
    };
    if let Some(n) = name.as_ref().filter(|_| pool.is_none() && front_end.is_none())
        && let Some(p) = t.pools.iter().find(|p| p.computers.iter().any(|c| c.fqdn == *n))
    {
        let text = format!(
            "{n} is a Persistent Chat server; users do not sign in there. Use its pool {} or a Front End pool.",
            p.fqdn
        );
        return Err(ApiError::invalid("TargetFqdn", text));
    }
    if let (Some(p), Some(fe)) = (pool, front_end) {
        let text = format!(
            "{} is a Persistent Chat pool, not a registrar pool. Its next hop {} is used.",
            p.fqdn, fe.fqdn
        );
        warnings.push(Problem::warning("target.pool", "TargetFqdn", text, "model §23"));
    }
    let registrar = front_end.map_or_else(|| typed.to_owned(), |f| f.fqdn.to_string());
    if front_end.is_none() {
        warnings.push(Problem::warning(
            "target.unknown",
            "TargetFqdn",
            shared::synthetic::REGISTRAR_PORT_WARNING,
            "S2",
        ));
    }
    let port = match port.map(|p| u16::try_from(p).ok().and_then(|p| Port::try_from(p).ok())) {
        Some(None) => {
            return Err(ApiError::invalid("RegistrarPort", "A port is a whole number from 1 to 65535."));
        }
        Some(Some(p)) => p.get(),
        None => Port::REGISTRAR_TLS.get(),
    };
    let mut addresses = front_end.map(|f| local_addresses(app, f, name.as_ref(), port)).unwrap_or_default();
    if let Ok(ip) = typed.parse() {
        addresses.push(SocketAddr::new(ip, port));
    }
    let of_room = room.and_then(|r| r.split_once('\\')).and_then(|(p, _)| Fqdn::try_from(p).ok());
    Ok(Target {
        typed: typed.to_owned(),
        registrar,
        port,
        addresses,
        warnings,
        pool: pool.map(|p| p.fqdn.clone()).or(of_room).or_else(|| default_pool(&t, front_end)),
        known: front_end.is_some(),
    })
}

/// The chat pool that users of a Front End pool's site get.
pub fn default_pool(t: &Topology, fe: Option<&shared::topology::FrontEndPool>) -> Option<Fqdn> {
    let site = &fe?.site;
    t.pools.iter().find(|p| p.default_for.contains(site)).map(|p| p.fqdn.clone())
}

/// Addresses of the pool's servers; of one alone when the target names that one and not the pool.
fn local_addresses(
    app: &App,
    f: &shared::topology::FrontEndPool,
    target: Option<&Fqdn>,
    port: u16,
) -> Vec<SocketAddr> {
    let mut out = Vec::new();
    let named = f.servers.iter().find(|s| Some(&s.fqdn) == target && s.fqdn != f.fqdn);
    for s in f.servers.iter().filter(|s| named.is_none_or(|n| n.fqdn == s.fqdn)) {
        match &s.placement {
            Placement::RunHere => {
                let n = app.store.read(|c| pools::known_address(c, &s.fqdn)).ok().flatten();
                out.extend(n.map(|n| SocketAddr::new(app.settings.address(n), port)));
            }
            Placement::Address(a) | Placement::HereAt(a) => {
                out.extend(a.trim().parse().ok().map(|ip| SocketAddr::new(ip, port)));
            }
            Placement::Node(n) => {
                let row = app.store.read(|c| store::management::nodes::node(c, n)).ok().flatten();
                let address = row.and_then(|n| n.address).and_then(|a| a.parse().ok());
                out.extend(address.map(|ip| SocketAddr::new(ip, port)));
            }
            Placement::SqlServerGuided => {}
        }
    }
    out
}
