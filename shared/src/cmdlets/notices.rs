//! What people are shown and told: shared pages, announcements, alerts.

use super::define::cmdlets;
use crate::cmdlet::Kind;

const ALERT_KINDS: Kind = Kind::Choice(&["Webhook", "Mail"]);
const SMTP_SECURITY: Kind = Kind::Choice(&["None", "StartTls", "Tls"]);

cmdlets! {
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
}
