//! Backups by schedule: made, verified, kept, made up for; a kill leaves none that is not whole; one is restored.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use lifeguard_tests::{Browser, target_dir, wait};
use serde_json::{Value, json};

use crate::page::sign_in;
use crate::support::{PASSWORD, Sample, refused, run};

fn bin() -> PathBuf {
    std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into)
}

async fn view(s: &Sample) -> Result<Value> {
    let (status, v) = s.client.get("/api/v1/backups").await?;
    ensure!(status == 200, "{v}");
    Ok(v)
}

/// Waits until `n` are kept and none is under way.
async fn kept(s: &Sample, n: usize) -> Result<Vec<String>> {
    wait::until("the backup", async || {
        let v = view(s).await?;
        let list = v["backups"].as_array().context("no list")?;
        ensure!(v["running"] == false && list.len() == n, "{v}");
        Ok(list.iter().filter_map(|b| b["name"].as_str().map(str::to_owned)).collect())
    })
    .await
}

/// Names in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let list = std::fs::read_dir(folder).into_iter().flatten().flatten();
    list.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

fn store(s: &Sample) -> Result<rusqlite::Connection> {
    Ok(rusqlite::Connection::open(s.server.data_dir().join("management.db"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_backup_is_made_up_for_kept_and_restored() -> Result<()> {
    let mut s = Sample::start().await?;
    for (args, field) in [
        (json!({ "EveryHours": 0 }), "EveryHours"),
        (json!({ "EveryHours": 3, "Daily": "02:30" }), "Daily"),
        (json!({ "Daily": "25:00" }), "Daily"),
        (json!({ "Keep": 0 }), "Keep"),
        (json!({ "Folder": "relative/path" }), "Folder"),
        (json!({ "Folder": "/srv/../etc" }), "Folder"),
    ] {
        let e = refused(&s.client, "Set-LgBackupSchedule", args, 400).await?;
        ensure!(e["field"] == field, "{e}");
    }
    run(&s.client, "Set-LgBackupSchedule", json!({ "Enabled": true, "EveryHours": 6, "Keep": 2 })).await?;
    ensure!(view(&s).await?["next"].is_string());
    // As if the portal had not been running when it was due.
    s.server.stop().await?;
    let db = store(&s)?;
    let past = r#"{"next":"2020-01-01T00:00:00Z"}"#;
    ensure!(db.execute("UPDATE setting SET value = ?1 WHERE key = 'backup.state'", [past])? == 1);
    drop(db);
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    let first = kept(&s, 1).await?;
    let next = view(&s).await?["next"].as_str().context("no next")?.to_owned();
    ensure!(next.as_str() > "2021", "{next}");
    // More by hand; two are kept, the oldest goes.
    for _ in 0..2 {
        run(&s.client, "Start-LgBackup", json!({})).await?;
        wait::until("another backup", async || {
            let v = view(&s).await?;
            ensure!(v["running"] == false, "{v}");
            Ok(())
        })
        .await?;
    }
    let two = kept(&s, 2).await?;
    ensure!(!two.contains(&first[0]), "{two:?}");
    let folder = s.server.data_dir().join("backups");
    ensure!(names(&folder).len() == 2, "{:?}", names(&folder));
    for name in &two {
        let mode = std::fs::metadata(folder.join(name))?.permissions().mode() & 0o777;
        ensure!(mode == 0o600, "{name}: {mode:o}");
    }
    let listed = run(&s.client, "Get-LgBackup", json!({})).await?;
    ensure!(listed["output"][0]["Identity"] == two[0].as_str(), "{listed}");
    let (_, audit) = s.client.get("/api/v1/audit?actor=schedule").await?;
    ensure!(audit.as_array().is_some_and(|a| a.len() == 3 && a[0]["cmdlet"] == "Backup"), "{audit}");

    // The newest one, restored in place of everything, is the same deployment.
    s.server.stop().await?;
    let aside = tempfile::tempdir()?;
    let file = aside.path().join(&two[0]);
    std::fs::copy(folder.join(&two[0]), &file)?;
    for entry in std::fs::read_dir(s.server.data_dir())? {
        let path = entry?.path();
        if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
    }
    let out =
        Command::new(bin()).arg("restore").arg(&file).arg("--data-dir").arg(s.server.data_dir()).output()?;
    ensure!(out.status.success(), "{out:?}");
    // A backup does not hold the side that follows; its instance is there again all the same, so that it is shipped to.
    let follows = s.server.data_dir().join("sql/dub-sql-001.litwareinc.com/MSSQLSERVER");
    ensure!(follows.is_dir(), "there is no folder to ship to");
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    let (_, pools) = s.client.get("/api/v1/pools").await?;
    ensure!(pools.as_array().is_some_and(|p| p.len() == 4), "{pools}");
    let test = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(test["summary"]["state"] == "success", "{test}");
    Ok(())
}

/// A kill at any moment leaves no half backup; what was asked for is made after the start.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_mid_backup_leaves_nothing_half_and_it_is_made_again() -> Result<()> {
    let mut s = Sample::start().await?;
    // Something to write for a while.
    let db = store(&s)?;
    db.execute("INSERT INTO test_trace VALUES ('large', hex(randomblob(30000000)))", [])?;
    drop(db);
    let folder = s.server.data_dir().join("backups");
    let mut caught = Vec::new();
    for stage in [".tmp", ".part", ".unverified"] {
        run(&s.client, "Start-LgBackup", json!({})).await?;
        let at = std::time::Instant::now();
        loop {
            let half = [names(s.server.data_dir()), names(&folder)].concat();
            if half.iter().any(|n| n.ends_with(stage)) {
                break;
            }
            ensure!(at.elapsed() < wait::LIMIT, "no {stage} was seen: {half:?}");
            // Not a wait for luck: the moment is looked for as often as the machine can.
            tokio::task::yield_now().await;
        }
        s.server.kill9();
        let half = [names(s.server.data_dir()), names(&folder)].concat();
        caught.extend(half.into_iter().filter(|n| n.ends_with(stage)));
        let whole_before = names(&folder).iter().filter(|n| n.ends_with(".tar")).count();
        s.server.restart().await?;
        s.client.login("root", PASSWORD).await?;
        let list = wait::until("the backup that was asked for", async || {
            let v = view(&s).await?;
            let list = v["backups"].as_array().context("no list")?.clone();
            ensure!(v["running"] == false && list.len() > whole_before && v["error"].is_null(), "{v}");
            Ok(list)
        })
        .await?;
        ensure!(list.iter().all(|b| b["bytes"].as_u64().is_some_and(|n| n > 60_000_000)), "{list:?}");
        let rest = [names(s.server.data_dir()), names(&folder)].concat();
        ensure!(
            !rest.iter().any(|n| [".tmp", ".part", ".unverified"].iter().any(|e| n.ends_with(e))),
            "{rest:?}"
        );
    }
    ensure!(!caught.is_empty(), "no backup was killed half-way");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_stands_on_the_overview_until_one_succeeds() -> Result<()> {
    let s = Sample::start().await?;
    run(&s.client, "Set-LgBackupSchedule", json!({ "Enabled": true, "Daily": "02:30" })).await?;
    let folder = s.server.data_dir().join("backups");
    std::fs::remove_dir(&folder)?;
    std::fs::write(&folder, b"a file in the way")?;
    run(&s.client, "Start-LgBackup", json!({})).await?;
    let problem = async |wanted: bool| {
        wait::until("the overview", async || {
            let (_, o) = s.client.get("/api/v1/overview").await?;
            let text = o["problems"].to_string();
            ensure!(text.contains("backup.failed") == wanted, "{text}");
            Ok(())
        })
        .await
    };
    problem(true).await?;
    let v = view(&s).await?;
    ensure!(v["error"].is_string() && v["next"].is_string(), "{v}");
    std::fs::remove_file(&folder)?;
    run(&s.client, "Start-LgBackup", json!({})).await?;
    problem(false).await?;
    // A damaged one is told from a whole one.
    let name = kept(&s, 1).await?.remove(0);
    let mut bytes = std::fs::read(folder.join(&name))?;
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    let cut = s.server.data_dir().join("cut.tar");
    std::fs::write(&cut, bytes)?;
    let into = tempfile::tempdir()?;
    let out =
        Command::new(bin()).arg("restore").arg(&cut).arg("--data-dir").arg(into.path().join("x")).output()?;
    ensure!(!out.status.success(), "half a backup was restored");
    ensure!(String::from_utf8_lossy(&out.stderr).contains("incomplete"), "{out:?}");
    ensure!(std::fs::read_dir(into.path().join("x"))?.next().is_none(), "half of it was left there");
    // One that is old is told as well.
    let old = folder.join("lifeguard-20200101T000000Z.tar");
    std::fs::rename(folder.join(&name), &old)?;
    let db = store(&s)?;
    let since = "UPDATE setting SET value = json_set(value, '$.since', '2020-01-01T00:00:00Z') WHERE key = 'backup.schedule'";
    ensure!(db.execute(since, [])? == 1);
    wait::until("the warning", async || {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        ensure!(o["problems"].to_string().contains("backup.old"), "{}", o["problems"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_sets_the_schedule_and_shows_what_is_kept() -> Result<()> {
    let s = Sample::start().await?;
    let browser = Browser::start().await?;
    sign_in(&browser, &s).await?;
    browser.goto(&format!("{}/settings/backup", s.server.url())).await?;
    browser.wait_text("There is no backup in the folder yet.").await?;
    browser.by_label("Make backups by itself").await?.click().await?;
    browser.fill("Time", "03:15").await?;
    browser.click_button("Save the schedule").await?;
    browser.wait_text("daily at 03:15 UTC").await?;
    browser.click_button("Back up now").await?;
    browser.wait_text(".tar").await?;
    browser.wait_no_text("A backup is being made.").await?;
    let names = names(&s.server.data_dir().join("backups"));
    ensure!(names.len() == 1 && names[0].ends_with(".tar"), "{names:?}");
    browser.assert_accessible("backups").await?;
    browser.screenshot("backups").await?;
    browser.dark().await?;
    browser.size(390, 1500).await?;
    browser.goto(&format!("{}/settings/backup", s.server.url())).await?;
    browser.wait_text(".tar").await?;
    browser.assert_accessible("backups, narrow and dark").await?;
    browser.screenshot("backups-390-dark").await?;
    let wide = browser.script("return document.documentElement.scrollWidth;", vec![]).await?;
    ensure!(wide.as_u64().is_some_and(|w| w <= 390), "the page is {wide} wide");
    ensure!(browser.console_errors().await?.is_empty());
    Ok(())
}
