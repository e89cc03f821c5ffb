//! `Set-Lg…`: objects of the draft changed. What a published object may not become is said at once, by
//! the same rules that guard publishing (`shared::topology::transition`).

use shared::cmdlet::ListModifier;
use shared::cmdlets::{
    SetLgDataCenter, SetLgFileStore, SetLgFrontEndPool, SetLgPersistentChatPool, SetLgSite, SetLgSqlStore,
    placement,
};
use shared::error::ApiError;
use shared::identity::pool_fqdn;
use shared::names::{check_instance, check_share};
use shared::topology::{
    ChatPool, Computer, DataCenter, FileStore, FileStoreRef, FrontEndPool, Placement, SqlStore, Topology,
};
use shared::{Fqdn, ObjectId, Port};

use super::new::site_by_name;
use super::{Edit, edits, fqdn, of_draft};
use crate::clock::Entropy;

edits!(SetLgSite, SetLgFrontEndPool, SetLgSqlStore, SetLgFileStore, SetLgPersistentChatPool, SetLgDataCenter);

fn missing(what: &str, name: &str) -> ApiError {
    let text = format!("There is no {what} {name} in the topology draft.");
    ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b.trim())
}

impl Edit for SetLgSite {
    of_draft!(revision);
    const DETAILS: bool = true;
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let site = t.sites.iter_mut().find(|s| same(&s.site_id, &self.identity));
        let site = site.ok_or_else(|| missing("site", &self.identity))?;
        let old = std::mem::replace(&mut site.site_id, self.name.trim().to_owned());
        Ok(format!(
            "Rename the site {old} to {} in the draft. Policies of site:{old} do not follow.",
            self.name.trim()
        ))
    }
    fn parameter(_: &str) -> &'static str {
        "Name"
    }
}

/// The names of a list without what may follow each, as in `pc01.contoso.com=Node:atl-node-001`: where it runs.
fn split(list: &[String], places: &mut Vec<(String, Placement)>) -> Vec<String> {
    let mut name = |entry: &String| match entry.split_once('=') {
        Some((name, place)) => {
            places.push((name.trim().to_lowercase(), placement(Some(place))));
            name.trim().to_owned()
        }
        None => entry.clone(),
    };
    list.iter().map(&mut name).collect()
}

/// The computers after a change of the list; those that stay keep their place unless one is named with them.
fn members(
    old: &[Computer],
    change: &ListModifier,
    place: Option<&str>,
    field: &str,
) -> Result<Vec<Computer>, ApiError> {
    let names: Vec<String> = old.iter().map(|c| c.fqdn.to_string()).collect();
    let mut places = Vec::new();
    let change = ListModifier {
        add: split(&change.add, &mut places),
        remove: change.remove.clone(),
        replace: change.replace.as_ref().map(|r| split(r, &mut places)),
    };
    let make = |name: &String| {
        let name = fqdn(name, field)?;
        let named = places.iter().find(|(n, _)| n == name.as_str()).map(|(_, p)| p.clone());
        let kept = old.iter().find(|c| c.fqdn == name).map(|c| c.placement.clone());
        let placement = named.or(kept).unwrap_or_else(|| placement(place));
        Ok(Computer { fqdn: name, placement })
    };
    change.apply(&names).iter().map(make).collect()
}

fn front_end<'a>(t: &'a mut Topology, name: &str) -> Result<&'a mut FrontEndPool, ApiError> {
    t.front_end_pools
        .iter_mut()
        .find(|p| same(p.fqdn.as_str(), name))
        .ok_or_else(|| missing("Front End pool", name))
}

impl Edit for SetLgFrontEndPool {
    of_draft!(revision);
    const DETAILS: bool = true;
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let site = self.site.as_deref().map(|s| site_by_name(t, s)).transpose()?;
        let pool = front_end(t, &self.identity)?;
        if let Some(site) = site {
            pool.site = site;
        }
        match &self.servers {
            Some(change) => {
                pool.servers = members(&pool.servers, change, self.placement.as_deref(), "Servers")?;
            }
            None if self.placement.is_some() => {
                let place = placement(self.placement.as_deref());
                pool.servers.iter_mut().for_each(|s| s.placement = place.clone());
            }
            None => {}
        }
        Ok(format!("Change the Front End pool {} in the draft.", pool.fqdn))
    }
    fn parameter(path: &str) -> &'static str {
        if path.contains(".site") { "Site" } else { "Servers" }
    }
}

fn sql_store<'a>(t: &'a Topology, name: &str, field: &str) -> Result<&'a SqlStore, ApiError> {
    let found = t.sql_stores.iter().find(|s| same(&s.label(), name));
    let only = || {
        let mut of_server = t.sql_stores.iter().filter(|s| same(s.fqdn.as_str(), name));
        of_server.next().filter(|_| of_server.next().is_none())
    };
    found
        .or_else(only)
        .ok_or_else(|| ApiError { field: Some(field.to_owned()), ..missing("SQL Server store", name) })
}

impl Edit for SetLgSqlStore {
    of_draft!(revision);
    const DETAILS: bool = true;
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let id = sql_store(t, &self.identity, "Identity")?.id.clone();
        let found = t.sql_stores.iter_mut().find(|s| s.id == id);
        let store = found.ok_or_else(|| missing("SQL Server store", &self.identity))?;
        let old = store.label();
        if let Some(name) = &self.fqdn {
            store.fqdn = fqdn(name, "Fqdn")?;
        }
        if let Some(i) = self.instance.as_deref() {
            let named = !(i.trim().is_empty() || same("MSSQLSERVER", i));
            let check = |i| check_instance(i).map_err(|e| ApiError::invalid("Instance", e.0));
            store.instance = named.then(|| check(i)).transpose()?;
        }
        if self.placement.is_some() {
            store.placement = super::sql_place(self.placement.as_deref())?;
        }
        Ok(format!(
            "Change the SQL Server store {old} in the draft: {} ({}).",
            store.label(),
            store.placement.words()
        ))
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with(".instance") { "Instance" } else { "Fqdn" }
    }
}

fn file_store(t: &Topology, name: &str, field: &str) -> Result<ObjectId, ApiError> {
    let found = t.file_stores.iter().find(|s| same(&s.label(), name)).map(|s| s.id.clone());
    found.ok_or_else(|| ApiError { field: Some(field.to_owned()), ..missing("file store", name) })
}

impl Edit for SetLgFileStore {
    of_draft!(revision);
    const DETAILS: bool = true;
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let id = file_store(t, &self.identity, "Identity")?;
        let found = t.file_stores.iter_mut().find(|s| s.id == id);
        let store: &mut FileStore = found.ok_or_else(|| missing("file store", &self.identity))?;
        let old = store.label();
        if let Some(name) = &self.fqdn {
            store.fqdn = fqdn(name, "Fqdn")?;
        }
        if let Some(share) = &self.share {
            store.share = check_share(share).map_err(|e| ApiError::invalid("Share", e.0))?;
        }
        if self.placement.is_some() {
            store.placement = placement(self.placement.as_deref());
        }
        Ok(format!("Change the file store {old} in the draft: {}. Files are not moved.", store.label()))
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with(".share") { "Share" } else { "Fqdn" }
    }
}

/// Names in the arguments become references.
fn stores(a: &SetLgPersistentChatPool, t: &Topology, p: &mut ChatPool) -> Result<(), ApiError> {
    let sql = |name: &Option<String>, field: &str| {
        name.as_deref().map(|n| sql_store(t, n, field).map(|s| s.id.clone())).transpose()
    };
    if a.disaster_recovery == Some(false) {
        (p.backup_sql_store, p.backup_compliance_sql_store) = (None, None);
        p.backup_mirror_sql_store = None;
        p.backup_compliance_mirror_sql_store = None;
    }
    if a.compliance == Some(false) {
        (p.compliance_sql_store, p.backup_compliance_sql_store) = (None, None);
        (p.compliance_mirror_sql_store, p.backup_compliance_mirror_sql_store) = (None, None);
    }
    if let Some(on) = a.compliance {
        p.compliance = on;
    }
    if let Some(id) = sql(&a.backup_sql_store, "BackupSqlStore")? {
        p.backup_sql_store = Some(id);
    }
    for (name, field, slot) in [
        (&a.mirror_sql_store, "MirrorSqlStore", &mut p.mirror_sql_store),
        (&a.backup_mirror_sql_store, "BackupMirrorSqlStore", &mut p.backup_mirror_sql_store),
        (&a.compliance_mirror_sql_store, "ComplianceMirrorSqlStore", &mut p.compliance_mirror_sql_store),
        (
            &a.backup_compliance_mirror_sql_store,
            "BackupComplianceMirrorSqlStore",
            &mut p.backup_compliance_mirror_sql_store,
        ),
    ] {
        match name.as_deref().map(str::trim) {
            Some("") => *slot = None,
            Some(n) => *slot = Some(sql_store(t, n, field)?.id.clone()),
            None => {}
        }
    }
    if let Some(id) = sql(&a.compliance_sql_store, "ComplianceSqlStore")? {
        p.compliance_sql_store = Some(id);
        p.compliance = true;
    }
    if let Some(id) = sql(&a.backup_compliance_sql_store, "BackupComplianceSqlStore")? {
        p.backup_compliance_sql_store = Some(id);
    }
    if a.disaster_recovery == Some(true) && p.backup_sql_store.is_none() {
        let text = "Name the backup SQL Server store; it turns disaster recovery on.";
        return Err(ApiError::invalid("BackupSqlStore", text));
    }
    if let Some(name) = &a.file_store {
        p.file_store = FileStoreRef::Share(file_store(t, name, "FileStore")?);
    }
    if let Some(name) = &a.next_hop {
        let hop = t.front_end_pools.iter().find(|f| same(f.fqdn.as_str(), name));
        let hop = hop.ok_or_else(|| ApiError {
            field: Some("NextHop".to_owned()),
            ..missing("Front End pool", name)
        })?;
        p.next_hop = hop.id.clone();
    }
    Ok(())
}

fn default_sites(a: &SetLgPersistentChatPool, t: &Topology, p: &mut ChatPool) -> Result<(), ApiError> {
    let Some(change) = &a.default_for_sites else { return Ok(()) };
    let old: Vec<String> =
        p.default_for.iter().filter_map(|s| t.site(s)).map(|s| s.site_id.clone()).collect();
    let site = |n: &String| {
        site_by_name(t, n.trim_start_matches("site:").trim_start_matches("Site:"))
            .map_err(|e| ApiError { field: Some("DefaultForSites".to_owned()), ..e })
    };
    p.default_for = change.apply(&old).iter().map(site).collect::<Result<_, _>>()?;
    Ok(())
}

impl Edit for SetLgPersistentChatPool {
    of_draft!(revision);
    const DETAILS: bool = true;
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let name = pool_fqdn(&self.identity).map_err(|e| ApiError::invalid("Identity", e.0))?;
        let at = t.pools.iter().position(|p| p.fqdn == name);
        let at = at.ok_or_else(|| missing("Persistent Chat pool", name.as_str()))?;
        let mut pool = t.pools[at].clone();
        if let Some(display) = &self.display_name {
            display.trim().clone_into(&mut pool.display_name);
        }
        if let Some(port) = self.port {
            pool.port = Port::parse(&port.to_string()).map_err(|e| ApiError::invalid("Port", e.0))?;
        }
        if let Some(change) = &self.computers {
            pool.computers = members(&pool.computers, change, self.placement.as_deref(), "Computers")?;
        }
        stores(self, t, &mut pool)?;
        default_sites(self, t, &mut pool)?;
        let label = pool.fqdn.clone();
        t.pools[at] = pool;
        Ok(format!("Change the Persistent Chat pool {label} in the draft."))
    }
    fn parameter(path: &str) -> &'static str {
        match path.split('.').nth(2).unwrap_or_default() {
            "computers" => "Computers",
            "display_name" => "DisplayName",
            "port" => "Port",
            "default_for" => "DefaultForSites",
            "backup_sql_store" => "BackupSqlStore",
            "mirror_sql_store" => "MirrorSqlStore",
            "backup_mirror_sql_store" => "BackupMirrorSqlStore",
            "compliance_sql_store" => "ComplianceSqlStore",
            "backup_compliance_sql_store" => "BackupComplianceSqlStore",
            "compliance_mirror_sql_store" => "ComplianceMirrorSqlStore",
            "backup_compliance_mirror_sql_store" => "BackupComplianceMirrorSqlStore",
            "file_store" => "FileStore",
            "next_hop" => "NextHop",
            _ => "Identity",
        }
    }
}

impl Edit for SetLgDataCenter {
    of_draft!(revision);
    const DETAILS: bool = true;
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let name = self.identity.trim();
        let at = t.data_centers.iter().position(|d| same(&d.name, name)).unwrap_or_else(|| {
            t.data_centers.push(DataCenter { name: name.to_owned(), members: vec![], slow_to: vec![] });
            t.data_centers.len() - 1
        });
        if let Some(change) = &self.members {
            let old: Vec<String> = t.data_centers[at].members.iter().map(ToString::to_string).collect();
            let list: Vec<Fqdn> =
                change.apply(&old).iter().map(|m| fqdn(m, "Members")).collect::<Result<_, _>>()?;
            // Naming a machine here takes it out of where it stood before.
            for d in &mut t.data_centers {
                d.members.retain(|m| !list.contains(m));
            }
            t.data_centers[at].members = list;
        }
        if let Some(change) = &self.slow_to {
            t.data_centers[at].slow_to = change.apply(&t.data_centers[at].slow_to);
        }
        Ok(format!("Set the data centre {} in the draft.", t.data_centers[at].name))
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with("slow_to") {
            "SlowTo"
        } else if path.ends_with("members") {
            "Members"
        } else {
            "Identity"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_named_with_a_computer_is_its_place_and_the_others_keep_theirs() {
        let one = |name: &str, placement| Computer { fqdn: Fqdn::try_from(name).unwrap(), placement };
        let old = [one("pc01.contoso.com", Placement::RunHere), one("pc02.contoso.com", Placement::RunHere)];
        let node = Placement::Node("n1".to_owned());
        let change = ListModifier {
            add: vec!["PC02.contoso.com=Node:n1".to_owned(), "pc03.contoso.com".to_owned()],
            ..ListModifier::default()
        };
        let new = members(&old, &change, Some("10.0.0.3"), "Computers").unwrap();
        let places: Vec<_> = new.iter().map(|c| c.placement.clone()).collect();
        assert_eq!(places, [Placement::RunHere, node, Placement::Address("10.0.0.3".to_owned())]);
        assert_eq!(new.len(), 3);
    }
}
