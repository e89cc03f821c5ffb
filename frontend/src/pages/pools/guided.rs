//! The guided run: which servers are active afterwards, the two different buttons, the runs so far.
//! Source: S1, `reference/domain/procedures.md` §5.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::Value;
use shared::api::{JobView, PoolDetail, PoolRun};
use shared::deployment::PoolState;
use shared::identity::pool_identity;
use shared::plan::CmdletResponse;

use crate::api::Current;
use crate::components::act::args;
use crate::components::badge::of_run;
use crate::components::{
    ActButton, ButtonKind, CheckField, FormState, Icon, LinkButton, Notice, NoticeKind, Section, SelectField,
    StateBadge, TimeAgo,
};
use crate::nav;
use crate::routes::Route;

/// What a run in hand needs next; none when no run has the pool.
#[component]
pub fn InHand(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let run = Memo::new(move |_| pool.with(|p| p.summary.run.clone()));
    move || {
        run.get().map(|r| {
            let kind = if r.state == "failed" { NoticeKind::Danger } else { NoticeKind::Warning };
            view! {
                <Notice kind>
                    <p>{in_hand(&r)}</p>
                    <LinkButton label="Show the run" kind=ButtonKind::Primary href=Route::Job(r.id).href() />
                </Notice>
            }
        })
    }
}

/// Where a run stands and what that means for posts.
fn in_hand(r: &PoolRun) -> String {
    let word = if r.to == PoolState::Normal { "failback" } else { "failover" };
    let posts = if r.holds { "Posts are refused until then." } else { "Posts go on." };
    match r.state.as_str() {
        "failed" if r.cancellable => {
            format!("The guided {word} has stopped at “{}”. Resume or cancel it. {posts}", r.step)
        }
        "failed" => format!("The guided {word} has stopped at “{}”. Resume it. {posts}", r.step),
        _ => format!("A guided {word} has this pool in hand, at “{}”. {posts}", r.step),
    }
}

/// The card with the two buttons.
#[component]
pub fn Guided(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    // Built anew when the direction turns, not with every event: the choice of servers stays.
    let state = Memo::new(move |_| pool.with(|p| p.summary.state));
    let no_backup = Memo::new(move |_| pool.with(|p| p.summary.no_failover_reason.is_some() || p.guided));
    let hops = Memo::new(move |_| pool.with(|p| p.next_hops.clone()));
    move || {
        hops.track();
        (!no_backup.get()).then(|| pool.with_untracked(|p| card(p, state.get())))
    }
}

fn card(p: &PoolDetail, from: PoolState) -> AnyView {
    // The boxes are a form of their own: the form of a page that was left must not be joined.
    let _form = FormState::provide();
    let host = p.summary.fqdn.host();
    let (cmdlet, title, label, lost) = match from {
        PoolState::Normal => {
            ("Start-LgFailover", "Guided failover", format!("Fail over {host} in steps"), "primary")
        }
        PoolState::FailedOver => {
            ("Start-LgFailback", "Guided failback", format!("Fail back {host} in steps"), "backup")
        }
    };
    let near = p.near.get(usize::from(from == PoolState::Normal)).cloned().unwrap_or_default();
    let boxes: Vec<(String, RwSignal<bool>)> = p
        .summary
        .servers
        .iter()
        .map(|s| (s.report.fqdn.to_string(), RwSignal::new(near.contains(&s.report.fqdn))))
        .collect();
    let chosen = boxes.clone();
    let identity = pool_identity(&p.summary.fqdn);
    let hop = RwSignal::new(String::new());
    let arguments = move |forced: bool| {
        let active: Vec<String> = chosen.iter().filter(|(_, b)| b.get()).map(|(n, _)| n.clone()).collect();
        args([
            ("Identity", identity.clone().into()),
            ("ActiveServers", active.into()),
            ("Forced", if forced { true.into() } else { Value::Null }),
            ("NextHop", hop.with(|h| if h.is_empty() { Value::Null } else { h.clone().into() })),
        ])
    };
    let planned = {
        let a = arguments.clone();
        Signal::derive(move || a(false))
    };
    let forced = Signal::derive(move || arguments(true));
    let fields = boxes
        .into_iter()
        .map(|(name, value)| {
            let close = near.iter().any(|n| n.as_str() == name);
            view! { <CheckField label=name value help=move || close.then_some("Near the database that takes over.") /> }
        })
        .collect_view();
    let rehearse = args([("Identity", pool_identity(&p.summary.fqdn).into())]);
    let trial = format!("Rehearse it for {host} on a copy");
    let instead = p.next_hops.as_ref().map(|others| next_hop(p, others, hop));
    let give_up = format!("Give the {lost} database up");
    view! {
        <Section title=title>
            <div class="card stack">
                <p>
                    "The procedure of the documents as one run: the log is shipped to its end and applied, the other database is brought online \
                     and the old one fenced, the state is set, the log is shipped back, the active servers are set. Every step is kept; a restart goes on where it was."
                </p>
                <fieldset class="stack-s">
                    <legend>"Active servers afterwards"</legend>
                    {fields}
                    <small class="muted">"All of them must be in the data centre of the new primary database, or close to it. Four at most."</small>
                </fieldset>
                {instead}
                <div class="row">
                    <ActButton cmdlet args=planned label kind=ButtonKind::Danger icon=Some(Icon::Swap) review=true on_done=to_run() />
                    <ActButton cmdlet="Test-LgFailover" args=rehearse label=trial kind=ButtonKind::Plain on_done=to_run() />
                </div>
                <small class="muted">"A rehearsal does the steps on a copy in a scratch folder: it says what would break and how long a run would take. The pool is not touched."</small>
                <details>
                    <summary>{format!("The {lost} database is gone for good")}</summary>
                    <div class="stack-s">
                        <p>"What was not shipped before it went is lost. The plan says up to when the other side has everything. A database that only cannot be reached from here may still be in use."</p>
                        <div class="row"><ActButton cmdlet args=forced label=give_up kind=ButtonKind::Danger review=true on_done=to_run() /></div>
                    </div>
                </details>
            </div>
        </Section>
    }
    .into_any()
}

/// The next hop is down: whether the run publishes another one.
fn next_hop(p: &PoolDetail, others: &[shared::Fqdn], value: RwSignal<String>) -> AnyView {
    let options: Vec<_> =
        others.iter().map(|f| (f.to_string(), format!("{f}, published as a step of the run"))).collect();
    let text = format!(
        "No server of the next hop {} runs; nobody reaches the pool through it. That does not stop the run.",
        p.next_hop
    );
    view! {
        <Notice kind=NoticeKind::Warning>
            <p>{text}</p>
        </Notice>
        <SelectField label="Next hop afterwards" name="NextHop" value options none="Leave it as it is" />
    }
    .into_any()
}

/// Goes to the run that was started.
pub fn to_run() -> crate::components::act::OnDone {
    Arc::new(|r: &CmdletResponse| {
        if let Some(id) = &r.job {
            nav::navigate_to(&Route::Job(id.clone()));
        }
    })
}

/// The latest runs, and the latest rehearsals.
#[component]
pub fn Runs(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let runs = Memo::new(move |_| pool.with(|p| p.runs.clone()));
    let rehearsals = Memo::new(move |_| pool.with(|p| p.rehearsals.clone()));
    view! {
        {move || listed("Runs", &runs.read())}
        {move || listed("Rehearsals on a copy", &rehearsals.read())}
    }
}

fn listed(title: &'static str, list: &[JobView]) -> Option<AnyView> {
    let lines = list.iter().map(line).collect_view();
    (!list.is_empty()).then(|| {
        view! { <Section title><ul role="list" class="card stack-s">{lines}</ul></Section> }.into_any()
    })
}

fn line(j: &JobView) -> AnyView {
    let total: u64 = j.steps.iter().filter_map(|s| s.millis).sum();
    view! {
        <li class="row">
            <StateBadge state=of_run(&j.state) />
            <a href=Route::Job(j.id.clone()).href()>{j.title.clone()}</a>
            <span class="muted">{j.actor.clone()}", "<TimeAgo at=j.started />", "{format!("{:.1} s in steps", seconds(total))}</span>
        </li>
    }
    .into_any()
}

#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}
