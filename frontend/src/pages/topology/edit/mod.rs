//! *Edit properties* of an object of the draft. The fields of all kinds of objects are described in one
//! shape, so that one form draws them; what was not changed is not sent.

mod describe;
mod fields;
mod pool;

use leptos::prelude::*;
use serde_json::Map;
use shared::api::TopologyView;
use shared::error::{ApiError, ErrorCode};
use shared::topology::diff::ObjectKind;

pub use self::describe::NewDataCenter;
use self::describe::describe;
use self::fields::{Input, draw, join, off_of};
use super::model::{Node, kind_of_slug, node};
use crate::api::Current;
use crate::components::{ActForm, Button, Notice, NoticeKind};
use crate::routes::Route;

/// The form below the details of the object in the address; none for a kind that has no properties.
#[component]
pub fn EditObject(
    /// The topology.
    view: Current<TopologyView>,
    /// The object's kind, as in the address.
    kind: String,
    /// Its id.
    id: String,
) -> impl IntoView {
    let kind = kind_of_slug(&kind);
    let seen = Seen {
        view,
        revision: RwSignal::new(0),
        again: RwSignal::new(0),
        touched: RwSignal::new(false),
        saved: RwSignal::new(false),
        asked: RwSignal::new(Vec::new()),
    };
    Effect::new(move |_| seen.follow());
    // Kept beside the form: one that is made anew after it was saved stays open.
    let opened = RwSignal::new(false);
    move || {
        seen.again.track();
        let kind = kind.filter(|k| *k != ObjectKind::SipDomain)?;
        let found = view.with_untracked(|v| {
            seen.begin(v.revision);
            node(v, kind, &id)
        });
        found.map(|n| folded(n, seen, opened))
    }
}

/// The form as a line that opens: with thousands of stores to choose from it is not made before.
fn folded(n: Node, seen: Seen, opened: RwSignal<bool>) -> AnyView {
    let n = StoredValue::new(n);
    let inside = move || {
        let n = opened.get().then(|| n.get_value())?;
        seen.view.with_untracked(|v| form(v, n, seen))
    };
    view! {
        <details class="card edit-object" prop:open=opened on:toggle=move |e| {
            opened.set(event_target::<web_sys::Element>(&e).has_attribute("open"));
        }>
            <summary>"Edit properties"</summary>
            {inside}
        </details>
    }
    .into_any()
}

/// What the form was made from, and what somebody else changed under it. It outlives the form, which is made
/// anew when the draft moved on.
#[derive(Clone, Copy)]
struct Seen {
    view: Current<TopologyView>,
    /// Revision of the draft that the fields show.
    revision: RwSignal<u32>,
    /// Makes the form anew.
    again: RwSignal<u32>,
    /// Something was typed that is not stored.
    touched: RwSignal<bool>,
    /// It was sent and stored: the next revision is its own.
    saved: RwSignal<bool>,
    /// Parameters where a choice is asked for.
    asked: RwSignal<Vec<String>>,
}

impl Seen {
    /// The form is made from this revision.
    fn begin(self, revision: u32) {
        self.revision.set(revision);
        self.touched.set(false);
        self.saved.set(false);
        self.asked.set(Vec::new());
    }

    /// A newer revision came: the form follows unless somebody is typing in it.
    fn follow(self) {
        let newer = self.view.with(|v| v.revision) != self.revision.get_untracked();
        if newer && (self.saved.get() || !self.touched.get_untracked()) {
            self.again.update(|n| *n += 1);
        }
    }

    /// The choice at a field was made; after the last one the form stands on the newest revision.
    fn chosen(self, parameter: &str) {
        self.asked.update(|list| list.retain(|p| p != parameter));
        if self.asked.with_untracked(Vec::is_empty) {
            self.revision.set(self.view.with_untracked(|v| v.revision));
        }
    }
}

fn form(v: &TopologyView, n: Node, seen: Seen) -> Option<AnyView> {
    let (cmdlet, identity, inputs, hidden) = describe(&v.draft, &n)?;
    seen.begin(v.revision);
    let inputs = StoredValue::new(inputs);
    let arguments = Signal::derive(move || {
        let mut out = Map::new();
        out.insert("Identity".to_owned(), identity.clone().into());
        // What is asked for while the form is made anew finds the old one gone.
        let _ = inputs.try_with_value(|list| join(&mut out, list));
        if out.len() > 1 {
            out.insert("DraftRevision".to_owned(), seen.revision.get().into());
        }
        out
    });
    Effect::new(move |_| seen.touched.set(arguments.with(|a| a.len() > 1)));
    let blocked = Signal::derive(move || {
        let asked = !seen.asked.with(Vec::is_empty);
        if !seen.touched.get() {
            Some("Nothing was changed yet.".to_owned())
        } else {
            asked.then(|| "Choose what counts where somebody else changed the same.".to_owned())
        }
    });
    let label = format!("Change {} in the draft", n.name);
    let refused = Callback::new(move |e: ApiError| {
        if e.code == ErrorCode::Conflict {
            seen.asked.set(e.problems.into_iter().map(|p| p.field).collect());
        }
    });
    let done = std::sync::Arc::new(move |_: &_| {
        // The page may be another one by now.
        let _ = seen.saved.try_set(true);
    });
    let n = StoredValue::new(n);
    let view = view! {
        // The fields are made inside: they belong to this form, not to one that was there before.
        <ActForm cmdlet args=arguments label blocked on_done=done on_refused=refused cancel=Route::Topology.href()>
            {inputs.with_value(|list| list.iter().map(draw).collect_view())}
            {move || seen.asked.get().into_iter().map(|p| conflict(p, inputs, n, seen)).collect_view()}
            {hidden.into_iter().map(|text| view! { <Notice><p>{text}</p></Notice> }).collect_view()}
        </ActForm>
    };
    Some(view.into_any())
}

/// Somebody else changed this field meanwhile: both values, and the choice.
fn conflict(parameter: String, inputs: StoredValue<Vec<Input>>, n: StoredValue<Node>, seen: Seen) -> AnyView {
    let of = |list: &[Input]| {
        list.iter()
            .find(|i| i.name == parameter || off_of(i) == Some(&parameter))
            .map(|i| (i.label, i.name, i.value))
    };
    let Some((label, name, value)) = inputs.try_with_value(|l| of(l)).flatten() else { return ().into_any() };
    let theirs = Memo::new(move |_| {
        let list = seen.view.with(|v| n.try_with_value(|n| describe(&v.draft, n)).flatten());
        let own = list.and_then(|(_, _, list, _)| list.into_iter().find(|i| i.name == name));
        own.map(|i| i.first).unwrap_or_default()
    });
    let keep = parameter.clone();
    view! {
        <Notice kind=NoticeKind::Warning>
            <p>"Somebody else changed "<strong>{label}</strong>" meanwhile."</p>
            <dl class="yours-theirs">
                <dt>"Yours"</dt><dd class="mono">{move || value.get()}</dd>
                <dt>"Theirs"</dt><dd class="mono">{theirs}</dd>
            </dl>
            <div class="row">
                <Button label="Keep yours" on_press=move |()| seen.chosen(&keep) />
                <Button label="Take theirs" on_press=move |()| {
                    value.set(theirs.get_untracked());
                    seen.chosen(&parameter);
                } />
            </div>
        </Notice>
    }
    .into_any()
}
