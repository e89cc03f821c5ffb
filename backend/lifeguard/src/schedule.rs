//! When scheduled test messages run: cron lines and maintenance windows, all in UTC.

use shared::Timestamp;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// A line that fits no day of eight years (29 February included) never fits.
const LOOK_AHEAD: i64 = 8 * 366;

/// Five fields of cron: minute, hour, day of month, month, day of week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Vec<bool>,
    hours: Vec<bool>,
    days: Vec<bool>,
    months: Vec<bool>,
    weekdays: Vec<bool>,
    /// Both day fields are restricted: then either fits, as cron has always done.
    either: bool,
}

fn field(text: &str, low: usize, high: usize, names: &[&str]) -> Result<Vec<bool>, String> {
    let wrong =
        || format!("'{text}' is not a field of a schedule ({low} to {high}, lists, ranges, */steps).");
    let number = |t: &str| {
        let named = names.iter().position(|n| n.eq_ignore_ascii_case(t));
        named.or_else(|| t.parse().ok()).filter(|n| (low..=high).contains(n)).ok_or_else(wrong)
    };
    let mut out = vec![false; high + 1];
    for part in text.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().ok().filter(|s| *s > 0).ok_or_else(wrong)?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((a, b)) => (number(a)?, number(b)?),
            // `5/15` means from 5 on.
            None if part.contains('/') => (number(range)?, high),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(wrong());
        }
        (from..=to).step_by(step).for_each(|n| out[n] = true);
    }
    Ok(out)
}

/// Month (1 to 12) and day of month of a day since 1970. Source: the usual algorithm on 400-year eras.
fn civil(day: i64) -> (usize, usize) {
    let z = day + 719_468;
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (usize::try_from(m).unwrap_or(1), usize::try_from(d).unwrap_or(1))
}

fn weekday(day: i64) -> usize {
    usize::try_from((day + 4).rem_euclid(7)).unwrap_or(0)
}

impl Cron {
    /// Reads a line.
    ///
    /// # Errors
    /// Which field is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, week] = fields.as_slice() else {
            return Err(
                "A schedule has five fields: minute, hour, day of month, month, day of week; for example */15 8-18 * * 1-5."
                    .to_owned(),
            );
        };
        let mut weekdays = field(week, 0, 7, &DAYS)?;
        weekdays[0] |= weekdays[7];
        let out = Self {
            minutes: field(minute, 0, 59, &[])?,
            hours: field(hour, 0, 23, &[])?,
            days: field(day, 1, 31, &[])?,
            months: field(month, 1, 12, &[])?,
            weekdays,
            either: *day != "*" && *week != "*",
        };
        match out.next(Timestamp::from_millis(0)) {
            Some(_) => Ok(out),
            None => Err(format!("'{text}' fits no day of the calendar.")),
        }
    }

    fn fits(&self, day: i64) -> bool {
        let (month, of_month) = civil(day);
        let (d, w) = (self.days[of_month], self.weekdays[weekday(day)]);
        self.months[month] && if self.either { d || w } else { d && w }
    }

    /// The first minute that fits after `now`.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let first = now.millis().div_euclid(MINUTE) * MINUTE + MINUTE;
        let today = first.div_euclid(DAY);
        for day in (today..today + LOOK_AHEAD).filter(|d| self.fits(*d)) {
            let times = (0_i64..).zip(&self.hours).filter(|(_, h)| **h).flat_map(|(h, _)| {
                (0_i64..).zip(&self.minutes).filter(|(_, m)| **m).map(move |(m, _)| h * 60 + m)
            });
            if let Some(t) = times.map(|m| day * DAY + m * MINUTE).find(|t| *t >= first) {
                return Some(Timestamp::from_millis(t));
            }
        }
        None
    }
}

/// A time of the week in which nothing is tested and nobody is alerted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// By day of the week on which it begins.
    days: [bool; 7],
    /// Minute of the day at which it begins.
    from: i64,
    /// How many minutes it lasts.
    minutes: i64,
}

impl Window {
    /// Reads `Sun 02:00-04:00`, `Mon,Tue 22:00-01:00` or `daily 03:00-03:30`.
    ///
    /// # Errors
    /// What it should look like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no maintenance window. Write for example 'Sun 02:00-04:00', 'Mon,Tue 22:00-01:00' or 'daily 03:00-03:30', in UTC."
            )
        };
        let (names, times) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let mut days = [names.eq_ignore_ascii_case("daily"); 7];
        if !days[0] {
            for n in names.split(',') {
                let short = n.get(..3).ok_or_else(wrong)?.to_lowercase();
                days[DAYS.iter().position(|d| *d == short).ok_or_else(wrong)?] = true;
            }
        }
        let minute = |t: &str| -> Option<i64> {
            let (h, m) = t.trim().split_once(':')?;
            let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
            ((0..24).contains(&h) && (0..60).contains(&m) || (h, m) == (24, 0)).then_some(h * 60 + m)
        };
        let (a, b) = times.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minute(a).ok_or_else(wrong)?, minute(b).ok_or_else(wrong)?);
        // One that ends before it begins ends on the next day.
        let minutes = if to > from { to - from } else { to - from + 24 * 60 };
        if minutes >= 24 * 60 {
            return Err(format!("'{text}' is always: a maintenance window is shorter than a day."));
        }
        Ok(Self { days, from, minutes })
    }

    /// When it ends, when `now` lies in it.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.millis().div_euclid(DAY);
        [today - 1, today].into_iter().filter(|d| self.days[weekday(*d)]).find_map(|d| {
            let from = d * DAY + self.from * MINUTE;
            let to = from + self.minutes * MINUTE;
            (from..to).contains(&now.millis()).then_some(Timestamp::from_millis(to))
        })
    }
}

/// When the windows end that `now` lies in; one that begins as another ends goes on.
pub fn end_of_maintenance(windows: &[String], now: Timestamp) -> Option<Timestamp> {
    let windows: Vec<Window> = windows.iter().filter_map(|w| Window::parse(w).ok()).collect();
    let mut end = None;
    // Each turn leaves a window; more turns than windows over a week would be a circle.
    for _ in 0..windows.len() * 8 {
        let at = end.unwrap_or(now);
        match windows.iter().filter_map(|w| w.end(at)).max() {
            Some(later) => end = Some(later),
            None => break,
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn next(line: &str, now: &str) -> String {
        Cron::parse(line).unwrap().next(at(now)).unwrap().rfc3339()
    }

    #[test]
    fn cron_lines_as_cron_reads_them() {
        // 21 November 2026 is a Saturday.
        for (line, now, then) in [
            ("*/15 * * * *", "2026-11-21T05:59:00Z", "2026-11-21T06:00:00Z"),
            ("*/15 * * * *", "2026-11-21T06:00:00Z", "2026-11-21T06:15:00Z"),
            ("0 8-18 * * 1-5", "2026-11-21T09:00:00Z", "2026-11-23T08:00:00Z"),
            ("30 6 * * sun", "2026-11-21T09:00:00Z", "2026-11-22T06:30:00Z"),
            ("30 6 * * 7", "2026-11-21T09:00:00Z", "2026-11-22T06:30:00Z"),
            ("0 0 29 2 *", "2026-11-21T09:00:00Z", "2028-02-29T00:00:00Z"),
            ("5/20 23 31 12 *", "2026-12-31T23:26:00Z", "2026-12-31T23:45:00Z"),
            ("0 0 1 * mon", "2026-11-21T09:00:00Z", "2026-11-23T00:00:00Z"),
            ("59 23 1,15 * *", "2026-11-21T09:00:00Z", "2026-12-01T23:59:00Z"),
        ] {
            assert_eq!(next(line, now), then, "{line}");
        }
        for bad in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "0 0 30 2 *",
            "5-1 * * * *",
            "*/0 * * * *",
            "x * * * *",
        ] {
            assert!(Cron::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn maintenance_windows() {
        let w = Window::parse("Sun 02:00-04:00").unwrap();
        assert_eq!(w.end(at("2026-11-22T02:00:00Z")), Some(at("2026-11-22T04:00:00Z")));
        assert_eq!(w.end(at("2026-11-22T04:00:00Z")), None);
        assert_eq!(w.end(at("2026-11-21T03:00:00Z")), None);
        let night = Window::parse("saturday,Mon 22:00-01:00").unwrap();
        assert_eq!(night.end(at("2026-11-22T00:30:00Z")), Some(at("2026-11-22T01:00:00Z")));
        assert_eq!(night.end(at("2026-11-23T00:30:00Z")), None);
        let list = ["daily 22:00-24:00".to_owned(), "daily 00:00-01:00".to_owned(), "nonsense".to_owned()];
        assert_eq!(end_of_maintenance(&list, at("2026-11-21T23:00:00Z")), Some(at("2026-11-22T01:00:00Z")));
        assert_eq!(end_of_maintenance(&list, at("2026-11-21T02:00:00Z")), None);
        for bad in
            ["", "Sun", "Sun 2-4", "Foo 02:00-03:00", "daily 03:00-03:00", "Sun 25:00-26:00", "é 1:00-2:00"]
        {
            assert!(Window::parse(bad).is_err(), "{bad}");
        }
    }
}
