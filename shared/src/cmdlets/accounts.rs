//! Who may sign in to the portal and do what: roles, accounts, sessions, tokens, links; the audit.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};

cmdlets! {
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
    /// Lists portal accounts.
    GetLgAccount "Get-LgAccount" Query {
        /// Name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Creates a portal account; the password is returned once when it is not given.
    NewLgAccount "New-LgAccount" Change {
        /// Log-on name.
        name: String = "Name" Kind::Text, req, first;
        /// A standard role, or one of your own.
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
        /// A standard role, or one of your own.
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
}
