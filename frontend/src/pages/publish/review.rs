//! What publishing would change, what stands in the way, and the button.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::plan::CmdletResponse;
use shared::topology::diff::Change;
use shared::topology::effect::Effect;

use super::merge::Merge;
use super::remains::Remains;
use crate::api::Current;
use crate::components::act::args;
use crate::components::badge::of_risk;
use crate::components::query::text;
use crate::components::{
    ActButton, ActForm, Button, ButtonKind, Icon, LinkButton, Notice, NoticeKind, Page, ProblemList,
    QueryButton, Section, Shown, StateBadge, TextField,
};
use crate::pages::topology::use_topology;
use crate::routes::{Route, segment};
use crate::{nav, session};

/// Changes that are drawn at first, and more each time.
const FIRST: usize = 100;
/// The cmdlet that publishes.
pub const PUBLISH: &str = "Publish-CsTopology";

/// The page.
#[component]
pub fn PublishPage() -> impl IntoView {
    let data = use_topology();
    let lead =
        "Publishing checks everything, creates databases, stores a new version and starts the servers.";
    view! {
        <Page title="Publish the topology" lead actions=|| view! { <LinkButton label="Versions" href=Route::Versions.href() /> }>
            <Shown data lines=6 let:view>
                <Review view />
            </Shown>
        </Page>
    }
}

#[component]
fn Review(view: Current<TopologyView>) -> impl IntoView {
    let nothing = Memo::new(move |_| view.with(|v| v.changes.is_empty()));
    let moved = Memo::new(move |_| view.with(|v| v.merge.is_some()));
    move || {
        if moved.get() {
            // What differs from the newest version says little until that is taken in.
            view! { <Merge view /> }.into_any()
        } else if nothing.get() {
            let version = view.with_untracked(|v| v.version);
            view! {
                <div class="empty">
                    <h2>"There is nothing to publish"</h2>
                    <p>{version.map_or_else(
                        || "The draft is empty. Add a SIP domain, a site and a Front End pool first.".to_owned(),
                        |n| format!("The draft equals version {n}, which is published."),
                    )}</p>
                    <LinkButton label="Show the topology" href=Route::Topology.href() />
                </div>
                <Remains />
            }
            .into_any()
        } else {
            view! { <Changes view /><Problems view /><Publish view /> }.into_any()
        }
    }
}

#[component]
fn Changes(view: Current<TopologyView>) -> impl IntoView {
    let lines = Memo::new(move |_| view.with(lines));
    let title = Signal::derive(move || match lines.with(Vec::len) {
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    });
    let most = RwSignal::new(FIRST);
    // Written only when somebody looks: a large draft has megabytes of it.
    let opened = RwSignal::new(false);
    let json = move || opened.get().then(|| view.with(json));
    let drop_label = "Set the draft back to what is published";
    view! {
        <Section title actions=move || view! {
            <ActButton cmdlet="Reset-LgTopologyDraft" args=serde_json::Map::new() label=drop_label short="Drop all changes" kind=ButtonKind::Danger />
        }>
            <ul class="card changes">
                {move || lines.get().into_iter().take(most.get()).map(line).collect_view()}
            </ul>
            {move || (lines.with(Vec::len) > most.get()).then(|| view! {
                <Button label=format!("Show {FIRST} more") on_press=move |()| most.update(|n| *n += FIRST) />
            })}
            <details class="changes-json" on:toggle=move |_| opened.set(true)>
                <summary>"Show the changes as JSON"</summary>
                <pre tabindex="0">{json}</pre>
            </details>
        </Section>
    }
}

/// Each change as a sentence, with what it does.
fn lines(v: &TopologyView) -> Vec<(String, Effect)> {
    v.sentences.iter().cloned().zip(v.effects.iter().cloned()).collect()
}

fn json(v: &TopologyView) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        change: &'a Change,
        effect: &'a Effect,
    }
    let all: Vec<_> =
        v.changes.iter().zip(&v.effects).map(|(change, effect)| Line { change, effect }).collect();
    serde_json::to_string_pretty(&all).unwrap_or_default()
}

/// A change: its risk, the sentence, and on demand whom and what it reaches.
fn line((sentence, e): (String, Effect)) -> AnyView {
    let item = |text: String| view! { <li>{text}</li> };
    let mut reach: Vec<String> =
        e.servers.iter().map(|s| format!("{} {}", s.fqdn, s.act.verb(false))).collect();
    reach.extend(e.endpoints.iter().map(|a| format!("Endpoint {a}")));
    reach.push(match e.users {
        0 => "No chat users".to_owned(),
        1 => "1 chat user".to_owned(),
        n => format!("{n} chat users"),
    });
    view! {
        <li class="change">
            <StateBadge state=of_risk(e.risk) />
            <span class="change-sentence">{sentence}</span>
            <details>
                <summary>"What it affects"</summary>
                <p>{e.why}</p>
                <ul>{reach.into_iter().map(item).collect_view()}</ul>
            </details>
        </li>
    }
    .into_any()
}

#[component]
fn Problems(view: Current<TopologyView>) -> impl IntoView {
    let problems = Memo::new(move |_| view.with(|v| v.problems.clone()));
    move || {
        let list = problems.get();
        (!list.is_empty()).then(|| {
            let kind = if list.iter().any(|p| p.blocks()) { NoticeKind::Danger } else { NoticeKind::Warning };
            view! {
                <Section title="Problems of the draft">
                    <Notice kind><ProblemList problems=list /></Notice>
                </Section>
            }
        })
    }
}

#[component]
fn Publish(view: Current<TopologyView>) -> impl IntoView {
    let comment = RwSignal::new(String::new());
    let revision = Memo::new(move |_| view.with(|v| v.revision));
    let publishers = Memo::new(move |_| view.with(|v| v.publishers.clone()));
    let errors = Signal::derive(move || {
        let n = view.with(|v| v.problems.iter().filter(|p| p.blocks()).count());
        (n > 0).then(|| format!("The draft has {n} problem{} to solve first.", if n == 1 { "" } else { "s" }))
    });
    let arguments = Signal::derive(move || {
        args([("Comment", comment.get().trim().into()), ("Revision", revision.get().into())])
    });
    let done = Arc::new(move |r: &CmdletResponse| to_job(r, &comment.get_untracked()));
    view! {
        <Section title="Publish">
            {move || session::allowed(PUBLISH).err().map(|why| view! { <NotYours why names=publishers.get() /> })}
            <ActForm cmdlet=PUBLISH args=arguments label="Publish the topology" blocked=errors on_done=done>
                <TextField label="Comment" name="Comment" value=comment
                    help=|| "Why. It stands in the history of versions." />
            </ActForm>
            <div class="stack-s">
                <p class="muted">"A rehearsal runs every check of publishing and changes nothing."</p>
                <QueryButton cmdlet="Test-CsTopology" args=serde_json::Map::new() label="Rehearse" draw=Box::new(rehearsal) />
            </div>
        </Section>
    }
}

/// Each check with its result and what it saw.
fn rehearsal(list: Vec<serde_json::Value>) -> AnyView {
    let row = |o: &serde_json::Value| {
        let good = text(o, "Result") == "Success";
        let icon = if good { Icon::Tick } else { Icon::Cross };
        let class = if good { "rehearsed" } else { "rehearsed rehearsed-bad" };
        let lines = o.get("Detail").and_then(|d| d.as_array()).cloned().unwrap_or_default();
        let lines = lines.iter().filter_map(|l| l.as_str().map(str::to_owned));
        view! {
            <li class=class>
                <strong>{icon.draw()}{text(o, "Check").to_owned()}": "{text(o, "Result").to_owned()}</strong>
                {(!good).then(|| view! { <p>{text(o, "Error").to_owned()}</p> })}
                <ul>{lines.map(|l| view! { <li class="muted">{l}</li> }).collect_view()}</ul>
            </li>
        }
    };
    view! { <ol role="list" class="stack">{list.iter().map(row).collect_view()}</ol> }.into_any()
}

/// Goes to the run that an act started; the comment goes along, so that publishing again keeps it.
pub fn to_job(r: &CmdletResponse, comment: &str) {
    if let Some(id) = &r.job {
        let href = Route::Job(id.clone()).href();
        let query = if comment.trim().is_empty() {
            String::new()
        } else {
            format!("?comment={}", segment(comment.trim()))
        };
        nav::navigate(&format!("{href}{query}"));
    }
}

/// For whoever may define but not publish.
#[component]
fn NotYours(why: String, names: Vec<String>) -> impl IntoView {
    let who = match names.len() {
        0 => "No enabled account has the publish right now.".to_owned(),
        1 => format!("{} can publish.", names[0]),
        _ => format!("These accounts can publish: {}.", names.join(", ")),
    };
    view! {
        <Notice kind=NoticeKind::Warning>
            <p>{why}</p>
            <p>{who}" The draft is kept; tell them that it is ready."</p>
        </Notice>
    }
}
