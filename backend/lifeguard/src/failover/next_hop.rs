//! The next hop of a pool that is moved: one that is down never stops a run; the run can publish another.
//! Source: L:front-end-pool-abc-failover-procedure step 15.

use shared::deployment::ServerState;
use shared::error::Problem;
use shared::topology::validate::validate;
use shared::topology::{ChatPool, FrontEndPool, Topology};
use shared::{ObjectId, roles};

use crate::app::App;
use crate::door::Cx;

const SOURCE: &str = "L:front-end-pool-abc-failover-procedure step 15";
/// The cmdlet that the change amounts to.
pub const PUBLISH: &str = "Publish-CsTopology";

fn up(app: &App, f: &FrontEndPool) -> bool {
    f.servers.iter().any(|s| app.report(&s.fqdn).is_some_and(|r| r.state == ServerState::Running))
}

/// Front End pools that could take the place of a next hop that is down; none while it runs.
pub fn instead<'a>(app: &App, t: &'a Topology, pool: &ChatPool) -> Option<Vec<&'a FrontEndPool>> {
    let hop = t.front_end_pool(&pool.next_hop).filter(|f| !up(app, f))?;
    Some(t.front_end_pools.iter().filter(|f| f.id != hop.id && up(app, f)).collect())
}

/// What is to be said of the next hop, and the one that the run publishes.
pub fn look(
    cx: &Cx,
    t: &Topology,
    pool: &ChatPool,
    named: Option<&str>,
    out: &mut Vec<Problem>,
) -> Option<(ObjectId, String)> {
    let old = t.front_end_pool(&pool.next_hop).map_or("", |f| f.fqdn.as_str());
    let Some(name) = named.map(str::trim).filter(|n| !n.is_empty()) else {
        let others = instead(&cx.app, t, pool)?;
        let names: Vec<_> = others.iter().map(|f| f.fqdn.as_str()).collect();
        let help = if names.is_empty() {
            "Bring one of its servers back.".to_owned()
        } else {
            format!("Choose {} as next hop (NextHop), and the run publishes it.", names.join(" or "))
        };
        let text =
            format!("No server of the next hop {old} runs; nobody reaches the pool through it. {help}");
        out.push(Problem::warning("next_hop.down", "NextHop", text, SOURCE));
        return None;
    };
    let mut refuse = |code: &str, text: String| {
        out.push(Problem::error(code, "NextHop", text, SOURCE));
        None
    };
    let Some(hop) = t.front_end_pools.iter().find(|f| f.fqdn.as_str().eq_ignore_ascii_case(name)) else {
        return refuse("next_hop.unknown", format!("{name} is not a published Front End pool."));
    };
    if hop.id == pool.next_hop {
        return None;
    }
    if !up(&cx.app, hop) {
        return refuse(
            "next_hop.also_down",
            format!("No server of {} runs either. Choose another one.", hop.fqdn),
        );
    }
    if let Err(why) = roles::can(PUBLISH, &cx.actor.roles) {
        return refuse("next_hop.role", format!("Changing the next hop publishes the topology. {why}"));
    }
    let mut changed = t.clone();
    for p in changed.pools.iter_mut().filter(|p| p.id == pool.id) {
        p.next_hop = hop.id.clone();
    }
    if let Some(p) = validate(&changed).into_iter().find(Problem::blocks) {
        return refuse(
            "next_hop.rules",
            format!("With {} as next hop a rule is broken: {}", hop.fqdn, p.text),
        );
    }
    Some((hop.id.clone(), hop.fqdn.to_string()))
}
