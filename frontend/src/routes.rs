//! Every page of the portal as a value: its address, its title, its place in the navigation.

use std::fmt::Write;

use shared::topology::wizard::Page;

/// Tabs of a pool's page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PoolTab {
    /// Facts and problems.
    #[default]
    Overview,
    /// Normal or FailedOver.
    State,
    /// Active and inactive servers.
    Servers,
    /// mgc and mgccomp.
    Databases,
    /// Test messages.
    Tests,
}

impl PoolTab {
    /// All tabs in order.
    pub const ALL: [Self; 5] = [Self::Overview, Self::State, Self::Servers, Self::Databases, Self::Tests];

    /// Word on the tab.
    pub fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::State => "State",
            Self::Servers => "Servers",
            Self::Databases => "Databases",
            Self::Tests => "Tests",
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::State => "state",
            Self::Servers => "servers",
            Self::Databases => "databases",
            Self::Tests => "tests",
        }
    }
}

/// Tabs of the settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SettingsTab {
    /// Portal accounts.
    #[default]
    Accounts,
    /// Sessions and API tokens.
    Access,
    /// Who is told of problems.
    Alerts,
    /// Which role may run what.
    Roles,
    /// Settings of the chat service.
    Chat,
    /// How clients reach the deployment.
    Clients,
    /// Other machines that run servers.
    Nodes,
    /// When the portal backs itself up.
    Backup,
    /// Version and instance.
    About,
}

impl SettingsTab {
    /// All tabs in order.
    pub const ALL: [Self; 9] = [
        Self::Accounts,
        Self::Access,
        Self::Alerts,
        Self::Roles,
        Self::Chat,
        Self::Clients,
        Self::Nodes,
        Self::Backup,
        Self::About,
    ];

    /// Word on the tab.
    pub fn label(self) -> &'static str {
        match self {
            Self::Accounts => "Accounts",
            Self::Access => "Sessions and tokens",
            Self::Alerts => "Alerts",
            Self::Roles => "Who can do what",
            Self::Chat => "Chat service",
            Self::Clients => "Clients and certificates",
            Self::Nodes => "Nodes",
            Self::Backup => "Backup",
            Self::About => "About",
        }
    }

    fn slug(self) -> &'static str {
        match self {
            Self::Accounts => "",
            Self::Access => "access",
            Self::Alerts => "alerts",
            Self::Roles => "roles",
            Self::Chat => "chat",
            Self::Clients => "clients",
            Self::Nodes => "nodes",
            Self::Backup => "backup",
            Self::About => "about",
        }
    }
}

/// A page of the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Route {
    /// What is wrong, then the pools.
    #[default]
    Overview,
    /// First start.
    Setup,
    /// Sign in.
    Login,
    /// A one-time link: sets a password without signing in.
    SetPassword,
    /// One's own account.
    Account,
    /// Tree and picture of the draft.
    Topology,
    /// One object of the draft: kind (`site`, `sip-domain`, `front-end-pool`, `sql-store`, `file-store`,
    /// `pool`) and id.
    TopologyObject(String, String),
    /// The form for a new object of a kind (the same words, without `pool`).
    TopologyNew(String),
    /// *New Persistent Chat Pool…*: makes a wizard draft and goes to it.
    WizardStart,
    /// A page of the wizard: draft id, page.
    Wizard(String, Page),
    /// What will change; publish.
    Publish,
    /// Published versions.
    Versions,
    /// Durable work.
    Job(String),
    /// The pools.
    Pools,
    /// One pool by FQDN.
    Pool(String, PoolTab),
    /// Legacy endpoints.
    Endpoints,
    /// Categories and rooms.
    Rooms,
    /// Form for a new room.
    RoomNew,
    /// Form for a new category.
    CategoryNew,
    /// One room: pool FQDN, name.
    Room(String, String),
    /// One category: pool FQDN, name.
    Category(String, String),
    /// Chat users.
    Users,
    /// Form for a new chat user.
    UserNew,
    /// Chat users from a file.
    UserImport,
    /// Groups of the directory.
    Groups,
    /// One group, by distinguished name.
    Group(String),
    /// Persistent Chat policies.
    Policies,
    /// Form for a test message, and the history.
    Tests,
    /// One test message.
    Test(String),
    /// Management Shell.
    Shell,
    /// Who did what.
    Audit,
    /// Status links.
    Sharing,
    /// Accounts, roles, about.
    Settings(SettingsTab),
    /// No such page.
    NotFound,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn every_route() -> Vec<Route> {
        let s = |t: &str| t.to_owned();
        let mut all = vec![
            Route::Overview,
            Route::Setup,
            Route::Login,
            Route::SetPassword,
            Route::Account,
            Route::Topology,
            Route::TopologyObject(s("site"), s("redmond")),
            Route::TopologyNew(s("sql-store")),
            Route::WizardStart,
            Route::Publish,
            Route::Versions,
            Route::Job(s("0198")),
            Route::Pools,
            Route::Endpoints,
            Route::Rooms,
            Route::RoomNew,
            Route::CategoryNew,
            Route::Room(s("a.litwareinc.com"), s("50 % off / ünder\\way?")),
            Route::Category(s("a.litwareinc.com"), s("Trading")),
            Route::Users,
            Route::UserNew,
            Route::UserImport,
            Route::Groups,
            Route::Group(s("CN=Sales\\, East,OU=Groups,DC=a,DC=com")),
            Route::Policies,
            Route::Tests,
            Route::Test(s("0199")),
            Route::Shell,
            Route::Audit,
            Route::Sharing,
        ];
        all.extend(PoolTab::ALL.map(|t| Route::Pool(s("atl-cs-001.litwareinc.com"), t)));
        all.extend(SettingsTab::ALL.map(Route::Settings));
        all.extend(Page::ALL.map(|p| Route::Wizard(s("d1"), p)));
        all
    }

    #[test]
    fn every_address_leads_back_to_its_page() {
        for route in every_route() {
            assert_eq!(Route::parse(&route.href()), route, "{}", route.href());
        }
    }

    #[test]
    fn unknown_addresses_are_not_found() {
        for path in ["/nowhere", "/pools/a.b/nowhere", "/topology/new-pool/x/nowhere", "/settings/x"] {
            assert_eq!(Route::parse(path), Route::NotFound, "{path}");
        }
    }

    #[test]
    fn trails_end_at_the_page() {
        for route in every_route() {
            let trail = route.trail();
            assert_eq!(trail.last(), Some(&route));
            assert!(trail[0].parent().is_none());
        }
    }
}
