//! The fields of each kind of object; and the form for a new data centre, which has the same.

use leptos::prelude::*;
use serde_json::Map;
use shared::Port;
use shared::topology::diff::ObjectKind;
use shared::topology::{Computer, Topology};

use super::fields::{Input, Way, draw, input};
use super::pool::pool;
use crate::components::{ActForm, TextField};
use crate::pages::topology::front_end::lines;
use crate::pages::topology::model::Node;
use crate::pages::topology::new_object::check_fqdn;
use crate::pages::topology::place::{PlaceOf, word};
use crate::pages::topology::stores::{check_file_share, check_named};
use crate::routes::Route;

pub(super) fn any(_: &str) -> Result<(), String> {
    Ok(())
}

pub(super) fn check_port(text: &str) -> Result<(), String> {
    Port::parse(text).map(drop).map_err(|e| e.0)
}

pub(super) fn each_fqdn(text: &str) -> Result<(), String> {
    lines(text).iter().try_for_each(|l| check_fqdn(l).map_err(|e| format!("{l}: {e}")))
}

pub(super) fn names(list: &[Computer]) -> String {
    list.iter().map(|c| c.fqdn.to_string()).collect::<Vec<_>>().join("\n")
}

/// Where each of them runs.
pub(super) fn places(name: &'static str, list: &[Computer]) -> Vec<Input> {
    let one = |c: &Computer| {
        let way = Way::PlaceOfComputer(c.fqdn.to_string());
        input("Where it runs", name, word(&c.placement), way, "")
    };
    list.iter().map(one).collect()
}

pub(super) type Described = (&'static str, String, Vec<Input>, Vec<&'static str>);

/// Cmdlet, identity, fields, and why a field is not there.
pub(super) fn describe(t: &Topology, n: &Node) -> Option<Described> {
    let is = |x: &shared::ObjectId| x.as_str() == n.id;
    let name = n.name.clone();
    match n.kind {
        ObjectKind::SipDomain => None,
        ObjectKind::Site => {
            let fields = vec![input(
                "Site name",
                "Name",
                name.clone(),
                Way::Text,
                "Policies named site:… do not follow a new name.",
            )];
            Some(("Set-LgSite", name, fields, vec![]))
        }
        ObjectKind::FrontEndPool => {
            let p = t.front_end_pools.iter().find(|p| is(&p.id))?;
            let sites: Vec<_> = t.sites.iter().map(|s| (s.site_id.clone(), s.site_id.clone())).collect();
            let site = t.site(&p.site).map(|s| s.site_id.clone()).unwrap_or_default();
            let mut fields = vec![input("Site", "Site", site, Way::Choice(sites, "Choose …"), "")];
            let mut hidden = vec!["The pool FQDN is final; people's clients sign in at it."];
            if p.edition == shared::topology::Edition::Standard {
                hidden.push("A Standard Edition server stands alone; no server can be added.");
                let place = p.servers.first().map(|c| word(&c.placement)).unwrap_or_default();
                fields.push(input("Where it runs", "Placement", place, Way::Place(PlaceOf::Server), ""));
            } else {
                fields.push(input(
                    "Front End Servers",
                    "Servers",
                    names(&p.servers),
                    Way::List(each_fqdn),
                    "One FQDN per line. One that is added runs here until another place is chosen.",
                ));
                fields.extend(places("Servers", &p.servers));
            }
            Some(("Set-LgFrontEndPool", name, fields, hidden))
        }
        ObjectKind::SqlStore => {
            let s = t.sql_stores.iter().find(|s| is(&s.id))?;
            let fields = vec![
                input(
                    "SQL Server FQDN",
                    "Fqdn",
                    s.fqdn.to_string(),
                    Way::Name(check_fqdn),
                    "A store that holds databases of a published pool keeps its name.",
                ),
                input(
                    "Instance",
                    "Instance",
                    s.instance.clone().unwrap_or_else(|| "MSSQLSERVER".to_owned()),
                    Way::Name(check_named),
                    "MSSQLSERVER is the default instance.",
                ),
                input("Where it is", "Placement", word(&s.placement), Way::Place(PlaceOf::SqlStore), ""),
            ];
            Some(("Set-LgSqlStore", name, fields, vec![]))
        }
        ObjectKind::FileStore => {
            let f = t.file_stores.iter().find(|f| is(&f.id))?;
            let fields = vec![
                input(
                    "File server FQDN",
                    "Fqdn",
                    f.fqdn.to_string(),
                    Way::Name(check_fqdn),
                    "Files are not moved.",
                ),
                input(
                    "File share",
                    "Share",
                    f.share.clone(),
                    Way::Name(check_file_share),
                    "The share name only.",
                ),
                input("Where it is", "Placement", word(&f.placement), Way::Place(PlaceOf::FileStore), ""),
            ];
            Some(("Set-LgFileStore", name, fields, vec![]))
        }
        ObjectKind::Pool => t.pools.iter().find(|p| is(&p.id)).map(|p| pool(t, p)),
        ObjectKind::DataCenter => {
            let d = t.data_centers.iter().find(|d| d.name.to_lowercase() == n.id)?;
            Some(("Set-LgDataCenter", name, data_center(&d.members, &d.slow_to), vec![]))
        }
    }
}

fn data_center(members: &[shared::Fqdn], slow_to: &[String]) -> Vec<Input> {
    let members = members.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    vec![
        input(
            "Computers and SQL Servers in it",
            "Members",
            members,
            Way::List(each_fqdn),
            "One FQDN per line. A machine named here leaves the data centre it stood in.",
        ),
        input(
            "Reached over a slow link",
            "SlowTo",
            slow_to.join("\n"),
            Way::List(any),
            "Names of other data centres, one per line. Active servers should stand near the database in use.",
        ),
    ]
}

/// *New data centre*.
#[component]
pub fn NewDataCenter() -> impl IntoView {
    let name = RwSignal::new(String::new());
    let inputs = StoredValue::new(data_center(&[], &[]));
    let arguments = Signal::derive(move || {
        let mut out = Map::new();
        out.insert("Identity".to_owned(), name.get().trim().into());
        inputs.with_value(|list| out.extend(list.iter().filter_map(Input::argument)));
        out
    });
    let label = Signal::derive(move || {
        crate::pages::topology::new_object::named("Add the data centre", &name.read())
    });
    view! {
        <ActForm cmdlet="Set-LgDataCenter" args=arguments label on_done=crate::pages::topology::new_object::to_topology() cancel=Route::Topology.href()>
            <TextField label="Name" name="Identity" value=name required=true help=|| "For example Atlanta. It says which machines stand near each other." />
            {inputs.with_value(|list| list.iter().map(draw).collect_view())}
        </ActForm>
    }
}
