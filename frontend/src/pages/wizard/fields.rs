//! Fields of the wizard: bound to the draft, with the problems that `shared` finds at them.

use leptos::prelude::*;
use serde_json::Value;
use shared::topology::Placement;

use super::state::Wizard;
use crate::components::field::{Field, FieldError, FieldIds};
use crate::components::form::FieldState;

/// The wizard around the calling component.
pub fn use_wizard() -> Wizard {
    expect_context::<Wizard>()
}

/// A text of the draft, or a yes and no as `true` and `false`, as a signal that follows it, and the way
/// to change it. Fields are named as problems name them: `sql.fqdn`.
pub fn text(w: Wizard, field: &'static str) -> (RwSignal<String>, Callback<String>) {
    bind(w, field, |v| v.as_str().map_or_else(|| v.to_string(), str::to_owned), Value::from)
}

/// A yes or no of the draft.
pub fn flag(w: Wizard, field: &'static str) -> (RwSignal<bool>, Callback<bool>) {
    bind(w, field, |v| v.as_bool().unwrap_or_default(), Value::from)
}

/// A place of the draft.
pub fn place(w: Wizard, field: &'static str) -> (RwSignal<Placement>, Callback<Placement>) {
    bind(
        w,
        field,
        |v| crate::api::lean::from_value(v.clone()).unwrap_or_default(),
        |p| serde_json::to_value(p).unwrap_or_default(),
    )
}

/// Function pointers, so that this is compiled once for each type and not for each field.
fn bind<T>(
    w: Wizard,
    field: &'static str,
    show: fn(&Value) -> T,
    write: fn(T) -> Value,
) -> (RwSignal<T>, Callback<T>)
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let value = RwSignal::new(untrack(|| show(&w.value(field))));
    // Another person, or another tab, may change it while it is shown.
    Effect::new(move |_| {
        let now = show(&w.value(field));
        if *value.read_untracked() != now {
            value.set(now);
        }
    });
    (value, Callback::new(move |v: T| w.put(field, write(v))))
}

/// What blocks at a field.
pub fn problem(w: Wizard, field: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || w.problem_at(field))
}

/// A list to choose from, with the problems of the draft's field.
#[component]
pub fn PickField(
    /// The label.
    label: &'static str,
    /// The draft's field, as problems name it.
    field: &'static str,
    /// The chosen value; empty for none yet.
    value: RwSignal<String>,
    /// Called after each change.
    on_change: Callback<String>,
    /// Values and their words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// What it is for.
    #[prop(optional, into)]
    help: ViewFn,
) -> impl IntoView {
    let ids = FieldIds::new();
    let state = FieldState::new(&ids.control, label, field, problem(use_wizard(), field));
    let error = state.error();
    let (id, tied) = (ids.control.clone(), ids.clone());
    let described = move || tied.described(true, error.with(Option::is_some));
    view! {
        <Field ids label required=true help error>
            <select id=id name=field class="input" required=true
                aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                on:change=move |e| {
                    let v = event_target_value(&e);
                    value.set(v.clone());
                    state.left.set(true);
                    on_change.run(v);
                }
                on:blur=move |_| state.left.set(true)
            >
                <option value="" prop:selected=move || value.with(String::is_empty)>"Choose …"</option>
                {move || {
                    options
                        .get()
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

/// A box to tick, with the problems of the draft's field.
#[component]
pub fn TickField(
    /// The words beside it.
    #[prop(into)]
    label: Signal<String>,
    /// The draft's field, as problems name it.
    field: &'static str,
    /// Whether it is ticked.
    value: RwSignal<bool>,
    /// Called after each change.
    on_change: Callback<bool>,
    /// What it means.
    #[prop(optional, into)]
    help: ViewFn,
) -> impl IntoView {
    let ids = FieldIds::new();
    let state = FieldState::new(&ids.control, field, field, problem(use_wizard(), field));
    // A tick is a whole answer: what is wrong with it shows at once.
    state.left.set(true);
    let error = state.error();
    let tied = ids.clone();
    let described = move || tied.described(true, error.with(Option::is_some));
    view! {
        <div class="field field-check">
            <label class="check">
                <input id=ids.control name=field type="checkbox" prop:checked=value aria-describedby=described
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    on:change=move |e| {
                        let on = event_target_checked(&e);
                        value.set(on);
                        on_change.run(on);
                    }
                />
                <span>{label}</span>
            </label>
            <FieldError id=ids.error error />
            <div class="field-help" id=ids.help>{help.run()}</div>
        </div>
    }
}
