//! The steps of a run: state, what each does, its log, how long it took, what mends it.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared::api::{JobStep, JobView};

use crate::api::Current;
use crate::components::badge::of_run;
use crate::components::copy::breakable;
use crate::components::{ActButton, ButtonKind, StateBadge};

/// The steps. A step that did not change is not drawn again, so that an opened log stays open.
#[component]
pub fn Steps(
    /// The run.
    job: Current<JobView>,
) -> impl IntoView {
    let count = Memo::new(move |_| job.with(|j| j.steps.len()));
    view! {
        <ol class="task-steps card" role="list">
            {move || (0..count.get()).map(|i| {
                let step = Memo::new(move |_| job.with(|j| j.steps.get(i).cloned()));
                view! { <Step step number=i + 1 /> }
            }).collect_view()}
        </ol>
    }
}

#[component]
fn Step(step: Memo<Option<JobStep>>, number: usize) -> impl IntoView {
    let state = Memo::new(move |_| step.with(|s| s.as_ref().map(|s| s.state.clone()).unwrap_or_default()));
    let title = step.with_untracked(|s| s.as_ref().map(|s| s.title.clone()).unwrap_or_default());
    let class = move || format!("task-step task-{}", state.get());
    let took = move || {
        step.with(|s| {
            s.as_ref().and_then(|s| match (s.millis, s.expected) {
                (Some(ms), _) => Some(format!("{ms} ms")),
                (None, Some(ms)) => Some(format!("usually {ms} ms")),
                (None, None) => None,
            })
        })
    };
    let remedy = Memo::new(move |_| step.with(|s| s.as_ref().and_then(|s| s.remedy.clone())));
    view! {
        <li class=class>
            <div class="task-head">
                <span class="task-number" aria-hidden="true">{number}</span>
                <h2 class="task-title">{title}</h2>
                <StateBadge state=Signal::derive(move || of_run(&state.read())) />
                <span class="task-took number muted">{took}</span>
            </div>
            <Log step state />
            {move || remedy.get().map(|(cmdlet, arguments)| remedy_button(cmdlet, arguments))}
        </li>
    }
}

/// What came of the step; open while it runs and when it failed.
#[component]
fn Log(step: Memo<Option<JobStep>>, state: Memo<String>) -> impl IntoView {
    let lines = Memo::new(move |_| step.with(|s| s.as_ref().map(|s| s.log.clone()).unwrap_or_default()));
    let open = Memo::new(move |_| state.with(|s| s == "failed" || s == "running"));
    move || {
        let log = lines.get();
        (!log.is_empty()).then(|| {
            let summary = if log.len() == 1 { "1 line".to_owned() } else { format!("{} lines", log.len()) };
            view! {
                <details class="task-log" open=open.get()>
                    <summary>{summary}</summary>
                    <ul role="list">{log.iter().map(|l| view! { <li>{breakable(l)}</li> }).collect_view()}</ul>
                </details>
            }
        })
    }
}

/// The words of a remedy by its cmdlet.
fn remedy_words(cmdlet: &str, arguments: &Map<String, Value>) -> String {
    let object = arguments.get("Identity").and_then(Value::as_str).unwrap_or_default();
    match cmdlet {
        "New-LgFileShare" => format!("Create the share folder {object}"),
        other => format!("Run {other} {object}").trim_end().to_owned(),
    }
}

fn remedy_button(cmdlet: String, arguments: Value) -> AnyView {
    let Value::Object(arguments) = arguments else { return ().into_any() };
    let label = remedy_words(&cmdlet, &arguments);
    view! {
        <div class="task-remedy">
            <span>"This mends it:"</span>
            <ActButton cmdlet args=arguments label kind=ButtonKind::Plain />
            <span class="muted">"Then publish again."</span>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_says_verb_and_object() {
        let Value::Object(a) = serde_json::json!({ "Identity": "\\\\fs01.contoso.com\\chat" }) else {
            panic!("an object")
        };
        assert_eq!(remedy_words("New-LgFileShare", &a), "Create the share folder \\\\fs01.contoso.com\\chat");
        assert_eq!(remedy_words("Get-CsTopology", &Map::new()), "Run Get-CsTopology");
    }
}
