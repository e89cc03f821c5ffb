//! The page of a one-time link: whoever has it sets a password, without being signed in. What stands behind
//! `#` in the address is never sent with a request for a page; it goes out in bodies only.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::json;
use shared::error::ApiError;
use shared::people::LinkView;

use super::login::Brand;
use crate::components::form::FormState;
use crate::components::post_form::differ;
use crate::components::{LinkButton, LoadError, PasswordField, PostForm, Skeleton, TextField};
use crate::{api, dom, nav};

/// What the page shows.
#[derive(Clone)]
enum Shows {
    Asking,
    Dead(ApiError),
    Form(LinkView),
    Done(LinkView),
}

/// The page.
#[component]
pub fn PasswordLinkPage() -> impl IntoView {
    let token = dom::window().location().hash().unwrap_or_default().trim_start_matches('#').to_owned();
    let shows = RwSignal::new(Shows::Asking);
    Effect::new(|_| dom::document().set_title("Set your password – Lifeguard"));
    let asked = json!({ "token": token });
    spawn_local(async move {
        let answer = api::post_text("links/look", &asked).await.and_then(|t| api::read::<LinkView>(&t));
        let _ = shows.try_set(answer.map_or_else(Shows::Dead, Shows::Form));
    });
    view! {
        <main class="alone" id="main">
            <Brand />
            {move || match shows.get() {
                Shows::Asking => view! { <Skeleton /> }.into_any(),
                Shows::Dead(error) => view! {
                    <h1>"This link does not work"</h1>
                    <LoadError error />
                    <div><LinkButton label="Go to the portal" href="/" /></div>
                }.into_any(),
                Shows::Form(link) => view! { <Form link token=token.clone() shows /> }.into_any(),
                Shows::Done(link) => done(&link),
            }}
        </main>
    }
}

/// Who the password belongs to.
fn of_whom(link: &LinkView) -> String {
    match &link.sip_address {
        Some(sip) => format!("For your chat client: {sip}, log-on name {}.", link.name),
        None => format!("For this portal: log-on name {}.", link.name),
    }
}

#[component]
fn Form(link: LinkView, token: String, shows: RwSignal<Shows>) -> impl IntoView {
    let (password, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let body = Signal::derive(move || json!({ "token": token, "password": password.get() }));
    let text = of_whom(&link);
    let name = RwSignal::new(link.name.clone());
    let shortest = link.shortest;
    let done = move |answer: String| {
        // The link is dead now; what is left of it goes from the address and the history.
        nav::replace("/set-password");
        shows.set(api::read(&answer).map_or_else(Shows::Dead, Shows::Done));
        dom::focus_heading();
    };
    view! {
        <div class="stack-s">
            <h1 tabindex="-1">"Set your password"</h1>
            <p class="muted">{text}</p>
        </div>
        <PostForm path="links/use" body label="Set the password" on_done=done>
            <NameForManagers name />
            <PasswordField label="New password" name="password" value=password required=true autocomplete="new-password"
                help=move || format!("{shortest} characters at least.") />
            <TextField label="New password again" value=again required=true kind="password" autocomplete="new-password" problem=differ(password, again) />
        </PostForm>
    }
}

/// A field that nobody sees, from which password managers learn whose password it is.
#[component]
pub fn NameForManagers(
    /// Log-on name.
    name: RwSignal<String>,
) -> impl IntoView {
    // It joins no form: nothing can be wrong with it.
    let _ = use_context::<FormState>();
    view! { <input type="text" autocomplete="username" hidden prop:value=name /> }
}

fn done(link: &LinkView) -> AnyView {
    let chat = link.sip_address.is_some();
    view! {
        <div class="stack-s">
            <h1 tabindex="-1">"The password is set"</h1>
            <p>{if chat {
                format!("Sign in to your chat client as {} with it. This link does not work any more.", link.name)
            } else {
                format!("Sign in as {} with it. This link does not work any more.", link.name)
            }}</p>
        </div>
        {(!chat).then(|| view! { <div><LinkButton label="Sign in" href="/login" /></div> })}
    }
    .into_any()
}
