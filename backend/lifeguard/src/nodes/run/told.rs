//! What the portal tells a node, taken in.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use node::remote::{ToNode, ToPortal};
use shared::ObjectId;
use shared::deployment::{Deployment, PoolState};
use tokio::sync::mpsc;

use super::Node;
use super::session::Over;
use crate::clock::{Clock, SystemClock};
use crate::nodes::{instance, own};

/// Sides in use and switches under way.
fn holds(d: &Deployment) -> Vec<(&ObjectId, PoolState, Option<&String>)> {
    let pairs = d.pools.iter().filter_map(|p| Some((&p.id, p.pair.as_ref()?)));
    pairs.map(|(id, pair)| (id, pair.in_use, pair.hold.as_ref())).collect()
}

impl Node {
    pub(super) fn take(&self, boot: &str, m: ToNode, link: &mpsc::Sender<ToPortal>) -> Result<(), Over> {
        match m {
            ToNode::Alive | ToNode::Joined { .. } | ToNode::Welcome { .. } => {}
            ToNode::Refused { reason, removed: true } => return Err(Over::Removed(reason)),
            ToNode::Refused { reason, .. } => return Err(Over::Lost(reason)),
            ToNode::Identities(list) => {
                for row in list {
                    self.ca.give(&row.server, row.issued.clone());
                    let mut known = self.identities();
                    known.retain(|k| k.server != row.server);
                    known.push(row);
                }
                own::apply(&self.ca, &self.identities());
                self.ca.refresh(SystemClock.now());
                self.changed.notify_one();
            }
            ToNode::Deployment(d) => {
                // Keys of servers that run elsewhere now are not kept.
                let front = d.front_ends.iter().flat_map(|f| &f.servers);
                let chat = d.pools.iter().flat_map(|p| p.servers.iter().map(|s| &s.server));
                let servers = front.chain(chat).filter(|s| s.runs_here).map(|s| s.fqdn.clone());
                // What its databases are served with stays: without the portal there would be no other.
                let here: Vec<_> = servers.chain(node::ca::databases_name(&self.own().name)).collect();
                self.identities().retain(|i| here.iter().any(|h| h.as_str() == i.server));
                own::apply(&self.ca, &self.identities());
                self.ca.refresh(SystemClock.now());
                // A switch that the portal is told of holds after a kill as well: it is noted first.
                if holds(&d) != holds(&self.deployment.borrow())
                    && let Err(e) = self.save_as((*d).clone())
                {
                    return Err(Over::Lost(format!("a switch could not be noted: {e}")));
                }
                self.confirmed.store(true, Ordering::Release);
                self.deployment.send_replace(Arc::new(*d));
                self.changed.notify_one();
            }
            ToNode::Users { first, last, changed, removed } => {
                if self.directory.take(first, last, changed, &removed) {
                    self.changed.notify_one();
                }
            }
            ToNode::Present { pool, reset, people } => {
                let roster = self.rosters.of(&pool);
                if reset {
                    roster.forget(|_| true);
                }
                people.iter().for_each(|p| roster.take(p));
            }
            ToNode::Databases(list) => self.remote.databases(boot, &list),
            ToNode::Commit { pool, generation, what } => self.remote.committed(&pool, generation, what),
            ToNode::Answer { id, result } => self.remote.answered(id, result),
            ToNode::Test(errand) => {
                tokio::spawn(self.tests.clone().carry_out(self.ca.clone(), *errand, link.clone()));
            }
            ToNode::StopTest { run } => self.tests.stop(&run),
            ToNode::Inquire { id, what } => {
                let asked = instance::answer(self.fleet.clone(), self.args.data_dir.clone(), what);
                let link = link.clone();
                tokio::spawn(async move {
                    let result = asked.await;
                    // A portal that is gone asks again.
                    let _ = link.send(ToPortal::Inquired { id, result }).await;
                });
            }
        }
        Ok(())
    }
}
