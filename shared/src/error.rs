//! The one error shape of the product and the one problem shape of validation.

use serde::{Deserialize, Serialize};

/// Machine-readable class of an error; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A value is missing or not acceptable; `field` names it.
    InvalidArgument,
    /// Not signed in, or the session ended.
    Unauthenticated,
    /// The password is right, and a code of the second factor is asked for besides.
    SecondFactorRequired,
    /// Somebody else has set the password: it must be changed before anything else.
    PasswordChangeRequired,
    /// Signed in, but no role of the account allows this.
    Forbidden,
    /// The object does not exist.
    NotFound,
    /// The object exists already or changed meanwhile.
    Conflict,
    /// The plan that was confirmed is no longer the plan; the new one is in the answer.
    PlanChanged,
    /// A blocker stands in the way.
    Blocked,
    /// The act wants a confirmation or acknowledgement that was not given.
    ConfirmationRequired,
    /// Too many attempts.
    RateLimited,
    /// The first administrator has not been created yet.
    SetupRequired,
    /// Something that is needed does not answer now; try again later.
    Unavailable,
    /// A fault of the product; the log has the cause under the request id.
    Internal,
}

impl ErrorCode {
    /// The HTTP status that carries this class.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidArgument => 400,
            Self::Unauthenticated | Self::SecondFactorRequired => 401,
            Self::Forbidden | Self::PasswordChangeRequired => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::PlanChanged | Self::SetupRequired => 409,
            Self::Blocked => 422,
            Self::ConfirmationRequired => 428,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// The one error of the product, as the API carries it and the page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiError {
    /// Class.
    pub code: ErrorCode,
    /// What is wrong and what to do, for a person.
    pub message: String,
    /// The field or parameter it stands at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The request it happened in; the log carries the same id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Every single problem when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl ApiError {
    /// An error of class `code` with a text.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, request_id: None, problems: Vec::new() }
    }

    /// A bad value in `field`.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::InvalidArgument, message) }
    }

    /// An object that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// Problems of validation as one error; the first one gives message and field.
    pub fn from_problems(code: ErrorCode, problems: Vec<Problem>) -> Self {
        let first = problems.iter().find(|p| p.severity == Severity::Error).or(problems.first());
        Self {
            code,
            message: first.map(|p| p.text.clone()).unwrap_or_default(),
            field: first.map(|p| p.field.clone()).filter(|f| !f.is_empty()),
            request_id: None,
            problems,
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; never blocks.
    Warning,
    /// Blocks.
    Error,
}

/// One finding of validation, pre-flight or planning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Stable code, e.g. `V2`, `name.fqdn`.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// Path of the field it stands at, e.g. `computers.0.fqdn`; empty for the whole.
    #[serde(default)]
    pub field: String,
    /// What is wrong and what to do.
    pub text: String,
    /// Where the rule comes from (key of `reference/domain/model.md`), empty when it is ours.
    #[serde(default)]
    pub source: String,
}

impl Problem {
    /// A blocking problem.
    pub fn error(code: &str, field: impl Into<String>, text: impl Into<String>, source: &str) -> Self {
        Self {
            code: code.to_owned(),
            severity: Severity::Error,
            field: field.into(),
            text: text.into(),
            source: source.to_owned(),
        }
    }

    /// A problem worth knowing.
    pub fn warning(code: &str, field: impl Into<String>, text: impl Into<String>, source: &str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, field, text, source) }
    }

    /// Whether it blocks.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error
    }
}
