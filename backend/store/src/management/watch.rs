//! Stored test users and the test messages that run by themselves.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use shared::Timestamp;

use super::Result;

/// A stored test user.
#[derive(Debug, Clone)]
pub struct Credential {
    /// SIP address.
    pub sip_address: String,
    /// Log-on name.
    pub user_name: String,
    /// Sealed password.
    pub secret: Vec<u8>,
}

/// Stores or replaces a test user.
///
/// # Errors
/// SQLite's.
pub fn save_credential(c: &Connection, x: &Credential, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO test_credential VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (sip_address) DO UPDATE SET user_name = ?2, secret = ?3, updated = ?4",
        params![x.sip_address, x.user_name, x.secret, at.millis()],
    )?;
    Ok(())
}

/// A stored test user.
///
/// # Errors
/// SQLite's.
pub fn credential(c: &Connection, sip: &str) -> Result<Option<Credential>> {
    let sql = "SELECT sip_address, user_name, secret FROM test_credential WHERE sip_address = ?1";
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Credential { sip_address: r.get(0)?, user_name: r.get(1)?, secret: r.get(2)? })
    };
    Ok(c.query_row(sql, [sip], row).optional()?)
}

/// Addresses of all stored test users.
///
/// # Errors
/// SQLite's.
pub fn credentials(c: &Connection) -> Result<Vec<String>> {
    let mut s = c.prepare_cached("SELECT sip_address FROM test_credential ORDER BY sip_address")?;
    Ok(s.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Removes a test user; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn remove_credential(c: &Connection, sip: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM test_credential WHERE sip_address = ?1", [sip])? > 0)
}

/// What a watcher is told to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Registrar pool, or chat pool that is resolved to its next hop.
    pub target: String,
    /// Registrar port.
    pub port: u16,
    /// SIP addresses of stored test users; the first two are used.
    pub users: Vec<String>,
    /// Names of the tests it runs.
    pub tests: Vec<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// Minutes between runs; none means once a day at `daily`.
    pub every: Option<u32>,
    /// Minute of the day in UTC for a daily run.
    pub daily: u32,
    /// Room, written pool\room; the first one both may see when none.
    pub room: Option<String>,
    /// A cron line instead of `every` and `daily`.
    #[serde(default)]
    pub cron: Option<String>,
    /// Each run is up to so many seconds later, so that many watchers do not all run at once.
    #[serde(default)]
    pub jitter: u32,
    /// Maintenance windows: no tests and no alerts.
    #[serde(default)]
    pub windows: Vec<String>,
    /// The node that runs it; the portal when none.
    #[serde(default)]
    pub node: Option<String>,
}

impl Settings {
    /// When it runs, in words.
    pub fn words(&self) -> String {
        let mut out = match (&self.cron, self.every) {
            (Some(line), _) => format!("at {line} (UTC)"),
            (None, Some(1)) => "every minute".to_owned(),
            (None, Some(m)) => format!("every {m} minutes"),
            (None, None) => format!("every day at {:02}:{:02} UTC", self.daily / 60, self.daily % 60),
        };
        if self.jitter > 0 {
            out.push_str(&format!(", up to {} s later", self.jitter));
        }
        if !self.windows.is_empty() {
            out.push_str(&format!("; not in maintenance ({} UTC)", self.windows.join(", ")));
        }
        if let Some(node) = &self.node {
            out.push_str(&format!("; from node {node}"));
        }
        out
    }
}

/// A watcher with what it did.
#[derive(Debug, Clone)]
pub struct Watcher {
    /// What it is told.
    pub settings: Settings,
    /// When it runs next.
    pub next_run: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// Runs that were missed because the portal, or the node that was to do them, was not there.
    pub missed: u32,
    /// Id of the last run.
    pub last_run: Option<String>,
}

/// All watchers by target.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn watchers(c: &Connection) -> Result<Vec<Watcher>> {
    let mut s = c.prepare_cached(
        "SELECT document, next_run, failures, missed, last_run FROM watcher ORDER BY target",
    )?;
    let rows = s
        .query_map([], |r| Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))?
        .collect::<rusqlite::Result<Vec<(String, i64, u32, u32, Option<String>)>>>()?;
    rows.into_iter()
        .map(|(doc, next, failures, missed, last_run)| {
            let settings = serde_json::from_str(&doc)?;
            Ok(Watcher { settings, next_run: Timestamp::from_millis(next), failures, missed, last_run })
        })
        .collect()
}

/// Creates or changes a watcher.
///
/// # Errors
/// SQLite's.
pub fn save_watcher(c: &Connection, s: &Settings, next: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO watcher (target, document, next_run) VALUES (?1, ?2, ?3)
         ON CONFLICT (target) DO UPDATE SET document = ?2, next_run = ?3",
        params![s.target, serde_json::to_string(s)?, next.millis()],
    )?;
    Ok(())
}

/// Notes that a run was started and when the next is due.
///
/// # Errors
/// SQLite's.
pub fn note_run(c: &Connection, target: &str, run: Option<&str>, missed: u32, next: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE watcher SET last_run = COALESCE(?2, last_run), missed = missed + ?3, next_run = ?4 WHERE target = ?1",
        params![target, run, missed, next.millis()],
    )?;
    Ok(())
}

/// Notes how a run ended.
///
/// # Errors
/// SQLite's.
pub fn note_result(c: &Connection, target: &str, success: bool) -> Result<()> {
    let sql = if success {
        "UPDATE watcher SET failures = 0 WHERE target = ?1"
    } else {
        "UPDATE watcher SET failures = failures + 1 WHERE target = ?1"
    };
    c.execute(sql, [target])?;
    Ok(())
}

/// Notes that a run was begun and not done, because its node is away.
///
/// # Errors
/// SQLite's.
pub fn note_missed(c: &Connection, target: &str) -> Result<()> {
    c.execute("UPDATE watcher SET missed = missed + 1 WHERE target = ?1", [target])?;
    Ok(())
}

/// Removes a watcher.
///
/// # Errors
/// SQLite's.
pub fn remove_watcher(c: &Connection, target: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM watcher WHERE target = ?1", [target])? > 0)
}
