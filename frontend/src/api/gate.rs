//! When a session ends in the middle of work: requests wait here while the person signs in again in
//! place, so that nothing typed is lost.

use std::cell::RefCell;

use js_sys::{Function, Promise};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::app::app;

thread_local!(static WAITING: RefCell<Vec<Function>> = const { RefCell::new(Vec::new()) });

/// Whether a refused request to `path` should wait for a sign-in: only when somebody was signed in, and
/// never for the sign-in itself.
pub fn applies(path: &str) -> bool {
    !matches!(path, "login" | "logout" | "setup" | "session")
        && app().session.with_untracked(|s| s.as_ref().is_some_and(|s| s.account.is_some()))
}

/// Opens the sign-in dialog and waits until the person has signed in.
pub async fn passed() {
    app().session_ended.set(true);
    let promise = Promise::new(&mut |resolve, _reject| WAITING.with_borrow_mut(|w| w.push(resolve)));
    // The promise is never rejected.
    let _ = JsFuture::from(promise).await;
}

/// Lets everything that waits go on; called after a sign-in.
pub fn open() {
    app().session_ended.set(false);
    for resolve in WAITING.take() {
        // Resolving a promise cannot throw.
        let _ = resolve.call0(&JsValue::NULL);
    }
}
