//! The form for a Front End pool or a Standard Edition server.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared::Fqdn;
use shared::topology::{Computer, Edition, FrontEndPool, Placement, Topology};

use super::new_object::{check_fqdn, named, to_topology, trial, trial_id};
use super::place::{PlaceField, PlaceOf, word};
use crate::components::act::args;
use crate::components::{ActForm, RadioGroup, SelectField, TextField};
use crate::nav;
use crate::routes::Route;

/// What the fields of the form hold.
#[derive(Clone, Copy)]
struct Fields {
    fqdn: RwSignal<String>,
    site: RwSignal<String>,
    edition: RwSignal<String>,
    servers: RwSignal<String>,
    place: RwSignal<Placement>,
}

impl Fields {
    fn is_standard(self) -> bool {
        self.edition.with(|e| e == "Standard")
    }

    fn servers(self) -> Vec<String> {
        lines(&self.servers.read())
    }

    fn arguments(self) -> Map<String, Value> {
        let servers = if self.is_standard() { Value::Null } else { self.servers().into() };
        args([
            ("Fqdn", self.fqdn.get().trim().into()),
            ("Site", self.site.get().into()),
            ("Edition", self.edition.get().into()),
            ("Servers", servers),
            ("Placement", word(&self.place.read()).into()),
        ])
    }

    /// The pool as the fields describe it, as far as they are well formed.
    fn pool(self, t: &Topology) -> Option<FrontEndPool> {
        let fqdn = Fqdn::try_from(self.fqdn.get()).ok()?;
        let site = self.site.with(|s| t.sites.iter().find(|x| x.site_id == *s).map(|x| x.id.clone()))?;
        let here = |fqdn: Fqdn| Computer { fqdn, placement: self.place.get() };
        let standard = self.is_standard();
        let servers = if standard {
            vec![here(fqdn.clone())]
        } else {
            self.servers().into_iter().filter_map(|s| Fqdn::try_from(s).ok()).map(here).collect()
        };
        let edition = if standard { Edition::Standard } else { Edition::Enterprise };
        Some(FrontEndPool { id: trial_id(), fqdn, edition, site, servers })
    }
}

/// The lines of a text that say something.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

fn check_servers(text: &str) -> Result<(), String> {
    lines(text).iter().try_for_each(|l| Fqdn::try_from(l.as_str()).map(drop).map_err(|e| format!("{l}: {e}")))
}

/// The form.
#[component]
pub fn NewFrontEndPool(
    /// The draft.
    draft: Memo<Topology>,
) -> impl IntoView {
    let site_asked = nav::use_query("site").get_untracked().unwrap_or_default();
    let first =
        draft.with_untracked(|d| if d.sites.len() == 1 { d.sites[0].site_id.clone() } else { site_asked });
    let fields = Fields {
        fqdn: RwSignal::new(String::new()),
        site: RwSignal::new(first),
        edition: RwSignal::new("Enterprise".to_owned()),
        servers: RwSignal::new(String::new()),
        place: RwSignal::new(Placement::RunHere),
    };
    let arguments = Signal::derive(move || fields.arguments());
    let label = Signal::derive(move || {
        named(
            if fields.is_standard() { "Add the Standard Edition server" } else { "Add the Front End pool" },
            &fields.fqdn.read(),
        )
    });
    let problem = Signal::derive(move || {
        draft.with(|d| fields.pool(d).and_then(|p| trial(d, |t| t.front_end_pools.push(p))))
    });
    let sites = Signal::derive(move || {
        draft.with(|d| d.sites.iter().map(|s| (s.site_id.clone(), s.site_id.clone())).collect::<Vec<_>>())
    });
    let nowhere = Signal::derive(move || {
        sites.with(Vec::is_empty).then(|| "There is no site yet. Add the site first.".to_owned())
    });
    view! {
        <ActForm cmdlet="New-LgFrontEndPool" args=arguments label blocked=nowhere on_done=to_topology() cancel=Route::Topology.href()>
            <RadioGroup label="Edition" value=fields.edition options=editions() />
            <TextField label="Pool FQDN" name="Fqdn" value=fields.fqdn required=true mono=true check=check_fqdn problem
                help=|| "People's clients sign in at this name. For example atl-fe-001.litwareinc.com." />
            <SelectField label="Site" name="Site" value=fields.site required=true options=sites
                help=move || view! { {move || nowhere.get().map(|_| view! { <a href=Route::TopologyNew("site".to_owned()).href()>"Add a site"</a> })} } />
            {move || (!fields.is_standard()).then(|| view! {
                <TextField label="Front End Servers" name="Servers" value=fields.servers required=true mono=true rows=3 check=check_servers
                    help=|| "The FQDN of each server, one per line; each differs from the pool's FQDN." />
            })}
            <PlaceField of=PlaceOf::Server value=fields.place />
        </ActForm>
    }
}

fn editions() -> Vec<(String, String, String)> {
    let choice = |v: &str, words: &str, text: &str| (v.to_owned(), words.to_owned(), text.to_owned());
    vec![
        choice(
            "Enterprise",
            "Enterprise Edition Front End pool",
            "One or more Front End Servers behind a pool name.",
        ),
        choice("Standard", "Standard Edition server", "One server; the pool's FQDN is the server's."),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_stand_one_per_line() {
        assert_eq!(lines(" a.b \n\n c.d"), ["a.b", "c.d"]);
        assert!(check_servers("fe01.contoso.com\nfe02.contoso.com\n").is_ok());
        assert!(check_servers("fe01.contoso.com\nfe02").unwrap_err().starts_with("fe02: "));
    }
}
