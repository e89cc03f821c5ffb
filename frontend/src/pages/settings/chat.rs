//! Settings of the chat service: global, of sites, of pools. Source: model §10.

use leptos::prelude::*;
use serde_json::Value;
use shared::api::{ConfigurationView, TopologyView};
use shared::configuration::check_url;
use shared::events::Topic;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Notice, Section, SelectField, Shown, TextField,
};

/// The tab.
#[component]
pub fn Chat() -> impl IntoView {
    let data = use_data::<Vec<ConfigurationView>>(
        || "configurations".to_owned(),
        &[Topic::Directory, Topic::Topology],
    );
    view! {
        <Notice>
            <p>"Settings of a pool go before those of its site, and those before the global ones. Running servers follow a change at once."</p>
        </Notice>
        <Shown data let:rows>
            <DataTable rows columns=columns() name="settings of the chat service" acts=row_acts empty=|| "There are no settings." />
            <Change all=Signal::derive(move || rows.get()) />
        </Shown>
    }
}

fn columns() -> Vec<Column<ConfigurationView>> {
    vec![
        Column::<ConfigurationView>::new("Identity", |c| c.identity.clone())
            .shown(|c| view! { <span class="mono">{c.identity.clone()}</span> }.into_any()),
        Column::<ConfigurationView>::new("Decides for", |c| c.pools.join(", ")),
        Column::<ConfigurationView>::new("Chat history", |c| c.default_chat_history.to_string()).number(),
        Column::<ConfigurationView>::new("Roster limit", |c| c.participant_update_limit.to_string()).number(),
        Column::<ConfigurationView>::new("Largest file (KB)", |c| c.max_file_size_kb.to_string()).number(),
        Column::<ConfigurationView>::new("Room management", |c| {
            c.room_management_url.clone().unwrap_or_default()
        }),
    ]
}

fn row_acts(c: &ConfigurationView) -> AnyView {
    let (verb, short) = if c.identity == "Global" { ("Reset", "Reset") } else { ("Delete", "Delete") };
    let remove = args([("Identity", c.identity.clone().into())]);
    view! {
        <ActButton cmdlet="Remove-CsPersistentChatConfiguration" args=remove label=format!("{verb} the settings {}", c.identity) short=short
            kind=ButtonKind::Quiet review=true />
    }
    .into_any()
}

/// Chooses a scope, then its form: changed when it has settings, created when it has none.
#[component]
fn Change(all: Signal<Vec<ConfigurationView>>) -> impl IntoView {
    let topology = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    let scope = RwSignal::new("Global".to_owned());
    let options = Signal::derive(move || {
        let ids = all.get().into_iter().map(|c| c.identity).collect();
        topology.value.with(|t| scopes(ids, t.as_ref()))
    });
    let chosen = Memo::new(move |_| {
        let id = scope.get();
        (all.get().into_iter().find(|c| c.identity == id), id)
    });
    view! {
        <Section title="Change or add settings">
            <SelectField label="Scope" value=scope options required=true help=|| "Everywhere, a site, or one pool." />
            {move || {
                let (now, id) = chosen.get();
                (!id.is_empty()).then(|| view! { <Values now identity=id /> })
            }}
        </Section>
    }
}

/// The scopes for a choice: those that have settings, then sites and pools that have none.
pub fn scopes(mut ids: Vec<String>, t: Option<&TopologyView>) -> Vec<(String, String)> {
    if let Some(t) = t {
        let sites = t.published.sites.iter().map(|s| format!("Site:{}", s.site_id));
        let pools = t.published.pools.iter().map(|p| format!("Service:PersistentChatServer:{}", p.fqdn));
        for id in sites.chain(pools) {
            if !ids.iter().any(|i| i.eq_ignore_ascii_case(&id)) {
                ids.push(id);
            }
        }
    }
    ids.into_iter().map(|i| (i.clone(), i)).collect()
}

fn number(text: &str) -> Result<(), String> {
    text.trim().parse::<u32>().map(drop).map_err(|_| "Write a whole number.".to_owned())
}

fn history(text: &str) -> Result<(), String> {
    match text.trim().parse::<u32>() {
        Ok(1..=500) => Ok(()),
        _ => Err("Write a number from 1 to 500.".to_owned()),
    }
}

#[component]
fn Values(now: Option<ConfigurationView>, identity: String) -> impl IntoView {
    let new = now.is_none();
    let was = now.unwrap_or_else(|| ConfigurationView {
        identity: identity.clone(),
        default_chat_history: 30,
        max_file_size_kb: 20_000,
        participant_update_limit: 75,
        room_management_url: None,
        pools: Vec::new(),
    });
    let shown = |n: u32| RwSignal::new(n.to_string());
    let (count, limit, size) =
        (shown(was.default_chat_history), shown(was.participant_update_limit), shown(was.max_file_size_kb));
    let url = RwSignal::new(was.room_management_url.clone().unwrap_or_default());
    let label =
        if new { format!("Add settings for {identity}") } else { format!("Change the settings {identity}") };
    let arguments = Signal::derive(move || {
        let changed = |now: RwSignal<String>, was: u32| -> Value {
            now.read().trim().parse::<u32>().ok().filter(|n| new || *n != was).into()
        };
        let mut all = args([
            ("Identity", identity.clone().into()),
            ("DefaultChatHistory", changed(count, was.default_chat_history)),
            ("ParticipantUpdateLimit", changed(limit, was.participant_update_limit)),
            ("MaxFileSizeKB", changed(size, was.max_file_size_kb)),
        ]);
        let address = url.get().trim().to_owned();
        // No address is a value, too.
        if address != was.room_management_url.as_deref().unwrap_or_default() {
            all.insert("RoomManagementUrl".to_owned(), address.into());
        }
        all
    });
    let nothing = Signal::derive(move || {
        (arguments.with(serde_json::Map::len) == 1).then(|| "Nothing is changed yet.".to_owned())
    });
    let cmdlet = if new { "New-CsPersistentChatConfiguration" } else { "Set-CsPersistentChatConfiguration" };
    view! {
        <ActForm cmdlet args=arguments label blocked=nothing>
            <TextField label="Chat history" name="DefaultChatHistory" value=count kind="number" required=true check=history
                help=|| "Messages that a client gets when it enters a room, 1 to 500." />
            <TextField label="Roster limit" name="ParticipantUpdateLimit" value=limit kind="number" required=true check=number
                help=|| "Above so many participants a room's roster is not updated any more." />
            <TextField label="Largest file (KB)" name="MaxFileSizeKB" value=size kind="number" required=true check=number />
            <TextField label="Room management" name="RoomManagementUrl" value=url mono=true check=|u| check_url(u.trim(), 2048)
                help=|| "Address of a page where users manage rooms, http or https; left empty, there is none." />
        </ActForm>
    }
}
