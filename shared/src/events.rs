//! What the page is told live. Events are small: they name what changed, the page reads it again.

use serde::{Deserialize, Serialize};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A pool: state, active servers, databases.
    Pool,
    /// A server started, stopped, failed, or its session count moved.
    Server,
    /// The topology draft or a published version.
    Topology,
    /// A running job (publish, switch) moved on.
    Job,
    /// A test message's run moved on.
    Test,
    /// Endpoints, policies, users, accounts, shares.
    Directory,
    /// Categories and rooms.
    Rooms,
    /// A wizard draft.
    Draft,
    /// Alerts, their targets and deliveries.
    Alert,
    /// The audit grew.
    Audit,
}

/// One live event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// `<boot>-<seq>`, for `Last-Event-ID`.
    pub id: String,
    /// What it is about.
    pub topic: Topic,
    /// Which one (pool FQDN, job id, …); empty for "the list".
    #[serde(default)]
    pub subject: String,
}
