//! Signing in and the first set-up.

use super::dto::dto;
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/session`: who is signed in. Answered to anyone.
    Session {
        /// Whether the first administrator must still be created.
        setup_needed: bool,
        /// While it must: whether a topology is published already, so that there is no deployment to choose.
        setup_published: bool,
        /// The signed-in account.
        account: Option<AccountInfo>,
        /// Name of this instance, for the title.
        instance: String,
        /// Version of the product.
        version: String,
    }
    /// The signed-in account.
    AccountInfo {
        /// Log-on name.
        name: String,
        /// Its roles.
        roles: Vec<String>,
        /// When the session ends without use.
        expires: Timestamp,
        /// Somebody else has set the password: nothing works before it is changed.
        must_change: bool,
    }
    /// `POST /api/v1/setup`.
    SetupRequest {
        /// The one-time token that `serve` printed.
        token: String,
        /// Log-on name of the first administrator.
        name: String,
        /// Password of at least 10 characters.
        password: String,
        /// `litware` or `empty`; the sample only while nothing is published.
        deployment: String,
    }
    /// Answer of `POST /api/v1/setup`.
    SetupResponse {
        /// The job that publishes the sample.
        job: Option<String>,
        /// Generated credentials of the sample's users, shown once.
        credentials: Vec<GeneratedCredential>,
    }
    /// A generated credential, shown once.
    GeneratedCredential {
        /// SIP address.
        sip_address: String,
        /// Log-on name.
        logon_name: String,
        /// Password.
        password: String,
    }
    /// `POST /api/v1/login`.
    LoginRequest {
        /// Log-on name.
        name: String,
        /// Password.
        password: String,
        /// Code of the second factor, or a recovery code; asked for where the account has one.
        code: Option<String>,
    }
}
