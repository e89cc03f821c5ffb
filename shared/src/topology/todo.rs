//! What remains for people after a publish: a list that ticks itself off by what is observed. Pure: the
//! published document, the one before it, and a snapshot of what is seen.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ChatPool, Placement, Topology};
use crate::names::{Fqdn, ObjectId};
use crate::time::Timestamp;

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Add the pool's name to DNS.
    Name,
    /// Set a compliance adapter.
    Adapter,
    /// Create a category.
    Category,
    /// Create a room.
    Room,
    /// Let users chat by policy.
    Policy,
    /// Run a test message.
    Test,
    /// Create an endpoint for legacy clients.
    Endpoint,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Todo {
    /// What there is to do.
    pub task: Task,
    /// The pool it concerns.
    pub pool: Fqdn,
    /// The same as a sentence.
    pub text: String,
    /// Why.
    pub why: String,
    /// Whether it was observed to be done.
    pub done: bool,
    /// What was observed.
    pub seen: String,
    /// Only where it applies: the list is complete without it.
    pub optional: bool,
}

/// What is seen of a pool now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Categories; none while its database is not open.
    pub categories: Option<u64>,
    /// Rooms; none while its database is not open.
    pub rooms: Option<u64>,
    /// Folder that the compliance adapter writes to.
    pub adapter: Option<String>,
    /// When a test message first succeeded on the pool since it was published.
    pub tested: Option<Timestamp>,
    /// Legacy endpoints that point at it.
    pub endpoints: u64,
    /// Enabled chat users it is for.
    pub users: u64,
    /// How many of them may use Persistent Chat.
    pub allowed: u64,
    /// Whether its name resolves; none when nobody needs it to, because all of it runs here.
    pub resolves: Option<bool>,
}

/// Pools that `after` brings or changes, each with whether it is new; a pool counts as changed too when its
/// next hop or one of its stores does.
pub fn touched(before: &Topology, after: &Topology) -> Vec<(ObjectId, bool)> {
    let old: BTreeMap<&ObjectId, &ChatPool> = before.pools.iter().map(|p| (&p.id, p)).collect();
    let same_fe: BTreeSet<&ObjectId> = {
        let old: BTreeMap<_, _> = before.front_end_pools.iter().map(|f| (&f.id, f)).collect();
        after.front_end_pools.iter().filter(|f| old.get(&f.id) == Some(f)).map(|f| &f.id).collect()
    };
    let same_sql: BTreeSet<&ObjectId> = {
        let old: BTreeMap<_, _> = before.sql_stores.iter().map(|s| (&s.id, s)).collect();
        after.sql_stores.iter().filter(|s| old.get(&s.id) == Some(s)).map(|s| &s.id).collect()
    };
    let changed = |p: &ChatPool| {
        old.get(&p.id) != Some(&p)
            || !same_fe.contains(&p.next_hop)
            || p.sql_stores().any(|s| !same_sql.contains(s))
    };
    after.pools.iter().filter(|p| changed(p)).map(|p| (p.id.clone(), !old.contains_key(&p.id))).collect()
}

/// The list for the version `after` that followed `before`. A pool of which nothing is seen counts as not done.
pub fn todo(before: &Topology, after: &Topology, seen: &BTreeMap<ObjectId, Seen>) -> Vec<Todo> {
    let touched: BTreeMap<ObjectId, bool> = touched(before, after).into_iter().collect();
    let nothing = Seen::default();
    let mut out = Vec::new();
    for p in &after.pools {
        let s = seen.get(&p.id).unwrap_or(&nothing);
        match touched.get(&p.id) {
            Some(true) => new_pool(p, s, &mut out),
            Some(false) => {
                adapter(p, s, &mut out);
                test(p, s, &mut out);
            }
            // An adapter that is missing is said as long as it is: events are queued and nothing is written.
            None if p.compliance && s.adapter.is_none() => adapter(p, s, &mut out),
            None => {}
        }
    }
    out
}

/// Whether anything of the pool stands elsewhere, so that its name must be known there.
pub fn needs_name(p: &ChatPool) -> bool {
    p.computers.iter().any(|c| matches!(c.placement, Placement::Address(_)))
}

fn line(task: Task, p: &ChatPool, text: String, why: &str) -> Todo {
    Todo {
        task,
        pool: p.fqdn.clone(),
        text,
        why: why.to_owned(),
        done: false,
        seen: String::new(),
        optional: false,
    }
}

fn new_pool(p: &ChatPool, s: &Seen, out: &mut Vec<Todo>) {
    if needs_name(p) {
        let done = s.resolves == Some(true);
        out.push(Todo {
            done,
            seen: if done { "The name resolves." } else { "The name does not resolve from here." }.to_owned(),
            ..line(
                Task::Name,
                p,
                format!("Add {} to DNS, with the address of each of its computers.", p.fqdn),
                "Servers on other machines find each other by name.",
            )
        });
    }
    adapter(p, s, out);
    out.push(counted(
        s.categories,
        "category",
        "categories",
        line(
            Task::Category,
            p,
            format!("Create a category on {}.", p.fqdn),
            "A room needs a category, which says who may be let in.",
        ),
    ));
    out.push(counted(
        s.rooms,
        "room",
        "rooms",
        line(
            Task::Room,
            p,
            format!("Create a room on {}.", p.fqdn),
            "People chat in rooms; a new pool has none.",
        ),
    ));
    let whose = if p.default_for.is_empty() { "users" } else { "users of its sites" };
    out.push(Todo {
        done: s.allowed > 0,
        seen: match s.users {
            0 => "There are no chat users yet.".to_owned(),
            n => format!("{} of {n} {whose} may chat.", s.allowed),
        },
        ..line(
            Task::Policy,
            p,
            format!("Let {whose} chat by a policy ({}).", p.fqdn),
            "The global policy forbids Persistent Chat until it is changed.",
        )
    });
    test(p, s, out);
    out.push(Todo {
        done: s.endpoints > 0,
        seen: if s.endpoints > 0 {
            format!("{} there.", plural(s.endpoints, "endpoint", "endpoints"))
        } else {
            "None yet.".to_owned()
        },
        optional: true,
        ..line(
            Task::Endpoint,
            p,
            format!("Create a legacy endpoint for {}.", p.fqdn),
            "Only when people use the Group Chat client of Lync 2010 or earlier.",
        )
    });
}

fn adapter(p: &ChatPool, s: &Seen, out: &mut Vec<Todo>) {
    if !p.compliance {
        return;
    }
    out.push(Todo {
        done: s.adapter.is_some(),
        seen: s.adapter.as_ref().map_or_else(
            || "No adapter is set: events wait in mgccomp.".to_owned(),
            |d| format!("It writes to {d}."),
        ),
        ..line(
            Task::Adapter,
            p,
            format!("Set a compliance adapter for {}.", p.fqdn),
            "Compliance is enabled; nothing is written out until an adapter says where.",
        )
    });
}

fn test(p: &ChatPool, s: &Seen, out: &mut Vec<Todo>) {
    out.push(Todo {
        done: s.tested.is_some(),
        seen: s.tested.map_or_else(
            || "None has succeeded since the publish.".to_owned(),
            |t| format!("Succeeded at {}.", t.rfc3339()),
        ),
        ..line(
            Task::Test,
            p,
            format!("Run a test message on {}.", p.fqdn),
            "It proves that two people can talk there.",
        )
    });
}

fn counted(n: Option<u64>, one: &str, many: &str, t: Todo) -> Todo {
    let seen = match n {
        None => "The database is not open now.".to_owned(),
        Some(0) => "None yet.".to_owned(),
        Some(n) => format!("{} there.", plural(n, one, many)),
    };
    Todo { done: n.is_some_and(|n| n > 0), seen, ..t }
}

fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::litware;

    fn tasks(list: &[Todo], pool: &ChatPool) -> Vec<(Task, bool)> {
        list.iter().filter(|t| t.pool == pool.fqdn).map(|t| (t.task, t.done)).collect()
    }

    #[test]
    fn a_new_pool_has_all_of_it_and_each_is_ticked_by_what_is_seen() {
        let t = litware();
        let p = t.pools.iter().find(|p| p.compliance).unwrap();
        let list = todo(&Topology::default(), &t, &BTreeMap::new());
        use Task::{Adapter, Category, Endpoint, Policy, Room, Test};
        let open = [Adapter, Category, Room, Policy, Test, Endpoint].map(|t| (t, false));
        assert_eq!(tasks(&list, p), open);
        type Step = (Task, fn(&mut Seen));
        let steps: [Step; 6] = [
            (Adapter, |s| s.adapter = Some("/out".to_owned())),
            (Category, |s| s.categories = Some(2)),
            (Room, |s| s.rooms = Some(1)),
            (Policy, |s| (s.users, s.allowed) = (3, 1)),
            (Test, |s| s.tested = Some(Timestamp::from_millis(1))),
            (Endpoint, |s| s.endpoints = 1),
        ];
        let mut seen = BTreeMap::from([(p.id.clone(), Seen { categories: Some(0), ..Seen::default() })]);
        let mut done = Vec::new();
        for (task, step) in steps {
            step(seen.get_mut(&p.id).unwrap());
            done.push(task);
            let now = tasks(&todo(&Topology::default(), &t, &seen), p);
            assert!(now.iter().all(|(t, d)| *d == done.contains(t)), "{task:?}: {now:?}");
        }
    }

    #[test]
    fn a_changed_pool_asks_for_a_test_and_one_that_stays_for_nothing() {
        let before = litware();
        assert!(todo(&before, &before, &BTreeMap::new()).iter().all(|t| t.task == Task::Adapter));
        let mut after = before.clone();
        let i = after.pools.iter().position(|p| !p.compliance).unwrap();
        after.pools[i].display_name = "Another".to_owned();
        let list = todo(&before, &after, &BTreeMap::new());
        assert_eq!(tasks(&list, &after.pools[i]), [(Task::Test, false)]);
        assert_eq!(touched(&before, &after), [(after.pools[i].id.clone(), false)]);
    }

    #[test]
    fn a_next_hop_that_changes_touches_its_pools() {
        let before = litware();
        let mut after = before.clone();
        let fe = after.front_end_pools[0].id.clone();
        after.front_end_pools[0].servers[0].placement = Placement::Node("n1".to_owned());
        let list = touched(&before, &after);
        assert!(!list.is_empty());
        assert_eq!(list.len(), after.pools.iter().filter(|p| p.next_hop == fe).count());
    }

    #[test]
    fn the_name_is_asked_for_only_when_something_stands_elsewhere() {
        let mut t = litware();
        let list = todo(&Topology::default(), &t, &BTreeMap::new());
        assert!(list.iter().all(|x| x.task != Task::Name));
        t.pools[0].computers[0].placement = Placement::Address(String::new());
        let of = |resolves| {
            let seen = BTreeMap::from([(t.pools[0].id.clone(), Seen { resolves, ..Seen::default() })]);
            todo(&Topology::default(), &t, &seen).into_iter().find(|x| x.task == Task::Name).map(|x| x.done)
        };
        assert_eq!((of(None), of(Some(false)), of(Some(true))), (Some(false), Some(false), Some(true)));
    }
}
