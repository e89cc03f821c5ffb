//! A hundred thousand people in one group: what is refused in words, and that nobody waits for it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::support::{POOL, Sample, refused, run};

const PEOPLE: u32 = 100_000;
const EVERYONE: &str = "CN=Everyone,OU=Groups,DC=litwareinc,DC=com";
/// The longest that anything here may take: a debug build on two shared cores.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most memory that the server has had, in bytes.
fn peak(s: &Sample) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", s.server.id()))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn took(what: &str, begun: Instant) -> Result<()> {
    let time = begun.elapsed();
    println!("{what}: {time:.1?}");
    ensure!(time < PATIENCE, "{what} took {time:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_a_hundred_thousand_is_refused_at_its_row_in_bounded_memory() -> Result<()> {
    let s = Sample::start().await?;
    let mut text = "SipAddress;DisplayName;LogonName;RegistrarPool\n".to_owned();
    for i in 0..PEOPLE {
        writeln!(
            text,
            "sip:user{i}@litwareinc.com;User number {i};LITWAREINC\\user{i};atl-fe-001.litwareinc.com"
        )?;
    }
    let before = peak(&s)?;
    let begun = Instant::now();
    let e = refused(&s.client, "Import-LgUser", json!({ "Csv": text }), 400).await?;
    took("a table of 100,000 rows refused", begun)?;
    let said = e["message"].as_str().unwrap_or_default();
    ensure!(said.starts_with("Row 20002 and those below it are too many: an import takes 20000 rows"), "{e}");
    let more = peak(&s)? - before;
    println!("memory: {} MB more", more >> 20);
    ensure!(more < 300 << 20, "{} MB more for a table of {} MB", more >> 20, text.len() >> 20);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_a_hundred_thousand_lets_in_at_once() -> Result<()> {
    let mut s = Sample::start().await?;
    run(&s.client, "New-LgGroup", json!({ "Name": "Everyone", "Members": ["Pilar Ackerman", "Ken Myer"] }))
        .await?;
    let lobby = format!("{POOL}\\Lobby");
    let test = async |s: &Sample, what: &str| -> Result<()> {
        let begun = Instant::now();
        let t = s.test(&s.users[0], &s.users[1], json!({ "ChatRoomUri": lobby })).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        took(what, begun)
    };
    test(&s, "a test message, few users").await?;
    s.server.stop().await?;
    {
        let mut db = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
        let tx = db.transaction()?;
        // The group takes as many as it may.
        let users = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO chat_user SELECT format('sip:user%d@litwareinc.com', i), format('User number %d', i),
                format('LITWAREINC\\user%d', i), front_end, 1, x'', policy, created, ou
            FROM n, (SELECT * FROM chat_user WHERE sip_address = 'sip:pilar@litwareinc.com')";
        tx.execute(users, [PEOPLE - 2])?;
        let members = "INSERT INTO chat_group_member SELECT ?1, sip_address FROM chat_user WHERE sip_address LIKE 'sip:user%'";
        tx.execute(members, [EVERYONE])?;
        tx.commit()?;
    }
    s.server.restart().await?;
    s.client.login("root", crate::support::PASSWORD).await?;
    let c = &s.client;
    let begun = Instant::now();
    let set = json!({ "Identity": lobby, "Members": { "Replace": ["Everyone"] } });
    lifeguard_tests::wait::until("the open database", async || {
        run(c, "Set-CsPersistentChatRoom", set.clone()).await
    })
    .await?;
    took("the group named in a room", begun)?;
    test(&s, "a test message, 100,000 users").await?;

    let begun = Instant::now();
    let (status, g) = c.get("/api/v1/group?identity=Everyone&q=user99998").await?;
    ensure!(status == 200 && g["people"] == PEOPLE && g["total"] == 1, "{g}");
    took("the group's page", begun)?;
    for (typed, n) in [("user99998", 1), ("many people whom nobody knows", 0), ("every", 1)] {
        let begun = Instant::now();
        let (_, found) = c.get(&format!("/api/v1/principals?q={typed}")).await?;
        ensure!(found.as_array().map(Vec::len) == Some(n), "{typed}: {found}");
        took("names offered", begun)?;
    }
    // One more is too many, by hand and by a table; the table names its row.
    let add = json!({ "Identity": "Everyone", "Members": { "Add": ["Guest"] } });
    let e = refused(c, "Set-LgGroup", add, 400).await?;
    ensure!(e.to_string().contains("names 100000 members at most"), "{e}");
    let table = "SipAddress;DisplayName;LogonName;RegistrarPool;Groups\n\
        sip:one@litwareinc.com;One;LITWAREINC\\one;atl-fe-001.litwareinc.com;Everyone\n";
    let e = refused(c, "Import-LgUser", json!({ "Csv": table }), 422).await?;
    ensure!(e.to_string().contains("Row 2, Groups: The group"), "{e}");
    // Who leaves is put out, also of a group of this size.
    let begun = Instant::now();
    let leave = json!({ "Identity": "Everyone", "Members": { "Remove": ["Pilar Ackerman"] } });
    let out = run(c, "Set-LgGroup", leave).await?;
    took("one leaves the group", begun)?;
    ensure!(out.to_string().contains("put out at once: Pilar Ackerman"), "{out}");
    let begun = Instant::now();
    let t = s.test(&s.users[0], &s.users[1], json!({ "ChatRoomUri": lobby })).await?;
    ensure!(t["summary"]["state"] != "success", "{t}");
    took("a test message of one who left", begun)
}
