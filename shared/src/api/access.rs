//! Who may sign in to the portal and what they did: accounts, sessions, tokens, roles, the audit.

use super::dto::dto;
use crate::plan::PlannedChange;
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/access`.
    AccessView {
        /// Live sessions.
        sessions: Vec<AccessEntry>,
        /// API tokens.
        tokens: Vec<AccessEntry>,
        /// Roles of one's own.
        roles: Vec<OwnRoleView>,
    }
    /// A session or API token.
    AccessEntry {
        /// Id that names it and opens nothing.
        id: String,
        /// Account, or label of a token.
        name: String,
        /// Address of a session, role of a token.
        detail: String,
        /// When it began.
        created: Timestamp,
        /// When a session was last used.
        last_seen: Timestamp,
        /// When it ends.
        expires: Option<Timestamp>,
    }
    /// A role of one's own.
    OwnRoleView {
        /// Name.
        name: String,
        /// The standard role it was cloned from.
        template: String,
        /// Cmdlets it may run.
        cmdlets: Vec<String>,
        /// `Global` or sites.
        scopes: Vec<String>,
    }
    /// `GET /api/v1/accounts`.
    AccountView {
        /// Log-on name.
        name: String,
        /// Role.
        role: String,
        /// May sign in.
        enabled: bool,
        /// Last log-on.
        last_login: Option<Timestamp>,
        /// Signing in asks for a code besides.
        second_factor: bool,
        /// What is still missing before the person can work: a link to be used, or a password to be changed.
        waiting: Option<String>,
    }
    /// `GET /api/v1/audit`: an act, opened and closed.
    AuditView {
        /// Joins the opened and closed rows.
        op_id: String,
        /// When it was opened.
        at: Timestamp,
        /// Who.
        actor: String,
        /// Role under which.
        role: String,
        /// `session`, `token`, `share`, `host`.
        credential: String,
        /// Address it came from.
        source: String,
        /// Cmdlet.
        cmdlet: String,
        /// Equivalent line, secrets left out.
        line: String,
        /// What it was about.
        target: String,
        /// Why.
        reason: String,
        /// `opened`, `done`, `refused`, `failed` or `unknown`.
        outcome: String,
        /// What changed, or the error.
        detail: String,
        /// Properties before and after, where the act changes such.
        changes: Vec<PlannedChange>,
        /// Request id.
        request_id: String,
    }
}
