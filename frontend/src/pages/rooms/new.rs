//! The forms for new categories and rooms.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::{CategoryView, PoolSummary};
use shared::events::Topic;

use super::list::CATEGORIES;
use super::{check_principals, principals, privacies, types, use_categories};
use crate::api::use_data;
use crate::components::act::args;
use crate::components::{ActForm, LinkButton, NamesField, Page, RadioGroup, SelectField, Shown, TextField};
use crate::nav;
use crate::routes::Route;

/// The form for a category.
#[component]
pub fn NewCategoryPage() -> impl IntoView {
    let data = use_data::<Vec<PoolSummary>>(|| "pools".to_owned(), &[Topic::Topology]);
    view! {
        <Page title="New category">
            <Shown data let:pools>
                {move || if pools.with(Vec::is_empty) {
                    no_pool().into_any()
                } else {
                    view! { <CategoryForm pools=pools.get_untracked() /> }.into_any()
                }}
            </Shown>
        </Page>
    }
}

fn no_pool() -> impl IntoView {
    view! {
        <div class="empty">
            <h2>"There is no pool yet"</h2>
            <p>"Categories and rooms live in a pool's database. Define and publish a pool first."</p>
            <LinkButton label="New Persistent Chat Pool" cmdlet="Save-LgDraft" href=Route::WizardStart.href() />
        </div>
    }
}

#[component]
fn CategoryForm(pools: Vec<PoolSummary>) -> impl IntoView {
    let first = if pools.len() == 1 { pools[0].fqdn.to_string() } else { String::new() };
    let options: Vec<_> =
        pools.iter().map(|p| (p.fqdn.to_string(), format!("{} – {}", p.display_name, p.fqdn))).collect();
    let pool = RwSignal::new(first);
    let name = RwSignal::new(String::new());
    let text = RwSignal::new(String::new());
    let allowed = RwSignal::new(String::new());
    let arguments = Signal::derive(move || {
        args([
            ("Name", name.get().trim().into()),
            ("PersistentChatPoolFqdn", pool.get().into()),
            ("Description", text.get().trim().into()),
            ("AllowedMembers", Some(principals(&allowed.read())).filter(|l| !l.is_empty()).into()),
        ])
    });
    let label = Signal::derive(move || created("category", &name.read()));
    let done = Arc::new(move |_: &_| {
        nav::navigate_to(&Route::Category(pool.get_untracked(), name.get_untracked().trim().to_owned()));
    });
    view! {
        <ActForm cmdlet="New-CsPersistentChatCategory" args=arguments label on_done=done cancel=CATEGORIES>
            <SelectField label="Pool" name="PersistentChatPoolFqdn" value=pool required=true options />
            <TextField label="Name" name="Name" value=name required=true help=|| "Unique in the pool; no room has the same name." />
            <TextField label="Description" name="Description" value=text />
            <NamesField label="Allowed members" name="AllowedMembers" value=allowed rows=4 check=check_principals
                help=|| "Who may be a member of its rooms: SIP addresses (sip:pilar@litwareinc.com), SIP domains (litwareinc.com), groups or units, one per line. Left empty, nobody may until you add someone." />
        </ActForm>
    }
}

pub fn created(what: &str, name: &str) -> String {
    match name.trim() {
        "" => format!("Create the {what}"),
        n => format!("Create the {what} {n}"),
    }
}

/// The form for a room.
#[component]
pub fn NewRoomPage() -> impl IntoView {
    let data = use_categories();
    view! {
        <Page title="New room">
            <Shown data let:categories>
                {move || if categories.with(Vec::is_empty) {
                    view! {
                        <div class="empty">
                            <h2>"There is no category yet"</h2>
                            <p>"A room belongs to a category, which says who may be in it."</p>
                            <LinkButton label="New category" href=Route::CategoryNew.href() />
                        </div>
                    }.into_any()
                } else {
                    view! { <RoomForm categories=categories.get_untracked() /> }.into_any()
                }}
            </Shown>
        </Page>
    }
}

#[component]
fn RoomForm(categories: Vec<CategoryView>) -> impl IntoView {
    let asked = nav::use_query("category").get_untracked().unwrap_or_default();
    let first = if categories.len() == 1 { categories[0].identity.clone() } else { asked };
    let options: Vec<_> = categories
        .iter()
        .map(|c| (c.identity.clone(), format!("{} – {} ({})", c.name, c.pool_name, c.pool)))
        .collect();
    let pool_of = StoredValue::new(
        categories.into_iter().map(|c| (c.identity, c.pool.to_string())).collect::<Vec<_>>(),
    );
    let category = RwSignal::new(first);
    let name = RwSignal::new(String::new());
    let text = RwSignal::new(String::new());
    let kind = RwSignal::new("Normal".to_owned());
    let privacy = RwSignal::new("Closed".to_owned());
    let arguments = Signal::derive(move || {
        args([
            ("Name", name.get().trim().into()),
            ("Category", category.get().into()),
            ("Description", text.get().trim().into()),
            ("Type", kind.get().into()),
            ("Privacy", privacy.get().into()),
        ])
    });
    let label = Signal::derive(move || created("room", &name.read()));
    let done = Arc::new(move |_: &_| {
        let identity = category.get_untracked();
        let pool = pool_of.with_value(|l| l.iter().find(|(c, _)| *c == identity).map(|(_, p)| p.clone()));
        let room = |pool| Route::Room(pool, name.get_untracked().trim().to_owned());
        nav::navigate_to(&pool.map_or(Route::Rooms, room));
    });
    view! {
        <ActForm cmdlet="New-CsPersistentChatRoom" args=arguments label on_done=done cancel="/rooms">
            <SelectField label="Category" name="Category" value=category required=true options
                help=|| "It says who may be a member, and on which pool the room lives." />
            <TextField label="Name" name="Name" value=name required=true
                help=|| "Unique in the pool. A telling name helps: people do not see the category." />
            <TextField label="Description" name="Description" value=text />
            <RadioGroup label="Privacy" value=privacy options=privacies() />
            <RadioGroup label="Type" value=kind options=types() />
        </ActForm>
    }
}
