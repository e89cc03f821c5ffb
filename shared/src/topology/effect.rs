//! What publishing a difference does to people and servers: how risky each change is, which servers start,
//! restart or stop for it, which legacy endpoints and how many chat users it reaches. Pure.
//!
//! The rules follow what a host does with a new deployment: a server is started anew when its address, its
//! pool's name or its port changes; everything else it takes up while it runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diff::{Change, ObjectKind};
use super::transition::Facts;
use super::{ChatPool, Computer, FileStoreRef, FrontEndPool, Topology};
use crate::names::{Fqdn, ObjectId};

/// How much a change can hurt, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing runs differently.
    #[default]
    None,
    /// Something new or renamed; nobody is interrupted.
    Low,
    /// Sessions end, or people find something else than before.
    Disruptive,
    /// Databases or files are set aside or left behind.
    Data,
}

impl Risk {
    /// The word on the badge and in the plan.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "No risk",
            Self::Low => "Low risk",
            Self::Disruptive => "Disruptive",
            Self::Data => "Touches data",
        }
    }
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerAct {
    /// It is stopped; its sessions end.
    Stops,
    /// It is stopped and started; its sessions end.
    Restarts,
    /// It is started.
    Starts,
    /// It takes the change up while it runs.
    Reconfigures,
    /// It stands elsewhere: somebody sets it up there.
    ByHand,
}

impl ServerAct {
    /// What one server does, or several do.
    pub fn verb(self, several: bool) -> &'static str {
        match (self, several) {
            (Self::Stops, false) => "stops",
            (Self::Stops, true) => "stop",
            (Self::Restarts, false) => "restarts",
            (Self::Restarts, true) => "restart",
            (Self::Starts, false) => "starts",
            (Self::Starts, true) => "start",
            (Self::Reconfigures, false) => "takes it up while running",
            (Self::Reconfigures, true) => "take it up while running",
            (Self::ByHand, false) => "is set up on its own machine",
            (Self::ByHand, true) => "are set up on their own machines",
        }
    }
}

/// A server that a change reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Touched {
    /// Its name.
    pub fqdn: Fqdn,
    /// What happens to it.
    pub act: ServerAct,
}

/// What one change does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Effect {
    /// How risky it is.
    pub risk: Risk,
    /// What comes of it, in a sentence.
    pub why: String,
    /// Servers it reaches.
    pub servers: Vec<Touched>,
    /// Legacy endpoints it reaches.
    pub endpoints: Vec<String>,
    /// Chat users it reaches.
    pub users: u64,
}

/// Most names that [`Effect::words`] writes out.
const NAMES: usize = 4;

impl Effect {
    /// Risk and reach in one line, for example `Disruptive: 1 server restarts (gc-001.contoso.com), 3 chat users.`;
    /// empty when nothing runs differently.
    pub fn words(&self) -> String {
        if self.risk == Risk::None {
            return String::new();
        }
        let parts = self.reach();
        let reach = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("{}{reach}. {}", self.risk.word(), self.why).trim_end().to_owned()
    }

    /// What it reaches, a part each.
    pub fn reach(&self) -> Vec<String> {
        let mut acts: BTreeMap<ServerAct, Vec<&str>> = BTreeMap::new();
        for s in &self.servers {
            acts.entry(s.act).or_default().push(s.fqdn.as_str());
        }
        let mut parts: Vec<String> = acts
            .into_iter()
            .map(|(act, names)| {
                let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
                let rest = names.len().saturating_sub(NAMES);
                let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
                format!(
                    "{} {} ({shown}{rest})",
                    count(names.len() as u64, "server"),
                    act.verb(names.len() > 1)
                )
            })
            .collect();
        if !self.endpoints.is_empty() {
            parts.push(count(self.endpoints.len() as u64, "endpoint"));
        }
        if self.users > 0 {
            parts.push(count(self.users, "chat user"));
        }
        parts
    }
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The effects of all changes together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// One per change, in the order of the changes.
    pub each: Vec<Effect>,
    /// Chat users that any of them reaches, each counted once.
    pub users: u64,
}

/// What each of `changes` (from `before` to `after`) does.
pub fn effects(before: &Topology, after: &Topology, facts: &Facts, changes: &[Change]) -> Effects {
    let world = World::new(before, after, facts);
    let mut homes = BTreeSet::new();
    let mut domains = BTreeSet::new();
    let mut out = Effects::default();
    for c in changes {
        let mut touch = world.of(c);
        let by_home: u64 = touch.homes.iter().map(|h| at(&facts.enabled_of_front_end, h)).sum();
        let by_domain = touch.domain.as_ref().map_or(0, |d| at(&facts.users_of_domain, d));
        touch.effect.users = by_home.max(by_domain);
        homes.append(&mut touch.homes);
        domains.extend(touch.domain);
        out.each.push(touch.effect);
    }
    let sum: u64 = homes.iter().map(|h| at(&facts.enabled_of_front_end, h)).sum::<u64>()
        + domains.iter().map(|d| at(&facts.users_of_domain, d)).sum::<u64>();
    // A user of a domain has a home too; no more than all can be reached.
    out.users = sum.min(facts.enabled_of_front_end.values().sum());
    out
}

fn at<K: Ord>(map: &BTreeMap<K, u64>, key: &K) -> u64 {
    map.get(key).copied().unwrap_or(0)
}

/// An effect under way, with the groups of users it reaches.
#[derive(Default)]
struct Touch {
    effect: Effect,
    homes: BTreeSet<ObjectId>,
    domain: Option<String>,
}

impl Touch {
    fn new(risk: Risk, why: impl Into<String>) -> Self {
        Self { effect: Effect { risk, why: why.into(), ..Effect::default() }, ..Self::default() }
    }
}

/// Both topologies with what is looked up often.
struct World<'a> {
    before: &'a Topology,
    after: &'a Topology,
    facts: &'a Facts,
    old_pools: BTreeMap<&'a str, &'a ChatPool>,
    new_pools: BTreeMap<&'a str, &'a ChatPool>,
    old_front_ends: BTreeMap<&'a str, &'a FrontEndPool>,
    new_front_ends: BTreeMap<&'a str, &'a FrontEndPool>,
    /// Published pools by the stores they use, SQL and file.
    users_of_store: BTreeMap<&'a str, Vec<&'a ChatPool>>,
    /// Front End pools by site, published ones.
    homes_of_site: BTreeMap<&'a ObjectId, Vec<&'a ObjectId>>,
}

impl<'a> World<'a> {
    fn new(before: &'a Topology, after: &'a Topology, facts: &'a Facts) -> Self {
        let mut users_of_store: BTreeMap<&str, Vec<&ChatPool>> = BTreeMap::new();
        for p in &before.pools {
            for id in p.sql_stores() {
                users_of_store.entry(id.as_str()).or_default().push(p);
            }
            if let FileStoreRef::Share(id) = &p.file_store {
                users_of_store.entry(id.as_str()).or_default().push(p);
            }
        }
        let mut homes_of_site: BTreeMap<&ObjectId, Vec<&ObjectId>> = BTreeMap::new();
        for f in &before.front_end_pools {
            homes_of_site.entry(&f.site).or_default().push(&f.id);
        }
        Self {
            before,
            after,
            facts,
            old_pools: before.pools.iter().map(|p| (p.id.as_str(), p)).collect(),
            new_pools: after.pools.iter().map(|p| (p.id.as_str(), p)).collect(),
            old_front_ends: before.front_end_pools.iter().map(|p| (p.id.as_str(), p)).collect(),
            new_front_ends: after.front_end_pools.iter().map(|p| (p.id.as_str(), p)).collect(),
            users_of_store,
            homes_of_site,
        }
    }

    fn of(&self, c: &Change) -> Touch {
        match c {
            Change::Added { kind, name, object } => {
                let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
                self.added(*kind, name, id)
            }
            Change::Removed { kind, name, id } => self.removed(*kind, name, id),
            Change::Modified { kind, id, field, from, to, .. } => match kind {
                ObjectKind::Pool => {
                    match (self.old_pools.get(id.as_str()), self.new_pools.get(id.as_str())) {
                        (Some(old), Some(new)) => self.pool_field(old, new, field),
                        _ => Touch::default(),
                    }
                }
                ObjectKind::FrontEndPool => {
                    match (self.old_front_ends.get(id.as_str()), self.new_front_ends.get(id.as_str())) {
                        (Some(old), Some(new)) => front_end_field(old, new, field),
                        _ => Touch::default(),
                    }
                }
                ObjectKind::Site => {
                    let mut t = Touch::new(
                        Risk::Disruptive,
                        format!(
                            "Policies and settings at site:{} stop to apply; make them for site:{}.",
                            text(from),
                            text(to)
                        ),
                    );
                    if let Ok(id) = ObjectId::try_from(id.as_str()) {
                        t.homes = self.homes([&id]);
                    }
                    t
                }
                ObjectKind::SqlStore => self.store(id, "Databases do not move with the entry."),
                ObjectKind::FileStore => {
                    self.store(id, "Files that were uploaded stay where they are; they are not moved.")
                }
                ObjectKind::DataCenter | ObjectKind::SipDomain => label(),
            },
        }
    }

    fn added(&self, kind: ObjectKind, name: &str, id: &str) -> Touch {
        match kind {
            ObjectKind::SipDomain => {
                let mut t = Touch::new(Risk::Low, "People and endpoints may have addresses in it.");
                self.moved_contacts(name, &mut t);
                t
            }
            ObjectKind::FrontEndPool => {
                let mut t = Touch::new(Risk::Low, "Users can be homed on it afterwards.");
                let servers = self.new_front_ends.get(id).map(|p| p.servers.as_slice()).unwrap_or_default();
                t.effect.servers = touched(&[], servers);
                t
            }
            ObjectKind::Pool => {
                let mut t = Touch::new(Risk::Low, "A new pool with databases of its own.");
                if let Some(p) = self.new_pools.get(id) {
                    t.effect.servers = touched(&[], &p.computers);
                    t.homes = self.homes(&p.default_for);
                }
                t
            }
            ObjectKind::Site | ObjectKind::SqlStore | ObjectKind::FileStore => {
                Touch::new(Risk::None, "Nothing runs on it until a pool uses it.")
            }
            ObjectKind::DataCenter => label(),
        }
    }

    fn removed(&self, kind: ObjectKind, name: &str, id: &str) -> Touch {
        match kind {
            ObjectKind::SipDomain => {
                let mut t = Touch::new(Risk::Disruptive, "Addresses in it are no longer served.");
                let end = format!("@{}", name.to_lowercase());
                let own =
                    self.facts.endpoints.values().flatten().filter(|e| e.to_lowercase().ends_with(&end));
                t.effect.endpoints = own.cloned().collect();
                t.domain = Some(name.to_lowercase());
                self.moved_contacts(name, &mut t);
                t
            }
            ObjectKind::Site => {
                Touch::new(Risk::Low, "Policies and settings at this site are no longer used.")
            }
            ObjectKind::FrontEndPool => {
                let mut t = Touch::new(Risk::Disruptive, "Whoever is signed on there is signed off.");
                if let Some(p) = self.old_front_ends.get(id) {
                    t.effect.servers = touched(&p.servers, &[]);
                    t.homes = [p.id.clone()].into();
                }
                t
            }
            ObjectKind::SqlStore => Touch::new(Risk::Low, "Databases that were there are kept aside."),
            ObjectKind::FileStore => Touch::new(Risk::Low, "Files that were uploaded stay where they are."),
            ObjectKind::Pool => {
                let why = "Its databases are closed and set aside with all rooms and messages.";
                let mut t = Touch::new(Risk::Data, why);
                if let Some(p) = self.old_pools.get(id) {
                    t.effect.servers = touched(&p.computers, &[]);
                    t.effect.endpoints = self.endpoints(p);
                    t.homes = self.homes(&p.default_for);
                }
                t
            }
            ObjectKind::DataCenter => label(),
        }
    }

    fn pool_field(&self, old: &ChatPool, new: &ChatPool, field: &str) -> Touch {
        let gained = |was: bool, is: bool| !was && is;
        let all = |act| whole(&new.computers, act);
        let store = |was: Option<&ObjectId>, is: Option<&ObjectId>, new: &str, lost: &str| {
            let fresh = gained(was.is_some(), is.is_some());
            Touch::new(if fresh { Risk::Low } else { Risk::Data }, if fresh { new } else { lost })
        };
        let copy = "A copy of the database is kept there from then on.";
        let (mut t, servers) = match field {
            "computers" => {
                let list = touched(&old.computers, &new.computers);
                (members(&list), list)
            }
            "display_name" => (
                Touch::new(Risk::Low, "Clients show the new name after they look the pool up again."),
                all(ServerAct::Reconfigures),
            ),
            "port" => (
                Touch::new(Risk::Disruptive, "Everybody in a room of this pool is cut off and joins again."),
                all(ServerAct::Restarts),
            ),
            "next_hop" => (
                Touch::new(
                    Risk::Disruptive,
                    "Requests come through another Front End pool; the old one is refused new sessions.",
                ),
                all(ServerAct::Reconfigures),
            ),
            "site" => (
                Touch::new(Risk::Low, "The settings of the other site apply to it."),
                all(ServerAct::Reconfigures),
            ),
            "compliance" if new.compliance => (
                Touch::new(Risk::Low, "Joins, leaves and posts are recorded from then on."),
                all(ServerAct::Reconfigures),
            ),
            "compliance" => (
                Touch::new(
                    Risk::Data,
                    "Nothing is recorded any more; the queue is set aside with what is in it.",
                ),
                all(ServerAct::Reconfigures),
            ),
            "default_for" => {
                let mut t = Touch::new(
                    Risk::Low,
                    "Users of these sites create rooms on another pool; the rooms that exist stay.",
                );
                let moved = old.default_for.iter().filter(|s| !new.default_for.contains(s));
                let moved = moved.chain(new.default_for.iter().filter(|s| !old.default_for.contains(s)));
                t.homes = self.homes(moved);
                return t;
            }
            "backup_sql_store" => {
                let lost = "The backup database is set aside; until a new copy is made there is none to fail over to.";
                (store(old.backup_sql_store.as_ref(), new.backup_sql_store.as_ref(), copy, lost), vec![])
            }
            "mirror_sql_store" => {
                let lost = "The mirror is not kept up any more.";
                (store(old.mirror_sql_store.as_ref(), new.mirror_sql_store.as_ref(), copy, lost), vec![])
            }
            "backup_mirror_sql_store" => {
                let (was, is) = (old.backup_mirror_sql_store.as_ref(), new.backup_mirror_sql_store.as_ref());
                (store(was, is, copy, "The mirror of the backup is not kept up any more."), vec![])
            }
            "compliance_sql_store" => {
                let (was, is) = (old.compliance_sql_store.as_ref(), new.compliance_sql_store.as_ref());
                let new = "Recorded events are queued there.";
                (store(was, is, new, "The queue is set aside with what is in it."), vec![])
            }
            "backup_compliance_sql_store" => {
                let (was, is) =
                    (old.backup_compliance_sql_store.as_ref(), new.backup_compliance_sql_store.as_ref());
                (
                    store(was, is, "A second queue stands ready there.", "The second queue is set aside."),
                    vec![],
                )
            }
            "compliance_mirror_sql_store" | "backup_compliance_mirror_sql_store" => {
                let mirrors = |p: &ChatPool| match field {
                    "compliance_mirror_sql_store" => p.compliance_mirror_sql_store.clone(),
                    _ => p.backup_compliance_mirror_sql_store.clone(),
                };
                let lost = "The mirror of the compliance database is not kept up any more.";
                (store(mirrors(old).as_ref(), mirrors(new).as_ref(), copy, lost), vec![])
            }
            "file_store" => (
                Touch::new(Risk::Data, "Files that were uploaded stay where they are; they are not moved."),
                all(ServerAct::Reconfigures),
            ),
            // Name, kind and primary store are final; the rules refuse to publish this.
            _ => (Touch::new(Risk::Data, "This is final once published."), all(ServerAct::Restarts)),
        };
        t.effect.servers = servers;
        if t.effect.risk >= Risk::Disruptive {
            t.effect.endpoints = self.endpoints(old);
            t.homes = self.homes(&old.default_for);
        }
        t
    }

    /// A store's entry changes under the pools that use it.
    fn store(&self, id: &str, why: &str) -> Touch {
        let Some(pools) = self.users_of_store.get(id) else {
            return Touch::new(Risk::None, "No published pool uses it.");
        };
        let mut t = Touch::new(Risk::Data, why);
        for p in pools {
            t.effect.servers.extend(whole(&p.computers, ServerAct::Reconfigures));
            t.effect.endpoints.extend(self.endpoints(p));
            t.homes.append(&mut self.homes(&p.default_for));
        }
        t
    }

    /// A pool's own address is in the SIP domain that fits its name; another list may give it another one.
    fn moved_contacts(&self, domain: &str, t: &mut Touch) {
        for old in &self.before.pools {
            let Some(new) = self.new_pools.get(old.id.as_str()) else { continue };
            let (was, is) = (contact_domain(old, self.before), contact_domain(new, self.after));
            if was == is || ![was, is].iter().flatten().any(|d| d.as_str().eq_ignore_ascii_case(domain)) {
                continue;
            }
            t.effect.risk = Risk::Disruptive;
            "The pools' own addresses change; clients look them up again.".clone_into(&mut t.effect.why);
            t.effect.servers.extend(whole(&new.computers, ServerAct::Reconfigures));
            t.homes.append(&mut self.homes(&old.default_for));
        }
    }

    fn endpoints(&self, p: &ChatPool) -> Vec<String> {
        self.facts.endpoints.get(&p.id).cloned().unwrap_or_default()
    }

    /// Front End pools whose users belong to these sites.
    fn homes<'s>(&self, sites: impl IntoIterator<Item = &'s ObjectId>) -> BTreeSet<ObjectId> {
        let own = |s: &ObjectId| {
            self.homes_of_site.get(s).into_iter().flatten().copied().cloned().collect::<Vec<_>>()
        };
        sites.into_iter().flat_map(own).collect()
    }
}

fn front_end_field(old: &FrontEndPool, new: &FrontEndPool, field: &str) -> Touch {
    let mut t = match field {
        "servers" => {
            let list = touched(&old.servers, &new.servers);
            let mut t = members(&list);
            t.effect.servers = list;
            t
        }
        "site" => Touch::new(
            Risk::Disruptive,
            "Its users get the default pool, policies and settings of the other site.",
        ),
        _ => {
            let mut t = Touch::new(Risk::Disruptive, "Whoever is signed on there signs on again.");
            t.effect.servers = whole(&new.servers, ServerAct::Restarts);
            t
        }
    };
    if t.effect.risk >= Risk::Disruptive {
        t.homes = [old.id.clone()].into();
    }
    t
}

fn label() -> Touch {
    Touch::new(Risk::None, "A label; nothing runs differently.")
}

/// How risky it is that the computers of a pool change.
fn members(list: &[Touched]) -> Touch {
    let cut = list.iter().any(|s| matches!(s.act, ServerAct::Stops | ServerAct::Restarts));
    if cut {
        return Touch::new(Risk::Disruptive, "Sessions on servers that stop end and begin anew elsewhere.");
    }
    Touch::new(Risk::Low, "The servers that are there go on.")
}

fn act(c: &Computer, act: ServerAct) -> Touched {
    Touched { fqdn: c.fqdn.clone(), act: if c.placement.is_run() { act } else { ServerAct::ByHand } }
}

fn whole(list: &[Computer], what: ServerAct) -> Vec<Touched> {
    list.iter().map(|c| act(c, what)).collect()
}

/// What happens to each computer when `old` becomes `new`.
fn touched(old: &[Computer], new: &[Computer]) -> Vec<Touched> {
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
fn contact_domain<'t>(p: &ChatPool, t: &'t Topology) -> Option<&'t Fqdn> {
    let own = t
        .sip_domains
        .iter()
        .find(|d| p.fqdn.as_str().strip_suffix(d.as_str()).is_some_and(|stem| stem.ends_with('.')));
    own.or(t.sip_domains.first())
}

fn text(v: &Value) -> &str {
    v.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::litware;
    use crate::topology::Placement;
    use crate::topology::diff::diff;

    fn facts() -> Facts {
        let t = litware();
        Facts {
            enabled_of_front_end: [
                (t.front_end_pools[0].id.clone(), 3),
                (t.front_end_pools[1].id.clone(), 5),
            ]
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
}
