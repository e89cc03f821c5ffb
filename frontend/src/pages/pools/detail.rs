//! One pool: title row, tabs, and what stands under the chosen one.

use leptos::prelude::*;
use shared::api::PoolDetail;

use super::TOPICS;
use super::databases::Databases;
use super::facts::{ComplianceNotice, PoolFacts};
use super::servers::Servers;
use super::state::{StateTab, switch_button};
use crate::api::{Current, use_data};
use crate::components::badge::of_pool;
use crate::components::{Icon, LinkButton, Page, Section, Shown, StateBadge, Tab, Tabs};
use crate::nav;
use crate::pages::test_message::{TestHistory, sparkline};
use crate::routes::{PoolTab, Route, segment};

/// The page of one pool.
#[component]
pub fn PoolPage(
    /// FQDN of the pool.
    fqdn: String,
) -> impl IntoView {
    let path = format!("pools/{}", segment(&fqdn));
    let data = use_data::<PoolDetail>(move || path.clone(), TOPICS);
    let route = nav::use_route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Pool(_, tab) => tab,
        _ => PoolTab::default(),
    });
    let name = fqdn.clone();
    let tabs = Signal::derive(move || {
        let one = |t: PoolTab| Tab {
            label: t.label().to_owned(),
            href: Route::Pool(name.clone(), t).href(),
            current: tab.get() == t,
        };
        PoolTab::ALL.map(one).to_vec()
    });
    let badge = move || data.value.get().map(|d| view! { <StateBadge state=of_pool(&d.summary) /> });
    let test = format!("/test-message?target={fqdn}");
    let actions = move || {
        view! {
            <LinkButton label="Send a test message" href=test.clone() icon=Some(Icon::Test) />
            // The tab *State* has the button where the switch is explained.
            {move || data.value.get().filter(|_| tab.get() != PoolTab::State).map(|d| switch_button(&d.summary))}
        }
    };
    view! {
        <Page title=fqdn mono=true badge=badge actions=actions>
            <Shown data lines=6 let:pool>
                <Tabs label="Pool" tabs />
                {move || match tab.get() {
                    PoolTab::Overview => view! { <OverviewTab pool /> }.into_any(),
                    PoolTab::State => view! { <StateTab pool /> }.into_any(),
                    PoolTab::Servers => view! { <Servers pool /> }.into_any(),
                    PoolTab::Databases => view! { <ComplianceNotice pool /><Databases pool /> }.into_any(),
                    PoolTab::Tests => view! { <Tests pool /> }.into_any(),
                }}
            </Shown>
        </Page>
    }
}

#[component]
fn OverviewTab(pool: Current<PoolDetail>) -> impl IntoView {
    view! {
        <ComplianceNotice pool />
        <PoolFacts pool />
        <Section title="Servers"><Servers pool /></Section>
        <Section title="Databases"><Databases pool /></Section>
    }
}

#[component]
fn Tests(pool: Current<PoolDetail>) -> impl IntoView {
    let (line, href) = pool
        .with_untracked(|p| (p.summary.recent_us.clone(), format!("/test-message?pool={}", p.summary.fqdn)));
    view! {
        <p class="row">{sparkline(&line)}<a href=href>"Numbers, chart and all earlier test messages"</a></p>
        <TestHistory tests=move || pool.with(|p| p.tests.clone()) />
    }
}
