//! Test messages that were sent: their messages, and the history with its filters and numbers.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use shared::Timestamp;
use shared::api::TestSummary;
use shared::trace::TestTrace;

use super::Result;

/// Of how many good runs, and of how many others, the messages are kept.
const TRACES: u32 = 200;
/// Name of the setting with the days that runs are kept.
const KEEP_DAYS: &str = "tests.keep_days";
/// Days that runs are kept unless told otherwise.
pub const DEFAULT_DAYS: u32 = 90;

/// A failure of a run sent by hand, of which the reason is the account that was typed: it says nothing about the
/// pool. Those of watchers count, whatever the reason: their accounts are there to sign in.
pub(super) const TYPED: &str = "state = 'failure' AND actor <> 'watcher' AND COALESCE(cause, '') IN
    ('wrong_password', 'credential_of_another_account', 'unknown_user', 'user_disabled', 'no_policy')";

/// Keeps the messages of a run and forgets those of the oldest.
///
/// # Errors
/// SQLite's.
pub fn save_trace(c: &Connection, run: &str, trace: &TestTrace) -> Result<()> {
    c.execute(
        "INSERT INTO test_trace VALUES (?1, ?2) ON CONFLICT (run) DO UPDATE SET document = ?2",
        params![run, serde_json::to_string(trace)?],
    )?;
    // Failed runs are told apart so that good ones do not push them out.
    let sql = "DELETE FROM test_trace WHERE run IN (
         SELECT t.run FROM test_trace t LEFT JOIN test_fact f ON f.id = t.run
         WHERE (COALESCE(f.state, '') = 'success') = ?1 ORDER BY f.started DESC, t.run DESC LIMIT -1 OFFSET ?2)";
    for good in [true, false] {
        c.execute(sql, params![good, TRACES])?;
    }
    Ok(())
}

/// The messages of a run, when they are still kept.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn trace(c: &Connection, run: &str) -> Result<Option<TestTrace>> {
    let sql = "SELECT document FROM test_trace WHERE run = ?1";
    let text: Option<String> = c.query_row(sql, [run], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}

/// Notes what the history asks of a stored run.
///
/// # Errors
/// SQLite's.
pub fn note_facts(c: &Connection, run: &str) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO test_fact
         SELECT id, started, pool, document ->> '$.summary.target', state, document ->> '$.report.diagnosis.cause',
           document ->> '$.summary.actor', document ->> '$.summary.latency_us',
           COALESCE((SELECT group_concat((value ->> '$.phase') || '=' || (value ->> '$.duration_us'), ' ')
             FROM json_each(document, '$.steps')), '')
         FROM test_run WHERE id = ?1";
    c.prepare_cached(sql)?.execute([run])?;
    Ok(())
}

/// Which runs of the history are meant; what is none or empty takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// FQDN of the chat pool.
    pub pool: Option<String>,
    /// `success`, `failure`, `cancelled` or `running`.
    pub state: Option<String>,
    /// Cause of the failure.
    pub cause: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// Started at this time or later.
    pub from: Option<Timestamp>,
    /// Started before this time.
    pub to: Option<Timestamp>,
}

impl Wanted {
    /// The condition and its values.
    fn condition(&self) -> (String, Vec<Box<dyn ToSql>>) {
        let (mut text, mut values) = ("1".to_owned(), Vec::<Box<dyn ToSql>>::new());
        let mut add = |column: &str, v: Box<dyn ToSql>| {
            values.push(v);
            text.push_str(&format!(" AND {column} ?{}", values.len()));
        };
        let texts = [("pool =", &self.pool), ("state =", &self.state), ("cause =", &self.cause)];
        for (column, v) in texts.into_iter().chain([("actor =", &self.actor)]) {
            if let Some(v) = v.as_ref().filter(|v| !v.is_empty()) {
                add(column, Box::new(v.clone()));
            }
        }
        for (column, at) in [("started >=", self.from), ("started <", self.to)] {
            if let Some(at) = at {
                add(column, Box::new(at.millis()));
            }
        }
        (text, values)
    }
}

fn list<T>(
    c: &Connection,
    sql: &str,
    values: &[Box<dyn ToSql>],
    row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    let mut s = c.prepare_cached(sql)?;
    Ok(s.query_map(values.as_slice(), row)?.collect::<rusqlite::Result<_>>()?)
}

/// How many of the wanted runs ended how: state and number.
///
/// # Errors
/// SQLite's.
pub fn counts(c: &Connection, w: &Wanted) -> Result<Vec<(String, u64)>> {
    let (condition, values) = w.condition();
    let sql = format!("SELECT state, count(*) FROM test_fact WHERE {condition} GROUP BY state");
    list(c, &sql, &values, |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs())))
}

/// Runs in lines, newest first; those after the first `skip`.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn page(c: &Connection, w: &Wanted, skip: u32, limit: u32) -> Result<Vec<TestSummary>> {
    let (condition, values) = w.condition();
    // The page is found in the narrow table; only its rows touch the documents.
    let sql = format!(
        "SELECT json_extract(r.document, '$.summary') FROM
           (SELECT id, started FROM test_fact WHERE {condition} ORDER BY started DESC, id DESC LIMIT {limit} OFFSET {skip}) f
         JOIN test_run r ON r.id = f.id ORDER BY f.started DESC, f.id DESC"
    );
    let rows = list(c, &sql, &values, |r| r.get::<_, String>(0))?;
    rows.iter().map(|t| Ok(serde_json::from_str(t)?)).collect()
}

/// What the chart draws of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// When it started.
    pub started: Timestamp,
    /// How it ended.
    pub state: String,
    /// First send to second receipt, microseconds.
    pub latency_us: Option<u64>,
    /// Phases by their name on the wire, microseconds; both users', so most stand twice.
    pub phases: Vec<(String, u64)>,
}

/// The newest of the wanted runs that ended, newest first.
///
/// # Errors
/// SQLite's.
pub fn points(c: &Connection, w: &Wanted, limit: u32) -> Result<Vec<Point>> {
    let (condition, values) = w.condition();
    let sql = format!(
        "SELECT started, state, latency, phases FROM test_fact
         WHERE {condition} AND state IN ('success', 'failure') ORDER BY started DESC, id DESC LIMIT {limit}"
    );
    list(c, &sql, &values, |r| {
        let phases: String = r.get(3)?;
        let phase = |p: &str| p.split_once('=').and_then(|(n, us)| Some((n.to_owned(), us.parse().ok()?)));
        Ok(Point {
            started: Timestamp::from_millis(r.get(0)?),
            state: r.get(1)?,
            latency_us: r.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
            phases: phases.split(' ').filter_map(phase).collect(),
        })
    })
}

/// The last runs to a pool that succeeded or failed, oldest first: how they ended, and their latency.
///
/// # Errors
/// SQLite's.
pub fn recent(c: &Connection, pool: &str, limit: u32) -> Result<Vec<Option<u64>>> {
    let sql = "SELECT latency FROM test_fact WHERE pool = ?1 AND state IN ('success', 'failure')
         ORDER BY started DESC, id DESC LIMIT ?2";
    let mut s = c.prepare_cached(sql)?;
    let rows = s.query_map(params![pool, limit], |r| r.get::<_, Option<i64>>(0))?;
    let mut out: Vec<Option<u64>> =
        rows.map(|r| r.map(|v| v.map(i64::unsigned_abs))).collect::<rusqlite::Result<_>>()?;
    out.reverse();
    Ok(out)
}

/// Who started runs, and why runs failed, for the filters.
///
/// # Errors
/// SQLite's.
pub fn choices(c: &Connection) -> Result<(Vec<String>, Vec<String>)> {
    let distinct = |column: &str| -> Result<Vec<String>> {
        // Jumps from value to value in the index instead of reading all rows.
        let sql = format!(
            "WITH RECURSIVE v(x) AS (SELECT min({column}) FROM test_fact
               UNION ALL SELECT (SELECT min({column}) FROM test_fact WHERE {column} > x) FROM v WHERE x IS NOT NULL)
             SELECT x FROM v WHERE x IS NOT NULL LIMIT 200"
        );
        list(c, &sql, &[], |r| r.get(0))
    };
    Ok((distinct("actor")?, distinct("cause")?))
}

/// Days that runs are kept; 0 keeps them for ever.
///
/// # Errors
/// SQLite's.
pub fn keep_days(c: &Connection) -> Result<u32> {
    Ok(super::setting(c, KEEP_DAYS)?.and_then(|v| v.parse().ok()).unwrap_or(DEFAULT_DAYS))
}

/// Sets it.
///
/// # Errors
/// SQLite's.
pub fn set_keep_days(c: &Connection, days: u32) -> Result<()> {
    super::set_setting(c, KEEP_DAYS, &days.to_string())
}

/// Forgets runs that started before `before`, at most `most` of them at once; how many.
///
/// # Errors
/// SQLite's.
pub fn prune(c: &Connection, before: Timestamp, most: u32) -> Result<usize> {
    let old = "SELECT id FROM test_fact WHERE started < ?1 AND state <> 'running' ORDER BY started LIMIT ?2";
    let values = params![before.millis(), most];
    c.execute(&format!("DELETE FROM test_trace WHERE run IN ({old})"), values)?;
    c.execute(&format!("DELETE FROM test_run WHERE id IN ({old})"), values)?;
    Ok(c.execute(&format!("DELETE FROM test_fact WHERE id IN ({old})"), values)?)
}

/// How many runs stand there that started before `before`.
///
/// # Errors
/// SQLite's.
pub fn older_than(c: &Connection, before: Timestamp) -> Result<u64> {
    let sql = "SELECT count(*) FROM test_fact WHERE started < ?1 AND state <> 'running'";
    Ok(c.query_row(sql, [before.millis()], |r| r.get::<_, i64>(0))?.unsigned_abs())
}

/// Failures of a pool's test message since it last succeeded.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the first of them began.
    pub since: Option<Timestamp>,
    /// When the last of them began.
    pub last: Option<Timestamp>,
}

/// How often in a row the test message to a pool has failed.
///
/// # Errors
/// SQLite's.
pub fn failed_in_a_row(c: &Connection, pool: &str) -> Result<Failures> {
    let sql = format!(
        "SELECT count(*), min(started), max(started) FROM test_fact
        WHERE pool = ?1 AND state = 'failure' AND NOT ({TYPED}) AND started >
          COALESCE((SELECT max(started) FROM test_fact WHERE pool = ?1 AND state = 'success'), -1)"
    );
    let row = |r: &rusqlite::Row<'_>| {
        let at = |i: usize| r.get::<_, Option<i64>>(i).map(|x| x.map(Timestamp::from_millis));
        Ok(Failures { count: r.get(0)?, since: at(1)?, last: at(2)? })
    };
    Ok(c.prepare_cached(&sql)?.query_row([pool], row)?)
}

#[cfg(test)]
mod checks {
    use shared::api::TestRun;
    use shared::trace::TraceMessage;

    use super::super::{Management, StoreError, jobs};
    use super::*;

    #[test]
    fn a_mistyped_password_by_hand_says_nothing_about_the_pool() {
        let dir = tempfile::tempdir().unwrap();
        let store = Management::open(&dir.path().join("m.db")).unwrap();
        let save = |r: TestRun| store.write(|tx| jobs::save_test(tx, &r)).unwrap();
        let said = || {
            let last = store.read(|c| jobs::last_finished(c, "cs.x.com")).unwrap();
            let failed = store.read(|c| failed_in_a_row(c, "cs.x.com")).unwrap();
            (last.map(|r| r.summary.id), failed.count)
        };
        save(run(1, "failure", "cs.x.com", "nina"));
        assert_eq!(said(), (None, 0), "nothing is known of the pool");
        save(run(2, "success", "cs.x.com", "nina"));
        save(run(3, "failure", "cs.x.com", "nina"));
        assert_eq!(said(), (Some("000002".to_owned()), 0));
        save(run(4, "failure", "cs.x.com", "watcher"));
        assert_eq!(said(), (Some("000004".to_owned()), 1), "a scheduled one counts");
        save(run(5, "failure", "cs.x.com", "nina"));
        assert_eq!(said(), (Some("000004".to_owned()), 1), "and is not hidden");
        let mut other = run(6, "failure", "cs.x.com", "nina");
        if let Some(d) = other.report.as_mut().and_then(|r| r.diagnosis.as_mut()) {
            d.cause = shared::synthetic::CauseCode::NothingListening;
        }
        save(other);
        assert_eq!(said(), (Some("000006".to_owned()), 2), "what is about the pool counts by hand, too");
    }

    fn run(n: i64, state: &str, pool: &str, actor: &str) -> TestRun {
        let report = (state == "failure").then(|| {
            serde_json::json!({ "target_fqdn": pool, "result": "failure", "latency_us": 0, "error_message": "",
                "diagnosis": { "cause": "wrong_password", "text": "", "check_next": "" }, "warnings": [], "steps": [],
                "hops": [], "room": null, "sender": "", "receiver": "", "started_at": "", "total_us": 1 })
        });
        serde_json::from_value(serde_json::json!({
            "summary": { "id": format!("{n:06}"), "target": "fe.x.com", "pool": pool, "state": state,
                "started": Timestamp::from_millis(n * 1000), "latency_us": (state == "success").then_some(n),
                "verdict": "", "actor": actor },
            "steps": [{ "role": "sender", "phase": "connect", "started_us": 0, "duration_us": 7, "ok": true, "detail": "" },
                { "role": "receiver", "phase": "connect", "started_us": 0, "duration_us": 9, "ok": true, "detail": "" }],
            "report": report, "printed": null,
        }))
        .unwrap()
    }

    fn store() -> (tempfile::TempDir, Management) {
        let dir = tempfile::tempdir().unwrap();
        let m = Management::open(&dir.path().join("m.db")).unwrap();
        (dir, m)
    }

    #[test]
    fn the_history_is_filtered_paged_and_counted() {
        let (_dir, m) = store();
        m.write(|tx| {
            for n in 0..40 {
                let state = ["success", "failure", "success", "cancelled"][n as usize % 4];
                let (pool, actor) = if n < 20 { ("a.x.com", "root") } else { ("b.x.com", "watcher") };
                jobs::save_test(tx, &run(n, state, pool, actor))?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
        let of = |w: Wanted, skip, limit| {
            let rows = m.read(|c| page(c, &w, skip, limit)).unwrap();
            rows.iter().map(|r| r.id.parse::<u32>().unwrap()).collect::<Vec<_>>()
        };
        let text = |t: &str| Some(t.to_owned());
        assert_eq!(of(Wanted::default(), 0, 3), [39, 38, 37]);
        assert_eq!(of(Wanted::default(), 38, 3), [1, 0]);
        let pool = Wanted { pool: text("a.x.com"), ..Wanted::default() };
        assert_eq!(of(pool.clone(), 0, 2), [19, 18]);
        assert_eq!(of(Wanted { cause: text("wrong_password"), ..pool.clone() }, 0, 9), [17, 13, 9, 5, 1]);
        assert_eq!(
            of(Wanted { actor: text("watcher"), state: text("cancelled"), ..Wanted::default() }, 0, 2),
            [39, 35]
        );
        let time = Wanted {
            from: Some(Timestamp::from_millis(4_000)),
            to: Some(Timestamp::from_millis(6_000)),
            ..pool
        };
        assert_eq!(of(time, 0, 9), [5, 4]);
        let mut counted = m.read(|c| counts(c, &Wanted::default())).unwrap();
        counted.sort();
        assert_eq!(
            counted,
            [("cancelled".to_owned(), 10), ("failure".to_owned(), 10), ("success".to_owned(), 20)]
        );
        let p = m.read(|c| points(c, &Wanted::default(), 2)).unwrap();
        assert_eq!((p.len(), p[0].started.millis(), p[0].state.as_str()), (2, 38_000, "success"));
        assert_eq!(p[0].phases, [("connect".to_owned(), 7), ("connect".to_owned(), 9)]);
        assert_eq!(m.read(|c| recent(c, "b.x.com", 3)).unwrap(), [Some(36), None, Some(38)]);
        let (actors, causes) = m.read(choices).unwrap();
        assert_eq!(
            (actors, causes),
            (vec!["root".to_owned(), "watcher".to_owned()], vec!["wrong_password".to_owned()])
        );
        // What runs is never deleted.
        m.write(|tx| jobs::save_test(tx, &run(1, "running", "a.x.com", "root"))).unwrap();
        let before = Timestamp::from_millis(30_000);
        assert_eq!(m.read(|c| older_than(c, before)).unwrap(), 29);
        assert_eq!(m.write(|tx| prune(tx, before, 20)).unwrap(), 20);
        assert_eq!(m.write(|tx| prune(tx, before, 20)).unwrap(), 9);
        assert_eq!(of(Wanted::default(), 9, 9), [30, 1]);
        assert!(m.read(|c| jobs::test(c, "000002")).unwrap().is_none());
    }

    #[test]
    fn messages_are_kept_for_the_newest_and_good_runs_do_not_push_out_failed_ones() {
        let (_dir, m) = store();
        let message = TraceMessage {
            role: shared::synthetic::Role::Sender,
            at_us: 1,
            sent: true,
            text: "x".to_owned(),
        };
        let t = TestTrace { messages: vec![message], ..TestTrace::default() };
        let keep = |n: i64, state: &str| {
            m.write(|tx| {
                jobs::save_test(tx, &run(n, state, "a.x.com", "root"))?;
                save_trace(tx, &format!("{n:06}"), &t)
            })
            .unwrap();
        };
        keep(0, "success");
        keep(1, "failure");
        for n in 2..203 {
            keep(n, "success");
        }
        let there = |n: i64| m.read(|c| trace(c, &format!("{n:06}"))).unwrap().is_some();
        assert_eq!([0, 1, 2, 3, 202].map(there), [false, true, false, true, true]);
        assert_eq!(m.read(|c| trace(c, "000001")).unwrap().unwrap(), t);
    }

    #[test]
    fn the_page_is_found_in_an_index() {
        let (_dir, m) = store();
        for (w, index) in [
            (Wanted::default(), "test_fact_started"),
            (Wanted { pool: Some("a".to_owned()), ..Wanted::default() }, "test_fact_pool"),
            (Wanted { actor: Some("a".to_owned()), ..Wanted::default() }, "test_fact_actor"),
        ] {
            let (condition, values) = w.condition();
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT id, started FROM test_fact WHERE {condition} ORDER BY started DESC, id DESC LIMIT 50"
            );
            let plan = m.read(|c| list(c, &sql, &values, |r| r.get::<_, String>(3))).unwrap().join("; ");
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
