//! Rooms: their life from making to restoring, how they are used, what is taken out of them.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};

const ROOM_TYPES: Kind = Kind::Choice(&["Normal", "Auditorium"]);
const PRIVACY: Kind = Kind::Choice(&["Open", "Closed", "Secret"]);
const INVITATIONS: Kind = Kind::Choice(&["False", "Inherit"]);
const MATCHES: Kind = Kind::Choice(&["And", "All", "Or", "Exact"]);

cmdlets! {
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
}
