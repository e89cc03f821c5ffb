//! The part of `cargo xtask bench` about rights: 33,000 rooms with 2,000,000 entries in their lists, of a
//! category of 10,000 and one of the rest; a list and a search of the page, what one user may enter, and a
//! change of the large category, over the real server.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, Options, Server, wait};
use node::members::Members;
use node::rules;
use node::traits::{Category, Privacy, Room};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse 12";
const POOL: &str = "atl-cs-001.litwareinc.com";
const MGC: &str = "sql/atl-sql-001.litwareinc.com/MSSQLSERVER/mgc.db";
const ROOMS: usize = 33_000;
const LARGE: usize = 10_000;
/// Entries of a room's lists: about two millions in all.
const ENTRIES: usize = 61;
/// The longest that a part of the list may take at the server.
const PAGE: f64 = 50.0;

fn say(name: &str, begun: Instant) -> f64 {
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    println!("{name:<60}{ms:>10.1} ms");
    ms
}

fn people(room: usize) -> Vec<String> {
    (0..ENTRIES).map(|i| format!("sip:user{}@litwareinc.com", (room * 7 + i * 131) % 20_000)).collect()
}

/// Puts the rooms into the database while nobody has it open.
fn fill(mgc: &Path) -> Result<(Vec<Category>, Vec<Room>)> {
    let mut c = rusqlite::Connection::open(mgc)?;
    let tx = c.transaction()?;
    let category = |id: &str, name: &str| Category {
        id: id.to_owned(),
        name: name.to_owned(),
        allowed: vec!["litwareinc.com".to_owned()],
        denied: vec!["CN=Outside,OU=Groups,DC=litwareinc,DC=com".to_owned()],
        ..Category::default()
    };
    let categories = vec![category("large", "Large"), category("rest", "Rest")];
    for k in &categories {
        let row = (&k.id, &k.name, serde_json::to_string(k)?);
        tx.execute("INSERT INTO category (id, name, document) VALUES (?1, ?2, ?3)", row)?;
    }
    let mut rooms = Vec::new();
    for n in 0..ROOMS {
        let r = Room {
            id: format!("{n:08x}-0000-4000-8000-000000000000"),
            category_id: if n < LARGE { "large" } else { "rest" }.to_owned(),
            name: format!("Project {n:05} of department {}", n % 97),
            privacy: [Privacy::Closed, Privacy::Secret, Privacy::Open][n % 3],
            members: people(n),
            ..Room::default()
        };
        let row = (&r.id, &r.category_id, &r.name, serde_json::to_string(&r)?);
        tx.execute("INSERT INTO room (id, category, name, document) VALUES (?1, ?2, ?3, ?4)", row)?;
        rooms.push(r);
    }
    tx.commit()?;
    Ok((categories, rooms))
}

async fn act(c: &Client, name: &str, args: Value, mode: &str) -> Result<Value> {
    let body = json!({ "args": args, "confirmed": true, "mode": mode });
    let (status, answer) = c.invoke(name, &body).await?;
    ensure!(status == 200, "{name}: {answer}");
    Ok(answer)
}

/// What the rules alone take: one user over all rooms.
fn pure(categories: &[Category], rooms: &[Room]) {
    let groups = (0..2_000).map(|i| (format!("CN=G{},DC=a", i % 200), format!("sip:user{i}@litwareinc.com")));
    let members = Members::new(groups, []);
    let begun = Instant::now();
    let who = members.who("sip:user77@litwareinc.com");
    let may =
        |r: &&Room| categories.iter().any(|c| c.id == r.category_id && rules::may_join(c, r, &who).is_ok());
    let n = rooms.iter().filter(may).count();
    say(&format!("one user over {ROOMS} rooms, {} entries: may enter {n}", ROOMS * ENTRIES), begun);
}

async fn signed_in(server: &Server) -> Result<Client> {
    let client = server.client()?;
    client.login("root", PASSWORD).await?;
    Ok(client)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut server = Server::start(Options::default()).await?;
    let client = server.client()?;
    let body = json!({ "token": server.setup_token().await?, "name": "root", "password": PASSWORD, "deployment": "litware" });
    let (status, answer) = client.post("/api/v1/setup", &body).await?;
    ensure!(status == 200, "{answer}");
    let id = answer["job"].as_str().context("no job")?.to_owned();
    wait::until("the publish", async || {
        let (_, j) = client.get(&format!("/api/v1/jobs/{id}")).await?;
        ensure!(j["state"] == "done", "{}", j["state"]);
        Ok(())
    })
    .await?;
    server.stop().await?;
    let (categories, rooms) = fill(&server.data_dir().join(MGC))?;
    pure(&categories, &rooms);
    server.restart().await?;
    let client = signed_in(&server).await?;
    wait::until("the pool's database", async || {
        let (_, p) = client.get("/api/v1/rooms?limit=1").await?;
        ensure!(p["total"].as_u64().is_some_and(|n| n >= ROOMS as u64), "{p}");
        Ok(())
    })
    .await?;
    let mut slow = Vec::new();
    for (name, asked) in [
        ("list of rooms, first part", "limit=100"),
        ("list of rooms, last part", "limit=100&skip=32900"),
        ("search that hits many", "q=department+9&limit=100"),
        ("search that hits one", "q=project+31415&limit=100"),
        ("search that hits nothing", "q=nowhere&limit=100"),
    ] {
        client.get(&format!("/api/v1/rooms?{asked}")).await?;
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..5 {
            let begun = Instant::now();
            ensure!(client.get(&format!("/api/v1/rooms?{asked}")).await?.0 == 200);
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("{name:<60}{:>10.1} ms", times[2]);
        if times[2] > PAGE {
            slow.push(name);
        }
    }
    let room = format!("{POOL}\\{}", rooms[31_415].name);
    let begun = Instant::now();
    act(&client, "Set-CsPersistentChatRoom", json!({ "Identity": room, "Description": "x" }), "run").await?;
    say("a change of one room", begun);
    let begun = Instant::now();
    let found = act(&client, "Get-CsPersistentChatEligiblePrincipal", json!({ "Room": room }), "run").await?;
    ensure!(found["output"].is_array());
    say("who may be in a room", begun);
    let deny = json!({ "Identity": format!("{POOL}\\Large"), "DeniedMembers": { "Add": ["sip:pilar@litwareinc.com"] } });
    let begun = Instant::now();
    act(&client, "Set-CsPersistentChatCategory", deny.clone(), "what_if").await?;
    say("preview of a change of a category of 10,000 rooms", begun);
    let begun = Instant::now();
    act(&client, "Set-CsPersistentChatCategory", deny, "run").await?;
    say("the change, committed and told to servers", begun);
    ensure!(slow.is_empty() || cfg!(debug_assertions), "more than {PAGE} ms: {slow:?}");
    Ok(())
}
