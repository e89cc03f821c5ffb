//! *New…*: the forms for SIP domains and sites, and the page that all forms stand on.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::topology::Topology;
use shared::topology::diff::ObjectKind;
use shared::topology::edit::new_problems;
use shared::{Fqdn, ObjectId};

use super::edit::NewDataCenter;
use super::front_end::NewFrontEndPool;
use super::model::kind_of_slug;
use super::stores::{NewFileStore, NewSqlStore};
use super::use_topology;
use crate::api::Current;
use crate::components::act::{OnDone, args};
use crate::components::{ActForm, LinkButton, Notice, Page, Shown, TextField};
use crate::nav;
use crate::routes::{Route, kind_words};

/// The page with the form for a new object of a kind.
#[component]
pub fn NewObjectPage(
    /// The kind, as in the address.
    kind: String,
) -> impl IntoView {
    let data = use_topology();
    let title = format!("New {}", kind_words(&kind));
    let kind = kind_of_slug(&kind);
    view! {
        <Page title>
            <Shown data let:view>
                {form(kind, view)}
            </Shown>
        </Page>
    }
}

fn form(kind: Option<ObjectKind>, view: Current<TopologyView>) -> AnyView {
    let draft = Memo::new(move |_| view.with(|v| v.draft.clone()));
    match kind {
        Some(ObjectKind::SipDomain) => view! { <NewSipDomain draft /> }.into_any(),
        Some(ObjectKind::Site) => view! { <NewSite draft /> }.into_any(),
        Some(ObjectKind::FrontEndPool) => view! { <NewFrontEndPool draft /> }.into_any(),
        Some(ObjectKind::SqlStore) => view! { <NewSqlStore draft /> }.into_any(),
        Some(ObjectKind::FileStore) => view! { <NewFileStore draft /> }.into_any(),
        Some(ObjectKind::DataCenter) => view! { <NewDataCenter /> }.into_any(),
        Some(ObjectKind::Pool) => view! {
            <p>"A Persistent Chat pool is defined with the wizard."</p>
            <p><LinkButton label="New Persistent Chat Pool" cmdlet="Save-LgDraft" href=Route::WizardStart.href() /></p>
        }
        .into_any(),
        None => view! {
            <Notice><p>"There is no such kind of object."</p></Notice>
            <p><LinkButton label="Show the topology" href=Route::Topology.href() /></p>
        }
        .into_any(),
    }
}

/// Back to the topology once the object is in the draft.
pub fn to_topology() -> OnDone {
    Arc::new(|_| nav::navigate_to(&Route::Topology))
}

/// An id for an object that exists only to be checked.
pub fn trial_id() -> ObjectId {
    ObjectId::try_from("trial").expect("a fixed id is well formed")
}

/// The first error that adding an object would bring, as the portal would find it.
pub fn trial(draft: &Topology, add: impl FnOnce(&mut Topology)) -> Option<String> {
    let mut after = draft.clone();
    add(&mut after);
    new_problems(draft, &after).into_iter().find(shared::Problem::blocks).map(|p| p.text)
}

/// The check of an FQDN for a field.
pub fn check_fqdn(text: &str) -> Result<(), String> {
    Fqdn::try_from(text).map(drop).map_err(|e| e.0)
}

#[component]
fn NewSipDomain(draft: Memo<Topology>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let arguments = Signal::derive(move || args([("Name", name.get().trim().into())]));
    let label = Signal::derive(move || named("Add the SIP domain", &name.read()));
    let problem = Signal::derive(move || {
        let domain = Fqdn::try_from(name.get()).ok()?;
        draft.with(|d| trial(d, |t| t.sip_domains.push(domain)))
    });
    view! {
        <ActForm cmdlet="New-LgSipDomain" args=arguments label on_done=to_topology() cancel=Route::Topology.href()>
            <TextField label="SIP domain" name="Name" value=name required=true mono=true check=check_fqdn problem
                help=|| "The part after @ in people's SIP addresses, for example contoso.com." />
        </ActForm>
    }
}

#[component]
fn NewSite(draft: Memo<Topology>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let arguments = Signal::derive(move || args([("Name", name.get().trim().into())]));
    let label = Signal::derive(move || named("Add the site", &name.read()));
    let problem = Signal::derive(move || {
        let site_id = name.get().trim().to_owned();
        draft.with(|d| trial(d, |t| t.sites.push(shared::topology::Site { id: trial_id(), site_id })))
    });
    view! {
        <ActForm cmdlet="New-LgSite" args=arguments label on_done=to_topology() cancel=Route::Topology.href()>
            <TextField label="Site name" name="Name" value=name required=true problem
                help=|| "A place with its own data centre, for example Redmond. Policies name it as site:Redmond." />
        </ActForm>
    }
}

/// Verb, and the object once it has a name.
pub fn named(verb: &str, name: &str) -> String {
    match name.trim() {
        "" => verb.to_owned(),
        n => format!("{verb} {n}"),
    }
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;

    use super::*;

    #[test]
    fn a_trial_finds_what_adding_would_bring() {
        let domain = |s: &str| Fqdn::try_from(s).expect("well formed");
        assert!(trial(&litware(), |t| t.sip_domains.push(domain("contoso.com"))).is_some());
        assert_eq!(trial(&litware(), |t| t.sip_domains.push(domain("fabrikam.com"))), None);
    }
}
