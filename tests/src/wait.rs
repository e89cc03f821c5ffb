//! Waiting for a condition with a deadline.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

/// How long anything may take before it is called broken. Generous: two cores are shared with the build.
pub const LIMIT: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(30);

/// Polls until the condition gives a value.
///
/// # Errors
/// It gives none within [`LIMIT`]: `what`, with what the last attempt said. The condition's `Err` means "not
/// yet" as well, its text being what was there instead.
pub async fn until<T>(what: &str, condition: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    within(LIMIT, what, condition).await
}

/// As [`until`], with a limit of its own.
///
/// # Errors
/// As [`until`].
pub async fn within<T>(
    limit: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        match condition().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() >= deadline => {
                bail!("waited {:.1} s for {what}: {error:#}", limit.as_secs_f64())
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
