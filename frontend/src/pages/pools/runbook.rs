//! The steps of failover and failback for SQL Servers that people drive.

use leptos::prelude::*;
use serde_json::Value;
use shared::api::PoolDetail;
use shared::identity::pool_identity;

use crate::api::Current;
use crate::components::act::args;
use crate::components::query::text;
use crate::components::{CommandLine, Notice, QueryButton, Section};
use crate::dom;

/// The section; nothing for a pool whose databases run here.
#[component]
pub fn Runbook(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let guided = Memo::new(move |_| pool.with(|p| p.guided.then(|| pool_identity(&p.summary.fqdn))));
    move || {
        guided.get().map(|identity| {
            let asked = move |procedure: &str, whole: bool| {
                let whole = if whole { true.into() } else { Value::Null };
                args([("Identity", identity.clone().into()), ("Procedure", procedure.into()), ("Markdown", whole)])
            };
            view! {
                <Section title="Runbook">
                    <Notice>
                        <p>"The databases of this pool are on SQL Servers that you drive. The steps are generated from the topology; we never executed them against a SQL Server. Read each one before you run it."</p>
                    </Notice>
                    <div class="stack">
                        <QueryButton cmdlet="Get-LgRunbook" args=asked("Failover", false) label="Show the failover, step by step" draw=Box::new(steps) />
                        <QueryButton cmdlet="Get-LgRunbook" args=asked("Failover", true) label="Save the failover as Markdown" draw=Box::new(save) />
                        <QueryButton cmdlet="Get-LgRunbook" args=asked("Failback", false) label="Show the failback, step by step" draw=Box::new(steps) />
                        <QueryButton cmdlet="Get-LgRunbook" args=asked("Failback", true) label="Save the failback as Markdown" draw=Box::new(save) />
                    </div>
                </Section>
            }
        })
    }
}

fn steps(list: Vec<Value>) -> AnyView {
    let one = |(i, s): (usize, &Value)| {
        let label = format!("{} – {}", text(s, "Language"), text(s, "Place"));
        view! {
            <li class="card stack-s">
                <h3>{format!("{}. {}", i + 1, text(s, "Title"))}</h3>
                <CommandLine line=Signal::stored(text(s, "Text").to_owned()) label />
                <p class="muted">{text(s, "Note").to_owned()}</p>
            </li>
        }
    };
    view! { <ol role="list" class="stack">{list.iter().enumerate().map(one).collect_view()}</ol> }.into_any()
}

fn save(list: Vec<Value>) -> AnyView {
    if let Some(o) = list.first() {
        dom::download("runbook.md", "text/markdown", text(o, "Markdown"));
    }
    view! { <p>"runbook.md is saved."</p> }.into_any()
}
