//! Alerts: what is open, who is told, what was told.

use leptos::prelude::*;
use shared::api::{AlertView, AlertsView, DeliveryView};
use shared::events::Topic;

use super::alert_targets::Targets;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::Badge;
use crate::components::{
    ActButton, ButtonKind, Column, DataTable, Icon, Section, Shown, StateBadge, TimeAgo, Tone,
};

/// Minutes that the button mutes for.
const MUTE: u32 = 60;
/// The subject that stands for all.
const ALL: &str = "*";

/// The tab.
#[component]
pub fn Alerts() -> impl IntoView {
    let list = use_data::<AlertsView>(|| "alerts".to_owned(), &[Topic::Alert]);
    let muted = move || {
        let of = |l: &AlertsView| l.muted.iter().any(|m| m.subject == ALL);
        list.value.with(|l| l.as_ref().is_some_and(of))
    };
    view! {
        <p class="lead">"What the overview calls a problem is told to webhooks and mail addresses, once when it appears and once when it is gone."</p>
        <Section title="Open alerts" actions=move || mute(ALL.to_owned(), muted(), "all alerts")>
            <Shown data=list let:l>
                <DataTable rows=move || l.get().open columns=open_columns() name="open alerts" acts=open_acts plain=true
                    empty=|| "There is no open alert." />
            </Shown>
        </Section>
        <Targets />
        <Section title="Latest deliveries">
            <Shown data=list let:l>
                <DataTable rows=move || l.get().deliveries columns=delivery_columns() name="deliveries" plain=true
                    empty=|| "Nothing was told yet." />
            </Shown>
        </Section>
    }
}

/// The button that mutes a subject, or ends that.
fn mute(subject: String, muted: bool, of: &str) -> AnyView {
    let (verb, minutes) = if muted { ("Unmute", 0) } else { ("Mute for an hour", MUTE) };
    let of = if of.is_empty() { subject.clone() } else { of.to_owned() };
    let arguments = args([("Identity", subject.into()), ("Minutes", minutes.into())]);
    view! { <ActButton cmdlet="Suspend-LgAlert" args=arguments label=format!("{verb}: {of}") short=verb kind=ButtonKind::Quiet /> }
        .into_any()
}

fn open_columns() -> Vec<Column<AlertView>> {
    vec![
        Column::<AlertView>::new("About", |a| a.problem.subject.clone()).shown(|a| {
            view! { <a class="mono" href=a.problem.href.clone()>{a.problem.subject.clone()}</a> }.into_any()
        }),
        Column::<AlertView>::new("Problem", |a| a.problem.problem.text.clone()),
        Column::<AlertView>::new("Since", |a| a.since.rfc3339())
            .shown(|a| view! { <TimeAgo at=a.since /> }.into_any()),
        Column::<AlertView>::new("State", |a| open_state(a).word)
            .shown(|a| view! { <StateBadge state=open_state(a) /> }.into_any()),
    ]
}

fn open_state(a: &AlertView) -> Badge {
    match (&a.acknowledged_by, a.muted_until) {
        (Some(by), _) => Badge::new(format!("Acknowledged by {by}"), Tone::Neutral, Icon::Tick),
        (None, Some(_)) => Badge::new("Muted", Tone::Neutral, Icon::Stop),
        (None, None) if !a.told.is_empty() => {
            Badge::new(format!("Told to {}", a.told.join(", ")), Tone::Active, Icon::Progress)
        }
        (None, None) if !a.telling.is_empty() => {
            Badge::new(format!("Being told to {}", a.telling.join(", ")), Tone::Active, Icon::Progress)
        }
        (None, None) if a.not_told.is_empty() => Badge::new("Nobody is told", Tone::Warning, Icon::Warning),
        (None, None) => {
            Badge::new(format!("Could not be told to {}", a.not_told.join("; ")), Tone::Bad, Icon::Cross)
        }
    }
}

fn open_acts(a: &AlertView) -> AnyView {
    let acknowledge = a.acknowledged_by.is_none().then(|| {
        let arguments = args([("Identity", a.key.clone().into())]);
        let label = format!("Acknowledge {}", a.key);
        view! { <ActButton cmdlet="Confirm-LgAlert" args=arguments label short="Acknowledge" kind=ButtonKind::Quiet /> }
    });
    let mute = mute(a.problem.subject.clone(), a.muted_until.is_some(), "");
    view! { {acknowledge}{mute} }.into_any()
}

fn delivery_columns() -> Vec<Column<DeliveryView>> {
    vec![
        Column::<DeliveryView>::new("Told", |d| d.told.clone()),
        Column::<DeliveryView>::new("Alert", |d| d.key.clone()),
        Column::<DeliveryView>::new("To", |d| d.target.clone()),
        Column::<DeliveryView>::new("When", |d| d.at.rfc3339())
            .shown(|d| view! { <TimeAgo at=d.at /> }.into_any()),
        Column::<DeliveryView>::new("Result", |d| result(d).word)
            .shown(|d| view! { <StateBadge state=result(d) />" "{d.error.clone()} }.into_any()),
    ]
}

/// How a delivery ended.
pub fn result(d: &DeliveryView) -> Badge {
    match d.state.as_str() {
        "delivered" => Badge::new("Delivered", Tone::Good, Icon::Tick),
        "failed" => Badge::new("Failed", Tone::Bad, Icon::Cross),
        _ => Badge::new("Under way", Tone::Active, Icon::Progress),
    }
}
