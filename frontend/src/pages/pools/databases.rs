//! The databases of a pool.

use leptos::prelude::*;
use shared::api::{DatabaseView, PoolDetail};

use crate::api::Current;
use crate::components::badge::of_database;
use crate::components::{Column, DataTable, Mono, StateBadge, TimeAgo};

/// The table.
#[component]
pub fn Databases(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let rows = Signal::derive(move || pool.with(|p| p.summary.databases.clone()));
    view! { <DataTable rows columns=columns() name="databases" plain=true empty=|| "This pool has no database." /> }
}

fn columns() -> Vec<Column<DatabaseView>> {
    vec![
        Column::<DatabaseView>::new("Database", |d| format!("{} {}", d.database, d.role))
            .shown(|d| view! { <span><span class="mono">{d.database.clone()}</span>" "<small class="muted">{d.role.clone()}</small></span> }.into_any()),
        Column::<DatabaseView>::new("Store", |d| d.store.clone()).shown(|d| view! { <Mono text=d.store.clone() copy=true /> }.into_any()),
        Column::<DatabaseView>::new("State", |d| of_database(d).word).shown(state),
        Column::<DatabaseView>::new("Messages", |d| d.messages.map(|n| n.to_string()).unwrap_or_default()).number(),
        Column::<DatabaseView>::new("Size", |d| d.size_bytes.map(|n| n.to_string()).unwrap_or_default())
            .shown(|d| d.size_bytes.map(size).into_any())
            .number(),
        Column::<DatabaseView>::new("Last written", |d| d.last_write.map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|d| d.last_write.map(|at| view! { <TimeAgo at /> }).into_any()),
        Column::<DatabaseView>::new("Copied from the other side", |d| d.copied_at.map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|d| d.copied_at.map(|at| view! { <TimeAgo at /> }).into_any()),
        Column::<DatabaseView>::new("Epoch", |d| d.epoch.map(|n| n.to_string()).unwrap_or_default()).number(),
    ]
}

fn state(d: &DatabaseView) -> AnyView {
    view! {
        <span class="stack-s">
            <span><StateBadge state=of_database(d) /></span>
            {d.error.clone().map(|e| view! { <small>{e}</small> })}
        </span>
    }
    .into_any()
}

/// Bytes with a unit that keeps the number short.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit < UNITS.len() - 1 {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}
