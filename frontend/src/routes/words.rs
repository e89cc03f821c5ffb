//! What a page is called, and where it stands.

use shared::topology::wizard::Page;

use super::Route;
use super::tabs::{PoolTab, SettingsTab};

impl Route {
    /// Short title, as in the navigation and the breadcrumbs.
    pub fn title(&self) -> String {
        match self {
            Self::Overview => "Overview".to_owned(),
            Self::Setup => "Set up".to_owned(),
            Self::Login => "Sign in".to_owned(),
            Self::SetPassword => "Set your password".to_owned(),
            Self::Account => "My account".to_owned(),
            Self::Topology => "Topology".to_owned(),
            Self::TopologyObject(_, _) => "Object".to_owned(),
            Self::TopologyNew(kind) => format!("New {}", kind_words(kind)),
            Self::WizardStart | Self::Wizard(_, _) => "Define New Persistent Chat Pool".to_owned(),
            Self::Publish => "Publish".to_owned(),
            Self::Versions => "Versions".to_owned(),
            Self::Job(_) => "Run".to_owned(),
            Self::Pools => "Pools".to_owned(),
            Self::Pool(fqdn, _) => fqdn.clone(),
            Self::Endpoints => "Endpoints".to_owned(),
            Self::Rooms => "Rooms".to_owned(),
            Self::RoomNew => "New room".to_owned(),
            Self::CategoryNew => "New category".to_owned(),
            Self::Room(_, name) | Self::Category(_, name) => name.clone(),
            Self::Users => "Users".to_owned(),
            Self::UserNew => "New user".to_owned(),
            Self::UserImport => "Import users".to_owned(),
            Self::Groups => "Groups".to_owned(),
            Self::Group(name) => shared::dn::first(name),
            Self::Policies => "Policies".to_owned(),
            Self::Tests => "Test message".to_owned(),
            Self::Test(_) => "Result".to_owned(),
            Self::Shell => "Management Shell".to_owned(),
            Self::Audit => "Audit".to_owned(),
            Self::Sharing => "Sharing".to_owned(),
            Self::Settings(_) => "Settings".to_owned(),
            Self::NotFound => "No such page".to_owned(),
        }
    }

    /// The page above this one, for the breadcrumbs and for what is current in the navigation.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::TopologyObject(_, _)
            | Self::TopologyNew(_)
            | Self::WizardStart
            | Self::Wizard(_, _)
            | Self::Publish
            | Self::Versions => Some(Self::Topology),
            Self::Job(_) => Some(Self::Publish),
            Self::Pool(_, _) => Some(Self::Pools),
            Self::RoomNew | Self::CategoryNew | Self::Room(_, _) | Self::Category(_, _) => Some(Self::Rooms),
            Self::UserNew | Self::UserImport => Some(Self::Users),
            Self::Group(_) => Some(Self::Groups),
            Self::Test(_) => Some(Self::Tests),
            _ => None,
        }
    }

    /// The pages from the top down to this one.
    pub fn trail(&self) -> Vec<Self> {
        let mut trail = vec![self.clone()];
        while let Some(parent) = trail[0].parent() {
            trail.insert(0, parent);
        }
        trail
    }

    /// The page without what changes in place (tab, wizard page, chosen object, shown test): while this stays the
    /// same, the page is not built anew.
    pub fn screen(&self) -> Self {
        match self {
            Self::Pool(fqdn, _) => Self::Pool(fqdn.clone(), PoolTab::Overview),
            Self::Settings(_) => Self::Settings(SettingsTab::Accounts),
            Self::Wizard(id, _) => Self::Wizard(id.clone(), Page::Fqdn),
            Self::TopologyObject(_, _) => Self::Topology,
            Self::Test(_) => Self::Tests,
            other => other.clone(),
        }
    }
}

/// The words for a kind of topology object.
pub fn kind_words(kind: &str) -> &'static str {
    match kind {
        "site" => "site",
        "sip-domain" => "SIP domain",
        "front-end-pool" => "Front End pool",
        "sql-store" => "SQL Server store",
        "file-store" => "file store",
        "pool" => "Persistent Chat pool",
        "data-center" => "data centre",
        _ => "object",
    }
}
