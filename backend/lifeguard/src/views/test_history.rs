//! The history of test messages: a page of it, and numbers over the newest of it.

use std::collections::HashMap;

use serde_json::Value;
use shared::api::{PhaseNumbers, TestHistory, TestSlice};
use shared::error::ApiError;
use shared::synthetic::Phase;
use store::management::tests::{self, Point, Wanted};

use crate::app::App;
use crate::door::store_error;

/// Of how many runs the numbers are made: more would cost time and change nothing that is seen.
const MEASURED: u32 = 2000;
/// Into how many slices the chart's time is cut.
const SLICES: usize = 48;

/// The value that `percent` of 100 are not above; the values are sorted.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn numbers(phase: Option<Phase>, mut values: Vec<u64>) -> Option<PhaseNumbers> {
    values.sort_unstable();
    Some(PhaseNumbers {
        phase,
        count: u32::try_from(values.len()).unwrap_or(u32::MAX),
        median_us: percentile(&values, 50)?,
        p95_us: percentile(&values, 95)?,
        p99_us: percentile(&values, 99)?,
        max_us: *values.last()?,
    })
}

/// Numbers of each phase in the runs that went well, in the order of the phases, then the latency.
fn phases(points: &[Point]) -> Vec<PhaseNumbers> {
    let mut by_name: HashMap<&str, Vec<u64>> = HashMap::new();
    let good: Vec<&Point> = points.iter().filter(|p| p.state == "success").collect();
    for (name, us) in good.iter().flat_map(|p| &p.phases) {
        by_name.entry(name).or_default().push(*us);
    }
    let named = |p: Phase| {
        // Phases are stored under their name on the wire.
        let name = serde_json::to_value(p).ok()?;
        numbers(Some(p), by_name.remove(name.as_str()?)?)
    };
    let mut out: Vec<PhaseNumbers> = Phase::ALL.into_iter().filter_map(named).collect();
    out.extend(numbers(None, good.iter().filter_map(|p| p.latency_us).collect()));
    out
}

fn slice(points: &[Point]) -> Option<TestSlice> {
    let (newest, oldest) = (points.first()?, points.last()?);
    let good = points.iter().filter(|p| p.state == "success").count();
    let mut latency: Vec<u64> = points.iter().filter_map(|p| p.latency_us).collect();
    latency.sort_unstable();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(TestSlice {
        from: oldest.started,
        to: newest.started,
        succeeded: count(good),
        failed: count(points.len() - good),
        median_us: percentile(&latency, 50),
        p95_us: percentile(&latency, 95),
    })
}

/// A page of the history and its numbers.
///
/// # Errors
/// When the store does not answer.
pub fn history(app: &App, w: &Wanted, skip: u32, limit: u32) -> Result<TestHistory, ApiError> {
    app.store.read(|c| of(c, w, skip, limit)).map_err(store_error)
}

/// The same on an open connection.
///
/// # Errors
/// SQLite's.
pub fn of(
    c: &rusqlite::Connection,
    w: &Wanted,
    skip: u32,
    limit: u32,
) -> Result<TestHistory, store::management::StoreError> {
    let counts = tests::counts(c, w)?;
    let of_state = |s: &str| counts.iter().find(|(n, _)| n == s).map_or(0, |(_, n)| *n);
    let points = tests::points(c, w, MEASURED)?;
    let (actors, causes) = tests::choices(c)?;
    // Slices of as many runs each: a busy hour does not hide in one of them.
    let each = points.len().div_ceil(SLICES).max(1);
    let mut slices: Vec<TestSlice> = points.chunks(each).filter_map(slice).collect();
    slices.reverse();
    Ok(TestHistory {
        rows: tests::page(c, w, skip, limit)?,
        total: counts.iter().map(|(_, n)| n).sum(),
        succeeded: of_state("success"),
        failed: of_state("failure"),
        measured: u32::try_from(points.len()).unwrap_or(u32::MAX),
        slices,
        phases: phases(&points),
        actors,
        causes,
        keep_days: tests::keep_days(c)?,
    })
}

/// The wanted runs as CSV (RFC 4180), newest first; what a spreadsheet would take for a formula is not one.
pub fn csv(rows: &[shared::api::TestSummary]) -> String {
    let mut out = "id,started,target,pool,result,latency_us,verdict,actor,node\r\n".to_owned();
    for r in rows {
        let pool = r.pool.as_ref().map(ToString::to_string).unwrap_or_default();
        let latency = r.latency_us.map(|n| n.to_string()).unwrap_or_default();
        let node = r.node.clone().unwrap_or_default();
        let line =
            [&r.id, &r.started.rfc3339(), &r.target, &pool, &r.state, &latency, &r.verdict, &r.actor, &node];
        out.push_str(&line.map(|t| field(t)).join(","));
        out.push_str("\r\n");
    }
    out
}

fn field(text: &str) -> String {
    let guarded = if text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

/// The wanted runs as JSON.
pub fn json(rows: &[shared::api::TestSummary]) -> String {
    serde_json::to_value(rows).unwrap_or(Value::Null).to_string()
}

#[cfg(test)]
mod tests_of_numbers {
    use shared::Timestamp;

    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!([50, 95, 99].map(|p| percentile(&hundred, p)), [Some(50), Some(95), Some(99)]);
        assert_eq!([50, 95, 99].map(|p| percentile(&[7], p)), [Some(7); 3]);
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn numbers_are_of_the_runs_that_went_well_and_both_users_count() {
        let point = |n: i64, ok: bool, us: u64| Point {
            started: Timestamp::from_millis(n),
            state: if ok { "success" } else { "failure" }.to_owned(),
            latency_us: ok.then_some(us),
            phases: vec![("connect".to_owned(), us), ("connect".to_owned(), us * 2), ("bogus".to_owned(), 1)],
        };
        let points = [point(3, true, 10), point(2, false, 1000), point(1, true, 20)];
        let found = phases(&points);
        assert_eq!(found.len(), 2);
        let connect = &found[0];
        assert_eq!(
            (connect.phase, connect.count, connect.median_us, connect.max_us),
            (Some(Phase::Connect), 4, 20, 40)
        );
        assert_eq!((found[1].phase, found[1].count, found[1].median_us), (None, 2, 10));
        let s = slice(&points).unwrap();
        assert_eq!((s.from.millis(), s.to.millis(), s.succeeded, s.failed), (1, 3, 2, 1));
    }

    #[test]
    fn csv_fields_are_no_formulas() {
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }
}
