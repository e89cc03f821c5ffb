//! Persistent Chat policies: global, site, user.

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::{PolicyView, TopologyView};
use shared::events::Topic;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::Badge;
use crate::components::{
    ActButton, ActForm, ButtonKind, CheckField, Column, DataTable, Icon, Notice, Page, RadioGroup, Section,
    SelectField, Shown, StateBadge, TextField, Tone,
};
use crate::routes::Route;

/// The page.
#[component]
pub fn PoliciesPage() -> impl IntoView {
    let data = use_data::<Vec<PolicyView>>(|| "policies".to_owned(), &[Topic::Directory, Topic::Topology]);
    let lead = "A Persistent Chat policy decides who may use Persistent Chat.";
    view! {
        <Page title="Policies" lead>
            <Notice>
                <p>
                    "A user policy that is granted to a person goes before the policy of the person's site, and that before the global policy. \
                     The global policy refuses unless you change it."
                </p>
                <p>"A user policy is granted under "<a href=Route::Users.href()>"Users"</a>"."</p>
            </Notice>
            <Shown data let:rows>
                <DataTable rows columns=columns() name="policies" acts=row_acts empty=|| "There is no policy." />
            </Shown>
            <NewPolicy />
        </Page>
    }
}

fn columns() -> Vec<Column<PolicyView>> {
    vec![
        Column::<PolicyView>::new("Identity", |p| p.identity.clone())
            .shown(|p| view! { <span class="mono">{p.identity.clone()}</span> }.into_any()),
        Column::<PolicyView>::new("Applies to", reach),
        Column::<PolicyView>::new("Persistent Chat", |p| of_policy(p).word)
            .shown(|p| view! { <StateBadge state=of_policy(p) /> }.into_any()),
        Column::<PolicyView>::new("Granted to", |p| p.granted.to_string()).number(),
        Column::<PolicyView>::new("Description", |p| p.description.clone()),
    ]
}

fn of_policy(p: &PolicyView) -> Badge {
    if p.enable_persistent_chat {
        Badge::new("Allowed", Tone::Good, Icon::Tick)
    } else {
        Badge::new("Refused", Tone::Neutral, Icon::Lock)
    }
}

fn reach(p: &PolicyView) -> String {
    match p.identity.split_once(':') {
        Some(("Site", site)) => format!("users of site {site}"),
        Some(_) => "users it is granted to".to_owned(),
        None => "everyone else".to_owned(),
    }
}

fn row_acts(p: &PolicyView) -> AnyView {
    let on = !p.enable_persistent_chat;
    let (verb, short) =
        if on { ("Allow Persistent Chat in", "Allow") } else { ("Refuse Persistent Chat in", "Refuse") };
    let identity = p.identity.clone();
    let switch = args([("Identity", identity.clone().into()), ("EnablePersistentChat", on.into())]);
    let remove = args([("Identity", identity.clone().into())]);
    let (remove_label, remove_short) = if identity == "Global" {
        ("Reset the policy Global".to_owned(), "Reset")
    } else {
        (format!("Delete the policy {identity}"), "Delete")
    };
    view! {
        <ActButton cmdlet="Set-CsPersistentChatPolicy" args=switch label=format!("{verb} {identity}") short=short kind=ButtonKind::Quiet review=true />
        <ActButton cmdlet="Remove-CsPersistentChatPolicy" args=remove label=remove_label short=remove_short kind=ButtonKind::Quiet />
    }
    .into_any()
}

#[component]
fn NewPolicy() -> impl IntoView {
    let topology = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    let sites = Signal::derive(move || {
        topology.value.with(|t| {
            t.as_ref()
                .map(|t| {
                    t.published
                        .sites
                        .iter()
                        .map(|s| (s.site_id.clone(), s.site_id.clone()))
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default()
        })
    });
    let scope = RwSignal::new("user".to_owned());
    let name = RwSignal::new(String::new());
    let site = RwSignal::new(String::new());
    let on = RwSignal::new(true);
    let text = RwSignal::new(String::new());
    let of_site = Memo::new(move |_| scope.with(|s| s == "site"));
    let identity = Signal::derive(move || match (of_site.get(), site.get(), name.get()) {
        (true, s, _) if s.is_empty() => String::new(),
        (true, s, _) => format!("site:{s}"),
        (false, _, n) => n.trim().to_owned(),
    });
    let arguments = Signal::derive(move || {
        args([
            ("Identity", identity.get().into()),
            ("EnablePersistentChat", on.get().into()),
            ("Description", text.get().trim().into()),
        ])
    });
    let label = Signal::derive(move || match identity.get().as_str() {
        "" => "Create the policy".to_owned(),
        i => format!("Create the policy {i}"),
    });
    let done = Arc::new(move |_: &_| {
        name.set(String::new());
        site.set(String::new());
        text.set(String::new());
    });
    let scopes = || {
        let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
        vec![
            choice("user", "User policy", "Applies to those it is granted to."),
            choice("site", "Site policy", "Applies to every user of a site by itself."),
        ]
    };
    view! {
        <Section title="New policy">
            <ActForm cmdlet="New-CsPersistentChatPolicy" args=arguments label on_done=done>
                <RadioGroup label="Scope" value=scope options=scopes() />
                {move || if of_site.get() {
                    view! { <SelectField label="Site" name="Identity" value=site required=true options=sites help=|| "Sites of the published topology." /> }.into_any()
                } else {
                    view! { <TextField label="Name" name="Identity" value=name required=true help=|| "For example Chat users." /> }.into_any()
                }}
                <CheckField label="Allow Persistent Chat" name="EnablePersistentChat" value=on help=|| "Otherwise the policy refuses it." />
                <TextField label="Description" name="Description" value=text />
            </ActForm>
        </Section>
    }
}
