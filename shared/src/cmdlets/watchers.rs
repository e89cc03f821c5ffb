//! Test messages that run by themselves, and the authorities of others that they trust.

use super::define::cmdlets;
use crate::cmdlet::{Kind, ListModifier};

cmdlets! {
    /// Lists test messages that run by themselves.
    GetCsWatcherNodeConfiguration "Get-CsWatcherNodeConfiguration" Query {
        /// FQDN of the pool that is watched.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Wildcard over FQDNs.
        filter: Option<String> = "Filter" Kind::Text;
        /// Reads the local replica.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Watches a pool: a test message daily, or every so many minutes, with stored test users.
    NewCsWatcherNodeConfiguration "New-CsWatcherNodeConfiguration" Change {
        /// FQDN of the pool; or TargetFqdn.
        identity: Option<String> = "Identity" Kind::Text, first;
        /// FQDN of the pool: a registrar pool, or a chat pool that is resolved to its next hop.
        target_fqdn: Option<String> = "TargetFqdn" Kind::Text;
        /// Registrar port, for example 5061.
        port_number: u32 = "PortNumber" Kind::Int, req;
        /// SIP addresses of stored test users, two at least.
        test_users: Option<ListModifier> = "TestUsers" Kind::ListModifier;
        /// Whether it runs (default yes).
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// Minutes between runs, 1 to 1440; daily when left out.
        every_minutes: Option<u32> = "EveryMinutes" Kind::Int, ours;
        /// Time of the daily run in UTC, HH:MM (default 06:00).
        daily_at: Option<String> = "DailyAt" Kind::Text, ours;
        /// Cron line in UTC instead of EveryMinutes and DailyAt, for example "*/15 8-18 * * 1-5".
        cron: Option<String> = "Cron" Kind::Text, ours;
        /// Each run is up to so many seconds later, 0 to 3600.
        jitter_seconds: Option<u32> = "JitterSeconds" Kind::Int, ours;
        /// Times in which nothing is tested and nobody is alerted, in UTC, for example "Sun 02:00-04:00".
        maintenance_windows: Option<ListModifier> = "MaintenanceWindows" Kind::ListModifier, ours;
        /// Room, written pool\\room; the first room both may see when left out.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text, ours;
        /// Node that sends the test messages, from its own place in the network; the portal when left out.
        node: Option<String> = "Node" Kind::Text, ours;
    }
    /// Changes a watcher.
    SetCsWatcherNodeConfiguration "Set-CsWatcherNodeConfiguration" Change {
        /// FQDN of the pool that is watched.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// An object from Get-CsWatcherNodeConfiguration instead of Identity.
        instance: Option<serde_json::Value> = "Instance" Kind::Object;
        /// Registrar port.
        port_number: Option<u32> = "PortNumber" Kind::Int;
        /// SIP addresses of stored test users.
        test_users: Option<ListModifier> = "TestUsers" Kind::ListModifier;
        /// Tests it runs.
        tests: Option<ListModifier> = "Tests" Kind::ListModifier;
        /// Whether it runs.
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// Minutes between runs, 1 to 1440.
        every_minutes: Option<u32> = "EveryMinutes" Kind::Int, ours;
        /// Time of the daily run in UTC, HH:MM.
        daily_at: Option<String> = "DailyAt" Kind::Text, ours;
        /// Cron line in UTC instead of EveryMinutes and DailyAt, for example "*/15 8-18 * * 1-5".
        cron: Option<String> = "Cron" Kind::Text, ours;
        /// Each run is up to so many seconds later, 0 to 3600.
        jitter_seconds: Option<u32> = "JitterSeconds" Kind::Int, ours;
        /// Times in which nothing is tested and nobody is alerted, in UTC, for example "Sun 02:00-04:00".
        maintenance_windows: Option<ListModifier> = "MaintenanceWindows" Kind::ListModifier, ours;
        /// Room; empty for the first one both may see.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text, ours;
        /// Node that sends the test messages; empty for the portal.
        node: Option<String> = "Node" Kind::Clearable, ours;
    }
    /// Stops watching a pool.
    RemoveCsWatcherNodeConfiguration "Remove-CsWatcherNodeConfiguration" Change {
        /// FQDN of the pool that is watched.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Checks that every watcher has its users and a registrar to talk to; sends nothing.
    TestCsWatcherNodeConfiguration "Test-CsWatcherNodeConfiguration" Query {
    }
    /// Lists authorities of others that test messages trust, beside this deployment's own and those of the host.
    GetLgTrustedCertificate "Get-LgTrustedCertificate" Query {
        /// Name that it was added with.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Lets test messages trust servers whose certificate comes from an authority of others.
    NewLgTrustedCertificate "New-LgTrustedCertificate" Change {
        /// What it is to be called here.
        name: String = "Name" Kind::Text, req, first;
        /// The authority's certificate in PEM: the text from -----BEGIN CERTIFICATE----- on.
        certificate: String = "Certificate" Kind::Text, req;
    }
    /// Ends the trust in an authority of others.
    RemoveLgTrustedCertificate "Remove-LgTrustedCertificate" Change {
        /// Name that it was added with.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
}
