//! What the fields of one form know of each other: errors from the portal by parameter, and what is
//! wrong with what was typed.

use std::collections::BTreeMap;

use leptos::prelude::*;
use shared::error::ApiError;

use crate::dom;

/// A field as its form sees it.
#[derive(Clone)]
struct Entry {
    id: String,
    label: String,
    parameter: &'static str,
    problem: Signal<Option<String>>,
    left: RwSignal<bool>,
}

/// State of a form, handed to its fields by context.
#[derive(Clone, Copy)]
pub struct FormState {
    entries: RwSignal<Vec<Entry>>,
    refused: RwSignal<BTreeMap<String, String>>,
    /// Sending was tried: every field shows what is wrong with it.
    pub attempted: RwSignal<bool>,
}

impl Default for FormState {
    fn default() -> Self {
        Self {
            entries: RwSignal::new(Vec::new()),
            refused: RwSignal::new(BTreeMap::new()),
            attempted: RwSignal::new(false),
        }
    }
}

impl FormState {
    /// Makes the state of a form and hands it to the fields below.
    pub fn provide() -> Self {
        let form = Self::default();
        provide_context(form);
        form
    }

    /// Adds a field for as long as the calling component lives.
    fn join(self, entry: Entry) {
        let id = entry.id.clone();
        self.entries.update(|e| e.push(entry));
        on_cleanup(move || {
            // At the end of the whole form its state may be gone already.
            let _ = self.entries.try_update(|e| e.retain(|x| x.id != id));
        });
    }

    /// What the portal said about a parameter.
    pub fn refusal(self, parameter: &str) -> Option<String> {
        self.refused.with(|r| r.get(parameter).cloned())
    }

    /// The value of a parameter changed: what the portal said of it no longer counts.
    pub fn changed(self, parameter: &str) {
        if self.refused.with_untracked(|r| r.contains_key(parameter)) {
            self.refused.update(|r| {
                r.remove(parameter);
            });
        }
    }

    /// What is wrong first, with the field's name; none when the form may be sent. Reactive.
    pub fn blocked(self) -> Option<String> {
        self.entries
            .with(|e| e.iter().find_map(|x| x.problem.get().map(|text| format!("{}: {text}", x.label))))
    }

    /// Shows every problem and moves the focus to the first field that has one.
    pub fn show_problems(self) {
        self.attempted.set(true);
        let first = self
            .entries
            .with_untracked(|e| e.iter().find(|x| x.problem.get_untracked().is_some()).map(|x| x.id.clone()));
        if let Some(id) = first {
            dom::after_frame(move || dom::focus(dom::document().get_element_by_id(&id)));
        }
    }

    /// What was entered is done with: an emptied field is not wrong until it is left again.
    pub fn begin_again(self) {
        // The form may be gone by now.
        let _ = self.attempted.try_set(false);
        let fields = self.entries.try_with_untracked(|e| e.iter().map(|x| x.left).collect::<Vec<_>>());
        for left in fields.unwrap_or_default() {
            let _ = left.try_set(false);
        }
    }

    /// Takes an error of the portal; `false` when none of the fields is the one it stands at.
    pub fn refuse(self, error: &ApiError) -> bool {
        let mut by_field: BTreeMap<String, String> =
            error.problems.iter().filter(|p| p.blocks()).map(|p| (p.field.clone(), p.text.clone())).collect();
        if let Some(field) = &error.field {
            by_field.insert(field.clone(), error.message.clone());
        }
        let known = self
            .entries
            .with_untracked(|e| e.iter().find(|x| by_field.contains_key(x.parameter)).map(|x| x.id.clone()));
        self.refused.set(by_field);
        if let Some(id) = &known {
            let id = id.clone();
            dom::after_frame(move || dom::focus(dom::document().get_element_by_id(&id)));
        }
        known.is_some()
    }
}

/// When a field shows what is wrong with it: after it was left once, or after sending was tried.
#[derive(Clone, Copy)]
pub struct FieldState {
    /// The field was left once.
    pub left: RwSignal<bool>,
    form: Option<FormState>,
    parameter: &'static str,
    problem: Signal<Option<String>>,
}

impl FieldState {
    /// Joins the form around it, when there is one.
    pub fn new(id: &str, label: &str, parameter: &'static str, problem: Signal<Option<String>>) -> Self {
        let form = use_context::<FormState>();
        let left = RwSignal::new(false);
        if let Some(form) = form {
            form.join(Entry { id: id.to_owned(), label: label.to_owned(), parameter, problem, left });
        }
        Self { left, form, parameter, problem }
    }

    /// The error to show under the field now.
    pub fn error(self) -> Signal<Option<String>> {
        Signal::derive(move || {
            let refused = self.form.and_then(|f| f.refusal(self.parameter));
            let shown = self.left.get() || self.form.is_some_and(|f| f.attempted.get());
            refused.or_else(|| self.problem.get().filter(|_| shown))
        })
    }

    /// The value changed.
    pub fn changed(self) {
        if let Some(form) = self.form {
            form.changed(self.parameter);
        }
    }
}
