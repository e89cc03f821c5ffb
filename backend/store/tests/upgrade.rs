//! Stores of earlier releases, opened by this program: every row is still there, a kill in between harms
//! nothing, and a store of a newer release is left alone.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail with it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use shared::Timestamp;
use store::management::{
    Management, SCHEMA, StoreError, accounts, alerts, audit, jobs, tests, topology, watch,
};

const SCHEMA_1: &str = include_str!("fixtures/schema_1.sql");
const SCHEMA_2: &str = include_str!("fixtures/schema_2.sql");
const SCHEMA_3: &str = include_str!("fixtures/schema_3.sql");
const SCHEMA_4: &str = include_str!("fixtures/schema_4.sql");
const STEP_5: &str = include_str!("../src/management/migration_5.sql");

/// A store as release `n` left it.
fn filled(folder: &Path, n: usize) -> PathBuf {
    let path = folder.join(format!("management-{n}.db"));
    let c = Connection::open(&path).unwrap();
    c.pragma_update(None, "journal_mode", "WAL").unwrap();
    for script in [SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4].into_iter().take(n) {
        c.execute_batch(script).unwrap();
    }
    path
}

type Rows = Vec<BTreeMap<String, Value>>;

/// Every row of every table, by table.
fn dump(path: &Path) -> BTreeMap<String, Rows> {
    let c = Connection::open(path).unwrap();
    let sql =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let names: Vec<String> =
        c.prepare(sql).unwrap().query_map([], |r| r.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let rows = |table: &str| -> Rows {
        let mut s = c.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = s.column_names().map(str::to_owned).collect();
        let row = |r: &rusqlite::Row<'_>| {
            columns
                .iter()
                .enumerate()
                .map(|(i, n)| Ok((n.clone(), r.get(i)?)))
                .collect::<rusqlite::Result<_>>()
        };
        s.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
    };
    names.into_iter().map(|n| (n.clone(), rows(&n))).collect()
}

fn version(path: &Path) -> i64 {
    Connection::open(path).unwrap().pragma_query_value(None, "user_version", |r| r.get(0)).unwrap()
}

/// Every row of `before` is in `after` with the values it had; tables may have got more columns. The one draft
/// of before is the one that is called main.
fn kept(before: &BTreeMap<String, Rows>, after: &BTreeMap<String, Rows>) {
    for (table, rows) in before {
        let moved = table == "topology_draft" && !after.contains_key(table);
        let now = after.get(if moved { "named_draft" } else { table });
        let now = now.unwrap_or_else(|| panic!("the table {table} is gone"));
        for row in rows {
            let same = |r: &BTreeMap<String, Value>| {
                row.iter().all(|(k, v)| (moved && k == "id") || r.get(k) == Some(v))
            };
            assert!(now.iter().any(same), "a row of {table} is gone or changed: {row:?}");
        }
    }
}

#[test]
fn stores_of_earlier_releases_keep_every_row() {
    let folder = tempfile::tempdir().unwrap();
    for release in [1, 2, 3, 4] {
        let path = filled(folder.path(), release);
        let before = dump(&path);
        let empty: Vec<_> = before.iter().filter(|(_, rows)| rows.is_empty()).map(|(t, _)| t).collect();
        assert!(empty.is_empty(), "the fixture of schema {release} has no rows in {empty:?}");
        drop(Management::open(&path).unwrap());
        assert_eq!(version(&path), SCHEMA);
        let after = dump(&path);
        kept(&before, &after);
        // A second start changes nothing.
        drop(Management::open(&path).unwrap());
        assert_eq!(dump(&path), after);
    }
}

#[test]
fn what_an_earlier_release_wrote_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let now = Timestamp::from_millis(1_795_273_800_000);
    let store = Management::open(&filled(folder.path(), 4)).unwrap();
    store
        .read(|c| {
            assert_eq!(accounts::accounts(c)?.len(), 2);
            assert_eq!(accounts::sessions(c, now)?.len(), 1);
            assert_eq!(accounts::shares(c)?[0].level, "Servers");
            let published = topology::published(c)?.expect("a published topology");
            assert_eq!((published.version, published.document.pools.len()), (1, 4));
            assert_eq!(topology::draft(c)?.document, published.document);
            assert_eq!(jobs::jobs(c, 10)?.len(), 1);
            let runs = jobs::tests(c, 10)?;
            assert_eq!((runs.len(), runs[0].summary.state.as_str()), (1, "success"));
            assert!(tests::trace(c, &runs[0].summary.id)?.is_some());
            assert_eq!((alerts::targets(c)?.len(), watch::watchers(c)?.len()), (1, 1));
            let verdict = audit::verify(c)?;
            assert!(verdict.broken.is_none() && verdict.rows >= 8, "{verdict:?}");
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn the_history_of_schema_1_is_told_after_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path(), 1);
    drop(Management::open(&path).unwrap());
    let c = Connection::open(&path).unwrap();
    let fact = "SELECT target, state, phases LIKE '%=%' FROM test_fact";
    let row: (String, String, bool) =
        c.query_row(fact, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
    assert_eq!(row, ("atl-fe-001.litwareinc.com".to_owned(), "success".to_owned(), true));
}

/// The files as a power cut leaves them in the middle of a step: main file and log are taken while the
/// transaction is open.
#[test]
fn a_kill_in_the_middle_of_a_step_goes_on_from_the_step_before() {
    let folder = tempfile::tempdir().unwrap();
    for release in [1, 2, 3, 4] {
        let path = filled(folder.path(), release);
        let before = dump(&path);
        let c = Connection::open(&path).unwrap();
        c.execute_batch("PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE").unwrap();
        // Half of the step: all of its statements, not its version.
        let step = [SCHEMA_2, SCHEMA_3, SCHEMA_4, STEP_5][release - 1];
        let last = format!("PRAGMA user_version = {};", release + 1);
        c.execute_batch(&step.replace(&last, "")).unwrap();
        c.execute_batch("CREATE TABLE half_done (x BLOB); INSERT INTO half_done VALUES (zeroblob(8000000))")
            .unwrap();
        c.cache_flush().unwrap();
        let cut = folder.path().join(format!("cut-{release}.db"));
        for end in ["", "-wal"] {
            let name = |p: &Path| PathBuf::from(format!("{}{end}", p.display()));
            std::fs::copy(name(&path), name(&cut)).unwrap();
        }
        drop(c);
        drop(Management::open(&cut).unwrap());
        assert_eq!(version(&cut), SCHEMA);
        let after = dump(&cut);
        assert!(!after.contains_key("half_done"), "half a step was taken for whole");
        kept(&before, &after);
    }
}

#[test]
fn a_store_of_a_newer_release_or_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(folder.path(), 4);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", SCHEMA + 1).unwrap();
    let before = dump(&path);
    let why = Management::open(&path).err().expect("a newer store is refused").to_string();
    assert!(why.contains("newer Lifeguard") && why.contains(&(SCHEMA + 1).to_string()), "{why}");
    assert_eq!((version(&path), dump(&path)), (SCHEMA + 1, before));
    let other = folder.path().join("other.db");
    let c = Connection::open(&other).unwrap();
    c.execute_batch("CREATE TABLE mine (x TEXT); PRAGMA user_version = 7").unwrap();
    drop(c);
    let why = Management::open(&other).err().expect("another database is refused").to_string();
    assert!(why.contains("is not a Lifeguard management store"), "{why}");
}
