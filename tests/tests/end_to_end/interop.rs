//! Programs that we did not write speak to the service: SIPp and sipsak. The clients with a window of their
//! own stand in `finch.rs`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

use crate::support::{Sample, User};

/// Files that the foreign programs are given.
pub fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// The TCP listener of the Front End in Redmond.
pub async fn front_end(s: &Sample) -> Result<SocketAddr> {
    let (_, o) = s.client.get("/api/v1/overview").await?;
    let all = o["front_ends"].as_array().context("no Front Ends")?;
    let fe = all.iter().find(|f| f["fqdn"] == "atl-fes-001.litwareinc.com").context("no Front End")?;
    Ok(fe["listens"][1].as_str().context("no TCP listener")?.parse()?)
}

/// Runs a program to its end; a program that is not there fails the test.
async fn run(mut c: Command) -> Result<Output> {
    let name = format!("{:?}", c.get_program());
    c.stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || c.output()).await?;
    ran.with_context(|| format!("{name} does not start: cargo xtask test installs it"))
}

async fn sipp(at: SocketAddr, scenario: &str, user: &User, password: &str, calls: u32) -> Result<Output> {
    let place = tempfile::tempdir()?;
    let name = user.logon.rsplit('\\').next().unwrap_or_default();
    let mut c = Command::new("sipp");
    c.current_dir(place.path())
        .arg(at.to_string())
        .args(["-t", "t1", "-i", "127.0.0.1", "-nostdin", "-timeout", "20s", "-timeout_error", "-r", "5"])
        .arg("-sf")
        .arg(files().join(scenario))
        .args(["-key", "user", name, "-key", "domain", "litwareinc.com", "-au", name, "-ap", password])
        .args(["-key", "lookup", "gc-lookup-atl-cs-001.litwareinc.com", "-m", &calls.to_string()]);
    run(c).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sipp_signs_on_and_asks_the_lookup_service() -> Result<()> {
    let s = Sample::start().await?;
    let at = front_end(&s).await?;
    let text = |o: &Output| String::from_utf8_lossy(&o.stdout).into_owned();
    let out = sipp(at, "register.xml", &s.users[0], &s.users[0].password, 1).await?;
    ensure!(out.status.success(), "registration: {}", text(&out));
    let out = sipp(at, "lookup.xml", &s.users[1], &s.users[1].password, 10).await?;
    ensure!(out.status.success(), "an XCCOS session: {}", text(&out));
    let out = sipp(at, "register.xml", &s.users[0], "not the password", 1).await?;
    ensure!(!out.status.success(), "a wrong password is no registration: {}", text(&out));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sipsak_gets_an_answer_to_options() -> Result<()> {
    let s = Sample::start().await?;
    let mut c = Command::new("sipsak");
    c.args(["-v", "-E", "tcp", "-s"]).arg(format!("sip:{}", front_end(&s).await?));
    let out = run(c).await?;
    let said = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success() && said.contains("SIP/2.0 200 OK") && said.contains("Allow: "), "{said}");
    Ok(())
}
