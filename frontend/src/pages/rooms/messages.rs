//! Clearing a room, and removing or replacing messages of it.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::RoomView;
use shared::time::parse_day;

use crate::components::act::args;
use crate::components::{ActForm, ButtonKind, RadioGroup, Section, TextField};

/// Both acts; each shows how many messages it hits before anything is done.
#[component]
pub fn Messages(
    /// The room.
    room: RoomView,
) -> impl IntoView {
    view! {
        <Clear identity=room.identity.clone() name=room.name.clone() />
        <Remove identity=room.identity name=room.name />
    }
}

fn check_day(text: &str) -> Result<(), String> {
    parse_day(text, true).map(drop).ok_or_else(|| "Write year-month-day, for example 2012-03-01.".to_owned())
}

#[component]
fn Clear(identity: String, name: String) -> impl IntoView {
    let until = RwSignal::new(String::new());
    let arguments = Signal::derive(move || {
        args([("Identity", identity.clone().into()), ("EndDate", until.get().trim().into())])
    });
    let done = Arc::new(move |_: &_| until.set(String::new()));
    view! {
        <Section title="Clear the room">
            <ActForm cmdlet="Clear-CsPersistentChatRoom" args=arguments label=format!("Clear the room {name}") kind=ButtonKind::Danger on_done=done>
                <TextField label="Up to and including" name="EndDate" value=until kind="date" required=true check=check_day
                    help=|| "Messages of that day (UTC) and of all days before it are deleted." />
            </ActForm>
        </Section>
    }
}

#[component]
fn Remove(identity: String, name: String) -> impl IntoView {
    let text = || RwSignal::new(String::new());
    let (from, until, author, words, instead) = (text(), text(), text(), text(), text());
    let clause = RwSignal::new("And".to_owned());
    let fate = RwSignal::new("Replace".to_owned());
    let removes = Memo::new(move |_| fate.with(|f| f == "Remove"));
    let arguments = Signal::derive(move || {
        let replacement = (!removes.get()).then(|| instead.get());
        args([
            ("Identity", identity.clone().into()),
            ("StartDate", from.get().trim().into()),
            ("EndDate", until.get().trim().into()),
            ("UserUri", author.get().trim().into()),
            ("Filter", words.get().into()),
            ("MatchClause", words.with(|w| (!w.trim().is_empty()).then(|| clause.get())).into()),
            ("ReplaceMessage", replacement.into()),
            ("Remove", removes.get().then_some(true).into()),
        ])
    });
    let label = Signal::derive(move || {
        let verb = if removes.get() { "Remove" } else { "Replace" };
        format!("{verb} these messages of {name}")
    });
    let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
    let clauses = vec![
        choice("And", "All words", ""),
        choice("Or", "One of the words", ""),
        choice("Exact", "The text as it stands", ""),
    ];
    let fates = vec![
        choice("Replace", "Replace", "A text stands in their place; author and time stay."),
        choice("Remove", "Remove", "Nothing stays."),
    ];
    view! {
        <Section title="Remove messages">
            <ActForm cmdlet="Remove-CsPersistentChatMessage" args=arguments label kind=ButtonKind::Danger>
                <TextField label="Author" name="UserUri" value=author mono=true help=|| "A SIP address; left empty, anyone." />
                <TextField label="From" name="StartDate" value=from kind="date" check=check_day />
                <TextField label="Up to and including" name="EndDate" value=until kind="date" check=check_day />
                <TextField label="Words" name="Filter" value=words help=|| "Left empty, any text. Capital and small letters do not differ." />
                <RadioGroup label="How words are looked for" value=clause options=clauses />
                <RadioGroup label="What comes of them" value=fate options=fates />
                {move || (!removes.get()).then(|| view! {
                    <TextField label="Text in their place" name="ReplaceMessage" value=instead
                        help=|| "Left empty: This message was replaced by the Persistent Chat administrator." />
                })}
            </ActForm>
        </Section>
    }
}
