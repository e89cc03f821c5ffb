//! Log shipping by schedule; rehearsals on a copy; a next hop that is down.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Client, OWN, Scheme, wait};
use serde_json::{Value, json};

use crate::apart;
use crate::support::{POOL, Sample, detail, refused, run, shipped, two_messages};

async fn problems(s: &Sample) -> Result<String> {
    let (_, o) = s.client.get("/api/v1/overview").await?;
    Ok(o["problems"].to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_keep_their_schedule_and_lateness_is_told() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let refuse = |args: Value, field: &'static str| {
        let client = &s.client;
        async move {
            let e = refused(client, "Set-LgLogShipping", args, 400).await?;
            ensure!(e["field"] == field, "{e}");
            Ok(())
        }
    };
    refuse(json!({ "Identity": POOL, "BackupSeconds": 600 }), "BackupAlertSeconds").await?;
    refuse(json!({ "Identity": POOL, "RestoreSeconds": 0 }), "RestoreSeconds").await?;
    // A restore job that comes once a day: what is posted now is shipped and not applied.
    let slow = json!({ "Identity": POOL, "RestoreSeconds": 86400, "RestoreAlertSeconds": 90000 });
    run(&s.client, "Set-LgLogShipping", slow).await?;
    two_messages(&s).await?;
    wait::until("the backup job alone", async || {
        let p = detail(&s).await?;
        let x = &p["shipping"];
        ensure!(x["behind"].as_u64() > Some(0) && x["messages_behind"] == 2, "{x}");
        ensure!(x["schedule"]["restore_seconds"] == 86400 && x["late"].is_null(), "{x}");
        Ok(())
    })
    .await?;
    // The same lag is a problem as soon as the threshold is short. A threshold that a healthy job would
    // pass is refused, so the job's share is taken away instead.
    let share =
        s.server.data_dir().join(format!("shares/atl-fs-001.litwareinc.com/chatfiles/log-shipping/{POOL}"));
    let away = share.with_extension("away");
    std::fs::rename(&share, &away)?;
    std::fs::write(&share, "")?;
    let short =
        json!({ "Identity": POOL, "RestoreSeconds": 1, "BackupAlertSeconds": 2, "RestoreAlertSeconds": 4 });
    run(&s.client, "Set-LgLogShipping", short).await?;
    wait::until("the overview to tell it", async || {
        let all = problems(&s).await?;
        ensure!(all.contains("shipping.late") && all.contains("more than the 2 s that are allowed"), "{all}");
        Ok(())
    })
    .await?;
    wait::until("the alert", async || {
        let (_, a) = s.client.get("/api/v1/alerts").await?;
        ensure!(a.to_string().contains(&format!("shipping.late/{POOL}")), "{a}");
        Ok(())
    })
    .await?;
    let answer = run(&s.client, "Get-LgLogShipping", json!({ "Identity": POOL })).await?;
    let x = &answer["output"][0];
    ensure!(
        x["Late"].is_string() && x["BackupAge"].as_u64() > Some(2) && x["BackupAlertSeconds"] == 2,
        "{x}"
    );
    std::fs::remove_file(&share)?;
    std::fs::rename(&away, &share)?;
    shipped(&s).await?;
    wait::until("the problem to go away", async || {
        let all = problems(&s).await?;
        ensure!(!all.contains("shipping.late"), "{all}");
        Ok(())
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_run_ships_the_tail_although_the_backup_job_is_not_due() -> Result<()> {
    let s = Sample::start().await?;
    shipped(&s).await?;
    let slow = json!({
        "Identity": POOL, "BackupSeconds": 86400, "CopySeconds": 86400, "RestoreSeconds": 86400,
        "BackupAlertSeconds": 300_000, "RestoreAlertSeconds": 300_000,
    });
    run(&s.client, "Set-LgLogShipping", slow).await?;
    two_messages(&s).await?;
    let p = detail(&s).await?;
    ensure!(p["shipping"]["messages_behind"] == 2 && p["shipping"]["shipped"] == 0, "{}", p["shipping"]);
    let answer = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    crate::support::job(&s.client, answer["job"].as_str().context("no run")?, "done").await?;
    let p = detail(&s).await?;
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    ensure!(used.context("no database")?["messages"] == 2, "{p}");
    Ok(())
}

/// Content of every database and share file. SQLite's index in shared memory (`-shm`) changes with every
/// reader, and the pages read all the time.
fn contents(s: &Sample) -> Result<std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>> {
    let mut out = std::collections::BTreeMap::new();
    let mut folders = vec![s.server.data_dir().join("sql"), s.server.data_dir().join("shares")];
    while let Some(dir) = folders.pop() {
        for entry in std::fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_string_lossy().ends_with("-shm") {
                out.insert(path.clone(), std::fs::read(&path)?);
            }
        }
    }
    Ok(out)
}

/// Text of all steps.
fn log(job: &Value) -> String {
    job["steps"].to_string()
}

async fn rehearsed(s: &Sample, state: &str) -> Result<Value> {
    let answer = run(&s.client, "Test-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no rehearsal")?.to_owned();
    let done = crate::support::job(&s.client, &id, state).await?;
    ensure!(done["title"].as_str().is_some_and(|t| t.starts_with("Rehearsal on a copy")), "{done}");
    // Nothing is left of the copy.
    let left = std::fs::read_dir(s.server.data_dir().join("rehearsals"))?.count();
    ensure!(left == 0, "{left} copies are left: {done}");
    Ok(done)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_does_the_steps_on_a_copy_and_touches_nothing() -> Result<()> {
    let mut s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    // From here on nothing is restored: what the rehearsal applies, it applies to its copy alone.
    let slow = json!({ "Identity": POOL, "CopySeconds": 86400, "RestoreSeconds": 86400, "RestoreAlertSeconds": 200_000 });
    run(&s.client, "Set-LgLogShipping", slow).await?;
    two_messages(&s).await?;
    wait::until("the backup job", async || {
        let p = detail(&s).await?;
        ensure!(p["shipping"]["behind"].as_u64() > Some(0), "{}", p["shipping"]);
        Ok(())
    })
    .await?;
    let before = contents(&s)?;
    ensure!(before.len() > 5, "{:?}", before.keys());
    let done = rehearsed(&s, "done").await?;
    let after = contents(&s)?;
    for path in before.keys().chain(after.keys()) {
        ensure!(before.get(path) == after.get(path), "{} was touched", path.display());
    }
    let text = log(&done);
    ensure!(text.contains("4 messages") && text.contains("even a forced run would lose nothing"), "{text}");
    ensure!(text.contains("This pool has had no such run yet"), "{text}");
    let p = detail(&s).await?;
    ensure!(
        p["summary"]["state"] == "Normal" && p["rehearsals"][0]["id"] == done["id"] && p["run"].is_null(),
        "{p}"
    );
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    ensure!(audit.to_string().contains("Test-LgFailover"), "{audit}");
    // What would break is told, and is not broken by that: a segment that is damaged in the share.
    let share =
        s.server.data_dir().join(format!("shares/atl-fs-001.litwareinc.com/chatfiles/log-shipping/{POOL}"));
    let mut segments: Vec<_> = std::fs::read_dir(&share)?.flatten().map(|e| e.path()).collect();
    segments.retain(|p| p.extension().is_some_and(|e| e == "seg"));
    segments.sort();
    let newest = segments.last().context("no segment")?;
    let sound = std::fs::read(newest)?;
    std::fs::write(newest, &sound[..sound.len() - 1])?;
    let failed = rehearsed(&s, "failed").await?;
    ensure!(
        failed["error"].as_str().is_some_and(|e| e.contains("would not go well") && e.contains("damaged")),
        "{failed}"
    );
    ensure!(failed["steps"][3]["state"] == "skipped" && failed["steps"][6]["state"] == "done", "{failed}");
    std::fs::write(newest, &sound)?;
    // A kill in the middle leaves nothing either.
    let answer = run(&s.client, "Test-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no rehearsal")?.to_owned();
    s.server.kill9();
    std::fs::create_dir_all(s.server.data_dir().join("rehearsals").join(&id))?;
    s.server.restart().await?;
    s.client.login("root", crate::support::PASSWORD).await?;
    wait::until("the rehearsal's end", async || {
        let (_, j) = s.client.get(&format!("/api/v1/jobs/{id}")).await?;
        ensure!(j["state"] != "running", "{j}");
        Ok(())
    })
    .await?;
    ensure!(!s.server.data_dir().join("rehearsals").exists(), "the copy of a killed rehearsal is left");
    // A run still finds everything.
    let answer = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    crate::support::job(&s.client, answer["job"].as_str().context("no run")?, "done").await?;
    let p = detail(&s).await?;
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    ensure!(used.context("no database")?["messages"] == 4, "{p}");
    Ok(())
}

/// The disaster of the documents at its worst: primary store, its mirror and the next hop at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_next_hop_that_is_down_is_replaced_by_the_run() -> Result<()> {
    let s = Sample::start().await?;
    let mirror = "atl-sql-009.litwareinc.com";
    run(&s.client, "New-LgSqlStore", json!({ "Fqdn": mirror })).await?;
    run(&s.client, "Set-LgPersistentChatPool", json!({ "Identity": POOL, "MirrorSqlStore": mirror })).await?;
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    crate::support::job(&s.client, answer["job"].as_str().context("no job")?, "done").await?;
    wait::until("the mirror", async || {
        let p = detail(&s).await?;
        ensure!(p["mirror"]["state"] == "synchronized", "{}", p["mirror"]);
        Ok(())
    })
    .await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    // Somebody works on the topology: that must neither be published nor lost.
    run(&s.client, "New-LgSite", json!({ "Name": "Cork" })).await?;
    for store in ["atl-sql-001.litwareinc.com", mirror] {
        let dir = s.server.data_dir().join("sql").join(store);
        std::fs::rename(&dir, dir.with_extension("lost"))?;
    }
    run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": "atl-fes-001.litwareinc.com" })).await?;
    let p = wait::until("the Front End to be down", async || {
        let p = detail(&s).await?;
        ensure!(p["next_hops"] == json!(["dub-fe-001.litwareinc.com"]), "{}", p["next_hops"]);
        Ok(p)
    })
    .await?;
    ensure!(p["next_hop"] == "atl-fe-001.litwareinc.com", "{p}");
    let args = json!({ "Identity": POOL, "Forced": true, "AcknowledgeLoss": true });
    let (_, plan) = s.client.cmdlet("Start-LgFailover", args.clone(), "what_if").await?;
    let text = plan.to_string();
    ensure!(text.contains("next_hop.down") && text.contains("Choose dub-fe-001.litwareinc.com"), "{text}");
    let with = |hop: &str| {
        let mut a = args.clone();
        a["NextHop"] = hop.into();
        a
    };
    let e = refused(&s.client, "Start-LgFailover", with("nobody.litwareinc.com"), 422).await?;
    ensure!(e["problems"][0]["code"] == "next_hop.unknown", "{e}");
    let answer = run(&s.client, "Start-LgFailover", with("dub-fe-001.litwareinc.com")).await?;
    let done = crate::support::job(&s.client, answer["job"].as_str().context("no run")?, "done").await?;
    ensure!(done["steps"].as_array().is_some_and(|x| x.len() == 9), "{done}");
    ensure!(log(&done).contains("Version 3 is published"), "{done}");
    let p = detail(&s).await?;
    ensure!(p["next_hop"] == "dub-fe-001.litwareinc.com" && p["next_hops"].is_null(), "{p}");
    let versions = run(&s.client, "Get-LgTopologyVersion", json!({})).await?["output"].to_string();
    ensure!(versions.contains("the next hop is down"), "{versions}");
    let (_, t) = s.client.get("/api/v1/topology").await?;
    ensure!(t.to_string().contains("Cork"), "the draft is kept");
    let dublin =
        json!({ "TargetFqdn": "dub-fe-001.litwareinc.com", "ChatRoomUri": format!("{POOL}\\Lobby") });
    wait::until("a test message through the other Front End", async || {
        let t = s.test(&s.users[0], &s.users[1], dublin.clone()).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        Ok(())
    })
    .await
}

/// A run whose actor's role was taken away before this step; its id. He and the portal are there again.
async fn revoked_before(s: &mut Sample, who: &str, step: usize) -> Result<(String, Client)> {
    two_messages(s).await?;
    shipped(s).await?;
    let new =
        json!({ "Name": who, "Role": "CsPersistentChatAdministrator", "Password": "a long password 1" });
    run(&s.client, "New-LgAccount", new).await?;
    let desk = s.server.client()?;
    desk.login(who, "a long password 1").await?;
    // The run is held; meanwhile the role is taken away.
    let hold = s.server.data_dir().join("hold");
    std::fs::write(&hold, format!("failover:{step}"))?;
    let answer = run(&desk, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no run")?.to_owned();
    s.server.line(&format!("held at=failover:{step}")).await?;
    run(&s.client, "Set-LgAccount", json!({ "Identity": who, "Role": "CsHelpDesk" })).await?;
    s.server.kill9();
    std::fs::remove_file(&hold)?;
    s.server.restart().await?;
    s.client.login("root", crate::support::PASSWORD).await?;
    let failed = crate::support::job(&s.client, &id, "failed").await?;
    ensure!(
        failed["error"].as_str().is_some_and(|e| e.contains("Somebody else may resume the run")),
        "{failed}"
    );
    ensure!(failed["steps"][step]["state"] == "failed", "{failed}");
    desk.login(who, &format!("a long password 1{OWN}")).await?;
    refused(&desk, "Resume-LgRun", json!({ "Identity": id }), 403).await?;
    Ok((id, desk))
}

async fn failed_over(s: &Sample) -> Result<()> {
    wait::until("the backup in use", async || {
        let p = detail(s).await?;
        let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
        ensure!(p["summary"]["state"] == "FailedOver", "{p}");
        ensure!(used.context("no database")?["messages"].as_u64() >= Some(2), "{p}");
        Ok(())
    })
    .await
}

/// Whose role is taken away in the middle of a run does not carry it on; somebody else may.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_revoked_in_the_middle_stops_the_run_resumably() -> Result<()> {
    let mut s = Sample::start().await?;
    let (id, _desk) = revoked_before(&mut s, "desk", 2).await?;
    run(&s.client, "Resume-LgRun", json!({ "Identity": id })).await?;
    crate::support::job(&s.client, &id, "done").await?;
    failed_over(&s).await
}

/// A run that failed after it gave the pool back does not take it again, neither for itself nor from another run.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_late_leaves_the_pool_in_use() -> Result<()> {
    let mut s = Sample::start().await?;
    let (id, _desk) = revoked_before(&mut s, "desk", 6).await?;
    failed_over(&s).await?;
    run(&s.client, "Resume-LgRun", json!({ "Identity": id })).await?;
    crate::support::job(&s.client, &id, "done").await?;
    s.server.restart().await?;
    s.client.login("root", crate::support::PASSWORD).await?;
    failed_over(&s).await?;
    two_messages(&s).await?;
    // Another that stopped there is over once somebody failed the pool back.
    let back = run(&s.client, "Start-LgFailback", json!({ "Identity": POOL })).await?;
    crate::support::job(&s.client, back["job"].as_str().context("no run")?, "done").await?;
    let (id, _desk) = revoked_before(&mut s, "night", 6).await?;
    let back = run(&s.client, "Start-LgFailback", json!({ "Identity": POOL })).await?;
    crate::support::job(&s.client, back["job"].as_str().context("no run")?, "done").await?;
    let e = refused(&s.client, "Resume-LgRun", json!({ "Identity": id }), 409).await?;
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("was set to Normal since")), "{e}");
    Ok(())
}

/// The disk of the management store is full in the middle of a run: the run waits, and goes on when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_management_store_makes_a_run_wait() -> Result<()> {
    if !apart::inside("failover_more::a_full_disk_of_the_management_store_makes_a_run_wait").await? {
        return Ok(());
    }
    let mut s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    s.server.stop().await?;
    // Everything but databases and shares moves to a disk of its own.
    let data = s.server.data_dir().display().to_string();
    apart::sh(&format!(
        "mkdir {data}.kept && cp -a {data}/. {data}.kept && mount -t tmpfs -o size=12m,mode=0700 tmpfs {data} \
         && (cd {data}.kept && for f in *; do case $f in sql|shares) mkdir {data}/$f && mount --bind {data}.kept/$f {data}/$f;; \
         *) cp -a $f {data}/;; esac; done)"
    ))?;
    s.server.restart().await?;
    s.client.login("root", crate::support::PASSWORD).await?;
    shipped(&s).await?;
    let hold = s.server.data_dir().join("hold");
    std::fs::write(&hold, "failover:2")?;
    let answer = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    let id = answer["job"].as_str().context("no run")?.to_owned();
    s.server.line("held at=failover:2").await?;
    let ballast = format!("{data}/ballast");
    apart::sh(&format!("dd if=/dev/zero of={ballast} bs=4k 2>/dev/null || test -s {ballast}"))?;
    std::fs::remove_file(&hold)?;
    wait::until("the run to say that it cannot be stored", async || {
        ensure!(s.server.output().contains("a run's progress could not be stored"), "{}", s.server.printed());
        Ok(())
    })
    .await?;
    std::fs::remove_file(&ballast)?;
    crate::support::job(&s.client, &id, "done").await?;
    let p = detail(&s).await?;
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    ensure!(p["summary"]["state"] == "FailedOver" && used.context("no database")?["messages"] == 2, "{p}");
    two_messages(&s).await
}

/// What is there stays, what was in use and is gone is not made up, what is missing is created.
#[tokio::test(flavor = "multi_thread")]
async fn databases_are_installed_where_they_are_missing() -> Result<()> {
    let s = Sample::start().await?;
    let server = json!({ "ConfiguredDatabases": true, "SqlServerFqdn": "atl-sql-001.litwareinc.com" });
    let (_, plan) = s.client.cmdlet("Install-CsDatabase", server.clone(), "what_if").await?;
    ensure!(plan.to_string().contains("already; it stays as it is"), "{plan}");
    run(&s.client, "Install-CsDatabase", server.clone()).await?;
    refused(
        &s.client,
        "Install-CsDatabase",
        json!({ "DatabaseType": "User", "SqlServerFqdn": "atl-sql-001.litwareinc.com" }),
        404,
    )
    .await?;
    let clean =
        json!({ "ConfiguredDatabases": true, "SqlServerFqdn": "atl-sql-001.litwareinc.com", "Clean": true });
    refused(&s.client, "Install-CsDatabase", clean, 400).await?;
    let dir = s.server.data_dir().join("sql/atl-sql-001.litwareinc.com");
    std::fs::rename(&dir, dir.with_extension("lost"))?;
    let e = refused(&s.client, "Install-CsDatabase", server.clone(), 422).await?;
    ensure!(e["problems"][0]["code"] == "db.vanished", "{e}");
    ensure!(!dir.join("MSSQLSERVER/mgc.db").exists(), "an empty one would hide the loss");
    std::fs::rename(dir.with_extension("lost"), &dir)?;
    // A compliance database that is not there is made.
    let comp = std::fs::read_dir(s.server.data_dir().join("sql"))?
        .flatten()
        .map(|e| e.path().join("MSSQLSERVER/mgccomp.db"))
        .find(|p| p.exists())
        .context("no compliance database")?;
    let host = comp
        .ancestors()
        .nth(2)
        .and_then(|p| p.file_name())
        .context("no server")?
        .to_string_lossy()
        .into_owned();
    s.client.get("/api/v1/overview").await?;
    let away = comp.with_extension("away");
    std::fs::rename(&comp, &away)?;
    let args = json!({ "DatabaseType": "PersistentChatCompliance", "SqlServerFqdn": host });
    run(&s.client, "Install-CsDatabase", args.clone()).await?;
    ensure!(comp.exists(), "{host} has no mgccomp");
    run(&s.client, "Install-CsDatabase", json!({ "CentralManagementDatabase": true, "SqlServerFqdn": host }))
        .await?;
    Ok(())
}

pub async fn judged(b: &Browser, name: &str) -> Result<()> {
    for dark in [false, true] {
        b.prefer(if dark { Scheme::Dark } else { Scheme::Light }, true).await?;
        wait::until("the end of movements", async || {
            let moving = "return document.getAnimations().filter(a => a.playState === 'running').length;";
            let moving = b.script(moving, vec![]).await?;
            ensure!(moving == json!(0), "{moving} things move");
            Ok(())
        })
        .await?;
        let shade = if dark { "-dark" } else { "" };
        b.assert_accessible(&format!("{name}{shade}")).await?;
        b.screenshot(&format!("failover-{name}{shade}")).await?;
        b.size(390, 844).await?;
        let wide =
            b.script("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await?;
        b.screenshot(&format!("failover-{name}{shade}-narrow")).await?;
        ensure!(wide == json!(false), "{name} scrolls sideways at 390 px");
        b.size(1280, 900).await?;
    }
    b.prefer(Scheme::Light, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_change_the_schedule_rehearse_and_choose_a_next_hop() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let b = Browser::start().await?;
    crate::page::sign_in(&b, &s).await?;
    b.goto(&format!("{}/pools/{POOL}/databases", s.server.url())).await?;
    b.wait_text("backup every 1 s, copy every 1 s, restore every 1 s").await?;
    judged(&b, "shipping").await?;
    b.click_button("Change log shipping").await?;
    b.fill("Backup job, every so many seconds", "120").await?;
    judged(&b, "shipping-dialog").await?;
    b.click_button(&format!("Change log shipping of {POOL}")).await?;
    // A longer interval may lose more: that is asked.
    b.wait_text("When the database in use is lost for good").await?;
    b.click_button(&format!("Change log shipping of {POOL}")).await?;
    b.wait_text("backup every 2 min").await?;
    b.goto(&format!("{}/pools/{POOL}/state", s.server.url())).await?;
    run(&s.client, "Stop-CsWindowsService", json!({ "ComputerName": "atl-fes-001.litwareinc.com" })).await?;
    b.wait_text("No server of the next hop atl-fe-001.litwareinc.com runs").await?;
    judged(&b, "next-hop").await?;
    b.click_button("Rehearse it for atl-cs-001 on a copy").await?;
    b.wait_text("Rehearsal on a copy").await?;
    b.wait_text("2 messages").await?;
    judged(&b, "rehearsal").await?;
    b.goto(&format!("{}/pools/{POOL}/state", s.server.url())).await?;
    b.wait_text("Rehearsals on a copy").await?;
    let errors = b.console_errors().await?;
    ensure!(errors.is_empty(), "the console says: {errors:?}");
    Ok(())
}
