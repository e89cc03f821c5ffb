//! When the portal backs itself up, and how that went. The backups themselves are files in a folder.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use shared::Timestamp;

use super::{Result, set_setting, setting};

/// When and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// Whether it runs by itself.
    pub enabled: bool,
    /// Every so many hours; once a day when none.
    pub every_hours: Option<u32>,
    /// Minute of the day (UTC) of a daily one.
    pub daily: u32,
    /// How many are kept.
    pub keep: u32,
    /// Folder; the data directory's `backups` when none.
    pub folder: Option<String>,
    /// Since when it stands so.
    pub since: Timestamp,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            enabled: false,
            every_hours: None,
            daily: 2 * 60 + 30,
            keep: 14,
            folder: None,
            since: Timestamp::default(),
        }
    }
}

/// How it went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// When the next one is due.
    pub next: Option<Timestamp>,
    /// Somebody asked for one that has not been made yet.
    pub asked: Option<String>,
    /// When the last one was made or failed.
    pub last: Option<Timestamp>,
    /// Why the last one failed.
    pub error: Option<String>,
    /// Pools whose databases a backup does not hold, with their nodes, by the backup's name.
    pub lacks: BTreeMap<String, Vec<String>>,
}

const SCHEDULE: &str = "backup.schedule";
const STATE: &str = "backup.state";

/// The schedule; backups are not made by themselves until it is set.
///
/// # Errors
/// SQLite's, or when the stored text does not parse.
pub fn schedule(c: &Connection) -> Result<Schedule> {
    Ok(setting(c, SCHEDULE)?.map(|t| serde_json::from_str(&t)).transpose()?.unwrap_or_default())
}

/// Stores the schedule.
///
/// # Errors
/// SQLite's.
pub fn set_schedule(c: &Connection, s: &Schedule) -> Result<()> {
    set_setting(c, SCHEDULE, &serde_json::to_string(s)?)
}

/// How it went.
///
/// # Errors
/// As [`schedule`].
pub fn state(c: &Connection) -> Result<State> {
    Ok(setting(c, STATE)?.map(|t| serde_json::from_str(&t)).transpose()?.unwrap_or_default())
}

/// Stores how it went.
///
/// # Errors
/// SQLite's.
pub fn set_state(c: &Connection, s: &State) -> Result<()> {
    set_setting(c, STATE, &serde_json::to_string(s)?)
}
