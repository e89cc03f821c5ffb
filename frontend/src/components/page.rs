//! The frame of a page: title row, heading that takes the focus, sections.

use leptos::prelude::*;

use crate::app::app;
use crate::dom;

/// A page with its title row.
#[component]
pub fn Page(
    /// The heading, also the document's title.
    #[prop(into)]
    title: Signal<String>,
    /// The heading is a name of the field (FQDN) and stands in monospace.
    #[prop(optional)]
    mono: bool,
    /// State, shown beside the heading.
    #[prop(optional, into)]
    badge: ViewFn,
    /// The primary act and what else can be done here.
    #[prop(optional, into)]
    actions: ViewFn,
    /// What the page is for, in a sentence.
    #[prop(optional, into)]
    lead: Option<String>,
    /// The rest.
    children: Children,
) -> impl IntoView {
    Effect::new(move |first: Option<()>| {
        let instance =
            app().session.with_untracked(|s| s.as_ref().map(|s| s.instance.clone()).unwrap_or_default());
        let product =
            if instance.is_empty() { "Lifeguard".to_owned() } else { format!("{instance} – Lifeguard") };
        dom::document().set_title(&format!("{} – {product}", title.get()));
        // The first page of a visit leaves the focus at the top, where the skip link is.
        if first.is_none() && VISITED.replace(true) {
            dom::focus_heading();
        }
    });
    view! {
        <div class="page">
            <header class="page-head">
                <div class="page-title">
                    <h1 tabindex="-1" class:mono=mono>
                        {move || if mono { super::copy::breakable(&title.get()) } else { title.get().into_any() }}
                    </h1>
                    {move || badge.run()}
                </div>
                <div class="page-actions">{move || actions.run()}</div>
                {lead.map(|l| view! { <p class="lead">{l}</p> })}
            </header>
            {children()}
        </div>
    }
}

thread_local!(static VISITED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });

/// A part of a page with a heading of its own.
#[component]
pub fn Section(
    /// Heading.
    #[prop(into)]
    title: Signal<String>,
    /// What can be done with the part.
    #[prop(optional, into)]
    actions: ViewFn,
    /// The part.
    children: Children,
) -> impl IntoView {
    let id = dom::uid("section");
    view! {
        <section class="section" aria-labelledby=id>
            <div class="section-head">
                <h2 id=id.clone()>{title}</h2>
                <div class="section-actions">{actions.run()}</div>
            </div>
            {children()}
        </section>
    }
}

/// A strip of facts: word and value.
#[component]
pub fn Facts(
    /// The facts in order.
    #[prop(into)]
    facts: Vec<(&'static str, AnyView)>,
) -> impl IntoView {
    view! {
        <dl class="facts">
            {facts
                .into_iter()
                .map(|(word, value)| view! { <div class="fact"><dt>{word}</dt><dd>{value}</dd></div> })
                .collect_view()}
        </dl>
    }
}
