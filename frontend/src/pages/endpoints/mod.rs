//! Endpoints: contact objects that point legacy clients at a pool. Source: S4.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared::api::{EndpointView, PoolSummary};
use shared::events::Topic;
use shared::names::SipUri;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Dialog, Mono, Notice, Page, Section, SelectField,
    Shown, TextField, TimeAgo,
};

const TOPICS: &[Topic] = &[Topic::Directory, Topic::Topology];

/// The page.
#[component]
pub fn EndpointsPage() -> impl IntoView {
    let endpoints = use_data::<Vec<EndpointView>>(|| "endpoints".to_owned(), TOPICS);
    let pools = use_data::<Vec<PoolSummary>>(|| "pools".to_owned(), &[Topic::Topology]);
    let pool_names = Memo::new(move |_| {
        let all = pools.value.get().unwrap_or_default();
        all.into_iter()
            .map(|p| (p.fqdn.to_string(), format!("{} – {}", p.fqdn, p.display_name)))
            .collect::<Vec<_>>()
    });
    let moving = RwSignal::new(None::<EndpointView>);
    provide_context(Moving(moving));
    view! {
        <Page title="Endpoints" lead="An endpoint is a SIP address that points legacy Group Chat clients at a Persistent Chat pool.">
            <Notice>
                <p>
                    "Only legacy clients (Office Communications Server 2007 R2 Group Chat, Lync Server 2010 Group Chat) need an endpoint: \
                     people enter its SIP address by hand in the client's configuration. Lync 2013 clients find their pool by provisioning and use none."
                </p>
                <p>"One endpoint for each pool is enough, and a pool has one. A legacy client can be configured for one pool at a time."</p>
            </Notice>
            <Shown data=endpoints let:list>
                <DataTable rows=list columns=columns() name="endpoints" acts=row_acts empty=|| view! {
                    <h2>"There is no endpoint"</h2>
                    <p>"Nothing is missing unless people still use legacy Group Chat clients. Create one below when they do."</p>
                } />
            </Shown>
            <NewEndpoint pools=pool_names />
            <MoveDialog moving pools=pool_names />
        </Page>
    }
}

/// The endpoint that is about to be pointed at another pool.
#[derive(Clone, Copy)]
struct Moving(RwSignal<Option<EndpointView>>);

fn columns() -> Vec<Column<EndpointView>> {
    vec![
        Column::<EndpointView>::new("SIP address", |e| e.sip_address.to_string())
            .shown(|e| view! { <Mono text=e.sip_address.as_str() copy=true /> }.into_any()),
        Column::<EndpointView>::new("Pool", |e| e.pool.to_string()).shown(|e| {
            view! { <a href=format!("/pools/{}", e.pool) aria-label=e.pool.to_string()><Mono text=e.pool.as_str() /></a> }.into_any()
        }),
        Column::<EndpointView>::new("Display name", |e| e.display_name.clone()),
        Column::<EndpointView>::new("Created", |e| e.created.rfc3339())
            .shown(|e| view! { <TimeAgo at=e.created /> }.into_any()),
    ]
}

fn row_acts(e: &EndpointView) -> AnyView {
    let moving = use_context::<Moving>();
    let identity = e.sip_address.to_string();
    let remove = args([("Identity", identity.clone().into())]);
    let endpoint = e.clone();
    view! {
        <button type="button" class="button button-quiet" aria-label=format!("Re-point {identity}") on:click=move |_| {
            if let Some(Moving(m)) = moving {
                m.set(Some(endpoint.clone()));
            }
        }>"Re-point"</button>
        <ActButton cmdlet="Remove-CsPersistentChatEndpoint" args=remove label=format!("Remove {identity}") short="Remove" kind=ButtonKind::Quiet />
    }
    .into_any()
}

#[component]
fn NewEndpoint(pools: Memo<Vec<(String, String)>>) -> impl IntoView {
    let sip = RwSignal::new(String::new());
    let pool = RwSignal::new(String::new());
    let name = RwSignal::new(String::new());
    let arguments = Signal::derive(move || {
        args([
            ("SipAddress", sip.get().trim().into()),
            ("PersistentChatPoolFqdn", pool.get().into()),
            ("DisplayName", name.get().trim().into()),
        ])
    });
    let label = Signal::derive(move || match sip.get().trim() {
        "" => "Create the endpoint".to_owned(),
        s => format!("Create the endpoint {s}"),
    });
    let done = std::sync::Arc::new(move |_: &_| {
        sip.set(String::new());
        pool.set(String::new());
        name.set(String::new());
    });
    view! {
        <Section title="New endpoint">
            <ActForm cmdlet="New-CsPersistentChatEndpoint" args=arguments label on_done=done>
                <TextField label="SIP address" name="SipAddress" value=sip required=true mono=true check=check_sip
                    help=|| "For example sip:persistentchat@contoso.com; the domain is one of the organisation's SIP domains." />
                <SelectField label="Pool" name="PersistentChatPoolFqdn" value=pool required=true options=pools
                    help=|| "The Persistent Chat pool that clients of this address reach." />
                <TextField label="Display name" name="DisplayName" value=name help=|| "Shown in lists; the part before @ when left out." />
            </ActForm>
        </Section>
    }
}

fn check_sip(text: &str) -> Result<(), String> {
    SipUri::try_from(text).map(drop).map_err(|e| e.0)
}

/// Asks for the other pool; the plan then shows Remove and New.
#[component]
fn MoveDialog(moving: RwSignal<Option<EndpointView>>, pools: Memo<Vec<(String, String)>>) -> impl IntoView {
    let open = Memo::new(move |_| moving.with(Option::is_some));
    let title = Signal::derive(move || {
        moving.with(|m| m.as_ref().map(|e| format!("Re-point {}", e.sip_address)).unwrap_or_default())
    });
    view! {
        <Dialog open title on_close=move |()| moving.set(None)>
            <MoveForm moving pools />
        </Dialog>
    }
}

#[component]
fn MoveForm(moving: RwSignal<Option<EndpointView>>, pools: Memo<Vec<(String, String)>>) -> impl IntoView {
    let pool = RwSignal::new(String::new());
    let Some(endpoint) = moving.get_untracked() else { return ().into_any() };
    let (identity, from) = (endpoint.sip_address.to_string(), endpoint.pool.to_string());
    let now_at = from.clone();
    let others =
        Signal::derive(move || pools.get().into_iter().filter(|(v, _)| *v != from).collect::<Vec<_>>());
    let name = identity.clone();
    let arguments = Signal::derive(move || -> Map<String, Value> {
        args([("Identity", name.clone().into()), ("PersistentChatPoolFqdn", pool.get().into())])
    });
    let done = std::sync::Arc::new(move |_: &_| moving.set(None));
    view! {
        <p>
            "It points at "<Mono text=now_at />". Re-pointing is Remove-CsPersistentChatEndpoint and New-CsPersistentChatEndpoint in one \
             transaction; clients that use the address reach the other pool at their next sign-in."
        </p>
        <ActForm cmdlet="Move-LgPersistentChatEndpoint" args=arguments label=format!("Re-point {identity}") on_done=done>
            <SelectField label="Pool from now on" name="PersistentChatPoolFqdn" value=pool required=true options=others />
        </ActForm>
    }
    .into_any()
}
