//! Requests under `/api/v1`. Whatever goes wrong comes back as the one error shape.

use gloo_net::http::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Invocation};

use super::{gate, lean};

const BASE: &str = "/api/v1/";

/// Reads a resource.
///
/// # Errors
/// What the portal says, or that it does not answer.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    read(&send(Method::GET, path, None).await?)
}

/// Posts a body.
///
/// # Errors
/// What the portal says, or that it does not answer.
pub async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    read(&send(Method::POST, path, Some(write(body)?)).await?)
}

/// Changes a part of a resource.
///
/// # Errors
/// What the portal says, or that it does not answer.
pub async fn patch<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    read(&send(Method::PATCH, path, Some(write(body)?)).await?)
}

/// Deletes a resource.
///
/// # Errors
/// What the portal says, or that it does not answer.
pub async fn delete(path: &str) -> Result<(), ApiError> {
    send(Method::DELETE, path, None).await.map(drop)
}

/// Invokes a cmdlet.
///
/// # Errors
/// What the portal says, or that it does not answer.
pub async fn cmdlet(name: &str, invocation: &Invocation) -> Result<CmdletResponse, ApiError> {
    let path = format!("cmdlets/{name}");
    // What works on a topology draft works on the one in the address.
    let takes = |s: &shared::cmdlet::Spec| s.params.iter().any(|p| p.name == "TopologyDraft");
    match crate::nav::draft() {
        Some(draft) if shared::cmdlets::find(name).is_some_and(takes) => {
            let mut invocation = invocation.clone();
            invocation.args.entry("TopologyDraft").or_insert(draft.into());
            post(&path, &invocation).await
        }
        _ => post(&path, invocation).await,
    }
}

fn write(body: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(body)
        .map_err(|e| ApiError::new(ErrorCode::Internal, format!("The request could not be written: {e}.")))
}

/// Reads a resource as its text.
pub(super) async fn get_text(path: &str) -> Result<String, ApiError> {
    send(Method::GET, path, None).await
}

/// Reads the text of an answer.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    // An answer without a body is `()`.
    lean::from_str(if text.is_empty() { "null" } else { text }).map_err(|e| {
        let text = format!("The portal's answer does not fit this page: {e}. Reload the page; it may be older than the portal.");
        ApiError::new(ErrorCode::Internal, text)
    })
}

/// Sends, and when the session has ended, waits for the person to sign in again and sends once more.
async fn send(method: Method, path: &str, body: Option<String>) -> Result<String, ApiError> {
    loop {
        let answer = once(method.clone(), path, body.as_deref()).await;
        match &answer {
            Err(e) if e.code == ErrorCode::Unauthenticated && gate::applies(path) => gate::passed().await,
            _ => return answer,
        }
    }
}

async fn once(method: Method, path: &str, body: Option<&str>) -> Result<String, ApiError> {
    let writes = method != Method::GET;
    let mut request = RequestBuilder::new(&format!("{BASE}{path}")).method(method);
    if writes {
        request = request.header("X-Lifeguard-Csrf", "1");
    }
    let sent = match body {
        Some(text) => match request.header("Content-Type", "application/json").body(text) {
            Ok(request) => request.send().await,
            Err(e) => Err(e),
        },
        None => request.send().await,
    };
    let response = sent.map_err(|_| no_answer())?;
    let request_id = response.headers().get("x-request-id");
    let status = response.status();
    let text = response.text().await.map_err(|_| no_answer())?;
    if response.ok() {
        return Ok(text);
    }
    let mut error = lean::from_str::<ApiError>(&text).unwrap_or_else(|_| {
        ApiError::new(
            ErrorCode::Unavailable,
            format!("The portal answered with status {status} and no explanation."),
        )
    });
    error.request_id = error.request_id.or(request_id);
    Err(error)
}

fn no_answer() -> ApiError {
    ApiError::new(
        ErrorCode::Unavailable,
        "The portal does not answer. Check the connection and that lifeguard serve runs.",
    )
}
