//! Rules between two versions of a topology: what a published pool may not become, and what must be
//! cleared away before it goes. Pure; the page, the door and the publishing job ask the same function.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::ObjectKind;
use super::lookup::Lookup;
use super::{ChatPool, PoolKind, Topology};
use crate::error::Problem;
use crate::names::ObjectId;

/// Operational facts that the rules look at.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Pools in state FailedOver.
    pub failed_over: BTreeSet<ObjectId>,
    /// Pools whose database is mirrored (`Install-CsMirrorDatabase`).
    pub mirrored: BTreeSet<ObjectId>,
    /// Pools whose compliance database is mirrored.
    pub mirrored_queue: BTreeSet<ObjectId>,
    /// Legacy endpoints by pool.
    pub endpoints: BTreeMap<ObjectId, Vec<String>>,
    /// Enabled chat users by the site of their home Front End pool.
    pub users_of_site: BTreeMap<ObjectId, u64>,
    /// Enabled chat users by home Front End pool.
    pub enabled_of_front_end: BTreeMap<ObjectId, u64>,
    /// Enabled chat users by the SIP domain of their address, in lower case.
    pub users_of_domain: BTreeMap<String, u64>,
    /// Chat users by home Front End pool.
    pub users_of_front_end: BTreeMap<ObjectId, u64>,
}

/// What forbids going from `before` (published) to `after`, and what is worth knowing.
pub fn transition(before: &Topology, after: &Topology, facts: &Facts) -> Vec<Problem> {
    let mut out = Vec::new();
    let now = Lookup::new(after);
    let at: BTreeMap<&ObjectId, usize> =
        after.pools.iter().enumerate().rev().map(|(i, p)| (&p.id, i)).collect();
    for old in &before.pools {
        match at.get(&old.id).copied() {
            None => pool_goes(before, after, old, facts, &mut out),
            Some(i) => pool_changes(old, &after.pools[i], i, facts, &mut out),
        }
    }
    for old in &before.sql_stores {
        let moved = now.sql_store(&old.id).is_some_and(|new| {
            (&new.fqdn, &new.instance, &new.placement) != (&old.fqdn, &old.instance, &old.placement)
        });
        if !moved {
            continue;
        }
        let users = super::edit::users_of(before, ObjectKind::SqlStore, &old.label());
        if !users.is_empty() {
            let i = after.sql_stores.iter().position(|s| s.id == old.id).unwrap_or_default();
            let text = format!(
                "{} holds databases of {}; changing the entry does not move them. Define another store instead.",
                old.label(),
                users.join(", ")
            );
            out.push(Problem::error("store.final", format!("sql_stores.{i}.fqdn"), text, "S3"));
        }
    }
    for old in before.front_end_pools.iter().filter(|p| after.front_end_pool(&p.id).is_none()) {
        let n = facts.users_of_front_end.get(&old.id).copied().unwrap_or(0);
        if n > 0 {
            let text = format!(
                "{n} chat users are homed on {}. Move them to another Front End pool first (Set-LgUser -RegistrarPool).",
                old.fqdn
            );
            out.push(Problem::error("fe.users", "front_end_pools", text, "procedures §14"));
        }
    }
    out
}

/// A pool is taken out: only when nobody is left on it. Source: procedures §14.
fn pool_goes(before: &Topology, after: &Topology, old: &ChatPool, facts: &Facts, out: &mut Vec<Problem>) {
    let mut block = |code: &str, text: String| {
        out.push(Problem::error(code, "pools", text, "procedures §14"));
    };
    if facts.failed_over.contains(&old.id) {
        block(
            "remove.failed_over",
            format!("{} runs on its backup database. Return it to Normal before it is removed.", old.fqdn),
        );
    }
    if facts.mirrored.contains(&old.id) || facts.mirrored_queue.contains(&old.id) {
        block(
            "mirror.installed",
            format!("The database of {} is mirrored. Run Uninstall-CsMirrorDatabase first.", old.fqdn),
        );
    }
    if let Some(list) = facts.endpoints.get(&old.id).filter(|l| !l.is_empty()) {
        block(
            "remove.endpoint",
            format!("The endpoint {} points at {}. Move or remove it first.", list.join(", "), old.fqdn),
        );
    }
    for site in &old.default_for {
        let users = facts.users_of_site.get(site).copied().unwrap_or(0);
        let taken = after.pools.iter().any(|p| p.default_for.contains(site));
        // With no other pool left there is nothing else to make the default.
        if users > 0 && !taken && !after.pools.is_empty() && after.site(site).is_some() {
            let name = before.site(site).map_or("?", |s| s.site_id.as_str());
            block(
                "remove.default",
                format!(
                    "{} is the default pool of site {name} with {users} users. Make another pool the default of that site first.",
                    old.fqdn
                ),
            );
        }
    }
}

/// A published pool keeps its kind, its name and its primary store. Source: V2, V3, S3.
fn pool_changes(old: &ChatPool, new: &ChatPool, i: usize, facts: &Facts, out: &mut Vec<Problem>) {
    let mut block = |code: &str, field: &str, text: String| {
        out.push(Problem::error(code, format!("pools.{i}.{field}"), text, "S3"));
    };
    if old.kind != new.kind {
        block(
            "V3",
            "kind",
            format!("The kind of {} is final. Remove the pool and define it anew.", old.fqdn),
        );
    }
    if old.fqdn != new.fqdn {
        block(
            "V1.final",
            "fqdn",
            format!(
                "{} is published under this name; a pool is not renamed. Remove it and define a new one.",
                old.fqdn
            ),
        );
    }
    if old.kind == PoolKind::Single && new.computers.len() > old.computers.len() {
        block(
            "V2.grow",
            "computers",
            format!("{} is a single computer pool; no computer can be added.", old.fqdn),
        );
    }
    if old.sql_store != new.sql_store {
        block(
            "store.final",
            "sql_store",
            format!(
                "The database of {} lies on its SQL Server store; publishing does not move it. Define a backup store and fail over instead.",
                old.fqdn
            ),
        );
    }
    if old.compliance_sql_store.is_some()
        && new.compliance_sql_store.is_some()
        && old.compliance_sql_store != new.compliance_sql_store
    {
        block(
            "store.final",
            "compliance_sql_store",
            format!("The compliance queue of {} lies on its store; publishing does not move it.", old.fqdn),
        );
    }
    // The documented order: the cmdlet first, then the topology (pain 34).
    let relation = |p: &ChatPool| (p.mirror_sql_store.clone(), p.backup_mirror_sql_store.clone());
    if facts.mirrored.contains(&old.id) && relation(old) != relation(new) {
        block(
            "mirror.installed",
            if old.mirror_sql_store == new.mirror_sql_store {
                "backup_mirror_sql_store"
            } else {
                "mirror_sql_store"
            },
            format!(
                "The database of {} is mirrored. Run Uninstall-CsMirrorDatabase first, then change the mirror and publish.",
                old.fqdn
            ),
        );
    }
    let both =
        |p: &ChatPool| (p.compliance_mirror_sql_store.clone(), p.backup_compliance_mirror_sql_store.clone());
    let queues = |p: &ChatPool| (p.compliance_sql_store.clone(), p.backup_compliance_sql_store.clone());
    if facts.mirrored_queue.contains(&old.id) && (both(old), queues(old)) != (both(new), queues(new)) {
        block(
            "mirror.installed",
            match (both(old) == both(new), old.compliance_mirror_sql_store == new.compliance_mirror_sql_store)
            {
                (true, _) => "compliance_sql_store",
                (_, true) => "backup_compliance_mirror_sql_store",
                (_, false) => "compliance_mirror_sql_store",
            },
            format!(
                "The compliance database of {} is mirrored. Run Uninstall-CsMirrorDatabase with DatabaseType PersistentChatCompliance first, then change the mirror and publish.",
                old.fqdn
            ),
        );
    }
    if facts.failed_over.contains(&old.id) && old.backup_sql_store != new.backup_sql_store {
        block(
            "V15.open",
            "backup_sql_store",
            format!(
                "{} runs on its backup database now. Return it to Normal before the backup store is changed.",
                old.fqdn
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::litware;

    fn codes(before: &Topology, after: &Topology, facts: &Facts) -> Vec<String> {
        transition(before, after, facts).into_iter().map(|p| p.code).collect()
    }

    #[test]
    fn nothing_forbids_standing_still() {
        assert!(transition(&litware(), &litware(), &Facts::default()).is_empty());
    }

    #[test]
    fn a_pool_in_use_does_not_go() {
        let before = litware();
        let pool = before.pools.iter().find(|p| !p.default_for.is_empty()).unwrap().clone();
        let mut after = before.clone();
        after.pools.retain(|p| p.id != pool.id);
        assert!(codes(&before, &after, &Facts::default()).is_empty());
        let facts = Facts {
            failed_over: [pool.id.clone()].into(),
            endpoints: [(pool.id.clone(), vec!["sip:x@contoso.com".to_owned()])].into(),
            users_of_site: pool.default_for.iter().map(|s| (s.clone(), 3)).collect(),
            ..Facts::default()
        };
        let found = codes(&before, &after, &facts);
        for code in ["remove.failed_over", "remove.endpoint", "remove.default"] {
            assert!(found.iter().any(|c| c == code), "{code} in {found:?}");
        }
    }

    #[test]
    fn a_mirror_is_uninstalled_before_the_topology_changes() {
        let mut before = litware();
        let id = before.sql_stores[0].id.clone();
        before.pools[0].mirror_sql_store = Some(id);
        let mut after = before.clone();
        after.pools[0].mirror_sql_store = None;
        assert!(codes(&before, &after, &Facts::default()).is_empty());
        let facts = Facts { mirrored: [before.pools[0].id.clone()].into(), ..Facts::default() };
        assert_eq!(codes(&before, &after, &facts), ["mirror.installed"]);
        after.pools.remove(0);
        assert!(codes(&before, &after, &facts).contains(&"mirror.installed".to_owned()));
    }

    #[test]
    fn what_is_final_stays() {
        let before = litware();
        let mut after = before.clone();
        let single = after.pools.iter().position(|p| p.kind == PoolKind::Single).unwrap();
        let extra = after.pools[0].computers[0].clone();
        after.pools[single].computers.push(extra);
        let other = after.pools[1].sql_store.clone();
        after.pools[0].sql_store = other;
        after.pools[0].kind = PoolKind::Single;
        assert_eq!(codes(&before, &after, &Facts::default()), ["V3", "store.final", "V2.grow"]);
    }

    #[test]
    fn the_open_backup_is_not_taken_away() {
        let before = litware();
        let mut after = before.clone();
        let i = after.pools.iter().position(ChatPool::has_backup).unwrap();
        after.pools[i].backup_sql_store = None;
        assert!(codes(&before, &after, &Facts::default()).is_empty());
        let facts = Facts { failed_over: [after.pools[i].id.clone()].into(), ..Facts::default() };
        assert_eq!(codes(&before, &after, &facts), ["V15.open"]);
    }

    #[test]
    fn a_front_end_pool_with_users_stays() {
        let before = litware();
        let mut after = before.clone();
        let gone = after.front_end_pools.remove(0);
        let facts = Facts { users_of_front_end: [(gone.id, 2)].into(), ..Facts::default() };
        assert_eq!(codes(&before, &after, &facts), ["fe.users"]);
    }
}
