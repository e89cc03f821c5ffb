//! The server with the page in it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::exec::{capture, cargo, program, root, run, target_dir};
use crate::page::site_dir;

/// The package of the end-to-end tests, which need the built server and a browser.
pub const END_TO_END: &str = "lifeguard-tests";

/// `--package` arguments for the default members but [`END_TO_END`]. Server and unit tests are both built
/// with exactly these, because cargo joins the features of the packages it is given: with others, half of
/// the dependencies would be compiled a second time.
///
/// # Errors
/// Cargo does not describe the workspace.
pub fn packages() -> Result<Vec<String>> {
    let text = capture(cargo("metadata").args(["--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let list = |key: &str| metadata[key].as_array().with_context(|| format!("cargo metadata names no {key}"));
    let default = list("workspace_default_members")?;
    let members = list("packages")?.iter().filter(|package| default.contains(&package["id"]));
    let names = members.filter_map(|package| package["name"].as_str()).filter(|name| *name != END_TO_END);
    Ok(names.flat_map(|name| ["--package".to_owned(), name.to_owned()]).collect())
}

/// Where the server is built to.
pub fn path(release: bool) -> PathBuf {
    let name = format!("lifeguard{}", std::env::consts::EXE_SUFFIX);
    target_dir().join(if release { "release" } else { "debug" }).join(name)
}

/// Builds the server with the page of target/site in it.
///
/// # Errors
/// It does not compile.
pub fn build(release: bool) -> Result<PathBuf> {
    let mut command = cargo("build");
    command.args(packages()?).args(["--bin", "lifeguard"]);
    if release {
        command.arg("--release");
    }
    run(command.env("LIFEGUARD_SITE_DIR", site_dir()))?;
    Ok(path(release))
}

/// Becomes `lifeguard serve`; the data directory is ./data unless the arguments name one.
///
/// # Errors
/// It does not start.
pub fn serve(binary: &Path, args: &[String]) -> Result<()> {
    let mut command = program(binary);
    command.arg("serve");
    if !args.iter().any(|arg| arg == "--data-dir" || arg.starts_with("--data-dir=")) {
        command.arg("--data-dir").arg(root().join("data"));
    }
    command.args(args);
    become_program(&mut command).with_context(|| format!("cannot start {}", binary.display()))
}

/// In place of this process, so that Ctrl+C and service managers reach the server itself.
#[cfg(unix)]
fn become_program(command: &mut std::process::Command) -> Result<()> {
    Err(std::os::unix::process::CommandExt::exec(command).into())
}

#[cfg(not(unix))]
fn become_program(command: &mut std::process::Command) -> Result<()> {
    run(command)
}
