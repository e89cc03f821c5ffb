//! Alerts: what is open, who is told, how it left.

use serde::{Deserialize, Serialize};

use super::dto::dto;
use crate::error::Severity;
use crate::problem::LiveProblem;
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/alerts`.
    AlertsView {
        /// Problems that are there now, oldest first.
        open: Vec<AlertView>,
        /// Subjects nobody is told of for a while; `*` stands for all.
        muted: Vec<MuteView>,
        /// The latest deliveries, newest first.
        deliveries: Vec<DeliveryView>,
    }
    /// An open alert.
    AlertView {
        /// Code and subject, `code/subject`.
        key: String,
        /// The problem.
        problem: LiveProblem,
        /// When it was seen first.
        since: Timestamp,
        /// Who acknowledged it.
        acknowledged_by: Option<String>,
        /// When.
        acknowledged_at: Option<Timestamp>,
        /// Until when its subject is muted.
        muted_until: Option<Timestamp>,
        /// Labels of the targets that were told: it arrived there.
        told: Vec<String>,
        /// Targets that could not be told, each with why.
        not_told: Vec<String>,
        /// Labels of the targets that are being told.
        telling: Vec<String>,
    }
    /// A mute.
    MuteView {
        /// Subject, or `*`.
        subject: String,
        /// Until when.
        until: Timestamp,
        /// Who asked for it.
        actor: String,
    }
    /// Something that is or was told.
    DeliveryView {
        /// Id, also in the header `X-Lifeguard-Delivery`.
        id: String,
        /// When it was decided.
        at: Timestamp,
        /// Label of the target; its id when it was removed.
        target: String,
        /// Key of the alert.
        key: String,
        /// What was told: `raised`, `resolved` or `test`.
        told: String,
        /// `pending`, `delivered` or `failed`.
        state: String,
        /// Tries so far.
        tries: u32,
        /// Why the last try failed.
        error: Option<String>,
    }
    /// Someone who is told of problems, one of `GET /api/v1/alert-targets`.
    AlertTargetView {
        /// Id.
        id: String,
        /// Name.
        label: String,
        /// `Webhook` or `Mail`.
        kind: String,
        /// Address; only the host of a webhook for who may not change it, because URLs may carry a secret.
        address: String,
        /// How mail leaves.
        mail: Option<MailSettings>,
        /// Whether it is told anything.
        enabled: bool,
        /// Failed test messages in a row before it is told.
        after_failures: u32,
        /// Minutes after which it is told again; 0 means never.
        repeat_minutes: u32,
        /// Its latest delivery.
        last: Option<DeliveryView>,
    }
    /// What is sent to a webhook; mail says the same in plain words.
    AlertMessage {
        /// What is wrong, then what to do.
        problem: String,
        /// Stable code, for example `server.failed`.
        code: String,
        /// `error` or `warning`.
        severity: Severity,
        /// What it is about.
        subject: String,
        /// Since when.
        since: Timestamp,
        /// `raised`, `resolved` or `test`.
        state: String,
        /// Name of this portal.
        instance: String,
        /// Page to go to.
        href: String,
        /// Told before and still there.
        repeated: bool,
    }
}

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailSettings {
    /// SMTP server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// `None`, `StartTls` or `Tls`.
    pub security: String,
    /// The sender's address.
    pub from: String,
    /// Log-on name, when the server wants one.
    pub user_name: Option<String>,
}
