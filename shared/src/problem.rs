//! What is wrong now: what, since when, what was tried, and the next safe step.

use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::time::Timestamp;

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LiveProblem {
    /// Code, severity, and what is wrong.
    pub problem: Problem,
    /// What it is about, e.g. a pool's FQDN.
    pub subject: String,
    /// Page to go to.
    pub href: String,
    /// Since when, as far as known.
    pub since: Option<Timestamp>,
    /// What was tried since then, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// The next safe step.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

impl LiveProblem {
    /// A problem of which nothing else is known yet.
    pub fn new(problem: Problem, subject: impl Into<String>, href: impl Into<String>) -> Self {
        let next = next_step(&problem.code).unwrap_or_default().to_owned();
        Self { problem, subject: subject.into(), href: href.into(), since: None, tried: Vec::new(), next }
    }
}

/// Something that was tried against a problem, by a person or by the service itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tried {
    /// When; none for what goes on all the time.
    pub at: Option<Timestamp>,
    /// Who, what, and what came of it.
    pub text: String,
}

/// The next safe step for a problem of this code: one that harms nothing when the guess was wrong.
pub fn next_step(code: &str) -> Option<&'static str> {
    Some(match code {
        "pool.failed_over" => {
            "When the primary database is sound again, return the pool with the guided failback."
        }
        "pool.database" => {
            "Read why the database does not answer and mend that; it is opened again by itself."
        }
        "pool.no_server" => "Start an active server, or make one that runs active.",
        "alerts.undelivered" => {
            "Mend the targets or the way to them, then send a test alert: it ends this when it arrives."
        }
        "run.failed" => "Mend what the reason names, then resume the run.",
        "pool.opening" => "Wait a moment; it opens by itself. Look at the databases if it does not.",
        "pool.inactive" => "Make a server active.",
        "server.failed" | "front_end.failed" => {
            "Mend what the reason names; the server is then started by itself."
        }
        "server.stopped" => "Start it, or make another server active.",
        "front_end.stopped" => "Start it when the work on it is done.",
        "db.error" => {
            "Mend the copy before it is needed: look at the databases of the pool. The one in use is not touched."
        }
        "mirror" | "mirror.compliance" => {
            "Bring the mirror's server or disk back; the copy follows by itself."
        }
        "shipping.late" => {
            "See which of the jobs is behind and whether the share and the other side answer. A schedule that is meant so gets a higher threshold."
        }
        "shipping" => "Mend what the reason names; shipping goes on by itself, and nothing is skipped.",
        "compliance.adapter" => {
            "Make the output folder writable; what is queued is then written, nothing is lost."
        }
        "compliance.no_adapter" => {
            "Set the compliance adapter and its folder; what is queued is then written."
        }
        "test.failed" => "Send a test message now and read its diagnosis.",
        "test.missed" => "Bring the node back, or let another place send the test.",
        "certificate.ended" | "certificate.ending" => "Set a new certificate; open sessions go on.",
        "disk.full" | "disk.low" => "Make room on the disk: old backups and databases kept aside come first.",
        "disk.silent" | "backup.silent" => {
            "See to the disk or the mount that hangs; what stands on it waits until it answers."
        }
        "backup.failed" => "Mend what the reason names, then make a backup now.",
        "backup.old" => "Make a backup now.",
        "backup.incomplete" => "Bring the node back, then make a backup now.",
        "share.ending" => "Make a new link for those who still need it; the old one ends by itself.",
        _ => return None,
    })
}
