//! `lifeguard backup FILE` and `restore`: management store, keys, authority and chat databases in one
//! tar file, also while the portal runs (each database is copied by SQLite itself). Databases that nodes own are
//! fetched from them while the portal runs; what is missing is said. A database that was set aside (`orphans/`,
//! `kept/`) and is damaged is taken as the plain file that it is, with a note beside it.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use shared::topology::Placement;
use store::management::Management;

/// Plain files that belong to an instance.
const FILES: [&str; 3] = ["secret.key", "ca/ca.pem", "ca/ca.key"];

fn databases(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(dir) = folders.pop() {
        // What log shipping restores into, and a mirror, is made anew from the database in use.
        let queue = dir.join("mgccomp.db");
        let follows = dir.join("mgc.restoring").exists() || dir.join("mgc.mirror").exists();
        if follows && queue.exists() && !queue.with_extension("mirror").exists() {
            out.push(queue);
        }
        if !dir.is_dir() || follows {
            continue;
        }
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "db") && !path.with_extension("mirror").exists() {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

/// Copies a database that may be in use.
pub(crate) fn copy_database(from: &Path, to: &Path) -> Result<(), String> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let c = rusqlite::Connection::open_with_flags(from, flags).map_err(|e| e.to_string())?;
    c.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(|e| format!("{}: {e}", from.display()))?;
    Ok(())
}

/// Whether a database is kept for somebody to look into: nothing uses it.
fn set_aside(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "orphans" || c.as_os_str() == "kept")
}

/// The note beside a file that is no whole database.
fn note(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    PathBuf::from(name)
}

/// Takes what cannot be copied as a database as plain files, and notes why; what cannot be read at all is noted.
fn copy_plain(from: &Path, to: &Path, mut why: String) -> std::io::Result<()> {
    for ending in ["", "-wal"] {
        let beside = |p: &Path| {
            let mut name = p.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let (from, to) = (beside(from), beside(to));
        let _ = fs::remove_file(&to);
        match fs::copy(&from, &to) {
            // What could be read of it is taken.
            Err(e) if ending.is_empty() || from.exists() => why = format!("{why}; {}: {e}", from.display()),
            _ => {}
        }
    }
    fs::write(note(to), why)
}

/// Damaged ones that are held, as a sentence after others.
pub fn damaged_words(damaged: &[String]) -> String {
    if damaged.is_empty() {
        return String::new();
    }
    format!(" Set aside, damaged, and taken as plain files: {}.", damaged.join(", "))
}

/// Pools whose databases are on nodes and are not among what was fetched, with their nodes.
pub fn missing(store: Option<&Management>, fetched: Option<&Path>) -> Vec<String> {
    let all = store.and_then(|s| s.read(crate::nodes::copies::on_nodes).ok()).unwrap_or_default();
    let gone = all.into_iter().filter(|(_, store, node)| {
        !fetched.is_some_and(|root| crate::nodes::copies::place(root, node, store).is_file())
    });
    gone.map(|(pool, _, node)| format!("{pool} (node {node})")).collect()
}

/// What a backup does not hold, as a sentence after others.
pub fn without(missing: &[String]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    format!(
        " It does not hold the database of {}: portal and node must both run to fetch it.",
        missing.join(", ")
    )
}

/// Writes a backup of `data_dir` to `target`, with what was fetched from nodes; what it holds and what not, in
/// sentences.
///
/// # Errors
/// When the target exists or something cannot be read or written; no half-written target is left.
pub fn write(
    data_dir: &Path,
    store: Option<&Management>,
    fetched: Option<&Path>,
    target: &Path,
) -> Result<String, String> {
    if target.exists() {
        return Err(format!("{} exists already.", target.display()));
    }
    let work = data_dir.join(format!("backup-{}.tmp", std::process::id()));
    let _ = fs::remove_dir_all(&work);
    let result = collect(data_dir, store, fetched, &work).and_then(|n| pack(&work, target).map(|()| n));
    let _ = fs::remove_dir_all(&work);
    let without = without(&missing(store, fetched));
    result.map(|(n, damaged)| {
        let damaged = damaged_words(&damaged);
        format!(
            "{} holds the management store, keys and {n} chat databases.{damaged}{without}",
            target.display()
        )
    })
}

fn collect(
    data_dir: &Path,
    store: Option<&Management>,
    fetched: Option<&Path>,
    work: &Path,
) -> Result<(usize, Vec<String>), String> {
    let text = |e: std::io::Error| e.to_string();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(work).map_err(text)?;
    match store {
        Some(s) => s.copy_to(&work.join("management.db")).map_err(|e| e.to_string())?,
        None => copy_database(&data_dir.join("management.db"), &work.join("management.db"))?,
    }
    for f in FILES {
        let (from, to) = (data_dir.join(f), work.join(f));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(text)?;
        }
        fs::copy(&from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
    }
    let own = databases(&data_dir.join("sql")).map_err(text)?;
    let mut list: Vec<(&Path, PathBuf)> = own.into_iter().map(|p| (data_dir, p)).collect();
    if let Some(root) = fetched {
        list.extend(databases(&root.join("nodes")).map_err(text)?.into_iter().map(|p| (root, p)));
    }
    let mut damaged = Vec::new();
    for (root, from) in &list {
        let relative = from.strip_prefix(root).map_err(|e| e.to_string())?;
        let to = work.join(relative);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(text)?;
        }
        match copy_database(from, &to) {
            Err(why) if set_aside(relative) => {
                copy_plain(from, &to, why).map_err(text)?;
                damaged.push(relative.display().to_string());
            }
            done => done?,
        }
    }
    Ok((list.len() - damaged.len(), damaged))
}

fn pack(work: &Path, target: &Path) -> Result<(), String> {
    use std::os::unix::fs::OpenOptionsExt;
    let half = target.with_extension("part");
    let write = || -> std::io::Result<()> {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        let mut tar = tar::Builder::new(file);
        tar.append_dir_all(".", work)?;
        tar.into_inner()?.sync_all()?;
        fs::rename(&half, target)
    };
    write().map_err(|e| {
        let _ = fs::remove_file(&half);
        format!("{}: {e}", target.display())
    })
}

/// Restores a backup into an empty data directory.
///
/// # Errors
/// When the directory is not empty, or the file is not a whole backup; the directory is empty then as before.
pub fn restore(source: &Path, data_dir: &Path) -> Result<String, String> {
    let text = |e: std::io::Error| e.to_string();
    fs::create_dir_all(data_dir).map_err(text)?;
    if fs::read_dir(data_dir).map_err(text)?.next().is_some() {
        return Err(format!("{} is not empty. Restore into a new directory.", data_dir.display()));
    }
    // Beside what it becomes: of an archive that is cut off nothing is left.
    let beside = data_dir.join("restore.tmp");
    let whole = unpack(source, &beside).and_then(|()| move_up(&beside, data_dir).map_err(text));
    if let Err(why) = whole {
        let _ = fs::remove_dir_all(&beside);
        return Err(why);
    }
    make_instances(data_dir);
    let nodes = data_dir.join("nodes");
    let theirs = if nodes.is_dir() {
        format!(
            " Databases of nodes are in {}: move each one's folder sql into that node's data directory.",
            nodes.display()
        )
    } else {
        String::new()
    };
    Ok(format!("{} is restored into {}.{theirs}", source.display(), data_dir.display()))
}

/// Unpacks an archive that has its end and holds what a backup must.
fn unpack(source: &Path, into: &Path) -> Result<(), String> {
    let of_source = |e: std::io::Error| format!("{}: {e}", source.display());
    let mut file = fs::File::open(source).map_err(of_source)?;
    if !has_end(&mut file).map_err(of_source)? {
        return Err(format!("{} is incomplete, or is not a backup of lifeguard.", source.display()));
    }
    fs::DirBuilder::new().mode(0o700).create(into).map_err(|e| e.to_string())?;
    let mut archive = tar::Archive::new(file);
    archive.set_preserve_permissions(true);
    archive
        .unpack(into)
        .map_err(|e| format!("{} is incomplete, or is not a backup of lifeguard: {e}", source.display()))?;
    if !into.join("management.db").exists() {
        return Err(format!("{} holds no management store.", source.display()));
    }
    Ok(())
}

/// Whether the file ends as a tar archive does, with two blocks of zeros.
fn has_end(file: &mut fs::File) -> std::io::Result<bool> {
    let mut end = [1; 1024];
    if file.seek(SeekFrom::End(0))? < end.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(end.len() as i64)))?;
    file.read_exact(&mut end)?;
    file.rewind()?;
    Ok(end.iter().all(|b| *b == 0))
}

/// The management store comes last: without it nothing takes the folder for a data directory.
fn move_up(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut names = fs::read_dir(from)?.map(|e| Ok(e?.file_name())).collect::<std::io::Result<Vec<_>>>()?;
    names.sort_by_key(|n| n == "management.db");
    for name in names {
        fs::rename(from.join(&name), to.join(&name))?;
    }
    fs::remove_dir(from)
}

/// Makes the folders of SQL instances that run here and whose databases follow another: a backup does not hold
/// those, and an instance without its folder counts as one that is gone.
fn make_instances(data_dir: &Path) {
    let made = Management::open(&data_dir.join("management.db")).map_err(|e| e.to_string()).and_then(|s| {
        let t = s.read(crate::handlers::published).map_err(|f| f.0.message)?;
        let here = t.sql_stores.iter().filter(|s| s.placement == Placement::RunHere);
        here.map(|s| crate::settings::sql_dir(data_dir, s))
            .try_for_each(|dir| fs::create_dir_all(dir).map_err(|e| e.to_string()))
    });
    if let Err(e) = made {
        tracing::warn!(cause = %e, "the folders of SQL instances could not be made");
    }
}

/// Opens a backup and looks whether it could be restored: the key has its size, and each database is whole. Those
/// that were set aside and damaged already are returned.
///
/// # Errors
/// What is wrong with it.
pub fn verify(source: &Path, data_dir: &Path) -> Result<Vec<String>, String> {
    let work = data_dir.join(format!("backup-verify-{}.tmp", std::process::id()));
    let _ = fs::remove_dir_all(&work);
    let result = unpacked(source, &work);
    let _ = fs::remove_dir_all(&work);
    result
}

fn unpacked(source: &Path, work: &Path) -> Result<Vec<String>, String> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(work).map_err(|e| e.to_string())?;
    restore(source, work)?;
    for f in FILES {
        if !work.join(f).is_file() {
            return Err(format!("{} holds no {f}.", source.display()));
        }
    }
    if fs::metadata(work.join("secret.key")).map_err(|e| e.to_string())?.len() != 32 {
        return Err(format!("the key in {} has not its size.", source.display()));
    }
    let mut list = databases(&work.join("sql")).map_err(|e| e.to_string())?;
    list.extend(databases(&work.join("nodes")).map_err(|e| e.to_string())?);
    list.push(work.join("management.db"));
    let mut damaged = Vec::new();
    for path in &list {
        let relative = path.strip_prefix(work).unwrap_or(path);
        if set_aside(relative) && note(path).exists() {
            damaged.push(relative.display().to_string());
            continue;
        }
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let found = rusqlite::Connection::open_with_flags(path, flags)
            .and_then(|c| c.query_row("PRAGMA integrity_check", [], |r| r.get::<_, String>(0)));
        let name = relative.display();
        match found.as_deref() {
            Ok("ok") => {}
            Ok(other) => return Err(format!("{name} in {} is damaged: {other}", source.display())),
            Err(e) => return Err(format!("{name} in {} cannot be read: {e}", source.display())),
        }
    }
    Ok(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let c = rusqlite::Connection::open(path).unwrap();
        c.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(20000))").unwrap();
    }

    fn damage(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        bytes[..8000].fill(7);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn what_is_set_aside_and_damaged_is_taken_as_it_is_and_what_is_in_use_is_not() {
        let root = tempfile::tempdir().unwrap();
        let (data, tar) = (root.path().join("data"), root.path().join("a.tar"));
        let (used, kept, orphan) =
            ("sql/s/i/mgc.db", "sql/s/i/kept/pool-v1/mgc.db", "sql/s/i/orphans/1/mgc.db");
        for d in ["management.db", used, kept, orphan, "sql/s/i/orphans/2/mgc.db"] {
            database(&data.join(d));
        }
        fs::create_dir_all(data.join("ca")).unwrap();
        for f in FILES {
            fs::write(data.join(f), [1; 32]).unwrap();
        }
        let said = write(&data, None, None, &tar).unwrap();
        assert!(said.contains("4 chat databases.") && !said.contains("damaged"), "{said}");
        assert_eq!(verify(&tar, &data), Ok(Vec::new()));
        damage(&data.join(orphan));
        fs::write(data.join("sql/s/i/orphans/1/mgc.db-wal"), "the log").unwrap();
        fs::write(data.join(kept), "no database").unwrap();
        let tar = root.path().join("b.tar");
        let said = write(&data, None, None, &tar).unwrap();
        assert!(
            said.contains(&format!(
                "2 chat databases. Set aside, damaged, and taken as plain files: {kept}, {orphan}."
            )),
            "{said}"
        );
        assert_eq!(verify(&tar, &data).unwrap(), [kept, orphan]);
        let back = root.path().join("back");
        restore(&tar, &back).unwrap();
        for f in [kept, orphan, "sql/s/i/orphans/1/mgc.db-wal"] {
            assert_eq!(fs::read(back.join(f)).unwrap(), fs::read(data.join(f)).unwrap(), "{f}");
        }
        assert!(fs::read_to_string(note(&back.join(kept))).unwrap().contains("not a database"));
        // One that is in use is told, as ever.
        damage(&data.join(used));
        let error = write(&data, None, None, &root.path().join("c.tar")).unwrap_err();
        assert!(error.contains(used), "{error}");
        // A backup that was damaged itself is told from that.
        fs::remove_file(note(&back.join(orphan))).unwrap();
        let tar = root.path().join("d.tar");
        pack(&back, &tar).unwrap();
        assert!(verify(&tar, &data).unwrap_err().contains(orphan));
    }
}
