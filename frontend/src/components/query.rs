//! A button that runs a query cmdlet and hands over what it returned.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared::error::ApiError;
use shared::plan::{Invocation, Mode};

use super::button::{Button, ButtonKind};
use super::load_error::LoadError;
use crate::{api, session};

/// The objects that a query returned; what draws them.
pub type Draw = Box<dyn Fn(Vec<Value>) -> AnyView + Send + Sync>;

/// The button, and below it what `draw` makes of the answer.
#[component]
pub fn QueryButton(
    /// The cmdlet.
    cmdlet: &'static str,
    /// Its arguments at the time of the press.
    #[prop(into)]
    args: Signal<Map<String, Value>>,
    /// The words.
    #[prop(into)]
    label: String,
    /// Draws the answer.
    draw: Draw,
) -> impl IntoView {
    let answer = RwSignal::new(None::<Result<Vec<Value>, ApiError>>);
    let busy = RwSignal::new(false);
    let why = Signal::derive(move || session::allowed(cmdlet).err());
    let press = move |()| {
        busy.set(true);
        let invocation = Invocation { args: args.get_untracked(), mode: Mode::Run, ..Invocation::default() };
        spawn_local(async move {
            let got = api::cmdlet(cmdlet, &invocation).await;
            busy.set(false);
            answer.set(Some(got.map(|r| r.output)));
        });
    };
    view! {
        <Button label kind=ButtonKind::Plain blocked=why busy on_press=press />
        <div role="status" class="query-answer">
            {move || answer.get().map(|a| match a {
                Ok(list) => draw(list),
                Err(error) => view! { <LoadError error /> }.into_any(),
            })}
        </div>
    }
}

/// A text property of a returned object.
pub fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}
