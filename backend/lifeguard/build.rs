//! Embeds the built page: raw and brotli bytes of every file in `LIFEGUARD_SITE_DIR`, or a placeholder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Lifeguard</title><main><h1>The page is not built in</h1><p>Build with <code>cargo xtask build</code>. The API answers under /api/v1.</p></main></html>";

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

/// The bundler leaves a compressed file beside each; only the placeholder is compressed here.
fn compress(site: Option<&Path>, name: &str, raw: &[u8]) -> Vec<u8> {
    if let Some(done) = site.and_then(|dir| fs::read(dir.join(format!("{name}.br"))).ok()) {
        return done;
    }
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &raw[..], &mut out, &params).expect("compressing in memory does not fail");
    out
}

/// FNV-1a, enough to tell versions of a file apart.
fn hash(raw: &[u8]) -> u64 {
    raw.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn main() {
    println!("cargo::rerun-if-env-changed=LIFEGUARD_SITE_DIR");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let site =
        env::var("LIFEGUARD_SITE_DIR").ok().map(PathBuf::from).filter(|d| d.join("index.html").exists());
    let mut files: Vec<(String, Vec<u8>)> = match &site {
        Some(dir) => {
            println!("cargo::rerun-if-changed={}", dir.display());
            read(dir)
        }
        None => vec![("index.html".to_owned(), PLACEHOLDER.as_bytes().to_vec())],
    };
    files.sort();
    let mut code = String::from("static FILES: &[File] = &[\n");
    for (i, (name, raw)) in files.iter().enumerate() {
        fs::write(out.join(format!("{i}.raw")), raw).expect("OUT_DIR is writable");
        fs::write(out.join(format!("{i}.br")), compress(site.as_deref(), name, raw))
            .expect("OUT_DIR is writable");
        writeln!(
            code,
            "File {{ path: \"/{name}\", kind: \"{}\", etag: \"\\\"{:016x}\\\"\", raw: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{i}.raw\")), brotli: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{i}.br\")) }},",
            kind(name),
            hash(raw)
        )
        .expect("writing to a String does not fail");
    }
    code.push_str("];\n");
    fs::write(out.join("site.rs"), code).expect("OUT_DIR is writable");
}

fn read(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).expect("LIFEGUARD_SITE_DIR is readable");
    entries
        .flatten()
        .filter(|e| e.path().is_file() && e.file_name() != "manifest.json")
        .filter(|e| e.path().extension().is_none_or(|x| x != "br"))
        .map(|e| {
            (
                e.file_name().to_string_lossy().into_owned(),
                fs::read(e.path()).expect("the site's files are readable"),
            )
        })
        .collect()
}
