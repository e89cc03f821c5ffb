//! What was published since the draft was begun, in three columns, and the choice where both changed the same.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared::api::TopologyView;
use shared::topology::merge::Row;

use crate::api::Current;
use crate::components::copy::breakable;
use crate::components::{ActForm, Notice, NoticeKind, Section};

const HEADS: [&str; 5] = ["Place", "Before", "Yours", "Theirs", "What counts"];

/// The three-way view; nothing while the draft stands on what is published.
#[component]
pub fn Merge(
    /// The topology.
    view: Current<TopologyView>,
) -> impl IntoView {
    let merge = Memo::new(move |_| view.with(|v| v.merge.clone().map(|m| (v.name.clone(), m))));
    move || merge.get().map(|(name, m)| section(name, m.version, m.rows))
}

fn section(name: String, version: u64, rows: Vec<Row>) -> AnyView {
    // Per collision: its key, and `mine` or `theirs` once it was chosen.
    let asked: Vec<(String, RwSignal<String>)> =
        rows.iter().filter(|r| r.collides).map(|r| (r.key.clone(), RwSignal::new(String::new()))).collect();
    let n = asked.len();
    let title = format!("Version {version} was published since this draft was begun");
    let lead = match n {
        0 => "Nothing collides: both sides' changes are kept.".to_owned(),
        1 => "One place was changed on both sides. Choose what counts there; everything else is kept."
            .to_owned(),
        n => format!("{n} places were changed on both sides. Choose what counts; everything else is kept."),
    };
    let choices = StoredValue::new(asked);
    let open = Signal::derive(move || {
        let left = choices.with_value(|c| c.iter().filter(|(_, s)| s.read().is_empty()).count());
        (left > 0).then(|| format!("Choose what counts in {left} place{}.", if left == 1 { "" } else { "s" }))
    });
    let arguments = Signal::derive(move || {
        let side = |word: &str| {
            choices.with_value(|c| {
                c.iter()
                    .filter(|(_, s)| *s.read() == word)
                    .map(|(k, _)| Value::from(k.clone()))
                    .collect::<Vec<_>>()
            })
        };
        let mut out = Map::new();
        out.insert("Identity".to_owned(), name.clone().into());
        for (parameter, list) in [("Mine", side("mine")), ("Theirs", side("theirs"))] {
            if !list.is_empty() {
                out.insert(parameter.to_owned(), list.into());
            }
        }
        out
    });
    let mut next = choices.get_value().into_iter();
    let lines: Vec<AnyView> = rows
        .into_iter()
        .map(|r| line(r.collides.then(|| next.next()).flatten().map(|(_, s)| s), r))
        .collect();
    view! {
        <Section title>
            <Notice kind=NoticeKind::Warning><p>{lead}</p></Notice>
            <div class="table-box" role="region" aria-label="Three versions side by side" tabindex="0">
                <table class="table merge">
                    <thead><tr>{HEADS.map(|h| view! { <th scope="col">{h}</th> }).collect_view()}</tr></thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
            <ActForm cmdlet="Merge-LgTopologyDraft" args=arguments label=format!("Take version {version} into the draft") blocked=open>
                <p class="muted">"Nothing of it runs before the draft is published."</p>
            </ActForm>
        </Section>
    }
    .into_any()
}

fn line(choice: Option<RwSignal<String>>, r: Row) -> AnyView {
    let counts = match choice {
        Some(value) => {
            let label = format!("What counts: {}", r.place);
            view! {
                <select class="input" aria-label=label on:change=move |e| value.set(event_target_value(&e))>
                    <option value="">"Choose …"</option>
                    <option value="mine">"Yours"</option>
                    <option value="theirs">"Theirs"</option>
                </select>
            }
            .into_any()
        }
        None if r.yours == r.theirs => "the same".into_any(),
        None if r.yours == r.base => "theirs".into_any(),
        None => "yours".into_any(),
    };
    let cell = |head: &'static str, text: &str| view! { <td data-label=head>{breakable(text)}</td> };
    view! {
        <tr>
            <th scope="row" data-label=HEADS[0]>{breakable(&r.place)}</th>
            {cell(HEADS[1], &r.base)}
            {cell(HEADS[2], &r.yours)}
            {cell(HEADS[3], &r.theirs)}
            <td data-label=HEADS[4]>{counts}</td>
        </tr>
    }
    .into_any()
}
