//! Chat users, groups and organizational units.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};

cmdlets! {
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
