//! Signing in again in place, when the session ended in the middle of work.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::api::{LoginRequest, Session};
use shared::error::{ApiError, ErrorCode};

use super::button::{Button, ButtonKind};
use super::dialog::Dialog;
use super::fields::{PasswordField, TextField};
use super::form::FormState;
use super::load_error::LoadError;
use crate::api::{self, gate};
use crate::app::app;
use crate::dom;

/// The dialog that opens over whatever was being done.
#[component]
pub fn SignInDialog() -> impl IntoView {
    let state = app();
    view! {
        <Dialog open=state.session_ended title="Your session ended">
            <p>"Sign in to go on. Nothing that you typed is lost."</p>
            <SignInForm
                label="Sign in and go on"
                name=state.session.with_untracked(|s| s.as_ref().and_then(|s| s.account.as_ref()).map(|a| a.name.clone()).unwrap_or_default())
                on_signed_in=|session: Session| {
                    app().session.set(Some(session));
                    gate::open();
                }
            />
        </Dialog>
    }
}

/// Name and password; calls back with the new session.
#[component]
pub fn SignInForm(
    /// Words on the button.
    #[prop(into)]
    label: Signal<String>,
    /// Log-on name to start with.
    #[prop(optional, into)]
    name: String,
    /// Called with the session.
    #[prop(into)]
    on_signed_in: Callback<Session>,
) -> impl IntoView {
    let form = FormState::provide();
    let name = RwSignal::new(name);
    let password = RwSignal::new(String::new());
    let code = RwSignal::new(String::new());
    // The password was right, and the account has a second factor.
    let asked = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let known = name.with_untracked(|n| !n.is_empty());
    let send = move || {
        if untrack(|| form.blocked()).is_some() {
            form.show_problems();
            return;
        }
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let request = LoginRequest {
                name: name.get_untracked(),
                password: password.get_untracked(),
                code: Some(code.get_untracked()),
            };
            let answer = api::post::<Session>("login", &request).await;
            busy.set(false);
            match answer {
                Ok(session) => {
                    password.set(String::new());
                    code.set(String::new());
                    asked.set(false);
                    on_signed_in.run(session);
                }
                Err(e) if e.code == ErrorCode::SecondFactorRequired && !asked.get_untracked() => {
                    form.begin_again();
                    asked.set(true);
                    dom::after_frame(|| {
                        dom::focus(dom::document().query_selector("[name=code]").ok().flatten());
                    });
                }
                Err(e) if form.refuse(&e) => {}
                Err(e) => error.set(Some(e)),
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
                    send();
                }
            }
        >
            {move || if asked.get() {
                view! {
                    <TextField label="Code" name="code" value=code required=true mono=true autocomplete="one-time-code"
                        help=|| "Six digits from your authenticator app, or one of your recovery codes." />
                }.into_any()
            } else {
                view! {
                    <TextField label="Log-on name" name="name" value=name required=true autocomplete="username" first=!known />
                    <PasswordField label="Password" name="password" value=password required=true autocomplete="current-password" first=known />
                }.into_any()
            }}
            {move || error.get().map(|error| view! { <LoadError error /> })}
            <div class="form-foot">
                <Button label kind=ButtonKind::Primary busy submit=true on_press=|()| () />
                {move || asked.get().then(|| view! {
                    <Button label="Back" kind=ButtonKind::Quiet on_press=move |()| { code.set(String::new()); asked.set(false); } />
                })}
            </div>
        </form>
    }
}
