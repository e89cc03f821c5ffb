//! Earlier test messages.

use leptos::prelude::*;
use shared::api::TestSummary;

use crate::components::badge::of_run;
use crate::components::data_table::RowsOf;
use crate::components::{Column, DataTable, Mono, StateBadge, TimeAgo};
use crate::routes::Route;
use crate::time;

/// The list.
#[component]
pub fn TestHistory(
    /// Runs, newest first.
    #[prop(into)]
    tests: RowsOf<TestSummary>,
    /// Without search and export.
    #[prop(optional)]
    plain: bool,
) -> impl IntoView {
    view! {
        <DataTable rows=tests columns=columns() name="test-messages" plain empty=|| view! {
            <p>"No test message was sent yet. One proves that people can sign on, join a room and talk."</p>
        } />
    }
}

fn columns() -> Vec<Column<TestSummary>> {
    vec![
        Column::<TestSummary>::new("When", |t| t.started.rfc3339()).shown(|t| {
            view! { <a href=Route::Test(t.id.clone()).href()><TimeAgo at=t.started /></a> }.into_any()
        }),
        Column::<TestSummary>::new("Result", |t| of_run(&t.state).word)
            .shown(|t| view! { <StateBadge state=of_run(&t.state) /> }.into_any()),
        Column::<TestSummary>::new("Target", |t| t.target.clone())
            .shown(|t| view! { <Mono text=t.target.clone() /> }.into_any()),
        Column::<TestSummary>::new("Latency", |t| t.latency_us.map(|n| n.to_string()).unwrap_or_default())
            .shown(|t| t.latency_us.map(time::millis_of_us).into_any())
            .number(),
        Column::<TestSummary>::new("Verdict", |t| t.verdict.clone()),
        Column::<TestSummary>::new("By", TestSummary::by),
    ]
}
