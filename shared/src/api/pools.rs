//! Pools: the overview, the list, one of them with its servers, databases, mirrors and log shipping.

use super::dto::dto;
use super::shares::AnnouncementView;
use super::test_messages::TestSummary;
use super::topology::JobView;
use crate::deployment::{PoolState, ServerReport};
use crate::names::{Fqdn, ObjectId, SipUri};
use crate::problem::LiveProblem;
use crate::shipping::Schedule;
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/overview`.
    Overview {
        /// Everything that is wrong now, worst first.
        problems: Vec<LiveProblem>,
        /// The pools.
        pools: Vec<PoolSummary>,
        /// Front End servers.
        front_ends: Vec<ServerReport>,
        /// The latest test messages, newest first.
        tests: Vec<TestSummary>,
        /// Version number of the published topology; none before the first publish.
        version: Option<u64>,
        /// Changes in the draft that are not published.
        unpublished: u32,
        /// Announcements and planned maintenance.
        announcements: Vec<AnnouncementView>,
        /// When this was put together.
        at: Timestamp,
    }
    /// A pool in a list.
    PoolSummary {
        /// Id.
        id: ObjectId,
        /// Pool FQDN.
        fqdn: Fqdn,
        /// Display name.
        display_name: String,
        /// Site name.
        site: String,
        /// State that is wanted.
        state: PoolState,
        /// Since when.
        since: Timestamp,
        /// Whether every server and the databases have taken the state up.
        converged: bool,
        /// Whether a backup store exists; without it, why it cannot be failed over.
        no_failover_reason: Option<String>,
        /// Servers.
        servers: Vec<ChatServerView>,
        /// Databases.
        databases: Vec<DatabaseView>,
        /// The last test message.
        last_test: Option<TestSummary>,
        /// Latency of the last test messages that ended by themselves, oldest first; none for one that failed.
        recent_us: Vec<Option<u64>>,
        /// Legacy endpoint.
        endpoint: Option<SipUri>,
        /// Compliance is on.
        compliance: bool,
        /// The adapter that writes events out; none when none is set.
        compliance_adapter: Option<AdapterView>,
        /// Events waiting in mgccomp of the side in use; none when it cannot be read.
        compliance_queue: Option<u64>,
        /// The mgccomp of the other side, when that is another one; after a failover events may wait there.
        compliance_other: Option<QueueView>,
        /// Since when nobody can chat in it, as far as known; none while somebody can.
        down_since: Option<Timestamp>,
        /// The guided run that is under way, or that has stopped and waits to be resumed.
        run: Option<PoolRun>,
    }
    /// Another mgccomp of a pool.
    QueueView {
        /// Store label.
        store: String,
        /// Events that wait in it; none when it cannot be read.
        events: Option<u64>,
    }
    /// A guided run of a pool that has not come to its end.
    PoolRun {
        /// Id of the run.
        id: String,
        /// The state that it leads to.
        to: PoolState,
        /// `running` or `failed`.
        state: String,
        /// Title of the step where it is.
        step: String,
        /// Why it has stopped.
        error: Option<String>,
        /// It has the databases in hand: posts are refused.
        holds: bool,
        /// It can be cancelled; else there is only the way forward.
        cancellable: bool,
    }
    /// A compliance adapter at work.
    AdapterView {
        /// Where it writes.
        directory: String,
        /// How often, `hh:mm:ss`.
        run_interval: String,
        /// When it ran last.
        last_run: Option<Timestamp>,
        /// Why the last run failed.
        error: Option<String>,
    }
    /// A server of a pool.
    ChatServerView {
        /// Report of its host.
        report: ServerReport,
        /// Whether it is in the active list.
        active: bool,
    }
    /// A database of a pool.
    DatabaseView {
        /// `primary` or `backup`.
        role: String,
        /// `mgc` or `mgccomp`.
        database: String,
        /// Store label.
        store: String,
        /// The node that has it; none when it is with the portal.
        node: Option<String>,
        /// Whether the pool uses it now.
        in_use: bool,
        /// Whether it answers; else why not.
        error: Option<String>,
        /// Size in bytes.
        size_bytes: Option<u64>,
        /// Messages in it.
        messages: Option<u64>,
        /// Its epoch (fence).
        epoch: Option<u64>,
        /// When it was last copied from the other side.
        copied_at: Option<Timestamp>,
        /// When it was last written.
        last_write: Option<Timestamp>,
        /// Log shipping restores into it; up to when it has what was committed.
        restoring: Option<Timestamp>,
    }
    /// The mirror of the database that a pool uses.
    MirrorView {
        /// Store of the principal.
        principal: String,
        /// Store of the mirror.
        mirror: String,
        /// The principal stands on the store that the topology calls the mirror.
        on_mirror: bool,
        /// Mirroring is set up (`Install-CsMirrorDatabase`).
        installed: bool,
        /// `synchronized`, `synchronizing`, `disconnected`, `suspended` (nothing is open) or `not installed`.
        state: String,
        /// Why it is disconnected or suspended.
        why: Option<String>,
    }
    /// Log shipping of a pool's mgc.
    ShippingView {
        /// Store in use.
        from: String,
        /// Store that is restored.
        to: String,
        /// When the newest segment in the share was cut.
        shipped_at: Option<Timestamp>,
        /// Number of that segment.
        shipped: Option<u64>,
        /// Number of the newest segment that is applied.
        applied: Option<u64>,
        /// Commits that were shipped and are not applied.
        behind: u64,
        /// When the backup job last succeeded.
        backup_at: Option<Timestamp>,
        /// When copy and restore last succeeded.
        restore_at: Option<Timestamp>,
        /// Up to when the other side has what was committed.
        complete_until: Option<Timestamp>,
        /// Messages that the other side does not have, as far as is known since the program was started.
        messages_behind: Option<u64>,
        /// Why a job fails; none when all is well.
        problem: Option<String>,
        /// How often the jobs run, and when lateness is a problem.
        schedule: Schedule,
        /// Seconds since the backup job last succeeded, or since it should have begun.
        backup_age: Option<u64>,
        /// Seconds that the other side is behind.
        restore_age: Option<u64>,
        /// What is late, in a sentence.
        late: Option<String>,
        /// Folders of databases that were in use, were replaced, and may hold what was never shipped.
        orphans: Vec<String>,
    }
    /// `GET /api/v1/pools/{fqdn}`.
    PoolDetail {
        /// Same as in the list.
        summary: PoolSummary,
        /// Port of its servers.
        port: u16,
        /// Kind: `Multiple computer pool` or `Single computer pool`.
        kind: String,
        /// Label of the file store.
        file_store: String,
        /// Next hop FQDN.
        next_hop: Fqdn,
        /// Sites it is default for.
        default_for: Vec<String>,
        /// Lookup contact that Lync 2013 clients get by provisioning.
        lookup_uri: SipUri,
        /// Latest tests.
        tests: Vec<TestSummary>,
        /// Its databases are on SQL Servers that people drive; `Get-LgRunbook` prints the steps.
        guided: bool,
        /// The mirror, when the topology has one for the side in use.
        mirror: Option<MirrorView>,
        /// The mirror of mgccomp, likewise.
        compliance_mirror: Option<MirrorView>,
        /// Log shipping, when the pool has a backup and a share that this program reaches.
        shipping: Option<ShippingView>,
        /// The guided run that has the pool in hand.
        run: Option<String>,
        /// The latest guided runs, newest first.
        runs: Vec<JobView>,
        /// Front End pools that could take the place of the next hop; none while it runs.
        next_hops: Option<Vec<Fqdn>>,
        /// The latest rehearsals on a copy, newest first.
        rehearsals: Vec<JobView>,
        /// For each state, the servers that stand near the database it uses.
        near: Vec<Vec<Fqdn>>,
    }
    /// `GET /api/v1/endpoints`.
    EndpointView {
        /// SIP address.
        sip_address: SipUri,
        /// Display name.
        display_name: String,
        /// The pool.
        pool: Fqdn,
        /// When it was created.
        created: Timestamp,
    }
}
