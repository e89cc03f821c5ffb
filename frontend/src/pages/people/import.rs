//! Chat users from a file: what each row will do, then all of them at once, then their links, once.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared::api::TopologyView;
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{CmdletResponse, Invocation, Mode, Plan};

use super::users::homes;
use crate::api::{self, use_data};
use crate::components::act::args;
use crate::components::field::{Field, FieldIds};
use crate::components::plan_view::PlanView;
use crate::components::table_model::{Head, csv};
use crate::components::{
    Button, ButtonKind, CheckField, Icon, LinkButton, LoadError, Notice, NoticeKind, Page, ProblemList,
    Section, SelectField,
};
use crate::routes::Route;
use crate::{dom, session};

const CMDLET: &str = "Import-LgUser";
/// Rows that the preview shows; a page with thousands helps nobody.
const SHOWN: usize = 200;

/// What a browser that does not read a changed file again leaves the person to do.
const CHANGED: &str =
    "The browser does not read the file again because it was changed. Choose the file again.";

/// What has become of the file.
#[derive(Clone)]
enum Shows {
    Nothing,
    Plan(Box<Plan>),
    Done(Vec<Value>, Vec<String>),
}

/// The page.
#[component]
pub fn ImportUsersPage() -> impl IntoView {
    let topology = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    let pools = Memo::new(move |_| topology.value.with(|t| t.as_ref().map(homes).unwrap_or_default()));
    let file = RwSignal::new(false);
    let picked = StoredValue::new_local(None::<web_sys::File>);
    let unread = RwSignal::new(None::<String>);
    let content = StoredValue::new(String::new());
    let home = RwSignal::new(String::new());
    let (skip, link) = (RwSignal::new(false), RwSignal::new(true));
    let shows = RwSignal::new(Shows::Nothing);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let arguments = move || -> Map<String, Value> {
        args([
            ("File", content.get_value().into()),
            ("RegistrarPool", home.get_untracked().into()),
            ("SkipExisting", skip.get_untracked().then_some(true).into()),
            ("OneTimeLink", link.get_untracked().then_some(true).into()),
        ])
    };
    let send = move |invocation: Invocation, done: fn(CmdletResponse) -> Shows| {
        busy.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = api::cmdlet(CMDLET, &invocation).await;
            let _ = busy.try_set(false);
            let _ = match answer {
                Ok(r) => shows.try_set(done(r)).map(drop),
                Err(e) => error.try_set(Some(e)).map(drop),
            };
        });
    };
    // Read anew each time: between two checks the file was perhaps mended.
    let check = move |()| {
        let Some(chosen) = picked.get_value() else { return };
        busy.set(true);
        spawn_local(async move {
            let read = dom::read_file(&chosen).await;
            let _ = busy.try_set(false);
            let Some(text) = read else {
                let _ = picked.try_set_value(None);
                let _ = file.try_set(false);
                let _ = unread.try_set(Some(CHANGED.to_owned()));
                return;
            };
            content.set_value(text);
            let invocation = Invocation { args: arguments(), mode: Mode::WhatIf, ..Invocation::default() };
            send(invocation, |r| Shows::Plan(Box::new(r.plan.unwrap_or_default())));
        });
    };
    let import = move |fingerprint: String| {
        let invocation = Invocation {
            args: arguments(),
            fingerprint: Some(fingerprint),
            op_id: Some(dom::random_uuid()),
            ..Invocation::default()
        };
        send(invocation, |r| Shows::Done(r.output, r.warnings));
    };
    // What was shown no longer counts once something of it is chosen anew.
    Effect::new(move |before: Option<()>| {
        file.track();
        home.track();
        skip.track();
        link.track();
        if before.is_some() {
            shows.set(Shows::Nothing);
        }
    });
    let is_done = Memo::new(move |_| shows.with(|s| matches!(s, Shows::Done(..))));
    let refused = Signal::derive(|| session::allowed(CMDLET).err());
    let blocked = Signal::derive(move || {
        refused.get().or_else(|| (!file.get()).then(|| "Choose a file first.".to_owned()))
    });
    let lead = "From a table that a spreadsheet saved as CSV or text. Nothing is changed before you have seen what each row does.";
    view! {
        <Page title="Import users" lead>
            // Links that are shown once are not lost by choosing something else.
            {move || (!is_done.get()).then(|| view! {
            <div class="form">
                <FileField file picked unread />
                <SelectField label="Home Front End pool of rows that name none" value=home options=pools none="None" />
                <CheckField label="Leave users that exist as they are" value=skip help=|| "Otherwise they stop the import." />
                <CheckField label="Make a one-time link for each user" value=link
                    help=|| "The user sets a password with it. The links are shown once, as a file, and work for 24 hours." />
                <div class="form-foot">
                    <Button label="Check the file" kind=ButtonKind::Primary blocked busy on_press=check />
                    <a class="button button-quiet" href=Route::Users.href()>"Cancel"</a>
                </div>
            </div>
            })}
            {move || error.get().map(|error| view! { <LoadError error /> })}
            {move || match shows.get() {
                Shows::Nothing => ().into_any(),
                Shows::Plan(plan) => preview(*plan, busy, Callback::new(import)),
                Shows::Done(users, warnings) => done(users, warnings),
            }}
        </Page>
    }
}

/// What each row does, what is wrong, and the button that does it.
fn preview(mut plan: Plan, busy: RwSignal<bool>, import: Callback<String>) -> AnyView {
    let all = plan.changes.len();
    plan.changes.truncate(SHOWN);
    plan.line.clear();
    // What is wrong stands before the rows, not behind hundreds of them.
    let problems = std::mem::take(&mut plan.blockers);
    let wrong = !problems.is_empty();
    let why = wrong.then(|| "Mend what is wrong in the file, then check it again.".to_owned());
    let fingerprint = plan.fingerprint.clone();
    view! {
        <Section title="What the file does">
            {wrong.then(|| view! {
                <Notice kind=NoticeKind::Danger alert=true>
                    <p>"Nothing can be imported yet:"</p>
                    <ProblemList problems />
                </Notice>
            })}
            <PlanView plan />
            {(all > SHOWN).then(|| view! { <p class="muted">{format!("The first {SHOWN} of {all} rows.")}</p> })}
            <div><Button label="Import the users" kind=ButtonKind::Primary blocked=why busy on_press=move |()| import.run(fingerprint.clone()) /></div>
        </Section>
    }
    .into_any()
}

fn done(users: Vec<Value>, warnings: Vec<String>) -> AnyView {
    let text = |v: &Value, k: &str| v.get(k).and_then(Value::as_str).unwrap_or_default().to_owned();
    let some = users.iter().any(|u| u.get("Link").is_some());
    let fields = ["Identity", "DisplayName", "LogonName", "Link", "Ends"];
    let heads = fields.map(|title| Head { title, number: false });
    let rows: Vec<_> = users.iter().map(|u| fields.map(|f| text(u, f)).to_vec().into()).collect();
    let told = match users.len() {
        1 => "1 user was created.".to_owned(),
        n => format!("{n} users were created."),
    };
    let file = csv(&heads, &rows);
    let save = move |()| dom::download("lifeguard-user-links.csv", "text/csv", &file);
    dom::after_frame(|| dom::focus(dom::document().get_element_by_id("imported")));
    view! {
        <Notice kind=NoticeKind::Good>
            <p id="imported" tabindex="-1">{told}</p>
        </Notice>
        {some.then(|| view! {
            <Notice kind=NoticeKind::Warning>
                <p>"The links are shown once. Save them before you leave this page, and give each user the own one."</p>
                {warnings.into_iter().map(|w| view! { <p>{w}</p> }).collect_view()}
            </Notice>
            <div><Button label="Save the links" kind=ButtonKind::Primary icon=Some(Icon::Download) on_press=save /></div>
        })}
        <div><LinkButton label="Show the users" href=Route::Users.href() /></div>
    }
    .into_any()
}

/// A file to be read as the `data:` address of its bytes.
#[component]
fn FileField(
    /// Whether one is chosen; told anew with each.
    file: RwSignal<bool>,
    /// The chosen one.
    picked: StoredValue<Option<web_sys::File>, LocalStorage>,
    /// Why it could not be read.
    unread: RwSignal<Option<String>>,
) -> impl IntoView {
    let ids = FieldIds::new();
    let node = NodeRef::<html::Input>::new();
    let id = ids.control.clone();
    let described = ids.described(true, false);
    let chosen = move |_| {
        let new = node.get_untracked().and_then(|i| i.files()).and_then(|f| f.get(0));
        unread.set(None);
        file.set(new.is_some());
        picked.set_value(new);
    };
    // Emptied before one is chosen, or the same name would not count as a choice.
    let emptied = move |_| {
        if let Some(input) = node.get_untracked() {
            input.set_value("");
        }
        file.set(false);
        picked.set_value(None);
    };
    view! {
        <Field ids label="File" required=true error=unread
            help=|| "Headings in the first line: SipAddress, DisplayName, LogonName, RegistrarPool, and where wanted OU and Groups (names with | between). UTF-8, UTF-16 or Windows-1252; commas, semicolons or tabs.">
            <input id=id class="input" type="file" accept=".csv,.txt,.tsv,text/csv,text/plain" node_ref=node aria-describedby=described on:click=emptied on:change=chosen />
        </Field>
    }
}
