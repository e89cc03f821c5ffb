//! *Edit properties* of an object of the draft. The fields of all kinds of objects are described in one
//! shape, so that one form draws them; what was not changed is not sent.

use leptos::prelude::*;
use serde_json::{Map, Value, json};
use shared::Port;
use shared::api::TopologyView;
use shared::error::{ApiError, ErrorCode};
use shared::topology::diff::ObjectKind;
use shared::topology::{ChatPool, Computer, FileStoreRef, PoolKind, Topology};

use super::front_end::lines;
use super::model::{Node, kind_of_slug, node};
use super::new_object::check_fqdn;
use super::place::word;
use super::stores::{check_file_share, check_named};
use crate::api::Current;
use crate::components::{ActForm, Button, Notice, NoticeKind, SelectField, TextField};
use crate::routes::Route;

type Check = fn(&str) -> Result<(), String>;

/// How a field is filled in, and what it becomes on the line.
enum Way {
    Text,
    /// A name, checked.
    Name(Check),
    /// One name per line; becomes `@{Replace=…}`.
    List(Check),
    /// One of these; the text is said for none.
    Choice(Vec<(String, String)>, &'static str),
    /// Like a choice; none switches this parameter off instead.
    Switched(Vec<(String, String)>, &'static str, &'static str),
}

struct Input {
    label: &'static str,
    name: &'static str,
    help: &'static str,
    way: Way,
    first: String,
    value: RwSignal<String>,
}

fn input(label: &'static str, name: &'static str, first: String, way: Way, help: &'static str) -> Input {
    Input { label, name, help, way, value: RwSignal::new(first.clone()), first }
}

impl Input {
    /// What the field adds to the arguments; nothing when it was not changed.
    fn argument(&self) -> Option<(String, Value)> {
        let value = self.value.get();
        if value.trim() == self.first.trim() {
            return None;
        }
        Some(match self.way {
            Way::Name(_) if self.name == "Port" => {
                (self.name.to_owned(), value.trim().parse::<u32>().ok().into())
            }
            Way::Text | Way::Name(_) | Way::Choice(..) => (self.name.to_owned(), value.trim().into()),
            Way::List(_) => (self.name.to_owned(), json!({ "Replace": lines(&value) })),
            Way::Switched(.., off) if value.is_empty() => (off.to_owned(), false.into()),
            Way::Switched(..) => (self.name.to_owned(), value.into()),
        })
    }
}

fn any(_: &str) -> Result<(), String> {
    Ok(())
}

fn check_port(text: &str) -> Result<(), String> {
    Port::parse(text).map(drop).map_err(|e| e.0)
}

fn each_fqdn(text: &str) -> Result<(), String> {
    lines(text).iter().try_for_each(|l| check_fqdn(l).map_err(|e| format!("{l}: {e}")))
}

fn names(list: &[Computer]) -> String {
    list.iter().map(|c| c.fqdn.to_string()).collect::<Vec<_>>().join("\n")
}

/// The form below the details of the object in the address; none for a kind that has no properties.
#[component]
pub fn EditObject(
    /// The topology.
    view: Current<TopologyView>,
    /// The object's kind, as in the address.
    kind: String,
    /// Its id.
    id: String,
) -> impl IntoView {
    let kind = kind_of_slug(&kind);
    let seen = Seen {
        view,
        revision: RwSignal::new(0),
        again: RwSignal::new(0),
        touched: RwSignal::new(false),
        saved: RwSignal::new(false),
        asked: RwSignal::new(Vec::new()),
    };
    Effect::new(move |_| seen.follow());
    move || {
        seen.again.track();
        let kind = kind.filter(|k| *k != ObjectKind::SipDomain)?;
        let found = view.with_untracked(|v| {
            seen.begin(v.revision);
            node(v, kind, &id)
        });
        found.map(|n| folded(n, seen))
    }
}

/// The form as a line that opens: with thousands of stores to choose from it is not made before.
fn folded(n: Node, seen: Seen) -> AnyView {
    let opened = RwSignal::new(false);
    let n = StoredValue::new(n);
    let inside = move || {
        let n = opened.get().then(|| n.get_value())?;
        seen.view.with_untracked(|v| form(v, n, seen))
    };
    view! {
        <details class="card edit-object" on:toggle=move |_| opened.set(true)>
            <summary>"Edit properties"</summary>
            {inside}
        </details>
    }
    .into_any()
}

/// What the form was made from, and what somebody else changed under it. It outlives the form, which is made
/// anew when the draft moved on.
#[derive(Clone, Copy)]
struct Seen {
    view: Current<TopologyView>,
    /// Revision of the draft that the fields show.
    revision: RwSignal<u32>,
    /// Makes the form anew.
    again: RwSignal<u32>,
    /// Something was typed that is not stored.
    touched: RwSignal<bool>,
    /// It was sent and stored: the next revision is its own.
    saved: RwSignal<bool>,
    /// Parameters where a choice is asked for.
    asked: RwSignal<Vec<String>>,
}

impl Seen {
    /// The form is made from this revision.
    fn begin(self, revision: u32) {
        self.revision.set(revision);
        self.touched.set(false);
        self.saved.set(false);
        self.asked.set(Vec::new());
    }

    /// A newer revision came: the form follows unless somebody is typing in it.
    fn follow(self) {
        let newer = self.view.with(|v| v.revision) != self.revision.get_untracked();
        if newer && (self.saved.get() || !self.touched.get_untracked()) {
            self.again.update(|n| *n += 1);
        }
    }

    /// The choice at a field was made; after the last one the form stands on the newest revision.
    fn chosen(self, parameter: &str) {
        self.asked.update(|list| list.retain(|p| p != parameter));
        if self.asked.with_untracked(Vec::is_empty) {
            self.revision.set(self.view.with_untracked(|v| v.revision));
        }
    }
}

fn form(v: &TopologyView, n: Node, seen: Seen) -> Option<AnyView> {
    let (cmdlet, identity, inputs, hidden) = describe(&v.draft, &n)?;
    seen.begin(v.revision);
    let inputs = StoredValue::new(inputs);
    let arguments = Signal::derive(move || {
        let mut out = Map::new();
        out.insert("Identity".to_owned(), identity.clone().into());
        // What is asked for while the form is made anew finds the old one gone.
        let _ = inputs.try_with_value(|list| out.extend(list.iter().filter_map(Input::argument)));
        if out.len() > 1 {
            out.insert("DraftRevision".to_owned(), seen.revision.get().into());
        }
        out
    });
    Effect::new(move |_| seen.touched.set(arguments.with(|a| a.len() > 1)));
    let blocked = Signal::derive(move || {
        let asked = !seen.asked.with(Vec::is_empty);
        if !seen.touched.get() {
            Some("Nothing was changed yet.".to_owned())
        } else {
            asked.then(|| "Choose what counts where somebody else changed the same.".to_owned())
        }
    });
    let label = format!("Change {} in the draft", n.name);
    let refused = Callback::new(move |e: ApiError| {
        if e.code == ErrorCode::Conflict {
            seen.asked.set(e.problems.into_iter().map(|p| p.field).collect());
        }
    });
    let done = std::sync::Arc::new(move |_: &_| {
        // The page may be another one by now.
        let _ = seen.saved.try_set(true);
    });
    let n = StoredValue::new(n);
    let view = view! {
        // The fields are made inside: they belong to this form, not to one that was there before.
        <ActForm cmdlet args=arguments label blocked on_done=done on_refused=refused cancel=Route::Topology.href()>
            {inputs.with_value(|list| list.iter().map(draw).collect_view())}
            {move || seen.asked.get().into_iter().map(|p| conflict(p, inputs, n, seen)).collect_view()}
            {hidden.into_iter().map(|text| view! { <Notice><p>{text}</p></Notice> }).collect_view()}
        </ActForm>
    };
    Some(view.into_any())
}

/// Somebody else changed this field meanwhile: both values, and the choice.
fn conflict(parameter: String, inputs: StoredValue<Vec<Input>>, n: StoredValue<Node>, seen: Seen) -> AnyView {
    let of = |list: &[Input]| {
        list.iter()
            .find(|i| i.name == parameter || off_of(i) == Some(&parameter))
            .map(|i| (i.label, i.name, i.value))
    };
    let Some((label, name, value)) = inputs.try_with_value(|l| of(l)).flatten() else { return ().into_any() };
    let theirs = Memo::new(move |_| {
        let list = seen.view.with(|v| n.try_with_value(|n| describe(&v.draft, n)).flatten());
        let own = list.and_then(|(_, _, list, _)| list.into_iter().find(|i| i.name == name));
        own.map(|i| i.first).unwrap_or_default()
    });
    let keep = parameter.clone();
    view! {
        <Notice kind=NoticeKind::Warning>
            <p>"Somebody else changed "<strong>{label}</strong>" meanwhile."</p>
            <dl class="yours-theirs">
                <dt>"Yours"</dt><dd class="mono">{move || value.get()}</dd>
                <dt>"Theirs"</dt><dd class="mono">{theirs}</dd>
            </dl>
            <div class="row">
                <Button label="Keep yours" on_press=move |()| seen.chosen(&keep) />
                <Button label="Take theirs" on_press=move |()| {
                    value.set(theirs.get_untracked());
                    seen.chosen(&parameter);
                } />
            </div>
        </Notice>
    }
    .into_any()
}

/// The switch that a field sends in place of its own parameter.
fn off_of(i: &Input) -> Option<&'static str> {
    if let Way::Switched(.., off) = i.way { Some(off) } else { None }
}

fn draw(i: &Input) -> AnyView {
    let (label, name, help, value) = (i.label, i.name, i.help, i.value);
    match &i.way {
        Way::Text => view! { <TextField label name value help=move || help /> }.into_any(),
        Way::Name(check) => {
            view! { <TextField label name value mono=true check=*check help=move || help /> }.into_any()
        }
        Way::List(check) => {
            view! { <TextField label name value mono=true rows=4 check=*check help=move || help /> }
                .into_any()
        }
        Way::Choice(options, none) | Way::Switched(options, none, _) => {
            let options = options.clone();
            view! { <SelectField label name value options=Signal::stored(options) none=*none help=move || help /> }
                .into_any()
        }
    }
}

type Described = (&'static str, String, Vec<Input>, Vec<&'static str>);

/// Cmdlet, identity, fields, and why a field is not there.
fn describe(t: &Topology, n: &Node) -> Option<Described> {
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
            } else {
                fields.push(input(
                    "Front End Servers",
                    "Servers",
                    names(&p.servers),
                    Way::List(each_fqdn),
                    "One FQDN per line.",
                ));
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
                input(
                    "Where it is",
                    "Placement",
                    word(&s.placement),
                    Way::Text,
                    "RunHere, Guided (a SQL Server that a person drives), or an address.",
                ),
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
                input(
                    "Where it is",
                    "Placement",
                    word(&f.placement),
                    Way::Text,
                    "RunHere, or a folder of this machine.",
                ),
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

fn pool(t: &Topology, p: &ChatPool) -> Described {
    let sql: Vec<_> = t.sql_stores.iter().map(|s| (s.label(), s.label())).collect();
    let label = |id: Option<&shared::ObjectId>| {
        id.and_then(|id| t.sql_store(id)).map(|s| s.label()).unwrap_or_default()
    };
    let sites: Vec<_> = p.default_for.iter().filter_map(|s| t.site(s)).map(|s| s.site_id.clone()).collect();
    let hops = t.front_end_pools.iter().map(|f| (f.fqdn.to_string(), f.fqdn.to_string())).collect();
    let hop = t.front_end_pool(&p.next_hop).map(|f| f.fqdn.to_string()).unwrap_or_default();
    let mut hidden = vec![
        "FQDN, kind and SQL Server store are final: to change them, remove the pool and define it anew.",
    ];
    let mut out = vec![
        input(
            "Display name",
            "DisplayName",
            p.display_name.clone(),
            Way::Text,
            "Clients show it to tell the rooms of several pools apart.",
        ),
        input(
            "Persistent Chat port",
            "Port",
            p.port.to_string(),
            Way::Name(check_port),
            "Front End Servers talk to the pool's servers on it; 5041 by default.",
        ),
        input(
            "Default for sites",
            "DefaultForSites",
            sites.join("\n"),
            Way::List(any),
            "Names of sites, one per line: where their users create rooms.",
        ),
    ];
    if p.kind == PoolKind::Single {
        hidden.push("No computer can be added to a single computer pool.");
        hidden.push("Only a multiple computer pool has backup databases.");
    } else {
        out.push(input(
            "Computers in this pool",
            "Computers",
            names(&p.computers),
            Way::List(each_fqdn),
            "One FQDN per line, eight at most. Which are active is chosen on the pool's Servers page.",
        ));
        out.push(input(
            "Backup SQL Server store",
            "BackupSqlStore",
            label(p.backup_sql_store.as_ref()),
            Way::Switched(sql.clone(), "none: disaster recovery is off", "DisasterRecovery"),
            "Turns disaster recovery on; it gets a first copy when it is published.",
        ));
    }
    out.push(input(
        "Mirroring SQL Server store",
        "MirrorSqlStore",
        label(p.mirror_sql_store.as_ref()),
        Way::Choice(sql.clone(), "none"),
        "A second copy that has every post before it is acknowledged. It is set up when it is published.",
    ));
    if p.backup_sql_store.is_some() {
        out.push(input(
            "Mirroring SQL Server store of the backup",
            "BackupMirrorSqlStore",
            label(p.backup_mirror_sql_store.as_ref()),
            Way::Choice(sql.clone(), "none"),
            "Mirrors the backup database while that is in use; another store than the mirror above.",
        ));
    }
    let compliance = Way::Switched(sql.clone(), "none: compliance is off", "Compliance");
    out.push(input(
        "Compliance SQL Server store",
        "ComplianceSqlStore",
        label(p.compliance_sql_store.as_ref()),
        compliance,
        "Turns compliance on: every event is queued in mgccomp there.",
    ));
    let mut mirror = |words, name, of: Option<&shared::ObjectId>| {
        let help = "A second copy of mgccomp: an event is queued when both have it.";
        out.push(input(words, name, label(of), Way::Choice(sql.clone(), "none"), help));
    };
    if p.compliance {
        let of = p.compliance_mirror_sql_store.as_ref();
        mirror("Compliance SQL Server store mirror", "ComplianceMirrorSqlStore", of);
    }
    if p.compliance && p.backup_sql_store.is_some() {
        let of = p.backup_compliance_mirror_sql_store.as_ref();
        mirror("Backup compliance SQL Server store mirror", "BackupComplianceMirrorSqlStore", of);
    }
    if p.kind == PoolKind::Multiple {
        out.push(input(
            "Backup compliance SQL Server store",
            "BackupComplianceSqlStore",
            label(p.backup_compliance_sql_store.as_ref()),
            Way::Choice(sql, "none"),
            "Needed with both compliance and disaster recovery.",
        ));
    }
    if matches!(p.file_store, FileStoreRef::Share(_)) {
        let files = t.file_stores.iter().map(|f| (f.label(), f.label())).collect();
        out.push(input(
            "File store",
            "FileStore",
            t.file_store_label(&p.file_store),
            Way::Choice(files, "Choose …"),
            "Files are not moved.",
        ));
    }
    out.push(input(
        "Next hop pool",
        "NextHop",
        hop,
        Way::Choice(hops, "Choose …"),
        "The Front End pool whose servers route requests to this pool.",
    ));
    ("Set-LgPersistentChatPool", p.fqdn.to_string(), out, hidden)
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
    let label = Signal::derive(move || super::new_object::named("Add the data centre", &name.read()));
    view! {
        <ActForm cmdlet="Set-LgDataCenter" args=arguments label on_done=super::new_object::to_topology() cancel=Route::Topology.href()>
            <TextField label="Name" name="Identity" value=name required=true help=|| "For example Atlanta. It says which machines stand near each other." />
            {inputs.with_value(|list| list.iter().map(draw).collect_view())}
        </ActForm>
    }
}
