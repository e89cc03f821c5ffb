//! What a rehearsal takes from the fleet: the files of the side that would take over, while no job of log
//! shipping writes them.

use std::fs::{self, File};
use std::path::Path;

use shared::ObjectId;
use store::chat::shipping::Secondary;

use super::Fleet;

/// Files of the side that would take over; the log of segments lies in a folder beside them.
const FILES: [&str; 3] = ["mgc.db", "mgc.restoring", "mgc.applying"];

impl Fleet {
    /// Copies what lies in `from` of mgc to `to`, and nothing else; bytes that were copied. The jobs of log
    /// shipping wait meanwhile; posts do not.
    ///
    /// # Errors
    /// The file that could not be copied, and why.
    pub async fn copy_side(&self, pool: &ObjectId, from: &Path, to: &Path) -> Result<u64, String> {
        let _moving = self.moving(pool).lock_owned().await;
        let (from, to) = (from.to_owned(), to.to_owned());
        let work = move || copy(&from, &to);
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
    }
}

fn copy(from: &Path, to: &Path) -> Result<u64, String> {
    let text = |p: &Path| {
        let p = p.display().to_string();
        move |e: std::io::Error| format!("{p}: {e}")
    };
    fs::create_dir_all(to).map_err(text(to))?;
    let mut bytes = 0;
    let mut one = |source: &Path, target: &Path| -> Result<(), String> {
        bytes += fs::copy(source, target).map_err(text(source))?;
        // The restore job knows its file by size and time.
        let modified = fs::metadata(source).and_then(|m| m.modified()).map_err(text(source))?;
        let file = File::options().write(true).open(target).map_err(text(target))?;
        file.set_modified(modified).map_err(text(target))
    };
    for name in FILES {
        if from.join(name).exists() {
            one(&from.join(name), &to.join(name))?;
        }
    }
    let (here, there) = (Secondary::new(from, "").destination(), Secondary::new(to, "").destination());
    fs::create_dir_all(&there).map_err(text(&there))?;
    for entry in fs::read_dir(&here).into_iter().flatten().flatten() {
        one(&entry.path(), &there.join(entry.file_name()))?;
    }
    Ok(bytes)
}
