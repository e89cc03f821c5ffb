//! Databases on a node: the node owns them, chat servers of other processes reach them there, and none of this
//! needs the portal.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Node, Scheme, wait};
use node::ca::{Identity, Issued, LocalCa, databases_name, new_key};
use node::remote::{Act, Call, Inquiry, ToNode, ToPortal, VERSION, read, write};
use node::traits::StoreError;
use serde_json::{Value, json};
use shared::ObjectId;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::client::TlsStream;

use crate::chat_client::ChatClient;
use crate::node::{address, portal, token};
use crate::plain_sip::sign_on_at;
use crate::support::{PASSWORD, Sample, User, job, refused, run};

const POOL: &str = "atl-nod-001.litwareinc.com";
const SERVER: &str = "nod-001.litwareinc.com";
const SQL: &str = "nod-sql-001.litwareinc.com";
const FRONT: &str = "atl-fes-002.litwareinc.com";

/// A pool whose database is on the node `n1`.
struct Placed {
    s: Sample,
    /// Its one room.
    room: String,
}

pub async fn join(s: &Sample, portal: &str, name: &str) -> Result<(Node, String)> {
    let at = address();
    let node = Node::join(portal, &token(s, name).await?, &at).await?;
    node.line("connected portal=").await?;
    Ok((node, at))
}

pub async fn publish(s: &Sample, state: &str) -> Result<Value> {
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, state).await
}

/// Puts the pool into the topology: its one server at `place`, its database on `n1`.
async fn define(s: &Sample, place: Value) -> Result<()> {
    run(&s.client, "New-LgSqlStore", json!({ "Fqdn": SQL, "Placement": "Node:n1" })).await?;
    let (_, t) = s.client.get("/api/v1/topology").await?;
    let id = |list: &str, name: &str| {
        let all = t["draft"][list].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|x| x["fqdn"] == name).map(|x| x["id"].clone())
    };
    let (status, d) = s.client.post("/api/v1/drafts", &json!({})).await?;
    ensure!(status == 200, "{d}");
    let draft = d["id"].as_str().context("no draft")?;
    let site = &d["draft"]["site"];
    for (path, from, to) in [
        ("/fqdn", json!(""), json!(POOL)),
        ("/computers", json!([]), json!([{ "fqdn": SERVER, "placement": place }])),
        ("/display_name", json!(""), json!("On a node")),
        ("/default_for_site", d["draft"]["default_for_site"].clone(), json!(false)),
        ("/site", site.clone(), json!("site-redmond")),
        ("/sql/existing", json!(""), id("sql_stores", SQL).context("no store")?),
        ("/file/existing", json!(""), id("file_stores", "atl-fs-001.litwareinc.com").context("no share")?),
        ("/next_hop", d["draft"]["next_hop"].clone(), json!("fe-atl")),
    ] {
        if from == to {
            continue;
        }
        let body = json!({ "path": path, "from": from, "to": to });
        let (status, answer) = s.client.patch(&format!("/api/v1/drafts/{draft}"), &body).await?;
        ensure!(status == 200, "{path}: {answer}");
    }
    run(&s.client, "New-LgPersistentChatPool", json!({ "Draft": draft })).await?;
    Ok(())
}

/// A category and a room of a pool, made through the portal once its database is reached; the room's URI.
pub async fn room_on(s: &Sample, pool: &str) -> Result<String> {
    let category = json!({
        "Name": "General", "PersistentChatPoolFqdn": pool, "AllowedMembers": ["litwareinc.com"],
    });
    wait::until("the database to be reached from the portal", async || {
        run(&s.client, "New-CsPersistentChatCategory", category.clone()).await
    })
    .await?;
    let of = json!({ "Name": "Lobby", "Category": format!("{pool}\\General") });
    run(&s.client, "New-CsPersistentChatRoom", of).await?;
    let found =
        run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": format!("{pool}\\Lobby") })).await?;
    Ok(found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned())
}

impl Placed {
    /// A portal, and the node that is to own the database: joined, its pool published. `place` says where the
    /// pool's one server runs.
    async fn start(place: Value) -> Result<(Self, Node)> {
        let (s, portal) = portal().await?;
        let (owner, _) = join(&s, &portal, "n1").await?;
        Ok((Self::finish(s, &owner, place).await?, owner))
    }

    async fn finish(s: Sample, owner: &Node, place: Value) -> Result<Self> {
        define(&s, place).await?;
        let done = publish(&s, "done").await.with_context(|| owner.printed())?;
        ensure!(done.to_string().contains("is created on nod-sql-001.litwareinc.com, node n1"), "{done}");
        let many = json!({ "Identity": "global", "DefaultChatHistory": 500 });
        run(&s.client, "Set-CsPersistentChatConfiguration", many).await?;
        let room = room_on(&s, POOL).await.with_context(|| owner.printed())?;
        Ok(Self { s, room })
    }

    /// What the portal shows of the pool.
    async fn pool(&self) -> Result<Value> {
        let (_, p) = self.s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
        Ok(p["summary"].clone())
    }

    /// A session at the portal's Front End that has joined the room.
    async fn session(&self, user: &User) -> Result<ChatClient> {
        let mut c = ChatClient::open(&self.s, user, POOL).await?;
        c.join(&self.room).await?;
        Ok(c)
    }

    /// Likewise at the Front End of a node.
    async fn at(&self, front: SocketAddr, user: &User) -> Result<ChatClient> {
        wait::until("a session at the node's Front End", async || {
            let mut c = ChatClient::over(sign_on_at(front, user).await?, user, POOL).await?;
            c.join(&self.room).await?;
            Ok(c)
        })
        .await
    }

    /// Waits until the portal says that the database does not answer, and says so everywhere.
    async fn told(&self) -> Result<()> {
        wait::until("the portal to see it", async || {
            let pool = self.pool().await?;
            let said = pool["databases"][0]["error"].as_str().unwrap_or_default().to_owned();
            ensure!(said.contains("node n1, which has it, does not answer"), "{pool}");
            ensure!(pool["converged"] == false && pool["databases"][0]["in_use"] == false, "{pool}");
            let (_, o) = self.s.client.get("/api/v1/overview").await?;
            let told = format!("{POOL} has no database in use: node n1");
            ensure!(o["problems"].to_string().contains(&told), "{}", o["problems"]);
            Ok(())
        })
        .await?;
        let lobby = json!({ "Identity": format!("{POOL}\\Lobby") });
        let e = refused(&self.s.client, "Get-CsPersistentChatRoom", lobby, 503).await?;
        ensure!(e["message"].as_str().is_some_and(|m| m.contains("node n1")), "{e}");
        // The rooms of other pools are shown as ever.
        let others = run(&self.s.client, "Get-CsPersistentChatRoom", json!({})).await?;
        ensure!(others["output"].as_array().is_some_and(|l| l.len() == 4), "{others}");
        Ok(())
    }
}

/// Posts until told to stop; the texts that were acknowledged.
async fn load(p: &Placed, user: &User, count: &AtomicUsize, stop: &watch::Receiver<bool>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut n = 0;
    while !*stop.borrow() {
        let opened = tokio::time::timeout(Duration::from_secs(15), p.session(user)).await;
        let Ok(Ok(mut c)) = opened else { continue };
        while !*stop.borrow() {
            n += 1;
            let text = format!("{} {n}", user.sip);
            match tokio::time::timeout(Duration::from_secs(15), c.post(&p.room, &text)).await {
                Ok(Ok(())) => {
                    acknowledged.push(text);
                    count.store(acknowledged.len(), Ordering::Relaxed);
                }
                // Refused or unknown: it may be there or not, and is not sent again.
                _ => break,
            }
        }
    }
    acknowledged
}

async fn survives(signal: &str) -> Result<()> {
    let (p, mut owner) = Placed::start(json!({ "at": "run_here" })).await?;
    let (pilar, ken) = (p.s.users[0].clone(), p.s.users[1].clone());
    let mgc = Path::new("sql").join(SQL).join("MSSQLSERVER/mgc.db");
    ensure!(owner.data_dir().join(&mgc).is_file(), "the node has the database");
    ensure!(!p.s.server.data_dir().join(&mgc).exists(), "the portal has none");
    let (stop, stopped) = watch::channel(false);
    let count = AtomicUsize::new(0);
    let more = async |than: usize| {
        wait::until("acknowledged posts", async || {
            let n = count.load(Ordering::Relaxed);
            ensure!(n > than, "{n} posts");
            Ok(())
        })
        .await
    };
    let trouble = async {
        more(30).await?;
        owner.signal(signal)?;
        p.told().await?;
        let seen = count.load(Ordering::Relaxed);
        if signal == "KILL" {
            owner.restart().await?;
        } else {
            owner.signal("CONT")?;
        }
        more(seen + 20).await
    };
    let (acknowledged, done) = tokio::join!(load(&p, &pilar, &count, &stopped), async {
        let done = trouble.await;
        stop.send_replace(true);
        done
    });
    done.with_context(|| owner.printed())?;
    ensure!(acknowledged.len() < 480, "{} posts are more than a history shows", acknowledged.len());
    let stored = p.session(&ken).await?.history(&p.room).await?;
    for text in &acknowledged {
        let n = stored.iter().filter(|t| *t == text).count();
        ensure!(n == 1, "{text} is there {n} times");
    }
    let unique: BTreeSet<_> = stored.iter().collect();
    ensure!(unique.len() == stored.len(), "something is there twice");
    wait::until("the pool to be well", async || {
        let pool = p.pool().await?;
        let d = &pool["databases"][0];
        ensure!(pool["converged"] == true && d["node"] == "n1" && d["messages"] == stored.len(), "{pool}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_of_a_database_loses_no_acknowledged_post() -> Result<()> {
    survives("KILL").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_owner_of_a_database_is_noticed_and_goes_on() -> Result<()> {
    survives("STOP").await
}

/// A server of the portal's Front End pool on the node `name`.
pub async fn front_end(s: &Sample, name: &str, at: &str) -> Result<SocketAddr> {
    let add = json!({
        "Identity": "atl-fe-001.litwareinc.com", "Servers": { "Add": [FRONT] }, "Placement": format!("Node:{name}"),
    });
    run(&s.client, "Set-LgFrontEndPool", add).await?;
    Ok(format!("{at}:5060").parse()?)
}

/// Two users talk through `front` while the portal is down; afterwards it sees what they said.
async fn chat_goes_on(p: &mut Placed, nodes: &mut [&mut Node], front: SocketAddr) -> Result<()> {
    let (pilar, ken) = (p.s.users[0].clone(), p.s.users[1].clone());
    let (mut a, mut b) = (p.at(front, &pilar).await?, p.at(front, &ken).await?);
    a.post(&p.room, "before").await?;
    b.receive("before").await?;
    p.s.server.kill9();
    for i in 0..10 {
        a.post(&p.room, &format!("a{i}")).await?;
        b.receive(&format!("a{i}")).await?;
        b.post(&p.room, &format!("b{i}")).await?;
        a.receive(&format!("b{i}")).await?;
    }
    // Who signs in now is let in and sees everything, also after the nodes were started anew.
    let mut late = p.at(front, &ken).await?;
    ensure!(late.history(&p.room).await?.len() == 21);
    for n in nodes {
        n.restart().await?;
    }
    let mut again = p.at(front, &pilar).await?;
    wait::until("a post after the nodes' start", async || again.post(&p.room, "after").await).await?;
    ensure!(again.history(&p.room).await?.len() == 22, "all of it is there once");
    p.s.server.restart().await?;
    p.s.client.login("root", PASSWORD).await?;
    wait::until("the portal to see it", async || {
        let pool = p.pool().await?;
        ensure!(pool["converged"] == true && pool["databases"][0]["messages"] == 22, "{pool}");
        Ok(())
    })
    .await?;
    // And administrators act again.
    let id = json!({ "Identity": format!("{POOL}\\Lobby"), "EndDate": "2099-01-01" });
    run(&p.s.client, "Clear-CsPersistentChatRoom", id).await?;
    ensure!(again.history(&p.room).await?.is_empty(), "cleared from the portal");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_goes_on_without_the_portal_when_all_is_on_a_node() -> Result<()> {
    let (s, portal) = portal().await?;
    let (mut owner, at) = join(&s, &portal, "n1").await?;
    let front = front_end(&s, "n1", &at).await?;
    let place = json!({ "at": "node", "address": "n1" });
    let mut p = Placed::finish(s, &owner, place).await?;
    chat_goes_on(&mut p, &mut [&mut owner], front).await.with_context(|| owner.printed())
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_goes_on_without_the_portal_with_server_and_database_apart() -> Result<()> {
    let (s, portal) = portal().await?;
    let (mut owner, _) = join(&s, &portal, "n1").await?;
    let (mut other, at) = join(&s, &portal, "n2").await?;
    let front = front_end(&s, "n2", &at).await?;
    let place = json!({ "at": "node", "address": "n2" });
    let mut p = Placed::finish(s, &owner, place).await?;
    chat_goes_on(&mut p, &mut [&mut owner, &mut other], front)
        .await
        .with_context(|| format!("{}\n{}", owner.printed(), other.printed()))
}

type Stream = TlsStream<TcpStream>;

/// Connects to the owner's port with this certificate; none when the handshake is refused.
async fn dial(at: &str, ca: &LocalCa, identity: Option<&Identity>) -> Result<Option<Stream>> {
    let tls = match identity {
        Some(i) => ca.upstream_config(i)?,
        None => ca.client_config(),
    };
    let tcp = TcpStream::connect(format!("{at}:7445")).await?;
    let name = rustls::pki_types::ServerName::try_from(databases_name("n1")?.to_string())?;
    Ok(tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await.ok())
}

/// What the owner says to `first`; none when it says nothing.
async fn says(stream: &mut Stream, first: &ToPortal) -> Result<Option<ToNode>> {
    if write(stream, first).await.is_err() {
        return Ok(None);
    }
    let answer = tokio::time::timeout(Duration::from_secs(10), read(stream, 1 << 20)).await?;
    Ok(answer.ok())
}

/// The certificate of a node that has joined.
fn certificate(node: &Node, ca: &LocalCa) -> Result<Identity> {
    let own: Value = serde_json::from_slice(&std::fs::read(node.data_dir().join("node.json"))?)?;
    let issued: Issued = serde_json::from_value(own["issued"].clone())?;
    Ok(Identity::of(&issued, ca.certificate())?)
}

/// What comes next besides signs of life; none when the connection has ended.
async fn next(stream: &mut Stream) -> Result<Option<ToNode>> {
    loop {
        match tokio::time::timeout(Duration::from_secs(20), read(stream, 1 << 20)).await? {
            Ok(ToNode::Alive) => {}
            Ok(other) => return Ok(Some(other)),
            Err(_) => return Ok(None),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_shown_to_the_portal_and_to_nodes_of_the_pool_only() -> Result<()> {
    let (s, portal) = portal().await?;
    let (owner, at) = join(&s, &portal, "n1").await?;
    let (other, _) = join(&s, &portal, "n2").await?;
    let (idle, _) = join(&s, &portal, "n3").await?;
    let place = json!({ "at": "node", "address": "n2" });
    let p = Placed::finish(s, &owner, place).await?;
    let ca = LocalCa::open(&p.s.server.data_dir().join("ca"))?;
    let hello = |version| ToPortal::Hello { version, product: "test".to_owned(), listen: None, groups: true };
    let refused = async |identity: Option<&Identity>, first: &ToPortal, words: &str| -> Result<()> {
        let Some(mut stream) = dial(&at, &ca, identity).await? else { return Ok(()) };
        match says(&mut stream, first).await? {
            Some(ToNode::Refused { reason, .. }) if reason.contains(words) => Ok(()),
            // Without a certificate it is the handshake that ends, as the client sees it a moment later.
            None if identity.is_none() => Ok(()),
            other => anyhow::bail!("{words}: {other:?}"),
        }
    };
    refused(None, &hello(VERSION), "").await?;
    let server = crate::support_tls::next_hop(p.s.server.data_dir())?;
    refused(Some(&server), &hello(VERSION), "Only the portal and nodes").await?;
    refused(Some(&certificate(&idle, &ca)?), &hello(VERSION), "runs no server of a pool").await?;
    // The right name with a key that never joined.
    let key = new_key()?;
    let forged = Issued { certificate: ca.sign_node("n2", hex::decode(&key.public)?)?, key: key.private };
    let forged = Identity::of(&forged, ca.certificate())?;
    refused(Some(&forged), &hello(VERSION), "does not belong to the deployment").await?;
    let known = certificate(&other, &ca)?;
    refused(Some(&known), &hello(99), "speaks version 99").await?;
    let pool = |id: &str| ObjectId::try_from(id).map_err(|e| anyhow::anyhow!("{e:?}"));
    let call = |pool: ObjectId, generation| ToPortal::Call { id: 1, pool, generation, call: Call::Rooms };
    refused(Some(&known), &call(pool("pool-cs")?, 1), "says first who he is").await?;

    // A node of the pool is let in: it sees that pool and asks for nothing else.
    let enter = async || -> Result<(Stream, ObjectId, u64)> {
        let mut stream = dial(&at, &ca, Some(&known)).await?.context("the handshake was refused")?;
        let first = says(&mut stream, &hello(VERSION)).await?;
        ensure!(matches!(first, Some(ToNode::Welcome { .. })), "{first:?}");
        match next(&mut stream).await? {
            Some(ToNode::Databases(list)) if list.len() == 1 => Ok((stream, list[0].0.clone(), list[0].1)),
            other => anyhow::bail!("{other:?}"),
        }
    };
    let (mut stream, own, generation) = enter().await?;
    write(&mut stream, &call(own.clone(), generation)).await?;
    let answer = next(&mut stream).await?;
    ensure!(matches!(answer, Some(ToNode::Answer { id: 1, result: Ok(_) })), "{answer:?}");
    for wrong in [call(pool("pool-cs")?, generation), call(own.clone(), generation + 1)] {
        write(&mut stream, &wrong).await?;
        let answer = next(&mut stream).await?;
        ensure!(
            matches!(answer, Some(ToNode::Answer { id: 1, result: Err(StoreError::Closed) })),
            "{answer:?}"
        );
    }
    // Administrators' acts are the portal's: who asks for one is put out.
    let act = |own: ObjectId| ToPortal::Act { id: 2, pool: own, generation, act: Act::Retired };
    let inquiry = |own: ObjectId| ToPortal::Inquire { id: 3, what: Inquiry::Side(own) };
    for wrong in [act(own.clone()), inquiry(own.clone())] {
        let (mut stream, ..) = enter().await?;
        write(&mut stream, &wrong).await?;
        let answer = next(&mut stream).await?;
        ensure!(answer.is_none(), "{answer:?}");
    }
    // A node that is removed is put out at once, and not let in again.
    run(&p.s.client, "Remove-LgNode", json!({ "Identity": "n2" })).await?;
    loop {
        match next(&mut stream).await? {
            Some(ToNode::Databases(list)) if list.is_empty() => {}
            Some(other) => anyhow::bail!("the link of a removed node goes on: {other:?}"),
            None => break,
        }
    }
    refused(Some(&known), &hello(VERSION), "does not belong to the deployment").await
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_asks_the_node_and_says_which_rule_is_broken() -> Result<()> {
    let (s, portal) = portal().await?;
    let (mut owner, _) = join(&s, &portal, "n1").await?;
    define(&s, json!({ "at": "run_here" })).await?;
    // A node that is away, or cannot keep the database, fails the check with its name.
    owner.kill9();
    wait::until("the node to be missed", async || {
        let (_, nodes) = s.client.get("/api/v1/nodes").await?;
        ensure!(nodes[0]["state"] == "Unreachable", "{nodes}");
        Ok(())
    })
    .await?;
    let j = publish(&s, "failed").await?;
    let why = j["error"].as_str().unwrap_or_default().to_owned();
    ensure!(
        why.contains("nod-sql-001.litwareinc.com is to run on node n1: Node n1 does not answer"),
        "{why}"
    );
    let folder = owner.data_dir().join("sql").join(SQL).join("MSSQLSERVER");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("mgc.db"), "no database")?;
    owner.restart().await?;
    owner.line("connected portal=").await?;
    let j = publish(&s, "failed").await?;
    let why = j["error"].as_str().unwrap_or_default().to_owned();
    ensure!(why.contains("is to run on node n1: node n1: ") && why.contains("database"), "{why}");
    std::fs::remove_file(folder.join("mgc.db"))?;
    publish(&s, "done").await?;
    // What such a pool cannot have is refused at the field.
    let (_, t) = s.client.get("/api/v1/topology").await?;
    let stores: Vec<_> = t["draft"]["sql_stores"]
        .as_array()
        .context("no stores")?
        .iter()
        .filter_map(|x| x["fqdn"].as_str())
        .collect();
    let other = stores.iter().find(|n| **n != SQL).context("one store")?;
    let set = json!({ "Identity": POOL, "BackupSqlStore": other });
    let e = refused(&s.client, "Set-LgPersistentChatPool", set, 422).await?;
    ensure!(e["field"] == "FileStore" && e.to_string().contains("which node n1 and the owner"), "{e}");
    let set = json!({ "Identity": POOL, "MirrorSqlStore": other });
    let e = refused(&s.client, "Set-LgPersistentChatPool", set, 422).await?;
    ensure!(e["field"] == "MirrorSqlStore", "{e}");
    ensure!(e.to_string().contains("such a pool has no mirroring SQL Server store"), "{e}");
    // A pool that goes leaves its database on the node, set aside.
    run(&s.client, "Remove-LgTopologyObject", json!({ "Identity": POOL })).await?;
    let j = publish(&s, "done").await?;
    ensure!(j.to_string().contains(&format!("mgc of {POOL} is kept on node n1 in ")), "{j}");
    let kept = std::fs::read_dir(folder.join("kept"))?.flatten().next().context("nothing is kept")?;
    ensure!(kept.path().join("mgc.db").is_file() && !folder.join("mgc.db").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_the_databases_of_nodes_or_says_that_it_does_not() -> Result<()> {
    let (p, mut owner) = Placed::start(json!({ "at": "run_here" })).await?;
    let mut c = p.session(&p.s.users[0]).await?;
    for i in 0..3 {
        c.post(&p.room, &format!("kept {i}")).await?;
    }
    let bin = std::env::var_os("LIFEGUARD_BIN")
        .map_or_else(|| lifeguard_tests::target_dir().join("debug/lifeguard"), Into::into);
    let into = tempfile::tempdir()?;
    let command = |args: &[&str], data: &Path, file: &Path| {
        let out =
            std::process::Command::new(&bin).args(args).arg(file).arg("--data-dir").arg(data).output()?;
        ensure!(out.status.success(), "{out:?}");
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (file, restored) = (into.path().join("one.tar"), into.path().join("restored"));
    let said = command(&["backup"], p.s.server.data_dir(), &file)?;
    ensure!(!said.contains("does not hold"), "{said}");
    let said = command(&["restore"], &restored, &file)?;
    ensure!(said.contains("Databases of nodes are in "), "{said}");
    let mgc = Path::new("nodes/n1/sql").join(SQL).join("MSSQLSERVER/mgc.db");
    let db = rusqlite::Connection::open(restored.join(mgc))?;
    let n: u32 = db.query_row("SELECT COUNT(*) FROM message WHERE text LIKE 'kept %'", [], |r| r.get(0))?;
    ensure!(n == 3, "{n} messages in the backup");
    let left = |dir: &Path, what: &str| {
        let list = std::fs::read_dir(dir).into_iter().flatten().flatten();
        list.filter(|e| e.file_name().to_string_lossy().contains(what)).count()
    };
    ensure!(left(p.s.server.data_dir(), "-nodes.tmp") == 0, "a half-way folder is left");
    let folder = owner.data_dir().join("sql").join(SQL).join("MSSQLSERVER");
    ensure!(left(&folder, "copy-") == 0, "a copy is left on the node");
    owner.kill9();
    p.told().await?;
    let said = command(&["backup"], p.s.server.data_dir(), &into.path().join("two.tar"))?;
    ensure!(said.contains(&format!("It does not hold the database of {POOL} (node n1)")), "{said}");
    // So do the page, the overview and the cmdlet, of one that the portal made itself.
    run(&p.s.client, "Start-LgBackup", json!({})).await?;
    let b = Browser::start().await?;
    crate::page::sign_in(&b, &p.s).await?;
    b.goto(&format!("{}/settings/backup", p.s.server.url())).await?;
    b.wait_text(&format!("The newest backup does not hold the database of {POOL} (node n1).")).await?;
    b.assert_accessible("a backup without a database").await?;
    b.screenshot("backup-lacks").await?;
    // Without motion: nothing is judged half way between two colours.
    b.prefer(Scheme::Dark, true).await?;
    b.size(390, 844).await?;
    b.assert_accessible("a backup without a database, dark and narrow").await?;
    b.screenshot("backup-lacks-narrow-dark").await?;
    let (_, o) = p.s.client.get("/api/v1/overview").await?;
    ensure!(o["problems"].to_string().contains("backup.incomplete"), "{o}");
    let list = run(&p.s.client, "Get-LgBackup", json!({})).await?;
    ensure!(list["output"][0]["Lacks"] == json!([format!("{POOL} (node n1)")]), "{list}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_places_a_store_on_a_node_and_shows_where_it_is() -> Result<()> {
    let (p, mut owner) = Placed::start(json!({ "at": "run_here" })).await?;
    let b = Browser::start().await?;
    crate::page::sign_in(&b, &p.s).await?;
    let url = |path: &str| format!("{}{path}", p.s.server.url());
    b.goto(&url("/topology/new/sql-store")).await?;
    b.fill("SQL Server FQDN", "nod-sql-002.litwareinc.com").await?;
    b.script(
        "[...document.querySelectorAll('label')].find(l => l.textContent.includes('On a node')).click()",
        vec![],
    )
    .await?;
    b.wait_text("n1 (Connected)").await?;
    b.assert_accessible("a store on a node").await?;
    b.screenshot("node-database-place").await?;
    b.goto(&url(&format!("/pools/{POOL}/databases"))).await?;
    b.wait_text("on node n1").await?;
    b.assert_accessible("a database on a node").await?;
    b.screenshot("node-database").await?;
    b.goto(&url("/settings/nodes")).await?;
    b.wait_text(SQL).await?;
    b.screenshot("node-database-nodes").await?;
    owner.kill9();
    b.goto(&url(&format!("/pools/{POOL}/databases"))).await?;
    b.wait_text("node n1, which has it, does not answer").await?;
    b.screenshot("node-database-away").await?;
    b.dark().await?;
    b.goto(&url("/")).await?;
    b.wait_text("has no database in use: node n1").await?;
    b.screenshot("node-database-overview-dark").await?;
    b.size(390, 844).await?;
    b.goto(&url(&format!("/pools/{POOL}/databases"))).await?;
    b.wait_text("does not answer").await?;
    b.assert_accessible("a database that does not answer").await?;
    b.screenshot("node-database-narrow").await?;
    ensure!(b.console_errors().await?.is_empty(), "{:?}", b.console_errors().await?);
    Ok(())
}
