//! One try to tell one target: an HTTP POST or a mail.

use std::error::Error;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use shared::api::{AlertMessage, MailSettings};
use store::management::alerts::Target;

use super::message;
use crate::app::App;

/// How long a try may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// The client that webhooks are called with. Redirects are not followed: a signed message goes where the
/// administrator said, and nowhere else.
///
/// # Errors
/// None in practice; reqwest may refuse its settings.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::client_config())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(LIMIT)
        .user_agent(concat!("Lifeguard/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// One try.
///
/// # Errors
/// Why it was not taken, in words; never with the address, which may carry a secret.
pub async fn send(app: &App, t: &Target, id: &str, body: &str) -> Result<(), String> {
    let secret = match &t.secret {
        Some(sealed) => Some(
            app.keys.open_text(sealed).ok_or("Its secret was stored with another key. Store it again.")?,
        ),
        None => None,
    };
    let attempt = async {
        match &t.settings.mail {
            None => webhook(&app.alerts.http, &t.settings.address, secret.as_deref(), id, body).await,
            Some(m) => mail(m, &t.settings.address, secret, id, body).await,
        }
    };
    let late = |_| format!("There was no answer within {} seconds.", LIMIT.as_secs());
    tokio::time::timeout(LIMIT, attempt).await.unwrap_or_else(|e| Err(late(e)))
}

async fn webhook(
    http: &reqwest::Client,
    url: &str,
    secret: Option<&str>,
    id: &str,
    body: &str,
) -> Result<(), String> {
    let sent = http
        .post(url)
        .header("content-type", "application/json")
        .header(message::DELIVERY, id)
        .header(message::SIGNATURE, message::signature(secret.unwrap_or_default(), body.as_bytes()))
        .body(body.to_owned())
        .send()
        .await;
    let status = sent.map_err(|e| causes(&e.without_url()))?.status();
    match status.as_u16() {
        200..300 => Ok(()),
        300..400 => {
            Err(format!("The webhook answered {status}; redirects are not followed. Give the final URL."))
        }
        _ => Err(format!("The webhook answered {status}.")),
    }
}

/// Mailboxes of a list that is separated by commas.
///
/// # Errors
/// Which address is not one.
pub fn mailboxes(list: &str) -> Result<Vec<Mailbox>, String> {
    let all: Vec<&str> = list.split(',').map(str::trim).filter(|a| !a.is_empty()).collect();
    if all.is_empty() {
        return Err("Give a mail address.".to_owned());
    }
    all.iter().map(|a| a.parse().map_err(|e| format!("{a} is not a mail address: {e}."))).collect()
}

async fn mail(
    m: &MailSettings,
    to: &str,
    password: Option<String>,
    id: &str,
    body: &str,
) -> Result<(), String> {
    let told: AlertMessage = serde_json::from_str(body).map_err(|e| e.to_string())?;
    let from: Mailbox = m.from.parse().map_err(|e| format!("{} is not a mail address: {e}.", m.from))?;
    let mut mail = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .from(from)
        .subject(message::subject(&told))
        .header(ContentType::TEXT_PLAIN);
    for mailbox in mailboxes(to)? {
        mail = mail.to(mailbox);
    }
    let mail = mail.body(message::text(&told)).map_err(|e| causes(&e))?;
    let parameters = || TlsParameters::new(m.server.clone()).map_err(|e| causes(&e));
    let tls = match m.security.as_str() {
        "None" => Tls::None,
        "Tls" => Tls::Wrapper(parameters()?),
        _ => Tls::Required(parameters()?),
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(m.server.as_str())
        .port(m.port)
        .tls(tls)
        .timeout(Some(LIMIT));
    if let Some(user) = &m.user_name {
        transport = transport.credentials(Credentials::new(user.clone(), password.unwrap_or_default()));
    }
    transport.build().send(mail).await.map(drop).map_err(|e| causes(&e))
}

/// An error with what caused it.
fn causes(e: &dyn Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}
