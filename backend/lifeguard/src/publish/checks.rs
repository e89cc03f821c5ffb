//! The checks of publishing: each can fail for real, says what is wrong and what to do.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use node::remote::Inquiry;
use serde_json::json;
use shared::deployment::ServerState;
use shared::error::Problem;
use shared::topology::transition::transition;
use shared::topology::validate::validate;
use shared::topology::{Computer, FileStore, FileStoreRef, Placement, SqlStore};
use store::management::{pools, topology};
use tokio::task::JoinSet;

use super::{Failed, Log, Run};
use crate::nodes::instance;

/// How long a server elsewhere may take to answer.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);
/// Servers elsewhere that are asked at the same time.
const AT_ONCE: usize = 32;

impl Run {
    pub(super) fn rules(&self, log: &mut Log) -> Result<(), Failed> {
        let parent = self.input.parent;
        let changes = self.app.store.read(|c| {
            let before = parent.map(|v| topology::version(c, v)).transpose()?.flatten();
            let before = before.map(|v| v.document).unwrap_or_default();
            let facts = super::facts::facts(c, &before)?;
            Ok(transition(&before, &self.input.document, &facts))
        });
        let changes = changes.map_err(|f: crate::door::Fault| f.0.message)?;
        let mut problems = validate(&self.input.document);
        problems.extend(changes);
        log.extend(problems.iter().filter(|p| !p.blocks()).map(|p| format!("Warning: {}", p.text)));
        match problems.into_iter().find(Problem::blocks) {
            Some(p) => Err(p.text.into()),
            None => {
                log.push("Every rule holds.".to_owned());
                Ok(())
            }
        }
    }

    /// Whether a server of this name already runs here (then its port is rightly in use).
    fn runs(&self, c: &Computer) -> bool {
        self.app.report(&c.fqdn).is_some_and(|r| r.state == ServerState::Running)
    }

    pub(super) async fn places(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        let mut hosts: Vec<(&Computer, Vec<u16>)> = Vec::new();
        for p in &t.front_end_pools {
            hosts.extend(p.servers.iter().map(|s| (s, vec![5061, 5060])));
        }
        for p in &t.pools {
            hosts.extend(p.computers.iter().map(|c| (c, vec![p.port.get()])));
        }
        let mut answers = reach_all(&hosts).await.into_iter();
        for (c, ports) in hosts {
            match &c.placement {
                p if p.is_here() && self.runs(c) && self.stays(c) => {
                    log.push(format!("{} runs here already.", c.fqdn));
                }
                Placement::RunHere => self.bindable(c, &ports, log)?,
                Placement::HereAt(a) => listens(c, a.trim(), &ports, log)?,
                // One answer for each of these, in their order.
                Placement::Address(_) => log.push(answers.next().unwrap_or_else(unasked)?),
                Placement::Node(n) => match crate::nodes::trouble(&self.app, n).map_err(|e| e.message)? {
                    None => log.push(format!("{} runs on node {n}, which is connected.", c.fqdn)),
                    Some(why) => return Err(format!("{} is to run on node {n}: {why}", c.fqdn).into()),
                },
                Placement::SqlServerGuided => {
                    return Err(
                        format!("{} has no place: only SQL Server stores can be guided.", c.fqdn).into()
                    );
                }
            }
        }
        Ok(())
    }

    fn bindable(&self, c: &Computer, ports: &[u16], log: &mut Log) -> Result<(), Failed> {
        let known = self.app.store.read(|r| pools::known_address(r, &c.fqdn)).map_err(|e| e.to_string())?;
        if self.rehearsal && known.is_none() {
            log.push(format!("{} gets a loopback address of its own when it is published.", c.fqdn));
            return Ok(());
        }
        let n = self.app.store.write(|tx| pools::address_of(tx, &c.fqdn)).map_err(|e| e.to_string())?;
        let ip = self.app.settings.address(n);
        listens(c, &ip.to_string(), ports, log)
    }

    /// Whether the server is placed as it was published; one that moves needs its new address free.
    fn stays(&self, c: &Computer) -> bool {
        let published = self.app.store.read(topology::published).ok().flatten();
        let was = published.as_ref().and_then(|v| {
            let t = &v.document;
            let front = t.front_end_pools.iter().flat_map(|p| &p.servers);
            front.chain(t.pools.iter().flat_map(|p| &p.computers)).find(|x| x.fqdn == c.fqdn)
        });
        was.is_some_and(|x| x.placement == c.placement)
    }

    pub(super) async fn sql(&self, log: &mut Log) -> Result<(), Failed> {
        for s in &self.input.document.sql_stores {
            match &s.placement {
                Placement::RunHere => {
                    let dir = self.app.settings.sql_dir(s);
                    self.instance_exists(s, &dir)?;
                    if !dir.is_dir() {
                        log.push(format!("{} is made in {} when it is published.", s.label(), dir.display()));
                        continue;
                    }
                    writable(&dir).map_err(|e| format!("{}: {e}", s.label()))?;
                    log.push(format!("{} runs here in {}.", s.label(), dir.display()));
                }
                Placement::Address(a) => {
                    let what = if a.is_empty() { s.fqdn.as_str() } else { a };
                    return Err(format!("{} stands at {what}: this version keeps chat databases on SQLite run here; a SQL Server elsewhere is guided.", s.label()).into());
                }
                Placement::Node(n) => {
                    let asked = instance::said(&self.app, n, Inquiry::Check(s.clone())).await;
                    let found = asked.map_err(|e| format!("{} is to run on node {n}: {e}", s.label()))?;
                    log.push(format!("{} runs on node {n}, which is connected: it {found}.", s.label()));
                }
                Placement::HereAt(_) => {
                    return Err(format!("{} listens at no address; it runs here.", s.label()).into());
                }
                Placement::SqlServerGuided => {
                    log.push(format!(
                        "{} is a SQL Server that a person drives; nothing is checked from here.",
                        s.label()
                    ));
                }
            }
        }
        Ok(())
    }

    /// A named instance on a server that has other instances is more likely mistyped than new (pain 33).
    fn instance_exists(&self, s: &SqlStore, dir: &Path) -> Result<(), Failed> {
        if dir.is_dir() {
            return Ok(());
        }
        let server = self.app.settings.data_dir.join("sql").join(s.fqdn.as_str());
        let others: Vec<String> = std::fs::read_dir(&server)
            .map(|d| d.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        if !others.is_empty() {
            return Err(format!(
                "{} has no instance {}. It has: {}. Correct the name, or make the folder {} when a new instance is meant.",
                s.fqdn,
                s.instance.as_deref().unwrap_or("MSSQLSERVER (default)"),
                others.join(", "),
                dir.display()
            )
            .into());
        }
        if self.rehearsal {
            return Ok(());
        }
        std::fs::create_dir_all(dir).map_err(|e| format!("{} could not be made: {e}", dir.display()).into())
    }

    /// The shares between two owners, as each of them reaches them; with `make`, the folder of its instance is
    /// made there too.
    pub(super) async fn shares(&self, make: bool, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        for p in &t.pools {
            let Some(pair) = p.pair(t) else { continue };
            let path = pair.share.display().to_string();
            for s in [pair.primary, pair.backup] {
                let Placement::Node(n) = &s.placement else {
                    if make {
                        let dir = self.app.settings.sql_dir(s);
                        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
                    }
                    continue;
                };
                let ask = Inquiry::Share { path: path.clone(), store: make.then(|| s.clone()) };
                let said = instance::said(&self.app, n, ask).await.map_err(|e| {
                    format!(
                        "{} ships the log of {} through {path}, and node {n} must reach that share by the same path: {e}",
                        s.label(),
                        p.fqdn
                    )
                })?;
                if !make {
                    log.push(format!("{path} on node {n}: {said}."));
                }
            }
        }
        Ok(())
    }

    pub(super) fn files(&self, log: &mut Log) -> Result<(), Failed> {
        let t = &self.input.document;
        for s in &t.file_stores {
            match &s.placement {
                Placement::RunHere => self.share(s, log)?,
                Placement::Address(path) => {
                    writable(Path::new(path)).map_err(|e| format!("{} at {path}: {e}", s.label()))?;
                    log.push(format!(
                        "{} at {path}: read, write, modify and permission change work.",
                        s.label()
                    ));
                }
                Placement::SqlServerGuided | Placement::HereAt(_) | Placement::Node(_) => {
                    return Err(format!("{} has no place.", s.label()).into());
                }
            }
        }
        for p in &t.pools {
            if let FileStoreRef::LocalPath(path) = &p.file_store {
                writable(Path::new(path)).map_err(|e| format!("{path}: {e}"))?;
                log.push(format!("{path}: read, write, modify and permission change work."));
            }
        }
        Ok(())
    }

    fn share(&self, s: &FileStore, log: &mut Log) -> Result<(), Failed> {
        let dir = self.app.settings.share_dir(s);
        if !dir.is_dir() {
            return Err(Failed {
                text: format!(
                    "The share {} does not exist: there is no folder {}. Create it, then publish again.",
                    s.label(),
                    dir.display()
                ),
                remedy: Some(("New-LgFileShare".to_owned(), json!({ "Identity": s.label() }))),
            });
        }
        writable(&dir).map_err(|e| format!("{}: {e}", s.label()))?;
        log.push(format!("{}: read, write, modify and permission change work.", s.label()));
        Ok(())
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether the address is one of this machine's, with the ports free.
fn listens(c: &Computer, ip: &str, ports: &[u16], log: &mut Log) -> Result<(), Failed> {
    for port in ports {
        let ip: IpAddr = ip.parse().map_err(|_| format!("{}: {ip} is no IP address.", c.fqdn))?;
        TcpListener::bind((ip, *port)).map_err(|e| match e.kind() {
            std::io::ErrorKind::AddrNotAvailable => {
                format!("{} cannot run here at {ip}: this machine has no such address.", c.fqdn)
            }
            _ => format!("{} cannot listen on {ip}:{port}: {e}. End what uses that port, or give the server another place.", c.fqdn),
        })?;
    }
    log.push(format!("{} runs here on {ip}, ports {} are free.", c.fqdn, list(ports)));
    Ok(())
}

/// Knocks at every server that stands at an address, several at the same time: what each says, in their order.
async fn reach_all(hosts: &[(&Computer, Vec<u16>)]) -> Vec<Result<String, String>> {
    let elsewhere: Vec<(String, String, u16)> = hosts
        .iter()
        .filter_map(|(c, ports)| match &c.placement {
            Placement::Address(a) => Some((c.fqdn.to_string(), a.clone(), ports[0])),
            _ => None,
        })
        .collect();
    let mut out: Vec<Result<String, String>> = elsewhere.iter().map(|_| unasked()).collect();
    let mut running = JoinSet::new();
    let mut waiting = elsewhere.into_iter().enumerate();
    loop {
        while running.len() < AT_ONCE
            && let Some((i, (fqdn, address, port))) = waiting.next()
        {
            running.spawn(async move { (i, reachable(&fqdn, &address, port).await) });
        }
        match running.join_next().await {
            Some(Ok((i, said))) => out[i] = said,
            Some(Err(_)) => {}
            None => return out,
        }
    }
}

fn unasked() -> Result<String, String> {
    Err("A server was not asked whether it answers.".to_owned())
}

async fn reachable(fqdn: &str, address: &str, port: u16) -> Result<String, String> {
    let name = if address.is_empty() { fqdn } else { address };
    let ip: Option<IpAddr> = name.parse().ok();
    let addr: SocketAddr = match ip {
        Some(ip) => SocketAddr::new(ip, port),
        None => {
            let query = (name.to_owned(), port);
            let found =
                tokio::task::spawn_blocking(move || query.to_socket_addrs().map(|mut a| a.next())).await;
            found.ok().and_then(Result::ok).flatten().ok_or_else(|| {
                format!("The name {name} does not resolve. Add a DNS host record for {fqdn}, or choose where it runs.")
            })?
        }
    };
    match tokio::time::timeout(REACH_TIMEOUT, tokio::net::TcpStream::connect(addr)).await {
        Ok(Ok(_)) => Ok(format!("{fqdn} answers at {addr}.")),
        Ok(Err(e)) => Err(format!("{fqdn} does not answer at {addr}: {e}.")),
        Err(_) => Err(format!("{fqdn} did not answer at {addr} within {} s.", REACH_TIMEOUT.as_secs())),
    }
}

/// Proves read, write, modify and permission change with a scratch file (seed 003's DACLs).
///
/// # Errors
/// What failed.
pub fn writable(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    if !dir.is_dir() {
        return Err(format!("there is no folder {}", dir.display()));
    }
    let path = dir.join(format!(".lifeguard-check-{}", std::process::id()));
    let check = || -> std::io::Result<()> {
        let mut f = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        f.write_all(b"one")?;
        f.sync_all()?;
        std::fs::OpenOptions::new().append(true).open(&path)?.write_all(b" two")?;
        if std::fs::read(&path)? != b"one two" {
            return Err(std::io::Error::other("what was written is not what is read"));
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))
    };
    let result = check();
    let removed = std::fs::remove_file(&path);
    result
        .and(removed)
        .map_err(|e| format!("read, write, modify or permission change failed in {}: {e}", dir.display()))
}
