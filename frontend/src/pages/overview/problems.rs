//! Everything that is wrong now, worst first, each with the way to it.

use leptos::prelude::*;
use shared::api::{LiveProblem, Tried};
use shared::error::Severity;

use crate::components::{Icon, Notice, NoticeKind, TimeAgo};

/// The list, or that there is nothing to do.
#[component]
pub fn Problems(
    /// The problems.
    problems: Memo<Vec<LiveProblem>>,
    /// Nothing is deployed yet: then silence is no good news.
    nothing: Memo<bool>,
) -> impl IntoView {
    move || {
        let list = problems.get();
        if !list.is_empty() {
            let n = list.len();
            let title = if n == 1 { "1 problem".to_owned() } else { format!("{n} problems") };
            view! {
                <section class="live-problems" aria-label="Problems">
                    <h2>{title}</h2>
                    <ul role="list">{list.into_iter().map(problem).collect_view()}</ul>
                </section>
            }
            .into_any()
        } else if nothing.get() {
            ().into_any()
        } else {
            view! { <Notice kind=NoticeKind::Good><p>"Nothing is wrong. Every pool that runs here answers."</p></Notice> }.into_any()
        }
    }
}

fn problem(p: LiveProblem) -> AnyView {
    let (class, icon, word) = match p.problem.severity {
        Severity::Error => ("live-problem live-problem-error", Icon::Cross, "Broken: "),
        Severity::Warning => ("live-problem live-problem-warning", Icon::Warning, "Warning: "),
    };
    view! {
        <li class=class>
            {icon.draw()}
            <div class="live-problem-text">
                <span class="visually-hidden">{word}</span>
                <a href=p.href class="live-problem-subject mono">{p.subject}</a>
                <span>{p.problem.text}</span>
                {(!p.tried.is_empty()).then(|| view! {
                    <ul class="live-problem-tried" aria-label="What was tried">
                        {p.tried.into_iter().map(tried).collect_view()}
                    </ul>
                })}
                {(!p.next.is_empty()).then(|| view! { <p class="live-problem-next"><strong>"Next: "</strong>{p.next}</p> })}
            </div>
            {p.since.map(|at| view! { <span class="live-problem-since">"since "<TimeAgo at /></span> })}
        </li>
    }
    .into_any()
}

fn tried(t: Tried) -> AnyView {
    view! { <li>{t.at.map(|at| view! { <TimeAgo at />": " })}{t.text}</li> }.into_any()
}
