//! What the portal and its servers stand on: nodes, certificates, DNS records, backups.

use super::dto::dto;
use crate::deployment::ServerState;
use crate::names::Fqdn;
use crate::time::Timestamp;

dto! {
    /// A server that a node runs.
    NodeServer {
        /// Its name.
        fqdn: Fqdn,
        /// Its pool.
        pool: Fqdn,
        /// What it does.
        state: ServerState,
    }
    /// A certificate that a server shows, one of `GET /api/v1/certificates`.
    CertificateView {
        /// The server; empty for the authority.
        server: String,
        /// Its pool.
        pool: String,
        /// Set by an administrator, not issued by the portal's authority.
        own: bool,
        /// Whom it names.
        subject: String,
        /// Who signed it.
        issuer: String,
        /// DNS names in it.
        names: Vec<String>,
        /// Valid from.
        not_before: Timestamp,
        /// Valid until.
        not_after: Timestamp,
        /// Whole days left; negative when it has ended.
        days_left: i64,
        /// SHA-256, hexadecimal.
        thumbprint: String,
    }
    /// A DNS record that clients need, one of `GET /api/v1/dns`.
    DnsRecordView {
        /// `A`, `AAAA` or `SRV`.
        kind: String,
        /// Its name.
        name: String,
        /// Its value; of a SRV record priority, weight, port and target.
        value: String,
        /// What it is for.
        purpose: String,
        /// What hinders clients all the same; empty when nothing does.
        warning: String,
        /// What the portal's host finds under the name, empty when nothing; none for SRV records, which the
        /// system's resolver does not tell.
        found: Option<String>,
    }
    /// A process on another machine that runs servers, one of `GET /api/v1/nodes`.
    NodeView {
        /// Its name.
        name: String,
        /// `Waiting`, `Expired`, `Connected` or `Unreachable`.
        state: String,
        /// Since when.
        since: Option<Timestamp>,
        /// The address its servers listen on.
        address: Option<String>,
        /// Name and version of its program.
        product: Option<String>,
        /// When it joined.
        joined: Option<Timestamp>,
        /// Until when its token may be used.
        token_until: Option<Timestamp>,
        /// What it runs.
        servers: Vec<NodeServer>,
    }
    /// `GET /api/v1/backups`: when the portal backs itself up, and what is kept.
    BackupsView {
        /// Whether it runs by itself.
        enabled: bool,
        /// Every so many hours; daily when none.
        every_hours: Option<u32>,
        /// Time of a daily one, `HH:MM` UTC.
        daily: String,
        /// How many are kept.
        keep: u32,
        /// Folder on the portal's host.
        folder: String,
        /// Whether the folder is another than `backups` in the data directory.
        own_folder: bool,
        /// Whether one is made now.
        running: bool,
        /// When the next one is due.
        next: Option<Timestamp>,
        /// When the last one was made or failed.
        last: Option<Timestamp>,
        /// Why the last one failed.
        error: Option<String>,
        /// What is kept, newest first.
        backups: Vec<BackupFile>,
    }
    /// A backup that was written whole and verified.
    BackupFile {
        /// Name of the file.
        name: String,
        /// When it was made.
        at: Timestamp,
        /// Size.
        bytes: u64,
        /// Pools whose databases it does not hold, each with the node that was away.
        lacks: Vec<String>,
    }
}
