//! A form that is no cmdlet: signing in, one's own account, one-time links.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::error::ApiError;

use super::button::{Button, ButtonKind};
use super::form::FormState;
use super::load_error::LoadError;
use crate::api;

/// Fields and a button; sends a JSON body, and puts errors at their fields.
#[component]
pub fn PostForm(
    /// Where to, under `/api/v1/`.
    path: &'static str,
    /// What is sent, as the fields stand now.
    #[prop(into)]
    body: Signal<Value>,
    /// Verb and object, on the button.
    #[prop(into)]
    label: String,
    /// Weight of the button.
    #[prop(default = ButtonKind::Primary)]
    kind: ButtonKind,
    /// Called with the answer's text.
    #[prop(into)]
    on_done: Callback<String>,
    /// The fields.
    children: Children,
) -> impl IntoView {
    let form = FormState::provide();
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let send = move || {
        if form.blocked().is_some() {
            form.show_problems();
            return;
        }
        busy.set(true);
        error.set(None);
        let body = body.get();
        spawn_local(async move {
            let answer = api::post_text(path, &body).await;
            // The form may be gone by now.
            let _ = busy.try_set(false);
            match answer {
                Ok(text) => {
                    form.begin_again();
                    on_done.run(text);
                }
                Err(e) if form.refuse(&e) => {}
                Err(e) => {
                    let _ = error.try_set(Some(e));
                }
            }
        });
    };
    view! {
        <form
            class="form"
            novalidate=true
            on:submit=move |e| {
                e.prevent_default();
                if !busy.get_untracked() {
                    untrack(send);
                }
            }
        >
            {children()}
            {move || error.get().map(|error| view! { <LoadError error /> })}
            <div class="form-foot">
                <Button label kind busy submit=true on_press=|()| () />
            </div>
        </form>
    }
}

/// The sentence under *Password again* when the two differ.
pub fn differ(one: RwSignal<String>, other: RwSignal<String>) -> Signal<Option<String>> {
    Signal::derive(move || (*one.read() != *other.read()).then(|| "The two passwords differ.".to_owned()))
}
