//! Comparison operators and the cmdlets of the language that only look: Where-, Select-, Sort-Object.

use serde_json::{Map, Value};

use super::bind::text_of;
use super::pattern::is_match;
use crate::identity::wildcard_match;

/// A property, any case.
pub fn property(v: &Value, name: &str) -> Value {
    match v {
        Value::Object(o) => {
            o.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map_or(Value::Null, |(_, v)| v.clone())
        }
        Value::Array(a) if name.eq_ignore_ascii_case("count") || name.eq_ignore_ascii_case("length") => {
            a.len().into()
        }
        Value::Array(a) => Value::Array(a.iter().map(|x| property(x, name)).collect()),
        _ => Value::Null,
    }
}

/// What PowerShell takes for true.
pub fn truthy(v: &Value) -> bool {
    match v {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(_) => true,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        _ => match (number(a), number(b)) {
            (Some(x), Some(y)) => (x - y).abs() < f64::EPSILON,
            _ => text_of(a).zip(text_of(b)).is_some_and(|(x, y)| x.to_lowercase() == y.to_lowercase()),
        },
    }
}

fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y),
        _ => {
            text_of(a).unwrap_or_default().to_lowercase().cmp(&text_of(b).unwrap_or_default().to_lowercase())
        }
    }
}

fn members(v: &Value) -> Vec<Value> {
    match v {
        Value::Array(a) => a.clone(),
        v => vec![v.clone()],
    }
}

/// `a -op b`. A list on the left gives the members for which it holds, as PowerShell does.
///
/// # Errors
/// A pattern that cannot be read.
pub fn compare(a: &Value, op: &str, b: &Value) -> Result<Value, String> {
    match op {
        "contains" => return Ok(members(a).iter().any(|x| equal(x, b)).into()),
        "notcontains" => return Ok((!members(a).iter().any(|x| equal(x, b))).into()),
        "in" => return Ok(members(b).iter().any(|x| equal(a, x)).into()),
        "notin" => return Ok((!members(b).iter().any(|x| equal(a, x))).into()),
        _ => {}
    }
    let text = |v: &Value| text_of(v).unwrap_or_default();
    let single = |x: &Value| -> Result<bool, String> {
        Ok(match op {
            "eq" => equal(x, b),
            "ne" => !equal(x, b),
            "like" => wildcard_match(&text(b), &text(x)),
            "notlike" => !wildcard_match(&text(b), &text(x)),
            "match" => is_match(&text(b), &text(x))?,
            "notmatch" => !is_match(&text(b), &text(x))?,
            "gt" => order(x, b).is_gt(),
            "lt" => order(x, b).is_lt(),
            "ge" => order(x, b).is_ge(),
            "le" => order(x, b).is_le(),
            other => return Err(format!("-{other} is not an operator.")),
        })
    };
    if let Value::Array(list) = a {
        let mut out = Vec::new();
        for x in list {
            if single(x)? {
                out.push(x.clone());
            }
        }
        return Ok(Value::Array(out));
    }
    single(a).map(Value::Bool)
}

/// `Select-Object -Property a,b`.
pub fn select(v: &Value, names: &[String]) -> Value {
    if names.is_empty() || names.iter().any(|n| n == "*") {
        return v.clone();
    }
    let find = |n: &String| {
        let key = v.as_object().and_then(|o| o.keys().find(|k| k.eq_ignore_ascii_case(n))).unwrap_or(n);
        (key.clone(), property(v, n))
    };
    Value::Object(names.iter().map(find).collect::<Map<_, _>>())
}

/// Sorts by properties.
pub fn sort(list: &mut [Value], names: &[String], descending: bool) {
    list.sort_by(|a, b| {
        let by = names.iter().map(|n| order(&property(a, n), &property(b, n))).find(|o| o.is_ne());
        let o = by.unwrap_or_else(|| if names.is_empty() { order(a, b) } else { std::cmp::Ordering::Equal });
        if descending { o.reverse() } else { o }
    });
}
