//! Fields that take text.

use leptos::prelude::*;

use crate::components::field::{Field, FieldIds};
use crate::components::form::FieldState;

/// A check of what was typed, usually a function of `shared`.
pub type Check = fn(&str) -> Result<(), String>;

/// A field for one line of text, or several.
#[component]
pub fn TextField(
    /// The label.
    #[prop(into)]
    label: String,
    /// What is typed.
    value: RwSignal<String>,
    /// The parameter it fills; errors of the portal at that name stand here.
    #[prop(optional)]
    name: &'static str,
    /// What it is for.
    #[prop(optional, into)]
    help: ViewFn,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// The check of a filled-in value; an empty one is only checked when it is required.
    #[prop(optional)]
    check: Option<Check>,
    /// A check that depends on other fields; shown in the same way.
    #[prop(optional, into)]
    problem: Signal<Option<String>>,
    /// Monospace, for names of the field.
    #[prop(optional)]
    mono: bool,
    /// Several lines, so many at first.
    #[prop(optional)]
    rows: u32,
    /// The browser's `autocomplete`.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// `text`, `password`, `number` …
    #[prop(default = "text")]
    kind: &'static str,
    /// Values to choose from while typing.
    #[prop(optional, into)]
    suggestions: Signal<Vec<String>>,
    /// Takes the focus when a dialog opens.
    #[prop(optional)]
    first: bool,
    /// Called after each change.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
    /// Called when the field is left.
    #[prop(optional, into)]
    on_leave: Option<Callback<()>>,
) -> impl IntoView {
    let ids = FieldIds::new();
    let wrong = Signal::derive(move || value.with(|v| verdict(v, required, check)).or_else(|| problem.get()));
    let state = FieldState::new(&ids.control, &label, name, wrong);
    let error = state.error();
    let described = describe(&ids, error);
    let class = if mono { "input mono" } else { "input" };
    let typed = move |text: String| {
        value.set(text.clone());
        state.changed();
        if let Some(f) = on_change {
            f.run(text);
        }
    };
    let leave = move |_| {
        state.left.set(true);
        if let Some(f) = on_leave {
            f.run(());
        }
    };
    let list_id = format!("{}-list", ids.control);
    let id = ids.control.clone();
    let control = if rows > 0 {
        view! {
            <textarea id=id name=name class=class rows=rows spellcheck="false" required=required
                aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                prop:value=value on:input=move |e| typed(event_target_value(&e)) on:blur=leave
            ></textarea>
        }
        .into_any()
    } else {
        let list = list_id.clone();
        view! {
            <input id=id name=name type=kind class=class autocomplete=autocomplete spellcheck="false" required=required
                data-first=first.then_some("") autocapitalize="none"
                list=move || suggestions.with(|s| !s.is_empty()).then(|| list.clone())
                aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                prop:value=value on:input=move |e| typed(event_target_value(&e)) on:blur=leave
            />
        }
        .into_any()
    };
    view! {
        <Field ids label required help error>
            {control}
            {move || {
                let all = suggestions.get();
                (!all.is_empty()).then(|| view! {
                    <datalist id=list_id.clone()>
                        {all.into_iter().map(|s| view! { <option value=s></option> }).collect_view()}
                    </datalist>
                })
            }}
        </Field>
    }
}

/// What is wrong with a value.
pub(super) fn verdict(value: &str, required: bool, check: Option<Check>) -> Option<String> {
    if value.trim().is_empty() {
        // A check names the thing to enter better than a general sentence does.
        let own = check.and_then(|c| c(value).err());
        return required.then(|| own.unwrap_or_else(|| "Fill this in.".to_owned()));
    }
    check.and_then(|c| c(value).err())
}

/// The reactive value of `aria-describedby`.
pub fn describe(
    ids: &FieldIds,
    error: Signal<Option<String>>,
) -> impl Fn() -> Option<String> + Clone + Send + Sync + 'static + use<> {
    let ids = ids.clone();
    move || ids.described(true, error.with(Option::is_some))
}

/// A field for a password, with a way to look at it.
#[component]
pub fn PasswordField(
    /// The label.
    #[prop(into)]
    label: String,
    /// What is typed.
    value: RwSignal<String>,
    /// The parameter it fills.
    #[prop(optional)]
    name: &'static str,
    /// What it is for.
    #[prop(optional, into)]
    help: ViewFn,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// The check of a filled-in value.
    #[prop(optional)]
    check: Option<Check>,
    /// `current-password` or `new-password`.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Takes the focus when a dialog opens.
    #[prop(optional)]
    first: bool,
) -> impl IntoView {
    let ids = FieldIds::new();
    let shown = RwSignal::new(false);
    let wrong = Signal::derive(move || value.with(|v| verdict(v, required, check)));
    let state = FieldState::new(&ids.control, &label, name, wrong);
    let error = state.error();
    let described = describe(&ids, error);
    let id = ids.control.clone();
    view! {
        <Field ids label required help error>
            <div class="input-row">
                <input id=id name=name class="input" autocomplete=autocomplete spellcheck="false" required=required
                    autocapitalize="none" data-first=first.then_some("")
                    type=move || if shown.get() { "text" } else { "password" }
                    aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                    prop:value=value
                    on:input=move |e| { value.set(event_target_value(&e)); state.changed(); }
                    on:blur=move |_| state.left.set(true)
                />
                <button type="button" class="button button-quiet" aria-pressed=move || if shown.get() { "true" } else { "false" }
                    on:click=move |_| shown.update(|s| *s = !*s)>
                    "Show"
                </button>
            </div>
        </Field>
    }
}
