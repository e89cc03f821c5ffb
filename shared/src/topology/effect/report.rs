//! What an effect is and how it is told: risk, servers, endpoints, users.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::Fqdn;

/// How much a change can hurt, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing runs differently.
    #[default]
    None,
    /// Something new or renamed; nobody is interrupted.
    Low,
    /// Sessions end, or people find something else than before.
    Disruptive,
    /// Databases or files are set aside or left behind.
    Data,
}

impl Risk {
    /// The word on the badge and in the plan.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "No risk",
            Self::Low => "Low risk",
            Self::Disruptive => "Disruptive",
            Self::Data => "Touches data",
        }
    }
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerAct {
    /// It is stopped; its sessions end.
    Stops,
    /// It is stopped and started; its sessions end.
    Restarts,
    /// It is started.
    Starts,
    /// It takes the change up while it runs.
    Reconfigures,
    /// It stands elsewhere: somebody sets it up there.
    ByHand,
}

impl ServerAct {
    /// What one server does, or several do.
    pub fn verb(self, several: bool) -> &'static str {
        match (self, several) {
            (Self::Stops, false) => "stops",
            (Self::Stops, true) => "stop",
            (Self::Restarts, false) => "restarts",
            (Self::Restarts, true) => "restart",
            (Self::Starts, false) => "starts",
            (Self::Starts, true) => "start",
            (Self::Reconfigures, false) => "takes it up while running",
            (Self::Reconfigures, true) => "take it up while running",
            (Self::ByHand, false) => "is set up on its own machine",
            (Self::ByHand, true) => "are set up on their own machines",
        }
    }
}

/// A server that a change reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Touched {
    /// Its name.
    pub fqdn: Fqdn,
    /// What happens to it.
    pub act: ServerAct,
}

/// What one change does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Effect {
    /// How risky it is.
    pub risk: Risk,
    /// What comes of it, in a sentence.
    pub why: String,
    /// Servers it reaches.
    pub servers: Vec<Touched>,
    /// Legacy endpoints it reaches.
    pub endpoints: Vec<String>,
    /// Chat users it reaches.
    pub users: u64,
}

/// Most names that [`Effect::words`] writes out.
const NAMES: usize = 4;

impl Effect {
    /// Risk and reach in one line, for example `Disruptive: 1 server restarts (gc-001.contoso.com), 3 chat users.`;
    /// empty when nothing runs differently.
    pub fn words(&self) -> String {
        if self.risk == Risk::None {
            return String::new();
        }
        let parts = self.reach();
        let reach = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("{}{reach}. {}", self.risk.word(), self.why).trim_end().to_owned()
    }

    /// What it reaches, a part each.
    pub fn reach(&self) -> Vec<String> {
        let mut acts: BTreeMap<ServerAct, Vec<&str>> = BTreeMap::new();
        for s in &self.servers {
            acts.entry(s.act).or_default().push(s.fqdn.as_str());
        }
        let mut parts: Vec<String> = acts
            .into_iter()
            .map(|(act, names)| {
                let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
                let rest = names.len().saturating_sub(NAMES);
                let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
                format!(
                    "{} {} ({shown}{rest})",
                    count(names.len() as u64, "server"),
                    act.verb(names.len() > 1)
                )
            })
            .collect();
        if !self.endpoints.is_empty() {
            parts.push(count(self.endpoints.len() as u64, "endpoint"));
        }
        if self.users > 0 {
            parts.push(count(self.users, "chat user"));
        }
        parts
    }
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
