//! The page *Define the computers in this pool*: Add, Update, Remove. Source:
//! P:Define_Persistent_Chat_Pool_Computers.

use leptos::prelude::*;
use shared::Fqdn;
use shared::topology::Placement;
use shared::topology::draft::ComputerDraft;

use super::fields::{problem, use_wizard};
use super::state::Wizard;
use crate::components::field::{Field, FieldError, FieldIds};
use crate::components::form::FieldState;
use crate::components::{Button, ButtonKind, Icon, Mono};
use crate::dom;
use crate::pages::topology::place::{PlaceField, PlaceOf};

/// What is being typed, and which row it replaces.
#[derive(Clone, Copy)]
struct Entry {
    w: Wizard,
    fqdn: RwSignal<String>,
    place: RwSignal<Placement>,
    row: RwSignal<Option<usize>>,
    id: StoredValue<String>,
}

impl Entry {
    fn put(self) {
        let names = names(&self.fqdn.get_untracked());
        if names.is_empty() {
            return;
        }
        let placement = self.place.get_untracked();
        let row = self.row.get_untracked();
        self.change(|list| {
            let mut made = names.into_iter().map(|fqdn| ComputerDraft { fqdn, placement: placement.clone() });
            if let Some(slot) = row.and_then(|i| list.get_mut(i))
                && let Some(first) = made.next()
            {
                *slot = first;
            }
            list.extend(made);
        });
        self.clear();
    }

    fn change(self, f: impl FnOnce(&mut Vec<ComputerDraft>)) {
        self.w.edit(|d| f(&mut d.computers));
    }

    fn clear(self) {
        self.fqdn.set(String::new());
        self.row.set(None);
        self.focus();
    }

    fn take(self, i: usize) {
        let computer = self.w.draft.read_untracked().computers.get(i).cloned();
        if let Some(c) = computer {
            self.fqdn.set(c.fqdn);
            self.place.set(c.placement);
            self.row.set(Some(i));
            self.focus();
        }
    }

    fn remove(self, i: usize) {
        self.change(|list| {
            if i < list.len() {
                list.remove(i);
            }
        });
        self.clear();
    }

    fn focus(self) {
        let id = self.id.get_value();
        dom::after_frame(move || dom::focus(dom::document().get_element_by_id(&id)));
    }
}

/// Several names may be pasted at once.
fn names(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What is wrong with the names being typed.
fn typed_wrong(text: &str) -> Option<String> {
    names(text).iter().find_map(|n| Fqdn::try_from(n.as_str()).err().map(|e| format!("{n}: {e}")))
}

/// The page.
#[component]
pub fn ComputersPage() -> impl IntoView {
    let w = use_wizard();
    let ids = FieldIds::new();
    let entry = Entry {
        w,
        fqdn: RwSignal::new(String::new()),
        place: RwSignal::new(Placement::RunHere),
        row: RwSignal::new(None),
        id: StoredValue::new(ids.control.clone()),
    };
    let list_wrong = problem(w, "computers");
    let wrong = Signal::derive(move || typed_wrong(&entry.fqdn.read()).or_else(|| list_wrong.get()));
    let state = FieldState::new(&ids.control, "Computer FQDN", "computers", wrong);
    let error = state.error();
    let (id, tied) = (ids.control.clone(), ids.clone());
    let described = move || tied.described(true, error.with(Option::is_some));
    let cannot = Signal::derive(move || {
        entry.fqdn.with(|f| {
            if f.trim().is_empty() {
                Some("Enter the FQDN of a computer.".to_owned())
            } else {
                typed_wrong(f)
            }
        })
    });
    let add =
        Signal::derive(move || if entry.row.with(Option::is_some) { "Update" } else { "Add" }.to_owned());
    let put = move |()| {
        state.left.set(true);
        if cannot.with_untracked(Option::is_none) {
            entry.put();
        }
    };
    view! {
        <Field ids label="Computer FQDN" required=true error
            help=|| "As in the DNS host record, for example pc01.contoso.com. Several may be pasted at once.">
            <div class="input-row">
                <input id=id name="computers" class="input mono" type="text" autocomplete="off" spellcheck="false" autocapitalize="none"
                    aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                    prop:value=entry.fqdn
                    on:input=move |e| entry.fqdn.set(event_target_value(&e))
                    on:blur=move |_| state.left.set(true)
                    on:keydown=move |e| {
                        if e.key() == "Enter" && entry.fqdn.with_untracked(|f| !f.trim().is_empty()) {
                            e.prevent_default();
                            put(());
                        }
                    }
                />
                <Button label=add blocked=cannot on_press=put />
                {move || entry.row.get().map(|_| view! { <Button label="Cancel" kind=ButtonKind::Quiet on_press=move |()| entry.clear() /> })}
            </div>
        </Field>
        <PlaceField of=PlaceOf::Server value=entry.place />
        <List entry />
    }
}

#[component]
fn List(entry: Entry) -> impl IntoView {
    let w = entry.w;
    let list = Memo::new(move |_| w.draft.read().computers.clone());
    view! {
        <div class="stack-s">
            <h2 class="wizard-subtitle">
                {move || match list.with(Vec::len) { 0 => "No computer yet".to_owned(), 1 => "1 computer".to_owned(), n => format!("{n} computers") }}
            </h2>
            <ul class="computers" role="list">
                {move || list.get().into_iter().enumerate().map(|(i, c)| row(entry, i, c)).collect_view()}
            </ul>
        </div>
    }
}

fn row(entry: Entry, i: usize, c: ComputerDraft) -> AnyView {
    let wrong = Signal::derive(move || {
        let at = |part: &str| entry.w.problem_at(&format!("computers.{i}.{part}"));
        at("fqdn").or_else(|| at("placement"))
    });
    let error_id = dom::uid("computer");
    let fqdn = c.fqdn.clone();
    view! {
        <li class="computer" class:computer-edited=move || entry.row.get() == Some(i)>
            <span class="computer-name">{Icon::Pools.draw()}<Mono text=c.fqdn.clone() /><span class="muted">{c.placement.words()}</span></span>
            <span class="row">
                <button type="button" class="button button-quiet" aria-label=format!("Update {fqdn}") on:click=move |_| entry.take(i)>"Update"</button>
                <button type="button" class="button button-quiet" aria-label=format!("Remove {fqdn}") on:click=move |_| entry.remove(i)>"Remove"</button>
            </span>
            <FieldError id=error_id error=wrong />
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_pasted_together() {
        assert_eq!(
            names(" pc01.contoso.com,pc02.contoso.com\n pc03.contoso.com; "),
            ["pc01.contoso.com", "pc02.contoso.com", "pc03.contoso.com"]
        );
        assert_eq!(typed_wrong("pc01.contoso.com"), None);
        assert!(typed_wrong("pc01.contoso.com pc02").is_some_and(|t| t.starts_with("pc02: ")));
        assert_eq!(typed_wrong(""), None);
    }
}
