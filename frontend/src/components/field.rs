//! The frame of a form field: label above, help below, error below that.

use leptos::prelude::*;

use super::icon::Icon;
use crate::dom;

/// Ids that tie a control to its label, help and error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldIds {
    /// The control.
    pub control: String,
    /// The help text.
    pub help: String,
    /// The error text.
    pub error: String,
}

impl FieldIds {
    /// New ids.
    pub fn new() -> Self {
        let control = dom::uid("field");
        Self { help: format!("{control}-help"), error: format!("{control}-error"), control }
    }

    /// The value of `aria-describedby`.
    pub fn described(&self, has_help: bool, has_error: bool) -> Option<String> {
        match (has_help, has_error) {
            (true, true) => Some(format!("{} {}", self.error, self.help)),
            (true, false) => Some(self.help.clone()),
            (false, true) => Some(self.error.clone()),
            (false, false) => None,
        }
    }
}

impl Default for FieldIds {
    fn default() -> Self {
        Self::new()
    }
}

/// Label, control, help and error, one under the other.
#[component]
pub fn Field(
    /// Ids of the parts.
    ids: FieldIds,
    /// The label.
    #[prop(into)]
    label: String,
    /// Must be filled in.
    #[prop(optional)]
    required: bool,
    /// What it is for; empty for none.
    #[prop(optional, into)]
    help: ViewFn,
    /// What is wrong with it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// The control, with the ids of `ids`.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field" class:field-wrong=move || error.with(Option::is_some)>
            <label class="field-label" for=ids.control.clone()>
                {label}
                {if required {
                    view! { <span class="field-required" aria-hidden="true">" *"</span> }.into_any()
                } else {
                    view! { <span class="field-optional">" (optional)"</span> }.into_any()
                }}
            </label>
            {children()}
            <FieldError id=ids.error.clone() error />
            <div class="field-help" id=ids.help>{help.run()}</div>
        </div>
    }
}

/// The error under a control.
#[component]
pub fn FieldError(
    /// Id for `aria-describedby`.
    id: String,
    /// The text.
    error: Signal<Option<String>>,
) -> impl IntoView {
    move || {
        error.get().map(|text| {
            view! {
                <div class="field-error" id=id.clone()>
                    {Icon::Warning.draw()}
                    <span>{text}</span>
                </div>
            }
        })
    }
}
