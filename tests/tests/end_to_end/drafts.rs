//! What a draft says before it is published, what remains after it, and what a kill in between does.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, wait};
use serde_json::{Value, json};
use thirtyfour::Key;

use crate::page::sign_in;
use crate::support::{PASSWORD, Sample, job, refused, run};

/// The plan of a cmdlet.
async fn what_if(s: &Sample, name: &str, args: Value) -> Result<Value> {
    let (status, answer) = s.client.invoke(name, &json!({ "args": args, "mode": "what_if" })).await?;
    ensure!(status == 200, "{name}: {answer}");
    Ok(answer["plan"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_to_publish_says_risk_servers_endpoints_and_people() -> Result<()> {
    let s = Sample::start().await?;
    let pool = "atl-cs-001.litwareinc.com";
    run(
        &s.client,
        "New-CsPersistentChatEndpoint",
        json!({ "SipAddress": "sip:old@contoso.com", "PersistentChatPoolFqdn": pool }),
    )
    .await?;
    run(&s.client, "Set-LgPersistentChatPool", json!({ "Identity": pool, "Port": 5055 })).await?;
    run(&s.client, "Set-LgDataCenter", json!({ "Identity": "Cork" })).await?;
    let plan = what_if(&s, "Publish-CsTopology", json!({})).await?;
    let sentences = plan["sentences"].to_string();
    ensure!(sentences.contains("5041 → 5055. Disruptive: "), "{sentences}");
    ensure!(sentences.contains(" restart") && sentences.contains("1 endpoint"), "{sentences}");
    ensure!(plan["affected_users"].as_u64().is_some_and(|n| n > 0), "{plan}");
    let (_, t) = s.client.get("/api/v1/topology").await?;
    let effects = t["effects"].as_array().context("no effects")?;
    ensure!(effects.len() == t["changes"].as_array().context("no changes")?.len());
    let port = effects.iter().find(|e| e["risk"] == "disruptive").context("nothing disruptive")?;
    ensure!(port["endpoints"] == json!(["sip:old@contoso.com"]), "{port}");
    ensure!(port["servers"].as_array().is_some_and(|l| l.iter().all(|x| x["act"] == "restarts")), "{port}");
    let objects = run(&s.client, "Compare-LgTopology", json!({})).await?;
    let risks: Vec<_> =
        objects["output"].as_array().context("no output")?.iter().map(|o| &o["Risk"]).collect();
    ensure!(risks.contains(&&json!("Disruptive")) && risks.contains(&&json!("No risk")), "{risks:?}");
    Ok(())
}

/// Task words of the list that are open, for one pool.
async fn open(s: &Sample, pool: &str) -> Result<Vec<String>> {
    let (status, v) = s.client.get("/api/v1/topology/todo").await?;
    ensure!(status == 200, "{v}");
    let items = v["items"].as_array().context("no items")?;
    let its = items.iter().filter(|t| t["pool"] == pool && t["done"] == false && t["optional"] == false);
    Ok(its.map(|t| t["task"].as_str().unwrap_or_default().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_remains_after_a_publish_ticks_itself_off() -> Result<()> {
    let s = Sample::start().await?;
    let pool = "atl-cs-001.litwareinc.com";
    // The sample brings categories, rooms and a policy; nobody has sent a test message or set an adapter.
    ensure!(open(&s, pool).await? == ["adapter", "test"], "{:?}", open(&s, pool).await?);
    let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{t}");
    ensure!(open(&s, pool).await? == ["adapter"], "{:?}", open(&s, pool).await?);
    let out = tempfile::tempdir()?;
    run(
        &s.client,
        "Set-CsPersistentChatComplianceConfiguration",
        json!({ "Identity": "global", "AdapterType": "XML", "AdapterOutputDirectory": out.path() }),
    )
    .await?;
    ensure!(open(&s, pool).await?.is_empty(), "{:?}", open(&s, pool).await?);
    // A change of the pool asks for a test message again, and for nothing else.
    run(&s.client, "Set-LgPersistentChatPool", json!({ "Identity": pool, "DisplayName": "Renamed" })).await?;
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, "done").await?;
    ensure!(open(&s, pool).await? == ["test"], "{:?}", open(&s, pool).await?);
    let objects = run(&s.client, "Get-LgPublishToDo", json!({ "Identity": pool })).await?;
    ensure!(objects["output"].as_array().is_some_and(|o| o.len() == 2 && o[1]["Done"] == false), "{objects}");
    Ok(())
}

/// The next document: the pool `came` and, mirrored for good, the pool `mir…` come; the pool `gone` goes.
fn next(document: &Value, round: usize) -> Value {
    let mut t = document.clone();
    let name = |what: &str, n: usize| format!("{what}-{n}.litwareinc.com");
    let store = |what: &str| json!({ "id": format!("sql-{what}-{round}"), "fqdn": name(&format!("sql-{what}"), round), "placement": { "at": "run_here" } });
    let pool = |what: &str| {
        json!({
            "id": format!("pool-{what}-{round}"), "fqdn": name(what, round), "kind": "multiple", "site": "site-dublin",
            "computers": [{ "fqdn": name(&format!("pc-{what}"), round), "placement": { "at": "run_here" } }],
            "display_name": format!("{what} {round}"), "port": 5041, "sql_store": format!("sql-{what}-{round}"),
            "file_store": { "kind": "share", "value": "file-dub" }, "next_hop": "fe-dub",
        })
    };
    let mut mirrored = pool("mir");
    mirrored["mirror_sql_store"] = format!("sql-copy-{round}").into();
    if let Some(list) = t["sql_stores"].as_array_mut() {
        list.extend([store("came"), store("mir"), store("copy")]);
    }
    if let Some(list) = t["pools"].as_array_mut() {
        list.retain(|p| !p["id"].as_str().is_some_and(|id| id.starts_with("pool-came-")));
        list.extend([pool("came"), mirrored]);
    }
    t
}

/// A kill at each step, when its work is done and not yet written down: the job goes on and ends, and what
/// was done is not done again.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_at_every_step_of_publishing_is_gone_on_from() -> Result<()> {
    let mut s = Sample::start().await?;
    let (_, t) = s.client.get("/api/v1/topology").await?;
    let mut document = t["published"].clone();
    let hold = s.server.data_dir().join("hold");
    let mut steps = 1;
    let mut round = 0;
    while round < steps {
        document = next(&document, round);
        run(&s.client, "Import-LgTopology", json!({ "Document": document.to_string() })).await?;
        std::fs::write(&hold, format!("publish:{round}"))?;
        let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
        let id = answer["job"].as_str().context("no job")?.to_owned();
        s.server.line(&format!("held at=publish:{round}")).await?;
        let (_, held) = s.client.get(&format!("/api/v1/jobs/{id}")).await?;
        steps = held["steps"].as_array().context("no steps")?.len();
        ensure!(held["steps"][round]["state"] == "running", "{held}");
        s.server.kill9();
        std::fs::remove_file(&hold)?;
        s.server.restart().await?;
        s.client.login("root", PASSWORD).await?;
        let done = job(&s.client, &id, "done").await?;
        ensure!(done["steps"][round]["log"].to_string().contains("begun again"), "{done}");
        whole(&s, round).await.with_context(|| format!("killed at step {round}: {done}"))?;
        round += 1;
    }
    ensure!(steps == 9, "{steps} steps");
    Ok(())
}

/// Everything of this round is there, once.
async fn whole(s: &Sample, round: usize) -> Result<()> {
    let (_, versions) = s.client.get("/api/v1/topology/versions").await?;
    let versions = versions.as_array().context("no versions")?;
    ensure!(versions.len() == round + 2 && versions[0]["version"] == round + 2, "{versions:?}");
    for what in ["came", "mir"] {
        wait::until("the pool's server and database", async || {
            let (_, p) = s.client.get(&format!("/api/v1/pools/{what}-{round}.litwareinc.com")).await?;
            let p = &p["summary"];
            ensure!(p["converged"] == true && p["databases"][0]["epoch"] == 1, "{p}");
            ensure!(
                p["servers"][0]["report"]["state"]["state"] == "running" && p["servers"][0]["active"] == true,
                "{p}"
            );
            Ok(())
        })
        .await?;
        let category =
            json!({ "Name": "Kept", "PersistentChatPoolFqdn": format!("{what}-{round}.litwareinc.com") });
        run(&s.client, "New-CsPersistentChatCategory", category).await?;
    }
    wait::until("the mirror", async || {
        let (_, p) = s.client.get(&format!("/api/v1/pools/mir-{round}.litwareinc.com")).await?;
        ensure!(
            p["mirror"]["state"] == "synchronized" && p["mirror"]["on_mirror"] == false,
            "{}",
            p["mirror"]
        );
        Ok(())
    })
    .await?;
    let m = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    let count = |sql: &str| m.query_row(sql, [], |r| r.get::<_, i64>(0));
    ensure!(count("SELECT COUNT(*) FROM job WHERE state = 'running'")? == 0);
    if let Some(before) = round.checked_sub(1) {
        // What the pool that went had is kept, once, with what was in it.
        let kept = s.server.data_dir().join(format!("sql/sql-came-{before}.litwareinc.com/MSSQLSERVER/kept"));
        let folders: Vec<_> = std::fs::read_dir(&kept)?.flatten().map(|d| d.path()).collect();
        ensure!(folders.len() == 1, "{folders:?}");
        let c = rusqlite::Connection::open(folders[0].join("mgc.db"))?;
        let n: i64 = c.query_row("SELECT COUNT(*) FROM category WHERE name = 'Kept'", [], |r| r.get(0))?;
        ensure!(n == 1, "{n} categories");
    }
    Ok(())
}

const POOL: &str = "atl-cs-001.litwareinc.com";

async fn topology(s: &Sample, draft: &str) -> Result<Value> {
    let (status, t) = s.client.get(&format!("/api/v1/topology?draft={draft}")).await?;
    ensure!(status == 200, "{t}");
    Ok(t)
}

async fn publish(s: &Sample, draft: &str) -> Result<()> {
    let answer = run(&s.client, "Publish-CsTopology", json!({ "TopologyDraft": draft })).await?;
    job(&s.client, answer["job"].as_str().context("no job")?, "done").await.map(drop)
}

fn name_of_pool(t: &Value) -> &Value {
    &t["draft"]["pools"][0]["display_name"]
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_have_names_and_what_moved_is_merged_before_it_is_published() -> Result<()> {
    let mut s = Sample::start().await?;
    run(&s.client, "New-LgTopologyDraft", json!({ "Name": "move" })).await?;
    run(&s.client, "New-LgTopologyDraft", json!({ "Name": "idle" })).await?;
    refused(&s.client, "New-LgTopologyDraft", json!({ "Name": "MOVE" }), 400).await?;
    refused(&s.client, "New-LgSite", json!({ "Name": "Cork", "TopologyDraft": "nowhere" }), 404).await?;
    let of_move = |more: Value| {
        let mut args = json!({ "Identity": POOL, "TopologyDraft": "move" });
        if let (Some(a), Some(m)) = (args.as_object_mut(), more.as_object()) {
            a.extend(m.clone());
        }
        args
    };
    run(&s.client, "New-LgSite", json!({ "Name": "Cork", "TopologyDraft": "move" })).await?;
    run(&s.client, "Set-LgPersistentChatPool", of_move(json!({ "DisplayName": "Yours", "Port": 5055 })))
        .await?;
    ensure!(topology(&s, "main").await?["changes"] == json!([]), "the other draft is another one");
    // Main is published meanwhile, with the same field and another one.
    run(&s.client, "Set-LgPersistentChatPool", json!({ "Identity": POOL, "DisplayName": "Theirs" })).await?;
    run(&s.client, "New-LgSipDomain", json!({ "Name": "fabrikam.com" })).await?;
    publish(&s, "main").await?;
    s.server.kill9();
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    let e = refused(&s.client, "Publish-CsTopology", json!({ "TopologyDraft": "move" }), 422).await?;
    ensure!(e["problems"].to_string().contains("Merge-LgTopologyDraft move"), "{e}");
    let t = topology(&s, "move").await?;
    let rows = t["merge"]["rows"].as_array().context("no rows")?;
    let first = &rows[0];
    ensure!(t["merge"]["version"] == 2 && rows.len() == 4, "{rows:?}");
    ensure!(first["collides"] == true && first["yours"] == "Yours" && first["theirs"] == "Theirs", "{first}");
    ensure!(rows[1..].iter().all(|r| r["collides"] == false), "{rows:?}");
    let e = refused(&s.client, "Merge-LgTopologyDraft", json!({ "Identity": "move" }), 422).await?;
    ensure!(e["problems"][0]["field"] == first["key"], "{e}");
    let merge = json!({ "Identity": "move", "Mine": [first["key"]] });
    run(&s.client, "Merge-LgTopologyDraft", merge).await?;
    let t = topology(&s, "move").await?;
    ensure!(name_of_pool(&t) == "Yours" && t["draft"]["pools"][0]["port"] == 5055, "{}", t["draft"]);
    ensure!(t["draft"]["sip_domains"].to_string().contains("fabrikam.com") && t["merge"].is_null());
    ensure!(t["changes"].as_array().is_some_and(|c| c.len() == 3), "{}", t["changes"]);
    // A draft without changes of its own went along.
    ensure!(topology(&s, "idle").await?["base"] == 2);
    run(&s.client, "Rename-LgTopologyDraft", json!({ "Identity": "move", "NewName": "cork" })).await?;
    publish(&s, "cork").await?;
    let main = topology(&s, "main").await?;
    ensure!(main["changes"] == json!([]) && name_of_pool(&main) == "Yours" && main["version"] == 3, "{main}");
    run(&s.client, "Remove-LgTopologyDraft", json!({ "Identity": "cork" })).await?;
    refused(&s.client, "Remove-LgTopologyDraft", json!({ "Identity": "main" }), 400).await?;
    let names: Vec<_> = topology(&s, "main").await?["drafts"].as_array().context("no drafts")?.clone();
    ensure!(names.len() == 2 && names[0]["name"] == "main" && names[1]["name"] == "idle", "{names:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_on_one_draft_lose_nothing_and_choose_at_the_field() -> Result<()> {
    let s = Sample::start().await?;
    let seen = topology(&s, "main").await?["revision"].clone();
    let set = |more: Value, revision: &Value| {
        let mut args = json!({ "Identity": POOL, "DraftRevision": revision });
        if let (Some(a), Some(m)) = (args.as_object_mut(), more.as_object()) {
            a.extend(m.clone());
        }
        args
    };
    // Both looked at the same revision; the first changes one field, the second another one.
    run(&s.client, "Set-LgPersistentChatPool", set(json!({ "DisplayName": "First" }), &seen)).await?;
    run(&s.client, "Set-LgPersistentChatPool", set(json!({ "Port": 5055 }), &seen)).await?;
    let t = topology(&s, "main").await?;
    ensure!(name_of_pool(&t) == "First" && t["draft"]["pools"][0]["port"] == 5055, "both survive");
    // The same field: the later one is told, and nothing is written over.
    let second = set(json!({ "DisplayName": "Second" }), &seen);
    let e = refused(&s.client, "Set-LgPersistentChatPool", second, 409).await?;
    ensure!(e["field"] == "DisplayName", "{e}");
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("First") && m.contains("Second")), "{e}");
    ensure!(name_of_pool(&topology(&s, "main").await?) == "First");
    // Having seen it, he chooses his own.
    let again = set(json!({ "DisplayName": "Second" }), &t["revision"]);
    run(&s.client, "Set-LgPersistentChatPool", again).await?;
    ensure!(name_of_pool(&topology(&s, "main").await?) == "Second");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_two_kinds_is_not_guessed() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgSite", json!({ "Name": "Cork" })).await?;
    run(&s.client, "Set-LgDataCenter", json!({ "Identity": "Cork" })).await?;
    let e = refused(&s.client, "Remove-LgTopologyObject", json!({ "Identity": "Cork" }), 400).await?;
    ensure!(e["field"] == "Kind" && e["message"].to_string().contains("site and a data centre"), "{e}");
    run(&s.client, "Remove-LgTopologyObject", json!({ "Identity": "Cork", "Kind": "DataCenter" })).await?;
    let t = topology(&s, "main").await?;
    ensure!(t["draft"]["sites"].to_string().contains("Cork"), "the site stays: {}", t["draft"]["sites"]);
    run(&s.client, "Remove-LgTopologyObject", json!({ "Identity": "Cork" })).await?;
    ensure!(!topology(&s, "main").await?["draft"].to_string().contains("Cork"));
    Ok(())
}

async fn open_page(b: &Browser, s: &Sample, path: &str) -> Result<()> {
    b.goto(&format!("{}{path}", s.server.url())).await
}

/// Sound for assistive technology, and no sideways scrolling on a narrow screen; pictures of both.
async fn judge(b: &Browser, name: &str) -> Result<()> {
    b.assert_accessible(name).await?;
    b.screenshot(name).await?;
    b.size(390, 844).await?;
    let wide = b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
    ensure!(wide == json!(false), "{name} scrolls sideways at 390 px");
    b.screenshot(&format!("{name}-narrow")).await?;
    b.size(1280, 900).await
}

/// Nothing went wrong in the page; a refusal that it shows is no error of its.
async fn calm(b: &Browser, when: &str) -> Result<()> {
    let errors = b.console_errors().await?;
    let wrong: Vec<_> = errors.iter().filter(|e| !e.contains("409 (Conflict)")).collect();
    ensure!(wrong.is_empty(), "{when}: {wrong:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_several_drafts_merges_and_says_what_remains() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    b.size(1280, 900).await?;
    sign_in(&b, &s).await?;
    open_page(&b, &s, "/topology").await?;
    b.wait_text("Begin another one").await?;
    b.script("document.querySelector('.switcher').open = true", vec![]).await?;
    b.fill("Name of a new draft", "cork").await?;
    b.click_button("Begin a draft").await?;
    b.wait_text("2 drafts").await?;
    let here = b.script("return location.search", vec![]).await?;
    ensure!(here == "?draft=cork", "the address can be shared: {here}");
    calm(&b, "before // A link to an object o").await?;
    // A link to an object of the draft stays in it, and so does what is changed there.
    b.script("document.querySelector('.tree a[href*=\"pool-cs\"]').click()", vec![]).await?;
    b.wait_text("Edit properties").await?;
    b.script("document.querySelector('.edit-object').open = true", vec![]).await?;
    b.fill("Display name", "Yours").await?;
    // Meanwhile somebody else changes the same field of the same draft.
    let args = json!({ "Identity": POOL, "DisplayName": "Else", "TopologyDraft": "cork" });
    run(&s.client, "Set-LgPersistentChatPool", args).await?;
    b.wait_text("Not published yet:").await?;
    b.click_button("Change atl-cs-001.litwareinc.com in the draft").await?;
    b.wait_text("Somebody else changed").await?;
    b.wait_text("Else").await?;
    judge(&b, "draft-conflict").await?;
    calm(&b, "before b.click_button(Keep you").await?;
    b.click_button("Keep yours").await?;
    b.wait_no_text("Somebody else changed").await?;
    b.click_button("Change atl-cs-001.litwareinc.com in the draft").await?;
    calm(&b, "before wait::until(the draft t").await?;
    wait::until("the draft to have it", async || {
        ensure!(name_of_pool(&topology(&s, "cork").await?) == "Yours");
        Ok(())
    })
    .await?;
    ensure!(topology(&s, "main").await?["changes"] == json!([]));
    run(
        &s.client,
        "Set-LgPersistentChatPool",
        json!({ "Identity": POOL, "DisplayName": "Theirs", "Port": 5055 }),
    )
    .await?;
    publish(&s, "main").await?;
    calm(&b, "before open_page(&b, &s, /topo").await?;
    open_page(&b, &s, "/topology/publish?draft=cork").await?;
    b.wait_text("Version 2 was published since this draft was begun").await?;
    judge(&b, "draft-merge").await?;
    calm(&b, "before b.script(         const").await?;
    b.script(
        "const c = document.querySelector('.merge select'); c.value = 'mine'; c.dispatchEvent(new Event('change', { bubbles: true }))",
        vec![],
    )
    .await?;
    b.click_button("Take version 2 into the draft").await?;
    b.wait_no_text("was published since").await?;
    calm(&b, "before b.wait_text(1 change)").await?;
    b.wait_text("1 change").await?;
    b.wait_text("What it affects").await?;
    b.dark().await?;
    open_page(&b, &s, "/topology/publish?draft=cork").await?;
    b.wait_text("What it affects").await?;
    b.script("document.querySelector('.change details').open = true", vec![]).await?;
    b.wait_text("takes it up while running").await?;
    judge(&b, "draft-publish").await?;
    calm(&b, "before b.click_button(Publish ").await?;
    b.click_button("Publish the topology").await?;
    b.wait_text("Reason").await?;
    b.script("[...document.querySelectorAll('dialog button')].find(b => b.innerText.includes('Publish the topology')).click()", vec![]).await?;
    b.wait_text("What remains after version 3").await?;
    b.wait_text("Run a test message on atl-cs-001.litwareinc.com.").await?;
    calm(&b, "before judge(&b, published-rem").await?;
    judge(&b, "published-remains").await?;
    let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{t}");
    b.wait_text("Succeeded at").await?;
    calm(&b, "the end").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_and_its_table_say_what_runs_and_where() -> Result<()> {
    let s = Sample::start().await?;
    let b = Browser::start().await?;
    b.size(1280, 1700).await?;
    sign_in(&b, &s).await?;
    open_page(&b, &s, "/topology").await?;
    b.wait_text("3 in Atlanta, 3 in Dublin").await?;
    let all = async |wanted: &str| {
        wait::until(wanted, async || {
            let script = "return [...document.querySelectorAll('.picture-svg text, tbody td')].map(t => t.textContent).join('|')";
            let said = b.script(script, vec![]).await?;
            let n = said.as_str().unwrap_or_default().matches(wanted).count();
            ensure!(n >= 2, "{n} times {wanted:?} in {said}");
            Ok(())
        })
        .await
    };
    // In the picture and in the table, and as it changes.
    all("All 6 run").await?;
    all("In use").await?;
    b.wait_text("Slow links: Atlanta – Dublin.").await?;
    let stop = json!({ "ComputerName": "gc-003.litwareinc.com" });
    run(&s.client, "Stop-CsWindowsService", stop).await?;
    all("5 of 6 run; gc-003: stopped").await?;
    judge(&b, "topology-states").await
}

/// A list of hundreds of stores is filled when somebody comes to it, here with the keyboard.
async fn choose_among_many(b: &Browser) -> Result<()> {
    b.script("document.querySelector('.edit-object summary').focus()", vec![]).await?;
    b.driver().active_element().await?.send_keys(Key::Enter + "").await?;
    let list = b.by_label("Mirroring SQL Server store").await?;
    let options = "return document.querySelector('select[name=MirrorSqlStore]').options.length";
    ensure!(b.script(options, vec![]).await? == 1, "the list is filled before anybody wants it");
    list.focus().await?;
    wait::until("the list's options", async || {
        let n = b.script(options, vec![]).await?;
        ensure!(n.as_u64().is_some_and(|n| n > 300), "{n} options");
        Ok(())
    })
    .await?;
    list.send_keys(Key::Down + "").await?;
    let chosen =
        b.script("return document.querySelector('select[name=MirrorSqlStore]').value", vec![]).await?;
    ensure!(chosen.as_str().is_some_and(|v| v.contains("made.example")), "{chosen}");
    b.wait_no_text("Nothing was changed yet.").await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_pools_stay_usable() -> Result<()> {
    use shared::topology::made::{Size, made};
    let s = Sample::start().await?;
    run(&s.client, "New-LgTopologyDraft", json!({ "Name": "large" })).await?;
    let document = serde_json::to_string(&made(1, Size::of_pools(300)))?;
    run(&s.client, "Import-LgTopology", json!({ "TopologyDraft": "large", "Document": document })).await?;
    let b = Browser::start().await?;
    b.size(1280, 900).await?;
    sign_in(&b, &s).await?;
    open_page(&b, &s, "/topology?draft=large").await?;
    b.wait_text("more sites; find one by a name").await?;
    let drawn = b.script("return document.querySelectorAll('.tree a').length", vec![]).await?;
    ensure!(drawn.as_u64().is_some_and(|n| n < 500), "{drawn} links in the tree");
    let rows = b.script("return document.querySelectorAll('tbody tr').length", vec![]).await?;
    ensure!(rows.as_u64().is_some_and(|n| n == 60), "{rows} rows");
    b.click_button("Show 60 more of 330 pools").await?;
    b.by_label("Find in the topology").await?.send_keys("pc-287.").await?;
    b.wait_text("pc-287.made.example").await?;
    // The tree is marked anew and not drawn anew.
    b.script("document.querySelector('.tree a').dataset.drawn = 'before'", vec![]).await?;
    b.script("document.querySelector('.tree a[href*=\"pool-287\"]').click()", vec![]).await?;
    b.wait_text("Edit properties").await?;
    let current = "const a = [...document.querySelectorAll('.tree [aria-current=page]')]; return [a.length, a[0].href, document.querySelector('.tree a').dataset.drawn]";
    let current = b.script(current, vec![]).await?;
    let here = current[1].as_str().is_some_and(|h| h.contains("pool-287"));
    ensure!(current[0] == 1 && here && current[2] == "before", "{current}");
    judge(&b, "topology-large").await?;
    choose_among_many(&b).await?;
    b.by_label("Find in the topology").await?.send_keys("nothing").await?;
    b.wait_text("no match").await?;
    open_page(&b, &s, "/topology/publish?draft=large").await?;
    b.wait_text("Show 100 more").await?;
    let errors = b.console_errors().await?;
    ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}
