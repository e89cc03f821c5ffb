//! Settings of the compliance adapter. Source: model §11.

use leptos::prelude::*;
use shared::api::{ComplianceView, TopologyView};
use shared::compliance::seconds;
use shared::events::Topic;

use super::chat::scopes;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, CheckField, Column, DataTable, Section, SelectField, Shown, TextField,
};

/// The list with its form.
#[component]
pub fn Compliance() -> impl IntoView {
    let data =
        use_data::<Vec<ComplianceView>>(|| "compliance".to_owned(), &[Topic::Directory, Topic::Topology]);
    view! {
        <Section title="Compliance adapter">
            <p>"Pools with compliance queue joins, leaves, posts and looks into the history. The adapter writes them as XML files and empties the queue."</p>
            <Shown data let:rows>
                <DataTable rows columns=columns() name="settings of the compliance adapter" plain=true acts=row_acts empty=|| "There are no settings." />
                <Change all=Signal::derive(move || rows.get()) />
            </Shown>
        </Section>
    }
}

fn columns() -> Vec<Column<ComplianceView>> {
    vec![
        Column::<ComplianceView>::new("Identity", |c| c.identity.clone())
            .shown(|c| view! { <span class="mono">{c.identity.clone()}</span> }.into_any()),
        Column::<ComplianceView>::new("Decides for", |c| c.pools.join(", ")),
        Column::<ComplianceView>::new("Writes to", |c| {
            if c.writes { c.directory.clone() } else { "nowhere: no adapter is set".to_owned() }
        }),
        Column::<ComplianceView>::new("Every", |c| c.run_interval.clone()),
    ]
}

fn row_acts(c: &ComplianceView) -> AnyView {
    let (verb, short) = if c.identity == "Global" { ("Reset", "Reset") } else { ("Delete", "Delete") };
    let remove = args([("Identity", c.identity.clone().into())]);
    let label = format!("{verb} the adapter settings {}", c.identity);
    view! {
        <ActButton cmdlet="Remove-CsPersistentChatComplianceConfiguration" args=remove label short=short kind=ButtonKind::Quiet review=true />
    }
    .into_any()
}

#[component]
fn Change(all: Signal<Vec<ComplianceView>>) -> impl IntoView {
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
        <SelectField label="Scope of the adapter" value=scope options required=true />
        {move || {
            let (now, id) = chosen.get();
            (!id.is_empty()).then(|| view! { <Values now identity=id /> })
        }}
    }
}

fn interval(text: &str) -> Result<(), String> {
    match seconds(text) {
        Some(60..=2_592_000) => Ok(()),
        _ => Err("Write 00:01:00 to 30.00:00:00 (days.hours:minutes:seconds).".to_owned()),
    }
}

#[component]
fn Values(now: Option<ComplianceView>, identity: String) -> impl IntoView {
    let verb = if now.is_none() { "New" } else { "Set" };
    let label = match verb {
        "New" => format!("Add adapter settings for {identity}"),
        _ => format!("Change the adapter settings {identity}"),
    };
    let was = now.unwrap_or_else(|| ComplianceView {
        identity: identity.clone(),
        writes: false,
        directory: String::new(),
        run_interval: "00:15:00".to_owned(),
        room_details: false,
        user_details: false,
        file_per_room: false,
        pools: Vec::new(),
    });
    let writes = RwSignal::new(was.writes);
    let directory = RwSignal::new(was.directory);
    let every = RwSignal::new(was.run_interval);
    let (rooms, users, files) =
        (RwSignal::new(was.room_details), RwSignal::new(was.user_details), RwSignal::new(was.file_per_room));
    let arguments = Signal::derive(move || {
        let mut all = args([
            ("Identity", identity.clone().into()),
            ("RunInterval", every.get().trim().into()),
            ("AddChatRoomDetails", rooms.get().into()),
            ("AddUserDetails", users.get().into()),
            ("OneChatRoomPerOutputFile", files.get().into()),
        ]);
        // No adapter and no folder are values, too.
        all.insert("AdapterType".to_owned(), if writes.get() { "XML" } else { "" }.into());
        all.insert("AdapterOutputDirectory".to_owned(), directory.get().trim().into());
        all
    });
    view! {
        <ActForm cmdlet=format!("{verb}-CsPersistentChatComplianceConfiguration") args=arguments label>
            <CheckField label="Write events out as XML" name="AdapterType" value=writes help=|| "Otherwise they stay in the queue." />
            <TextField label="Output folder" name="AdapterOutputDirectory" value=directory mono=true
                help=|| "A folder of its own: \\\\server\\share\\folder of a published file store, or an absolute path on this host." />
            <TextField label="Every" name="RunInterval" value=every mono=true required=true check=interval help=|| "For example 00:15:00." />
            <CheckField label="Details of rooms" name="AddChatRoomDetails" value=rooms help=|| "Name, description and category; the files grow." />
            <CheckField label="Details of users" name="AddUserDetails" value=users help=|| "Name and mail address; the files grow." />
            <CheckField label="A file for each room" name="OneChatRoomPerOutputFile" value=files help=|| "Otherwise one file holds all rooms." />
        </ActForm>
    }
}
