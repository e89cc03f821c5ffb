//! Which draft one is in, the others, and a new one.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::{DraftInfo, TopologyView};

use crate::api::Current;
use crate::components::act::{OnDone, args};
use crate::components::query::text;
use crate::components::{ActButton, ActForm, ButtonKind, TextField, TimeAgo};
use crate::nav;
use crate::routes::segment;

/// The draft in the address with its facts; opened, the list of all.
#[component]
pub fn Switcher(
    /// The topology.
    view: Current<TopologyView>,
) -> impl IntoView {
    let drafts = Memo::new(move |_| view.with(|v| v.drafts.clone()));
    let name = Memo::new(move |_| view.with(|v| v.name.clone()));
    let moved = Memo::new(move |_| view.with(|v| v.merge.as_ref().map(|m| m.version)));
    let others = move || match drafts.with(Vec::len) {
        0 | 1 => "Begin another one".to_owned(),
        n => format!("{n} drafts"),
    };
    view! {
        <details class="card switcher">
            <summary>
                "Draft "<strong class="mono">{name}</strong>
                {move || moved.get().map(|n| view! { <span class="mark mark-changed">{format!("version {n} was published since")}</span> })}
                <span class="muted">{others}</span>
            </summary>
            <ul class="drafts" role="list">
                {move || drafts.get().into_iter().map(|d| line(d, &name.read())).collect_view()}
            </ul>
            <New />
            {move || (name.get() != "main").then(|| view! { <Rename name=name.get() /> })}
        </details>
    }
}

fn href(name: &str) -> String {
    format!("/topology?draft={}", segment(name))
}

fn line(d: DraftInfo, here: &str) -> AnyView {
    let main = d.name == "main";
    let drop = args([("Identity", d.name.clone().into())]);
    let gone: OnDone = Arc::new(|_| nav::navigate(&href("main")));
    let from = d.base.map_or_else(|| "from nothing".to_owned(), |n| format!("from version {n}"));
    view! {
        <li class="draft-line">
            <a class="draft-name mono" href=href(&d.name) aria-current=(d.name == here).then_some("true")>{d.name.clone()}</a>
            <span class="muted">
                {(!d.author.is_empty()).then(|| view! { "begun by "{d.author}", changed "<TimeAgo at=d.updated />", " })}
                {from}
                {d.moved.then_some("; another version was published since")}
            </span>
            {(!main).then(|| view! {
                <span class="row"><ActButton cmdlet="Remove-LgTopologyDraft" args=drop label=format!("Drop the draft {}", d.name) short="Drop" kind=ButtonKind::Quiet on_done=gone /></span>
            })}
        </li>
    }
    .into_any()
}

/// Goes to the draft that an act names.
fn to_named() -> OnDone {
    Arc::new(|r| {
        if let Some(o) = r.output.first() {
            nav::navigate(&href(text(o, "Identity")));
        }
    })
}

#[component]
fn New() -> impl IntoView {
    let name = RwSignal::new(String::new());
    let arguments = Signal::derive(move || args([("Name", name.get().trim().into())]));
    view! {
        <ActForm cmdlet="New-LgTopologyDraft" args=arguments label="Begin a draft" on_done=to_named()>
            <TextField label="Name of a new draft" name="Name" value=name mono=true required=true
                help=|| "It begins from what is published. Letters, digits, hyphens, dots and underscores." />
        </ActForm>
    }
}

#[component]
fn Rename(name: String) -> impl IntoView {
    let new = RwSignal::new(name.clone());
    let label = format!("Rename the draft {name}");
    let arguments = Signal::derive(move || {
        args([("Identity", name.clone().into()), ("NewName", new.get().trim().into())])
    });
    view! {
        <ActForm cmdlet="Rename-LgTopologyDraft" args=arguments label on_done=to_named()>
            <TextField label="Another name for this draft" name="NewName" value=new mono=true required=true />
        </ActForm>
    }
}
