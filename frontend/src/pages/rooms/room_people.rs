//! Members, managers and presenters of a room.

use leptos::prelude::*;
use serde_json::json;
use shared::api::RoomView;

use super::{check_principals, principals};
use crate::components::act::args;
use crate::components::{ActForm, NamesField, Section};

/// The three lists.
#[component]
pub fn People(
    /// The room.
    room: RoomView,
) -> impl IntoView {
    let auditorium = room.room_type == "Auditorium";
    let text = |list: &[String]| RwSignal::new(list.join("\n"));
    let (members, managers, presenters) = (text(&room.members), text(&room.managers), text(&room.presenters));
    let label = format!("Save the people of {}", room.name);
    let open = room.privacy == "Open";
    let arguments = Signal::derive(move || {
        let changed = |now: RwSignal<String>, was: &[String]| {
            let list = principals(&now.read());
            (list != was).then(|| json!({ "Replace": list }))
        };
        args([
            ("Identity", room.identity.clone().into()),
            ("Members", changed(members, &room.members).into()),
            ("Managers", changed(managers, &room.managers).into()),
            ("Presenters", changed(presenters, &room.presenters).into()),
        ])
    });
    let nothing = Signal::derive(move || {
        (arguments.with(serde_json::Map::len) == 1).then(|| "Nothing is changed yet.".to_owned())
    });
    let who =
        "SIP addresses, SIP domains, groups or units, one per line, all within what the category allows.";
    view! {
        <Section title="People">
            <ActForm cmdlet="Set-CsPersistentChatRoom" args=arguments label blocked=nothing>
                <NamesField label="Members" name="Members" value=members rows=4 check=check_principals
                    help=move || if open { "The room is open: everyone whom the category allows may enter without being listed." } else { who } />
                <NamesField label="Managers" name="Managers" value=managers rows=3 check=check_principals
                    help=|| "May change the room and its members. A manager who is not a member cannot enter." />
                {auditorium.then(|| view! {
                    <NamesField label="Presenters" name="Presenters" value=presenters rows=3 check=check_principals
                        help=|| "Post in the auditorium; each is a member as well." />
                })}
            </ActForm>
        </Section>
    }
}
