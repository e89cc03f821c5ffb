//! Signing in.

use leptos::prelude::*;
use shared::api::Session;

use crate::app::app;
use crate::components::sign_in::SignInForm;
use crate::dom;

/// The page that stands in place of every other one while nobody is signed in; the address stays, so the
/// person lands where the link led.
#[component]
pub fn LoginPage() -> impl IntoView {
    let instance = move || app().session.with(|s| s.as_ref().map(|s| s.instance.clone()).unwrap_or_default());
    Effect::new(|_| {
        dom::document().set_title("Sign in – Lifeguard");
        dom::after_frame(|| dom::focus(dom::document().query_selector("[data-first]").ok().flatten()));
    });
    view! {
        <main class="alone" id="main">
            <Brand />
            <div class="stack-s">
                <h1>"Sign in"</h1>
                <p class="muted">{instance}</p>
            </div>
            <SignInForm label="Sign in" on_signed_in=|session: Session| app().session.set(Some(session)) />
            <p class="muted">
                "No account? A status link shows whether chat is up and needs none; ask an administrator for one."
            </p>
        </main>
    }
}

/// The product's mark and name.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <div class="alone-brand">
            {crate::components::layout::mark()}
            <span>"Lifeguard"</span>
        </div>
    }
}
