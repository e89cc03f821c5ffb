//! Every page of the portal as a value: its address, its title, its place in the navigation.

mod address;
mod tabs;
mod words;

use shared::topology::wizard::Page;

pub use self::address::segment;
pub use self::tabs::{PoolTab, SettingsTab};
pub use self::words::kind_words;

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
