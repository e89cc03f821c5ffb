//! Earlier test messages: filters that stand in the address, numbers, chart, pages, files.

use leptos::prelude::*;
use serde_json::json;
use shared::api::{Overview, TestHistory as History};
use shared::events::Topic;

use super::chart::{Chart, Phases};
use super::history::TestHistory;
use crate::api::{Current, use_data};
use crate::components::act::args;
use crate::components::{ActForm, Button, ButtonKind, Facts, Section, SelectField, Shown, TextField};
use crate::nav;
use crate::routes::segment;

/// The filters: name in the address, which is the name in the API.
const FILTERS: [&str; 6] = ["pool", "result", "cause", "actor", "from", "to"];
/// Rows of a page.
const PAGE: u32 = 25;

/// The query of the API for the filters of the address.
fn query(values: &[Option<String>]) -> String {
    let pair = |(n, v): (&&str, &Option<String>)| v.as_ref().map(|v| format!("{n}={}", segment(v)));
    FILTERS.iter().zip(values).filter_map(pair).collect::<Vec<_>>().join("&")
}

/// `wrong_password` as words.
fn words(cause: &str) -> String {
    cause.replace('_', " ")
}

/// The section.
#[component]
pub fn Past() -> impl IntoView {
    let filters = FILTERS.map(nav::use_query);
    let skip = nav::use_query("skip");
    let skipped = Memo::new(move |_| skip.get().and_then(|s| s.parse::<u32>().ok()).unwrap_or(0));
    let asked = Memo::new(move |_| query(&filters.map(|f| f.get())));
    let path = move || format!("test-history?{}&skip={}&limit={PAGE}", asked.get(), skipped.get());
    let data = use_data::<History>(path, &[Topic::Test]);
    let file = move |format: &str| format!("/api/v1/test-history/export?{}&format={format}", asked.get());
    view! {
        <Section title="Earlier test messages">
            <Shown data let:past>
                <Filters past />
                <Numbers past />
                <Chart past />
                <TestHistory plain=true tests=move || past.with(|p| p.rows.clone()) />
                <Pager past skipped />
                <p class="row">
                    <a href=move || file("csv") download>"Save all of these as CSV"</a>
                    <a href=move || file("json") download>"as JSON"</a>
                </p>
                <details class="card">
                    <summary>"How long the phases take"</summary>
                    <Phases past />
                </details>
                <details class="card">
                    <summary>"How long test messages are kept"</summary>
                    <Kept past />
                </details>
            </Shown>
        </Section>
    }
}

#[component]
fn Filters(past: Current<History>) -> impl IntoView {
    let overview = use_data::<Overview>(|| "overview".to_owned(), &[Topic::Topology]);
    let plain = |list: Vec<String>| list.into_iter().map(|v| (v.clone(), v)).collect::<Vec<_>>();
    let pools = Signal::derive(move || {
        let names = |o: &Overview| o.pools.iter().map(|p| p.fqdn.to_string()).collect();
        plain(overview.value.with(|o| o.as_ref().map(names).unwrap_or_default()))
    });
    let results = Signal::derive(|| {
        ["success", "failure", "cancelled", "missed", "running"].map(|r| (r.to_owned(), words(r))).to_vec()
    });
    let causes = Signal::derive(move || {
        past.with(|p| p.causes.iter().map(|c| (c.clone(), words(c))).collect::<Vec<_>>())
    });
    let actors = Signal::derive(move || plain(past.with(|p| p.actors.clone())));
    let choice = |name: &'static str, label: &'static str, options| {
        let value = RwSignal::new(nav::use_query(name).get_untracked().unwrap_or_default());
        let change = move |v: String| set(name, &v);
        view! { <SelectField label value options none="All" on_change=change /> }
    };
    let day = |name: &'static str, label: &'static str| {
        let value = RwSignal::new(nav::use_query(name).get_untracked().unwrap_or_default());
        let change = move |v: String| {
            if v.is_empty() || check_day(&v).is_ok() {
                set(name, &v);
            }
        };
        view! { <TextField label value check=check_day on_change=change kind="date" /> }
    };
    view! {
        <div class="history-filters" role="search" aria-label="Filter the earlier test messages">
            {choice("pool", "Pool", pools)}
            {choice("result", "Result", results)}
            {choice("cause", "Cause", causes)}
            {choice("actor", "Started by", actors)}
            {day("from", "From (UTC)")}
            {day("to", "To (UTC)")}
        </div>
    }
}

/// Another filter begins at the first page.
fn set(name: &str, value: &str) {
    nav::set_query("skip", "");
    nav::set_query(name, value);
}

fn check_day(text: &str) -> Result<(), String> {
    if text.trim().is_empty() || shared::time::parse_day(text.trim(), false).is_some() {
        return Ok(());
    }
    Err("A day is written year-month-day.".to_owned())
}

#[component]
fn Numbers(past: Current<History>) -> impl IntoView {
    move || {
        let (good, bad, total) = past.with(|p| (p.succeeded, p.failed, p.total));
        #[expect(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
        let rate = match good + bad {
            0 => "–".to_owned(),
            all => format!("{:.1} %", good as f64 * 100.0 / all as f64),
        };
        view! {
            <Facts facts=vec![
                ("Test messages", total.into_any()),
                ("Success rate", rate.into_any()),
                ("Failed", bad.into_any()),
            ] />
        }
    }
}

#[component]
fn Pager(past: Current<History>, skipped: Memo<u32>) -> impl IntoView {
    let go = |to: u32| nav::set_query("skip", &if to == 0 { String::new() } else { to.to_string() });
    let older = move || past.with(|p| u64::from(skipped.get() + PAGE) < p.total);
    view! {
        <div class="row">
            {move || (skipped.get() > 0).then(|| view! { <Button label="Newer" kind=ButtonKind::Plain on_press=move |()| go(skipped.get_untracked().saturating_sub(PAGE)) /> })}
            {move || older().then(|| view! { <Button label="Older" kind=ButtonKind::Plain on_press=move |()| go(skipped.get_untracked() + PAGE) /> })}
            <small class="muted" role="status">{move || past.with(|p| match u32::try_from(p.rows.len()).unwrap_or(0) {
                0 => String::new(),
                n => format!("{} to {} of {}", skipped.get() + 1, skipped.get() + n, p.total),
            })}</small>
        </div>
    }
}

#[component]
fn Kept(past: Current<History>) -> impl IntoView {
    let days = RwSignal::new(past.with_untracked(|p| p.keep_days.to_string()));
    let arguments =
        Signal::derive(move || args([("KeepDays", json!(days.get().trim().parse::<u32>().ok()))]));
    view! {
        <ActForm cmdlet="Set-LgTestHistory" args=arguments label="Set the days">
            <TextField label="Days" name="KeepDays" value=days required=true
                help=|| "Older test messages are deleted; 0 keeps them for ever." />
        </ActForm>
    }
}
