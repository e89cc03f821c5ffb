//! The pools, and one pool with its state, servers, databases and tests.

mod databases;
mod detail;
mod facts;
pub mod guided;
mod runbook;
mod servers;
mod shipping;
mod state;

use leptos::prelude::*;
use shared::api::PoolSummary;
use shared::events::Topic;

pub use self::detail::PoolPage;
use super::overview::last_test;
use crate::api::use_data;
use crate::components::badge::{of_pool, since};
use crate::components::{
    ButtonKind, Column, DataTable, Icon, LinkButton, Mono, Page, Shown, StateBadge, TimeAgo,
};
use crate::routes::{PoolTab, Route};

/// Topics that change what is shown of a pool.
pub const TOPICS: &[Topic] = &[Topic::Pool, Topic::Server, Topic::Topology, Topic::Test, Topic::Directory];

/// The page of all pools.
#[component]
pub fn PoolsPage() -> impl IntoView {
    let data = use_data::<Vec<PoolSummary>>(|| "pools".to_owned(), TOPICS);
    view! {
        <Page
            title="Pools"
            lead="Published Persistent Chat pools. A pool that is only defined stands under Topology until it is published."
            actions=|| view! { <LinkButton label="New Persistent Chat Pool" cmdlet="Save-LgDraft" href=Route::WizardStart.href() icon=Some(Icon::Plus) /> }
        >
            <Shown data lines=6 let:rows>
                <DataTable rows columns=columns() name="pools" empty=|| view! {
                    <h2>"No pool is published"</h2>
                    <p>"Define a Persistent Chat pool and publish the topology; its servers then start and stand here."</p>
                    <LinkButton label="Define the pool" cmdlet="Save-LgDraft" href=Route::WizardStart.href() kind=ButtonKind::Primary />
                } />
            </Shown>
        </Page>
    }
}

fn columns() -> Vec<Column<PoolSummary>> {
    vec![
        Column::<PoolSummary>::new("Pool", |p| p.fqdn.to_string()).shown(name),
        Column::<PoolSummary>::new("State", |p| of_pool(p).word)
            .shown(|p| view! { <StateBadge state=of_pool(p) /> }.into_any()),
        Column::<PoolSummary>::new("Since", |p| since(p).map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|p| since(p).map(|at| view! { <TimeAgo at /> }).into_any()),
        Column::<PoolSummary>::new("Site", |p| p.site.clone()),
        Column::<PoolSummary>::new("Active servers", |p| {
            format!("{} of {}", p.servers.iter().filter(|s| s.active).count(), p.servers.len())
        })
        .number(),
        Column::<PoolSummary>::new("Sessions", |p| {
            p.servers.iter().map(|s| s.report.sessions).sum::<u32>().to_string()
        })
        .number(),
        Column::<PoolSummary>::new("Last test", |p| {
            p.last_test.as_ref().map(|t| t.verdict.clone()).unwrap_or_default()
        })
        .shown(|p| view! { <span class="row">{last_test(p.last_test.clone())}</span> }.into_any()),
    ]
}

fn name(p: &PoolSummary) -> AnyView {
    let href = Route::Pool(p.fqdn.to_string(), PoolTab::Overview).href();
    view! {
        <span class="stack-s">
            <a href=href aria-label=p.fqdn.to_string()><Mono text=p.fqdn.as_str() /></a>
            <small class="muted">{p.display_name.clone()}</small>
        </span>
    }
    .into_any()
}
