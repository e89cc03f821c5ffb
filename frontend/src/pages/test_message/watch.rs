//! Test messages that run by themselves, and the test users they run as. Source: cmdlets.md §11.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::{Value, json};
use shared::api::{AuthorityView, WatchView, WatcherView};
use shared::events::Topic;
use shared::names::{Fqdn, SipUri};

use crate::api::{Current, use_data};
use crate::components::act::args;
use crate::components::badge::of_run;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Mono, PasswordField, RadioGroup, Section, SelectField,
    Shown, StateBadge, TextField, TimeAgo,
};
use crate::routes::Route;

/// The section.
#[component]
pub fn Watch() -> impl IntoView {
    let data = use_data::<WatchView>(|| "watch".to_owned(), &[Topic::Test]);
    view! {
        <Section title="Watch">
            <p class="muted">"A test message can run by itself, daily or every few minutes, as two stored test users. What fails stands on the overview."</p>
            <Shown data lines=3 let:watch>
                <Watchers watch />
                <details class="card">
                    <summary>"Watch a pool"</summary>
                    <NewWatcher watch />
                </details>
                <details class="card">
                    <summary>"Test users"</summary>
                    <TestUsers watch />
                </details>
                <details class="card authorities">
                    <summary>"Trusted authorities"</summary>
                    <Authorities watch />
                </details>
            </Shown>
        </Section>
    }
}

#[component]
fn Watchers(watch: Current<WatchView>) -> impl IntoView {
    let rows = Signal::derive(move || watch.with(|w| w.watchers.clone()));
    view! { <DataTable rows columns=columns() name="watchers" acts=row_acts plain=true empty=|| "No pool is watched yet." /> }
}

fn columns() -> Vec<Column<WatcherView>> {
    vec![
        Column::<WatcherView>::new("Pool", |w| w.target.clone())
            .shown(|w| view! { <Mono text=w.target.clone() /> }.into_any()),
        Column::<WatcherView>::new("Runs", |w| {
            if w.enabled { w.schedule.clone() } else { format!("off ({})", w.schedule) }
        }),
        Column::<WatcherView>::new("As", |w| w.users.iter().take(2).cloned().collect::<Vec<_>>().join(" ")),
        Column::<WatcherView>::new("Last", |w| {
            w.last.as_ref().map(|t| t.verdict.clone()).unwrap_or_default()
        })
        .shown(last),
        Column::<WatcherView>::new("Next", |w| w.next_run.rfc3339())
            .shown(|w| w.enabled.then(|| view! { <TimeAgo at=w.next_run /> }).into_any()),
    ]
}

fn last(w: &WatcherView) -> AnyView {
    let Some(t) = &w.last else { return "not yet".into_any() };
    let failing = (w.failures > 1).then(|| format!("{} failures in a row", w.failures));
    let missed = (w.missed > 0).then(|| format!("{} missed while the portal or the node was away", w.missed));
    view! {
        <span class="stack-s">
            <a href=Route::Test(t.id.clone()).href()><StateBadge state=of_run(&t.state) />" "<TimeAgo at=t.started /></a>
            {failing.map(|f| view! { <small>{f}</small> })}
            {missed.map(|f| view! { <small class="muted">{f}</small> })}
        </span>
    }
    .into_any()
}

fn row_acts(w: &WatcherView) -> AnyView {
    let target = w.target.clone();
    let (verb, on) = if w.enabled { ("Pause", false) } else { ("Go on", true) };
    let switch = args([("Identity", target.clone().into()), ("Enabled", on.into())]);
    let remove = args([("Identity", target.clone().into())]);
    view! {
        <ActButton cmdlet="Set-CsWatcherNodeConfiguration" args=switch label=format!("{verb} watching {target}") short=verb kind=ButtonKind::Quiet />
        <ActButton cmdlet="Remove-CsWatcherNodeConfiguration" args=remove label=format!("Stop watching {target}") short="Remove" kind=ButtonKind::Quiet review=true />
    }
    .into_any()
}

fn check_fqdn(text: &str) -> Result<(), String> {
    Fqdn::try_from(text).map(drop).map_err(|e| e.0)
}

fn check_sip(text: &str) -> Result<(), String> {
    SipUri::try_from(text).map(drop).map_err(|e| e.0)
}

fn check_minutes(text: &str) -> Result<(), String> {
    let fits = text.trim().parse::<u32>().is_ok_and(|n| (1..=1440).contains(&n));
    if fits { Ok(()) } else { Err("A whole number from 1 to 1440.".to_owned()) }
}

#[component]
fn NewWatcher(watch: Current<WatchView>) -> impl IntoView {
    let target = RwSignal::new(String::new());
    let (first, second) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let often = RwSignal::new("daily".to_owned());
    let (at, minutes) = (RwSignal::new("06:00".to_owned()), RwSignal::new("15".to_owned()));
    let (cron, windows) = (RwSignal::new("*/15 8-18 * * 1-5".to_owned()), RwSignal::new(String::new()));
    let users = Signal::derive(move || {
        watch.with(|w| w.users.iter().map(|u| (u.to_string(), u.to_string())).collect::<Vec<_>>())
    });
    let node = RwSignal::new(String::new());
    let nodes = Signal::derive(move || {
        watch.with(|w| w.nodes.iter().map(|n| (n.clone(), format!("Node {n}"))).collect::<Vec<_>>())
    });
    let few =
        Signal::derive(move || users.with(|u| u.len() < 2).then(|| "Store two test users first.".to_owned()));
    let arguments = Signal::derive(move || {
        let how = often.get();
        let when = |is: &str, v: Value| if how == is { v } else { json!(null) };
        let windows = windows.get();
        let windows: Vec<&str> = windows.split(';').map(str::trim).filter(|w| !w.is_empty()).collect();
        args([
            ("TargetFqdn", target.get().trim().into()),
            ("PortNumber", 5061.into()),
            ("TestUsers", json!({ "Replace": [first.get(), second.get()] })),
            ("DailyAt", when("daily", json!(at.get().trim()))),
            ("EveryMinutes", when("often", json!(minutes.get().trim().parse::<u32>().ok()))),
            ("Cron", when("cron", json!(cron.get().trim()))),
            ("Node", node.get().into()),
            (
                "MaintenanceWindows",
                if windows.is_empty() { json!(null) } else { json!({ "Replace": windows }) },
            ),
        ])
    });
    let label = Signal::derive(move || match target.get().trim() {
        "" => "Watch the pool".to_owned(),
        t => format!("Watch {t}"),
    });
    let choices = || {
        let choice = |v: &str, words: &str| (v.to_owned(), words.to_owned(), String::new());
        vec![
            choice("daily", "Once a day"),
            choice("often", "Every few minutes"),
            choice("cron", "By a cron line"),
        ]
    };
    let done = Arc::new(move |_: &_| target.set(String::new()));
    view! {
        <ActForm cmdlet="New-CsWatcherNodeConfiguration" args=arguments label blocked=few on_done=done>
            <TextField label="Pool to watch" name="TargetFqdn" value=target required=true mono=true check=check_fqdn
                help=|| "A Front End pool, or a Persistent Chat pool, which is resolved to its next hop." />
            <SelectField label="Sender" name="TestUsers" value=first required=true options=users />
            <SelectField label="Receiver" value=second required=true options=users />
            {move || nodes.with(|n| !n.is_empty()).then(|| view! {
                <SelectField label="Sent from" name="Node" value=node options=nodes none="The portal"
                    help=|| "A node sends it from its own place in the network. While it is away the runs are missed." />
            })}
            <RadioGroup label="How often" value=often options=choices() />
            {move || match often.get().as_str() {
                "daily" => view! { <TextField label="Time of day (UTC)" name="DailyAt" value=at required=true help=|| "HH:MM, for example 06:00." /> }.into_any(),
                "cron" => view! { <TextField label="Cron line (UTC)" name="Cron" value=cron required=true mono=true help=|| "Minute, hour, day of month, month, day of week." /> }.into_any(),
                _ => view! { <TextField label="Minutes between runs" name="EveryMinutes" value=minutes required=true check=check_minutes /> }.into_any(),
            }}
            <TextField label="Maintenance windows (UTC)" name="MaintenanceWindows" value=windows
                help=|| "Nothing is tested in them and nobody is alerted of the pool and its servers: Sun 02:00-04:00; several separated by semicolons." />
        </ActForm>
    }
}

#[component]
fn TestUsers(watch: Current<WatchView>) -> impl IntoView {
    let (sip, logon, password) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let arguments = Signal::derive(move || {
        args([
            ("SipAddress", sip.get().trim().into()),
            ("UserName", logon.get().trim().into()),
            ("Password", password.get().into()),
        ])
    });
    let label = Signal::derive(move || match sip.get().trim() {
        "" => "Store the test user".to_owned(),
        s => format!("Store {s}"),
    });
    let done = Arc::new(move |_: &_| {
        for field in [sip, logon, password] {
            field.set(String::new());
        }
    });
    let line = |u: &SipUri| {
        let remove = args([("SipAddress", u.to_string().into())]);
        view! {
            <li class="row">
                <Mono text=u.to_string() />
                <ActButton cmdlet="Remove-CsTestUserCredential" args=remove label=format!("Forget {u}") short="Forget" kind=ButtonKind::Quiet />
            </li>
        }
    };
    view! {
        <ul role="list" class="stack-s">{move || watch.with(|w| w.users.iter().map(line).collect_view())}</ul>
        <ActForm cmdlet="Set-CsTestUserCredential" args=arguments label on_done=done>
            <TextField label="SIP address" name="SipAddress" value=sip required=true mono=true check=check_sip help=|| "For example sip:pilar@litwareinc.com." />
            <TextField label="Log-on name" name="UserName" value=logon required=true mono=true help=|| "DOMAIN\\user." />
            <PasswordField label="Password" name="Password" value=password required=true
                help=|| "Kept sealed with the portal's key file; it is never shown again." />
        </ActForm>
    }
}

#[component]
fn Authorities(watch: Current<WatchView>) -> impl IntoView {
    let (name, pem) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let arguments =
        Signal::derive(move || args([("Name", name.get().trim().into()), ("Certificate", pem.get().into())]));
    let label = Signal::derive(move || match name.get().trim() {
        "" => "Trust the authority".to_owned(),
        n => format!("Trust {n}"),
    });
    let done = Arc::new(move |_: &_| [name, pem].into_iter().for_each(|field| field.set(String::new())));
    let line = |a: &AuthorityView| {
        let remove = args([("Identity", a.name.clone().into())]);
        let until = a.not_after.map(|t| t.rfc3339().chars().take(10).collect::<String>());
        view! {
            <li class="row">
                <span>{a.name.clone()}" "<small class="muted">{a.subjects.join(", ")}{until.map(|u| format!(", valid until {u}"))}</small></span>
                <ActButton cmdlet="Remove-LgTrustedCertificate" args=remove label=format!("Trust {} no more", a.name) short="Remove" kind=ButtonKind::Quiet review=true />
            </li>
        }
    };
    view! {
        <p class="muted">"Test messages trust this deployment's own authority and those of the portal's computer. A registrar of others may need one more."</p>
        <ul role="list" class="stack-s">{move || watch.with(|w| w.authorities.iter().map(line).collect_view())}</ul>
        {move || watch.with(|w| w.authorities.is_empty()).then_some("No authority was added.")}
        <ActForm cmdlet="New-LgTrustedCertificate" args=arguments label on_done=done>
            <TextField label="Name of the authority" name="Name" value=name required=true />
            <TextField label="Certificate (PEM)" name="Certificate" value=pem required=true mono=true rows=6
                help=|| "The authority's certificate as text, from -----BEGIN CERTIFICATE----- on; never its key." />
        </ActForm>
    }
}
