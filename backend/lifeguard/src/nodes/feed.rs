//! What the portal sends to a node by itself: certificates, deployment, users, databases and commits.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use node::members::Membership as _;
use node::remote::{IdentityRow, ToNode, UserRow};
use node::roster::{Presence, Roster};
use node::traits::{ChatStore, ChatUser, Committed, Databases};
use shared::deployment::{Deployment, ServerRole};
use shared::events::Topic;
use shared::{Fqdn, ObjectId, SipUri};
use store::management::{StoreError, directory, topology};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use super::{own, view};
use crate::app::App;
use crate::fleet::Fleet;

/// What nodes call the portal's process; no node can be called so.
const PORTAL_ORIGIN: &str = "(portal)";
/// Users in one frame.
const PART: usize = 500;
/// Changes that come together are sent together.
const GATHER: Duration = Duration::from_millis(50);
/// The first version of the protocol whose nodes ship logs.
const PAIRS: u32 = 4;
/// Users are compared this often even when nothing was announced.
const LOOK: Duration = Duration::from_secs(30);

/// All users as the node needs them, with secrets of those who sign in there.
fn users(app: &App, homes: &BTreeSet<ObjectId>) -> Result<Vec<UserRow>, StoreError> {
    let (list, policies, t) = app.store.read(|c| {
        let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
        Ok::<_, StoreError>((directory::users(c)?, directory::policies(c)?, t))
    })?;
    let members = app.store.current();
    let row = |u: directory::User| {
        let site = t.front_end_pool(&u.front_end).and_then(|f| t.site(&f.site)).map(|s| s.site_id.clone());
        let (chat_enabled, _) = directory::effective(&policies, u.policy.as_deref(), site.as_deref());
        let own = homes.contains(&u.front_end);
        let secrets = if own { app.keys.open_secrets(&u.secrets) } else { Vec::new() };
        let user = ChatUser {
            principals: members.principals(u.sip_address.as_str()),
            uri: u.sip_address,
            display_name: u.display_name,
            enabled: u.enabled,
            chat_enabled,
            home_front_end: u.front_end,
            secrets,
        };
        UserRow::of(&user, &u.logon_name, own)
    };
    Ok(list.into_iter().map(row).collect())
}

fn mark(u: &UserRow) -> u64 {
    let mut h = DefaultHasher::new();
    serde_json::to_string(u).unwrap_or_default().hash(&mut h);
    h.finish()
}

/// What was sent so far over one link.
#[derive(Default)]
struct Sent {
    users: Option<HashMap<SipUri, u64>>,
    /// Servers with the mark of the own certificate that went with theirs.
    identities: BTreeMap<Fqdn, u64>,
    generation: Option<u64>,
}

impl Sent {
    /// Frames that bring the node from what it knows to `list`.
    fn users(&mut self, list: Vec<UserRow>) -> Vec<ToNode> {
        let first = self.users.is_none();
        let before = self.users.take().unwrap_or_default();
        let now: HashMap<SipUri, u64> = list.iter().map(|u| (u.uri.clone(), mark(u))).collect();
        let changed: Vec<UserRow> =
            list.into_iter().filter(|u| first || before.get(&u.uri) != now.get(&u.uri)).collect();
        let removed: Vec<SipUri> = before.keys().filter(|u| !now.contains_key(*u)).cloned().collect();
        self.users = Some(now);
        if !first && changed.is_empty() && removed.is_empty() {
            return Vec::new();
        }
        let mut parts: Vec<Vec<UserRow>> = changed.chunks(PART).map(<[UserRow]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        let count = parts.len();
        let frame = |(i, changed)| ToNode::Users {
            first: first && i == 0,
            last: i + 1 == count,
            changed,
            removed: if i == 0 { removed.clone() } else { Vec::new() },
        };
        parts.into_iter().enumerate().map(frame).collect()
    }
}

/// Sends desired state and directory as they change, until the link ends.
pub async fn feed(app: Arc<App>, name: String, number: u64, out: mpsc::Sender<ToNode>) {
    let mut deployment = app.deployment.subscribe();
    let (mut bus, _) = app.bus.subscribe(None);
    let mut sent = Sent::default();
    loop {
        let d = deployment.borrow_and_update().clone();
        let (a, homes) = (app.clone(), view::homes(&d, &name));
        let list = tokio::task::spawn_blocking(move || users(&a, &homes)).await;
        let mut frames = Vec::new();
        match list {
            Ok(Ok(list)) => frames.extend(sent.users(list)),
            Ok(Err(e)) => {
                tracing::error!(node = name, cause = %e, "the directory could not be read for a node");
            }
            Err(e) => tracing::error!(node = name, cause = %e, "the directory could not be read for a node"),
        }
        let mut identities = Vec::new();
        let all = own::opened(&app).unwrap_or_else(|e| {
            tracing::error!(node = name, cause = %e, "own certificates could not be read for a node");
            BTreeMap::new()
        });
        let here = view::servers_of(&d, &name);
        // A server that comes back gets its certificate again: the node has forgotten it meanwhile.
        let port = node::ca::databases_name(&name).ok();
        sent.identities.retain(|s, _| here.iter().any(|(h, ..)| h == s) || port.as_ref() == Some(s));
        for (server, pool, role) in here {
            // Clients come to Front Ends only.
            let own = all.get(pool.as_str()).filter(|_| role == ServerRole::FrontEnd).cloned();
            let mark = own::mark(own.as_ref());
            if sent.identities.insert(server.clone(), mark) != Some(mark) {
                match app.ca.issue(&[&server, &pool]) {
                    Ok(i) => {
                        let (server, issued) = (server.to_string(), i.issued());
                        identities.push(IdentityRow { server, issued, own });
                    }
                    Err(e) => {
                        tracing::error!(%server, cause = %e, "a server's certificate could not be made");
                    }
                }
            }
        }
        if let Some(port) = port
            && d.pools.iter().any(|p| p.database.as_ref().is_some_and(|h| h.node == name))
            && sent.identities.insert(port.clone(), own::mark(None)).is_none()
        {
            match app.ca.issue(&[&port]) {
                Ok(i) => {
                    identities.push(IdentityRow { server: port.to_string(), issued: i.issued(), own: None });
                }
                Err(e) => {
                    tracing::error!(node = name, cause = %e, "the certificate of its databases could not be made");
                }
            }
        }
        if !identities.is_empty() {
            frames.push(ToNode::Identities(identities));
        }
        if sent.generation != Some(d.generation) {
            sent.generation = Some(d.generation);
            app.nodes.sent(&name, number, d.generation);
            let seen = view::for_node(&d, &name);
            let ships = app.nodes.way(&name).is_some_and(|w| w.version >= PAIRS);
            let seen = if ships { seen } else { view::without_pairs(seen, &name) };
            frames.push(ToNode::Deployment(Box::new(seen)));
        }
        for f in frames {
            if out.send(f).await.is_err() {
                return;
            }
        }
        loop {
            tokio::select! {
                r = deployment.changed() => {
                    if r.is_err() {
                        return;
                    }
                    break;
                }
                e = bus.recv() => match e {
                    Ok(e) if matches!(e.topic, Topic::Directory | Topic::Topology) => break,
                    // A certificate was set or removed.
                    Ok(e) if e.topic == Topic::Server && d.front_ends.iter().any(|f| f.fqdn.as_str() == e.subject) => break,
                    Err(broadcast::error::RecvError::Lagged(_)) => break,
                    Err(broadcast::error::RecvError::Closed) => return,
                    Ok(_) => {}
                },
                () = tokio::time::sleep(LOOK) => break,
            }
        }
        tokio::time::sleep(GATHER).await;
    }
}

/// Tells a peer which of its databases (`own`) are open, and everything that is committed in them. A node that
/// knows no groups is told that rights have changed when `people` have.
pub async fn databases(
    fleet: Arc<Fleet>,
    mut deployment: watch::Receiver<Arc<Deployment>>,
    own: impl Fn(&Deployment) -> BTreeSet<ObjectId> + Send,
    people: Option<watch::Receiver<u64>>,
    out: mpsc::Sender<ToNode>,
) {
    let mut changed = fleet.watch();
    let mut told: Option<Vec<(ObjectId, u64)>> = None;
    let mut forwarding: HashMap<(ObjectId, u64), Forwarder> = HashMap::new();
    loop {
        changed.mark_unchanged();
        let own = own(&deployment.borrow_and_update());
        let open: Vec<(ObjectId, Arc<dyn ChatStore>)> =
            own.into_iter().filter_map(|p| fleet.current(&p).map(|s| (p, s))).collect();
        let list: Vec<_> = open.iter().map(|(p, s)| (p.clone(), s.generation())).collect();
        forwarding.retain(|k, _| list.contains(k));
        // Subscribed before the node is told: nothing is committed in between that it does not hear of.
        for ((pool, store), key) in open.into_iter().zip(&list) {
            forwarding.entry(key.clone()).or_insert_with(|| {
                let task = forward(pool, key.1, store.subscribe(), people.clone(), out.clone());
                Forwarder(tokio::spawn(task))
            });
        }
        if told.as_ref() != Some(&list) {
            if out.send(ToNode::Databases(list.clone())).await.is_err() {
                return;
            }
            told = Some(list);
        }
        tokio::select! {
            r = changed.changed() => if r.is_err() { return },
            r = deployment.changed() => if r.is_err() { return },
        }
    }
}

/// Everyone in the rooms of a pool who is not at the node itself, in one frame after the other.
fn everyone(pool: &ObjectId, roster: &Roster, name: &str) -> Vec<ToNode> {
    let all: Vec<Presence> = roster.all().into_iter().filter_map(|p| for_others(p, name)).collect();
    let mut frames: Vec<ToNode> = all
        .chunks(PART)
        .map(|c| ToNode::Present { pool: pool.clone(), reset: false, people: c.to_vec() })
        .collect();
    match frames.first_mut() {
        Some(ToNode::Present { reset, .. }) => *reset = true,
        _ => frames.push(ToNode::Present { pool: pool.clone(), reset: true, people: Vec::new() }),
    }
    frames
}

/// As the node is told it: not what it said itself; what is at the portal has the portal's name there.
fn for_others(p: Presence, name: &str) -> Option<Presence> {
    if p.origin == name {
        return None;
    }
    let origin = if p.origin.is_empty() { PORTAL_ORIGIN.to_owned() } else { p.origin };
    Some(Presence { origin, ..p })
}

/// Tells the node who is in the rooms of its pools elsewhere, until the link ends.
pub async fn rosters(app: Arc<App>, name: String, out: mpsc::Sender<ToNode>) {
    let mut changes = app.rosters.subscribe();
    let mut deployment = app.deployment.subscribe();
    let mut told: BTreeSet<ObjectId> = BTreeSet::new();
    loop {
        let own = view::pools(&deployment.borrow_and_update(), &name);
        told.retain(|p| own.contains(p));
        let mut frames = Vec::new();
        for pool in own {
            if told.insert(pool.clone()) {
                frames.extend(everyone(&pool, &app.rosters.of(&pool), &name));
            }
        }
        tokio::select! {
            r = deployment.changed(), if frames.is_empty() => if r.is_err() { return },
            c = changes.recv(), if frames.is_empty() => match c {
                Ok((pool, p)) if told.contains(&pool) => {
                    let people: Vec<_> = for_others(p, &name).into_iter().collect();
                    if !people.is_empty() {
                        frames.push(ToNode::Present { pool, reset: false, people });
                    }
                }
                Ok(_) => {}
                // Too much at once: told anew as it stands.
                Err(broadcast::error::RecvError::Lagged(_)) => told.clear(),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = std::future::ready(()), if !frames.is_empty() => {}
        }
        for f in frames {
            if out.send(f).await.is_err() {
                return;
            }
        }
    }
}

/// A task that ends with its owner.
struct Forwarder(JoinHandle<()>);

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn forward(
    pool: ObjectId,
    generation: u64,
    mut commits: broadcast::Receiver<Committed>,
    mut people: Option<watch::Receiver<u64>>,
    out: mpsc::Sender<ToNode>,
) {
    loop {
        let regrouped = async {
            match &mut people {
                // The store lives as long as the portal.
                Some(p) => p.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        let what = tokio::select! {
            c = commits.recv() => match c {
                Ok(c) => c,
                Err(broadcast::error::RecvError::Lagged(_)) => Committed::Missed,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            true = regrouped => Committed::RightsChanged,
            else => return,
        };
        if out.send(ToNode::Commit { pool: pool.clone(), generation, what }).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: usize, name: &str) -> UserRow {
        let user = ChatUser {
            uri: SipUri::try_from(format!("sip:u{n}@contoso.com")).unwrap(),
            display_name: name.to_owned(),
            enabled: true,
            chat_enabled: true,
            home_front_end: ObjectId::try_from("fe").unwrap(),
            secrets: Vec::new(),
            principals: Vec::new(),
        };
        UserRow::of(&user, &format!("CONTOSO\\u{n}"), true)
    }

    #[test]
    fn the_first_list_is_whole_and_later_ones_are_what_changed() {
        let mut sent = Sent::default();
        let whole = sent.users((0..1001).map(|n| user(n, "x")).collect());
        let shape = |f: &ToNode| match f {
            ToNode::Users { first, last, changed, removed } => (*first, *last, changed.len(), removed.len()),
            _ => panic!("not users"),
        };
        let shapes: Vec<_> = whole.iter().map(shape).collect();
        assert_eq!(shapes, [(true, false, 500, 0), (false, false, 500, 0), (false, true, 1, 0)]);
        assert!(sent.users((0..1001).map(|n| user(n, "x")).collect()).is_empty());
        let news = sent.users((1..1001).map(|n| user(n, if n == 7 { "y" } else { "x" })).collect());
        assert_eq!(news.iter().map(shape).collect::<Vec<_>>(), [(false, true, 1, 1)]);
        let empty = Sent::default().users(Vec::new());
        assert_eq!(empty.iter().map(shape).collect::<Vec<_>>(), [(true, true, 0, 0)]);
    }
}
