//! The other side: the copy job and the restore job, and bringing the database online.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::progress::{Progress, Steady, within};
use super::segment::{self, Header};
use super::{Mark, ShipError, io, list, name, sync_dir};
use crate::chat::orphans;

/// What the restore job has applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The segment.
    pub mark: Mark,
    /// Its hash.
    pub hash: String,
    /// Size and time of the file as the job left it; anything else was done by somebody else.
    pub size: u64,
    /// See `size`.
    pub modified: u128,
}

/// The side that is not in use: its folder holds `mgc.db` as it is restored so far.
#[derive(Debug, Clone)]
pub struct Secondary {
    /// The instance's folder.
    dir: PathBuf,
    /// The database's identity.
    id: String,
}

/// Whether this is a whole copy that was made after what is applied. With a number that is not higher, the share was
/// lost and its chain begun anew within the epoch: numbers of before say nothing of it.
fn base_after(path: &Path, applied: &Mark) -> bool {
    segment::peek(path).is_ok_and(|h| h.prev.is_empty() && h.at > applied.cut)
}

impl Secondary {
    /// Over the folder of a SQL instance.
    pub fn new(dir: &Path, id: &str) -> Self {
        Self { dir: dir.to_owned(), id: id.to_owned() }
    }

    /// Folder that segments are copied to.
    pub fn destination(&self) -> PathBuf {
        self.dir.join("shipping")
    }

    fn database(&self) -> PathBuf {
        self.dir.join("mgc.db")
    }

    fn state(&self) -> PathBuf {
        self.dir.join("mgc.restoring")
    }

    /// What was applied; none when the database here is not being restored.
    pub fn applied(&self) -> Option<Applied> {
        serde_json::from_slice(&std::fs::read(self.state()).ok()?).ok()
    }

    /// The newest segment that was copied here.
    pub fn copied(&self) -> Option<Mark> {
        let (_, _, path) = list(&self.destination()).ok()?.pop()?;
        segment::peek(&path).ok().as_ref().map(Mark::from)
    }

    /// As [`Secondary::copy`], but a share that does not answer is left; when it comes back late, what is
    /// copied then has an old epoch or is there already.
    ///
    /// # Errors
    /// Also [`ShipError::Silent`].
    pub fn copy_within(&self, share: &Path, epoch: u64, patience: Duration) -> Result<u64, ShipError> {
        let (me, from) = (self.clone(), share.to_owned());
        within(share, "copy", patience, move |p| me.copying(&from, epoch, p))
    }

    /// Copies segments of `epoch` that are not here yet; each is verified before it gets its name.
    ///
    /// # Errors
    /// A damaged segment in the share, or I/O.
    pub fn copy(&self, share: &Path, epoch: u64) -> Result<u64, ShipError> {
        self.copying(share, epoch, &Progress::default())
    }

    pub(super) fn copying(&self, share: &Path, epoch: u64, progress: &Progress) -> Result<u64, ShipError> {
        let to = self.destination();
        if !self.dir.is_dir() {
            // An instance that is gone is not made up: it may come back with what it had.
            let why = "the folder of the SQL instance is not there".to_owned();
            return Err(ShipError::Io { path: self.dir.display().to_string(), why });
        }
        std::fs::create_dir_all(&to).map_err(io(&to))?;
        let applied = self.applied().filter(|a| a.mark.epoch == epoch).map(|a| a.mark);
        let mut news = list(share)?;
        news.retain(|(e, ..)| *e == epoch);
        let first = applied.as_ref().zip(news.first());
        let begun_anew = first.is_some_and(|(a, (_, seq, path))| *seq <= a.seq && base_after(path, a));
        news.retain(|(_, seq, _)| begun_anew || applied.as_ref().is_none_or(|a| *seq > a.seq));
        // What is before the newest base is not needed, and may be what the base was made for.
        let is_base = |path: &Path| {
            progress.moved();
            segment::peek(path).is_ok_and(|h| h.prev.is_empty())
        };
        let from = news.iter().rposition(|(.., path)| is_base(path)).unwrap_or(0);
        let mut n = 0;
        for (e, seq, path) in news.drain(from..) {
            let target = to.join(name(e, seq));
            // It has its name because it is sound; applying looks once more.
            if target.exists() {
                continue;
            }
            let tmp = to.join(format!("{}.tmp", name(e, seq)));
            copy_file(&path, &tmp, progress)?;
            let sound = segment::verify(&tmp, progress)
                .and_then(|_| std::fs::rename(&tmp, &target).map_err(io(&target)));
            if let Err(e) = sound {
                let _ = std::fs::remove_file(&tmp);
                return Err(e);
            }
            n += 1;
        }
        sync_dir(&to)?;
        Ok(n)
    }

    /// Applies what was copied, in order. A base of a newer epoch or number starts anew; a database that
    /// is not part of the chain is moved to `orphans/` before it is replaced.
    ///
    /// # Errors
    /// A gap, a fork, a damaged segment, a database changed by somebody else; all before it stay applied.
    pub fn apply(&self, epoch: u64) -> Result<u64, ShipError> {
        let mut n = 0;
        let here: Vec<_> = list(&self.destination())?.into_iter().filter(|(e, ..)| *e == epoch).collect();
        // The newest base: what is before it need not be applied.
        let base = here.iter().rev().find(|(_, _, p)| segment::peek(p).is_ok_and(|h| h.prev.is_empty()));
        let anew = self.applied().filter(|a| a.mark.epoch == epoch).zip(base);
        let anew = anew.is_some_and(|(a, (_, seq, path))| *seq <= a.mark.seq && base_after(path, &a.mark));
        let base = base.map(|(_, s, _)| *s);
        for (_, seq, path) in &here {
            let done = self.applied().filter(|a| a.mark.epoch == epoch);
            let next = done.as_ref().map_or(0, |a| a.mark.seq + 1);
            if (*seq < next && !(anew && base == Some(*seq))) || base.is_some_and(|b| *seq < b) {
                self.forget(path)?;
                continue;
            }
            let is_base = base == Some(*seq);
            if !is_base && done.is_none() {
                return Err(ShipError::Gap { epoch, expected: 0, found: *seq });
            }
            if !is_base && *seq > next {
                return Err(ShipError::Gap { epoch, expected: next, found: *seq });
            }
            self.apply_one(path, done.filter(|_| !is_base).as_ref())?;
            self.forget(path)?;
            n += 1;
        }
        Ok(n)
    }

    /// A segment that is applied is not needed here; the share keeps it.
    fn forget(&self, path: &Path) -> Result<(), ShipError> {
        std::fs::remove_file(path).map_err(io(path))
    }

    fn apply_one(&self, path: &Path, after: Option<&Applied>) -> Result<(), ShipError> {
        // Sound to its end before the first page counts.
        let (h, hash) = match segment::verify(path, &Progress::default()) {
            Err(ShipError::Corrupt { why, .. }) => {
                // It was sound when it was copied: the share still has it.
                self.forget(path)?;
                let why = format!("the copy is damaged ({why}) and is fetched again");
                return Err(ShipError::Io { path: path.display().to_string(), why });
            }
            r => r?,
        };
        let forked = |why: &str| {
            let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            Err(ShipError::Forked { file, why: why.to_owned() })
        };
        if h.database != self.id {
            return forked("it belongs to another database");
        }
        match after {
            Some(a) if a.hash != h.prev => return forked("it was cut after another segment"),
            Some(a) => self.untouched(a)?,
            None => {
                self.set_orphan_aside()?;
                // A log of the file that is replaced must not be replayed into the new one.
                for file in ["mgc.db-wal", "mgc.db-shm", "mgc.db-shipped"] {
                    let _ = std::fs::remove_file(self.dir.join(file));
                }
            }
        }
        self.write_pages(path, &h, &hash)?;
        let meta = std::fs::metadata(self.database()).map_err(io(&self.database()))?;
        let modified = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let applied = Applied {
            mark: Mark::from(&h),
            hash,
            size: meta.len(),
            modified: modified.unwrap_or_default().as_nanos(),
        };
        self.save(&applied)
    }

    /// The file must be as the last segment left it, or be in the middle of applying this very one.
    fn untouched(&self, a: &Applied) -> Result<(), ShipError> {
        if self.half_applied() {
            return Ok(()); // a kill in the middle: the same pages are written again
        }
        let meta = std::fs::metadata(self.database()).map_err(io(&self.database()))?;
        let modified = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        if (meta.len(), modified.unwrap_or_default().as_nanos()) != (a.size, a.modified) {
            let text = format!("{} was written to by somebody else", self.database().display());
            return Err(ShipError::Diverged(text));
        }
        Ok(())
    }

    /// Whether a segment was begun and not noted as applied. The marker names the segment by its hash: one
    /// that a kill left behind after its segment was noted says nothing any more.
    fn half_applied(&self) -> bool {
        let begun = std::fs::read_to_string(self.dir.join("mgc.applying"));
        begun.is_ok_and(|hash| self.applied().is_none_or(|a| a.hash != hash))
    }

    fn write_pages(&self, path: &Path, h: &Header, hash: &str) -> Result<(), ShipError> {
        let (database, applying) = (self.database(), self.dir.join("mgc.applying"));
        let fail = io(&database);
        let begun = File::create(&applying).and_then(|mut f| {
            f.write_all(hash.as_bytes())?;
            f.sync_all()
        });
        begun.map_err(io(&applying))?;
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&database).map_err(&fail)?;
        segment::read(path, &Progress::default(), |h, number, page| {
            let at = u64::from(number - 1) * u64::from(h.page_size);
            file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(page)).map_err(&fail)
        })?;
        file.set_len(u64::from(h.db_pages) * u64::from(h.page_size)).map_err(&fail)?;
        file.sync_all().map_err(&fail)
    }

    fn save(&self, a: &Applied) -> Result<(), ShipError> {
        let (path, tmp) = (self.state(), self.dir.join("mgc.restoring.tmp"));
        let text = serde_json::to_vec(a).map_err(|e| ShipError::Diverged(e.to_string()))?;
        std::fs::write(&tmp, text).map_err(io(&tmp))?;
        File::open(&tmp).and_then(|f| f.sync_all()).map_err(io(&tmp))?;
        std::fs::rename(&tmp, &path).map_err(io(&path))?;
        let _ = std::fs::remove_file(self.dir.join("mgc.applying"));
        sync_dir(&self.dir)
    }

    /// A database that was in use here once is never overwritten: it may hold what was not shipped.
    ///
    /// # Errors
    /// I/O.
    pub fn set_orphan_aside(&self) -> Result<(), ShipError> {
        if !self.database().exists() || self.applied().is_some() {
            return Ok(());
        }
        if super::cutter::is_clean(&self.database()) || never_opened(&self.database()) {
            return Ok(()); // everything in it was shipped, or copied from elsewhere
        }
        let to = orphans::place(&self.dir, "mgc.db").map_err(io(&self.dir))?;
        // First what would call the rest complete, and the database last: a kill in between is gone on from.
        for file in ["mgc.db-shipped", "mgc.db-wal", "mgc.db-shm", "mgc.db"] {
            let from = self.dir.join(file);
            if from.exists() {
                std::fs::rename(&from, to.join(file)).map_err(io(&from))?;
            }
        }
        sync_dir(&to)?;
        sync_dir(&self.dir)
    }

    /// Gives restoring up: what was copied and noted is forgotten, the file may be replaced.
    ///
    /// # Errors
    /// I/O.
    pub fn abandon(&self) -> Result<(), ShipError> {
        for file in ["mgc.restoring", "mgc.applying"] {
            let path = self.dir.join(file);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(&path)(e)),
                _ => {}
            }
        }
        match std::fs::remove_dir_all(self.destination()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(&self.destination())(e)),
            _ => Ok(()),
        }
    }

    /// Databases that were in use here and may hold what was never shipped, oldest first.
    pub fn orphans(&self) -> Vec<PathBuf> {
        orphans::list(&self.dir)
    }

    /// Ends restoring: from now on the database may be opened. Nothing more can be applied.
    ///
    /// # Errors
    /// I/O, or when a segment was being applied.
    pub fn online(&self) -> Result<(), ShipError> {
        if self.half_applied() {
            return Err(ShipError::Diverged("a segment was being applied and is not complete".to_owned()));
        }
        let _ = std::fs::remove_file(self.dir.join("mgc.applying"));
        match std::fs::remove_file(self.state()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(&self.state())(e)),
            _ => sync_dir(&self.dir),
        }
    }
}

/// Copies and syncs in pieces, each of which counts as progress.
fn copy_file(from: &Path, to: &Path, progress: &Progress) -> Result<(), ShipError> {
    let mut source = File::open(from).map_err(io(from))?;
    let mut target = Steady::new(File::create(to).map_err(io(to))?, progress);
    let mut piece = vec![0; 1 << 18];
    loop {
        let n = source.read(&mut piece).map_err(io(from))?;
        if n == 0 {
            return target.finish().map_err(io(to));
        }
        target.write_all(&piece[..n]).map_err(io(to))?;
    }
}

/// The first copy that publishing makes has epoch 0, below any that was ever in use.
fn never_opened(database: &Path) -> bool {
    let Ok(c) = crate::chat::read_only(database) else { return false };
    crate::chat::database::epoch_of(&c).is_ok_and(|e| e == 0)
        && c.query_row("SELECT COUNT(*) FROM meta WHERE key = 'epoch'", [], |r| r.get::<_, i64>(0))
            .is_ok_and(|n| n == 1)
}
