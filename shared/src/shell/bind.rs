//! Arguments as typed → arguments of a cmdlet.

use serde_json::{Map, Value};

use super::parse::{Argument, Command, Expr, ParseError};
use crate::cmdlet::{Kind, Param, Spec};
use crate::cmdlets;

/// A cmdlet with its arguments and the common parameters.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The cmdlet.
    pub spec: &'static Spec,
    /// Its arguments.
    pub args: Map<String, Value>,
    /// `-WhatIf`.
    pub what_if: bool,
    /// `-Confirm`, `-Confirm:$false`.
    pub confirm: Option<bool>,
    /// `-Force`.
    pub force: bool,
}

/// Parameters that the documents print and that do not exist, with the right one (model §23).
const WRONG: [(&str, &str, &str); 6] = [
    ("Get-CsPersistentChatEndpoint", "PoolFqdn", "The parameter is called -PersistentChatPoolFqdn."),
    (
        "",
        "MaxChatContentSizeMB",
        "This parameter does not exist; file size is -MaxFileSizeKB of the configuration.",
    ),
    ("", "FileServiceUrl", "This parameter does not exist in Lync Server 2013."),
    (
        "",
        "MaxContentSize",
        "This parameter does not exist; file size is -MaxFileSizeKB of the configuration.",
    ),
    ("", "Enable", "The parameter is called -EnablePersistentChat."),
    ("", "ChatRoomName", "The parameter is called -ChatRoomUri."),
];

/// Names that differ little from `name`.
fn near(name: &str) -> String {
    let noun = name.split('-').nth(1).unwrap_or(name).to_lowercase();
    let close: Vec<&str> = cmdlets::ALL
        .iter()
        .map(|s| s.name)
        .filter(|n| {
            let other = n.split('-').nth(1).unwrap_or(n).to_lowercase();
            other == noun || (noun.len() > 5 && (other.contains(&noun) || noun.contains(&other)))
        })
        .take(4)
        .collect();
    if close.is_empty() {
        "Get-Command lists them all.".to_owned()
    } else {
        format!("Near: {}.", close.join(", "))
    }
}

/// The cmdlet of this name.
pub fn find(c: &Command) -> Result<&'static Spec, ParseError> {
    cmdlets::find(&c.name).ok_or_else(|| {
        ParseError::new(format!("There is no cmdlet {}. {}", c.name, near(&c.name)), c.span.0, c.span.1)
    })
}

/// Whether a parameter is a switch, of the cmdlet or common to all.
fn is_switch(spec: &Spec, name: &str) -> bool {
    let common = ["whatif", "confirm", "force", "verbose", "debug"];
    common.contains(&name.to_lowercase().as_str()) || spec.param(name).is_ok_and(|p| p.kind == Kind::Switch)
}

/// Binds a command's arguments; `value` evaluates an expression.
///
/// # Errors
/// What does not fit, and where.
pub fn bind(
    c: &Command,
    value: &mut dyn FnMut(&Expr) -> Result<Value, ParseError>,
) -> Result<Bound, ParseError> {
    let spec = find(c)?;
    let mut out = Bound { spec, args: Map::new(), what_if: false, confirm: None, force: false };
    let mut position = 0;
    for a in &c.args {
        let given = a.value.as_ref().map(&mut *value).transpose().map_err(|e| at(e, a))?;
        // A switch takes a value after a colon only: what follows it is the next argument.
        let (given, left) = match &a.name {
            Some(name) if !a.colon && is_switch(spec, name) => (None, given),
            Some(_) => (given, None),
            None => (None, given),
        };
        if let Some(name) = &a.name {
            named(&mut out, name, given, a)?;
        }
        match left {
            None => {}
            Some(given) => {
                let given = Some(given);
                let p = spec.params.iter().find(|p| p.position == Some(position));
                let p = p.ok_or_else(|| {
                    error(a, format!("{} takes no value here. Name its parameter.", spec.name))
                })?;
                position += 1;
                set(&mut out, p, given, a)?;
            }
        }
    }
    Ok(out)
}

fn at(mut e: ParseError, a: &Argument) -> ParseError {
    if e.end == 0 {
        (e.start, e.end) = a.span;
    }
    e
}

fn error(a: &Argument, text: impl Into<String>) -> ParseError {
    ParseError::new(text, a.span.0, a.span.1)
}

fn truth(v: Option<&Value>) -> bool {
    v.is_none_or(|v| v.as_bool().unwrap_or(true))
}

fn named(out: &mut Bound, name: &str, given: Option<Value>, a: &Argument) -> Result<(), ParseError> {
    let common = name.to_lowercase();
    match common.as_str() {
        "whatif" => out.what_if = truth(given.as_ref()),
        "confirm" => out.confirm = Some(truth(given.as_ref())),
        "force" => out.force = truth(given.as_ref()),
        "verbose" | "debug" => {}
        _ => {
            let wrong = WRONG.iter().find(|(c, p, _)| {
                p.eq_ignore_ascii_case(name) && (c.is_empty() || c.eq_ignore_ascii_case(out.spec.name))
            });
            let exact = out.spec.params.iter().any(|p| p.name.eq_ignore_ascii_case(name));
            if let (Some((_, _, hint)), false) = (wrong, exact) {
                return Err(error(a, format!("{} has no parameter -{name}. {hint}", out.spec.name)));
            }
            let p = out.spec.param(name).map_err(|e| error(a, e))?;
            if out.args.contains_key(p.name) {
                return Err(error(a, format!("-{} is given twice.", p.name)));
            }
            set(out, p, given, a)?;
        }
    }
    Ok(())
}

fn set(out: &mut Bound, p: &'static Param, given: Option<Value>, a: &Argument) -> Result<(), ParseError> {
    let v = match (p.kind, given) {
        (Kind::Switch, None) => Value::Bool(true),
        (_, None) => return Err(error(a, format!("-{} needs a value: {}", p.name, p.help.trim()))),
        (kind, Some(v)) => convert(kind, v).map_err(|e| error(a, format!("-{}: {e}", p.name)))?,
    };
    // An identity that turned out empty must not become "the global one" or "the only one".
    if p.position == Some(0) && (v.is_null() || v.as_str().is_some_and(str::is_empty)) {
        return Err(error(a, format!("-{} is empty.", p.name)));
    }
    out.args.insert(p.name.to_owned(), v);
    Ok(())
}

/// The text of a value that is one.
pub fn text_of(v: &Value) -> Option<String> {
    match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(if *b { "True" } else { "False" }.to_owned()),
        Value::Object(o) => o.get("Identity").and_then(text_of),
        _ => None,
    }
}

fn texts(v: &Value) -> Option<Vec<Value>> {
    match v {
        Value::Null => Some(Vec::new()),
        Value::Array(a) => a.iter().map(|x| text_of(x).map(Value::from)).collect(),
        v => text_of(v).map(|t| vec![t.into()]),
    }
}

fn convert(kind: Kind, v: Value) -> Result<Value, String> {
    let wrong = |wanted: &str| Err(format!("this is not {wanted}."));
    match kind {
        Kind::Clearable if v.is_null() => Ok("".into()),
        Kind::Text | Kind::Clearable | Kind::Secret => match (&v, text_of(&v)) {
            (Value::Null, _) => Ok(Value::Null),
            (_, Some(t)) => Ok(t.into()),
            _ => wrong("a text"),
        },
        Kind::Choice(words) => {
            let t = text_of(&v).unwrap_or_default();
            let hit = words.iter().find(|w| w.eq_ignore_ascii_case(&t));
            hit.map(|w| Value::from(*w)).ok_or_else(|| format!("'{t}' is not one of {}.", words.join(", ")))
        }
        Kind::Switch | Kind::Bool => match &v {
            Value::Bool(b) => Ok(Value::Bool(*b)),
            Value::String(s) if s.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            Value::String(s) if s.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            Value::Number(n) => Ok(Value::Bool(n.as_i64() != Some(0))),
            _ => wrong("$True or $False"),
        },
        Kind::Int => match &v {
            Value::Number(_) => Ok(v),
            Value::String(s) => {
                s.trim().parse::<i64>().map(Value::from).map_err(|_| format!("'{s}' is not a whole number."))
            }
            _ => wrong("a whole number"),
        },
        Kind::List => texts(&v).map(Value::Array).ok_or_else(|| "this is not a list of texts.".to_owned()),
        Kind::ListModifier => modifier(&v),
        Kind::Object => {
            if v.is_object() {
                Ok(v)
            } else {
                wrong("an object; take it from a Get- cmdlet")
            }
        }
        Kind::Credential => {
            if v.get("UserName").is_some() {
                Ok(v)
            } else {
                wrong("a credential; take it from Get-Credential")
            }
        }
    }
}

fn modifier(v: &Value) -> Result<Value, String> {
    let Value::Object(table) = v else {
        let list = texts(v).ok_or("this is neither a list nor @{Add=…;Remove=…}.")?;
        return Ok(serde_json::json!({ "Replace": list }));
    };
    let mut out = Map::new();
    for (k, list) in table {
        let key = ["Add", "Remove", "Replace"].into_iter().find(|w| w.eq_ignore_ascii_case(k));
        let key = key.ok_or_else(|| format!("'{k}' is not Add, Remove or Replace."))?;
        out.insert(key.to_owned(), Value::Array(texts(list).ok_or("this is not a list of texts.")?));
    }
    Ok(Value::Object(out))
}
