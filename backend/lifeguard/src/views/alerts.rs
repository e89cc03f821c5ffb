//! Alerts and who is told of them.

use std::collections::HashMap;

use shared::api::{AlertMessage, AlertTargetView, AlertView, AlertsView, DeliveryView, MuteView};
use shared::error::ApiError;
use shared::roles;
use store::management::StoreError;
use store::management::alerts::{self as kept, Delivery, Mute, Open, Target};

use crate::alerts::machine::looks_needed;
use crate::alerts::reached::{Deliveries, Reached};
use crate::app::App;
use crate::door::store_error;

/// Labels of targets by id.
fn labels(targets: &[Target]) -> HashMap<&str, &str> {
    targets.iter().map(|t| (t.id.as_str(), t.label.as_str())).collect()
}

fn delivery(d: Delivery, labels: &HashMap<&str, &str>) -> DeliveryView {
    let told: Option<AlertMessage> = serde_json::from_str(&d.body).ok();
    DeliveryView {
        id: d.id,
        at: d.at,
        target: labels.get(d.target.as_str()).map_or_else(|| d.target.clone(), |l| (*l).to_owned()),
        key: told.as_ref().map(|m| crate::alerts::machine::key(&m.code, &m.subject)).unwrap_or_default(),
        told: told.map(|m| m.state).unwrap_or_default(),
        state: d.state,
        tries: d.tries,
        error: d.error,
    }
}

fn alert(
    o: Open,
    mutes: &[Mute],
    labels: &HashMap<&str, &str>,
    deliveries: &Deliveries,
    now: shared::Timestamp,
) -> AlertView {
    let muted = mutes.iter().filter(|m| m.holds(&o.problem.subject, now)).map(|m| m.until).max();
    let (mut told, mut not_told, mut telling) = (Vec::new(), Vec::new(), Vec::new());
    for (id, at) in &o.told {
        let Some(label) = labels.get(id.as_str()) else { continue };
        match deliveries.of(id, &o.key, *at) {
            Reached::Failed(why) => not_told.push(format!("{label}: {why}")),
            Reached::Waiting(_) => telling.push((*label).to_owned()),
            Reached::Delivered | Reached::Forgotten => told.push((*label).to_owned()),
        }
    }
    let (by, at) = o.acknowledged.unzip();
    AlertView {
        key: o.key,
        problem: o.problem,
        since: o.since,
        acknowledged_by: by,
        acknowledged_at: at,
        muted_until: muted,
        told,
        not_told,
        telling,
    }
}

/// Open alerts, mutes, and the newest `limit` deliveries.
///
/// # Errors
/// When the store does not answer.
pub fn alerts(app: &App, limit: u32) -> Result<AlertsView, ApiError> {
    let now = app.clock.now();
    app.store
        .read(|c| {
            let (targets, mutes) = (kept::targets(c)?, crate::watch::mutes(c, now)?);
            let labels = labels(&targets);
            let sent = Deliveries::read(c)?;
            let open = kept::open(c)?
                .into_iter()
                .filter(|o| o.looks >= looks_needed(&o.problem.problem.code))
                .map(|o| alert(o, &mutes, &labels, &sent, now))
                .collect();
            let deliveries = kept::deliveries(c, limit)?.into_iter().map(|d| delivery(d, &labels)).collect();
            let muted = mutes
                .iter()
                .map(|m| MuteView { subject: m.subject.clone(), until: m.until, actor: m.actor.clone() })
                .collect();
            Ok::<_, StoreError>(AlertsView { open, muted, deliveries })
        })
        .map_err(store_error)
}

/// The address without what may be a secret: of a webhook only scheme and host.
fn shown(t: &Target, full: bool) -> String {
    if full || t.settings.mail.is_some() {
        return t.settings.address.clone();
    }
    match reqwest::Url::parse(&t.settings.address) {
        Ok(u) => format!("{}://{}/…", u.scheme(), u.host_str().unwrap_or_default()),
        Err(_) => "…".to_owned(),
    }
}

/// Who is told; addresses in full only for who may change them.
///
/// # Errors
/// When the store does not answer.
pub fn targets(app: &App, asker: &[String]) -> Result<Vec<AlertTargetView>, ApiError> {
    let full = roles::can("Set-LgAlertTarget", asker).is_ok();
    app.store
        .read(|c| {
            let targets = kept::targets(c)?;
            let labels = labels(&targets);
            let mut latest: HashMap<String, DeliveryView> = HashMap::new();
            for d in kept::deliveries(c, 200)? {
                latest.entry(d.target.clone()).or_insert_with(|| delivery(d, &labels));
            }
            let view = |t: &Target| AlertTargetView {
                id: t.id.clone(),
                label: t.label.clone(),
                kind: t.settings.kind.clone(),
                address: shown(t, full),
                mail: t.settings.mail.clone(),
                enabled: t.settings.enabled,
                after_failures: t.settings.after_failures,
                repeat_minutes: t.settings.repeat_minutes,
                last: latest.get(&t.id).cloned(),
            };
            Ok::<_, StoreError>(targets.iter().map(view).collect())
        })
        .map_err(store_error)
}
