//! The rehearsal: the checks of publishing without any effect (`Test-CsTopology`).

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use shared::topology::Topology;

use super::{Input, Run, STEPS, new_job};
use crate::app::App;

/// Steps that only look.
const CHECKS: usize = 4;

/// Runs every check on `document`; one object per check, in order. A failed check does not hide the next.
pub async fn rehearse(app: &Arc<App>, document: Topology, parent: Option<u64>) -> Vec<Value> {
    let input = Input {
        draft: String::new(),
        document,
        parent,
        author: String::new(),
        comment: String::new(),
        sample: false,
        only_next_hop: None,
    };
    let job = new_job(app, &input);
    let run = Run { app: app.clone(), job, input, rehearsal: true };
    let mut out = Vec::new();
    for (i, title) in STEPS.iter().take(CHECKS).enumerate() {
        let started = Instant::now();
        let mut log = Vec::new();
        let result = run.step(i, &mut log).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (word, error) = match result {
            Ok(()) => ("Success", String::new()),
            Err(f) => ("Failure", f.text),
        };
        out.push(
            json!({ "Check": title, "Result": word, "Error": error, "Detail": log, "Milliseconds": millis }),
        );
    }
    out
}
