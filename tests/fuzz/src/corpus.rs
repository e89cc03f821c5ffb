//! What the targets begin with: captured messages, example lines, the sample deployment, kept finds.

use std::path::{Path, PathBuf};

use shared::topology::made::{Size, made};

use crate::targets::{Seeds, Target};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where finds of a target are kept: each was a fault once.
pub fn finds(target: &str) -> PathBuf {
    here().join("finds").join(target)
}

fn files(dir: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|f| f.path()).collect();
    paths.sort();
    paths.iter().filter_map(|p| std::fs::read(p).ok()).collect()
}

fn messages() -> Vec<Vec<u8>> {
    let dir = here().join("../../backend/wire/tests/corpus");
    files(&dir).into_iter().filter(|m| m.windows(7).any(|w| w == b"SIP/2.0")).collect()
}

fn body(message: &[u8]) -> Option<Vec<u8>> {
    let at = message.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    (at < message.len()).then(|| message[at..].to_vec())
}

fn json<T: serde::Serialize>(v: &T) -> Vec<u8> {
    serde_json::to_vec(v).unwrap_or_default()
}

/// What a target begins with, kept finds among it.
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let mut all = match target.seeds {
        Seeds::Messages => messages(),
        Seeds::Bodies => {
            let answer = wire::provisioning::PersistentChatProvisioning {
                enabled: true,
                default_pool_uri: Some("sip:p@litwareinc.com".to_owned()),
                web_manager_uri: Some("https://rooms.litwareinc.com/?a=1&b=2".to_owned()),
                pool_uris: vec!["sip:p@litwareinc.com".to_owned()],
            };
            let own = [wire::provisioning::request().into_bytes(), answer.to_xml().into_bytes()];
            messages().iter().filter_map(|m| body(m)).chain(own).collect()
        }
        Seeds::Lines => {
            let cmdlets = shared::cmdlets::ALL.iter();
            cmdlets.flat_map(|s| shared::shell::examples_of(s.name)).map(|l| l.as_bytes().to_vec()).collect()
        }
        Seeds::Documents => {
            let size = Size { sites: 2, pools: 3, computers: 3, full: false };
            vec![json(&shared::sample::litware()), json(&made(1, size)), json(&made(2, size))]
        }
    };
    all.extend(files(&finds(target.name)));
    all
}
