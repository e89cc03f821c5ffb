//! The tree of the draft, in the order of Topology Builder's.

use std::collections::BTreeMap;

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::topology::diff::ObjectKind;

use super::model::{Mark, Node, by_site, nodes, slug};
use crate::api::Current;
use crate::components::Icon;
use crate::components::copy::breakable;
use crate::nav;
use crate::routes::Route;

/// Most objects of one list that are drawn; beyond it the tree is searched.
const MANY: usize = 60;

/// The tree; every object is a link to its details.
#[component]
pub fn Tree(
    /// The topology.
    view: Current<TopologyView>,
) -> impl IntoView {
    let route = nav::use_route();
    let find = RwSignal::new(String::new());
    let many = Memo::new(move |_| view.with(|v| v.draft.pools.len() + v.draft.sql_stores.len() > MANY));
    view! {
        <nav class="tree card" aria-label="Topology">
            {move || many.get().then(|| view! {
                <input class="input tree-find" type="search" placeholder="Find a name" aria-label="Find in the topology"
                    prop:value=find on:input=move |e| find.set(event_target_value(&e)) />
            })}
            // Going from object to object marks another link and draws nothing anew.
            {move || view.with(|v| branches(v, route, &find.read().trim().to_lowercase()))}
        </nav>
    }
}

fn branches(v: &TopologyView, here: Memo<Route>, find: &str) -> AnyView {
    let list = |kind| found(nodes(v, kind), find);
    let sites = sites(v, here, find);
    view! {
        <a class="tree-top" href=Route::Topology.href() aria-current=move || here.with(|h| *h == Route::Topology).then_some("page")>
            {Icon::Topology.draw()}"Whole topology"
        </a>
        {group("SIP domains", "New SIP domain", new("sip-domain"), leaves(&list(ObjectKind::SipDomain), here, find))}
        {group("Sites", "New site", new("site"), sites)}
        {group("SQL Server stores", "New SQL Server store", new("sql-store"), leaves(&list(ObjectKind::SqlStore), here, find))}
        {group("File stores", "New file store", new("file-store"), leaves(&list(ObjectKind::FileStore), here, find))}
        {group("Data centres", "New data centre", new("data-center"), leaves(&list(ObjectKind::DataCenter), here, find))}
    }
    .into_any()
}

fn new(kind: &str) -> String {
    Route::TopologyNew(kind.to_owned()).href()
}

/// The way to a new object, for who may save a draft.
fn plus(verb: &str, href: String) -> AnyView {
    let label = format!("{verb} …");
    let may = crate::session::allowed("Save-LgDraft").is_ok();
    may.then(|| view! { <a class="tree-new" href=href aria-label=label.clone() title=label>{Icon::Plus.draw()}</a> }).into_any()
}

fn group(title: &'static str, verb: &'static str, href: String, items: AnyView) -> AnyView {
    view! {
        <div class="tree-group">
            <div class="tree-head">
                <h2>{title}</h2>
                {plus(verb, href)}
            </div>
            <ul role="list">{items}</ul>
        </div>
    }
    .into_any()
}

/// What the search leaves: objects whose name, or a computer of theirs, has the text in it.
fn found(mut list: Vec<Node>, find: &str) -> Vec<Node> {
    let has = |s: &str| s.to_lowercase().contains(find);
    list.retain(|n| find.is_empty() || has(&n.name) || n.computers.iter().any(|c| has(c)));
    list
}

/// The sites, as many as there is room for, each with its pools.
fn sites(v: &TopologyView, here: Memo<Route>, find: &str) -> AnyView {
    let mut front_ends = by_site(v, ObjectKind::FrontEndPool);
    let mut pools = by_site(v, ObjectKind::Pool);
    let (mut out, mut room, mut left) = (Vec::new(), MANY, 0);
    for s in nodes(v, ObjectKind::Site) {
        let take = |map: &mut BTreeMap<String, Vec<Node>>| map.remove(&s.id).unwrap_or_default();
        let named = s.name.to_lowercase().contains(find);
        let own = |list: Vec<Node>| if named { list } else { found(list, find) };
        let (front, chat) = (own(take(&mut front_ends)), own(take(&mut pools)));
        if !named && front.is_empty() && chat.is_empty() {
            continue;
        }
        if room == 0 {
            left += 1;
            continue;
        }
        room = room.saturating_sub(front.len() + chat.len());
        out.push(site(&s, &front, &chat, here, find));
    }
    let more = (left > 0)
        .then(|| view! { <li class="tree-none">{format!("and {left} more sites; find one by a name")}</li> });
    view! { {out}{more} }.into_any()
}

/// A site with the pools that stand on it.
fn site(s: &Node, front_ends: &[Node], pools: &[Node], here: Memo<Route>, find: &str) -> AnyView {
    let inner = |title: &'static str, verb: String, href: String, list: &[Node]| {
        view! {
            <div class="tree-head">
                <h3>{title}</h3>
                {plus(&verb, href)}
            </div>
            <ul role="list">{leaves(list, here, find)}</ul>
        }
    };
    let front_end = format!("{}?site={}", new("front-end-pool"), crate::routes::segment(&s.name));
    let pool = format!("{}?site={}", Route::WizardStart.href(), crate::routes::segment(&s.id));
    view! {
        <li>
            {leaf_link(s, here)}
            <div class="tree-site">
                {inner("Front End pools", format!("New Front End pool in {}", s.name), front_end, front_ends)}
                {inner("Persistent Chat pools", format!("New Persistent Chat Pool in {}", s.name), pool, pools)}
            </div>
        </li>
    }
    .into_any()
}

fn leaves(list: &[Node], here: Memo<Route>, find: &str) -> AnyView {
    if list.is_empty() {
        let none = if find.is_empty() { "none yet" } else { "no match" };
        return view! { <li class="tree-none">{none}</li> }.into_any();
    }
    let left = list.len().saturating_sub(MANY);
    let more = (left > 0)
        .then(|| view! { <li class="tree-none">{format!("and {left} more; find one by its name")}</li> });
    let shown = list.iter().take(MANY).map(|n| view! { <li>{leaf_link(n, here)}</li> }).collect_view();
    view! { {shown}{more} }.into_any()
}

fn leaf_link(n: &Node, here: Memo<Route>) -> AnyView {
    let route = Route::TopologyObject(slug(n.kind).to_owned(), n.id.clone());
    let href = route.href();
    let current = move || here.with(|h| *h == route).then_some("page");
    let class = if matches!(n.kind, ObjectKind::Site | ObjectKind::DataCenter) {
        "tree-link"
    } else {
        "tree-link mono"
    };
    view! {
        <a class=class href=href aria-current=current>
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
