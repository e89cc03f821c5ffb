//! What the first visit asks for, checked before anything of it is made.

use shared::api::SetupRequest;
use shared::error::{ApiError, ErrorCode};

use crate::app::App;
use crate::handlers::check_account;

/// Whether the first administrator and the deployment can be made as asked; what is wrong stands at its field.
///
/// # Errors
/// What is wrong with name, password or deployment.
pub fn check(app: &App, req: &SetupRequest) -> Result<(), ApiError> {
    // The fields of this request are written small, those of the cmdlets large.
    let small = |e: ApiError| ApiError { field: e.field.map(|f| f.to_lowercase()), ..e };
    check_account(&req.name, Some(&req.password)).map_err(small)?;
    match req.deployment.as_str() {
        "empty" => Ok(()),
        "litware" if crate::sample::is_there(app)? => Err(ApiError {
            field: Some("deployment".to_owned()),
            ..ApiError::new(
                ErrorCode::Conflict,
                "A topology is published already; the sample is for an empty deployment. Nothing was made: \
                 send the deployment as 'empty', and the topology stays as it is.",
            )
        }),
        "litware" => Ok(()),
        _ => Err(ApiError::invalid("deployment", "Choose the sample (litware) or empty.")),
    }
}
