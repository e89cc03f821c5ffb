//! The browser page of Lifeguard (Leptos, WebAssembly). It decides nothing by itself: what may be done,
//! what is wrong and what an act would change come from `shared` and from the portal.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a component owns its props, whether it consumes them or not"
)]

pub mod api;
pub mod app;
pub mod components;
pub mod dom;
pub mod nav;
pub mod pages;
pub mod routes;
pub mod session;
mod size;
pub mod time;

use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the page; the loader calls it once the module is there.
#[wasm_bindgen(start)]
pub fn start() {
    leptos::mount::mount_to_body(app::Root);
    if let Some(skeleton) = dom::document().get_element_by_id("skeleton") {
        skeleton.remove();
    }
}
