//! What the word before the cursor can be completed to.

use super::parse::{dash, hyphens};
use super::{Session, builtin};
use crate::cmdlet::{Kind, Nature};
use crate::cmdlets;

/// Completions of a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins (byte offset).
    pub start: usize,
    /// The cursor, where it ends.
    pub end: usize,
    /// What it can become, best first.
    pub choices: Vec<String>,
}

/// The commands before the cursor, as words with the place where each begins: those of the command that
/// the cursor stands in.
fn words(text: &str) -> Vec<(usize, &str)> {
    let (mut out, mut start, mut quote) = (Vec::new(), None, None);
    for (i, c) in text.char_indices() {
        match quote {
            Some(q) => {
                if c == q {
                    quote = None;
                }
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {}
        }
        let ends_command = "|;{(\n=".contains(c);
        if ends_command || c.is_whitespace() || c == ',' {
            if let Some(s) = start.take() {
                out.push((s, &text[s..i]));
            }
            if ends_command {
                out.clear();
            }
        } else if start.is_none() {
            start = Some(i);
        }
    }
    let last = start.unwrap_or(text.len());
    out.push((last, &text[last..]));
    out
}

/// Values of a parameter that are known beforehand.
fn values(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Choice(words) => words.to_vec(),
        Kind::Bool => vec!["$True", "$False"],
        _ => Vec::new(),
    }
}

/// Names of a command's parameters.
fn parameters(command: &str) -> Vec<&'static str> {
    if let Some(own) = builtin::find(command) {
        return own.params.iter().map(|(n, _)| *n).collect();
    }
    let Some(spec) = cmdlets::find(command) else { return Vec::new() };
    let common = super::bind::COMMON.iter().map(|(n, _)| *n);
    let common =
        common.filter(|n| spec.nature != Nature::Query || !matches!(*n, "WhatIf" | "Confirm" | "Force"));
    spec.params.iter().map(|p| p.name).chain(common).collect()
}

/// Completes the word that ends at `cursor` (a byte offset): names of cmdlets, parameters, variables and
/// words of a choice.
pub fn complete(session: &Session, line: &str, cursor: usize) -> Completion {
    let Some(text) = line.get(..cursor) else { return Completion::default() };
    let words = words(text);
    let Some(((start, word), before)) = words.split_last() else { return Completion::default() };
    let lower = hyphens(word).to_lowercase();
    let begins = |n: &str| n.to_lowercase().starts_with(&lower);
    let command = before.first().map(|(_, w)| hyphens(w));
    let previous = before.last().map(|(_, w)| *w).unwrap_or_default();
    let choices = if lower.starts_with('$') {
        let known = session.variables().map(|n| format!("${n}"));
        known.chain(["$True", "$False", "$Null"].map(str::to_owned)).filter(|n| begins(n)).collect()
    } else if let Some(command) = command {
        let spec = cmdlets::find(&command);
        let asked = previous.strip_prefix(dash).and_then(|n| spec?.param(n).ok());
        if let Some(p) = asked.filter(|_| !word.starts_with(dash)) {
            let bare = lower.trim_start_matches('"');
            let fits = |v: &&str| v.to_lowercase().starts_with(bare);
            values(p.kind).into_iter().filter(fits).map(str::to_owned).collect()
        } else if word.starts_with(dash) {
            parameters(&command).iter().map(|n| format!("-{n}")).filter(|n| begins(n)).collect()
        } else if matches!(command.to_lowercase().as_str(), "get-help" | "help" | "get-command") {
            builtin::about().map(|(n, _)| n.to_owned()).filter(|n| begins(n)).collect()
        } else {
            Vec::new()
        }
    } else if lower.is_empty() {
        Vec::new()
    } else {
        builtin::about().map(|(n, _)| n.to_owned()).filter(|n| begins(n)).collect()
    };
    Completion { start: *start, end: cursor, choices }
}
