//! When the portal backs itself up, and what is kept.

use leptos::prelude::*;
use shared::api::{BackupFile, BackupsView};
use shared::events::Topic;

use crate::api::{Current, use_data};
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, CheckField, Column, DataTable, Facts, Mono, Notice, NoticeKind, Section, SelectField,
    Shown, TextField, TimeAgo,
};

/// The tab.
#[component]
pub fn Backup() -> impl IntoView {
    let data = use_data::<BackupsView>(|| "backups".to_owned(), &[Topic::Directory]);
    view! {
        <Shown data let:now>
            <Kept now />
            <Schedule was=now.get_untracked() />
        </Shown>
    }
}

#[component]
fn Kept(now: Current<BackupsView>) -> impl IntoView {
    view! {
        <Section title="Backups">
            <p>"A backup holds the management store, keys and chat databases in one file. It counts when it was written whole and every database in it was checked. It is restored on the host, with "<Mono text="lifeguard restore" />"."</p>
            {move || now.with(state)}
            <DataTable rows=move || now.get().backups columns=columns() name="backups" plain=true
                empty=|| "There is no backup in the folder yet." />
            <ActButton cmdlet="Start-LgBackup" args=args([]) label="Back up now" />
        </Section>
    }
}

fn state(b: &BackupsView) -> AnyView {
    let schedule = match (b.enabled, b.every_hours) {
        (false, _) => "no".to_owned(),
        (_, Some(1)) => "every hour".to_owned(),
        (_, Some(h)) => format!("every {h} hours"),
        _ => format!("daily at {} UTC", b.daily),
    };
    let time = |at: Option<shared::Timestamp>| at.map(|at| view! { <TimeAgo at /> }.into_any());
    let none = || "–".into_any();
    view! {
        {b.error.clone().map(|why| view! { <Notice kind=NoticeKind::Danger>"The last backup failed: "{why}</Notice> })}
        {b.backups.first().filter(|b| !b.lacks.is_empty()).map(|b| view! {
            <Notice kind=NoticeKind::Warning>{format!("The newest backup does not hold the database of {}. Portal and node must both run to fetch it.", b.lacks.join(", "))}</Notice>
        })}
        {b.running.then(|| view! { <Notice>"A backup is being made."</Notice> })}
        <Facts facts=vec![
            ("By itself", schedule.into_any()),
            ("Next", time(b.next).unwrap_or_else(none)),
            ("Last", time(b.last).unwrap_or_else(none)),
            ("Folder", view! { <Mono text=b.folder.clone() /> }.into_any()),
        ] />
    }
    .into_any()
}

fn columns() -> Vec<Column<BackupFile>> {
    vec![
        Column::<BackupFile>::new("Made", |b| b.at.rfc3339())
            .shown(|b| view! { <TimeAgo at=b.at /> }.into_any()),
        Column::<BackupFile>::new("Size", |b| {
            format!("{}.{} MB", b.bytes / 1_000_000, b.bytes / 100_000 % 10)
        })
        .number(),
        Column::<BackupFile>::new("File", |b| b.name.clone())
            .shown(|b| {
                let lacks = (!b.lacks.is_empty()).then(|| format!("without the database of {}", b.lacks.join(", ")));
                view! { <Mono text=b.name.clone() />{lacks.map(|text| view! { <div class="muted">{text}</div> })} }.into_any()
            }),
    ]
}

fn whole(text: &str, most: u32) -> Result<(), String> {
    match text.trim().parse::<u32>() {
        Ok(n) if (1..=most).contains(&n) => Ok(()),
        _ => Err(format!("Write a whole number from 1 to {most}.")),
    }
}

fn hours(text: &str) -> Result<(), String> {
    whole(text, 168)
}

fn number(text: &str) -> Result<(), String> {
    whole(text, 1000)
}

#[component]
fn Schedule(was: BackupsView) -> impl IntoView {
    let enabled = RwSignal::new(was.enabled);
    let when = RwSignal::new(if was.every_hours.is_some() { "hours" } else { "daily" }.to_owned());
    let daily = RwSignal::new(was.daily);
    let every = RwSignal::new(was.every_hours.unwrap_or(6).to_string());
    let keep = RwSignal::new(was.keep.to_string());
    let folder = RwSignal::new(if was.own_folder { was.folder } else { String::new() });
    let parsed = |text: RwSignal<String>| text.get().trim().parse::<u32>().unwrap_or_default();
    let arguments = Signal::derive(move || {
        let mut all = args([("Enabled", enabled.get().into()), ("Keep", parsed(keep).into())]);
        match when.with(|w| w == "hours") {
            true => all.insert("EveryHours".to_owned(), parsed(every).into()),
            false => all.insert("Daily".to_owned(), daily.get().trim().into()),
        };
        // No folder is a value, too.
        all.insert("Folder".to_owned(), folder.get().trim().into());
        all
    });
    let options = vec![
        ("daily".to_owned(), "Once a day".to_owned()),
        ("hours".to_owned(), "Every so many hours".to_owned()),
    ];
    view! {
        <Section title="Schedule">
            <ActForm cmdlet="Set-LgBackupSchedule" args=arguments label="Save the schedule">
                <CheckField label="Make backups by itself" name="Enabled" value=enabled help=|| "One that was due while the portal was not running is made up for." />
                <SelectField label="When" value=when options required=true />
                {move || match when.with(|w| w == "hours") {
                    true => view! { <TextField label="Hours" name="EveryHours" value=every required=true check=hours help=|| "From 1 to 168." /> }.into_any(),
                    false => view! { <TextField label="Time" name="Daily" value=daily required=true mono=true help=|| "UTC, for example 02:30." /> }.into_any(),
                }}
                <TextField label="Keep" name="Keep" value=keep required=true check=number help=|| "So many of the newest; older ones are deleted after the next one." />
                <TextField label="Folder" name="Folder" value=folder mono=true
                    help=|| "An absolute path on the portal's host, best on another disk. Empty: the folder backups in the data directory." />
            </ActForm>
        </Section>
    }
}
