//! Room on disks.

use std::path::Path;

/// Free bytes of the file system on which `path`, or the nearest folder above it, stands.
pub fn free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|p| p.exists())?;
    let s = rustix::fs::statvfs(there).ok()?;
    Some(s.f_bavail.saturating_mul(s.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_asked_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let free = free(&dir.path().join("a/b")).unwrap();
        assert!(free > 0);
    }
}
