//! The reference of all cmdlets, written from their definitions, so that it cannot fall behind them.

use std::fmt::Write as _;

use crate::cmdlet::{Kind, Nature, Param, Spec};
use crate::cmdlets;
use crate::roles::{STANDARD, role_allows};
use crate::shell::examples_of;

const HEAD: &str = "# Cmdlets\n\nNames with the noun prefix `Lg` are ours; all others are Lync's. Common to all \
changes: `-WhatIf`, `-Confirm`, `-Force`.\nWritten from the definitions in `shared/src/cmdlets` \
(`BLESS=1 cargo test -p shared` writes it anew).\n";

/// `docs/cmdlets.md`.
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for spec in cmdlets::ALL {
        cmdlet(&mut out, spec);
    }
    out
}

fn cmdlet(out: &mut String, spec: &Spec) {
    let nature = match spec.nature {
        Nature::Query => "query",
        Nature::Change => "change",
        Nature::Start => "start",
    };
    put(out, format_args!("\n## {}\n\n{} *({nature})*\n", spec.name, spec.synopsis.trim()));
    if !spec.params.is_empty() {
        put(out, format_args!("\n| parameter | |\n|---|---|\n"));
        for p in spec.params {
            let required = if p.required { " (required)" } else { "" };
            put(
                out,
                format_args!(
                    "| `-{}`{required} | {}{} |\n",
                    p.name,
                    p.help.trim().replace('|', "\\|"),
                    values(p)
                ),
            );
        }
    }
    let lines: Vec<_> = examples_of(spec.name).collect();
    if !lines.is_empty() {
        put(out, format_args!("\n```powershell\n{}\n```\n", lines.join("\n")));
    }
    let roles: Vec<_> = STANDARD.into_iter().filter(|r| role_allows(r, spec.name)).collect();
    let who = if roles.len() == STANDARD.len() { "every role".to_owned() } else { roles.join(", ") };
    put(out, format_args!("\nMay be run by: {who}.\n"));
}

fn values(p: &Param) -> String {
    match p.kind {
        Kind::Choice(words) => format!(" One of {}.", words.join(", ")),
        _ => String::new(),
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    #[expect(clippy::expect_used, reason = "writing to a String")]
    out.write_fmt(text).expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_in_docs_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cmdlets.md");
        let text = super::markdown();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let now = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, now, "BLESS=1 writes it anew; review the difference");
    }
}
