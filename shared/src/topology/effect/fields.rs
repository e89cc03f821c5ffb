//! What it does that a field of a pool or Front End pool changes.

use super::report::{Risk, ServerAct};
use super::servers::{members, touched, whole};
use super::{Touch, World};
use crate::names::ObjectId;
use crate::topology::{ChatPool, FrontEndPool};

impl World<'_> {
    pub(super) fn pool_field(&self, old: &ChatPool, new: &ChatPool, field: &str) -> Touch {
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
    pub(super) fn store(&self, id: &str, why: &str) -> Touch {
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
}

pub(super) fn front_end_field(old: &FrontEndPool, new: &FrontEndPool, field: &str) -> Touch {
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
