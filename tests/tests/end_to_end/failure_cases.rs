//! Cases of docs/failure-cases.md that no other test has: a kill before each step, a primary that answers again,
//! mirrors across failovers, dry runs that touch nothing, a share that is full, read-only and gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};

use crate::apart;
use crate::support::{PASSWORD, POOL, Sample, detail, job, run, shipped, two_messages};

const PRIMARY: &str = "atl-sql-001.litwareinc.com";
const SHARE: &str = "shares/atl-fs-001.litwareinc.com/chatfiles/log-shipping/atl-cs-001.litwareinc.com";

fn sql(s: &Sample, store: &str) -> PathBuf {
    s.server.data_dir().join("sql").join(store)
}

fn messages(p: &Value) -> Result<u64> {
    let used = p["summary"]["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    used.context("no database in use")?["messages"].as_u64().context("no count")
}

/// The pool is in this state with so many messages.
async fn settled(s: &Sample, state: &str, n: u64) -> Result<Value> {
    wait::until("the pool to settle", async || {
        let p = detail(s).await?;
        ensure!(p["summary"]["state"] == state && p["summary"]["converged"] == true, "{}", p["summary"]);
        ensure!(messages(&p)? == n, "{} messages instead of {n}", messages(&p)?);
        Ok(p)
    })
    .await
}

async fn begin(s: &Sample, cmdlet: &str, args: Value) -> Result<String> {
    let answer = run(&s.client, cmdlet, args).await?;
    answer["job"].as_str().map(str::to_owned).context("no run")
}

/// Cases 1 and 2: killed before each step of both procedures, also between *online* and *state*; gone on from,
/// nothing done twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_each_step_is_gone_on_from() -> Result<()> {
    let mut s = Sample::start().await?;
    two_messages(&s).await?;
    let hold = s.server.data_dir().join("hold");
    let both = [("Start-LgFailover", "FailedOver"), ("Start-LgFailback", "Normal")];
    for (n, (step, (cmdlet, state))) in (1..).zip((0..8_u64).flat_map(|step| both.map(|b| (step, b)))) {
        std::fs::write(&hold, format!("failover:{step}"))?;
        let id = begin(&s, cmdlet, json!({ "Identity": POOL })).await?;
        s.server.line(&format!("held at=failover:{step}")).await?;
        s.server.kill9();
        std::fs::remove_file(&hold)?;
        s.server.restart().await?;
        s.client.login("root", PASSWORD).await?;
        let before = || format!("{cmdlet} before step {step}");
        let done = job(&s.client, &id, "done").await.with_context(before)?;
        let again = done["steps"].to_string().matches("begun again").count();
        ensure!(again == 1, "one step was begun again: {done}");
        settled(&s, state, 2 * n).await.with_context(before)?;
        two_messages(&s).await?;
    }
    Ok(())
}

/// Cases 7, 19 and 30: the plan says how far the other side is behind; when the primary answers again before
/// the first step, nothing of it is lost although the loss was accepted.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_answers_again_before_the_first_step_loses_nothing() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let slow = json!({
        "Identity": POOL, "BackupSeconds": 86400, "CopySeconds": 86400, "RestoreSeconds": 86400,
        "BackupAlertSeconds": 300_000, "RestoreAlertSeconds": 300_000,
    });
    run(&s.client, "Set-LgLogShipping", slow).await?;
    two_messages(&s).await?;
    let primary = sql(&s, PRIMARY);
    std::fs::rename(&primary, primary.with_extension("lost"))?;
    let args = json!({ "Identity": POOL, "Forced": true, "AcknowledgeLoss": true });
    let (_, plan) = s.client.cmdlet("Start-LgFailover", args.clone(), "what_if").await?;
    ensure!(plan.to_string().contains("that were seen here 2 are missing there"), "{plan}");
    std::fs::write(s.server.data_dir().join("hold"), "failover:0")?;
    let id = begin(&s, "Start-LgFailover", args).await?;
    s.server.line("held at=failover:0").await?;
    std::fs::rename(primary.with_extension("lost"), &primary)?;
    std::fs::remove_file(s.server.data_dir().join("hold"))?;
    job(&s.client, &id, "done").await?;
    settled(&s, "FailedOver", 4).await?;
    two_messages(&s).await
}

/// Case 36: each side has a mirror of its own; none follows a database that is not in use, and each is made anew
/// when its side is used again.
#[tokio::test(flavor = "multi_thread")]
async fn failover_and_failback_take_the_mirror_of_each_side() -> Result<()> {
    let s = Sample::start().await?;
    let (first, second) = ("atl-sql-009.litwareinc.com", "dub-sql-009.litwareinc.com");
    for fqdn in [first, second] {
        run(&s.client, "New-LgSqlStore", json!({ "Fqdn": fqdn })).await?;
    }
    let both = json!({ "Identity": POOL, "MirrorSqlStore": first, "BackupMirrorSqlStore": second });
    run(&s.client, "Set-LgPersistentChatPool", both).await?;
    let id = begin(&s, "Publish-CsTopology", json!({})).await?;
    job(&s.client, &id, "done").await?;
    let follows = async |mirror: &str, n: u64| {
        two_messages(&s).await?;
        wait::until("the mirror", async || {
            let p = detail(&s).await?;
            let m = &p["mirror"];
            ensure!(m["mirror"] == mirror && m["state"] == "synchronized", "{m}");
            ensure!(messages(&p)? == n, "{}", p["summary"]);
            Ok(())
        })
        .await
    };
    follows(first, 2).await?;
    for (cmdlet, mirror, n) in
        [("Start-LgFailover", second, 4), ("Start-LgFailback", first, 6), ("Start-LgFailover", second, 8)]
    {
        let id = begin(&s, cmdlet, json!({ "Identity": POOL })).await?;
        job(&s.client, &id, "done").await?;
        follows(mirror, n).await.with_context(|| cmdlet.to_owned())?;
    }
    // The last mirror really has everything: the store in use is lost, and it takes over without a loss.
    let used = sql(&s, "dub-sql-001.litwareinc.com");
    std::fs::rename(&used, used.with_extension("lost"))?;
    let to = json!({ "PoolFqdn": POOL, "DatabaseType": "PersistentChat", "NewPrincipal": "Mirror" });
    run(&s.client, "Invoke-CsDatabaseFailover", to).await?;
    settled(&s, "FailedOver", 8).await.map(drop)
}

/// Every file of databases and shares. SQLite's index in shared memory changes with every reader.
fn contents(s: &Sample) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    fn add(dir: &Path, out: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                add(&path, out)?;
            } else if !path.to_string_lossy().ends_with("-shm") {
                out.insert(path.clone(), std::fs::read(&path)?);
            }
        }
        Ok(())
    }
    let mut out = BTreeMap::new();
    for root in ["sql", "shares"] {
        add(&s.server.data_dir().join(root), &mut out)?;
    }
    Ok(out)
}

/// Looks at plans of cmdlets that change much.
async fn planned(s: &Sample, waiting: u64) -> Result<()> {
    for (cmdlet, args) in [
        ("Start-LgFailover", json!({ "Identity": POOL })),
        ("Set-CsPersistentChatState", json!({ "Identity": POOL, "PoolState": "FailedOver" })),
        ("Remove-CsPersistentChatRoom", json!({ "Identity": format!("{POOL}\\Lobby") })),
    ] {
        let (status, plan) = s.client.cmdlet(cmdlet, args, "what_if").await?;
        ensure!(status == 200 && plan["plan"]["sentences"].is_array(), "{cmdlet}: {plan}");
        let said = plan.to_string();
        let told = said.split(" events wait in it").next().and_then(|t| t.rsplit(' ').next());
        let told = told.and_then(|n| n.parse::<u64>().ok());
        ensure!(!cmdlet.ends_with("Failover") || told >= Some(waiting), "{said}");
    }
    Ok(())
}

/// Cases 33 and 39: a plan changes no byte; a failover leaves the queue of the old side as it was, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_changes_no_byte_and_a_failover_leaves_the_compliance_queue() -> Result<()> {
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let waiting = wait::until("the events of the test message to be queued", async || {
        let n = detail(&s).await?["summary"]["compliance_queue"].as_u64().unwrap_or(0);
        // Two people join, post and leave.
        ensure!(n >= 6, "{n} events");
        Ok(n)
    })
    .await?;
    // The jobs of other pools may still be at work; a plan that wrote something would do so each time.
    wait::until("plans that change no byte", async || {
        let before = contents(&s)?;
        ensure!(before.len() > 5, "{:?}", before.keys());
        planned(&s, waiting).await?;
        let after = contents(&s)?;
        for path in before.keys().chain(after.keys()) {
            ensure!(before.get(path) == after.get(path), "{} was touched", path.display());
        }
        Ok(())
    })
    .await?;
    let id = begin(&s, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    job(&s.client, &id, "done").await?;
    let file = sql(&s, PRIMARY).join("MSSQLSERVER/mgccomp.db");
    let c = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let left: i64 = c.query_row("SELECT COUNT(*) FROM event", [], |r| r.get(0))?;
    ensure!(left.unsigned_abs() >= waiting, "{left} of {waiting} events");
    Ok(())
}

/// Cases 15 and 25 with a real disk: the share is full, read-only, and taken away; people go on posting, everybody
/// is told, and afterwards the other side catches up.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_on_a_disk_that_is_full_read_only_and_gone_stops_nobody() -> Result<()> {
    let name = "failure_cases::a_share_on_a_disk_that_is_full_read_only_and_gone_stops_nobody";
    if !apart::inside(name).await? {
        return Ok(());
    }
    let s = Sample::start().await?;
    two_messages(&s).await?;
    shipped(&s).await?;
    let share = s.server.data_dir().join(SHARE).display().to_string();
    // The chain moves to a disk of its own. Writes between the two lines only make it be begun anew.
    apart::sh(&format!(
        "cp -a {share} {share}.kept && mount -t tmpfs -o size=4m,mode=0700 tmpfs {share} && cp -a {share}.kept/. {share}/"
    ))?;
    shipped(&s).await?;
    let told = async |what: &str| {
        wait::until(what, async || {
            let why = detail(&s).await?["shipping"]["problem"].as_str().context("no problem")?.to_owned();
            let (_, o) = s.client.get("/api/v1/overview").await?;
            ensure!(o["problems"].to_string().contains("og shipping of"), "{why}: {}", o["problems"]);
            Ok(())
        })
        .await
    };
    apart::sh(&format!("dd if=/dev/zero of={share}/ballast bs=4k 2>/dev/null || test -s {share}/ballast"))?;
    two_messages(&s).await?;
    told("a full share to be told").await?;
    two_messages(&s).await?;
    std::fs::remove_file(Path::new(&share).join("ballast"))?;
    shipped(&s).await?;
    apart::sh(&format!("mount -o remount,ro {share}"))?;
    two_messages(&s).await?;
    told("a share that cannot be written to be told").await?;
    two_messages(&s).await?;
    apart::sh(&format!("mount -o remount,rw {share}"))?;
    shipped(&s).await?;
    // Gone with the chain that is on it; what comes back is empty.
    apart::sh(&format!("umount -l {share} && rm -rf {share} && touch {share}"))?;
    two_messages(&s).await?;
    told("a share that is gone to be told").await?;
    two_messages(&s).await?;
    std::fs::remove_file(&share)?;
    std::fs::create_dir(&share)?;
    shipped(&s).await?;
    let p = detail(&s).await?;
    ensure!(messages(&p)? == 14, "{}", p["summary"]);
    Ok(())
}

/// Names of tests in a line of the table, in backticks: `store::name`, `e2e::file::name`, `unit::name`.
fn names(line: &str) -> Vec<String> {
    let ticked = line.split('`').skip(1).step_by(2);
    let test = |t: &&str| ["store::", "e2e::", "unit::"].iter().any(|p| t.starts_with(p));
    ticked.filter(test).map(str::to_owned).collect()
}

/// Every `.rs` file below.
fn sources(dir: &Path, out: &mut Vec<(PathBuf, String)>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, out)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path)?;
            out.push((path, text));
        }
    }
    Ok(())
}

/// The table names all forty cases, and every test that it names exists where it says.
#[test]
fn every_test_that_the_table_names_exists() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    let table = std::fs::read_to_string(root.join("docs/failure-cases.md"))?;
    let mut all = Vec::new();
    for (kind, dir) in [
        ("store", "backend/store/src/chat"),
        ("e2e", "tests/tests/end_to_end"),
        ("unit", "backend/lifeguard/src"),
    ] {
        let mut found = Vec::new();
        sources(&root.join(dir), &mut found)?;
        all.extend(found.into_iter().map(|(p, text)| (kind, p, text)));
    }
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| #")).collect();
    let numbers: Vec<u32> = rows.iter().filter_map(|r| r.split('|').nth(1)?.trim().parse().ok()).collect();
    ensure!(numbers == (1..=40).collect::<Vec<_>>(), "{numbers:?}");
    for row in rows {
        let tests = names(row);
        ensure!(!tests.is_empty() || row.contains("does not apply"), "no test and no reason: {row}");
        for test in tests {
            let (kind, rest) = test.split_once("::").context("no kind")?;
            let (file, name) = rest.rsplit_once("::").map_or((None, rest), |(f, n)| (Some(f), n));
            let there = all.iter().any(|(k, path, text)| {
                let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
                *k == kind
                    && file.is_none_or(|f| stem.as_deref() == Some(f))
                    && text.contains(&format!("fn {name}("))
            });
            ensure!(there, "{test} is not in the sources");
        }
    }
    Ok(())
}
