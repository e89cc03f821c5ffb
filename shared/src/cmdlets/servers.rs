//! What runs where: services, pools, sites, nodes, and the certificates and DNS records that clients need.

use super::define::cmdlets;
use crate::cmdlet::Kind;

cmdlets! {
    /// Lists services of the topology.
    GetCsService "Get-CsService" Query {
        /// Only Persistent Chat services.
        persistent_chat_server: bool = "PersistentChatServer" Kind::Switch;
        /// Only registrars.
        registrar: bool = "Registrar" Kind::Switch;
        /// Service identity.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this pool.
        pool_fqdn: Option<String> = "PoolFqdn" Kind::Text;
    }
    /// Lists pools: Front End and Persistent Chat.
    GetCsPool "Get-CsPool" Query {
        /// FQDN.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
        /// Only those of this site.
        site: Option<String> = "Site" Kind::Text;
    }
    /// Lists sites.
    GetCsSite "Get-CsSite" Query {
        /// Site:<SiteId> or the name.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Shows the services of a server and whether they run.
    GetCsWindowsService "Get-CsWindowsService" Query {
        /// Computer; all servers when left out.
        computer_name: Option<String> = "ComputerName" Kind::Text, piped;
        /// Name of the service, RTCSRV or RTCCHAT.
        name: Option<String> = "Name" Kind::Text, first;
    }
    /// Starts the services of a server; one that runs already is no error.
    StartCsWindowsService "Start-CsWindowsService" Change {
        /// Computer.
        computer_name: String = "ComputerName" Kind::Text, req, piped;
        /// Name of the service, RTCSRV or RTCCHAT.
        name: Option<String> = "Name" Kind::Text, first;
    }
    /// Stops the services of a server; Graceful refuses new sessions and ends with the last one.
    StopCsWindowsService "Stop-CsWindowsService" Change {
        /// Computer.
        computer_name: String = "ComputerName" Kind::Text, req, piped;
        /// Name of the service, RTCSRV or RTCCHAT.
        name: Option<String> = "Name" Kind::Text, first;
        /// Waits until the last session has ended; new ones are refused meanwhile.
        graceful: bool = "Graceful" Kind::Switch;
    }
    /// Lists the nodes: processes on other machines that run servers.
    GetLgNode "Get-LgNode" Query {
        /// Name of the node.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Adds a node; the token that it joins with once is shown now and never again.
    NewLgNode "New-LgNode" Change {
        /// Its name: letters, digits and hyphens.
        name: String = "Name" Kind::Text, req, first;
        /// Minutes that the token is valid, 1 to 1440 (default 60).
        valid_minutes: Option<u32> = "ValidMinutes" Kind::Int;
    }
    /// Removes a node; its connection ends at once, and its certificate is worth nothing any more.
    RemoveLgNode "Remove-LgNode" Change {
        /// Name of the node.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Shows the certificates that servers of the portal's process show, and that of its authority.
    GetLgCertificate "Get-LgCertificate" Query {
        /// A server or its pool.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Sets the certificate that clients of a Front End pool are shown; sessions go on, the private key is sealed at rest.
    SetLgCertificate "Set-LgCertificate" Change {
        /// FQDN of the Front End pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// The certificate and those that signed it, as text in PEM.
        certificate: String = "Certificate" Kind::Text, req;
        /// Its private key, as text in PEM without a passphrase.
        private_key: String = "PrivateKey" Kind::Secret, req;
    }
    /// Takes the certificate of a Front End pool away; clients are shown that of the portal's authority again.
    RemoveLgCertificate "Remove-LgCertificate" Change {
        /// FQDN of the Front End pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Lists the DNS records that clients need, with what this host finds.
    GetLgDnsRecord "Get-LgDnsRecord" Query {
    }
}
