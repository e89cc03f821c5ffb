//! People.

use leptos::prelude::*;

use crate::components::Page;

/// The page.
#[component]
pub fn UsersPage() -> impl IntoView {
    view! { <Page title="UsersPage">"…"</Page> }
}

/// The page.
#[component]
pub fn NewUserPage() -> impl IntoView {
    view! { <Page title="NewUserPage">"…"</Page> }
}

/// The page.
#[component]
pub fn PoliciesPage() -> impl IntoView {
    view! { <Page title="PoliciesPage">"…"</Page> }
}
