//! What makes other objects of those that come: Group-, Measure-Object, Get-Member.

use serde_json::{Value, json};

use super::Given;
use crate::shell::eval::{Done, Output, of};
use crate::shell::filter::{order, property};
use crate::shell::print;

/// A value's type, as Get-Member names it.
fn type_name(v: &Value) -> &'static str {
    match v {
        Value::Null => "object",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "double",
        Value::Number(_) => "long",
        Value::String(_) => "string",
        Value::Array(_) => "Object[]",
        Value::Object(_) if crate::shell::value::reveal(v).is_some() => "securestring",
        Value::Object(_) => "PSCustomObject",
    }
}

/// Group-Object.
pub fn group(g: &Given<'_>, mut input: Vec<Value>) -> Output {
    let names = g.texts("Property");
    let bare = g.switch("NoElement");
    crate::shell::filter::sort(&mut input, &names, false);
    let key = |x: &Value| {
        if names.is_empty() {
            return print::cell(x);
        }
        names.iter().map(|n| print::cell(&property(x, n))).collect::<Vec<_>>().join(", ")
    };
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    for x in input {
        let k = key(&x);
        match groups.last_mut() {
            Some((last, list)) if last.to_lowercase() == k.to_lowercase() => list.push(x),
            _ => groups.push((k, vec![x])),
        }
    }
    let object = |(name, list): (String, Vec<Value>)| {
        let mut o = json!({ "Count": list.len(), "Name": name });
        if !bare {
            o["Group"] = Value::Array(list);
        }
        o
    };
    let objects: Vec<Value> = groups.into_iter().map(object).collect();
    let short: Vec<Value> =
        objects.iter().map(|o| json!({ "Count": o["Count"], "Name": o["Name"] })).collect();
    Output { text: Some(print::table(&short, true)), objects }
}

/// Measure-Object.
pub fn measure(g: &Given<'_>, input: &[Value]) -> Output {
    let name = g.word("Property");
    let values: Vec<Value> = match &name {
        Some(n) => input.iter().map(|x| property(x, n)).filter(|v| !v.is_null()).collect(),
        None => input.to_vec(),
    };
    let mut out = json!({ "Count": values.len() });
    let numbers: Vec<f64> =
        values.iter().filter_map(|v| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok())).collect();
    let sum: f64 = numbers.iter().sum();
    if g.switch("Average") && !numbers.is_empty() {
        #[expect(clippy::cast_precision_loss, reason = "a count of objects is far below 2^52")]
        let count = numbers.len() as f64;
        out["Average"] = of(sum / count);
    }
    if g.switch("Sum") {
        out["Sum"] = of(sum);
    }
    if g.switch("Maximum") {
        out["Maximum"] = values.iter().max_by(|a, b| order(a, b)).cloned().unwrap_or_default();
    }
    if g.switch("Minimum") {
        out["Minimum"] = values.iter().min_by(|a, b| order(a, b)).cloned().unwrap_or_default();
    }
    if let Some(n) = name {
        out["Property"] = n.into();
    }
    Output::objects(vec![out])
}

/// Get-Member.
pub fn members(g: &Given<'_>, input: &[Value]) -> Done<Output> {
    let names = g.texts("Name");
    let wanted = |n: &str| names.is_empty() || names.iter().any(|p| crate::identity::wildcard_match(p, n));
    let mut objects: Vec<Value> = Vec::new();
    for x in input {
        for key in x.as_object().into_iter().flat_map(|o| o.keys()).filter(|k| wanted(k)) {
            let definition = format!("{} {key}", type_name(&property(x, key)));
            if !objects.iter().any(|o| o["Name"] == key.as_str()) {
                objects.push(json!({ "Name": key, "MemberType": "NoteProperty", "Definition": definition }));
            }
        }
        if !x.is_object() && wanted("Length") && objects.is_empty() {
            let definition = format!("{} (a single value)", type_name(x));
            objects.push(json!({ "Name": "Length", "MemberType": "Property", "Definition": definition }));
        }
    }
    if input.is_empty() {
        return Err(g.wrong("Get-Member needs an object from the pipeline."));
    }
    Ok(Output { text: Some(print::table(&objects, true)), objects })
}
