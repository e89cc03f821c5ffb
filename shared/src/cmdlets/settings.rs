//! Settings at scopes: user policies, the chat service, the compliance adapter.

use super::define::cmdlets;
use crate::cmdlet::Kind;

cmdlets! {
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
}
