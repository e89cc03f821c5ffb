//! The dialog of one user: policy, name and home, password, deletion.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared::api::UserView;

use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, CheckField, PasswordField, Section, SelectField, TextField,
};

/// What can be changed of a user.
#[component]
pub fn ChangeUser(
    /// The user.
    user: UserView,
    /// User policies: name and words.
    policies: Memo<Vec<(String, String)>>,
    /// Front End pools: FQDN and words.
    homes: Memo<Vec<(String, String)>>,
    /// Called once something was changed.
    done: Callback<()>,
) -> impl IntoView {
    let identity = user.sip_address.to_string();
    let remove = args([("Identity", identity.clone().into())]);
    let name = user.display_name.clone();
    view! {
        <Grant user=user.clone() policies done />
        <NameAndHome user homes done />
        <NewPassword identity name=name.clone() done />
        <Section title="Delete">
            <p class="muted">"Messages that the user wrote stay."</p>
            <div>
                <ActButton cmdlet="Remove-LgUser" args=remove label=format!("Delete the user {name}") short="Delete the user"
                    kind=ButtonKind::Danger on_done=Arc::new(move |_: &_| done.run(())) />
            </div>
        </Section>
        <footer class="dialog-foot">
            <crate::components::Button label="Close" on_press=move |()| done.run(()) />
        </footer>
    }
}

/// *Grant*: a user policy, or none, so that site or global decides.
#[component]
fn Grant(user: UserView, policies: Memo<Vec<(String, String)>>, done: Callback<()>) -> impl IntoView {
    let before = user.policy.clone().unwrap_or_default();
    let policy = RwSignal::new(before.clone());
    let (identity, name) = (user.sip_address.to_string(), user.display_name.clone());
    let arguments = Signal::derive(move || -> Map<String, Value> {
        args([("Identity", identity.clone().into()), ("PolicyName", policy.get().into())])
    });
    let nothing = Signal::derive(move || {
        policy.with(|p| *p == before).then(|| "This policy is granted already.".to_owned())
    });
    let label = Signal::derive(move || match policy.get().as_str() {
        "" => format!("Take the user policy of {name} away"),
        p => format!("Grant {p} to {name}"),
    });
    let text = format!(
        "Now {}, decided by the {}. A user policy goes before the site's, and that before the global one.",
        if user.chat_enabled {
            "allowed to use Persistent Chat"
        } else {
            "not allowed to use Persistent Chat"
        },
        user.decided_by
    );
    view! {
        <Section title="Persistent Chat policy">
            <p class="muted">{text}</p>
            <ActForm cmdlet="Grant-CsPersistentChatPolicy" args=arguments label blocked=nothing on_done=Arc::new(move |_: &_| done.run(()))>
                <SelectField label="User policy" name="PolicyName" value=policy options=policies none="<Automatic> – site or global decides" />
            </ActForm>
        </Section>
    }
}

#[component]
fn NameAndHome(user: UserView, homes: Memo<Vec<(String, String)>>, done: Callback<()>) -> impl IntoView {
    let name = RwSignal::new(user.display_name.clone());
    let home = RwSignal::new(user.registrar_pool.clone());
    let unit = RwSignal::new(user.ou.clone());
    let label = format!("Change {}", user.display_name);
    let arguments = Signal::derive(move || {
        let changed = |now: String, was: &str| Some(now).filter(|n| n != was);
        let mut all = args([
            ("Identity", user.sip_address.to_string().into()),
            ("DisplayName", changed(name.get().trim().to_owned(), &user.display_name).into()),
            ("RegistrarPool", changed(home.get(), &user.registrar_pool).into()),
        ]);
        // No unit is a value, too.
        if let Some(unit) = changed(unit.get().trim().to_owned(), &user.ou) {
            all.insert("OU".to_owned(), unit.into());
        }
        all
    });
    let nothing =
        Signal::derive(move || (arguments.with(Map::len) == 1).then(|| "Nothing is changed yet.".to_owned()));
    view! {
        <Section title="Name, home and unit">
            <ActForm cmdlet="Set-LgUser" args=arguments label blocked=nothing on_done=Arc::new(move |_: &_| done.run(()))>
                <TextField label="Display name" name="DisplayName" value=name required=true />
                <SelectField label="Home Front End pool" name="RegistrarPool" value=home required=true options=homes />
                <TextField label="Organizational unit" name="OU" value=unit mono=true check=check_unit
                    help=|| "For example OU=Sales,DC=litwareinc,DC=com. Categories and rooms may name it and everyone in it." />
            </ActForm>
        </Section>
    }
}

fn check_unit(text: &str) -> Result<(), String> {
    shared::dn::check(text).map(drop).map_err(|e| e.0)
}

#[component]
fn NewPassword(identity: String, name: String, done: Callback<()>) -> impl IntoView {
    let password = RwSignal::new(String::new());
    let link = RwSignal::new(false);
    let arguments = Signal::derive(move || {
        let typed = if link.get() { Value::Null } else { password.get().into() };
        let asked = link.get().then_some(true).into();
        args([("Identity", identity.clone().into()), ("Password", typed), ("OneTimeLink", asked)])
    });
    let label = Signal::derive(move || {
        if link.get() { format!("Make a link for {name}") } else { format!("Give {name} a new password") }
    });
    view! {
        <Section title="Password">
            <ActForm cmdlet="Reset-LgUserPassword" args=arguments label on_done=Arc::new(move |_: &_| done.run(()))>
                <CheckField label="Make a one-time link" name="OneTimeLink" value=link
                    help=|| "The user sets a new password with it; it is shown once and works for 24 hours. The old one stops working." />
                {move || (!link.get()).then(|| view! {
                    <PasswordField label="New password" name="Password" value=password autocomplete="new-password"
                        help=|| "8 characters at least. Left empty, one is made and shown once. The old one stops working." />
                })}
            </ActForm>
        </Section>
    }
}
