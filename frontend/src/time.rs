//! Times as people read them: in the viewer's zone, with the zone named, and relative to now.

use gloo_timers::callback::Interval;
use js_sys::{Date, Object, Reflect};
use leptos::prelude::*;
use shared::Timestamp;

use crate::app::app;

/// How often relative times move on, in milliseconds.
const TICK_MS: u32 = 5_000;

/// The browser's clock.
pub fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a date's milliseconds lie far below 2^53")]
    let millis = Date::now() as i64;
    Timestamp::from_millis(millis)
}

/// Now, moving on every few seconds.
pub fn use_now() -> Signal<Timestamp> {
    app().now.into()
}

/// Lets [`use_now`] tick; called once.
pub fn start_ticking() {
    Interval::new(TICK_MS, || app().now.set(now())).forget();
}

/// `21 Nov 2026, 05:41:33 GMT+1`.
pub fn exact(at: Timestamp) -> String {
    format(
        at,
        &[
            ("year", "numeric"),
            ("month", "short"),
            ("day", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
            ("timeZoneName", "short"),
        ],
    )
}

/// `05:41:33`.
pub fn clock(at: Timestamp) -> String {
    format(at, &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")])
}

fn format(at: Timestamp, fields: &[(&str, &str)]) -> String {
    let options = Object::new();
    for (name, value) in fields {
        // Setting a property of a fresh plain object cannot be refused.
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a date's milliseconds lie far below 2^53")]
    let date = Date::new(&(at.millis() as f64).into());
    String::from(date.to_locale_string("en-GB", &options))
}

/// `just now`, `42 s ago`, `5 min ago`, `3 h ago`, `12 days ago`, `in 2 h`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let (millis, future) =
        if at > now { (at.millis_since(now), true) } else { (now.millis_since(at), false) };
    let span = match millis / 1000 {
        0..=4 => return "just now".to_owned(),
        s @ 5..=59 => format!("{s} s"),
        s @ 60..=3599 => format!("{} min", s / 60),
        s @ 3600..=172_799 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    };
    if future { format!("in {span}") } else { format!("{span} ago") }
}

/// Microseconds as milliseconds with as many digits as help: `41 ms`, `0.41 ms`.
pub fn millis_of_us(us: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a duration in microseconds lies far below 2^53")]
    let ms = us as f64 / 1000.0;
    if ms >= 100.0 {
        format!("{ms:.0} ms")
    } else if ms >= 10.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.2} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let now = Timestamp::from_millis(1_000_000_000);
        let ago = |s: i64| relative(Timestamp::from_millis(now.millis() - s * 1000), now);
        assert_eq!(ago(2), "just now");
        assert_eq!(ago(59), "59 s ago");
        assert_eq!(ago(60), "1 min ago");
        assert_eq!(ago(7_200), "2 h ago");
        assert_eq!(ago(864_000), "10 days ago");
        assert_eq!(ago(-7_200), "in 2 h");
    }

    #[test]
    fn milliseconds() {
        assert_eq!(millis_of_us(410), "0.41 ms");
        assert_eq!(millis_of_us(41_250), "41.2 ms");
        assert_eq!(millis_of_us(1_041_000), "1041 ms");
    }
}
