//! A program whose output lines can be waited for, ended when dropped.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use tokio::sync::watch;

use crate::wait;

/// Lines of the end of the output that a failure message shows.
const SHOWN: usize = 40;

/// A running program.
pub struct Process {
    child: Child,
    out: watch::Receiver<Vec<String>>,
    err: watch::Receiver<Vec<String>>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let out = lines(child.stdout.take().context("no pipe for standard output")?);
        let err = lines(child.stderr.take().context("no pipe for standard error")?);
        Ok(Self { child, out, err })
    }

    /// Waits for a line of standard output of which `pick` makes something; lines already printed count.
    ///
    /// # Errors
    /// The program ended or the line did not come in time; the message shows what it printed.
    pub async fn line<T>(&self, what: &str, pick: impl Fn(&str) -> Option<T>) -> Result<T> {
        let (mut out, mut err) = (self.out.clone(), self.err.clone());
        let found = async {
            loop {
                if let Some(value) = out.borrow_and_update().iter().find_map(|line| pick(line)) {
                    return Some(value);
                }
                if out.changed().await.is_err() {
                    // The cause may come last, on the other stream; and a last line together with the end.
                    while err.changed().await.is_ok() {}
                    return out.borrow().iter().find_map(|line| pick(line));
                }
            }
        };
        match tokio::time::timeout(wait::LIMIT, found).await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => {
                bail!("ended before it printed {what}\n{}", self.printed())
            }
            Err(_) => bail!("did not print {what} in {} s\n{}", wait::LIMIT.as_secs(), self.printed()),
        }
    }

    /// The last lines that it printed.
    pub fn printed(&self) -> String {
        let tail = |lines: &watch::Receiver<Vec<String>>| {
            let lines = lines.borrow();
            lines[lines.len().saturating_sub(SHOWN)..].join("\n")
        };
        format!("-- standard output\n{}\n-- standard error\n{}", tail(&self.out), tail(&self.err))
    }

    /// All that it printed.
    pub fn output(&self) -> String {
        format!("{}\n{}", self.out.borrow().join("\n"), self.err.borrow().join("\n"))
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once (SIGKILL), as a power cut would.
    pub fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("cannot start kill")?;
        wait::until("the end of the program", async || self.child.try_wait()?.context("it still runs")).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Collects lines on a thread of its own; the channel closes when the stream ends.
fn lines(stream: impl Read + Send + 'static) -> watch::Receiver<Vec<String>> {
    let (send, receive) = watch::channel(Vec::new());
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            send.send_modify(|lines| lines.push(line));
        }
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[tokio::test]
    async fn a_line_is_waited_for_and_may_have_come_before() {
        let process = shell("echo starting; echo port=7; exec tail -f /dev/null");
        let port = |line: &str| line.strip_prefix("port=")?.parse::<u16>().ok();
        assert_eq!(process.line("its port", port).await.unwrap(), 7);
        assert_eq!(process.line("its port", port).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn the_end_of_a_program_ends_the_wait_and_shows_what_it_printed() {
        let process = shell("echo so far; echo the cause >&2; exit 3");
        let error =
            process.line("more", |line| (line == "more").then_some(())).await.unwrap_err().to_string();
        assert!(error.starts_with("ended before it printed more"), "{error}");
        assert!(error.contains("so far") && error.contains("the cause"), "{error}");
    }

    #[tokio::test]
    async fn a_program_is_asked_to_end() {
        let mut process = shell("trap 'exit 5' TERM; echo ready; tail -f /dev/null --pid=$$ & wait");
        process.line("ready", |line| (line == "ready").then_some(())).await.unwrap();
        assert_eq!(process.terminate().await.unwrap().code(), Some(5));
    }
}
