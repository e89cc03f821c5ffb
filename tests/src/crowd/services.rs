//! The services that a crowd talks in: ours with people and rooms made through the portal, and Debian's prosody.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::sip::Ours;
use super::xmpp::Theirs;
use crate::process::Process;
use crate::{Client, wait};

const POOL: &str = "atl-cs-001.litwareinc.com";
const FRONT_END: &str = "atl-fe-001.litwareinc.com";
const DOMAIN: &str = "litwareinc.com";
/// Requests to the portal at the same time.
const AT_ONCE: usize = 8;
const PASSWORD: &str = "crowd 12 crowd";
const THEIRS: &str = "127.77.0.30:25222";

async fn invoke(c: &Client, name: &str, args: Value) -> Result<Value> {
    let (status, answer) = c.invoke(name, &json!({ "args": args, "confirmed": true })).await?;
    ensure!(status == 200, "{name}: {answer}");
    Ok(answer)
}

/// Our service with this many people, who may chat.
///
/// # Errors
/// The portal refuses something.
pub async fn ours(client: &Arc<Client>, people: usize) -> Result<Ours> {
    let args = json!({ "Identity": "global", "EnablePersistentChat": true });
    invoke(client, "Set-CsPersistentChatPolicy", args).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (client, next) = (client.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= people {
                    return anyhow::Ok(());
                }
                let user = json!({
                    "SipAddress": format!("sip:user{n}@{DOMAIN}"), "DisplayName": format!("User {n}"),
                    "LogonName": format!("{DOMAIN}\\user{n}"), "RegistrarPool": FRONT_END, "Password": PASSWORD,
                });
                invoke(&client, "New-LgUser", user).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let (_, o) = client.get("/api/v1/overview").await?;
    let all = o["front_ends"].as_array().context("no Front Ends")?;
    let mine = all.iter().find(|f| f["pool"] == FRONT_END || f["fqdn"] == "atl-fes-001.litwareinc.com");
    let listens = mine.and_then(|f| f["listens"].as_array()).context("no Front End")?;
    let at = listens.iter().filter_map(Value::as_str).find(|l| l.ends_with(":5060")).context("no TCP")?;
    Ok(Ours {
        at: at.parse()?,
        channel: format!("sip:gc-channel-{POOL}@{DOMAIN}"),
        domain: DOMAIN.to_owned(),
        password: PASSWORD.to_owned(),
    })
}

/// An open room for everyone; its address on the wire.
///
/// # Errors
/// The portal refuses it.
pub async fn room(client: &Client, name: &str) -> Result<String> {
    let new = json!({ "Name": name, "Category": format!("{POOL}\\General"), "Privacy": "Open" });
    let made = invoke(client, "New-CsPersistentChatRoom", new).await?;
    if let Some(uri) = made["output"][0]["ChatRoomUri"].as_str() {
        return Ok(uri.to_owned());
    }
    let found =
        invoke(client, "Get-CsPersistentChatRoom", json!({ "Identity": format!("{POOL}\\{name}") })).await?;
    Ok(found["output"][0]["ChatRoomUri"].as_str().with_context(|| format!("no room: {found}"))?.to_owned())
}

/// A running prosody.
pub struct Prosody {
    process: Process,
    _place: TempDir,
}

/// Starts Debian's prosody with this many people: group chat that keeps its messages, as ours does, and says of
/// a large room's people as little as ours does.
///
/// # Errors
/// It is not installed, or does not start.
pub async fn prosody(people: usize) -> Result<(Prosody, Theirs)> {
    let at: SocketAddr = THEIRS.parse()?;
    let place = TempDir::with_prefix("prosody-")?;
    let (domain, rooms) = ("bench.test", "rooms.bench.test");
    let data = place.path().join("data");
    let accounts = data.join("bench%2etest").join("accounts");
    fs::create_dir_all(&accounts)?;
    fs::create_dir_all(place.path().join("certs"))?;
    for n in 0..people {
        let file = format!("return {{\n\t[\"password\"] = \"{PASSWORD}\";\n}};\n");
        fs::write(accounts.join(format!("user{n}.dat")), file)?;
    }
    let mut config = String::new();
    writeln!(config, "data_path = {:?}\npidfile = {:?}", data.display(), place.path().join("pid").display())?;
    let (ip, port) = (at.ip(), at.port());
    write!(
        config,
        "run_as_root = true\ndaemonize = false\ninterfaces = {{ \"{ip}\" }}\nc2s_ports = {{ {port} }}\n\
         s2s_ports = {{}}\nc2s_direct_tls_ports = {{}}\nhttp_ports = {{}}\nhttps_ports = {{}}\n\
         modules_enabled = {{ \"saslauth\", \"disco\" }}\nmodules_disabled = {{ \"s2s\", \"tls\" }}\n\
         c2s_require_encryption = false\nallow_unencrypted_plain_auth = true\nauthentication = \"internal_plain\"\n\
         storage = \"internal\"\nlog = {{ warn = \"*console\" }}\nVirtualHost \"{domain}\"\n\
         Component \"{rooms}\" \"muc\"\nmodules_enabled = {{ \"muc_mam\" }}\nmuc_log_by_default = true\n\
         muc_room_locking = false\nrestrict_room_creation = false\nmuc_room_default_public = false\n\
         muc_room_default_presence_broadcast = {{ visitor = false; participant = false; moderator = false }}\n"
    )?;
    let file = place.path().join("prosody.cfg.lua");
    fs::write(&file, config)?;
    let mut c = Command::new("prosody");
    c.arg("-F").arg("--config").arg(&file);
    let process = Process::start(&mut c).context("prosody (Debian's package of this name)")?;
    let prosody = Prosody { process, _place: place };
    wait::until("prosody", async || {
        tokio::net::TcpStream::connect(at).await.with_context(|| prosody.process.printed()).map(drop)
    })
    .await?;
    let theirs =
        Theirs { at, domain: domain.to_owned(), rooms: rooms.to_owned(), password: PASSWORD.to_owned() };
    Ok((prosody, theirs))
}

impl Prosody {
    /// Process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has printed.
    pub fn printed(&self) -> String {
        self.process.printed()
    }
}

/// Resident memory of a process in kilobytes, from Linux' /proc.
///
/// # Errors
/// It has ended.
pub fn resident_kb(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Seconds of processor time that a process has used.
///
/// # Errors
/// It has ended.
pub fn cpu_seconds(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let after = stat.rsplit_once(')').context("no stat")?.1;
    let field =
        |n: usize| after.split_whitespace().nth(n).and_then(|v| v.parse::<f64>().ok()).context("no time");
    // utime and stime are the 14th and 15th; Linux counts them in hundredths.
    Ok((field(11)? + field(12)?) / 100.0)
}
