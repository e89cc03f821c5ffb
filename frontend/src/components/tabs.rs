//! Tabs: links to the parts of one object's page, so that each has an address.

use leptos::prelude::*;

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// Word on it.
    pub label: String,
    /// Address.
    pub href: String,
    /// Whether it is shown now.
    pub current: bool,
}

/// A row of tabs.
#[component]
pub fn Tabs(
    /// What they belong to, for screen readers.
    #[prop(into)]
    label: String,
    /// The tabs.
    #[prop(into)]
    tabs: Signal<Vec<Tab>>,
) -> impl IntoView {
    view! {
        <nav class="tabs" aria-label=label>
            {move || {
                tabs.get()
                    .into_iter()
                    .map(|t| view! { <a class="tab" href=t.href aria-current=t.current.then_some("page")>{t.label}</a> })
                    .collect_view()
            }}
        </nav>
    }
}
