//! `cargo xtask bench`: sizes, cold start, memory. Numbers to compare between two commits on one machine.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::exec::{program, target_dir};
use crate::site::Manifest;
use crate::{server, tools};

/// How long a start may take before it is called failed.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Idle is when the server has said nothing for this long.
const QUIET: Duration = Duration::from_secs(5);

/// Prints the page's sizes and, when the server is built, its size, cold start and idle memory.
///
/// # Errors
/// No page was built, or the server does not start.
pub fn run(release: bool) -> Result<()> {
    println!("{}\n", Manifest::read()?.table());
    let binary = server::path(release);
    if !binary.is_file() {
        println!("{} is not built: no measurement of the server", binary.display());
        return Ok(());
    }
    println!("{:<34}{:>12} bytes", "server", fs::metadata(&binary)?.len());
    let data = target_dir().join("bench-data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    for label in ["first start (new data)", "second start"] {
        let start = Instant::now();
        let running = Running::start(&binary, &data)?;
        running.wait_healthy(start)?;
        println!("{label:<34}{:>12.1} ms to 200 on /healthz", start.elapsed().as_secs_f64() * 1e3);
        running.wait_quiet()?;
        println!("{:<34}{:>12} kB resident when idle", "", running.resident_kb()?);
    }
    fs::remove_dir_all(&data).context("cannot remove the data of the measurement")?;
    measure(&binary, "load", release)?;
    measure(&binary, "viewers", release)?;
    measure(&binary, "shipping", release)?;
    measure(&binary, "rights", release)?;
    measure(&binary, "scale", release)?;
    tools::other_chat()?;
    measure(&binary, "chat", release)
}

/// Runs a measurement of the tests: `load` has requests, the shared page and the test message under load,
/// beside what a bare handler does; `viewers` those of a shared page; `shipping` what log shipping and mirror
/// cost and how long a run takes; `scale` has large topologies; `rights` has tens of thousands of rooms with
/// their lists; `chat` the chat service beside an XMPP server's group chat.
fn measure(binary: &Path, name: &str, release: bool) -> Result<()> {
    let mut cargo = program("cargo");
    cargo.args(["run", "--quiet", "--package", "lifeguard-tests", "--bin", name]);
    if release {
        cargo.arg("--release");
    }
    let status = cargo.env("LIFEGUARD_BIN", binary).status().context("cannot run the measurement")?;
    if !status.success() {
        bail!("the measurement {name} failed");
    }
    Ok(())
}

/// A server that is stopped when dropped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(binary: &Path, data: &Path) -> Result<Self> {
        let mut child = program(binary)
            .arg("serve")
            .arg("--data-dir")
            .arg(data)
            .args(["--listen", "127.0.0.1:0", "--sample", "litware"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let output = child.stdout.take().context("no pipe to the server")?;
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Waits for the line with the address, then asks for /healthz.
    fn wait_healthy(&self, start: Instant) -> Result<()> {
        loop {
            let left = START_LIMIT.saturating_sub(start.elapsed());
            let line = self.lines.recv_timeout(left).context("the server did not say where it listens")?;
            let Some(url) = line.strip_prefix("listening url=http://") else { continue };
            let address = url.trim_end_matches('/');
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(START_LIMIT))?;
            write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            if !answer.starts_with("HTTP/1.1 200 ") {
                bail!("/healthz answered {:?}", answer.lines().next().unwrap_or_default());
            }
            return Ok(());
        }
    }

    /// Waits until the server has been silent for a while.
    fn wait_quiet(&self) -> Result<()> {
        loop {
            match self.lines.recv_timeout(QUIET) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended"),
            }
        }
    }

    /// Resident memory, from Linux' /proc.
    fn resident_kb(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing can be done about a process that ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
