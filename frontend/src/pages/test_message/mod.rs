//! The test message: form, the run as it happens, result, history. Source: S2, procedures §10.

mod form;
mod history;
mod layout;
mod result;
mod steps;
mod watch;
mod waterfall;

use leptos::prelude::*;
use shared::api::TestSummary;
use shared::events::Topic;

use self::form::TestForm;
pub use self::history::TestHistory;
use self::result::TestResult;
use self::watch::Watch;
use crate::api::use_data;
use crate::components::{Page, Section, Shown};
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
    let history = use_data::<Vec<TestSummary>>(|| "tests".to_owned(), &[Topic::Test]);
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
            <Section title="Earlier test messages">
                <Shown data=history let:tests>
                    <TestHistory tests />
                </Shown>
            </Section>
        </Page>
    }
}
