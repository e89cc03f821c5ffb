//! One run: verdict, diagnosis, waterfall, steps, trace, and the block as the cmdlet prints it.

use leptos::prelude::*;
use shared::api::TestRun;
use shared::events::Topic;
use shared::synthetic::{Diagnosis, TestReport};

use super::messages::Messages;
use super::steps::{Steps, Trace};
use super::waterfall::Waterfall;
use crate::api::{Current, use_data};
use crate::components::act::args;
use crate::components::badge::of_run;
use crate::components::{
    ActButton, CommandLine, Facts, Mono, Notice, NoticeKind, Section, Shown, StateBadge, TimeAgo,
};
use crate::routes::segment;
use crate::time::millis_of_us;

/// A run, also while it runs.
#[component]
pub fn TestResult(
    /// Id of the run.
    id: String,
) -> impl IntoView {
    let path = format!("tests/{}", segment(&id));
    let data = use_data::<TestRun>(move || path.clone(), &[Topic::Test]);
    view! {
        <Shown data lines=8 let:run>
            <Content run id=id.clone() />
        </Shown>
    }
}

#[component]
fn Content(run: Current<TestRun>, id: String) -> impl IntoView {
    let stop = args([("Identity", id.clone().into())]);
    let steps = Memo::new(move |_| {
        run.with(|r| r.report.as_ref().map_or_else(|| r.steps.clone(), |p| p.steps.clone()))
    });
    let running = Memo::new(move |_| run.with(|r| r.summary.state == "running"));
    let report = Memo::new(move |_| run.with(|r| r.report.clone()));
    let printed = Memo::new(move |_| run.with(|r| r.printed.clone()));
    let any = Memo::new(move |_| steps.with(|s| !s.is_empty()));
    // A run that was missed has none and will have none.
    let walked = Memo::new(move |_| any.get() || running.get());
    view! {
        <div class="verdict" role="status">
            {move || run.with(|r| view! {
                <StateBadge state=of_run(&r.summary.state) />
                <span class="verdict-text">{r.summary.verdict.clone()}</span>
                <small class="muted"><TimeAgo at=r.summary.started />", "{r.summary.by()}</small>
            }.into_any())}
        </div>
        {move || running.get().then(|| view! {
            <div><ActButton cmdlet="Stop-LgTestMessage" args=stop.clone() label="Stop this test message" /></div>
        })}
        {move || report.get().map(|r| view! { <Findings report=r /> })}
        {move || any.get().then(|| view! { <Section title="Waterfall"><Waterfall steps=steps.into() /></Section> })}
        {move || walked.get().then(|| view! { <Section title="Steps"><Steps steps=steps.into() running=running.into() /></Section> })}
        {move || report.get().filter(|r| !r.hops.is_empty()).map(|r| view! { <Section title="Trace"><Trace hops=r.hops /></Section> })}
        {move || printed.get().map(|line| view! {
            <Section title="Result"><CommandLine label="As Test-CsPersistentChatMessage prints it" line /></Section>
        })}
        {move || report.with(Option::is_some).then(|| view! { <Messages id=id.clone() /> })}
    }
}

#[component]
fn Findings(report: TestReport) -> impl IntoView {
    let warnings = report.warnings;
    view! {
        {report.diagnosis.map(diagnosis)}
        {warnings.into_iter().map(|w| view! { <Notice kind=NoticeKind::Warning><p>{w}</p></Notice> }).collect_view()}
        <Facts facts=vec![
            ("Latency (first send to second receipt)", if report.latency_us > 0 { millis_of_us(report.latency_us) } else { "–".to_owned() }.into_any()),
            ("Whole run", millis_of_us(report.total_us).into_any()),
            ("Sender", view! { <Mono text=report.sender /> }.into_any()),
            ("Receiver", view! { <Mono text=report.receiver /> }.into_any()),
            ("Room", report.room.map_or_else(|| "–".into_any(), |r| view! { <Mono text=r /> }.into_any())),
            ("Target", view! { <Mono text=report.target_fqdn /> }.into_any()),
        ] />
    }
}

fn diagnosis(d: Diagnosis) -> AnyView {
    view! {
        <Notice kind=NoticeKind::Danger>
            <p><strong>{d.text}</strong></p>
            <p>"Check next: "{d.check_next}</p>
        </Notice>
    }
    .into_any()
}
