//! Developer commands: `cargo xtask run | build | check | test | interop | bench | soak`.
//!
//! The alias runs without the feature `bundle`; the one step that needs wasm-bindgen's bundler starts
//! `xtask` again with it (see [`page`]), so that `check` and `run` answer fast.

mod bench;
#[cfg(feature = "bundle")]
mod bundle;
mod check;
mod exec;
mod fuzz;
mod licences;
mod page;
mod server;
mod site;
mod soak;
mod stages;
mod test;
mod tools;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Developer commands of Lifeguard.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds page and server and starts `lifeguard serve` on ./data.
    Run {
        #[command(flatten)]
        profile: Profile,
        /// Arguments for `lifeguard serve`; `--data-dir DIR` replaces ./data.
        #[arg(last = true)]
        serve: Vec<String>,
    },
    /// Builds the page into target/site and the server with the page in it.
    Build(Profile),
    /// Installs what the browser tests need.
    Tools,
    /// Format and lints, warnings are errors.
    Check,
    /// Everything that CI runs: check, page with its budget, server, unit tests, end-to-end tests.
    Test(Profile),
    /// Real clients that others wrote, in a room with ours.
    Interop(Profile),
    /// Sizes, cold start and memory of what was built.
    Bench(Profile),
    /// Many test messages with random faults; nothing may be left behind. `soak fuzz` mutates what parsers read,
    /// `soak failover` kills the portal at random moments of guided runs while people write.
    Soak {
        #[command(subcommand)]
        what: Option<Soak>,
        /// How many.
        #[arg(long, default_value_t = 1000)]
        runs: u32,
        /// Which ones: the same seed has the same faults.
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// Makes the site from a compiled page (needs the feature `bundle`; the other commands call it).
    #[command(hide = true)]
    Bundle(BundleArgs),
}

#[derive(Subcommand)]
enum Soak {
    /// What strangers can send, mutated and guided by coverage (libFuzzer; needs a C++ compiler).
    Fuzz {
        /// Minutes, shared by all targets.
        #[arg(default_value_t = 10)]
        minutes: u32,
    },
    /// Guided runs, and a portal that is killed at random moments of them while people write; nothing may be lost.
    Failover {
        /// How long, in seconds.
        #[arg(default_value_t = 600)]
        seconds: u64,
    },
}

#[derive(Args, Clone, Copy)]
struct Profile {
    /// Optimised build.
    #[arg(long)]
    release: bool,
}

/// What the bundling step needs to know.
#[derive(Args)]
struct BundleArgs {
    /// The compiled page.
    #[arg(long)]
    wasm: PathBuf,
    /// Folder to make.
    #[arg(long)]
    site: PathBuf,
    /// Keep function names and compress lightly.
    #[arg(long)]
    dev: bool,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        // What failed has been said.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether it passed, for what reports its own failures.
fn dispatch(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Run { profile, serve } => {
            page::build(page::Kind::of(profile.release))?;
            server::serve(&server::build(profile.release)?, &serve)?;
        }
        Command::Build(profile) => {
            page::build(page::Kind::of(profile.release))?;
            println!("{}", server::build(profile.release)?.display());
        }
        Command::Tools => {
            for (name, path) in tools::browser()?.variables() {
                println!("{name}={}", path.display());
            }
        }
        Command::Check => check::run(check::Width::Quick)?,
        Command::Test(profile) => return Ok(test::run(profile.release)),
        Command::Interop(profile) => return Ok(test::interop(profile.release)),
        Command::Bench(profile) => bench::run(profile.release)?,
        Command::Soak { what: Some(Soak::Fuzz { minutes }), .. } => fuzz::run(minutes)?,
        Command::Soak { what: Some(Soak::Failover { seconds }), seed, .. } => soak::failover(seconds, seed)?,
        Command::Soak { what: None, runs, seed } => soak::run(runs, seed)?,
        Command::Bundle(args) => bundle(&args)?,
    }
    Ok(true)
}

#[cfg(feature = "bundle")]
fn bundle(args: &BundleArgs) -> anyhow::Result<()> {
    bundle::make(args)
}

#[cfg(not(feature = "bundle"))]
fn bundle(_: &BundleArgs) -> anyhow::Result<()> {
    anyhow::bail!("this xtask was built without its bundler: use `cargo xtask build`")
}
