//! What a cmdlet is: one type with its arguments, one name, one nature. Page, HTTP, shell line, role
//! table and audit are all made from this.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::ApiError;

/// What running it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Reads; role check, no plan, no audit.
    Query,
    /// Changes desired state in one transaction; planned, audited.
    Change,
    /// Starts durable work; planned, audited.
    Start,
}

/// How a parameter is written and carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Text that `$Null` empties.
    Clearable,
    /// `-Name` alone means true.
    Switch,
    /// `$true` or `$false`.
    Bool,
    /// Whole number.
    Int,
    /// List of texts.
    List,
    /// `@{Add=…;Remove=…;Replace=…}`, a plain list (= Replace) or `$Null` (= empty).
    ListModifier,
    /// An object from a variable or the pipeline; its identity is taken.
    Object,
    /// A credential (user name and password); never printed, never audited.
    Credential,
    /// A secret text; never printed, never audited.
    Secret,
    /// One of a few words, any case.
    Choice(&'static [&'static str]),
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Name without the hyphen.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// One line of help.
    pub help: &'static str,
    /// Must be given.
    pub required: bool,
    /// Takes this property of a piped object, or the piped text itself.
    pub pipe: Option<&'static str>,
    /// Position when given without a name, from 0.
    pub position: Option<u8>,
    /// Not in Lync's documentation; ours.
    pub ours: bool,
}

impl Param {
    /// An optional parameter.
    pub const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, required: false, pipe: None, position: None, ours: false }
    }
    /// Must be given.
    pub const fn req(mut self) -> Self {
        self.required = true;
        self
    }
    /// Takes `Identity` of a piped object.
    pub const fn piped(mut self) -> Self {
        self.pipe = Some("Identity");
        self
    }
    /// First positional parameter.
    pub const fn first(mut self) -> Self {
        self.position = Some(0);
        self
    }
    /// Not in Lync.
    pub const fn ours(mut self) -> Self {
        self.ours = true;
        self
    }
    /// Whether its value must never be printed or stored.
    pub const fn secret(&self) -> bool {
        matches!(self.kind, Kind::Credential | Kind::Secret)
    }
}

/// The definition of a cmdlet.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// `Verb-Noun`.
    pub name: &'static str,
    /// What running it means.
    pub nature: Nature,
    /// One or two sentences.
    pub synopsis: &'static str,
    /// Its parameters besides the common ones (WhatIf, Confirm, Force).
    pub params: &'static [Param],
}

impl Spec {
    /// Whether the name is ours (noun prefix `Lg`), not Lync's.
    pub fn is_ours(&self) -> bool {
        self.name.split_once('-').is_some_and(|(_, noun)| noun.starts_with("Lg"))
    }

    /// Whether what it starts is a test message, followed under `tests`; every other work is a job.
    pub fn starts_test_message(&self) -> bool {
        self.name == "Test-CsPersistentChatMessage"
    }

    /// The parameter with this name, any case; a unique prefix is enough, as in PowerShell.
    ///
    /// # Errors
    /// What is wrong: unknown (with the nearest names) or ambiguous.
    pub fn param(&self, name: &str) -> Result<&'static Param, String> {
        let lower = name.to_lowercase();
        if let Some(p) = self.params.iter().find(|p| p.name.to_lowercase() == lower) {
            return Ok(p);
        }
        let found: Vec<_> =
            self.params.iter().filter(|p| p.name.to_lowercase().starts_with(&lower)).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(format!(
                "{} has no parameter -{name}. It has: {}.",
                self.name,
                self.params.iter().map(|p| format!("-{}", p.name)).collect::<Vec<_>>().join(", ")
            )),
            many => Err(format!(
                "-{name} is ambiguous: {}.",
                many.iter().map(|p| format!("-{}", p.name)).collect::<Vec<_>>().join(", ")
            )),
        }
    }
}

/// A cmdlet's arguments as a type.
pub trait Cmdlet:
    Serialize + DeserializeOwned + Clone + std::fmt::Debug + Default + Send + Sync + 'static
{
    /// Its definition.
    const SPEC: Spec;
}

/// A change of a list: `Add`, `Remove`, or `Replace` (which is also what a plain list means).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListModifier {
    /// Added unless there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Removed when there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// The whole new list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Vec<String>>,
}

impl ListModifier {
    /// Replaces the list.
    pub fn set(list: Vec<String>) -> Self {
        Self { replace: Some(list), ..Self::default() }
    }

    /// The list after the change; comparison ignores case, order is kept.
    pub fn apply(&self, current: &[String]) -> Vec<String> {
        let mut out: Vec<String> = self.replace.clone().unwrap_or_else(|| current.to_vec());
        // Lists may have thousands of entries: they are looked up, not compared one by one.
        let mut there: std::collections::HashSet<String> = out.iter().map(|x| x.to_lowercase()).collect();
        out.extend(self.add.iter().filter(|a| there.insert(a.to_lowercase())).cloned());
        let gone: std::collections::HashSet<String> = self.remove.iter().map(|r| r.to_lowercase()).collect();
        out.retain(|x| gone.is_empty() || !gone.contains(&x.to_lowercase()));
        out
    }
}

/// A credential as `Get-Credential` makes it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct Credential {
    /// `DOMAIN\user` or a SIP address.
    pub user_name: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// Reads arguments into their type and checks what every cmdlet's arguments must keep: known names,
/// required ones given, words among their choices.
///
/// # Errors
/// The first thing wrong, at its parameter.
pub fn read_args<C: Cmdlet>(args: &Map<String, Value>) -> Result<C, ApiError> {
    for name in args.keys() {
        if !C::SPEC.params.iter().any(|p| p.name == name) {
            let text = C::SPEC.param(name).err().unwrap_or_else(|| format!("Write -{name} in full."));
            return Err(ApiError::invalid(name.clone(), text));
        }
    }
    for p in C::SPEC.params {
        let value = args.get(p.name);
        let empty = value.is_none_or(|v| v.is_null() || v.as_str().is_some_and(str::is_empty));
        if p.required && empty {
            return Err(ApiError::invalid(p.name, format!("{} needs -{}: {}", C::SPEC.name, p.name, p.help)));
        }
        if let (Kind::Int, Some(Value::Number(n))) = (p.kind, value)
            && n.as_u64().is_none_or(|n| u32::try_from(n).is_err())
        {
            return Err(ApiError::invalid(
                p.name,
                format!("-{} is a whole number from 0 to {}, not {n}.", p.name, u32::MAX),
            ));
        }
        if let (Kind::Choice(words), Some(Value::String(s))) = (p.kind, value)
            && !words.iter().any(|w| w == s)
        {
            return Err(ApiError::invalid(
                p.name,
                format!("-{} is one of {}, not '{s}'.", p.name, words.join(", ")),
            ));
        }
    }
    let given: Map<String, Value> =
        args.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
    serde_json::from_value(Value::Object(given))
        .map_err(|e| ApiError::invalid("args", format!("The arguments of {} do not fit: {e}.", C::SPEC.name)))
}

/// Arguments without what must never be printed or stored.
pub fn redact(spec: &Spec, args: &Map<String, Value>) -> Map<String, Value> {
    args.iter()
        .map(|(k, v)| match spec.params.iter().find(|p| p.name == k) {
            Some(p) if p.kind == Kind::Credential => {
                let user = v.get("UserName").cloned().unwrap_or(Value::Null);
                (k.clone(), serde_json::json!({ "UserName": user, "Password": "(not stored)" }))
            }
            Some(p) if p.secret() => (k.clone(), Value::from("(not stored)")),
            _ => (k.clone(), v.clone()),
        })
        .collect()
}
