//! Add-ins: web pages that clients show beside a room. Source: model §15.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::{AddinView, PoolSummary};
use shared::configuration::check_url;
use shared::events::Topic;

use super::use_addins;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Section, SelectField, Shown, TextField,
};

/// The list with the form for a new one.
#[component]
pub fn Addins() -> impl IntoView {
    let data = use_addins();
    view! {
        <Shown data lines=4 let:rows>
            <DataTable rows columns=columns() name="add-ins" acts=row_acts empty=|| "No add-in is registered." />
        </Shown>
        <NewAddin />
    }
}

fn columns() -> Vec<Column<AddinView>> {
    vec![
        Column::<AddinView>::new("Add-in", |a| a.name.clone()),
        Column::<AddinView>::new("Address", |a| a.url.clone())
            .shown(|a| view! { <span class="mono">{a.url.clone()}</span> }.into_any()),
        Column::<AddinView>::new("Pool", |a| format!("{} ({})", a.pool_name, a.pool)),
        Column::<AddinView>::new("Rooms", |a| a.rooms.to_string()).number(),
    ]
}

fn row_acts(a: &AddinView) -> AnyView {
    let remove = args([("Identity", a.identity.clone().into())]);
    view! {
        <ActButton cmdlet="Remove-CsPersistentChatAddin" args=remove label=format!("Unregister the add-in {}", a.name) short="Unregister" kind=ButtonKind::Quiet />
    }
    .into_any()
}

#[component]
fn NewAddin() -> impl IntoView {
    let pools = use_data::<Vec<PoolSummary>>(|| "pools".to_owned(), &[Topic::Topology]);
    let options = Signal::derive(move || {
        let all = pools.value.with(|l| l.clone().unwrap_or_default());
        all.into_iter()
            .map(|p| (p.fqdn.to_string(), format!("{} – {}", p.display_name, p.fqdn)))
            .collect::<Vec<_>>()
    });
    let pool = RwSignal::new(String::new());
    let name = RwSignal::new(String::new());
    let url = RwSignal::new(String::new());
    let arguments = Signal::derive(move || {
        args([
            ("Name", name.get().trim().into()),
            ("PersistentChatPoolFqdn", pool.get().into()),
            ("Url", url.get().trim().into()),
        ])
    });
    let label = Signal::derive(move || super::new::created("add-in", &name.read()));
    let done = Arc::new(move |_: &_| {
        name.set(String::new());
        url.set(String::new());
    });
    view! {
        <Section title="New add-in">
            <ActForm cmdlet="New-CsPersistentChatAddin" args=arguments label on_done=done>
                <SelectField label="Pool" name="PersistentChatPoolFqdn" value=pool required=true options />
                <TextField label="Name" name="Name" value=name required=true help=|| "50 characters at most, unique in the pool." />
                <TextField label="Address" name="Url" value=url required=true mono=true check=|u| check_url(u.trim(), 255)
                    help=|| "http or https, for example https://tickets.litwareinc.com." />
            </ActForm>
        </Section>
    }
}
