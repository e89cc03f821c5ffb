//! `New-Lg…`: objects added to the draft.

use shared::ObjectId;
use shared::cmdlets::{
    NewLgFileStore, NewLgFrontEndPool, NewLgSipDomain, NewLgSite, NewLgSqlStore, placement,
};
use shared::error::ApiError;
use shared::names::{check_instance, check_share};
use shared::topology::{Computer, Edition, FileStore, FrontEndPool, Site, SqlStore, Topology};

use super::{Edit, edits, fqdn, new_object_id, of_draft};
use crate::clock::Entropy;

edits!(NewLgSipDomain, NewLgSite, NewLgFrontEndPool, NewLgSqlStore, NewLgFileStore);

impl Edit for NewLgSipDomain {
    of_draft!(none);
    fn edit(&self, t: &mut Topology, _: &dyn Entropy) -> Result<String, ApiError> {
        let name = fqdn(&self.name, "Name")?;
        t.sip_domains.push(name.clone());
        Ok(format!("Add the SIP domain {name} to the draft."))
    }
    fn parameter(_: &str) -> &'static str {
        "Name"
    }
}

impl Edit for NewLgSite {
    of_draft!(none);
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        t.sites.push(Site { id: new_object_id(e), site_id: self.name.trim().to_owned() });
        Ok(format!("Add the site {} to the draft.", self.name.trim()))
    }
    fn parameter(_: &str) -> &'static str {
        "Name"
    }
}

pub(super) fn site_by_name(t: &Topology, name: &str) -> Result<ObjectId, ApiError> {
    t.sites
        .iter()
        .find(|s| s.site_id.eq_ignore_ascii_case(name.trim()) || s.id.as_str() == name)
        .map(|s| s.id.clone())
        .ok_or_else(|| {
            ApiError::invalid("Site", format!("There is no site {name}. Add it first with New-LgSite."))
        })
}

impl Edit for NewLgFrontEndPool {
    of_draft!(none);
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        let name = fqdn(&self.fqdn, "Fqdn")?;
        let standard = self.edition.as_deref() == Some("Standard");
        let place = placement(self.placement.as_deref());
        let servers = if standard {
            vec![Computer { fqdn: name.clone(), placement: place }]
        } else {
            let one = |s: &String| Ok(Computer { fqdn: fqdn(s, "Servers")?, placement: place.clone() });
            self.servers.iter().map(one).collect::<Result<_, ApiError>>()?
        };
        let edition = if standard { Edition::Standard } else { Edition::Enterprise };
        let site = site_by_name(t, &self.site)?;
        t.front_end_pools.push(FrontEndPool {
            id: new_object_id(e),
            fqdn: name.clone(),
            edition,
            site,
            servers,
        });
        let what = if standard { "Standard Edition server" } else { "Front End pool" };
        Ok(format!("Add the {what} {name} to the draft."))
    }
    fn parameter(path: &str) -> &'static str {
        if path.contains(".servers") {
            "Servers"
        } else if path.ends_with(".site") {
            "Site"
        } else {
            "Fqdn"
        }
    }
}

impl Edit for NewLgSqlStore {
    of_draft!(none);
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        let instance = self.instance.as_deref().filter(|i| !i.trim().is_empty());
        let instance =
            instance.map(check_instance).transpose().map_err(|e| ApiError::invalid("Instance", e.0))?;
        let store = SqlStore {
            id: new_object_id(e),
            fqdn: fqdn(&self.fqdn, "Fqdn")?,
            instance,
            placement: super::sql_place(self.placement.as_deref())?,
        };
        let text =
            format!("Add the SQL Server store {} to the draft ({}).", store.label(), store.placement.words());
        t.sql_stores.push(store);
        Ok(text)
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with(".instance") { "Instance" } else { "Fqdn" }
    }
}

impl Edit for NewLgFileStore {
    of_draft!(none);
    fn edit(&self, t: &mut Topology, e: &dyn Entropy) -> Result<String, ApiError> {
        let store = FileStore {
            id: new_object_id(e),
            fqdn: fqdn(&self.fqdn, "Fqdn")?,
            share: check_share(&self.share).map_err(|e| ApiError::invalid("Share", e.0))?,
            placement: placement(self.placement.as_deref()),
        };
        let text = format!(
            "Add the file store {} to the draft. The share must exist before publishing.",
            store.label()
        );
        t.file_stores.push(store);
        Ok(text)
    }
    fn parameter(path: &str) -> &'static str {
        if path.ends_with(".share") { "Share" } else { "Fqdn" }
    }
}
