//! The share's end of the backup job: writes cuts as numbered segments that follow one another.

use std::path::{Path, PathBuf};

use shared::Timestamp;

use super::progress::Progress;
use super::segment::{self, Header, Pages, Source};
use super::{Mark, Position, ShipError, anew, claim, claimed, io, list, make_folder};

/// What a cut carries.
#[derive(Debug)]
pub enum Content {
    /// The whole database file, which nobody changes until it is read.
    Base(PathBuf),
    /// Changed pages.
    Pages(Pages),
}

/// Commits taken from the log, or the whole database, on their way to the share.
#[derive(Debug)]
pub struct Cut {
    /// What is carried.
    pub content: Content,
    /// Where it ends in the log.
    pub position: Position,
    /// Bytes of a page.
    pub page_size: u32,
    /// Pages of the database after it.
    pub db_pages: u32,
    /// Commits in it.
    pub commits: u64,
    /// Messages of the database with it.
    pub messages: u64,
    /// When it was cut.
    pub at: Timestamp,
    /// The log was folded right after it: size and time of the database file since.
    pub folded: Option<(u64, u128)>,
}

/// The chain of one epoch of one database in the share.
#[derive(Debug)]
pub struct Chain {
    share: PathBuf,
    id: String,
    epoch: u64,
    /// Names its temporary files: an earlier opening may still hang in the middle of writing one.
    opening: u64,
    last: Option<(Header, String)>,
    /// The database is being closed: whole copies that are asked for wait for the next opening.
    pub closing: bool,
}

impl Chain {
    /// Finds the newest segment of the epoch in the share.
    ///
    /// # Errors
    /// When the share cannot be written, or a newer epoch was claimed.
    pub fn open(
        share: &Path,
        id: &str,
        (epoch, opening): (u64, u64),
        progress: &Progress,
    ) -> Result<Self, ShipError> {
        make_folder(share)?;
        let (share_dir, id_here) = (share.to_owned(), id.to_owned());
        let mut me = Self { share: share_dir, id: id_here, epoch, opening, last: None, closing: false };
        me.check_fence()?;
        if epoch > claimed(share).max(1) {
            // It was brought online while the share did not answer: what is older is fenced now.
            claim(share, epoch, id)?;
        }
        if let Some(why) = anew::asked(share, epoch) {
            tracing::warn!(share = %share.display(), epoch, why, "shipping begins again with a whole copy");
        } else if let Some((_, _, path)) = list(share)?.into_iter().rfind(|(e, ..)| *e == epoch) {
            me.last = segment::verify(&path, progress).ok().filter(|(h, _)| h.database == id);
        }
        Ok(me)
    }

    /// The newest segment.
    pub fn last(&self) -> Option<&Header> {
        self.last.as_ref().map(|(h, _)| h)
    }

    /// Whether a newer epoch was claimed.
    ///
    /// # Errors
    /// [`ShipError::Fenced`].
    pub fn check_fence(&self) -> Result<(), ShipError> {
        // A share that cannot be read says nothing of who claimed it.
        std::fs::read_dir(&self.share).map_err(io(&self.share))?;
        let newest = claimed(&self.share);
        if newest > self.epoch { Err(ShipError::Fenced(newest)) } else { Ok(()) }
    }

    /// Whether the other side can go on with this chain.
    ///
    /// # Errors
    /// [`ShipError::Diverged`] when it asked for a whole copy.
    pub fn check_asked(&self) -> Result<(), ShipError> {
        // One without a segment begins with a base anyway.
        let heeds = !self.closing && self.last.is_some();
        match anew::asked(&self.share, self.epoch).filter(|_| heeds) {
            Some(why) => Err(ShipError::Diverged(format!("the other side asked for a whole copy ({why})"))),
            None => Ok(()),
        }
    }

    /// Writes a cut behind the newest segment. `still` is asked once everything is read and before the
    /// segment gets its name; when it says no, nothing is left behind.
    ///
    /// # Errors
    /// As [`Chain::open`]; [`ShipError::Diverged`] when the number is taken; I/O.
    pub fn put(
        &mut self,
        cut: &Cut,
        progress: &Progress,
        still: &dyn Fn() -> bool,
    ) -> Result<Mark, ShipError> {
        self.check_fence()?;
        progress.moved();
        let base = matches!(cut.content, Content::Base(_));
        if !base {
            self.check_asked()?;
        }
        let (seq, prev, commits) = match &self.last {
            Some((h, hash)) if !base => (h.seq + 1, hash.clone(), h.commits + cut.commits),
            _ if base => {
                // A base in the middle of an epoch takes the next number; `prev` is empty, so it starts anew.
                let newest = list(&self.share)?.into_iter().rfind(|(e, ..)| *e == self.epoch);
                (newest.map_or(0, |(_, s, _)| s + 1), String::new(), 0)
            }
            _ => return Err(ShipError::Diverged("there is nothing to go on from".to_owned())),
        };
        let pages = match &cut.content {
            Content::Base(_) => cut.db_pages,
            Content::Pages(p) => u32::try_from(p.len()).unwrap_or(u32::MAX),
        };
        let header = Header {
            database: self.id.clone(),
            epoch: self.epoch,
            seq,
            prev,
            position: cut.position,
            page_size: cut.page_size,
            db_pages: cut.db_pages,
            pages,
            commits,
            messages: cut.messages,
            at: cut.at,
        };
        let source = match &cut.content {
            Content::Base(path) => Source::File(path),
            Content::Pages(pages) => Source::Pages(pages),
        };
        let names = (self.share.as_path(), self.opening);
        let hash = segment::write(names, &header, &source, progress, still)?;
        if base {
            anew::answered(&self.share, self.epoch);
        }
        let mark = Mark::from(&header);
        self.last = Some((header, hash));
        Ok(mark)
    }
}
