//! Telling slow from silent: work on the share counts what it moves, and a share that moves nothing for
//! longer than the patience is said not to answer. Nobody waits for it any longer than that.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::ShipError;

/// Bytes between two syncs of a file that is being written. One sync of many gigabytes at the end would move
/// nothing for longer than the patience.
const PIECE: u64 = 16 * 1024 * 1024;

/// How long a share may move nothing before nobody waits for it any more.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What a piece of work on the share has moved so far.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Something was read, written or answered.
    pub fn moved(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something moved.
    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Watches it from now on.
    pub fn watch(&self) -> Watch {
        Watch { progress: self.clone(), seen: (self.0.load(Ordering::Relaxed), Instant::now()) }
    }
}

/// A file that is written and synced in pieces, each of which counts as progress.
#[derive(Debug)]
pub struct Steady<'a> {
    file: File,
    unsynced: u64,
    progress: &'a Progress,
}

impl<'a> Steady<'a> {
    /// Over a file that is to be written.
    pub fn new(file: File, progress: &'a Progress) -> Self {
        Self { file, unsynced: 0, progress }
    }

    /// Syncs what is left.
    pub fn finish(self) -> std::io::Result<()> {
        self.file.sync_all()?;
        self.progress.moved();
        Ok(())
    }
}

impl Write for Steady<'_> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(buf)?;
        self.progress.moved();
        self.unsynced += n as u64;
        if self.unsynced >= PIECE {
            self.file.sync_data()?;
            self.progress.moved();
            self.unsynced = 0;
        }
        Ok(n)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Steady<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

/// Sees whether a [`Progress`] stands still.
#[derive(Debug)]
pub struct Watch {
    progress: Progress,
    seen: (u64, Instant),
}

impl Watch {
    /// How long nothing has moved.
    pub fn still_for(&mut self) -> Duration {
        let now = self.progress.0.load(Ordering::Relaxed);
        if now != self.seen.0 {
            self.seen = (now, Instant::now());
        }
        self.seen.1.elapsed()
    }
}

/// Shares on which a call hangs, with what it was for.
static HANGING: Mutex<Vec<(std::path::PathBuf, &'static str)>> = Mutex::new(Vec::new());

/// Does work on a share in a thread of its own and waits for it while it moves. One that hangs is left
/// behind; until it comes back, the same work on the same share is refused at once. What it does when it
/// comes back late must do no harm.
///
/// # Errors
/// [`ShipError::Silent`], or what the work returns.
pub fn within<T: Send + 'static>(
    share: &Path,
    what: &'static str,
    patience: Duration,
    work: impl FnOnce(&Progress) -> Result<T, ShipError> + Send + 'static,
) -> Result<T, ShipError> {
    let key = (share.to_owned(), what);
    let hanging = || HANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let silent = || ShipError::Silent(share.display().to_string());
    {
        let mut all = hanging();
        if all.contains(&key) {
            return Err(silent());
        }
        all.push(key.clone());
    }
    let progress = Progress::default();
    let mut watch = progress.watch();
    let (done, answer) = mpsc::sync_channel(1);
    let mine = key.clone();
    let begun = std::thread::Builder::new().name("mgc-share".to_owned()).spawn(move || {
        let result = work(&progress);
        hanging().retain(|k| *k != mine);
        // Nobody waits any more when it was late.
        let _ = done.send(result);
    });
    if let Err(e) = begun {
        hanging().retain(|k| *k != key);
        return Err(super::io(share)(e));
    }
    loop {
        match answer.recv_timeout(patience / 4) {
            Ok(result) => return result,
            Err(mpsc::RecvTimeoutError::Timeout) if watch.still_for() < patience => {}
            Err(mpsc::RecvTimeoutError::Timeout) => return Err(silent()),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                hanging().retain(|k| *k != key);
                return Err(ShipError::Diverged("the work on the share ended with a panic".to_owned()));
            }
        }
    }
}
