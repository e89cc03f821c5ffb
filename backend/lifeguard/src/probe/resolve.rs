//! From the arguments to a test message that is ready to run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::cmdlet::Credential;
use shared::cmdlets::TestCsPersistentChatMessage;
use shared::error::{ApiError, ErrorCode, Problem};
use shared::{Fqdn, SipUri};
use store::management::watch;
use synthetic::{Account, Authentication};

use super::target::target;
use crate::app::App;
use crate::door::store_error;

/// Seconds a phase may take unless told otherwise.
const PHASE_SECONDS: u32 = 10;

/// Who may run this may use stored test users at any address.
const STORES: &str = "Set-CsTestUserCredential";

/// A test that is ready to run.
pub struct Resolved {
    /// Target as typed.
    pub target: String,
    /// Registrar reached.
    pub registrar: String,
    /// Its port.
    pub port: u16,
    /// Its addresses as far as the topology knows them; DNS is asked when there are none.
    pub addresses: Vec<SocketAddr>,
    /// Warnings to print.
    pub warnings: Vec<Problem>,
    /// Chat pool meant, when the target is one or the room names one.
    pub pool: Option<Fqdn>,
    /// First user.
    pub sender: Account,
    /// Second user.
    pub receiver: Account,
    /// How they prove who they are.
    pub authentication: Authentication,
    /// What certificates are checked against, and the portal's own.
    pub tls: Arc<rustls::ClientConfig>,
    /// The node that runs it; the portal when none.
    pub node: Option<String>,
    /// Room.
    pub room: Option<String>,
    /// Time-out of a phase.
    pub timeout: Duration,
}

fn account(sip: Option<&String>, cred: Option<&Credential>, who: &str) -> Result<Account, ApiError> {
    let field = format!("{who}SipAddress");
    let sip = sip.ok_or_else(|| {
        ApiError::invalid(field.clone(), format!("Give -{field}: no test users are stored for this target."))
    })?;
    let uri = SipUri::try_from(sip.as_str()).map_err(|e| ApiError::invalid(field, e.0))?;
    let field = format!("{who}Credential");
    let c = cred.ok_or_else(|| {
        ApiError::invalid(field.clone(), format!("Give -{field}, for example from Get-Credential."))
    })?;
    let logon = if c.user_name.is_empty() { uri.user().to_owned() } else { c.user_name.clone() };
    Ok(Account { sip_uri: uri.to_string(), logon, password: c.password.clone() })
}

/// How users prove who they are.
pub(super) fn authentication(a: &TestCsPersistentChatMessage, app: &App) -> Result<Authentication, ApiError> {
    let refused = |text: &str| Err(ApiError::invalid("Authentication", text));
    match a.authentication.as_deref() {
        None | Some("Negotiate") => Ok(Authentication::Negotiate),
        Some("TrustedServer") if app.settings.test_certificate.is_some() => Ok(Authentication::TrustedServer),
        Some("TrustedServer") => refused(
            "-Authentication TrustedServer needs a certificate that the deployment trusts: start the portal with --test-certificate and --test-key.",
        ),
        Some("ClientCertificate") => refused(
            "-Authentication ClientCertificate needs certificates that Lync's web service issues to users (TLS-DSK); this test has none. Use Negotiate with credentials.",
        ),
        _ => refused(
            "-Authentication LiveID needs tickets of Microsoft's log-on service, which exist for hosted deployments only. Use Negotiate with credentials.",
        ),
    }
}

/// Why stored test users do not sign in at `target` for somebody.
fn not_lent(target: &str) -> ApiError {
    let text = format!(
        "{} is not part of the published topology: stored test users sign in there only for whoever may run {STORES}.",
        target.trim()
    );
    ApiError { field: Some("TargetFqdn".to_owned()), ..ApiError::new(ErrorCode::Forbidden, text) }
}

/// Whether somebody with `roles` may have stored test users sign in at `name`.
///
/// # Errors
/// Why not.
pub fn lends(app: &App, name: &str, roles: &[String]) -> Result<(), ApiError> {
    let known = target(app, name, None, None)?.known;
    if known || shared::roles::can(STORES, roles).is_ok() { Ok(()) } else { Err(not_lent(name)) }
}

/// Stored test users stand in for what is left out: their address, and their credential. A server that is not of the
/// published topology may be anybody's: their credentials go there only for somebody who may store them himself.
fn with_stored(
    a: &TestCsPersistentChatMessage,
    app: &App,
    anywhere: bool,
) -> Result<TestCsPersistentChatMessage, ApiError> {
    let mut a = a.clone();
    let stored = app.store.read(watch::credentials).map_err(store_error)?;
    if a.sender_sip_address.is_none() && a.receiver_sip_address.is_none() && stored.len() > 1 {
        (a.sender_sip_address, a.receiver_sip_address) = (stored.first().cloned(), stored.get(1).cloned());
    }
    let credential = |sip: &Option<String>| -> Result<Option<Credential>, ApiError> {
        let Some(sip) = sip.as_deref().and_then(|s| SipUri::try_from(s).ok()) else { return Ok(None) };
        if !stored.iter().any(|s| s.eq_ignore_ascii_case(sip.as_str())) {
            return Ok(None);
        }
        if !anywhere {
            return Err(not_lent(&a.target_fqdn));
        }
        crate::watch::stored(app, sip.as_str()).map(|(_, c)| Some(c))
    };
    if a.sender_credential.is_none() {
        a.sender_credential = credential(&a.sender_sip_address)?;
    }
    if a.receiver_credential.is_none() {
        a.receiver_credential = credential(&a.receiver_sip_address)?;
    }
    Ok(a)
}

/// Resolves target and users, for an actor with `roles`.
///
/// # Errors
/// When an argument is missing or not acceptable.
pub fn resolve(a: &TestCsPersistentChatMessage, app: &App, roles: &[String]) -> Result<Resolved, ApiError> {
    let authentication = authentication(a, app)?;
    let trusted = authentication == Authentication::TrustedServer;
    let to = target(app, &a.target_fqdn, a.registrar_port, a.chat_room_uri.as_deref())?;
    // A trusted server shows its certificate and no password.
    let anywhere = to.known || trusted || shared::roles::can(STORES, roles).is_ok();
    let a = with_stored(a, app, anywhere)?;
    let nobody = Credential { user_name: String::new(), password: String::new() };
    let credential = |c: &Option<Credential>| if trusted { Some(nobody.clone()) } else { c.clone() };
    let sender = account(a.sender_sip_address.as_ref(), credential(&a.sender_credential).as_ref(), "Sender")?;
    let receiver =
        account(a.receiver_sip_address.as_ref(), credential(&a.receiver_credential).as_ref(), "Receiver")?;
    if sender.sip_uri == receiver.sip_uri {
        return Err(ApiError::invalid("ReceiverSipAddress", "The test needs two different users."));
    }
    let seconds = a.timeout_seconds.unwrap_or(PHASE_SECONDS);
    if !(1..=120).contains(&seconds) {
        return Err(ApiError::invalid("TimeoutSeconds", "Seconds are a whole number from 1 to 120."));
    }
    Ok(Resolved {
        target: to.typed,
        registrar: to.registrar,
        port: to.port,
        addresses: to.addresses,
        warnings: to.warnings,
        pool: to.pool,
        sender,
        receiver,
        authentication,
        tls: tls(app, trusted)?,
        node: from_node(a.node.as_deref(), trusted)?,
        room: a.chat_room_uri.filter(|r| !r.trim().is_empty()),
        timeout: Duration::from_secs(u64::from(seconds)),
    })
}

/// The node that is to run the test; empty is the portal.
fn from_node(name: Option<&str>, trusted: bool) -> Result<Option<String>, ApiError> {
    let name = name.map(|n| n.trim().to_lowercase()).filter(|n| !n.is_empty());
    if name.is_some() && trusted {
        let text = "The certificate of a trusted server is the portal's: a node cannot test with it.";
        return Err(ApiError::invalid("Node", text));
    }
    Ok(name)
}

/// Read anew for each test, so that a renewed certificate counts at once.
pub(super) fn tls(app: &App, trusted: bool) -> Result<Arc<rustls::ClientConfig>, ApiError> {
    let wrong = |text: String| ApiError::invalid("Authentication", text);
    let added = crate::trust::added(app)?;
    if !trusted {
        return crate::trust::settings(&app.ca, added, None).map_err(|e| wrong(e.to_string()));
    }
    let Some((certificate, key)) = &app.settings.test_certificate else {
        return Err(wrong("The portal was started without a certificate.".to_owned()));
    };
    let read = |p: &std::path::Path| std::fs::read(p).map_err(|e| wrong(format!("{}: {e}", p.display())));
    let made = crate::trust::settings(&app.ca, added, Some((&read(certificate)?, &read(key)?)));
    made.map_err(|e| wrong(format!("The portal's test certificate cannot be used: {e}.")))
}
