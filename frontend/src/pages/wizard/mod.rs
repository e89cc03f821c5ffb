//! The wizard *Define New Persistent Chat Pool*. Its rules stand in `shared::topology::wizard`.

mod computers;
mod early;
mod fields;
mod files;
mod frame;
mod guidance;
mod identity;
mod patches;
mod rail;
mod sentences;
mod so_far;
mod sql;
mod start;
mod state;
mod steps;
mod summary;
mod unsent;

use leptos::prelude::*;
use shared::Timestamp;
use shared::api::{TopologyView, WizardDraft};
use shared::error::ErrorCode;
use shared::topology::wizard::Page;

use self::frame::Frame;
pub use self::start::WizardStart;
use self::state::Wizard;
use crate::api::{Latest, use_data};
use crate::components::{ButtonKind, LinkButton, LoadError, Notice, NoticeKind, Page as PageFrame, Skeleton};
use crate::nav;
use crate::pages::topology::forms::{check_file_share, check_fqdn, check_named};
use crate::pages::topology::use_topology;
use crate::routes::{Route, segment};

const TITLE: &str = "Define New Persistent Chat Pool";

/// A draft's wizard. The page within it follows the address.
#[component]
pub fn WizardPage(
    /// Id of the draft.
    id: String,
) -> impl IntoView {
    let topology = use_topology();
    let finished = RwSignal::new(unsent::finished(&id));
    let path = format!("drafts/{}", segment(&id));
    // The topology lists the open drafts; this one is read again when its time of change moves on, and no
    // more once it is gone.
    let listed = Memo::new(move |_| topology.value.with(|v| v.as_ref().map(|v| changed(v, &id))));
    let version =
        Memo::new(move |old: Option<&Option<Timestamp>>| listed.get().flatten().or(old.copied().flatten()));
    let stored = use_data::<WizardDraft>(
        move || {
            version.track();
            path.clone()
        },
        &[],
    );
    let gone = Memo::new(move |_| listed.get() == Some(None));
    let ready =
        Memo::new(move |_| stored.value.with(Option::is_some) && topology.value.with(Option::is_some));
    let draft =
        Memo::new(move |_| topology.value.with(|v| v.as_ref().map(|v| v.draft.clone()).unwrap_or_default()));
    let error = Memo::new(move |_| stored.error.get().or_else(|| topology.error.get()));
    let retry = move |()| {
        stored.refetch();
        topology.refetch();
    };
    move || {
        match (finished.get(), ready.get()) {
        (Some(fqdn), _) => view! { <Finished fqdn topology=draft /> }.into_any(),
        (None, true) => view! {
            {move || error.get().map(|error| view! { <LoadError error on_retry=retry /> })}
            {move || gone.get().then(|| view! {
                <Notice kind=NoticeKind::Warning>
                    <p>"This draft was finished or discarded meanwhile. "<a href=Route::Topology.href()>"Show the topology"</a></p>
                </Notice>
            })}
            <Pages stored=stored.value topology=draft finished />
        }
        .into_any(),
        (None, false) => view! {
            <PageFrame title=TITLE>
                {move || match error.get() {
                    Some(error) if error.code == ErrorCode::NotFound && stored.error.with(Option::is_some) => done_with(),
                    Some(error) => view! {
                        <LoadError error on_retry=retry />
                        <p><LinkButton label="Show the topology" href=Route::Topology.href() /></p>
                    }.into_any(),
                    None => view! { <Skeleton lines=6 /> }.into_any(),
                }}
            </PageFrame>
        }
        .into_any(),
    }
    }
}

/// When the draft was changed last; none when it is not among the open ones.
fn changed(v: &TopologyView, id: &str) -> Option<Timestamp> {
    v.wizards.iter().find(|w| w.id == id).map(|w| w.updated)
}

/// The pages of a draft that was read.
#[component]
fn Pages(
    stored: Latest<WizardDraft>,
    topology: Memo<shared::topology::Topology>,
    finished: RwSignal<Option<String>>,
) -> impl IntoView {
    let Some(first) = stored.get_untracked() else { return ().into_any() };
    let wizard = Wizard::new(first, topology);
    provide_context(wizard);
    // What another person or another tab changed joins in.
    Effect::new(move |_| {
        if let Some(now) = stored.get() {
            untrack(|| wizard.take(&now));
        }
    });
    let route = nav::use_route();
    let page = Memo::new(move |_| match route.get() {
        Route::Wizard(_, page) => page,
        _ => Page::Fqdn,
    });
    (move || view! { <Frame page=page.get() finished /> }).into_any()
}

/// A draft that is not there any more, and another tab or person has ended it.
fn done_with() -> AnyView {
    view! {
        <Notice>
            <p>"This draft was finished or discarded. A pool that was finished is in the topology draft; nothing of it runs until the topology is published."</p>
        </Notice>
        {ways_on(Route::Topology.href())}
    }
    .into_any()
}

fn ways_on(pool: String) -> AnyView {
    let words = if pool == Route::Topology.href() { "Show the topology" } else { "Show the pool" };
    view! {
        <div class="row">
            <LinkButton label="Publish now" kind=ButtonKind::Primary href=Route::Publish.href() />
            <LinkButton label=words href=pool />
        </div>
    }
    .into_any()
}

/// After *Finish*.
#[component]
fn Finished(fqdn: String, topology: Memo<shared::topology::Topology>) -> impl IntoView {
    let name = fqdn.clone();
    let pool = Memo::new(move |_| {
        let found =
            topology.with(|t| t.pools.iter().find(|p| p.fqdn.as_str() == name).map(|p| p.id.to_string()));
        found.map_or_else(|| Route::Topology.href(), |id| Route::TopologyObject("pool".to_owned(), id).href())
    });
    view! {
        <PageFrame title=format!("{fqdn} is in the topology draft")>
            <Notice kind=NoticeKind::Good>
                <p>"The pool is defined. Nothing runs until the topology is published."</p>
            </Notice>
            {move || ways_on(pool.get())}
        </PageFrame>
    }
}
