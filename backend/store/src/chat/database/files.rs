//! The files of a database: made, copied, put in place, set aside.

use std::path::{Path, PathBuf};

use node::traits::StoreError;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use shared::Timestamp;

use super::probe::{check, set_meta};
use super::{FILE, MgcDatabase};
use crate::chat::{APPLICATION_ID, SCHEMA, database_error, read_only, read_write};

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub(in crate::chat) fn io(e: std::io::Error) -> StoreError {
    StoreError::Database(e.to_string())
}

impl MgcDatabase {
    /// Creates an empty database in the instance's folder unless one is there; whether it was created.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(dir: &Path) -> Result<bool, StoreError> {
        let path = dir.join(FILE);
        if path.exists() {
            return Ok(false);
        }
        std::fs::create_dir_all(dir).map_err(io)?;
        let fresh = dir.join("mgc.new");
        remove(&fresh)?;
        {
            let mut c = read_write(&fresh, true).map_err(database_error)?;
            let tx = c.transaction().map_err(database_error)?;
            tx.execute_batch(include_str!("../schema.sql")).map_err(database_error)?;
            for step in crate::chat::administration::STEPS {
                tx.execute_batch(step).map_err(database_error)?;
            }
            set_meta(&tx, "epoch", "1").map_err(database_error)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(database_error)?;
            tx.pragma_update(None, "user_version", SCHEMA).map_err(database_error)?;
            tx.commit().map_err(database_error)?;
        }
        put(&fresh, &path, dir)?;
        Ok(true)
    }

    /// Copies the database of `from` over the one of `to` as epoch `epoch`.
    ///
    /// # Errors
    /// When either side fails; the target is then what it was.
    pub fn copy(from: &Path, to: &Path, epoch: u64, at: Timestamp) -> Result<(), StoreError> {
        std::fs::create_dir_all(to).map_err(io)?;
        let fresh = to.join("mgc.new");
        remove(&fresh)?;
        let source = read_only(&from.join(FILE)).map_err(database_error)?;
        {
            let mut target = Connection::open(&fresh).map_err(database_error)?;
            let backup = Backup::new(&source, &mut target).map_err(database_error)?;
            backup.run_to_completion(4096, std::time::Duration::ZERO, None).map_err(database_error)?;
        }
        {
            let c = read_write(&fresh, false).map_err(database_error)?;
            set_meta(&c, "epoch", &epoch.to_string()).map_err(database_error)?;
            set_meta(&c, "copied_at", &at.millis().to_string()).map_err(database_error)?;
        }
        put(&fresh, &to.join(FILE), to)
    }

    /// Moves the closed database of this folder to `to`; whether there was one.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn set_aside(dir: &Path, to: &Path) -> Result<bool, StoreError> {
        set_aside(dir, to, FILE)
    }

    /// Gives the database of this folder a new epoch without a copy: what was opened before is fenced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn promote(dir: &Path, epoch: u64) -> Result<(), StoreError> {
        let c = read_write(&dir.join(FILE), false).map_err(database_error)?;
        check(&c).map_err(StoreError::Database)?;
        set_meta(&c, "epoch", &epoch.to_string()).map_err(database_error)
    }
}

/// Moves a closed database file with its side files.
pub(in crate::chat) fn set_aside(dir: &Path, to: &Path, file: &str) -> Result<bool, StoreError> {
    let path = dir.join(file);
    if !path.exists() {
        return Ok(false);
    }
    if to.join(file).exists() {
        let why = format!("{} holds another one already, which is not overwritten", to.display());
        return Err(StoreError::Database(why));
    }
    std::fs::create_dir_all(to).map_err(io)?;
    for from in side_files(&path) {
        if let Some(name) = from.file_name().filter(|_| from.exists()) {
            std::fs::rename(&from, to.join(name)).map_err(io)?;
        }
    }
    std::fs::rename(&path, to.join(file)).map_err(io)?;
    sync_dir(to).and_then(|()| sync_dir(dir)).map_err(io)?;
    Ok(true)
}

fn side_files(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|s| {
        let mut name = path.as_os_str().to_owned();
        name.push(s);
        PathBuf::from(name)
    })
}

pub(in crate::chat) fn remove(path: &Path) -> Result<(), StoreError> {
    for p in side_files(path).iter().chain([&path.to_owned()]) {
        match std::fs::remove_file(p) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
    }
    Ok(())
}

/// Puts a closed, complete database in place.
pub(in crate::chat) fn put(fresh: &Path, path: &Path, dir: &Path) -> Result<(), StoreError> {
    {
        // Back to one file, so that the rename moves all of it.
        let c = Connection::open(fresh).map_err(database_error)?;
        c.pragma_update(None, "journal_mode", "DELETE").map_err(database_error)?;
    }
    std::fs::File::open(fresh).and_then(|f| f.sync_all()).map_err(io)?;
    // A stale WAL of the old file must not be replayed into the new one.
    for p in side_files(path) {
        match std::fs::remove_file(&p) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
    }
    std::fs::rename(fresh, path).map_err(io)?;
    sync_dir(dir).map_err(io)
}
