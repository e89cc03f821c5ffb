//! `GET /readyz`: whether this portal can do its work, for whoever watches or balances it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::api::PoolSummary;
use store::management::setting;

use crate::app::App;
use crate::views::overview;

/// Why the portal is not ready; empty when it is.
async fn reasons(app: &App) -> Vec<String> {
    let mut out = Vec::new();
    if let Err(e) = app.store.read(|c| setting(c, "loopback.block")) {
        tracing::error!(cause = %e, "the management store failed");
        out.push("The management store does not answer.".to_owned());
    }
    let d = app.deployment.borrow().clone();
    // The cause may name folders; it stands on the overview, behind the sign-in.
    let not_open = app.fleet.not_open();
    for pool in &not_open {
        let name = d.pools.iter().find(|p| p.id == *pool).map_or("a pool", |p| p.fqdn.as_str());
        out.push(format!("The database of {name} is not open."));
    }
    // One that is open may be gone all the same: its file was taken away under it.
    match overview::pools(app).await {
        Ok(list) => {
            let gone = |p: &&PoolSummary| p.databases.iter().any(|d| d.in_use && d.error.is_some());
            let gone = list.iter().filter(gone).filter(|p| !not_open.contains(&p.id));
            out.extend(gone.map(|p| format!("The database of {} does not answer.", p.fqdn)));
        }
        Err(e) => tracing::error!(cause = %e.message, "the pools could not be looked at"),
    }
    out.sort();
    out
}

/// `GET /readyz`.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let why = reasons(&app).await;
    let (status, text) = match why.as_slice() {
        [] => (StatusCode::OK, "ready\n".to_owned()),
        list => (StatusCode::SERVICE_UNAVAILABLE, list.join("\n") + "\n"),
    };
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
