//! What it does that an object is added or removed.

use std::collections::BTreeSet;

use super::report::{Risk, ServerAct};
use super::servers::{contact_domain, touched, whole};
use super::{Touch, World};
use crate::names::ObjectId;
use crate::topology::ChatPool;
use crate::topology::diff::ObjectKind;

impl World<'_> {
    pub(super) fn added(&self, kind: ObjectKind, name: &str, id: &str) -> Touch {
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

    pub(super) fn removed(&self, kind: ObjectKind, name: &str, id: &str) -> Touch {
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

    pub(super) fn endpoints(&self, p: &ChatPool) -> Vec<String> {
        self.facts.endpoints.get(&p.id).cloned().unwrap_or_default()
    }

    /// Front End pools whose users belong to these sites.
    pub(super) fn homes<'s>(&self, sites: impl IntoIterator<Item = &'s ObjectId>) -> BTreeSet<ObjectId> {
        let own = |s: &ObjectId| {
            self.homes_of_site.get(s).into_iter().flatten().copied().cloned().collect::<Vec<_>>()
        };
        sites.into_iter().flat_map(own).collect()
    }
}

pub(super) fn label() -> Touch {
    Touch::new(Risk::None, "A label; nothing runs differently.")
}
