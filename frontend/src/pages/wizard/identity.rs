//! The pages *Define the fully qualified domain name (FQDN)* and *Define properties of the Persistent
//! Chat pool*. Words: S3 and `reference/domain/procedures.md` §1.

use leptos::prelude::*;
use shared::topology::{Edition, PoolKind};

use super::fields::{PickField, TickField, bind, problem, use_wizard};
use crate::components::{Notice, NoticeKind, RadioGroup, TextField};
use crate::pages::topology::place::{PlaceField, PlaceOf};

/// Name, kind, site.
#[component]
pub fn FqdnPage() -> impl IntoView {
    let w = use_wizard();
    let (fqdn, set_fqdn) = bind(w, |d| d.fqdn.clone(), |d, v| d.fqdn = v);
    let (site, set_site) = bind(w, |d| d.site.clone(), |d, v| d.site = v);
    let (kind, set_kind) = bind(w, |d| kind_value(d.kind), |d, v: String| d.kind = kind_of(&v));
    let (place, set_place) = bind(w, |d| d.single_placement.clone(), |d, v| d.single_placement = v);
    let single = Memo::new(move |_| kind.with(|k| k == "single"));
    let sites = Signal::derive(move || {
        w.topology.with(|t| t.sites.iter().map(|s| (s.id.to_string(), s.site_id.clone())).collect::<Vec<_>>())
    });
    let standard = Memo::new(move |_| {
        w.topology.with(|t| t.front_end_pools.iter().any(|p| p.edition == Edition::Standard))
    });
    view! {
        <TextField label="Pool FQDN" name="fqdn" value=fqdn on_change=set_fqdn required=true mono=true check=super::check_fqdn problem=problem(w, "fqdn")
            help=|| "The name that Front End Servers route to, for example pcpool.contoso.com. DNS needs a host record for it." />
        <Notice kind=NoticeKind::Warning>
            <p>
                "If the Persistent Chat Server role is installed on a Standard Edition server, the FQDN needs to match the FQDN of that server"
                {move || standard.get().then_some(", and the pool is a single computer pool")}"."
            </p>
        </Notice>
        <RadioGroup label="Kind of pool" value=kind on_change=set_kind options=kinds()
            help=|| view! { <strong>"The kind is final."</strong>" You cannot add additional servers later to a single computer pool, and neither kind becomes the other." } />
        {move || single.get().then(|| view! {
            <PlaceField of=PlaceOf::Server name="single_placement" value=place on_change=set_place />
        })}
        <PickField label="Site" field="site" value=site on_change=set_site options=sites
            help=|| "The site in whose data centre the pool stands." />
    }
}

fn kind_value(kind: PoolKind) -> String {
    if kind == PoolKind::Single { "single" } else { "multiple" }.to_owned()
}

fn kind_of(value: &str) -> PoolKind {
    if value == "single" { PoolKind::Single } else { PoolKind::Multiple }
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
    let (name, set_name) = bind(w, |d| d.display_name.clone(), |d, v| d.display_name = v);
    let (port, set_port) = bind(w, |d| d.port.clone(), |d, v| d.port = v);
    let (compliance, set_compliance) = bind(w, |d| d.compliance, |d, v| d.compliance = v);
    view! {
        <TextField label="Display name of the Persistent Chat pool" name="display_name" value=name on_change=set_name required=true problem=problem(w, "display_name")
            help=|| "Custom clients may show it to tell the rooms of several pools apart." />
        <TextField label="Persistent Chat port" name="port" value=port on_change=set_port required=true mono=true problem=problem(w, "port")
            help=|| "Front End Servers talk to the pool's servers on this port, by mutual TLS. The default port is 5041." />
        <TickField label="Enable compliance" field="compliance" value=compliance on_change=set_compliance
            help=|| "Installs the Persistent Chat Compliance service on the same computers. A page for its SQL Server store follows later." />
        {move || compliance.get().then(|| view! {
            <Notice kind=NoticeKind::Danger>
                <p>"No adapter is set. From now on every event is queued in mgccomp, and nothing is written out until an adapter is set."</p>
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
    let (on, set) = bind(w, |d| d.disaster_recovery, |d, v| d.disaster_recovery = v);
    let single = Memo::new(move |_| w.draft.with(|d| d.kind == PoolKind::Single));
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
    let (site, set_site) = bind(w, |d| d.default_for_site, |d, v| d.default_for_site = v);
    let (all, set_all) = bind(w, |d| d.default_for_all, |d, v| d.default_for_all = v);
    let several = Memo::new(move |_| w.topology.with(|t| t.sites.len() > 1));
    let label = Signal::derive(move || {
        let name = w.draft.with(|d| {
            w.topology.with(|t| t.sites.iter().find(|s| s.id.as_str() == d.site).map(|s| s.site_id.clone()))
        });
        format!("Use this pool as default for site {}", name.unwrap_or_else(|| "(not chosen yet)".to_owned()))
    });
    view! {
        <TickField label field="default_for_site" value=site on_change=set_site
            help=|| "When the Lync 2013 client creates and manages rooms, it does so on the default pool of the user's site. It matters once there are several pools." />
        {move || several.get().then(|| view! {
            <TickField label="Use this pool as default for all sites" field="default_for_all" value=all on_change=set_all
                help=|| "A site has one default pool; another pool that is default already has to give it up first." />
        })}
    }
}
