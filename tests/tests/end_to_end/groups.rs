//! Groups and organizational units as principals: what changes in the directory counts in rooms at once,
//! seen by clients over SIP.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};

use crate::chat_client::ChatClient;
use crate::support::{Sample, refused, run};

const POOL: &str = "atl-cs-001.litwareinc.com";
const DEALS: &str = "atl-cs-001.litwareinc.com\\Deals";
const PIPELINE: &str = "atl-cs-001.litwareinc.com\\Pipeline";
const SALES: &str = "CN=Sales,OU=Groups,DC=litwareinc,DC=com";
const FIELD: &str = "CN=Field,OU=Groups,DC=litwareinc,DC=com";
const EAST: &str = "OU=East,OU=Regions,DC=litwareinc,DC=com";

/// The plan of an act that is not carried out.
async fn planned(s: &Sample, name: &str, args: Value) -> Result<Value> {
    let (status, answer) = s.client.cmdlet(name, args, "what_if").await?;
    ensure!(status == 200 && answer["done"] == false, "{name}: {status} {answer}");
    Ok(answer["plan"].clone())
}

/// Groups Sales (pilar) within Field, and a room that only Field may enter; its address.
async fn deals(s: &Sample) -> Result<String> {
    run(&s.client, "New-LgGroup", json!({ "Name": "Sales", "Members": [s.users[0].sip] })).await?;
    run(&s.client, "New-LgGroup", json!({ "Name": "Field", "Members": ["Sales"] })).await?;
    let new = json!({ "Name": "Deals", "PersistentChatPoolFqdn": POOL, "AllowedMembers": ["Field"] });
    let made = run(&s.client, "New-CsPersistentChatCategory", new).await?;
    ensure!(made["output"][0]["AllowedMembers"] == json!([FIELD]), "{made}");
    let new = json!({ "Name": "Pipeline", "Category": DEALS });
    let made = run(&s.client, "New-CsPersistentChatRoom", new).await?;
    Ok(made["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned())
}

async fn joins(c: &mut ChatClient, room: &str) -> Result<()> {
    wait::until("the room to let in", async || c.join(room).await.map(|_| ())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_members_are_let_in_and_put_out_while_they_talk() -> Result<()> {
    let s = Sample::start().await?;
    let room = deals(&s).await?;
    let [pilar, ken] = [&s.users[0], &s.users[1]];
    let mut a = ChatClient::open(&s, pilar, POOL).await?;
    let mut b = ChatClient::open(&s, ken, POOL).await?;
    a.join(&room).await.context("through the group within the group")?;
    a.post(&room, "first").await?;
    ensure!(b.join(&room).await.is_err(), "who is in no group stays out");
    run(&s.client, "Set-LgGroup", json!({ "Identity": "Sales", "Members": { "Add": ["Ken Myer"] } })).await?;
    joins(&mut b, &room).await?;
    b.post(&room, "second").await?;
    a.receive("second").await?;
    // Out of the group is out of the room, and the plan has said so.
    let out = json!({ "Identity": SALES, "Members": { "Remove": [pilar.sip] } });
    let plan = planned(&s, "Set-LgGroup", out.clone()).await?;
    let said = plan["sentences"].to_string();
    ensure!(said.contains("put out at once: Pilar Ackerman (sip:pilar@litwareinc.com)"), "{said}");
    ensure!(plan["affected_users"] == 1 && said.contains("Pipeline"), "{plan}");
    run(&s.client, "Set-LgGroup", out).await?;
    b.parted(&room, &pilar.sip).await?;
    ensure!(a.join(&room).await.is_err() && a.post(&room, "third").await.is_err());
    b.post(&room, "fourth").await?;
    // A denial by unit: whoever is moved into it goes.
    let deny =
        json!({ "Identity": DEALS, "DeniedMembers": { "Add": ["OU=Regions, DC=litwareinc, DC=com"] } });
    let plan = planned(&s, "Set-CsPersistentChatCategory", deny.clone()).await?;
    ensure!(plan["warnings"].to_string().contains("No user is in OU=Regions"), "{plan}");
    run(&s.client, "Set-CsPersistentChatCategory", deny).await?;
    let mut guard = ChatClient::open(&s, ken, POOL).await?;
    guard.join(&room).await?;
    let moved = json!({ "Identity": ken.sip, "OU": EAST });
    let plan = planned(&s, "Set-LgUser", moved.clone()).await?;
    ensure!(plan["sentences"].to_string().contains("put out at once: Ken Myer"), "{plan}");
    run(&s.client, "Set-LgUser", moved).await?;
    b.parted(&room, &ken.sip).await?;
    ensure!(b.post(&room, "fifth").await.is_err(), "denied");
    run(&s.client, "Set-LgUser", json!({ "Identity": ken.sip, "OU": "" })).await?;
    joins(&mut b, &room).await?;
    let (_, audit) = s.client.get("/api/v1/audit?cmdlet=Set-LgGroup").await?;
    ensure!(audit.to_string().contains("are members no longer: sip:pilar@litwareinc.com"), "{audit}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_checked_listed_and_kept_while_they_are_used() -> Result<()> {
    let s = Sample::start().await?;
    deals(&s).await?;
    // A circle is told with its way.
    let e = refused(
        &s.client,
        "Set-LgGroup",
        json!({ "Identity": "Sales", "Members": { "Add": ["Field"] } }),
        400,
    )
    .await?;
    ensure!(e["field"] == "Members", "{e}");
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("Sales → Field → Sales")), "{e}");
    for (name, args, status) in [
        ("New-LgGroup", json!({ "Name": "Sales" }), 400),
        ("New-LgGroup", json!({ "Name": "litwareinc.com" }), 400),
        ("New-LgGroup", json!({ "Name": "x".repeat(257) }), 400),
        ("New-LgGroup", json!({ "Name": "Other", "Path": "Groups" }), 400),
        ("New-LgGroup", json!({ "Name": "Other", "Members": ["nobody"] }), 400),
        ("Set-LgGroup", json!({ "Identity": "nothing" }), 404),
        ("Remove-LgGroup", json!({ "Identity": "Field" }), 422),
        ("Remove-LgGroup", json!({ "Identity": "Sales" }), 422),
        ("Set-LgUser", json!({ "Identity": "Ken Myer", "OU": "Sales" }), 400),
        (
            "Set-CsPersistentChatCategory",
            json!({ "Identity": DEALS, "AllowedMembers": { "Add": ["CN=None,DC=litwareinc,DC=com"] } }),
            404,
        ),
        (
            "Set-CsPersistentChatRoom",
            json!({ "Identity": PIPELINE, "Members": { "Add": ["OU=East,DC=litwareinc,DC=com"] } }),
            400,
        ),
    ] {
        refused(&s.client, name, args.clone(), status).await.with_context(|| format!("{name} {args}"))?;
    }
    let e = refused(&s.client, "Remove-LgGroup", json!({ "Identity": "Field" }), 422).await?;
    ensure!(e.to_string().contains("Deals"), "{e}");
    // A room takes the group that its category allows, and whoever may be in rooms is listed.
    run(
        &s.client,
        "Set-CsPersistentChatRoom",
        json!({ "Identity": PIPELINE, "Members": { "Add": ["Sales"] }, "Managers": { "Add": ["Field"] } }),
    )
    .await?;
    let found = run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": PIPELINE })).await?;
    ensure!(found["output"][0]["Members"] == json!([SALES]), "{found}");
    let list = run(&s.client, "Get-CsPersistentChatEligiblePrincipal", json!({ "Category": DEALS })).await?;
    let of = |id: &str| {
        let all = list["output"].as_array();
        all.and_then(|l| l.iter().find(|p| p["Identity"] == id))
            .map(|p| p["PersistentChatPrincipalType"].clone())
    };
    ensure!(of(FIELD) == Some("Group".into()) && of(SALES) == Some("Group".into()), "{list}");
    ensure!(of("sip:pilar@litwareinc.com") == Some("User".into()), "{list}");
    ensure!(of("sip:kenmyer@litwareinc.com").is_none(), "{list}");
    // Units and groups by a table, by cmdlet, and for completion.
    let csv = format!(
        "SipAddress;DisplayName;LogonName;RegistrarPool;OU;Groups\nsip:nina@litwareinc.com;Nina;LITWAREINC\\nina;atl-fe-001.litwareinc.com;{EAST};Sales|{FIELD}\n"
    );
    run(&s.client, "Import-LgUser", json!({ "Csv": csv })).await?;
    let bad = csv.replace("nina", "nora").replace("Sales|", "Sails|");
    let e = refused(&s.client, "Import-LgUser", json!({ "Csv": bad }), 422).await?;
    ensure!(e.to_string().contains("There is no user or group Sails"), "{e}");
    let users = run(&s.client, "Get-CsUser", json!({ "OU": "OU=Regions,DC=LitwareInc,DC=com" })).await?;
    ensure!(users["output"].as_array().is_some_and(|l| l.len() == 1 && l[0]["OU"] == EAST), "{users}");
    let of_nina = run(&s.client, "Get-LgGroup", json!({ "Member": "sip:nina@litwareinc.com" })).await?;
    ensure!(of_nina["output"].as_array().is_some_and(|l| l.len() == 2), "{of_nina}");
    let units = run(&s.client, "Get-LgOrganizationalUnit", json!({ "Identity": "OU=*" })).await?;
    ensure!(units["output"].as_array().is_some_and(|l| l.len() == 2 && l[0]["Users"] == 1), "{units}");
    let (_, offered) = s.client.get("/api/v1/principals?q=sal").await?;
    ensure!(offered[0]["identity"] == SALES && offered[0]["kind"] == "Group", "{offered}");
    let (_, group) = s.client.get("/api/v1/group?identity=field").await?;
    ensure!(
        group["people"] == 2 && group["total"] == 2 && group["named_in"] == json!([DEALS, PIPELINE]),
        "{group}"
    );
    // Who is deleted leaves his groups.
    run(&s.client, "Remove-LgUser", json!({ "Identity": "Nina" })).await?;
    let sales = run(&s.client, "Get-LgGroup", json!({ "Identity": "Sales" })).await?;
    ensure!(sales["output"][0]["Members"] == json!(["sip:pilar@litwareinc.com"]), "{sales}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_only_seem_to_be_others_are_refused() -> Result<()> {
    let s = Sample::start().await?;
    let category = "atl-cs-001.litwareinc.com\\General";
    let room = |name: &str| json!({ "Name": name, "Category": category });
    for name in ["L\u{43e}bby", "Lob\u{200b}by", "\u{202e}ybboL", &"x".repeat(257)] {
        let e = refused(&s.client, "New-CsPersistentChatRoom", room(name), 400).await?;
        ensure!(e["field"] == "Name", "{name:?}: {e}");
    }
    let e = refused(&s.client, "New-CsPersistentChatRoom", room("L\u{43e}bby"), 400).await?;
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("Lobby")), "the other name is told: {e}");
    let e = refused(
        &s.client,
        "New-CsPersistentChatCategory",
        json!({ "Name": "Gener\u{430}l", "PersistentChatPoolFqdn": POOL }),
        400,
    )
    .await?;
    ensure!(e["field"] == "Name", "{e}");
    for fine in ["\u{41b}\u{43e}\u{431}\u{431}\u{438}", &"\u{e4}".repeat(256)] {
        run(&s.client, "New-CsPersistentChatRoom", room(fine)).await?;
    }
    let user = |name: &str, logon: &str| json!({ "SipAddress": "sip:fake@litwareinc.com", "DisplayName": name, "LogonName": logon, "RegistrarPool": "atl-fe-001.litwareinc.com" });
    let e = refused(&s.client, "New-LgUser", user("Pil\u{200d}ar", "LITWAREINC\\fake"), 400).await?;
    ensure!(e["field"] == "DisplayName", "{e}");
    let e = refused(&s.client, "New-LgUser", user("Pilar", "LITWAREINC\\pil\u{430}r"), 400).await?;
    ensure!(e["field"] == "LogonName", "{e}");
    let plan = planned(&s, "New-LgUser", user("Pil\u{430}r Ackerman", "LITWAREINC\\fake")).await?;
    ensure!(plan["warnings"].to_string().contains("looks like Pilar Ackerman"), "{plan}");
    // More people than a list takes are told to be put into a group, and a group takes them.
    let many: Vec<String> = (0..20_001).map(|i| format!("sip:u{i}@litwareinc.com")).collect();
    let set = json!({ "Identity": "atl-cs-001.litwareinc.com\\Lobby", "Members": { "Add": many } });
    let e = refused(&s.client, "Set-CsPersistentChatRoom", set, 400).await?;
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("group")), "{e}");
    Ok(())
}

/// Ten thousand rooms of one category, with sixty entries each, put into the database while it is closed.
fn fill(mgc: &std::path::Path) -> Result<()> {
    let mut c = rusqlite::Connection::open(mgc)?;
    let tx = c.transaction()?;
    let category: String = tx.query_row("SELECT id FROM category WHERE name = 'Deals'", [], |r| r.get(0))?;
    for n in 0..10_000 {
        let r = node::traits::Room {
            id: format!("{n:08x}-0000-4000-8000-000000000000"),
            category_id: category.clone(),
            name: format!("Project {n}"),
            members: (0..60).map(|i| format!("sip:user{}@litwareinc.com", n + i)).collect(),
            ..Default::default()
        };
        let row = (&r.id, &r.category_id, &r.name, serde_json::to_string(&r)?);
        tx.execute("INSERT INTO room (id, category, name, document) VALUES (?1, ?2, ?3, ?4)", row)?;
    }
    Ok(tx.commit()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_of_ten_thousand_rooms_changes_at_once() -> Result<()> {
    let mut s = Sample::start().await?;
    let room = deals(&s).await?;
    s.server.stop().await?;
    fill(&s.server.data_dir().join("sql/atl-sql-001.litwareinc.com/MSSQLSERVER/mgc.db"))?;
    s.server.restart().await?;
    s.client = s.server.client()?;
    s.client.login("root", crate::support::PASSWORD).await?;
    let pilar = &s.users[0];
    let mut c =
        wait::until("the pool to come back", async || ChatClient::open(&s, pilar, POOL).await).await?;
    c.join(&room).await?;
    let set = json!({ "Identity": DEALS, "DeniedMembers": { "Add": [pilar.sip] } });
    let plan = planned(&s, "Set-CsPersistentChatCategory", set.clone()).await?;
    ensure!(plan["affected_users"] == 1, "{plan}");
    let begun = std::time::Instant::now();
    run(&s.client, "Set-CsPersistentChatCategory", set).await?;
    c.parted(&room, &pilar.sip).await?;
    println!("10,000 rooms: from the change to its effect {:?}", begun.elapsed());
    let (_, page) = s.client.get("/api/v1/rooms?q=project+77&limit=5").await?;
    ensure!(
        page["total"] == 280 && page["rooms"].as_array().is_some_and(|r| r.len() == 5),
        "{}",
        page["total"]
    );
    Ok(())
}
