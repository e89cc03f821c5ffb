//! Who is signed in, and what that person may do.

use leptos::prelude::*;
use shared::api::{AccountInfo, Session};
use shared::error::ApiError;
use shared::roles;

use crate::api;
use crate::app::app;

/// The session as last read; none until the portal answered once.
pub fn use_session() -> Signal<Option<Session>> {
    app().session.into()
}

/// The signed-in account.
pub fn use_account() -> Memo<Option<AccountInfo>> {
    Memo::new(|_| app().session.with(|s| s.as_ref().and_then(|s| s.account.clone())))
}

/// Whether the signed-in account may run a cmdlet; the reason stands on the disabled button. Reactive.
///
/// # Errors
/// Which roles would allow it.
pub fn allowed(cmdlet: &str) -> Result<(), String> {
    app().session.with(|s| {
        let roles = s.as_ref().and_then(|s| s.account.as_ref()).map(|a| a.roles.as_slice());
        roles::can(cmdlet, roles.unwrap_or_default())
    })
}

/// Reads the session from the portal.
///
/// # Errors
/// When the portal does not answer.
pub async fn reload() -> Result<Session, ApiError> {
    let session: Session = api::get("session").await?;
    app().session.set(Some(session.clone()));
    Ok(session)
}

/// Asks the portal who is signed in, without telling the page.
///
/// # Errors
/// When the portal does not answer.
pub async fn peek() -> Result<Session, ApiError> {
    api::get("session").await
}
