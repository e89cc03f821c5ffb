//! *New Persistent Chat Pool…*: makes a draft and goes to its first page.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::json;
use shared::api::{TopologyView, WizardDraft};
use shared::error::ApiError;
use shared::roles::EDIT_DRAFT;
use shared::topology::wizard::Page;

use crate::api::Current;
use crate::components::{
    Button, ButtonKind, LinkButton, LoadError, Notice, NoticeKind, Page as PageFrame, Section, Shown,
    Skeleton,
};
use crate::pages::topology::{OpenDrafts, use_topology};
use crate::routes::Route;
use crate::{api, nav, session};

/// The page: begins at once, unless something is missing or other drafts are open.
#[component]
pub fn WizardStart() -> impl IntoView {
    let data = use_topology();
    view! {
        <PageFrame title=super::TITLE>
            <Shown data let:view>
                {choose(view)}
            </Shown>
        </PageFrame>
    }
}

fn choose(view: Current<TopologyView>) -> AnyView {
    if let Err(why) = session::allowed(EDIT_DRAFT) {
        return view! { <Notice kind=NoticeKind::Warning><p>{why}</p></Notice> }.into_any();
    }
    let (sites, open) = view.with_untracked(|v| (v.draft.sites.len(), v.wizards.len()));
    if sites == 0 {
        return view! {
            <div class="empty">
                <h2>"A pool stands on a site, and there is none yet"</h2>
                <p>"Add the site first. A Front End pool is needed as well; it becomes the next hop."</p>
                <LinkButton label="New site" kind=ButtonKind::Primary href=Route::TopologyNew("site".to_owned()).href() />
            </div>
        }
        .into_any();
    }
    if open > 0 {
        return view! {
            <p>"Other pools are being defined. Continue one of them, or begin a new one."</p>
            <OpenDrafts view />
            <Section title="New pool"><Begin at_once=false /></Section>
        }
        .into_any();
    }
    view! { <Begin at_once=true /> }.into_any()
}

/// Makes the draft, at once or when asked to.
#[component]
fn Begin(at_once: bool) -> impl IntoView {
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let begin = move |()| {
        let site = nav::use_query("site").get_untracked().unwrap_or_default();
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer =
                api::post::<WizardDraft>("drafts", &json!({ "site": site, "topology_draft": nav::draft() }))
                    .await;
            let _ = busy.try_set(false);
            match answer {
                // Back leads to the page before, not to another new draft.
                Ok(draft) => nav::replace(&Route::Wizard(draft.id, Page::Fqdn).href()),
                Err(e) => {
                    let _ = error.try_set(Some(e));
                }
            }
        });
    };
    if at_once {
        begin(());
    }
    view! {
        {move || error.get().map(|error| view! { <LoadError error on_retry=begin /> })}
        {if at_once {
            (move || busy.get().then(|| view! { <Skeleton lines=6 /> })).into_any()
        } else {
            view! { <div><Button label="Begin a new pool" kind=ButtonKind::Primary busy on_press=begin /></div> }.into_any()
        }}
    }
}
