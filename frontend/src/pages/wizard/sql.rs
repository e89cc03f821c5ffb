//! The four SQL Server store pages: mgc, its backup, mgccomp, its backup. Words: S3 step 8 and 9,
//! P:Define_Persistent_Chat_SQL_Store.

use leptos::prelude::*;
use shared::topology::draft::{PoolDraft, SqlChoice};
use shared::topology::{SqlStore, Topology};

use super::fields::{PickField, bind, problem, use_wizard};
use crate::components::{Button, ButtonKind, Notice, RadioGroup, TextField};
use crate::pages::topology::place::{PlaceField, PlaceOf};

/// Which store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// mgc.
    Primary,
    /// The backup mgc.
    Backup,
    /// mgccomp.
    Compliance,
    /// The backup mgccomp.
    BackupCompliance,
}

impl Slot {
    fn get(self, d: &PoolDraft) -> &SqlChoice {
        match self {
            Self::Primary => &d.sql,
            Self::Backup => &d.backup_sql,
            Self::Compliance => &d.compliance_sql,
            Self::BackupCompliance => &d.backup_compliance_sql,
        }
    }

    fn get_mut(self, d: &mut PoolDraft) -> &mut SqlChoice {
        match self {
            Self::Primary => &mut d.sql,
            Self::Backup => &mut d.backup_sql,
            Self::Compliance => &mut d.compliance_sql,
            Self::BackupCompliance => &mut d.backup_compliance_sql,
        }
    }

    /// The draft's field, as problems name its parts: existing, FQDN, instance.
    fn fields(self) -> [&'static str; 3] {
        match self {
            Self::Primary => ["sql.existing", "sql.fqdn", "sql.instance"],
            Self::Backup => ["backup_sql.existing", "backup_sql.fqdn", "backup_sql.instance"],
            Self::Compliance => ["compliance_sql.existing", "compliance_sql.fqdn", "compliance_sql.instance"],
            Self::BackupCompliance => [
                "backup_compliance_sql.existing",
                "backup_compliance_sql.fqdn",
                "backup_compliance_sql.instance",
            ],
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Primary => "SQL Server store",
            Self::Backup => "Backup SQL Server store",
            Self::Compliance => "Compliance SQL Server store",
            Self::BackupCompliance => "Backup compliance SQL Server store",
        }
    }

    fn holds(self) -> &'static str {
        match self {
            Self::Primary => {
                "SQL store for the Persistent Chat Server Back End, where chat room content is stored (database mgc)."
            }
            Self::Backup => {
                "Takes over when the pool is failed over. It stands in another data centre than the first."
            }
            Self::Compliance => {
                "Events wait here until a compliance adapter takes them (database mgccomp). It may be the store of mgc."
            }
            Self::BackupCompliance => {
                "The compliance database to use after a failover. It may be the backup store of mgc."
            }
        }
    }

    /// The store on an earlier page that this one may share.
    fn shares_with(self) -> Option<Self> {
        match self {
            Self::Compliance => Some(Self::Primary),
            Self::BackupCompliance => Some(Self::Backup),
            Self::Primary | Self::Backup => None,
        }
    }
}

/// One of the four pages.
#[component]
pub fn SqlPage(
    /// Which store.
    which: Slot,
) -> impl IntoView {
    let w = use_wizard();
    if w.topology.with_untracked(|t| t.sql_stores.is_empty())
        && w.draft.with_untracked(|d| *which.get(d) == SqlChoice::default())
    {
        w.edit(|d| which.get_mut(d).define_new = true);
    }
    let (how, set_how) = bind(
        w,
        move |d| if which.get(d).define_new { "new" } else { "existing" }.to_owned(),
        move |d, v: String| which.get_mut(d).define_new = v == "new",
    );
    let new = Memo::new(move |_| how.with(|h| h == "new"));
    let choices = || {
        let choice = |v: &str, words: &str| (v.to_owned(), words.to_owned(), String::new());
        vec![choice("existing", "Use a store of the list"), choice("new", "Define New SQL Store")]
    };
    view! {
        <p class="muted">{which.holds()}</p>
        <Share which />
        <RadioGroup label=which.label() value=how on_change=set_how options=choices() />
        {move || if new.get() { view! { <Define which /> }.into_any() } else { view! { <Existing which /> }.into_any() }}
        {(which == Slot::Primary).then(|| view! {
            <Notice>
                <p>"A store may be defined before the SQL Server instance is there. Publishing checks it and creates the databases."</p>
            </Notice>
        })}
    }
}

#[component]
fn Existing(which: Slot) -> impl IntoView {
    let w = use_wizard();
    let (value, set) =
        bind(w, move |d| which.get(d).existing.clone(), move |d, v| which.get_mut(d).existing = v);
    let options = Signal::derive(move || {
        w.topology.with(|t| t.sql_stores.iter().map(|s| (s.id.to_string(), words(t, s))).collect::<Vec<_>>())
    });
    view! {
        <PickField label=which.label() field=which.fields()[0] value on_change=set options
            help=|| "One database server holds one mgc and one mgccomp database." />
    }
}

/// A store in the list, with what it holds already.
fn words(t: &Topology, s: &SqlStore) -> String {
    let used = |field: &dyn Fn(&shared::topology::ChatPool) -> bool| {
        t.pools.iter().find(|p| field(p)).map(|p| p.fqdn.host().to_owned())
    };
    let mgc = used(&|p| p.sql_store == s.id || p.backup_sql_store.as_ref() == Some(&s.id));
    let comp = used(&|p| {
        p.compliance_sql_store.as_ref() == Some(&s.id)
            || p.backup_compliance_sql_store.as_ref() == Some(&s.id)
    });
    let holds: Vec<String> = [("mgc", mgc), ("mgccomp", comp)]
        .into_iter()
        .filter_map(|(db, pool)| pool.map(|p| format!("{db} of {p}")))
        .collect();
    if holds.is_empty() { s.label() } else { format!("{} – holds {}", s.label(), holds.join(", ")) }
}

/// *Define New SQL Store*.
#[component]
fn Define(which: Slot) -> impl IntoView {
    let w = use_wizard();
    let (fqdn, set_fqdn) = bind(w, move |d| which.get(d).fqdn.clone(), move |d, v| which.get_mut(d).fqdn = v);
    let (kind, set_kind) = bind(
        w,
        move |d| if which.get(d).named { "named" } else { "default" }.to_owned(),
        move |d, v: String| which.get_mut(d).named = v == "named",
    );
    let (instance, set_instance) =
        bind(w, move |d| which.get(d).instance.clone(), move |d, v| which.get_mut(d).instance = v);
    let (place, set_place) =
        bind(w, move |d| which.get(d).placement.clone(), move |d, v| which.get_mut(d).placement = v);
    let named = Memo::new(move |_| kind.with(|k| k == "named"));
    let [existing_at, fqdn_at, instance_at] = which.fields();
    // A rule about the store as a whole stands at its name.
    let (at_name, at_whole) = (problem(w, fqdn_at), problem(w, existing_at));
    let fqdn_problem = Signal::derive(move || at_name.get().or_else(|| at_whole.get()));
    view! {
        <fieldset class="wizard-inset">
            <legend class="visually-hidden">"Define New SQL Store"</legend>
            <TextField label="SQL Server FQDN" name=fqdn_at value=fqdn on_change=set_fqdn required=true mono=true check=super::check_fqdn problem=fqdn_problem
                help=|| "The SQL Server on which the database is to be created, for example sql01.contoso.com." />
            <RadioGroup label="Instance" value=kind on_change=set_kind options=super::instances() />
            {move || named.get().then(|| view! {
                <TextField label="Instance name" name=instance_at value=instance on_change=set_instance required=true mono=true
                    check=super::check_named problem=problem(w, instance_at)
                    help=|| "The name only, without the server before it. A mistyped one is found when publishing." />
            })}
            <PlaceField of=PlaceOf::SqlStore value=place on_change=set_place />
        </fieldset>
    }
}

/// One press instead of describing the same store again.
#[component]
fn Share(which: Slot) -> impl IntoView {
    let w = use_wizard();
    which.shares_with().map(|other| {
        let same = Memo::new(move |_| w.draft.with(|d| which.get(d) == other.get(d)));
        let why = Signal::derive(move || same.get().then(|| "It is the same already.".to_owned()));
        let take = move |()| {
            w.edit(|d| {
                let choice = other.get(d).clone();
                *which.get_mut(d) = choice;
            });
        };
        let label =
            if other == Slot::Primary { "Use the store of mgc" } else { "Use the backup store of mgc" };
        view! { <div><Button label kind=ButtonKind::Plain blocked=why on_press=take /></div> }
    })
}
