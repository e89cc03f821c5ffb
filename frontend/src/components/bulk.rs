//! One act on many rows: a bar with what can be done to the chosen ones, and a dialog with one preview of all
//! of them, progress, and what came of each. Each row is an act of its own, planned and audited as such.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared::plan::{Invocation, Mode};

use super::button::{Button, ButtonKind};
use super::dialog::Dialog;
use super::fields::TextField;
use super::parts::Every;
use crate::{api, dom, session};

/// Rows of a list by what names them to cmdlets.
pub type Chosen = RwSignal<BTreeSet<String>>;
/// What names a row of a list, and those that are chosen.
pub type Choice<T> = (fn(&T) -> String, Chosen);
/// Arguments for a row and what was typed.
pub type Make = fn(&str, &str) -> Map<String, Value>;

/// Sentences and results that are shown; the rest is counted.
const SHOWN: usize = 20;

/// Rows that are chosen at once, at most.
const MOST: usize = 5000;

/// Chooses every row of a list in parts.
pub fn choose_all<T: 'static>(every: Every<T>, (key, chosen): Choice<T>) -> Callback<()> {
    let sink = Callback::new(move |all: Vec<T>| chosen.update(|c| c.extend(all.iter().map(key))));
    Callback::new(move |()| every.run((MOST, sink)))
}

/// What can be done to the chosen rows.
#[derive(Clone, Copy)]
pub struct BulkAct {
    /// Verb.
    pub label: &'static str,
    /// The cmdlet.
    pub cmdlet: &'static str,
    /// Its arguments.
    pub make: Make,
    /// What is to be typed or chosen for it: label and suggestions.
    pub asks: Option<(&'static str, Signal<Vec<String>>)>,
    /// Weight.
    pub kind: ButtonKind,
}

impl BulkAct {
    /// Without anything to type.
    pub const fn new(label: &'static str, cmdlet: &'static str, make: Make) -> Self {
        Self { label, cmdlet, make, asks: None, kind: ButtonKind::Plain }
    }
}

/// What is known of a row.
#[derive(Clone, PartialEq)]
enum Found {
    /// Sentences, fingerprint, people.
    Ready(Vec<String>, String, u64),
    /// Nothing would change.
    Same,
    /// Cannot be done, or could not.
    Failed(String),
    Done,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Asking,
    Looking,
    Ready,
    Working,
    Over,
}

#[derive(Clone, Copy)]
struct State {
    act: RwSignal<Option<BulkAct>>,
    phase: RwSignal<Phase>,
    rows: RwSignal<Vec<(String, Found)>>,
    all: RwSignal<usize>,
    stop: RwSignal<bool>,
    typed: RwSignal<String>,
    reason: RwSignal<String>,
    chosen: Chosen,
}

impl State {
    fn start(self, act: BulkAct) {
        self.act.set(Some(act));
        self.rows.set(Vec::new());
        self.typed.set(String::new());
        self.reason.set(String::new());
        self.phase.set(Phase::Asking);
        if act.asks.is_none() {
            self.look();
        }
    }

    fn look(self) {
        let Some(act) = self.act.get_untracked() else { return };
        let keys: Vec<String> = self.chosen.get_untracked().into_iter().collect();
        let typed = self.typed.get_untracked().trim().to_owned();
        self.all.set(keys.len());
        self.stop.set(false);
        self.phase.set(Phase::Looking);
        spawn_local(async move {
            for key in keys {
                if self.stop.get_untracked() {
                    return;
                }
                let args = (act.make)(&key, &typed);
                let asked = Invocation { args, mode: Mode::WhatIf, ..Invocation::default() };
                let found = match api::cmdlet(act.cmdlet, &asked).await {
                    Err(e) => Found::Failed(e.message),
                    Ok(r) => {
                        let p = r.plan.unwrap_or_default();
                        match p.blockers.into_iter().next() {
                            Some(b) => Found::Failed(b.text),
                            None if p.changes.is_empty() && p.sentences == ["Nothing changes."] => {
                                Found::Same
                            }
                            None => Found::Ready(p.sentences, p.fingerprint, p.affected_users.unwrap_or(0)),
                        }
                    }
                };
                self.rows.update(|r| r.push((key, found)));
            }
            self.phase.set(Phase::Ready);
        });
    }

    fn carry_out(self) {
        let Some(act) = self.act.get_untracked() else { return };
        let (typed, reason) = (self.typed.get_untracked().trim().to_owned(), self.reason.get_untracked());
        self.stop.set(false);
        self.phase.set(Phase::Working);
        spawn_local(async move {
            for i in 0..self.rows.with_untracked(Vec::len) {
                let row = self.rows.with_untracked(|r| r[i].clone());
                let (key, Found::Ready(_, fingerprint, _)) = row else { continue };
                if self.stop.get_untracked() {
                    break;
                }
                let invocation = Invocation {
                    args: (act.make)(&key, &typed),
                    fingerprint: Some(fingerprint),
                    reason: (!reason.trim().is_empty()).then(|| reason.clone()),
                    op_id: Some(dom::random_uuid()),
                    ..Invocation::default()
                };
                let found = match api::cmdlet(act.cmdlet, &invocation).await {
                    Ok(_) => Found::Done,
                    Err(e) => Found::Failed(e.message),
                };
                if found == Found::Done {
                    // What failed stays chosen, to be tried again.
                    self.chosen.update(|c| {
                        c.remove(&key);
                    });
                }
                self.rows.update(|r| r[i].1 = found);
            }
            self.phase.set(Phase::Over);
        });
    }

    fn close(self) {
        self.stop.set(true);
        if self.phase.get_untracked() != Phase::Working {
            self.act.set(None);
        }
    }
}

/// The bar above a list; it is there while something is chosen.
#[component]
pub fn Bulk(
    /// What is chosen.
    chosen: Chosen,
    /// What can be done.
    acts: Vec<BulkAct>,
    /// What the rows are: `rooms`.
    what: &'static str,
    /// How many match in all, where the list shows a part of them, and what chooses them all.
    #[prop(optional)]
    rest: Option<(Signal<u64>, Callback<()>)>,
) -> impl IntoView {
    let state = State {
        act: RwSignal::new(None),
        phase: RwSignal::new(Phase::Asking),
        rows: RwSignal::new(Vec::new()),
        all: RwSignal::new(0),
        stop: RwSignal::new(false),
        typed: RwSignal::new(String::new()),
        reason: RwSignal::new(String::new()),
        chosen,
    };
    let count = Memo::new(move |_| chosen.with(BTreeSet::len));
    let acts = StoredValue::new(acts);
    let open = Memo::new(move |_| state.act.with(Option::is_some));
    let title = Signal::derive(move || {
        let n = if state.phase.get() == Phase::Asking { count.get() } else { state.all.get() };
        state.act.get().map(|a| format!("{} – {n} {what}", a.label)).unwrap_or_default()
    });
    let button = move |a: BulkAct| {
        let why = Signal::derive(move || session::allowed(a.cmdlet).err());
        view! { <Button label=a.label kind=a.kind blocked=why on_press=move |()| state.start(a) /> }
    };
    let all_of = move || {
        let (total, choose) = rest?;
        let more = total.get() > count.get() as u64;
        more.then(|| view! { <Button label=format!("Select all {} that match", total.get()) kind=ButtonKind::Quiet on_press=move |()| choose.run(()) /> })
    };
    view! {
        {move || (count.get() > 0).then(|| view! {
            <div class="bulk row" role="group" aria-label=format!("What to do with the selected {what}")>
                <strong role="status">{move || format!("{} selected", count.get())}</strong>
                {all_of}
                {acts.with_value(|l| l.iter().copied().map(button).collect_view())}
                <Button label="Select none" kind=ButtonKind::Quiet on_press=move |()| chosen.set(BTreeSet::new()) />
            </div>
        })}
        <Dialog open title on_close=move |()| state.close()>
            <div class="plan">
                <div class="plan-body">{move || body(state)}</div>
                <footer class="dialog-foot">{move || foot(state)}</footer>
            </div>
        </Dialog>
    }
}

fn body(s: State) -> AnyView {
    let Some(act) = s.act.get() else { return ().into_any() };
    match s.phase.get() {
        Phase::Asking => act
            .asks
            .map(|(label, suggestions)| view! { <TextField label value=s.typed suggestions required=true first=true /> })
            .into_any(),
        Phase::Looking => progress(s, "Looked at", |_| true),
        Phase::Working => progress(s, "Carried out", |f| !matches!(f, Found::Ready(..))),
        Phase::Ready | Phase::Over => outcome(s),
    }
}

fn progress(s: State, word: &'static str, over: fn(&Found) -> bool) -> AnyView {
    let n = move || s.rows.with(|r| r.iter().filter(|(_, f)| over(f)).count());
    view! {
        <p role="status">{move || format!("{word}: {} of {}.", n(), s.all.get())}</p>
        <progress max=move || s.all.get().to_string() value=move || n().to_string() aria-label=word></progress>
    }
    .into_any()
}

/// Rows of one kind, the first by name.
fn part(rows: &[(String, Found)], title: &str, pick: fn(&Found) -> Option<String>) -> AnyView {
    let of: Vec<(String, String)> = rows.iter().filter_map(|(k, f)| Some((k.clone(), pick(f)?))).collect();
    let (n, title) = (of.len(), title.to_owned());
    (n > 0)
        .then(|| {
            view! {
                <h3>{format!("{title}: {n}")}</h3>
                <ul class="bulk-rows">
                    {of.into_iter().take(SHOWN).map(|(k, t)| view! { <li><strong class="mono">{k}</strong>" "{t}</li> }).collect_view()}
                </ul>
                {(n > SHOWN).then(|| view! { <p class="muted">{format!("And {} more.", n - SHOWN)}</p> })}
            }
        })
        .into_any()
}

fn outcome(s: State) -> AnyView {
    let rows = s.rows.get();
    let people: u64 = rows.iter().map(|(_, f)| if let Found::Ready(_, _, n) = f { *n } else { 0 }).sum();
    let failed = |f: &Found| if let Found::Failed(why) = f { Some(why.clone()) } else { None };
    let ready = |f: &Found| if let Found::Ready(said, ..) = f { Some(said.join(" ")) } else { None };
    let over = s.phase.get() == Phase::Over;
    view! {
        {part(&rows, "Done", |f| (*f == Found::Done).then(String::new))}
        {part(&rows, if over { "Not done" } else { "Will be done" }, ready)}
        {(people > 0).then(|| view! { <p class="plan-people">{format!("People put out of rooms: {people}, counted for each row.")}</p> })}
        {part(&rows, if over { "Refused" } else { "Cannot be done" }, failed)}
        {part(&rows, "Stays as it is", |f| (*f == Found::Same).then(String::new))}
        {(!over).then(|| view! { <TextField label="Reason" value=s.reason help=|| "Stands in the audit beside your name, for each row." /> })}
    }
    .into_any()
}

fn foot(s: State) -> AnyView {
    let Some(act) = s.act.get() else { return ().into_any() };
    let close = |label: &'static str| view! { <Button label on_press=move |()| s.close() /> };
    match s.phase.get() {
        Phase::Asking => {
            let empty = Signal::derive(move || {
                s.typed.with(|t| t.trim().is_empty()).then(|| "Fill this in first.".to_owned())
            });
            view! { {close("Cancel")} <Button label="Preview" kind=ButtonKind::Primary blocked=empty on_press=move |()| s.look() /> }
                .into_any()
        }
        Phase::Looking => close("Cancel").into_any(),
        Phase::Working => view! { <Button label="Stop" on_press=move |()| s.stop.set(true) /> }.into_any(),
        Phase::Over => close("Close").into_any(),
        Phase::Ready => {
            let n = s.rows.with(|r| r.iter().filter(|(_, f)| matches!(f, Found::Ready(..))).count());
            let none = Signal::derive(move || (n == 0).then(|| "Nothing can be done.".to_owned()));
            let kind = if act.kind == ButtonKind::Danger { ButtonKind::Danger } else { ButtonKind::Primary };
            view! { {close("Cancel")} <Button label=format!("{} ({n})", act.label) kind blocked=none on_press=move |()| s.carry_out() /> }
                .into_any()
        }
    }
}

/// The box that chooses a row.
pub fn choice(chosen: Chosen, key: String, name: &str) -> AnyView {
    let (of, label) = (key.clone(), format!("Select {name}"));
    let on = move || chosen.with(|c| c.contains(&of));
    let press = move |e| {
        let (on, key) = (event_target_checked(&e), key.clone());
        chosen.update(|c| {
            let _ = if on { c.insert(key) } else { c.remove(&key) };
        });
    };
    view! { <input type="checkbox" aria-label=label prop:checked=on on:change=press /> }.into_any()
}

/// The box that chooses all rows that are searched out.
pub fn choice_of_all(chosen: Chosen, keys: Arc<dyn Fn() -> Vec<String> + Send + Sync>) -> AnyView {
    let all = keys.clone();
    let on = move || {
        let all = all();
        !all.is_empty() && chosen.with(|c| all.iter().all(|k| c.contains(k)))
    };
    let press = move |e| {
        let on = event_target_checked(&e);
        let keys = keys();
        chosen.update(|c| {
            for k in keys {
                let _ = if on { c.insert(k) } else { c.remove(&k) };
            }
        });
    };
    view! { <input type="checkbox" aria-label="Select all that match" prop:checked=on on:change=press /> }
        .into_any()
}
