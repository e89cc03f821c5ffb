//! Categories, add-ins, and who may be a member, manager or presenter.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};

cmdlets! {
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
}
