//! Nodes: other machines that run servers of this deployment.

use leptos::prelude::*;
use shared::api::NodeView;
use shared::events::Topic;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::{Badge, Tone, of_server};
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Icon, Mono, Section, Shown, StateBadge, TextField,
    TimeAgo,
};

/// The tab.
#[component]
pub fn Nodes() -> impl IntoView {
    let list = use_data::<Vec<NodeView>>(|| "nodes".to_owned(), &[Topic::Server, Topic::Topology]);
    view! {
        <Section title="Nodes">
            <p>"A node is this program on another machine. It runs Front End and Persistent Chat servers, keeps the databases that are placed on it, and goes on with them while the portal is away."</p>
            <Shown data=list let:rows>
                <DataTable rows columns=columns() name="nodes" acts=row_acts plain=true
                    empty=|| "There is no node; every server runs in this portal's process. Add one below." />
            </Shown>
        </Section>
        <NewNode />
    }
}

/// The state in words that stand beside its sign.
fn state(n: &NodeView) -> Badge {
    match n.state.as_str() {
        "Connected" => Badge::new("Connected", Tone::Good, Icon::Tick),
        "Waiting" => Badge::new("Waiting to join", Tone::Active, Icon::Progress),
        "Expired" => Badge::new("Token expired", Tone::Neutral, Icon::Stop),
        _ => Badge::new("Unreachable", Tone::Bad, Icon::Cross),
    }
}

fn columns() -> Vec<Column<NodeView>> {
    vec![
        Column::<NodeView>::new("Name", |n| n.name.clone()),
        Column::<NodeView>::new("State", |n| state(n).word)
            .shown(|n| view! { <StateBadge state=state(n) /> }.into_any()),
        Column::<NodeView>::new("Since", |n| n.since.map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|n| n.since.map(|at| view! { <TimeAgo at /> }).into_any()),
        Column::<NodeView>::new("Address", |n| n.address.clone().unwrap_or_default())
            .shown(|n| n.address.clone().map(|text| view! { <Mono text /> }).into_any()),
        Column::<NodeView>::new("Version", |n| n.product.clone().unwrap_or_default()),
        Column::<NodeView>::new("Runs", |n| {
            n.servers.iter().map(|s| s.fqdn.to_string()).collect::<Vec<_>>().join(" ")
        })
        .shown(|n| {
            if n.servers.is_empty() {
                return "nothing yet".into_any();
            }
            let line = |s: &shared::api::NodeServer| {
                view! { <span><Mono text=s.fqdn.as_str() />" "<StateBadge state=of_server(&s.state) /></span> }
            };
            view! { <span class="stack-s">{n.servers.iter().map(line).collect_view()}</span> }.into_any()
        }),
    ]
}

fn row_acts(n: &NodeView) -> AnyView {
    let remove = args([("Identity", n.name.clone().into())]);
    view! { <ActButton cmdlet="Remove-LgNode" args=remove label=format!("Remove the node {}", n.name) short="Remove" kind=ButtonKind::Quiet review=true /> }
        .into_any()
}

#[component]
fn NewNode() -> impl IntoView {
    let name = RwSignal::new(String::new());
    let arguments = Signal::derive(move || args([("Name", name.get().trim().into())]));
    let label = Signal::derive(move || match name.get().trim() {
        "" => "Add the node".to_owned(),
        n => format!("Add the node {n}"),
    });
    let done = std::sync::Arc::new(move |_: &_| name.set(String::new()));
    view! {
        <Section title="Add a node">
            <ActForm cmdlet="New-LgNode" args=arguments label on_done=done>
                <TextField label="Name" name="Name" value=name required=true
                    help=|| "Letters, digits and hyphens, for example atl-node-001. The command line that joins it is shown once and works for one hour." />
            </ActForm>
        </Section>
    }
}
