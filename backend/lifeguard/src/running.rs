//! Test messages under way, so that each can be stopped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The runs by id.
#[derive(Default)]
pub struct Running {
    runs: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run begins; what it waits on to learn that it is to stop.
    pub fn begin(&self, id: &str) -> Arc<Notify> {
        self.lock().entry(id.to_owned()).or_default().clone()
    }

    /// A run has ended.
    pub fn end(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Tells a run to stop; whether there is one.
    pub fn stop(&self, id: &str) -> bool {
        let found = self.lock().get(id).cloned();
        // The permit is kept when the run does not wait yet.
        found.is_some_and(|n| {
            n.notify_one();
            true
        })
    }
}
