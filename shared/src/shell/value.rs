//! What values are beyond JSON: lists with places from the end, secure texts.

use serde_json::{Value, json};

/// A place in a list, counted from the end when negative.
pub fn position(i: &Value, len: usize) -> Option<usize> {
    let n = i.as_i64().or_else(|| i.as_str()?.trim().parse().ok())?;
    let n = if n < 0 { i64::try_from(len).ok()?.checked_add(n)? } else { n };
    usize::try_from(n).ok().filter(|n| *n < len)
}

/// `v[i]`: a member, several members, or a key of a table; null when there is none, as in PowerShell.
///
/// # Errors
/// When the index is none.
pub fn index(v: &Value, i: &Value) -> Result<Value, String> {
    match (v, i) {
        (Value::Null, _) => Err("This is empty; it has no members.".to_owned()),
        (v, Value::Array(many)) => {
            many.iter().map(|i| index(v, i)).collect::<Result<_, _>>().map(Value::Array)
        }
        (Value::Object(_), Value::String(name)) => Ok(super::filter::property(v, name)),
        (_, Value::String(s)) if s.trim().parse::<i64>().is_err() => {
            Err(format!("'{s}' is not a place in a list."))
        }
        (Value::Array(a), i) => Ok(position(i, a.len()).map_or(Value::Null, |n| a[n].clone())),
        (Value::String(s), i) => {
            let chars: Vec<char> = s.chars().collect();
            Ok(position(i, chars.len()).map_or(Value::Null, |n| chars[n].to_string().into()))
        }
        // One object is a list of itself.
        (one, i) => Ok(position(i, 1).map_or(Value::Null, |_| one.clone())),
    }
}

/// `-v`.
///
/// # Errors
/// When it is not a number.
pub fn negative(v: &Value) -> Result<Value, String> {
    match v.as_i64().and_then(i64::checked_neg) {
        Some(n) => Ok(n.into()),
        None => {
            let n = v.as_f64().ok_or("This is not a number.")?;
            Ok(serde_json::Number::from_f64(-n).map_or(Value::Null, Value::Number))
        }
    }
}

const SECURE: &str = "SecureString";

/// A text that is never printed.
pub fn secure(text: impl Into<Value>) -> Value {
    json!({ SECURE: text.into() })
}

/// The text of a secure text.
pub fn reveal(v: &Value) -> Option<&str> {
    v.as_object().filter(|o| o.len() == 1)?.get(SECURE)?.as_str()
}

/// Whether an object is what Get-Credential gives.
pub fn is_credential(v: &Value) -> bool {
    v.as_object().is_some_and(|o| o.len() == 2 && o.contains_key("UserName") && o.contains_key("Password"))
}
