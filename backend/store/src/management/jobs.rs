//! Durable jobs and test runs, stored as documents.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::Timestamp;
use shared::api::{JobView, TestRun};

use super::Result;

fn document<T: DeserializeOwned>(c: &Connection, sql: &str, id: &str) -> Result<Option<T>> {
    let text: Option<String> = c.query_row(sql, [id], |r| r.get(0)).optional()?;
    Ok(text.map(|t| serde_json::from_str(&t)).transpose()?)
}

fn documents<T: DeserializeOwned>(c: &Connection, sql: &str, limit: u32) -> Result<Vec<T>> {
    let mut s = c.prepare_cached(sql)?;
    let rows = s.query_map([limit], |r| r.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.iter().map(|t| Ok(serde_json::from_str(t)?)).collect()
}

/// A job's document without what it needs to be resumed.
#[derive(Serialize)]
struct Shown<'a> {
    view: &'a JobView,
}

/// The input of a job; jobs of before schema 5 have it in their document.
const INPUT: &str =
    "COALESCE((SELECT input FROM job_input WHERE job_input.job = job.id), json_extract(document, '$.input'))";

/// Creates or overwrites a job; `input` is what it needs to be resumed.
///
/// # Errors
/// SQLite's.
pub fn save_job<I: Serialize>(c: &Connection, job: &JobView, kind: &str, input: &I) -> Result<()> {
    let sql = "INSERT INTO job VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET state = ?3, document = ?6";
    let document = serde_json::to_string(&Shown { view: job })?;
    c.prepare_cached(sql)?.execute(params![
        job.id,
        kind,
        job.state,
        job.actor,
        job.started.millis(),
        document
    ])?;
    let sql = "INSERT INTO job_input VALUES (?1, ?2) ON CONFLICT (job) DO UPDATE SET input = ?2";
    c.prepare_cached(sql)?.execute(params![job.id, serde_json::to_string(input)?])?;
    Ok(())
}

/// Notes how far a job is; its input stays as it was.
///
/// # Errors
/// SQLite's.
pub fn save_progress(c: &Connection, job: &JobView) -> Result<()> {
    // A job of before schema 5 keeps its input where it is.
    let sql = "UPDATE job SET state = ?2, document = CASE
           WHEN EXISTS (SELECT 1 FROM job_input WHERE job = ?1) THEN ?3
           ELSE json_set(document, '$.view', json_extract(?3, '$.view')) END
         WHERE id = ?1";
    let document = serde_json::to_string(&Shown { view: job })?;
    c.prepare_cached(sql)?.execute(params![job.id, job.state, document])?;
    Ok(())
}

/// One job.
///
/// # Errors
/// SQLite's.
pub fn job(c: &Connection, id: &str) -> Result<Option<JobView>> {
    document(c, "SELECT json_extract(document, '$.view') FROM job WHERE id = ?1", id)
}

/// Newest jobs first.
///
/// # Errors
/// SQLite's.
pub fn jobs(c: &Connection, limit: u32) -> Result<Vec<JobView>> {
    documents(
        c,
        "SELECT json_extract(document, '$.view') FROM job ORDER BY started DESC, id DESC LIMIT ?1",
        limit,
    )
}

/// Newest jobs of a kind first.
///
/// # Errors
/// SQLite's.
pub fn jobs_of_kind(c: &Connection, kind: &str, limit: u32) -> Result<Vec<JobView>> {
    let sql = "SELECT json_extract(document, '$.view') FROM job WHERE kind = ?1 ORDER BY started DESC, id DESC LIMIT ?2";
    let mut s = c.prepare_cached(sql)?;
    let rows = s
        .query_map(params![kind, limit], |r| r.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.iter().map(|t| Ok(serde_json::from_str(t)?)).collect()
}

/// Newest jobs of a kind that concern a pool first.
///
/// # Errors
/// SQLite's.
pub fn jobs_of(c: &Connection, kind: &str, pool: &str, limit: u32) -> Result<Vec<JobView>> {
    let sql = format!(
        "SELECT json_extract(document, '$.view') FROM job
         WHERE kind = ?1 AND json_extract({INPUT}, '$.pool') = ?2 ORDER BY started DESC, id DESC LIMIT ?3"
    );
    let mut s = c.prepare_cached(&sql)?;
    let rows = s
        .query_map(params![kind, pool, limit], |r| r.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.iter().map(|t| Ok(serde_json::from_str(t)?)).collect()
}

/// One job of a kind with its input.
///
/// # Errors
/// SQLite's.
pub fn job_with_input<I: DeserializeOwned>(
    c: &Connection,
    id: &str,
    kind: &str,
) -> Result<Option<(JobView, I)>> {
    let sql =
        format!("SELECT json_extract(document, '$.view'), {INPUT} FROM job WHERE id = ?1 AND kind = ?2");
    let row: Option<(String, String)> =
        c.query_row(&sql, [id, kind], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    row.map(|(v, i)| Ok((serde_json::from_str(&v)?, serde_json::from_str(&i)?))).transpose()
}

/// Jobs that a restart interrupted, with their inputs: id, kind, view, input.
///
/// # Errors
/// SQLite's.
pub fn running_jobs<I: DeserializeOwned>(c: &Connection, kind: &str) -> Result<Vec<(JobView, I)>> {
    let mut s = c.prepare_cached(&format!(
        "SELECT json_extract(document, '$.view'), {INPUT} FROM job
         WHERE kind = ?1 AND state = 'running' ORDER BY started"
    ))?;
    let rows = s
        .query_map([kind], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    rows.iter().map(|(v, i)| Ok((serde_json::from_str(v)?, serde_json::from_str(i)?))).collect()
}

/// Creates or overwrites a test run.
///
/// # Errors
/// SQLite's.
pub fn save_test(c: &Connection, run: &TestRun) -> Result<()> {
    let s = &run.summary;
    c.execute(
        "INSERT INTO test_run VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET pool = ?2, state = ?3, document = ?5",
        params![
            s.id,
            s.pool.as_ref().map(|p| p.as_str()),
            s.state,
            s.started.millis(),
            serde_json::to_string(run)?
        ],
    )?;
    super::tests::note_facts(c, &s.id)
}

/// One test run.
///
/// # Errors
/// SQLite's.
pub fn test(c: &Connection, id: &str) -> Result<Option<TestRun>> {
    document(c, "SELECT document FROM test_run WHERE id = ?1", id)
}

/// Newest runs first.
///
/// # Errors
/// SQLite's.
pub fn tests(c: &Connection, limit: u32) -> Result<Vec<TestRun>> {
    documents(c, "SELECT document FROM test_run ORDER BY started DESC, id DESC LIMIT ?1", limit)
}

/// The newest run to a pool that succeeded or failed. One that was cancelled says nothing about the pool, nor does one
/// sent by hand with an account that is not let in.
///
/// # Errors
/// SQLite's.
pub fn last_finished(c: &Connection, pool: &str) -> Result<Option<TestRun>> {
    let sql = format!(
        "SELECT document FROM test_run r WHERE pool = ?1 AND state IN ('success', 'failure')
           AND NOT EXISTS (SELECT 1 FROM test_fact WHERE test_fact.id = r.id AND {})
         ORDER BY started DESC, id DESC LIMIT 1",
        super::tests::TYPED
    );
    document(c, &sql, pool)
}

/// When the first run to a pool since `since` that succeeded began.
///
/// # Errors
/// SQLite's.
pub fn first_success(c: &Connection, pool: &str, since: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "SELECT MIN(started) FROM test_run WHERE pool = ?1 AND state = 'success' AND started >= ?2";
    let at: Option<i64> = c.prepare_cached(sql)?.query_row(params![pool, since.millis()], |r| r.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

/// Marks runs that a restart cut off as failed.
///
/// # Errors
/// SQLite's.
pub fn close_interrupted_tests(c: &Connection, verdict: &str, _at: Timestamp) -> Result<()> {
    c.execute("UPDATE test_fact SET state = 'failure' WHERE state = 'running'", [])?;
    c.execute(
        "UPDATE test_run SET state = 'failure',
           document = json_set(document, '$.summary.state', 'failure', '$.summary.verdict', ?1) WHERE state = 'running'",
        [verdict],
    )?;
    Ok(())
}
