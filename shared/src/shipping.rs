//! How often the jobs of log shipping run, how long its segments are kept, and when it is told that they are
//! late. SQL Server's own defaults (15 minutes, 72 hours, alerts after 60 and 45 minutes) are made for jobs
//! that start a program each time; ours look once a second. Source: procedures §6.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// Longest interval of a job: a day.
const DAY: u32 = 86_400;

/// The schedule of a pool's log shipping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Schedule {
    /// Seconds between two turns of the backup job.
    pub backup_seconds: u32,
    /// Seconds between two turns of the copy job.
    pub copy_seconds: u32,
    /// Seconds between two turns of the restore job.
    pub restore_seconds: u32,
    /// Applied segments are deleted from the share after so many hours.
    pub delete_after_hours: u32,
    /// It is a problem when no backup succeeded for longer than this.
    pub backup_alert_seconds: u32,
    /// It is a problem when the other side is further behind than this.
    pub restore_alert_seconds: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            backup_seconds: 1,
            copy_seconds: 1,
            restore_seconds: 1,
            delete_after_hours: 72,
            backup_alert_seconds: 300,
            restore_alert_seconds: 300,
        }
    }
}

impl Schedule {
    /// Whether it can be kept: every number in its bounds, and no alert that a healthy job would raise.
    ///
    /// # Errors
    /// The first that is wrong, with the parameter's name.
    pub fn check(&self) -> Result<(), ApiError> {
        let jobs = [
            ("BackupSeconds", self.backup_seconds),
            ("CopySeconds", self.copy_seconds),
            ("RestoreSeconds", self.restore_seconds),
        ];
        for (name, n) in jobs {
            if !(1..=DAY).contains(&n) {
                return Err(ApiError::invalid(name, format!("Seconds are a whole number from 1 to {DAY}.")));
            }
        }
        if !(1..=8760).contains(&self.delete_after_hours) {
            let text = "Hours are a whole number from 1 to 8760 (a year).";
            return Err(ApiError::invalid("DeleteAfterHours", text));
        }
        let slowest = self.backup_seconds + self.copy_seconds + self.restore_seconds;
        let alerts = [
            ("BackupAlertSeconds", self.backup_alert_seconds, self.backup_seconds),
            ("RestoreAlertSeconds", self.restore_alert_seconds, slowest),
        ];
        for (name, alert, least) in alerts {
            if alert <= least || alert > 7 * DAY {
                let text = format!(
                    "With these intervals {least} s pass while all is well. Alert after more than that, and at most a week ({} s).",
                    7 * DAY
                );
                return Err(ApiError::invalid(name, text));
            }
        }
        Ok(())
    }
}

/// Seconds as people say them: `45 s`, `15 min`, `2 h`.
pub fn duration(seconds: u64) -> String {
    match seconds {
        s if s >= 7200 && s.is_multiple_of(3600) => format!("{} h", s / 3600),
        s if s >= 120 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_a_healthy_job_would_raise_is_refused() {
        assert!(Schedule::default().check().is_ok());
        let sql_server = Schedule {
            backup_seconds: 900,
            copy_seconds: 900,
            restore_seconds: 900,
            backup_alert_seconds: 3600,
            restore_alert_seconds: 2701,
            ..Schedule::default()
        };
        assert!(sql_server.check().is_ok());
        let wrong = |s: Schedule| s.check().unwrap_err().field.unwrap_or_default();
        assert_eq!(wrong(Schedule { backup_seconds: 0, ..sql_server }), "BackupSeconds");
        assert_eq!(wrong(Schedule { copy_seconds: DAY + 1, ..sql_server }), "CopySeconds");
        assert_eq!(wrong(Schedule { delete_after_hours: 0, ..sql_server }), "DeleteAfterHours");
        assert_eq!(wrong(Schedule { backup_alert_seconds: 900, ..sql_server }), "BackupAlertSeconds");
        assert_eq!(wrong(Schedule { restore_alert_seconds: 2700, ..sql_server }), "RestoreAlertSeconds");
    }

    #[test]
    fn durations_are_said_as_people_say_them() {
        assert_eq!(
            [1, 90, 120, 2700, 3600, 7200].map(duration),
            ["1 s", "90 s", "2 min", "45 min", "60 min", "2 h"]
        );
    }
}
