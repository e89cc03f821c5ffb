//! The form of a test message: target, sender, receiver, room.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::{Value, json};
use shared::api::{Overview, RoomPage, UserPage};
use shared::events::Topic;
use shared::names::{Fqdn, SipUri};
use shared::plan::CmdletResponse;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::parts::asking;
use crate::components::query::{QueryButton, text};
use crate::components::{ActButton, ActForm, ButtonKind, Icon, PasswordField, TextField};
use crate::nav;
use crate::routes::Route;

/// Most addresses and rooms that are offered.
const OFFERED: u32 = 20;

/// One of the two people.
#[derive(Clone, Copy)]
struct Person {
    sip: RwSignal<String>,
    logon: RwSignal<String>,
    password: RwSignal<String>,
}

impl Person {
    fn new() -> Self {
        Self { sip: RwSignal::default(), logon: RwSignal::default(), password: RwSignal::default() }
    }

    fn credential(self) -> Value {
        json!({ "UserName": self.logon.get().trim(), "Password": self.password.get() })
    }
}

/// The form.
#[component]
pub fn TestForm() -> impl IntoView {
    let target = RwSignal::new(nav::use_query("target").get_untracked().unwrap_or_default());
    let (sender, receiver) = (Person::new(), Person::new());
    let room = RwSignal::new(String::new());
    let timeout = RwSignal::new(String::new());
    let arguments = Signal::derive(move || {
        args([
            ("TargetFqdn", target.get().trim().into()),
            ("SenderSipAddress", sender.sip.get().trim().into()),
            ("SenderCredential", sender.credential()),
            ("ReceiverSipAddress", receiver.sip.get().trim().into()),
            ("ReceiverCredential", receiver.credential()),
            ("ChatRoomUri", room.get().trim().into()),
            ("TimeoutSeconds", timeout.get().trim().parse::<u32>().ok().into()),
        ])
    });
    let asked = Signal::derive(move || {
        args([
            ("TargetFqdn", target.get().trim().into()),
            ("SenderSipAddress", sender.sip.get().trim().into()),
            ("ReceiverSipAddress", receiver.sip.get().trim().into()),
            ("ChatRoomUri", room.get().trim().into()),
        ])
    });
    let setup = Signal::derive(move || {
        args([
            ("TargetFqdn", target.get().trim().into()),
            ("Setup", true.into()),
            ("TestUser1SipAddress", sender.sip.get().trim().into()),
            ("TestUser2SipAddress", receiver.sip.get().trim().into()),
        ])
    });
    let incomplete = Signal::derive(move || {
        let missing = [target, sender.sip, receiver.sip].iter().any(|s| s.with(|t| t.trim().is_empty()));
        missing.then(|| "Fill in the target and both SIP addresses first.".to_owned())
    });
    let done = Arc::new(|r: &CmdletResponse| {
        if let Some(id) = &r.job {
            nav::navigate_to(&Route::Test(id.clone()));
        }
    });
    view! {
        <div class="test-form">
            <ActForm cmdlet="Test-CsPersistentChatMessage" args=arguments label="Send the test message" on_done=done>
                <Target target />
                <div class="form-columns">
                    <PersonFields title="Sender" person=sender sip_name="SenderSipAddress" credential_name="SenderCredential" />
                    <PersonFields title="Receiver" person=receiver sip_name="ReceiverSipAddress" credential_name="ReceiverCredential" />
                </div>
                <Room room />
                <TextField label="Seconds each phase may take" name="TimeoutSeconds" value=timeout check=check_seconds
                    help=|| "10 when left out." />
            </ActForm>
            <div class="precheck">
                <QueryButton cmdlet="Test-LgPrecondition" args=asked label="Check before sending" draw=Box::new(checks) />
            </div>
            <details class="card">
                <summary>"A room for tests only"</summary>
                <p class="muted">"Test messages can go to a room that only the two users may enter. They use it by themselves once it is there."</p>
                <div class="row">
                    <ActButton cmdlet="Test-CsPersistentChatMessage" args=setup label="Make a room for these two users" review=true blocked=incomplete />
                    <ActButton cmdlet="Remove-LgTestRoom" args=args([]) label="Remove the test rooms" kind=ButtonKind::Quiet />
                </div>
            </details>
        </div>
    }
}

/// What was found before the run: a sentence each, with its icon.
fn checks(list: Vec<Value>) -> AnyView {
    let line = |v: &Value| {
        let (class, icon) = match text(v, "Result") {
            "Success" => ("check-good", Icon::Tick),
            "Failure" => ("check-bad", Icon::Cross),
            _ => ("check-unknown", Icon::Question),
        };
        let word = text(v, "Result").to_lowercase();
        view! {
            <li class=class>
                {icon.draw()}
                <strong>{text(v, "Check").to_owned()}</strong>
                <span><span class="visually-hidden">{word}": "</span>{text(v, "Text").to_owned()}</span>
            </li>
        }
        .into_any()
    };
    view! { <ul role="list" class="checks">{list.iter().map(line).collect_view()}</ul> }.into_any()
}

#[component]
fn Target(target: RwSignal<String>) -> impl IntoView {
    let overview = use_data::<Overview>(|| "overview".to_owned(), &[Topic::Topology]);
    let names = Signal::derive(move || {
        overview.value.with(|o| {
            o.as_ref().map_or_else(Vec::new, |o| {
                let front_ends = o.front_ends.iter().map(|f| f.fqdn.to_string());
                front_ends.chain(o.pools.iter().map(|p| p.fqdn.to_string())).collect()
            })
        })
    });
    view! {
        <TextField label="Target FQDN" name="TargetFqdn" value=target required=true mono=true check=check_fqdn suggestions=names
            help=|| "The registrar pool (Front End pool) at which both sign on. A chat pool's FQDN is resolved to its next hop, with a warning." />
    }
}

#[component]
fn PersonFields(
    title: &'static str,
    person: Person,
    sip_name: &'static str,
    credential_name: &'static str,
) -> impl IntoView {
    // Those that fit what is typed: there may be a hundred thousand.
    let users = use_data::<UserPage>(
        move || format!("users?{}&limit={OFFERED}", asking(Some(person.sip.get()))),
        &[Topic::Directory],
    );
    let found = move |f: &mut dyn FnMut(&shared::api::UserView)| {
        users.value.with(|u| u.iter().flat_map(|p| &p.users).for_each(f));
    };
    let addresses = Signal::derive(move || {
        let mut all = Vec::new();
        found(&mut |u| all.push(u.sip_address.to_string()));
        all
    });
    // The log-on name of a known user is filled in once the address is whole; what a person typed there stays.
    let whole = RwSignal::new(String::new());
    Effect::new(move || {
        let sip = whole.get();
        found(&mut |u| {
            if !sip.is_empty() && u.sip_address.as_str().eq_ignore_ascii_case(sip.trim()) {
                person.logon.set(u.logon_name.clone());
                whole.set(String::new());
            }
        });
    });
    let prefill = move |sip: String| whole.set(sip);
    let lower = title.to_lowercase();
    view! {
        <fieldset class="person">
            <legend><h3>{title}</h3></legend>
            <TextField label=format!("{title} SIP address") name=sip_name value=person.sip required=true mono=true check=check_sip
                suggestions=addresses on_change=prefill help=|| "For example sip:pilar@litwareinc.com." />
            <TextField label=format!("{title} log-on name") value=person.logon required=true mono=true
                help=|| "DOMAIN\\user; filled in for a known user." />
            <PasswordField label=format!("{title} password") name=credential_name value=person.password required=true
                help=move || format!("Of the {lower}; it is used for this run and kept nowhere.") />
        </fieldset>
    }
}

#[component]
fn Room(room: RwSignal<String>) -> impl IntoView {
    let rooms = use_data::<RoomPage>(
        move || format!("rooms?{}&limit={OFFERED}", asking(Some(room.get().replace('\\', " ")))),
        &[Topic::Rooms],
    );
    let names = Signal::derive(move || {
        rooms.value.with(|r| r.iter().flat_map(|r| &r.rooms).map(|r| r.identity.clone()).collect::<Vec<_>>())
    });
    view! {
        <TextField label="Room" name="ChatRoomUri" value=room mono=true suggestions=names
            help=|| "pool\\room or a ma-chan URI. Left out, the test room of both is taken, or the first room that both may see." />
    }
}

fn check_fqdn(text: &str) -> Result<(), String> {
    Fqdn::try_from(text).map(drop).map_err(|e| e.0)
}

fn check_sip(text: &str) -> Result<(), String> {
    SipUri::try_from(text).map(drop).map_err(|e| e.0)
}

fn check_seconds(text: &str) -> Result<(), String> {
    match text.trim().parse::<u32>() {
        Ok(n) if n > 0 => Ok(()),
        _ => Err("Enter a whole number of seconds.".to_owned()),
    }
}
