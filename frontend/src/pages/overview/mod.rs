//! What is broken and since when, then the pools, then the Front End servers.

mod first_steps;
mod pool_card;
mod problems;

use leptos::prelude::*;
use shared::api::{AnnouncementView, Overview};
use shared::deployment::ServerReport;
use shared::events::Topic;

use self::first_steps::FirstSteps;
use self::pool_card::PoolCard;
pub use self::pool_card::last_test;
use self::problems::Problems;
use crate::api::{Current, use_data};
use crate::components::badge::of_server;
use crate::components::{Icon, LinkButton, Mono, Notice, Page, Section, Shown, StateBadge};
use crate::time;

const TOPICS: &[Topic] = &[Topic::Pool, Topic::Server, Topic::Topology, Topic::Test, Topic::Directory];

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let data = use_data::<Overview>(|| "overview".to_owned(), TOPICS);
    view! {
        <Page title="Overview" actions=|| view! { <LinkButton label="Send a test message" href="/test-message" icon=Some(Icon::Test) /> }>
            <Shown data lines=8 let:overview>
                <Content overview />
            </Shown>
        </Page>
    }
}

/// Most pools that the overview draws; the page *Pools* has them all.
const CARDS: usize = 60;

#[component]
fn Content(overview: Current<Overview>) -> impl IntoView {
    let problems = Memo::new(move |_| overview.with(|o| o.problems.clone()));
    let pools = Memo::new(move |_| overview.with(|o| o.pools.clone()));
    let none = Memo::new(move |_| pools.with(Vec::is_empty));
    let front_ends = Memo::new(move |_| overview.with(|o| o.front_ends.clone()));
    let unpublished = Memo::new(move |_| overview.with(|o| o.unpublished));
    let told = Memo::new(move |_| overview.with(|o| o.announcements.clone()));
    view! {
        {move || told.get().into_iter().map(announcement).collect_view()}
        <Problems problems nothing=none />
        {move || (unpublished.get() > 0 && !none.get()).then(|| unpublished_notice(unpublished.get()))}
        {move || if none.get() {
            view! { <FirstSteps /> }.into_any()
        } else {
            view! {
                <Section title="Pools">
                    <div class="pool-cards">
                        {move || pools.get().into_iter().take(CARDS).map(|pool| view! { <PoolCard pool /> }).collect_view()}
                    </div>
                    {move || (pools.with(Vec::len) > CARDS).then(|| view! {
                        <p>{format!("These are the first {CARDS}. ")}<a href="/pools">"Show all pools"</a></p>
                    })}
                </Section>
            }.into_any()
        }}
        {move || front_ends.with(|f| !f.is_empty()).then(|| view! {
            <Section title="Front End servers">
                <ul class="card server-list" role="list">
                    {move || front_ends.get().into_iter().map(front_end).collect_view()}
                </ul>
            </Section>
        })}
        <p class="muted">"As of "{move || overview.with(|o| time::exact(o.at))}"."</p>
    }
}

fn unpublished_notice(n: u32) -> AnyView {
    let text = match n {
        1 => "1 change of the topology is not published; the servers run without it.".to_owned(),
        n => format!("{n} changes of the topology are not published; the servers run without them."),
    };
    view! { <Notice><p>{text}" "<a href="/topology/publish">"Look at them and publish"</a></p></Notice> }
        .into_any()
}

fn announcement(a: AnnouncementView) -> AnyView {
    let span = (a.kind == "Maintenance").then(|| {
        let until = a.ends.map(|e| format!(" to {}", time::exact(e))).unwrap_or_default();
        format!("Maintenance from {}{until}: ", time::exact(a.begins))
    });
    view! { <Notice><p>{span}{a.text}</p></Notice> }.into_any()
}

fn front_end(report: ServerReport) -> AnyView {
    let sessions = match report.sessions {
        1 => "1 registration".to_owned(),
        n => format!("{n} registrations"),
    };
    view! {
        <li class="server-line">
            <Mono text=report.fqdn.as_str() />
            <StateBadge state=of_server(&report.state) />
            <span class="muted number">{sessions}</span>
            <span class="mono muted">{report.listens.join("  ")}</span>
        </li>
    }
    .into_any()
}
