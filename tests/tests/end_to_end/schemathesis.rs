//! The OpenAPI document taken at its word by a program of others: requests that fit it, and requests that do
//! not. No answer may be a fault of the server, or another thing than the document says.
//!
//! The portal runs alone (`fixtures/alone.sh`): whatever it is told to do, it reaches nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use lifeguard_tests::{Options, Server, target_dir};

/// Cases of each operation unless `LIFEGUARD_CASES` says more; then hand-picked edge cases are tried, too.
const CASES: u32 = 6;
const CHECKS: &str = "not_a_server_error,content_type_conformance,response_schema_conformance";

fn program() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SCHEMATHESIS") {
        return Ok(path.into());
    }
    let tools = std::fs::read_dir(target_dir().join("tools")).ok().into_iter().flatten().flatten();
    let found = tools.map(|e| e.path().join("bin").join("schemathesis")).find(|p| p.is_file());
    found.context("schemathesis is needed: `cargo xtask tools` fetches it")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_what_its_document_says() -> Result<()> {
    let bin =
        std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), PathBuf::from);
    let bin = bin.canonicalize()?;
    let alone = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join("alone.sh");
    let env = vec![("LIFEGUARD_ALONE".to_owned(), bin.display().to_string())];
    let server = Server::start(Options { binary: Some(alone), env, ..Options::litware() }).await?;
    let mut token = Command::new(&bin);
    token.args(["token", "create", "--role", "CsAdministrator", "--data-dir"]).arg(server.data_dir());
    let token = token.output()?;
    ensure!(token.status.success(), "{token:?}");
    let more = std::env::var("LIFEGUARD_CASES").ok().map(|n| n.parse::<u32>()).transpose()?;
    let phases = if more.is_some() { "coverage,fuzzing" } else { "fuzzing" };
    let work = tempfile::tempdir()?;
    let mut tried = Command::new("nsenter");
    tried.arg(format!("--net=/proc/{}/ns/net", server.id())).arg(program()?);
    tried.args(["run", &format!("{}/api/v1/openapi.json", server.url()), "--header"]);
    tried.arg(format!("Authorization: Bearer {}", String::from_utf8(token.stdout)?.trim()));
    tried.args(["--header", "X-Lifeguard-Csrf: 1", "--checks", CHECKS, "--phases", phases, "--seed", "7"]);
    tried.args(["--max-examples", &more.unwrap_or(CASES).to_string(), "--continue-on-failure", "--no-color"]);
    tried.args(["--warnings", "off", "--generation-database", "none", "--request-timeout", "30"]);
    // A stream never ends.
    tried.args(["--exclude-path", "/events", "--exclude-path", "/status/{token}/events"]);
    let out = tokio::task::spawn_blocking(move || tried.current_dir(work.path()).output()).await?;
    let out = out.context("nsenter does not start")?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    println!(
        "{}",
        text.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    );
    if !out.status.success() {
        bail!("{text}\n{}\n{}", String::from_utf8_lossy(&out.stderr), server.printed());
    }
    ensure!(text.contains(" passed"), "nothing was tried:\n{text}");
    let log = server.output();
    let faults: Vec<_> = log.lines().filter(|l| l.contains(" ERROR ") || l.contains("panicked")).collect();
    ensure!(faults.is_empty(), "the log has faults:\n{}", faults.join("\n"));
    Ok(())
}
