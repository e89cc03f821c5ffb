//! Tests that need a network or mounts of their own: such a test runs itself again, in namespaces that end
//! with it. There the loopback interface, its packet filter and every mount are the test's alone.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

const INSIDE: &str = "LIFEGUARD_TEST_APART";

/// Whether this is the run inside. The first call of the outer run starts that one, and gives its failure;
/// `name` is the test as the test program lists it.
pub async fn inside(name: &'static str) -> Result<bool> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(true);
    }
    let run = move || -> Result<()> {
        let root = output(Command::new("id").arg("-u"))?.trim() == "0";
        let mut c = Command::new("unshare");
        if !root {
            c.args(["--user", "--map-root-user"]);
        }
        c.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        // Mounts made inside stay there.
        c.args(["--propagation", "private", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
        c.arg(std::env::current_exe()?).args(["--exact", name, "--nocapture"]);
        let out = c.env(INSIDE, "1").stdin(Stdio::null()).output().context("cannot start unshare")?;
        let said = String::from_utf8_lossy(&out.stdout);
        let more = String::from_utf8_lossy(&out.stderr);
        ensure!(
            out.status.success() && said.contains("test result: ok. 1 passed"),
            "{name} in namespaces of its own (needs root or user namespaces, unshare and ip): {}\n{said}\n{more}",
            out.status
        );
        Ok(())
    };
    tokio::task::spawn_blocking(run).await??;
    Ok(false)
}

/// Runs a program that must succeed; what it printed.
pub fn output(c: &mut Command) -> Result<String> {
    let what = format!("{c:?}");
    let out = c.stdin(Stdio::null()).output().with_context(|| format!("cannot start {what}"))?;
    ensure!(out.status.success(), "{what}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// A line of the shell that must succeed, inside only.
pub fn sh(line: &str) -> Result<String> {
    ensure!(std::env::var_os(INSIDE).is_some(), "not in namespaces of its own: {line}");
    output(Command::new("sh").args(["-c", line]))
}

/// The filter's rules for what comes in are these, and no others.
pub fn filter(rules: &[String]) -> Result<()> {
    let mut all = vec![
        "add table ip lifeguard".to_owned(),
        "add chain ip lifeguard in { type filter hook input priority 0 ; }".to_owned(),
        "flush table ip lifeguard".to_owned(),
    ];
    all.extend(rules.iter().map(|r| format!("add rule ip lifeguard in {r}")));
    sh(&format!("nft '{}'", all.join("; "))).map(drop)
}
