//! One's own account: password, second factor, sessions, API tokens.

mod factor;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::json;
use shared::api::{AccessEntry, Session};
use shared::events::Topic;
use shared::people::MyAccount;

use self::factor::Factor;
use super::login::Brand;
use super::password_link::NameForManagers;
use crate::api::{self, Current, use_data};
use crate::app::app;
use crate::components::post_form::differ;
use crate::components::{
    Button, ButtonKind, Column, DataTable, Icon, Mono, Page, PasswordField, PostForm, Section, Shown,
    TextField, TimeAgo,
};
use crate::{dom, session};

/// The page.
#[component]
pub fn AccountPage() -> impl IntoView {
    let data = use_data::<MyAccount>(|| "me".to_owned(), &[Topic::Directory]);
    let name = session::use_account().get_untracked().map(|a| a.name).unwrap_or_default();
    let lead = format!("You are signed in as {name}.");
    view! {
        <Page title="My account" lead>
            <Section title="Password">
                <p class="muted">"Your other sessions end when it changes."</p>
                <ChangePassword done=Callback::new(|s| {
                    app().session.set(Some(s));
                    app().toasts.say("Done: your password is changed.");
                }) />
            </Section>
            <Shown data let:mine>
                <Factor mine refetch=Callback::new(move |()| data.refetch()) />
                <Section title="Sessions" actions=|| view! {
                    <Button label="Sign out everywhere" icon=Some(Icon::Cross) on_press=|()| end("all".to_owned()) />
                }>
                    <Sessions mine />
                </Section>
                <Section title="API tokens">
                    <p class="muted">"Those that you have made. "<a href="/settings/access">"Sessions and tokens"</a>" has all of them."</p>
                    <Tokens mine />
                </Section>
            </Shown>
        </Page>
    }
}

/// In place of every page, until a password that somebody else has set is changed.
#[component]
pub fn ChangeFirst() -> impl IntoView {
    Effect::new(|_| {
        dom::document().set_title("Change your password – Lifeguard");
        dom::after_frame(|| dom::focus(dom::document().query_selector("main h1").ok().flatten()));
    });
    let sign_out = |()| {
        spawn_local(async {
            let answer = api::post_text("logout", &json!({})).await;
            follow(answer);
        });
    };
    view! {
        <main class="alone" id="main">
            <Brand />
            <div class="stack-s">
                <h1 tabindex="-1">"Change your password"</h1>
                <p class="muted">"Somebody else has set the present one. Choose one that only you know, then everything else opens."</p>
            </div>
            <ChangePassword done=Callback::new(|s| app().session.set(Some(s))) />
            <div><Button label="Sign out" kind=ButtonKind::Quiet on_press=sign_out /></div>
        </main>
    }
}

/// The old password, the new one twice.
#[component]
fn ChangePassword(done: Callback<Session>) -> impl IntoView {
    let (old, new, again) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let name = RwSignal::new(session::use_account().get_untracked().map(|a| a.name).unwrap_or_default());
    let body = Signal::derive(move || json!({ "old": old.get(), "new": new.get() }));
    let changed = move |text: String| {
        for field in [old, new, again] {
            field.set(String::new());
        }
        match api::read(&text) {
            Ok(s) => done.run(s),
            Err(e) => app().toasts.warn(e.message),
        }
    };
    view! {
        <PostForm path="me/password" body label="Change the password" on_done=changed>
            <NameForManagers name />
            <PasswordField label="Present password" name="old" value=old required=true autocomplete="current-password" />
            <PasswordField label="New password" name="new" value=new required=true autocomplete="new-password" help=|| "10 characters at least." />
            <TextField label="New password again" value=again required=true kind="password" autocomplete="new-password" problem=differ(new, again) />
        </PostForm>
    }
}

/// The session that an answer tells of counts from now on.
fn follow(answer: Result<String, shared::ApiError>) {
    match answer.and_then(|t| api::read::<Session>(&t)) {
        Ok(s) => {
            if s.account.is_none() {
                api::live::close();
            }
            app().session.set(Some(s));
        }
        Err(e) => app().toasts.warn(e.message),
    }
}

/// Ends a session or token, or all sessions.
fn end(id: String) {
    spawn_local(async move { follow(api::post_text("me/end", &json!({ "id": id })).await) });
}

#[component]
fn Sessions(mine: Current<MyAccount>) -> impl IntoView {
    // The session that asks is told apart by its label; it has no other name.
    let rows = Signal::derive(move || {
        mine.with(|m| {
            let mark = |s: &AccessEntry| {
                let here = s.id == m.current;
                AccessEntry { name: if here { "This one" } else { "Another" }.to_owned(), ..s.clone() }
            };
            m.sessions.iter().map(mark).collect::<Vec<_>>()
        })
    });
    let columns = vec![
        Column::<AccessEntry>::new("Session", |s| s.name.clone()),
        Column::<AccessEntry>::new("From", |s| s.detail.clone())
            .shown(|s| view! { <Mono text=s.detail.clone() /> }.into_any()),
        Column::<AccessEntry>::new("Signed in", |s| s.created.rfc3339())
            .shown(|s| view! { <TimeAgo at=s.created /> }.into_any()),
        Column::<AccessEntry>::new("Last used", |s| s.last_seen.rfc3339())
            .shown(|s| view! { <TimeAgo at=s.last_seen /> }.into_any()),
    ];
    let acts =
        |s: &AccessEntry| end_button("End", format!("End the session from {}", s.detail), s.id.clone());
    view! { <DataTable rows columns name="sessions" acts plain=true empty=|| "You are not signed in." /> }
}

fn end_button(label: &'static str, spoken: String, id: String) -> AnyView {
    let press = move |()| end(id.clone());
    view! { <Button label spoken=Some(spoken) kind=ButtonKind::Quiet on_press=press /> }.into_any()
}

#[component]
fn Tokens(mine: Current<MyAccount>) -> impl IntoView {
    let rows = Signal::derive(move || mine.with(|m| m.tokens.clone()));
    let columns = vec![
        Column::<AccessEntry>::new("Label", |t| t.name.clone()),
        Column::<AccessEntry>::new("Role", |t| t.detail.clone()),
        Column::<AccessEntry>::new("Made", |t| t.created.rfc3339())
            .shown(|t| view! { <TimeAgo at=t.created /> }.into_any()),
    ];
    let acts =
        |t: &AccessEntry| end_button("Delete", format!("Delete the API token {}", t.name), t.id.clone());
    view! { <DataTable rows columns name="tokens" acts plain=true empty=|| "You have made no API token." /> }
}
