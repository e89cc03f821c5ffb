//! HTTP: the API under `/api/v1`, the shared status page, the embedded site.

pub mod api;
pub mod audit;
pub mod auth;
pub(crate) mod compare;
pub mod drafts;
pub mod error;
pub mod events;
mod first_visit;
pub mod guard;
pub mod limits;
pub mod links;
pub mod listen;
pub mod me;
pub mod metrics;
pub mod openapi;
mod openapi_more;
mod patient;
pub mod ready;
pub mod share;
pub mod share_test;
pub mod site;
pub mod tests;
pub mod tls;
pub mod viewers;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::app::App;

/// Largest body of an act, bytes: a topology of a thousand pools as one document, a table of many users in base64.
const CMDLET_BYTES: usize = 20 << 20;

/// The whole router; `app` is the only state.
pub fn router(app: Arc<App>) -> Router {
    let v1 = Router::new()
        .route("/session", get(auth::session))
        .route("/setup", post(auth::setup))
        .route("/login", post(auth::login))
        .route("/logout", post(auth::logout))
        .route("/me", get(me::me))
        .route("/me/password", post(me::password))
        .route("/me/second-factor", post(me::begin_factor))
        .route("/me/second-factor/confirm", post(me::confirm_factor))
        .route("/me/second-factor/remove", post(me::remove_factor))
        .route("/me/end", post(me::end))
        .route("/links/look", post(links::look))
        .route("/links/use", post(links::use_up))
        .route("/cmdlets/{name}", post(api::cmdlet).layer(DefaultBodyLimit::max(CMDLET_BYTES)))
        .route("/overview", get(api::overview))
        .route("/pools", get(api::pools))
        .route("/pools/{fqdn}", get(api::pool))
        .route("/topology", get(api::topology))
        .route("/topology/versions", get(api::versions))
        .route("/topology/todo", get(api::todo))
        .route("/drafts", post(drafts::create))
        .route("/drafts/{id}", get(drafts::read).patch(drafts::patch).delete(drafts::delete))
        .route("/jobs", get(api::jobs))
        .route("/jobs/{id}", get(api::job))
        .route("/tests", get(api::tests))
        .route("/tests/{id}", get(api::test))
        .route("/tests/{id}/messages", get(tests::messages))
        .route("/tests/{id}/messages.txt", get(tests::messages_text))
        .route("/test-history", get(tests::history))
        .route("/test-history/export", get(tests::export))
        .route("/access", get(api::access))
        .route("/watch", get(api::watch))
        .route("/endpoints", get(api::endpoints))
        .route("/users", get(api::users))
        .route("/groups", get(api::groups))
        .route("/group", get(api::group))
        .route("/principals", get(api::principals))
        .route("/policies", get(api::policies))
        .route("/categories", get(api::categories))
        .route("/rooms", get(api::rooms))
        .route("/deleted-rooms", get(api::deleted_rooms))
        .route("/room-usage", get(api::room_usage))
        .route("/addins", get(api::addins))
        .route("/configurations", get(api::configurations))
        .route("/compliance", get(api::compliance))
        .route("/accounts", get(api::accounts))
        .route("/shares", get(api::shares))
        .route("/alerts", get(api::alerts))
        .route("/nodes", get(api::nodes))
        .route("/certificates", get(api::certificates))
        .route("/dns", get(api::dns))
        .route("/authority.pem", get(api::authority))
        .route("/backups", get(api::backups))
        .route("/alert-targets", get(api::alert_targets))
        .route("/audit", get(audit::audit))
        .route("/audit/export", get(audit::export))
        .route("/events", get(events::stream))
        .route("/openapi.json", get(openapi::document))
        .fallback(error::no_such_route);
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/status/{token}", get(share::page).post(share::post).layer(DefaultBodyLimit::max(4096)))
        .route("/status/{token}/status.json", get(share::data))
        .route("/status/{token}/data", get(share::data))
        .route("/status/{token}/events", get(share::events))
        .fallback(site::serve)
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}
