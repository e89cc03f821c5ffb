//! Objects of the topology: making, changing and removing them in the draft.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};
use crate::topology::Placement;

/// Kinds of objects in a topology, as `Remove-LgTopologyObject -Kind` takes them.
pub const OBJECT_KINDS: [&str; 7] =
    ["Pool", "FrontEndPool", "SqlStore", "FileStore", "Site", "SipDomain", "DataCenter"];

const EDITIONS: Kind = Kind::Choice(&["Enterprise", "Standard"]);

cmdlets! {
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
        /// RunHere, Node:<name> or Guided (a SQL Server that a person drives).
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
        /// Its servers; where one runs may follow its name, as in fe01.contoso.com=Node:atl-node-001.
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
        /// RunHere, Node:<name> or Guided (a SQL Server that a person drives).
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
        /// Its computers; a multiple computer pool has eight at most. Where one runs may follow its name, as in pc01.contoso.com=Node:atl-node-001.
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
