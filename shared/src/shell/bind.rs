//! Arguments as typed → arguments of a cmdlet.

use serde_json::{Map, Value};

use super::eval::ErrorAction;
use super::names::{self, nearest};
use super::parse::{Argument, Command, ParseError};
use super::value::reveal;
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
    /// `-ErrorAction`.
    pub error_action: Option<ErrorAction>,
    /// `-WarningAction SilentlyContinue`.
    pub no_warnings: bool,
    /// `-Verbose`.
    pub verbose: bool,
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

/// Where to look instead of `name`.
fn hint(name: &str) -> String {
    // The documents print `Set-CsPersistentChatCategory-FileUpload`.
    if let Some((cmdlet, parameter)) = name.rsplit_once('-')
        && cmdlets::find(cmdlet).is_some()
    {
        return format!("Write a space before -{parameter}.");
    }
    let names = || cmdlets::ALL.iter().map(|s| s.name).chain(super::builtin::ALL.iter().map(|o| o.name));
    let noun = |n: &str| n.split_once('-').map_or(n, |(_, noun)| noun).to_lowercase();
    let wanted = noun(name);
    let mut close: Vec<&str> = nearest(name, names()).into_iter().collect();
    close.extend(names().filter(|n| {
        let other = noun(n);
        // The language's own nouns (Object, Host) are in too many names to be a hint.
        (wanted.starts_with("cs") || wanted.starts_with("lg"))
            && (other == wanted || (wanted.len() > 5 && (other.contains(&wanted) || wanted.contains(&other))))
    }));
    close.dedup();
    close.truncate(4);
    if close.is_empty() {
        "Get-Command lists them all.".to_owned()
    } else {
        format!("Near: {}.", close.join(", "))
    }
}

/// The cmdlet of this name.
///
/// # Errors
/// When there is none, with names that are near.
pub fn find(c: &Command) -> Result<&'static Spec, ParseError> {
    cmdlets::find(&c.name).ok_or_else(|| {
        ParseError::new(format!("There is no cmdlet {}. {}", c.name, hint(&c.name)), c.span.0, c.span.1)
    })
}

/// Parameters that every cmdlet has, with their short names.
pub const COMMON: [(&str, &str); 7] = [
    ("WhatIf", "wi"),
    ("Confirm", "cf"),
    ("Force", ""),
    ("ErrorAction", "ea"),
    ("WarningAction", "wa"),
    ("Verbose", "vb"),
    ("Debug", "db"),
];

/// The parameter that is meant, of the cmdlet or common to all.
fn parameter(spec: &'static Spec, typed: &str) -> Result<&'static str, String> {
    if let Some((name, _)) = COMMON.iter().find(|(_, short)| short.eq_ignore_ascii_case(typed)) {
        return Ok(name);
    }
    // A cmdlet's own parameter may have the name of a common one.
    let common = COMMON.iter().map(|(n, _)| *n).filter(|n| !spec.params.iter().any(|p| p.name == *n));
    names::parameter(spec.name, typed, spec.params.iter().map(|p| p.name).chain(common))
}

/// Whether a parameter is a switch.
fn is_switch(spec: &Spec, name: &str) -> bool {
    match spec.params.iter().find(|p| p.name == name) {
        Some(p) => p.kind == Kind::Switch,
        None => !name.ends_with("Action"),
    }
}

/// Binds a command's arguments to their evaluated values.
///
/// # Errors
/// What does not fit, and where.
pub fn bind(c: &Command, values: Vec<Option<Value>>) -> Result<Bound, ParseError> {
    let spec = find(c)?;
    let mut out = Bound {
        spec,
        args: Map::new(),
        what_if: false,
        confirm: None,
        force: false,
        error_action: None,
        no_warnings: false,
        verbose: false,
    };
    let mut position = 0;
    for (a, given) in c.args.iter().zip(values) {
        let name = a.name.as_deref().map(|n| resolved(spec, n, a)).transpose()?;
        // A switch takes a value after a colon only: what follows it is the next argument.
        let (given, left) = match name {
            Some(name) if !a.colon && is_switch(spec, name) => (None, given),
            Some(_) => (given, None),
            None => (None, given),
        };
        if let Some(name) = name {
            named(&mut out, name, given, a)?;
        }
        if let Some(given) = left {
            let p = spec.params.iter().find(|p| p.position == Some(position));
            let p =
                p.ok_or_else(|| error(a, format!("{} takes no value here. Name its parameter.", spec.name)))?;
            position += 1;
            set(&mut out, p, Some(given), a)?;
        }
    }
    Ok(out)
}

fn resolved(spec: &'static Spec, typed: &str, a: &Argument) -> Result<&'static str, ParseError> {
    let wrong = WRONG.iter().find(|(c, p, _)| {
        p.eq_ignore_ascii_case(typed) && (c.is_empty() || c.eq_ignore_ascii_case(spec.name))
    });
    let lower = typed.to_lowercase();
    let begins = spec.params.iter().any(|p| p.name.to_lowercase().starts_with(&lower));
    if let (Some((_, _, hint)), false) = (wrong, begins) {
        return Err(error(a, format!("{} has no parameter -{typed}. {hint}", spec.name)));
    }
    parameter(spec, typed).map_err(|e| error(a, e))
}

fn error(a: &Argument, text: impl Into<String>) -> ParseError {
    ParseError::new(text, a.span.0, a.span.1)
}

fn truth(v: Option<&Value>) -> bool {
    v.is_none_or(|v| v.as_bool().unwrap_or(true))
}

/// The word of `-ErrorAction` and `-WarningAction`.
fn action(name: &str, given: Option<&Value>, a: &Argument) -> Result<ErrorAction, ParseError> {
    let word = given.and_then(text_of).unwrap_or_default();
    ErrorAction::parse(&word)
        .ok_or_else(|| error(a, format!("-{name} is one of Continue, Stop, SilentlyContinue, Ignore.")))
}

fn named(out: &mut Bound, name: &str, given: Option<Value>, a: &Argument) -> Result<(), ParseError> {
    if let Some(p) = out.spec.params.iter().find(|p| p.name == name) {
        if out.args.contains_key(p.name) {
            return Err(error(a, format!("-{} is given twice.", p.name)));
        }
        return set(out, p, given, a);
    }
    match name {
        "WhatIf" => out.what_if = truth(given.as_ref()),
        "Confirm" => out.confirm = Some(truth(given.as_ref())),
        "Force" => out.force = truth(given.as_ref()),
        "ErrorAction" => out.error_action = Some(action(name, given.as_ref(), a)?),
        "Verbose" => out.verbose = truth(given.as_ref()),
        "WarningAction" => out.no_warnings = action(name, given.as_ref(), a)? == ErrorAction::Silent,
        _ => {}
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
        Kind::Secret if reveal(&v).is_some() => Ok(reveal(&v).into()),
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
            if v.get("UserName").is_none() {
                return wrong("a credential; take it from Get-Credential");
            }
            let mut v = v;
            if let Some(password) = reveal(&v["Password"]).map(Value::from) {
                v["Password"] = password;
            }
            Ok(v)
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
