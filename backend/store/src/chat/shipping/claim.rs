//! Claims of epochs: a file `epoch-N` in the share that names its claimant. It is written under another name
//! and linked to its own, so a claim is there whole or not at all: neither a full share nor a kill leaves one
//! that names nobody.
//!
//! Older programs created the file first and wrote it then. A claim without a name that they left behind is
//! nobody's: whoever links `epoch-N.again` first has it. The nameless file stays and fences as before.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{ShipError, io, sync_dir};

/// Claims an epoch in the share; whoever comes second is told that it is taken.
///
/// # Errors
/// [`ShipError::Fenced`] when it is taken by another claimant.
pub fn claim(share: &Path, epoch: u64, who: &str) -> Result<(), ShipError> {
    claim_by(share, epoch, who, &|f| f.write_all(who.as_bytes()))
}

/// The same with another way to write the file, for tests.
pub(super) fn claim_by(
    share: &Path,
    epoch: u64,
    who: &str,
    write: &dyn Fn(&mut File) -> std::io::Result<()>,
) -> Result<(), ShipError> {
    super::make_folder(share)?;
    let path = share.join(format!("epoch-{epoch}"));
    // The same claimant again (after a kill) is no conflict, and needs no room in the share.
    let nameless = match named(&path)? {
        Some(by) if by.is_empty() => true,
        Some(by) => return verdict(share, epoch, by == who),
        None => false,
    };
    let target = if nameless { share.join(format!("epoch-{epoch}.again")) } else { path.clone() };
    let mut by = if nameless { named(&target)? } else { None };
    if by.is_none() {
        let (tmp, mut file) = temporary(share, epoch)?;
        let written = write(&mut file).and_then(|()| file.sync_all()).map_err(io(&tmp));
        let linked = written.and_then(|()| match std::fs::hard_link(&tmp, &target) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(io(&target)(e)),
            _ => named(&target),
        });
        let _ = std::fs::remove_file(&tmp);
        by = linked?;
    }
    // An older program that was only slow to write its name was the first.
    if nameless && let Some(first) = named(&path)?.filter(|b| !b.is_empty()) {
        by = Some(first);
    }
    verdict(share, epoch, by.as_deref() == Some(who))
}

fn verdict(share: &Path, epoch: u64, mine: bool) -> Result<(), ShipError> {
    if mine { sync_dir(share) } else { Err(ShipError::Fenced(epoch)) }
}

/// Who a claim names; nobody when a kill or a full disk left it empty.
fn named(path: &Path) -> Result<Option<String>, ShipError> {
    match std::fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        r => r.map_err(io(path)).map(|b| {
            let text = String::from_utf8_lossy(&b);
            // Some file systems give a file its length before its bytes.
            Some(text.trim_matches('\0').to_owned())
        }),
    }
}

/// A file of nobody else's, whatever other processes claim at the same time.
fn temporary(share: &Path, epoch: u64) -> Result<(PathBuf, File), ShipError> {
    let mut n = 0_u32;
    loop {
        let path = share.join(format!("epoch-{epoch}.{}-{n}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => n += 1,
            r => return r.map(|f| (path.clone(), f)).map_err(io(&path)),
        }
    }
}

/// The highest epoch that was claimed in the share.
pub fn claimed(share: &Path) -> u64 {
    let names = std::fs::read_dir(share).map(|d| d.flatten().map(|e| e.file_name()).collect::<Vec<_>>());
    let epochs = names.unwrap_or_default().into_iter();
    epochs.filter_map(|n| n.to_str()?.strip_prefix("epoch-")?.parse().ok()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(share: &Path) -> Vec<String> {
        let all = std::fs::read_dir(share).unwrap().flatten();
        let mut all: Vec<_> = all.map(|e| e.file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    #[test]
    fn a_claim_on_a_full_share_leaves_nothing_and_succeeds_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let full = |_: &mut File| Err(std::io::Error::from_raw_os_error(28));
        for _ in 0..3 {
            let error = claim_by(dir.path(), 2, "pool", &full).unwrap_err();
            assert!(matches!(&error, ShipError::Io { why, .. } if why.contains("No space left")), "{error}");
            assert_eq!((files(dir.path()), claimed(dir.path())), (Vec::new(), 0));
        }
        claim(dir.path(), 2, "pool").unwrap();
        assert_eq!((files(dir.path()), claimed(dir.path())), (vec!["epoch-2".to_owned()], 2));
        // The same again needs no room; another one is too late.
        claim_by(dir.path(), 2, "pool", &full).unwrap();
        assert_eq!(claim(dir.path(), 2, "other"), Err(ShipError::Fenced(2)));
    }

    #[test]
    fn a_claim_that_a_kill_cut_short_names_nobody_and_one_alone_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("epoch-2"), "").unwrap();
        assert_eq!(claimed(dir.path()), 2, "it fences nevertheless");
        let share = dir.path();
        let won: Vec<String> = std::thread::scope(|scope| {
            let claims = |i| {
                let who = format!("run {i}");
                claim(share, 2, &who).is_ok().then_some(who)
            };
            let all: Vec<_> = (0..8).map(|i| scope.spawn(move || claims(i))).collect();
            all.into_iter().filter_map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1);
        claim(share, 2, &won[0]).unwrap();
        assert_eq!(files(share), ["epoch-2", "epoch-2.again"]);
        std::fs::write(share.join("epoch-3"), [0; 5]).unwrap();
        claim(share, 3, "pool").unwrap();
    }
}
