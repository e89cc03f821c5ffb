//! The topology as a document: drafts, versions, files, publishing, replicas.

use super::define::cmdlets;
use crate::cmdlet::Kind;

cmdlets! {
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
}
