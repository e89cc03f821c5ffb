//! How clients reach the deployment: DNS records, certificates, and certificates of one's own.

use leptos::prelude::*;
use shared::api::{CertificateView, DnsRecordView, TopologyView};
use shared::events::Topic;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::{Badge, Tone};
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Icon, Mono, Notice, Section, SelectField, Shown,
    StateBadge, TextField,
};

/// The tab.
#[component]
pub fn Clients() -> impl IntoView {
    let records = use_data::<Vec<DnsRecordView>>(|| "dns".to_owned(), &[Topic::Topology, Topic::Server]);
    let certificates =
        use_data::<Vec<CertificateView>>(|| "certificates".to_owned(), &[Topic::Topology, Topic::Server]);
    view! {
        <Section title="DNS records">
            <p>"Clients find their server by the SRV record of their SIP domain, or are told the name of a Front End pool. Add these records to your DNS."</p>
            <Shown data=records let:rows>
                {move || rows.with(|r| r.iter().any(|r| r.value.starts_with("127."))).then(|| view! {
                    <Notice>
                        <p>"Servers on loopback addresses are reached from this machine only. To let other machines in, place them at an address of this machine, or on a node: Topology, a Front End pool, Edit properties."</p>
                    </Notice>
                })}
                <DataTable rows columns=record_columns() name="DNS records" plain=true
                    empty=|| "No Front End pool is published, so there is nothing to find." />
            </Shown>
        </Section>
        <Section title="Certificates">
            <p>"Servers show certificates of this portal's authority, which clients must be told to trust; a Front End pool can show one of your own instead. They are renewed while servers run."</p>
            <p><a class="button" href="/api/v1/authority.pem" download="lifeguard-authority.pem">"Download the authority's certificate"</a></p>
            <Shown data=certificates let:rows>
                <DataTable rows columns=certificate_columns() name="certificates" acts=row_acts plain=true
                    empty=|| "There is no certificate." />
            </Shown>
        </Section>
        <Own />
    }
}

fn record_columns() -> Vec<Column<DnsRecordView>> {
    vec![
        Column::<DnsRecordView>::new("Type", |r| r.kind.clone()),
        Column::<DnsRecordView>::new("Name", |r| r.name.clone())
            .shown(|r| view! { <Mono text=r.name.clone() copy=true /> }.into_any()),
        Column::<DnsRecordView>::new("Value", |r| r.value.clone())
            .shown(|r| view! { <Mono text=r.value.clone() copy=true /> }.into_any()),
        Column::<DnsRecordView>::new("This host finds", found)
            .shown(|r| view! { <StateBadge state=found_badge(r) /> }.into_any()),
        Column::<DnsRecordView>::new("Note", |r| r.warning.clone()),
    ]
}

fn found(r: &DnsRecordView) -> String {
    match r.found.as_deref() {
        None => "not asked".to_owned(),
        Some("") => "nothing".to_owned(),
        Some(f) => f.to_owned(),
    }
}

fn found_badge(r: &DnsRecordView) -> Badge {
    let right = r.found.as_deref().is_some_and(|f| f.split(", ").any(|a| a == r.value));
    match r.found.as_deref() {
        None => Badge::new("Not asked", Tone::Neutral, Icon::Stop),
        Some("") => Badge::new("Nothing", Tone::Neutral, Icon::Stop),
        Some(_) if right => Badge::new("This address", Tone::Good, Icon::Tick),
        Some(f) => Badge::new(f, Tone::Warning, Icon::Warning),
    }
}

fn whose(c: &CertificateView) -> String {
    if c.server.is_empty() { "The authority".to_owned() } else { c.server.clone() }
}

fn ends(c: &CertificateView) -> Badge {
    let day = c.not_after.rfc3339();
    let day = day.get(..10).unwrap_or_default();
    match c.days_left {
        d if d < 0 => Badge::new(format!("Ended {day}"), Tone::Bad, Icon::Cross),
        d if d < 30 => Badge::new(format!("{day}, {d} days"), Tone::Warning, Icon::Warning),
        _ => Badge::new(day, Tone::Good, Icon::Tick),
    }
}

fn certificate_columns() -> Vec<Column<CertificateView>> {
    vec![
        Column::<CertificateView>::new("Server", whose)
            .shown(|c| view! { <Mono text=whose(c) /> }.into_any()),
        Column::<CertificateView>::new("Signed by", |c| {
            if c.own { format!("{} (your own)", c.issuer) } else { c.issuer.clone() }
        }),
        Column::<CertificateView>::new("For", |c| c.names.join(" ")).shown(|c| {
            let names = c.names.iter().map(|n| view! { <span><Mono text=n.clone() /></span> }).collect_view();
            view! { <span class="stack-s">{names}</span> }.into_any()
        }),
        Column::<CertificateView>::new("Until", |c| c.not_after.rfc3339())
            .shown(|c| view! { <StateBadge state=ends(c) /> }.into_any()),
    ]
}

fn row_acts(c: &CertificateView) -> AnyView {
    if !c.own {
        return ().into_any();
    }
    let remove = args([("Identity", c.pool.clone().into())]);
    view! { <ActButton cmdlet="Remove-LgCertificate" args=remove label=format!("Take away the certificate of {}", c.pool) short="Take away" kind=ButtonKind::Quiet review=true /> }
        .into_any()
}

#[component]
fn Own() -> impl IntoView {
    let topology = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    let (pool, certificate, key) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let options = Signal::derive(move || {
        topology.value.with(|t| {
            let all = t.iter().flat_map(|t| &t.published.front_end_pools);
            all.map(|p| (p.fqdn.to_string(), p.fqdn.to_string())).collect::<Vec<_>>()
        })
    });
    let arguments = Signal::derive(move || {
        args([
            ("Identity", pool.get().into()),
            ("Certificate", certificate.get().trim().into()),
            ("PrivateKey", key.get().trim().into()),
        ])
    });
    let label = Signal::derive(move || match pool.get() {
        p if p.is_empty() => "Set the certificate".to_owned(),
        p => format!("Set the certificate of {p}"),
    });
    let done = std::sync::Arc::new(move |_: &_| {
        certificate.set(String::new());
        key.set(String::new());
    });
    view! {
        <Section title="Set a certificate of your own">
            <ActForm cmdlet="Set-LgCertificate" args=arguments label on_done=done>
                <SelectField label="Front End pool" name="Identity" value=pool options required=true />
                <TextField label="Certificate" name="Certificate" value=certificate required=true mono=true rows=6
                    help=|| "Text that begins with -----BEGIN CERTIFICATE-----, for the pool's name; those that signed it after it." />
                <TextField label="Private key" name="PrivateKey" value=key required=true mono=true rows=4
                    help=|| "Text that begins with -----BEGIN PRIVATE KEY-----, without a passphrase. It is sealed with the portal's key file and never shown again." />
            </ActForm>
        </Section>
    }
}
