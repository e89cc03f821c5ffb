//! The real `lifeguard node` on a data directory of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::process::Process;
use crate::server::{Options, binary};

/// A running `lifeguard node`, killed when dropped; its data directory goes with it.
pub struct Node {
    process: Process,
    data: TempDir,
    listen: String,
}

impl Node {
    /// Starts it on a fresh data directory with a token to join.
    ///
    /// # Errors
    /// It ends before it has joined; the message shows what it printed.
    pub async fn join(portal: &str, token: &str, listen: &str) -> Result<Self> {
        let data = TempDir::with_prefix("lifeguard-node-")?;
        let process = launch(data.path(), listen, &["--join", portal, "--token", token]).await?;
        Ok(Self { process, data, listen: listen.to_owned() })
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Sends it a signal, for example `STOP` or `CONT`.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, name: &str) -> Result<()> {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status()?;
        ensure!(sent.success(), "the signal {name} was not taken");
        Ok(())
    }

    /// Starts it again with what it has on its disk; one that still runs is killed first.
    ///
    /// # Errors
    /// It ends before it knows who it is.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = launch(self.data.path(), &self.listen, &[]).await?;
        Ok(())
    }

    /// Asks it to end and waits.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn terminate(&mut self) -> Result<()> {
        self.process.terminate().await.map(drop)
    }

    /// Waits until it has printed a line with this beginning.
    ///
    /// # Errors
    /// It does not come in time, or the node ended.
    pub async fn line(&self, beginning: &str) -> Result<String> {
        self.process.line(beginning, |line| Some(line.strip_prefix(beginning)?.trim().to_owned())).await
    }

    /// The last lines that it printed, for failure messages.
    pub fn printed(&self) -> String {
        self.process.printed()
    }
}

async fn launch(data: &Path, listen: &str, more: &[&str]) -> Result<Process> {
    let mut command = Command::new(binary(&Options::default())?);
    command.arg("node").arg("--data-dir").arg(data).args(["--listen", listen]).args(more);
    let process = Process::start(&mut command)?;
    let name = |line: &str| line.strip_prefix("node name=").map(str::to_owned);
    process.line("node name=", name).await.context("lifeguard node")?;
    Ok(process)
}
