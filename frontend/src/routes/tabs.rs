//! Tabs of pages that have such.

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

    pub(super) fn slug(self) -> &'static str {
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

    pub(super) fn slug(self) -> &'static str {
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
