//! The address of a page, and the page of an address.

use std::fmt::Write;

use shared::topology::wizard::Page;

use super::Route;
use super::tabs::{PoolTab, SettingsTab};

impl Route {
    /// Reads the path of an address.
    pub fn parse(path: &str) -> Self {
        let parts: Vec<String> = path.split('/').filter(|p| !p.is_empty()).map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            [] => Self::Overview,
            ["setup"] => Self::Setup,
            ["login"] => Self::Login,
            ["set-password"] => Self::SetPassword,
            ["account"] => Self::Account,
            ["topology"] => Self::Topology,
            ["topology", "object", kind, id] => Self::TopologyObject((*kind).to_owned(), (*id).to_owned()),
            ["topology", "new", kind] => Self::TopologyNew((*kind).to_owned()),
            ["topology", "new-pool"] => Self::WizardStart,
            ["topology", "new-pool", id] => Self::Wizard((*id).to_owned(), Page::Fqdn),
            ["topology", "new-pool", id, page] => {
                Page::from_slug(page).map_or(Self::NotFound, |p| Self::Wizard((*id).to_owned(), p))
            }
            ["topology", "publish"] => Self::Publish,
            ["topology", "versions"] => Self::Versions,
            ["jobs", id] => Self::Job((*id).to_owned()),
            ["pools"] => Self::Pools,
            ["pools", fqdn] => Self::Pool((*fqdn).to_owned(), PoolTab::Overview),
            ["pools", fqdn, tab] => PoolTab::ALL
                .into_iter()
                .find(|t| t.slug() == *tab)
                .map_or(Self::NotFound, |t| Self::Pool((*fqdn).to_owned(), t)),
            ["endpoints"] => Self::Endpoints,
            ["rooms"] => Self::Rooms,
            ["rooms", "new"] => Self::RoomNew,
            ["rooms", "new-category"] => Self::CategoryNew,
            ["rooms", "room", pool, name] => Self::Room((*pool).to_owned(), (*name).to_owned()),
            ["rooms", "category", pool, name] => Self::Category((*pool).to_owned(), (*name).to_owned()),
            ["users"] => Self::Users,
            ["users", "new"] => Self::UserNew,
            ["users", "import"] => Self::UserImport,
            ["groups"] => Self::Groups,
            ["groups", name] => Self::Group((*name).to_owned()),
            ["policies"] => Self::Policies,
            ["test-message"] => Self::Tests,
            ["test-message", id] => Self::Test((*id).to_owned()),
            ["shell"] => Self::Shell,
            ["audit"] => Self::Audit,
            ["sharing"] => Self::Sharing,
            ["settings"] => Self::Settings(SettingsTab::Accounts),
            ["settings", tab] => {
                SettingsTab::ALL.into_iter().find(|t| t.slug() == *tab).map_or(Self::NotFound, Self::Settings)
            }
            _ => Self::NotFound,
        }
    }

    /// The address of the page.
    pub fn href(&self) -> String {
        match self {
            Self::Overview | Self::NotFound => "/".to_owned(),
            Self::Setup => "/setup".to_owned(),
            Self::Login => "/login".to_owned(),
            Self::SetPassword => "/set-password".to_owned(),
            Self::Account => "/account".to_owned(),
            Self::Topology => "/topology".to_owned(),
            Self::TopologyObject(kind, id) => path(&["topology", "object", kind, id]),
            Self::TopologyNew(kind) => path(&["topology", "new", kind]),
            Self::WizardStart => "/topology/new-pool".to_owned(),
            Self::Wizard(id, page) => path(&["topology", "new-pool", id, page.slug()]),
            Self::Publish => "/topology/publish".to_owned(),
            Self::Versions => "/topology/versions".to_owned(),
            Self::Job(id) => path(&["jobs", id]),
            Self::Pools => "/pools".to_owned(),
            Self::Pool(fqdn, tab) => path(&["pools", fqdn, tab.slug()]),
            Self::Endpoints => "/endpoints".to_owned(),
            Self::Rooms => "/rooms".to_owned(),
            Self::RoomNew => "/rooms/new".to_owned(),
            Self::CategoryNew => "/rooms/new-category".to_owned(),
            Self::Room(pool, name) => path(&["rooms", "room", pool, name]),
            Self::Category(pool, name) => path(&["rooms", "category", pool, name]),
            Self::Users => "/users".to_owned(),
            Self::UserNew => "/users/new".to_owned(),
            Self::UserImport => "/users/import".to_owned(),
            Self::Groups => "/groups".to_owned(),
            Self::Group(name) => path(&["groups", name]),
            Self::Policies => "/policies".to_owned(),
            Self::Tests => "/test-message".to_owned(),
            Self::Test(id) => path(&["test-message", id]),
            Self::Shell => "/shell".to_owned(),
            Self::Audit => "/audit".to_owned(),
            Self::Sharing => "/sharing".to_owned(),
            Self::Settings(tab) => path(&["settings", tab.slug()]),
        }
    }
}

fn path(parts: &[&str]) -> String {
    let mut out = String::new();
    for part in parts.iter().filter(|p| !p.is_empty()) {
        out.push('/');
        encode(part, &mut out);
    }
    out
}

/// Percent-encodes one part of a path.
fn encode(part: &str, out: &mut String) {
    for b in part.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
}

/// A part of an API path, percent-encoded.
pub fn segment(part: &str) -> String {
    let mut out = String::new();
    encode(part, &mut out);
    out
}

fn decode(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%').then(|| part.get(i + 1..i + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(b) => {
                out.push(b);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
