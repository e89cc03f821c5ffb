//! Which role may run which cmdlet: the table that the portal itself decides by.

use leptos::prelude::*;
use shared::cmdlet::{Nature, Spec};
use shared::cmdlets;
use shared::roles::{STANDARD, role_allows};

use crate::components::Icon;

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
