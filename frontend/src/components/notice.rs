//! Notices and lists of problems.

use leptos::prelude::*;
use shared::error::{Problem, Severity};

use super::icon::Icon;

/// How urgent a notice is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NoticeKind {
    /// Worth knowing.
    #[default]
    Info,
    /// All is as it should be.
    Good,
    /// Look at it.
    Warning,
    /// Something is broken or would be.
    Danger,
}

impl NoticeKind {
    fn class(self) -> &'static str {
        match self {
            Self::Info => "notice notice-info",
            Self::Good => "notice notice-good",
            Self::Warning => "notice notice-warning",
            Self::Danger => "notice notice-danger",
        }
    }

    fn icon(self) -> Icon {
        match self {
            Self::Info => Icon::Info,
            Self::Good => Icon::Tick,
            Self::Warning => Icon::Warning,
            Self::Danger => Icon::Cross,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Info => "Note: ",
            Self::Good => "",
            Self::Warning => "Warning: ",
            Self::Danger => "Attention: ",
        }
    }
}

/// A notice on the page.
#[component]
pub fn Notice(
    /// How urgent it is.
    #[prop(optional)]
    kind: NoticeKind,
    /// Read out at once when it appears.
    #[prop(optional)]
    alert: bool,
    /// What it says.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=kind.class() role=alert.then_some("alert")>
            {kind.icon().draw()}
            <div class="notice-text">
                <span class="visually-hidden">{kind.word()}</span>
                {children()}
            </div>
        </div>
    }
}

/// Problems of validation, pre-flight or planning, each with its rule's source.
#[component]
pub fn ProblemList(
    /// The problems.
    #[prop(into)]
    problems: Signal<Vec<Problem>>,
) -> impl IntoView {
    move || {
        let list = problems.get();
        (!list.is_empty()).then(|| {
            view! {
                <ul class="problems" role="list">
                    {list.into_iter().map(problem).collect_view()}
                </ul>
            }
        })
    }
}

fn problem(p: Problem) -> AnyView {
    let (class, icon, word) = match p.severity {
        Severity::Error => ("problem problem-error", Icon::Cross, "Error: "),
        Severity::Warning => ("problem problem-warning", Icon::Warning, "Warning: "),
    };
    let source = (!p.source.is_empty()).then(|| format!("{} · {}", p.code, p.source));
    view! {
        <li class=class>
            {icon.draw()}
            <span>
                <span class="visually-hidden">{word}</span>
                {p.text}
                {source.map(|s| view! { <span class="problem-source">{s}</span> })}
            </span>
        </li>
    }
    .into_any()
}
