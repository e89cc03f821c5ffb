//! Format and lints.

use anyhow::Result;

use crate::exec::{self, cargo};
use crate::page::site_dir;
use crate::wasm::Toolchain;

/// How much is linted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Everything but the bundler.
    Quick,
    /// Everything.
    Whole,
}

/// Formatting and licences, then clippy for the server's crates and for the page, warnings being errors.
///
/// # Errors
/// The first thing that is not clean.
pub fn run(width: Width) -> Result<()> {
    exec::run(cargo("fmt").args(["--all", "--check"]))?;
    crate::licences::check()?;

    let mut host = cargo("clippy");
    host.arg("--all-targets").env("LIFEGUARD_SITE_DIR", site_dir());
    if width == Width::Whole {
        host.args(["--features", "xtask/bundle"]);
    }
    exec::run(host.args(["--", "--deny", "warnings"]))?;

    let toolchain = Toolchain::find()?;
    let mut page = if toolchain.has_clippy() {
        toolchain.cargo("clippy")
    } else {
        eprintln!(
            "Debian's compiler has no clippy for wasm32: the page is linted as compiled for this machine"
        );
        cargo("clippy")
    };
    exec::run(page.args(["--package", "frontend", "--", "--deny", "warnings"]))
}
