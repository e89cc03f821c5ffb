//! A compiler for the page: whichever way to a wasm32 standard library works on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::exec::{capture, cargo, find, program, run, target_dir};
use crate::tools::apt_install;

/// The page's target.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's wasm-capable compiler; `libstd-rust-web-dev` and the source are for `-Z build-std`.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "libstd-rust-web-dev"];

/// How the page is compiled here.
pub enum Toolchain {
    /// The workspace's own toolchain has the target.
    Own,
    /// Debian's compiler builds the standard library as well, in a target directory of its own.
    Debian {
        /// `wasm-ld-N`.
        linker: String,
    },
}

impl Toolchain {
    /// The first way that works: a standard library that is there, one that rustup can add, Debian's
    /// packages.
    ///
    /// # Errors
    /// None works; the message has the command for a person to run.
    pub fn find() -> Result<Self> {
        if has_std() || (rustup_add() && has_std()) {
            return Ok(Self::Own);
        }
        debian().with_context(|| {
            format!("no compiler for the page: run `rustup target add {TARGET}` where rustup can download")
        })
    }

    /// Whether clippy can be run for the page's target.
    pub fn has_clippy(&self) -> bool {
        matches!(self, Self::Own)
    }

    /// Cargo, set up to compile for the page's target.
    pub fn cargo(&self, subcommand: &str) -> Command {
        match self {
            Self::Own => {
                let mut command = cargo(subcommand);
                command.args(["--target", TARGET]);
                command
            }
            Self::Debian { linker } => {
                let mut command = program("/usr/bin/cargo");
                command
                    .arg(subcommand)
                    .args(["--target", TARGET, "-Z", "build-std=std,panic_abort"])
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .env("CARGO_TARGET_DIR", self.target_dir());
                command
            }
        }
    }

    /// Where a profile's output lies.
    pub fn output(&self, profile: &str) -> PathBuf {
        self.target_dir().join(TARGET).join(if profile == "dev" { "debug" } else { profile })
    }

    fn target_dir(&self) -> PathBuf {
        match self {
            Self::Own => target_dir(),
            Self::Debian { .. } => target_dir().join("debian"),
        }
    }
}

/// Whether the toolchain in use can link for the target: its library folder has a `core`.
fn has_std() -> bool {
    let Ok(dir) = capture(program("rustc").args(["--print", "target-libdir", "--target", TARGET])) else {
        return false;
    };
    fs::read_dir(dir.trim()).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

fn rustup_add() -> bool {
    find("rustup").is_some() && run(program("rustup").args(["target", "add", TARGET])).is_ok()
}

fn debian() -> Result<Toolchain> {
    let complete = || Path::new("/usr/bin/cargo").is_file() && Path::new("/usr/lib/rustlib/src").exists();
    if let (true, Some(linker)) = (complete(), newest_linker()) {
        return Ok(Toolchain::Debian { linker });
    }
    let lld = newest_lld().unwrap_or_else(|| "lld".to_owned());
    let packages: Vec<&str> = DEBIAN_PACKAGES.into_iter().chain([lld.as_str()]).collect();
    apt_install(&packages)?;
    match newest_linker() {
        Some(linker) if complete() => Ok(Toolchain::Debian { linker }),
        _ => bail!("Debian's packages ({}) brought no compiler with source and linker", packages.join(", ")),
    }
}

/// The newest `lld-N` that apt knows.
fn newest_lld() -> Option<String> {
    let names = capture(program("apt-cache").args(["pkgnames", "lld-"])).ok()?;
    let newest = names.lines().filter_map(|name| name.strip_prefix("lld-")?.parse::<u32>().ok()).max()?;
    Some(format!("lld-{newest}"))
}

/// The newest `wasm-ld-N` that is installed.
fn newest_linker() -> Option<String> {
    let entries = fs::read_dir("/usr/bin").ok()?;
    let newest = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("wasm-ld-")?.parse::<u32>().ok())
        .max()?;
    Some(format!("wasm-ld-{newest}"))
}
