//! *Send a test message* on the shared page: through the door, with the stored test users, once a minute.

use std::sync::Arc;

use serde_json::{Map, Value};
use shared::Port;
use shared::error::ApiError;
use shared::plan::Invocation;
use store::management::{jobs, watch};

use crate::app::App;
use crate::door::{Actor, execute, store_error};

/// A pool is tested from links so often at most.
const PAUSE_MS: u64 = 60_000;
/// Runs looked at; more than can begin within the pause.
const RUNS: u32 = 50;
/// One at a time, so that two presses at once are one test.
static GATE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Sends it; the word that the page then says.
pub async fn send(app: &Arc<App>, actor: Actor, pool: &str) -> &'static str {
    let _gate = GATE.lock().await;
    match recent(app, pool) {
        Ok(false) => {}
        Ok(true) => return "wait",
        Err(_) => return "failed",
    }
    let args = match arguments(app, pool) {
        Ok(Some(args)) => args,
        Ok(None) => return "users",
        Err(_) => return "failed",
    };
    let inv = Invocation {
        args,
        reason: Some("from the shared page".to_owned()),
        confirmed: true,
        ..Invocation::default()
    };
    match execute(app, actor, "Test-CsPersistentChatMessage", inv).await {
        Ok(_) => "sent",
        Err(_) => "failed",
    }
}

/// Whether a test of the pool runs or began within the pause, whoever asked for it.
fn recent(app: &App, pool: &str) -> Result<bool, ApiError> {
    let now = app.clock.now();
    let runs = app.store.read(|c| jobs::tests(c, RUNS)).map_err(store_error)?;
    let ours = |s: &shared::api::TestSummary| {
        s.pool.as_ref().is_some_and(|p| p.as_str().eq_ignore_ascii_case(pool))
            && (s.state == "running" || now.millis_since(s.started) < PAUSE_MS)
    };
    Ok(runs.iter().any(|r| ours(&r.summary)))
}

/// A test of the pool: as its watcher does it, or else with the first two stored test users. None without users.
fn arguments(app: &App, pool: &str) -> Result<Option<Map<String, Value>>, ApiError> {
    let (watchers, mut users) =
        app.store.read(|c| Ok((watch::watchers(c)?, watch::credentials(c)?))).map_err(store_error)?;
    let own = watchers.into_iter().find(|w| w.settings.target.eq_ignore_ascii_case(pool)).map(|w| w.settings);
    let port = own.as_ref().map_or(Port::REGISTRAR_TLS.get(), |s| s.port);
    let node = own.as_ref().and_then(|s| s.node.clone());
    let room = own.as_ref().and_then(|s| s.room.clone());
    if let Some(s) = own.filter(|s| s.users.len() >= 2) {
        users = s.users;
    }
    if users.len() < 2 {
        return Ok(None);
    }
    let settings = watch::Settings {
        target: pool.to_owned(),
        port,
        users,
        tests: Vec::new(),
        enabled: true,
        every: None,
        daily: 0,
        room,
        cron: None,
        jitter: 0,
        windows: Vec::new(),
        node,
    };
    let args = crate::watch::arguments(app, &settings)?;
    match serde_json::to_value(args) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        _ => Ok(None),
    }
}
