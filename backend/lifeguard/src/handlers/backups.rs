//! Backups by schedule.

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::api::BackupFile;
use shared::cmdlets::{GetLgBackup, GetLgBackupSchedule, SetLgBackupSchedule, StartLgBackup};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Plan, PlannedChange};
use store::management::backups::{self as kept, Schedule};

use crate::backups;
use crate::door::{Cx, Handler, Outcome, blocked, plan};

#[async_trait]
impl Handler for GetLgBackupSchedule {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let v = backups::view(&cx.app)?;
        Ok(Outcome::default().with(json!({
            "Enabled": v.enabled, "EveryHours": v.every_hours, "Daily": v.every_hours.is_none().then_some(v.daily),
            "Keep": v.keep, "Folder": v.folder, "Running": v.running, "Next": v.next, "Last": v.last, "Error": v.error,
            "Backups": v.backups.len(), "Newest": v.backups.first().map(|b| b.at),
        })))
    }
}

fn object(b: &BackupFile) -> Value {
    json!({ "Identity": b.name, "Made": b.at, "Bytes": b.bytes, "Lacks": b.lacks })
}

#[async_trait]
impl Handler for GetLgBackup {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let mut all = backups::view(&cx.app)?.backups;
        if let Some(name) = self.identity.as_deref().map(str::trim) {
            all.retain(|b| b.name == name);
            if all.is_empty() {
                return Err(ApiError::not_found(format!("There is no backup {name}.")));
            }
        }
        Ok(Outcome::objects(all.iter().map(object).collect()))
    }
}

/// Minute of the day of `HH:MM`.
fn minute(text: &str) -> Option<u32> {
    let (h, m) = text.trim().split_once(':')?;
    let (h, m) = (h.parse::<u32>().ok()?, m.parse::<u32>().ok()?);
    (h < 24 && m < 60).then_some(h * 60 + m)
}

/// The schedule as it would be.
fn meant(a: &SetLgBackupSchedule, old: &Schedule) -> Result<Schedule, ApiError> {
    let mut s = old.clone();
    s.enabled = a.enabled.unwrap_or(old.enabled);
    if a.every_hours.is_some() && a.daily.is_some() {
        return Err(ApiError::invalid("Daily", "Give -EveryHours or -Daily, not both."));
    }
    if let Some(h) = a.every_hours {
        if !(1..=168).contains(&h) {
            return Err(ApiError::invalid("EveryHours", "Hours are a whole number from 1 to 168."));
        }
        s.every_hours = Some(h);
    }
    if let Some(text) = &a.daily {
        let wrong = || ApiError::invalid("Daily", "Write the time like 02:30 (UTC).");
        (s.daily, s.every_hours) = (minute(text).ok_or_else(wrong)?, None);
    }
    if let Some(n) = a.keep {
        if !(1..=1000).contains(&n) {
            return Err(ApiError::invalid("Keep", "Keep a whole number from 1 to 1000."));
        }
        s.keep = n;
    }
    if let Some(text) = &a.folder {
        let text = text.trim();
        let plain = text.chars().all(|c| !c.is_control()) && text.len() < 1000;
        let whole = plain && Path::new(text).is_absolute() && !text.split('/').any(|p| p == "..");
        if !text.is_empty() && !whole {
            return Err(ApiError::invalid("Folder", "The folder is an absolute path on the portal's host."));
        }
        s.folder = Some(text.to_owned()).filter(|t| !t.is_empty());
    }
    Ok(s)
}

/// When it runs, in words.
fn words(s: &Schedule) -> String {
    match s.every_hours {
        Some(1) => "every hour".to_owned(),
        Some(h) => format!("every {h} hours"),
        None => format!("daily at {:02}:{:02} UTC", s.daily / 60, s.daily % 60),
    }
}

fn changes(old: &Schedule, new: &Schedule) -> Vec<PlannedChange> {
    let folder =
        |s: &Schedule| s.folder.clone().unwrap_or_else(|| "backups in the data directory".to_owned());
    let rows = [
        ("Enabled", old.enabled.to_string(), new.enabled.to_string()),
        ("When", words(old), words(new)),
        ("Keep", old.keep.to_string(), new.keep.to_string()),
        ("Folder", folder(old), folder(new)),
    ];
    let differs = rows.into_iter().filter(|(_, a, b)| a != b);
    differs.map(|(name, a, b)| PlannedChange::new("backups", name, a, b)).collect()
}

#[async_trait]
impl Handler for SetLgBackupSchedule {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let old = cx.read(|c| Ok(kept::schedule(c)?))?;
        let new = meant(self, &old)?;
        let folder = backups::folder(&cx.app, &new);
        let what = if new.enabled {
            format!("Back the portal up {} into {}; keep {}.", words(&new), folder.display(), new.keep)
        } else {
            "Make no backups by schedule.".to_owned()
        };
        let mut p = plan([what]);
        let there = backups::list(&folder).len();
        if new.enabled && there > new.keep as usize {
            p.sentences
                .push(format!("After the next one, {} older ones are deleted.", there - new.keep as usize));
        }
        p.changes = changes(&old, &new);
        let parent = folder.ancestors().find(|a| a.exists());
        if parent.is_some_and(|a| !a.is_dir()) {
            let text = format!(
                "{} is a file; the folder cannot be made in it.",
                parent.unwrap_or(&folder).display()
            );
            p = blocked(p, "backup.folder", "Folder", text, "");
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let new = meant(self, &cx.read(|c| Ok(kept::schedule(c)?))?)?;
        if new.enabled {
            let folder = backups::folder(&cx.app, &new);
            let no = |e: std::io::Error| {
                ApiError::invalid("Folder", format!("{} cannot be used: {e}.", folder.display()))
            };
            let probe = folder.join(".lifeguard-probe");
            backups::make_folder(&folder).map_err(no)?;
            std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(no)?;
        }
        let now = cx.now();
        cx.commit(&p.sentences.join(" "), |tx| {
            let mut state = kept::state(tx)?;
            state.next = new.enabled.then(|| backups::next(&new, now));
            kept::set_state(tx, &state)?;
            Ok(kept::set_schedule(tx, &Schedule { since: now, ..new.clone() })?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "backups"))
    }
}

#[async_trait]
impl Handler for StartLgBackup {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let v = backups::view(&cx.app)?;
        Ok(plan([format!("Make a backup in {} now.", v.folder)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let mut state = kept::state(tx)?;
            state.asked = Some(cx.op_id.clone());
            Ok(kept::set_state(tx, &state)?)
        })?;
        cx.app.backups.wake();
        Ok(Outcome::changed(Topic::Directory, "backups"))
    }
}
