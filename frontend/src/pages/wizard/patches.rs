//! What the page changed of a draft, field by field, and how another person's changes join in. Pure.

use serde_json::Value;
use shared::api::DraftPatch;
use shared::topology::draft::PoolDraft;

use crate::api::lean;

/// The draft as the fields that patches name.
pub fn document(d: &PoolDraft) -> Value {
    serde_json::to_value(d).unwrap_or(Value::Null)
}

/// The draft that a document describes; none when it is not one.
pub fn draft(v: Value) -> Option<PoolDraft> {
    lean::from_value(v).ok()
}

/// The fields that differ, as patches from `base` to `now`. A list and a placement are one field each.
pub fn changes(base: &Value, now: &Value) -> Vec<DraftPatch> {
    let mut out = Vec::new();
    collect(base, now, String::new(), &mut out);
    out
}

fn collect(base: &Value, now: &Value, path: String, out: &mut Vec<DraftPatch>) {
    if base == now {
        return;
    }
    match (base, now) {
        // A placement has the tag `at`; its parts make sense together only.
        (Value::Object(b), Value::Object(n)) if !n.contains_key("at") => {
            for (key, to) in n {
                collect(b.get(key).unwrap_or(&Value::Null), to, format!("{path}/{key}"), out);
            }
        }
        _ => out.push(DraftPatch { path, from: base.clone(), to: now.clone() }),
    }
}

/// The fields as the page holds them, with what changed at the portal from `base` to `theirs`; a field
/// that both changed stays as the page has it.
pub fn merge(base: &Value, theirs: &Value, mine: &Value) -> Value {
    let mut out = mine.clone();
    for p in changes(base, theirs) {
        if let Some(slot) = out.pointer_mut(&p.path)
            && *slot == p.from
        {
            *slot = p.to;
        }
    }
    out
}

/// The value of a field.
pub fn at(v: &Value, path: &str) -> Value {
    v.pointer(path).cloned().unwrap_or(Value::Null)
}

/// A field as problems name it: `sql.existing` for `/sql/existing`.
pub fn field_of(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}

/// The path of a field that problems name: `/sql/existing` for `sql.existing`.
pub fn path_of(field: &str) -> String {
    format!("/{}", field.replace('.', "/"))
}

/// A field's value as a person reads it.
pub fn words(v: &Value) -> String {
    match v {
        Value::Null => "empty".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(s) if s.is_empty() => "empty".to_owned(),
        Value::String(s) => s.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(o) => {
            o.get("fqdn").or_else(|| o.get("address")).or_else(|| o.get("at")).map(words).unwrap_or_default()
        }
        Value::Number(n) => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use shared::topology::draft::ComputerDraft;
    use shared::topology::{Placement, PoolKind};

    use super::*;

    fn typed(f: impl FnOnce(&mut PoolDraft)) -> Value {
        let mut d = PoolDraft::default();
        f(&mut d);
        document(&d)
    }

    #[test]
    fn each_changed_field_is_one_patch() {
        let now = typed(|d| {
            d.fqdn = "pcpool.contoso.com".to_owned();
            d.sql.define_new = true;
            d.sql.placement = Placement::Address("10.0.0.1".to_owned());
            d.computers
                .push(ComputerDraft { fqdn: "pc01.contoso.com".to_owned(), ..ComputerDraft::default() });
        });
        let mut paths: Vec<_> = changes(&typed(|_| ()), &now).into_iter().map(|p| p.path).collect();
        paths.sort();
        assert_eq!(paths, ["/computers", "/fqdn", "/sql/define_new", "/sql/placement"]);
        assert!(changes(&now, &now).is_empty());
    }

    #[test]
    fn patches_lead_from_base_to_now() {
        let base = typed(|d| d.port = "5042".to_owned());
        let now = typed(|d| {
            d.kind = PoolKind::Single;
            d.single_placement = Placement::Address(String::new());
        });
        let mut doc = base.clone();
        for p in changes(&base, &now) {
            let slot = doc.pointer_mut(&p.path).expect("a patch names a field that is there");
            assert_eq!(*slot, p.from);
            *slot = p.to;
        }
        assert_eq!(doc, now);
        assert!(draft(doc).is_some());
    }

    #[test]
    fn what_others_change_joins_in_and_never_overwrites_what_is_typed() {
        let base = typed(|_| ());
        let theirs = typed(|d| {
            d.display_name = "theirs".to_owned();
            d.port = "5043".to_owned();
        });
        let mine = typed(|d| d.port = "5044".to_owned());
        let merged = draft(merge(&base, &theirs, &mine)).expect("it is a draft");
        assert_eq!((merged.display_name.as_str(), merged.port.as_str()), ("theirs", "5044"));
    }
}
