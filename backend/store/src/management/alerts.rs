//! Alerts: who is told, what is open, what is muted, and what was told.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use shared::Timestamp;
use shared::api::{LiveProblem, MailSettings};

use super::Result;

/// Deliveries that are kept; what still waits is kept besides.
const KEEP: u32 = 200;
/// The subject that stands for all in [`mute`].
pub const ALL: &str = "*";

/// What a target is told to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `Webhook` or `Mail`.
    pub kind: String,
    /// URL, or addresses separated by commas.
    pub address: String,
    /// How mail leaves; none for a webhook.
    pub mail: Option<MailSettings>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Failures in a row before it is told of a failed test message.
    pub after_failures: u32,
    /// Minutes after which it is told again of what nobody acknowledged; 0 means never.
    pub repeat_minutes: u32,
}

/// Someone who is told.
#[derive(Debug, Clone)]
pub struct Target {
    /// Id.
    pub id: String,
    /// Name, unique in any case.
    pub label: String,
    /// What it is.
    pub settings: Settings,
    /// Sealed signing key or mail password.
    pub secret: Option<Vec<u8>>,
}

/// All targets by label.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn targets(c: &Connection) -> Result<Vec<Target>> {
    let mut s = c.prepare_cached("SELECT id, label, document, secret FROM alert_target ORDER BY label")?;
    let rows = s
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, String>(2)?, r.get(3)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter()
        .map(|(id, label, doc, secret)| {
            Ok(Target { id, label, settings: serde_json::from_str(&doc)?, secret })
        })
        .collect()
}

/// Creates or changes a target.
///
/// # Errors
/// SQLite's, also for a label that another target has.
pub fn save_target(c: &Connection, t: &Target, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO alert_target VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET label = ?2, document = ?3, secret = ?4",
        params![t.id, t.label, serde_json::to_string(&t.settings)?, t.secret, at.millis()],
    )?;
    Ok(())
}

/// Removes a target; what still waits for it is given up.
///
/// # Errors
/// SQLite's.
pub fn remove_target(c: &Connection, id: &str) -> Result<()> {
    c.execute("DELETE FROM alert_target WHERE id = ?1", [id])?;
    c.execute(
        "UPDATE alert_delivery SET state = 'failed', error = 'The target was removed.'
         WHERE target = ?1 AND state = 'pending'",
        [id],
    )?;
    Ok(())
}

/// A problem that is there now.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Code and subject.
    pub key: String,
    /// As it was seen last.
    pub problem: LiveProblem,
    /// When it was seen first.
    pub since: Timestamp,
    /// Looks that found it, one after the other.
    pub looks: u32,
    /// When each target was last told, by id.
    pub told: BTreeMap<String, Timestamp>,
    /// Who acknowledged it, and when.
    pub acknowledged: Option<(String, Timestamp)>,
}

/// All open alerts, oldest first.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn open(c: &Connection) -> Result<Vec<Open>> {
    let mut s = c.prepare_cached(
        "SELECT key, problem, since, looks, told, acknowledged_by, acknowledged_at FROM alert ORDER BY since, key",
    )?;
    let mut rows = s.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let by: Option<String> = r.get(5)?;
        let at: Option<i64> = r.get(6)?;
        out.push(Open {
            key: r.get(0)?,
            problem: serde_json::from_str(&r.get::<_, String>(1)?)?,
            since: Timestamp::from_millis(r.get(2)?),
            looks: r.get(3)?,
            told: serde_json::from_str(&r.get::<_, String>(4)?)?,
            acknowledged: by.zip(at.map(Timestamp::from_millis)),
        });
    }
    Ok(out)
}

/// Writes what is known of an open alert, except its acknowledgement.
///
/// # Errors
/// SQLite's.
pub fn save_open(c: &Connection, o: &Open) -> Result<()> {
    let (problem, told) = (serde_json::to_string(&o.problem)?, serde_json::to_string(&o.told)?);
    c.execute(
        "INSERT INTO alert (key, problem, since, looks, told) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key) DO UPDATE SET problem = ?2, looks = ?4, told = ?5",
        params![o.key, problem, o.since.millis(), o.looks, told],
    )?;
    Ok(())
}

/// The problem is gone.
///
/// # Errors
/// SQLite's.
pub fn close(c: &Connection, key: &str) -> Result<()> {
    c.execute("DELETE FROM alert WHERE key = ?1", [key])?;
    Ok(())
}

/// Someone takes care of it.
///
/// # Errors
/// SQLite's.
pub fn acknowledge(c: &Connection, key: &str, by: &str, at: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE alert SET acknowledged_by = ?2, acknowledged_at = ?3 WHERE key = ?1",
        params![key, by, at.millis()],
    )?;
    Ok(())
}

/// A subject nobody is told of for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// The subject, or [`ALL`].
    pub subject: String,
    /// Until when.
    pub until: Timestamp,
    /// Who asked for it.
    pub actor: String,
}

impl Mute {
    /// Whether it holds for `subject` at `now`.
    pub fn holds(&self, subject: &str, now: Timestamp) -> bool {
        self.until > now && (self.subject == ALL || self.subject.eq_ignore_ascii_case(subject))
    }
}

/// Mutes a subject; an end that has passed ends the mute.
///
/// # Errors
/// SQLite's.
pub fn mute(c: &Connection, m: &Mute, now: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO alert_mute VALUES (?1, ?2, ?3) ON CONFLICT (subject) DO UPDATE SET until = ?2, actor = ?3",
        params![m.subject, m.until.millis(), m.actor],
    )?;
    c.execute("DELETE FROM alert_mute WHERE until <= ?1", [now.millis()])?;
    Ok(())
}

/// What is muted at `now`.
///
/// # Errors
/// SQLite's.
pub fn mutes(c: &Connection, now: Timestamp) -> Result<Vec<Mute>> {
    let sql = "SELECT subject, until, actor FROM alert_mute WHERE until > ?1 ORDER BY subject";
    let mut s = c.prepare_cached(sql)?;
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Mute { subject: r.get(0)?, until: Timestamp::from_millis(r.get(1)?), actor: r.get(2)? })
    };
    Ok(s.query_map([now.millis()], row)?.collect::<rusqlite::Result<_>>()?)
}

/// Something that is or was told to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Id, the same over all tries.
    pub id: String,
    /// Id of the target.
    pub target: String,
    /// When it was decided.
    pub at: Timestamp,
    /// What is told, JSON.
    pub body: String,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// Tries so far.
    pub tries: u32,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// Adds a delivery and forgets the oldest ones that are done.
///
/// # Errors
/// SQLite's.
pub fn add_delivery(c: &Connection, d: &Delivery) -> Result<()> {
    c.execute(
        "INSERT INTO alert_delivery (id, target, at, body, state, tries, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![d.id, d.target, d.at.millis(), d.body, d.state, d.tries, d.error],
    )?;
    c.execute(
        "DELETE FROM alert_delivery WHERE state <> 'pending'
           AND seq NOT IN (SELECT seq FROM alert_delivery ORDER BY seq DESC LIMIT ?1)",
        [KEEP],
    )?;
    Ok(())
}

/// Notes a try.
///
/// # Errors
/// SQLite's.
pub fn note_try(c: &Connection, id: &str, state: &str, error: Option<&str>) -> Result<()> {
    c.execute(
        "UPDATE alert_delivery SET state = ?2, tries = tries + 1, error = ?3 WHERE id = ?1 AND state = 'pending'",
        params![id, state, error],
    )?;
    Ok(())
}

fn delivery(r: &rusqlite::Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: r.get(0)?,
        target: r.get(1)?,
        at: Timestamp::from_millis(r.get(2)?),
        body: r.get(3)?,
        state: r.get(4)?,
        tries: r.get(5)?,
        error: r.get(6)?,
    })
}

/// The newest deliveries first.
///
/// # Errors
/// SQLite's.
pub fn deliveries(c: &Connection, limit: u32) -> Result<Vec<Delivery>> {
    let sql =
        "SELECT id, target, at, body, state, tries, error FROM alert_delivery ORDER BY seq DESC LIMIT ?1";
    let mut s = c.prepare_cached(sql)?;
    Ok(s.query_map([limit], delivery)?.collect::<rusqlite::Result<_>>()?)
}

/// The oldest delivery to a target that still waits.
///
/// # Errors
/// SQLite's.
pub fn next_pending(c: &Connection, target: &str) -> Result<Option<Delivery>> {
    let sql = "SELECT id, target, at, body, state, tries, error FROM alert_delivery
         WHERE state = 'pending' AND target = ?1 ORDER BY seq LIMIT 1";
    Ok(c.query_row(sql, [target], delivery).optional()?)
}

/// Targets that something waits for.
///
/// # Errors
/// SQLite's.
pub fn waiting(c: &Connection) -> Result<Vec<String>> {
    let mut s = c.prepare_cached("SELECT DISTINCT target FROM alert_delivery WHERE state = 'pending'")?;
    Ok(s.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::management::Management;

    #[test]
    fn the_log_keeps_the_newest_and_everything_that_waits() {
        let dir = tempfile::tempdir().unwrap();
        let m = Management::open(&dir.path().join("m.db")).unwrap();
        let one = |n: u32, state: &str| Delivery {
            id: n.to_string(),
            target: "t".to_owned(),
            at: Timestamp::from_millis(i64::from(n)),
            body: "{}".to_owned(),
            state: state.to_owned(),
            tries: 0,
            error: None,
        };
        m.write(|tx| {
            add_delivery(tx, &one(0, "pending"))?;
            (1..=KEEP + 50).try_for_each(|n| add_delivery(tx, &one(n, "delivered")))
        })
        .unwrap();
        let (all, next) = m
            .read(|c| Ok::<_, crate::management::StoreError>((deliveries(c, 1_000)?, next_pending(c, "t")?)))
            .unwrap();
        assert_eq!((all.len(), next.map(|d| d.id)), (201, Some("0".to_owned())));
        m.write(|tx| remove_target(tx, "t")).unwrap();
        assert!(m.read(waiting).unwrap().is_empty(), "nothing waits for a target that was removed");
    }
}
