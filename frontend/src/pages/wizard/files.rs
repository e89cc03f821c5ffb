//! The pages *Define the file store* and *Select the next hop pool*. Words: S3 steps 10 and 11.

use leptos::prelude::*;
use shared::topology::draft::FileChoiceKind;
use shared::topology::{Edition, PoolKind};

use super::fields::{PickField, bind, problem, use_wizard};
use crate::components::{LinkButton, Notice, NoticeKind, RadioGroup, TextField};
use crate::pages::topology::place::{PlaceField, PlaceOf};
use crate::routes::Route;

fn value_of(kind: FileChoiceKind) -> &'static str {
    match kind {
        FileChoiceKind::Existing => "existing",
        FileChoiceKind::New => "new",
        FileChoiceKind::LocalPath => "local",
    }
}

fn kind_of(value: &str) -> FileChoiceKind {
    match value {
        "new" => FileChoiceKind::New,
        "local" => FileChoiceKind::LocalPath,
        _ => FileChoiceKind::Existing,
    }
}

/// Where uploaded files are kept.
#[component]
pub fn FileStorePage() -> impl IntoView {
    let w = use_wizard();
    let untouched = w.draft.with_untracked(|d| d.file == shared::topology::draft::FileChoice::default());
    if untouched && w.topology.with_untracked(|t| t.file_stores.is_empty()) {
        w.edit(|d| d.file.kind = FileChoiceKind::New);
    }
    let (how, set_how) =
        bind(w, |d| value_of(d.file.kind).to_owned(), |d, v: String| d.file.kind = kind_of(&v));
    let single = Memo::new(move |_| w.draft.with(|d| d.kind == PoolKind::Single));
    let choices = Signal::derive(move || {
        let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
        let mut all = vec![
            choice("existing", "Use a previously defined file store.", ""),
            choice("new", "Define a new file store.", ""),
        ];
        if single.get() || how.with(|h| h == "local") {
            all.push(choice(
                "local",
                "Use a local file path.",
                "For a single computer pool only: the one server writes there itself.",
            ));
        }
        all
    });
    view! {
        <p class="muted">
            "A file store is a folder where a copy of any file uploaded to the file repository is stored, for example file attachments posted to a chat room."
        </p>
        <RadioGroup label="File store" value=how on_change=set_how options=choices
            help=move || view! { {move || (!single.get()).then_some("A multiple computer pool needs a UNC path, because every server writes there; a local path is for single computer pools.")} } />
        {move || match kind_of(&how.read()) {
            FileChoiceKind::Existing => view! { <Existing /> }.into_any(),
            FileChoiceKind::New => view! { <Define /> }.into_any(),
            FileChoiceKind::LocalPath => view! { <Local /> }.into_any(),
        }}
        <Notice kind=NoticeKind::Warning>
            <p>
                "You can define the file store before you create the share, but the share must exist in the defined location before you publish the topology. \
                 The account that publishes needs read, write and modify on it, and may change its permissions; publishing proves that with a scratch file."
            </p>
        </Notice>
    }
}

#[component]
fn Existing() -> impl IntoView {
    let w = use_wizard();
    let (value, set) = bind(w, |d| d.file.existing.clone(), |d, v| d.file.existing = v);
    let options = Signal::derive(move || {
        w.topology.with(|t| t.file_stores.iter().map(|f| (f.id.to_string(), f.label())).collect::<Vec<_>>())
    });
    view! { <PickField label="Previously defined file store" field="file.existing" value on_change=set options help=|| "Pools may share a file store." /> }
}

#[component]
fn Define() -> impl IntoView {
    let w = use_wizard();
    let (fqdn, set_fqdn) = bind(w, |d| d.file.fqdn.clone(), |d, v| d.file.fqdn = v);
    let (share, set_share) = bind(w, |d| d.file.share.clone(), |d, v| d.file.share = v);
    let (place, set_place) = bind(w, |d| d.file.placement.clone(), |d, v| d.file.placement = v);
    view! {
        <fieldset class="wizard-inset">
            <legend class="visually-hidden">"Define a new file store"</legend>
            <TextField label="File server FQDN" name="file.fqdn" value=fqdn on_change=set_fqdn required=true mono=true check=super::check_fqdn problem=problem(w, "file.fqdn")
                help=|| "For example fs01.contoso.com; not a Front End Server of an Enterprise Edition pool." />
            <TextField label="File share" name="file.share" value=share on_change=set_share required=true mono=true check=super::check_file_share problem=problem(w, "file.share")
                help=|| "The share name only, for example chatfiles." />
            <PlaceField of=PlaceOf::FileStore value=place on_change=set_place />
        </fieldset>
    }
}

#[component]
fn Local() -> impl IntoView {
    let w = use_wizard();
    let (path, set_path) = bind(w, |d| d.file.path.clone(), |d, v| d.file.path = v);
    view! {
        <TextField label="Local file path" name="file.path" value=path on_change=set_path required=true mono=true problem=problem(w, "file.path")
            help=|| "A folder on the pool's computer, for example /srv/chatfiles." />
    }
}

/// The Front End pool that routes requests to this pool.
#[component]
pub fn NextHopPage() -> impl IntoView {
    let w = use_wizard();
    let (value, set) = bind(w, |d| d.next_hop.clone(), |d, v| d.next_hop = v);
    let options = Signal::derive(move || {
        w.topology.with(|t| {
            let words = |p: &shared::topology::FrontEndPool| {
                let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
                let edition = if p.edition == Edition::Standard { ", Standard Edition" } else { "" };
                format!("{}  {site}{edition}", p.fqdn)
            };
            t.front_end_pools.iter().map(|p| (p.id.to_string(), words(p))).collect::<Vec<_>>()
        })
    });
    let none = Memo::new(move |_| options.with(Vec::is_empty));
    view! {
        <p class="muted">"This is the Front End Server pool that will be able to route Persistent Chat Server requests to this pool."</p>
        <PickField label="Next hop pool" field="next_hop" value on_change=set options
            help=|| "Only servers of this Front End pool may connect to the pool's port. Both should stand in the same time zone." />
        {move || none.get().then(|| view! {
            <Notice kind=NoticeKind::Warning>
                <p>"There is no Front End pool yet. This draft is kept while you add one."</p>
                <LinkButton label="New Front End pool" href=Route::TopologyNew("front-end-pool".to_owned()).href() />
            </Notice>
        })}
    }
}
