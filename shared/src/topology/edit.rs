//! Small edits of the topology draft: what the cmdlets `New-Lg…` and `Remove-LgTopologyObject` do.

use super::Topology;
use super::diff::ObjectKind;
use super::validate::validate;
use crate::error::Problem;

/// Problems that `after` has and `before` had not; what an edit is judged by.
pub fn new_problems(before: &Topology, after: &Topology) -> Vec<Problem> {
    let known = validate(before);
    validate(after).into_iter().filter(|p| !known.contains(p)).collect()
}

/// What still refers to the object named `name`; empty when it can go.
pub fn users_of(t: &Topology, kind: ObjectKind, name: &str) -> Vec<String> {
    let pools = |f: &dyn Fn(&super::ChatPool) -> bool| {
        t.pools
            .iter()
            .filter(|p| f(p))
            .map(|p| format!("Persistent Chat pool {}", p.fqdn))
            .collect::<Vec<_>>()
    };
    match kind {
        ObjectKind::Site => {
            let Some(site) = t.sites.iter().find(|s| s.site_id == name) else { return Vec::new() };
            let fe = t
                .front_end_pools
                .iter()
                .filter(|p| p.site == site.id)
                .map(|p| format!("Front End pool {}", p.fqdn));
            pools(&|p| p.site == site.id || p.default_for.contains(&site.id)).into_iter().chain(fe).collect()
        }
        ObjectKind::FrontEndPool => {
            let id = t.front_end_pools.iter().find(|p| p.fqdn.as_str() == name).map(|p| p.id.clone());
            pools(&|p| Some(&p.next_hop) == id.as_ref())
        }
        ObjectKind::SqlStore => {
            let id = t.sql_stores.iter().find(|s| s.label().eq_ignore_ascii_case(name)).map(|s| s.id.clone());
            pools(&|p| p.sql_stores().any(|s| Some(s) == id.as_ref()))
        }
        ObjectKind::FileStore => {
            let id =
                t.file_stores.iter().find(|s| s.label().eq_ignore_ascii_case(name)).map(|s| s.id.clone());
            pools(&|p| matches!(&p.file_store, super::FileStoreRef::Share(s) if Some(s) == id.as_ref()))
        }
        ObjectKind::SipDomain | ObjectKind::Pool | ObjectKind::DataCenter => Vec::new(),
    }
}

/// Finds what `name` names; several kinds of objects may have the same name.
pub fn kinds_of(t: &Topology, name: &str) -> Vec<ObjectKind> {
    let same = |s: &str| s.eq_ignore_ascii_case(name);
    let found = [
        (ObjectKind::Pool, t.pools.iter().any(|p| same(p.fqdn.as_str()))),
        (ObjectKind::FrontEndPool, t.front_end_pools.iter().any(|p| same(p.fqdn.as_str()))),
        (ObjectKind::FileStore, t.file_stores.iter().any(|s| same(&s.label()))),
        (ObjectKind::SqlStore, t.sql_stores.iter().any(|s| same(&s.label()))),
        (ObjectKind::Site, t.sites.iter().any(|s| same(&s.site_id))),
        (ObjectKind::SipDomain, t.sip_domains.iter().any(|d| same(d.as_str()))),
        (ObjectKind::DataCenter, t.data_centers.iter().any(|d| same(&d.name))),
    ];
    found.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind).collect()
}

/// Takes the object out; the caller has checked `users_of`.
pub fn remove(t: &mut Topology, kind: ObjectKind, name: &str) {
    let same = |s: &str| s.eq_ignore_ascii_case(name);
    match kind {
        ObjectKind::SipDomain => t.sip_domains.retain(|d| !same(d.as_str())),
        ObjectKind::Site => t.sites.retain(|s| !same(&s.site_id)),
        ObjectKind::FrontEndPool => t.front_end_pools.retain(|p| !same(p.fqdn.as_str())),
        ObjectKind::SqlStore => t.sql_stores.retain(|s| !same(&s.label())),
        ObjectKind::FileStore => t.file_stores.retain(|s| !same(&s.label())),
        ObjectKind::Pool => t.pools.retain(|p| !same(p.fqdn.as_str())),
        ObjectKind::DataCenter => t.data_centers.retain(|d| !same(&d.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::litware;

    #[test]
    fn a_name_may_be_of_several_kinds() {
        let mut t = litware();
        let name = t.sites[0].site_id.clone();
        assert_eq!(kinds_of(&t, &name.to_lowercase()), [ObjectKind::Site]);
        t.data_centers[0].name = name.clone();
        assert_eq!(kinds_of(&t, &name), [ObjectKind::Site, ObjectKind::DataCenter]);
        remove(&mut t, ObjectKind::DataCenter, &name);
        assert_eq!(kinds_of(&t, &name), [ObjectKind::Site]);
        assert!(kinds_of(&t, "nothing").is_empty());
    }
}
