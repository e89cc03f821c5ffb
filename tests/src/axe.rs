//! axe-core, the judge of accessibility.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::browser::Browser;
use crate::target_dir;

/// A rule of axe that the page breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule, e.g. `color-contrast`.
    pub rule: String,
    /// What the rule wants.
    pub help: String,
    /// Elements that break it, as HTML, with what axe says of each.
    pub elements: Vec<String>,
}

impl Browser {
    /// Judges the page as it is now by all of axe's rules.
    ///
    /// # Errors
    /// axe-core is not there (`AXE_JS`), or does not run.
    pub async fn axe(&self) -> Result<Vec<Violation>> {
        if self.script("return typeof window.axe;", Vec::new()).await? != "object" {
            let source = fs::read_to_string(axe_js()?).context("AXE_JS")?;
            self.script(&source, Vec::new()).await.context("axe-core does not load")?;
        }
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] })
                .then(result => done(result.violations), error => done(String(error)));";
        let answer = self.driver().execute_async(run, Vec::new()).await?.json().clone();
        let Value::Array(found) = answer else { bail!("axe does not run: {answer}") };
        Ok(found.iter().map(violation).collect())
    }

    /// Fails with every violation of the page.
    ///
    /// # Errors
    /// There is one, or axe does not run.
    pub async fn assert_accessible(&self, what: &str) -> Result<()> {
        let found = self.axe().await?;
        if found.is_empty() {
            return Ok(());
        }
        let lines = found.iter().map(|v| format!("{}: {}\n  {}", v.rule, v.help, v.elements.join("\n  ")));
        bail!("{what} breaks {} rules of axe:\n{}", found.len(), lines.collect::<Vec<_>>().join("\n"))
    }
}

fn violation(value: &Value) -> Violation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = value["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    Violation {
        rule: text(&value["id"]),
        help: text(&value["help"]),
        elements: nodes
            .iter()
            .map(|node| {
                format!("{} – {}", text(&node["html"]), text(&node["failureSummary"]).replace('\n', " "))
            })
            .collect(),
    }
}

fn axe_js() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("AXE_JS") {
        return Ok(path.into());
    }
    let tools = fs::read_dir(target_dir().join("tools")).ok().into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = tools
        .map(|entry| entry.path().join("package").join("axe.min.js"))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop().context("axe-core is needed: `cargo xtask tools` fetches it")
}
