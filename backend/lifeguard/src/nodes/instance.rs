//! SQL instances on nodes: what publishing asks a node over its link, and the node's answers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node::remote::{Inquiry, Reply, SideTold, ToNode};
use node::traits::StoreError;
use shared::topology::SqlStore;
use store::chat::MgcDatabase;
use tokio::sync::oneshot;

use crate::app::App;
use crate::clock::{SystemEntropy, random_hex};
use crate::fleet::Fleet;
use crate::publish::writable;
use crate::settings::sql_dir;

/// The first version of the protocol that keeps databases on nodes.
pub const DATABASES: u32 = 3;
/// Longest wait for a node's answer: making a database is quick, closing one may take a moment.
const LIMIT: Duration = Duration::from_secs(45);
/// How long a database may take to close.
const CLOSE: Duration = Duration::from_secs(30);

type Result<T> = std::result::Result<T, StoreError>;

struct Waiting {
    link: u64,
    to: oneshot::Sender<Result<Reply>>,
}

/// Questions to nodes that wait for their answers.
#[derive(Default)]
pub struct Inquiries {
    waiting: Mutex<HashMap<u64, Waiting>>,
    next: AtomicU64,
}

impl Inquiries {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer came; only the link that the question went over is believed.
    pub(super) fn answered(&self, link: u64, id: u64, result: Result<Reply>) {
        let mut waiting = self.waiting();
        if waiting.get(&id).is_some_and(|w| w.link == link)
            && let Some(w) = waiting.remove(&id)
        {
            // Nobody waits any more for what took too long.
            let _ = w.to.send(result);
        }
    }

    /// A link has ended, and with it what was asked over it.
    pub(super) fn lost(&self, link: u64) {
        self.waiting().retain(|_, w| w.link != link);
    }
}

/// Asks node `name`.
///
/// # Errors
/// Why there is no answer, with the node's name.
pub async fn inquire(app: &App, name: &str, what: Inquiry) -> std::result::Result<Reply, String> {
    inquire_within(app, name, what, LIMIT).await
}

/// The same with another longest wait.
///
/// # Errors
/// Why there is no answer, with the node's name.
pub async fn inquire_within(
    app: &App,
    name: &str,
    what: Inquiry,
    limit: Duration,
) -> std::result::Result<Reply, String> {
    let Some(way) = app.nodes.way(name) else { return Err(super::gone(&app.store, name)) };
    if way.version < DATABASES {
        return Err(format!("Node {name} runs an older version, which keeps no databases. Update it."));
    }
    if way.version < what.since() {
        return Err(format!("Node {name} runs an older version, which ships no logs. Update it."));
    }
    let all = &app.nodes.inquiries;
    let id = all.next.fetch_add(1, Ordering::Relaxed);
    let (to, answer) = oneshot::channel();
    all.waiting().insert(id, Waiting { link: way.link, to });
    let sent = way.out.send(ToNode::Inquire { id, what }).await;
    let answer = if sent.is_ok() { tokio::time::timeout(limit, answer).await.ok() } else { None };
    all.waiting().remove(&id);
    match answer {
        Some(Ok(result)) => result.map_err(|e| format!("node {name}: {e}")),
        _ => Err(super::gone(&app.store, name)),
    }
}

/// The same for questions that are answered with a sentence.
///
/// # Errors
/// Why there is no answer, with the node's name.
pub async fn said(app: &App, name: &str, what: Inquiry) -> std::result::Result<String, String> {
    match inquire(app, name, what).await? {
        Reply::Said(text) => Ok(text),
        _ => Err(format!("node {name} answered something else than was asked")),
    }
}

/// Answers on the node.
///
/// # Errors
/// What cannot be done.
pub async fn answer(fleet: Arc<Fleet>, data_dir: PathBuf, what: Inquiry) -> Result<Reply> {
    match what {
        Inquiry::Side(pool) => {
            let sides = fleet.sides(&pool).await;
            let side = sides.primary;
            let info = side.info.unwrap_or_default();
            Ok(Reply::Side(Box::new(SideTold {
                open: sides.open.is_some(),
                trouble: sides.trouble,
                error: side.error,
                epoch: info.epoch,
                size_bytes: info.size_bytes,
                messages: info.messages,
                last_write: info.last_write,
            })))
        }
        Inquiry::Half(pool) => {
            let told = fleet.half_told(&pool).await.map_err(StoreError::Database)?;
            Ok(Reply::Half(Box::new(told)))
        }
        Inquiry::Step { pool, hold, step } => {
            let did = fleet.half_step(&pool, hold.as_deref(), step).await;
            did.map(Reply::Did).map_err(StoreError::Database)
        }
        Inquiry::Rehearse(pool) => {
            let scratch = data_dir.join("rehearsals").join(random_hex(&SystemEntropy, 4));
            let done = fleet.rehearse_half(&pool, scratch).await;
            done.map(Reply::Rehearsed).map_err(StoreError::Database)
        }
        Inquiry::Share { path, store } => aside(move || share(&data_dir, &path, store.as_ref())).await,
        Inquiry::Check(store) => aside(move || check(&data_dir, &store)).await,
        Inquiry::Create(store) => aside(move || create(&data_dir, &store)).await,
        Inquiry::Copy { store, copy, offset } => {
            let work = move || super::copies::piece(&data_dir, &store, &copy, offset);
            let done = tokio::task::spawn_blocking(work).await;
            done.unwrap_or_else(|e| Err(StoreError::Database(e.to_string())))
        }
        Inquiry::SetAside { pool, store, folder } => {
            // Only one name, whatever the portal's file system would take.
            if folder.is_empty() || folder.starts_with('.') || folder.contains(['/', '\\']) {
                return Err(StoreError::invalid("folder", "this is no name of a folder"));
            }
            fleet.released(&pool, CLOSE).await.map_err(StoreError::Database)?;
            aside(move || {
                let dir = sql_dir(&data_dir, &store);
                let restored = store::chat::shipping::Secondary::new(&dir, pool.as_str()).abandon();
                restored.map_err(|e| StoreError::Database(e.to_string()))?;
                let to = dir.join("kept").join(folder);
                let moved = MgcDatabase::set_aside(&dir, &to)?;
                Ok(if moved { to.display().to_string() } else { String::new() })
            })
            .await
        }
    }
}

async fn aside(work: impl FnOnce() -> Result<String> + Send + 'static) -> Result<Reply> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(StoreError::Database(e.to_string()))).map(Reply::Said)
}

fn check(data_dir: &Path, store: &SqlStore) -> Result<String> {
    let dir = sql_dir(data_dir, store);
    // Where it will be made: the nearest folder that is there.
    let there = dir.ancestors().find(|d| d.is_dir()).unwrap_or(data_dir);
    writable(there).map_err(StoreError::Database)?;
    if dir.join("mgc.restoring").exists() {
        return Ok("holds mgc as log shipping restores it".to_owned());
    }
    match MgcDatabase::probe(&dir) {
        Ok(i) => Ok(format!("holds mgc with {} messages", i.messages)),
        Err(e) if dir.join("mgc.db").exists() => Err(StoreError::Database(e)),
        Err(_) => Ok(format!("can be kept in {}", dir.display())),
    }
}

/// Whether the share is reached by the path that the topology says; a folder for the instance is made.
fn share(data_dir: &Path, path: &str, store: Option<&SqlStore>) -> Result<String> {
    writable(Path::new(path)).map_err(StoreError::Database)?;
    if let Some(dir) = store.map(|s| sql_dir(data_dir, s)) {
        let failed = |e: std::io::Error| StoreError::Database(format!("{}: {e}", dir.display()));
        std::fs::create_dir_all(&dir).map_err(failed)?;
    }
    Ok("read, write, modify and permission change work".to_owned())
}

fn create(data_dir: &Path, store: &SqlStore) -> Result<String> {
    let made = MgcDatabase::create(&sql_dir(data_dir, store))?;
    Ok(if made { "is created" } else { "is there already" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Fqdn, ObjectId};

    fn store() -> SqlStore {
        SqlStore {
            id: ObjectId::try_from("s").unwrap(),
            fqdn: Fqdn::try_from("sql.contoso.com").unwrap(),
            instance: None,
            placement: shared::topology::Placement::Node("n1".to_owned()),
        }
    }

    #[test]
    fn a_database_is_made_once_and_a_damaged_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check(dir.path(), &store()).unwrap().starts_with("can be kept in "));
        assert_eq!(create(dir.path(), &store()).unwrap(), "is created");
        assert_eq!(create(dir.path(), &store()).unwrap(), "is there already");
        assert_eq!(check(dir.path(), &store()).unwrap(), "holds mgc with 0 messages");
        std::fs::write(sql_dir(dir.path(), &store()).join("mgc.db"), "not a database").unwrap();
        assert!(check(dir.path(), &store()).is_err());
    }

    #[test]
    fn only_the_link_of_a_question_answers_it() {
        let all = Inquiries::default();
        let (to, mut answer) = oneshot::channel();
        all.waiting().insert(1, Waiting { link: 7, to });
        all.answered(8, 1, Ok(Reply::Done));
        assert!(answer.try_recv().is_err());
        all.answered(7, 1, Ok(Reply::Done));
        assert!(matches!(answer.try_recv(), Ok(Ok(Reply::Done))));
        let (to, answer) = oneshot::channel();
        all.waiting().insert(2, Waiting { link: 7, to });
        all.lost(7);
        assert!(answer.blocking_recv().is_err());
    }
}
