//! The details of one object of the draft.

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::topology::diff::ObjectKind;
use shared::topology::edit::users_of;
use shared::topology::{Computer, Edition, FileStoreRef, Placement, PoolKind, Topology};

use super::model::{Node, changes_of, kind_of_slug, node, slug};
use crate::api::Current;
use crate::components::act::args;
use crate::components::copy::breakable;
use crate::components::{
    ActButton, ButtonKind, Facts, Icon, LinkButton, Mono, Notice, NoticeKind, ProblemList,
};
use crate::nav;
use crate::routes::{PoolTab, Route};

/// The details of the object in the address.
#[component]
pub fn Details(
    /// The topology.
    view: Current<TopologyView>,
    /// The object's kind, as in the address.
    kind: String,
    /// Its id.
    id: String,
) -> impl IntoView {
    move || {
        let found = kind_of_slug(&kind).and_then(|k| view.with(|v| node(v, k, &id)));
        match found {
            Some(n) => view.with(|v| details(v, &n)),
            None => view! {
                <Notice>
                    <p>"This object is not in the draft. It may have been removed meanwhile."</p>
                    <LinkButton label="Show the whole topology" href=Route::Topology.href() />
                </Notice>
            }
            .into_any(),
        }
    }
}

fn details(v: &TopologyView, n: &Node) -> AnyView {
    let changes = changes_of(v, n);
    let users = users_of(&v.draft, n.kind, &n.name);
    let kind = capital(n.kind.words());
    view! {
        <article class="object stack" aria-labelledby="object-title">
            <header class="object-head">
                <div>
                    <span class="muted">{kind}{(!n.note.is_empty()).then(|| format!(", {}", n.note))}</span>
                    <h2 id="object-title" class=if n.kind == ObjectKind::Site { "" } else { "mono" }>{breakable(&n.name)}</h2>
                </div>
                <div class="row">{acts(v, n)}</div>
            </header>
            <ProblemList problems=n.problems.clone() />
            {(!changes.is_empty()).then(|| view! {
                <Notice>
                    <p>"Not published yet:"</p>
                    <ul>{changes.into_iter().map(|c| view! { <li>{c}</li> }).collect_view()}</ul>
                </Notice>
            })}
            {facts(&v.draft, n)}
            {(!users.is_empty()).then(|| view! {
                <div class="stack-s">
                    <h3>"Used by"</h3>
                    <ul>{users.into_iter().map(|u| view! { <li>{u}</li> }).collect_view()}</ul>
                </div>
            })}
        </article>
    }
    .into_any()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// What can be done with the object.
fn acts(v: &TopologyView, n: &Node) -> AnyView {
    let name = n.name.clone();
    let published = v.published.pools.iter().any(|p| p.fqdn.as_str() == name);
    let running = (n.kind == ObjectKind::Pool && published)
        .then(|| view! { <LinkButton label="Show the running pool" href=Route::Pool(name.clone(), PoolTab::Overview).href() /> });
    let folder = (n.kind == ObjectKind::FileStore && runs_here(&v.draft, &n.id)).then(|| {
        let arguments = args([("Identity", name.clone().into())]);
        view! { <ActButton cmdlet="New-LgFileShare" args=arguments label=format!("Create the folder of {name}") short="Create the folder now" /> }
    });
    let remove = args([("Identity", name.clone().into()), ("Kind", n.kind.parameter().into())]);
    let gone = std::sync::Arc::new(|_: &_| nav::navigate_to(&Route::Topology));
    view! {
        {running}
        {folder}
        <ActButton cmdlet="Remove-LgTopologyObject" args=remove label=format!("Remove {name} from the draft") short="Remove" kind=ButtonKind::Danger on_done=gone />
    }
    .into_any()
}

fn runs_here(t: &Topology, id: &str) -> bool {
    t.file_stores.iter().any(|f| f.id.as_str() == id && f.placement == Placement::RunHere)
}

fn facts(t: &Topology, n: &Node) -> AnyView {
    let id = |x: &shared::ObjectId| x.as_str() == n.id;
    match n.kind {
        ObjectKind::SipDomain => {
            view! { <p>"People's SIP addresses and endpoints may end in "<Mono text=n.name.clone() />"."</p> }
                .into_any()
        }
        ObjectKind::Site => site_facts(t, n),
        ObjectKind::FrontEndPool => {
            t.front_end_pools.iter().find(|p| id(&p.id)).map(|p| front_end_facts(t, p)).into_any()
        }
        ObjectKind::SqlStore => t.sql_stores.iter().find(|s| id(&s.id)).map(sql_facts).into_any(),
        ObjectKind::FileStore => t.file_stores.iter().find(|f| id(&f.id)).map(file_facts).into_any(),
        ObjectKind::Pool => t.pools.iter().find(|p| id(&p.id)).map(|p| pool_facts(t, p)).into_any(),
        ObjectKind::DataCenter => {
            t.data_centers.iter().find(|d| d.name.to_lowercase() == n.id).map(data_center_facts).into_any()
        }
    }
}

fn mono(text: &str) -> AnyView {
    view! { <Mono text=text.to_owned() copy=true /> }.into_any()
}

fn object_link(kind: ObjectKind, id: &str, label: &str) -> AnyView {
    let href = Route::TopologyObject(slug(kind).to_owned(), id.to_owned()).href();
    view! { <a class="mono" href=href aria-label=label.to_owned()>{breakable(label)}</a> }.into_any()
}

fn site_facts(t: &Topology, n: &Node) -> AnyView {
    let default = t.pools.iter().find(|p| p.default_for.iter().any(|s| s.as_str() == n.id));
    let default = match default {
        Some(p) => object_link(ObjectKind::Pool, p.id.as_str(), p.fqdn.as_str()),
        None => "none: users of this site cannot create rooms with the Lync 2013 client".into_any(),
    };
    view! { <Facts facts=vec![("Identity in policies", mono(&format!("site:{}", n.name))), ("Default Persistent Chat pool", default)] /> }
        .into_any()
}

fn front_end_facts(t: &Topology, p: &shared::topology::FrontEndPool) -> AnyView {
    let edition =
        if p.edition == Edition::Standard { "Standard Edition server" } else { "Enterprise Edition pool" };
    let site = t.site(&p.site).map(|s| object_link(ObjectKind::Site, s.id.as_str(), &s.site_id));
    view! {
        <Facts facts=vec![("FQDN", mono(p.fqdn.as_str())), ("Edition", edition.into_any()), ("Site", site.into_any())] />
        {computers("Front End Servers", &p.servers)}
    }
    .into_any()
}

fn sql_facts(s: &shared::topology::SqlStore) -> AnyView {
    let instance = s.instance.clone().map_or_else(|| "Default Instance".into_any(), |i| mono(&i));
    view! {
        <Facts facts=vec![("SQL Server FQDN", mono(s.fqdn.as_str())), ("Instance", instance), ("Where it is", s.placement.words().into_any())] />
    }
    .into_any()
}

fn file_facts(f: &shared::topology::FileStore) -> AnyView {
    let place = match &f.placement {
        Placement::RunHere => "run here: a folder of the data directory".to_owned(),
        Placement::Address(path) => format!("in the folder {path} of this machine"),
        Placement::SqlServerGuided | Placement::HereAt(_) | Placement::Node(_) => f.placement.words(),
    };
    view! {
        <Facts facts=vec![
            ("File server FQDN", mono(f.fqdn.as_str())),
            ("File share", mono(&f.share)),
            ("UNC path", mono(&f.label())),
            ("Where it is", place.into_any()),
        ] />
    }
    .into_any()
}

fn pool_facts(t: &Topology, p: &shared::topology::ChatPool) -> AnyView {
    let kind = if p.kind == PoolKind::Single { "Single computer pool" } else { "Multiple computer pool" };
    let sql = |id: Option<&shared::ObjectId>, none: &'static str| {
        let store = id.and_then(|id| t.sql_store(id));
        store
            .map_or_else(|| none.into_any(), |s| object_link(ObjectKind::SqlStore, s.id.as_str(), &s.label()))
    };
    let files = match &p.file_store {
        FileStoreRef::Share(id) => {
            object_link(ObjectKind::FileStore, id.as_str(), &t.file_store_label(&p.file_store))
        }
        FileStoreRef::LocalPath(path) => mono(path),
    };
    let hop = t.front_end_pool(&p.next_hop);
    let hop = hop.map(|f| object_link(ObjectKind::FrontEndPool, f.id.as_str(), f.fqdn.as_str()));
    let default: Vec<_> = p.default_for.iter().filter_map(|s| t.site(s)).map(|s| s.site_id.clone()).collect();
    let default = if default.is_empty() { "no site".to_owned() } else { default.join(", ") };
    view! {
        <Facts facts=vec![
            ("FQDN", mono(p.fqdn.as_str())),
            ("Display name", p.display_name.clone().into_any()),
            ("Kind", kind.into_any()),
            ("Site", t.site(&p.site).map(|s| s.site_id.clone()).into_any()),
            ("Persistent Chat port", p.port.to_string().into_any()),
            ("Default for", default.into_any()),
            ("SQL Server store (mgc)", sql(Some(&p.sql_store), "")),
            ("Backup SQL Server store", sql(p.backup_sql_store.as_ref(), "none: the pool cannot be failed over")),
            ("Mirroring SQL Server store", sql(p.mirror_sql_store.as_ref(), "none")),
            ("Mirror of the backup", sql(p.backup_mirror_sql_store.as_ref(), "none")),
            ("Compliance SQL Server store", sql(p.compliance_sql_store.as_ref(), "compliance is not enabled")),
            ("Backup compliance store", sql(p.backup_compliance_sql_store.as_ref(), "none")),
            ("Mirror of compliance", sql(p.compliance_mirror_sql_store.as_ref(), "none")),
            ("Mirror of backup compliance", sql(p.backup_compliance_mirror_sql_store.as_ref(), "none")),
            ("File store", files),
            ("Next hop pool", hop.into_any()),
        ] />
        {computers("Computers in this pool", &p.computers)}
        {p.compliance.then(|| view! {
            <Notice kind=NoticeKind::Danger>
                <p>"Compliance is enabled and no adapter is set: events are queued in mgccomp and nothing is written out until then."</p>
            </Notice>
        })}
    }
    .into_any()
}

fn data_center_facts(d: &shared::topology::DataCenter) -> AnyView {
    let slow = if d.slow_to.is_empty() { "none".to_owned() } else { d.slow_to.join(", ") };
    let row =
        |m: &shared::Fqdn| view! { <li class="object-computer">{Icon::Pools.draw()}{mono(m.as_str())}</li> };
    view! {
        <Facts facts=vec![("Reached over a slow link", slow.into_any())] />
        <div class="stack-s">
            <h3>"Machines in it"</h3>
            <ul role="list" class="stack-s">{d.members.iter().map(row).collect_view()}</ul>
        </div>
    }
    .into_any()
}

fn computers(title: &'static str, list: &[Computer]) -> AnyView {
    let row = |c: &Computer| view! { <li class="object-computer">{Icon::Pools.draw()}{mono(c.fqdn.as_str())}<span class="muted">{c.placement.words()}</span></li> };
    view! {
        <div class="stack-s">
            <h3>{title}</h3>
            <ul role="list" class="stack-s">{list.iter().map(row).collect_view()}</ul>
        </div>
    }
    .into_any()
}
