//! One category of rooms.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::json;
use shared::api::{CategoryView, RoomView};

use super::list::{CATEGORIES, room_acts, room_columns};
use super::{check_principals, principals, use_categories, use_rooms};
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, Bulk, ButtonKind, CheckField, DataTable, Facts, LinkButton, Mono, NamesField, Notice,
    Page, Section, Shown, TextField,
};
use crate::nav;
use crate::routes::{PoolTab, Route, segment};

/// The page of a category.
#[component]
pub fn CategoryPage(
    /// FQDN of its pool.
    pool: String,
    /// Its name.
    name: String,
) -> impl IntoView {
    let data = use_categories();
    let title = name.clone();
    let found = Memo::new(move |_| {
        data.value.with(|l| l.as_ref()?.iter().find(|c| c.pool.as_str() == pool && c.name == name).cloned())
    });
    view! {
        <Page title actions=move || view! { {move || found.get().map(|c| acts(&c))} }>
            <Shown data lines=6 let:_list>
                {move || match found.get() {
                    Some(category) => view! { <Details category /> }.into_any(),
                    None => view! {
                        <Notice><p>"There is no such category. It may have been deleted or renamed, or its pool's database is not open now."</p></Notice>
                        <p><LinkButton label="Show all categories" href=CATEGORIES /></p>
                    }.into_any(),
                }}
            </Shown>
        </Page>
    }
}

fn acts(c: &CategoryView) -> AnyView {
    let remove = args([("Identity", c.identity.clone().into())]);
    let new = format!("{}?category={}", Route::RoomNew.href(), segment(&c.identity));
    let gone = Arc::new(|_: &_| nav::navigate(CATEGORIES));
    view! {
        <LinkButton label="New room in it" href=new />
        <ActButton cmdlet="Remove-CsPersistentChatCategory" args=remove label=format!("Delete the category {}", c.name) short="Delete"
            kind=ButtonKind::Danger on_done=gone />
    }
    .into_any()
}

#[component]
fn Details(category: CategoryView) -> impl IntoView {
    let pool = Route::Pool(category.pool.to_string(), PoolTab::Overview).href();
    let identity = category.identity.clone();
    let query = format!("pool={}&category={}", segment(category.pool.as_str()), segment(&category.name));
    let rooms = use_rooms(move || query.clone());
    let chosen = RwSignal::default();
    let categories = use_categories();
    let names = Signal::derive(move || {
        categories.value.with(|l| l.iter().flatten().map(|c| c.name.clone()).collect::<Vec<_>>())
    });
    view! {
        <Facts facts=vec![
            ("Pool", view! { <a href=pool>{category.pool_name.clone()}</a> }.into_any()),
            ("Identity", view! { <Mono text=identity copy=true /> }.into_any()),
            ("Rooms", category.rooms.to_string().into_any()),
        ] />
        <Change category />
        <Section title="Rooms in this category">
            <Shown data=rooms let:all>
                {
                    let rows = Signal::derive(move || all.with(|p| p.rooms.clone()));
                    let more = move || all.with(|p| (p.total > p.rooms.len() as u64).then(|| format!("The first {} of {}. The list of rooms finds the others.", p.rooms.len(), p.total)));
                    view! {
                        <Bulk chosen what="rooms" acts=room_acts(names) />
                        <DataTable rows columns=room_columns() name="rooms of the category" plain=true choose=(|r: &RoomView| r.identity.clone(), chosen) empty=|| "It has no room yet." />
                        {move || more().map(|text| view! { <p class="muted">{text}</p> })}
                    }
                }
            </Shown>
        </Section>
    }
}

/// Description, allowed and denied members.
#[component]
fn Change(category: CategoryView) -> impl IntoView {
    let text = RwSignal::new(category.description.clone());
    let allowed = RwSignal::new(category.allowed.join("\n"));
    let denied = RwSignal::new(category.denied.join("\n"));
    let creators = RwSignal::new(category.creators.join("\n"));
    let history = RwSignal::new(category.chat_history);
    let files = RwSignal::new(category.file_upload);
    let invitations = RwSignal::new(category.invitations);
    let label = format!("Change the category {}", category.name);
    let arguments = Signal::derive(move || {
        let list = |now: RwSignal<String>, was: &[String]| {
            let list = principals(&now.read());
            (list != was).then(|| json!({ "Replace": list }))
        };
        let flag = |now: RwSignal<bool>, was: bool| Some(now.get()).filter(|n| *n != was);
        let mut all = args([
            ("Identity", category.identity.clone().into()),
            ("AllowedMembers", list(allowed, &category.allowed).into()),
            ("DeniedMembers", list(denied, &category.denied).into()),
            ("Creators", list(creators, &category.creators).into()),
            ("ChatHistory", flag(history, category.chat_history).into()),
            ("FileUpload", flag(files, category.file_upload).into()),
            ("Invitations", flag(invitations, category.invitations).into()),
        ]);
        // An empty description is a value, too.
        if text.with(|t| *t != category.description) {
            all.insert("Description".to_owned(), text.get().into());
        }
        all
    });
    let nothing = Signal::derive(move || {
        (arguments.with(serde_json::Map::len) == 1).then(|| "Nothing is changed yet.".to_owned())
    });
    view! {
        <Section title="Who may be in its rooms">
            <ActForm cmdlet="Set-CsPersistentChatCategory" args=arguments label blocked=nothing>
                <NamesField label="Allowed members" name="AllowedMembers" value=allowed rows=4 check=check_principals
                    help=|| "SIP addresses (sip:pilar@litwareinc.com), SIP domains (litwareinc.com), groups (Sales) or units (OU=Sales,DC=litwareinc,DC=com), one per line." />
                <NamesField label="Denied members" name="DeniedMembers" value=denied rows=3 check=check_principals
                    help=|| "Never members, whatever the list above says." />
                <NamesField label="Creators" name="Creators" value=creators rows=2 check=check_principals
                    help=|| "May create rooms in it; all among the allowed members." />
                <TextField label="Description" name="Description" value=text />
                <CheckField label="Chat history" name="ChatHistory" value=history help=|| "Clients show its rooms as keeping a history." />
                <CheckField label="File upload" name="FileUpload" value=files help=|| "Clients offer to upload files in its rooms." />
                <CheckField label="Invitations" name="Invitations" value=invitations help=|| "A room of it may switch them off for itself." />
            </ActForm>
        </Section>
    }
}
