//! Fields that choose: a list, a box to tick, one of a few.

use leptos::prelude::*;

use super::text::describe;
use crate::components::field::{Field, FieldError, FieldIds};
use crate::components::form::FieldState;
use crate::dom;

/// Options that are drawn at once; a longer list is filled when somebody comes to it.
const MANY: usize = 60;

/// A drop-down list of (value, words).
#[component]
pub fn SelectField(
    /// The label.
    #[prop(into)]
    label: String,
    /// The chosen value; empty for none yet.
    value: RwSignal<String>,
    /// Values and their words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// The parameter it fills.
    #[prop(optional)]
    name: &'static str,
    /// What it is for.
    #[prop(optional, into)]
    help: ViewFn,
    /// Must be chosen.
    #[prop(optional)]
    required: bool,
    /// Words of the empty choice.
    #[prop(default = "Choose …")]
    none: &'static str,
    /// Called after each change.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
) -> impl IntoView {
    let ids = FieldIds::new();
    let wrong = Signal::derive(move || {
        (required && value.with(String::is_empty)).then(|| "Choose one of the list.".to_owned())
    });
    let state = FieldState::new(&ids.control, &label, name, wrong);
    let error = state.error();
    let described = describe(&ids, error);
    let id = ids.control.clone();
    let come = RwSignal::new(false);
    let shown = move || {
        let all = come.get() || options.with(|o| o.len() <= MANY);
        let mut list = options.get();
        if !all {
            value.with(|x| list.retain(|(v, _)| v == x));
        }
        list
    };
    view! {
        <Field ids label required help error>
            <select id=id name=name class="input" required=required
                aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                on:change=move |e| {
                    let v = event_target_value(&e);
                    value.set(v.clone());
                    state.changed();
                    if let Some(f) = on_change {
                        f.run(v);
                    }
                }
                on:blur=move |_| state.left.set(true)
                on:focus=move |_| come.set(true)
            >
                <option value="" prop:selected=move || value.with(String::is_empty)>{none}</option>
                {move || {
                    shown()
                        .into_iter()
                        .map(|(v, words)| {
                            let mine = v.clone();
                            view! { <option value=v prop:selected=move || value.with(|x| *x == mine)>{words}</option> }
                        })
                        .collect_view()
                }}
            </select>
        </Field>
    }
}

/// A box to tick.
#[component]
pub fn CheckField(
    /// The words beside it.
    #[prop(into)]
    label: String,
    /// Whether it is ticked.
    value: RwSignal<bool>,
    /// What it means.
    #[prop(optional, into)]
    help: ViewFn,
    /// The parameter it fills.
    #[prop(optional)]
    name: &'static str,
    /// Called after each change.
    #[prop(optional, into)]
    on_change: Option<Callback<bool>>,
) -> impl IntoView {
    let ids = FieldIds::new();
    let none = Signal::derive(|| None);
    let state = FieldState::new(&ids.control, &label, name, none);
    let error = state.error();
    let described = describe(&ids, error);
    let FieldIds { control: id, help: help_id, error: error_id } = ids;
    view! {
        <div class="field field-check">
            <label class="check">
                <input id=id name=name type="checkbox" prop:checked=value aria-describedby=described
                    on:change=move |e| {
                        let on = event_target_checked(&e);
                        value.set(on);
                        state.changed();
                        if let Some(f) = on_change {
                            f.run(on);
                        }
                    }
                />
                <span>{label}</span>
            </label>
            <FieldError id=error_id error />
            <div class="field-help" id=help_id>{help.run()}</div>
        </div>
    }
}

/// One of a few, each with words and an explanation (may be empty).
#[component]
pub fn RadioGroup(
    /// What is chosen.
    #[prop(into)]
    label: String,
    /// The chosen value.
    value: RwSignal<String>,
    /// Value, words, explanation.
    #[prop(into)]
    options: Signal<Vec<(String, String, String)>>,
    /// What it is for.
    #[prop(optional, into)]
    help: ViewFn,
    /// Called after each change.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
) -> impl IntoView {
    let group = dom::uid("choice");
    let help_id = format!("{group}-help");
    let option = {
        move |(v, words, text): (String, String, String)| {
            let id = dom::uid("option");
            let words_id = format!("{id}-words");
            let text_id = format!("{id}-text");
            let mine = v.clone();
            // The explanation is clickable as well, but it describes: a screen reader says it once, after the name.
            view! {
                <label class="check">
                    <input type="radio" id=id name=group.clone() value=v.clone()
                        aria-labelledby=words_id.clone() aria-describedby=text_id.clone()
                        prop:checked=move || value.with(|x| *x == mine)
                        on:change=move |_| {
                            value.set(v.clone());
                            if let Some(f) = on_change {
                                f.run(v.clone());
                            }
                        }
                    />
                    <span>
                        <span id=words_id>{words}</span>
                        <span class="check-text" id=text_id>{text}</span>
                    </span>
                </label>
            }
        }
    };
    view! {
        <fieldset class="field" aria-describedby=help_id>
            <legend class="field-label">{label}</legend>
            {move || options.get().into_iter().map(option.clone()).collect_view()}
            <div class="field-help" id=help_id.clone()>{help.run()}</div>
        </fieldset>
    }
}
