//! Normal or FailedOver: what each means for this pool, and the switch between them. Source: S0, S1.

use leptos::prelude::*;
use shared::api::{PoolDetail, PoolSummary};
use shared::deployment::PoolState;
use shared::identity::pool_identity;

use super::guided::{Guided, InHand, Runs};
use super::runbook::Runbook;
use crate::api::Current;
use crate::components::act::args;
use crate::components::badge::of_pool_state;
use crate::components::{
    ActButton, ButtonKind, CommandLine, Icon, Mono, Notice, NoticeKind, StateBadge, TimeAgo,
};

/// The switch to the other state, for the title row and the tab.
pub fn switch_button(p: &PoolSummary) -> AnyView {
    let to = other(p.state);
    let host = p.fqdn.host();
    let (label, kind) = match to {
        PoolState::FailedOver => (format!("Fail over {host}"), ButtonKind::Danger),
        PoolState::Normal => (format!("Return {host} to Normal"), ButtonKind::Primary),
    };
    let arguments = args([("Identity", pool_identity(&p.fqdn).into()), ("PoolState", to.word().into())]);
    let blocked = p.no_failover_reason.clone().filter(|_| to == PoolState::FailedOver);
    view! {
        <ActButton cmdlet="Set-CsPersistentChatState" args=arguments label kind icon=Some(Icon::Swap) review=true blocked />
    }
    .into_any()
}

fn other(state: PoolState) -> PoolState {
    match state {
        PoolState::Normal => PoolState::FailedOver,
        PoolState::FailedOver => PoolState::Normal,
    }
}

/// The tab.
#[component]
pub fn StateTab(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let summary = Memo::new(move |_| pool.with(|p| p.summary.clone()));
    let under_way =
        move || summary.with(not_there).map(|(kind, text)| view! { <Notice kind><p>{text}</p></Notice> });
    let no_backup = move || {
        summary
            .with(|s| s.no_failover_reason.clone())
            .map(|why| view! { <Notice kind=NoticeKind::Warning><p>{why}</p></Notice> })
    };
    let line = Signal::derive(move || {
        summary.with(|s| {
            format!(
                "Set-CsPersistentChatState -Identity \"{}\" -PoolState {}",
                pool_identity(&s.fqdn),
                other(s.state).word()
            )
        })
    });
    view! {
        <InHand pool />
        {under_way}
        {no_backup}
        <div class="states">
            {move || summary.with(|s| state_card(s, PoolState::Normal))}
            {move || summary.with(|s| state_card(s, PoolState::FailedOver))}
        </div>
        <Guided pool />
        <Runbook pool />
        <div class="card stack">
            <h2>"The state alone"</h2>
            <p>
                "All servers of the pool follow: they close one database and open the other. While the database in use answers, posts stop, \
                 the tail of its log is shipped and applied, and the other side opens; nothing is lost. When it does not answer, the plan states \
                 up to when the other side has everything and what is lost with it, and asks you to accept that. Active servers stay as they are."
            </p>
            <p class="muted">"mgccomp is not failed over. The plan shows everything before anything is done; What if in the shell shows the same."</p>
            {move || summary.with(switch_button)}
            <CommandLine line />
        </div>
        <Runs pool />
    }
}

/// Why the pool has no database in use; a run that has it in hand says so itself.
fn not_there(s: &PoolSummary) -> Option<(NoticeKind, String)> {
    if s.converged || s.run.as_ref().is_some_and(|r| r.holds) {
        return None;
    }
    let role = if s.state == PoolState::Normal { "primary" } else { "backup" };
    let lost = s.databases.iter().find(|d| d.role == role).and_then(|d| d.error.clone());
    Some(match lost {
        Some(why) => (NoticeKind::Danger, format!("The {role} database does not answer: {why}. Posts are refused.")),
        None => (NoticeKind::Info, "The switch is under way: not every server and database has taken the state up yet. This page follows it.".to_owned()),
    })
}

fn state_card(s: &PoolSummary, state: PoolState) -> AnyView {
    let now = s.state == state;
    let role = if state == PoolState::Normal { "primary" } else { "backup" };
    let stores: Vec<_> = s
        .databases
        .iter()
        .filter(|d| d.role == role && d.database == "mgc")
        .map(|d| d.store.clone())
        .collect();
    let uses = if stores.is_empty() {
        view! { <p class="muted">"This pool has no such database."</p> }.into_any()
    } else {
        view! { <p>"Uses mgc on "{stores.into_iter().map(|t| view! { <Mono text=t /> }).collect_view()}"."</p> }.into_any()
    };
    let text = match state {
        PoolState::Normal => "The pool uses its primary databases.",
        PoolState::FailedOver => "The pool uses its backup databases, in the other data centre.",
    };
    view! {
        <div class="card state-card" class:state-now=now>
            <div class="row">
                <StateBadge state=of_pool_state(state) />
                {now.then(|| view! { <span>"now, since "<TimeAgo at=s.since /></span> })}
            </div>
            <p>{text}</p>
            {uses}
        </div>
    }
    .into_any()
}
