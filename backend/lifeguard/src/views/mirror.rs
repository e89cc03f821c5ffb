//! The mirror of the database that a pool uses.

use shared::api::MirrorView;
use shared::error::ApiError;
use shared::topology::{ChatPool, SqlStore, Topology};
use store::chat::mirror::MirrorState;
use store::management::mirrors::{self, Which};
use store::management::pools;

use crate::app::App;

/// Its state; none when the topology has no mirror for the side in use.
///
/// # Errors
/// When the store does not answer.
pub async fn view(app: &App, t: &Topology, p: &ChatPool) -> Result<Option<MirrorView>, ApiError> {
    of(app, t, p, false).await
}

/// The same of mgccomp.
///
/// # Errors
/// When the store does not answer.
pub async fn queue_view(app: &App, t: &Topology, p: &ChatPool) -> Result<Option<MirrorView>, ApiError> {
    of(app, t, p, true).await
}

async fn of(app: &App, t: &Topology, p: &ChatPool, queue: bool) -> Result<Option<MirrorView>, ApiError> {
    let (side, row) = app
        .store
        .read(|c| {
            let side = pools::state(c, &p.id)?.map(|s| s.state).unwrap_or_default();
            Ok((side, mirrors::get(c, &p.id, Which { side, queue })?))
        })
        .map_err(crate::door::store_error)?;
    let label = |id: Option<&shared::ObjectId>| id.and_then(|id| t.sql_store(id)).map(SqlStore::label);
    let (own, mirror) = if queue { p.mgccomp_stores(side) } else { p.mgc_stores(side) };
    let (Some(own), Some(mirror)) = (label(own), label(mirror)) else { return Ok(None) };
    let (principal, mirror) = if row.on_mirror { (mirror, own) } else { (own, mirror) };
    let sides = app.fleet.sides(&p.id).await;
    let found = if queue { sides.queue_mirror } else { sides.mirror };
    let (state, why) = match found.map(|m| m.1) {
        _ if !row.installed => ("not installed", None),
        Some(Some(MirrorState::Synchronized)) => ("synchronized", None),
        Some(Some(MirrorState::Synchronizing)) => ("synchronizing", None),
        Some(Some(MirrorState::Disconnected(why))) => ("disconnected", Some(why)),
        Some(None) | None => ("suspended", sides.trouble),
    };
    let state = state.to_owned();
    Ok(Some(MirrorView { principal, mirror, on_mirror: row.on_mirror, installed: row.installed, state, why }))
}
