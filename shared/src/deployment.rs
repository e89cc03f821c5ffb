//! What a chat host is told to run: the published topology and the operational state, flattened.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::names::{Fqdn, ObjectId, SipUri};
use crate::shipping::Schedule;
use crate::topology::SqlStore;

/// Port at which a node serves the databases it owns.
pub const DATABASE_PORT: u16 = 7445;

/// State of a Persistent Chat pool. Source: S0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PoolState {
    /// The pool uses its primary databases.
    #[default]
    Normal,
    /// The pool uses its backup databases.
    FailedOver,
}

impl PoolState {
    /// The word that is printed and typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::FailedOver => "FailedOver",
        }
    }

    /// Reads the word, ignoring case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Normal, Self::FailedOver].into_iter().find(|s| s.word().eq_ignore_ascii_case(text.trim()))
    }
}

/// A server that runs here or elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostedServer {
    /// Its name; also the SAN of its certificate.
    pub fqdn: Fqdn,
    /// The address it listens on or is reached at.
    pub address: IpAddr,
    /// Whether this process runs it.
    pub runs_here: bool,
    /// The node that runs it; none when it runs in the portal's process or is not run at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Its node does not answer: nothing new is sent there, and what hangs on it is ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreachable: bool,
}

/// A Front End pool with its registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FrontEndHost {
    /// Id in the topology.
    pub id: ObjectId,
    /// Pool name.
    pub fqdn: Fqdn,
    /// Its servers.
    pub servers: Vec<HostedServer>,
    /// SIP over TLS (5061).
    pub tls_port: u16,
    /// SIP over TCP (5060).
    pub tcp_port: u16,
}

/// A server of a Persistent Chat pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChatServerHost {
    /// The computer.
    pub server: HostedServer,
    /// Whether it accepts new sessions; an inactive one keeps those it has.
    pub active: bool,
}

/// Settings of the chat service. Source: model §10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChatSettings {
    /// Messages sent as back-fill after a join, 1–500.
    pub default_chat_history: u16,
    /// Above this number of participants roster updates stop.
    pub participant_update_limit: u32,
    /// Page where users manage rooms.
    pub room_management_url: Option<String>,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self { default_chat_history: 30, participant_update_limit: 75, room_management_url: None }
    }
}

/// The node that owns a pool's databases: nobody else opens them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DatabaseHost {
    /// Its name.
    pub node: String,
    /// The address at which it serves them, on [`DATABASE_PORT`].
    pub address: IpAddr,
    /// The store that holds mgc.
    pub store: SqlStore,
    /// Generation of the pool's state.
    pub generation: u64,
}

/// One side of a pool whose primary and backup are in different processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SideHost {
    /// The node that owns it; none when it is with the portal.
    pub node: Option<String>,
    /// The store that holds mgc.
    pub store: SqlStore,
}

/// Log shipping of a pool whose primary and backup are in different processes, as both owners are told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PairHost {
    /// The side in use; only its owner opens it.
    pub in_use: PoolState,
    /// The epoch that it was opened with last, as far as the portal knows.
    pub epoch: u64,
    /// The side that is wanted in use.
    pub state: PoolState,
    /// The loss of what the side in use has alone was acknowledged.
    pub forced: bool,
    /// While the pool is switched nothing is opened; the name of this very switch.
    pub hold: Option<String>,
    /// Primary.
    pub primary: SideHost,
    /// Backup.
    pub backup: SideHost,
    /// Folder of the chain, which both owners reach by this path.
    pub share: String,
    /// When the jobs run.
    pub schedule: Schedule,
}

impl PairHost {
    /// One of the two.
    pub fn side(&self, side: PoolState) -> &SideHost {
        match side {
            PoolState::Normal => &self.primary,
            PoolState::FailedOver => &self.backup,
        }
    }

    /// The side that a node, or the portal, owns; none when it owns neither.
    pub fn of(&self, node: Option<&str>) -> Option<PoolState> {
        let own = |side: &PoolState| self.side(*side).node.as_deref() == node;
        [PoolState::Normal, PoolState::FailedOver].into_iter().find(own)
    }
}

/// A node that belongs to the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodePeer {
    /// Its name.
    pub name: String,
    /// SHA-256 of its public key, in hexadecimal.
    pub key: String,
}

/// A Persistent Chat pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChatPoolHost {
    /// Id in the topology.
    pub id: ObjectId,
    /// Pool name.
    pub fqdn: Fqdn,
    /// Friendly name.
    pub display_name: String,
    /// Port of its servers (5041).
    pub port: u16,
    /// The Front End pool that routes to it; the only peer its servers accept.
    pub next_hop: ObjectId,
    /// Its servers.
    pub servers: Vec<ChatServerHost>,
    /// The pool's own lookup contact, e.g. `sip:pcpool.contoso.com-lookup@contoso.com`.
    pub lookup_uri: SipUri,
    /// The channel service's address; INVITEs to it go to an active server.
    pub channel_uri: SipUri,
    /// Legacy endpoints that reach this pool (seed 004).
    pub endpoints: Vec<SipUri>,
    /// Ids of the sites whose users get this pool by provisioning.
    pub default_for: Vec<ObjectId>,
    /// Names of Front End pools whose users belong to those sites.
    pub default_for_front_ends: Vec<ObjectId>,
    /// Whether joins, leaves and posts are queued for compliance (mgccomp).
    pub compliance: bool,
    /// Settings.
    pub settings: ChatSettings,
    /// The node that owns its databases; none when they are with the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseHost>,
    /// Both sides, when they are in different processes. Owners of a side are told, nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<PairHost>,
}

/// Everything a chat host needs to know, at one generation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deployment {
    /// Rises with every change of desired state.
    pub generation: u64,
    /// SIP domains of the organisation.
    pub sip_domains: Vec<Fqdn>,
    /// Front End pools.
    pub front_ends: Vec<FrontEndHost>,
    /// Persistent Chat pools.
    pub pools: Vec<ChatPoolHost>,
    /// The nodes: an owner of databases lets in nobody else but the portal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodePeer>,
}

/// What a server does now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum ServerState {
    /// Known, not started yet.
    Starting,
    /// Listening and serving.
    Running,
    /// Not run by this process; nothing is known.
    NotHostedHere,
    /// Could not start or stopped; with the reason.
    Failed(String),
    /// Runs on a node that does not answer; with the node and since when.
    Unreachable(String),
    /// Stopped on purpose.
    Stopped,
}

impl ServerState {
    /// The word of the badge.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::NotHostedHere => "Not hosted here",
            Self::Failed(_) => "Failed",
            Self::Unreachable(_) => "Unreachable",
            Self::Stopped => "Stopped",
        }
    }

    /// Why it does not serve, when it should.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Failed(why) | Self::Unreachable(why) => Some(why),
            _ => None,
        }
    }
}

/// What a host reports of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerReport {
    /// The server.
    pub fqdn: Fqdn,
    /// `front_end` or `chat`.
    pub role: ServerRole,
    /// State.
    pub state: ServerState,
    /// `address:port` pairs it listens on.
    pub listens: Vec<String>,
    /// Open sessions (registrations at a Front End, channel dialogs at a chat server).
    pub sessions: u32,
    /// The generation of the deployment it has taken up.
    pub generation: u64,
    /// The node that runs it; none in the portal's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// What a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerRole {
    /// Front End Server: registrar and router.
    FrontEnd,
    /// Persistent Chat server.
    Chat,
}
