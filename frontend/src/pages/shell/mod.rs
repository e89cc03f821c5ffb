//! Shell.

use leptos::prelude::*;

use crate::components::Page;

/// The page.
#[component]
pub fn ShellPage() -> impl IntoView {
    view! { <Page title="ShellPage">"…"</Page> }
}
