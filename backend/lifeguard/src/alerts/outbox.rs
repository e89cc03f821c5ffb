//! What was decided to be told is delivered: in order for each target, three tries, four at once at most.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use shared::api::AlertMessage;
use shared::error::{ApiError, Severity};
use shared::events::Topic;
use store::management::StoreError;
use store::management::alerts::{self as kept, Delivery, Target};

use super::send::send;
use crate::app::App;
use crate::clock::new_id;

/// Pauses before the second and the third try.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// How often the outbox is read when nobody says that something waits.
const LOOK: Duration = Duration::from_secs(30);
/// How long a test alert waits for a place.
const PLACE: Duration = Duration::from_secs(15);

/// Delivers until the program ends; begins with what an earlier run left.
pub async fn deliver(app: Arc<App>) {
    loop {
        match app.store.read(kept::waiting) {
            Ok(waiting) => {
                for target in waiting {
                    let fresh = busy(&app).insert(target.clone());
                    if fresh {
                        tokio::spawn(drain(app.clone(), target));
                    }
                }
            }
            Err(e) => tracing::error!(cause = %e, "what is to be told could not be read"),
        }
        // The time-out is for a store that did not answer.
        let _ = tokio::time::timeout(LOOK, app.alerts.wake.notified()).await;
    }
}

fn busy(app: &App) -> std::sync::MutexGuard<'_, std::collections::HashSet<String>> {
    app.alerts.busy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything that waits for one target, in order: nobody hears that a problem is gone before hearing of it.
async fn drain(app: Arc<App>, id: String) {
    let done = loop {
        let next = app.store.read(|c| {
            let target = kept::targets(c)?.into_iter().find(|t| t.id == id);
            Ok::<_, StoreError>((target, kept::next_pending(c, &id)?))
        });
        match next {
            Ok((Some(t), Some(d))) => {
                if let Err(e) = one(&app, &t, &d).await {
                    tracing::error!(cause = %e, "a delivery could not be noted");
                    break false;
                }
                app.bus.send(Topic::Alert, "");
            }
            Ok((None, Some(d))) => {
                let gone = Some("The target was removed.");
                if app.store.write(|tx| kept::note_try(tx, &d.id, "failed", gone)).is_err() {
                    break false;
                }
            }
            Ok((_, None)) => break true,
            Err(e) => {
                tracing::error!(cause = %e, "what is to be told could not be read");
                break false;
            }
        }
    };
    busy(&app).remove(&id);
    if done {
        // Something may have come between the last read and the line above.
        app.alerts.wake.notify_one();
    }
}

/// One delivery with its tries.
async fn one(app: &App, t: &Target, d: &Delivery) -> Result<(), StoreError> {
    let mut pauses = PAUSES.iter();
    loop {
        let result = {
            let _place = app.alerts.places.acquire().await;
            send(app, t, &d.id, &d.body).await
        };
        let pause = pauses.next();
        let state = match (&result, pause) {
            (Ok(()), _) => "delivered",
            (Err(_), Some(_)) => "pending",
            (Err(_), None) => "failed",
        };
        app.store.write(|tx| kept::note_try(tx, &d.id, state, result.as_ref().err().map(String::as_str)))?;
        match (result, pause) {
            (Err(why), Some(pause)) => {
                tracing::debug!(target = %t.label, delivery = %d.id, why, "an alert is tried again");
                tokio::time::sleep(*pause).await;
                // A target that was removed meanwhile took its deliveries along.
                if app.store.read(|c| kept::next_pending(c, &t.id))?.is_none_or(|n| n.id != d.id) {
                    return Ok(());
                }
            }
            (Err(why), None) => {
                tracing::warn!(target = %t.label, delivery = %d.id, why, "an alert was not delivered");
                return Ok(());
            }
            (Ok(()), _) => return Ok(()),
        }
    }
}

/// Sends a test alert now, one try: how long it took, or why it did not arrive.
///
/// # Errors
/// When the store does not answer.
pub async fn try_now(app: &App, t: &Target) -> Result<Result<Duration, String>, ApiError> {
    let now = app.clock.now();
    let id = new_id(&*app.entropy, now);
    let told = AlertMessage {
        problem: format!("This is a test alert for {}. Nothing is wrong.", t.label),
        code: "alert.test".to_owned(),
        severity: Severity::Warning,
        subject: t.label.clone(),
        since: now,
        state: "test".to_owned(),
        instance: app.settings.instance.clone(),
        href: format!("{}/settings/alerts", app.settings.public_url()),
        repeated: false,
    };
    let body = serde_json::to_string(&told).unwrap_or_default();
    let begun = Instant::now();
    let result = match tokio::time::timeout(PLACE, app.alerts.places.acquire()).await {
        Ok(_place) => send(app, t, &id, &body).await,
        Err(_) => Err("Other alerts are under way and do not get through. Try again later.".to_owned()),
    };
    let d = Delivery {
        id,
        target: t.id.clone(),
        at: now,
        body,
        state: if result.is_ok() { "delivered" } else { "failed" }.to_owned(),
        tries: 1,
        error: result.as_ref().err().cloned(),
    };
    app.store.write(|tx| kept::add_delivery(tx, &d)).map_err(crate::door::store_error)?;
    app.bus.send(Topic::Alert, "");
    Ok(result.map(|()| begun.elapsed()))
}
