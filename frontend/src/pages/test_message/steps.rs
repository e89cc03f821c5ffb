//! The steps of a run in words, as they happen, and the way that the requests took.

use leptos::prelude::*;
use shared::synthetic::{Hop, StepRecord};

use super::layout::{phase_word, role_word};
use crate::components::{Icon, Mono};
use crate::time::millis_of_us;

/// The list of steps.
#[component]
pub fn Steps(
    /// The steps so far.
    steps: Signal<Vec<StepRecord>>,
    /// More are to come.
    running: Signal<bool>,
) -> impl IntoView {
    view! {
        <ol class="card run-steps" role="list" aria-live="polite" aria-relevant="additions">
            {move || steps.get().into_iter().map(step).collect_view()}
            {move || running.get().then(|| view! { <li class="run-step run-step-next">{Icon::Progress.draw()}<span>"Running …"</span></li> })}
        </ol>
    }
}

fn step(s: StepRecord) -> AnyView {
    let (class, icon, word) = if s.ok {
        ("run-step", Icon::Tick, "done")
    } else {
        ("run-step run-step-bad", Icon::Cross, "failed")
    };
    view! {
        <li class=class>
            {icon.draw()}
            <span class="run-step-role">{role_word(s.role)}</span>
            <span class="run-step-phase">{phase_word(s.phase)}<span class="visually-hidden">{format!(" {word}")}</span></span>
            <span class="run-step-detail muted">{s.detail.clone()}</span>
            <span class="number nowrap">{millis_of_us(s.duration_us)}</span>
        </li>
    }
    .into_any()
}

/// client → Front End → chat server.
#[component]
pub fn Trace(
    /// The hops in order.
    hops: Vec<Hop>,
) -> impl IntoView {
    let start = hops.first().map(|h| h.from.clone());
    let hop = |h: Hop| {
        let way = format!("{}, port {}", h.transport.to_uppercase(), h.port);
        view! {
            <li class="trace-way">{Icon::Arrow.draw()}<small>{way}</small></li>
            <li class="trace-place"><Mono text=h.to /></li>
        }
    };
    view! {
        <ol class="trace" role="list">
            {start.map(|s| view! { <li class="trace-place"><Mono text=s /></li> })}
            {hops.into_iter().map(hop).collect_view()}
        </ol>
    }
}
