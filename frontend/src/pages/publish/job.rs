//! A run, live: its steps as they go, what mends a failed one, and where to go afterwards.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::JobView;
use shared::events::Topic;

use super::remains::Remains;
use super::review::{PUBLISH, to_job};
use super::servers::Servers;
use super::steps::Steps;
use crate::api::{Current, use_data};
use crate::app::app;
use crate::components::act::args;
use crate::components::badge::of_run;
use crate::components::{
    ActButton, Button, ButtonKind, Facts, Icon, LinkButton, Notice, NoticeKind, Page, Section, Shown,
    StateBadge, TimeAgo,
};
use crate::routes::{PoolTab, Route, segment};
use crate::{dom, nav};

/// The page of a run.
#[component]
pub fn JobPage(
    /// Id of the run.
    id: String,
) -> impl IntoView {
    let path = format!("jobs/{}", segment(&id));
    let data = use_data::<JobView>(move || path.clone(), &[Topic::Job]);
    let title = Signal::derive(move || {
        data.value.with(|j| j.as_ref().map_or_else(|| "Run".to_owned(), |j| j.title.clone()))
    });
    let state = Memo::new(move |_| data.value.with(|j| j.as_ref().map(|j| j.state.clone())));
    // A run of a pool stands under that pool, every other one under Publish.
    let pool = Memo::new(move |_| data.value.with(|j| j.as_ref().and_then(|j| pool_of(&j.title))));
    Effect::new(move |_| {
        let above = pool.get().map(|p| (Route::Job(id.clone()), Route::Pool(p, PoolTab::State)));
        app().above.set(above);
    });
    view! {
        <Page title badge=move || view! { {move || state.get().map(|s| view! { <StateBadge state=of_run(&s) /> })} }>
            <Shown data lines=8 let:job>
                <Run job />
            </Shown>
        </Page>
    }
}

/// The pool that a run fails over or back, or rehearses that for: the last word of its title.
fn pool_of(title: &str) -> Option<String> {
    let begins = ["Fail over ", "Fail back ", "Rehearsal on a copy: "].iter().any(|b| title.starts_with(b));
    title.rsplit_once(' ').filter(|_| begins).map(|(_, pool)| pool.to_owned())
}

#[component]
fn Run(job: Current<JobView>) -> impl IntoView {
    let state = Memo::new(move |_| job.with(|j| j.state.clone()));
    let error = Memo::new(move |_| job.with(|j| j.error.clone()));
    let (actor, started) = job.with_untracked(|j| (j.actor.clone(), j.started));
    let publishes = job.with_untracked(|j| j.title.starts_with("Publish"));
    let rehearses = job.with_untracked(|j| j.title.starts_with("Rehearsal"));
    let id = StoredValue::new(job.with_untracked(|j| j.id.clone()));
    let took = move || job.with(|j| j.steps.iter().filter_map(|s| s.millis).sum::<u64>());
    view! {
        <Facts facts=vec![
            ("Started", view! { <TimeAgo at=started /> }.into_any()),
            ("By", actor.into_any()),
            ("Time in steps", (move || format!("{} ms", took())).into_any()),
        ] />
        {rehearses.then(|| view! { <Notice kind=NoticeKind::Warning><p><strong>"Rehearsal on a copy."</strong>" Nothing of this happened to the pool: the steps were done in a scratch folder, and the pool went on as it was."</p></Notice> })}
        <div role="status" class="visually-hidden">{move || progress(&job.get())}</div>
        {move || error.get().map(|text| view! { <Notice kind=NoticeKind::Danger alert=true><p>{job.with(|j| stopped_at(j, text))}</p></Notice> })}
        {move || (publishes && *state.read() == "done").then(|| view! { <Remains /> })}
        {move || (rehearses && *state.read() != "running").then(|| job.with(verdict))}
        <Steps job />
        {publishes.then(|| view! { <Servers /> })}
        {move || if publishes { next_act(&state.read()) } else if rehearses { ().into_any() } else { next_of_run(&id.get_value(), &state.read(), job.with(what_follows)) }}
        <div class="row"><Button label="Save the report" kind=ButtonKind::Quiet icon=Some(Icon::Download) on_press=move |()| save(&job.get_untracked()) /></div>
    }
}

/// What a rehearsal found, without opening its steps: the first says what stands in the way, the last but one
/// what is in the copy and how long it took.
fn verdict(j: &JobView) -> AnyView {
    let steps = j.steps.iter().enumerate().filter(|(i, _)| *i == 0 || *i + 2 == j.steps.len());
    let lines: Vec<String> = steps.flat_map(|(_, s)| s.log.clone()).collect();
    view! {
        <Section title="What it found">
            <ul>{lines.into_iter().map(|l| view! { <li>{l}</li> }).collect_view()}</ul>
        </Section>
    }
    .into_any()
}

/// Step that sets the pool's state; behind it the pool serves again.
const STATE: usize = 4;

/// At which step a run has stopped and why.
fn stopped_at(j: &JobView, why: String) -> String {
    match j.steps.iter().find(|s| s.state == "failed") {
        Some(s) => format!("Stopped at “{}”: {why}", s.title),
        None => why,
    }
}

/// What a guided run that stopped means for posts, and what its buttons lead to.
fn what_follows(j: &JobView) -> &'static str {
    let done = |n: usize| j.steps.get(n).is_some_and(|s| s.state == "done");
    if done(STATE) {
        "The pool serves; posts go on. Resume does the steps that are left, beginning with the one that failed."
    } else if done(STATE - 1) {
        "Posts are refused until the run has set the state. The other database is online already: there is only the way forward. Resume goes on at the step that failed."
    } else {
        "Posts are refused until you decide. Resume goes on at the step that failed; mend its reason first. Cancel opens the database again that was in use before, and the pool goes on as it was."
    }
}

/// For screen readers, once per step.
fn progress(j: &JobView) -> String {
    let done = j.steps.iter().filter(|s| s.state == "done").count();
    format!("{}: {done} of {} steps are done.", of_run(&j.state).word, j.steps.len())
}

/// The report as Markdown: timeline, log of each step, outcome.
fn save(j: &JobView) {
    let mut text =
        format!("# {}\n\nState: {}\nStarted: {} by {}\n", j.title, j.state, j.started.rfc3339(), j.actor);
    for (i, s) in j.steps.iter().enumerate() {
        let took = s.millis.map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
        text.push_str(&format!("\n## {}. {}\n\n{}{took}\n\n", i + 1, s.title, s.state));
        for line in &s.log {
            text.push_str(&format!("- {line}\n"));
        }
    }
    if let Some(error) = &j.error {
        text.push_str(&format!("\nStopped by: {error}\n"));
    }
    dom::download("run.md", "text/markdown", &text);
}

/// The next safe act of a guided run.
fn next_of_run(id: &str, state: &str, follows: &'static str) -> AnyView {
    let arguments = args([("Identity", id.into())]);
    match state {
        "failed" => view! {
            <p>{follows}</p>
            <div class="job-next">
                <ActButton cmdlet="Resume-LgRun" args=arguments.clone() label="Resume the run" kind=ButtonKind::Primary />
                <ActButton cmdlet="Stop-LgRun" args=arguments label="Cancel the run" kind=ButtonKind::Danger />
            </div>
        }
        .into_any(),
        "running" => view! {
            <div class="job-next"><span class="muted">"It goes on when you leave this page, and after a restart of the portal."</span></div>
        }
        .into_any(),
        _ => view! {
            <div class="job-next">
                <LinkButton label="Show the pools" kind=ButtonKind::Primary href=Route::Pools.href() />
                <LinkButton label="Send a test message" href=Route::Tests.href() />
            </div>
        }
        .into_any(),
    }
}

/// The next safe act, always in the same place.
fn next_act(state: &str) -> AnyView {
    let comment = nav::use_query("comment").get_untracked().unwrap_or_default();
    let arguments = args([("Comment", comment.clone().into())]);
    let again = Arc::new(move |r: &_| to_job(r, &comment));
    match state {
        "done" => view! {
            <div class="job-next">
                <LinkButton label="Show the pools" kind=ButtonKind::Primary href=Route::Pools.href() />
                <LinkButton label="Send a test message" href=Route::Tests.href() />
                <LinkButton label="Versions" href=Route::Versions.href() />
            </div>
        }
        .into_any(),
        "failed" => view! {
            <div class="job-next">
                <ActButton cmdlet=PUBLISH args=arguments label="Publish again" kind=ButtonKind::Primary on_done=again />
                <LinkButton label="Review the changes" href=Route::Publish.href() />
                <LinkButton label="Edit the topology" href=Route::Topology.href() />
            </div>
        }
        .into_any(),
        _ => view! {
            <div class="job-next">
                <span class="muted">"It goes on when you leave this page, and after a restart of the portal."</span>
                <LinkButton label="Show the topology" href=Route::Topology.href() />
            </div>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_a_pool_names_it_last() {
        for title in ["Fail over a.b.com", "Fail back a.b.com", "Rehearsal on a copy: failover of a.b.com"] {
            assert_eq!(pool_of(title).as_deref(), Some("a.b.com"), "{title}");
        }
        for title in ["Publish the topology", "Publish the next hop a.b.com", "Rehearsal"] {
            assert_eq!(pool_of(title), None, "{title}");
        }
    }
}
