//! A share that hangs: people go on posting, everybody is told, and a database that is gone is still given
//! up without it.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::json;

use crate::support::{PASSWORD, POOL, Sample, detail, job, run};

const SHARE: &str = "shares/atl-fs-001.litwareinc.com/chatfiles/log-shipping/atl-cs-001.litwareinc.com";

async fn post(s: &Sample) -> Result<()> {
    wait::until("a test message", async || {
        let t = s.test(&s.users[0], &s.users[1], json!({ "ChatRoomUri": format!("{POOL}\\Lobby") })).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        Ok(())
    })
    .await
}

/// A pipe that nobody writes to stands in the share as the newest segment: whoever opens it hangs.
fn hang(s: &Sample) -> Result<std::path::PathBuf> {
    let pipe = s.server.data_dir().join(SHARE).join("e1-9999999999.seg");
    ensure!(Command::new("mkfifo").arg(&pipe).status()?.success());
    Ok(pipe)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_hangs_stops_neither_posts_nor_the_portal_nor_a_forced_run() -> Result<()> {
    let mut s = Sample::start().await?;
    post(&s).await?;
    wait::until("the first messages on the other side", async || {
        let p = detail(&s).await?;
        ensure!(
            p["shipping"]["messages_behind"] == 0 && p["shipping"]["applied"].is_u64(),
            "{}",
            p["shipping"]
        );
        Ok(())
    })
    .await?;
    let pipe = hang(&s)?;
    wait::until("everybody to be told", async || {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        ensure!(o["problems"].to_string().contains("the share does not answer"), "{}", o["problems"]);
        Ok(())
    })
    .await?;
    post(&s).await?;
    let begun = Instant::now();
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    post(&s).await?;
    ensure!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    wait::until("the backup job to be told to hang as well", async || {
        let p = detail(&s).await?;
        let why = p["shipping"]["problem"].as_str().context("no problem")?.to_owned();
        ensure!(why.contains("does not answer"), "{why}");
        Ok(())
    })
    .await?;
    // The primary goes as well: what is applied on the other side takes over, after the loss is accepted.
    let primary = s.server.data_dir().join("sql/atl-sql-001.litwareinc.com");
    std::fs::rename(&primary, primary.with_extension("lost"))?;
    let args = json!({ "Identity": POOL, "Forced": true, "AcknowledgeLoss": true });
    let answer = run(&s.client, "Start-LgFailover", args).await?;
    job(&s.client, answer["job"].as_str().context("no run")?, "done").await?;
    let p = detail(&s).await?;
    ensure!(p["summary"]["state"] == "FailedOver" && p["summary"]["converged"] == true, "{}", p["summary"]);
    post(&s).await?;
    std::fs::remove_file(pipe)?;
    Ok(())
}
