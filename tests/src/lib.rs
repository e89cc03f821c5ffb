//! What end-to-end tests are written with: the real `lifeguard` binary, an HTTP client with a session, a
//! headless Chromium.
//!
//! `cargo xtask test` builds everything and says where it is:
//!
//! | variable | what | without it |
//! |---|---|---|
//! | `LIFEGUARD_BIN` | the server | `target/debug/lifeguard` |
//! | `CHROMEDRIVER` | ChromeDriver | `chromedriver` on the search path |
//! | `CHROMIUM` | Chromium | whichever ChromeDriver finds |
//! | `AXE_JS` | `axe.min.js` | what `cargo xtask tools` put into target/tools |
//!
//! Nothing here sleeps for luck: every wait polls a condition up to [`wait::LIMIT`] and fails with what was
//! there instead.

mod axe;
mod browser;
mod chromedriver;
mod client;
pub mod crowd;
pub mod delay;
mod node;
pub mod process;
mod sample;
mod server;
pub mod wait;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub use axe::Violation;
pub use browser::{Browser, Scheme};
pub use client::{Client, OWN};
pub use node::Node;
pub use sample::sample;
pub use server::{Options, Server};
pub use thirtyfour::{By, Key, WebElement};

/// The workspace's target directory.
pub fn target_dir() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// Lets this process open so many files, as thousands of connections want; most systems allow 1,024 unless asked.
///
/// # Errors
/// The system allows no more.
pub fn more_files(wanted: u64) -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    if now.current.is_some_and(|n| n < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum })
            .with_context(|| format!("{wanted} open files are not allowed here"))?;
    }
    Ok(())
}

/// Chooses the crypto of HTTP clients. Built together with the server, reqwest has TLS and wants to be told;
/// built alone it has none, and this changes nothing.
pub(crate) fn choose_tls() {
    // An error says that it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
