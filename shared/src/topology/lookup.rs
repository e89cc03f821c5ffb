//! A topology whose objects are found by id without a search: with a thousand pools, what asks for each
//! pool's stores would otherwise take a time that grows with the square.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::{ChatPool, Edition, FileStore, FileStoreRef, FrontEndPool, Site, SqlStore, Topology};
use crate::names::{Fqdn, ObjectId};

type ById<'a, T> = BTreeMap<&'a ObjectId, &'a T>;

/// The topology with its indexes; everything else is the topology's own. Where an id stands twice, the first
/// object counts, as in the topology's own methods.
pub struct Lookup<'a> {
    t: &'a Topology,
    sites: ById<'a, Site>,
    front_end_pools: ById<'a, FrontEndPool>,
    sql_stores: ById<'a, SqlStore>,
    file_stores: ById<'a, FileStore>,
    pools: ById<'a, ChatPool>,
    /// Servers of Enterprise Edition pools.
    enterprise: BTreeSet<&'a Fqdn>,
    /// Standard Edition servers.
    standard: BTreeSet<&'a Fqdn>,
    /// The data centre that a machine stands in.
    centers: BTreeMap<&'a Fqdn, usize>,
}

fn by_id<'a, T>(list: &'a [T], id: impl Fn(&'a T) -> &'a ObjectId) -> ById<'a, T> {
    // The last one that is put in stays, so the first has to come last.
    list.iter().rev().map(|x| (id(x), x)).collect()
}

impl<'a> Lookup<'a> {
    /// Makes the indexes.
    pub fn new(t: &'a Topology) -> Self {
        let of = |e: Edition| t.front_end_pools.iter().filter(move |p| p.edition == e);
        let mut centers = BTreeMap::new();
        for (i, d) in t.data_centers.iter().enumerate().rev() {
            centers.extend(d.members.iter().map(|m| (m, i)));
        }
        Self {
            t,
            sites: by_id(&t.sites, |s| &s.id),
            front_end_pools: by_id(&t.front_end_pools, |p| &p.id),
            sql_stores: by_id(&t.sql_stores, |s| &s.id),
            file_stores: by_id(&t.file_stores, |f| &f.id),
            pools: by_id(&t.pools, |p| &p.id),
            enterprise: of(Edition::Enterprise).flat_map(|p| &p.servers).map(|s| &s.fqdn).collect(),
            standard: of(Edition::Standard).map(|p| &p.fqdn).collect(),
            centers,
        }
    }

    /// The site with this id.
    pub fn site(&self, id: &ObjectId) -> Option<&'a Site> {
        self.sites.get(id).copied()
    }
    /// The Front End pool with this id.
    pub fn front_end_pool(&self, id: &ObjectId) -> Option<&'a FrontEndPool> {
        self.front_end_pools.get(id).copied()
    }
    /// The SQL store with this id.
    pub fn sql_store(&self, id: &ObjectId) -> Option<&'a SqlStore> {
        self.sql_stores.get(id).copied()
    }
    /// The file store with this id.
    pub fn file_store(&self, id: &ObjectId) -> Option<&'a FileStore> {
        self.file_stores.get(id).copied()
    }
    /// The Persistent Chat pool with this id.
    pub fn pool(&self, id: &ObjectId) -> Option<&'a ChatPool> {
        self.pools.get(id).copied()
    }
    /// Whether a server of an Enterprise Edition pool has this name.
    pub fn is_enterprise(&self, name: &Fqdn) -> bool {
        self.enterprise.contains(name)
    }
    /// Whether a Standard Edition server has this name.
    pub fn is_standard(&self, name: &Fqdn) -> bool {
        self.standard.contains(name)
    }
    /// Whether two machines are known to be joined by a slow link only.
    pub fn far_apart(&self, a: &Fqdn, b: &Fqdn) -> bool {
        let (Some(a), Some(b)) = (self.centers.get(a), self.centers.get(b)) else { return false };
        let (a, b) = (&self.t.data_centers[*a], &self.t.data_centers[*b]);
        let slow = |list: &[String], name: &str| list.iter().any(|n| n.eq_ignore_ascii_case(name));
        slow(&a.slow_to, &b.name) || slow(&b.slow_to, &a.name)
    }
    /// The label of a pool's file store.
    pub fn file_store_label(&self, r: &FileStoreRef) -> String {
        match r {
            FileStoreRef::Share(id) => self.file_store(id).map_or_else(|| id.to_string(), FileStore::label),
            FileStoreRef::LocalPath(p) => p.clone(),
        }
    }
}

impl Deref for Lookup<'_> {
    type Target = Topology;

    fn deref(&self) -> &Topology {
        self.t
    }
}
