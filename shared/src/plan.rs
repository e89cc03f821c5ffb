//! An invocation of a cmdlet, the plan it leads to, and what comes back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Problem;

/// Say what would happen, or do it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// `-WhatIf`: the plan only.
    WhatIf,
    /// Do it.
    #[default]
    Run,
}

/// Body of `POST /api/v1/cmdlets/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Invocation {
    /// Arguments by parameter name.
    pub args: Map<String, Value>,
    /// What-if or run.
    pub mode: Mode,
    /// Fingerprint of the plan that was confirmed; refused with the new plan when the world moved.
    pub fingerprint: Option<String>,
    /// Why; goes to the audit.
    pub reason: Option<String>,
    /// The typed name, where the plan wants one.
    pub typed_name: Option<String>,
    /// `-Confirm:$false` or `-Force`: the person takes the plan as it is.
    pub confirmed: bool,
    /// A UUID of the caller; the same id is applied once.
    pub op_id: Option<String>,
}

/// What one change of a plan does to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedChange {
    /// What changes, e.g. `atl-cs-001.litwareinc.com`.
    pub target: String,
    /// Which property.
    pub property: String,
    /// Before; empty when new.
    pub before: String,
    /// After; empty when removed.
    pub after: String,
}

impl PlannedChange {
    /// A change of one property.
    pub fn new(
        target: impl Into<String>,
        property: impl Into<String>,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        Self { target: target.into(), property: property.into(), before: before.into(), after: after.into() }
    }
}

/// How a plan wants to be confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "level", content = "name")]
pub enum Confirm {
    /// Nothing is asked.
    #[default]
    None,
    /// A yes.
    Ask,
    /// The name must be typed (page) or the question answered (shell).
    TypeName(String),
}

/// What a cmdlet would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// The cmdlet.
    pub cmdlet: String,
    /// The equivalent command line; running it gives this same plan.
    pub line: String,
    /// What it does, a sentence each, as `-WhatIf` prints it.
    pub sentences: Vec<String>,
    /// Before and after.
    pub changes: Vec<PlannedChange>,
    /// What stands in the way.
    pub blockers: Vec<Problem>,
    /// What to know.
    pub warnings: Vec<Problem>,
    /// People whose work it touches, when that can be counted.
    pub affected_users: Option<u64>,
    /// How it wants to be confirmed.
    pub confirm: Confirm,
    /// A loss or risk to be accepted in words by setting the named switch (parameter, text).
    pub acknowledge: Option<(String, String)>,
    /// Hash of what the plan was made from.
    pub fingerprint: String,
}

/// Answer of `POST /api/v1/cmdlets/{name}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CmdletResponse {
    /// The plan (changes and starts).
    pub plan: Option<Plan>,
    /// The objects it returns, properties in print order.
    pub output: Vec<Value>,
    /// Warnings as the shell prints them after `WARNING: `.
    pub warnings: Vec<String>,
    /// Text that is printed instead of the objects' properties (the test message's block).
    pub text: Option<String>,
    /// The job or test run it started.
    pub job: Option<String>,
    /// Whether anything was done (false for what-if).
    pub done: bool,
}
