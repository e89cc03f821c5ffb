//! What differs between two topologies: typed first, a sentence second.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Topology;
use super::lookup::Lookup;
use crate::names::ObjectId;

/// What kind of object changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// SIP domain.
    SipDomain,
    /// Site.
    Site,
    /// Front End pool.
    FrontEndPool,
    /// SQL Server store.
    SqlStore,
    /// File store.
    FileStore,
    /// Persistent Chat pool.
    Pool,
    /// Data centre.
    DataCenter,
}

impl ObjectKind {
    /// The word that names it in a cmdlet's parameter.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::SipDomain => "SipDomain",
            Self::Site => "Site",
            Self::FrontEndPool => "FrontEndPool",
            Self::SqlStore => "SqlStore",
            Self::FileStore => "FileStore",
            Self::Pool => "Pool",
            Self::DataCenter => "DataCenter",
        }
    }

    /// The kind that a cmdlet's parameter names.
    pub fn parse(word: &str) -> Option<Self> {
        KINDS.into_iter().find(|k| k.parameter().eq_ignore_ascii_case(word.trim()))
    }

    /// As a sentence names it.
    pub fn words(self) -> &'static str {
        match self {
            Self::SipDomain => "SIP domain",
            Self::Site => "site",
            Self::FrontEndPool => "Front End pool",
            Self::SqlStore => "SQL Server store",
            Self::FileStore => "file store",
            Self::Pool => "Persistent Chat pool",
            Self::DataCenter => "data centre",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// Stands in the new one only.
    Added {
        /// Kind of object.
        kind: ObjectKind,
        /// Its name.
        name: String,
        /// The whole object.
        object: Value,
    },
    /// Stood in the old one only.
    Removed {
        /// Kind of object.
        kind: ObjectKind,
        /// Its name.
        name: String,
        /// Its id (or name where names are the identity).
        id: String,
    },
    /// A field differs.
    Modified {
        /// Kind of object.
        kind: ObjectKind,
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// Which field.
        field: String,
        /// Before.
        from: Value,
        /// After.
        to: Value,
    },
}

impl Change {
    /// The sentence the publish page shows; `t` resolves ids of `after` to names. For many, see [`sentences`].
    pub fn sentence(&self, t: &Topology) -> String {
        self.said(&Lookup::new(t))
    }

    fn said(&self, t: &Lookup<'_>) -> String {
        match self {
            Self::Added { kind, name, object } => match added_detail(*kind, object, t) {
                Some(detail) => format!("The {} {name} is added: {detail}.", kind.words()),
                None => format!("The {} {name} is added.", kind.words()),
            },
            Self::Removed { kind, name, .. } => format!("The {} {name} is removed.", kind.words()),
            Self::Modified { kind, name, field, from, to, .. } => format!(
                "The {} {name} changes its {}: {} → {}.",
                kind.words(),
                field.replace('_', " "),
                shown(from, t),
                shown(to, t)
            ),
        }
    }
}

/// A sentence for each change.
pub fn sentences(changes: &[Change], t: &Topology) -> Vec<String> {
    let t = Lookup::new(t);
    changes.iter().map(|c| c.said(&t)).collect()
}

fn added_detail(kind: ObjectKind, object: &Value, t: &Lookup<'_>) -> Option<String> {
    if kind != ObjectKind::Pool {
        return None;
    }
    let p: super::ChatPool = serde_json::from_value(object.clone()).ok()?;
    let store = t.sql_store(&p.sql_store).map(super::SqlStore::label).unwrap_or_default();
    let hop = t.front_end_pool(&p.next_hop).map(|f| f.fqdn.to_string()).unwrap_or_default();
    let n = p.computers.len();
    let mut text = format!(
        "{n} computer{} on port {}, mgc on {store}, files on {}, next hop {hop}",
        if n == 1 { "" } else { "s" },
        p.port,
        t.file_store_label(&p.file_store)
    );
    if let Some(b) = p.backup_sql_store.as_ref().and_then(|id| t.sql_store(id)) {
        text.push_str(&format!(", backup on {}", b.label()));
    }
    if p.compliance {
        text.push_str(", compliance on");
    }
    Some(text)
}

/// A value in words; `t` resolves ids to names.
pub fn show(v: &Value, t: &Topology) -> String {
    shown(v, &Lookup::new(t))
}

/// The same for many values.
pub(super) fn shown(v: &Value, t: &Lookup<'_>) -> String {
    match v {
        Value::Null => "none".to_owned(),
        Value::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        Value::String(s) => {
            ObjectId::try_from(s.as_str()).ok().and_then(|id| name_of(&id, t)).unwrap_or_else(|| s.clone())
        }
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(|i| shown(i, t)).collect::<Vec<_>>().join(", "),
        Value::Object(o) => match (o.get("fqdn"), o.get("value")) {
            (Some(f), _) => shown(f, t),
            (None, Some(v)) => shown(v, t),
            _ => v.to_string(),
        },
        Value::Number(n) => n.to_string(),
    }
}

fn name_of(id: &ObjectId, t: &Lookup<'_>) -> Option<String> {
    t.site(id)
        .map(|s| s.site_id.clone())
        .or_else(|| t.sql_store(id).map(super::SqlStore::label))
        .or_else(|| t.file_store(id).map(super::FileStore::label))
        .or_else(|| t.front_end_pool(id).map(|p| p.fqdn.to_string()))
        .or_else(|| t.pool(id).map(|p| p.fqdn.to_string()))
}

struct Item {
    id: String,
    name: String,
    value: Value,
}

fn items(t: &Topology, kind: ObjectKind) -> Vec<Item> {
    fn of<T: Serialize>(list: &[T], id: impl Fn(&T) -> String, name: impl Fn(&T) -> String) -> Vec<Item> {
        list.iter()
            .map(|x| Item { id: id(x), name: name(x), value: serde_json::to_value(x).unwrap_or(Value::Null) })
            .collect()
    }
    match kind {
        ObjectKind::SipDomain => of(&t.sip_domains, ToString::to_string, ToString::to_string),
        ObjectKind::Site => of(&t.sites, |s| s.id.to_string(), |s| s.site_id.clone()),
        ObjectKind::FrontEndPool => of(&t.front_end_pools, |p| p.id.to_string(), |p| p.fqdn.to_string()),
        ObjectKind::SqlStore => of(&t.sql_stores, |s| s.id.to_string(), super::SqlStore::label),
        ObjectKind::FileStore => of(&t.file_stores, |s| s.id.to_string(), super::FileStore::label),
        ObjectKind::Pool => of(&t.pools, |p| p.id.to_string(), |p| p.fqdn.to_string()),
        ObjectKind::DataCenter => of(&t.data_centers, |d| d.name.to_lowercase(), |d| d.name.clone()),
    }
}

const KINDS: [ObjectKind; 7] = [
    ObjectKind::DataCenter,
    ObjectKind::SipDomain,
    ObjectKind::Site,
    ObjectKind::FrontEndPool,
    ObjectKind::SqlStore,
    ObjectKind::FileStore,
    ObjectKind::Pool,
];

/// Every difference from `before` to `after`; order of lists is not a difference.
pub fn diff(before: &Topology, after: &Topology) -> Vec<Change> {
    let mut out = Vec::new();
    for kind in KINDS {
        let (old, new) = (items(before, kind), items(after, kind));
        // The first of several with one id counts; so it has to be put in last.
        let known: BTreeMap<&str, &Item> = old.iter().rev().map(|o| (o.id.as_str(), o)).collect();
        let still: BTreeSet<&str> = new.iter().map(|n| n.id.as_str()).collect();
        for n in &new {
            match known.get(n.id.as_str()) {
                None => out.push(Change::Added { kind, name: n.name.clone(), object: n.value.clone() }),
                Some(o) => modified(kind, o, n, &mut out),
            }
        }
        for o in old.iter().filter(|o| !still.contains(o.id.as_str())) {
            out.push(Change::Removed { kind, name: o.name.clone(), id: o.id.clone() });
        }
    }
    out
}

fn modified(kind: ObjectKind, old: &Item, new: &Item, out: &mut Vec<Change>) {
    let (Value::Object(o), Value::Object(n)) = (&old.value, &new.value) else { return };
    for (field, to) in n {
        let from = o.get(field).unwrap_or(&Value::Null);
        if from != to {
            out.push(Change::Modified {
                kind,
                name: new.name.clone(),
                id: new.id.clone(),
                field: field.clone(),
                from: from.clone(),
                to: to.clone(),
            });
        }
    }
}

/// Applies `changes` to `base`; `apply(a, diff(a, b))` equals `b` up to the order of lists.
///
/// # Errors
/// A text when a change does not fit `base`.
pub fn apply(base: &Topology, changes: &[Change]) -> Result<Topology, String> {
    let mut doc = serde_json::to_value(base).map_err(|e| e.to_string())?;
    for c in changes {
        let kind = match c {
            Change::Added { kind, .. } | Change::Removed { kind, .. } | Change::Modified { kind, .. } => {
                *kind
            }
        };
        let lists = doc.as_object_mut().ok_or("the document is no object")?;
        let list = lists.entry(list_name(kind)).or_insert_with(|| Value::Array(Vec::new()));
        let list = list.as_array_mut().ok_or("the document has no such list")?;
        let at = |list: &[Value], id: &str| {
            list.iter().position(|v| {
                let own = v.as_str().or_else(|| v.get("id").and_then(Value::as_str));
                let named = v.get("name").and_then(Value::as_str).filter(|_| own.is_none());
                own == Some(id) || named.is_some_and(|n| n.to_lowercase() == id)
            })
        };
        match c {
            Change::Added { object, .. } => list.push(object.clone()),
            Change::Removed { id, name, .. } => {
                let i = at(list, id).ok_or_else(|| format!("{name} is not there"))?;
                list.remove(i);
            }
            Change::Modified { id, name, field, to, .. } => {
                let i = at(list, id).ok_or_else(|| format!("{name} is not there"))?;
                list[i][field] = to.clone();
            }
        }
    }
    serde_json::from_value(doc).map_err(|e| e.to_string())
}

fn list_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::SipDomain => "sip_domains",
        ObjectKind::Site => "sites",
        ObjectKind::FrontEndPool => "front_end_pools",
        ObjectKind::SqlStore => "sql_stores",
        ObjectKind::FileStore => "file_stores",
        ObjectKind::Pool => "pools",
        ObjectKind::DataCenter => "data_centers",
    }
}
