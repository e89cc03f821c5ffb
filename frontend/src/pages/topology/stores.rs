//! The forms for SQL Server stores and file stores.

use std::sync::Arc;

use leptos::prelude::*;
use shared::Fqdn;
use shared::names::{check_instance, check_share};
use shared::plan::CmdletResponse;
use shared::topology::{FileStore, Placement, SqlStore, Topology};

use super::new_object::{check_fqdn, named, to_topology, trial, trial_id};
use super::place::{PlaceField, PlaceOf, word};
use crate::app::app;
use crate::components::act::args;
use crate::components::{Act, ActForm, CheckField, Notice, RadioGroup, TextField};
use crate::routes::Route;
use crate::{dom, nav};

/// *Define New SQL Store*.
#[component]
pub fn NewSqlStore(
    /// The draft.
    draft: Memo<Topology>,
) -> impl IntoView {
    let fqdn = RwSignal::new(String::new());
    let named_instance = RwSignal::new("default".to_owned());
    let instance = RwSignal::new(String::new());
    let place = RwSignal::new(Placement::RunHere);
    let given = Signal::derive(move || {
        named_instance.with(|n| n == "named").then(|| instance.get().trim().to_owned())
    });
    let arguments = Signal::derive(move || {
        args([
            ("Fqdn", fqdn.get().trim().into()),
            ("Instance", given.get().into()),
            ("Placement", word(&place.read()).into()),
        ])
    });
    let label = Signal::derive(move || {
        let name = match given.get().filter(|i| !i.is_empty()) {
            Some(instance) => format!("{}\\{instance}", fqdn.read().trim()),
            None => fqdn.get(),
        };
        named("Add the SQL Server store", &name)
    });
    let problem = Signal::derive(move || {
        let store = SqlStore {
            id: trial_id(),
            fqdn: Fqdn::try_from(fqdn.get()).ok()?,
            instance: given.get(),
            // Until a node is chosen its own field says so.
            placement: Some(place.get()).filter(|p| *p != Placement::Node(String::new()))?,
        };
        draft
            .with(|d| trial(d, |t| t.sql_stores.push(store)))
            .filter(|_| given.with(|g| g.as_ref().is_none_or(|g| check_instance(g).is_ok())))
    });
    view! {
        <ActForm cmdlet="New-LgSqlStore" args=arguments label on_done=to_topology() cancel=Route::Topology.href()>
            <TextField label="SQL Server FQDN" name="Fqdn" value=fqdn required=true mono=true check=check_fqdn problem
                help=|| "One database server holds one mgc and one mgccomp database." />
            <RadioGroup label="Instance" value=named_instance options=instances() />
            {move || given.with(Option::is_some).then(|| view! {
                <TextField label="Instance name" name="Instance" value=instance required=true mono=true check=check_named
                    help=|| "The name only, without the server before it." />
            })}
            <PlaceField of=PlaceOf::SqlStore value=place />
        </ActForm>
    }
}

/// Default Instance or Named Instance.
fn instances() -> Vec<(String, String, String)> {
    let choice = |v: &str, words: &str| (v.to_owned(), words.to_owned(), String::new());
    vec![choice("default", "Default Instance"), choice("named", "Named Instance")]
}

/// The check of an instance name for a field.
pub fn check_named(text: &str) -> Result<(), String> {
    check_instance(text).map(drop).map_err(|e| e.0)
}

/// The check of a share name for a field.
pub fn check_file_share(text: &str) -> Result<(), String> {
    check_share(text).map(drop).map_err(|e| e.0)
}

/// The form for a file store.
#[component]
pub fn NewFileStore(
    /// The draft.
    draft: Memo<Topology>,
) -> impl IntoView {
    let fqdn = RwSignal::new(String::new());
    let share = RwSignal::new(String::new());
    let place = RwSignal::new(Placement::RunHere);
    let make = RwSignal::new(true);
    let here = Memo::new(move |_| place.with(|p| *p == Placement::RunHere));
    let store = move || {
        Some(FileStore {
            id: trial_id(),
            fqdn: Fqdn::try_from(fqdn.get()).ok()?,
            share: check_share(&share.read()).ok()?,
            placement: place.get(),
        })
    };
    let arguments = Signal::derive(move || {
        args([
            ("Fqdn", fqdn.get().trim().into()),
            ("Share", share.get().trim().into()),
            ("Placement", word(&place.read()).into()),
        ])
    });
    let label =
        Signal::derive(move || named("Add the file store", &store().map(|s| s.label()).unwrap_or_default()));
    let problem =
        Signal::derive(move || store().and_then(|s| draft.with(|d| trial(d, |t| t.file_stores.push(s)))));
    let done = Arc::new(move |_: &CmdletResponse| {
        if let Some(s) = untrack(store).filter(|_| here.get_untracked() && make.get_untracked()) {
            let label = s.label();
            let folder = Act::new(
                "New-LgFileShare",
                args([("Identity", label.clone().into())]),
                format!("Create the folder of {label}"),
            );
            // One act at a time: the next begins when this one is closed.
            dom::after_frame(move || app().acts.start(folder));
        }
        nav::navigate_to(&Route::Topology);
    });
    view! {
        <ActForm cmdlet="New-LgFileStore" args=arguments label on_done=done cancel=Route::Topology.href()>
            <TextField label="File server FQDN" name="Fqdn" value=fqdn required=true mono=true check=check_fqdn
                help=|| "Not a Front End Server of an Enterprise Edition pool." />
            <TextField label="File share" name="Share" value=share required=true mono=true check=check_file_share problem
                help=|| "The share name only, for example chatfiles." />
            <PlaceField of=PlaceOf::FileStore value=place />
            <Notice><p>"The file store may be defined before the share exists. The share must exist before the topology is published."</p></Notice>
            {move || here.get().then(|| view! {
                <CheckField label="Create the folder now" value=make help=|| "Otherwise create it later, at the file store or while publishing." />
            })}
        </ActForm>
    }
}
