//! The few things asked of the browser directly.

use std::cell::Cell;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement, Window};

/// The window. There is always one: the page runs in no worker.
pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

/// The document.
pub fn document() -> Document {
    window().document().expect("a window of a page has a document")
}

/// An id that no other element of this page load has.
pub fn uid(prefix: &str) -> String {
    thread_local!(static NEXT: Cell<u32> = const { Cell::new(0) });
    let n = NEXT.get();
    NEXT.set(n + 1);
    format!("{prefix}-{n}")
}

/// Moves the focus to an element, when it is there and can take it.
pub fn focus(element: Option<Element>) {
    if let Some(html) = element.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        // A browser refuses focus only for an element that went away meanwhile.
        let _ = html.focus();
    }
}

/// Moves the focus to the heading of the page, after the frame in which it was drawn.
pub fn focus_heading() {
    after_frame(|| focus(document().query_selector("main h1").ok().flatten()));
}

/// Runs `f` once what was just rendered is in the document.
pub fn after_frame(f: impl FnOnce() + 'static) {
    leptos::prelude::request_animation_frame(f);
}

/// A random UUID (version 4) for an act's `op_id`. It names a retry; nothing secret hangs on it.
pub fn random_uuid() -> String {
    let mut b = [0_u8; 16];
    for byte in &mut b {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the product lies in 0..256"
        )]
        let random = (js_sys::Math::random() * 256.0) as u8;
        *byte = random;
    }
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let hex: String = b.iter().map(|x| format!("{x:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Puts text on the clipboard.
///
/// # Errors
/// When the browser does not allow it, for example on a page that did not come over TLS or loopback.
pub async fn copy(text: String) -> Result<(), JsValue> {
    let navigator = window().navigator();
    if js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|c| c.is_undefined()) {
        return Err("no clipboard".into());
    }
    wasm_bindgen_futures::JsFuture::from(navigator.clipboard().write_text(&text)).await.map(drop)
}

/// Offers text as a file to save.
pub fn download(name: &str, mime: &str, text: &str) {
    let offer = || -> Result<(), JsValue> {
        let options = web_sys::BlobPropertyBag::new();
        options.set_type(mime);
        let parts = js_sys::Array::of1(&text.into());
        let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options)?;
        let url = web_sys::Url::create_object_url_with_blob(&blob)?;
        let link: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
        link.set_href(&url);
        link.set_download(name);
        link.click();
        web_sys::Url::revoke_object_url(&url)
    };
    if let Err(e) = offer() {
        leptos::logging::warn!("the file could not be offered: {e:?}");
    }
}

/// The bytes of a file as a `data:` address; none when the browser cannot read it.
pub async fn read_file(file: &web_sys::File) -> Option<String> {
    let reader = web_sys::FileReader::new().ok()?;
    let ended = js_sys::Promise::new(&mut |resolve, _reject| reader.set_onloadend(Some(&resolve)));
    reader.read_as_data_url(file).ok()?;
    // The promise is never rejected.
    let _ = wasm_bindgen_futures::JsFuture::from(ended).await;
    reader.result().ok()?.as_string()
}
