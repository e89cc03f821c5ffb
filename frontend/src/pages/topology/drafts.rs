//! Wizard drafts that were begun and not finished.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::api::{TopologyView, WizardInfo};
use shared::error::ApiError;
use shared::roles::EDIT_DRAFT;
use shared::topology::wizard::Page;

use crate::api::Current;
use crate::app::app;
use crate::components::{Button, ButtonKind, Dialog, LinkButton, LoadError, Section, TimeAgo};
use crate::routes::{Route, segment};
use crate::{api, nav, session};

/// The list of open drafts, when there are any.
#[component]
pub fn OpenDrafts(
    /// The topology.
    view: Current<TopologyView>,
) -> impl IntoView {
    let list = Memo::new(move |_| view.with(|v| v.wizards.clone()));
    move || {
        let drafts = list.get();
        (!drafts.is_empty()).then(|| {
            view! {
                <Section title="Pools being defined">
                    <ul class="card drafts" role="list">{drafts.into_iter().map(line).collect_view()}</ul>
                </Section>
            }
        })
    }
}

/// The name of a draft, also while it has none.
pub fn draft_name(fqdn: &str) -> String {
    if fqdn.trim().is_empty() { "Pool without a name yet".to_owned() } else { fqdn.trim().to_owned() }
}

fn line(w: WizardInfo) -> AnyView {
    let name = draft_name(&w.name);
    let href = Route::Wizard(w.id.clone(), Page::Fqdn).href();
    view! {
        <li class="draft-line">
            <span class="draft-name mono">{name.clone()}</span>
            <span class="muted">"by "{w.author}", changed "<TimeAgo at=w.updated /></span>
            <span class="row">
                <LinkButton label="Continue" href=href />
                {discard_button(w.id, name, None)}
            </span>
        </li>
    }
    .into_any()
}

/// *Discard draft* with a question before it; then goes to `then`, when given.
pub fn discard_button(id: String, name: String, then: Option<Route>) -> AnyView {
    let asked = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let why = Signal::derive(|| session::allowed(EDIT_DRAFT).err());
    let question = format!("Discard the draft of {name}?");
    let discard = move |()| {
        let (path, name, then) = (format!("drafts/{}", segment(&id)), name.clone(), then.clone());
        busy.set(true);
        spawn_local(async move {
            let answer = api::delete(&path).await;
            // The list may have been drawn anew by the event before the answer came.
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => {
                    let _ = asked.try_set(false);
                    app().toasts.say(format!("Done: discard the draft of {name}."));
                    if let Some(route) = then {
                        nav::navigate_to(&route);
                    }
                }
                Err(e) => {
                    let _ = error.try_set(Some(e));
                }
            }
        });
    };
    let discard = Callback::new(discard);
    view! {
        <Button label="Discard draft" kind=ButtonKind::Quiet blocked=why on_press=move |()| asked.set(true) />
        <Dialog open=asked title=question on_close=move |()| asked.set(false)>
            <p>"What was entered in this draft is lost. The topology itself does not change."</p>
            {move || error.get().map(|error| view! { <LoadError error /> })}
            <footer class="dialog-foot">
                <Button label="Keep it" on_press=move |()| asked.set(false) />
                <Button label="Discard draft" kind=ButtonKind::Danger busy on_press=move |()| discard.run(()) />
            </footer>
        </Dialog>
    }
    .into_any()
}
