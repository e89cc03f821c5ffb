//! The one list of cmdlets. A name stands here once; the registry in the backend is made from the same
//! list, so a missing handler does not compile.

use serde::{Deserialize, Serialize};

use crate::cmdlet::{Cmdlet, Credential, Kind, ListModifier, Nature, Param, Spec};
use crate::deployment::PoolState;
use crate::topology::Placement;

/// Whether a field is left out of the arguments.
trait Unset {
    fn unset(&self) -> bool;
}
impl<T> Unset for Option<T> {
    fn unset(&self) -> bool {
        self.is_none()
    }
}
impl Unset for String {
    fn unset(&self) -> bool {
        self.is_empty()
    }
}
impl<T> Unset for Vec<T> {
    fn unset(&self) -> bool {
        self.is_empty()
    }
}
impl Unset for u32 {
    fn unset(&self) -> bool {
        *self == 0
    }
}
impl Unset for bool {
    fn unset(&self) -> bool {
        !*self
    }
}

/// Kinds of objects in a topology, as `Remove-LgTopologyObject -Kind` takes them.
pub const OBJECT_KINDS: [&str; 7] =
    ["Pool", "FrontEndPool", "SqlStore", "FileStore", "Site", "SipDomain", "DataCenter"];

macro_rules! cmdlets {
    (($d:tt) $(
        $(#[doc = $doc:literal])+
        $ty:ident $name:literal $nature:ident {
            $( #[doc = $help:literal] $field:ident : $fty:ty = $pname:literal $kind:expr $(, $flag:ident)* ; )*
        }
    )*) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[serde(default, deny_unknown_fields)]
            pub struct $ty {
                $(
                    #[doc = $help]
                    #[serde(rename = $pname, skip_serializing_if = "Unset::unset")]
                    pub $field: $fty,
                )*
            }

            impl Cmdlet for $ty {
                const SPEC: Spec = Spec {
                    name: $name,
                    nature: Nature::$nature,
                    synopsis: concat!($($doc),+),
                    params: &[ $( Param::new($pname, $kind, $help)$(.$flag())* ),* ],
                };
            }
        )*

        /// Every cmdlet, in the order of the list.
        pub const ALL: &[Spec] = &[ $( $ty::SPEC ),* ];

        /// Calls the macro `m` with the types of all cmdlets, to build what must be complete.
        #[macro_export]
        macro_rules! with_every_cmdlet {
            ($d m:ident) => { $d m! { $( $ty )* } };
        }
    };
}

/// The definition of the cmdlet with this name, any case.
pub fn find(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|s| s.name.eq_ignore_ascii_case(name))
}

const POOL_STATES: Kind = Kind::Choice(&["Normal", "FailedOver"]);
const TEST_RESULT: Kind = Kind::Choice(&["success", "failure", "cancelled", "missed", "running"]);
const AUTHENTICATION: Kind = Kind::Choice(&["TrustedServer", "Negotiate", "ClientCertificate", "LiveID"]);
const EDITIONS: Kind = Kind::Choice(&["Enterprise", "Standard"]);
const ROOM_TYPES: Kind = Kind::Choice(&["Normal", "Auditorium"]);
const DATABASE_TYPES: Kind = Kind::Choice(&["PersistentChat", "PersistentChatCompliance"]);
/// Of all of them only the two of Persistent Chat are ever found here.
const ALL_DATABASES: Kind = Kind::Choice(&[
    "Application",
    "Archiving",
    "Monitoring",
    "User",
    "Provision",
    "CentralAdmin",
    "Lyss",
    "Registrar",
    "Edge",
    "PersistentChat",
    "PersistentChatCompliance",
    "CentralMgmt",
]);
const PROCEDURES: Kind = Kind::Choice(&["Failover", "Failback"]);
const PRINCIPALS: Kind = Kind::Choice(&["Primary", "Mirror"]);
const ALERT_KINDS: Kind = Kind::Choice(&["Webhook", "Mail"]);
const SMTP_SECURITY: Kind = Kind::Choice(&["None", "StartTls", "Tls"]);
const PRIVACY: Kind = Kind::Choice(&["Open", "Closed", "Secret"]);
const INVITATIONS: Kind = Kind::Choice(&["False", "Inherit"]);
const MATCHES: Kind = Kind::Choice(&["And", "All", "Or", "Exact"]);

cmdlets! { ($)
    /// Shows whether pools run on their primary or backup databases.
    GetCsPersistentChatState "Get-CsPersistentChatState" Query {
        /// Service identity of one pool.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over identities, for example "*.litwareinc.com".
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Moves a pool between primary (Normal) and backup (FailedOver) databases; all its servers follow.
    SetCsPersistentChatState "Set-CsPersistentChatState" Change {
        /// Service identity of the pool, for example PersistentChatServer:atl-cs-001.litwareinc.com.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatState instead of Identity; its PoolState is taken too.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// Normal (default) or FailedOver.
        pool_state: Option<PoolState> = "PoolState" POOL_STATES;
        /// Accepts the loss that the plan states when the database in use does not answer.
        acknowledge_loss: bool = "AcknowledgeLoss" Kind::Switch, ours;
    }
    /// Fails a pool over to its backup database in the guided steps of the procedure, as a run that survives restarts.
    StartLgFailover "Start-LgFailover" Start {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Servers that are active afterwards; those near the backup database when left out.
        active_servers: Vec<String> = "ActiveServers" Kind::List;
        /// The primary database is gone; what was not shipped is lost.
        forced: bool = "Forced" Kind::Switch;
        /// Accepts the loss that the plan states.
        acknowledge_loss: bool = "AcknowledgeLoss" Kind::Switch;
        /// Front End pool that becomes the next hop, published as a step of the run; when the present one is down.
        next_hop: Option<String> = "NextHop" Kind::Text;
    }
    /// Returns a pool to its primary database in guided steps: state Normal first, then its active servers.
    StartLgFailback "Start-LgFailback" Start {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Servers that are active afterwards; those near the primary database when left out.
        active_servers: Vec<String> = "ActiveServers" Kind::List;
        /// The backup database is gone; what was not shipped is lost.
        forced: bool = "Forced" Kind::Switch;
        /// Accepts the loss that the plan states.
        acknowledge_loss: bool = "AcknowledgeLoss" Kind::Switch;
        /// Front End pool that becomes the next hop, published as a step of the run; when the present one is down.
        next_hop: Option<String> = "NextHop" Kind::Text;
    }
    /// Rehearses a guided run on a copy: the steps are done in a scratch folder, the pool is not touched.
    TestLgFailover "Test-LgFailover" Start {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Goes on with a guided run that stopped at a failed step.
    ResumeLgRun "Resume-LgRun" Start {
        /// Id of the run.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Cancels a guided run that has not brought the other database online; the pool goes on as it was.
    StopLgRun "Stop-LgRun" Change {
        /// Id of the run.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists guided runs: steps, log, duration, who.
    GetLgRun "Get-LgRun" Query {
        /// Id of a run.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Shows log shipping: what was shipped, copied and applied, and how far the other side is behind.
    GetLgLogShipping "Get-LgLogShipping" Query {
        /// Service identity of one pool.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Sets how often the jobs of a pool's log shipping run, how long segments are kept, and when lateness is a problem.
    SetLgLogShipping "Set-LgLogShipping" Change {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Seconds between two turns of the backup job.
        backup_seconds: Option<u32> = "BackupSeconds" Kind::Int;
        /// Seconds between two turns of the copy job.
        copy_seconds: Option<u32> = "CopySeconds" Kind::Int;
        /// Seconds between two turns of the restore job.
        restore_seconds: Option<u32> = "RestoreSeconds" Kind::Int;
        /// Applied segments are deleted from the share after so many hours.
        delete_after_hours: Option<u32> = "DeleteAfterHours" Kind::Int;
        /// It is a problem when no backup succeeded for longer than so many seconds.
        backup_alert_seconds: Option<u32> = "BackupAlertSeconds" Kind::Int;
        /// It is a problem when the other side is further behind than so many seconds.
        restore_alert_seconds: Option<u32> = "RestoreAlertSeconds" Kind::Int;
    }
    /// Chooses which servers of a pool accept new client connections; removed ones keep those they have.
    SetCsPersistentChatActiveServer "Set-CsPersistentChatActiveServer" Change {
        /// The pool; "global" when there is one pool only.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Servers to add, remove or set; $Null clears the list.
        active_servers: Option<ListModifier> = "ActiveServers" Kind::ListModifier;
        /// Exchanges active and inactive servers of the whole pool.
        swap: bool = "Swap" Kind::Switch;
    }
    /// Lists contact objects that point legacy clients at pools.
    GetCsPersistentChatEndpoint "Get-CsPersistentChatEndpoint" Query {
        /// SIP address or display name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this pool.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// At most so many; 0 gives none.
        result_size: Option<u32> = "ResultSize" Kind::Int;
    }
    /// Creates the contact object that legacy Group Chat clients use to find a pool; one per pool.
    NewCsPersistentChatEndpoint "New-CsPersistentChatEndpoint" Change {
        /// For example sip:persistentchat@contoso.com; the domain is one of the organisation's SIP domains.
        sip_address: String = "SipAddress" Kind::Text, req;
        /// For example pcpool.contoso.com.
        persistent_chat_pool_fqdn: String = "PersistentChatPoolFqdn" Kind::Text, req;
        /// Name shown in lists.
        display_name: Option<String> = "DisplayName" Kind::Text;
        /// Returns the new object.
        pass_thru: bool = "PassThru" Kind::Switch;
    }
    /// Deletes a contact object of a pool.
    RemoveCsPersistentChatEndpoint "Remove-CsPersistentChatEndpoint" Change {
        /// SIP address or display name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Points an endpoint at another pool: Remove and New in one transaction.
    MoveLgPersistentChatEndpoint "Move-LgPersistentChatEndpoint" Change {
        /// SIP address or display name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// The pool it points at from now on.
        persistent_chat_pool_fqdn: String = "PersistentChatPoolFqdn" Kind::Text, req;
    }
    /// Signs two users on, joins a room, exchanges two messages, leaves and signs off.
    TestCsPersistentChatMessage "Test-CsPersistentChatMessage" Start {
        /// FQDN of the registrar pool; a chat pool's FQDN is resolved to its next hop with a warning.
        target_fqdn: String = "TargetFqdn" Kind::Text, req;
        /// SIP address of the first user.
        sender_sip_address: Option<String> = "SenderSipAddress" Kind::Text;
        /// Credential of the first user.
        sender_credential: Option<Credential> = "SenderCredential" Kind::Credential;
        /// SIP address of the second user.
        receiver_sip_address: Option<String> = "ReceiverSipAddress" Kind::Text;
        /// Credential of the second user.
        receiver_credential: Option<Credential> = "ReceiverCredential" Kind::Credential;
        /// Registrar port; 5061 unless the topology says otherwise.
        registrar_port: Option<u32> = "RegistrarPort" Kind::Int;
        /// Negotiate: user name and password (NTLM or Digest). TrustedServer: the certificate that the portal was started with.
        authentication: Option<String> = "Authentication" AUTHENTICATION;
        /// Room, written pool\room or as ma-chan URI; the first room both may see when left out.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text;
        /// Makes a room for the two test users instead of testing; Remove-LgTestRoom removes it.
        setup: Option<bool> = "Setup" Kind::Bool;
        /// SIP address of the first user of the room that -Setup makes.
        test_user1_sip_address: Option<String> = "TestUser1SipAddress" Kind::Text;
        /// SIP address of the second user of the room that -Setup makes.
        test_user2_sip_address: Option<String> = "TestUser2SipAddress" Kind::Text;
        /// Name of a shell variable, without $, that takes the log of the run; it has ToHTML() and ToXML().
        out_logger_variable: Option<String> = "OutLoggerVariable" Kind::Text;
        /// Name of a shell variable, without $, that takes the lines that -Verbose prints.
        out_verbose_variable: Option<String> = "OutVerboseVariable" Kind::Text;
        /// Seconds each phase may take (default 10).
        timeout_seconds: Option<u32> = "TimeoutSeconds" Kind::Int, ours;
        /// Node that sends it, from its own place in the network; the portal when left out.
        node: Option<String> = "Node" Kind::Text, ours;
    }
    /// Lists the rooms that Test-CsPersistentChatMessage -Setup has made.
    GetLgTestRoom "Get-LgTestRoom" Query {
        /// FQDN of the pool; all pools when left out.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text, first;
    }
    /// Removes the rooms that Test-CsPersistentChatMessage -Setup has made, with their messages.
    RemoveLgTestRoom "Remove-LgTestRoom" Change {
        /// FQDN of the pool; all pools when left out.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text, first;
    }
    /// Says before a test message what would keep it from going well; sends nothing.
    TestLgPrecondition "Test-LgPrecondition" Query {
        /// FQDN of the registrar pool, or of a chat pool.
        target_fqdn: String = "TargetFqdn" Kind::Text, req, first;
        /// SIP address of the first user; the first stored test user when left out.
        sender_sip_address: Option<String> = "SenderSipAddress" Kind::Text;
        /// SIP address of the second user; the second stored test user when left out.
        receiver_sip_address: Option<String> = "ReceiverSipAddress" Kind::Text;
        /// Room, written pool\room.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text;
    }
    /// Stops a test message that runs; it leaves, signs off and is kept as cancelled.
    StopLgTestMessage "Stop-LgTestMessage" Change {
        /// Id of the run.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Shows the SIP and XCCOS messages of a test message; passwords and keys are blanked.
    GetLgTestTrace "Get-LgTestTrace" Query {
        /// Id of the run.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// The steps instead of the messages.
        steps: bool = "Steps" Kind::Switch;
    }
    /// Lists test messages, newest first.
    GetLgTestHistory "Get-LgTestHistory" Query {
        /// FQDN of the chat pool.
        pool: Option<String> = "Pool" Kind::Text;
        /// How it ended.
        result: Option<String> = "Result" TEST_RESULT;
        /// Cause of the failure, for example wrong_password; docs/diagnosis.md lists them.
        cause: Option<String> = "Cause" Kind::Text;
        /// Who started it.
        actor: Option<String> = "Actor" Kind::Text;
        /// Started on this day or at this time or later.
        start_date: Option<String> = "StartDate" Kind::Text;
        /// Started on this day or before this time.
        end_date: Option<String> = "EndDate" Kind::Text;
        /// At most so many (default 100).
        result_size: Option<u32> = "ResultSize" Kind::Int;
    }
    /// Sets how long test messages are kept.
    SetLgTestHistory "Set-LgTestHistory" Change {
        /// Days, 1 to 3650; 0 keeps them for ever (default 90).
        keep_days: Option<u32> = "KeepDays" Kind::Int, req;
    }
    /// Stores a test user for test messages that run by themselves.
    SetCsTestUserCredential "Set-CsTestUserCredential" Change {
        /// SIP address of the user.
        sip_address: String = "SipAddress" Kind::Text, req, first;
        /// Credential of the user.
        credential: Option<Credential> = "Credential" Kind::Credential;
        /// Log-on name, when no credential is given.
        user_name: Option<String> = "UserName" Kind::Text;
        /// Password, when no credential is given.
        password: Option<String> = "Password" Kind::Secret;
    }
    /// Shows whether a user is a stored test user; the password is never shown.
    GetCsTestUserCredential "Get-CsTestUserCredential" Query {
        /// SIP address of the user.
        sip_address: String = "SipAddress" Kind::Text, req, first, piped;
    }
    /// Forgets a stored test user; the account is untouched.
    RemoveCsTestUserCredential "Remove-CsTestUserCredential" Change {
        /// SIP address of the user.
        sip_address: String = "SipAddress" Kind::Text, req, first, piped;
    }
    /// Lists test messages that run by themselves.
    GetCsWatcherNodeConfiguration "Get-CsWatcherNodeConfiguration" Query {
        /// FQDN of the pool that is watched.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over FQDNs.
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Watches a pool: a test message daily, or every so many minutes, with stored test users.
    NewCsWatcherNodeConfiguration "New-CsWatcherNodeConfiguration" Change {
        /// FQDN of the pool; or TargetFqdn.
        identity: Option<String> = "Identity" Kind::Text, first;
        /// FQDN of the pool: a registrar pool, or a chat pool that is resolved to its next hop.
        target_fqdn: Option<String> = "TargetFqdn" Kind::Text;
        /// Registrar port, for example 5061.
        port_number: u32 = "PortNumber" Kind::Int, req;
        /// SIP addresses of stored test users, two at least.
        test_users: Option<ListModifier> = "TestUsers" Kind::ListModifier;
        /// Whether it runs (default yes).
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// Minutes between runs, 1 to 1440; daily when left out.
        every_minutes: Option<u32> = "EveryMinutes" Kind::Int, ours;
        /// Time of the daily run in UTC, HH:MM (default 06:00).
        daily_at: Option<String> = "DailyAt" Kind::Text, ours;
        /// Cron line in UTC instead of EveryMinutes and DailyAt, for example "*/15 8-18 * * 1-5".
        cron: Option<String> = "Cron" Kind::Text, ours;
        /// Each run is up to so many seconds later, 0 to 3600.
        jitter_seconds: Option<u32> = "JitterSeconds" Kind::Int, ours;
        /// Times in which nothing is tested and nobody is alerted, in UTC, for example "Sun 02:00-04:00".
        maintenance_windows: Option<ListModifier> = "MaintenanceWindows" Kind::ListModifier, ours;
        /// Room, written pool\\room; the first room both may see when left out.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text, ours;
        /// Node that sends the test messages, from its own place in the network; the portal when left out.
        node: Option<String> = "Node" Kind::Text, ours;
    }
    /// Changes a watcher.
    SetCsWatcherNodeConfiguration "Set-CsWatcherNodeConfiguration" Change {
        /// FQDN of the pool that is watched.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsWatcherNodeConfiguration instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// Registrar port.
        port_number: Option<u32> = "PortNumber" Kind::Int;
        /// SIP addresses of stored test users.
        test_users: Option<ListModifier> = "TestUsers" Kind::ListModifier;
        /// Tests it runs.
        tests: Option<ListModifier> = "Tests" Kind::ListModifier;
        /// Whether it runs.
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// Minutes between runs, 1 to 1440.
        every_minutes: Option<u32> = "EveryMinutes" Kind::Int, ours;
        /// Time of the daily run in UTC, HH:MM.
        daily_at: Option<String> = "DailyAt" Kind::Text, ours;
        /// Cron line in UTC instead of EveryMinutes and DailyAt, for example "*/15 8-18 * * 1-5".
        cron: Option<String> = "Cron" Kind::Text, ours;
        /// Each run is up to so many seconds later, 0 to 3600.
        jitter_seconds: Option<u32> = "JitterSeconds" Kind::Int, ours;
        /// Times in which nothing is tested and nobody is alerted, in UTC, for example "Sun 02:00-04:00".
        maintenance_windows: Option<ListModifier> = "MaintenanceWindows" Kind::ListModifier, ours;
        /// Room; empty for the first one both may see.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text, ours;
        /// Node that sends the test messages; empty for the portal.
        node: Option<String> = "Node" Kind::Clearable, ours;
    }
    /// Stops watching a pool.
    RemoveCsWatcherNodeConfiguration "Remove-CsWatcherNodeConfiguration" Change {
        /// FQDN of the pool that is watched.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Checks that every watcher has its users and a registrar to talk to; sends nothing.
    TestCsWatcherNodeConfiguration "Test-CsWatcherNodeConfiguration" Query {
    }
    /// Lists authorities of others that test messages trust, beside this deployment's own and those of the host.
    GetLgTrustedCertificate "Get-LgTrustedCertificate" Query {
        /// Name that it was added with.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Lets test messages trust servers whose certificate comes from an authority of others.
    NewLgTrustedCertificate "New-LgTrustedCertificate" Change {
        /// What it is to be called here.
        name: String = "Name" Kind::Text, req, first;
        /// The authority's certificate in PEM: the text from -----BEGIN CERTIFICATE----- on.
        certificate: String = "Certificate" Kind::Text, req;
    }
    /// Ends the trust in an authority of others.
    RemoveLgTrustedCertificate "Remove-LgTrustedCertificate" Change {
        /// Name that it was added with.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists access policies.
    GetCsPersistentChatPolicy "Get-CsPersistentChatPolicy" Query {
        /// global, site:<SiteId> or the name of a user policy.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over identities.
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Creates a site or user policy.
    NewCsPersistentChatPolicy "New-CsPersistentChatPolicy" Change {
        /// site:<SiteId> or a name.
        identity: String = "Identity" Kind::Text, req, first;
        /// Free text.
        description: Option<String> = "Description" Kind::Text;
        /// Whether users of this policy may use Persistent Chat (default no).
        enable_persistent_chat: Option<bool> = "EnablePersistentChat" Kind::Bool;
    }
    /// Changes a policy; the global one when none is named.
    SetCsPersistentChatPolicy "Set-CsPersistentChatPolicy" Change {
        /// global, site:<SiteId> or a name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Free text.
        description: Option<String> = "Description" Kind::Text;
        /// Whether users of this policy may use Persistent Chat.
        enable_persistent_chat: Option<bool> = "EnablePersistentChat" Kind::Bool;
    }
    /// Deletes a policy; the global one is reset instead.
    RemoveCsPersistentChatPolicy "Remove-CsPersistentChatPolicy" Change {
        /// global, site:<SiteId> or a name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Assigns a user policy to a user; $Null takes it away.
    GrantCsPersistentChatPolicy "Grant-CsPersistentChatPolicy" Change {
        /// SIP address, log-on name or display name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Name of the policy; left out or $Null for none.
        policy_name: Option<String> = "PolicyName" Kind::Text;
    }
    /// Lists categories of chat rooms.
    GetCsPersistentChatCategory "Get-CsPersistentChatCategory" Query {
        /// pool\name, or the name when it is unambiguous.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this pool.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// Prints display names instead of SIP addresses.
        as_object: bool = "AsObject" Kind::Switch;
    }
    /// Creates a category.
    NewCsPersistentChatCategory "New-CsPersistentChatCategory" Change {
        /// Name, unique in the pool.
        name: String = "Name" Kind::Text, req;
        /// The pool; may be left out when there is one.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// Description.
        description: Option<String> = "Description" Kind::Text;
        /// Files may be uploaded in its rooms.
        enable_file_upload: bool = "EnableFileUpload" Kind::Switch;
        /// Its rooms may send invitations.
        enable_invitations: bool = "EnableInvitations" Kind::Switch;
        /// Its rooms are not marked as keeping a chat history.
        remove_chat_history: bool = "RemoveChatHistory" Kind::Switch;
        /// Who may be a member of its rooms: SIP addresses or SIP domains.
        allowed_members: Vec<String> = "AllowedMembers" Kind::List, ours;
    }
    /// Changes a category.
    SetCsPersistentChatCategory "Set-CsPersistentChatCategory" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatCategory instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// New name.
        name: Option<String> = "Name" Kind::Text;
        /// Description.
        description: Option<String> = "Description" Kind::Clearable;
        /// Who may be a member of its rooms.
        allowed_members: Option<ListModifier> = "AllowedMembers" Kind::ListModifier;
        /// Who may not, whatever AllowedMembers says.
        denied_members: Option<ListModifier> = "DeniedMembers" Kind::ListModifier;
        /// Who may create rooms in it; within allowed minus denied.
        creators: Option<ListModifier> = "Creators" Kind::ListModifier;
        /// Whether its rooms are marked as keeping a chat history.
        chat_history: Option<bool> = "ChatHistory" Kind::Bool;
        /// Whether files may be uploaded in its rooms.
        file_upload: Option<bool> = "FileUpload" Kind::Bool;
        /// Whether its rooms may send invitations.
        invitations: Option<bool> = "Invitations" Kind::Bool;
        /// Accepted as documented; a change prints nothing.
        as_object: bool = "AsObject" Kind::Switch;
    }
    /// Deletes a category that has no rooms.
    RemoveCsPersistentChatCategory "Remove-CsPersistentChatCategory" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatCategory instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
    }
    /// Lists chat rooms.
    GetCsPersistentChatRoom "Get-CsPersistentChatRoom" Query {
        /// pool\name, or the name when it is unambiguous.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this pool.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// Wildcard over names.
        filter: Option<String> = "Filter" Kind::Text;
        /// Filter looks at descriptions, too.
        search_description: bool = "SearchDescription" Kind::Switch;
        /// Only those of this category: pool\category, or the category's name.
        category: Option<String> = "Category" Kind::Text;
        /// Only those with this add-in: pool\name, or the name.
        addin: Option<String> = "Addin" Kind::Text;
        /// Only disabled ones, or only enabled ones.
        disabled: Option<bool> = "Disabled" Kind::Bool;
        /// Only those with this setting.
        invitations: Option<String> = "Invitations" INVITATIONS;
        /// Only those that name this manager.
        manager: Option<String> = "Manager" Kind::Text;
        /// Only those that name this member.
        member: Option<String> = "Member" Kind::Text;
        /// Only those with this privacy.
        privacy: Option<String> = "Privacy" PRIVACY;
        /// Only those of this type.
        room_type: Option<String> = "Type" ROOM_TYPES;
        /// Only those whose messages take more than so many megabytes.
        chat_content_exceeds_mb: Option<u32> = "ChatContentExceedsMB" Kind::Int;
        /// At most so many; 0 for none.
        result_size: Option<u32> = "ResultSize" Kind::Int;
        /// Prints display names instead of SIP addresses.
        as_object: bool = "AsObject" Kind::Switch;
    }
    /// Creates a chat room in a category.
    NewCsPersistentChatRoom "New-CsPersistentChatRoom" Change {
        /// Name, unique in the pool.
        name: String = "Name" Kind::Text, req;
        /// pool\category, or the category's name.
        category: String = "Category" Kind::Text, req;
        /// The pool; may be left out when the category names it or there is one.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// Description.
        description: Option<String> = "Description" Kind::Text;
        /// Normal or Auditorium (only presenters post).
        room_type: Option<String> = "Type" ROOM_TYPES;
        /// Open, Closed (default) or Secret.
        privacy: Option<String> = "Privacy" PRIVACY;
        /// Creates it disabled.
        disabled: Option<bool> = "Disabled" Kind::Bool;
        /// Inherit (default) takes the category's setting, False switches invitations off.
        invitations: Option<String> = "Invitations" INVITATIONS;
        /// A registered add-in of the pool: pool\name, or the name.
        addin: Option<String> = "Addin" Kind::Text;
    }
    /// Changes a chat room.
    SetCsPersistentChatRoom "Set-CsPersistentChatRoom" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatRoom instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// New name.
        name: Option<String> = "Name" Kind::Text;
        /// Description.
        description: Option<String> = "Description" Kind::Clearable;
        /// Moves it to this category of its pool; who is not allowed there leaves its lists.
        category: Option<String> = "Category" Kind::Text;
        /// Normal or Auditorium.
        room_type: Option<String> = "Type" ROOM_TYPES;
        /// Open, Closed or Secret.
        privacy: Option<String> = "Privacy" PRIVACY;
        /// Disables or enables it.
        disabled: Option<bool> = "Disabled" Kind::Bool;
        /// Inherit takes the category's setting, False switches invitations off.
        invitations: Option<String> = "Invitations" INVITATIONS;
        /// A registered add-in of the pool; $Null takes it away.
        addin: Option<String> = "Addin" Kind::Clearable;
        /// Members; $Null inherits the category's.
        members: Option<ListModifier> = "Members" Kind::ListModifier;
        /// Managers.
        managers: Option<ListModifier> = "Managers" Kind::ListModifier;
        /// Presenters of an auditorium.
        presenters: Option<ListModifier> = "Presenters" Kind::ListModifier;
        /// Accepted as documented; a change prints nothing.
        as_object: bool = "AsObject" Kind::Switch;
    }
    /// Deletes a chat room with its messages; it can be restored for 30 days with Restore-LgRoom.
    RemoveCsPersistentChatRoom "Remove-CsPersistentChatRoom" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatRoom instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// Removes it for good at once.
        permanent: bool = "Permanent" Kind::Switch, ours;
    }
    /// Lists chat rooms that were deleted and can still be restored.
    GetLgDeletedRoom "Get-LgDeletedRoom" Query {
        /// FQDN of one pool.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
    }
    /// Restores a deleted chat room with its messages, members and rights.
    RestoreLgRoom "Restore-LgRoom" Change {
        /// pool\name, or pool\id when several deleted rooms had that name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Another name, when its own is taken meanwhile.
        name: Option<String> = "Name" Kind::Text;
    }
    /// Removes a deleted chat room for good, with its messages.
    RemoveLgDeletedRoom "Remove-LgDeletedRoom" Change {
        /// pool\name, or pool\id when several deleted rooms had that name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Shows how much chat rooms are used: messages, bytes, the last message, people of the last 30 days.
    GetLgRoomUsage "Get-LgRoomUsage" Query {
        /// FQDN of one pool.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// Only rooms of which this is said: Empty, Dead (no message for 180 days), Large (over 100,000 messages) or Disabled.
        hint: Option<String> = "Hint" Kind::Choice(&["Empty", "Dead", "Large", "Disabled"]);
    }
    /// Lists administrative roles with the cmdlets each may run.
    GetCsAdminRole "Get-CsAdminRole" Query {
        /// Name of a role.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over names, for example "*Chat*".
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Creates a role of one's own, cloned from a standard one.
    NewCsAdminRole "New-CsAdminRole" Change {
        /// Its name.
        identity: String = "Identity" Kind::Text, req, first;
        /// The standard role it is cloned from.
        template: String = "Template" Kind::Text, req;
        /// Cmdlets it may run, as a change of the template's.
        cmdlets: Option<ListModifier> = "Cmdlets" Kind::ListModifier;
        /// Global (default) or site:<SiteId>: pools of which sites it reaches.
        config_scopes: Option<ListModifier> = "ConfigScopes" Kind::ListModifier;
        /// Global only; the built-in directory has no OUs.
        user_scopes: Option<ListModifier> = "UserScopes" Kind::ListModifier;
    }
    /// Changes a role of one's own; the standard ones never change.
    SetCsAdminRole "Set-CsAdminRole" Change {
        /// Its name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Cmdlets it may run.
        cmdlets: Option<ListModifier> = "Cmdlets" Kind::ListModifier;
        /// Global or site:<SiteId>.
        config_scopes: Option<ListModifier> = "ConfigScopes" Kind::ListModifier;
    }
    /// Deletes a role of one's own that nobody has.
    RemoveCsAdminRole "Remove-CsAdminRole" Change {
        /// Its name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists the roles of a portal account.
    GetCsAdminRoleAssignment "Get-CsAdminRoleAssignment" Query {
        /// Log-on name of the account.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists services of the topology.
    GetCsService "Get-CsService" Query {
        /// Only Persistent Chat services.
        persistent_chat_server: bool = "PersistentChatServer" Kind::Switch;
        /// Only registrars.
        registrar: bool = "Registrar" Kind::Switch;
        /// Service identity.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this pool.
        pool_fqdn: Option<String> = "PoolFqdn" Kind::Text;
    }
    /// Lists chat users.
    GetCsUser "Get-CsUser" Query {
        /// SIP address, log-on name or display name (with *).
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only users in this organizational unit or below it, for example OU=Sales,DC=litwareinc,DC=com.
        ou: Option<String> = "OU" Kind::Text;
    }
    /// Creates a chat user; the password is returned once when it is not given.
    NewLgUser "New-LgUser" Change {
        /// For example sip:pilar@litwareinc.com.
        sip_address: String = "SipAddress" Kind::Text, req;
        /// For example Pilar Ackerman.
        display_name: String = "DisplayName" Kind::Text, req;
        /// For example LITWAREINC\pilar.
        logon_name: String = "LogonName" Kind::Text, req;
        /// FQDN of the home Front End pool.
        registrar_pool: String = "RegistrarPool" Kind::Text, req;
        /// Password; generated when left out.
        password: Option<String> = "Password" Kind::Secret;
        /// Returns a link with which the user sets a password, once, instead of a password.
        one_time_link: bool = "OneTimeLink" Kind::Switch;
        /// Hours that the link works, 1 to 720 (default 24).
        link_hours: Option<u32> = "LinkHours" Kind::Int;
        /// Distinguished name of an organizational unit, for example OU=Sales,DC=litwareinc,DC=com.
        ou: Option<String> = "OU" Kind::Text;
    }
    /// Changes a chat user.
    SetLgUser "Set-LgUser" Change {
        /// SIP address, log-on name or display name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Display name.
        display_name: Option<String> = "DisplayName" Kind::Text;
        /// Whether the user may sign in.
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// FQDN of the home Front End pool.
        registrar_pool: Option<String> = "RegistrarPool" Kind::Text;
        /// Distinguished name of an organizational unit; $Null takes the user out of any.
        ou: Option<String> = "OU" Kind::Clearable;
    }
    /// Gives a chat user a new password, returned once when it is not given.
    ResetLgUserPassword "Reset-LgUserPassword" Change {
        /// SIP address, log-on name or display name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Password; generated when left out.
        password: Option<String> = "Password" Kind::Secret;
        /// Returns a link with which the user sets a password, once, instead of a password.
        one_time_link: bool = "OneTimeLink" Kind::Switch;
        /// Hours that the link works, 1 to 720 (default 24).
        link_hours: Option<u32> = "LinkHours" Kind::Int;
    }
    /// Deletes a chat user; messages stay.
    RemoveLgUser "Remove-LgUser" Change {
        /// SIP address, log-on name or display name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Adds a SIP domain to the topology draft.
    NewLgSipDomain "New-LgSipDomain" Change {
        /// For example contoso.com.
        name: String = "Name" Kind::Text, req, first;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Adds a site to the topology draft.
    NewLgSite "New-LgSite" Change {
        /// For example Redmond; used as site:Redmond.
        name: String = "Name" Kind::Text, req, first;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Adds a Front End pool or Standard Edition server to the topology draft.
    NewLgFrontEndPool "New-LgFrontEndPool" Change {
        /// For example atl-fe-001.litwareinc.com.
        fqdn: String = "Fqdn" Kind::Text, req, first;
        /// Name of the site.
        site: String = "Site" Kind::Text, req;
        /// Enterprise (default) or Standard.
        edition: Option<String> = "Edition" EDITIONS;
        /// Its servers; a Standard Edition server is its own.
        servers: Vec<String> = "Servers" Kind::List;
        /// Where its servers run: RunHere, Here:<IP address of this machine>, Node:<name> or an address.
        placement: Option<String> = "Placement" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Adds a SQL Server store to the topology draft.
    NewLgSqlStore "New-LgSqlStore" Change {
        /// SQL Server FQDN.
        fqdn: String = "Fqdn" Kind::Text, req, first;
        /// Named instance; left out for the default instance.
        instance: Option<String> = "Instance" Kind::Text;
        /// RunHere, Node:<name>, Guided or an address.
        placement: Option<String> = "Placement" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Adds a file store to the topology draft.
    NewLgFileStore "New-LgFileStore" Change {
        /// File server FQDN.
        fqdn: String = "Fqdn" Kind::Text, req, first;
        /// Share name.
        share: String = "Share" Kind::Text, req;
        /// RunHere or a local path.
        placement: Option<String> = "Placement" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Makes the folder that a file store of the draft maps to on this machine.
    NewLgFileShare "New-LgFileShare" Change {
        /// \\server\share.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Adds the Persistent Chat pool that a wizard draft describes to the topology draft (Finish).
    NewLgPersistentChatPool "New-LgPersistentChatPool" Change {
        /// Id of the wizard draft.
        draft: String = "Draft" Kind::Text, req, first;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Renames a site of the topology draft.
    SetLgSite "Set-LgSite" Change {
        /// Name of the site.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// New name.
        name: String = "Name" Kind::Text, req;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
        /// Revision of the draft that was looked at; a field that somebody changed since is refused.
        draft_revision: Option<u32> = "DraftRevision" Kind::Int;
    }
    /// Changes the servers of a Front End pool in the topology draft.
    SetLgFrontEndPool "Set-LgFrontEndPool" Change {
        /// FQDN of the Front End pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Name of the site it moves to.
        site: Option<String> = "Site" Kind::Text;
        /// Its servers.
        servers: Option<ListModifier> = "Servers" Kind::ListModifier;
        /// Where its servers run: RunHere, Here:<IP address of this machine>, Node:<name> or an address; all of them when Servers is left out, else the added ones.
        placement: Option<String> = "Placement" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
        /// Revision of the draft that was looked at; a field that somebody changed since is refused.
        draft_revision: Option<u32> = "DraftRevision" Kind::Int;
    }
    /// Changes a SQL Server store of the topology draft.
    SetLgSqlStore "Set-LgSqlStore" Change {
        /// server or server\instance.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// New SQL Server FQDN.
        fqdn: Option<String> = "Fqdn" Kind::Text;
        /// Named instance; MSSQLSERVER for the default instance.
        instance: Option<String> = "Instance" Kind::Text;
        /// RunHere, Node:<name>, Guided or an address.
        placement: Option<String> = "Placement" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
        /// Revision of the draft that was looked at; a field that somebody changed since is refused.
        draft_revision: Option<u32> = "DraftRevision" Kind::Int;
    }
    /// Changes a file store of the topology draft.
    SetLgFileStore "Set-LgFileStore" Change {
        /// \\server\share.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// New file server FQDN.
        fqdn: Option<String> = "Fqdn" Kind::Text;
        /// New share name.
        share: Option<String> = "Share" Kind::Text;
        /// RunHere or a local path.
        placement: Option<String> = "Placement" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
        /// Revision of the draft that was looked at; a field that somebody changed since is refused.
        draft_revision: Option<u32> = "DraftRevision" Kind::Int;
    }
    /// Edits the properties of a Persistent Chat pool in the topology draft.
    SetLgPersistentChatPool "Set-LgPersistentChatPool" Change {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Friendly name for clients.
        display_name: Option<String> = "DisplayName" Kind::Text;
        /// Persistent Chat port (default 5041).
        port: Option<u32> = "Port" Kind::Int;
        /// Its computers; a multiple computer pool has eight at most.
        computers: Option<ListModifier> = "Computers" Kind::ListModifier;
        /// Where added computers run: RunHere (default), Here:<IP address of this machine>, Node:<name> or an address.
        placement: Option<String> = "Placement" Kind::Text;
        /// Sites whose users create rooms here by default.
        default_for_sites: Option<ListModifier> = "DefaultForSites" Kind::ListModifier;
        /// Disaster recovery; $false takes the backup stores away.
        disaster_recovery: Option<bool> = "DisasterRecovery" Kind::Bool;
        /// Backup SQL Server store; turns disaster recovery on.
        backup_sql_store: Option<String> = "BackupSqlStore" Kind::Text;
        /// SQL Server store of the synchronous mirror; an empty text takes it away.
        mirror_sql_store: Option<String> = "MirrorSqlStore" Kind::Text;
        /// SQL Server store that mirrors the backup while that is in use; an empty text takes it away.
        backup_mirror_sql_store: Option<String> = "BackupMirrorSqlStore" Kind::Text;
        /// Compliance; $false takes the compliance stores away.
        compliance: Option<bool> = "Compliance" Kind::Bool;
        /// Compliance SQL Server store; turns compliance on.
        compliance_sql_store: Option<String> = "ComplianceSqlStore" Kind::Text;
        /// Backup compliance SQL Server store.
        backup_compliance_sql_store: Option<String> = "BackupComplianceSqlStore" Kind::Text;
        /// SQL Server store of the synchronous mirror of mgccomp; an empty text takes it away.
        compliance_mirror_sql_store: Option<String> = "ComplianceMirrorSqlStore" Kind::Text;
        /// SQL Server store that mirrors the backup mgccomp while that is in use; an empty text takes it away.
        backup_compliance_mirror_sql_store: Option<String> = "BackupComplianceMirrorSqlStore" Kind::Text;
        /// \\server\share of a file store in the draft.
        file_store: Option<String> = "FileStore" Kind::Text;
        /// Front End pool that routes to this pool.
        next_hop: Option<String> = "NextHop" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
        /// Revision of the draft that was looked at; a field that somebody changed since is refused.
        draft_revision: Option<u32> = "DraftRevision" Kind::Int;
    }
    /// Defines or changes a data centre of the topology draft: what stands in it, and what is far from it.
    SetLgDataCenter "Set-LgDataCenter" Change {
        /// Its name; made when there is none of this name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Computers and SQL Servers that stand in it.
        members: Option<ListModifier> = "Members" Kind::ListModifier;
        /// Data centres that are reached over a slow link only.
        slow_to: Option<ListModifier> = "SlowTo" Kind::ListModifier;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
        /// Revision of the draft that was looked at; a field that somebody changed since is refused.
        draft_revision: Option<u32> = "DraftRevision" Kind::Int;
    }
    /// Takes an object out of the topology draft.
    RemoveLgTopologyObject "Remove-LgTopologyObject" Change {
        /// Its name (FQDN, \\server\share, site or SIP domain).
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Its kind, where several objects have the name: Pool, FrontEndPool, SqlStore, FileStore, Site, SipDomain or DataCenter.
        kind: Option<String> = "Kind" Kind::Choice(&OBJECT_KINDS);
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Sets the topology draft back to what is published.
    ResetLgTopologyDraft "Reset-LgTopologyDraft" Change {
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Lists the topology drafts: who began each, from which version, and how many changes it has.
    GetLgTopologyDraft "Get-LgTopologyDraft" Query {
        /// Only this draft.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Begins a topology draft of its own name, from what is published or from another draft.
    NewLgTopologyDraft "New-LgTopologyDraft" Change {
        /// Its name: letters, digits, hyphens, dots and underscores.
        name: String = "Name" Kind::Text, req, first;
        /// The draft it begins as a copy of; what is published when left out.
        copy_of: Option<String> = "CopyOf" Kind::Text;
    }
    /// Gives a topology draft another name.
    RenameLgTopologyDraft "Rename-LgTopologyDraft" Change {
        /// The draft.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Its new name.
        new_name: String = "NewName" Kind::Text, req;
    }
    /// Drops a topology draft with its changes.
    RemoveLgTopologyDraft "Remove-LgTopologyDraft" Change {
        /// The draft.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Takes what was published meanwhile into a topology draft; where both changed the same, Mine or Theirs decides.
    MergeLgTopologyDraft "Merge-LgTopologyDraft" Change {
        /// The draft.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Places where the draft's value counts, as the plan names them (for example pool/ID/port).
        mine: Vec<String> = "Mine" Kind::List;
        /// Places where the published value counts.
        theirs: Vec<String> = "Theirs" Kind::List;
    }
    /// Lists the published versions of the topology, newest first.
    GetLgTopologyVersion "Get-LgTopologyVersion" Query {
        /// Only this version.
        identity: Option<u32> = "Identity" Kind::Int, first, piped;
    }
    /// Says in sentences what differs between two versions, or between a version and the draft.
    CompareLgTopology "Compare-LgTopology" Query {
        /// The older version; left out for what is published.
        reference: Option<u32> = "Reference" Kind::Int, first;
        /// The newer version; left out for the draft.
        difference: Option<u32> = "Difference" Kind::Int;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Loads a published version into the draft; publishing it is the roll back.
    RestoreLgTopologyVersion "Restore-LgTopologyVersion" Change {
        /// The version.
        identity: u32 = "Identity" Kind::Int, req, first, piped;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Returns the draft, or a version, as a JSON document.
    ExportLgTopology "Export-LgTopology" Query {
        /// A version; left out for the draft.
        version: Option<u32> = "Version" Kind::Int, first;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Replaces the draft by a JSON document that Export-LgTopology wrote.
    ImportLgTopology "Import-LgTopology" Change {
        /// The document as text.
        document: String = "Document" Kind::Text, req, first;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text;
    }
    /// Runs every check of publishing without any effect: rules, names, addresses, stores.
    TestCsTopology "Test-CsTopology" Query {
        /// Only checks that concern this service.
        service: Option<String> = "Service" Kind::Text;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text, ours;
    }
    /// Lists what remains for people after the newest publish, and what of it was observed to be done.
    GetLgPublishToDo "Get-LgPublishToDo" Query {
        /// Only this pool.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Activates what is published: servers take the current version up again.
    EnableCsTopology "Enable-CsTopology" Change {
    }
    /// Shows whether each server has taken up the newest version.
    GetCsManagementStoreReplicationStatus "Get-CsManagementStoreReplicationStatus" Query {
        /// Only this server.
        replica_fqdn: Option<String> = "ReplicaFqdn" Kind::Text, first, piped;
        /// Shows the state of the Central Management store instead.
        central_management_store_status: bool = "CentralManagementStoreStatus" Kind::Switch;
    }
    /// Sends the newest version to the servers now.
    InvokeCsManagementStoreReplication "Invoke-CsManagementStoreReplication" Change {
        /// Only this server; all when left out.
        replica_fqdn: Option<String> = "ReplicaFqdn" Kind::Text, first, piped;
    }
    /// Lists pools: Front End and Persistent Chat.
    GetCsPool "Get-CsPool" Query {
        /// FQDN.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this site.
        site: Option<String> = "Site" Kind::Text;
    }
    /// Lists sites.
    GetCsSite "Get-CsSite" Query {
        /// Site:<SiteId> or the name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Shows the services of a server and whether they run.
    GetCsWindowsService "Get-CsWindowsService" Query {
        /// Computer; all servers when left out.
        computer_name: Option<String> = "ComputerName" Kind::Text, piped;
        /// Name of the service, RTCSRV or RTCCHAT.
        name: Option<String> = "Name" Kind::Text, first;
    }
    /// Starts the services of a server; one that runs already is no error.
    StartCsWindowsService "Start-CsWindowsService" Change {
        /// Computer.
        computer_name: String = "ComputerName" Kind::Text, req, piped;
        /// Name of the service, RTCSRV or RTCCHAT.
        name: Option<String> = "Name" Kind::Text, first;
    }
    /// Stops the services of a server; Graceful refuses new sessions and ends with the last one.
    StopCsWindowsService "Stop-CsWindowsService" Change {
        /// Computer.
        computer_name: String = "ComputerName" Kind::Text, req, piped;
        /// Name of the service, RTCSRV or RTCCHAT.
        name: Option<String> = "Name" Kind::Text, first;
        /// Waits until the last session has ended; new ones are refused meanwhile.
        graceful: bool = "Graceful" Kind::Switch;
    }
    /// Lists databases that were kept when their pool was removed.
    GetLgKeptDatabase "Get-LgKeptDatabase" Query {
    }
    /// Creates the databases that the published topology has on a SQL Server and that are not there.
    InstallCsDatabase "Install-CsDatabase" Change {
        /// Every database that the topology has on this SQL Server.
        configured_databases: bool = "ConfiguredDatabases" Kind::Switch;
        /// One kind instead: PersistentChat or PersistentChatCompliance.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// The central management store; here the portal's own, which is there already.
        central_management_database: bool = "CentralManagementDatabase" Kind::Switch;
        /// A server's local databases; here the portal's own.
        local_databases: bool = "LocalDatabases" Kind::Switch;
        /// SQL Server FQDN.
        sql_server_fqdn: Option<String> = "SqlServerFqdn" Kind::Text;
        /// Its instance; every instance of the server when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
        /// The same with ConfiguredDatabases.
        for_instance: Option<String> = "ForInstance" Kind::Text;
        /// The default instance; not together with ForInstance.
        for_default_instance: bool = "ForDefaultInstance" Kind::Switch;
        /// Folders for data and logs; what runs here lies in the portal's data directory.
        database_paths: Vec<String> = "DatabasePaths" Kind::List;
        /// Refused: it would delete what is there.
        clean: bool = "Clean" Kind::Switch;
        /// Databases are brought up to date when they are opened; nothing more is done.
        update: bool = "Update" Kind::Switch;
    }
    /// Deletes the kept databases of a SQL Server store for good.
    UninstallCsDatabase "Uninstall-CsDatabase" Change {
        /// PersistentChat or PersistentChatCompliance.
        database_type: String = "DatabaseType" DATABASE_TYPES, req;
        /// SQL Server FQDN.
        sql_server_fqdn: String = "SqlServerFqdn" Kind::Text, req;
        /// Instance; the default instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
    }
    /// Sets synchronous mirroring of a pool's mgc or mgccomp up: from then on a post or event is acknowledged when both copies have it.
    InstallCsMirrorDatabase "Install-CsMirrorDatabase" Change {
        /// Every database of this SQL Server that has a mirror in the topology.
        configured_databases: bool = "ConfiguredDatabases" Kind::Switch;
        /// The database instead; PersistentChat and PersistentChatCompliance are mirrored here.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// The primary's SQL Server.
        sql_server_fqdn: String = "SqlServerFqdn" Kind::Text, req;
        /// Its instance; the default instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
        /// The same with ConfiguredDatabases.
        for_instance: Option<String> = "ForInstance" Kind::Text;
        /// The default instance; not together with ForInstance.
        for_default_instance: bool = "ForDefaultInstance" Kind::Switch;
        /// \\server\share; what runs here is copied directly and does not use it.
        file_share: String = "FileShare" Kind::Text, req;
        /// A database that stands on the mirror's store already is set aside.
        drop_existing: bool = "DropExistingDatabasesOnMirror" Kind::Switch;
        /// The same, as the documents misspell it.
        drop_exisiting: bool = "DropExisitingDatabasesOnMirror" Kind::Switch;
        /// Databases that are left out.
        exclude_database_list: Vec<String> = "ExcludeDatabaseList" Kind::List;
    }
    /// Takes mirroring of a pool's mgc or mgccomp away. Do this before the mirror is taken out of the topology.
    UninstallCsMirrorDatabase "Uninstall-CsMirrorDatabase" Change {
        /// PersistentChat or PersistentChatCompliance.
        database_type: String = "DatabaseType" ALL_DATABASES, req;
        /// The primary's SQL Server.
        sql_server_fqdn: String = "SqlServerFqdn" Kind::Text, req;
        /// Its instance; the default instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
        /// Deletes the mirror's copy; else it is kept aside.
        drop_existing: bool = "DropExistingDatabasesOnMirror" Kind::Switch;
    }
    /// Shows the state of the mirrors of a pool's databases.
    GetCsDatabaseMirrorState "Get-CsDatabaseMirrorState" Query {
        /// The pool.
        pool_fqdn: String = "PoolFqdn" Kind::Text, req, piped;
        /// Only this database.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Moves a pool's database between primary and mirror.
    InvokeCsDatabaseFailover "Invoke-CsDatabaseFailover" Change {
        /// The pool.
        pool_fqdn: String = "PoolFqdn" Kind::Text, req, piped;
        /// PersistentChat or PersistentChatCompliance; every mirrored database of the pool when left out.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// Where the database is used from then on.
        new_principal: String = "NewPrincipal" PRINCIPALS, req;
        /// All databases but those of the list, as the documents print it.
        exclude_database: bool = "ExcludeDatabase" Kind::Switch;
        /// Databases that stay where they are.
        exclude_database_list: Vec<String> = "ExcludeDatabaseList" Kind::List;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
        /// Accepts the loss that the plan states when the principal does not answer.
        acknowledge_loss: bool = "AcknowledgeLoss" Kind::Switch, ours;
    }
    /// Prints failover or failback of a pool on guided SQL Servers as T-SQL and PowerShell, a step each.
    GetLgRunbook "Get-LgRunbook" Query {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Failover or Failback; what is next when left out.
        procedure: Option<String> = "Procedure" PROCEDURES;
        /// Share of the log backups.
        log_share: Option<String> = "LogShare" Kind::Text;
        /// Folder of the restoring SQL Server that log backups are copied to.
        copy_folder: Option<String> = "CopyFolder" Kind::Text;
        /// The whole of it as one text.
        markdown: bool = "Markdown" Kind::Switch;
    }
    /// Tries the databases of a SQL Server.
    TestCsDatabase "Test-CsDatabase" Query {
        /// Every database that the topology has on the SQL Server.
        configured_databases: bool = "ConfiguredDatabases" Kind::Switch;
        /// The management store.
        central_management_database: bool = "CentralManagementDatabase" Kind::Switch;
        /// The management store, which is on this computer.
        local_service: bool = "LocalService" Kind::Switch;
        /// One kind of database.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// The SQL Server.
        sql_server_fqdn: Option<String> = "SqlServerFqdn" Kind::Text;
        /// Its instance; every instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
    }
    /// Shows the published topology.
    GetCsTopology "Get-CsTopology" Query {
    }
    /// Publishes the topology draft: checks, databases, file stores, new version, servers.
    PublishCsTopology "Publish-CsTopology" Start {
        /// Why; stands in the history.
        comment: Option<String> = "Comment" Kind::Text, ours;
        /// The revision of the draft that was reviewed; refused when it moved on.
        revision: Option<u32> = "Revision" Kind::Int, ours;
        /// The topology draft that is meant; main when left out.
        topology_draft: Option<String> = "TopologyDraft" Kind::Text, ours;
    }
    /// Lists share links.
    GetLgShare "Get-LgShare" Query {
        /// Id of a link.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Makes a read-only status link for the helpdesk; the link is returned once.
    NewLgShare "New-LgShare" Change {
        /// Who it is for.
        label: String = "Label" Kind::Text, req;
        /// Days until it ends; never when left out.
        expires_in_days: Option<u32> = "ExpiresInDays" Kind::Int;
        /// Pools it shows; all when left out.
        pools: Vec<String> = "Pools" Kind::List;
        /// How much it shows: `State` (pools and the last test), `Servers` (default), `Procedure` (also guided runs).
        level: Option<String> = "Level" Kind::Choice(&["State", "Servers", "Procedure"]);
        /// Asked before anything is shown; 8 characters at least.
        passphrase: Option<String> = "Passphrase" Kind::Secret;
        /// Whoever has it may send a test message with the stored test users.
        may_run_test: bool = "MayRunTest" Kind::Switch;
    }
    /// Lists announcements and planned maintenance that have not ended.
    GetLgAnnouncement "Get-LgAnnouncement" Query {
        /// Id of one.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Tells everybody something on the overview and on every status link.
    NewLgAnnouncement "New-LgAnnouncement" Change {
        /// The words, up to 500 characters.
        text: String = "Text" Kind::Text, req, first;
        /// `Announcement` (default) or `Maintenance`, which needs -From and -Until.
        kind: Option<String> = "Kind" Kind::Choice(&["Announcement", "Maintenance"]);
        /// When it begins, for example 2026-12-01T20:00:00Z; now when left out.
        from: Option<String> = "From" Kind::Text;
        /// When it ends; when it is removed, when left out.
        until: Option<String> = "Until" Kind::Text;
    }
    /// Takes an announcement or planned maintenance away.
    RemoveLgAnnouncement "Remove-LgAnnouncement" Change {
        /// Its id.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Revokes a share link at once.
    RemoveLgShare "Remove-LgShare" Change {
        /// Id of the link.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists portal accounts.
    GetLgAccount "Get-LgAccount" Query {
        /// Name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Creates a portal account; the password is returned once when it is not given.
    NewLgAccount "New-LgAccount" Change {
        /// Log-on name.
        name: String = "Name" Kind::Text, req, first;
        /// One of the standard roles.
        role: String = "Role" Kind::Text, req;
        /// Password of at least 10 characters, changed at the first sign-in; generated when left out.
        password: Option<String> = "Password" Kind::Secret;
        /// Returns a link with which the person sets a password, once, instead of a password.
        one_time_link: bool = "OneTimeLink" Kind::Switch;
        /// Hours that the link works, 1 to 720 (default 24).
        link_hours: Option<u32> = "LinkHours" Kind::Int;
    }
    /// Changes a portal account; its sessions end when it is disabled or its role changes.
    SetLgAccount "Set-LgAccount" Change {
        /// Log-on name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// One of the standard roles.
        role: Option<String> = "Role" Kind::Text;
        /// Whether it may sign in.
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// New password of at least 10 characters, changed at the next sign-in.
        password: Option<String> = "Password" Kind::Secret;
        /// Takes the password away and returns a link with which the person sets a new one, once.
        one_time_link: bool = "OneTimeLink" Kind::Switch;
        /// Hours that the link works, 1 to 720 (default 24).
        link_hours: Option<u32> = "LinkHours" Kind::Int;
    }
    /// Lists live sessions: whose, from where, since when.
    GetLgSession "Get-LgSession" Query {
        /// Only those of this account.
        account: Option<String> = "Account" Kind::Text;
    }
    /// Ends a session, or all of an account.
    RemoveLgSession "Remove-LgSession" Change {
        /// Id of the session.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Account whose sessions all end.
        account: Option<String> = "Account" Kind::Text;
    }
    /// Lists API tokens; what they open with is never shown.
    GetLgToken "Get-LgToken" Query {
        /// Id of a token.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Makes an API token; it is returned once.
    NewLgToken "New-LgToken" Change {
        /// What it is for.
        label: String = "Label" Kind::Text, req;
        /// A role; not more than one's own.
        role: String = "Role" Kind::Text, req;
        /// Days until it ends; never when left out.
        expires_in_days: Option<u32> = "ExpiresInDays" Kind::Int;
    }
    /// Deletes an API token; it is dead at once.
    RemoveLgToken "Remove-LgToken" Change {
        /// Id of the token.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Follows the audit's chain of hashes and says whether every row is what was written.
    TestLgAudit "Test-LgAudit" Query {
    }
    /// Lists entries of the audit, newest first.
    GetLgAudit "Get-LgAudit" Query {
        /// At most so many (default 200).
        result_size: Option<u32> = "ResultSize" Kind::Int;
        /// Wildcard over cmdlet, actor and target.
        filter: Option<String> = "Filter" Kind::Text;
    }
    /// Lists who is told of problems: webhooks and mail addresses.
    GetLgAlertTarget "Get-LgAlertTarget" Query {
        /// Label or id.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Adds a webhook or a mail address that is told when a problem appears and when it is gone.
    NewLgAlertTarget "New-LgAlertTarget" Change {
        /// Its name.
        label: String = "Label" Kind::Text, req, first;
        /// Webhook or Mail.
        kind: String = "Kind" ALERT_KINDS, req;
        /// http or https URL of a webhook; mail addresses, separated by commas.
        address: String = "Address" Kind::Text, req;
        /// Key that webhooks are signed with; made and shown once when left out.
        secret: Option<String> = "Secret" Kind::Secret;
        /// Mail: the SMTP server.
        smtp_server: Option<String> = "SmtpServer" Kind::Text;
        /// Mail: its port; 25, 587 or 465 by SmtpSecurity when left out.
        smtp_port: Option<u32> = "SmtpPort" Kind::Int;
        /// Mail: None, StartTls (default) or Tls.
        smtp_security: Option<String> = "SmtpSecurity" SMTP_SECURITY;
        /// Mail: the sender's address.
        from: Option<String> = "From" Kind::Text;
        /// Mail: log-on name at the SMTP server, when it wants one.
        user_name: Option<String> = "UserName" Kind::Text;
        /// Mail: password at the SMTP server; sealed with the key file.
        password: Option<String> = "Password" Kind::Secret;
        /// Failed test messages in a row before it is told (default 1).
        after_failures: Option<u32> = "AfterFailures" Kind::Int;
        /// Minutes after which it is told again of what nobody acknowledged (default 1440); 0 means never.
        repeat_minutes: Option<u32> = "RepeatMinutes" Kind::Int;
        /// Whether it is told anything.
        enabled: Option<bool> = "Enabled" Kind::Bool;
    }
    /// Changes who is told of problems.
    SetLgAlertTarget "Set-LgAlertTarget" Change {
        /// Label or id.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// New name.
        label: Option<String> = "Label" Kind::Text;
        /// New URL or mail addresses.
        address: Option<String> = "Address" Kind::Text;
        /// Key that webhooks are signed with; the earlier one stops at once.
        secret: Option<String> = "Secret" Kind::Secret;
        /// Mail: the SMTP server.
        smtp_server: Option<String> = "SmtpServer" Kind::Text;
        /// Mail: its port; 25, 587 or 465 by SmtpSecurity when left out.
        smtp_port: Option<u32> = "SmtpPort" Kind::Int;
        /// Mail: None, StartTls (default) or Tls.
        smtp_security: Option<String> = "SmtpSecurity" SMTP_SECURITY;
        /// Mail: the sender's address.
        from: Option<String> = "From" Kind::Text;
        /// Mail: log-on name at the SMTP server, when it wants one.
        user_name: Option<String> = "UserName" Kind::Text;
        /// Mail: password at the SMTP server; sealed with the key file.
        password: Option<String> = "Password" Kind::Secret;
        /// Failed test messages in a row before it is told (default 1).
        after_failures: Option<u32> = "AfterFailures" Kind::Int;
        /// Minutes after which it is told again of what nobody acknowledged (default 1440); 0 means never.
        repeat_minutes: Option<u32> = "RepeatMinutes" Kind::Int;
        /// Whether it is told anything.
        enabled: Option<bool> = "Enabled" Kind::Bool;
    }
    /// Removes someone who is told of problems; what still waits for it is given up.
    RemoveLgAlertTarget "Remove-LgAlertTarget" Change {
        /// Label or id.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Sends a test alert and tells whether it arrived.
    TestLgAlertTarget "Test-LgAlertTarget" Query {
        /// Label or id.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists open alerts, then the latest deliveries.
    GetLgAlert "Get-LgAlert" Query {
        /// Only the alert with this key, or those of this subject; without deliveries.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// At most so many deliveries (default 20).
        result_size: Option<u32> = "ResultSize" Kind::Int;
    }
    /// Acknowledges an open alert: it is not told again, except when it is gone.
    ConfirmLgAlert "Confirm-LgAlert" Change {
        /// Key of the alert, for example server.failed/gc-001.litwareinc.com.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Tells nobody of new problems of a subject, or of any, for a while; 0 minutes end that.
    SuspendLgAlert "Suspend-LgAlert" Change {
        /// The subject, for example the FQDN of a pool or server; or use All.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Whatever the subject is.
        all: bool = "All" Kind::Switch;
        /// Minutes from now, at most 10080 (a week); 0 ends it.
        minutes: u32 = "Minutes" Kind::Int, req;
    }
    /// Lists settings of the chat service: global, of sites, of pools.
    GetCsPersistentChatConfiguration "Get-CsPersistentChatConfiguration" Query {
        /// global, site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over identities, for example "site:*".
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Creates settings of the chat service for a site or a pool.
    NewCsPersistentChatConfiguration "New-CsPersistentChatConfiguration" Change {
        /// site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: String = "Identity" Kind::Text, req, first;
        /// Messages that a client gets when it enters a room, 1 to 500 (default 30).
        default_chat_history: Option<u32> = "DefaultChatHistory" Kind::Int;
        /// Largest file to upload in KB (default 20000).
        max_file_size_kb: Option<u32> = "MaxFileSizeKB" Kind::Int;
        /// Above so many participants a room's roster is not updated any more (default 75).
        participant_update_limit: Option<u32> = "ParticipantUpdateLimit" Kind::Int;
        /// Address of a page where users manage rooms, http or https; $Null for none.
        room_management_url: Option<String> = "RoomManagementUrl" Kind::Clearable;
        /// Returns the object and stores nothing; Set- with -Instance stores it.
        in_memory: bool = "InMemory" Kind::Switch;
    }
    /// Changes settings of the chat service.
    SetCsPersistentChatConfiguration "Set-CsPersistentChatConfiguration" Change {
        /// global (default), site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatConfiguration instead of Identity; its values are taken, too.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// Messages that a client gets when it enters a room, 1 to 500 (default 30).
        default_chat_history: Option<u32> = "DefaultChatHistory" Kind::Int;
        /// Largest file to upload in KB (default 20000).
        max_file_size_kb: Option<u32> = "MaxFileSizeKB" Kind::Int;
        /// Above so many participants a room's roster is not updated any more (default 75).
        participant_update_limit: Option<u32> = "ParticipantUpdateLimit" Kind::Int;
        /// Address of a page where users manage rooms, http or https; $Null for none.
        room_management_url: Option<String> = "RoomManagementUrl" Kind::Clearable;
    }
    /// Deletes settings of the chat service of a site or a pool; the global ones are reset.
    RemoveCsPersistentChatConfiguration "Remove-CsPersistentChatConfiguration" Change {
        /// global, site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Deletes a room's messages up to and including a day.
    ClearCsPersistentChatRoom "Clear-CsPersistentChatRoom" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatRoom instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// The last day that is deleted, for example 3/1/2012 or 2012-03-01; with a time, up to that instant (UTC).
        end_date: String = "EndDate" Kind::Text, req;
    }
    /// Removes or replaces messages of a room by author, date or words.
    RemoveCsPersistentChatMessage "Remove-CsPersistentChatMessage" Change {
        /// pool\name of the room.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// From this day or instant on (UTC).
        start_date: Option<String> = "StartDate" Kind::Text;
        /// Up to and including this day or instant (UTC).
        end_date: Option<String> = "EndDate" Kind::Text;
        /// Only messages of this author.
        user_uri: Option<String> = "UserUri" Kind::Text;
        /// Only messages with these words, parted by blanks.
        filter: Option<String> = "Filter" Kind::Text;
        /// And (default): all words; Or: one of them; Exact: the whole text as it stands in Filter.
        match_clause: Option<String> = "MatchClause" MATCHES;
        /// Whether capital and small letters differ.
        case_sensitive: Option<bool> = "CaseSensitive" Kind::Bool;
        /// What stands in their place; a standard text when left out.
        replace_message: Option<String> = "ReplaceMessage" Kind::Text;
        /// Leaves nothing in their place.
        remove: bool = "Remove" Kind::Switch;
    }
    /// Lists registered add-ins.
    GetCsPersistentChatAddin "Get-CsPersistentChatAddin" Query {
        /// pool\name, or the name when it is unambiguous.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this pool.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
    }
    /// Registers an add-in: a web page that clients show beside a room.
    NewCsPersistentChatAddin "New-CsPersistentChatAddin" Change {
        /// Name of up to 50 characters, unique in the pool.
        name: String = "Name" Kind::Text, req;
        /// Address of up to 255 characters, http or https.
        url: String = "Url" Kind::Text, req;
        /// The pool; may be left out when there is one.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
    }
    /// Changes an add-in.
    SetCsPersistentChatAddin "Set-CsPersistentChatAddin" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatAddin instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// New name.
        name: Option<String> = "Name" Kind::Text;
        /// New address, http or https.
        url: Option<String> = "Url" Kind::Text;
    }
    /// Unregisters an add-in; rooms that have it lose it.
    RemoveCsPersistentChatAddin "Remove-CsPersistentChatAddin" Change {
        /// pool\name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatAddin instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
    }
    /// Lists who may be a member or manager of rooms of a category, or a presenter of a room.
    GetCsPersistentChatEligiblePrincipal "Get-CsPersistentChatEligiblePrincipal" Query {
        /// A category: pool\category, or its name.
        category: Option<String> = "Category" Kind::Text;
        /// A room instead of a category: pool\room, or its name.
        room: Option<String> = "Room" Kind::Text;
        /// Presenters of the room, which is an auditorium.
        presenters: bool = "Presenters" Kind::Switch;
        /// Wildcard over SIP addresses.
        filter: Option<String> = "Filter" Kind::Text;
        /// The pool; may be left out when there is one.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text;
        /// At most so many; 0 for none.
        result_size: Option<u32> = "ResultSize" Kind::Int;
    }
    /// Lists settings of the compliance adapter: global, of sites, of pools.
    GetCsPersistentChatComplianceConfiguration "Get-CsPersistentChatComplianceConfiguration" Query {
        /// global, site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over identities, for example "site:*".
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Creates settings of the compliance adapter for a site or a pool.
    NewCsPersistentChatComplianceConfiguration "New-CsPersistentChatComplianceConfiguration" Change {
        /// site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: String = "Identity" Kind::Text, req, first;
        /// Name of the adapter.
        adapter_name: Option<String> = "AdapterName" Kind::Clearable;
        /// Folder of its own that it writes to: \\server\share of a file store, or an absolute path.
        adapter_output_directory: Option<String> = "AdapterOutputDirectory" Kind::Clearable;
        /// XML (or the documents' long name of it); without a type nothing is written out.
        adapter_type: Option<String> = "AdapterType" Kind::Clearable;
        /// Writes name, description and category of rooms (default False).
        add_chat_room_details: Option<bool> = "AddChatRoomDetails" Kind::Bool;
        /// Writes name and mail address of users (default False).
        add_user_details: Option<bool> = "AddUserDetails" Kind::Bool;
        /// Lists uploaded files beside the output (default False); there are none as long as no file is uploaded.
        create_file_attachments_manifest: Option<bool> = "CreateFileAttachmentsManifest" Kind::Bool;
        /// An XSLT definition; refused, because the adapter writes the documented XML as it is.
        custom_configuration: Option<String> = "CustomConfiguration" Kind::Clearable;
        /// A file for each room (default False).
        one_chat_room_per_output_file: Option<bool> = "OneChatRoomPerOutputFile" Kind::Bool;
        /// How often it writes, 00:01:00 to 30.00:00:00 (default 00:15:00).
        run_interval: Option<String> = "RunInterval" Kind::Text;
        /// Returns the object and stores nothing; Set- with -Instance stores it.
        in_memory: bool = "InMemory" Kind::Switch;
    }
    /// Changes settings of the compliance adapter.
    SetCsPersistentChatComplianceConfiguration "Set-CsPersistentChatComplianceConfiguration" Change {
        /// global (default), site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsPersistentChatComplianceConfiguration instead of Identity; its values are taken, too.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// Name of the adapter.
        adapter_name: Option<String> = "AdapterName" Kind::Clearable;
        /// Folder of its own that it writes to: \\server\share of a file store, or an absolute path.
        adapter_output_directory: Option<String> = "AdapterOutputDirectory" Kind::Clearable;
        /// XML (or the documents' long name of it); without a type nothing is written out.
        adapter_type: Option<String> = "AdapterType" Kind::Clearable;
        /// Writes name, description and category of rooms (default False).
        add_chat_room_details: Option<bool> = "AddChatRoomDetails" Kind::Bool;
        /// Writes name and mail address of users (default False).
        add_user_details: Option<bool> = "AddUserDetails" Kind::Bool;
        /// Lists uploaded files beside the output (default False); there are none as long as no file is uploaded.
        create_file_attachments_manifest: Option<bool> = "CreateFileAttachmentsManifest" Kind::Bool;
        /// An XSLT definition; refused, because the adapter writes the documented XML as it is.
        custom_configuration: Option<String> = "CustomConfiguration" Kind::Clearable;
        /// A file for each room (default False).
        one_chat_room_per_output_file: Option<bool> = "OneChatRoomPerOutputFile" Kind::Bool;
        /// How often it writes, 00:01:00 to 30.00:00:00 (default 00:15:00).
        run_interval: Option<String> = "RunInterval" Kind::Text;
    }
    /// Deletes settings of the compliance adapter of a site or a pool; the global ones are reset.
    RemoveCsPersistentChatComplianceConfiguration "Remove-CsPersistentChatComplianceConfiguration" Change {
        /// global, site:<SiteId> or service:PersistentChatServer:<pool>.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists the nodes: processes on other machines that run servers.
    GetLgNode "Get-LgNode" Query {
        /// Name of the node.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Adds a node; the token that it joins with once is shown now and never again.
    NewLgNode "New-LgNode" Change {
        /// Its name: letters, digits and hyphens.
        name: String = "Name" Kind::Text, req, first;
        /// Minutes that the token is valid, 1 to 1440 (default 60).
        valid_minutes: Option<u32> = "ValidMinutes" Kind::Int;
    }
    /// Removes a node; its connection ends at once, and its certificate is worth nothing any more.
    RemoveLgNode "Remove-LgNode" Change {
        /// Name of the node.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Shows the certificates that servers of the portal's process show, and that of its authority.
    GetLgCertificate "Get-LgCertificate" Query {
        /// A server or its pool.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Sets the certificate that clients of a Front End pool are shown; sessions go on, the private key is sealed at rest.
    SetLgCertificate "Set-LgCertificate" Change {
        /// FQDN of the Front End pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// The certificate and those that signed it, as text in PEM.
        certificate: String = "Certificate" Kind::Text, req;
        /// Its private key, as text in PEM without a passphrase.
        private_key: String = "PrivateKey" Kind::Secret, req;
    }
    /// Takes the certificate of a Front End pool away; clients are shown that of the portal's authority again.
    RemoveLgCertificate "Remove-LgCertificate" Change {
        /// FQDN of the Front End pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists the DNS records that clients need, with what this host finds.
    GetLgDnsRecord "Get-LgDnsRecord" Query {
    }
    /// Creates chat users from a table, all in one transaction; -WhatIf says what each row does and what is wrong with it.
    ImportLgUser "Import-LgUser" Change {
        /// The table as text: headings SipAddress, DisplayName, LogonName and, where wanted, RegistrarPool, OU and Groups (names with | between), then a line for each user, with commas, semicolons or tabs between; not kept in the audit.
        csv: Option<String> = "Csv" Kind::Secret;
        /// The bytes of a file in base64 instead; UTF-8, UTF-16 and Windows-1252 are told apart.
        file: Option<String> = "File" Kind::Secret;
        /// Home Front End pool of rows that name none.
        registrar_pool: Option<String> = "RegistrarPool" Kind::Text;
        /// Leaves users that exist as they are; without it they are a problem of the row.
        skip_existing: bool = "SkipExisting" Kind::Switch;
        /// Makes a link for each user with which the user sets a password, once; the links are returned once.
        one_time_link: bool = "OneTimeLink" Kind::Switch;
        /// Hours that the links work, 1 to 720 (default 24).
        link_hours: Option<u32> = "LinkHours" Kind::Int;
    }
    /// Lists one-time links that were not used yet; what they open with is never shown again.
    GetLgPasswordLink "Get-LgPasswordLink" Query {
        /// Id of a link, log-on name or SIP address.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Takes a one-time link back; it is dead at once.
    RemoveLgPasswordLink "Remove-LgPasswordLink" Change {
        /// Id of the link, log-on name or SIP address.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Removes the second factor of an account, with its recovery codes; its sessions end.
    RemoveLgSecondFactor "Remove-LgSecondFactor" Change {
        /// Log-on name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Shows when the portal backs itself up, and how the last backup went.
    GetLgBackupSchedule "Get-LgBackupSchedule" Query {
    }
    /// Sets when the portal backs itself up: every so many hours, or daily at a time.
    SetLgBackupSchedule "Set-LgBackupSchedule" Change {
        /// Whether it runs by itself.
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// Every so many hours, 1 to 168, instead of daily.
        every_hours: Option<u32> = "EveryHours" Kind::Int;
        /// Once a day at this time (UTC), for example 02:30.
        daily: Option<String> = "Daily" Kind::Text;
        /// How many backups are kept, 1 to 1000 (default 14); older ones are deleted.
        keep: Option<u32> = "Keep" Kind::Int;
        /// Folder on this host, an absolute path; $Null for `backups` in the data directory.
        folder: Option<String> = "Folder" Kind::Clearable;
    }
    /// Lists the backups that are kept, newest first.
    GetLgBackup "Get-LgBackup" Query {
        /// Name of one.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Makes a backup now, beside the schedule; it goes on in the background.
    StartLgBackup "Start-LgBackup" Start {
    }
    /// Lists groups of the directory. They stand for their members in the lists of categories and rooms.
    GetLgGroup "Get-LgGroup" Query {
        /// Distinguished name or name (with *).
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only groups that name this user or group themselves.
        member: Option<String> = "Member" Kind::Text;
    }
    /// Creates a group of users and groups.
    NewLgGroup "New-LgGroup" Change {
        /// For example Sales; it cannot be changed later, because rooms name the group by it.
        name: String = "Name" Kind::Text, req, first;
        /// Where it stands, for example OU=Groups,DC=litwareinc,DC=com; made from the first SIP domain when left out.
        path: Option<String> = "Path" Kind::Text;
        /// Free text.
        description: Option<String> = "Description" Kind::Text;
        /// Users (SIP address, log-on name or display name) and groups.
        members: Vec<String> = "Members" Kind::List;
    }
    /// Changes a group; whoever may no longer be in a room is put out of it at once.
    SetLgGroup "Set-LgGroup" Change {
        /// Distinguished name or name.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Free text.
        description: Option<String> = "Description" Kind::Clearable;
        /// Users (SIP address, log-on name or display name) and groups.
        members: Option<ListModifier> = "Members" Kind::ListModifier;
    }
    /// Deletes a group that no category and no room names.
    RemoveLgGroup "Remove-LgGroup" Change {
        /// Distinguished name or name.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists the organizational units that users are in.
    GetLgOrganizationalUnit "Get-LgOrganizationalUnit" Query {
        /// Distinguished name (with *).
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
}

/// Reads the `Placement` word of the topology cmdlets: `RunHere` (default), `Guided`, `Node:<name>`,
/// `Here:<IP address>` (in the portal's process, at this address of its machine), else an address elsewhere.
pub fn placement(word: Option<&str>) -> Placement {
    match word.map(str::trim) {
        None | Some("") => Placement::RunHere,
        Some(w) if w.eq_ignore_ascii_case("RunHere") => Placement::RunHere,
        Some(w) if w.eq_ignore_ascii_case("Guided") => Placement::SqlServerGuided,
        Some(w) if w.eq_ignore_ascii_case("Dns") => Placement::Address(String::new()),
        Some(w) if w.get(..5).is_some_and(|p| p.eq_ignore_ascii_case("Node:")) => {
            Placement::Node(w.get(5..).unwrap_or_default().trim().to_lowercase())
        }
        Some(w) if w.get(..5).is_some_and(|p| p.eq_ignore_ascii_case("Here:")) => {
            Placement::HereAt(w.get(5..).unwrap_or_default().trim().to_owned())
        }
        Some(w) => Placement::Address(w.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        for (i, s) in ALL.iter().enumerate() {
            assert!(s.name.split_once('-').is_some_and(|(v, n)| !v.is_empty() && n.len() > 2), "{}", s.name);
            assert!(!ALL[..i].iter().any(|o| o.name.eq_ignore_ascii_case(s.name)), "{} twice", s.name);
            for (j, p) in s.params.iter().enumerate() {
                assert!(!p.help.trim().is_empty() && !s.params[..j].iter().any(|o| o.name == p.name));
            }
        }
    }
}
