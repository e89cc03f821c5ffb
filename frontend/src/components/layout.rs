//! The frame of every signed-in page: navigation, top bar, content, the plan dialog.

use leptos::prelude::*;

use super::navigation::Navigation;
use super::plan_dialog::PlanDialog;
use super::top_bar::TopBar;
use crate::app::app;
use crate::dom;

/// The frame.
#[component]
pub fn Layout(
    /// The page.
    children: Children,
) -> impl IntoView {
    let drawer = RwSignal::new(false);
    // Going somewhere closes the drawer.
    Effect::new(move |_| {
        app().place.with(|p| p.path.len());
        drawer.set(false);
    });
    let skip = move |e: leptos::ev::MouseEvent| {
        e.prevent_default();
        dom::focus_heading();
    };
    view! {
        <a class="skip" href="#main" on:click=skip>"Skip to the content"</a>
        <div class="frame" class:frame-drawer=move || drawer.get()>
            <aside class="side" id="navigation">
                <a class="brand" href="/">
                    {mark()}
                    <span class="nav-word">"Lifeguard"</span>
                </a>
                <Navigation />
            </aside>
            <div class="veil" on:click=move |_| drawer.set(false)></div>
            <div class="content">
                <TopBar drawer />
                <main id="main">{children()}</main>
            </div>
        </div>
        <PlanDialog />
    }
}

/// The life ring.
pub fn mark() -> AnyView {
    view! {
        <svg class="brand-mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
            <circle cx="16" cy="16" r="11" fill="none" stroke="#d9472b" stroke-width="8" />
            <circle cx="16" cy="16" r="11" fill="none" stroke="#fff" stroke-width="8" stroke-dasharray="8.64" stroke-dashoffset="4.32" />
            <circle cx="16" cy="16" r="15" fill="none" stroke="#8a2a18" stroke-width="1" />
        </svg>
    }
    .into_any()
}
