//! Every published version of the topology: what it changed, who published it and why.

use leptos::prelude::*;
use shared::api::VersionInfo;
use shared::events::Topic;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::query::text;
use crate::components::{
    ActButton, ActForm, LinkButton, Page, QueryButton, Section, Shown, TextField, TimeAgo,
};
use crate::dom;
use crate::routes::Route;

/// The page.
#[component]
pub fn VersionsPage() -> impl IntoView {
    let data = use_data::<Vec<VersionInfo>>(|| "topology/versions".to_owned(), &[Topic::Topology]);
    let lead = "A version is never changed. Publishing adds one; what runs follows the newest.";
    view! {
        <Page title="Versions" lead>
            <Shown data lines=6 let:list>
                {move || {
                    let versions = list.get();
                    if versions.is_empty() {
                        view! {
                            <div class="empty">
                                <h2>"Nothing has been published yet"</h2>
                                <p>"The first publish makes version 1."</p>
                                <LinkButton label="Look at the draft" href=Route::Topology.href() />
                            </div>
                        }.into_any()
                    } else {
                        let newest = versions[0].version;
                        view! {
                            <ol class="versions" role="list" reversed=true>
                                {versions.into_iter().map(|v| version(v, newest)).collect_view()}
                            </ol>
                        }.into_any()
                    }
                }}
            </Shown>
            <Import />
        </Page>
    }
}

fn version(v: VersionInfo, newest: u64) -> AnyView {
    let n = v.sentences.len();
    let current = v.version == newest;
    let number = u32::try_from(v.version).unwrap_or(u32::MAX);
    let changes = if n == 1 { "1 change".to_owned() } else { format!("{n} changes") };
    view! {
        <li class="card version">
            <header class="version-head">
                <h2>{format!("Version {}", v.version)}</h2>
                {current.then(|| view! { <span class="mark mark-new">"published now"</span> })}
                <span class="muted">{v.author}", "<TimeAgo at=v.at /></span>
            </header>
            {(!v.comment.is_empty()).then(|| view! { <p class="version-comment">{v.comment}</p> })}
            <details open=current>
                <summary>{changes}</summary>
                <ul>{v.sentences.into_iter().map(|s| view! { <li>{s}</li> }).collect_view()}</ul>
            </details>
            <div class="row">
                <QueryButton cmdlet="Compare-LgTopology" args=args([("Reference", number.into())]) label="Compare with the draft" draw=Box::new(sentences) />
                <QueryButton cmdlet="Export-LgTopology" args=args([("Version", number.into())]) label="Save as JSON" draw=Box::new(save) />
                {(!current).then(|| view! {
                    <ActButton cmdlet="Restore-LgTopologyVersion" args=args([("Identity", number.into())]) label=format!("Load version {number} into the draft") short="Roll back to this" on_done=to_publish() />
                })}
            </div>
        </li>
    }
    .into_any()
}

fn to_publish() -> crate::components::act::OnDone {
    std::sync::Arc::new(|_| crate::nav::navigate_to(&Route::Publish))
}

/// What differs, a sentence each.
fn sentences(list: Vec<serde_json::Value>) -> AnyView {
    if list.is_empty() {
        return view! { <p>"The draft equals this version."</p> }.into_any();
    }
    view! { <ul>{list.iter().map(|o| view! { <li>{text(o, "Sentence").to_owned()}</li> }).collect_view()}</ul> }
        .into_any()
}

fn save(list: Vec<serde_json::Value>) -> AnyView {
    if let Some(o) = list.first() {
        dom::download("topology.json", "application/json", text(o, "Document"));
    }
    view! { <p>"topology.json is saved."</p> }.into_any()
}

/// Reads a document into the draft.
#[component]
fn Import() -> impl IntoView {
    let document = RwSignal::new(String::new());
    let arguments = Signal::derive(move || args([("Document", document.get().into())]));
    view! {
        <Section title="Import a topology">
            <ActForm cmdlet="Import-LgTopology" args=arguments label="Replace the draft by this document" on_done=to_publish()>
                <TextField label="Document" name="Document" value=document required=true mono=true rows=6
                    help=|| "JSON as Save as JSON writes it. It goes into the draft; nothing runs until it is published." />
            </ActForm>
        </Section>
    }
}
