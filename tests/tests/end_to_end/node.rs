//! Servers on a node: a process of its own, joined by a token, with half of a pool on it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lifeguard_tests::{Browser, Node, Options, wait};
use node::ca::{LocalCa, PORTAL, new_key};
use node::remote::{ToNode, ToPortal, VERSION, read, write};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::chat_client::ChatClient;
use crate::plain_sip::{Sip, sign_on_at};
use crate::support::{PASSWORD, Sample, User, job, run};

const POOL: &str = "atl-cs-001.litwareinc.com";
const HERE: &str = "gc-001.litwareinc.com";
const THERE: &str = "gc-002.litwareinc.com";
const FRONT: &str = "atl-fes-002.litwareinc.com";

/// A loopback address that no portal takes: they have 127.16 and above.
pub fn address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let [.., hi, lo] = std::process::id().to_be_bytes();
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    // More than fifteen are told apart by the process's half of the address.
    format!("127.{}.{}.{lo}", n % 15 + 1, hi.wrapping_add((n / 15).wrapping_mul(16)))
}

/// A portal with the sample, and where nodes connect to it.
pub async fn portal() -> Result<(Sample, String)> {
    let at = format!("{}:7444", address());
    let options = Options { args: vec!["--node-listen".to_owned(), at.clone()], ..Options::default() };
    Ok((Sample::with(options).await?, format!("https://{at}")))
}

pub async fn token(s: &Sample, name: &str) -> Result<String> {
    let made = run(&s.client, "New-LgNode", json!({ "Name": name })).await?;
    Ok(made["output"][0]["Token"].as_str().context("no token")?.to_owned())
}

async fn publish(s: &Sample) -> Result<()> {
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, "done").await?;
    Ok(())
}

/// A portal and a node: of the pool's two active servers one is on each, and a Front End on each.
pub struct Halves {
    pub s: Sample,
    pub node: Node,
    pub front: SocketAddr,
}

impl Halves {
    pub async fn start() -> Result<Self> {
        let (s, portal) = portal().await?;
        let at = address();
        let node = Node::join(&portal, &token(&s, "n1").await?, &at).await?;
        node.line("connected portal=").await?;
        let active = json!({ "Identity": POOL, "ActiveServers": { "Replace": [HERE, THERE] } });
        run(&s.client, "Set-CsPersistentChatActiveServer", active).await?;
        let (set, place) = ("Set-LgPersistentChatPool", "Node:n1");
        run(&s.client, set, json!({ "Identity": POOL, "Computers": { "Remove": [THERE] } })).await?;
        let add = json!({ "Identity": POOL, "Computers": { "Add": [THERE] }, "Placement": place });
        run(&s.client, set, add).await?;
        let add = json!({ "Identity": "atl-fe-001.litwareinc.com", "Servers": { "Add": [FRONT] }, "Placement": place });
        run(&s.client, "Set-LgFrontEndPool", add).await?;
        publish(&s).await?;
        let front = format!("{at}:5060").parse()?;
        Ok(Self { s, node, front })
    }

    /// What the portal shows of a server of the pool.
    async fn server(&self, name: &str) -> Result<Value> {
        let (_, p) = self.s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
        let list = p["summary"]["servers"].as_array().context("no servers")?;
        Ok(list.iter().find(|x| x["report"]["fqdn"] == name).context("no such server")?["report"].clone())
    }

    pub async fn state_is(&self, name: &str, state: &str) -> Result<Value> {
        wait::until("the server's state", async || {
            let r = self.server(name).await?;
            ensure!(r["state"]["state"] == state, "{r}\n{}", self.node.printed());
            Ok(r)
        })
        .await
    }

    /// Waits until every server has taken up what was set last.
    async fn replicated(&self) -> Result<()> {
        wait::until("the replicas", async || {
            let r = run(&self.s.client, "Get-CsManagementStoreReplicationStatus", json!({})).await?;
            let behind = r["output"].as_array().context("no list")?.iter().find(|x| x["UpToDate"] != true);
            ensure!(behind.is_none(), "{behind:?}");
            Ok(())
        })
        .await
    }

    async fn room(&self) -> Result<String> {
        let asked = json!({ "Identity": format!("{POOL}\\Lobby") });
        let found = run(&self.s.client, "Get-CsPersistentChatRoom", asked).await?;
        Ok(found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned())
    }

    /// A session of `user` with this server; sessions go around, so a few tries reach each.
    async fn at(&self, user: &User, server: &str) -> Result<ChatClient> {
        for _ in 0..6 {
            let c = ChatClient::open(&self.s, user, POOL).await?;
            if c.server().contains(server) {
                return Ok(c);
            }
        }
        bail!("no session reached {server}")
    }

    /// The texts of a room as the database has them.
    async fn stored(&self, user: &User, room: &str) -> Result<Vec<String>> {
        let mut c = ChatClient::open(&self.s, user, POOL).await?;
        c.join(room).await?;
        c.history(room).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_pool_runs_on_a_node_and_rooms_are_one() -> Result<()> {
    let h = Halves::start().await?;
    let (pilar, ken) = (&h.s.users[0], &h.s.users[1]);
    let report = h.state_is(THERE, "running").await?;
    let at = h.front.ip().to_string();
    ensure!(report["listens"] == json!([format!("{at}:5041")]), "{report}");
    let (_, nodes) = h.s.client.get("/api/v1/nodes").await?;
    ensure!(nodes[0]["state"] == "Connected" && nodes[0]["address"] == at.as_str(), "{nodes}");
    ensure!(nodes[0]["servers"].as_array().is_some_and(|l| l.len() == 2), "{nodes}");
    for (only, target) in [(THERE, "atl-fe-001.litwareinc.com"), (HERE, FRONT)] {
        let active = json!({ "Identity": POOL, "ActiveServers": { "Replace": [only] } });
        run(&h.s.client, "Set-CsPersistentChatActiveServer", active).await?;
        h.replicated().await?;
        let t = wait::until("a test message", async || {
            let t = h.s.test(pilar, ken, json!({ "TargetFqdn": target })).await?;
            ensure!(t["summary"]["state"] == "success", "{}\n{}", t["printed"], h.node.printed());
            Ok(t)
        })
        .await?;
        ensure!(t["report"]["hops"][1]["to"] == only, "{}", t["report"]["hops"]);
    }
    let both = json!({ "Identity": POOL, "ActiveServers": { "Replace": [HERE, THERE] } });
    run(&h.s.client, "Set-CsPersistentChatActiveServer", both).await?;
    h.replicated().await?;
    // One member on each server: both see both posts once, in the same order.
    let room = h.room().await?;
    let (mut a, mut b) = (h.at(pilar, HERE).await?, h.at(ken, THERE).await?);
    a.join(&room).await?;
    b.join(&room).await?;
    a.entered(&ken.sip).await.context("someone on the other server is seen")?;
    for i in 0..5 {
        a.post(&room, &format!("a{i}")).await?;
        b.post(&room, &format!("b{i}")).await?;
    }
    let expected: Vec<String> = (0..5).flat_map(|i| [format!("a{i}"), format!("b{i}")]).collect();
    ensure!(a.texts(10).await? == expected && b.texts(10).await? == expected);
    drop(b);
    a.parted(&room, &ken.sip).await.context("someone leaves on the other server")?;
    // A disabled user is put out there as fast as here, and secrets lie there only for who signs in there.
    run(&h.s.client, "Set-LgUser", json!({ "Identity": ken.sip, "Enabled": false })).await?;
    wait::until("the node to refuse the user", async || {
        ensure!(sign_on_at(h.front, ken).await.is_err(), "still let in");
        Ok(())
    })
    .await?;
    let kept = std::fs::read(h.node.data_dir().join("replica.sealed"))?;
    ensure!(!String::from_utf8_lossy(&kept).contains("litwareinc"), "the replica lies there in plain");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_group_counts_on_a_node() -> Result<()> {
    let h = Halves::start().await?;
    h.state_is(THERE, "running").await?;
    let ken = &h.s.users[1];
    run(&h.s.client, "New-LgGroup", json!({ "Name": "Field", "Members": [ken.sip] })).await?;
    let lobby = format!("{POOL}\\Lobby");
    let only = json!({ "Identity": lobby, "Privacy": "Closed", "Members": { "Replace": ["Field"] } });
    run(&h.s.client, "Set-CsPersistentChatRoom", only).await?;
    let room = h.room().await?;
    let mut c = h.at(ken, THERE).await?;
    wait::until("the room to let in", async || c.join(&room).await.map(|_| ())).await?;
    let out = json!({ "Identity": "Field", "Members": { "Remove": [ken.sip] } });
    run(&h.s.client, "Set-LgGroup", out).await?;
    c.parted(&room, &ken.sip).await?;
    ensure!(c.join(&room).await.is_err(), "out of the group is out of the room");
    run(&h.s.client, "Set-LgGroup", json!({ "Identity": "Field", "Members": { "Add": [ken.sip] } })).await?;
    wait::until("the room to let in again", async || c.join(&room).await.map(|_| ())).await
}

/// Posts as `user` until told to stop, over whatever server takes it; the texts that were acknowledged.
async fn load(
    h: &Halves,
    user: &User,
    room: &str,
    stop: &tokio::sync::watch::Receiver<bool>,
) -> Result<Vec<String>> {
    let mut acknowledged = Vec::new();
    let mut n = 0;
    while !*stop.borrow() {
        let opened = tokio::time::timeout(Duration::from_secs(15), async {
            let mut c = ChatClient::open(&h.s, user, POOL).await?;
            c.join(room).await?;
            Ok::<_, anyhow::Error>(c)
        });
        let Ok(Ok(mut c)) = opened.await else { continue };
        while !*stop.borrow() {
            n += 1;
            let text = format!("{} {n}", user.sip);
            match tokio::time::timeout(Duration::from_secs(15), c.post(room, &text)).await {
                Ok(Ok(())) => acknowledged.push(text),
                // Not acknowledged: it may be there or not, and is not sent again. The session is opened anew.
                _ => break,
            }
        }
    }
    Ok(acknowledged)
}

async fn survives(signal: &str) -> Result<()> {
    let mut h = Halves::start().await?;
    h.state_is(THERE, "running").await?;
    run(
        &h.s.client,
        "Set-CsPersistentChatConfiguration",
        json!({ "Identity": "global", "DefaultChatHistory": 500 }),
    )
    .await?;
    let room = h.room().await?;
    let (pilar, ken) = (h.s.users[0].clone(), h.s.users[1].clone());
    // Someone who only reads, on the server that will be lost.
    let mut reader = h.at(&ken, THERE).await?;
    reader.join(&room).await?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let id = h.node.id().to_string();
    let trouble = async {
        tokio::time::timeout(Duration::from_secs(30), reader.receive(&format!("{} 20", pilar.sip))).await??;
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status()?;
        ensure!(sent.success());
        h.state_is(THERE, "unreachable").await?;
        reader.ended().await.context("the session with the lost server ends cleanly")?;
        // The reader goes elsewhere and misses nothing: what he has not seen is in the history.
        let mut again = ChatClient::open(&h.s, &ken, POOL).await?;
        ensure!(again.server().contains(HERE), "went to {}", again.server());
        again.join(&room).await?;
        let before = again.history(&room).await?.len();
        wait::until("posts through the other server", async || {
            let now = again.history(&room).await?.len();
            ensure!(now > before, "{now} messages");
            Ok(())
        })
        .await?;
        stop.send_replace(true);
        Ok::<_, anyhow::Error>(())
    };
    let (acknowledged, done) = tokio::join!(load(&h, &pilar, &room, &stopped), async {
        let done = trouble.await;
        stop.send_replace(true);
        done
    });
    done?;
    let acknowledged = acknowledged?;
    let stored = h.stored(&ken, &room).await?;
    ensure!(acknowledged.len() >= 20 && acknowledged.len() < 500, "{} posts", acknowledged.len());
    for text in &acknowledged {
        let n = stored.iter().filter(|t| *t == text).count();
        ensure!(n == 1, "{text} is there {n} times");
    }
    let unique: std::collections::BTreeSet<_> = stored.iter().collect();
    ensure!(unique.len() == stored.len(), "something is there twice");
    if signal == "KILL" {
        h.node.restart().await?;
    } else {
        h.node.signal("CONT")?;
    }
    h.state_is(THERE, "running").await?;
    let mut back = wait::until("a session there", async || h.at(&ken, THERE).await).await?;
    back.join(&room).await?;
    back.post(&room, "back again").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_no_acknowledged_post_and_its_users_move() -> Result<()> {
    survives("KILL").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_is_noticed_and_takes_part_again() -> Result<()> {
    survives("STOP").await
}

/// Signs on at the node's Front End; the session stays open.
async fn signs_on(h: &Halves, user: &User) -> Result<Sip> {
    wait::until("the node's Front End", async || {
        sign_on_at(h.front, user).await.with_context(|| h.node.printed())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_goes_on_without_the_portal() -> Result<()> {
    let mut h = Halves::start().await?;
    h.state_is(THERE, "running").await?;
    let (pilar, ken) = (h.s.users[0].clone(), h.s.users[1].clone());
    let room = h.room().await?;
    let mut session = wait::until("a session there", async || {
        let c = ChatClient::over(sign_on_at(h.front, &ken).await?, &ken, POOL).await?;
        ensure!(c.server().contains(THERE), "with {}", c.server());
        Ok(c)
    })
    .await?;
    session.join(&room).await?;
    session.post(&room, "before").await?;
    h.s.server.kill9();
    // The database is out of reach: a post is refused, and not sent later behind the user's back.
    wait::until("a post to be refused", async || {
        let e = session.post(&room, "meanwhile").await.err().context("it was taken")?;
        ensure!(e.to_string().contains("INFO: "), "{e}");
        Ok(())
    })
    .await?;
    signs_on(&h, &pilar).await?;
    // So it is for a node that is started while the portal is down. It ends properly: what came in the last moment
    // is kept then.
    h.node.terminate().await?;
    h.node.restart().await?;
    signs_on(&h, &ken).await?;
    h.s.server.restart().await?;
    h.s.client.login("root", PASSWORD).await?;
    h.state_is(THERE, "running").await?;
    let stored = wait::until("the room", async || h.stored(&pilar, &room).await).await?;
    ensure!(stored == ["before"], "{stored:?}");
    let t = wait::until("a test message", async || {
        let t = h.s.test(&pilar, &ken, json!({ "TargetFqdn": FRONT })).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        Ok(t)
    })
    .await?;
    ensure!(t["report"]["hops"].as_array().is_some_and(|l| l.len() == 2), "{t}");
    Ok(())
}

/// What the portal answers to `first` of a peer with this certificate; none when the handshake is refused.
async fn say(
    portal: &str,
    ca: &LocalCa,
    identity: Option<&node::ca::Identity>,
    first: &ToPortal,
) -> Result<Option<ToNode>> {
    let tls = match identity {
        Some(i) => ca.upstream_config(i)?,
        None => ca.client_config(),
    };
    let tcp = TcpStream::connect(portal.trim_start_matches("https://")).await?;
    let name = rustls::pki_types::ServerName::try_from(PORTAL)?;
    let Ok(mut stream) = tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await else {
        return Ok(None);
    };
    if write(&mut stream, first).await.is_err() {
        return Ok(None);
    }
    let answer = tokio::time::timeout(Duration::from_secs(10), read(&mut stream, 1 << 20)).await?;
    Ok(answer.ok())
}

fn authority(data_dir: &Path) -> Result<LocalCa> {
    Ok(LocalCa::open(&data_dir.join("ca"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_and_a_removed_node_ends_at_once() -> Result<()> {
    let (s, portal) = portal().await?;
    let given = token(&s, "n1").await?;
    let wrong = format!("{}{}", &given[..given.len() - 1], if given.ends_with('0') { '1' } else { '0' });
    let e = Node::join(&portal, &wrong, &address()).await.err().context("a wrong token was taken")?;
    ensure!(format!("{e:#}").contains("unknown, was used, or is too old"), "{e:#}");
    // A token of another deployment: the node does not even show its secret.
    let other = given.replacen(&given[4..68], &"0".repeat(64), 1);
    let e = Node::join(&portal, &other, &address()).await.err().context("another authority was taken")?;
    ensure!(format!("{e:#}").contains("not the one that made the token"), "{e:#}");
    let node = Node::join(&portal, &given, &address()).await?;
    node.line("connected portal=").await?;
    let e = Node::join(&portal, &given, &address()).await.err().context("a used token was taken")?;
    ensure!(format!("{e:#}").contains("was used"), "{e:#}");
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        Ok::<_, anyhow::Error>(std::fs::metadata(node.data_dir().join(name))?.permissions().mode() & 0o777)
    };
    ensure!(mode("node.json")? == 0o600 && mode("secret.key")? == 0o600);
    let hash = std::fs::read(s.server.data_dir().join("management.db"))?;
    let secret = &given.as_bytes()[69..];
    ensure!(!hash.windows(secret.len()).any(|w| w == secret), "the token lies in the store");

    let ours = authority(s.server.data_dir())?;
    let hello = |version| ToPortal::Hello { version, product: "test".to_owned(), listen: None, groups: true };
    let refused = |answer: Option<ToNode>, words: &str| match answer {
        Some(ToNode::Refused { reason, .. }) if reason.contains(words) => Ok(()),
        other => Err(anyhow::anyhow!("{words}: {other:?}")),
    };
    // Without a certificate, with a server's, with one of another authority, with one for a key that never joined.
    refused(say(&portal, &ours, None, &hello(VERSION)).await?, "shows its certificate")?;
    let server = crate::support_tls::next_hop(s.server.data_dir())?;
    refused(say(&portal, &ours, Some(&server), &hello(VERSION)).await?, "shows its certificate")?;
    let elsewhere = tempfile::tempdir()?;
    let theirs = LocalCa::open(elsewhere.path())?;
    let of = |ca: &LocalCa| {
        let key = new_key()?;
        let certificate = ca.sign_node("n1", hex::decode(&key.public)?)?;
        let issued = node::ca::Issued { certificate, key: key.private };
        Ok::<_, anyhow::Error>(node::ca::Identity::of(&issued, ca.certificate())?)
    };
    let foreign = say(&portal, &ours, Some(&of(&theirs)?), &hello(VERSION)).await?;
    ensure!(foreign.is_none(), "a certificate of another authority was taken: {foreign:?}");
    refused(say(&portal, &ours, Some(&of(&ours)?), &hello(VERSION)).await?, "removed")?;
    // Versions that are not spoken, joining or joined.
    let join = ToPortal::Join { version: 99, secret: String::new(), public_key: String::new(), listen: None };
    refused(say(&portal, &ours, None, &join).await?, "speaks version 99")?;
    refused(say(&portal, &ours, Some(&server), &hello(0)).await?, "speaks version 0")?;

    run(&s.client, "Remove-LgNode", json!({ "Identity": "n1" })).await?;
    wait::until("the node's end", async || {
        let alive = Path::new(&format!("/proc/{}/status", node.id())).exists();
        let text = std::fs::read_to_string(format!("/proc/{}/status", node.id())).unwrap_or_default();
        ensure!(!alive || text.contains("State:\tZ"), "it still runs: {}", node.printed());
        Ok(())
    })
    .await?;
    ensure!(node.printed().contains("was removed from the deployment"), "{}", node.printed());
    ensure!(!node.data_dir().join("replica.sealed").exists() && !node.data_dir().join("node.json").exists());
    let (_, nodes) = s.client.get("/api/v1/nodes").await?;
    ensure!(nodes == json!([]), "{nodes}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_nodes_and_the_line_that_joins_one_once() -> Result<()> {
    let mut h = Halves::start().await?;
    h.state_is(THERE, "running").await?;
    let b = Browser::start().await?;
    crate::page::sign_in(&b, &h.s).await?;
    let url = |path: &str| format!("{}{path}", h.s.server.url());
    b.goto(&url("/settings/nodes")).await?;
    for text in ["Connected", THERE, FRONT] {
        b.wait_text(text).await?;
    }
    b.screenshot("nodes-connected").await?;
    b.fill("Name", "n2").await?;
    b.click_button("Add the node n2").await?;
    b.wait_text("lifeguard node --join https://127.").await?;
    b.assert_accessible("the line that joins").await?;
    b.screenshot("nodes-join").await?;
    b.goto(&url("/settings/nodes")).await?;
    b.wait_text("Waiting to join").await?;
    b.wait_no_text("lgn_").await?;
    b.goto(&url(&format!("/pools/{POOL}/servers"))).await?;
    b.wait_text("on node n1").await?;
    b.screenshot("nodes-servers").await?;
    h.node.kill9();
    b.wait_text("Node n1 does not answer since").await?;
    b.dark().await?;
    b.screenshot("nodes-servers-dark").await?;
    b.goto(&url("/settings/nodes")).await?;
    b.wait_text("Unreachable").await?;
    b.assert_accessible("an unreachable node").await?;
    b.size(390, 844).await?;
    b.goto(&url("/settings/nodes")).await?;
    b.wait_text("Unreachable").await?;
    b.screenshot("nodes-connected-narrow").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}
