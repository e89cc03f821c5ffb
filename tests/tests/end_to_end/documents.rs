//! What the documents name exists.

use std::path::Path;

use anyhow::{Result, ensure};

#[test]
fn paths_named_in_the_architecture_and_links_exist() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default();
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md"))?;
    let map = text.split("## Code map").nth(1).and_then(|t| t.split("## ").next()).unwrap_or_default();
    let named: Vec<&str> =
        map.split('`').skip(1).step_by(2).filter(|p| p.contains('/') || root.join(p).exists()).collect();
    ensure!(named.len() > 15, "the code map was not found");
    for path in named {
        ensure!(root.join(path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
    }
    for file in ["README.md", "docs/operations.md", "docs/security.md"] {
        let text = std::fs::read_to_string(root.join(file))?;
        for link in
            text.split("](").skip(1).filter_map(|t| t.split(')').next()).filter(|l| !l.contains("://"))
        {
            ensure!(
                root.join(file).parent().is_some_and(|d| d.join(link).exists()),
                "{file} links to {link}, which does not exist"
            );
        }
    }
    Ok(())
}

#[test]
fn every_cmdlet_and_parameter_is_documented() -> Result<()> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cmdlets.md"))?;
    for spec in shared::cmdlets::ALL {
        let section = text.split(&format!("## {}\n", spec.name)).nth(1).and_then(|t| t.split("\n## ").next());
        let section = section.unwrap_or_default();
        ensure!(section.contains(spec.synopsis.trim()), "docs/cmdlets.md: {}", spec.name);
        for p in spec.params {
            ensure!(
                section.contains(&format!("`-{}`", p.name)),
                "docs/cmdlets.md: {} -{}",
                spec.name,
                p.name
            );
        }
    }
    Ok(())
}
