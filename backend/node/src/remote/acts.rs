//! What the portal alone asks a node that owns databases: administrators' acts, and how its databases are.

use serde::{Deserialize, Serialize};
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
