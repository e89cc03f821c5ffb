//! Every server as it comes up, while a run starts them.

use leptos::prelude::*;
use shared::api::Overview;
use shared::deployment::{ServerReport, ServerState};
use shared::events::Topic;

use crate::api::use_data;
use crate::components::badge::of_server;
use crate::components::{Mono, Section, Shown, StateBadge};

/// The servers of the published topology, live.
#[component]
pub fn Servers() -> impl IntoView {
    let data = use_data::<Overview>(|| "overview".to_owned(), &[Topic::Server, Topic::Pool, Topic::Topology]);
    let running = Signal::derive(move || {
        let (up, all) = data.value.with(|o| o.as_ref().map(counts).unwrap_or_default());
        format!("Servers: {up} of {all} running")
    });
    let some = Memo::new(move |_| {
        data.value.with(|o| o.as_ref().is_none_or(|o| !o.front_ends.is_empty() || !o.pools.is_empty()))
    });
    move || {
        some.get().then(|| {
            view! {
                <Section title=running>
                    <Shown data lines=3 let:overview>
                        <div class="job-servers">{move || overview.with(groups)}</div>
                    </Shown>
                </Section>
            }
        })
    }
}

fn reports(o: &Overview) -> impl Iterator<Item = &ServerReport> {
    o.front_ends.iter().chain(o.pools.iter().flat_map(|p| p.servers.iter().map(|s| &s.report)))
}

fn counts(o: &Overview) -> (usize, usize) {
    (reports(o).filter(|r| r.state == ServerState::Running).count(), reports(o).count())
}

fn groups(o: &Overview) -> AnyView {
    let pools = o.pools.iter().map(|p| {
        let list: Vec<&ServerReport> = p.servers.iter().map(|s| &s.report).collect();
        group(p.fqdn.as_str(), &list)
    });
    let front_ends: Vec<&ServerReport> = o.front_ends.iter().collect();
    view! {
        {(!front_ends.is_empty()).then(|| group("Front End Servers", &front_ends))}
        {pools.collect_view()}
    }
    .into_any()
}

fn group(title: &str, list: &[&ServerReport]) -> AnyView {
    let line = |r: &&ServerReport| {
        let why = r.state.trouble().map(str::to_owned);
        view! {
            <li class="job-server">
                <Mono text=r.fqdn.as_str() />
                <StateBadge state=of_server(&r.state) />
                <span class="mono muted">{r.listens.join("  ")}</span>
                {why.map(|w| view! { <small class="job-why">{w}</small> })}
            </li>
        }
    };
    view! {
        <section class="card job-group">
            <h3 class="mono">{crate::components::copy::breakable(title)}</h3>
            <ul role="list">{list.iter().map(line).collect_view()}</ul>
        </section>
    }
    .into_any()
}
