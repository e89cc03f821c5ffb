//! The second factor of one's own account: set up with the password and a first code, removed with the password.

use leptos::prelude::*;
use serde_json::json;
use shared::people::{FactorOffer, MyAccount, RecoveryCodes};

use crate::api::{self, Current};
use crate::app::app;
use crate::components::{
    Button, ButtonKind, CopyButton, Icon, Notice, NoticeKind, PasswordField, PostForm, Section, TextField,
};
use crate::dom;

/// How far setting up has come.
#[derive(Clone)]
enum Step {
    None,
    Offer(FactorOffer),
    Codes(RecoveryCodes),
}

/// The part of the page.
#[component]
pub fn Factor(
    /// The account.
    mine: Current<MyAccount>,
    /// Reads it again.
    refetch: Callback<()>,
) -> impl IntoView {
    let step = RwSignal::new(Step::None);
    let on = Memo::new(move |_| mine.with(|m| m.second_factor));
    view! {
        <Section title="Second factor">
            {move || match step.get() {
                Step::Offer(offer) => view! { <Confirm offer step refetch /> }.into_any(),
                Step::Codes(codes) => view! { <Codes codes=codes.codes step /> }.into_any(),
                Step::None if on.get() => view! { <Remove mine refetch /> }.into_any(),
                Step::None => view! { <Begin step /> }.into_any(),
            }}
        </Section>
    }
}

/// The answer as a value, or a word of what is wrong.
fn answer<T: serde::de::DeserializeOwned>(text: &str, f: impl FnOnce(T)) {
    match api::read(text) {
        Ok(v) => f(v),
        Err(e) => app().toasts.warn(e.message),
    }
}

#[component]
fn Begin(step: RwSignal<Step>) -> impl IntoView {
    let password = RwSignal::new(String::new());
    let body = Signal::derive(move || json!({ "password": password.get() }));
    let done = move |text: String| answer(&text, |o| step.set(Step::Offer(o)));
    view! {
        <p class="muted">"Off. With it, signing in also asks for a code that an app on your telephone shows, so a password alone opens nothing."</p>
        <PostForm path="me/second-factor" body label="Set up a second factor" kind=ButtonKind::Plain on_done=done>
            <PasswordField label="Your password" name="password" value=password required=true autocomplete="current-password" />
        </PostForm>
    }
}

#[component]
fn Confirm(offer: FactorOffer, step: RwSignal<Step>, refetch: Callback<()>) -> impl IntoView {
    let code = RwSignal::new(String::new());
    let body = Signal::derive(move || json!({ "code": code.get().trim() }));
    let done = move |text: String| {
        answer(&text, |c| step.set(Step::Codes(c)));
        refetch.run(());
    };
    let spaced = offer.secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
    view! {
        <p>"1. Photograph this with an authenticator app, or type the key into it."</p>
        <div class="factor">
            <img class="factor-code" src=offer.picture width="196" height="196" alt="QR code with the key below" />
            <div class="stack-s">
                <p class="factor-key"><code class="mono">{spaced}</code><CopyButton what="the key" text=offer.secret /></p>
                <p><a href=offer.uri>"Open in an app on this device"</a></p>
            </div>
        </div>
        <p>"2. Enter the code that the app shows now."</p>
        <PostForm path="me/second-factor/confirm" body label="Turn the second factor on" on_done=done>
            <TextField label="Code" name="code" value=code required=true mono=true autocomplete="one-time-code" help=|| "Six digits." />
        </PostForm>
        <div><Button label="Not now" kind=ButtonKind::Quiet on_press=move |()| step.set(Step::None) /></div>
    }
}

#[component]
fn Codes(codes: Vec<String>, step: RwSignal<Step>) -> impl IntoView {
    let text = codes.iter().map(|c| format!("{c}\n")).collect::<String>();
    let saved = text.clone();
    view! {
        <Notice kind=NoticeKind::Warning>
            <p>"The second factor is on. These recovery codes are shown once: each signs you in once when the telephone is lost. Keep them where it is not."</p>
        </Notice>
        <ul class="factor-codes mono" role="list">{codes.into_iter().map(|c| view! { <li>{c}</li> }).collect_view()}</ul>
        <div class="row">
            <Button label="Save as a file" icon=Some(Icon::Download)
                on_press=move |()| dom::download("lifeguard-recovery-codes.txt", "text/plain", &saved) />
            <span>"Copy all "<CopyButton what="the recovery codes" text=text /></span>
            <Button label="I have kept them" kind=ButtonKind::Primary on_press=move |()| step.set(Step::None) />
        </div>
    }
}

#[component]
fn Remove(mine: Current<MyAccount>, refetch: Callback<()>) -> impl IntoView {
    let password = RwSignal::new(String::new());
    let body = Signal::derive(move || json!({ "password": password.get() }));
    let left = move || match mine.with(|m| m.recovery_codes) {
        0 => "On. No recovery code is left: remove it and set it up again to get new ones.".to_owned(),
        1 => "On. 1 recovery code is left.".to_owned(),
        n => format!("On. {n} recovery codes are left."),
    };
    let done = move |_: String| refetch.run(());
    view! {
        <p>{left}</p>
        <PostForm path="me/second-factor/remove" body label="Remove the second factor" kind=ButtonKind::Danger on_done=done>
            <PasswordField label="Your password" name="password" value=password required=true autocomplete="current-password"
                help=|| "Removing and setting up again also gives new recovery codes." />
        </PostForm>
    }
}
