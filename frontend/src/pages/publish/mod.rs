//! Publish.

use leptos::prelude::*;

use crate::components::Page;

/// The page.
#[component]
pub fn PublishPage() -> impl IntoView {
    view! { <Page title="PublishPage">"…"</Page> }
}

/// The page.
#[component]
pub fn JobPage( /// Name.
    id: String,) -> impl IntoView {
    view! { <Page title="JobPage">{id}</Page> }
}
