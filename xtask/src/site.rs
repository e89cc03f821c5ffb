//! What the folder target/site is: hashed files, `index.html`, and `manifest.json` that lists them.
//!
//! Beside each file `NAME` lies `NAME.br`, its brotli form. All files but `index.html` and
//! `manifest.json` carry a hash of their content in the name and may be cached for ever.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::page::site_dir;

/// Most bytes of brotli that the whole page may weigh. The goal is 300,000 and is not met; this is what the
/// page weighs today, so that it does not grow unnoticed.
pub const BUDGET: u64 = 752_000;

/// `manifest.json`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Manifest {
    /// Every file of the site besides the manifest itself, sorted by name.
    pub files: Vec<Entry>,
}

/// A file of the site.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Entry {
    /// File name, without folder.
    pub name: String,
    /// Size in bytes.
    pub raw: u64,
    /// Size of its brotli form in bytes.
    pub br: u64,
}

impl Manifest {
    /// Reads the manifest of target/site.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read() -> Result<Self> {
        let path = site_dir().join("manifest.json");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("no page in {}: run `cargo xtask build` first", site_dir().display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a manifest", path.display()))
    }

    /// Bytes of brotli of all files.
    pub fn weight(&self) -> u64 {
        self.files.iter().map(|file| file.br).sum()
    }

    /// The sizes as lines of a table, in bytes.
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{:<34}{:>12}{:>12}", "page", "raw", "brotli")];
        lines.extend(self.files.iter().map(|f| format!("{:<34}{:>12}{:>12}", f.name, f.raw, f.br)));
        let raw: u64 = self.files.iter().map(|file| file.raw).sum();
        lines.push(format!("{:<34}{raw:>12}{:>12}", "total", self.weight()));
        lines.join("\n")
    }

    /// Holds the page against its budget.
    ///
    /// # Errors
    /// It is too heavy.
    pub fn check_budget(&self) -> Result<()> {
        let weight = self.weight();
        if weight > BUDGET {
            bail!("the page weighs {weight} bytes as brotli, its budget is {BUDGET}");
        }
        println!("budget: {weight} of {BUDGET} bytes of brotli");
        Ok(())
    }
}

/// The style sheets in their order: as `order.txt` lists them where it exists, else by name.
///
/// # Errors
/// A listed file is missing, or a style sheet is not listed.
#[cfg_attr(not(any(feature = "bundle", test)), expect(dead_code, reason = "the bundler calls it"))]
pub fn style_sheets(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => return Ok(Vec::new()),
    };
    found.retain(|path| path.extension().is_some_and(|extension| extension == "css"));
    found.sort();
    let Ok(order) = fs::read_to_string(folder.join("order.txt")) else { return Ok(found) };
    let names = order.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let listed: Vec<PathBuf> = names.map(|name| folder.join(name)).collect();
    if let Some(missing) = listed.iter().find(|path| !found.contains(path)) {
        bail!("{} is listed in order.txt but not there", missing.display());
    }
    if let Some(forgotten) = found.iter().find(|path| !listed.contains(path)) {
        bail!("{} is not listed in order.txt", forgotten.display());
    }
    Ok(listed)
}

/// Puts values into `{{name}}` placeholders.
///
/// # Errors
/// A placeholder has no value.
#[cfg_attr(not(any(feature = "bundle", test)), expect(dead_code, reason = "the bundler calls it"))]
pub fn fill(template: &str, values: &[(&str, &str)]) -> Result<String> {
    let filled = values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value));
    if let Some((_, rest)) = filled.split_once("{{") {
        bail!("nothing to put for {{{{{}", rest.chars().take(20).collect::<String>());
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn names(paths: &[PathBuf]) -> Vec<&str> {
        paths.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect()
    }

    #[test]
    fn style_sheets_follow_the_list_or_the_alphabet() {
        let dir = folder(&[("b.css", ""), ("a.css", ""), ("notes.md", "")]);
        assert_eq!(names(&style_sheets(dir.path()).unwrap()), ["a.css", "b.css"]);
        fs::write(dir.path().join("order.txt"), "# base first\nb.css\n\na.css\n").unwrap();
        assert_eq!(names(&style_sheets(dir.path()).unwrap()), ["b.css", "a.css"]);
    }

    #[test]
    fn a_list_that_does_not_fit_the_folder_is_refused() {
        let dir = folder(&[("a.css", ""), ("order.txt", "a.css\nb.css\n")]);
        assert!(style_sheets(dir.path()).unwrap_err().to_string().contains("not there"));
        let dir = folder(&[("a.css", ""), ("b.css", ""), ("order.txt", "a.css\n")]);
        assert!(style_sheets(dir.path()).unwrap_err().to_string().contains("not listed"));
    }

    #[test]
    fn placeholders_are_filled_and_none_is_left() {
        let text = fill("<a href=/{{js}}><b href=/{{js}}>", &[("js", "app-1.js")]).unwrap();
        assert_eq!(text, "<a href=/app-1.js><b href=/app-1.js>");
        assert!(fill("{{css}}", &[("js", "x")]).unwrap_err().to_string().contains("css"));
    }

    #[test]
    fn the_budget_counts_every_file() {
        let entry = |br| Entry { name: "a".to_owned(), raw: br, br };
        assert!(Manifest { files: vec![entry(BUDGET - 1), entry(1)] }.check_budget().is_ok());
        assert!(Manifest { files: vec![entry(BUDGET), entry(1)] }.check_budget().is_err());
    }
}
