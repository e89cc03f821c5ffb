//! Alerts: what the overview calls a problem is watched; whoever shall know is told when one appears and
//! when it is gone. What is to be told is written together with the alert (an outbox), so that a restart
//! neither raises again what is open nor forgets to say that it is gone.

pub mod machine;
pub mod message;
mod outbox;
pub mod reached;
pub mod send;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shared::Timestamp;
use shared::api::AlertMessage;
use shared::error::ApiError;
use shared::events::Topic;
use store::management::alerts as kept;
use store::management::{StoreError, jobs, watch};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use self::machine::{Look, Outcome, Seen, Tell, Word, key};
pub use self::outbox::{deliver, try_now};
use crate::app::App;
use crate::clock::new_id;
use crate::door::store_error;

/// How often the runner looks when nothing happens.
const LOOK: Duration = Duration::from_secs(30);
/// How soon it looks again at what has not counted yet.
const AGAIN: Duration = Duration::from_secs(5);
/// Events within this time are one look.
const PAUSE: Duration = Duration::from_millis(500);
/// Deliveries at once.
const AT_ONCE: usize = 4;
/// Subject of the event that asks for a look: targets or mutes were changed.
pub const CHANGED: &str = "settings";

/// What the parts of alerts share.
pub struct Alerts {
    /// Calls webhooks.
    pub http: reqwest::Client,
    /// Something waits to be delivered.
    wake: Notify,
    /// Places for deliveries.
    places: Semaphore,
    /// Targets whose deliveries are under way.
    busy: Mutex<HashSet<String>>,
}

impl Alerts {
    /// Nothing is under way.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: send::client()?,
            wake: Notify::new(),
            places: Semaphore::new(AT_ONCE),
            busy: Mutex::default(),
        })
    }
}

/// Looks until the program ends.
pub async fn run(app: Arc<App>) {
    let (mut events, _) = app.bus.subscribe(None);
    loop {
        let pending = match look(&app).await {
            Ok(pending) => pending,
            Err(e) => {
                tracing::error!(cause = %e.message, "the problems could not be looked at");
                false
            }
        };
        tokio::time::sleep(PAUSE).await;
        let next = Instant::now() + if pending { AGAIN } else { LOOK };
        // A receiver that was outrun missed something, which is a reason to look as well.
        while let Ok(Ok(event)) = tokio::time::timeout_at(next, events.recv()).await {
            let own = event.topic == Topic::Alert && event.subject != CHANGED;
            if !own && event.topic != Topic::Audit {
                break;
            }
        }
    }
}

/// What is wrong now.
async fn found(app: &App) -> Result<Look, ApiError> {
    let (problems, starting) = crate::views::overview::problems(app).await?;
    let failures = app
        .store
        .read(|c| {
            let watchers = watch::watchers(c)?;
            problems
                .iter()
                .filter(|p| p.problem.code == machine::TEST)
                .map(|p| {
                    let last = jobs::last_finished(c, &p.subject)?;
                    let by = watchers.iter().find(|w| {
                        last.is_some() && w.last_run == last.as_ref().map(|t| t.summary.id.clone())
                    });
                    Ok((p.subject.clone(), by.map_or(1, |w| w.failures.max(1))))
                })
                .collect::<Result<std::collections::HashMap<_, _>, StoreError>>()
        })
        .map_err(store_error)?;
    let seen = problems
        .into_iter()
        .map(|problem| Seen { failures: failures.get(&problem.subject).copied().unwrap_or(1), problem })
        .collect();
    let mut unsure = BTreeSet::new();
    for server in starting {
        for code in ["server.failed", "server.stopped", "front_end.failed", "front_end.stopped"] {
            unsure.insert(key(code, server.as_str()));
        }
        // A server that starts may be the one that its pool waits for.
        let d = app.deployment.borrow();
        let has = |p: &&shared::deployment::ChatPoolHost| p.servers.iter().any(|s| s.server.fqdn == server);
        unsure.extend(d.pools.iter().find(has).map(|p| key("pool.no_server", p.fqdn.as_str())));
    }
    for pool in app.fleet.not_shipped_yet() {
        let d = app.deployment.borrow();
        unsure.extend(d.pools.iter().filter(|p| p.id == pool).map(|p| key("shipping", p.fqdn.as_str())));
    }
    for pool in app.fleet.perhaps_late() {
        let d = app.deployment.borrow();
        let found = d.pools.iter().filter(|p| p.id == pool);
        unsure.extend(found.map(|p| key("shipping.late", p.fqdn.as_str())));
    }
    Ok(Look { seen, unsure })
}

/// One look; whether something was seen that does not count yet.
async fn look(app: &Arc<App>) -> Result<bool, ApiError> {
    let found = found(app).await?;
    let now = app.clock.now();
    let follows = |c: &rusqlite::Connection| -> Result<Outcome, StoreError> {
        let (open, targets, mutes) = (kept::open(c)?, kept::targets(c)?, crate::watch::mutes(c, now)?);
        Ok(machine::look(&open, &found, &targets, &mutes, now))
    };
    if !app.store.read(follows).map_err(store_error)?.is_empty() {
        // Once more in the transaction that writes it: somebody may have acknowledged or muted meanwhile.
        let told =
            app.store.write(|tx| follows(tx).and_then(|o| apply(app, tx, &o, now))).map_err(store_error)?;
        if told {
            app.alerts.wake.notify_one();
        }
        app.bus.send(Topic::Alert, "");
    }
    Ok(found.seen.iter().any(|s| machine::looks_needed(&s.problem.problem.code) > 1))
}

fn apply(app: &App, c: &rusqlite::Connection, o: &Outcome, now: Timestamp) -> Result<bool, StoreError> {
    o.save.iter().try_for_each(|a| kept::save_open(c, a))?;
    o.close.iter().try_for_each(|k| kept::close(c, k))?;
    for t in &o.tell {
        let d = kept::Delivery {
            id: new_id(&*app.entropy, now),
            target: t.target.clone(),
            at: now,
            body: serde_json::to_string(&told(app, t))?,
            state: "pending".to_owned(),
            tries: 0,
            error: None,
        };
        kept::add_delivery(c, &d)?;
    }
    Ok(!o.tell.is_empty())
}

fn told(app: &App, t: &Tell) -> AlertMessage {
    let p = &t.problem;
    AlertMessage {
        problem: format!("{} {}", p.problem.text, p.next).trim().to_owned(),
        code: p.problem.code.clone(),
        severity: p.problem.severity,
        subject: p.subject.clone(),
        since: t.since,
        state: if t.word == Word::Resolved { "resolved" } else { "raised" }.to_owned(),
        instance: app.settings.instance.clone(),
        href: format!("{}{}", app.settings.public_url(), p.href),
        repeated: t.word == Word::Again,
    }
}
