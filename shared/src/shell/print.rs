//! Objects as PowerShell prints them.

use serde_json::Value;

/// A value in a cell.
pub fn cell(v: &Value) -> String {
    match v {
        Value::Null => String::new(),
        Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        Value::Array(a) => format!("{{{}}}", a.iter().map(cell).collect::<Vec<_>>().join(", ")),
        // A credential is named, never shown.
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

/// Whether an object is what Get-Credential gives.
pub fn is_credential(v: &Value) -> bool {
    v.as_object().is_some_and(|o| o.len() == 2 && o.contains_key("UserName") && o.contains_key("Password"))
}

/// The same without the password.
fn shown(v: &Value) -> Value {
    if is_credential(v) {
        return serde_json::json!({ "UserName": v["UserName"], "Password": "System.Security.SecureString" });
    }
    v.clone()
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
pub fn table(objects: &[Value]) -> String {
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
    out.push_str(&row(columns.clone()));
    out.push_str(&row(columns.iter().map(|c| "-".repeat(c.chars().count())).collect()));
    for v in objects {
        out.push_str(&row(columns.iter().map(|c| get(v, c)).collect()));
    }
    out
}
