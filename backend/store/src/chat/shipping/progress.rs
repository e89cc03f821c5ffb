//! Telling slow from silent: work on the share counts what it moves, and a share that moves nothing for
//! longer than the patience is said not to answer. Nobody waits for it any longer than that.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
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

/// Work on a share that is under way.
struct Under {
    share: std::path::PathBuf,
    what: &'static str,
    /// Nobody waits for it any more.
    late: bool,
}

static UNDER: Mutex<Vec<Under>> = Mutex::new(Vec::new());
/// Something of it has ended, or is late.
static ENDED: Condvar = Condvar::new();

/// The work that is under way on a share; taken off the list when it ends.
struct Entry(std::path::PathBuf, &'static str);

impl Entry {
    /// Waits while somebody else does the same and it may still end; the share does not answer when it is late,
    /// or takes longer than the patience.
    fn new(share: &Path, what: &'static str, patience: Duration) -> Option<Self> {
        let asked = Instant::now();
        let mut all = UNDER.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match all.iter().find(|u| u.what == what && u.share == share) {
                None => {
                    all.push(Under { share: share.to_owned(), what, late: false });
                    return Some(Self(share.to_owned(), what));
                }
                Some(same) if same.late || asked.elapsed() >= patience => return None,
                Some(_) => {}
            }
            let left = patience.saturating_sub(asked.elapsed());
            all = ENDED.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn late(share: &Path, what: &'static str) {
        let mut all = UNDER.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter_mut().filter(|u| u.what == what && u.share == share).for_each(|u| u.late = true);
        ENDED.notify_all();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut all = UNDER.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|u| u.what != self.1 || u.share != self.0);
        ENDED.notify_all();
    }
}

/// Does work on a share in a thread of its own and waits for it while it moves. One that hangs is left
/// behind; until it comes back, the same work on the same share is refused at once. What it does when it
/// comes back late must do no harm. The same work of somebody else is waited for before, so long as it is not late.
///
/// # Errors
/// [`ShipError::Silent`], or what the work returns.
pub fn within<T: Send + 'static>(
    share: &Path,
    what: &'static str,
    patience: Duration,
    work: impl FnOnce(&Progress) -> Result<T, ShipError> + Send + 'static,
) -> Result<T, ShipError> {
    let silent = || ShipError::Silent(share.display().to_string());
    let entry = Entry::new(share, what, patience).ok_or_else(silent)?;
    let progress = Progress::default();
    let mut watch = progress.watch();
    let (done, answer) = mpsc::sync_channel(1);
    let begun = std::thread::Builder::new().name("mgc-share".to_owned()).spawn(move || {
        let result = work(&progress);
        drop(entry);
        // Nobody waits any more when it was late.
        let _ = done.send(result);
    });
    begun.map_err(super::io(share))?;
    loop {
        match answer.recv_timeout(patience / 4) {
            Ok(result) => return result,
            Err(mpsc::RecvTimeoutError::Timeout) if watch.still_for() < patience => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Entry::late(share, what);
                return Err(silent());
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(ShipError::Diverged("the work on the share ended with a panic".to_owned()));
            }
        }
    }
}
