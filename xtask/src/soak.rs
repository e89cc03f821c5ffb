//! `cargo xtask soak`: the leak test of the test message with many more runs than `cargo test` has.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::exec::program;
use crate::{server, tools};

/// Cases of each operation of the API.
const CASES: &str = "100";

/// Runs it; what it counted is printed.
///
/// # Errors
/// Something was left behind.
pub fn run(runs: u32, seed: u64) -> Result<()> {
    let mut cargo = program("cargo");
    cargo.args(["test", "--package", "synthetic", "--test", "leak", "--", "--nocapture"]);
    cargo.env("LIFEGUARD_SOAK_RUNS", runs.to_string()).env("LIFEGUARD_SOAK_SEED", seed.to_string());
    if !cargo.status().context("cannot run the soak test")?.success() {
        bail!("the soak test failed");
    }
    api()
}

/// `cargo test` of the end-to-end tests whose names have `filter`, against the program that is built here.
fn end_to_end(filter: &str) -> Result<Command> {
    let mut cargo = program("cargo");
    cargo.args([
        "test",
        "--package",
        server::END_TO_END,
        "--test",
        "end_to_end",
        "--",
        "--nocapture",
        filter,
    ]);
    cargo.env("LIFEGUARD_BIN", server::build(false)?);
    Ok(cargo)
}

/// The OpenAPI document taken at its word, with many more cases than `cargo xtask test` has.
fn api() -> Result<()> {
    tools::peers()?;
    let schemathesis = tools::schemathesis()?;
    let mut cargo = end_to_end("schemathesis::")?;
    cargo.env("LIFEGUARD_CASES", CASES).env("SCHEMATHESIS", schemathesis);
    if !cargo.status().context("cannot run the cases of the API")?.success() {
        bail!("the API does not keep what its document says");
    }
    Ok(())
}

/// Kills at random moments of guided runs, for so long; what it counted is printed.
///
/// # Errors
/// Something was lost, doubled or out of order, or a run did not end well.
pub fn failover(seconds: u64, seed: u64) -> Result<()> {
    let mut cargo = end_to_end("failover_writers::chaos")?;
    cargo.env("LIFEGUARD_SOAK_SECONDS", seconds.to_string()).env("LIFEGUARD_SOAK_SEED", seed.to_string());
    if !cargo.status().context("cannot run the soak test")?.success() {
        bail!("the soak test of failover failed");
    }
    Ok(())
}
