//! The resources that pages read under `/api/v1`. Acts go through `POST /api/v1/cmdlets/{name}` only
//! (see [`crate::plan`]); the few exceptions (session, drafts) stand here.

use serde::{Deserialize, Serialize};

use crate::deployment::{PoolState, ServerReport, ServerState};
use crate::error::{Problem, Severity};
use crate::names::{Fqdn, ObjectId, SipUri};
use crate::plan::PlannedChange;
pub use crate::problem::{LiveProblem, Tried};
use crate::shipping::Schedule;
use crate::synthetic::{Phase, StepRecord, TestReport};
use crate::time::Timestamp;
use crate::topology::Topology;
use crate::topology::diff::Change;
use crate::topology::draft::PoolDraft;
use crate::topology::effect::Effect;
use crate::topology::merge::Row;
use crate::topology::todo::Todo;

macro_rules! dto {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $fdoc:literal])+ $field:ident : $ty:ty,)* })*) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name { $($(#[doc = $fdoc])+ pub $field: $ty,)* }
    )*};
}

dto! {
    /// `GET /api/v1/session`: who is signed in. Answered to anyone.
    Session {
        /// Whether the first administrator must still be created.
        setup_needed: bool,
        /// The signed-in account.
        account: Option<AccountInfo>,
        /// Name of this instance, for the title.
        instance: String,
        /// Version of the product.
        version: String,
    }
    /// The signed-in account.
    AccountInfo {
        /// Log-on name.
        name: String,
        /// Its roles.
        roles: Vec<String>,
        /// When the session ends without use.
        expires: Timestamp,
        /// Somebody else has set the password: nothing works before it is changed.
        must_change: bool,
    }
    /// `POST /api/v1/setup`.
    SetupRequest {
        /// The one-time token that `serve` printed.
        token: String,
        /// Log-on name of the first administrator.
        name: String,
        /// Password of at least 10 characters.
        password: String,
        /// `litware` or `empty`.
        deployment: String,
    }
    /// Answer of `POST /api/v1/setup`.
    SetupResponse {
        /// The job that publishes the sample.
        job: Option<String>,
        /// Generated credentials of the sample's users, shown once.
        credentials: Vec<GeneratedCredential>,
    }
    /// A generated credential, shown once.
    GeneratedCredential {
        /// SIP address.
        sip_address: String,
        /// Log-on name.
        logon_name: String,
        /// Password.
        password: String,
    }
    /// `POST /api/v1/login`.
    LoginRequest {
        /// Log-on name.
        name: String,
        /// Password.
        password: String,
        /// Code of the second factor, or a recovery code; asked for where the account has one.
        code: Option<String>,
    }
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
        /// Events waiting in mgccomp.
        compliance_queue: Option<u64>,
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
    /// `GET /api/v1/watch`.
    WatchView {
        /// SIP addresses of stored test users.
        users: Vec<SipUri>,
        /// Test messages that run by themselves.
        watchers: Vec<WatcherView>,
        /// Authorities of others that test messages trust.
        authorities: Vec<AuthorityView>,
        /// Nodes that have joined: test messages may run from them.
        nodes: Vec<String>,
    }
    /// An authority of others that test messages trust.
    AuthorityView {
        /// What it is called here.
        name: String,
        /// Whom its certificates are for.
        subjects: Vec<String>,
        /// The first end of its certificates' validity.
        not_after: Option<Timestamp>,
    }
    /// A test message that runs by itself.
    WatcherView {
        /// Pool that is watched.
        target: String,
        /// Test users.
        users: Vec<String>,
        /// When it runs, in words.
        schedule: String,
        /// Whether it runs.
        enabled: bool,
        /// When it runs next.
        next_run: Timestamp,
        /// Failures in a row.
        failures: u32,
        /// Runs missed because the portal, or the node that was to do them, was not there.
        missed: u32,
        /// The last run.
        last: Option<TestSummary>,
    }
    /// A test message in a list.
    TestSummary {
        /// Id of the run.
        id: String,
        /// Target as typed.
        target: String,
        /// The chat pool it reached or would have reached, when known.
        pool: Option<Fqdn>,
        /// `running`, `success`, `failure`, `cancelled` or `missed` (its node was away).
        state: String,
        /// When it started.
        started: Timestamp,
        /// First send to second receipt, in microseconds.
        latency_us: Option<u64>,
        /// One line: the verdict.
        verdict: String,
        /// Who started it.
        actor: String,
        /// The node that ran it; the portal when none.
        node: Option<String>,
    }
    /// `GET /api/v1/test-history`: earlier test messages, a page of them, and numbers over all of them.
    TestHistory {
        /// The page, newest first.
        rows: Vec<TestSummary>,
        /// How many there are in all.
        total: u64,
        /// How many went well.
        succeeded: u64,
        /// How many failed.
        failed: u64,
        /// The newest so many that went well or failed are what the numbers below are made from.
        measured: u32,
        /// Their time cut into slices, oldest first.
        slices: Vec<TestSlice>,
        /// How long the phases took in those that went well; the last one, without phase, is the latency.
        phases: Vec<PhaseNumbers>,
        /// Who started test messages.
        actors: Vec<String>,
        /// Why test messages failed.
        causes: Vec<String>,
        /// Days that test messages are kept; 0 means for ever.
        keep_days: u32,
    }
    /// A slice of time in the history.
    TestSlice {
        /// When its first test message started.
        from: Timestamp,
        /// When its last one started.
        to: Timestamp,
        /// How many went well.
        succeeded: u32,
        /// How many failed.
        failed: u32,
        /// Latency that half of them had at most, microseconds.
        median_us: Option<u64>,
        /// Latency that 95 of 100 had at most.
        p95_us: Option<u64>,
    }
    /// How long a phase took.
    PhaseNumbers {
        /// The phase; none for the latency.
        phase: Option<Phase>,
        /// How many were measured.
        count: u32,
        /// Half took at most so long, microseconds.
        median_us: u64,
        /// 95 of 100.
        p95_us: u64,
        /// 99 of 100.
        p99_us: u64,
        /// The longest.
        max_us: u64,
    }
    /// `GET /api/v1/tests/{id}`: a run, also while it runs.
    TestRun {
        /// Same as in the list.
        summary: TestSummary,
        /// Steps so far.
        steps: Vec<StepRecord>,
        /// The report when it ended.
        report: Option<TestReport>,
        /// The block as `Test-CsPersistentChatMessage` prints it, when it ended.
        printed: Option<String>,
    }
    /// `GET /api/v1/topology`.
    TopologyView {
        /// What is published.
        published: Topology,
        /// Number of the published version.
        version: Option<u64>,
        /// The draft.
        draft: Topology,
        /// Name of the draft.
        name: String,
        /// Revision of the draft.
        revision: u32,
        /// Version that the draft was begun from.
        base: Option<u64>,
        /// All drafts, main first.
        drafts: Vec<DraftInfo>,
        /// What was published since the draft was begun, beside what the draft has.
        merge: Option<MergeView>,
        /// Differences from published to draft.
        changes: Vec<Change>,
        /// The same as sentences.
        sentences: Vec<String>,
        /// What each of the changes does: its risk, and the servers, endpoints and users it reaches.
        effects: Vec<Effect>,
        /// Problems of the draft.
        problems: Vec<Problem>,
        /// Names of accounts that may publish, when the asker may not.
        publishers: Vec<String>,
        /// Open wizard drafts.
        wizards: Vec<WizardInfo>,
    }
    /// `GET /api/v1/topology/todo`: what remains for people after the newest publish.
    TodoView {
        /// The version it is about.
        version: Option<u64>,
        /// When that was published.
        at: Option<Timestamp>,
        /// What there is to do, pool by pool, each ticked when it was observed to be done.
        items: Vec<Todo>,
    }
    /// A topology draft in a list.
    DraftInfo {
        /// Its name.
        name: String,
        /// Who began it; empty for main before its first change.
        author: String,
        /// When.
        created: Timestamp,
        /// Last change.
        updated: Timestamp,
        /// Version it was begun from.
        base: Option<u64>,
        /// Another version was published since.
        moved: bool,
    }
    /// What was published since a draft was begun.
    MergeView {
        /// The newest version.
        version: u64,
        /// Every place that either side changed: base, yours, theirs.
        rows: Vec<Row>,
    }
    /// An open wizard draft in a list.
    WizardInfo {
        /// Id.
        id: String,
        /// Pool FQDN as typed so far.
        name: String,
        /// Author.
        author: String,
        /// Last change.
        updated: Timestamp,
    }
    /// `GET /api/v1/drafts/{id}` and the answer of `POST /api/v1/drafts`.
    WizardDraft {
        /// Id.
        id: String,
        /// The fields.
        draft: PoolDraft,
        /// Rises with every change.
        revision: u32,
        /// Author.
        author: String,
        /// Last change.
        updated: Timestamp,
        /// Problems by draft field (the same function that the page calls).
        problems: Vec<Problem>,
    }
    /// `PATCH /api/v1/drafts/{id}`: one field. 409 with the stored value in the message when `from` is not it.
    DraftPatch {
        /// JSON pointer into [`PoolDraft`], e.g. `/computers` or `/sql/existing`.
        path: String,
        /// What the page had read.
        from: serde_json::Value,
        /// What it shall be.
        to: serde_json::Value,
    }
    /// A published version.
    VersionInfo {
        /// Number.
        version: u64,
        /// When.
        at: Timestamp,
        /// Who.
        author: String,
        /// Why.
        comment: String,
        /// What changed against its parent.
        sentences: Vec<String>,
    }
    /// `GET /api/v1/jobs/{id}`: durable work.
    JobView {
        /// Id.
        id: String,
        /// What it does.
        title: String,
        /// `running`, `done` or `failed`.
        state: String,
        /// Who started it.
        actor: String,
        /// When.
        started: Timestamp,
        /// Steps.
        steps: Vec<JobStep>,
        /// Error when it failed.
        error: Option<String>,
    }
    /// A step of a job.
    JobStep {
        /// What it does, in one sentence.
        title: String,
        /// `waiting`, `running`, `done`, `failed` or `skipped`.
        state: String,
        /// What came of it, line by line.
        log: Vec<String>,
        /// Milliseconds it took.
        millis: Option<u64>,
        /// Milliseconds it usually takes, from earlier runs of the same kind; none when there are none.
        expected: Option<u64>,
        /// A cmdlet (name, arguments) that mends what failed, offered as a button.
        remedy: Option<(String, serde_json::Value)>,
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
    /// `GET /api/v1/users`: a part of the users.
    UserPage {
        /// Users that match.
        total: u64,
        /// Those of this part, by SIP address.
        users: Vec<UserView>,
        /// There are users, and none of all may use Persistent Chat.
        none_allowed: bool,
    }
    /// A chat user.
    UserView {
        /// SIP address.
        sip_address: SipUri,
        /// Display name.
        display_name: String,
        /// `DOMAIN\user`.
        logon_name: String,
        /// Home Front End pool.
        registrar_pool: String,
        /// May sign in.
        enabled: bool,
        /// User policy, when one is granted.
        policy: Option<String>,
        /// Effective: may use Persistent Chat.
        chat_enabled: bool,
        /// Which policy decided, in words.
        decided_by: String,
        /// Has a password; without one nobody signs in.
        password_set: bool,
        /// Organizational unit; empty when the user is in none.
        ou: String,
    }
    /// `GET /api/v1/groups`.
    GroupView {
        /// Distinguished name.
        identity: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// Members that it names itself.
        members: u64,
    }
    /// A user or group in a group.
    GroupMember {
        /// SIP address or distinguished name.
        identity: String,
        /// Display name.
        name: String,
        /// A group.
        group: bool,
    }
    /// `GET /api/v1/group?identity=DN&q=WORDS`.
    GroupDetail {
        /// The group.
        group: GroupView,
        /// Members that match, the first of them.
        members: Vec<GroupMember>,
        /// How many match.
        total: u64,
        /// People in it, through groups as well.
        people: u64,
        /// Groups that it is a member of.
        holders: Vec<GroupMember>,
        /// Categories and rooms that name it, the first of them.
        named_in: Vec<String>,
    }
    /// `GET /api/v1/principals?q=WORDS`: users, groups and units that match, for completion while typing.
    PrincipalView {
        /// As lists take it.
        identity: String,
        /// What a person calls it.
        name: String,
        /// `User`, `Group`, `Folder` or `DC`.
        kind: String,
        /// A user that may not sign in.
        disabled: bool,
    }
    /// `GET /api/v1/policies`.
    PolicyView {
        /// `Global`, `Site:Redmond`, `Tag:name` as the cmdlet prints it.
        identity: String,
        /// Text.
        description: String,
        /// Whether it allows Persistent Chat.
        enable_persistent_chat: bool,
        /// Users it is granted to.
        granted: u64,
    }
    /// `GET /api/v1/categories`.
    CategoryView {
        /// `pool\name`.
        identity: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// Allowed principals.
        allowed: Vec<String>,
        /// Denied principals.
        denied: Vec<String>,
        /// Who may create rooms.
        creators: Vec<String>,
        /// Its rooms are marked as keeping a chat history.
        chat_history: bool,
        /// Files may be uploaded.
        file_upload: bool,
        /// Its rooms may send invitations.
        invitations: bool,
        /// Rooms in it.
        rooms: u64,
    }
    /// `GET /api/v1/rooms`: a part of the rooms.
    RoomPage {
        /// Rooms that match.
        total: u64,
        /// Those of this part, pool by pool, by name.
        rooms: Vec<RoomView>,
    }
    /// A room that was deleted and can still be restored, one of `GET /api/v1/deleted-rooms`.
    DeletedRoomView {
        /// `pool\id`.
        identity: String,
        /// What it was called.
        name: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Category.
        category: String,
        /// When it was deleted.
        deleted: Timestamp,
        /// By whom.
        deleted_by: String,
        /// When it is removed for good.
        kept_until: Timestamp,
        /// Messages in it.
        messages: u64,
    }
    /// `GET /api/v1/room-usage`: a part of the rooms, those with the most bytes first.
    RoomUsagePage {
        /// Rooms that match.
        total: u64,
        /// Those of this part.
        rooms: Vec<RoomUsageView>,
    }
    /// How much a room is used.
    RoomUsageView {
        /// `pool\name`.
        identity: String,
        /// Name.
        name: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Category.
        category: String,
        /// Messages in it.
        messages: u64,
        /// Bytes that they take.
        bytes: u64,
        /// The last one.
        last: Option<Timestamp>,
        /// People who posted in the last 30 days.
        people: u64,
        /// Members.
        members: u64,
        /// `Empty`, `Dead` (no message for 180 days), `Large` (over 100,000 messages), `Disabled`.
        hints: Vec<String>,
    }
    /// A room.
    RoomView {
        /// `pool\name`.
        identity: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Category.
        category: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// `Normal` or `Auditorium`.
        room_type: String,
        /// `Open`, `Closed` or `Secret`.
        privacy: String,
        /// Disabled.
        disabled: bool,
        /// Members; empty inherits.
        members: Vec<String>,
        /// Managers.
        managers: Vec<String>,
        /// Presenters.
        presenters: Vec<String>,
        /// `Inherit` or `False`.
        invitations: String,
        /// Its add-in.
        addin: Option<String>,
        /// `ma-chan://…`.
        uri: String,
    }
    /// `GET /api/v1/addins`.
    AddinView {
        /// `pool\name`.
        identity: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Name.
        name: String,
        /// Address.
        url: String,
        /// Rooms that have it.
        rooms: u64,
    }
    /// `GET /api/v1/configurations`: settings of the chat service at a scope.
    ConfigurationView {
        /// `Global`, `Site:Redmond`, `Service:PersistentChatServer:pool`.
        identity: String,
        /// Messages that a client gets when it enters a room.
        default_chat_history: u32,
        /// Largest file.
        max_file_size_kb: u32,
        /// Above so many participants rosters are not updated.
        participant_update_limit: u32,
        /// Page where users manage rooms.
        room_management_url: Option<String>,
        /// FQDNs of the pools that it decides for.
        pools: Vec<String>,
    }
    /// `GET /api/v1/compliance`: settings of the compliance adapter at a scope.
    ComplianceView {
        /// `Global`, `Site:Redmond`, `Service:PersistentChatServer:pool`.
        identity: String,
        /// Whether an adapter is set.
        writes: bool,
        /// Where it writes.
        directory: String,
        /// How often.
        run_interval: String,
        /// Writes details of rooms.
        room_details: bool,
        /// Writes details of users.
        user_details: bool,
        /// A file for each room.
        file_per_room: bool,
        /// FQDNs of the pools with compliance that it decides for.
        pools: Vec<String>,
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
        /// Labels of the targets that were told.
        told: Vec<String>,
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
        /// Since when.
        since: Timestamp,
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

impl TestSummary {
    /// Who started it, and from where it was run when that is not the portal.
    pub fn by(&self) -> String {
        match &self.node {
            Some(node) => format!("{}, from node {node}", self.actor),
            None => self.actor.clone(),
        }
    }
}
