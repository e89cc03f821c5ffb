//! The test message: form, the run as it happens, result, history. Source: S2, procedures §10.

mod chart;
mod form;
mod history;
mod layout;
mod messages;
mod past;
mod result;
mod steps;
mod watch;
mod waterfall;

use leptos::prelude::*;

pub use self::chart::sparkline;
use self::form::TestForm;
pub use self::history::TestHistory;
use self::past::Past;
use self::result::TestResult;
use self::watch::Watch;
use crate::components::{Page, Section};
use crate::nav;
use crate::routes::Route;

/// The page. The form stays as it was filled in while results come and go above it.
#[component]
pub fn TestsPage() -> impl IntoView {
    let route = nav::use_route();
    let shown = Memo::new(move |_| match route.get() {
        Route::Test(id) => Some(id),
        _ => None,
    });
    let form_title = Signal::derive(move || {
        if shown.with(Option::is_some) { "Send another" } else { "Send a test message" }.to_owned()
    });
    view! {
        <Page
            title="Test message"
            lead="Signs two people on as their clients would, joins a room and exchanges two messages with random texts. Nothing of it is simulated."
        >
            {move || shown.get().map(|id| view! { <TestResult id /> })}
            <Section title=form_title>
                <TestForm />
            </Section>
            <Watch />
            <Past />
        </Page>
    }
}
