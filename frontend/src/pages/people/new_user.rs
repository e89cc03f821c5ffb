//! The form for a new chat user.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::events::Topic;
use shared::names::SipUri;

use super::users::homes;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::{
    ActForm, CheckField, LinkButton, Page, PasswordField, SelectField, Shown, TextField,
};
use crate::nav;
use crate::routes::Route;

/// The page.
#[component]
pub fn NewUserPage() -> impl IntoView {
    let data = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    view! {
        <Page title="New user">
            <Shown data let:topology>
                {move || if topology.with(|t| t.published.front_end_pools.is_empty()) {
                    view! {
                        <div class="empty">
                            <h2>"No Front End pool is published yet"</h2>
                            <p>"A user signs in at a Front End pool. Define one and publish the topology first."</p>
                            <LinkButton label="Show the topology" href=Route::Topology.href() />
                        </div>
                    }.into_any()
                } else {
                    view! { <Form topology=topology.get_untracked() /> }.into_any()
                }}
            </Shown>
        </Page>
    }
}

#[component]
fn Form(topology: TopologyView) -> impl IntoView {
    let options = homes(&topology);
    let domains =
        StoredValue::new(topology.published.sip_domains.iter().map(ToString::to_string).collect::<Vec<_>>());
    let first = if options.len() == 1 { options[0].0.clone() } else { String::new() };
    let name = RwSignal::new(String::new());
    let sip = RwSignal::new(String::new());
    let logon = RwSignal::new(String::new());
    let home = RwSignal::new(first);
    let password = RwSignal::new(String::new());
    let link = RwSignal::new(false);
    let arguments = Signal::derive(move || {
        args([
            ("SipAddress", sip.get().trim().into()),
            ("DisplayName", name.get().trim().into()),
            ("LogonName", logon.get().trim().into()),
            ("RegistrarPool", home.get().into()),
            ("Password", if link.get() { serde_json::Value::Null } else { password.get().into() }),
            ("OneTimeLink", link.get().then_some(true).into()),
        ])
    });
    let foreign = Signal::derive(move || {
        let uri = SipUri::try_from(sip.get()).ok()?;
        let known = domains.with_value(|d| d.iter().any(|d| d == uri.domain()));
        (!known).then(|| format!("{} is not a SIP domain of the published topology.", uri.domain()))
    });
    let suggested = Signal::derive(move || sip.with(|s| log_on_names(s)));
    let addresses = Signal::derive(move || domains.with_value(|d| sip_addresses(&name.read(), d)));
    let label = Signal::derive(move || match name.get().trim() {
        "" => "Create the user".to_owned(),
        n => format!("Create the user {n}"),
    });
    let done = Arc::new(|_: &_| nav::navigate_to(&Route::Users));
    view! {
        <ActForm cmdlet="New-LgUser" args=arguments label on_done=done cancel="/users">
            <TextField label="Display name" name="DisplayName" value=name required=true check=check_display help=|| "For example Pilar Ackerman." />
            <TextField label="SIP address" name="SipAddress" value=sip required=true mono=true check=check_sip problem=foreign suggestions=addresses
                help=|| "For example sip:pilar@litwareinc.com." />
            <TextField label="Log-on name" name="LogonName" value=logon required=true mono=true suggestions=suggested
                help=|| "DOMAIN\\user, for example LITWAREINC\\pilar." />
            <SelectField label="Home Front End pool" name="RegistrarPool" value=home required=true options />
            <CheckField label="Make a one-time link" name="OneTimeLink" value=link
                help=|| "The user sets a password with it; it is shown once and works for 24 hours." />
            {move || (!link.get()).then(|| view! {
                <PasswordField label="Password" name="Password" value=password autocomplete="new-password"
                    help=|| "8 characters at least. Left empty, one is made and shown once." />
            })}
            <p class="muted">"Whether the user may use Persistent Chat is decided by policy: the global or site policy, or one that you grant afterwards."</p>
        </ActForm>
    }
}

/// As the portal checks it.
fn check_display(text: &str) -> Result<(), String> {
    match text.trim().chars().count() {
        0..=256 => Ok(()),
        n => Err(format!("A display name has 256 characters at most; these are {n}.")),
    }
}

fn check_sip(text: &str) -> Result<(), String> {
    SipUri::try_from(text).map(drop).map_err(|e| e.0)
}

/// `LITWAREINC\pilar` for `sip:pilar@litwareinc.com`.
fn log_on_names(sip: &str) -> Vec<String> {
    let made = SipUri::try_from(sip).ok().map(|u| {
        let domain = u.domain().split('.').next().unwrap_or_default().to_uppercase();
        format!("{domain}\\{}", u.user())
    });
    made.into_iter().collect()
}

/// `sip:pilar@litwareinc.com` for *Pilar Ackerman*, in each SIP domain.
fn sip_addresses(name: &str, domains: &[String]) -> Vec<String> {
    let first: String = name.split_whitespace().next().unwrap_or_default().to_lowercase();
    if first.is_empty() {
        return Vec::new();
    }
    domains
        .iter()
        .map(|d| format!("sip:{first}@{d}"))
        .filter(|s| SipUri::try_from(s.as_str()).is_ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_well_formed() {
        assert_eq!(log_on_names("sip:pilar@litwareinc.com"), ["LITWAREINC\\pilar"]);
        assert!(log_on_names("sip:pilar@").is_empty());
        let domains = ["litwareinc.com".to_owned(), "contoso.com".to_owned()];
        assert_eq!(
            sip_addresses("Pilar Ackerman", &domains),
            ["sip:pilar@litwareinc.com", "sip:pilar@contoso.com"]
        );
        assert!(sip_addresses("Ünal", &domains).is_empty());
    }
}
