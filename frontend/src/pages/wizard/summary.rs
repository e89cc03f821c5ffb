//! The last page: a sentence per decision, what *Finish* adds to the topology, the same as a command line.

use std::sync::Arc;

use leptos::prelude::*;
use shared::plan::{CmdletResponse, Invocation, Mode, Plan};
use shared::topology::wizard::Page;

use super::fields::use_wizard;
use super::guidance::WHO_MAY;
use super::patches::document;
use super::sentences::sentences;
use super::state::Saving;
use super::steps::blocker;
use crate::api;
use crate::components::act::args;
use crate::components::{ActButton, ButtonKind, CommandLine, LoadError, Notice, NoticeKind, ProblemList};
use crate::routes::Route;

/// The cmdlet of *Finish*.
const FINISH: &str = "New-LgPersistentChatPool";

/// The page.
#[component]
pub fn SummaryPage() -> impl IntoView {
    let w = use_wizard();
    let lines = move || sentences(&w.draft.read(), &w.topology.read());
    let compliance = move || w.draft.read().compliance;
    let warnings =
        Signal::derive(move || w.problems.read().iter().filter(|p| !p.blocks()).cloned().collect::<Vec<_>>());
    view! {
        <ul class="summary card" role="list">
            {move || lines().into_iter().map(|(page, text)| line(&w.id.get_value(), page, text)).collect_view()}
        </ul>
        <Blockers />
        {move || compliance().then(|| view! {
            <Notice kind=NoticeKind::Danger>
                <p>"Compliance is enabled and no adapter is set: events are queued in mgccomp, and nothing is written out until an adapter is set."</p>
            </Notice>
        })}
        <ProblemList problems=warnings />
        <Notice>
            <p>
                "Finish adds the pool to the topology draft; nothing runs until the topology is published. "{WHO_MAY}
            </p>
        </Notice>
        <Planned />
    }
}

fn line(id: &str, page: Page, text: String) -> AnyView {
    let href = Route::Wizard(id.to_owned(), page).href();
    view! {
        <li class="summary-line">
            <span>{text}</span>
            <a href=href aria-label=format!("Change: {}", page.title())>"Change"</a>
        </li>
    }
    .into_any()
}

/// Everything that stands in the way of *Finish*, with the page it stands on.
#[component]
fn Blockers() -> impl IntoView {
    let w = use_wizard();
    move || {
        let list: Vec<_> = w.problems.read().iter().filter(|p| p.blocks()).cloned().collect();
        (!list.is_empty()).then(|| {
            let item = move |p: shared::Problem| {
                let page = Page::of_field(&p.field);
                let href = Route::Wizard(w.id.get_value(), page).href();
                view! { <li><a href=href>{page.title()}</a>": "{p.text}</li> }.into_any()
            };
            view! {
                <Notice kind=NoticeKind::Danger>
                    <p>"This pool cannot be added yet:"</p>
                    <ul>{list.into_iter().map(item).collect_view()}</ul>
                </Notice>
            }
        })
    }
}

/// What the portal says *Finish* would do, with the command line.
#[component]
fn Planned() -> impl IntoView {
    let w = use_wizard();
    let ready = Memo::new(move |_| {
        let complete = blocker(Page::Summary, &w.problems.read()).is_none();
        (complete && *w.saving.read() == Saving::Saved).then(|| document(&w.draft.read()))
    });
    let plan = LocalResource::new(move || {
        let wanted = ready.get().is_some();
        let id = w.id.get_value();
        async move {
            if !wanted {
                return Ok(None);
            }
            let what_if = Invocation {
                args: args([("Draft", id.into())]),
                mode: Mode::WhatIf,
                ..Invocation::default()
            };
            api::cmdlet(FINISH, &what_if).await.map(|r| r.plan)
        }
    });
    move || match plan.get() {
        Some(Ok(Some(p))) => shown(p),
        Some(Err(error)) => view! { <LoadError error on_retry=move |()| plan.refetch() /> }.into_any(),
        _ => ().into_any(),
    }
}

fn shown(p: Plan) -> AnyView {
    view! {
        <section class="stack-s" aria-labelledby="finish-adds">
            <h2 class="wizard-subtitle" id="finish-adds">"What Finish adds to the topology draft"</h2>
            <ul>{p.sentences.into_iter().map(|s| view! { <li>{s}</li> }).collect_view()}</ul>
        </section>
        <CommandLine line=p.line />
    }
    .into_any()
}

/// The button *Finish*.
#[component]
pub fn Finish(
    /// Gets the FQDN of the pool once it is in the topology draft.
    finished: RwSignal<Option<String>>,
) -> impl IntoView {
    let w = use_wizard();
    let why = Signal::derive(move || {
        let wrong = |p: &shared::Problem| format!("{}: {}", Page::of_field(&p.field).title(), p.text);
        let wait =
            || (*w.saving.read() != Saving::Saved).then(|| "The last change is being saved.".to_owned());
        blocker(Page::Summary, &w.problems.read()).map(wrong).or_else(wait)
    });
    let arguments = Signal::derive(move || args([("Draft", w.id.get_value().into())]));
    let label = Signal::derive(move || format!("Add {} to the topology draft", w.draft.read().fqdn.trim()));
    let done = Arc::new(move |_: &CmdletResponse| {
        let fqdn = w.draft.read_untracked().fqdn.trim().to_owned();
        w.id.with_value(|id| super::unsent::note_finished(id, &fqdn));
        finished.set(Some(fqdn));
    });
    view! { <ActButton cmdlet=FINISH args=arguments label short="Finish" kind=ButtonKind::Primary blocked=why on_done=done /> }
}
