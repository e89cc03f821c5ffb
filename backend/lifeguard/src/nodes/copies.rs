//! Copies of the databases that nodes own, for a backup: each node makes one with SQLite itself and sends it in
//! pieces.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use node::remote::{Inquiry, Reply};
use node::traits::StoreError;
use shared::Fqdn;
use shared::deployment::PoolState;
use shared::topology::{Placement, SqlStore};
use store::management::{pools, topology};

use super::instance::inquire;
use crate::app::App;
use crate::clock::random_hex;
use crate::settings::sql_dir;

/// Bytes of one piece; as hexadecimal it is well below the largest frame of a node.
const PIECE: usize = 2 * 1024 * 1024;
/// A copy that nobody has asked for in so long is waste.
const STALE: Duration = Duration::from_secs(3600);

/// Pools whose database in use a node owns: pool, store, node. One that log shipping restores into is made
/// anew from the one in use.
///
/// # Errors
/// The store's.
pub fn on_nodes(c: &rusqlite::Connection) -> store::management::Result<Vec<(Fqdn, SqlStore, String)>> {
    let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
    let mut out = Vec::new();
    for p in &t.pools {
        let over = p.pair(&t).is_some()
            && pools::opened(c, &p.id)?.is_some_and(|(side, _)| side == PoolState::FailedOver);
        let id = if over { p.backup_sql_store.as_ref() } else { Some(&p.sql_store) };
        let Some(store) = id.and_then(|id| t.sql_store(id)) else { continue };
        if let Placement::Node(n) = &store.placement {
            out.push((p.fqdn.clone(), store.clone(), n.clone()));
        }
    }
    Ok(out)
}

/// Where a backup has the database of a node.
pub fn place(root: &Path, node: &str, store: &SqlStore) -> PathBuf {
    sql_dir(&root.join("nodes").join(node), store).join("mgc.db")
}

/// Fetches a copy of every database that nodes own into a folder that the caller removes; what could not be
/// fetched is not there.
pub async fn fetch(app: &Arc<App>) -> Result<PathBuf, String> {
    let text = |e: std::io::Error| e.to_string();
    let root = app.settings.data_dir.join(format!("backup-{}-nodes.tmp", random_hex(&*app.entropy, 4)));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&root).map_err(text)?;
    let all = app.store.read(on_nodes).map_err(|e: store::management::StoreError| e.to_string())?;
    for (pool, store, node) in all {
        let to = place(&root, &node, &store);
        if let Err(why) = one(app, &node, store, &to).await {
            tracing::error!(%pool, node, why, "the backup is made without the database of this pool");
            // Half of one is none.
            let _ = fs::remove_file(&to);
        }
    }
    Ok(root)
}

async fn one(app: &Arc<App>, node: &str, store: SqlStore, to: &Path) -> Result<(), String> {
    let text = |e: std::io::Error| e.to_string();
    if let Some(dir) = to.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(text)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(text)?;
    let (copy, mut offset) = (random_hex(&*app.entropy, 8), 0_u64);
    loop {
        let ask = Inquiry::Copy { store: store.clone(), copy: copy.clone(), offset };
        let Reply::Piece { bytes, more } = inquire(app, node, ask).await? else {
            return Err(format!("node {node} answered something else than was asked"));
        };
        let bytes = hex::decode(bytes).map_err(|e| e.to_string())?;
        file.write_all(&bytes).map_err(text)?;
        offset += bytes.len() as u64;
        if !more {
            return file.sync_all().map_err(text);
        }
        if bytes.is_empty() {
            return Err(format!("node {node} sent nothing"));
        }
    }
}

/// A piece of a copy, on the node: the first one makes the copy, the last one removes it.
///
/// # Errors
/// What cannot be read or written.
pub fn piece(data_dir: &Path, store: &SqlStore, copy: &str, offset: u64) -> Result<Reply, StoreError> {
    let failed = |e: std::io::Error| StoreError::Database(e.to_string());
    if copy.is_empty() || copy.len() > 64 || !copy.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(StoreError::invalid("copy", "this is no name of a copy"));
    }
    let dir = sql_dir(data_dir, store);
    let path = dir.join(format!("copy-{copy}.tmp"));
    if offset == 0 {
        clear(&dir);
        // Asked again after an answer that got lost.
        let _ = fs::remove_file(&path);
        crate::backup::copy_database(&dir.join("mgc.db"), &path).map_err(StoreError::Database)?;
    }
    let mut file = fs::File::open(&path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut bytes = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut bytes).map_err(failed)?;
    let more = offset + (bytes.len() as u64) < size;
    if !more {
        let _ = fs::remove_file(&path);
    }
    Ok(Reply::Piece { bytes: hex::encode(bytes), more })
}

/// Copies that a broken link left behind.
fn clear(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let old = || {
            let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|m| m.elapsed().ok());
            age.is_some_and(|a| a > STALE)
        };
        if name.starts_with("copy-") && name.ends_with(".tmp") && old() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ObjectId;
    use store::chat::MgcDatabase;

    #[test]
    fn a_copy_comes_in_pieces_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqlStore {
            id: ObjectId::try_from("s").unwrap(),
            fqdn: Fqdn::try_from("sql.contoso.com").unwrap(),
            instance: None,
            placement: Placement::Node("n1".to_owned()),
        };
        let own = sql_dir(dir.path(), &store);
        MgcDatabase::create(&own).unwrap();
        let c = rusqlite::Connection::open(own.join("mgc.db")).unwrap();
        c.execute_batch("CREATE TABLE big (x BLOB); INSERT INTO big VALUES (randomblob(5000000))").unwrap();
        let (mut whole, mut pieces) = (Vec::new(), 0);
        loop {
            let Reply::Piece { bytes, more } = piece(dir.path(), &store, "c1", whole.len() as u64).unwrap()
            else {
                panic!("no piece")
            };
            whole.extend(hex::decode(bytes).unwrap());
            pieces += 1;
            if !more {
                break;
            }
        }
        assert_eq!(pieces, 3);
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join("mgc.db"), &whole).unwrap();
        assert_eq!(MgcDatabase::probe(other.path()).unwrap().epoch, 1);
        let left = fs::read_dir(&own).unwrap().flatten().filter(|e| e.file_name() != *"mgc.db").count();
        assert!(left <= 2, "only the side files of the database");
        assert!(!own.join("copy-c1.tmp").exists());
        assert!(piece(dir.path(), &store, "../x", 0).is_err());
    }
}
