//! The pages *Define the file store* and *Select the next hop pool*. Words: S3 steps 10 and 11.

use leptos::prelude::*;
use shared::topology::draft::FileChoice;
use shared::topology::{Edition, FileStore, FrontEndPool, PoolKind};

use super::fields::{PickField, place, problem, text, use_wizard};
use crate::components::{LinkButton, Notice, NoticeKind, RadioGroup, TextField};
use crate::pages::topology::place::{PlaceField, PlaceOf};
use crate::routes::Route;

/// Where uploaded files are kept.
#[component]
pub fn FileStorePage() -> impl IntoView {
    let w = use_wizard();
    let untouched = w.draft.read_untracked().file == FileChoice::default();
    if untouched && w.topology.read_untracked().file_stores.is_empty() {
        w.put("file.kind", "new".into());
    }
    let (how, set_how) = text(w, "file.kind");
    let single = move || w.draft.read().kind == PoolKind::Single;
    let choices = Signal::derive(move || {
        let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
        let mut all = vec![
            choice("existing", "Use a previously defined file store.", ""),
            choice("new", "Define a new file store.", ""),
        ];
        if single() || *how.read() == "local_path" {
            let text = "For a single computer pool only: the one server writes there itself.";
            all.push(choice("local_path", "Use a local file path.", text));
        }
        all
    });
    let unc = "A multiple computer pool needs a UNC path, because every server writes there; a local path is for single computer pools.";
    view! {
        <p class="muted">
            "A file store is a folder where a copy of any file uploaded to the file repository is stored, for example file attachments posted to a chat room."
        </p>
        <RadioGroup label="File store" value=how on_change=set_how options=choices
            help=move || view! { {move || (!single()).then_some(unc)} } />
        {move || match how.get().as_str() {
            "new" => view! { <Define /> }.into_any(),
            "local_path" => view! { <Local /> }.into_any(),
            _ => view! { <Existing /> }.into_any(),
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
    let (value, set) = text(w, "file.existing");
    let words = |f: &FileStore| (f.id.to_string(), f.label());
    let options = Signal::derive(move || w.topology.read().file_stores.iter().map(words).collect::<Vec<_>>());
    view! { <PickField label="Previously defined file store" field="file.existing" value on_change=set options help=|| "Pools may share a file store." /> }
}

#[component]
fn Define() -> impl IntoView {
    let w = use_wizard();
    let (fqdn, set_fqdn) = text(w, "file.fqdn");
    let (share, set_share) = text(w, "file.share");
    let (at, set_at) = place(w, "file.placement");
    view! {
        <fieldset class="wizard-inset">
            <legend class="visually-hidden">"Define a new file store"</legend>
            <TextField label="File server FQDN" name="file.fqdn" value=fqdn on_change=set_fqdn required=true mono=true check=super::check_fqdn problem=problem(w, "file.fqdn")
                help=|| "For example fs01.contoso.com; not a Front End Server of an Enterprise Edition pool." />
            <TextField label="File share" name="file.share" value=share on_change=set_share required=true mono=true check=super::check_file_share problem=problem(w, "file.share")
                help=|| "The share name only, for example chatfiles." />
            <PlaceField of=PlaceOf::FileStore value=at on_change=set_at />
        </fieldset>
    }
}

#[component]
fn Local() -> impl IntoView {
    let w = use_wizard();
    let (path, set_path) = text(w, "file.path");
    view! {
        <TextField label="Local file path" name="file.path" value=path on_change=set_path required=true mono=true problem=problem(w, "file.path")
            help=|| "A folder on the pool's computer, for example /srv/chatfiles." />
    }
}

/// The Front End pool that routes requests to this pool.
#[component]
pub fn NextHopPage() -> impl IntoView {
    let w = use_wizard();
    let (value, set) = text(w, "next_hop");
    let options = Signal::derive(move || {
        let t = w.topology.read();
        let words = |p: &FrontEndPool| {
            let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
            let edition = if p.edition == Edition::Standard { ", Standard Edition" } else { "" };
            (p.id.to_string(), format!("{}  {site}{edition}", p.fqdn))
        };
        t.front_end_pools.iter().map(words).collect::<Vec<_>>()
    });
    let none = move || w.topology.read().front_end_pools.is_empty();
    view! {
        <p class="muted">"This is the Front End Server pool that will be able to route Persistent Chat Server requests to this pool."</p>
        <PickField label="Next hop pool" field="next_hop" value on_change=set options
            help=|| "Only servers of this Front End pool may connect to the pool's port. Both should stand in the same time zone." />
        {move || none().then(|| view! {
            <Notice kind=NoticeKind::Warning>
                <p>"There is no Front End pool yet. This draft is kept while you add one."</p>
                <LinkButton label="New Front End pool" href=Route::TopologyNew("front-end-pool".to_owned()).href() />
            </Notice>
        })}
    }
}
