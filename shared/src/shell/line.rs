//! The command line that does the same: arguments → line.

use serde_json::{Map, Value};

use crate::cmdlet::{Kind, Param, Spec};

/// Quotes a text unless it is a plain word.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:\\/@".contains(c);
    let starts = |c: char| c.is_ascii_alphabetic() || c == '\\' || c == '/';
    if text.chars().all(plain) && text.starts_with(starts) {
        text.to_owned()
    } else {
        format!("\"{}\"", escape(text))
    }
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '`' | '"' | '$' | '\u{201c}' | '\u{201d}' | '\u{201e}' => {
                out.push('`');
                out.push(c);
            }
            '\n' => out.push_str("`n"),
            '\r' => out.push_str("`r"),
            '\t' => out.push_str("`t"),
            '\0' => out.push_str("`0"),
            c => out.push(c),
        }
    }
    out
}

fn list(v: &Value) -> String {
    let items: Vec<String> = v.as_array().map(|a| a.iter().map(scalar).collect()).unwrap_or_default();
    if items.is_empty() { "@()".to_owned() } else { items.join(",") }
}

fn scalar(v: &Value) -> String {
    match v {
        Value::String(s) => format!("\"{}\"", escape(s)),
        Value::Bool(b) => if *b { "$True" } else { "$False" }.to_owned(),
        Value::Null => "$Null".to_owned(),
        v => v.to_string(),
    }
}

/// Any value so that reading it gives the same one.
fn any(v: &Value) -> String {
    match v {
        Value::Array(a) => {
            let items: Vec<String> = a.iter().map(any).collect();
            // A list or null alone would be taken apart by @( ).
            let comma = if matches!(a.as_slice(), [Value::Array(_) | Value::Null]) { "," } else { "" };
            format!("@({comma}{})", items.join(","))
        }
        Value::Object(o) => {
            let plain = |k: &str| !k.is_empty() && k.chars().all(|c| c.is_alphanumeric() || c == '_');
            let key = |k: &String| if plain(k) { k.clone() } else { format!("\"{}\"", escape(k)) };
            let pairs: Vec<String> = o.iter().map(|(k, v)| format!("{}={}", key(k), any(v))).collect();
            format!("@{{{}}}", pairs.join(";"))
        }
        v => scalar(v),
    }
}

fn modifier(v: &Value) -> String {
    let part = |k: &str| {
        v.get(k).filter(|l| l.as_array().is_some_and(|a| !a.is_empty())).map(|l| format!("{k}={}", list(l)))
    };
    match v.get("Replace") {
        Some(Value::Array(a)) if a.is_empty() => "$Null".to_owned(),
        _ => format!(
            "@{{{}}}",
            ["Add", "Remove", "Replace"].into_iter().filter_map(part).collect::<Vec<_>>().join(";")
        ),
    }
}

fn value(p: &Param, v: &Value) -> String {
    match (p.kind, v) {
        (Kind::Credential, v) => {
            format!(
                "(Get-Credential {})",
                quote(v.get("UserName").and_then(Value::as_str).unwrap_or_default())
            )
        }
        (Kind::Secret, _) => "(Read-Host -AsSecureString)".to_owned(),
        (Kind::List, v) => list(v),
        (Kind::ListModifier, v) => modifier(v),
        (Kind::Object, v) => any(v),
        (_, Value::String(s)) => quote(s),
        (_, v) => scalar(v),
    }
}

/// The canonical line of an invocation, parameters in the order of the definition. Secrets are written
/// as what asks for them, never as values.
pub fn line_for(spec: &Spec, args: &Map<String, Value>) -> String {
    let mut out = spec.name.to_owned();
    for p in spec.params {
        match args.get(p.name) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(true)) if p.kind == Kind::Switch => out.push_str(&format!(" -{}", p.name)),
            Some(Value::Bool(false)) if p.kind == Kind::Switch => {}
            Some(v) => out.push_str(&format!(" -{} {}", p.name, value(p, v))),
        }
    }
    out
}
