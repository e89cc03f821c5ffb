//! Chat users, groups, and policies that are granted to them.

use super::dto::dto;
use crate::names::SipUri;

dto! {
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
}
