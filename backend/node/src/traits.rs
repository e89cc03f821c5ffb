//! The seams of a chat host: who the users are, where messages are kept. No SQL here.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared::{ObjectId, SipUri, Timestamp};
use tokio::sync::{broadcast, watch};
use wire::digest::Algorithm;

/// A digest secret for one spelling of a log-on name.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    /// Hash.
    pub algorithm: Algorithm,
    /// User name as a client sends it.
    pub username: String,
    /// H(user:realm:password) in hexadecimal.
    pub ha1: String,
}

impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ha1").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A chat user as a registrar needs him. The digest realm is the domain of `uri`.
#[derive(Debug, Clone)]
pub struct ChatUser {
    /// SIP address.
    pub uri: SipUri,
    /// Display name.
    pub display_name: String,
    /// May sign in.
    pub enabled: bool,
    /// The effective policy allows Persistent Chat.
    pub chat_enabled: bool,
    /// Home Front End pool.
    pub home_front_end: ObjectId,
    /// Digest secrets.
    pub secrets: Vec<Ha1>,
    /// Groups and units he belongs to, as the rules compare them.
    pub principals: Vec<String>,
}

/// The directory did not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the directory does not answer: {0}")]
pub struct DirectoryError(pub String);

/// Users.
#[async_trait]
pub trait Directory: Send + Sync {
    /// By address of record.
    async fn user_by_aor(&self, uri: &SipUri) -> Result<Option<ChatUser>, DirectoryError>;
    /// By log-on name as sent in credentials.
    async fn user_by_login(&self, name: &str) -> Result<Option<ChatUser>, DirectoryError>;
    /// Rises when it changed who belongs to which group or unit; none where that never changes.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }
}

/// Why the chat store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum StoreError {
    /// A value is not acceptable.
    #[error("{text}")]
    Invalid {
        /// Which.
        field: String,
        /// Why, and what to do.
        text: String,
    },
    /// No such object.
    #[error("{0}")]
    NotFound(String),
    /// In use, or changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// The user may not.
    #[error("{0}")]
    Forbidden(String),
    /// The room is disabled.
    #[error("the room is disabled")]
    Disabled,
    /// The database was closed (the pool is being switched) or fenced by a newer epoch.
    #[error("the database is not open for writing")]
    Closed,
    /// The database failed.
    #[error("the chat database: {0}")]
    Database(String),
}

impl StoreError {
    /// A bad value.
    pub fn invalid(field: &str, text: impl Into<String>) -> Self {
        Self::Invalid { field: field.to_owned(), text: text.into() }
    }
}

/// A category of rooms. Principals are `sip:user@domain`, a SIP domain, which means everyone in it, or the
/// distinguished name of a group or organizational unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Id.
    pub id: String,
    /// Name, unique in the pool.
    pub name: String,
    /// Description.
    pub description: String,
    /// Invitations are allowed.
    pub invitations: bool,
    /// Files may be uploaded.
    pub file_upload: bool,
    /// Messages are kept.
    pub chat_history: bool,
    /// Who may be a member.
    pub allowed: Vec<String>,
    /// Who may not, whatever `allowed` says.
    pub denied: Vec<String>,
    /// Who may create rooms.
    pub creators: Vec<String>,
}

/// Who may post in a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomKind {
    /// Members.
    #[default]
    Normal,
    /// Presenters only.
    Auditorium,
}

impl RoomKind {
    /// As the cmdlets print it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Auditorium => "Auditorium",
        }
    }
}

/// Who finds and enters a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Privacy {
    /// Everyone the category allows.
    Open,
    /// Members enter, everyone finds it.
    #[default]
    Closed,
    /// Members only find it.
    Secret,
}

impl Privacy {
    /// As the cmdlets print it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Closed => "Closed",
            Self::Secret => "Secret",
        }
    }
}

/// A chat room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// GUID.
    pub id: String,
    /// Its category.
    pub category_id: String,
    /// Name, unique in the pool.
    pub name: String,
    /// Description.
    pub description: String,
    /// Normal or Auditorium.
    pub kind: RoomKind,
    /// Open, Closed or Secret.
    pub privacy: Privacy,
    /// Closed to everyone; content is kept.
    pub disabled: bool,
    /// Takes the category's setting (a room can only switch it off).
    pub invitations: bool,
    /// Members; none means that membership is inherited from the category.
    pub members: Vec<String>,
    /// Managers.
    pub managers: Vec<String>,
    /// Presenters of an auditorium.
    pub presenters: Vec<String>,
    /// Id of its add-in.
    #[serde(default)]
    pub addin: Option<String>,
}

/// A post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPost {
    /// Room id.
    pub room: String,
    /// Author.
    pub author: String,
    /// His display name.
    pub author_display: String,
    /// Plain text.
    pub text: String,
    /// RTF alternative.
    pub rtf: Option<String>,
    /// The client's id of this post: the same one is stored once.
    pub client_id: String,
}

/// A stored message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Room id.
    pub room: String,
    /// Number in the room, from 1.
    pub chat_id: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// Author.
    pub author: String,
    /// His display name.
    pub author_display: String,
    /// Plain text.
    pub text: String,
    /// RTF alternative.
    pub rtf: Option<String>,
}

/// What the commit log tells: it is the delivery bus of a pool's servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Committed {
    /// A message was stored.
    Message(StoredMessage),
    /// A room or its category changed; who may no longer be there is put out.
    RoomChanged(String),
    /// Categories changed: rights of all rooms are looked at again.
    RightsChanged,
    /// Something may have been missed (a link was down): what counts is in the log.
    Missed,
}

/// An event that compliance records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplianceEvent {
    /// `JOIN`, `PART`, `CHAT`, or `BACKCHAT` for history that was viewed.
    pub kind: &'static str,
    /// Room id.
    pub room: String,
    /// Who.
    pub user: String,
    /// Text of a post.
    pub text: String,
    /// Number of the post in its room: what a kill kept from being queued is found by it.
    pub message: Option<u64>,
}

/// Messages, rooms and categories of a pool. One call is one transaction.
#[async_trait]
pub trait ChatStore: crate::administration::Administration + Send + Sync {
    /// Stores a post after checking the author's rights in the same transaction.
    async fn post(&self, post: NewPost) -> Result<StoredMessage, StoreError>;
    /// The last `count` messages of a room, oldest first.
    async fn history(&self, room: &str, count: u32) -> Result<Vec<StoredMessage>, StoreError>;
    /// Messages after `chat_id`, oldest first.
    async fn after(&self, room: &str, chat_id: u64) -> Result<Vec<StoredMessage>, StoreError>;
    /// A room with its category.
    async fn room(&self, id: &str) -> Result<Option<(Room, Category)>, StoreError>;
    /// The first `limit` rooms by name whose name contains `criteria` and which `user` may see.
    async fn find_rooms(
        &self,
        user: &str,
        criteria: &str,
        limit: usize,
    ) -> Result<Vec<(Room, Category)>, StoreError>;
    /// All rooms by name.
    async fn rooms(&self) -> Result<Vec<Room>, StoreError>;
    /// All categories by name.
    async fn categories(&self) -> Result<Vec<Category>, StoreError>;
    /// Creates a category; `op_id` is recorded with it.
    async fn create_category(&self, op_id: &str, c: Category) -> Result<(), StoreError>;
    /// Changes a category.
    async fn update_category(&self, op_id: &str, c: Category) -> Result<(), StoreError>;
    /// Deletes an empty category.
    async fn delete_category(&self, op_id: &str, id: &str) -> Result<(), StoreError>;
    /// Creates a room.
    async fn create_room(&self, op_id: &str, r: Room) -> Result<(), StoreError>;
    /// Changes a room.
    async fn update_room(&self, op_id: &str, r: Room) -> Result<(), StoreError>;
    /// Deletes a room with its messages.
    async fn delete_room(&self, op_id: &str, id: &str) -> Result<(), StoreError>;
    /// Whether the act `op_id` was applied here.
    async fn applied(&self, op_id: &str) -> Result<bool, StoreError>;
    /// Queues compliance events in their order, all or none, when the pool records them.
    async fn record_events(&self, events: Vec<ComplianceEvent>) -> Result<(), StoreError>;
    /// Differs between two openings, so that servers see a switch even when they missed the time between.
    fn generation(&self) -> u64;
    /// What is committed from now on.
    fn subscribe(&self) -> broadcast::Receiver<Committed>;
}

/// The databases that are open.
pub trait Databases: Send + Sync {
    /// The store a pool uses now; none while it is being switched.
    fn current(&self, pool: &ObjectId) -> Option<Arc<dyn ChatStore>>;
    /// Rises whenever a pool's store is closed or opened.
    fn watch(&self) -> watch::Receiver<u64>;
}
