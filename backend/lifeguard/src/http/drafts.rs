//! Wizard drafts: created, read, changed field by field, discarded. A save is never refused for what it
//! says, only for being stale.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::Value;
use shared::api::{DraftPatch, WizardDraft};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::roles::{self, EDIT_DRAFT};
use shared::topology::draft::PoolDraft;
use store::management::topology::{self, Wizard};

use super::auth::SignedIn;
use super::error::{Answer, Body};
use crate::app::App;
use crate::clock::new_id;
use crate::door::{Actor, Fault, store_error};
use crate::handlers::load_draft;
use crate::views::lists;

/// Largest stored draft, bytes of JSON.
const MAX_DRAFT: usize = 64 * 1024;

/// Body of `POST /api/v1/drafts`.
#[derive(Deserialize)]
pub struct NewDraft {
    #[serde(default)]
    site: String,
    /// The topology draft that the pool will join; main when left out.
    #[serde(default)]
    topology_draft: Option<String>,
}

fn may_edit(actor: &Actor) -> Result<(), ApiError> {
    roles::can(EDIT_DRAFT, &actor.roles).map_err(|why| ApiError::new(ErrorCode::Forbidden, why))
}

/// `POST /api/v1/drafts`.
pub async fn create(
    State(app): State<Arc<App>>,
    SignedIn(actor): SignedIn,
    Body(req): Body<NewDraft>,
) -> Answer<WizardDraft> {
    may_edit(&actor)?;
    let now = app.clock.now();
    let joins = app.store.read(|c| load_draft(c, req.topology_draft.as_deref())).map_err(|f| f.0)?;
    let t = joins.document;
    let only = |ids: Vec<String>| {
        if ids.len() == 1 { ids.into_iter().next().unwrap_or_default() } else { String::new() }
    };
    let site =
        if req.site.is_empty() { only(t.sites.iter().map(|s| s.id.to_string()).collect()) } else { req.site };
    let taken = t.pools.iter().any(|p| p.default_for.iter().any(|s| s.as_str() == site));
    let document = PoolDraft {
        default_for_site: !taken,
        next_hop: only(
            t.front_end_pools.iter().filter(|f| f.site.as_str() == site).map(|f| f.id.to_string()).collect(),
        ),
        site,
        ..PoolDraft::default()
    };
    let w = Wizard {
        id: new_id(&*app.entropy, now),
        document,
        revision: 1,
        author: actor.name,
        updated: now,
        topology_draft: joins.name,
    };
    app.store.write(|tx| topology::save_wizard(tx, &w)).map_err(store_error)?;
    app.bus.send(Topic::Draft, w.id.as_str());
    Ok(Json(lists::wizard_view(w, &t)))
}

/// `GET /api/v1/drafts/{id}`.
pub async fn read(
    State(app): State<Arc<App>>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Answer<WizardDraft> {
    super::api::may(&actor, "Get-CsTopology")?;
    Ok(Json(lists::wizard_draft(&app, &id)?))
}

fn apply(w: &mut Wizard, p: &DraftPatch) -> Result<(), ApiError> {
    let mut doc =
        serde_json::to_value(&w.document).map_err(|e| ApiError::new(ErrorCode::Internal, e.to_string()))?;
    let Some(slot) = doc.pointer_mut(&p.path).filter(|_| !p.path.is_empty()) else {
        return Err(ApiError::invalid("path", format!("A draft has no field {}.", p.path)));
    };
    if *slot == p.to {
        return Ok(()); // already there: a repeated request
    }
    if *slot != p.from {
        let theirs = match &*slot {
            Value::String(s) => s.clone(),
            v => v.to_string(),
        };
        let text = format!("Someone else changed this field meanwhile; it is now '{theirs}'.");
        return Err(ApiError { field: Some(p.path.clone()), ..ApiError::new(ErrorCode::Conflict, text) });
    }
    *slot = p.to.clone();
    if doc.to_string().len() > MAX_DRAFT {
        return Err(ApiError::invalid(p.path.clone(), "This draft is too large."));
    }
    w.document = serde_json::from_value(doc)
        .map_err(|e| ApiError::invalid(p.path.clone(), format!("This does not fit the field: {e}.")))?;
    w.revision += 1;
    Ok(())
}

/// `PATCH /api/v1/drafts/{id}`.
pub async fn patch(
    State(app): State<Arc<App>>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
    Body(p): Body<DraftPatch>,
) -> Answer<WizardDraft> {
    may_edit(&actor)?;
    let now = app.clock.now();
    let (w, t) = app
        .store
        .write(|tx| {
            let mut w = topology::wizard(tx, &id)?
                .ok_or_else(|| ApiError::not_found("This wizard draft does not exist any more."))?;
            apply(&mut w, &p)?;
            w.updated = now;
            topology::save_wizard(tx, &w)?;
            let t = load_draft(tx, Some(&w.topology_draft))?.document;
            Ok::<_, Fault>((w, t))
        })
        .map_err(|f| f.0)?;
    app.bus.send(Topic::Draft, id);
    Ok(Json(lists::wizard_view(w, &t)))
}

/// `DELETE /api/v1/drafts/{id}`.
pub async fn delete(
    State(app): State<Arc<App>>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Answer<()> {
    may_edit(&actor)?;
    app.store.write(|tx| topology::delete_wizard(tx, &id)).map_err(store_error)?;
    app.bus.send(Topic::Draft, id);
    Ok(Json(()))
}
