//! The frame of a wizard page: rail, fields, Back / Next / Save draft and leave, guidance.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::topology::draft::PoolDraft;
use shared::topology::wizard::Page;

use super::computers::ComputersPage;
use super::fields::use_wizard;
use super::files::{FileStorePage, NextHopPage};
use super::guidance::Guidance;
use super::identity::{FqdnPage, PropertiesPage};
use super::patches::{field_of, words};
use super::rail::{Rail, short_title};
use super::sql::{Slot, SqlPage};
use super::state::{Conflict, Saving, Wizard};
use super::steps::{applying, back, blocker, next};
use super::summary::{Finish, SummaryPage};
use crate::app::app;
use crate::components::{Button, ButtonKind, FormState, LoadError, Notice, NoticeKind, Page as PageFrame};
use crate::nav;
use crate::pages::topology::{discard_button, draft_name};
use crate::routes::Route;

/// One page of the wizard; built anew for each.
#[component]
pub fn Frame(
    /// The page.
    page: Page,
    /// Set once the pool is in the topology draft.
    finished: RwSignal<Option<String>>,
) -> impl IntoView {
    let w = use_wizard();
    let form = FormState::provide();
    form.attempted.set(w.left.read_untracked().contains(&page));
    on_cleanup(move || {
        // At the end of the whole wizard its state may be gone already.
        let _ = w.left.try_update(|l| l.push(page));
    });
    let off = Memo::new(move |_| page.not_needed(&w.draft.read()));
    let why = Signal::derive(move || blocker(page, &w.problems.read()).map(|p| p.text.clone()));
    let go = move || {
        if why.get_untracked().is_some() {
            form.show_problems();
        } else if let Some(to) = next(page, &w.draft.read_untracked()) {
            w.flush();
            nav::navigate_to(&Route::Wizard(w.id.get_value(), to));
        }
    };
    let place = move || place(page, &w.draft.read());
    view! {
        <PageFrame title=page.title()>
            <p class="wizard-place muted">{place}</p>
            <div class="wizard">
                <Rail current=page />
                <form class="wizard-page form" novalidate=true
                    on:submit=move |e| {
                        e.prevent_default();
                        untrack(go);
                    }
                    on:focusout=move |_| w.flush()
                >
                    <Conflicts />
                    {move || match off.get() {
                        Some(reason) => view! { <Notice><p>"This page is not needed. "{reason}</p></Notice> }.into_any(),
                        None => body(page),
                    }}
                    <Footer page why finished />
                </form>
                <Guidance page />
            </div>
        </PageFrame>
    }
}

/// Where in the wizard this is.
fn place(page: Page, d: &PoolDraft) -> String {
    let pages = applying(d);
    let number =
        pages.iter().position(|p| *p == page).map(|i| format!(", page {} of {}", i + 1, pages.len()));
    format!("Define New Persistent Chat Pool: {}{}", draft_name(&d.fqdn), number.unwrap_or_default())
}

fn body(page: Page) -> AnyView {
    match page {
        Page::Fqdn => view! { <FqdnPage /> }.into_any(),
        Page::Computers => view! { <ComputersPage /> }.into_any(),
        Page::Properties => view! { <PropertiesPage /> }.into_any(),
        Page::SqlStore => view! { <SqlPage which=Slot::Primary /> }.into_any(),
        Page::BackupSqlStore => view! { <SqlPage which=Slot::Backup /> }.into_any(),
        Page::ComplianceSqlStore => view! { <SqlPage which=Slot::Compliance /> }.into_any(),
        Page::BackupComplianceSqlStore => view! { <SqlPage which=Slot::BackupCompliance /> }.into_any(),
        Page::FileStore => view! { <FileStorePage /> }.into_any(),
        Page::NextHop => view! { <NextHopPage /> }.into_any(),
        Page::Summary => view! { <SummaryPage /> }.into_any(),
    }
}

#[component]
fn Footer(page: Page, why: Signal<Option<String>>, finished: RwSignal<Option<String>>) -> impl IntoView {
    let w = use_wizard();
    let to = move || back(page, &w.draft.read());
    let first = Signal::derive(move || to().is_none().then(|| "This is the first page.".to_owned()));
    let go_back = move |()| {
        if let Some(p) = untrack(to) {
            nav::navigate_to(&Route::Wizard(w.id.get_value(), p));
        }
    };
    let leave = move |()| {
        spawn_local(async move {
            if *w.saving.read_untracked() == Saving::Saved || w.save().await {
                app().toasts.say("The draft is kept. It stands under Topology, in Pools being defined.");
                nav::navigate_to(&Route::Topology);
            }
        });
    };
    let id = w.id.get_value();
    let name = draft_name(&w.draft.read_untracked().fqdn);
    view! {
        <footer class="wizard-foot">
            <div class="row">
                <Button label="Back" blocked=first on_press=go_back />
                {if page == Page::Summary {
                    view! { <Finish finished /> }.into_any()
                } else {
                    view! { <Button label="Next" kind=ButtonKind::Primary blocked=why submit=true on_press=|()| () /> }.into_any()
                }}
                <Button label="Save draft and leave" kind=ButtonKind::Quiet on_press=leave />
                {discard_button(id, name, Some(Route::Topology))}
            </div>
            {move || why.get().filter(|_| page != Page::Summary).map(|text| view! { <p class="wizard-why">"Next waits for this: "{text}</p> })}
            <Saved w />
        </footer>
    }
}

/// Whether the portal has what is typed.
#[component]
fn Saved(w: Wizard) -> impl IntoView {
    view! {
        <div class="wizard-saved" role="status">
            {move || match w.saving.get() {
                Saving::Saved => view! { <span class="muted">"The draft is saved."</span> }.into_any(),
                Saving::Waiting => view! { <span class="muted">"Saving the draft …"</span> }.into_any(),
                Saving::Failed(error) => view! {
                    <p>"The draft could not be saved. What you typed is kept in this browser."</p>
                    <LoadError error on_retry=move |()| w.flush() />
                }.into_any(),
            }}
        </div>
    }
}

/// Fields that somebody else changed at the same time.
#[component]
fn Conflicts() -> impl IntoView {
    let w = use_wizard();
    move || w.conflicts.get().into_iter().map(|c| conflict(w, c)).collect_view()
}

fn conflict(w: Wizard, c: Conflict) -> AnyView {
    let page = Page::of_field(&field_of(&c.path));
    let text = format!(
        "{}: somebody else changed this meanwhile. It is now “{}”; here it is “{}”.",
        short_title(page),
        words(&c.theirs),
        words(&c.mine)
    );
    let (take, keep) = (c.clone(), c);
    view! {
        <Notice kind=NoticeKind::Warning alert=true>
            <p>{text}</p>
            <div class="row">
                <Button label="Take theirs" on_press=move |()| w.decide(&take, false) />
                <Button label="Keep mine" on_press=move |()| w.decide(&keep, true) />
            </div>
        </Notice>
    }
    .into_any()
}
