//! The API as a signed-in person's browser sees it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// What [`Client::login`] appends to a password that it has to change.
pub const OWN: &str = ", my own";

/// An HTTP client with a cookie jar of its own; every request carries the header that the server asks of
/// its own page (`X-Lifeguard-Csrf`). Redirects are not followed.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// A client without a session.
    ///
    /// # Errors
    /// None in practice; reqwest may refuse its settings.
    pub fn new(base: &str) -> Result<Self> {
        crate::choose_tls();
        let headers = HeaderMap::from_iter([(
            reqwest::header::HeaderName::from_static("x-lifeguard-csrf"),
            HeaderValue::from_static("1"),
        )]);
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// A request to be finished by hand, for headers and streams.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// `GET`.
    ///
    /// # Errors
    /// No answer.
    pub async fn get(&self, path: &str) -> Result<(u16, Value)> {
        answer(path, self.request(Method::GET, path)).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Errors
    /// No answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        answer(path, self.request(Method::POST, path).json(body)).await
    }

    /// `PATCH` with a JSON body.
    ///
    /// # Errors
    /// No answer.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        answer(path, self.request(Method::PATCH, path).json(body)).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// No answer.
    pub async fn delete(&self, path: &str) -> Result<(u16, Value)> {
        answer(path, self.request(Method::DELETE, path)).await
    }

    /// Signs in. A password that somebody else has set is changed first, as its person has to: to the same
    /// with [`OWN`] behind it.
    ///
    /// # Errors
    /// No answer, or one that is not 2xx.
    pub async fn login(&self, name: &str, password: &str) -> Result<()> {
        let (status, body) =
            self.post("/api/v1/login", &json!({ "name": name, "password": password })).await?;
        ensure!((200..300).contains(&status), "{name} is not signed in: {status} {body}");
        if body["account"]["must_change"] == true {
            let change = json!({ "old": password, "new": format!("{password}{OWN}") });
            let (status, body) = self.post("/api/v1/me/password", &change).await?;
            ensure!(status == 200, "the password of {name} is not changed: {status} {body}");
        }
        Ok(())
    }

    /// Runs a cmdlet or asks what it would do; `mode` is `run` or `what_if`.
    ///
    /// # Errors
    /// No answer.
    pub async fn cmdlet(&self, name: &str, args: Value, mode: &str) -> Result<(u16, Value)> {
        self.invoke(name, &json!({ "args": args, "mode": mode })).await
    }

    /// Posts a whole invocation (`shared::plan::Invocation`): fingerprint, reason, typed name.
    ///
    /// # Errors
    /// No answer.
    pub async fn invoke(&self, name: &str, invocation: &Value) -> Result<(u16, Value)> {
        self.post(&format!("/api/v1/cmdlets/{name}"), invocation).await
    }
}

/// Status and body; a body that is not JSON comes as text, an empty one as null.
async fn answer(path: &str, request: RequestBuilder) -> Result<(u16, Value)> {
    let response = request.send().await.with_context(|| format!("no answer from {path}"))?;
    let status = response.status().as_u16();
    let text = response.text().await.with_context(|| format!("a broken answer from {path}"))?;
    let body = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::String(text),
    };
    Ok((status, body))
}
