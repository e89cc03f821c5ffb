//! Programs that the page and the browser tests need, installed where that is possible.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::exec::{capture, find, program, run, target_dir};

/// The axe-core that judges the pages; a newer one may find more, so it changes by hand only.
const AXE_VERSION: &str = "4.14.1";
/// What the npm registry must hand out for that version.
const AXE_INTEGRITY: &str =
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==";

/// What takes the OpenAPI document at its word; a newer one may find more, so it changes by hand only.
const SCHEMATHESIS_VERSION: &str = "4.32.5";

/// What the end-to-end tests drive.
pub struct Browser {
    /// Chromium.
    pub chromium: PathBuf,
    /// Its WebDriver server.
    pub chromedriver: PathBuf,
    /// `axe.min.js`.
    pub axe: PathBuf,
    /// Schemathesis.
    pub schemathesis: PathBuf,
}

impl Browser {
    /// The variables that the end-to-end tests read.
    pub fn variables(&self) -> [(&'static str, &Path); 4] {
        [
            ("CHROMIUM", &self.chromium),
            ("CHROMEDRIVER", &self.chromedriver),
            ("AXE_JS", &self.axe),
            ("SCHEMATHESIS", &self.schemathesis),
        ]
    }
}

/// Finds or installs what the browser tests need. `CHROMIUM`, `CHROMEDRIVER` and `AXE_JS` name files to
/// use instead, e.g. where the system is not Debian.
///
/// # Errors
/// One line for the first thing that is missing and cannot be installed.
pub fn browser() -> Result<Browser> {
    Ok(Browser {
        chromium: tool("CHROMIUM", "chromium", "chromium")?,
        chromedriver: tool("CHROMEDRIVER", "chromedriver", "chromium-driver")?,
        axe: env::var_os("AXE_JS").map_or_else(axe, |path| Ok(path.into()))?,
        schemathesis: env::var_os("SCHEMATHESIS").map_or_else(schemathesis, |path| Ok(path.into()))?,
    })
}

/// Programs of others that speak SIP with the service in `cargo xtask test`, with their Debian packages.
const PEERS: [(&str, &str); 5] = [
    ("sipp", "sip-tester"),
    ("sipsak", "sipsak"),
    ("prlimit", "util-linux"),
    ("nsenter", "util-linux"),
    // A mail server that alerts are delivered to.
    ("aiosmtpd", "python3-aiosmtpd"),
];
/// What test messages are provoked to fail with, and what makes networks of a test's own: namespaces, packet filter,
/// line speed, a registrar of others.
const TROUBLE: [(&str, &str); 5] = [
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
    ("tc", "iproute2"),
    ("nft", "nftables"),
    ("kamailio", "kamailio"),
];
/// What drives real clients in `cargo xtask interop`.
const CLIENTS: [(&str, &str); 6] = [
    ("finch", "finch"),
    ("tmux", "tmux"),
    ("dbus-daemon", "dbus"),
    ("gdbus", "libglib2.0-bin"),
    ("xml2-config", "libxml2-dev"),
    ("cc", "gcc"),
];

/// Finds or installs the SIP programs of others that the tests talk to, and what makes trouble for them.
///
/// # Errors
/// One line for what is missing and cannot be installed.
pub fn peers() -> Result<()> {
    programs(&PEERS)?;
    without_service("kamailio", || programs(&TROUBLE))?;
    library("faketime/libfaketimeMT.so.1", "libfaketime")?;
    library("kamailio/modules/tls.so", "kamailio-tls-modules")
}

/// Finds or installs a library whose directory has the machine's name in it.
fn library(file: &str, package: &str) -> Result<()> {
    let mut places = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    if places.any(|d| d.path().join(file).exists()) {
        return Ok(());
    }
    apt_install(&[package]).with_context(|| format!("{package} is missing"))
}

/// Finds or installs what the tests with real clients need.
///
/// # Errors
/// As [`peers`].
pub fn clients() -> Result<()> {
    programs(&CLIENTS)?;
    let plugin = Path::new("/usr/lib/purple-2/libsipe.so");
    if plugin.exists() { Ok(()) } else { apt_install(&["pidgin-sipe"]).context("pidgin-sipe is missing") }
}

/// Finds or installs the group chat that `cargo xtask bench` measures beside ours.
///
/// # Errors
/// As [`peers`].
pub fn other_chat() -> Result<()> {
    without_service("prosody", || programs(&[("prosody", "prosody")]))
}

/// Finds or installs what libFuzzer is built with.
///
/// # Errors
/// As [`peers`].
pub fn compiler() -> Result<()> {
    programs(&[("c++", "g++")])
}

/// Installs while a service of this name can neither start nor begin with the machine: the tests start their own.
fn without_service(name: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    if find(name).is_some() || find("systemctl").is_none() {
        return install();
    }
    // Where systemd does not run there is nothing to hold back, and these say so.
    let ask = |act: &str| drop(capture(program("systemctl").args([act, name])));
    ask("mask");
    let done = install();
    ask("unmask");
    ask("disable");
    done
}

fn programs(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<_> = wanted.iter().filter(|(name, _)| find(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    apt_install(&packages).with_context(|| format!("missing: {}", names.join(", ")))?;
    match names.iter().find(|name| find(name).is_none()) {
        Some(name) => bail!("the packages {} brought no program {name}", packages.join(", ")),
        None => Ok(()),
    }
}

fn tool(variable: &str, name: &str, package: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        if !path.is_file() {
            bail!("{variable} names {}, which is not there", path.display());
        }
        return Ok(path);
    }
    if let Some(path) = find(name) {
        return Ok(path);
    }
    apt_install(&[package])
        .with_context(|| format!("{name} is missing; install it or name it in {variable}"))?;
    find(name).with_context(|| format!("package {package} brought no program {name}"))
}

/// Installs Debian packages.
///
/// # Errors
/// This is not Debian, not root (the message has the command to run), or apt-get failed.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !Path::new("/etc/debian_version").exists() || find("apt-get").is_none() {
        bail!(
            "this is not a Debian system, nothing was installed (Debian's packages: {})",
            packages.join(", ")
        );
    }
    if capture(program("id").arg("-u"))?.trim() != "0" {
        bail!("root can install it: {line}");
    }
    let apt = || {
        let mut command = program("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    run(apt().args(["update", "-q"]))?;
    run(apt().args(["install", "-y", "-q", "--no-install-recommends"]).args(packages))
}

/// Schemathesis from PyPI, in an environment of its own in target/tools.
///
/// # Errors
/// No Python that makes environments, or PyPI does not answer.
pub fn schemathesis() -> Result<PathBuf> {
    let kept = target_dir().join("tools").join(format!("schemathesis-{SCHEMATHESIS_VERSION}"));
    let tool = kept.join("bin").join("schemathesis");
    if tool.is_file() {
        return Ok(tool);
    }
    // An environment knows its own path, so it is made where it stays; one that was not finished is made anew.
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    let make = || run(program("python3").args(["-m", "venv"]).arg(&kept));
    if find("python3").is_none() || make().is_err() {
        apt_install(&["python3-venv"]).context("python3 makes no environment; install python3-venv")?;
        make()?;
    }
    let mut pip = program(kept.join("bin").join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    run(pip.arg(format!("schemathesis=={SCHEMATHESIS_VERSION}")))
        .context("schemathesis cannot be had from PyPI; name it in SCHEMATHESIS")?;
    if tool.is_file() { Ok(tool) } else { bail!("PyPI's schemathesis brought no program") }
}

/// axe-core from the npm registry, kept in target/tools.
fn axe() -> Result<PathBuf> {
    let tools = target_dir().join("tools");
    let kept = tools.join(format!("axe-core-{AXE_VERSION}"));
    let script = kept.join("package").join("axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    if find("npm").is_none() {
        apt_install(&["npm"]).context("npm is missing; install it or name axe.min.js in AXE_JS")?;
    }
    let fresh = tools.join("axe-core.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    let answer = capture(program("npm").current_dir(&fresh).args([
        "pack",
        "--json",
        "--ignore-scripts",
        &format!("axe-core@{AXE_VERSION}"),
    ]))
    .context("axe-core cannot be had from the npm registry; name axe.min.js in AXE_JS")?;
    let archive = packed(&answer)?;
    run(program("tar").arg("-xzf").arg(fresh.join(archive)).arg("-C").arg(&fresh))?;
    fs::rename(&fresh, &kept)?;
    Ok(script)
}

/// The archive that `npm pack --json` wrote, when it is the pinned one.
fn packed(answer: &str) -> Result<String> {
    let answer: Value = serde_json::from_str(answer).context("npm pack did not answer in JSON")?;
    let entry = match &answer {
        Value::Array(list) => list.first(),
        // npm 12 answers with an object by package name.
        Value::Object(by_name) => by_name.values().next(),
        _ => None,
    }
    .context("npm pack named no archive")?;
    if entry["integrity"] != AXE_INTEGRITY {
        bail!("axe-core {AXE_VERSION} has integrity {}, expected {AXE_INTEGRITY}", entry["integrity"]);
    }
    entry["filename"].as_str().map(str::to_owned).context("npm pack named no archive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_pinned_archive_only() {
        let answer =
            |integrity: &str| format!(r#"[{{"filename":"axe-core.tgz","integrity":"{integrity}"}}]"#);
        assert_eq!(packed(&answer(AXE_INTEGRITY)).unwrap(), "axe-core.tgz");
        assert!(packed(&answer("sha512-other")).unwrap_err().to_string().contains("expected"));
        assert!(packed("[]").is_err());
    }
}
