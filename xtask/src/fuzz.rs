//! `cargo xtask soak fuzz`: the targets of `tests/fuzz` under libFuzzer. The compiler counts which edges are reached with
//! flags that the stable toolchain has; address sanitizing, which it has not, is of little use without unsafe code.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::exec::{capture, program, root, run as exec, target_dir};
use crate::tools;

/// As cargo-fuzz sets them.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// Longest input, bytes.
const LONGEST: u32 = 16 * 1024;
/// Longest that one input may take, seconds.
const SLOWEST: u32 = 5;

/// Builds the targets and runs one after the other from its corpus on, for so many minutes in all. What breaks one
/// is kept in `tests/fuzz/finds`, where `cargo xtask test` finds it.
///
/// # Errors
/// They cannot be built, or one broke.
pub fn run(minutes: u32) -> Result<()> {
    tools::compiler()?;
    let out = target_dir().join("fuzz");
    let host = host()?;
    let mut build = program("cargo");
    build.args(["build", "--release", "--manifest-path", "tests/fuzz/guided/Cargo.toml", "--target", &host]);
    // With a target named, build scripts and macros are built without the flags.
    exec(build.env("CARGO_TARGET_DIR", &out).env("RUSTFLAGS", COVERAGE))?;
    let binary = out.join(&host).join("release").join("lifeguard-fuzz-guided");
    let seeds = out.join("seeds");
    let names = capture(program(&binary).env("LIFEGUARD_FUZZ_SEEDS", &seeds))?;
    let targets: Vec<&str> = names.lines().collect();
    let seconds = (minutes * 60 / u32::try_from(targets.len().max(1))?).max(1);
    let mut broken = Vec::new();
    for name in targets {
        if guided(&binary, &out, name, seconds).is_err() {
            broken.push(name);
        }
    }
    if broken.is_empty() { Ok(()) } else { bail!("these broke: {}; see tests/fuzz/finds", broken.join(", ")) }
}

fn guided(binary: &Path, out: &Path, name: &str, seconds: u32) -> Result<()> {
    let (corpus, finds) =
        (out.join("corpus").join(name), root().join("tests").join("fuzz").join("finds").join(name));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&finds)?;
    let mut c = program(binary);
    c.env("LIFEGUARD_FUZZ_TARGET", name).arg(&corpus).arg(out.join("seeds").join(name));
    c.args(["-print_final_stats=1", "-verbosity=0", "-rss_limit_mb=2048"]);
    c.args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={LONGEST}"),
        format!("-timeout={SLOWEST}"),
    ]);
    exec(c.arg(format!("-artifact_prefix={}/", finds.display())))
}

fn host() -> Result<String> {
    let text = capture(program("rustc").arg("-vV"))?;
    text.lines().find_map(|l| l.strip_prefix("host: ")).map(str::to_owned).context("rustc names no host")
}
