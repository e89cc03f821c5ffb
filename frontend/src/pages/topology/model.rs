//! The draft as a tree: what stands in it, what is not published yet, what is wrong at which object.

use std::collections::{BTreeMap, BTreeSet};

use shared::api::TopologyView;
use shared::error::Problem;
use shared::topology::diff::{Change, ObjectKind};
use shared::topology::{Edition, Topology};

/// The part of an address that names a kind of object.
pub fn slug(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::SipDomain => "sip-domain",
        ObjectKind::Site => "site",
        ObjectKind::FrontEndPool => "front-end-pool",
        ObjectKind::SqlStore => "sql-store",
        ObjectKind::FileStore => "file-store",
        ObjectKind::Pool => "pool",
        ObjectKind::DataCenter => "data-center",
    }
}

/// The kind that a part of an address names.
pub fn kind_of_slug(text: &str) -> Option<ObjectKind> {
    KINDS.into_iter().find(|k| slug(*k) == text)
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

/// How an object of the draft differs from what is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Not published yet.
    New,
    /// Published with other properties.
    Changed,
}

impl Mark {
    /// The word beside the name.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
        }
    }
}

/// An object of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its id; the name where names are the identity.
    pub id: String,
    /// Its name as the cmdlets take it.
    pub name: String,
    /// A word more, for example its edition.
    pub note: &'static str,
    /// Not published yet, or changed.
    pub mark: Option<Mark>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Computers in it.
    pub computers: Vec<String>,
}

/// Every object of a kind, in the draft's order.
pub fn nodes(view: &TopologyView, kind: ObjectKind) -> Vec<Node> {
    these(view, kind, None)
}

/// One object.
pub fn node(view: &TopologyView, kind: ObjectKind, id: &str) -> Option<Node> {
    these(view, kind, Some(id)).pop()
}

/// Every object of a kind, or the one with an id: of a thousand pools only that one is spelt out.
fn these(view: &TopologyView, kind: ObjectKind, only: Option<&str>) -> Vec<Node> {
    let marks = Marks::of(&view.changes, kind);
    let mut problems = problems_of(&view.problems, kind);
    raw(&view.draft, kind, only)
        .into_iter()
        .map(|(i, r)| Node {
            mark: marks.mark(&r.id, &r.name),
            problems: problems.remove(&i).unwrap_or_default(),
            kind,
            id: r.id,
            name: r.name,
            note: r.note,
            computers: r.computers,
        })
        .collect()
}

/// Pools of a kind by the id of their site.
pub fn by_site(view: &TopologyView, kind: ObjectKind) -> BTreeMap<String, Vec<Node>> {
    let d = &view.draft;
    let sites: Vec<&str> = match kind {
        ObjectKind::FrontEndPool => d.front_end_pools.iter().map(|p| p.site.as_str()).collect(),
        ObjectKind::Pool => d.pools.iter().map(|p| p.site.as_str()).collect(),
        _ => Vec::new(),
    };
    let mut out: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for (site, node) in sites.into_iter().zip(nodes(view, kind)) {
        out.entry(site.to_owned()).or_default().push(node);
    }
    out
}

/// What the draft takes out, as sentences.
pub fn removals(view: &TopologyView) -> Vec<String> {
    said(view, |c| matches!(c, Change::Removed { .. }))
}

fn said(view: &TopologyView, wanted: impl Fn(&Change) -> bool) -> Vec<String> {
    view.changes.iter().zip(&view.sentences).filter(|(c, _)| wanted(c)).map(|(_, s)| s.clone()).collect()
}

/// What changes at one object, as sentences.
pub fn changes_of(view: &TopologyView, node: &Node) -> Vec<String> {
    said(view, |c| match c {
        Change::Added { kind, name, .. } => *kind == node.kind && *name == node.name,
        Change::Modified { kind, id, .. } => *kind == node.kind && *id == node.id,
        Change::Removed { .. } => false,
    })
}

struct Raw {
    id: String,
    name: String,
    note: &'static str,
    computers: Vec<String>,
}

/// The objects with their places in the document.
fn raw(t: &Topology, kind: ObjectKind, only: Option<&str>) -> Vec<(usize, Raw)> {
    let plain = |id: String, name: String| Raw { id, name, note: "", computers: Vec::new() };
    let wanted = |id: &str| only.is_none_or(|o| o == id);
    let mut out = Vec::new();
    match kind {
        ObjectKind::SipDomain => {
            for (i, d) in t.sip_domains.iter().enumerate().filter(|(_, d)| wanted(d.as_str())) {
                out.push((i, plain(d.to_string(), d.to_string())));
            }
        }
        ObjectKind::Site => {
            for (i, s) in t.sites.iter().enumerate().filter(|(_, s)| wanted(s.id.as_str())) {
                out.push((i, plain(s.id.to_string(), s.site_id.clone())));
            }
        }
        ObjectKind::SqlStore => {
            for (i, s) in t.sql_stores.iter().enumerate().filter(|(_, s)| wanted(s.id.as_str())) {
                out.push((i, plain(s.id.to_string(), s.label())));
            }
        }
        ObjectKind::DataCenter => {
            for (i, d) in t.data_centers.iter().enumerate().filter(|(_, d)| wanted(&d.name.to_lowercase())) {
                out.push((i, plain(d.name.to_lowercase(), d.name.clone())));
            }
        }
        ObjectKind::FileStore => {
            for (i, s) in t.file_stores.iter().enumerate().filter(|(_, s)| wanted(s.id.as_str())) {
                out.push((i, plain(s.id.to_string(), s.label())));
            }
        }
        ObjectKind::FrontEndPool => {
            for (i, p) in t.front_end_pools.iter().enumerate().filter(|(_, p)| wanted(p.id.as_str())) {
                let raw = Raw {
                    note: if p.edition == Edition::Standard { "Standard Edition" } else { "" },
                    computers: p.servers.iter().map(|s| s.fqdn.to_string()).collect(),
                    ..plain(p.id.to_string(), p.fqdn.to_string())
                };
                out.push((i, raw));
            }
        }
        ObjectKind::Pool => {
            for (i, p) in t.pools.iter().enumerate().filter(|(_, p)| wanted(p.id.as_str())) {
                let computers = p.computers.iter().map(|c| c.fqdn.to_string()).collect();
                out.push((i, Raw { computers, ..plain(p.id.to_string(), p.fqdn.to_string()) }));
            }
        }
    }
    out
}

/// Which objects of a kind are new or changed.
struct Marks<'a> {
    new: BTreeSet<&'a str>,
    changed: BTreeSet<&'a str>,
}

impl<'a> Marks<'a> {
    fn of(changes: &'a [Change], of: ObjectKind) -> Self {
        let mut out = Self { new: BTreeSet::new(), changed: BTreeSet::new() };
        for c in changes {
            match c {
                Change::Added { kind, name, .. } if *kind == of => drop(out.new.insert(name.as_str())),
                Change::Modified { kind, id, .. } if *kind == of => drop(out.changed.insert(id.as_str())),
                _ => {}
            }
        }
        out
    }

    fn mark(&self, id: &str, name: &str) -> Option<Mark> {
        if self.new.contains(name) {
            Some(Mark::New)
        } else {
            self.changed.contains(id).then_some(Mark::Changed)
        }
    }
}

/// Problems by the place of their object in its list.
fn problems_of(all: &[Problem], kind: ObjectKind) -> BTreeMap<usize, Vec<Problem>> {
    let list = match kind {
        ObjectKind::SipDomain => "sip_domains",
        ObjectKind::Site => "sites",
        ObjectKind::FrontEndPool => "front_end_pools",
        ObjectKind::SqlStore => "sql_stores",
        ObjectKind::FileStore => "file_stores",
        ObjectKind::Pool => "pools",
        ObjectKind::DataCenter => "data_centers",
    };
    let mut out: BTreeMap<usize, Vec<Problem>> = BTreeMap::new();
    for p in all {
        let mut parts = p.field.split('.');
        if parts.next() == Some(list)
            && let Some(i) = parts.next().and_then(|i| i.parse().ok())
        {
            out.entry(i).or_default().push(p.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;
    use shared::topology::diff::diff;
    use shared::topology::validate::validate;

    use super::*;

    fn view(published: Topology, draft: Topology) -> TopologyView {
        let changes = diff(&published, &draft);
        TopologyView {
            sentences: changes.iter().map(|c| c.sentence(&draft)).collect(),
            effects: Vec::new(),
            problems: validate(&draft),
            version: Some(1),
            revision: 1,
            publishers: Vec::new(),
            name: "main".to_owned(),
            base: Some(1),
            drafts: Vec::new(),
            merge: None,
            wizards: Vec::new(),
            published,
            draft,
            changes,
        }
    }

    #[test]
    fn an_unchanged_draft_has_no_marks() {
        let v = view(litware(), litware());
        for kind in KINDS {
            assert!(nodes(&v, kind).iter().all(|n| n.mark.is_none() && n.problems.is_empty()), "{kind:?}");
        }
        assert_eq!(nodes(&v, ObjectKind::Pool)[0].computers.len(), 6);
    }

    #[test]
    fn new_changed_and_removed_objects_are_told_apart() {
        let mut draft = litware();
        let old = litware();
        draft.pools[1].display_name = "Another".to_owned();
        draft.sip_domains.remove(1);
        draft.sites[0].site_id = "Seattle".to_owned();
        let mut published = old;
        published.sql_stores.remove(0);
        let v = view(published, draft);
        assert_eq!(nodes(&v, ObjectKind::SqlStore)[0].mark, Some(Mark::New));
        assert_eq!(nodes(&v, ObjectKind::Pool)[1].mark, Some(Mark::Changed));
        assert_eq!(nodes(&v, ObjectKind::Pool)[0].mark, None);
        assert_eq!(removals(&v), ["The SIP domain contoso.com is removed."]);
        let site = node(&v, ObjectKind::Site, "site-redmond").expect("the site is still there");
        assert_eq!(changes_of(&v, &site).len(), 1);
    }

    #[test]
    fn problems_stand_at_their_object_only() {
        let mut draft = litware();
        for i in 0..9 {
            draft.sites.push(shared::topology::Site {
                id: shared::ObjectId::try_from(format!("s{i}")).expect("well formed"),
                site_id: format!("Site {i}"),
            });
        }
        let v = view(litware(), draft);
        let sites = nodes(&v, ObjectKind::Site);
        // Site 1 (Dublin) has a default pool; sites 10 and 11 have none, and their index starts with 1.
        assert!(sites[1].problems.is_empty() && sites[10].problems.len() == 1);
    }
}
