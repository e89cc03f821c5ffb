//! Instants as the contract carries them: milliseconds since 1970 inside, RFC 3339 in UTC outside.

use ::time::format_description::well_known::Rfc3339;
use ::time::{Date, Month, OffsetDateTime, Time};
use serde::{Deserialize, Serialize};

/// An instant in UTC with millisecond resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`, never negative (a clock may be set back).
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// RFC 3339 text in UTC; instants outside the calendar's range print as the epoch.
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|t| t.format(&Rfc3339).ok())
            .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
    }

    /// Parses RFC 3339 text.
    pub fn parse(text: &str) -> Option<Self> {
        let t = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(t.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }
}

/// What a person writes for a day or an instant: `3/1/2012`, `2012-03-01`, each with a time if wanted
/// (`4/1/2012 5:30 PM`, `2012-04-01T17:30`), or RFC 3339. Without a zone it is UTC. A day alone begins
/// at midnight, or, as the end of a range, lasts to its last millisecond.
pub fn parse_day(text: &str, end: bool) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(t) = Timestamp::parse(text) {
        return Some(t);
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((d, t)) => (d, Some(t.trim())),
        None => (text, None),
    };
    let us = day.contains('/');
    let parts: Vec<i32> =
        day.split(if us { '/' } else { '-' }).map(|p| p.parse().ok()).collect::<Option<_>>()?;
    let &[a, b, c] = parts.as_slice() else { return None };
    let (year, month, number) = if us { (c, a, b) } else { (a, b, c) };
    if !(1000..=9999).contains(&year) {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, u8::try_from(number).ok()?).ok()?;
    let time = match time {
        Some(t) => clock(t)?,
        None if end => Time::from_hms_milli(23, 59, 59, 999).ok()?,
        None => Time::MIDNIGHT,
    };
    let nanos = date.with_time(time).assume_utc().unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).ok().map(Timestamp)
}

/// `17:30`, `17:30:05`, `5:30 PM`.
fn clock(text: &str) -> Option<Time> {
    let upper = text.to_ascii_uppercase();
    let (digits, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(d), _) => (d.trim_end(), Some(0)),
        (_, Some(d)) => (d.trim_end(), Some(12)),
        _ => (upper.as_str(), None),
    };
    let parts: Vec<u8> = digits.split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    let (h, m, s) = match *parts.as_slice() {
        [h, m] => (h, m, 0),
        [h, m, s] => (h, m, s),
        _ => return None,
    };
    let hour = match half {
        Some(_) if !(1..=12).contains(&h) => return None,
        Some(add) => h % 12 + add,
        None => h,
    };
    Time::from_hms(hour, m, s).ok()
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_as_the_documents_write_them() {
        let at = |text: &str, end| parse_day(text, end).map(Timestamp::rfc3339);
        assert_eq!(at("3/1/2012", false).as_deref(), Some("2012-03-01T00:00:00Z"));
        assert_eq!(at("3/1/2012", true).as_deref(), Some("2012-03-01T23:59:59.999Z"));
        assert_eq!(at("2012-04-01", true).as_deref(), Some("2012-04-01T23:59:59.999Z"));
        assert_eq!(at("4/1/2012 5:30 PM", true).as_deref(), Some("2012-04-01T17:30:00Z"));
        assert_eq!(at("4/1/2012 12:05 am", true).as_deref(), Some("2012-04-01T00:05:00Z"));
        assert_eq!(at("2012-04-01T17:30:01", false).as_deref(), Some("2012-04-01T17:30:01Z"));
        assert_eq!(at("2012-04-01T17:30:00+02:00", false).as_deref(), Some("2012-04-01T15:30:00Z"));
        for bad in [
            "",
            "yesterday",
            "13/1/2012",
            "2/30/2012",
            "3/1/12",
            "3/1",
            "3/1/2012 25:00",
            "3/1/2012 13:00 PM",
        ] {
            assert_eq!(at(bad, false), None, "{bad}");
        }
    }

    #[test]
    fn text_round_trip() {
        let t = Timestamp::from_millis(1_763_700_000_123);
        assert_eq!(Timestamp::parse(&t.rfc3339()), Some(t));
        assert_eq!(Timestamp::from_millis(0).rfc3339(), "1970-01-01T00:00:00Z");
    }
}
