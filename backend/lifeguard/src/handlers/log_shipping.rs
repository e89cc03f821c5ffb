//! Log shipping: what its jobs did, and when they run.

use async_trait::async_trait;
use serde_json::json;
use shared::cmdlets::{GetLgLogShipping, SetLgLogShipping};
use shared::error::ApiError;
use shared::events::Topic;
use shared::identity::pool_identity;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::shipping::{Schedule, duration};
use shared::topology::ChatPool;
use store::management::pools;

use super::find_pool;
use crate::door::{Cx, Handler, Outcome, blocked, plan};

#[async_trait]
impl Handler for GetLgLogShipping {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let list = match &self.identity {
            Some(id) => vec![find_pool(&t, id, "Identity")?],
            None => t.pools.iter().filter(|p| p.has_backup()).cloned().collect(),
        };
        let mut out = Vec::new();
        for p in &list {
            let Some(s) = crate::views::overview::shipped(&cx.app, &p.id) else { continue };
            out.push(json!({
                "Identity": pool_identity(&p.fqdn), "From": s.from, "To": s.to, "Shipped": s.shipped, "Applied": s.applied,
                "CommitsBehind": s.behind, "LastBackup": s.backup_at, "LastRestore": s.restore_at, "Problem": s.problem,
                "CompleteUntil": s.complete_until, "MessagesBehind": s.messages_behind,
                "Orphans": s.orphans,
                "BackupSeconds": s.schedule.backup_seconds, "CopySeconds": s.schedule.copy_seconds,
                "RestoreSeconds": s.schedule.restore_seconds, "DeleteAfterHours": s.schedule.delete_after_hours,
                "BackupAlertSeconds": s.schedule.backup_alert_seconds,
                "RestoreAlertSeconds": s.schedule.restore_alert_seconds,
                "BackupAge": s.backup_age, "RestoreAge": s.restore_age, "Late": s.late,
            }));
        }
        Ok(Outcome::objects(out))
    }
}

/// The pool, its schedule, and the schedule as it would be.
fn meant(a: &SetLgLogShipping, cx: &Cx) -> Result<(ChatPool, Schedule, Schedule), ApiError> {
    let p = find_pool(&cx.topology()?, &a.identity, "Identity")?;
    let old = cx.read(|c| Ok(pools::shipping(c, &p.id)?))?;
    let new = Schedule {
        backup_seconds: a.backup_seconds.unwrap_or(old.backup_seconds),
        copy_seconds: a.copy_seconds.unwrap_or(old.copy_seconds),
        restore_seconds: a.restore_seconds.unwrap_or(old.restore_seconds),
        delete_after_hours: a.delete_after_hours.unwrap_or(old.delete_after_hours),
        backup_alert_seconds: a.backup_alert_seconds.unwrap_or(old.backup_alert_seconds),
        restore_alert_seconds: a.restore_alert_seconds.unwrap_or(old.restore_alert_seconds),
    };
    new.check()?;
    Ok((p, old, new))
}

fn changes(p: &ChatPool, old: &Schedule, new: &Schedule) -> Vec<PlannedChange> {
    let rows = [
        ("BackupSeconds", old.backup_seconds, new.backup_seconds),
        ("CopySeconds", old.copy_seconds, new.copy_seconds),
        ("RestoreSeconds", old.restore_seconds, new.restore_seconds),
        ("DeleteAfterHours", old.delete_after_hours, new.delete_after_hours),
        ("BackupAlertSeconds", old.backup_alert_seconds, new.backup_alert_seconds),
        ("RestoreAlertSeconds", old.restore_alert_seconds, new.restore_alert_seconds),
    ];
    let differs = rows.into_iter().filter(|(_, a, b)| a != b);
    differs
        .map(|(name, a, b)| PlannedChange::new(p.fqdn.as_str(), name, a.to_string(), b.to_string()))
        .collect()
}

#[async_trait]
impl Handler for SetLgLogShipping {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, old, new) = meant(self, cx)?;
        let said = |n: u32| duration(u64::from(n));
        let mut out = plan([
            format!(
                "{} ships its log every {}, copies every {}, restores every {}; applied segments are kept for {} h.",
                p.fqdn,
                said(new.backup_seconds),
                said(new.copy_seconds),
                said(new.restore_seconds),
                new.delete_after_hours
            ),
            format!(
                "It is a problem when no backup succeeded for {}, or when the other side is {} behind.",
                said(new.backup_alert_seconds),
                said(new.restore_alert_seconds)
            ),
        ]);
        if new.backup_seconds > old.backup_seconds {
            out.sentences.push(format!(
                "When the database in use is lost for good, what was posted in up to {} before is lost with it. A planned failover ships the tail and loses nothing.",
                said(new.backup_seconds)
            ));
            out.confirm = Confirm::Ask;
        }
        out.changes = changes(&p, &old, &new);
        if !p.has_backup() {
            let text = format!("{} has no backup SQL Server store; nothing is shipped.", p.fqdn);
            out = blocked(out, "V15", "Identity", text, "S0");
        }
        Ok(out)
    }

    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError> {
        let (p, _, new) = meant(self, cx)?;
        cx.commit(&plan.sentences.join(" "), |tx| Ok(pools::set_shipping(tx, &p.id, &new)?))?;
        Ok(Outcome::changed(Topic::Pool, p.fqdn.as_str()).redeploy())
    }
}
