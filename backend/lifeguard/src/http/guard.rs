//! What every request passes: request id, Host allow-list, CSRF check, security headers, the error body.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use shared::error::{ApiError, ErrorCode};

use crate::app::App;
use crate::clock::random_hex;

/// Header that a page of another origin cannot send without being asked first.
pub const CSRF_HEADER: &str = "x-lifeguard-csrf";

/// The request's id, for handlers.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The address of the person, behind trusted proxies too.
#[derive(Debug, Clone, Copy)]
pub struct Source(pub IpAddr);

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                   connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn source(app: &App, req: &Request) -> IpAddr {
    let peer =
        req.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([127, 0, 0, 1]), |c| c.0.ip());
    if !app.settings.trusted_proxies.contains(&peer) {
        return peer;
    }
    forwarded(req.headers()).unwrap_or(peer)
}

/// Whom the proxy names. What it adds stands last, in the last line: what is before that may be the client's own.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

/// The host part of a `Host` header.
fn host_of(value: &str) -> &str {
    if let Some(rest) = value.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    value.rsplit_once(':').map_or(value, |(h, _)| h)
}

fn host_allowed(app: &App, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|h| h.to_str().ok()).map(host_of) else {
        return false;
    };
    let public = app
        .settings
        .given_public_url
        .as_deref()
        .and_then(|u| u.split("://").nth(1))
        .map(|r| host_of(r.split('/').next().unwrap_or(r)));
    let bound = app.settings.bound.get().map(|a| a.ip().to_string());
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || bound.as_deref() == Some(host)
        || public.is_some_and(|p| p.eq_ignore_ascii_case(host))
        || app.settings.hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
}

/// Whether the page that sends a request is the portal's own. A form of the shared page sends `null`, because
/// that page tells nobody where it is (its address is the secret).
fn origin_allowed(app: &App, req: &Request) -> bool {
    let Some(value) = req.headers().get(header::ORIGIN) else { return true };
    let origin = value.to_str().unwrap_or_default();
    if origin == "null" {
        return req.uri().path().starts_with("/status/");
    }
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let asked = req.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    // A proxy may have changed the Host; then the origin is the public address.
    let public = app.settings.given_public_url.as_deref().map(|u| u.trim_end_matches('/'));
    asked.is_some_and(|h| h.eq_ignore_ascii_case(authority))
        || public.is_some_and(|p| p.eq_ignore_ascii_case(origin))
        || app.settings.hosts.iter().any(|h| h.eq_ignore_ascii_case(host_of(authority)))
}

fn refuse(code: ErrorCode, text: &str) -> Response {
    use axum::response::IntoResponse;
    super::error::HttpError(ApiError::new(code, text)).into_response()
}

fn admit(app: &App, req: &Request) -> Result<(), Box<Response>> {
    if !host_allowed(app, req.headers()) {
        return Err(Box::new(refuse(
            ErrorCode::InvalidArgument,
            "This host name is not one of the portal's. Start it with --host NAME or --public-url to allow it.",
        )));
    }
    let safe = matches!(*req.method(), Method::GET | Method::HEAD);
    let cross = !origin_allowed(app, req)
        || req.headers().get("sec-fetch-site").is_some_and(|v| v != "same-origin" && v != "none");
    // The shared page's forms work without JavaScript; the link in their address is what a forger has not.
    let form = req.uri().path().starts_with("/status/");
    if !safe && (cross || !(form || req.headers().contains_key(CSRF_HEADER))) {
        return Err(Box::new(refuse(
            ErrorCode::Forbidden,
            "Changes need the header X-Lifeguard-Csrf: 1 and come from the portal's own page.",
        )));
    }
    Ok(())
}

/// The middleware.
pub async fn guard(State(app): State<Arc<App>>, mut req: Request, next: Next) -> Response {
    let id = random_hex(&*app.entropy, 6);
    let from = source(&app, &req);
    let method = req.method().clone();
    // The share token is the one secret in URLs; it never reaches the log.
    let path = if req.uri().path().starts_with("/status/") {
        "/status/…".to_owned()
    } else {
        req.uri().path().to_owned()
    };
    req.extensions_mut().insert(RequestId(id.clone()));
    req.extensions_mut().insert(Source(from));
    let response = match admit(&app, &req) {
        Ok(()) => next.run(req).await,
        Err(r) => *r,
    };
    let response = finish(one_shape(response, &path).await, &id);
    let status = response.status().as_u16();
    app.requests.count(status);
    if status >= 500 {
        tracing::error!(request_id = %id, %method, path, status, "request failed");
    } else {
        tracing::debug!(request_id = %id, %method, path, status, "request");
    }
    with_headers(response, &id)
}

/// A path or query that does not parse is refused by the framework in plain text; the API has one error shape.
async fn one_shape(response: Response, path: &str) -> Response {
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/plain"));
    if !(path.starts_with("/api/") && plain && response.status().is_client_error()) {
        return response;
    }
    let text = axum::body::to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    let text = format!("The address does not fit: {}.", String::from_utf8_lossy(&text).trim_end_matches('.'));
    refuse(ErrorCode::InvalidArgument, &text)
}

/// Writes the error body with the request id.
fn finish(mut response: Response, id: &str) -> Response {
    if let Some(mut e) = response.extensions_mut().remove::<ApiError>() {
        e.request_id = Some(id.to_owned());
        let body = serde_json::to_vec(&e).unwrap_or_default();
        *response.body_mut() = Body::from(body);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    } else if response.status() == StatusCode::METHOD_NOT_ALLOWED
        || response.status() == StatusCode::PAYLOAD_TOO_LARGE
    {
        let text = if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            "This method is not allowed here."
        } else {
            "The body is too large."
        };
        let e =
            ApiError { request_id: Some(id.to_owned()), ..ApiError::new(ErrorCode::InvalidArgument, text) };
        *response.body_mut() = Body::from(serde_json::to_vec(&e).unwrap_or_default());
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

fn with_headers(mut response: Response, id: &str) -> Response {
    let h = response.headers_mut();
    let fixed = [
        ("content-security-policy", CSP),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ];
    for (k, v) in fixed {
        h.insert(HeaderName::from_static(k), HeaderValue::from_static(v));
    }
    if !h.contains_key(header::CACHE_CONTROL) {
        h.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(v) = HeaderValue::from_str(id) {
        h.insert(HeaderName::from_static("x-request-id"), v);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_forwarded_addresses_counts() {
        let of = |lines: &[&str]| {
            let mut h = HeaderMap::new();
            for l in lines {
                h.append("x-forwarded-for", HeaderValue::from_str(l).unwrap());
            }
            forwarded(&h).map(|a| a.to_string())
        };
        assert_eq!(of(&["10.0.0.7"]).as_deref(), Some("10.0.0.7"));
        assert_eq!(of(&["127.0.0.1, 10.0.0.7"]).as_deref(), Some("10.0.0.7"));
        assert_eq!(of(&["127.0.0.1", "10.0.0.7"]).as_deref(), Some("10.0.0.7"));
        assert_eq!(of(&["127.0.0.1, 127.0.0.2", "192.0.2.1, 10.0.0.7"]).as_deref(), Some("10.0.0.7"));
        // A line that does not fit is not passed over for one that the client may have written.
        assert_eq!(of(&["127.0.0.1", "unknown"]), None);
        assert_eq!(of(&[]), None);
    }
}
