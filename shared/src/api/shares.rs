//! Shared pages and announcements, as administrators and as strangers see them.

use super::dto::dto;
use crate::names::Fqdn;
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/shares`.
    ShareView {
        /// Id.
        id: String,
        /// Label.
        label: String,
        /// Made when.
        created: Timestamp,
        /// Made by.
        created_by: String,
        /// Ends when.
        expires: Option<Timestamp>,
        /// Revoked when.
        revoked: Option<Timestamp>,
        /// Opened last.
        last_used: Option<Timestamp>,
        /// Times opened.
        uses: u64,
        /// Pools shown; none is all.
        pools: Vec<String>,
        /// `State`, `Servers` or `Procedure`.
        level: String,
        /// Asks for a passphrase.
        passphrase: bool,
        /// Whoever has it may send a test message.
        may_test: bool,
    }
    /// An announcement or planned maintenance.
    AnnouncementView {
        /// Id.
        id: String,
        /// `Announcement` or `Maintenance`.
        kind: String,
        /// The words.
        text: String,
        /// When it begins.
        begins: Timestamp,
        /// When it ends.
        ends: Option<Timestamp>,
        /// Who told it.
        created_by: String,
    }
    /// `GET /api/v1/shares`: the list with what the page must warn of.
    ShareList {
        /// The links.
        shares: Vec<ShareView>,
        /// Announcements and planned maintenance.
        announcements: Vec<AnnouncementView>,
        /// Pools that a link can be confined to.
        pools: Vec<Fqdn>,
        /// Base of the links.
        public_url: String,
        /// Set when the links work on this host only, with what to do.
        reach_warning: Option<String>,
    }
    /// What `GET /status/{token}/data` returns and the shared page shows.
    StatusView {
        /// Label of the instance.
        instance: String,
        /// When it was put together.
        at: Timestamp,
        /// Worst state in one line.
        verdict: String,
        /// `State`, `Servers` or `Procedure`: how much of a pool is filled in.
        level: String,
        /// Whether a test message may be sent from here.
        may_test: bool,
        /// Announcements and planned maintenance.
        announcements: Vec<StatusNote>,
        /// The pools.
        pools: Vec<StatusPool>,
    }
    /// A pool on the shared page.
    StatusPool {
        /// FQDN.
        fqdn: String,
        /// Display name.
        display_name: String,
        /// `Normal`, `FailedOver`, `Degraded`, `Down`.
        state: String,
        /// Since when, as far as known; when it is down, since it is.
        since: Option<Timestamp>,
        /// Servers: name and word.
        servers: Vec<(String, String)>,
        /// Databases: label and word.
        databases: Vec<(String, String)>,
        /// Last test: when and verdict.
        last_test: Option<(Timestamp, String)>,
        /// Latencies of the last test messages, oldest first; none for a failed one. Empty where servers are not shown.
        recent_us: Vec<Option<u64>>,
        /// A guided run that is under way or stands still.
        procedure: Option<StatusProcedure>,
    }
    /// An announcement as strangers see it: without who told it.
    StatusNote {
        /// `Announcement` or `Maintenance`.
        kind: String,
        /// The words.
        text: String,
        /// When it begins.
        begins: Timestamp,
        /// When it ends.
        ends: Option<Timestamp>,
    }
    /// A guided run on the shared page.
    StatusProcedure {
        /// What it does.
        title: String,
        /// `running` or `failed`.
        state: String,
        /// The step under way, or the failed one.
        step: String,
        /// Steps that are done.
        done: u32,
        /// All steps.
        steps: u32,
    }
}
