//! Settings of the chat service, and what administrators do in rooms, seen by a client over SIP.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};

use crate::chat_client::ChatClient;
use crate::support::{Sample, refused, run};

const POOL: &str = "atl-cs-001.litwareinc.com";
const LOBBY: &str = "atl-cs-001.litwareinc.com\\Lobby";

async fn room_uri(s: &Sample, identity: &str) -> Result<String> {
    let found = run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": identity })).await?;
    Ok(found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned())
}

async fn what_if(s: &Sample, name: &str, args: Value) -> Result<String> {
    let (status, answer) = s.client.cmdlet(name, args, "what_if").await?;
    ensure!(status == 200 && answer["done"] == false, "{name}: {status} {answer}");
    Ok(answer["plan"]["sentences"].to_string())
}

/// The number of messages that a client gets, once it is `n`.
async fn history_is(c: &mut ChatClient, room: &str, n: usize) -> Result<()> {
    wait::until("the history to follow", async || {
        let got = c.history(room).await?.len();
        ensure!(got == n, "{got} messages instead of {n}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_reach_running_servers_and_narrower_ones_win() -> Result<()> {
    let s = Sample::start().await?;
    let room = room_uri(&s, LOBBY).await?;
    let mut c = ChatClient::open(&s, &s.users[0], POOL).await?;
    c.join(&room).await?;
    for i in 0..6 {
        c.post(&room, &format!("message {i}")).await?;
    }
    history_is(&mut c, &room, 6).await?;
    let set = |identity: &str, n: u32| json!({ "Identity": identity, "DefaultChatHistory": n });
    let said = what_if(&s, "Set-CsPersistentChatConfiguration", set("global", 5)).await?;
    ensure!(said.contains("gets the last 5 messages instead of 30"), "{said}");
    run(&s.client, "Set-CsPersistentChatConfiguration", set("global", 5)).await?;
    history_is(&mut c, &room, 5).await?;
    ensure!(c.history(&room).await?.last().is_some_and(|m| m == "message 5"), "the newest ones");
    run(&s.client, "New-CsPersistentChatConfiguration", set("site:redmond", 4)).await?;
    history_is(&mut c, &room, 4).await?;
    run(
        &s.client,
        "New-CsPersistentChatConfiguration",
        set(&format!("service:PersistentChatServer:{POOL}"), 2),
    )
    .await?;
    history_is(&mut c, &room, 2).await?;
    let remove = |identity: &str| json!({ "Identity": identity });
    run(&s.client, "Remove-CsPersistentChatConfiguration", remove(&format!("service:{POOL}"))).await?;
    history_is(&mut c, &room, 4).await?;
    run(&s.client, "Remove-CsPersistentChatConfiguration", remove("site:Redmond")).await?;
    run(&s.client, "Remove-CsPersistentChatConfiguration", remove("global")).await?;
    history_is(&mut c, &room, 6).await?;
    // What is out of range, unknown, or there already is refused at its parameter.
    for (cmdlet, args, status, field) in [
        ("Set-CsPersistentChatConfiguration", set("global", 0), 400, "DefaultChatHistory"),
        ("Set-CsPersistentChatConfiguration", set("global", 501), 400, "DefaultChatHistory"),
        ("Set-CsPersistentChatConfiguration", json!({ "DefaultChatHistory": -5 }), 400, "DefaultChatHistory"),
        (
            "Set-CsPersistentChatConfiguration",
            json!({ "RoomManagementUrl": "ftp://a" }),
            400,
            "RoomManagementUrl",
        ),
        ("Set-CsPersistentChatConfiguration", set("site:Redmond", 5), 404, "Identity"),
        ("New-CsPersistentChatConfiguration", set("global", 5), 400, "Identity"),
        ("New-CsPersistentChatConfiguration", set("site:Nowhere", 5), 400, "Identity"),
        ("New-CsPersistentChatConfiguration", set("service:nopool.contoso.com", 5), 404, "Identity"),
        ("Remove-CsPersistentChatConfiguration", remove("site:*"), 400, "Identity"),
    ] {
        let e = refused(&s.client, cmdlet, args.clone(), status).await?;
        ensure!(e["field"] == field, "{cmdlet} {args}: {e}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_messages_read_as_the_replacement_and_a_cleared_room_is_empty() -> Result<()> {
    let s = Sample::start().await?;
    let room = room_uri(&s, LOBBY).await?;
    let mut pilar = ChatClient::open(&s, &s.users[0], POOL).await?;
    let mut ken = ChatClient::open(&s, &s.users[1], POOL).await?;
    pilar.join(&room).await?;
    ken.join(&room).await?;
    pilar.post(&room, "the merger is on Friday").await?;
    pilar.post(&room, "hello").await?;
    ken.post(&room, "which Merger?").await?;
    pilar.receive("which Merger?").await?;
    let of = |more: Value| {
        let mut args = json!({ "Identity": LOBBY });
        if let (Some(a), Some(m)) = (args.as_object_mut(), more.as_object()) {
            a.extend(m.clone());
        }
        args
    };
    let by_ken = of(json!({ "UserUri": "sip:KENMYER@litwareinc.com", "Filter": "merger" }));
    let said = what_if(&s, "Remove-CsPersistentChatMessage", by_ken.clone()).await?;
    ensure!(said.contains("Replace 1 message of the room"), "{said}");
    ensure!(pilar.history(&room).await?.contains(&"which Merger?".to_owned()), "what if does nothing");
    run(&s.client, "Remove-CsPersistentChatMessage", by_ken).await?;
    let standard = "This message was replaced by the Persistent Chat administrator.";
    ensure!(pilar.history(&room).await? == ["the merger is on Friday", "hello", standard]);
    let exact =
        json!({ "Filter": "Merger is", "MatchClause": "Exact", "CaseSensitive": true, "Remove": true });
    let said = what_if(&s, "Remove-CsPersistentChatMessage", of(exact)).await?;
    ensure!(said.contains("has no messages"), "{said}");
    run(
        &s.client,
        "Remove-CsPersistentChatMessage",
        of(json!({ "Filter": "monday merger", "MatchClause": "Or", "ReplaceMessage": "removed" })),
    )
    .await?;
    run(&s.client, "Remove-CsPersistentChatMessage", of(json!({ "Filter": "HELLO", "Remove": true })))
        .await?;
    ensure!(ken.history(&room).await? == ["removed", standard]);
    // Nothing is from before 2012; today's are gone with the day.
    run(&s.client, "Clear-CsPersistentChatRoom", of(json!({ "EndDate": "3/1/2012" }))).await?;
    ensure!(ken.history(&room).await?.len() == 2);
    let (status, answer) = s
        .client
        .invoke("Clear-CsPersistentChatRoom", &json!({ "args": of(json!({ "EndDate": "2999-12-31" })) }))
        .await?;
    ensure!(status == 428, "deleting wants a confirmation: {status} {answer}");
    run(&s.client, "Clear-CsPersistentChatRoom", of(json!({ "EndDate": "2999-12-31" }))).await?;
    ensure!(ken.history(&room).await?.is_empty(), "a cleared room is empty");
    // Those who are in it go on as if nothing had been: posts arrive, once, in order.
    ken.post(&room, "after").await?;
    pilar.receive("after").await?;
    ensure!(pilar.history(&room).await? == ["after"]);
    for (cmdlet, args, field) in [
        ("Clear-CsPersistentChatRoom", json!({}), "EndDate"),
        ("Clear-CsPersistentChatRoom", json!({ "EndDate": "yesterday" }), "EndDate"),
        ("Remove-CsPersistentChatMessage", json!({ "Remove": true, "ReplaceMessage": "x" }), "Remove"),
        ("Remove-CsPersistentChatMessage", json!({ "UserUri": "ken" }), "UserUri"),
        (
            "Remove-CsPersistentChatMessage",
            json!({ "StartDate": "4/2/2012", "EndDate": "4/1/2012" }),
            "EndDate",
        ),
    ] {
        let e = refused(&s.client, cmdlet, of(args), 400).await?;
        ensure!(e["field"] == field, "{cmdlet}: {e}");
    }
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    let done = |e: &&Value| e["cmdlet"] == "Clear-CsPersistentChatRoom" && e["outcome"] == "done";
    ensure!(audit.as_array().is_some_and(|l| l.iter().filter(done).count() == 2), "{audit}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_a_room_puts_out_whom_the_new_category_does_not_allow() -> Result<()> {
    let s = Sample::start().await?;
    let [pilar, ken] = [&s.users[0], &s.users[1]];
    let new = json!({ "Name": "Board", "PersistentChatPoolFqdn": POOL, "AllowedMembers": [pilar.sip], "EnableFileUpload": true });
    run(&s.client, "New-CsPersistentChatCategory", new).await?;
    run(
        &s.client,
        "Set-CsPersistentChatRoom",
        json!({ "Identity": LOBBY, "Members": { "Add": [pilar.sip, ken.sip] }, "Managers": { "Add": [ken.sip] } }),
    )
    .await?;
    let room = room_uri(&s, LOBBY).await?;
    let mut a = ChatClient::open(&s, pilar, POOL).await?;
    let mut b = ChatClient::open(&s, ken, POOL).await?;
    let said = a.join(&room).await?;
    let prop =
        |r: &wire::xccos::ChanIb, what: &str| r.props.iter().any(|(k, v)| k.ends_with(what) && v == "True");
    ensure!(!prop(&said, "filepost"), "{said:?}");
    b.join(&room).await?;
    let to_board = json!({ "Identity": LOBBY, "Category": "Board" });
    let said = what_if(&s, "Set-CsPersistentChatRoom", to_board.clone()).await?;
    ensure!(said.contains("put out at once: Ken Myer (sip:kenmyer@litwareinc.com)"), "{said}");
    ensure!(said.contains("does not allow sip:kenmyer@litwareinc.com; they leave the lists"), "{said}");
    run(&s.client, "Set-CsPersistentChatRoom", to_board).await?;
    b.parted(&room, &ken.sip).await?;
    ensure!(b.join(&room).await.is_err(), "who was put out does not come in again");
    a.post(&room, "still here").await?;
    let found = run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": LOBBY })).await?;
    let r = &found["output"][0];
    ensure!(r["Category"] == format!("{POOL}\\Board") && r["Members"] == json!([pilar.sip]), "{r}");
    ensure!(r["Managers"] == json!([]), "{r}");
    let mut again = ChatClient::open(&s, pilar, POOL).await?;
    let said = again.join(&room).await?;
    ensure!(prop(&said, "filepost"), "the new category's settings are told: {said:?}");
    let elsewhere = json!({ "Identity": LOBBY, "Category": "dub-pc-001.litwareinc.com\\General" });
    let e = refused(&s.client, "Set-CsPersistentChatRoom", elsewhere, 400).await?;
    ensure!(e["field"] == "Category", "{e}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_lists_and_addins_are_checked_at_their_parameters() -> Result<()> {
    let s = Sample::start().await?;
    let room = |name: &str| json!({ "Name": name, "Category": format!("{POOL}\\General") });
    let addin = |name: &str, url: &str| json!({ "Name": name, "PersistentChatPoolFqdn": POOL, "Url": url });
    run(&s.client, "New-CsPersistentChatRoom", room("Ärzte")).await?;
    run(&s.client, "New-CsPersistentChatAddin", addin("Tickets", "https://tickets.litwareinc.com")).await?;
    let long = "x".repeat(257);
    for (cmdlet, args, status, field) in [
        ("New-CsPersistentChatRoom", room("LOBBY"), 400, "Name"),
        ("New-CsPersistentChatRoom", room("ärzte"), 400, "Name"),
        ("New-CsPersistentChatRoom", room("general"), 400, "Name"),
        ("New-CsPersistentChatRoom", room(&long), 400, "Name"),
        (
            "New-CsPersistentChatCategory",
            json!({ "Name": "lobby", "PersistentChatPoolFqdn": POOL }),
            400,
            "Name",
        ),
        ("New-CsPersistentChatCategory", json!({ "Name": "New" }), 400, "PersistentChatPoolFqdn"),
        ("Set-CsPersistentChatRoom", json!({ "Identity": LOBBY, "Name": "General" }), 400, "Name"),
        ("Set-CsPersistentChatRoom", json!({ "Identity": LOBBY, "Category": "Nowhere" }), 404, "Category"),
        ("Set-CsPersistentChatRoom", json!({ "Identity": LOBBY, "Addin": "Nothing" }), 404, "Addin"),
        (
            "Set-CsPersistentChatRoom",
            json!({ "Identity": LOBBY, "Members": { "Add": ["sip:a@fabrikam.com"] } }),
            400,
            "Members",
        ),
        (
            "Set-CsPersistentChatRoom",
            json!({ "Identity": LOBBY, "Presenters": { "Add": [s.users[0].sip] } }),
            400,
            "Presenters",
        ),
        (
            "Set-CsPersistentChatCategory",
            json!({ "Identity": format!("{POOL}\\General"), "Creators": { "Add": ["sip:a@fabrikam.com"] } }),
            400,
            "Creators",
        ),
        ("New-CsPersistentChatAddin", addin("tickets", "http://a"), 400, "Name"),
        ("New-CsPersistentChatAddin", addin("Other", "ftp://a"), 400, "Url"),
        (
            "Get-CsPersistentChatEligiblePrincipal",
            json!({ "Category": "General", "Room": "Lobby" }),
            400,
            "Room",
        ),
        (
            "Get-CsPersistentChatEligiblePrincipal",
            json!({ "Room": LOBBY, "Presenters": true }),
            400,
            "Presenters",
        ),
        ("Get-CsPersistentChatRoom", json!({ "Identity": LOBBY, "Filter": "x" }), 400, "Filter"),
    ] {
        let e = refused(&s.client, cmdlet, args.clone(), status).await?;
        ensure!(e["field"] == field, "{cmdlet} {args}: {e}");
    }
    run(
        &s.client,
        "Set-CsPersistentChatRoom",
        json!({ "Identity": LOBBY, "Addin": "Tickets", "Invitations": "False" }),
    )
    .await?;
    let all = |filter: Value| async {
        Ok::<_, anyhow::Error>(run(&s.client, "Get-CsPersistentChatRoom", filter).await?["output"].clone())
    };
    let with = all(json!({ "Addin": "tickets" })).await?;
    ensure!(with[0]["Identity"] == LOBBY && with[0]["Invitations"] == "False" && with[1].is_null(), "{with}");
    ensure!(all(json!({ "ResultSize": 0 })).await? == json!([]));
    let remove = json!({ "args": { "Identity": format!("{POOL}\\Tickets") } });
    let (status, answer) = s.client.invoke("Remove-CsPersistentChatAddin", &remove).await?;
    ensure!(status == 428, "it is in use: {status} {answer}");
    run(&s.client, "Remove-CsPersistentChatAddin", json!({ "Identity": format!("{POOL}\\Tickets") })).await?;
    ensure!(all(json!({ "Identity": LOBBY })).await?[0]["Addin"].is_null());
    let who = json!({ "Category": format!("{POOL}\\General") });
    let who = run(&s.client, "Get-CsPersistentChatEligiblePrincipal", who).await?["output"].clone();
    let kinds: Vec<_> =
        who.as_array().into_iter().flatten().map(|p| &p["PersistentChatPrincipalType"]).collect();
    ensure!(kinds == ["DC", "User", "User", "User"], "{who}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_writes_queued_events_out_and_the_notices_follow() -> Result<()> {
    let s = Sample::start().await?;
    let (_, pools) = s.client.get("/api/v1/pools").await?;
    let with = pools.as_array().and_then(|l| l.iter().find(|p| p["compliance"] == true)).cloned();
    let pool = with.context("no pool with compliance")?["fqdn"].as_str().unwrap_or_default().to_owned();
    let summary = async || -> Result<Value> {
        let (_, p) = s.client.get(&format!("/api/v1/pools/{pool}")).await?;
        Ok(p["summary"].clone())
    };
    let told = async |code: &str| -> Result<bool> {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        Ok(o["problems"].to_string().contains(code))
    };
    let room = room_uri(&s, &format!("{pool}\\Lobby")).await?;
    let mut c = ChatClient::open(&s, &s.users[0], &pool).await?;
    c.join(&room).await?;
    c.post(&room, "1 < 2 & \"so on\"").await?;
    wait::until("the events to be queued", async || {
        let n = summary().await?["compliance_queue"].as_u64().unwrap_or(0);
        ensure!(n == 2, "{n} events");
        Ok(())
    })
    .await?;
    ensure!(summary().await?["compliance_adapter"].is_null() && told("compliance.no_adapter").await?);
    let out = tempfile::tempdir()?;
    let folder = out.path().join("compliance").to_string_lossy().into_owned();
    let identity = format!("service:PersistentChatServer:{pool}");
    let set = "Set-CsPersistentChatComplianceConfiguration";
    for (args, field) in [
        (json!({ "RunInterval": "00:00:30" }), "RunInterval"),
        (json!({ "AdapterType": "XML" }), "AdapterOutputDirectory"),
        (
            json!({ "AdapterType": "Contoso.Adapter,contoso", "AdapterOutputDirectory": folder }),
            "AdapterType",
        ),
        (json!({ "AdapterOutputDirectory": "relative" }), "AdapterOutputDirectory"),
        (json!({ "AdapterOutputDirectory": "\\\\nowhere.contoso.com\\x" }), "AdapterOutputDirectory"),
        (json!({ "AdapterOutputDirectory": s.server.data_dir() }), "AdapterOutputDirectory"),
        (json!({ "CustomConfiguration": "<xsl/>" }), "CustomConfiguration"),
    ] {
        let e = refused(&s.client, set, args.clone(), 400).await?;
        ensure!(e["field"] == field, "{args}: {e}");
    }
    let new = json!({ "Identity": identity, "AdapterType": "xml", "AdapterOutputDirectory": folder,
        "AddUserDetails": true, "AddChatRoomDetails": true, "RunInterval": "00:01:00" });
    let said = what_if(&s, "New-CsPersistentChatComplianceConfiguration", new.clone()).await?;
    ensure!(said.contains("those that wait at once"), "{said}");
    run(&s.client, "New-CsPersistentChatComplianceConfiguration", new).await?;
    let own = json!({ "AdapterType": "XML", "AdapterOutputDirectory": folder });
    ensure!(refused(&s.client, set, own, 400).await?["field"] == "AdapterOutputDirectory");
    let written = || -> Result<Vec<String>> {
        let mut all = Vec::new();
        for f in std::fs::read_dir(&folder)? {
            let f = f?.path();
            if f.extension().is_some_and(|x| x == "xml") {
                all.push(std::fs::read_to_string(f)?);
            }
        }
        Ok(all)
    };
    let text = wait::until("the file", async || written()?.pop().context("no file yet")).await?;
    for part in [
        "<Message type=\"JOIN\" content=\"\" id=\"0\"><Sender UserName=\"Pilar Ackerman\"",
        "content=\"1 &lt; 2 &amp; &quot;so on&quot;\"",
        "name=\"Lobby\" islogged=\"true\"",
        room.as_str(),
    ] {
        ensure!(text.contains(part), "{part} is not in {text}");
    }
    wait::until("the queue to be empty", async || {
        let p = summary().await?;
        ensure!(p["compliance_queue"] == 0 && p["compliance_adapter"]["last_run"].is_string(), "{p}");
        Ok(())
    })
    .await?;
    ensure!(!told("compliance.").await?, "an adapter is set and works");
    // A folder that cannot be written to is told, and nothing is lost.
    std::fs::write(out.path().join("file"), "")?;
    let bad = out.path().join("file/sub").to_string_lossy().into_owned();
    c.post(&room, "later").await?;
    run(&s.client, set, json!({ "Identity": identity, "AdapterOutputDirectory": bad })).await?;
    wait::until("the failure", async || {
        ensure!(told("compliance.adapter").await?);
        Ok(())
    })
    .await?;
    ensure!(summary().await?["compliance_queue"] == 1);
    run(&s.client, set, json!({ "Identity": identity, "AdapterOutputDirectory": folder })).await?;
    wait::until("the second file", async || {
        ensure!(written()?.iter().any(|t| t.contains("content=\"later\"")));
        Ok(())
    })
    .await?;
    run(&s.client, "Remove-CsPersistentChatComplianceConfiguration", json!({ "Identity": identity })).await?;
    ensure!(told("compliance.no_adapter").await?, "without an adapter the notice is back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_room_comes_back_with_its_people_and_words_until_its_time_is_over() -> Result<()> {
    let mut s = Sample::start().await?;
    let room = room_uri(&s, LOBBY).await?;
    let mut c = ChatClient::open(&s, &s.users[0], POOL).await?;
    c.join(&room).await?;
    c.post(&room, "before it was deleted").await?;
    let identity = || json!({ "Identity": LOBBY });
    let said = what_if(&s, "Remove-CsPersistentChatRoom", identity()).await?;
    ensure!(said.contains("restored for 30 days") && said.contains("1 who are in the room now"), "{said}");
    run(&s.client, "Remove-CsPersistentChatRoom", identity()).await?;
    c.parted(&room, &s.users[0].sip).await?;
    ensure!(c.join(&room).await.is_err(), "a deleted room is no room");
    let (_, list) = s.client.get("/api/v1/deleted-rooms").await?;
    ensure!(
        list[0]["name"] == "Lobby" && list[0]["messages"] == 1 && list[0]["deleted_by"] == "root",
        "{list}"
    );
    let (_, used) = s.client.get("/api/v1/room-usage").await?;
    let counted = used["rooms"].as_array().context("no rooms")?.iter().any(|r| r["identity"] == LOBBY);
    ensure!(!counted, "what is deleted is not counted: {used}");
    refused(&s.client, "Restore-LgRoom", json!({ "Identity": "nothing" }), 404).await?;
    run(&s.client, "Restore-LgRoom", identity()).await?;
    ensure!(room_uri(&s, LOBBY).await? == room, "its address stays");
    c.join(&room).await?;
    ensure!(c.history(&room).await? == ["before it was deleted"]);
    let (_, used) = s.client.get(&format!("/api/v1/room-usage?q=lobby&pool={POOL}")).await?;
    let one = &used["rooms"][0];
    ensure!(one["messages"] == 1 && one["people"] == 1 && one["hints"] == json!([]), "{used}");
    // A month later it is gone for good, with a row in the audit.
    run(&s.client, "Remove-CsPersistentChatRoom", identity()).await?;
    s.server.kill9();
    let file = s.server.data_dir().join("sql/atl-sql-001.litwareinc.com/MSSQLSERVER/mgc.db");
    rusqlite::Connection::open(file)?.execute(
        "UPDATE room SET deleted_at = deleted_at - 31 * 86400000 WHERE deleted_at IS NOT NULL",
        [],
    )?;
    s.server.restart().await?;
    let client = s.server.client()?;
    client.login("root", crate::support::PASSWORD).await?;
    wait::until("the room to be swept", async || {
        let (_, list) = client.get("/api/v1/deleted-rooms").await?;
        ensure!(list == json!([]), "{list}");
        Ok(())
    })
    .await?;
    let (_, audit) = client.get("/api/v1/audit").await?;
    ensure!(audit.to_string().contains("deleted more than 30 days ago"), "{audit}");
    Ok(())
}
