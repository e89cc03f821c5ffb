//! Reading SQLite's write-ahead log: only frames that SQLite itself would accept, up to the last commit.
//! Format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::segment::Pages;
use super::{Position, ShipError, io};

const HEADER: u64 = 32;
const FRAME: usize = 24;

/// What was found behind a position.
#[derive(Debug)]
pub struct Found {
    /// Last image of each page.
    pub pages: Pages,
    /// Pages of the database after the last commit.
    pub db_pages: u32,
    /// Commits.
    pub commits: u64,
    /// Where the last commit ends.
    pub position: Position,
    /// Bytes of a page.
    pub page_size: u32,
}

fn be(b: &[u8]) -> u32 {
    u32::from_be_bytes([b[0], b[1], b[2], b[3]])
}

/// The running checksum.
fn checksum(mut s: (u32, u32), data: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |b: &[u8]| {
        let raw = [b[0], b[1], b[2], b[3]];
        if big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) }
    };
    for pair in data.chunks_exact(8) {
        s.0 = s.0.wrapping_add(word(&pair[..4])).wrapping_add(s.1);
        s.1 = s.1.wrapping_add(word(&pair[4..])).wrapping_add(s.0);
    }
    s
}

/// Reads the commits behind `from`; none when there is nothing new.
///
/// # Errors
/// [`ShipError::Diverged`] when the log is not the one that `from` stands in.
pub fn read(wal: &Path, from: Position) -> Result<Option<Found>, ShipError> {
    let fail = io(wal);
    let file = match File::open(wal) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return empty(from),
        r => r.map_err(&fail)?,
    };
    let size = file.metadata().map_err(&fail)?.len();
    if size < HEADER {
        return empty(from);
    }
    let mut r = BufReader::with_capacity(1 << 18, file);
    let mut head = [0; HEADER as usize];
    r.read_exact(&mut head).map_err(&fail)?;
    let magic = be(&head);
    let big_endian = magic & 1 == 1;
    let sum = checksum((0, 0), &head[..24], big_endian);
    if magic & !1 != 0x377f_0682 || sum != (be(&head[24..]), be(&head[28..])) {
        return empty(from);
    }
    let page_size = be(&head[8..]);
    let salts = (be(&head[16..]), be(&head[20..]));
    if from.salts.is_some_and(|s| s != salts) {
        return Err(ShipError::Diverged("the log was begun anew by somebody else".to_owned()));
    }
    let start = if from.salts.is_some() { from.offset } else { HEADER };
    if start > size {
        return Err(ShipError::Diverged("the log is shorter than what was shipped of it".to_owned()));
    }
    let step = FRAME as u64 + u64::from(page_size);
    let mut sum = sum;
    if start > HEADER {
        r.seek(SeekFrom::Start(start - step)).map_err(&fail)?;
        let mut frame = [0; FRAME];
        r.read_exact(&mut frame).map_err(&fail)?;
        sum = (be(&frame[16..]), be(&frame[20..]));
    }
    r.seek(SeekFrom::Start(start)).map_err(&fail)?;
    Ok(frames(&mut r, start, salts, sum, page_size, big_endian))
}

/// Whether the next write began the log anew once, right behind `from`. It does that when everything was
/// folded while a reader kept the log from being emptied. Frames that followed `from` in the old log tell
/// that somebody else folded them.
pub fn begun_anew(wal: &Path, from: Position) -> Result<bool, ShipError> {
    let fail = io(wal);
    let Some(old) = from.salts else { return Ok(false) };
    let mut file = File::open(wal).map_err(&fail)?;
    let mut head = [0; HEADER as usize];
    file.read_exact(&mut head).map_err(&fail)?;
    let salts = (be(&head[16..]), be(&head[20..]));
    // SQLite counts the first salt up by one each time and draws the second anew.
    if salts.0 != old.0.wrapping_add(1) || salts.1 == old.1 {
        return Ok(false);
    }
    let mut frame = [0; FRAME];
    file.seek(SeekFrom::Start(from.offset)).map_err(&fail)?;
    Ok(file.read_exact(&mut frame).is_err() || (be(&frame[8..]), be(&frame[12..])) != old)
}

/// No log: fine when none is expected, or when everything of it was shipped and checkpointed.
fn empty(from: Position) -> Result<Option<Found>, ShipError> {
    match from.salts {
        None => Ok(None),
        Some(_) => Err(ShipError::Diverged("the log that was being shipped is gone".to_owned())),
    }
}

fn frames(
    r: &mut impl Read,
    start: u64,
    salts: (u32, u32),
    mut sum: (u32, u32),
    page_size: u32,
    big_endian: bool,
) -> Option<Found> {
    let mut found = Found {
        pages: Pages::new(),
        db_pages: 0,
        commits: 0,
        position: Position { salts: Some(salts), offset: start },
        page_size,
    };
    let mut open = Pages::new();
    let mut offset = start;
    let mut frame = vec![0; FRAME + page_size as usize];
    while r.read_exact(&mut frame).is_ok() {
        if (be(&frame[8..]), be(&frame[12..])) != salts {
            break; // left over from an earlier use of the file
        }
        sum = checksum(sum, &frame[..8], big_endian);
        sum = checksum(sum, &frame[FRAME..], big_endian);
        if sum != (be(&frame[16..]), be(&frame[20..])) {
            break; // torn
        }
        offset += frame.len() as u64;
        open.insert(be(&frame), frame[FRAME..].to_vec());
        let size_after = be(&frame[4..]);
        if size_after > 0 {
            found.pages.append(&mut open);
            found.db_pages = size_after;
            found.commits += 1;
            found.position.offset = offset;
        }
    }
    found.pages.retain(|n, _| *n <= found.db_pages);
    (found.commits > 0).then_some(found)
}
