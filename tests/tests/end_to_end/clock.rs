//! Case 26 with the real program: its clock is set back by an hour in the middle of a failover (libfaketime).

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::Options;
use serde_json::json;

use crate::support::{POOL, Sample, job, run, shipped, two_messages};

/// Debian's libfaketime; `cargo xtask test` installs it.
fn library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.flatten();
    let mut there = folders.map(|d| d.path().join("faketime/libfaketimeMT.so.1")).filter(|p| p.exists());
    there.next().context("libfaketime is missing: apt install libfaketime")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_in_mid_run_loses_and_doubles_nothing() -> Result<()> {
    let place = tempfile::tempdir()?;
    let clock = place.path().join("clock");
    std::fs::write(&clock, "+0\n")?;
    let set = |name: &str, value: String| (name.to_owned(), value);
    let env = vec![
        set("LD_PRELOAD", library()?.display().to_string()),
        set("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
        set("FAKETIME_NO_CACHE", "1".to_owned()),
        // Timers do not follow the wall clock on a real machine either.
        set("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    let s = Sample::with(Options { env, ..Options::default() }).await?;
    let now = async || Ok::<_, anyhow::Error>(s.client.get("/api/v1/overview").await?.1["at"].clone());
    two_messages(&s).await?;
    let before = now().await?;
    let hold = s.server.data_dir().join("hold");
    std::fs::write(&hold, "failover:2")?;
    let begun = run(&s.client, "Start-LgFailover", json!({ "Identity": POOL })).await?;
    s.server.line("held at=failover:2").await?;
    std::fs::write(&clock, "-1h\n")?;
    std::fs::remove_file(&hold)?;
    job(&s.client, begun["job"].as_str().context("no run")?, "done").await?;
    let after = now().await?;
    let earlier = after.as_str().zip(before.as_str()).is_some_and(|(a, b)| a < b);
    ensure!(earlier, "the clock was not set back: {before} and {after}");
    two_messages(&s).await?;
    let begun = run(&s.client, "Start-LgFailback", json!({ "Identity": POOL })).await?;
    job(&s.client, begun["job"].as_str().context("no run")?, "done").await?;
    two_messages(&s).await?;
    // Shipping goes on as well: what was posted last arrives on the other side.
    let p = shipped(&s).await?;
    let pool = &p["summary"];
    let in_use = pool["databases"].as_array().and_then(|d| d.iter().find(|d| d["in_use"] == true));
    let messages = &in_use.context("no database in use")?["messages"];
    ensure!(pool["state"] == "Normal" && *messages == 6, "{} with {messages} messages", pool["state"]);
    Ok(())
}
