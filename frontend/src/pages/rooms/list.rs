//! The lists of rooms and categories.

use leptos::prelude::*;
use shared::api::{CategoryView, RoomPage, RoomView};

use super::addins::Addins;
use super::life::{Deleted, Used};
use super::{TOPICS, of_room, use_categories};
use crate::api::use_data;
use crate::components::act::args;
use crate::components::bulk::{Choice, choose_all};
use crate::components::copy::breakable;
use crate::components::parts::{asking, every, part};
use crate::components::{
    Bulk, BulkAct, ButtonKind, Column, DataTable, Icon, LinkButton, Page, Shown, StateBadge, Tab, Tabs,
};
use crate::nav;
use crate::routes::Route;

/// Address of the list of categories.
pub const CATEGORIES: &str = "/rooms?show=categories";
/// Address of the list of add-ins.
pub const ADDINS: &str = "/rooms?show=addins";

/// The page with both lists, one at a time.
#[component]
pub fn RoomsPage() -> impl IntoView {
    let show = nav::use_query("show");
    let shown = Memo::new(move |_| show.with(|s| s.clone().unwrap_or_default()));
    let tabs = Signal::derive(move || {
        let tab = |label: &str, href: &str, current| Tab {
            label: label.to_owned(),
            href: href.to_owned(),
            current,
        };
        let now = shown.get();
        let known = ["categories", "addins", "usage", "deleted"].contains(&now.as_str());
        vec![
            tab("Rooms", "/rooms", !known),
            tab("Categories", CATEGORIES, now == "categories"),
            tab("Add-ins", ADDINS, now == "addins"),
            tab("Use", "/rooms?show=usage", now == "usage"),
            tab("Deleted", "/rooms?show=deleted", now == "deleted"),
        ]
    });
    let lead = "Rooms hold the conversations. A category says who may be in its rooms.";
    view! {
        <Page title="Rooms" lead actions=|| view! {
            <LinkButton label="New category" href=Route::CategoryNew.href() />
            <LinkButton label="New room" kind=ButtonKind::Primary icon=Some(Icon::Plus) href=Route::RoomNew.href() />
        }>
            <Tabs label="Rooms" tabs />
            {move || match shown.get().as_str() {
                "categories" => view! { <Categories /> }.into_any(),
                "addins" => view! { <Addins /> }.into_any(),
                "usage" => view! { <Used /> }.into_any(),
                "deleted" => view! { <Deleted /> }.into_any(),
                _ => view! { <Rooms /> }.into_any(),
            }}
        </Page>
    }
}

#[component]
fn Rooms() -> impl IntoView {
    let (search, from) = (nav::use_query("q"), nav::use_query("from"));
    let data = use_data::<RoomPage>(move || part("rooms", search.get(), from.get()), TOPICS);
    let chosen = RwSignal::default();
    let categories = use_categories();
    let names = Signal::derive(move || {
        categories.value.with(|l| l.iter().flatten().map(|c| c.name.clone()).collect::<Vec<_>>())
    });
    let choose: Choice<RoomView> = (|r| r.identity.clone(), chosen);
    let every = every(move || format!("rooms?{}", asking(search.get_untracked())), |p: RoomPage| p.rooms);
    let everything = choose_all(every, choose);
    view! {
        <Shown data lines=6 let:page>
            <Bulk chosen what="rooms" acts=room_acts(names) rest=(Signal::derive(move || page.with(|p| p.total)), everything) />
            <DataTable rows=move || page.with(|p| p.rooms.clone()) total=Signal::derive(move || page.with(|p| p.total))
                columns=room_columns() name="rooms" every choose empty=|| view! {
                <h2>"There is no room yet"</h2>
                <p>"A room needs a category on a running pool."</p>
                <div class="row">
                    <LinkButton label="New room" kind=ButtonKind::Primary href=Route::RoomNew.href() />
                    <LinkButton label="New category" href=Route::CategoryNew.href() />
                </div>
            } />
        </Shown>
    }
}

/// What can be done to several rooms.
pub fn room_acts(categories: Signal<Vec<String>>) -> Vec<BulkAct> {
    const SET: &str = "Set-CsPersistentChatRoom";
    let none = Signal::stored(Vec::new());
    vec![
        BulkAct::new("Enable", SET, |r, _| args([("Identity", r.into()), ("Disabled", false.into())])),
        BulkAct::new("Disable", SET, |r, _| args([("Identity", r.into()), ("Disabled", true.into())])),
        BulkAct {
            asks: Some(("Category", categories)),
            ..BulkAct::new("Move", SET, |r, c| args([("Identity", r.into()), ("Category", c.into())]))
        },
        BulkAct {
            asks: Some(("Member: an address, a SIP domain, a group or a unit", none)),
            ..BulkAct::new("Add member", SET, |r, m| {
                args([("Identity", r.into()), ("Members", serde_json::json!({ "Add": [m] }))])
            })
        },
        BulkAct {
            kind: ButtonKind::Danger,
            ..BulkAct::new("Delete", "Remove-CsPersistentChatRoom", |r, _| args([("Identity", r.into())]))
        },
    ]
}

/// Columns of rooms, also for a category's own list.
pub fn room_columns() -> Vec<Column<RoomView>> {
    vec![
        Column::<RoomView>::new("Room", |r| r.name.clone()).shown(|r| {
            let href = Route::Room(r.pool.to_string(), r.name.clone()).href();
            view! { <a href=href>{r.name.clone()}</a> }.into_any()
        }),
        Column::<RoomView>::new("Category", |r| r.category.clone()).shown(|r| {
            let href = Route::Category(r.pool.to_string(), r.category.clone()).href();
            view! { <a href=href>{r.category.clone()}</a> }.into_any()
        }),
        Column::<RoomView>::new("Pool", |r| format!("{} ({})", r.pool_name, r.pool))
            .shown(|r| pool(&r.pool_name, r.pool.as_str())),
        Column::<RoomView>::new("Privacy", |r| r.privacy.clone()),
        Column::<RoomView>::new("Type", |r| r.room_type.clone()),
        Column::<RoomView>::new("Members", |r| r.members.len().to_string()).number(),
        Column::<RoomView>::new("State", |r| of_room(r).word)
            .shown(|r| view! { <StateBadge state=of_room(r) /> }.into_any()),
    ]
}

fn pool(name: &str, fqdn: &str) -> AnyView {
    view! { <span title=fqdn.to_owned()>{breakable(name)}</span> }.into_any()
}

#[component]
fn Categories() -> impl IntoView {
    let data = use_categories();
    view! {
        <Shown data lines=6 let:rows>
            <DataTable rows columns=category_columns() name="categories" empty=|| view! {
                <h2>"There is no category yet"</h2>
                <p>"A category needs a running pool. One wide category is enough unless groups must be kept apart."</p>
                <LinkButton label="New category" kind=ButtonKind::Primary href=Route::CategoryNew.href() />
            } />
        </Shown>
    }
}

fn category_columns() -> Vec<Column<CategoryView>> {
    vec![
        Column::<CategoryView>::new("Category", |c| c.name.clone()).shown(|c| {
            let href = Route::Category(c.pool.to_string(), c.name.clone()).href();
            view! { <a href=href>{c.name.clone()}</a> }.into_any()
        }),
        Column::<CategoryView>::new("Pool", |c| format!("{} ({})", c.pool_name, c.pool))
            .shown(|c| pool(&c.pool_name, c.pool.as_str())),
        Column::<CategoryView>::new("Allowed members", |c| c.allowed.join(" "))
            .shown(|c| view! { <span class="mono">{breakable(&c.allowed.join(", "))}</span> }.into_any()),
        Column::<CategoryView>::new("Denied members", |c| c.denied.join(" "))
            .shown(|c| view! { <span class="mono">{breakable(&c.denied.join(", "))}</span> }.into_any()),
        Column::<CategoryView>::new("Rooms", |c| c.rooms.to_string()).number(),
        Column::<CategoryView>::new("Description", |c| c.description.clone()),
    ]
}
