//! Settings of the running instance and the layout of its data directory.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use shared::topology::{FileStore, SqlStore};

/// Where the portal listens unless told otherwise; also where `lifeguard shell` looks.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:7443";
/// The portal that `lifeguard shell` talks to by default.
pub const DEFAULT_PORTAL: &str = "http://127.0.0.1:7443";

/// What an instance was started with.
pub struct Settings {
    /// Data directory.
    pub data_dir: PathBuf,
    /// Name shown in the title and on the shared page.
    pub instance: String,
    /// Second octet of the loopback block `127.X.0.0/16`.
    pub block: u8,
    /// Base of links given to others, without a slash at the end.
    pub given_public_url: Option<String>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Further `Host` names that are answered.
    pub hosts: Vec<String>,
    /// Certificate and key (PEM files) of test messages that authenticate as a trusted server.
    pub test_certificate: Option<(PathBuf, PathBuf)>,
    /// Whether the portal speaks TLS itself.
    pub tls: bool,
    /// Where it really listens; set once bound.
    pub bound: OnceLock<SocketAddr>,
}

/// Folder of a SQL instance in the data directory of the process that has it.
pub fn sql_dir(data_dir: &Path, s: &SqlStore) -> PathBuf {
    let instance = s.instance.as_deref().unwrap_or("MSSQLSERVER").to_uppercase();
    data_dir.join("sql").join(s.fqdn.as_str()).join(instance)
}

impl Settings {
    /// Base of links given to others.
    pub fn public_url(&self) -> String {
        match (&self.given_public_url, self.bound.get()) {
            (Some(u), _) => u.trim_end_matches('/').to_owned(),
            (None, Some(a)) => format!("{}://{a}", if self.tls { "https" } else { "http" }),
            (None, None) => DEFAULT_PORTAL.to_owned(),
        }
    }

    /// Why links work on this host only; none when they work elsewhere.
    pub fn reach_warning(&self) -> Option<String> {
        let local = match &self.given_public_url {
            None => self.bound.get().is_none_or(|a| a.ip().is_loopback()),
            Some(u) => ["://127.", "://localhost", "://[::1]"].iter().any(|l| u.contains(l)),
        };
        local.then(|| {
            "Links made here work on this host only. Start with --public-url https://name behind a TLS proxy to reach the helpdesk.".to_owned()
        })
    }

    /// Whether the public side is HTTPS (cookies are then marked Secure).
    pub fn is_https(&self) -> bool {
        self.tls || self.given_public_url.as_ref().is_some_and(|u| u.starts_with("https://"))
    }

    /// The address of the server with host number `n` in this instance's block.
    pub fn address(&self, n: u16) -> IpAddr {
        let [hi, lo] = n.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(127, self.block, hi, lo))
    }

    /// Folder that `\\server\share` maps to when it runs here.
    pub fn share_dir(&self, s: &FileStore) -> PathBuf {
        self.data_dir.join("shares").join(s.fqdn.as_str()).join(&s.share)
    }

    /// Folder of a SQL instance that runs here.
    pub fn sql_dir(&self, s: &SqlStore) -> PathBuf {
        sql_dir(&self.data_dir, s)
    }

    /// Folder of the local certification authority.
    pub fn ca_dir(&self) -> PathBuf {
        self.data_dir.join("ca")
    }

    /// Control socket of the host commands.
    pub fn control_socket(data_dir: &Path) -> PathBuf {
        data_dir.join("control.sock")
    }
}
