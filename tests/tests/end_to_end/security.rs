//! What keeps strangers out and people in their roles, against the real binary. Routes and cmdlets are taken
//! from the product's own tables: a new one is tried here, or fails a test until somebody says who may use it.

mod floods;
mod lent;
mod limits;
mod matrix;
mod requests;
mod scope;
mod secrets;
mod sessions;
mod silent;
mod wire;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sample, run};

/// Who sends a request.
#[derive(Clone, Debug)]
struct Caller {
    name: String,
    token: Option<String>,
    cookie: Option<String>,
}

impl Caller {
    fn anonymous() -> Self {
        Self { name: "anonymous".to_owned(), token: None, cookie: None }
    }

    fn token(name: &str, token: impl Into<String>) -> Self {
        Self { name: name.to_owned(), token: Some(token.into()), cookie: None }
    }

    /// A request of this caller, with the header that changes want.
    fn request(&self, base: &str, method: &Method, path: &str) -> Result<reqwest::RequestBuilder> {
        let mut r = plain()?.request(method.clone(), format!("{base}{path}")).header("x-lifeguard-csrf", "1");
        if let Some(t) = &self.token {
            r = r.bearer_auth(t);
        }
        if let Some(c) = &self.cookie {
            r = r.header("cookie", c);
        }
        Ok(r)
    }
}

/// One HTTP client for all, without cookies: who asks stands in the request.
fn plain() -> Result<reqwest::Client> {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    if let Some(c) = CLIENT.get() {
        return Ok(c.clone());
    }
    let none = reqwest::redirect::Policy::none();
    let made = reqwest::Client::builder().no_proxy().redirect(none).pool_max_idle_per_host(0).build()?;
    Ok(CLIENT.get_or_init(|| made).clone())
}

async fn new_token(s: &Sample, label: &str, role: &str) -> Result<String> {
    let args = json!({ "Label": label, "Role": role, "ExpiresInDays": 1 });
    let made = run(&s.client, "New-LgToken", args).await?;
    Ok(made["output"][0]["Token"].as_str().context("no token")?.to_owned())
}

/// The path of a new status link, `/status/TOKEN`.
async fn new_link(s: &Sample, args: Value) -> Result<String> {
    let made = run(&s.client, "New-LgShare", args).await?;
    let link = made["output"][0]["Link"].as_str().context("no link")?;
    Ok(format!("/status/{}", link.rsplit('/').next().context("no token")?))
}

/// Signs in as a new account; the cookie as a browser sends it.
async fn new_session(s: &Sample, name: &str, role: &str) -> Result<Caller> {
    let first = "set by somebody else 7";
    run(&s.client, "New-LgAccount", json!({ "Name": name, "Role": role, "Password": first })).await?;
    let client = s.server.client()?;
    let (status, answer) = client.post("/api/v1/login", &json!({ "name": name, "password": first })).await?;
    ensure!(status == 200, "{name}: {status} {answer}");
    let own = json!({ "old": first, "new": crate::support::PASSWORD });
    let (status, answer) = client.post("/api/v1/me/password", &own).await?;
    ensure!(status == 200, "{name}: {status} {answer}");
    Ok(Caller { name: name.to_owned(), token: None, cookie: Some(sign_in(s, name, None).await?) })
}

/// Signs in, with a cookie that is there already or without; the new cookie.
async fn sign_in(s: &Sample, name: &str, before: Option<&str>) -> Result<String> {
    let caller = Caller { cookie: before.map(str::to_owned), ..Caller::anonymous() };
    let body = json!({ "name": name, "password": crate::support::PASSWORD });
    let answer = caller.request(s.server.url(), &Method::POST, "/api/v1/login")?.json(&body).send().await?;
    ensure!(answer.status() == 200, "{name}: {}", answer.status());
    let set = answer.headers().get("set-cookie").context("no cookie")?.to_str()?;
    Ok(set.split(';').next().unwrap_or_default().to_owned())
}

/// Every operation of the OpenAPI document: method, whole path with places filled in, path as written.
async fn operations(s: &Sample) -> Result<Vec<(Method, String, String)>> {
    let (_, doc) = s.client.get("/api/v1/openapi.json").await?;
    let mut out = Vec::new();
    for (path, item) in doc["paths"].as_object().context("no paths")? {
        for (method, op) in item.as_object().context("no operations")? {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            if !["GET", "POST", "PATCH", "DELETE"].contains(&method.as_str()) {
                continue;
            }
            let root = if op["servers"].is_array() || item["servers"].is_array() { "" } else { "/api/v1" };
            let whole = format!("{root}{path}").replace("{fqdn}", "atl-cs-001.litwareinc.com");
            let whole = whole.replace("{id}", "0199b1c2-6b0e-7000-8000-000000000001").replace("{token}", "x");
            out.push((method, whole, path.clone()));
        }
    }
    Ok(out)
}
