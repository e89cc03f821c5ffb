//! Portal accounts and their roles.

use leptos::prelude::*;
use shared::api::{AccessView, AccountView};
use shared::events::Topic;
use shared::roles::STANDARD;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::of_enabled;
use crate::components::{
    ActButton, ActForm, ButtonKind, CheckField, Column, DataTable, Dialog, Notice, NoticeKind, PasswordField,
    Section, SelectField, Shown, StateBadge, TextField, TimeAgo,
};
use crate::session;

/// The account whose role or password is about to change.
#[derive(Clone, Copy)]
struct Editing(RwSignal<Option<AccountView>>);

/// The tab.
#[component]
pub fn Accounts() -> impl IntoView {
    let editing = RwSignal::new(None);
    provide_context(Editing(editing));
    move || match session::allowed("Get-LgAccount") {
        Ok(()) => view! { <List editing /> }.into_any(),
        Err(why) => view! { <Notice kind=NoticeKind::Info><p>{why}</p></Notice> }.into_any(),
    }
}

#[component]
fn List(editing: RwSignal<Option<AccountView>>) -> impl IntoView {
    let list = use_data::<Vec<AccountView>>(|| "accounts".to_owned(), &[Topic::Directory]);
    let open = Memo::new(move |_| editing.with(Option::is_some));
    let title = Signal::derive(move || {
        editing.with(|e| e.as_ref().map(|a| format!("Change {}", a.name)).unwrap_or_default())
    });
    view! {
        <Shown data=list let:rows>
            <DataTable rows columns=columns() name="accounts" acts=row_acts empty=|| "There is no account." />
        </Shown>
        <NewAccount />
        <Dialog open title on_close=move |()| editing.set(None)>
            <Change editing />
        </Dialog>
    }
}

fn columns() -> Vec<Column<AccountView>> {
    vec![
        Column::<AccountView>::new("Log-on name", |a| a.name.clone()),
        Column::<AccountView>::new("Role", |a| a.role.clone()),
        Column::<AccountView>::new("State", |a| of_enabled(a.enabled).word).shown(state),
        Column::<AccountView>::new("Second factor", |a| {
            if a.second_factor { "on" } else { "off" }.to_owned()
        }),
        Column::<AccountView>::new("Signed in last", |a| {
            a.last_login.map(shared::Timestamp::rfc3339).unwrap_or_default()
        })
        .shown(|a| match a.last_login {
            Some(at) => view! { <TimeAgo at /> }.into_any(),
            None => "never".into_any(),
        }),
    ]
}

/// Whether the person may sign in, and what is missing before.
fn state(a: &AccountView) -> AnyView {
    view! {
        <span class="user-chat">
            <StateBadge state=of_enabled(a.enabled) />
            {a.waiting.clone().map(|w| view! { <small class="muted">{w}</small> })}
        </span>
    }
    .into_any()
}

fn row_acts(a: &AccountView) -> AnyView {
    let (verb, name) = (if a.enabled { "Disable" } else { "Enable" }, a.name.clone());
    let switch = args([("Identity", name.clone().into()), ("Enabled", (!a.enabled).into())]);
    let editing = use_context::<Editing>();
    let account = a.clone();
    view! {
        <button type="button" class="button button-quiet" aria-label=format!("Change {name}") on:click=move |_| {
            if let Some(Editing(e)) = editing {
                e.set(Some(account.clone()));
            }
        }>"Change"</button>
        <ActButton cmdlet="Set-LgAccount" args=switch label=format!("{verb} {name}") short=verb kind=ButtonKind::Quiet />
    }
    .into_any()
}

/// Roles for a list: the standard ones, those of one's own, and the one that the account has.
fn role_options(present: String) -> Signal<Vec<(String, String)>> {
    let own = untrack(|| session::allowed("Get-LgSession"))
        .is_ok()
        .then(|| use_data::<AccessView>(|| "access".to_owned(), &[Topic::Directory]));
    Signal::derive(move || {
        let mut all: Vec<String> = STANDARD.iter().map(|r| (*r).to_owned()).collect();
        if let Some(own) = own {
            own.value.with(|a| all.extend(a.iter().flat_map(|a| a.roles.iter().map(|r| r.name.clone()))));
        }
        if !present.is_empty() && !all.contains(&present) {
            all.push(present.clone());
        }
        all.into_iter().map(|r| (r.clone(), r)).collect()
    })
}

#[component]
fn Change(editing: RwSignal<Option<AccountView>>) -> impl IntoView {
    let Some(account) = editing.get_untracked() else { return ().into_any() };
    let role = RwSignal::new(account.role.clone());
    let password = RwSignal::new(String::new());
    let link = RwSignal::new(false);
    let name = account.name.clone();
    let unlock = account.second_factor.then(|| {
        let remove = args([("Identity", name.clone().into())]);
        let label = format!("Remove the second factor of {name}");
        let done = std::sync::Arc::new(move |_: &_| editing.set(None));
        view! {
            <Section title="Second factor">
                <p class="muted">"For somebody who lost the telephone and the recovery codes."</p>
                <div><ActButton cmdlet="Remove-LgSecondFactor" args=remove label short="Remove the second factor" on_done=done /></div>
            </Section>
        }
    });
    // Only a link that is open has this word; a password to be changed cannot be taken back.
    let unlink = account.waiting.as_deref().is_some_and(|w| w.contains("link")).then(|| {
        let remove = args([("Identity", name.clone().into())]);
        let label = format!("Take the one-time link of {name} back");
        let done = std::sync::Arc::new(move |_: &_| editing.set(None));
        view! { <div><ActButton cmdlet="Remove-LgPasswordLink" args=remove label short="Take the one-time link back" on_done=done /></div> }
    });
    let before = account.role;
    let roles = role_options(before.clone());
    let was = before.clone();
    let arguments = Signal::derive(move || {
        let changed = Some(role.get()).filter(|r| *r != was);
        args([
            ("Identity", name.clone().into()),
            ("Role", changed.into()),
            ("Password", typed(link, password)),
            ("OneTimeLink", link.get().then_some(true).into()),
        ])
    });
    let nothing = Signal::derive(move || {
        (role.read() == before && password.read().is_empty() && !link.get())
            .then(|| "Nothing is changed yet.".to_owned())
    });
    let done = std::sync::Arc::new(move |_: &_| editing.set(None));
    view! {
        <p class="muted">"Its sessions end when the role changes."</p>
        <ActForm cmdlet="Set-LgAccount" args=arguments label=format!("Change {}", account.name) blocked=nothing on_done=done>
            <SelectField label="Role" name="Role" value=role required=true options=roles />
            <CheckField label="Make a one-time link for a new password" name="OneTimeLink" value=link
                help=|| "The present password stops working; the link is shown once and works for 24 hours." />
            {move || (!link.get()).then(|| view! {
                <PasswordField label="New password" name="Password" value=password autocomplete="new-password"
                    help=|| "10 characters at least, to be changed at the next sign-in; left empty, it stays as it is." />
            })}
        </ActForm>
        {unlink}
        {unlock}
    }
    .into_any()
}

/// A typed password, unless a link takes its place.
fn typed(link: RwSignal<bool>, password: RwSignal<String>) -> serde_json::Value {
    if link.get() { serde_json::Value::Null } else { password.get().into() }
}

#[component]
fn NewAccount() -> impl IntoView {
    let name = RwSignal::new(String::new());
    let role = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let link = RwSignal::new(true);
    let arguments = Signal::derive(move || {
        args([
            ("Name", name.get().trim().into()),
            ("Role", role.get().into()),
            ("Password", typed(link, password)),
            ("OneTimeLink", link.get().then_some(true).into()),
        ])
    });
    let label = Signal::derive(move || match name.get().trim() {
        "" => "Create the account".to_owned(),
        n => format!("Create the account {n}"),
    });
    let done = std::sync::Arc::new(move |_: &_| {
        name.set(String::new());
        role.set(String::new());
        password.set(String::new());
    });
    view! {
        <Section title="New account">
            <ActForm cmdlet="New-LgAccount" args=arguments label on_done=done>
                <TextField label="Log-on name" name="Name" value=name required=true />
                <SelectField label="Role" name="Role" value=role required=true options=role_options(String::new())
                    help=|| view! { "What a role may do: "<a href="/settings/roles">"Who can do what"</a>"." } />
                <CheckField label="Make a one-time link" name="OneTimeLink" value=link
                    help=|| "The person sets a password with it; it is shown once and works for 24 hours." />
                {move || (!link.get()).then(|| view! {
                    <PasswordField label="Password" name="Password" value=password autocomplete="new-password"
                        help=|| "10 characters at least, to be changed at the first sign-in. Left empty, one is made and shown once." />
                })}
            </ActForm>
        </Section>
    }
}
