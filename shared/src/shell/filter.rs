//! Comparison operators and the cmdlets of the language that only look: Where-, Select-, Sort-Object.

use serde_json::Value;

use super::bind::text_of;
use super::pattern::is_match;
use super::value::{is_credential, reveal, secure};
use crate::identity::{wildcard_exact, wildcard_match};

/// A property, any case.
pub fn property(v: &Value, name: &str) -> Value {
    match v {
        // The password of a credential is never a text.
        Value::Object(_) if is_credential(v) && name.eq_ignore_ascii_case("password") => {
            if reveal(&v["Password"]).is_some() {
                v["Password"].clone()
            } else {
                secure(v["Password"].clone())
            }
        }
        Value::Object(o) => o
            .iter()
            .find(|(k, _)| k.eq_ignore_ascii_case(name))
            .map_or_else(|| count(v, name), |(_, v)| v.clone()),
        Value::Array(a) => match count(v, name) {
            Value::Null => {
                Value::Array(a.iter().map(|x| property(x, name)).filter(|x| !x.is_null()).collect())
            }
            n => n,
        },
        v => count(v, name),
    }
}

/// `.Count` and `.Length`, which one object has too.
fn count(v: &Value, name: &str) -> Value {
    let count = name.eq_ignore_ascii_case("count");
    match v {
        Value::Array(a) if count || name.eq_ignore_ascii_case("length") => a.len().into(),
        Value::String(s) if name.eq_ignore_ascii_case("length") => s.chars().count().into(),
        Value::Null if count => 0.into(),
        Value::Array(_) => Value::Null,
        _ if count => 1.into(),
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

fn equal(a: &Value, b: &Value, case: bool) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::String(x), Value::String(y)) => x == y || (!case && x.to_lowercase() == y.to_lowercase()),
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

pub fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
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
    // A leading c minds case; "contains" has one of its own.
    let bare = op.strip_prefix('c').filter(|_| op != "contains");
    let (op, case) = (bare.unwrap_or(op), bare.is_some());
    let holds = |list: &Value, x: &Value| members(list).iter().any(|y| equal(y, x, case));
    match op {
        "contains" => return Ok(holds(a, b).into()),
        "notcontains" => return Ok((!holds(a, b)).into()),
        "in" => return Ok(holds(b, a).into()),
        "notin" => return Ok((!holds(b, a)).into()),
        _ => {}
    }
    let text = |v: &Value| text_of(v).unwrap_or_default();
    let like = |x: &Value| {
        if case { wildcard_exact(&text(b), &text(x)) } else { wildcard_match(&text(b), &text(x)) }
    };
    let ordered = |x: &Value| {
        if case && x.is_string() && b.is_string() { text(x).cmp(&text(b)) } else { order(x, b) }
    };
    let single = |x: &Value| -> Result<bool, String> {
        Ok(match op {
            "eq" => equal(x, b, case),
            "ne" => !equal(x, b, case),
            "like" => like(x),
            "notlike" => !like(x),
            "match" => is_match(&text(b), &text(x), case)?,
            "notmatch" => !is_match(&text(b), &text(x), case)?,
            "gt" => ordered(x).is_gt(),
            "lt" => ordered(x).is_lt(),
            "ge" => ordered(x).is_ge(),
            "le" => ordered(x).is_le(),
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

/// Sorts by properties.
pub fn sort(list: &mut [Value], names: &[String], descending: bool) {
    list.sort_by(|a, b| {
        let by = names.iter().map(|n| order(&property(a, n), &property(b, n))).find(|o| o.is_ne());
        let o = by.unwrap_or_else(|| if names.is_empty() { order(a, b) } else { std::cmp::Ordering::Equal });
        if descending { o.reverse() } else { o }
    });
}
