//! Which role may run which cmdlet: the table that the portal itself decides by.

use leptos::prelude::*;
use serde_json::json;
use shared::api::{AccessView, OwnRoleView};
use shared::cmdlet::{Nature, Spec};
use shared::cmdlets;
use shared::events::Topic;
use shared::roles::{STANDARD, role_allows};

use crate::api::{Current, use_data};
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Icon, Section, SelectField, Shown, TextField,
};
use crate::session;

/// Roles that differ from each other here; the others of the eleven read and define only.
const SHOWN: [&str; 7] = [
    "CsAdministrator",
    "CsPersistentChatAdministrator",
    "CsServerAdministrator",
    "CsUserAdministrator",
    "CsHelpDesk",
    "CsViewOnlyAdministrator",
    "CsVoiceAdministrator",
];

/// The tab.
#[component]
pub fn Roles() -> impl IntoView {
    let others: Vec<_> = STANDARD.into_iter().filter(|r| !SHOWN.contains(r)).collect();
    let text = format!(
        "{} may do the same as CsVoiceAdministrator: look, and define without publishing.",
        others.join(", ")
    );
    view! {
        <p class="lead">
            "A role is a set of cmdlets. Whoever may define a pool need not be who may publish it. Where a button is disabled, it names the roles that would allow it."
        </p>
        <div class="table-box roles" role="group" aria-label="Roles and cmdlets" tabindex="0">
            <table class="table">
                <caption class="visually-hidden">"Which role may run which cmdlet"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Cmdlet"</th>
                        {SHOWN.map(|r| view! { <th scope="col" class="roles-role">{words(r)}</th> }).collect_view()}
                    </tr>
                </thead>
                <tbody>{cmdlets::ALL.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        <p class="muted">{text}</p>
        <OwnRoles />
    }
}

/// Roles of one's own, and the form for a new one.
#[component]
fn OwnRoles() -> impl IntoView {
    let data = use_data::<AccessView>(|| "access".to_owned(), &[Topic::Directory]);
    let mine = move || session::allowed("Get-LgSession").is_ok();
    move || {
        mine().then(|| {
            view! {
                <Section title="Roles of your own">
                    <Shown data lines=2 let:access>
                        <OwnTable access />
                    </Shown>
                    <NewRole />
                </Section>
            }
        })
    }
}

#[component]
fn OwnTable(access: Current<AccessView>) -> impl IntoView {
    let rows = Signal::derive(move || access.with(|a| a.roles.clone()));
    let columns = vec![
        Column::<OwnRoleView>::new("Role", |r| r.name.clone()),
        Column::<OwnRoleView>::new("Cloned from", |r| r.template.clone()),
        Column::<OwnRoleView>::new("Cmdlets", |r| r.cmdlets.len().to_string()).number(),
        Column::<OwnRoleView>::new("Reaches", |r| r.scopes.join(", ")),
    ];
    let acts = |r: &OwnRoleView| {
        let remove = args([("Identity", r.name.clone().into())]);
        view! { <ActButton cmdlet="Remove-CsAdminRole" args=remove label=format!("Delete the role {}", r.name) short="Delete" kind=ButtonKind::Quiet /> }.into_any()
    };
    view! { <DataTable rows columns name="roles" acts plain=true empty=|| "There is none yet; clone a standard role below." /> }
}

#[component]
fn NewRole() -> impl IntoView {
    let (name, template) = (RwSignal::new(String::new()), RwSignal::new("CsHelpDesk".to_owned()));
    let (more, less, sites) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let lines = |s: RwSignal<String>| -> Vec<String> {
        s.read().lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
    };
    let arguments = Signal::derive(move || {
        let scopes: Vec<String> = lines(sites).into_iter().map(|s| format!("site:{s}")).collect();
        let change = json!({ "Add": lines(more), "Remove": lines(less) });
        let changes = !(lines(more).is_empty() && lines(less).is_empty());
        args([
            ("Identity", name.get().trim().into()),
            ("Template", template.get().into()),
            ("Cmdlets", if changes { change } else { serde_json::Value::Null }),
            (
                "ConfigScopes",
                if scopes.is_empty() { serde_json::Value::Null } else { json!({ "Replace": scopes }) },
            ),
        ])
    });
    let label = Signal::derive(move || match name.get().trim() {
        "" => "Create the role".to_owned(),
        n => format!("Create the role {n}"),
    });
    let templates: Vec<_> = STANDARD.iter().map(|r| ((*r).to_owned(), (*r).to_owned())).collect();
    let done = std::sync::Arc::new(move |_: &_| name.set(String::new()));
    view! {
        <details class="card">
            <summary>"New role"</summary>
            <ActForm cmdlet="New-CsAdminRole" args=arguments label on_done=done>
                <TextField label="Name" name="Identity" value=name required=true help=|| "For example RedmondChatOperators." />
                <SelectField label="Clone of" name="Template" value=template required=true options=Signal::stored(templates) />
                <TextField label="Further cmdlets" name="Cmdlets" value=more mono=true rows=3 help=|| "One per line, for example Set-CsPersistentChatActiveServer." />
                <TextField label="Without these cmdlets" value=less mono=true rows=3 help=|| "One per line." />
                <TextField label="Sites" name="ConfigScopes" value=sites rows=2 help=|| "Changes reach pools of these sites only, one per line. Left empty, all." />
            </ActForm>
        </details>
    }
}

/// `Cs<wbr>Persistent<wbr>Chat…`: a heading may break between the words of a role's name.
fn words(role: &'static str) -> AnyView {
    let starts: Vec<usize> =
        role.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).map(|(i, _)| i).collect();
    let ends = starts.iter().skip(1).copied().chain([role.len()]);
    starts.iter().zip(ends).map(|(from, to)| view! { {&role[*from..to]}<wbr /> }).collect_view().into_any()
}

fn row(spec: &Spec) -> AnyView {
    let nature = match spec.nature {
        Nature::Query => "reads",
        Nature::Change => "changes",
        Nature::Start => "starts a run",
    };
    let cell = |role: &str| {
        if role_allows(role, spec.name) {
            view! { <td class="roles-yes">{Icon::Tick.draw()}<span class="visually-hidden">"yes"</span></td> }
                .into_any()
        } else {
            view! { <td class="roles-no"><span aria-hidden="true">"·"</span><span class="visually-hidden">"no"</span></td> }.into_any()
        }
    };
    let name = spec.name;
    view! {
        <tr>
            <th scope="row" class="nowrap"><span class="mono" title=spec.synopsis.trim()>{name}</span>" "<small class="muted">{nature}</small></th>
            {SHOWN.iter().map(|r| cell(r)).collect_view()}
        </tr>
    }
    .into_any()
}
