//! What a variable, a property or a piped object holds.

use serde_json::{Map, Value};

/// A text that is never printed; only binding it to a parameter takes it out.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

/// What stands where a secret would be printed. Source: Windows PowerShell.
const MASK: &str = "System.Security.SecureString";

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that sends it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// A value of the shell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Number(f64),
    Text(String),
    List(Vec<Datum>),
    /// Properties in print order.
    Object(Vec<(String, Datum)>),
    Secret(Secret),
}

impl Datum {
    pub(super) fn text_of(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn object<const N: usize>(properties: [(&str, Datum); N]) -> Self {
        Self::Object(properties.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    /// What a pipeline leaves behind: nothing, the one thing, or a list.
    pub(super) fn collapse(mut items: Vec<Datum>) -> Self {
        match items.len() {
            0 => Self::Null,
            1 => items.remove(0),
            _ => Self::List(items),
        }
    }

    /// As the pipeline takes it: a list flows item by item, nothing does not flow.
    pub(super) fn into_items(self) -> Vec<Datum> {
        match self {
            Self::Null => Vec::new(),
            Self::List(items) => items,
            one => vec![one],
        }
    }

    /// As a condition takes it. A list of one counts as that one.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Number(n) => *n != 0.0,
            Self::Text(s) => !s.is_empty(),
            Self::List(l) => match l.as_slice() {
                [] => false,
                [one] => one.truth(),
                _ => true,
            },
            Self::Object(_) | Self::Secret(_) => true,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "only compared; beyond 2^53 nothing is counted here")]
            Self::Int(i) => Some(*i as f64),
            Self::Number(n) => Some(*n),
            Self::Text(s) => s.trim().parse().ok(),
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            _ => None,
        }
    }

    /// The property with this name, any case. A list gives that of each of its items.
    pub(super) fn property(&self, name: &str) -> Option<Datum> {
        match self {
            Self::Object(p) => p.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone()),
            Self::List(l) if is_count(name) => Some(count(l.len())),
            Self::List(l) => {
                let found: Vec<Datum> =
                    l.iter().filter_map(|d| d.property(name)).flat_map(Datum::into_items).collect();
                (!found.is_empty()).then(|| Self::collapse(found))
            }
            Self::Text(s) if name.eq_ignore_ascii_case("Length") => Some(count(s.chars().count())),
            Self::Null => is_count(name).then_some(Self::Int(0)),
            _ => is_count(name).then_some(Self::Int(1)),
        }
    }

    /// As a string holds it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::List(l) => l.iter().map(Self::text).collect::<Vec<_>>().join(" "),
            other => other.cell(),
        }
    }

    /// As it stands after a label: True/False, lists as `{a, b}`, nothing for `$null`.
    pub(super) fn cell(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
            Self::Int(i) => i.to_string(),
            Self::Number(n) => n.to_string(),
            Self::Text(s) => s.clone(),
            Self::List(l) => format!("{{{}}}", l.iter().map(Self::cell).collect::<Vec<_>>().join(", ")),
            Self::Object(p) => {
                let inner: Vec<_> = p.iter().map(|(k, v)| format!("{k}={}", v.cell())).collect();
                format!("@{{{}}}", inner.join("; "))
            }
            Self::Secret(_) => MASK.to_owned(),
        }
    }

    /// The kind of value, for messages and `Get-Member`.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Object(_) => "object",
            Self::Secret(_) => "secret",
        }
    }

    /// For sending; a secret inside an object stays masked.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::from(*i),
            Self::Number(n) => Value::from(*n),
            Self::Text(s) => Value::from(s.as_str()),
            Self::List(l) => Value::Array(l.iter().map(Self::to_json).collect()),
            Self::Object(p) => Value::Object(p.iter().map(|(k, v)| (k.clone(), v.to_json())).collect::<Map<_, _>>()),
            Self::Secret(_) => Value::from(MASK),
        }
    }
}

fn is_count(name: &str) -> bool {
    name.eq_ignore_ascii_case("Count") || name.eq_ignore_ascii_case("Length")
}

/// A number of things as the shell counts them.
pub(super) fn count(n: usize) -> Datum {
    Datum::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

impl From<Value> for Datum {
    fn from(v: Value) -> Self {
        match v {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            Value::Number(n) => {
                n.as_i64().map_or_else(|| Self::Number(n.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            Value::String(s) => Self::Text(s),
            Value::Array(a) => Self::List(a.into_iter().map(Self::from).collect()),
            Value::Object(o) => Self::Object(o.into_iter().map(|(k, v)| (k, Self::from(v))).collect()),
        }
    }
}
