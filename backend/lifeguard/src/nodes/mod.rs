//! Nodes: processes on other machines that run servers of this deployment. This side knows who is connected
//! and what he reports; `link` talks to one of them, `run` is the node itself.

pub mod copies;
mod errand;
mod feed;
pub mod instance;
mod join;
mod link;
mod listen;
mod own;
mod owner;
mod places;
mod replica;
pub mod run;
mod spelt;
mod view;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use shared::Timestamp;
use shared::deployment::{Deployment, HostedServer, ServerReport, ServerRole, ServerState};
use tokio::sync::watch;

pub use self::errand::run as run_test;
pub use self::join::token;
pub use self::listen::{DEFAULT_LISTEN, open};
pub use self::view::{servers_of, stores_of, trouble, views};

/// Why a link is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nobody wants that.
    Open,
    /// The node has connected anew.
    Replaced,
    /// The node was removed.
    Removed,
}

struct Live {
    number: u64,
    since: Timestamp,
    remote: SocketAddr,
    end: watch::Sender<End>,
    reports: Vec<ServerReport>,
    /// Where it takes test messages from; none before it was welcomed.
    way: Option<errand::Way>,
    /// First and last generation that were sent over this link: one from before it says nothing.
    sent: Option<(u64, u64)>,
}

/// A connected node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// Since when.
    pub since: Timestamp,
    /// From where.
    pub remote: SocketAddr,
}

/// A link's place in the register.
pub struct Attached {
    /// Number of the link.
    pub number: u64,
    /// Told when it is to end.
    pub end: watch::Receiver<End>,
}

/// The nodes that are connected.
pub struct Nodes {
    live: Mutex<HashMap<String, Live>>,
    next: AtomicU64,
    changed: watch::Sender<u64>,
    /// Where nodes are to connect, when something is to listen.
    wanted: SocketAddr,
    bound: OnceLock<SocketAddr>,
    errands: errand::Errands,
    inquiries: instance::Inquiries,
}

impl Nodes {
    /// None is connected; nodes are to come to `wanted`.
    pub fn new(wanted: SocketAddr) -> Self {
        Self {
            live: Mutex::default(),
            next: AtomicU64::new(1),
            changed: watch::channel(0).0,
            wanted,
            bound: OnceLock::new(),
            errands: errand::Errands::default(),
            inquiries: instance::Inquiries::default(),
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bump(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// Where nodes connect; none while nothing listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.bound.get().copied()
    }

    /// Rises with every connection, end and report.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether a node is connected, and since when.
    pub fn connected(&self, name: &str) -> Option<Connected> {
        self.live().get(name).map(|l| Connected { since: l.since, remote: l.remote })
    }

    /// Takes a link in; an earlier one of the same node ends.
    fn attach(&self, name: &str, remote: SocketAddr, since: Timestamp) -> Attached {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (end, seen) = watch::channel(End::Open);
        let live = Live { number, since, remote, end, reports: Vec::new(), way: None, sent: None };
        if let Some(old) = self.live().insert(name.to_owned(), live) {
            old.end.send_replace(End::Replaced);
        }
        self.bump();
        Attached { number, end: seen }
    }

    /// A link has ended; whether the node is gone with it.
    fn detach(&self, name: &str, number: u64) -> bool {
        let own = {
            let mut live = self.live();
            let own = live.get(name).is_some_and(|l| l.number == number);
            if own {
                live.remove(name);
            }
            own
        };
        self.errands.lost(number);
        self.inquiries.lost(number);
        self.bump();
        own
    }

    /// A link can be used from now on.
    fn ready(&self, name: &str, way: errand::Way) {
        if let Some(l) = self.live().get_mut(name).filter(|l| l.number == way.link) {
            l.way = Some(way);
        }
        self.bump();
    }

    /// How test messages get to a node; none while it is not connected.
    fn way(&self, name: &str) -> Option<errand::Way> {
        self.live().get(name).and_then(|l| l.way.clone())
    }

    fn reported(&self, name: &str, number: u64, mut reports: Vec<ServerReport>) {
        if let Some(l) = self.live().get_mut(name).filter(|l| l.number == number) {
            for r in &mut reports {
                // What it ran before the link says nothing of what was sent over it.
                if !l.sent.is_some_and(|(first, last)| (first..=last).contains(&r.generation)) {
                    r.generation = 0;
                }
            }
            l.reports = reports;
        }
        self.bump();
    }

    fn sent(&self, name: &str, number: u64, generation: u64) {
        if let Some(l) = self.live().get_mut(name).filter(|l| l.number == number) {
            l.sent = Some((l.sent.map_or(generation, |s| s.0), generation));
        }
    }

    /// Ends the link of a node that was removed.
    pub fn remove(&self, name: &str) {
        if let Some(l) = self.live().get(name) {
            l.end.send_replace(End::Removed);
        }
    }

    /// Marks what runs on nodes that do not answer.
    pub fn mark(&self, d: &mut Deployment) {
        let live = self.live();
        let front = d.front_ends.iter_mut().flat_map(|f| &mut f.servers);
        let chat = d.pools.iter_mut().flat_map(|p| p.servers.iter_mut().map(|s| &mut s.server));
        for s in front.chain(chat) {
            s.unreachable = s.node.as_ref().is_some_and(|n| !live.contains_key(n));
        }
    }

    /// What every server does: those of this process as they report, those of nodes as their nodes report.
    /// `gone` says why a node does not answer.
    pub fn merged(
        &self,
        local: &[ServerReport],
        d: &Deployment,
        gone: impl Fn(&str) -> String,
    ) -> Vec<ServerReport> {
        let live = self.live();
        let mut out = local.to_vec();
        let mut add = |s: &HostedServer, role: ServerRole| {
            let Some(node) = &s.node else { return };
            let report = |state| ServerReport {
                fqdn: s.fqdn.clone(),
                role,
                state,
                listens: Vec::new(),
                sessions: 0,
                generation: 0,
                node: Some(node.clone()),
            };
            out.push(match live.get(node) {
                None => report(ServerState::Unreachable(gone(node))),
                Some(l) => {
                    let own = l.reports.iter().find(|r| r.fqdn == s.fqdn && r.role == role);
                    let own = own.map(|r| ServerReport { node: Some(node.clone()), ..r.clone() });
                    own.unwrap_or_else(|| report(ServerState::Starting))
                }
            });
        };
        for f in &d.front_ends {
            f.servers.iter().for_each(|s| add(s, ServerRole::FrontEnd));
        }
        for p in &d.pools {
            p.servers.iter().for_each(|s| add(&s.server, ServerRole::Chat));
        }
        out.sort_by(|a, b| a.fqdn.cmp(&b.fqdn).then((a.role as u8).cmp(&(b.role as u8))));
        out
    }
}

/// A time to the second, as it stands in a sentence.
fn in_words(t: Timestamp) -> String {
    let text = t.rfc3339();
    let whole = text.split(['.', 'Z']).next().unwrap_or_default();
    format!("{} UTC", whole.replace('T', " "))
}

/// Why a node's servers are not known to run.
pub fn gone(store: &store::management::Management, name: &str) -> String {
    let row = store.read(|c| store::management::nodes::node(c, name));
    match row.ok().flatten() {
        None => format!("There is no node {name}; add it with New-LgNode."),
        Some(n) if n.key_hash.is_none() => format!("Node {name} has not joined yet."),
        Some(n) => {
            let since = n.seen.map(|t| format!(" since {}", in_words(t))).unwrap_or_default();
            format!("Node {name} does not answer{since}.")
        }
    }
}

/// Follows the reports of this process and of nodes; what is sent is what the portal shows.
pub async fn follow(
    app: std::sync::Arc<crate::app::App>,
    mut local: watch::Receiver<Vec<ServerReport>>,
    out: watch::Sender<Vec<ServerReport>>,
) {
    let mut nodes = app.nodes.watch();
    let mut deployment = app.deployment.subscribe();
    loop {
        let d = deployment.borrow_and_update().clone();
        let own = local.borrow_and_update().clone();
        let merged = app.nodes.merged(&own, &d, |n| gone(&app.store, n));
        out.send_if_modified(|old| {
            let new = *old != merged;
            *old = merged;
            new
        });
        tokio::select! {
            r = local.changed() => if r.is_err() { return },
            r = nodes.changed() => if r.is_err() { return },
            r = deployment.changed() => if r.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_link_replaces_the_old_one_and_the_old_one_takes_nothing_with_it() {
        let nodes = Nodes::new(DEFAULT_LISTEN);
        let at: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let first = nodes.attach("a", at, Timestamp::from_millis(1));
        let second = nodes.attach("a", at, Timestamp::from_millis(2));
        assert_eq!(*first.end.borrow(), End::Replaced);
        assert!(!nodes.detach("a", first.number));
        assert_eq!(nodes.connected("a").map(|c| c.since), Some(Timestamp::from_millis(2)));
        nodes.remove("a");
        assert_eq!(*second.end.borrow(), End::Removed);
        assert!(nodes.detach("a", second.number));
        assert_eq!(nodes.connected("a"), None);
    }

    #[test]
    fn a_time_is_told_to_the_second() {
        assert_eq!(in_words(Timestamp::from_millis(1_500)), "1970-01-01 00:00:01 UTC");
    }

    #[test]
    fn a_generation_counts_only_when_it_was_sent_over_this_link() {
        let nodes = Nodes::new(DEFAULT_LISTEN);
        let link = nodes.attach("a", "127.0.0.1:1".parse().unwrap(), Timestamp::from_millis(1));
        let report = |generation| ServerReport {
            fqdn: shared::Fqdn::try_from("s.contoso.com").unwrap(),
            role: ServerRole::Chat,
            state: ServerState::Running,
            listens: Vec::new(),
            sessions: 0,
            generation,
            node: None,
        };
        let known = |nodes: &Nodes| nodes.live()["a"].reports[0].generation;
        nodes.reported("a", link.number, vec![report(12)]);
        assert_eq!(known(&nodes), 0);
        nodes.sent("a", link.number, 3);
        nodes.reported("a", link.number, vec![report(12)]);
        assert_eq!(known(&nodes), 0);
        nodes.reported("a", link.number, vec![report(3)]);
        assert_eq!(known(&nodes), 3);
    }
}
