//! The pages *Define the fully qualified domain name (FQDN)* and *Define properties of the Persistent
//! Chat pool*. Words: S3 and `reference/domain/procedures.md` §1.

use leptos::prelude::*;
use shared::topology::{Edition, PoolKind, Site};

use super::fields::{PickField, TickField, flag, place, problem, text, use_wizard};
use crate::components::{Notice, NoticeKind, RadioGroup, TextField};
use crate::pages::topology::place::{PlaceField, PlaceOf};

/// Name, kind, site.
#[component]
pub fn FqdnPage() -> impl IntoView {
    let w = use_wizard();
    let (fqdn, set_fqdn) = text(w, "fqdn");
    let (site, set_site) = text(w, "site");
    let (kind, set_kind) = text(w, "kind");
    let (at, set_at) = place(w, "single_placement");
    let words = |s: &Site| (s.id.to_string(), s.site_id.clone());
    let sites = Signal::derive(move || w.topology.read().sites.iter().map(words).collect::<Vec<_>>());
    let standard = move || w.topology.read().front_end_pools.iter().any(|p| p.edition == Edition::Standard);
    view! {
        <TextField label="Pool FQDN" name="fqdn" value=fqdn on_change=set_fqdn required=true mono=true check=super::check_fqdn problem=problem(w, "fqdn")
            help=|| "The name that Front End Servers route to, for example pcpool.contoso.com. DNS needs a host record for it." />
        <Notice kind=NoticeKind::Warning>
            <p>
                "If the Persistent Chat Server role is installed on a Standard Edition server, the FQDN needs to match the FQDN of that server"
                {move || standard().then_some(", and the pool is a single computer pool")}"."
            </p>
        </Notice>
        <RadioGroup label="Kind of pool" value=kind on_change=set_kind options=kinds()
            help=|| view! { <strong>"The kind is final."</strong>" You cannot add additional servers later to a single computer pool, and neither kind becomes the other." } />
        {move || (*kind.read() == "single").then(|| view! {
            <PlaceField of=PlaceOf::Server name="single_placement" value=at on_change=set_at />
        })}
        <PickField label="Site" field="site" value=site on_change=set_site options=sites
            help=|| "The site in whose data centre the pool stands." />
    }
}

fn kinds() -> Vec<(String, String, String)> {
    let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
    vec![
        choice(
            "multiple",
            "Multiple computer pool",
            "Up to eight computers behind the pool's own name; begin with one and add more later.",
        ),
        choice(
            "single",
            "Single computer pool",
            "One computer, whose FQDN is the pool's. It has no backup databases.",
        ),
    ]
}

/// Display name, port, compliance, disaster recovery, site affinity.
#[component]
pub fn PropertiesPage() -> impl IntoView {
    let w = use_wizard();
    let (name, set_name) = text(w, "display_name");
    let (port, set_port) = text(w, "port");
    let (compliance, set_compliance) = flag(w, "compliance");
    view! {
        <TextField label="Display name of the Persistent Chat pool" name="display_name" value=name on_change=set_name required=true problem=problem(w, "display_name")
            help=|| "Custom clients may show it to tell the rooms of several pools apart." />
        <TextField label="Persistent Chat port" name="port" value=port on_change=set_port required=true mono=true problem=problem(w, "port")
            help=|| "Front End Servers talk to the pool's servers on this port, by mutual TLS. The default port is 5041." />
        <TickField label="Enable compliance" field="compliance" value=compliance on_change=set_compliance
            help=|| "Installs the Persistent Chat Compliance service on the same computers. A page for its SQL Server store follows later." />
        {move || compliance.get().then(|| view! {
            <Notice kind=NoticeKind::Danger>
                <p>"From now on every event is queued in mgccomp, and nothing is written out unless an adapter is set for the pool, its site, or globally (Set-CsPersistentChatComplianceConfiguration)."</p>
            </Notice>
        })}
        <Recovery />
        <Affinity />
    }
}

/// The disaster recovery box, or why there is none.
#[component]
fn Recovery() -> impl IntoView {
    let w = use_wizard();
    let (on, set) = flag(w, "disaster_recovery");
    let single = Memo::new(move |_| w.draft.read().kind == PoolKind::Single);
    move || {
        if single.get() {
            view! {
                <p class="muted wizard-hidden">
                    "Disaster recovery is not offered: it is for multiple computer pools, and this is a single computer pool."
                </p>
            }
            .into_any()
        } else {
            view! {
                <TickField label="Use backup SQL Server stores to enable disaster recovery" field="disaster_recovery" value=on on_change=set
                    help=|| "The pool can then be failed over to databases in another data centre. Without it, it cannot." />
            }
            .into_any()
        }
    }
}

/// *Use this pool as default …*
#[component]
fn Affinity() -> impl IntoView {
    let w = use_wizard();
    let (site, set_site) = flag(w, "default_for_site");
    let (all, set_all) = flag(w, "default_for_all");
    let label = Signal::derive(move || {
        let (draft, topology) = (w.draft.read(), w.topology.read());
        let name = topology.sites.iter().find(|s| s.id.as_str() == draft.site).map(|s| s.site_id.as_str());
        format!("Use this pool as default for site {}", name.unwrap_or("(not chosen yet)"))
    });
    view! {
        <TickField label field="default_for_site" value=site on_change=set_site
            help=|| "When the Lync 2013 client creates and manages rooms, it does so on the default pool of the user's site. It matters once there are several pools." />
        {move || (w.topology.read().sites.len() > 1).then(|| view! {
            <TickField label="Use this pool as default for all sites" field="default_for_all" value=all on_change=set_all
                help=|| "A site has one default pool; another pool that is default already has to give it up first." />
        })}
    }
}
