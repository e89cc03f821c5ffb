//! Comparing passwords with their hashes, a few at a time.

use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

use crate::keys::verify_password;

/// Passwords compared at once; each takes 19 MB and a core for a moment, and anybody may ask. The allocator keeps up
/// to 110 MB for each thread that does it.
const COMPARERS: usize = 2;

/// A comparison that waits for its turn, and where its answer goes.
type Comparison = (String, String, oneshot::Sender<bool>);

/// Threads of their own that compare: the allocator keeps the memory of a comparison for the thread that made it,
/// and of the runtime's threads there are hundreds.
static COMPARING: LazyLock<mpsc::Sender<Comparison>> = LazyLock::new(|| {
    let (sender, waiting) = mpsc::channel::<Comparison>();
    let waiting = Arc::new(Mutex::new(waiting));
    for n in 0..COMPARERS {
        let waiting = waiting.clone();
        let work = move || {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((password, hash, answer)) = next else { return };
                // Who asked may have gone.
                let _ = answer.send(verify_password(&password, &hash));
            }
        };
        if let Err(e) = std::thread::Builder::new().name(format!("passwords-{n}")).spawn(work) {
            tracing::error!(cause = %e, "a thread that compares passwords could not be started");
        }
    }
    sender
});

/// Compares a password with a hash, a few at a time.
pub(super) async fn compare(password: String, hash: String) -> bool {
    let (answer, told) = oneshot::channel();
    COMPARING.send((password, hash, answer)).is_ok() && told.await.unwrap_or(false)
}
