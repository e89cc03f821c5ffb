//! Objects as PowerShell prints them.

use serde_json::Value;

use super::value::{is_credential, reveal};

/// What stands for a text that is never printed.
const HIDDEN: &str = "System.Security.SecureString";

/// A value in a cell.
pub fn cell(v: &Value) -> String {
    match v {
        Value::Null => String::new(),
        Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        Value::Array(a) => format!("{{{}}}", a.iter().map(cell).collect::<Vec<_>>().join(", ")),
        // A credential is named, never shown.
        Value::Object(_) if reveal(v).is_some() => HIDDEN.to_owned(),
        Value::Object(o) if is_credential(v) => o.get("UserName").map(cell).unwrap_or_default(),
        Value::Object(o) => match o.get("Identity") {
            Some(id) => cell(id),
            None => format!(
                "@{{{}}}",
                o.iter().map(|(k, v)| format!("{k}={}", cell(v))).collect::<Vec<_>>().join("; ")
            ),
        },
    }
}

/// A value inside a text: a list's members stand side by side.
pub fn words(v: &Value) -> String {
    match v {
        Value::Array(a) => a.iter().map(cell).collect::<Vec<_>>().join(" "),
        v => cell(v),
    }
}

/// The same without passwords.
fn shown(v: &Value) -> Value {
    match v {
        _ if reveal(v).is_some() => HIDDEN.into(),
        v if is_credential(v) => serde_json::json!({ "UserName": v["UserName"], "Password": HIDDEN }),
        Value::Object(o) => Value::Object(o.iter().map(|(k, v)| (k.clone(), shown(v))).collect()),
        Value::Array(a) => Value::Array(a.iter().map(shown).collect()),
        v => v.clone(),
    }
}

/// As JSON, over several lines unless `compress`.
pub fn json(v: &Value, compress: bool) -> String {
    let v = shown(v);
    if compress {
        return v.to_string();
    }
    let mut out = String::new();
    indented(&v, 0, &mut out);
    out
}

/// A small writer of our own: the library's would weigh more in the page.
fn indented(v: &Value, depth: usize, out: &mut String) {
    let (open, close, items): (char, char, Vec<(Option<&String>, &Value)>) = match v {
        Value::Array(a) if !a.is_empty() => ('[', ']', a.iter().map(|x| (None, x)).collect()),
        Value::Object(o) if !o.is_empty() => ('{', '}', o.iter().map(|(k, x)| (Some(k), x)).collect()),
        v => return out.push_str(&v.to_string()),
    };
    out.push(open);
    for (i, (key, x)) in items.into_iter().enumerate() {
        out.push_str(if i > 0 { ",\n" } else { "\n" });
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(k) = key {
            out.push_str(&Value::from(k.as_str()).to_string());
            out.push_str(": ");
        }
        indented(x, depth + 1, out);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

/// Format-List.
pub fn list(objects: &[Value]) -> String {
    let mut out = String::new();
    for v in objects {
        let shown = shown(v);
        let Value::Object(o) = &shown else {
            out.push_str(&cell(v));
            out.push('\n');
            continue;
        };
        let width = o.keys().map(|k| k.chars().count()).max().unwrap_or(0);
        out.push('\n');
        for (k, v) in o {
            out.push_str(format!("{k:<width$} : {}", cell(v)).trim_end());
            out.push('\n');
        }
    }
    out
}

/// Format-Table.
pub fn table(objects: &[Value], header: bool) -> String {
    let objects: Vec<Value> = objects.iter().map(shown).collect();
    let objects = objects.as_slice();
    let mut columns: Vec<String> = Vec::new();
    for key in objects.iter().filter_map(Value::as_object).flat_map(|o| o.keys()) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    if columns.is_empty() {
        return list(objects);
    }
    let get = |v: &Value, c: &String| cell(v.get(c).unwrap_or(&Value::Null));
    let wide = |c: &String| {
        objects.iter().map(|v| get(v, c).chars().count()).chain([c.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(wide).collect();
    let row = |cells: Vec<String>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}", w = *w)).collect();
        padded.join(" ").trim_end().to_owned() + "\n"
    };
    let mut out = String::from("\n");
    if header {
        out.push_str(&row(columns.clone()));
        out.push_str(&row(columns.iter().map(|c| "-".repeat(c.chars().count())).collect()));
    }
    for v in objects {
        out.push_str(&row(columns.iter().map(|c| get(v, c)).collect()));
    }
    out
}
