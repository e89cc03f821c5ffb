//! Room on disks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use shared::error::Problem;
use shared::topology::{Placement, Topology};

use crate::app::App;
use crate::looks::Found;
use crate::settings::Settings;

/// Less free room than this is a warning: a backup or a full copy of a database may not fit.
const LITTLE: u64 = 2_000_000_000;
/// Less than this is an error: posts and acts will soon be refused.
const HARDLY: u64 = 200_000_000;

/// Free bytes of the file system on which `path`, or the nearest folder above it, stands.
pub fn free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|p| p.exists())?;
    let s = rustix::fs::statvfs(there).ok()?;
    Some(s.f_bavail.saturating_mul(s.f_frsize))
}

/// What is wrong when so much is free where this lies; none when it is enough.
fn verdict(what: &str, free: u64) -> Option<Problem> {
    let left = format!("{:.1} GB", u32::try_from(free / 1_000_000).map_or(f64::INFINITY, f64::from) / 1000.0);
    if free < HARDLY {
        let text = format!(
            "The disk of {what} is full: {left} are left. Posts and acts are refused when nothing is left."
        );
        Some(Problem::error("disk.full", "", text, ""))
    } else if free < LITTLE {
        let text = format!("The disk of {what} has {left} left.");
        Some(Problem::warning("disk.low", "", text, ""))
    } else {
        None
    }
}

/// Where there must be room: the data directory, and the SQL instances and shares that run here.
pub fn places(s: &Settings, t: &Topology) -> Vec<(String, PathBuf)> {
    let mut places: Vec<(String, PathBuf)> = vec![("the data directory".to_owned(), s.data_dir.clone())];
    let sql = t.sql_stores.iter().filter(|x| x.placement == Placement::RunHere);
    places.extend(sql.map(|x| (x.label(), s.sql_dir(x))));
    let shares = t.file_stores.iter().filter(|f| f.placement == Placement::RunHere);
    places.extend(shares.map(|f| (format!("\\\\{}\\{}", f.fqdn, f.share), s.share_dir(f))));
    places
}

/// Disks with little room, and those that do not answer, as they were found last.
pub fn problems(app: &App, t: &Topology) -> Vec<(String, Problem)> {
    // One disk is told of once, by what was named first.
    let mut disks: BTreeMap<u64, (String, u64)> = BTreeMap::new();
    let mut out = Vec::new();
    for (what, path) in places(&app.settings, t) {
        match app.looks.at(&what) {
            Some(Found::Room(disk, free)) => {
                disks.entry(disk).or_insert((what, free));
            }
            Some(Found::Silent) => {
                let text = format!("The disk of {what} does not answer ({}).", path.display());
                out.push((what, Problem::error("disk.silent", "", text, "")));
            }
            _ => {}
        }
    }
    out.extend(disks.into_values().filter_map(|(what, free)| Some((what.clone(), verdict(&what, free)?))));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_asked_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let free = free(&dir.path().join("a/b")).unwrap();
        assert!(free > 0);
    }

    #[test]
    fn little_room_is_told_before_there_is_none() {
        let code = |n| verdict("x", n).map(|p| p.code);
        assert_eq!(code(LITTLE), None);
        assert_eq!(code(LITTLE - 1).as_deref(), Some("disk.low"));
        assert_eq!(code(HARDLY - 1).as_deref(), Some("disk.full"));
        assert!(verdict("x", 1_234_000_000).is_some_and(|p| p.text.contains("1.2 GB left")));
    }
}
