//! The mirror of mgccomp: the server of a mirrored pool is lost with everything on it, and every event that was
//! queued is written out once; the queue moves alone, back, and mirroring is taken away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, wait};
use serde_json::{Value, json};

use crate::chat_client::ChatClient;
use crate::support::{PASSWORD, POOL, Sample, detail, job, refused, run};

const PRIMARY: &str = "atl-sql-001.litwareinc.com";
const MIRROR: &str = "atl-sql-009.litwareinc.com";
const QUEUE: &str = "PersistentChatCompliance";
const ADAPTER: &str = "service:PersistentChatServer:atl-cs-001.litwareinc.com";

pub fn folder(s: &Sample, store: &str) -> PathBuf {
    s.server.data_dir().join("sql").join(store).join("MSSQLSERVER")
}

/// The pool with these mirrors on [`MIRROR`], published.
async fn mirrored(fields: &[&str]) -> Result<Sample> {
    let s = Sample::start().await?;
    run(&s.client, "New-LgSqlStore", json!({ "Fqdn": MIRROR })).await?;
    let mut args = json!({ "Identity": POOL });
    for f in fields {
        args[*f] = MIRROR.into();
    }
    run(&s.client, "Set-LgPersistentChatPool", args).await?;
    let answer = run(&s.client, "Publish-CsTopology", json!({})).await?;
    let done = job(&s.client, answer["job"].as_str().context("no job")?, "done").await?;
    ensure!(
        done["steps"].to_string().contains("mgccomp of atl-cs-001.litwareinc.com is mirrored to atl-sql-009"),
        "{done}"
    );
    synchronized(&s, "StateOnPrimary").await?;
    Ok(s)
}

/// Waits until every mirrored database has its principal there and its mirror has everything.
async fn synchronized(s: &Sample, principal: &str) -> Result<()> {
    wait::until("the mirrors", async || {
        let all = run(&s.client, "Get-CsDatabaseMirrorState", json!({ "PoolFqdn": POOL })).await?;
        let comp = all["output"].as_array().and_then(|a| a.iter().find(|m| m["DatabaseName"] == "mgccomp"));
        let m = comp.context("no mgccomp")?;
        ensure!(m[principal] == "Principal" && m["MirroringStatusOnPrimary"] == "synchronized", "{m}");
        let p = detail(s).await?;
        ensure!(p["compliance_mirror"]["state"] == "synchronized", "{}", p["compliance_mirror"]);
        ensure!(p["mirror"].is_null() || p["mirror"]["state"] == "synchronized", "{}", p["mirror"]);
        Ok(())
    })
    .await
}

async fn room(s: &Sample) -> Result<String> {
    let lobby = json!({ "Identity": format!("{POOL}\\Lobby") });
    let found = run(&s.client, "Get-CsPersistentChatRoom", lobby).await?;
    found["output"][0]["ChatRoomUri"].as_str().map(str::to_owned).context("no address")
}

/// Somebody joins, and posts these numbers.
pub async fn says(s: &Sample, numbers: std::ops::Range<u32>) -> Result<ChatClient> {
    let room = room(s).await?;
    let mut c = wait::until("a session", async || {
        let mut c = ChatClient::open(s, &s.users[0], POOL).await?;
        c.join(&room).await?;
        Ok(c)
    })
    .await?;
    for n in numbers {
        c.post(&room, &format!("event {n} ")).await?;
    }
    Ok(c)
}

pub async fn queued(s: &Sample, at_least: u64) -> Result<()> {
    wait::until("the events to be queued", async || {
        let n = detail(s).await?["summary"]["compliance_queue"].as_u64().unwrap_or(0);
        ensure!(n >= at_least, "{n} events");
        Ok(())
    })
    .await
}

/// Sets the adapter, anew so that it is due at once.
pub async fn written(s: &Sample, out: &Path, details: bool) -> Result<()> {
    let args = json!({ "Identity": ADAPTER, "AdapterType": "xml", "AdapterOutputDirectory": out,
        "RunInterval": "00:01:00", "AddUserDetails": details });
    let name = if details { "Set" } else { "New" };
    run(&s.client, &format!("{name}-CsPersistentChatComplianceConfiguration"), args).await?;
    wait::until("the queue to be empty", async || {
        let p = detail(s).await?;
        ensure!(p["summary"]["compliance_queue"] == 0, "{}", p["summary"]);
        Ok(())
    })
    .await
}

/// How often each text of a post stands in the files, and how many people left.
pub fn files(out: &Path) -> Result<(BTreeMap<u32, usize>, usize)> {
    let (mut found, mut parts) = (BTreeMap::new(), 0);
    for f in std::fs::read_dir(out)? {
        let text = std::fs::read_to_string(f?.path())?;
        parts += text.matches("<Message type=\"PART\"").count();
        for rest in text.split("<Message type=\"CHAT\" content=\"event ").skip(1) {
            let n = rest.split(' ').next().context("no number")?.parse()?;
            *found.entry(n).or_default() += 1;
        }
    }
    Ok((found, parts))
}

pub fn once(found: &BTreeMap<u32, usize>, numbers: u32) -> Result<()> {
    ensure!(found.len() == numbers as usize && found.values().all(|n| *n == 1), "{found:?}");
    Ok(())
}

async fn move_to(s: &Sample, principal: &str, database: Option<&str>) -> Result<Value> {
    let mut args = json!({ "PoolFqdn": POOL, "NewPrincipal": principal });
    if let Some(d) = database {
        args["DatabaseType"] = d.into();
    }
    run(&s.client, "Invoke-CsDatabaseFailover", args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_server_that_is_lost_are_written_out_once() -> Result<()> {
    let mut s = mirrored(&["MirrorSqlStore", "ComplianceMirrorSqlStore"]).await?;
    let out = tempfile::tempdir()?;
    let _session = says(&s, 0..30).await?;
    queued(&s, 31).await?;
    // The server is gone with mgc and mgccomp, and the portal was killed.
    s.server.kill9();
    let primary = folder(&s, PRIMARY);
    std::fs::rename(&primary, primary.with_extension("lost"))?;
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    // Moved alone, mgc would not help: the plan says so.
    let alone = json!({ "PoolFqdn": POOL, "DatabaseType": "PersistentChat", "NewPrincipal": "Mirror" });
    let (_, plan) = s.client.cmdlet("Invoke-CsDatabaseFailover", alone, "what_if").await?;
    ensure!(
        plan.to_string().contains("mgccomp on atl-sql-001.litwareinc.com does not answer either"),
        "{plan}"
    );
    // No loss is to be acknowledged: the witness knows that both mirrors have everything.
    let moved = move_to(&s, "Mirror", None).await?;
    ensure!(moved["warnings"].as_array().is_none_or(Vec::is_empty), "{moved}");
    let p = detail(&s).await?;
    ensure!(p["summary"]["converged"] == true && p["compliance_mirror"]["on_mirror"] == true, "{p}");
    queued(&s, 31).await?;
    drop(says(&s, 30..40).await?);
    queued(&s, 42).await?;
    written(&s, out.path(), false).await?;
    once(&files(out.path())?.0, 40)?;
    wait::until("the overview to tell that the mirror is gone", async || {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        ensure!(o["problems"].to_string().contains("mirror.compliance"), "{}", o["problems"]);
        Ok(())
    })
    .await?;
    // The old server comes back with what it had: that is kept aside and never written out a second time.
    let _ = std::fs::remove_dir_all(&primary);
    std::fs::rename(primary.with_extension("lost"), &primary)?;
    synchronized(&s, "StateOnMirror").await?;
    drop(says(&s, 40..45).await?);
    move_to(&s, "Primary", None).await?;
    synchronized(&s, "StateOnPrimary").await?;
    drop(says(&s, 45..50).await?);
    written(&s, out.path(), true).await?;
    wait::until("the last events in files", async || once(&files(out.path())?.0, 50)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_moves_alone_and_its_mirror_goes_by_its_cmdlet() -> Result<()> {
    let s = mirrored(&["ComplianceMirrorSqlStore"]).await?;
    let out = tempfile::tempdir()?;
    let first = says(&s, 0..5).await?;
    queued(&s, 6).await?;
    let gone = json!({ "Identity": POOL, "ComplianceMirrorSqlStore": "" });
    let e = refused(&s.client, "Set-LgPersistentChatPool", gone.clone(), 422).await?;
    ensure!(e["problems"][0]["code"] == "mirror.installed", "{e}");
    let same = json!({ "Identity": POOL, "BackupComplianceMirrorSqlStore": MIRROR });
    let e = refused(&s.client, "Set-LgPersistentChatPool", same, 422).await?;
    ensure!(e["problems"].to_string().contains("V9"), "{e}");
    let here =
        json!({ "DatabaseType": QUEUE, "SqlServerFqdn": PRIMARY, "DropExistingDatabasesOnMirror": true });
    let chat = json!({ "DatabaseType": "PersistentChat", "SqlServerFqdn": PRIMARY });
    refused(&s.client, "Uninstall-CsMirrorDatabase", chat, 404).await?;
    move_to(&s, "Mirror", Some(QUEUE)).await?;
    drop(first);
    ensure!(!folder(&s, MIRROR).join("mgc.db").exists(), "mgc stays where it is");
    let e = refused(&s.client, "Uninstall-CsMirrorDatabase", here.clone(), 422).await?;
    ensure!(e["problems"][0]["code"] == "mirror.principal", "{e}");
    drop(says(&s, 5..10).await?);
    synchronized(&s, "StateOnMirror").await?;
    page(&s).await?;
    move_to(&s, "Primary", Some(QUEUE)).await?;
    drop(says(&s, 10..15).await?);
    queued(&s, 18).await?;
    run(&s.client, "Uninstall-CsMirrorDatabase", here).await?;
    ensure!(!folder(&s, MIRROR).join("mgccomp.db").exists());
    let state = json!({ "PoolFqdn": POOL, "DatabaseType": QUEUE });
    let m = run(&s.client, "Get-CsDatabaseMirrorState", state).await?["output"][0].clone();
    ensure!(m["StateOnPrimary"] == "DatabaseInaccessibleOrMirroringNotEnabled", "{m}");
    let again =
        json!({ "DatabaseType": QUEUE, "FileShare": "\\\\atl-fs-001\\DbBackup", "SqlServerFqdn": PRIMARY });
    run(&s.client, "Install-CsMirrorDatabase", again).await?;
    synchronized(&s, "StateOnPrimary").await?;
    // A mirror that is gone when its principal is lost: only an acknowledged loss goes on, and no number twice.
    std::fs::rename(folder(&s, MIRROR), folder(&s, MIRROR).with_extension("lost"))?;
    drop(says(&s, 15..20).await?);
    wait::until("the mirror to be missed", async || {
        let p = detail(&s).await?;
        ensure!(p["compliance_mirror"]["state"] == "disconnected", "{}", p["compliance_mirror"]);
        Ok(())
    })
    .await?;
    written(&s, out.path(), false).await?;
    let (found, parts) = files(out.path())?;
    once(&found, 20)?;
    ensure!(parts > 0, "who was in the room when the queue moved has left it, and that is recorded");
    std::fs::rename(folder(&s, MIRROR).with_extension("lost"), folder(&s, MIRROR))?;
    synchronized(&s, "StateOnPrimary").await?;
    let tried = json!({ "DatabaseType": QUEUE, "SqlServerFqdn": PRIMARY });
    let t = run(&s.client, "Test-CsDatabase", tried).await?;
    ensure!(t["output"][0]["Succeed"] == true && t["output"][0]["MirrorSqlServerFqdn"] == MIRROR, "{t}");
    Ok(())
}

async fn page(s: &Sample) -> Result<()> {
    let b = Browser::start().await?;
    crate::page::sign_in(&b, s).await?;
    b.goto(&format!("{}/pools/{POOL}/databases", s.server.url())).await?;
    b.wait_text("Mirror of mgccomp").await?;
    b.wait_text("Every event is on both before it counts as queued.").await?;
    b.wait_text("Move mgccomp of atl-cs-001 to atl-sql-001.litwareinc.com").await?;
    crate::failover_more::judged(&b, "queue-mirror").await?;
    let errors = b.console_errors().await?;
    ensure!(errors.is_empty(), "the console says: {errors:?}");
    Ok(())
}
