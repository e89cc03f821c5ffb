//! Rooms that were deleted and can still be restored, and how much rooms are used.

use leptos::prelude::*;
use shared::api::{DeletedRoomView, RoomUsagePage, RoomUsageView};

use super::TOPICS;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::parts::{asking, every, part};
use crate::components::{ActButton, ButtonKind, Column, DataTable, Notice, SelectField, Shown, TimeAgo};
use crate::nav;
use crate::routes::Route;
use crate::size::size;

/// Deleted rooms.
#[component]
pub fn Deleted() -> impl IntoView {
    let data = use_data::<Vec<DeletedRoomView>>(|| "deleted-rooms".to_owned(), TOPICS);
    view! {
        <Notice><p>"A deleted room is kept for 30 days. Nobody finds it meanwhile, and its name is free for others."</p></Notice>
        <Shown data lines=4 let:rows>
            <DataTable rows columns=deleted_columns() name="deleted rooms" acts=deleted_acts
                empty=|| "No room was deleted in the last 30 days." />
        </Shown>
    }
}

fn deleted_columns() -> Vec<Column<DeletedRoomView>> {
    vec![
        Column::<DeletedRoomView>::new("Room", |r| r.name.clone()),
        Column::<DeletedRoomView>::new("Category", |r| r.category.clone()),
        Column::<DeletedRoomView>::new("Pool", |r| r.pool_name.clone()),
        Column::<DeletedRoomView>::new("Messages", |r| r.messages.to_string()).number(),
        Column::<DeletedRoomView>::new("Deleted", |r| r.deleted.rfc3339())
            .shown(|r| view! { <TimeAgo at=r.deleted />" by "{r.deleted_by.clone()} }.into_any()),
        Column::<DeletedRoomView>::new("Kept until", |r| r.kept_until.rfc3339())
            .shown(|r| r.kept_until.rfc3339().get(..10).unwrap_or_default().to_owned().into_any()),
    ]
}

fn deleted_acts(r: &DeletedRoomView) -> AnyView {
    let identity = args([("Identity", r.identity.clone().into())]);
    view! {
        <ActButton cmdlet="Restore-LgRoom" args=identity.clone() label=format!("Restore the room {}", r.name) short="Restore" review=true />
        <ActButton cmdlet="Remove-LgDeletedRoom" args=identity label=format!("Remove the room {} for good", r.name) short="Remove for good" kind=ButtonKind::Quiet />
    }
    .into_any()
}

/// How much rooms are used.
#[component]
pub fn Used() -> impl IntoView {
    let (search, from, hint) = (nav::use_query("q"), nav::use_query("from"), RwSignal::new(String::new()));
    let data = use_data::<RoomUsagePage>(
        move || format!("{}&hint={}", part("room-usage", search.get(), from.get()), hint.get()),
        TOPICS,
    );
    let path = move || format!("room-usage?{}&hint={}", asking(search.get_untracked()), hint.get_untracked());
    let every = every(path, |p: RoomUsagePage| p.rooms);
    let option = |v: &str, words: &str| (v.to_owned(), words.to_owned());
    let options = vec![
        option("", "All rooms"),
        option("Dead", "Dead: no message for 180 days"),
        option("Empty", "Empty: never a message"),
        option("Large", "Large: over 100,000 messages"),
        option("Disabled", "Disabled"),
    ];
    view! {
        <SelectField label="Show" required=true value=hint options=Signal::stored(options) />
        <Shown data lines=6 let:page>
            <DataTable rows=move || page.with(|p| p.rooms.clone()) total=Signal::derive(move || page.with(|p| p.total))
                columns=usage_columns() name="use of rooms" acts=usage_acts every empty=|| "No room is like that." />
        </Shown>
    }
}

fn usage_columns() -> Vec<Column<RoomUsageView>> {
    vec![
        Column::<RoomUsageView>::new("Room", |r| r.name.clone()).shown(|r| {
            let href = Route::Room(r.pool.to_string(), r.name.clone()).href();
            view! { <a href=href>{r.name.clone()}</a> }.into_any()
        }),
        Column::<RoomUsageView>::new("Pool", |r| r.pool_name.clone()),
        Column::<RoomUsageView>::new("Messages", |r| r.messages.to_string()).number(),
        Column::<RoomUsageView>::new("Size", |r| r.bytes.to_string())
            .number()
            .shown(|r| size(r.bytes).into_any()),
        Column::<RoomUsageView>::new("Last message", |r| {
            r.last.map(shared::Timestamp::rfc3339).unwrap_or_default()
        })
        .shown(|r| match r.last {
            Some(at) => view! { <TimeAgo at /> }.into_any(),
            None => "never".into_any(),
        }),
        Column::<RoomUsageView>::new("People, 30 days", |r| r.people.to_string()).number(),
        Column::<RoomUsageView>::new("Members", |r| r.members.to_string()).number(),
        Column::<RoomUsageView>::new("Note", |r| r.hints.join(", ")),
    ]
}

fn usage_acts(r: &RoomUsageView) -> AnyView {
    if r.hints.is_empty() {
        return ().into_any();
    }
    let identity = args([("Identity", r.identity.clone().into())]);
    view! {
        <ActButton cmdlet="Remove-CsPersistentChatRoom" args=identity label=format!("Delete the room {} with its messages", r.name) short="Delete" kind=ButtonKind::Quiet review=true />
    }
    .into_any()
}
