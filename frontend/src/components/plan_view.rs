//! A plan in words and a table.

use leptos::prelude::*;
use shared::plan::{Plan, PlannedChange};

use super::command_line::CommandLine;
use super::copy::breakable;
use super::notice::{Notice, NoticeKind, ProblemList};

/// What a plan would change, what stands in the way, what to know.
#[component]
pub fn PlanView(
    /// The plan.
    plan: Plan,
) -> impl IntoView {
    let people = plan.affected_users.map(|n| match n {
        0 => "Nobody is connected to it now.".to_owned(),
        1 => "1 person is connected to it now.".to_owned(),
        n => format!("{n} people are connected to it now."),
    });
    let blocked = !plan.blockers.is_empty();
    view! {
        <ul class="plan-sentences">
            {plan.sentences.into_iter().map(|s| view! { <li>{s}</li> }).collect_view()}
        </ul>
        {changes(plan.changes)}
        {people.map(|p| view! { <p class="plan-people">{p}</p> })}
        {blocked.then(|| view! {
            <Notice kind=NoticeKind::Danger>
                <p>"This cannot be done now:"</p>
                <ProblemList problems=plan.blockers />
            </Notice>
        })}
        <ProblemList problems=plan.warnings />
        {(!plan.line.is_empty()).then(|| view! { <CommandLine line=plan.line /> })}
    }
}

fn changes(list: Vec<PlannedChange>) -> Option<AnyView> {
    (!list.is_empty()).then(|| {
        view! {
            <div class="table-box" tabindex="0" role="group" aria-label="Before and after">
                <table class="table plan-changes">
                    <thead>
                        <tr>
                            <th scope="col">"What"</th>
                            <th scope="col">"Property"</th>
                            <th scope="col">"Before"</th>
                            <th scope="col">"After"</th>
                        </tr>
                    </thead>
                    <tbody>{list.into_iter().map(change).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    })
}

fn change(c: PlannedChange) -> AnyView {
    let or_dash = |s: String| if s.is_empty() { "–".into_any() } else { breakable(&s) };
    view! {
        <tr>
            <th scope="row" class="mono" data-label="What"><span>{breakable(&c.target)}</span></th>
            <td data-label="Property"><span>{c.property}</span></td>
            <td class="mono plan-before" data-label="Before"><span>{or_dash(c.before)}</span></td>
            <td class="mono plan-after" data-label="After"><span>{or_dash(c.after)}</span></td>
        </tr>
    }
    .into_any()
}
