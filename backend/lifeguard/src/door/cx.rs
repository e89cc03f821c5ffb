//! What a handler sees, and how an act and its audit rows are kept together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use shared::Timestamp;
use shared::error::{ApiError, ErrorCode};
use shared::plan::PlannedChange;
use store::management::StoreError;
use store::management::audit::{self, Opened};

use super::{Actor, KEPT_LINE, cut};
use crate::app::App;
use crate::clock::new_id;

/// What a handler sees.
pub struct Cx {
    /// The application.
    pub app: Arc<App>,
    /// Who acts.
    pub actor: Actor,
    /// Id of this act.
    pub op_id: String,
    /// Reason given.
    pub reason: String,
    pub(super) entry: Opened,
    pub(super) opened: AtomicBool,
    pub(super) closed: AtomicBool,
    /// The act starts a run that goes on when the act is over: it is started then, not done.
    pub(super) starts: bool,
    /// What the plan changes, for the audit.
    pub(super) changes: OnceLock<Vec<PlannedChange>>,
}

/// Maps a store error to the one error; the cause goes to the log only.
#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub fn store_error(e: StoreError) -> ApiError {
    tracing::error!(cause = %e, "the management store failed");
    ApiError::new(
        ErrorCode::Internal,
        "The management store did not answer as it should. The log has the cause.",
    )
}

/// The error type of store closures in handlers.
pub struct Fault(pub ApiError);

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Self(store_error(e))
    }
}

impl From<ApiError> for Fault {
    fn from(e: ApiError) -> Self {
        Self(e)
    }
}

impl Cx {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Reads in one snapshot.
    ///
    /// # Errors
    /// What `f` returns.
    pub fn read<T>(&self, f: impl FnOnce(&rusqlite::Connection) -> Result<T, Fault>) -> Result<T, ApiError> {
        self.app.store.read(f).map_err(|f| f.0)
    }

    /// Changes the management store: the act's audit rows and the change stand in one transaction.
    ///
    /// # Errors
    /// What `f` returns; then nothing is kept.
    pub fn commit<T>(
        &self,
        detail: &str,
        f: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, ApiError> {
        let now = self.now();
        let out = self
            .app
            .store
            .write(|tx| {
                if !self.opened.load(Ordering::Acquire) {
                    audit::open(tx, &self.entry, now)?;
                }
                let out = f(tx)?;
                audit::close_with(tx, &self.op_id, self.well(), detail, self.changes(), now)?;
                Ok::<_, Fault>(out)
            })
            .map_err(|f| f.0)?;
        self.opened.store(true, Ordering::Release);
        self.closed.store(true, Ordering::Release);
        Ok(out)
    }

    /// Opens the audit row before an act that another database records (see ARCHITECTURE.md, two databases).
    ///
    /// # Errors
    /// When the store refuses.
    pub fn open_audit(&self, pool: &str) -> Result<(), ApiError> {
        let entry = Opened { pool: pool.to_owned(), ..self.entry.clone() };
        self.app.store.write(|tx| audit::open(tx, &entry, self.now())).map_err(store_error)?;
        self.opened.store(true, Ordering::Release);
        Ok(())
    }

    /// The outcome of an act that went well.
    pub(super) fn well(&self) -> &'static str {
        if self.starts { crate::ends::STARTED } else { "done" }
    }

    /// Writes the act into the audit; for what only looks at something here and does something elsewhere.
    pub fn note(&self, outcome: &str, detail: &str) {
        self.finish(outcome, detail);
        self.app.bus.send(shared::events::Topic::Audit, "");
    }

    pub(super) fn changes(&self) -> &[PlannedChange] {
        self.changes.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn finish(&self, outcome: &str, detail: &str) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let now = self.now();
        let written = self.app.store.write(|tx| {
            let mut op_id = self.op_id.clone();
            if !self.opened.load(Ordering::Acquire) {
                // An id that was used before must not keep a refusal out of the audit.
                if audit::outcome(tx, &op_id)?.is_some() {
                    op_id = new_id(&*self.app.entropy, now);
                }
                audit::open(tx, &Opened { op_id: op_id.clone(), ..self.entry.clone() }, now)?;
            }
            // What was refused or failed changed nothing, and its words may repeat what was sent.
            if outcome != self.well() {
                return audit::close_with(tx, &op_id, outcome, &cut(detail, KEPT_LINE), &[], now);
            }
            audit::close_with(tx, &op_id, outcome, detail, self.changes(), now)
        });
        if let Err(e) = written {
            tracing::error!(cause = %e, op_id = %self.op_id, "the audit row could not be closed");
        }
    }
}
