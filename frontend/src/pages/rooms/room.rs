//! One chat room.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::RoomView;

use super::messages::Messages;
use super::room_people::People;
use super::{of_room, privacies, privacy_words, types, use_addins, use_categories, use_rooms};
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, CheckField, Facts, LinkButton, Mono, Notice, Page, RadioGroup, Section,
    SelectField, Shown, StateBadge, TextField,
};
use crate::nav;
use crate::routes::{PoolTab, Route, segment};

/// The page of a room.
#[component]
pub fn RoomPage(
    /// FQDN of its pool.
    pool: String,
    /// Its name.
    name: String,
) -> impl IntoView {
    let title = name.clone();
    let query = format!("pool={}&name={}&limit=1", segment(&pool), segment(&name));
    let data = use_rooms(move || query.clone());
    let found = Memo::new(move |_| data.value.with(|l| l.as_ref()?.rooms.first().cloned()));
    view! {
        <Page title
            badge=move || view! { {move || found.get().map(|r| view! { <StateBadge state=of_room(&r) /> })} }
            actions=move || view! { {move || found.get().map(acts)} }
        >
            <Shown data lines=6 let:_list>
                {move || match found.get() {
                    Some(room) => view! { <Details room /> }.into_any(),
                    None => view! {
                        <Notice><p>"There is no such room. It may have been deleted or renamed, or its pool's database is not open now."</p></Notice>
                        <p><LinkButton label="Show all rooms" href=Route::Rooms.href() /></p>
                    }.into_any(),
                }}
            </Shown>
        </Page>
    }
}

fn acts(r: RoomView) -> AnyView {
    let verb = if r.disabled { "Enable" } else { "Disable" };
    let switch = args([("Identity", r.identity.clone().into()), ("Disabled", (!r.disabled).into())]);
    let remove = args([("Identity", r.identity.into())]);
    let gone = Arc::new(|_: &_| nav::navigate_to(&Route::Rooms));
    view! {
        <ActButton cmdlet="Set-CsPersistentChatRoom" args=switch label=format!("{verb} the room {}", r.name) short=verb review=!r.disabled />
        <ActButton cmdlet="Remove-CsPersistentChatRoom" args=remove label=format!("Delete the room {} with its messages", r.name) short="Delete"
            kind=ButtonKind::Danger review=true on_done=gone />
    }
    .into_any()
}

#[component]
fn Details(room: RoomView) -> impl IntoView {
    let category = Route::Category(room.pool.to_string(), room.category.clone()).href();
    let pool = Route::Pool(room.pool.to_string(), PoolTab::Overview).href();
    view! {
        <Facts facts=vec![
            ("Pool", view! { <a href=pool>{room.pool_name.clone()}</a> }.into_any()),
            ("Category", view! { <a href=category>{room.category.clone()}</a> }.into_any()),
            ("Privacy", format!("{}. {}", room.privacy, privacy_words(&room.privacy)).into_any()),
            ("Type", room.room_type.clone().into_any()),
            ("Identity", view! { <Mono text=room.identity.clone() copy=true /> }.into_any()),
            ("Address", view! { <Mono text=room.uri.clone() copy=true /> }.into_any()),
        ] />
        <People room=room.clone() />
        <Messages room=room.clone() />
        <Change room />
    }
}

/// Name, description, category, privacy, type, add-in, invitations.
#[component]
fn Change(room: RoomView) -> impl IntoView {
    let name = RwSignal::new(room.name.clone());
    let text = RwSignal::new(room.description.clone());
    let privacy = RwSignal::new(room.privacy.clone());
    let kind = RwSignal::new(room.room_type.clone());
    let category = RwSignal::new(room.category.clone());
    let addin = RwSignal::new(room.addin.clone().unwrap_or_default());
    let invitations = RwSignal::new(room.invitations == "Inherit");
    let (categories, addins) = (use_categories(), use_addins());
    let here = room.pool.clone();
    let category_names = Signal::derive(move || {
        let all = categories.value.with(|l| l.clone().unwrap_or_default());
        all.into_iter().filter(|c| c.pool == here).map(|c| (c.name.clone(), c.name)).collect::<Vec<_>>()
    });
    let here = room.pool.clone();
    let addin_names = Signal::derive(move || {
        let all = addins.value.with(|l| l.clone().unwrap_or_default());
        all.into_iter().filter(|a| a.pool == here).map(|a| (a.name.clone(), a.name)).collect::<Vec<_>>()
    });
    let (identity, pool) = (room.identity.clone(), room.pool.to_string());
    let label = format!("Change the room {}", room.name);
    let before = room.clone();
    let arguments = Signal::derive(move || {
        let changed = |now: String, was: &str| Some(now).filter(|n| n != was);
        let word = |inherits| if inherits { "Inherit" } else { "False" };
        let mut all = args([
            ("Identity", identity.clone().into()),
            ("Name", changed(name.get().trim().to_owned(), &room.name).into()),
            ("Privacy", changed(privacy.get(), &room.privacy).into()),
            ("Type", changed(kind.get(), &room.room_type).into()),
            ("Category", changed(category.get(), &room.category).into()),
            ("Invitations", changed(word(invitations.get()).to_owned(), &room.invitations).into()),
        ]);
        // An empty description is a value, too.
        if let Some(d) = changed(text.get(), &room.description) {
            all.insert("Description".to_owned(), d.into());
        }
        // So is no add-in.
        if let Some(a) = changed(addin.get(), room.addin.as_deref().unwrap_or_default()) {
            all.insert("Addin".to_owned(), a.into());
        }
        all
    });
    let nothing = Signal::derive(move || {
        (arguments.with(serde_json::Map::len) == 1).then(|| "Nothing is changed yet.".to_owned())
    });
    let done = Arc::new(move |_: &_| {
        let now = name.get_untracked().trim().to_owned();
        if now != before.name {
            nav::replace(&Route::Room(pool.clone(), now).href());
        }
    });
    view! {
        <Section title="Properties">
            <ActForm cmdlet="Set-CsPersistentChatRoom" args=arguments label blocked=nothing on_done=done>
                <TextField label="Name" name="Name" value=name required=true />
                <TextField label="Description" name="Description" value=text />
                <SelectField label="Category" name="Category" value=category required=true options=category_names
                    help=|| "Moved to another one, the room loses the people whom that one does not allow." />
                <RadioGroup label="Privacy" value=privacy options=privacies() />
                <RadioGroup label="Type" value=kind options=types() />
                <SelectField label="Add-in" name="Addin" value=addin options=addin_names none="None"
                    help=|| "A web page that clients show beside the room." />
                <CheckField label="Invitations as the category says" name="Invitations" value=invitations
                    help=|| "Otherwise the room sends none." />
            </ActForm>
        </Section>
    }
}
