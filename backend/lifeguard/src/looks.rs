//! Looks at disks and folders that may hang, each in a thread of its own. Who shows what is wrong reads what was
//! found last: a network mount that hangs stops neither portal nor chat, and is itself told of.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::api::BackupFile;
use store::management::{StoreError, topology};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::app::App;

/// How often each place is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// A place that has not answered for so long is told of.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a look found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The number of the disk, and free bytes on it.
    Room(u64, u64),
    /// The files of the backup folder.
    Backups(Vec<BackupFile>),
    /// It is not there.
    Nothing,
    /// It does not answer.
    Silent,
}

/// What is looked at: its name for people, its path, and how.
pub type Place = (String, PathBuf, fn(&Path) -> Found);

/// What was found last at each place.
#[derive(Debug, Default)]
pub struct Looks(Mutex<BTreeMap<String, Found>>);

impl Looks {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found last at a place; none before the first look.
    pub fn at(&self, name: &str) -> Option<Found> {
        self.all().get(name).cloned()
    }

    /// Looks at the places over and over. They may be others each time.
    pub async fn keep(&self, places: impl Fn() -> Vec<Place>, every: Duration, patience: Duration) {
        let (mut looks, mut under_way) = (JoinSet::new(), BTreeMap::<String, Instant>::new());
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let now = places();
                    self.all().retain(|name, _| now.iter().any(|p| p.0 == *name));
                    for (name, path, look) in now {
                        match under_way.get(&name) {
                            // One thread hangs at a place, never more.
                            Some(since) if since.elapsed() >= patience => {
                                self.all().insert(name, Found::Silent);
                            }
                            Some(_) => {}
                            None => {
                                under_way.insert(name.clone(), Instant::now());
                                looks.spawn_blocking(move || (name, look(&path)));
                            }
                        }
                    }
                }
                Some(done) = looks.join_next(), if !looks.is_empty() => {
                    // A panic has been reported by its thread; the place counts as one that does not answer.
                    let Ok((name, found)) = done else { continue };
                    under_way.remove(&name);
                    self.all().insert(name, found);
                }
            }
        }
    }
}

/// The disk on which this lies, and its room.
pub fn room(path: &Path) -> Found {
    let free = crate::disk::free(path);
    match (std::fs::metadata(path), free) {
        (Ok(m), Some(free)) => Found::Room(m.dev(), free),
        _ => Found::Nothing,
    }
}

fn places(app: &App) -> Vec<Place> {
    let published = app
        .store
        .read(|c| Ok::<_, StoreError>(topology::published(c)?.map(|v| v.document).unwrap_or_default()));
    let disks = crate::disk::places(&app.settings, &published.unwrap_or_default());
    let mut all: Vec<Place> = disks.into_iter().map(|(what, path)| (what, path, room as _)).collect();
    if let Some(folder) = crate::backups::place(app) {
        all.push((crate::backups::PLACE.to_owned(), folder, |p| Found::Backups(crate::backups::list(p))));
    }
    all
}

/// Runs until the program ends.
pub async fn run(app: Arc<App>) {
    app.looks.keep(|| places(&app), EVERY, PATIENCE).await;
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_place_that_hangs_is_told_of_and_holds_up_no_other() {
        static GATE: Mutex<Option<mpsc::Receiver<()>>> = Mutex::new(None);
        let (open, gate) = mpsc::channel();
        *GATE.lock().unwrap() = Some(gate);
        let looks = Arc::new(Looks::default());
        let hang: fn(&Path) -> Found = |_| {
            // The sender that is dropped opens the gate for good.
            let _ = GATE.lock().unwrap().as_ref().map(mpsc::Receiver::recv);
            Found::Nothing
        };
        let places = move || -> Vec<Place> {
            vec![("hangs".into(), "/".into(), hang), ("answers".into(), "/".into(), room)]
        };
        let kept = looks.clone();
        let task = tokio::spawn(async move {
            kept.keep(places, Duration::from_millis(5), Duration::from_millis(50)).await;
        });
        let until = async |name: &str, wanted: fn(&Found) -> bool| {
            while !looks.at(name).as_ref().is_some_and(wanted) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        until("answers", |f| matches!(f, Found::Room(..))).await;
        until("hangs", |f| *f == Found::Silent).await;
        drop(open);
        until("hangs", |f| *f == Found::Nothing).await;
        task.abort();
    }
}
