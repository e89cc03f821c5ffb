//! The tree of the draft, in the order of Topology Builder's.

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::topology::diff::ObjectKind;

use super::model::{Mark, Node, nodes, of_site, slug};
use crate::api::Current;
use crate::components::Icon;
use crate::components::copy::breakable;
use crate::nav;
use crate::routes::Route;

/// The tree; every object is a link to its details.
#[component]
pub fn Tree(
    /// The topology.
    view: Current<TopologyView>,
) -> impl IntoView {
    let route = nav::use_route();
    view! {
        <nav class="tree card" aria-label="Topology">
            {move || view.with(|v| route.with(|r| branches(v, r)))}
        </nav>
    }
}

fn branches(v: &TopologyView, here: &Route) -> AnyView {
    let list = |kind| nodes(v, kind);
    let sites = list(ObjectKind::Site);
    view! {
        <a class="tree-top" href=Route::Topology.href() aria-current=(*here == Route::Topology).then_some("page")>
            {Icon::Topology.draw()}"Whole topology"
        </a>
        {group("SIP domains", "New SIP domain", new("sip-domain"), leaves(&list(ObjectKind::SipDomain), here))}
        {group("Sites", "New site", new("site"), sites.iter().map(|s| site(v, s, here)).collect_view().into_any())}
        {group("SQL Server stores", "New SQL Server store", new("sql-store"), leaves(&list(ObjectKind::SqlStore), here))}
        {group("File stores", "New file store", new("file-store"), leaves(&list(ObjectKind::FileStore), here))}
        {group("Data centres", "New data centre", new("data-center"), leaves(&list(ObjectKind::DataCenter), here))}
    }
    .into_any()
}

fn new(kind: &str) -> String {
    Route::TopologyNew(kind.to_owned()).href()
}

fn group(title: &'static str, verb: &'static str, href: String, items: AnyView) -> AnyView {
    view! {
        <div class="tree-group">
            <div class="tree-head">
                <h2>{title}</h2>
                <a class="tree-new" href=href aria-label=format!("{verb} …") title=format!("{verb} …")>{Icon::Plus.draw()}</a>
            </div>
            <ul role="list">{items}</ul>
        </div>
    }
    .into_any()
}

/// A site with the pools that stand on it.
fn site(v: &TopologyView, s: &Node, here: &Route) -> AnyView {
    let inner = |title: &'static str, verb: String, href: String, kind: ObjectKind| {
        view! {
            <div class="tree-head">
                <h3>{title}</h3>
                <a class="tree-new" href=href aria-label=format!("{verb} …") title=format!("{verb} …")>{Icon::Plus.draw()}</a>
            </div>
            <ul role="list">{leaves(&of_site(v, kind, &s.id), here)}</ul>
        }
    };
    let front_end = format!("{}?site={}", new("front-end-pool"), crate::routes::segment(&s.name));
    let pool = format!("{}?site={}", Route::WizardStart.href(), crate::routes::segment(&s.id));
    view! {
        <li>
            {leaf_link(s, here)}
            <div class="tree-site">
                {inner("Front End pools", format!("New Front End pool in {}", s.name), front_end, ObjectKind::FrontEndPool)}
                {inner("Persistent Chat pools", format!("New Persistent Chat Pool in {}", s.name), pool, ObjectKind::Pool)}
            </div>
        </li>
    }
    .into_any()
}

fn leaves(list: &[Node], here: &Route) -> AnyView {
    if list.is_empty() {
        return view! { <li class="tree-none">"none yet"</li> }.into_any();
    }
    list.iter().map(|n| view! { <li>{leaf_link(n, here)}</li> }).collect_view().into_any()
}

fn leaf_link(n: &Node, here: &Route) -> AnyView {
    let route = Route::TopologyObject(slug(n.kind).to_owned(), n.id.clone());
    let current = (*here == route).then_some("page");
    let class = if matches!(n.kind, ObjectKind::Site | ObjectKind::DataCenter) {
        "tree-link"
    } else {
        "tree-link mono"
    };
    view! {
        <a class=class href=route.href() aria-current=current>
            <span class="tree-name">{breakable(&n.name)}</span>
            {marks(n)}
        </a>
    }
    .into_any()
}

/// What is not published and what is wrong, as words and icons.
pub fn marks(n: &Node) -> AnyView {
    let unpublished = n.mark.map(|m| {
        let class = if m == Mark::New { "mark mark-new" } else { "mark mark-changed" };
        view! { <span class=class>{m.word()}</span> }
    });
    let worst = n.problems.iter().map(|p| p.blocks()).max();
    let trouble = worst.map(|blocks| {
        let (class, icon, word) = if blocks {
            ("mark-problem mark-error", Icon::Cross, "error")
        } else {
            ("mark-problem mark-warning", Icon::Warning, "warning")
        };
        let title = n.problems.iter().map(|p| p.text.clone()).collect::<Vec<_>>().join(" ");
        view! { <span class=class title=title>{icon.draw()}<span class="visually-hidden">{word}</span></span> }
    });
    view! { {unpublished}{trouble} }.into_any()
}
