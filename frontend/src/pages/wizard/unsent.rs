//! Changes of a draft that the portal does not have yet, kept in the browser: a reload, a closed tab or a
//! lost connection loses nothing. A draft holds no secrets.

use shared::api::DraftPatch;
use web_sys::Storage;

use crate::api::lean;
use crate::dom::window;

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn key(id: &str) -> String {
    format!("lifeguard-draft-{id}")
}

/// Keeps the changes of a draft; none clears them.
pub fn keep(id: &str, changes: &[DraftPatch]) {
    let Some(storage) = storage() else { return };
    let kept = if changes.is_empty() {
        storage.remove_item(&key(id))
    } else {
        serde_json::to_string(changes).map_or(Ok(()), |text| storage.set_item(&key(id), &text))
    };
    if kept.is_err() {
        leptos::logging::warn!(
            "the browser keeps nothing for this page; unsent changes do not survive a reload"
        );
    }
}

fn finished_key(id: &str) -> String {
    format!("lifeguard-finished-{id}")
}

/// Remembers for this tab which pool a finished draft became: Back and a reload lead here again.
pub fn note_finished(id: &str, fqdn: &str) {
    if let Some(storage) = window().session_storage().ok().flatten() {
        // Without it, a reload says the same without the name.
        let _ = storage.set_item(&finished_key(id), fqdn);
    }
}

/// The pool that a draft became in this tab.
pub fn finished(id: &str) -> Option<String> {
    window().session_storage().ok().flatten()?.get_item(&finished_key(id)).ok().flatten()
}

/// The changes that an earlier visit could not send.
pub fn read(id: &str) -> Vec<DraftPatch> {
    let text = storage().and_then(|s| s.get_item(&key(id)).ok().flatten());
    text.and_then(|t| lean::from_str(&t).ok()).unwrap_or_default()
}
