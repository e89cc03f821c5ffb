//! What happens to each server.

use super::Touch;
use super::report::{Risk, ServerAct, Touched};
use crate::names::Fqdn;
use crate::topology::{ChatPool, Computer, Topology};

/// How risky it is that the computers of a pool change.
pub(super) fn members(list: &[Touched]) -> Touch {
    let cut = list.iter().any(|s| matches!(s.act, ServerAct::Stops | ServerAct::Restarts));
    if cut {
        return Touch::new(Risk::Disruptive, "Sessions on servers that stop end and begin anew elsewhere.");
    }
    Touch::new(Risk::Low, "The servers that are there go on.")
}

fn act(c: &Computer, act: ServerAct) -> Touched {
    Touched { fqdn: c.fqdn.clone(), act: if c.placement.is_run() { act } else { ServerAct::ByHand } }
}

pub(super) fn whole(list: &[Computer], what: ServerAct) -> Vec<Touched> {
    list.iter().map(|c| act(c, what)).collect()
}

/// What happens to each computer when `old` becomes `new`.
pub(super) fn touched(old: &[Computer], new: &[Computer]) -> Vec<Touched> {
    let known = |list: &[Computer], c: &Computer| list.iter().any(|o| o.fqdn == c.fqdn);
    let gone = old.iter().filter(|c| !known(new, c)).map(|c| act(c, ServerAct::Stops));
    let came = new.iter().filter_map(|c| match old.iter().find(|o| o.fqdn == c.fqdn) {
        None => Some(act(c, ServerAct::Starts)),
        Some(o) if o.placement == c.placement => None,
        Some(o) => Some(match (o.placement.is_run(), c.placement.is_run()) {
            (true, true) => act(c, ServerAct::Restarts),
            (true, false) => Touched { fqdn: c.fqdn.clone(), act: ServerAct::Stops },
            (false, _) => act(c, ServerAct::Starts),
        }),
    });
    gone.chain(came).collect()
}

/// The SIP domain of a pool's own addresses: the one that its name ends in, else the first.
pub(super) fn contact_domain<'t>(p: &ChatPool, t: &'t Topology) -> Option<&'t Fqdn> {
    let own = t
        .sip_domains
        .iter()
        .find(|d| p.fqdn.as_str().strip_suffix(d.as_str()).is_some_and(|stem| stem.ends_with('.')));
    own.or(t.sip_domains.first())
}
