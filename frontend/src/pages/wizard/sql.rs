//! The four SQL Server store pages: mgc, its backup, mgccomp, its backup; each with its mirror.
//! Words: S3 step 8 and 9, P:Define_Persistent_Chat_SQL_Store.

use leptos::prelude::*;
use shared::topology::draft::{PoolDraft, SqlChoice};
use shared::topology::{SqlStore, Topology};

use super::fields::{PickField, TickField, flag, place, problem, text, use_wizard};
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
    /// The mirror of mgc, on the page of mgc.
    Mirror,
    /// The mirror of the backup mgc, on its page.
    BackupMirror,
    /// The mirror of mgccomp, on its page.
    ComplianceMirror,
    /// The mirror of the backup mgccomp, on its page.
    BackupComplianceMirror,
}

/// Names of a store's fields in the draft.
#[derive(Clone, Copy)]
struct Fields {
    define_new: &'static str,
    existing: &'static str,
    fqdn: &'static str,
    named: &'static str,
    instance: &'static str,
    placement: &'static str,
}

macro_rules! fields {
    ($store:literal) => {
        Fields {
            define_new: concat!($store, ".define_new"),
            existing: concat!($store, ".existing"),
            fqdn: concat!($store, ".fqdn"),
            named: concat!($store, ".named"),
            instance: concat!($store, ".instance"),
            placement: concat!($store, ".placement"),
        }
    };
}

impl Slot {
    fn get(self, d: &PoolDraft) -> &SqlChoice {
        match self {
            Self::Primary => &d.sql,
            Self::Backup => &d.backup_sql,
            Self::Compliance => &d.compliance_sql,
            Self::BackupCompliance => &d.backup_compliance_sql,
            Self::Mirror => &d.mirror_sql,
            Self::BackupMirror => &d.backup_mirror_sql,
            Self::ComplianceMirror => &d.compliance_mirror_sql,
            Self::BackupComplianceMirror => &d.backup_compliance_mirror_sql,
        }
    }

    fn get_mut(self, d: &mut PoolDraft) -> &mut SqlChoice {
        match self {
            Self::Primary => &mut d.sql,
            Self::Backup => &mut d.backup_sql,
            Self::Compliance => &mut d.compliance_sql,
            Self::BackupCompliance => &mut d.backup_compliance_sql,
            Self::Mirror => &mut d.mirror_sql,
            Self::BackupMirror => &mut d.backup_mirror_sql,
            Self::ComplianceMirror => &mut d.compliance_mirror_sql,
            Self::BackupComplianceMirror => &mut d.backup_compliance_mirror_sql,
        }
    }

    fn fields(self) -> Fields {
        match self {
            Self::Primary => fields!("sql"),
            Self::Backup => fields!("backup_sql"),
            Self::Compliance => fields!("compliance_sql"),
            Self::BackupCompliance => fields!("backup_compliance_sql"),
            Self::Mirror => fields!("mirror_sql"),
            Self::BackupMirror => fields!("backup_mirror_sql"),
            Self::ComplianceMirror => fields!("compliance_mirror_sql"),
            Self::BackupComplianceMirror => fields!("backup_compliance_mirror_sql"),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Primary => "SQL Server store",
            Self::Backup => "Backup SQL Server store",
            Self::Compliance => "Compliance SQL Server store",
            Self::BackupCompliance => "Backup compliance SQL Server store",
            Self::Mirror | Self::BackupMirror => "Mirroring SQL Server store",
            Self::ComplianceMirror => "Compliance SQL Server store mirror",
            Self::BackupComplianceMirror => "Backup compliance SQL Server store mirror",
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
            Self::Mirror | Self::BackupMirror => {
                "A second copy of mgc, byte for byte, on a store of its own: a post is acknowledged when both have it."
            }
            Self::ComplianceMirror | Self::BackupComplianceMirror => {
                "A second copy of mgccomp on another store: an event is queued when both have it."
            }
        }
    }

    /// The store on an earlier page that this one may share.
    fn shares_with(self) -> Option<Self> {
        match self {
            Self::Compliance => Some(Self::Primary),
            Self::BackupCompliance => Some(Self::Backup),
            Self::ComplianceMirror => Some(Self::Mirror),
            Self::BackupComplianceMirror => Some(Self::BackupMirror),
            Self::Primary | Self::Backup | Self::Mirror | Self::BackupMirror => None,
        }
    }

    /// The mirror that is asked for on the same page, and the field of its box.
    fn mirror(self) -> Option<(Self, &'static str)> {
        match self {
            Self::Primary => Some((Self::Mirror, "mirrored")),
            Self::Backup => Some((Self::BackupMirror, "backup_mirrored")),
            Self::Compliance => Some((Self::ComplianceMirror, "compliance_mirrored")),
            Self::BackupCompliance => Some((Self::BackupComplianceMirror, "backup_compliance_mirrored")),
            _ => None,
        }
    }
}

/// A choice between no and yes, in words.
fn no_or_yes(no: &str, yes: &str) -> Vec<(String, String, String)> {
    let choice = |v: &str, words: &str| (v.to_owned(), words.to_owned(), String::new());
    vec![choice("false", no), choice("true", yes)]
}

/// One of the four pages.
#[component]
pub fn SqlPage(
    /// Which store.
    which: Slot,
) -> impl IntoView {
    view! {
        <p class="muted">{which.holds()}</p>
        <Share which />
        <Choice which />
        {which.mirror().map(|(mirror, field)| view! { <Mirroring mirror field /> })}
        {(which == Slot::Primary).then(|| view! {
            <Notice>
                <p>"A store may be defined before the SQL Server instance is there. Publishing checks it and creates the databases."</p>
            </Notice>
        })}
    }
}

/// *Enable SQL Server store mirroring*, and the mirror's store.
#[component]
fn Mirroring(mirror: Slot, field: &'static str) -> impl IntoView {
    let w = use_wizard();
    let (on, set) = flag(w, field);
    view! {
        <TickField label="Enable SQL Server store mirroring" field value=on on_change=set help=move || mirror.holds() />
        {move || on.get().then(|| view! { <Share which=mirror /> <Choice which=mirror /> })}
    }
}

/// A store of the list, or a new one.
#[component]
fn Choice(which: Slot) -> impl IntoView {
    let w = use_wizard();
    let untouched = *which.get(&w.draft.read_untracked()) == SqlChoice::default();
    if untouched && w.topology.read_untracked().sql_stores.is_empty() {
        w.put(which.fields().define_new, true.into());
    }
    let (new, set_new) = text(w, which.fields().define_new);
    view! {
        <RadioGroup label=which.label() value=new on_change=set_new options=no_or_yes("Use a store of the list", "Define New SQL Store") />
        {move || if *new.read() == "true" { view! { <Define which /> }.into_any() } else { view! { <Existing which /> }.into_any() }}
    }
}

#[component]
fn Existing(which: Slot) -> impl IntoView {
    let w = use_wizard();
    let field = which.fields().existing;
    let (value, set) = text(w, field);
    let options = Signal::derive(move || {
        let t = w.topology.read();
        t.sql_stores.iter().map(|s| (s.id.to_string(), words(&t, s))).collect::<Vec<_>>()
    });
    view! {
        <PickField label=which.label() field value on_change=set options
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
    let f = which.fields();
    let (fqdn, set_fqdn) = text(w, f.fqdn);
    let (named, set_named) = text(w, f.named);
    let (instance, set_instance) = text(w, f.instance);
    let (at, set_at) = place(w, f.placement);
    // A rule about the store as a whole stands at its name.
    let wrong = Signal::derive(move || w.problem_at(f.fqdn).or_else(|| w.problem_at(f.existing)));
    view! {
        <fieldset class="wizard-inset">
            <legend class="visually-hidden">"Define New SQL Store"</legend>
            <TextField label="SQL Server FQDN" name=f.fqdn value=fqdn on_change=set_fqdn required=true mono=true check=super::check_fqdn problem=wrong
                help=|| "The SQL Server on which the database is to be created, for example sql01.contoso.com." />
            <RadioGroup label="Instance" value=named on_change=set_named options=no_or_yes("Default Instance", "Named Instance") />
            {move || (*named.read() == "true").then(|| view! {
                <TextField label="Instance name" name=f.instance value=instance on_change=set_instance required=true mono=true
                    check=super::check_named problem=problem(w, f.instance)
                    help=|| "The name only, without the server before it. A mistyped one is found when publishing." />
            })}
            <PlaceField of=PlaceOf::SqlStore value=at on_change=set_at />
        </fieldset>
    }
}

/// One press instead of describing the same store again.
#[component]
fn Share(which: Slot) -> impl IntoView {
    let w = use_wizard();
    which.shares_with().map(|other| {
        let why = Signal::derive(move || {
            let d = w.draft.read();
            let none = match other {
                Slot::Mirror => !d.mirrored,
                Slot::BackupMirror => !d.backup_mirrored,
                _ => false,
            };
            let same = which.get(&d) == other.get(&d);
            none.then_some("mgc has no mirror.")
                .or(same.then_some("It is the same already."))
                .map(str::to_owned)
        });
        let take = move |()| {
            w.edit(|d| {
                let choice = other.get(d).clone();
                *which.get_mut(d) = choice;
            });
        };
        let label = match other {
            Slot::Primary => "Use the store of mgc",
            Slot::Backup => "Use the backup store of mgc",
            _ => "Use the mirror of mgc",
        };
        view! { <div><Button label kind=ButtonKind::Plain blocked=why on_press=take /></div> }
    })
}
