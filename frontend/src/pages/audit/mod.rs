//! Who did what, when, why, and what came of it.

use leptos::prelude::*;
use shared::api::AuditView;
use shared::events::Topic;

use crate::api::use_data;
use crate::components::badge::Badge;
use crate::components::query::text;
use crate::components::{
    Column, DataTable, Icon, Notice, NoticeKind, Page, QueryButton, SelectField, Shown, StateBadge, TimeAgo,
    Tone,
};

/// The page.
#[component]
pub fn AuditPage() -> impl IntoView {
    let limit = RwSignal::new("200".to_owned());
    let list = use_data::<Vec<AuditView>>(move || format!("audit?limit={}", limit.get()), &[Topic::Audit]);
    let limits = ["50", "200", "1000"].map(|n| (n.to_owned(), format!("the newest {n}"))).to_vec();
    view! {
        <Page title="Audit" lead="Every change that was made, and every attempt that was refused. Entries are never changed or removed.">
            <div class="audit-limit">
                <SelectField label="Show" value=limit options=limits required=true none="the newest" />
            </div>
            <div class="row">
                <QueryButton cmdlet="Test-LgAudit" args=serde_json::Map::new() label="Verify the chain" draw=Box::new(verified) />
            </div>
            <Shown data=list lines=8 let:rows>
                <DataTable rows columns=columns() name="audit" empty=|| view! {
                    <p>"Nothing was changed yet."</p>
                } />
            </Shown>
        </Page>
    }
}

/// Whether every row is what was written.
fn verified(list: Vec<serde_json::Value>) -> AnyView {
    let Some(o) = list.into_iter().next() else { return ().into_any() };
    let kind = if text(&o, "Result") == "Success" { NoticeKind::Good } else { NoticeKind::Danger };
    let (said, head) = (text(&o, "Text").to_owned(), text(&o, "Head").to_owned());
    view! {
        <Notice kind>
            <p>{said}</p>
            <p class="muted">"Head: "<span class="mono">{head}</span>". Kept elsewhere, it proves later that nothing was cut off the end."</p>
        </Notice>
    }
    .into_any()
}

fn columns() -> Vec<Column<AuditView>> {
    vec![
        Column::<AuditView>::new("When", |a| a.at.rfc3339())
            .shown(|a| view! { <TimeAgo at=a.at /> }.into_any()),
        Column::<AuditView>::new("Who", |a| format!("{} ({})", a.actor, a.role)).shown(who),
        Column::<AuditView>::new("What", |a| a.line.clone()).shown(what),
        Column::<AuditView>::new("Outcome", |a| a.outcome.clone()).shown(outcome),
        Column::<AuditView>::new("Reason", |a| a.reason.clone()),
        Column::<AuditView>::new("Detail", |a| a.detail.clone()).shown(|a| {
            view! { <span class="audit-detail" title=a.detail.clone()>{a.detail.clone()}</span> }.into_any()
        }),
        Column::<AuditView>::new("Request", |a| a.request_id.clone())
            .shown(|a| view! { <span class="mono muted">{a.request_id.clone()}</span> }.into_any()),
    ]
}

fn who(a: &AuditView) -> AnyView {
    view! {
        <span class="audit-who" title=format!("{} from {}", a.credential, a.source)>
            <strong>{a.actor.clone()}</strong>
            <small class="muted">{a.role.clone()}</small>
        </span>
    }
    .into_any()
}

fn what(a: &AuditView) -> AnyView {
    view! {
        <details class="audit-what">
            <summary>{a.cmdlet.clone()}" "<span class="mono muted">{a.target.clone()}</span></summary>
            <code class="mono">{a.line.clone()}</code>
            <p>{a.detail.clone()}</p>
        </details>
    }
    .into_any()
}

fn outcome(a: &AuditView) -> AnyView {
    let badge = match a.outcome.as_str() {
        "done" => Badge::new("Done", Tone::Good, Icon::Tick),
        "opened" => Badge::new("Under way", Tone::Active, Icon::Progress),
        "refused" => Badge::new("Refused", Tone::Warning, Icon::Lock),
        "failed" => Badge::new("Failed", Tone::Bad, Icon::Cross),
        _ => Badge::new("Unknown", Tone::Neutral, Icon::Question),
    };
    view! { <StateBadge state=badge /> }.into_any()
}
