//! Licences of what the product is built from: each dependency's must be one that is allowed here.
//!
//! Advisories are not looked up: their data is a repository, which no package registry hands out.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::exec::{capture, cargo};

/// What may be part of the product without asking.
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Looks at every package that the lock file names.
///
/// # Errors
/// The packages whose licence is not allowed or not stated.
pub fn check() -> Result<()> {
    let text = capture(cargo("metadata").args(["--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wrong: Vec<String> = packages
        .iter()
        .filter(|p| !p["license"].as_str().is_some_and(allowed))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    if packages.is_empty() || !wrong.is_empty() {
        bail!("licences that nobody has allowed yet (xtask/src/licences.rs):\n{}", wrong.join("\n"));
    }
    println!("{} packages, all of them under licences that are allowed", packages.len());
    Ok(())
}

/// Whether an SPDX expression leaves a choice that is allowed. `/` is the old way to write OR.
fn allowed(expression: &str) -> bool {
    let text = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> bool {
    let mut found = all(rest);
    while let Some(("OR", tail)) = rest.split_first().map(|(w, t)| (*w, t)) {
        *rest = tail;
        found |= all(rest);
    }
    found
}

fn all(rest: &mut &[&str]) -> bool {
    let mut found = one(rest);
    while let Some(("AND", tail)) = rest.split_first().map(|(w, t)| (*w, t)) {
        *rest = tail;
        found &= one(rest);
    }
    found
}

fn one(rest: &mut &[&str]) -> bool {
    let Some((word, tail)) = rest.split_first() else { return false };
    *rest = tail;
    if *word == "(" {
        let found = any(rest);
        let closed = rest.first() == Some(&")");
        *rest = rest.get(1..).unwrap_or_default();
        return found && closed;
    }
    // An exception allows more, never less.
    if rest.first() == Some(&"WITH") {
        *rest = rest.get(2..).unwrap_or_default();
    }
    ALLOWED.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_reads_them() {
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "Unlicense/MIT",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in
            ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "MIT GPL-3.0", "(MIT", "OR MIT"]
        {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
