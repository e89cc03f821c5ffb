//! Pools at work: their state, guided runs from one database to the other, log shipping, active servers, endpoints.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};
use crate::deployment::PoolState;

const POOL_STATES: Kind = Kind::Choice(&["Normal", "FailedOver"]);

cmdlets! {
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
}
