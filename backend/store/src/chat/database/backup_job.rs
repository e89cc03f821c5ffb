//! A turn of the backup job of log shipping, and what is known of it while the database is closed.

use std::path::Path;

use super::{FILE, MgcDatabase};
use crate::chat::shipping::{self, Mark, ShipError, Turn};

impl MgcDatabase {
    /// One turn of the backup job of log shipping; the newest segment, none while nothing can be shipped
    /// because the mirror is being copied. Posts go on meanwhile, and a share that does not answer is not
    /// waited for.
    ///
    /// # Errors
    /// Why nothing could be shipped.
    pub async fn ship(&self) -> Result<Option<Mark>, ShipError> {
        let Some(carrier) = &self.store.carrier else {
            self.between_turns().await;
            return Ok(None);
        };
        self.queue_turn().await;
        // Opening the chain, a base, what waited, what is new.
        for _ in 0..4 {
            let turn = match &*self.store.writer.read().await {
                Some(w) => w.ship(true).await?,
                None => return Ok(None),
            };
            carrier.wait().await?;
            match turn {
                Turn::Again => {}
                Turn::Held => return Ok(None),
                Turn::Nothing | Turn::Cut => break,
            }
        }
        Ok(carrier.mark())
    }

    /// What may not wait for the next turn of the backup job: the mirror, and whether another side was claimed.
    pub async fn between_turns(&self) {
        self.queue_turn().await;
        if let Some(w) = &*self.store.writer.read().await {
            // Nothing is cut, so nothing can fail.
            let _ = w.ship(false).await;
        }
    }

    /// Bytes that wait in the log beside the database of this folder.
    pub fn log_bytes(dir: &Path) -> u64 {
        std::fs::metadata(shipping::beside(&dir.join(FILE), "-wal")).map_or(0, |m| m.len())
    }

    /// Epoch and number of the last segment, when the closed database of this folder holds nothing that is
    /// not in the share.
    pub fn shipped_to(dir: &Path) -> Option<(u64, u64)> {
        shipping::shipped_to(&dir.join(FILE))
    }

    /// Makes the next run of the backup job on the closed database of this folder begin with a whole copy.
    ///
    /// # Errors
    /// I/O.
    pub fn ship_whole(dir: &Path) -> Result<(), ShipError> {
        shipping::forget_shipped(&dir.join(FILE))
    }
}
