//! The databases of a pool.

use leptos::prelude::*;
use shared::api::{DatabaseView, MirrorView, PoolDetail};

use super::shipping::Shipping;
use crate::api::Current;
use crate::components::act::args;
use crate::components::badge::of_database;
use crate::components::{
    ActButton, ButtonKind, Column, DataTable, Facts, Mono, Section, StateBadge, TimeAgo,
};
use crate::size::size;

/// The table.
#[component]
pub fn Databases(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let rows = Signal::derive(move || pool.with(|p| p.summary.databases.clone()));
    view! {
        <DataTable rows columns=columns() name="databases" plain=true empty=|| "This pool has no database." />
        <Mirror pool queue=false />
        <Mirror pool queue=true />
        <Shipping pool />
    }
}

/// The mirror of the database in use, or of its mgccomp, and moving to it and back.
#[component]
fn Mirror(pool: Current<PoolDetail>, queue: bool) -> impl IntoView {
    let mirror = Memo::new(move |_| {
        pool.with(|p| {
            let found = if queue { p.compliance_mirror.clone() } else { p.mirror.clone() };
            found.map(|m| (p.summary.fqdn.to_string(), m))
        })
    });
    move || mirror.get().map(|(fqdn, m)| mirrored(&fqdn, m, queue))
}

fn mirrored(fqdn: &str, m: MirrorView, queue: bool) -> AnyView {
    let host = fqdn.split('.').next().unwrap_or_default();
    let says = match m.state.as_str() {
        "synchronized" if queue => "Every event is on both before it counts as queued.",
        "synchronizing" if queue => {
            "All events are being copied; until then they are queued without the mirror."
        }
        "disconnected" if queue => "Events are queued without the mirror. It is copied anew when it answers.",
        "synchronized" => "Every post is on both before it is acknowledged.",
        "synchronizing" => {
            "The whole database is being copied; until then posts are acknowledged without the mirror."
        }
        "disconnected" => "Posts go on without the mirror. It is copied anew when it answers.",
        "suspended" => "No database is in use.",
        _ => "Mirroring is not set up: run Install-CsMirrorDatabase.",
    };
    let to = if m.on_mirror { "Primary" } else { "Mirror" };
    let (title, what, database) = match queue {
        true => ("Mirror of mgccomp", "mgccomp of ", "PersistentChatCompliance"),
        false => ("Mirror", "", "PersistentChat"),
    };
    let label = format!("Move {what}{host} to {}", m.mirror);
    let arguments = args([
        ("PoolFqdn", fqdn.to_owned().into()),
        ("DatabaseType", database.into()),
        ("NewPrincipal", to.into()),
    ]);
    let button = m.installed.then(|| {
        view! { <div class="row"><ActButton cmdlet="Invoke-CsDatabaseFailover" args=Signal::stored(arguments) label kind=ButtonKind::Plain review=true /></div> }
    });
    view! {
        <Section title>
            <Facts facts=vec![
                ("Principal", view! { <Mono text=m.principal /> }.into_any()),
                ("Mirror", view! { <Mono text=m.mirror /> }.into_any()),
                ("State", format!("{}. {says}", m.state).into_any()),
                ("Why", m.why.unwrap_or_else(|| "–".to_owned()).into_any()),
            ] />
            {button}
        </Section>
    }
    .into_any()
}

fn columns() -> Vec<Column<DatabaseView>> {
    vec![
        Column::<DatabaseView>::new("Database", |d| format!("{} {}", d.database, d.role))
            .shown(|d| view! { <span><span class="mono">{d.database.clone()}</span>" "<small class="muted">{d.role.clone()}</small></span> }.into_any()),
        Column::<DatabaseView>::new("Store", |d| d.store.clone()).shown(|d| view! {
            <span class="stack-s">
                <Mono text=d.store.clone() copy=true />
                {d.node.clone().map(|n| view! { <small class="muted">{format!("on node {n}")}</small> })}
            </span>
        }.into_any()),
        Column::<DatabaseView>::new("State", |d| of_database(d).word).shown(state),
        Column::<DatabaseView>::new("Messages", |d| d.messages.map(|n| n.to_string()).unwrap_or_default()).number(),
        Column::<DatabaseView>::new("Size", |d| d.size_bytes.map(|n| n.to_string()).unwrap_or_default())
            .shown(|d| d.size_bytes.map(size).into_any())
            .number(),
        Column::<DatabaseView>::new("Last written", |d| d.last_write.map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|d| d.last_write.map(|at| view! { <TimeAgo at /> }).into_any()),
        Column::<DatabaseView>::new("Has everything until", |d| d.copied_at.map(shared::Timestamp::rfc3339).unwrap_or_default())
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
