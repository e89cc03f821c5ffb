//! A pool at a glance: state, servers, databases, last test message.

use leptos::prelude::*;
use shared::api::{ChatServerView, DatabaseView, PoolSummary, TestSummary};

use crate::components::badge::{of_database, of_pool, of_run, of_server, since};
use crate::components::copy::breakable;
use crate::components::{Icon, StateBadge, TimeAgo};
use crate::pages::test_message::sparkline;
use crate::routes::{PoolTab, Route};

/// The card.
#[component]
pub fn PoolCard(
    /// The pool.
    pool: PoolSummary,
) -> impl IntoView {
    let fqdn = pool.fqdn.to_string();
    let (badge, since) = (of_pool(&pool), since(&pool));
    let to = |tab| Route::Pool(fqdn.clone(), tab).href();
    let (href, servers_href, databases_href) =
        (to(PoolTab::Overview), to(PoolTab::Servers), to(PoolTab::Databases));
    let active = pool.servers.iter().filter(|s| s.active).count();
    let total = pool.servers.len();
    view! {
        <article class="card pool-card">
            <header class="pool-card-head">
                <div>
                    <h3><a href=href class="mono" aria-label=fqdn.clone()>{breakable(&fqdn)}</a></h3>
                    <p class="muted">{pool.display_name}" · "{pool.site}</p>
                </div>
                <div class="pool-card-state">
                    <StateBadge state=badge />
                    {since.map(|at| view! { <small class="muted">"since "<TimeAgo at /></small> })}
                </div>
            </header>
            <div class="pool-card-part">
                <a class="pool-card-word" href=servers_href>{format!("Servers, {active} of {total} active")}</a>
                <ul class="server-dots" role="list">{pool.servers.into_iter().map(server).collect_view()}</ul>
            </div>
            <div class="pool-card-part">
                <a class="pool-card-word" href=databases_href>"Databases"</a>
                <ul class="database-lines" role="list">{pool.databases.into_iter().map(database).collect_view()}</ul>
            </div>
            {(pool.compliance && pool.compliance_adapter.is_none()).then(|| compliance(pool.compliance_queue))}
            <footer class="pool-card-foot">{last_test(pool.last_test)}{sparkline(&pool.recent_us)}</footer>
        </article>
    }
}

fn server(s: ChatServerView) -> AnyView {
    let badge = of_server(&s.report.state);
    let activity = if s.active { "active" } else { "inactive" };
    let text = format!("{}: {}, {activity}, {} sessions", s.report.fqdn, badge.word, s.report.sessions);
    view! {
        <li class=format!("server-dot {}", badge.tone.class()) class:server-idle=!s.active title=text>
            {badge.icon.draw()}
            <span aria-hidden="true">{s.report.fqdn.host().to_owned()}</span>
            <span class="visually-hidden">{text.clone()}</span>
        </li>
    }
    .into_any()
}

fn database(d: DatabaseView) -> AnyView {
    let badge = of_database(&d);
    let short = short_store(&d.store);
    view! {
        <li class="database-line">
            <span><span class="mono">{d.database}</span>" "<span class="muted">{d.role}</span></span>
            <span class="mono muted database-store" title=d.store>{breakable(&short)}</span>
            <StateBadge state=badge />
        </li>
    }
    .into_any()
}

/// `sql-atl-001\CHAT` of `sql-atl-001.litwareinc.com\CHAT`: enough to tell the stores of a card apart.
fn short_store(label: &str) -> String {
    let (server, instance) = label.split_once('\\').unwrap_or((label, ""));
    let host = server.split('.').next().unwrap_or(server);
    if instance.is_empty() { host.to_owned() } else { format!("{host}\\{instance}") }
}

fn compliance(queue: Option<u64>) -> AnyView {
    let waiting = queue.map(|n| format!(" {n} events wait in mgccomp.")).unwrap_or_default();
    view! {
        <p class="pool-card-compliance">
            {Icon::Warning.draw()}
            <span>"Compliance is on and no adapter is set: nothing is written out."{waiting}</span>
        </p>
    }
    .into_any()
}

/// One line about a test message, or that there was none.
pub fn last_test(test: Option<TestSummary>) -> AnyView {
    match test {
        None => view! { <span class="muted">"No test message yet."</span> }.into_any(),
        Some(t) => view! {
            <StateBadge state=of_run(&t.state) />
            <a href=Route::Test(t.id.clone()).href()>{t.verdict}</a>
            <small class="muted"><TimeAgo at=t.started /></small>
        }
        .into_any(),
    }
}
