//! Every published version of the topology: what it changed, who published it and why.

use leptos::prelude::*;
use shared::api::VersionInfo;
use shared::events::Topic;

use crate::api::use_data;
use crate::components::{LinkButton, Page, Shown, TimeAgo};
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
        </Page>
    }
}

fn version(v: VersionInfo, newest: u64) -> AnyView {
    let n = v.sentences.len();
    let current = v.version == newest;
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
        </li>
    }
    .into_any()
}
