//! Who is signed in, and what may sign in without a person.

use leptos::prelude::*;
use shared::api::{AccessEntry, AccessView};
use shared::events::Topic;
use shared::roles::STANDARD;

use crate::api::{Current, use_data};
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Mono, Notice, NoticeKind, Section, SelectField, Shown,
    TextField, TimeAgo,
};
use crate::session;

/// The tab.
#[component]
pub fn Access() -> impl IntoView {
    move || match session::allowed("Get-LgSession") {
        Ok(()) => view! { <Content /> }.into_any(),
        Err(why) => view! { <Notice kind=NoticeKind::Info><p>{why}</p></Notice> }.into_any(),
    }
}

#[component]
fn Content() -> impl IntoView {
    let data = use_data::<AccessView>(|| "access".to_owned(), &[Topic::Directory, Topic::Audit]);
    view! {
        <Shown data let:access>
            <Section title="Sessions"><Sessions access /></Section>
            <Section title="API tokens"><Tokens access /><NewToken access /></Section>
        </Shown>
    }
}

#[component]
fn Sessions(access: Current<AccessView>) -> impl IntoView {
    let rows = Signal::derive(move || access.with(|a| a.sessions.clone()));
    let columns = vec![
        Column::<AccessEntry>::new("Account", |s| s.name.clone()),
        Column::<AccessEntry>::new("From", |s| s.detail.clone())
            .shown(|s| view! { <Mono text=s.detail.clone() /> }.into_any()),
        Column::<AccessEntry>::new("Signed in", |s| s.created.rfc3339())
            .shown(|s| view! { <TimeAgo at=s.created /> }.into_any()),
        Column::<AccessEntry>::new("Last used", |s| s.last_seen.rfc3339())
            .shown(|s| view! { <TimeAgo at=s.last_seen /> }.into_any()),
    ];
    let acts = |s: &AccessEntry| {
        let one = args([("Identity", s.id.clone().into())]);
        let all = args([("Account", s.name.clone().into())]);
        view! {
            <ActButton cmdlet="Remove-LgSession" args=one label=format!("End the session of {} from {}", s.name, s.detail) short="End" kind=ButtonKind::Quiet />
            <ActButton cmdlet="Remove-LgSession" args=all label=format!("End all sessions of {}", s.name) short="End all" kind=ButtonKind::Quiet />
        }
        .into_any()
    };
    view! { <DataTable rows columns name="sessions" acts plain=true empty=|| "Nobody is signed in." /> }
}

#[component]
fn Tokens(access: Current<AccessView>) -> impl IntoView {
    let rows = Signal::derive(move || access.with(|a| a.tokens.clone()));
    let columns = vec![
        Column::<AccessEntry>::new("Label", |t| t.name.clone()),
        Column::<AccessEntry>::new("Role", |t| t.detail.clone()),
        Column::<AccessEntry>::new("Made", |t| t.created.rfc3339())
            .shown(|t| view! { <TimeAgo at=t.created /> }.into_any()),
        Column::<AccessEntry>::new("Ends", |t| t.expires.map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|t| match t.expires {
                Some(at) => view! { <TimeAgo at /> }.into_any(),
                None => "when it is deleted".into_any(),
            }),
    ];
    let acts = |t: &AccessEntry| {
        let remove = args([("Identity", t.id.clone().into())]);
        view! { <ActButton cmdlet="Remove-LgToken" args=remove label=format!("Delete the API token {}", t.name) short="Delete" kind=ButtonKind::Quiet /> }.into_any()
    };
    view! { <DataTable rows columns name="tokens" acts plain=true empty=|| "There is no API token. Scripts and the command-line shell sign in with one." /> }
}

#[component]
fn NewToken(access: Current<AccessView>) -> impl IntoView {
    let (label, role, days) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new("90".to_owned()));
    let roles = Signal::derive(move || {
        let own = access.with(|a| a.roles.iter().map(|r| r.name.clone()).collect::<Vec<_>>());
        STANDARD.iter().map(|r| (*r).to_owned()).chain(own).map(|r| (r.clone(), r)).collect::<Vec<_>>()
    });
    let arguments = Signal::derive(move || {
        args([
            ("Label", label.get().trim().into()),
            ("Role", role.get().into()),
            ("ExpiresInDays", days.get().trim().parse::<u32>().ok().into()),
        ])
    });
    let done = std::sync::Arc::new(move |_: &_| label.set(String::new()));
    view! {
        <details class="card">
            <summary>"New API token"</summary>
            <ActForm cmdlet="New-LgToken" args=arguments label="Make the API token" on_done=done>
                <TextField label="What it is for" name="Label" value=label required=true help=|| "For example nightly report." />
                <SelectField label="Role" name="Role" value=role required=true options=roles help=|| "The smallest that does it; not more than your own." />
                <TextField label="Days until it ends" name="ExpiresInDays" value=days help=|| "Left empty, it works until it is deleted." />
            </ActForm>
        </details>
    }
}
