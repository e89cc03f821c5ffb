//! The form of an act: fields, a button that carries it out (through the plan), and *What if*.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared::error::ApiError;

use super::act::{Act, OnDone};
use super::button::{Button, ButtonKind};
use super::form::FormState;
use super::load_error::LoadError;
use crate::app::app;
use crate::session;

/// A form whose fields are the parameters of a cmdlet. Fields take their errors by `name`.
#[component]
pub fn ActForm(
    /// The cmdlet.
    #[prop(into)]
    cmdlet: String,
    /// Its arguments as the fields stand now.
    #[prop(into)]
    args: Signal<Map<String, Value>>,
    /// Verb and object, on the button.
    #[prop(into)]
    label: Signal<String>,
    /// Why it cannot be sent, besides the role and the fields.
    #[prop(optional, into)]
    blocked: Signal<Option<String>>,
    /// Weight of the button.
    #[prop(default = ButtonKind::Primary)]
    kind: ButtonKind,
    /// Called after it was carried out.
    #[prop(optional)]
    on_done: Option<OnDone>,
    /// Told of what the portal refuses.
    #[prop(optional)]
    on_refused: Option<Callback<ApiError>>,
    /// Address that *Cancel* leads to.
    #[prop(optional, into)]
    cancel: Option<String>,
    /// The fields.
    children: Children,
) -> impl IntoView {
    let form = FormState::provide();
    let error = RwSignal::new(None::<ApiError>);
    let name = cmdlet.clone();
    let role = Signal::derive(move || session::allowed(&name).err().or_else(|| blocked.get()));
    let why = Signal::derive(move || role.get().or_else(|| form.blocked()));
    let cmdlet = StoredValue::new(cmdlet);
    let on_done = StoredValue::new(on_done);
    let send = move |review: bool| {
        error.set(None);
        if form.blocked().is_some() {
            form.show_problems();
            return;
        }
        if role.with_untracked(Option::is_some) {
            return;
        }
        app().acts.start(Act {
            kind,
            review,
            on_done: Some(finished(form, on_done.get_value())),
            on_error: Some(Arc::new(move |e: &ApiError| {
                if let Some(told) = on_refused {
                    told.run(e.clone());
                }
                if !form.refuse(e) {
                    error.set(Some(e.clone()));
                }
                true
            })),
            ..Act::new(cmdlet.get_value(), args.get_untracked(), label.get_untracked())
        });
    };
    view! {
        <form
            class="form"
            novalidate=true
            on:submit=move |e| {
                e.prevent_default();
                untrack(|| send(false));
            }
        >
            {children()}
            {move || error.get().map(|error| view! { <LoadError error /> })}
            <div class="form-foot">
                <Button label kind blocked=why busy=app().acts.busy submit=true on_press=|()| () />
                <Button label="What if" blocked=role busy=app().acts.busy on_press=move |()| untrack(|| send(true)) />
                {cancel.map(|href| view! { <a class="button button-quiet" href=href>"Cancel"</a> })}
            </div>
        </form>
    }
}

/// The form begins again, and then what the page does.
fn finished(form: FormState, page: Option<OnDone>) -> OnDone {
    Arc::new(move |r| {
        form.begin_again();
        if let Some(f) = &page {
            f(r);
        }
    })
}
