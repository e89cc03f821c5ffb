//! Wizard.

use leptos::prelude::*;

use crate::components::Page;

/// The page.
#[component]
pub fn WizardStart() -> impl IntoView {
    view! { <Page title="WizardStart">"…"</Page> }
}

/// The page.
#[component]
pub fn WizardPage( /// Name.
    id: String,) -> impl IntoView {
    view! { <Page title="WizardPage">{id}</Page> }
}
