//! Log shipping of a pool: what its jobs did, how old that is, and when they run.

use leptos::prelude::*;
use shared::Timestamp;
use shared::api::{PoolDetail, ShippingView};
use shared::shipping::{Schedule, duration};

use crate::api::Current;
use crate::components::act::args;
use crate::components::{
    ActForm, Button, Dialog, Facts, Mono, Notice, NoticeKind, Section, TextField, TimeAgo,
};
use crate::session;

/// What was shipped and applied, and how far the other side is behind.
#[component]
pub fn Shipping(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let shipping = Memo::new(move |_| pool.with(|p| p.shipping.clone()));
    // The dialog outlives what the events draw anew behind it.
    let open = RwSignal::new(None::<(String, Schedule)>);
    let change = move |()| {
        let found =
            pool.with_untracked(|p| p.shipping.as_ref().map(|s| (p.summary.fqdn.to_string(), s.schedule)));
        open.set(found);
    };
    view! {
        {move || shipping.get().map(|s| shown(s, change))}
        <Dialog open=Signal::derive(move || open.with(Option::is_some)) title="Log shipping" on_close=move |()| open.set(None)>
            {move || open.get().map(|(fqdn, was)| form(fqdn, was, open))}
        </Dialog>
    }
}

fn shown(s: ShippingView, change: impl Fn(()) + Copy + Send + Sync + 'static) -> AnyView {
    let number = |n: Option<u64>| n.map_or_else(|| "none yet".to_owned(), |n| n.to_string());
    let when = |t: Option<Timestamp>| match t {
        Some(at) => view! { <TimeAgo at /> }.into_any(),
        None => "not yet".into_any(),
    };
    let behind = match s.behind {
        _ if s.applied.is_none() => "not known: nothing that was shipped is known to be applied".to_owned(),
        0 => "nothing: the other side has every commit that was shipped".to_owned(),
        1 => "1 commit".to_owned(),
        n => format!("{n} commits"),
    };
    let x = s.schedule;
    let said = |n: u32| duration(u64::from(n));
    let jobs = format!(
        "backup every {}, copy every {}, restore every {}",
        said(x.backup_seconds),
        said(x.copy_seconds),
        said(x.restore_seconds)
    );
    let alerts = format!(
        "no backup for {}, or the other side {} behind",
        said(x.backup_alert_seconds),
        said(x.restore_alert_seconds)
    );
    view! {
        <Section title="Log shipping">
            {s.problem.map(|why| view! { <Notice kind=NoticeKind::Danger><p>{why}"."</p><p>"What is posted now would be lost with the database in use."</p></Notice> })}
            {s.late.map(|why| view! { <Notice kind=NoticeKind::Warning><p>"It is late: "{why}"."</p></Notice> })}
            <Facts facts=vec![
                ("From", view! { <Mono text=s.from /> }.into_any()),
                ("To", view! { <Mono text=s.to /> }.into_any()),
                ("Newest segment in the share", number(s.shipped).into_any()),
                ("Newest segment applied", number(s.applied).into_any()),
                ("Behind", behind.into_any()),
                ("Messages not on the other side", number(s.messages_behind).into_any()),
                ("The other side has everything until", when(s.complete_until)),
                ("Backup job", when(s.backup_at)),
                ("Copy and restore jobs", when(s.restore_at)),
                ("They run", jobs.into_any()),
                ("It is a problem", alerts.into_any()),
                ("Applied segments are kept", format!("{} h", x.delete_after_hours).into_any()),
            ] />
            <div class="row"><Button label="Change log shipping" blocked=Signal::derive(|| session::allowed("Set-LgLogShipping").err()) on_press=change /></div>
            {(!s.orphans.is_empty()).then(|| view! {
                <Notice>
                    <p>"Databases that were in use and were replaced; they may hold messages that were never shipped:"</p>
                    <ul>{s.orphans.into_iter().map(|o| view! { <li class="mono">{o}</li> }).collect_view()}</ul>
                </Notice>
            })}
        </Section>
    }
    .into_any()
}

fn whole(text: &str) -> Result<(), String> {
    text.trim().parse::<u32>().map(drop).map_err(|_| "Write a whole number.".to_owned())
}

fn form(fqdn: String, was: Schedule, open: RwSignal<Option<(String, Schedule)>>) -> AnyView {
    let rows = [
        ("BackupSeconds", "Backup job, every so many seconds", was.backup_seconds),
        ("CopySeconds", "Copy job, every so many seconds", was.copy_seconds),
        ("RestoreSeconds", "Restore job, every so many seconds", was.restore_seconds),
        ("BackupAlertSeconds", "Problem when no backup for, in seconds", was.backup_alert_seconds),
        ("RestoreAlertSeconds", "Problem when behind by, in seconds", was.restore_alert_seconds),
        ("DeleteAfterHours", "Keep applied segments, in hours", was.delete_after_hours),
    ]
    .map(|(name, label, value)| (name, label, RwSignal::new(value.to_string())));
    let label = format!("Change log shipping of {fqdn}");
    let arguments = Signal::derive(move || {
        let mut all = args([("Identity", fqdn.clone().into())]);
        for (name, _, text) in rows {
            all.insert(name.to_owned(), text.get().trim().parse::<u32>().unwrap_or_default().into());
        }
        all
    });
    let done = std::sync::Arc::new(move |_: &_| open.set(None));
    view! {
        <p>"What was not shipped is lost when the database in use is lost for good. A planned failover ships the tail first, whatever the intervals."</p>
        <ActForm cmdlet="Set-LgLogShipping" args=arguments label on_done=done>
            {rows.map(|(name, label, value)| view! { <TextField label name value required=true check=whole kind="number" first=name == "BackupSeconds" /> })}
        </ActForm>
        <div class="row"><Button label="Close" on_press=move |()| open.set(None) /></div>
    }
    .into_any()
}
