//! A field of the form: how it is filled in, what it becomes on the line, how it is drawn.

use leptos::prelude::*;
use serde_json::{Map, Value, json};
use shared::cmdlets::placement;

use crate::components::{SelectField, TextField};
use crate::pages::topology::front_end::lines;
use crate::pages::topology::place::{PlaceField, PlaceOf, word};

type Check = fn(&str) -> Result<(), String>;

/// How a field is filled in, and what it becomes on the line.
pub(super) enum Way {
    Text,
    /// Where it is or runs, as the word of the cmdlets.
    Place(PlaceOf),
    /// Where the computer with this FQDN of the list runs.
    PlaceOfComputer(String),
    /// A name, checked.
    Name(Check),
    /// One name per line; becomes `@{Replace=…}`.
    List(Check),
    /// One of these; the text is said for none.
    Choice(Vec<(String, String)>, &'static str),
    /// Like a choice; none switches this parameter off instead.
    Switched(Vec<(String, String)>, &'static str, &'static str),
}

pub(super) struct Input {
    pub(super) label: &'static str,
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) way: Way,
    pub(super) first: String,
    pub(super) value: RwSignal<String>,
}

pub(super) fn input(
    label: &'static str,
    name: &'static str,
    first: String,
    way: Way,
    help: &'static str,
) -> Input {
    Input { label, name, help, way, value: RwSignal::new(first.clone()), first }
}

impl Input {
    /// What the field adds to the arguments; nothing when it was not changed.
    pub(super) fn argument(&self) -> Option<(String, Value)> {
        let value = self.value.get();
        if value.trim() == self.first.trim() {
            return None;
        }
        Some(match self.way {
            Way::Name(_) if self.name == "Port" => {
                (self.name.to_owned(), value.trim().parse::<u32>().ok().into())
            }
            Way::Text | Way::Name(_) | Way::Choice(..) | Way::Place(_) => {
                (self.name.to_owned(), value.trim().into())
            }
            Way::PlaceOfComputer(ref fqdn) => {
                (self.name.to_owned(), json!({ "Add": [format!("{fqdn}={}", value.trim())] }))
            }
            Way::List(_) => (self.name.to_owned(), json!({ "Replace": lines(&value) })),
            Way::Switched(.., off) if value.is_empty() => (off.to_owned(), false.into()),
            Way::Switched(..) => (self.name.to_owned(), value.into()),
        })
    }
}

/// The arguments of all fields; several may change one list.
pub(super) fn join(out: &mut Map<String, Value>, list: &[Input]) {
    for (name, value) in list.iter().filter_map(Input::argument) {
        match (out.get_mut(&name).and_then(Value::as_object_mut), value) {
            (Some(old), Value::Object(new)) => {
                for (part, more) in new {
                    match (old.get_mut(&part).and_then(Value::as_array_mut), more) {
                        (Some(list), Value::Array(more)) => list.extend(more),
                        (_, more) => drop(old.insert(part, more)),
                    }
                }
            }
            (_, value) => drop(out.insert(name, value)),
        }
    }
}

/// The switch that a field sends in place of its own parameter.
pub(super) fn off_of(i: &Input) -> Option<&'static str> {
    if let Way::Switched(.., off) = i.way { Some(off) } else { None }
}

pub(super) fn draw(i: &Input) -> AnyView {
    let (label, name, help, value) = (i.label, i.name, i.help, i.value);
    match &i.way {
        Way::Text => view! { <TextField label name value help=move || help /> }.into_any(),
        Way::Place(of) => place(None, *of, name, value),
        Way::PlaceOfComputer(fqdn) => place(Some(fqdn), PlaceOf::Server, name, value),
        Way::Name(check) => {
            view! { <TextField label name value mono=true check=*check help=move || help /> }.into_any()
        }
        Way::List(check) => {
            view! { <TextField label name value mono=true rows=4 check=*check help=move || help /> }
                .into_any()
        }
        Way::Choice(options, none) | Way::Switched(options, none, _) => {
            let options = options.clone();
            view! { <SelectField label name value options=Signal::stored(options) none=*none help=move || help /> }
                .into_any()
        }
    }
}

/// The choice of a place, which stands as its word in `value`; of one computer among several with its name.
fn place(computer: Option<&String>, of: PlaceOf, name: &'static str, value: RwSignal<String>) -> AnyView {
    let chosen = RwSignal::new(placement(Some(&value.get_untracked())));
    // Taken from somebody else's change as well.
    Effect::new(move |_| {
        let now = value.get();
        if chosen.with_untracked(|p| word(p) != now) {
            chosen.set(placement(Some(&now)));
        }
    });
    let field = view! { <PlaceField of value=chosen name on_change=move |p| value.set(word(&p)) /> };
    match computer {
        None => field.into_any(),
        Some(fqdn) => view! {
            <details class="edit-place">
                <summary>"Where "<span class="mono">{fqdn.clone()}</span>" runs: "{move || chosen.with(|p| p.words())}</summary>
                {field}
            </details>
        }
        .into_any(),
    }
}
