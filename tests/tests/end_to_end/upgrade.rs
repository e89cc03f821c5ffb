//! The program on the data directory of an earlier release, and on that of a newer one.

use std::process::Command;

use anyhow::{Result, ensure};
use lifeguard_tests::target_dir;

use crate::support::{PASSWORD, Sample};

const SCHEMA_1: &str = include_str!("../../../backend/store/tests/fixtures/schema_1.sql");

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_schema_1_serves_and_a_newer_one_is_refused_in_words() -> Result<()> {
    // The databases of its pools are there, as they would be.
    let mut server = Sample::start().await?.server;
    server.stop().await?;
    let path = server.data_dir().join("management.db");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    rusqlite::Connection::open(&path)?.execute_batch(SCHEMA_1)?;
    for _ in 0..2 {
        server.restart().await?;
        let client = server.client()?;
        client.login("root", PASSWORD).await?;
        for (resource, count) in [("users", 3), ("pools", 4), ("accounts", 2), ("tests", 1), ("endpoints", 1)]
        {
            let (status, list) = client.get(&format!("/api/v1/{resource}")).await?;
            let rows = list.as_array().or_else(|| list["users"].as_array());
            ensure!(status == 200 && rows.is_some_and(|l| l.len() == count), "{resource}: {list}");
        }
        let (_, audit) = client.get("/api/v1/audit?cmdlet=New-LgShare").await?;
        ensure!(audit.as_array().is_some_and(|a| a.len() == 1), "{audit}");
        server.stop().await?;
    }
    let c = rusqlite::Connection::open(&path)?;
    c.pragma_update(None, "user_version", 99)?;
    drop(c);
    let bin =
        std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into);
    let out = Command::new(bin)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(server.data_dir())
        .output()?;
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(!out.status.success() && text.contains("newer Lifeguard (schema 99"), "{text}");
    Ok(())
}
