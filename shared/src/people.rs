//! What people do with their own account, and with a one-time link. These are no cmdlets, because they belong
//! to the person's session (or link) and not to a role; the audit has them all the same.

use serde::{Deserialize, Serialize};

use crate::api::AccessEntry;
use crate::time::Timestamp;

/// `GET /api/v1/me`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MyAccount {
    /// Log-on name.
    pub name: String,
    /// Signing in asks for a code besides.
    pub second_factor: bool,
    /// Recovery codes that were not used yet.
    pub recovery_codes: u32,
    /// Sessions of this account, used last first.
    pub sessions: Vec<AccessEntry>,
    /// Id of the session that asks.
    pub current: String,
    /// API tokens that this account has made.
    pub tokens: Vec<AccessEntry>,
}

/// `POST /api/v1/me/password`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PasswordChange {
    /// The password so far.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// `POST /api/v1/me/second-factor` and `…/second-factor/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WithPassword {
    /// The password, so that a session that was left open is not enough.
    pub password: String,
}

/// A secret for an authenticator app; it counts once its first code came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FactorOffer {
    /// The secret in base 32, for typing.
    pub secret: String,
    /// `otpauth://totp/…`, for a click on the device that has the app.
    pub uri: String,
    /// The same as a QR code: an SVG picture as `data:` address.
    pub picture: String,
}

/// `POST /api/v1/me/second-factor/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WithCode {
    /// Six digits of the app.
    pub code: String,
}

/// Recovery codes, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecoveryCodes {
    /// Each signs in once instead of a code.
    pub codes: Vec<String>,
}

/// `POST /api/v1/me/end`: ends a session or an API token of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndOwn {
    /// Id of a session or token; `all` for every session, also the one that asks.
    pub id: String,
}

/// `POST /api/v1/links/look`. The token stands in the address behind `#`, which browsers do not send; it
/// comes in a body only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkToken {
    /// What stands behind `#`.
    pub token: String,
}

/// `POST /api/v1/links/use`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkUse {
    /// What stands behind `#`.
    pub token: String,
    /// The password to be set.
    pub password: String,
}

/// Whose password a link sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkView {
    /// `account` of the portal, or chat `user`.
    pub kind: String,
    /// Log-on name.
    pub name: String,
    /// SIP address of a chat user.
    pub sip_address: Option<String>,
    /// Fewest characters of the password.
    pub shortest: u32,
    /// When it ends.
    pub ends: Timestamp,
}
