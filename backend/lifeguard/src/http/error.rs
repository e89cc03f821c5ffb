//! The one error shape on HTTP.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use shared::error::{ApiError, ErrorCode};

/// When to try again what is not to be had now.
const AGAIN_SECONDS: &str = "2";

/// An error on its way out; the guard adds the request id.
#[derive(Debug)]
pub struct HttpError(pub ApiError);

impl From<ApiError> for HttpError {
    fn from(e: ApiError) -> Self {
        Self(e)
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if self.0.code == ErrorCode::Unavailable {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(AGAIN_SECONDS));
        }
        // Kept as an extension: the guard writes the body, because only it knows the request id.
        response.extensions_mut().insert(self.0);
        response
    }
}

/// Result of handlers.
pub type Answer<T> = Result<Json<T>, HttpError>;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

fn late() -> Response {
    refusal(StatusCode::BAD_REQUEST, "The body did not arrive in time.".to_owned())
}

fn refusal(status: StatusCode, text: String) -> Response {
    // The guard writes what is to be said of it.
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return status.into_response();
    }
    HttpError(ApiError::invalid("body", text)).into_response()
}

/// A form's fields, with the same bounds.
pub struct Fields(pub HashMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(req: Request, state: &S) -> Result<Self, Response> {
        match tokio::time::timeout(BODY_TIME, Form::from_request(req, state)).await {
            Ok(Ok(Form(fields))) => Ok(Self(fields)),
            Ok(Err(e)) => Err(refusal(e.status(), format!("The form does not fit: {}.", e.body_text()))),
            Err(_) => Err(late()),
        }
    }
}

/// JSON body whose rejection has the one error shape.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(req: Request, state: &S) -> Result<Self, Response> {
        match tokio::time::timeout(BODY_TIME, Json::<T>::from_request(req, state)).await {
            Ok(Ok(Json(v))) => Ok(Self(v)),
            Ok(Err(e)) => Err(refusal(e.status(), rejection(&e))),
            Err(_) => Err(late()),
        }
    }
}

fn rejection(e: &JsonRejection) -> String {
    match e {
        JsonRejection::MissingJsonContentType(_) => {
            "Send JSON with Content-Type: application/json.".to_owned()
        }
        e => format!("The body does not fit: {}.", e.body_text()),
    }
}

/// Unknown API path.
pub async fn no_such_route() -> HttpError {
    HttpError(ApiError::new(ErrorCode::NotFound, "There is no such resource. See /api/v1/openapi.json."))
}
