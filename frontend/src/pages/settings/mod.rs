//! Accounts of the portal, who is told of problems, who can do what, settings of the chat service, and what
//! this portal is.

mod access;
mod accounts;
mod alert_targets;
mod alerts;
mod backup;
mod chat;
mod clients;
mod compliance;
mod nodes;
mod roles;

use leptos::prelude::*;

use self::access::Access;
use self::accounts::Accounts;
use self::alerts::Alerts;
use self::backup::Backup;
use self::chat::Chat;
use self::clients::Clients;
use self::compliance::Compliance;
use self::nodes::Nodes;
use self::roles::Roles;
use crate::components::{Facts, Page, Tab, Tabs};
use crate::routes::{Route, SettingsTab};
use crate::{nav, session};

/// Whether who is signed in may read what stands on a tab. Reactive.
pub fn readable(tab: SettingsTab) -> bool {
    let cmdlet = match tab {
        SettingsTab::Accounts => "Get-LgAccount",
        SettingsTab::Access => "Get-LgSession",
        SettingsTab::Alerts => "Get-LgAlert",
        SettingsTab::Chat => "Get-CsPersistentChatConfiguration",
        SettingsTab::Clients => "Get-LgCertificate",
        SettingsTab::Nodes => "Get-LgNode",
        SettingsTab::Backup => "Get-LgBackup",
        SettingsTab::Roles | SettingsTab::About => return true,
    };
    session::allowed(cmdlet).is_ok()
}

/// The page.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let route = nav::use_route();
    let tab = Memo::new(move |_| match route.get() {
        Route::Settings(tab) => tab,
        _ => SettingsTab::default(),
    });
    let tabs = Signal::derive(move || {
        SettingsTab::ALL
            .into_iter()
            .filter(|t| readable(*t))
            .map(|t| Tab {
                label: t.label().to_owned(),
                href: Route::Settings(t).href(),
                current: tab.get() == t,
            })
            .collect::<Vec<_>>()
    });
    view! {
        <Page title="Settings">
            <Tabs label="Settings" tabs />
            {move || match tab.get() {
                SettingsTab::Accounts => view! { <Accounts /> }.into_any(),
                SettingsTab::Access => view! { <Access /> }.into_any(),
                SettingsTab::Alerts => view! { <Alerts /> }.into_any(),
                SettingsTab::Roles => view! { <Roles /> }.into_any(),
                SettingsTab::Chat => view! { <Chat /><Compliance /> }.into_any(),
                SettingsTab::Clients => view! { <Clients /> }.into_any(),
                SettingsTab::Nodes => view! { <Nodes /> }.into_any(),
                SettingsTab::Backup => view! { <Backup /> }.into_any(),
                SettingsTab::About => view! { <About /> }.into_any(),
            }}
        </Page>
    }
}

#[component]
fn About() -> impl IntoView {
    let session = session::use_session();
    move || {
        session.get().map(|s| {
            let account = s.account.as_ref();
            let roles = account.map(|a| a.roles.join(", ")).unwrap_or_default();
            view! {
                <Facts facts=vec![
                    ("Product", "Lifeguard".into_any()),
                    ("Version", s.version.clone().into_any()),
                    ("Instance", s.instance.clone().into_any()),
                    ("Signed in as", account.map(|a| a.name.clone()).into_any()),
                    ("Roles", roles.into_any()),
                ] />
            }
        })
    }
}
