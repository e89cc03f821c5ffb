//! The topology draft: tree, picture, details, new objects; and the published versions.

mod drafts;
mod edit;
mod front_end;
mod layout;
mod live;
mod model;
mod new_object;
mod object;
mod picture;
pub mod place;
mod stores;
mod switcher;
mod table;
mod tree;
mod versions;

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::error::ErrorCode;
use shared::events::Topic;

pub use self::drafts::{OpenDrafts, discard_button, draft_name};
use self::edit::EditObject;
use self::model::removals;
pub use self::new_object::NewObjectPage;
use self::object::Details;
use self::picture::Picture;
use self::switcher::Switcher;
use self::tree::Tree;
pub use self::versions::VersionsPage;
use crate::api::{Current, Data, use_data};
use crate::components::{ButtonKind, Icon, LinkButton, Notice, NoticeKind, Page, Section, Shown};
use crate::nav;
use crate::routes::{Route, segment};

/// Checks and choices that the wizard shares with the forms.
pub mod forms {
    pub use super::new_object::check_fqdn;
    pub use super::stores::{check_file_share, check_named};
}

/// The topology as every page of this part reads it.
pub fn use_topology() -> Data<TopologyView> {
    let draft = nav::use_query("draft");
    let path = move || match draft.get() {
        Some(d) => format!("topology?draft={}", segment(&d)),
        None => "topology".to_owned(),
    };
    use_data(path, &[Topic::Topology, Topic::Draft])
}

/// The page: tree at the left, the whole or the chosen object at the right.
#[component]
pub fn TopologyPage() -> impl IntoView {
    let data = use_topology();
    let missing =
        Memo::new(move |_| data.error.with(|e| e.as_ref().is_some_and(|e| e.code == ErrorCode::NotFound)));
    let name = Memo::new(move |_| data.value.with(|v| v.as_ref().map(|v| v.name.clone())));
    Effect::new(move |_| {
        if missing.get() {
            nav::remember_draft(None);
        } else if let Some(name) = name.get() {
            nav::remember_draft(Some(&name));
        }
    });
    let lead = "A draft is shared by everybody who opens it. Nothing of it runs until it is published.";
    view! {
        <Page title="Topology" lead actions=|| view! {
            <LinkButton label="Versions" href=Route::Versions.href() />
            <LinkButton label="Publish" cmdlet="Publish-CsTopology" href=Route::Publish.href() />
            <LinkButton label="New Persistent Chat Pool" kind=ButtonKind::Primary icon=Some(Icon::Plus) cmdlet="Save-LgDraft" href=Route::WizardStart.href() />
        }>
            {move || missing.get().then(|| view! { <p><LinkButton label="Show the draft main" href="/topology?draft=main" /></p> })}
            <Shown data lines=8 let:view>
                <Content view />
            </Shown>
        </Page>
    }
}

#[component]
fn Content(view: Current<TopologyView>) -> impl IntoView {
    let route = nav::use_route();
    let draft = Memo::new(move |_| view.with(|v| v.draft.clone()));
    let empty = Memo::new(move |_| draft.with(|d| d.sites.is_empty()));
    view! {
        <Switcher view />
        <Banner view />
        <OpenDrafts view />
        <div class="topology">
            <Tree view />
            <div class="topology-main stack">
                {move || match route.get() {
                    Route::TopologyObject(kind, id) => view! {
                        <Details view kind=kind.clone() id=id.clone() />
                        <EditObject view kind id />
                    }.into_any(),
                    _ if empty.get() => first().into_any(),
                    _ => view! { <Section title="Whole topology"><Picture draft /></Section> }.into_any(),
                }}
            </div>
        </div>
    }
}

fn first() -> impl IntoView {
    let new = |kind: &str| Route::TopologyNew(kind.to_owned()).href();
    view! {
        <div class="empty">
            <h2>"Begin with a SIP domain and a site"</h2>
            <p>"Then a Front End pool, which becomes the next hop, and the Persistent Chat pool. Stores can be defined on the way."</p>
            <div class="row">
                <LinkButton label="New SIP domain" kind=ButtonKind::Primary href=new("sip-domain") />
                <LinkButton label="New site" href=new("site") />
            </div>
        </div>
    }
}

/// Most removals that are said above the tree; the page *Publish* has them all.
const REMOVED: usize = 5;

/// What is not published and what is wrong.
#[component]
fn Banner(view: Current<TopologyView>) -> impl IntoView {
    let count = Memo::new(move |_| view.with(|v| v.changes.len()));
    let errors = Memo::new(move |_| view.with(|v| v.problems.iter().filter(|p| p.blocks()).count()));
    let gone = Memo::new(move |_| view.with(removals));
    move || {
        (count.get() > 0).then(|| {
            let text = match count.get() {
                1 => "1 change is not published.".to_owned(),
                n => format!("{n} changes are not published."),
            };
            let wrong = match errors.get() {
                0 => None,
                1 => Some("1 error stands in the way; it is marked in the tree.".to_owned()),
                n => Some(format!("{n} errors stand in the way; they are marked in the tree.")),
            };
            let kind = if wrong.is_some() { NoticeKind::Warning } else { NoticeKind::Info };
            let mut removed = gone.get();
            let more = removed.len().saturating_sub(REMOVED);
            removed.truncate(REMOVED);
            if more > 0 {
                removed.push(format!("{more} more objects are removed."));
            }
            view! {
                <Notice kind>
                    <p>{text}" "{wrong}" "<a href=Route::Publish.href()>"Look at them and publish"</a></p>
                    {(!removed.is_empty()).then(|| view! { <ul>{removed.into_iter().map(|s| view! { <li>{s}</li> }).collect_view()}</ul> })}
                </Notice>
            }
        })
    }
}
