//! First start: the first administrator, and what to begin with.

mod credentials;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::api::{LoginRequest, Session, SetupRequest, SetupResponse};
use shared::error::{ApiError, ErrorCode};

use self::credentials::Credentials;
use super::login::Brand;
use crate::components::form::FormState;
use crate::components::{
    Button, ButtonKind, LoadError, Notice, NoticeKind, PasswordField, RadioGroup, TextField,
};
use crate::{api, dom, nav};

/// What a finished set-up hands to the next view.
#[derive(Clone)]
struct Finished {
    response: SetupResponse,
    login: LoginRequest,
}

/// The page.
#[component]
pub fn SetupPage() -> impl IntoView {
    let finished = RwSignal::new(None::<Finished>);
    Effect::new(|_| dom::document().set_title("Set up – Lifeguard"));
    view! {
        <main class="alone alone-wide" id="main">
            <Brand />
            {move || match finished.get() {
                None => view! { <SetupForm on_done=move |f| finished.set(Some(f)) /> }.into_any(),
                Some(f) => view! { <Credentials response=f.response login=f.login /> }.into_any(),
            }}
        </main>
    }
}

#[component]
fn SetupForm(#[prop(into)] on_done: Callback<Finished>) -> impl IntoView {
    let form = FormState::provide();
    let token = RwSignal::new(nav::use_query("token").get_untracked().unwrap_or_default());
    let name = RwSignal::new("admin".to_owned());
    let password = RwSignal::new(String::new());
    let again = RwSignal::new(String::new());
    // Where a topology is published already there is nothing to begin with.
    let published =
        crate::app::app().session.with_untracked(|s| s.as_ref().is_some_and(|s| s.setup_published));
    let deployment = RwSignal::new(if published { "empty" } else { "litware" }.to_owned());
    let made = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let differs = Signal::derive(move || {
        (*again.read() != *password.read()).then(|| "The two passwords differ.".to_owned())
    });
    let send = move || {
        if form.blocked().is_some() {
            form.show_problems();
            return;
        }
        let request = SetupRequest {
            token: token.get().trim().to_owned(),
            name: name.get().trim().to_owned(),
            password: password.get(),
            deployment: deployment.get(),
        };
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = api::post::<SetupResponse>("setup", &request).await;
            busy.set(false);
            match answer {
                Ok(response) => {
                    let login = LoginRequest { name: request.name, password: request.password, code: None };
                    on_done.run(Finished { response, login });
                }
                Err(e) if form.refuse(&e) => {}
                Err(e) if e.code == ErrorCode::Conflict && e.field.is_none() => made.set(true),
                Err(e) => error.set(Some(e)),
            }
        });
    };
    view! {
        <div class="stack-s">
            <h1>"Set up this portal"</h1>
            <p class="muted">"Create the first administrator. Everybody else gets an account from there."</p>
        </div>
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
            <TextField label="Set-up token" name="token" value=token required=true mono=true
                help=|| "Printed by lifeguard serve when it started; it works once." />
            <TextField label="Log-on name" name="name" value=name required=true autocomplete="username"
                help=|| "The first administrator, role CsAdministrator." />
            <PasswordField label="Password" name="password" value=password required=true autocomplete="new-password"
                help=|| "10 characters at least." />
            <TextField label="Password again" value=again required=true kind="password" autocomplete="new-password" problem=differs />
            {if published {
                view! { <p class="muted">"A topology is published already; the portal begins with it."</p> }.into_any()
            } else {
                view! { <RadioGroup label="Begin with" value=deployment options=choices() /> }.into_any()
            }}
            {move || made.get().then(|| view! {
                <Notice kind=NoticeKind::Info alert=true>
                    <p>"The first administrator exists already."</p>
                    <Button label="Sign in" on_press=sign_in />
                </Notice>
            })}
            {move || error.get().map(|error| view! { <LoadError error /> })}
            <div class="form-foot">
                <Button label="Create the administrator" kind=ButtonKind::Primary busy submit=true on_press=|()| () />
            </div>
        </form>
    }
}

/// Leads to the sign-in: the portal is asked anew what is missing.
fn sign_in((): ()) {
    spawn_local(async {
        nav::replace("/");
        // When it does not answer, the button stands there still.
        let _ = crate::session::reload().await;
    });
}

fn choices() -> Vec<(String, String, String)> {
    let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
    vec![
        choice(
            "litware",
            "The sample deployment Litware",
            "Two sites, two Front End pools, four Persistent Chat pools, rooms and users, published and running on this machine. \
             Good for looking around; everything in it is real.",
        ),
        choice(
            "empty",
            "An empty deployment",
            "You define SIP domain, site, Front End pool and stores yourself.",
        ),
    ]
}

/// Ends the set-up: signs in and shows the portal.
async fn enter(login: LoginRequest) -> Result<(), ApiError> {
    let session = crate::session::peek().await?;
    let session =
        if session.account.is_some() { session } else { api::post::<Session>("login", &login).await? };
    nav::replace("/");
    crate::app::app().session.set(Some(session));
    Ok(())
}
