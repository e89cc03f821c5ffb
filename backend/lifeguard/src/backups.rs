//! Backups by schedule. What has its last name was written whole, verified and synced; whatever else a kill
//! leaves is cleared away at the start, and the backup that was due is made up for.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shared::Timestamp;
use shared::api::{BackupFile, BackupsView, LiveProblem};
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use store::management::StoreError;
use store::management::audit::{self, Opened};
use store::management::backups::{self, Schedule, State};
use tokio::sync::Notify;

use crate::app::App;
use crate::clock::new_id;
use crate::door::store_error;
use crate::looks::Found;

/// How often the runner looks.
const LOOK: Duration = Duration::from_secs(5);
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// After one that failed it is tried again so soon, when the schedule would wait longer.
const AGAIN: i64 = HOUR;
/// Beginning and end of a backup's name.
const NAME: (&str, &str) = ("lifeguard-", ".tar");
/// Ends of names while one is written and verified.
const UNFINISHED: [&str; 2] = [".part", ".unverified"];

/// What the runner and those who ask share.
#[derive(Default)]
pub struct Backups {
    running: AtomicBool,
    asked: Notify,
}

impl Backups {
    /// Has the runner look now.
    pub fn wake(&self) {
        self.asked.notify_one();
    }
}

/// Milliseconds from one to the next.
fn interval(s: &Schedule) -> i64 {
    s.every_hours.map_or(DAY, |h| i64::from(h.max(1)) * HOUR)
}

/// When the next one is due after `now`.
pub fn next(s: &Schedule, now: Timestamp) -> Timestamp {
    if s.every_hours.is_some() {
        return Timestamp::from_millis(now.millis() + interval(s));
    }
    let today = now.millis().div_euclid(DAY) * DAY + i64::from(s.daily) * MINUTE;
    Timestamp::from_millis(if today > now.millis() { today } else { today + DAY })
}

/// Whether one is due. A time further away than the interval was noted under another clock.
fn due(s: &Schedule, state: &State, now: Timestamp) -> bool {
    let far = |n: Timestamp| n.millis() - now.millis() > interval(s);
    s.enabled && state.next.is_none_or(|n| n <= now || far(n))
}

/// The folder of a schedule.
pub fn folder(app: &App, s: &Schedule) -> PathBuf {
    s.folder.as_ref().map_or_else(|| app.settings.data_dir.join("backups"), PathBuf::from)
}

/// Makes the folder, for its owner alone when it was not there.
///
/// # Errors
/// When it cannot be made or is no folder.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What is kept in a folder, newest first; empty when it cannot be read.
pub fn list(folder: &Path) -> Vec<BackupFile> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(at) = time_of(&name) else { continue };
        if let Ok(m) = entry.metadata()
            && m.is_file()
        {
            out.push(BackupFile { name, at, bytes: m.len(), lacks: Vec::new() });
        }
    }
    out.sort_by(|a, b| b.name.cmp(&a.name));
    out
}

/// The same, with what is known of each.
fn kept(folder: &Path, state: &State) -> Vec<BackupFile> {
    let mut all = list(folder);
    name_what_lacks(&mut all, state);
    all
}

fn name_what_lacks(all: &mut [BackupFile], state: &State) {
    for b in all {
        b.lacks = state.lacks.get(&b.name).cloned().unwrap_or_default();
    }
}

/// What the folder is called among the places that are looked at.
pub const PLACE: &str = "the backup folder";

/// The folder that is to be looked at.
pub fn place(app: &App) -> Option<PathBuf> {
    read(app).ok().map(|(s, _)| folder(app, &s))
}

/// `lifeguard-20261121T023000Z.tar`.
fn name_of(now: Timestamp) -> String {
    let seconds = now.rfc3339().get(..19).unwrap_or_default().replace(['-', ':'], "");
    format!("{}{seconds}Z{}", NAME.0, NAME.1)
}

fn time_of(name: &str) -> Option<Timestamp> {
    let t = name.strip_prefix(NAME.0)?.strip_suffix(NAME.1)?;
    let part = |r: std::ops::Range<usize>| t.get(r);
    let (date, time) =
        ([part(0..4)?, part(4..6)?, part(6..8)?], [part(9..11)?, part(11..13)?, part(13..15)?]);
    (t.len() == 16).then(|| Timestamp::parse(&format!("{}T{}Z", date.join("-"), time.join(":")))).flatten()
}

/// Removes what a kill left half-done, here and in the data directory.
fn clear(data_dir: &Path, folder: &Path) {
    for (dir, beginning, ends) in
        [(folder, NAME.0, UNFINISHED.as_slice()), (data_dir, "backup-", [".tmp"].as_slice())]
    {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(beginning) && ends.iter().any(|e| name.ends_with(e)) {
                // Only waste; it is tried again at the next start.
                let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
            }
        }
    }
}

/// One that was made: its name, and the pools whose databases on nodes it does not hold.
struct Made {
    name: String,
    lacks: Vec<String>,
    damaged: Vec<String>,
}

impl Made {
    fn words(&self) -> String {
        let damaged = crate::backup::damaged_words(&self.damaged);
        let without = format!("{damaged}{}", crate::backup::without(&self.lacks));
        format!("{}{}{without}", self.name, if without.is_empty() { "" } else { "." })
    }
}

/// Writes, verifies and names one, then deletes what is over the number kept.
fn make(app: &App, s: &Schedule, now: Timestamp, fetched: &Path) -> Result<Made, String> {
    let (data_dir, folder) = (&app.settings.data_dir, folder(app, s));
    let text = |e: std::io::Error| format!("{}: {e}", folder.display());
    make_folder(&folder).map_err(text)?;
    // Two in one second have names of their own.
    let times = (0..60).map(|n| Timestamp::from_millis(now.millis() + n * 1000));
    let name = times.map(name_of).find(|n| !folder.join(n).exists()).ok_or("too many backups at once")?;
    let target = folder.join(&name);
    let unverified = target.with_extension("unverified");
    let _ = fs::remove_file(&unverified);
    let whole = crate::backup::write(data_dir, Some(&app.store), Some(fetched), &unverified)
        .and_then(|_| crate::backup::verify(&unverified, data_dir));
    let damaged = match whole {
        Ok(damaged) => damaged,
        Err(why) => {
            let _ = fs::remove_file(&unverified);
            return Err(why);
        }
    };
    fs::rename(&unverified, &target).map_err(text)?;
    fs::File::open(&folder).and_then(|f| f.sync_all()).map_err(text)?;
    for old in list(&folder).iter().skip(s.keep.max(1) as usize) {
        fs::remove_file(folder.join(&old.name)).map_err(text)?;
    }
    Ok(Made { name, lacks: crate::backup::missing(Some(&app.store), Some(fetched)), damaged })
}

fn read(app: &App) -> Result<(Schedule, State), ApiError> {
    app.store.read(|c| Ok::<_, StoreError>((backups::schedule(c)?, backups::state(c)?))).map_err(store_error)
}

/// Runs until the program ends.
pub async fn run(app: Arc<App>) {
    if let Ok((s, _)) = read(&app) {
        clear(&app.settings.data_dir, &folder(&app, &s));
    }
    loop {
        if let Err(e) = turn(&app).await {
            tracing::error!(cause = %e.message, "the backups could not be looked at");
        }
        // Asked for, or time to look again.
        let _ = tokio::time::timeout(LOOK, app.backups.asked.notified()).await;
    }
}

async fn turn(app: &Arc<App>) -> Result<(), ApiError> {
    let (s, state) = read(app)?;
    let now = app.clock.now();
    if !due(&s, &state, now) && state.asked.is_none() {
        return Ok(());
    }
    app.backups.running.store(true, Ordering::Release);
    app.bus.send(Topic::Directory, "backups");
    let (a, wanted) = (app.clone(), s.clone());
    let made = match crate::nodes::copies::fetch(app).await {
        Ok(fetched) => {
            let work = move || {
                let made = make(&a, &wanted, now, &fetched);
                let _ = fs::remove_dir_all(&fetched);
                made
            };
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
        }
        Err(why) => Err(why),
    };
    let noted = note(app, &s, now, &made, state.asked.as_deref());
    app.backups.running.store(false, Ordering::Release);
    app.bus.send(Topic::Directory, "backups");
    app.bus.send(Topic::Audit, "");
    match made {
        Ok(made) => tracing::info!(name = made.words(), "a backup was made"),
        Err(why) => tracing::error!(cause = why, "a backup failed"),
    }
    noted
}

/// Notes how it went, with its row in the audit. The schedule may have changed meanwhile.
fn note(
    app: &App,
    s: &Schedule,
    now: Timestamp,
    made: &Result<Made, String>,
    asked: Option<&str>,
) -> Result<(), ApiError> {
    let end = app.clock.now();
    let entry = Opened {
        op_id: new_id(&*app.entropy, end),
        actor: "schedule".to_owned(),
        credential: "schedule".to_owned(),
        source: "local".to_owned(),
        cmdlet: "Backup".to_owned(),
        target: folder(app, s).display().to_string(),
        ..Opened::default()
    };
    app.store
        .write(|tx| {
            let (s, mut state) = (backups::schedule(tx)?, backups::state(tx)?);
            // What was asked for meanwhile is still to be made.
            state.asked = state.asked.filter(|a| asked != Some(a.as_str()));
            let failed = made.is_err();
            let regular = next(&s, end);
            let soon = Timestamp::from_millis(end.millis() + AGAIN);
            state.next = Some(if failed { regular.min(soon) } else { regular }).filter(|_| s.enabled);
            state.last = Some(now);
            state.error = made.as_ref().err().cloned();
            if let Ok(made) = made {
                let there = list(&folder(app, &s));
                state.lacks.retain(|name, _| there.iter().any(|b| b.name == *name));
                if !made.lacks.is_empty() {
                    state.lacks.insert(made.name.clone(), made.lacks.clone());
                }
            }
            backups::set_state(tx, &state)?;
            audit::open(tx, &entry, end)?;
            let (outcome, detail) = match made {
                Ok(made) => ("done", made.words()),
                Err(why) => ("failed", why.clone()),
            };
            audit::close(tx, &entry.op_id, outcome, &detail, end)
        })
        .map_err(store_error)
}

/// The schedule and what is kept.
///
/// # Errors
/// When the store does not answer.
pub fn view(app: &App) -> Result<BackupsView, ApiError> {
    let (s, state) = read(app)?;
    let folder = folder(app, &s);
    Ok(BackupsView {
        enabled: s.enabled,
        every_hours: s.every_hours,
        daily: format!("{:02}:{:02}", s.daily / 60, s.daily % 60),
        keep: s.keep,
        own_folder: s.folder.is_some(),
        folder: folder.display().to_string(),
        running: app.backups.running.load(Ordering::Acquire) || state.asked.is_some(),
        next: state.next.filter(|_| s.enabled),
        last: state.last,
        backups: kept(&folder, &state),
        error: state.error,
    })
}

/// What the overview says of backups: the last one failed, or the newest is older than it should be.
pub fn problem(app: &App) -> Option<LiveProblem> {
    let (s, state) = read(app).ok()?;
    let mut files = match app.looks.at(PLACE)? {
        Found::Backups(files) => files,
        Found::Silent => {
            let text = format!("The backup folder {} does not answer.", folder(app, &s).display());
            return Some(LiveProblem::new(
                Problem::error("backup.silent", "", text, ""),
                "backup",
                "/settings/backup",
            ));
        }
        _ => Vec::new(),
    };
    name_what_lacks(&mut files, &state);
    let found = trouble(&s, &state, &files, app.clock.now())?;
    Some(LiveProblem { since: state.last, ..LiveProblem::new(found, "backup", "/settings/backup") })
}

fn trouble(s: &Schedule, state: &State, kept: &[BackupFile], now: Timestamp) -> Option<Problem> {
    if let Some(why) = &state.error {
        let text = format!(
            "The last backup failed: {why}. Until one succeeds, only the earlier ones could be restored."
        );
        return Some(Problem::error("backup.failed", "", text, ""));
    }
    let newest = kept.first().map_or(s.since, |b| b.at.max(s.since));
    if !s.enabled || now.millis() - newest.millis() <= 2 * interval(s) {
        let lacks = kept.first().filter(|b| !b.lacks.is_empty())?;
        let text = format!("The newest backup is not whole.{}", crate::backup::without(&lacks.lacks));
        return Some(Problem::warning("backup.incomplete", "", text, ""));
    }
    let text = match kept.first() {
        Some(b) => format!(
            "The newest backup is of {}, more than twice as old as the schedule wants.",
            b.at.rfc3339()
        ),
        None => "No backup was made since the schedule was set.".to_owned(),
    };
    Some(Problem::warning("backup.old", "", text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn names_carry_their_time_and_nothing_else_counts() {
        let t = at("2026-11-21T02:30:00Z");
        assert_eq!(name_of(t), "lifeguard-20261121T023000Z.tar");
        assert_eq!(time_of(&name_of(t)), Some(t));
        for other in [
            "lifeguard-20261121T023000Z.part",
            "lifeguard-20261121T023000Z.unverified",
            "lifeguard-.tar",
            "lifeguard-20261121T023000ZZ.tar",
            "mine.tar",
            "lifeguard-2026112éT0230.tar",
        ] {
            assert_eq!(time_of(other), None, "{other}");
        }
    }

    #[test]
    fn due_daily_or_every_so_many_hours_and_missed_ones_once() {
        let daily = Schedule { enabled: true, ..Schedule::default() };
        assert_eq!(next(&daily, at("2026-11-21T02:29:00Z")), at("2026-11-21T02:30:00Z"));
        assert_eq!(next(&daily, at("2026-11-21T02:30:00Z")), at("2026-11-22T02:30:00Z"));
        let often = Schedule { every_hours: Some(6), ..daily };
        assert_eq!(next(&often, at("2026-11-21T02:29:00Z")), at("2026-11-21T08:29:00Z"));
        let state = |n: &str| State { next: Some(at(n)), ..State::default() };
        let now = at("2026-11-21T12:00:00Z");
        assert!(due(&often, &state("2026-11-19T12:00:00Z"), now), "missed");
        assert!(!due(&often, &state("2026-11-21T13:00:00Z"), now));
        assert!(due(&often, &state("2026-11-29T13:00:00Z"), now), "noted under another clock");
        assert!(!due(&Schedule::default(), &State::default(), now), "not unless it is set");
    }

    #[test]
    fn the_overview_says_what_failed_or_is_old() {
        let s = Schedule { enabled: true, since: at("2026-11-01T00:00:00Z"), ..Schedule::default() };
        let kept = |n: &str| vec![BackupFile { name: String::new(), at: at(n), bytes: 1, lacks: Vec::new() }];
        let now = at("2026-11-21T12:00:00Z");
        let code =
            |s: &Schedule, state: &State, kept: &[BackupFile]| trouble(s, state, kept, now).map(|p| p.code);
        assert_eq!(code(&s, &State::default(), &kept("2026-11-20T02:30:00Z")), None);
        assert_eq!(code(&s, &State::default(), &kept("2026-11-19T02:30:00Z")).as_deref(), Some("backup.old"));
        assert_eq!(code(&s, &State::default(), &[]).as_deref(), Some("backup.old"));
        let mut without = kept("2026-11-20T02:30:00Z");
        without[0].lacks = vec!["pool.litwareinc.com (node n1)".to_owned()];
        assert_eq!(code(&s, &State::default(), &without).as_deref(), Some("backup.incomplete"));
        without.insert(0, kept("2026-11-21T02:30:00Z").remove(0));
        assert_eq!(code(&s, &State::default(), &without), None, "the newest one holds everything");
        let fresh = Schedule { since: now, ..s };
        assert_eq!(code(&fresh, &State::default(), &[]), None, "it was set just now");
        let failed = State { error: Some("no room".to_owned()), ..State::default() };
        assert_eq!(code(&Schedule::default(), &failed, &[]).as_deref(), Some("backup.failed"));
    }
}
