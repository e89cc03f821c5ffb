//! Makes the site: wasm-bindgen, style sheets, hashed names, brotli, `index.html`, manifest.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use brotli::enc::BrotliEncoderParams;
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::BundleArgs;
use crate::exec::root;
use crate::site::{Entry, Manifest, fill, style_sheets};

/// Makes the folder `args.site` anew; when nothing changed it is left alone, so that the server, which
/// embeds it, is not built again.
///
/// # Errors
/// A file is missing, the page imports JavaScript of its own, or the disk refuses.
pub fn make(args: &BundleArgs) -> Result<()> {
    let mut site = Site { files: BTreeMap::new() };
    let (js, wasm) = bindgen(args)?;
    let js = site.hashed("app", "js", js.into_bytes());
    let wasm = site.hashed("app", "wasm", wasm);
    let css = site.hashed("style", "css", style()?);
    let icon = site.hashed("icon", "svg", source("frontend/icon.svg")?.into_bytes());
    let loader = fill(&source("frontend/loader.js")?, &[("js", &js), ("wasm", &wasm)])?;
    let loader = site.hashed("loader", "js", loader.into_bytes());
    let values = [("js", &*js), ("wasm", &*wasm), ("css", &*css), ("icon", &*icon), ("loader", &*loader)];
    let index = fill(&source("frontend/index.html")?, &values)?;
    site.files.insert("index.html".to_owned(), index.into_bytes());
    site.write(&args.site, if args.dev { 4 } else { 11 })
}

/// The files of the site by name.
struct Site {
    files: BTreeMap<String, Vec<u8>>,
}

impl Site {
    /// Adds a file under a name with a hash of its content.
    fn hashed(&mut self, stem: &str, extension: &str, content: Vec<u8>) -> String {
        let hash: String =
            Sha256::digest(&content).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{stem}-{hash}.{extension}");
        self.files.insert(name.clone(), content);
        name
    }

    fn write(self, folder: &Path, quality: i32) -> Result<()> {
        let fresh = folder.with_extension("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir_all(&fresh)?;
        let mut entries = Vec::new();
        for (name, content) in self.files {
            let packed = brotli(&content, quality)?;
            fs::write(fresh.join(&name), &content)?;
            fs::write(fresh.join(format!("{name}.br")), &packed)?;
            entries.push(Entry { name, raw: content.len() as u64, br: packed.len() as u64 });
        }
        let manifest = serde_json::to_string_pretty(&Manifest { files: entries })?;
        if fs::read_to_string(folder.join("manifest.json")).is_ok_and(|old| old == manifest)
            && same_index(folder, &fresh)
        {
            fs::remove_dir_all(&fresh)?;
            return Ok(());
        }
        fs::write(fresh.join("manifest.json"), manifest)?;
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::rename(&fresh, folder).with_context(|| format!("cannot put {} in place", folder.display()))
    }
}

/// `index.html` has no hash in its name, so the manifest alone does not tell whether it changed.
fn same_index(old: &Path, new: &Path) -> bool {
    let read = |folder: &Path| fs::read(folder.join("index.html")).ok();
    read(old).is_some_and(|text| Some(text) == read(new))
}

/// JavaScript and wasm of the page.
fn bindgen(args: &BundleArgs) -> Result<(String, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&args.wasm).web(true)?.typescript(false).omit_default_module_path(true);
    bindgen.remove_name_section(!args.dev).remove_producers_section(true);
    let mut output =
        bindgen.generate_output().with_context(|| format!("wasm-bindgen refuses {}", args.wasm.display()))?;
    let inline = output.snippets().iter().filter(|(_, list)| !list.is_empty()).map(|(name, _)| name);
    if let Some(name) = inline.chain(output.local_modules().keys()).next() {
        bail!("the page imports the JavaScript snippet {name}, which the bundle has no place for");
    }
    let wasm = output.wasm_mut().emit_wasm();
    Ok((output.js().to_owned(), wasm))
}

fn style() -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for path in style_sheets(&root().join("style"))? {
        all.extend(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(all)
}

fn source(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

fn brotli(content: &[u8], quality: i32) -> Result<Vec<u8>> {
    let params = BrotliEncoderParams { quality, size_hint: content.len(), ..Default::default() };
    let mut writer = brotli::CompressorWriter::with_params(Vec::new(), 1 << 16, &params);
    writer.write_all(content)?;
    Ok(writer.into_inner())
}
