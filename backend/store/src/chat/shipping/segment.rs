//! The file format of a segment: magic, length of the header, header as JSON, pages, SHA-256 of all that.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::Timestamp;

use super::progress::{Progress, Steady};
use super::{Position, ShipError, io, name, sync_dir};

const MAGIC: &[u8; 8] = b"LGSEG\x001\n";
/// Most bytes of a header; a longer one is no segment of ours.
const MAX_HEADER: u32 = 64 * 1024;

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The database it belongs to.
    pub database: String,
    /// Epoch of the chain.
    pub epoch: u64,
    /// Number; 0 is the base.
    pub seq: u64,
    /// Hash of the segment before it; empty for the base.
    pub prev: String,
    /// Where in the log it ends.
    pub position: Position,
    /// Bytes of a page.
    pub page_size: u32,
    /// Pages of the database after it.
    pub db_pages: u32,
    /// Pages in it.
    pub pages: u32,
    /// Commits since the base.
    pub commits: u64,
    /// Messages of the database with it; shown, never used for order.
    #[serde(default)]
    pub messages: u64,
    /// When it was cut; shown, never used for order.
    pub at: Timestamp,
}

/// Pages by number.
pub type Pages = BTreeMap<u32, Vec<u8>>;

/// A writer that hashes what goes through it.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.hash.update(&buf[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Where the pages of a segment come from.
pub enum Source<'a> {
    /// Changed pages.
    Pages(&'a Pages),
    /// A whole database file, read as it is written.
    File(&'a Path),
}

/// Writes a segment into `dir`; its hash. Nothing half-written stays, and no segment is ever replaced.
/// `still` is asked once all is read, before the segment gets its name; `opening` names the temporary file.
pub fn write(
    (dir, opening): (&Path, u64),
    h: &Header,
    source: &Source<'_>,
    progress: &Progress,
    still: &dyn Fn() -> bool,
) -> Result<String, ShipError> {
    let tmp = dir.join(format!("{}.{opening}.tmp", name(h.epoch, h.seq)));
    let path = dir.join(name(h.epoch, h.seq));
    let written = fill(&tmp, h, source, progress);
    let done = written.and_then(|hash| {
        if !still() {
            return Err(ShipError::Diverged(format!("{} was given up", name(h.epoch, h.seq))));
        }
        // A link never overwrites: two shippers of one epoch cannot both win.
        match std::fs::hard_link(&tmp, &path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(ShipError::Diverged(format!("{} is in the share already", name(h.epoch, h.seq))))
            }
            r => r.map(|()| hash).map_err(io(&path)),
        }
    });
    let _ = std::fs::remove_file(&tmp);
    let hash = done?;
    sync_dir(dir)?;
    Ok(hash)
}

fn fill(tmp: &Path, h: &Header, source: &Source<'_>, progress: &Progress) -> Result<String, ShipError> {
    let fail = io(tmp);
    let file = File::create(tmp).map_err(&fail)?;
    let inner = BufWriter::new(Steady::new(file, progress));
    let mut out = Hashing { inner, hash: Sha256::new() };
    let header = serde_json::to_vec(h).map_err(|e| ShipError::Diverged(e.to_string()))?;
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    let mut body = || -> std::io::Result<()> {
        out.write_all(MAGIC)?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(&header)?;
        match source {
            Source::Pages(pages) => {
                for (number, page) in *pages {
                    out.write_all(&number.to_be_bytes())?;
                    out.write_all(page)?;
                }
            }
            Source::File(path) => {
                let mut database = BufReader::new(File::open(path)?);
                let mut page = vec![0; h.page_size as usize];
                for number in 1..=h.pages {
                    database.read_exact(&mut page)?;
                    out.write_all(&number.to_be_bytes())?;
                    out.write_all(&page)?;
                }
            }
        }
        Ok(())
    };
    body().map_err(&fail)?;
    let digest = out.hash.finalize();
    let mut inner = out.inner;
    inner.write_all(&digest).map_err(&fail)?;
    let file = inner.into_inner().map_err(|e| fail(e.into_error()))?;
    file.finish().map_err(&fail)?;
    Ok(hex::encode(digest))
}

fn corrupt(path: &Path, why: impl Into<String>) -> ShipError {
    let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    // A copy under way is named as what it is a copy of.
    let file = file.trim_end_matches(".tmp").to_owned();
    ShipError::Corrupt { file, why: why.into() }
}

fn header(r: &mut impl Read, path: &Path, hash: &mut Sha256) -> Result<Header, ShipError> {
    let short = |_| corrupt(path, "it ends too early");
    let mut start = [0; 12];
    r.read_exact(&mut start).map_err(short)?;
    let length = u32::from_be_bytes([start[8], start[9], start[10], start[11]]);
    if start[..8] != *MAGIC || length > MAX_HEADER {
        return Err(corrupt(path, "it is no segment"));
    }
    let mut json = vec![0; length as usize];
    r.read_exact(&mut json).map_err(short)?;
    hash.update(start);
    hash.update(&json);
    let h: Header = serde_json::from_slice(&json).map_err(|e| corrupt(path, e.to_string()))?;
    if h.page_size < 512 || h.page_size > 65_536 || !h.page_size.is_power_of_two() {
        return Err(corrupt(path, "its page size is impossible"));
    }
    Ok(h)
}

/// The header alone, unverified; for lists.
pub fn peek(path: &Path) -> Result<Header, ShipError> {
    let file = File::open(path).map_err(io(path))?;
    header(&mut BufReader::new(file), path, &mut Sha256::new())
}

/// Reads a segment to its end; every page goes to `page`, and its header and hash come back when all of
/// it is sound. What `page` did must not count before that.
pub fn read(
    path: &Path,
    progress: &Progress,
    mut page: impl FnMut(&Header, u32, &[u8]) -> Result<(), ShipError>,
) -> Result<(Header, String), ShipError> {
    let file = File::open(path).map_err(io(path))?;
    let mut r = BufReader::with_capacity(1 << 18, file);
    let mut hash = Sha256::new();
    let h = header(&mut r, path, &mut hash)?;
    let short = |_| corrupt(path, "it ends too early");
    let mut buffer = vec![0; h.page_size as usize + 4];
    for _ in 0..h.pages {
        r.read_exact(&mut buffer).map_err(short)?;
        hash.update(&buffer);
        let number = u32::from_be_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]);
        if number == 0 {
            return Err(corrupt(path, "it has a page 0"));
        }
        page(&h, number, &buffer[4..])?;
        progress.moved();
    }
    let mut digest = [0; 32];
    r.read_exact(&mut digest).map_err(short)?;
    if r.read(&mut [0]).map_err(io(path))? != 0 {
        return Err(corrupt(path, "it is longer than it says"));
    }
    let found = hash.finalize();
    if found[..] != digest {
        return Err(corrupt(path, "its content does not match its checksum"));
    }
    Ok((h, hex::encode(digest)))
}

/// Reads a segment only to verify it.
pub fn verify(path: &Path, progress: &Progress) -> Result<(Header, String), ShipError> {
    read(path, progress, |_, _, _| Ok(()))
}
