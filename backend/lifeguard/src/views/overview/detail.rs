//! One pool in full.

use shared::api::{PoolDetail, ShippingView};
use shared::deployment::PoolState;
use shared::error::ApiError;
use shared::topology::PoolKind;
use shared::{Fqdn, ObjectId};
use store::management::{jobs, pools};

use super::summary::summary;
use super::{TESTS, facts};
use crate::app::App;
use crate::deploy::contacts;

/// One pool.
///
/// # Errors
/// When there is none of this name.
pub async fn pool(app: &App, fqdn: &str) -> Result<PoolDetail, ApiError> {
    let f = facts(app, TESTS)?;
    let name = Fqdn::try_from(fqdn).map_err(|e| ApiError::invalid("fqdn", e.0))?;
    let p =
        f.t.pool_by_fqdn(&name)
            .ok_or_else(|| ApiError::not_found(format!("There is no Persistent Chat pool {name}.")))?;
    let kind = if p.kind == PoolKind::Multiple { "Multiple computer pool" } else { "Single computer pool" };
    let [lookup_uri, _] = contacts(p, &f.t);
    let (held, runs, rehearsals) = app
        .store
        .read(|c| {
            let of = |kind, n| jobs::jobs_of(c, kind, p.fqdn.as_str(), n);
            let held = pools::held_by(c, &p.id)?;
            Ok((held, of(crate::failover::KIND, 10)?, of(crate::failover::rehearsal::KIND, 5)?))
        })
        .map_err(crate::door::store_error)?;
    Ok(PoolDetail {
        summary: summary(app, &f, p).await?,
        port: p.port.get(),
        kind: kind.to_owned(),
        file_store: f.t.file_store_label(&p.file_store),
        next_hop: f.t.front_end_pool(&p.next_hop).map_or_else(|| p.fqdn.clone(), |h| h.fqdn.clone()),
        default_for: p.default_for.iter().filter_map(|s| f.t.site(s)).map(|s| s.site_id.clone()).collect(),
        lookup_uri,
        tests: f.tests.iter().filter(|t| t.pool.as_ref() == Some(&p.fqdn)).take(20).cloned().collect(),
        guided: shared::runbook::is_guided(&f.t, p),
        mirror: crate::views::mirror::view(app, &f.t, p).await?,
        compliance_mirror: crate::views::mirror::queue_view(app, &f.t, p).await?,
        shipping: shipped(app, &p.id),
        run: held,
        runs,
        rehearsals,
        next_hops: crate::failover::next_hop::instead(app, &f.t, p)
            .map(|all| all.iter().map(|f| f.fqdn.clone()).collect()),
        near: [PoolState::Normal, PoolState::FailedOver]
            .map(|s| crate::failover::near(&f.t, p, s).into_iter().map(|c| c.fqdn.clone()).collect())
            .into(),
    })
}

/// Log shipping of a pool; none when nothing is shipped.
pub fn shipped(app: &App, pool: &ObjectId) -> Option<ShippingView> {
    let s = app.fleet.shipping(pool)?;
    let (labels, schedule, orphans) = match app.fleet.apart().pair(pool) {
        Some(pair) => {
            let told = |side| app.fleet.apart().told(pool, side);
            let told = [PoolState::Normal, PoolState::FailedOver].into_iter().filter_map(told);
            let labels = [pair.primary.store.label(), pair.backup.store.label()];
            (labels, pair.schedule, told.flat_map(|t| t.orphans).collect())
        }
        None => {
            let w = app.fleet.wanted_of(pool)?;
            let label = |side: PoolState| w.side(side).map(|(l, _)| l.clone()).unwrap_or_default();
            let sides = [PoolState::Normal, PoolState::FailedOver];
            let orphans = sides.into_iter().filter_map(|x| w.secondary(x)).flat_map(|x| x.orphans());
            (sides.map(label), w.schedule, orphans.map(|o| o.display().to_string()).collect())
        }
    };
    let label = |side: PoolState| labels[usize::from(side == PoolState::FailedOver)].clone();
    let count = |m: &Option<store::chat::shipping::Mark>| m.as_ref().map(|m| m.commits);
    let same = s.shipped.as_ref().map(|m| m.epoch) == s.applied.as_ref().map(|m| m.epoch);
    let applied = count(&s.applied).filter(|_| same).unwrap_or(0);
    let (backup_age, restore_age) = s.ages(app.clock.now());
    Some(ShippingView {
        schedule,
        backup_age: s.backup_at.map(|_| backup_age),
        restore_age: s.applied.as_ref().map(|_| restore_age),
        late: s.late.clone(),
        from: label(s.from),
        to: label(crate::fleet::other(s.from)),
        shipped_at: s.shipped.as_ref().map(|m| m.cut),
        shipped: s.shipped.as_ref().map(|m| m.seq),
        applied: s.applied.as_ref().map(|m| m.seq),
        behind: count(&s.shipped).unwrap_or(0).saturating_sub(applied),
        backup_at: s.backup_at,
        restore_at: s.restore_at,
        complete_until: s.complete_until(),
        messages_behind: s.messages_behind(),
        problem: s.backup_error.or(s.restore_error),
        orphans,
    })
}
