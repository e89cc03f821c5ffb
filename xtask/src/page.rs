//! The page: compiled for wasm, then bundled into target/site.

use std::path::PathBuf;

use anyhow::Result;

use crate::exec::{cargo, run, target_dir};
use crate::wasm::Toolchain;

/// Which page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Compiled in seconds, large.
    Dev,
    /// Small, as released.
    Release,
}

impl Kind {
    /// The kind that goes with a server build.
    pub fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }

    fn profile(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "wasm-release",
        }
    }
}

/// Where the site is put.
pub fn site_dir() -> PathBuf {
    target_dir().join("site")
}

/// Compiles and bundles the page.
///
/// # Errors
/// No compiler for the page, a compile error, or a file of the page that does not fit together.
pub fn build(kind: Kind) -> Result<()> {
    let toolchain = Toolchain::find()?;
    let mut compile = toolchain.cargo("build");
    compile.args(["--package", "frontend", "--lib", "--profile", kind.profile()]);
    run(&mut compile)?;

    let mut bundle = cargo("run");
    bundle.args(["--quiet", "--package", "xtask", "--features", "bundle", "--", "bundle"]);
    bundle.arg("--wasm").arg(toolchain.output(kind.profile()).join("frontend.wasm"));
    bundle.arg("--site").arg(site_dir());
    if kind == Kind::Dev {
        bundle.arg("--dev");
    }
    run(&mut bundle)
}
