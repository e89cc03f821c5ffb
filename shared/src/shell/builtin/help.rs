//! Get-Command and Get-Help.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Form, Given, Own};
use crate::cmdlet::{Kind, Param, Spec};
use crate::cmdlets;
use crate::identity::wildcard_match;
use crate::shell::eval::{Done, Output};
use crate::shell::examples;
use crate::shell::names::near;
use crate::shell::parse::hyphens;

/// Name and one sentence of every cmdlet, ours and the language's.
pub fn about() -> impl Iterator<Item = (&'static str, &'static str)> {
    let ours = cmdlets::ALL.iter().map(|s| (s.name, s.synopsis.trim()));
    ours.chain(super::ALL.iter().map(|o| (o.name, o.synopsis)))
}

/// A parameter's value in the syntax line.
fn placeholder(kind: Kind) -> String {
    match kind {
        Kind::Switch => String::new(),
        Kind::Text | Kind::Clearable => " <String>".to_owned(),
        Kind::Bool => " <$true | $false>".to_owned(),
        Kind::Int => " <Int32>".to_owned(),
        Kind::List => " <String[]>".to_owned(),
        Kind::ListModifier => " <PSListModifier>".to_owned(),
        Kind::Object => " <PSObject>".to_owned(),
        Kind::Credential => " <PSCredential>".to_owned(),
        Kind::Secret => " <SecureString>".to_owned(),
        Kind::Choice(words) => format!(" <{}>", words.join(" | ")),
    }
}

fn syntax(spec: &Spec) -> String {
    let one = |p: &Param| {
        let text = format!("-{}{}", p.name, placeholder(p.kind));
        if p.required { format!(" {text}") } else { format!(" [{text}]") }
    };
    let change = spec.nature != crate::cmdlet::Nature::Query;
    let common = if change { " [-WhatIf] [-Confirm] [-Force]" } else { "" };
    format!("{}{}{common} [<CommonParameters>]", spec.name, spec.params.iter().map(one).collect::<String>())
}

fn own_syntax(own: &Own) -> String {
    let one = |(n, f): &(&str, Form)| match f {
        Form::Switch => format!(" [-{n}]"),
        _ => format!(" [-{n} <value>]"),
    };
    format!("{}{}", own.name, own.params.iter().map(one).collect::<String>())
}

/// What Get-Help prints of a cmdlet of either kind.
struct Page {
    name: &'static str,
    synopsis: &'static str,
    syntax: String,
    aliases: &'static str,
    /// Name with what it is, and help.
    params: Vec<(String, &'static str)>,
    examples: Vec<&'static str>,
}

fn page(name: &str) -> Option<Page> {
    if let Some(s) = cmdlets::find(name) {
        let param = |p: &Param| {
            let must = if p.required { " (required)" } else { "" };
            let ours = if p.ours { " (not in Lync)" } else { "" };
            (format!("-{}{}{must}{ours}", p.name, placeholder(p.kind)), p.help.trim())
        };
        return Some(Page {
            name: s.name,
            synopsis: s.synopsis.trim(),
            syntax: syntax(s),
            aliases: "",
            params: s.params.iter().map(param).collect(),
            examples: examples::of(s.name).collect(),
        });
    }
    let own = super::find(name)?;
    Some(Page {
        name: own.name,
        synopsis: own.synopsis,
        syntax: own_syntax(own),
        aliases: own.aliases,
        params: Vec::new(),
        examples: vec![own.example],
    })
}

impl Page {
    fn text(&self, examples: bool, full: bool, parameter: Option<&str>) -> String {
        let mut out = String::new();
        let mut section = |title: &str, lines: &[String]| {
            if !lines.is_empty() {
                // Writing to a text cannot fail.
                let _ = write!(out, "\n{title}\n    {}\n", lines.join("\n    "));
            }
        };
        let params = |wanted: &str| -> Vec<String> {
            let hit = |(n, _): &&(String, _)| {
                let bare = n[1..].split(' ').next().unwrap_or_default();
                wildcard_match(wanted.trim_start_matches('-'), bare)
            };
            self.params.iter().filter(hit).map(|(n, help)| format!("{n}\n        {help}")).collect()
        };
        if let Some(p) = parameter {
            section("PARAMETERS", &params(p));
            return out;
        }
        section("NAME", &[self.name.to_owned()]);
        section("SYNOPSIS", &[self.synopsis.to_owned()]);
        if !examples || full {
            section("SYNTAX", std::slice::from_ref(&self.syntax));
            section("PARAMETERS", &params("*"));
            let aliases: Vec<String> = self.aliases.split_whitespace().map(str::to_owned).collect();
            section("ALIASES", &aliases);
        }
        if examples || full {
            section("EXAMPLES", &self.examples.iter().map(|e| format!("PS> {e}")).collect::<Vec<_>>());
        }
        out
    }
}

/// Get-Command.
pub fn commands(g: &Given<'_>) -> Done<Output> {
    let wanted: Vec<String> = g.texts("Name").iter().map(|n| hyphens(n)).collect();
    let verbs = g.texts("Verb");
    let nouns = g.texts("Noun");
    let fits = |patterns: &[String], text: &str| {
        patterns.is_empty() || patterns.iter().any(|p| wildcard_match(p, text))
    };
    let mut hits: Vec<_> = about()
        .filter(|(n, _)| {
            let (verb, noun) = n.split_once('-').unwrap_or((n, ""));
            fits(&wanted, n) && fits(&verbs, verb) && fits(&nouns, noun)
        })
        .collect();
    if let (true, [alias]) = (hits.is_empty(), wanted.as_slice())
        && let Some(own) = super::find(alias)
    {
        hits.push((own.name, own.synopsis));
    }
    if let (true, Some(exact)) = (hits.is_empty(), wanted.iter().find(|w| !w.contains(['*', '?']))) {
        let hint = near(exact, about().map(|(n, _)| n));
        return Err(g.wrong(format!("There is no cmdlet {exact}.{hint}")));
    }
    let object = |(name, synopsis): &(&str, &str)| {
        let (verb, noun) = name.split_once('-').unwrap_or((name, ""));
        json!({ "CommandType": "Cmdlet", "Name": name, "Verb": verb, "Noun": noun, "Synopsis": synopsis })
    };
    let text = hits.iter().map(|(n, s)| format!("{n:<36} {s}\n")).collect();
    let objects: Vec<Value> = hits.iter().map(object).collect();
    Ok(Output { text: Some(text), objects })
}

/// Get-Help.
pub fn help(g: &Given<'_>) -> Done<Output> {
    let examples = g.switch("Examples");
    let full = g.switch("Full") || g.switch("Detailed");
    let parameter = g.word("Parameter");
    let name = hyphens(&g.word("Name").unwrap_or_else(|| "*".to_owned()));
    if let Some(p) = page(&name) {
        let text = p.text(examples, full, parameter.as_deref());
        if text.is_empty() {
            let wanted = parameter.unwrap_or_default();
            return Err(g.wrong(format!("{} has no parameter -{wanted}.", p.name)));
        }
        return Ok(Output::text(text));
    }
    let pattern = if name.contains(['*', '?']) { name.clone() } else { format!("*{name}*") };
    let hits: Vec<_> = about().filter(|(n, _)| wildcard_match(&pattern, n)).collect();
    match hits.as_slice() {
        [] => {
            let hint = near(&name, about().map(|(n, _)| n));
            Err(g.wrong(format!("There is no cmdlet {name}.{hint}")))
        }
        [(one, _)] => Ok(Output::text(page(one).map(|p| p.text(examples, full, None)).unwrap_or_default())),
        many => Ok(Output::text(many.iter().map(|(n, s)| format!("{n:<36} {s}\n")).collect())),
    }
}
