//! What publishing a difference does to people and servers: how risky each change is, which servers start,
//! restart or stop for it, which legacy endpoints and how many chat users it reaches. Pure.
//!
//! The rules follow what a host does with a new deployment: a server is started anew when its address, its
//! pool's name or its port changes; everything else it takes up while it runs.

mod fields;
mod objects;
mod report;
mod servers;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::fields::front_end_field;
use self::objects::label;
pub use self::report::{Effect, Risk, ServerAct, Touched};
use super::diff::{Change, ObjectKind};
use super::transition::Facts;
use super::{ChatPool, FileStoreRef, FrontEndPool, Topology};
use crate::names::ObjectId;

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
}

fn text(v: &Value) -> &str {
    v.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
