//! Real SIPE clients (finch with pidgin-sipe, without a screen) in a room of ours. They take half a minute and
//! a compiler for the shim, so `cargo xtask interop` runs them, not `cargo xtask test`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::json;

use crate::chat_client::ChatClient;
use crate::interop::{files, front_end};
use crate::support::{Sample, User, run};

const OBJECT: &str = "/im/pidgin/purple/PurpleObject";
const LOBBY: &str = "atl-cs-001.litwareinc.com\\Lobby";

/// Runs a program that must succeed; what it printed.
fn sh(c: &mut Command) -> Result<String> {
    let out = c.stdin(Stdio::null()).output();
    let out = out.with_context(|| format!("{c:?} does not start: cargo xtask interop installs it"))?;
    ensure!(out.status.success(), "{c:?}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8(out.stdout)?)
}

/// The shim, built once in a folder.
fn shim(dir: &std::path::Path) -> Result<PathBuf> {
    let to = dir.join("sax1.so");
    let flags = sh(Command::new("xml2-config").args(["--cflags", "--libs"]))?;
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&to).arg(files().join("sax1.c"));
    sh(cc.args(flags.split_whitespace()).arg("-ldl"))?;
    Ok(to)
}

/// One client in a terminal of its own, driven over a bus of its own.
struct Finch {
    dir: tempfile::TempDir,
    terminal: String,
    bus: String,
}

impl Finch {
    fn start(fe: SocketAddr, user: &User, room: &str, component: Option<&str>) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let name = user.logon.rsplit('\\').next().unwrap_or_default();
        let account = format!("{},{}", user.sip.trim_start_matches("sip:"), user.logon);
        let via = component.map_or_else(String::new, |c| {
            format!("<setting name='groupchat_user' type='string'>{c}</setting>")
        });
        let accounts = format!(
            "<?xml version='1.0' encoding='UTF-8' ?><account version='1.0'><account>
             <protocol>prpl-sipe</protocol><name>{account}</name><password>{}</password><settings>
             <setting name='server' type='string'>{fe}</setting>
             <setting name='transport' type='string'>tcp</setting>
             <setting name='authentication' type='string'>auto</setting>
             <setting name='dont-publish' type='bool'>1</setting>{via}</settings>
             <settings ui='gnt-purple'><setting name='auto-login' type='bool'>1</setting></settings>
             </account></account>",
            user.password
        );
        let list = format!(
            "<?xml version='1.0' encoding='UTF-8' ?><purple version='1.0'><blist><group name='Chats'>
             <chat proto='prpl-sipe' account='{account}'><alias>room</alias><component name='uri'>{room}</component>
             <setting name='gnt-autojoin' type='bool'>1</setting></chat></group></blist></purple>"
        );
        std::fs::write(dir.path().join("accounts.xml"), accounts)?;
        std::fs::write(dir.path().join("blist.xml"), list)?;
        let address = format!("unix:path={}", dir.path().join("bus").display());
        let mut daemon = Command::new("dbus-daemon");
        daemon.args(["--session", "--fork", "--print-pid", "--address"]).arg(&address);
        let bus = sh(&mut daemon)?.trim().to_owned();
        let preload = shim(dir.path())?;
        let terminal =
            format!("finch-{name}-{}", dir.path().file_name().unwrap_or_default().to_string_lossy());
        let mut tmux = Command::new("tmux");
        tmux.env("DBUS_SESSION_BUS_ADDRESS", &address).env("LANG", "C.UTF-8").env("TERM", "screen");
        let line = format!(
            "LD_PRELOAD={} finch -c {d} -d 2> {d}/debug.log",
            preload.display(),
            d = dir.path().display()
        );
        sh(tmux.args(["-L", &terminal, "new-session", "-d", "-x", "120", "-y", "40", &line]))?;
        Ok(Self { dir, terminal, bus })
    }

    fn call(&self, method: &str, args: &[&str]) -> Result<String> {
        let mut c = Command::new("gdbus");
        c.args(["call", "--address"]).arg(format!("unix:path={}", self.dir.path().join("bus").display()));
        c.args(["--dest", "im.pidgin.purple.PurpleService", "--object-path", OBJECT, "--method"]);
        sh(c.arg(format!("im.pidgin.purple.PurpleInterface.{method}")).args(args))
    }

    /// Numbers in an answer like `([int32 1, 2],)`.
    fn numbers(&self, method: &str, args: &[&str]) -> Result<Vec<String>> {
        let text = self.call(method, args)?.replace("int32", " ");
        Ok(text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(str::to_owned).collect())
    }

    /// The room's window: its conversation and its chat.
    fn room(&self) -> Result<(String, String)> {
        let all = self.numbers("PurpleGetConversations", &[])?;
        let conversation = all.first().context("no room is open")?.clone();
        let chat = self.numbers("PurpleConversationGetChatData", &[&conversation])?;
        Ok((conversation, chat.first().context("no chat")?.clone()))
    }

    /// Waits until the client is in the room with all of these users.
    async fn sees(&self, users: &[&str]) -> Result<()> {
        wait::until("the client's list of users", async || {
            let (_, chat) = self.room()?;
            let mut names = String::new();
            for n in self.numbers("PurpleConvChatGetUsers", &[&chat])? {
                names.push_str(&self.call("PurpleConvChatCbGetName", &[&n])?);
            }
            ensure!(users.iter().all(|u| names.contains(u)), "{names}");
            Ok(())
        })
        .await
        .with_context(|| self.log())
    }

    /// The last lines of the client's own log.
    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.dir.path().join("debug.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|l| l.contains("sipe")).collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn say(&self, text: &str) -> Result<()> {
        self.call("PurpleConvChatSend", &[&self.room()?.1, &format!("'{text}'")]).map(|_| ())
    }

    /// Waits until the room's window has each of these texts, once where `once`.
    async fn reads(&self, texts: &[&str]) -> Result<()> {
        wait::until("the texts in the client's window", async || {
            let (conversation, _) = self.room()?;
            let mut all = Vec::new();
            for n in self.numbers("PurpleConversationGetMessageHistory", &[&conversation])? {
                all.push(self.call("PurpleConversationMessageGetMessage", &[&n])?);
            }
            for text in texts {
                let n = all.iter().filter(|m| m.contains(text)).count();
                ensure!(n == 1, "{text:?} stands there {n} times: {all:?}");
            }
            Ok(())
        })
        .await
        .with_context(|| self.log())
    }
}

impl Drop for Finch {
    fn drop(&mut self) {
        // What has ended already needs no end.
        let _ =
            Command::new("tmux").args(["-L", &self.terminal, "kill-server"]).stderr(Stdio::null()).status();
        let _ = Command::new("kill").arg(&self.bus).status();
    }
}

/// Two SIPE clients that start in the same second (and so send the same Call-IDs), one by provisioning, one
/// through a legacy endpoint, and a client of ours in one room; one is killed and comes again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs finch and a C compiler: cargo xtask interop"]
async fn sipe_clients_and_ours_share_a_room() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken) = (&s.users[0], &s.users[1]);
    let endpoint = json!({ "SipAddress": "sip:OCSChat@litwareinc.com", "PersistentChatPoolFqdn": "atl-cs-001.litwareinc.com" });
    run(&s.client, "New-CsPersistentChatEndpoint", endpoint).await?;
    let third = json!({ "SipAddress": "sip:amy@litwareinc.com", "DisplayName": "Amy Strande", "LogonName": "LITWAREINC\\amy",
        "RegistrarPool": "atl-fe-001.litwareinc.com", "Password": "third person 12" });
    run(&s.client, "New-LgUser", third).await?;
    let policies = run(&s.client, "Get-CsPersistentChatPolicy", json!({ "Filter": "tag:*" })).await?;
    let policy = policies["output"][0]["Identity"].as_str().context("no policy")?.trim_start_matches("Tag:");
    let granted = json!({ "Identity": "sip:amy@litwareinc.com", "PolicyName": policy });
    run(&s.client, "Grant-CsPersistentChatPolicy", granted).await?;
    let rooms = run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": LOBBY })).await?;
    let room = rooms["output"][0]["ChatRoomUri"].as_str().context("no room")?;

    let fe = front_end(&s).await?;
    let a = Finch::start(fe, pilar, room, None)?;
    let b = Finch::start(fe, ken, room, Some("OCSChat@litwareinc.com"))?;
    a.sees(&["pilar", "kenmyer"]).await?;
    b.sees(&["pilar", "kenmyer"]).await?;
    let amy = User {
        sip: "sip:amy@litwareinc.com".to_owned(),
        logon: "LITWAREINC\\amy".to_owned(),
        password: "third person 12".to_owned(),
    };
    let mut c = ChatClient::open(&s, &amy, "atl-cs-001.litwareinc.com").await?;
    c.join(room).await?;
    a.sees(&["amy"]).await?;

    a.say("one, from SIPE")?;
    c.receive("one, from SIPE").await?;
    b.say("two, through the endpoint")?;
    c.receive("two, through the endpoint").await?;
    c.post(room, "three, from us").await?;
    let all = ["one, from SIPE", "two, through the endpoint", "three, from us"];
    a.reads(&all).await?;
    b.reads(&all).await?;

    // Killed, not closed: the Front End sees the connection end, the others are told.
    drop(b);
    c.parted(room, &ken.sip).await?;
    a.say("four, while one is away")?;
    let b = Finch::start(fe, ken, room, Some("OCSChat@litwareinc.com"))?;
    b.sees(&["pilar", "kenmyer", "amy"]).await?;
    b.reads(&["two, through the endpoint", "four, while one is away"]).await?;
    Ok(())
}
