//! The management store: accounts, topology, operational state, directory, jobs and audit. One writer,
//! several readers; all SQL of the product's control plane stands in this folder.

pub mod accounts;
pub mod alerts;
pub mod announcements;
pub mod audit;
pub mod backups;
pub mod certificates;
pub mod configuration;
pub mod directory;
pub mod drafts;
pub mod groups;
pub mod jobs;
pub mod mirrors;
pub mod nodes;
pub mod people;
pub mod pools;
pub mod roles;
pub mod tests;
pub mod topology;
pub mod trusted;
pub mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

/// `LGMS`, so that `file` and we can tell the store from any other database.
const APPLICATION_ID: i64 = 0x4C47_4D53;
/// The schema this program writes.
pub const SCHEMA: i64 = 5;
/// Steps from one schema to the next; the first makes schema 2 of schema 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("migration_2.sql"),
    include_str!("migration_3.sql"),
    include_str!("migration_4.sql"),
    include_str!("migration_5.sql"),
];
const READERS: usize = 3;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the management store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored document does not parse.
    #[error("a stored document does not parse: {0}")]
    Json(#[from] serde_json::Error),
    /// A file operation failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file belongs to a newer program, or is something else.
    #[error("{0}")]
    Schema(String),
}

/// Result of store functions.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The open store; cheap to clone.
#[derive(Clone)]
pub struct Management {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
    next: std::sync::atomic::AtomicUsize,
    path: PathBuf,
    members: groups::Known,
}

fn connect(path: &Path, read_only: bool) -> Result<Connection> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
    };
    let c = Connection::open_with_flags(path, flags)?;
    c.busy_timeout(Duration::from_secs(10))?;
    c.pragma_update(None, "foreign_keys", true)?;
    if !read_only {
        c.pragma_update(None, "journal_mode", "WAL")?;
        c.pragma_update(None, "synchronous", "FULL")?;
    }
    Ok(c)
}

fn migrate(c: &mut Connection, path: &Path) -> Result<()> {
    let mut version: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let id: i64 = c.pragma_query_value(None, "application_id", |r| r.get(0))?;
    if version == 0 && id == 0 {
        let tx = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(include_str!("schema.sql"))?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", 1)?;
        tx.commit()?;
        version = 1;
    } else if id != APPLICATION_ID {
        return Err(StoreError::Schema(format!("{} is not a Lifeguard management store", path.display())));
    }
    if version > SCHEMA {
        return Err(StoreError::Schema(format!(
            "{} was written by a newer Lifeguard (schema {version}, this program knows {SCHEMA}); use that one",
            path.display()
        )));
    }
    // Each step is a transaction of its own: a kill in between leaves a schema that the next start goes on from.
    for (from, step) in (1..).zip(MIGRATIONS) {
        if version == from {
            let tx = c.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(step)?;
            tx.pragma_update(None, "user_version", from + 1)?;
            tx.commit()?;
            version = from + 1;
        }
    }
    Ok(())
}

impl Management {
    /// Opens or creates the store at `path`.
    ///
    /// # Errors
    /// When the file cannot be opened, is something else, or is newer than this program.
    pub fn open(path: &Path) -> Result<Self> {
        let mut writer = connect(path, false)?;
        migrate(&mut writer, path)?;
        let readers = (0..READERS).map(|_| connect(path, true).map(Mutex::new)).collect::<Result<_>>()?;
        let inner = Inner {
            writer: Mutex::new(writer),
            readers,
            next: 0.into(),
            path: path.to_owned(),
            members: groups::Known::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn lock(m: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
        // A panic while holding it rolled its transaction back; the connection itself is sound.
        m.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads in one snapshot.
    ///
    /// # Errors
    /// What `f` returns, or SQLite's.
    pub fn read<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let i = self.inner.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % self.inner.readers.len();
        let mut c = Self::lock(&self.inner.readers[i]);
        let tx = c.transaction().map_err(StoreError::from)?;
        f(&tx)
    }

    /// Writes in one transaction; nothing is kept when `f` fails.
    ///
    /// # Errors
    /// What `f` returns, or SQLite's.
    pub fn write<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut c = Self::lock(&self.inner.writer);
        let tx = c.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let out = f(&tx)?;
        tx.commit().map_err(StoreError::from)?;
        Ok(out)
    }

    /// Writes a consistent copy to `target` while the store is in use.
    ///
    /// # Errors
    /// When the target exists or cannot be written.
    pub fn copy_to(&self, target: &Path) -> Result<()> {
        let c = Self::lock(&self.inner.readers[0]);
        c.execute("VACUUM INTO ?1", [target.to_string_lossy()])?;
        Ok(())
    }
}

/// A setting.
///
/// # Errors
/// SQLite's.
pub fn setting(c: &Connection, key: &str) -> Result<Option<String>> {
    Ok(c.query_row("SELECT value FROM setting WHERE key = ?1", [key], |r| r.get(0)).optional()?)
}

/// Writes a setting.
///
/// # Errors
/// SQLite's.
pub fn set_setting(c: &Connection, key: &str, value: &str) -> Result<()> {
    c.execute(
        "INSERT INTO setting VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
        [key, value],
    )?;
    Ok(())
}
