//! The real server on a data directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::client::Client;
use crate::process::Process;
use crate::target_dir;

/// How to start the server.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// Deployment to begin with (`--sample`), e.g. `litware`.
    pub sample: Option<&'static str>,
    /// More arguments of `lifeguard serve`.
    pub args: Vec<String>,
    /// More variables of its environment.
    pub env: Vec<(String, String)>,
    /// A server other than the built one, e.g. an older release.
    pub binary: Option<PathBuf>,
}

impl Options {
    /// Begins with the sample deployment *Litware*.
    pub fn litware() -> Self {
        Self { sample: Some("litware"), ..Self::default() }
    }
}

/// A running `lifeguard serve`, killed when dropped; its data directory goes with it.
pub struct Server {
    process: Process,
    options: Options,
    url: String,
    data: TempDir,
}

impl Server {
    /// Starts it on a fresh data directory and a free port, and waits until it listens.
    ///
    /// # Errors
    /// It is not built, or ends before it listens; the message shows what it printed.
    pub async fn start(options: Options) -> Result<Self> {
        let data = TempDir::with_prefix("lifeguard-")?;
        let (process, url) = launch(&options, data.path(), "127.0.0.1:0").await?;
        Ok(Self { process, options, url, data })
    }

    /// Where the portal is, without a slash at the end, e.g. `http://127.0.0.1:40123`. Stays the same over
    /// [`Self::restart`].
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A client without a session.
    ///
    /// # Errors
    /// None in practice; reqwest may refuse its settings.
    pub fn client(&self) -> Result<Client> {
        Client::new(&self.url)
    }

    /// The one-time token for the first administrator, which a fresh server prints.
    ///
    /// # Errors
    /// It prints none in time.
    pub async fn setup_token(&self) -> Result<String> {
        self.line("setup token=").await
    }

    /// Waits for a line of standard output with this beginning and returns the rest of it.
    ///
    /// # Errors
    /// It does not come in time, or the server ended.
    pub async fn line(&self, beginning: &str) -> Result<String> {
        self.process.line(beginning, |line| Some(line.strip_prefix(beginning)?.trim().to_owned())).await
    }

    /// The last lines that it printed, for failure messages.
    pub fn printed(&self) -> String {
        self.process.printed()
    }

    /// All that it printed since its last start: what must not be there is looked for in this.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Ends it at once, as a power cut would.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Asks it to end and waits.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.terminate().await
    }

    /// Starts it again on the same data directory and port; one that still runs is killed first.
    ///
    /// # Errors
    /// It ends before it listens.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.kill();
        let address = self.url.trim_start_matches("http://").to_owned();
        let (process, url) = launch(&self.options, self.data.path(), &address).await?;
        (self.process, self.url) = (process, url);
        Ok(())
    }
}

async fn launch(options: &Options, data: &Path, listen: &str) -> Result<(Process, String)> {
    let mut command = Command::new(binary(options)?);
    command.arg("serve").arg("--data-dir").arg(data).args(["--listen", listen]);
    if let Some(sample) = options.sample {
        command.args(["--sample", sample]);
    }
    command.args(&options.args).envs(options.env.iter().cloned());
    let process = Process::start(&mut command)?;
    let url = process
        .line("listening url=", |line| Some(line.strip_prefix("listening url=")?.trim().to_owned()))
        .await
        .context("lifeguard serve")?;
    Ok((process, url.trim_end_matches('/').to_owned()))
}

pub(crate) fn binary(options: &Options) -> Result<PathBuf> {
    let built = || std::env::var_os("LIFEGUARD_BIN").map(PathBuf::from);
    let path =
        options.binary.clone().or_else(built).unwrap_or_else(|| target_dir().join("debug").join("lifeguard"));
    path.canonicalize()
        .with_context(|| format!("no server at {}: `cargo xtask build` makes it", path.display()))
}
