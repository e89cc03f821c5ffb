//! The one error shape on HTTP.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use shared::error::{ApiError, ErrorCode};

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
        // Kept as an extension: the guard writes the body, because only it knows the request id.
        response.extensions_mut().insert(self.0);
        response
    }
}

/// Result of handlers.
pub type Answer<T> = Result<Json<T>, HttpError>;

/// JSON body whose rejection has the one error shape.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = HttpError;

    async fn from_request(req: Request, state: &S) -> Result<Self, HttpError> {
        match Json::<T>::from_request(req, state).await {
            Ok(Json(v)) => Ok(Self(v)),
            Err(e) => Err(HttpError(ApiError::invalid("body", rejection(&e)))),
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
