//! The servers of a pool: what each does, and which accept new sessions. Source: C:Set-CsPersistentChatActiveServer.

use leptos::prelude::*;
use serde_json::json;
use shared::api::{ChatServerView, PoolDetail};
use shared::deployment::ServerState;
use shared::identity::pool_identity;

use crate::api::Current;
use crate::components::act::args;
use crate::components::badge::{Badge, of_server};
use crate::components::{ActButton, ButtonKind, Column, DataTable, Icon, Mono, StateBadge, Tone};

/// A server with the pool it belongs to.
#[derive(Clone)]
struct ServerRow {
    pool: String,
    server: ChatServerView,
}

/// The table and the swap.
#[component]
pub fn Servers(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let rows = Signal::derive(move || {
        pool.with(|p| {
            let identity = pool_identity(&p.summary.fqdn);
            p.summary
                .servers
                .iter()
                .map(|s| ServerRow { pool: identity.clone(), server: s.clone() })
                .collect::<Vec<_>>()
        })
    });
    let swap = Signal::derive(move || {
        pool.with(|p| args([("Identity", pool_identity(&p.summary.fqdn).into()), ("Swap", true.into())]))
    });
    let one = Signal::derive(move || {
        pool.with(|p| p.summary.servers.len() < 2)
            .then(|| "A pool with one server has nothing to swap.".to_owned())
    });
    view! {
        <p class="muted">
            "Active servers accept new sessions; an inactive one keeps those it has and refuses new ones. At most four are active."
        </p>
        <DataTable rows columns=columns() name="servers" acts=row_acts plain=true empty=|| "This pool has no server." />
        <div class="row">
            <ActButton cmdlet="Set-CsPersistentChatActiveServer" args=swap label="Swap active and inactive servers" icon=Some(Icon::Swap) review=true blocked=one />
        </div>
    }
}

fn columns() -> Vec<Column<ServerRow>> {
    vec![
        Column::<ServerRow>::new("Server", |r| r.server.report.fqdn.to_string()).shown(|r| {
            let node =
                r.server.report.node.as_ref().map(|n| view! { <small>{format!("on node {n}")}</small> });
            view! { <span class="stack-s"><Mono text=r.server.report.fqdn.as_str() copy=true />{node}</span> }
                .into_any()
        }),
        Column::<ServerRow>::new("State", |r| of_server(&r.server.report.state).word).shown(state),
        Column::<ServerRow>::new("New sessions", |r| activity(r).word)
            .shown(|r| view! { <StateBadge state=activity(r) /> }.into_any()),
        Column::<ServerRow>::new("Sessions", |r| r.server.report.sessions.to_string()).number(),
        Column::<ServerRow>::new("Listens on", |r| r.server.report.listens.join(" "))
            .shown(|r| view! { <span class="mono">{r.server.report.listens.join(" ")}</span> }.into_any()),
    ]
}

fn state(r: &ServerRow) -> AnyView {
    let why = r.server.report.state.trouble().map(str::to_owned);
    view! {
        <span class="stack-s">
            <span><StateBadge state=of_server(&r.server.report.state) /></span>
            {why.map(|w| view! { <small>{w}</small> })}
        </span>
    }
    .into_any()
}

fn activity(r: &ServerRow) -> Badge {
    if r.server.active {
        Badge::new("Active", Tone::Good, Icon::Tick)
    } else {
        Badge::new("Inactive", Tone::Neutral, Icon::Stop)
    }
}

fn row_acts(r: &ServerRow) -> AnyView {
    let name = r.server.report.fqdn.to_string();
    let (verb, list) = if r.server.active {
        ("Make inactive", json!({ "Remove": [name] }))
    } else {
        ("Make active", json!({ "Add": [name] }))
    };
    let arguments = args([("Identity", r.pool.clone().into()), ("ActiveServers", list)]);
    let label = format!("{verb}: {name}");
    let service = |graceful: bool| {
        args([
            ("ComputerName", name.clone().into()),
            ("Graceful", if graceful { true.into() } else { serde_json::Value::Null }),
        ])
    };
    let run = match &r.server.report.state {
        ServerState::Running => view! {
            <ActButton cmdlet="Stop-CsWindowsService" args=service(true) label=format!("Drain {name}") short="Drain" kind=ButtonKind::Quiet review=true />
            <ActButton cmdlet="Stop-CsWindowsService" args=service(false) label=format!("Stop {name}") short="Stop" kind=ButtonKind::Quiet review=true />
        }.into_any(),
        ServerState::Stopped => view! {
            <ActButton cmdlet="Start-CsWindowsService" args=service(false) label=format!("Start {name}") short="Start" kind=ButtonKind::Quiet />
        }.into_any(),
        _ => ().into_any(),
    };
    view! {
        <ActButton cmdlet="Set-CsPersistentChatActiveServer" args=arguments label short=verb kind=ButtonKind::Quiet review=true />
        {run}
    }
    .into_any()
}
