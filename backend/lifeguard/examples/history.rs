//! Measures the history of test messages over 100,000 runs: `cargo run -p lifeguard --example history`.

use std::time::Instant;

use lifeguard::views::test_history::of;
use shared::Timestamp;
use shared::api::TestRun;
use store::management::tests::Wanted;
use store::management::{Management, StoreError, jobs};

const RUNS: i64 = 100_000;

fn run(n: i64) -> Result<TestRun, StoreError> {
    let failed = n % 20 == 0;
    let phases = [
        "connect", "tls", "sign_in", "policy", "lookup", "channel", "join", "send", "receive", "leave",
        "sign_off",
    ];
    let step = |(i, p): (usize, &str)| {
        serde_json::json!({ "role": if i % 2 == 0 { "sender" } else { "receiver" }, "phase": p, "started_us": i * 100,
            "duration_us": 500 + (n * 7919 + i as i64 * 31) % 4000, "ok": true,
            "detail": "about as long as the detail of a step is in a real run" })
    };
    let steps: Vec<_> = (0..2).flat_map(|_| phases).enumerate().map(step).collect();
    let report = serde_json::json!({ "target_fqdn": "fe.x.com", "result": if failed { "failure" } else { "success" },
        "latency_us": 4000, "error_message": "", "warnings": [], "steps": steps, "hops": [], "room": null, "sender": "sip:a@x.com",
        "receiver": "sip:b@x.com", "started_at": "", "total_us": 60_000,
        "diagnosis": failed.then(|| serde_json::json!({ "cause": (if n % 40 == 0 { "no_answer" } else { "wrong_password" }), "text": "What was seen.", "check_next": "What to check." })) });
    Ok(serde_json::from_value(serde_json::json!({
        "summary": { "id": format!("{n:012}"), "target": "fe.x.com", "pool": format!("pool-{}.x.com", n % 4),
            "state": if failed { "failure" } else { "success" }, "started": Timestamp::from_millis(n * 60_000),
            "latency_us": (!failed).then_some(3000 + n % 2000), "verdict": "Success – 4.0 ms",
            "actor": if n % 50 == 0 { "root" } else { "watcher" } },
        "steps": steps, "report": report, "printed": "about as long as the block that is printed ".repeat(10),
    }))?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let store = Management::open(&dir.path().join("management.db"))?;
    let begin = Instant::now();
    for bite in 0..RUNS / 1000 {
        store.write(|tx| (bite * 1000..(bite + 1) * 1000).try_for_each(|n| jobs::save_test(tx, &run(n)?)))?;
    }
    println!(
        "{RUNS} runs stored in {:.1} s, {} MB",
        begin.elapsed().as_secs_f64(),
        std::fs::metadata(store.path())?.len() / 1_000_000
    );
    let text = |t: &str| Some(t.to_owned());
    let all = Wanted::default();
    let half = Some(Timestamp::from_millis(RUNS * 30_000));
    for (name, w, skip) in [
        ("all, first page", all.clone(), 0),
        ("all, page 1000", all.clone(), 50_000),
        ("one pool", Wanted { pool: text("pool-1.x.com"), ..all.clone() }, 0),
        ("failures", Wanted { state: text("failure"), ..all.clone() }, 0),
        ("one cause", Wanted { cause: text("no_answer"), ..all.clone() }, 0),
        ("one person", Wanted { actor: text("root"), ..all.clone() }, 0),
        ("the older half of a pool", Wanted { pool: text("pool-2.x.com"), to: half, ..all }, 0),
    ] {
        let mut took: Vec<f64> = Vec::new();
        for _ in 0..7 {
            let begin = Instant::now();
            let found = store.read(|c| of(c, &w, skip, 50))?;
            took.push(begin.elapsed().as_secs_f64() * 1000.0);
            assert_eq!(found.rows.len(), 50, "{name}");
        }
        took.sort_by(f64::total_cmp);
        println!(
            "{name:<26} median {:6.1} ms, slowest {:6.1} ms",
            took[took.len() / 2],
            took[took.len() - 1]
        );
    }
    Ok(())
}
