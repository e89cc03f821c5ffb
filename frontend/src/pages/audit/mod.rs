//! Who did what, when, why, and what came of it.

use leptos::prelude::*;
use shared::api::AuditView;
use shared::events::Topic;
use shared::plan::PlannedChange;

use crate::api::use_data;
use crate::components::badge::Badge;
use crate::components::query::text;
use crate::components::{
    Button, Column, DataTable, Icon, Notice, NoticeKind, Page, QueryButton, SelectField, Shown, StateBadge,
    TextField, TimeAgo, Tone,
};
use crate::routes;

/// The page.
#[component]
pub fn AuditPage() -> impl IntoView {
    let limit = RwSignal::new("200".to_owned());
    let asked = RwSignal::new(String::new());
    let query = move || format!("limit={}{}", limit.get(), asked.get());
    let list = use_data::<Vec<AuditView>>(move || format!("audit?{}", query()), &[Topic::Audit]);
    let file = move |format: &str| format!("/api/v1/audit/export?format={format}{}", asked.get());
    let limits = ["50", "200", "1000"].map(|n| (n.to_owned(), format!("the newest {n}"))).to_vec();
    view! {
        <Page title="Audit" lead="Every change that was made, and every attempt that was refused. Entries are never changed or removed.">
            <div class="audit-limit">
                <SelectField label="Show" value=limit options=limits required=true none="the newest" />
            </div>
            <Filters asked />
            <p class="row">
                "All of these, as a file: "
                <a href=move || file("csv") download="audit.csv">"CSV"</a>
                <a href=move || file("json") download="audit.json">"JSON"</a>
            </p>
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

/// Who, what, when; it is asked for when the button is pressed.
#[component]
fn Filters(asked: RwSignal<String>) -> impl IntoView {
    let fields =
        ["actor", "cmdlet", "target", "from", "until", "text"].map(|f| (f, RwSignal::new(String::new())));
    let outcome = RwSignal::new(String::new());
    let [actor, cmdlet, target, from, until, text] = fields.map(|(_, s)| s);
    let outcomes = ["done", "started", "refused", "failed", "opened", "unknown"]
        .map(|w| (w.to_owned(), w.to_owned()))
        .to_vec();
    let ask = move || {
        let given = fields.into_iter().chain([("outcome", outcome)]).map(|(f, s)| (f, s.get_untracked()));
        let part = |(f, v): (&str, String)| format!("&{f}={}", routes::segment(v.trim()));
        asked.set(given.filter(|(_, v)| !v.trim().is_empty()).map(part).collect());
    };
    view! {
        <details class="card">
            <summary>"Search the audit"</summary>
            <form class="form" novalidate=true on:submit=move |e| { e.prevent_default(); ask(); }>
                <TextField label="Who" value=actor />
                <TextField label="Cmdlet" value=cmdlet />
                <TextField label="What it was about" value=target />
                <SelectField label="Outcome" value=outcome options=outcomes none="any" />
                <TextField label="From" value=from help=|| "In UTC, for example 2026-12-01 or 2026-12-01 20:00." />
                <TextField label="Until" value=until />
                <TextField label="Any word" value=text help=|| "In the line, the reason, the detail, the address it came from …" />
                <div class="form-foot"><Button label="Search" submit=true on_press=|()| () /></div>
            </form>
        </details>
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
            <p class="muted">{a.credential.clone()}" from "{a.source.clone()}</p>
            {a.changes.iter().map(changed).collect_view()}
        </details>
    }
    .into_any()
}

/// A property before and after.
fn changed(c: &PlannedChange) -> AnyView {
    let before = if c.before.is_empty() { "–" } else { c.before.as_str() };
    let after = if c.after.is_empty() { "–" } else { c.after.as_str() };
    view! { <p><span class="mono">{c.target.clone()}</span>{format!(" {}: {before} → {after}", c.property)}</p> }.into_any()
}

fn outcome(a: &AuditView) -> AnyView {
    let badge = match a.outcome.as_str() {
        "done" => Badge::new("Done", Tone::Good, Icon::Tick),
        "started" => Badge::new("Started", Tone::Active, Icon::Arrow),
        "opened" => Badge::new("Under way", Tone::Active, Icon::Progress),
        "refused" => Badge::new("Refused", Tone::Warning, Icon::Lock),
        "failed" => Badge::new("Failed", Tone::Bad, Icon::Cross),
        _ => Badge::new("Unknown", Tone::Neutral, Icon::Question),
    };
    view! { <StateBadge state=badge /> }.into_any()
}
