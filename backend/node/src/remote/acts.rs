//! What the portal alone asks a node that owns databases: administrators' acts, and how its databases are.

use serde::{Deserialize, Serialize};
use shared::deployment::PoolState;
use shared::topology::SqlStore;
use shared::{ObjectId, Timestamp};

use super::Reply;
use crate::administration::{Addin, Fate, RoomQuery, Selection};
use crate::traits::{Category, ChatStore, Room, StoreError};

/// An act of an administrator in a pool's database; a change carries its `op_id` first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Creates a category.
    CreateCategory(String, Category),
    /// Changes a category.
    UpdateCategory(String, Category),
    /// Deletes a category.
    DeleteCategory(String, String),
    /// Creates a room.
    CreateRoom(String, Room),
    /// Changes a room.
    UpdateRoom(String, Room),
    /// Deletes a room with its messages.
    DeleteRoom(String, String),
    /// How many messages a selection hits.
    Count(Selection),
    /// Removes or replaces messages.
    Purge(String, Selection, Fate),
    /// Bytes that a room's messages take.
    ContentBytes(String),
    /// Rooms by name.
    Search(RoomQuery),
    /// Names of rooms and categories.
    Names,
    /// Deletes a room so that it can be restored: id, by whom.
    Retire(String, String, String),
    /// Rooms that can be restored.
    Retired,
    /// Restores a room: id, name.
    Restore(String, String, String),
    /// Use of rooms since then.
    Usage(Timestamp),
    /// Add-ins.
    Addins,
    /// Registers or changes an add-in.
    SaveAddin(String, Addin),
    /// Unregisters an add-in.
    DeleteAddin(String, String),
}

/// Does it in `store`.
///
/// # Errors
/// What it says.
pub async fn administer(store: &dyn ChatStore, act: Act) -> Result<Reply, StoreError> {
    let done = |()| Reply::Done;
    match act {
        Act::CreateCategory(op, c) => store.create_category(&op, c).await.map(done),
        Act::UpdateCategory(op, c) => store.update_category(&op, c).await.map(done),
        Act::DeleteCategory(op, id) => store.delete_category(&op, &id).await.map(done),
        Act::CreateRoom(op, r) => store.create_room(&op, r).await.map(done),
        Act::UpdateRoom(op, r) => store.update_room(&op, r).await.map(done),
        Act::DeleteRoom(op, id) => store.delete_room(&op, &id).await.map(done),
        Act::Count(s) => store.count(s).await.map(Reply::Count),
        Act::Purge(op, s, fate) => store.purge(&op, s, fate).await.map(Reply::Count),
        Act::ContentBytes(room) => store.content_bytes(&room).await.map(Reply::Count),
        Act::Search(q) => store.search(q).await.map(|(n, rooms)| Reply::Part(n, rooms)),
        Act::Names => store.names().await.map(Reply::Names),
        Act::Retire(op, id, by) => store.retire(&op, &id, &by).await.map(done),
        Act::Retired => store.retired().await.map(Reply::Retired),
        Act::Restore(op, id, name) => store.restore(&op, &id, &name).await.map(done),
        Act::Usage(since) => store.usage(since).await.map(Reply::Usage),
        Act::Addins => store.addins().await.map(Reply::Addins),
        Act::SaveAddin(op, a) => store.save_addin(&op, a).await.map(done),
        Act::DeleteAddin(op, id) => store.delete_addin(&op, &id).await.map(done),
    }
}

/// A question about the databases that a node keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inquiry {
    /// How the database of a pool is.
    Side(ObjectId),
    /// Whether a SQL instance can be kept there: its folder is written to and looked at.
    Check(SqlStore),
    /// Makes mgc unless it is there.
    Create(SqlStore),
    /// Moves the closed database of a pool that is gone into a folder beside it.
    SetAside {
        /// The pool.
        pool: ObjectId,
        /// Its store.
        store: SqlStore,
        /// Name of the folder.
        folder: String,
    },
    /// A piece of a copy of mgc, for a backup; the first piece makes the copy.
    Copy {
        /// The store.
        store: SqlStore,
        /// Name of the copy, the same for all its pieces.
        copy: String,
        /// Bytes that were read before.
        offset: u64,
    },
    /// Whether a share is reached by this path: a file is written there and read. With a store, the folder of
    /// its instance is made. Since version 4, as all that follow.
    Share {
        /// The path.
        path: String,
        /// The store.
        store: Option<SqlStore>,
    },
    /// How the side of a pair is that the node owns.
    Half(ObjectId),
    /// A step of a switch, on the files of the side that the node owns.
    Step {
        /// The pool.
        pool: ObjectId,
        /// The switch, which the node must have heard of; none outside of one.
        hold: Option<String>,
        /// The step.
        step: Step,
    },
    /// Does the steps of a switch to the node's side on a copy in a scratch folder, and takes it away.
    Rehearse(ObjectId),
}

impl Inquiry {
    /// The first version of the protocol that has this question.
    pub fn since(&self) -> u32 {
        match self {
            Self::Share { .. } | Self::Half(_) | Self::Step { .. } | Self::Rehearse(_) => 4,
            _ => 3,
        }
    }
}

/// A step of a switch between two owners. Each may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Copies segments of this epoch from the share.
    Copy(u64),
    /// Copies and applies all there is of this epoch.
    Apply(u64),
    /// Claims the epoch after this one and brings the database online.
    Online {
        /// The epoch in use until now.
        epoch: u64,
        /// What is not there any more was acknowledged as lost.
        forced: bool,
    },
    /// Ships what is not in the share yet; the whole database when asked.
    Ship {
        /// The whole database.
        whole: bool,
    },
    /// Goes on above an epoch that was claimed and never came online.
    Reclaim,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Did {
    /// Segments.
    pub count: u64,
    /// Epoch of the database, or of the last segment.
    pub epoch: u64,
    /// The last segment.
    pub seq: u64,
    /// Messages.
    pub messages: u64,
}

/// What came of one step of a rehearsal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// What was done.
    pub log: Vec<String>,
    /// How long it took.
    pub millis: u64,
    /// Why it cannot be done; nothing comes after it.
    pub error: Option<String>,
    /// Messages of the copy, once it was read.
    pub messages: Option<u64>,
}

/// A segment of log shipping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkTold {
    /// Epoch.
    pub epoch: u64,
    /// Number.
    pub seq: u64,
    /// When it was cut.
    pub cut: Timestamp,
    /// Commits until then.
    pub commits: u64,
    /// Messages until then.
    pub messages: u64,
}

/// What an owner says of its side of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfTold {
    /// Which side it is.
    pub side: PoolState,
    /// The side in use, as the owner has heard.
    pub in_use: PoolState,
    /// The switch that it has heard of.
    pub hold: Option<String>,
    /// Whether it is open, or being opened or closed.
    pub open: bool,
    /// Why it is not open although it is in use.
    pub trouble: Option<String>,
    /// Why the database does not answer.
    pub error: Option<String>,
    /// Its epoch; 0 while it does not answer or is restored into.
    pub epoch: u64,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Last write.
    pub last_write: Option<Timestamp>,
    /// Last whole copy.
    pub copied_at: Option<Timestamp>,
    /// Whether its folder is there.
    pub folder: bool,
    /// Bytes that are free there.
    pub free: Option<u64>,
    /// The last segment with which everything of the closed database is in the share.
    pub tail: Option<(u64, u64)>,
    /// A claim above its epoch keeps it from being opened.
    pub claimed: Option<u64>,
    /// Newest segment in the share.
    pub shipped: Option<MarkTold>,
    /// Newest segment that is applied.
    pub applied: Option<MarkTold>,
    /// When it was opened, as far as log shipping counts.
    pub begun: Timestamp,
    /// When the backup job last succeeded.
    pub backup_at: Option<Timestamp>,
    /// When copy and restore last succeeded.
    pub restore_at: Option<Timestamp>,
    /// Why the backup job failed the last time.
    pub backup_error: Option<String>,
    /// Why copy or restore failed the last time.
    pub restore_error: Option<String>,
    /// Databases that were in use there and may hold what was never shipped.
    pub orphans: Vec<String>,
}

/// What a node says of a pool's database.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SideTold {
    /// Whether it is open.
    pub open: bool,
    /// Why it is not.
    pub trouble: Option<String>,
    /// Why it does not answer.
    pub error: Option<String>,
    /// Its epoch.
    pub epoch: u64,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Last write.
    pub last_write: Option<Timestamp>,
}
