//! A ChromeDriver on a free port.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::Process;

/// How long the browsers are given to close.
const CLOSING: Duration = Duration::from_secs(10);

/// A running ChromeDriver, ended when dropped, its browsers with it.
pub struct ChromeDriver {
    _process: Process,
    port: u16,
}

impl ChromeDriver {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub async fn start() -> Result<Self> {
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let process = Process::start(Command::new(program).arg("--port=0"))
            .context("ChromeDriver is needed: `cargo xtask tools` installs it")?;
        let port: u16 = process.line("its port", port).await.context("ChromeDriver")?;
        Ok(Self { _process: process, port })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks it to close its browsers and end; without that they would outlive it.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(CLOSING))?;
        write!(
            stream,
            "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.port
        )?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            eprintln!("ChromeDriver does not shut down ({error}); it is killed");
        }
    }
}

/// Reads `ChromeDriver was started successfully on port 40123.`; a line before it names the port asked for, 0.
fn port(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once(" on port ")?;
    rest.trim_end().trim_end_matches('.').parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_port_is_read_from_the_line_that_says_it_started() {
        assert_eq!(super::port("ChromeDriver was started successfully on port 40123."), Some(40123));
        assert_eq!(super::port("Starting ChromeDriver 156.0 (abc) on port 0"), None);
        assert_eq!(super::port("Only local connections are allowed."), None);
    }
}
