//! The embedded page: hashed names, pre-compressed with brotli, ETags. Unknown paths get `index.html`,
//! because routes of the page are paths.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// Style of the shared status page.
pub const STATUS_CSS: &str = include_str!("../../assets/status.css");
/// Script of the shared status page: re-reads the page when told that something changed.
pub const STATUS_JS: &str = include_str!("../../assets/status.js");

/// A file of the site.
pub struct File {
    /// Path with leading slash.
    pub path: &'static str,
    /// Media type.
    pub kind: &'static str,
    /// Bytes as built.
    pub raw: &'static [u8],
    /// The same, compressed.
    pub brotli: &'static [u8],
    /// Strong validator.
    pub etag: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/site.rs"));

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|f| f.path == path)
}

fn accepts_brotli(h: &HeaderMap) -> bool {
    h.get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.split(',').any(|e| e.trim().starts_with("br")))
}

fn send(f: &'static File, headers: &HeaderMap) -> Response {
    let hashed = f.path != "/index.html";
    let cache = if hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut base = HeaderMap::new();
    base.insert(header::ETAG, HeaderValue::from_static(f.etag));
    base.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    base.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|v| v == f.etag) {
        return (StatusCode::NOT_MODIFIED, base).into_response();
    }
    base.insert(header::CONTENT_TYPE, HeaderValue::from_static(f.kind));
    if accepts_brotli(headers) {
        base.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        return (base, f.brotli).into_response();
    }
    (base, f.raw).into_response()
}

/// Everything that is not the API.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path();
    if let Some(r) = super::share::asset(path) {
        return r;
    }
    if let Some(f) = find(path) {
        return send(f, &headers);
    }
    let file_like = path
        .rsplit('/')
        .next()
        .is_some_and(|last| last.ends_with(".js") || last.ends_with(".wasm") || last.ends_with(".css"));
    match find("/index.html") {
        Some(f) if !file_like => send(f, &headers),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
