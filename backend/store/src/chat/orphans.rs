//! Where databases go that were in use once and may hold what nobody else has: `orphans/N` beside the new one.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.parse().ok()
}

fn sync(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

/// The folders there are, oldest first.
pub fn list(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("orphans"));
    let mut found: Vec<PathBuf> =
        entries.map(|d| d.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    found.sort_by_key(|p| (number(p), p.clone()));
    found
}

/// The folder for the database `file` of `dir`: a new one, above every number that was given. When a kill came
/// while the files of this database were moved, it is the folder that has the first of them: the database
/// itself goes last.
pub fn place(dir: &Path, file: &str) -> std::io::Result<PathBuf> {
    let (orphans, all) = (dir.join("orphans"), list(dir));
    let beside = format!("{file}-");
    for folder in all.iter().filter(|p| number(p).is_some() && p.is_dir()) {
        let names = std::fs::read_dir(folder)?.map(|e| Ok(e?.file_name().to_string_lossy().into_owned()));
        let names = names.collect::<std::io::Result<Vec<_>>>()?;
        // What is still here as well was not moved there.
        if names.iter().all(|n| n.starts_with(&beside) && !dir.join(n).exists()) {
            return Ok(folder.clone());
        }
    }
    std::fs::create_dir_all(&orphans)?;
    sync(dir)?;
    let mut n = all.iter().filter_map(|p| number(p)).max().unwrap_or(0);
    loop {
        n = n.checked_add(1).ok_or_else(|| Error::from(ErrorKind::AlreadyExists))?;
        let folder = orphans.join(n.to_string());
        match std::fs::create_dir(&folder) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            r => return r.and_then(|()| sync(&orphans)).map(|()| folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::database::set_aside;

    #[test]
    fn a_kept_database_is_neither_overwritten_nor_split() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path();
        let keep = |file: &str, text: &str| {
            std::fs::write(dir.join(file), text).unwrap();
            std::fs::write(dir.join(format!("{file}-wal")), text).unwrap();
            let to = place(dir, file).unwrap();
            assert!(set_aside(dir, &to, file).unwrap());
            to
        };
        let read = |n: u32, file: &str| {
            std::fs::read_to_string(dir.join("orphans").join(n.to_string()).join(file)).unwrap()
        };
        for n in 1..=10 {
            assert_eq!(keep("mgc.db", &n.to_string()), dir.join("orphans").join(n.to_string()));
        }
        std::fs::remove_dir_all(dir.join("orphans/3")).unwrap();
        std::fs::write(dir.join("orphans/read me"), "").unwrap();
        keep("mgccomp.db", "queue");
        assert_eq!((read(10, "mgc.db"), read(11, "mgccomp.db")), ("10".to_owned(), "queue".to_owned()));
        // A kill in the middle: the log is there already.
        let half = place(dir, "mgc.db").unwrap();
        std::fs::write(half.join("mgc.db-wal"), "log").unwrap();
        std::fs::write(dir.join("mgc.db"), "pages").unwrap();
        assert_ne!(place(dir, "mgccomp.db").unwrap(), half, "that of another database");
        let to = place(dir, "mgc.db").unwrap();
        set_aside(dir, &to, "mgc.db").unwrap();
        assert_eq!((to, read(12, "mgc.db"), read(12, "mgc.db-wal")), (half, "pages".into(), "log".into()));
        // A log that somebody left there is of another database than one that still has its own.
        std::fs::create_dir_all(dir.join("orphans/13")).unwrap();
        std::fs::write(dir.join("orphans/13/mgc.db-wal"), "left").unwrap();
        assert_eq!(keep("mgc.db", "14"), dir.join("orphans/14"));
        // A name that was given from elsewhere is refused when it is taken.
        std::fs::write(dir.join("mgc.db"), "newer").unwrap();
        assert!(set_aside(dir, &dir.join("orphans/12"), "mgc.db").is_err());
        assert_eq!((read(12, "mgc.db"), list(dir).len()), ("pages".to_owned(), 14));
    }
}
