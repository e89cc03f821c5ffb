//! `cargo xtask soak`: the leak test of the test message with many more runs than `cargo test` has.

use anyhow::{Context, Result, bail};

use crate::exec::program;

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
    Ok(())
}
