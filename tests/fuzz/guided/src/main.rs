//! The fuzz targets under libFuzzer; `cargo xtask soak fuzz` builds and starts this. `LIFEGUARD_FUZZ_TARGET` names the
//! target; `LIFEGUARD_FUZZ_SEEDS` a folder that is filled with what each begins with, instead.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use lifeguard_fuzz::{TARGETS, Target, corpus, find};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

/// Writes what the targets begin with, and their names to standard output.
fn write_seeds(into: &Path) -> std::io::Result<()> {
    for t in &TARGETS {
        let dir = into.join(t.name);
        std::fs::create_dir_all(&dir)?;
        for (i, bytes) in corpus::seeds(t).iter().enumerate() {
            std::fs::write(dir.join(i.to_string()), bytes)?;
        }
        println!("{}", t.name);
    }
    Ok(())
}

fuzz_target!(
    init: {
        if let Some(into) = std::env::var_os("LIFEGUARD_FUZZ_SEEDS") {
            write_seeds(Path::new(&into)).expect("the seeds cannot be written");
            std::process::exit(0);
        }
    },
    |data: &[u8]| {
        let target = TARGET.get_or_init(|| {
            let name = std::env::var("LIFEGUARD_FUZZ_TARGET").unwrap_or_default();
            find(&name).expect("LIFEGUARD_FUZZ_TARGET names no target")
        });
        (target.run)(data);
    }
);
