//! A rehearsal at the owner of the side that would take over: what a switch does there is done on a copy. The
//! share is read and not written; the epoch is not claimed.

use std::path::{Path, PathBuf};
use std::time::Instant;

use node::remote::Rehearsed;
use shared::ObjectId;
use store::chat::MgcDatabase;
use store::chat::shipping::{PATIENCE, Secondary};

use super::Fleet;
use super::half::followed;
use super::wanted::Half;

type Log = Vec<String>;

/// One step, with what it said and how long it took.
async fn done<T>(
    all: &mut Vec<Rehearsed>,
    work: impl Future<Output = Result<(T, Log), String>>,
) -> Option<T> {
    let begun = Instant::now();
    let result = work.await;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (value, log, error) = match result {
        Ok((value, log)) => (Some(value), log, None),
        Err(why) => (None, Vec::new(), Some(why)),
    };
    all.push(Rehearsed { log, millis, error, messages: None });
    value
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
}

impl Fleet {
    /// Rehearses a switch to the side of this process in `scratch`, which is gone afterwards.
    ///
    /// # Errors
    /// That this process has no side that rests.
    pub async fn rehearse_half(&self, pool: &ObjectId, scratch: PathBuf) -> Result<Vec<Rehearsed>, String> {
        let w = self.wanted_of(pool).ok_or("it has not heard of this pool yet")?;
        let half = w.half.clone().filter(|h| h.side != w.state).ok_or("its side is in use")?;
        let (label, from) = w.side(half.side).cloned().ok_or("the side is of another process")?;
        let share = w.share.clone().ok_or("the pool has no share for log shipping")?;
        let mut all = Vec::new();
        let copied = Copied { label, from, share, half, pool: pool.clone(), dir: scratch.clone() };
        self.rehearse_steps(copied, &mut all).await;
        let gone = blocking(move || match std::fs::remove_dir_all(&scratch) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", scratch.display())),
            _ => Ok(()),
        });
        if let Err(e) = gone.await {
            tracing::warn!(cause = e, "the copy of a rehearsal could not be taken away");
        }
        Ok(all)
    }

    async fn rehearse_steps(&self, c: Copied, all: &mut Vec<Rehearsed>) -> Option<()> {
        done(all, self.take_copy(&c)).await?;
        let epoch = done(all, c.copy()).await?;
        done(all, c.apply(epoch)).await?;
        done(all, c.online(epoch + 1)).await?;
        let messages = done(all, c.read()).await?;
        if let Some(last) = all.last_mut() {
            last.messages = Some(messages);
        }
        Some(())
    }

    async fn take_copy(&self, c: &Copied) -> Result<((), Log), String> {
        let size = std::fs::metadata(c.from.join("mgc.db")).map_or(0, |m| m.len());
        let wanted = size + size / 5;
        if let Some(free) = crate::disk::free(&c.dir).filter(|free| *free < wanted) {
            return Err(format!(
                "the data directory has {} MB free; the copy of {} takes {} MB (only the rehearsal needs this room)",
                free / 1_000_000,
                c.label,
                wanted.div_ceil(1_000_000)
            ));
        }
        let bytes = self.copy_side(&c.pool, &c.from, &c.dir).await?;
        Ok(((), vec![format!("{} KB of {} were copied where they lie.", bytes.div_ceil(1000), c.label)]))
    }
}

/// The copy, and what it was made of.
struct Copied {
    label: String,
    from: PathBuf,
    share: PathBuf,
    half: Half,
    pool: ObjectId,
    dir: PathBuf,
}

impl Copied {
    fn secondary(&self) -> Secondary {
        Secondary::new(&self.dir, self.pool.as_str())
    }

    async fn copy(&self) -> Result<(u64, Log), String> {
        let (secondary, share, half) = (self.secondary(), self.share.clone(), self.half.clone());
        let work = move || {
            let epoch = followed(&share, &half).map_err(|e| e.to_string())?;
            let n = secondary.copy_within(&share, epoch, PATIENCE).map_err(|e| e.to_string())?;
            Ok((epoch, n))
        };
        let (epoch, n) = blocking(work).await?;
        Ok((epoch, vec![format!("{n} segments of epoch {epoch} were read from the share.")]))
    }

    async fn apply(&self, epoch: u64) -> Result<((), Log), String> {
        let secondary = self.secondary();
        let work = move || {
            let n = secondary.apply(epoch).map_err(|e| e.to_string())?;
            Ok((n, secondary.applied()))
        };
        let (n, applied) = blocking(work).await?;
        let applied = applied.filter(|a| a.mark.epoch == epoch).ok_or(
            "nothing of the log in use was ever applied there; a planned run would ship the whole database first",
        )?;
        Ok((
            (),
            vec![format!("{n} segments were applied; the newest is {} of epoch {epoch}.", applied.mark.seq)],
        ))
    }

    async fn online(&self, epoch: u64) -> Result<((), Log), String> {
        let (secondary, dir) = (self.secondary(), self.dir.clone());
        let open = move || {
            secondary.online().map_err(|e| e.to_string())?;
            MgcDatabase::promote(&dir, epoch).map_err(|e| e.to_string())?;
            MgcDatabase::open(&dir, epoch, None, None).map_err(|e| e.to_string())
        };
        let db = blocking(open).await?;
        let rooms = db.store().rooms().await.map_err(|e| e.to_string());
        db.close().await;
        let said = format!(
            "The copy is online with epoch {epoch} and {} rooms; the share does not know of it.",
            rooms?.len()
        );
        Ok(((), vec![said]))
    }

    async fn read(&self) -> Result<(u64, Log), String> {
        let dir = self.dir.clone();
        let (info, sound) = blocking(move || Ok((MgcDatabase::probe(&dir)?, checked(&dir)?))).await?;
        if sound != "ok" {
            return Err(format!("the database would come online damaged: {sound}"));
        }
        let said = format!(
            "{} messages, {} KB; SQLite's check finds nothing wrong.",
            info.messages,
            info.size_bytes.div_ceil(1000)
        );
        Ok((info.messages, vec![said]))
    }
}

fn checked(dir: &Path) -> Result<String, String> {
    let c = rusqlite::Connection::open(dir.join("mgc.db")).map_err(|e| e.to_string())?;
    c.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(|e| e.to_string())
}
