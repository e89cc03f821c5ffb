//! Who is told of problems.

use leptos::prelude::*;
use shared::api::AlertTargetView;
use shared::events::Topic;

use super::alerts::result;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::of_enabled;
use crate::components::query::text;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, PasswordField, QueryButton, Section, SelectField,
    Shown, StateBadge, TextField,
};

/// The table and the form for a new one.
#[component]
pub fn Targets() -> impl IntoView {
    let list = use_data::<Vec<AlertTargetView>>(|| "alert-targets".to_owned(), &[Topic::Alert]);
    view! {
        <Section title="Who is told">
            <Shown data=list let:rows>
                <DataTable rows columns=columns() name="alert targets" acts=row_acts plain=true
                    empty=|| "Nobody is told yet. Add a webhook or a mail address below." />
            </Shown>
        </Section>
        <NewTarget />
    }
}

fn columns() -> Vec<Column<AlertTargetView>> {
    vec![
        Column::<AlertTargetView>::new("Label", |t| t.label.clone()),
        Column::<AlertTargetView>::new("Kind", |t| t.kind.clone()),
        Column::<AlertTargetView>::new("Address", |t| t.address.clone()),
        Column::<AlertTargetView>::new("State", |t| of_enabled(t.enabled).word)
            .shown(|t| view! { <StateBadge state=of_enabled(t.enabled) /> }.into_any()),
        Column::<AlertTargetView>::new("Last delivery", |t| {
            t.last.as_ref().map(|d| result(d).word).unwrap_or_default()
        })
        .shown(|t| match &t.last {
            Some(d) => view! { <StateBadge state=result(d) /> }.into_any(),
            None => "none yet".into_any(),
        }),
    ]
}

fn row_acts(t: &AlertTargetView) -> AnyView {
    let (verb, label) = (if t.enabled { "Disable" } else { "Enable" }, t.label.clone());
    let id = || ("Identity", t.id.clone().into());
    let switch = args([id(), ("Enabled", (!t.enabled).into())]);
    let draw = Box::new(|list: Vec<_>| {
        list.first().map(|o| text(o, "Text").to_owned()).unwrap_or_default().into_any()
    });
    view! {
        <QueryButton cmdlet="Test-LgAlertTarget" args=args([id()]) label=format!("Test {label}") draw />
        <ActButton cmdlet="Set-LgAlertTarget" args=switch label=format!("{verb} {label}") short=verb kind=ButtonKind::Quiet />
        <ActButton cmdlet="Remove-LgAlertTarget" args=args([id()]) label=format!("Remove {label}") short="Remove" kind=ButtonKind::Quiet />
    }
    .into_any()
}

fn choices(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words.iter().map(|(v, w)| ((*v).to_owned(), (*w).to_owned())).collect()
}

#[component]
fn NewTarget() -> impl IntoView {
    let fields: [RwSignal<String>; 10] = std::array::from_fn(|_| RwSignal::new(String::new()));
    let [label, kind, address, server, security, from, user, secret, after, port] = fields;
    kind.set("Webhook".to_owned());
    let mail = Memo::new(move |_| *kind.read() == "Mail");
    let arguments = Signal::derive(move || {
        let number = |s: RwSignal<String>| s.get().trim().parse::<u32>().ok();
        let of_mail = |s: RwSignal<String>| if mail.get() { s.get() } else { String::new() };
        let key = if mail.get() { "Password" } else { "Secret" };
        args([
            ("Label", label.get().trim().into()),
            ("Kind", kind.get().into()),
            ("Address", address.get().trim().into()),
            ("SmtpServer", of_mail(server).into()),
            ("SmtpPort", number(port).filter(|_| mail.get()).into()),
            ("SmtpSecurity", of_mail(security).into()),
            ("From", of_mail(from).into()),
            ("UserName", of_mail(user).into()),
            (key, secret.get().into()),
            ("AfterFailures", number(after).into()),
        ])
    });
    let words = Signal::derive(move || match label.get().trim() {
        "" => "Add it".to_owned(),
        l => format!("Add {l}"),
    });
    let done = std::sync::Arc::new(move |_: &_| {
        for f in [label, address, secret] {
            f.set(String::new());
        }
    });
    view! {
        <Section title="Tell somebody else">
            <ActForm cmdlet="New-LgAlertTarget" args=arguments label=words on_done=done>
                <TextField label="Label" name="Label" value=label required=true help=|| "For example Operations; it tells them apart." />
                <SelectField label="Kind" name="Kind" value=kind required=true
                    options=choices(&[("Webhook", "Webhook"), ("Mail", "Mail")]) />
                <TextField label="Address" name="Address" value=address required=true
                    help=|| "The URL of a webhook, or mail addresses separated by commas." />
                {move || if mail.get() {
                    view! {
                        <TextField label="SMTP server" name="SmtpServer" value=server required=true />
                        <SelectField label="Secured by" name="SmtpSecurity" value=security none="STARTTLS"
                            options=choices(&[("Tls", "TLS from the start"), ("None", "Nothing")]) />
                        <TextField label="Port" name="SmtpPort" value=port check=check help=|| "Left out: 587, 465 or 25, by how it is secured." />
                        <TextField label="From" name="From" value=from required=true />
                        <TextField label="Log-on name" name="UserName" value=user help=|| "Left out when the server wants none." />
                        <PasswordField label="Password" name="Password" value=secret autocomplete="off" />
                    }.into_any()
                } else {
                    view! {
                        <PasswordField label="Signing key" name="Secret" value=secret autocomplete="off"
                            help=|| "Left empty, one is made and shown once." />
                    }.into_any()
                }}
                <TextField label="Failed test messages in a row" name="AfterFailures" value=after check=check
                    help=|| "Before it is told of them; left out, the first one." />
            </ActForm>
        </Section>
    }
}

fn check(text: &str) -> Result<(), String> {
    text.trim().parse::<u32>().map(drop).map_err(|_| "Enter a whole number.".to_owned())
}
