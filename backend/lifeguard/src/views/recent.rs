//! Summaries of all pools, put together once for everybody who asks at the same time. A hundred viewers of a
//! status page that read themselves again after one change cost one reading, not a hundred.

use std::sync::Arc;
use std::time::Duration;

use shared::api::PoolSummary;
use shared::error::ApiError;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// What no event tells (sizes, ages, messages) is at most this old.
const FRESH: Duration = Duration::from_millis(250);

/// Count of changes before it began, when it began, what it brought.
type Reading = (u64, Instant, Arc<Vec<PoolSummary>>);

/// The last reading.
#[derive(Default)]
pub struct Recent {
    held: Mutex<Option<Reading>>,
}

impl Recent {
    /// The last reading when nothing has changed since and it is fresh, else what `read` brings. Whoever comes
    /// while one reads waits for it.
    ///
    /// # Errors
    /// What `read` returns; an error is not kept.
    pub async fn get<F>(
        &self,
        now: Instant,
        changes: impl Fn() -> u64,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<Vec<PoolSummary>>, ApiError>
    where
        F: Future<Output = Result<Vec<PoolSummary>, ApiError>>,
    {
        let mut held = self.held.lock().await;
        // Counted before reading: a change in between makes the reading old, never hides in it.
        let seen_now = changes();
        if let Some((seen, at, list)) = &*held
            && *seen == seen_now
            && now.saturating_duration_since(*at) < FRESH
        {
            return Ok(Arc::clone(list));
        }
        let list = Arc::new(read().await?);
        *held = Some((seen_now, now, Arc::clone(&list)));
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_change_an_age_and_an_error_read_again() {
        let (recent, changes, reads) = (Recent::default(), AtomicU64::new(0), AtomicU64::new(0));
        let start = Instant::now();
        let (changes, reads) = (&changes, &reads);
        let get = |good: bool, later: Duration| {
            recent.get(
                start + later,
                || changes.load(Ordering::SeqCst),
                move || {
                    reads.fetch_add(1, Ordering::SeqCst);
                    std::future::ready(if good { Ok(Vec::new()) } else { Err(ApiError::not_found("gone")) })
                },
            )
        };
        assert!(get(false, Duration::ZERO).await.is_err());
        for _ in 0..5 {
            get(true, Duration::ZERO).await.unwrap();
        }
        assert_eq!(reads.load(Ordering::SeqCst), 2);
        changes.fetch_add(1, Ordering::SeqCst);
        get(true, Duration::ZERO).await.unwrap();
        assert_eq!(reads.load(Ordering::SeqCst), 3);
        get(true, FRESH).await.unwrap();
        assert_eq!(reads.load(Ordering::SeqCst), 4);
    }
}
