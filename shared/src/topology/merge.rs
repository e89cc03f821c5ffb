//! Three ways into one: a draft that was begun from `base`, and what was published meanwhile. What does not
//! collide is taken from both; what collides is asked for, with all three values side by side. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Topology;
use super::diff::{Change, ObjectKind, apply, diff, shown};
use super::lookup::Lookup;

/// Whose value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The draft's.
    Mine,
    /// What was published meanwhile.
    Theirs,
}

/// One place that differs from the base on either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    /// Names the place: `pool/ID/port`, or `pool/ID` for a whole object.
    pub key: String,
    /// The place in words.
    pub place: String,
    /// In the version that the draft was begun from.
    pub base: String,
    /// In the draft.
    pub yours: String,
    /// In what was published meanwhile.
    pub theirs: String,
    /// Both changed it, and not to the same.
    pub collides: bool,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Both together; where a collision is open, theirs stands.
    pub document: Topology,
    /// Every place that differs, collisions first.
    pub rows: Vec<Row>,
    /// Keys of collisions that nobody decided.
    pub open: Vec<String>,
}

/// What one side does to one object.
enum Act<'a> {
    Add(&'a Value),
    Remove,
    Set(BTreeMap<&'a str, (&'a Value, &'a Value)>),
}

type Object<'a> = (&'static str, String);
type Acts<'a> = BTreeMap<Object<'a>, (ObjectKind, &'a str, Act<'a>)>;

fn word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::DataCenter => "data_center",
        ObjectKind::SipDomain => "sip_domain",
        ObjectKind::Site => "site",
        ObjectKind::FrontEndPool => "front_end_pool",
        ObjectKind::SqlStore => "sql_store",
        ObjectKind::FileStore => "file_store",
        ObjectKind::Pool => "pool",
    }
}

/// The identity of an object that is added: its id, or its name where names are the identity.
fn id_of(object: &Value, name: &str) -> String {
    let id = object.get("id").or(object.as_str().map(|_| object)).and_then(Value::as_str);
    id.map_or_else(|| name.to_lowercase(), str::to_owned)
}

fn acts(changes: &[Change]) -> Acts<'_> {
    let mut out: Acts<'_> = BTreeMap::new();
    for c in changes {
        match c {
            Change::Added { kind, name, object } => {
                out.insert((word(*kind), id_of(object, name)), (*kind, name, Act::Add(object)));
            }
            Change::Removed { kind, name, id } => {
                out.insert((word(*kind), id.clone()), (*kind, name, Act::Remove));
            }
            Change::Modified { kind, name, id, field, from, to } => {
                let at = out.entry((word(*kind), id.clone()));
                let (.., act) = at.or_insert_with(|| (*kind, name, Act::Set(BTreeMap::new())));
                if let Act::Set(fields) = act {
                    fields.insert(field, (from, to));
                }
            }
        }
    }
    out
}

/// The place that a change is made at, as [`Row::key`] names it.
pub fn key_of(c: &Change) -> String {
    match c {
        Change::Added { kind, name, object } => format!("{}/{}", word(*kind), id_of(object, name)),
        Change::Removed { kind, id, .. } => format!("{}/{id}", word(*kind)),
        Change::Modified { kind, id, field, .. } => format!("{}/{id}/{field}", word(*kind)),
    }
}

/// Merges; `choose` decides collisions by [`Row::key`].
///
/// # Errors
/// A text when a document cannot be put together.
pub fn merge(
    base: &Topology,
    yours: &Topology,
    theirs: &Topology,
    choose: &BTreeMap<String, Side>,
) -> Result<Merged, String> {
    let (mine, their) = (diff(base, yours), diff(base, theirs));
    let (my_acts, their_acts) = (acts(&mine), acts(&their));
    let mut m = Merger {
        base: Lookup::new(base),
        yours: Lookup::new(yours),
        theirs: Lookup::new(theirs),
        choose,
        rows: Vec::new(),
        open: Vec::new(),
        drop: BTreeSet::new(),
        restore: Vec::new(),
    };
    let keys: BTreeSet<&Object<'_>> = my_acts.keys().chain(their_acts.keys()).collect();
    for key in keys {
        m.object(key, my_acts.get(key), their_acts.get(key));
    }
    let (drop, restore) = (m.drop, m.restore);
    let mut kept: Vec<Change> = mine.into_iter().filter(|c| !drop.contains(&key_of(c))).collect();
    kept.splice(0..0, restore);
    let document = apply(theirs, &kept)?;
    m.rows.sort_by_key(|r| !r.collides);
    Ok(Merged { document, rows: m.rows, open: m.open })
}

struct Merger<'a> {
    base: Lookup<'a>,
    yours: Lookup<'a>,
    theirs: Lookup<'a>,
    choose: &'a BTreeMap<String, Side>,
    rows: Vec<Row>,
    open: Vec<String>,
    /// Keys of my changes that are not made.
    drop: BTreeSet<String>,
    /// What has to be put in order before my changes fit on theirs.
    restore: Vec<Change>,
}

type Known<'a> = (ObjectKind, &'a str, Act<'a>);

impl Merger<'_> {
    fn object(&mut self, key: &Object<'_>, mine: Option<&Known<'_>>, their: Option<&Known<'_>>) {
        let name = format!("{}/{}", key.0, key.1);
        match (mine, their) {
            (Some((kind, label, Act::Set(a))), Some((_, _, Act::Set(b)))) => {
                let fields: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
                for f in fields {
                    let (x, y) = (a.get(f).copied(), b.get(f).copied());
                    self.field(&name, *kind, label, f, x, y);
                }
            }
            (Some((kind, label, Act::Set(a))), None) => {
                for (f, v) in a {
                    self.field(&name, *kind, label, f, Some(*v), None);
                }
            }
            (None, Some((kind, label, Act::Set(b)))) => {
                for (f, v) in b {
                    self.field(&name, *kind, label, f, None, Some(*v));
                }
            }
            (None, Some((kind, label, theirs))) => {
                let (base, said) = whole(theirs);
                self.row(&name, *kind, label, [base, base.to_owned().as_str(), said], false);
            }
            (Some((kind, label, mine)), None) => {
                let (base, said) = whole(mine);
                self.row(&name, *kind, label, [base, said, base.to_owned().as_str()], false);
            }
            (Some((kind, label, mine)), Some((_, _, theirs))) => {
                self.both(&name, &key.1, *kind, label, mine, theirs);
            }
            (None, None) => {}
        }
    }

    /// Both sides did something to the whole object, or one to the whole and the other to its fields.
    fn both(&mut self, key: &str, id: &str, kind: ObjectKind, label: &str, mine: &Act<'_>, theirs: &Act<'_>) {
        let same = match (mine, theirs) {
            (Act::Add(a), Act::Add(b)) => a == b,
            (Act::Remove, Act::Remove) => true,
            _ => false,
        };
        let (base, yours) = whole(mine);
        let (_, their) = whole(theirs);
        self.row(key, kind, label, [base, yours, their], !same);
        let side = if same { Some(Side::Theirs) } else { self.decided(key) };
        // My changes of this object, whole or by field, are all named by its key.
        let dropped = |m: &Act<'_>| match m {
            Act::Set(fields) => fields.keys().map(|f| format!("{key}/{f}")).collect::<Vec<_>>(),
            Act::Add(_) | Act::Remove => vec![key.to_owned()],
        };
        if side != Some(Side::Mine) {
            self.drop.extend(dropped(mine));
            return;
        }
        match (mine, theirs) {
            // It is gone there: it comes back as I have it, changed fields and all.
            (Act::Set(_), Act::Remove) => {
                self.drop.extend(dropped(mine));
                if let Some(object) = value_of(&self.yours, kind, id) {
                    self.restore.push(Change::Added { kind, name: label.to_owned(), object });
                }
            }
            (Act::Add(_), Act::Add(_)) => {
                self.restore.push(Change::Removed { kind, name: label.to_owned(), id: id.to_owned() });
            }
            _ => {}
        }
    }

    fn field(
        &mut self,
        object: &str,
        kind: ObjectKind,
        label: &str,
        field: &str,
        mine: Option<(&Value, &Value)>,
        theirs: Option<(&Value, &Value)>,
    ) {
        let key = format!("{object}/{field}");
        let Some((from, _)) = mine.or(theirs) else { return };
        let (x, y) = (mine.map_or(from, |m| m.1), theirs.map_or(from, |t| t.1));
        let collides = mine.is_some() && theirs.is_some() && x != y;
        let shown = [shown(from, &self.base), shown(x, &self.yours), shown(y, &self.theirs)];
        let words = format!("{} {label}, {}", kind.words(), field.replace('_', " "));
        let [base, yours, theirs] = shown;
        self.rows.push(Row { key: key.clone(), place: words, base, yours, theirs, collides });
        if collides && self.decided(&key) != Some(Side::Mine) {
            self.drop.insert(key);
        }
    }

    fn row(&mut self, key: &str, kind: ObjectKind, label: &str, three: [&str; 3], collides: bool) {
        let [base, yours, theirs] = three.map(str::to_owned);
        self.rows.push(Row {
            key: key.to_owned(),
            place: format!("{} {label}", kind.words()),
            base,
            yours,
            theirs,
            collides,
        });
    }

    /// Whose value was chosen; noted as open when nobody chose.
    fn decided(&mut self, key: &str) -> Option<Side> {
        let side = self.choose.get(key).copied();
        if side.is_none() {
            self.open.push(key.to_owned());
        }
        side
    }
}

/// What the base and a side have of a whole object, in words.
fn whole(act: &Act<'_>) -> (&'static str, &'static str) {
    match act {
        Act::Add(_) => ("not there", "added"),
        Act::Remove => ("there", "removed"),
        Act::Set(_) => ("there", "changed"),
    }
}

fn value_of(t: &Topology, kind: ObjectKind, id: &str) -> Option<Value> {
    // Against nothing every object is added, whole.
    diff(&Topology::default(), t).into_iter().find_map(|c| match c {
        Change::Added { kind: k, name, object } if k == kind && id_of(&object, &name) == id => Some(object),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::litware;
    use crate::topology::made::{Size, made, mutated};

    fn none() -> BTreeMap<String, Side> {
        BTreeMap::new()
    }

    fn same(a: &Topology, b: &Topology) -> bool {
        diff(a, b).is_empty()
    }

    #[test]
    fn other_fields_and_other_objects_both_survive() {
        let base = litware();
        let (mut yours, mut theirs) = (base.clone(), base.clone());
        yours.pools[0].display_name = "Mine".to_owned();
        theirs.pools[0].compliance = !theirs.pools[0].compliance;
        theirs.sip_domains.remove(1);
        yours.pools.remove(3);
        let m = merge(&base, &yours, &theirs, &none()).unwrap();
        assert!(m.open.is_empty() && m.rows.iter().all(|r| !r.collides) && m.rows.len() == 4);
        assert_eq!(m.document.pools[0].display_name, "Mine");
        assert_eq!(m.document.pools[0].compliance, theirs.pools[0].compliance);
        assert_eq!((m.document.sip_domains.len(), m.document.pools.len()), (1, 3));
    }

    #[test]
    fn the_same_field_is_asked_for_with_three_values() {
        let base = litware();
        let (mut yours, mut theirs) = (base.clone(), base.clone());
        yours.pools[0].display_name = "Mine".to_owned();
        theirs.pools[0].display_name = "Theirs".to_owned();
        let m = merge(&base, &yours, &theirs, &none()).unwrap();
        let key = format!("pool/{}/display_name", base.pools[0].id);
        assert_eq!(m.open, std::slice::from_ref(&key));
        let r = &m.rows[0];
        assert_eq!((r.yours.as_str(), r.theirs.as_str()), ("Mine", "Theirs"));
        assert_eq!(r.base, base.pools[0].display_name);
        for (side, want) in [(Side::Mine, "Mine"), (Side::Theirs, "Theirs")] {
            let m = merge(&base, &yours, &theirs, &[(key.clone(), side)].into()).unwrap();
            assert!(m.open.is_empty());
            assert_eq!(m.document.pools[0].display_name, want);
        }
        theirs.pools[0].display_name = "Mine".to_owned();
        assert!(merge(&base, &yours, &theirs, &none()).unwrap().open.is_empty(), "the same is no collision");
    }

    #[test]
    fn removed_there_and_changed_here_is_asked_for() {
        let base = litware();
        let (mut yours, mut theirs) = (base.clone(), base.clone());
        yours.pools[2].display_name = "Mine".to_owned();
        let id = theirs.pools.remove(2).id;
        let key = format!("pool/{id}");
        for (a, b) in [(&yours, &theirs), (&theirs, &yours)] {
            assert_eq!(merge(&base, a, b, &none()).unwrap().open, std::slice::from_ref(&key));
            let mine = merge(&base, a, b, &[(key.clone(), Side::Mine)].into()).unwrap();
            assert!(same(&mine.document, a), "{:?}", diff(&mine.document, a));
            let their = merge(&base, a, b, &[(key.clone(), Side::Theirs)].into()).unwrap();
            assert!(same(&their.document, b));
        }
    }

    proptest! {
        #[test]
        fn one_side_alone_is_that_side(seed: u64, n: u64) {
            let base = made(seed, Size::SMALL);
            let other = mutated(&base, n);
            prop_assert!(same(&merge(&base, &other, &base, &none()).unwrap().document, &other));
            prop_assert!(same(&merge(&base, &base, &other, &none()).unwrap().document, &other));
            let both = merge(&base, &other, &other, &none()).unwrap();
            prop_assert!(both.open.is_empty() && same(&both.document, &other));
        }

        #[test]
        fn every_collision_is_asked_for_and_deciding_them_all_one_way_loses_nothing_else(seed: u64, a: u64, b: u64) {
            let base = made(seed, Size::SMALL);
            let (yours, theirs) = (mutated(&base, a), mutated(&base, b));
            let first = merge(&base, &yours, &theirs, &none()).unwrap();
            let colliding: Vec<_> = first.rows.iter().filter(|r| r.collides).map(|r| r.key.clone()).collect();
            let mut open = first.open.clone();
            open.sort();
            let mut expected = colliding.clone();
            expected.sort();
            prop_assert_eq!(open, expected);
            let all = |side| colliding.iter().map(|k| (k.clone(), side)).collect::<BTreeMap<_, _>>();
            let mine = merge(&base, &yours, &theirs, &all(Side::Mine)).unwrap();
            prop_assert!(mine.open.is_empty());
            // From the other side's view the same choice has the other name.
            let their = merge(&base, &theirs, &yours, &all(Side::Theirs)).unwrap();
            prop_assert!(same(&mine.document, &their.document), "{:?}", diff(&mine.document, &their.document));
            // What only they changed is in it.
            let theirs_only = first.rows.iter().filter(|r| !r.collides && r.yours == r.base && r.theirs != r.base);
            let still: BTreeSet<String> = diff(&mine.document, &theirs).iter().map(key_of).collect();
            for r in theirs_only {
                prop_assert!(!still.contains(&r.key), "{} was lost", r.key);
            }
        }
    }
}
