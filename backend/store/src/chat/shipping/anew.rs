//! Asking for a whole copy. A side that cannot apply the chain any more, because a segment is gone or damaged,
//! its file was touched or its disk replaced, puts a file `whole-N` into the share: both sides reach that, also
//! when they are in two processes. The backup job of epoch N sees it and begins again with a base; the file is
//! deleted once the base is there. Less than [`PAUSE`] after a base nothing is asked for: a share that damages
//! each of them is not filled with them.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{PATIENCE, ShipError, io, list, segment, sync_dir, within};

/// Between two whole copies that are asked for. Both times are the share's own.
const PAUSE: Duration = Duration::from_mins(10);

fn place(share: &Path, epoch: u64) -> PathBuf {
    share.join(format!("whole-{epoch}"))
}

/// Asks the backup job of `epoch` for a whole copy; whether it is asked for now, or not yet because the last
/// one is too young.
///
/// # Errors
/// I/O.
pub fn ask(share: &Path, epoch: u64, why: &str) -> Result<bool, ShipError> {
    let path = place(share, epoch);
    if path.exists() {
        return Ok(true);
    }
    let tmp = share.join(format!("whole-{epoch}.{}.tmp", std::process::id()));
    let asked = (|| {
        let file = File::create(&tmp).map_err(io(&tmp))?;
        let now = file.metadata().and_then(|m| m.modified()).map_err(io(&tmp))?;
        if young(share, epoch, now)? {
            return Ok(false);
        }
        // A reason that finds no room is no reason not to ask.
        let _ = (&file).write_all(why.as_bytes());
        std::fs::rename(&tmp, &path).map_err(io(&path))?;
        tracing::warn!(share = %share.display(), epoch, why, "a whole copy was asked for");
        sync_dir(share).map(|()| true)
    })();
    if asked != Ok(true) {
        let _ = std::fs::remove_file(&tmp);
    }
    asked
}

/// Whether the newest base of the epoch was made just before `now`.
fn young(share: &Path, epoch: u64, now: SystemTime) -> Result<bool, ShipError> {
    for (_, _, path) in list(share)?.into_iter().rev().filter(|(e, ..)| *e == epoch) {
        let made = std::fs::metadata(&path).and_then(|m| m.modified()).map_err(io(&path))?;
        // The clock may have been set back since, and is not exact to the millisecond.
        if now.duration_since(made).unwrap_or_else(|e| e.duration()) >= PAUSE {
            return Ok(false); // and what is before it is older
        }
        if segment::peek(&path).is_ok_and(|h| h.prev.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Why a whole copy is asked for, if one is.
pub(super) fn asked(share: &Path, epoch: u64) -> Option<String> {
    let path = place(share, epoch);
    path.exists().then(|| std::fs::read_to_string(path).unwrap_or_default())
}

/// There is one.
pub(super) fn answered(share: &Path, epoch: u64) {
    if let Err(e) = std::fs::remove_file(place(share, epoch))
        && e.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(share = %share.display(), cause = %e, "what was asked for could not be taken away");
    }
}

/// What is done about an error of copy or restore, in sentences: a chain that cannot be gone on with is begun
/// anew with a whole copy; anything else is only tried again.
pub fn heal(share: &Path, epoch: u64, e: &ShipError) -> String {
    let cause = match e {
        ShipError::Diverged(text) => text.clone(),
        ShipError::Gap { .. } | ShipError::Forked { .. } | ShipError::Corrupt { .. } => e.to_string(),
        ShipError::Fenced(_) | ShipError::Silent(_) | ShipError::Io { .. } => return e.to_string(),
    };
    let (from, why) = (share.to_owned(), cause.clone());
    let next = match within(share, "ask for a whole copy", PATIENCE, move |_| ask(&from, epoch, &why)) {
        Ok(true) => "Log shipping begins again with a whole copy.".to_owned(),
        Ok(false) => {
            "Log shipping begins again with a whole copy ten minutes after the last one at the earliest."
                .to_owned()
        }
        Err(e) => format!("A whole copy is needed and cannot be asked for: {e}."),
    };
    format!("{cause}. {next}")
}
