//! Categories, rooms, add-ins.

use super::dto::dto;
use crate::names::Fqdn;
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/categories`.
    CategoryView {
        /// `pool\name`.
        identity: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// Allowed principals.
        allowed: Vec<String>,
        /// Denied principals.
        denied: Vec<String>,
        /// Who may create rooms.
        creators: Vec<String>,
        /// Its rooms are marked as keeping a chat history.
        chat_history: bool,
        /// Files may be uploaded.
        file_upload: bool,
        /// Its rooms may send invitations.
        invitations: bool,
        /// Rooms in it.
        rooms: u64,
    }
    /// `GET /api/v1/rooms`: a part of the rooms.
    RoomPage {
        /// Rooms that match.
        total: u64,
        /// Those of this part, pool by pool, by name.
        rooms: Vec<RoomView>,
    }
    /// A room that was deleted and can still be restored, one of `GET /api/v1/deleted-rooms`.
    DeletedRoomView {
        /// `pool\id`.
        identity: String,
        /// What it was called.
        name: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Category.
        category: String,
        /// When it was deleted.
        deleted: Timestamp,
        /// By whom.
        deleted_by: String,
        /// When it is removed for good.
        kept_until: Timestamp,
        /// Messages in it.
        messages: u64,
    }
    /// `GET /api/v1/room-usage`: a part of the rooms, those with the most bytes first.
    RoomUsagePage {
        /// Rooms that match.
        total: u64,
        /// Those of this part.
        rooms: Vec<RoomUsageView>,
    }
    /// How much a room is used.
    RoomUsageView {
        /// `pool\name`.
        identity: String,
        /// Name.
        name: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Category.
        category: String,
        /// Messages in it.
        messages: u64,
        /// Bytes that they take.
        bytes: u64,
        /// The last one.
        last: Option<Timestamp>,
        /// People who posted in the last 30 days.
        people: u64,
        /// Members.
        members: u64,
        /// `Empty`, `Dead` (no message for 180 days), `Large` (over 100,000 messages), `Disabled`.
        hints: Vec<String>,
    }
    /// A room.
    RoomView {
        /// `pool\name`.
        identity: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Category.
        category: String,
        /// Name.
        name: String,
        /// Description.
        description: String,
        /// `Normal` or `Auditorium`.
        room_type: String,
        /// `Open`, `Closed` or `Secret`.
        privacy: String,
        /// Disabled.
        disabled: bool,
        /// Members; empty inherits.
        members: Vec<String>,
        /// Managers.
        managers: Vec<String>,
        /// Presenters.
        presenters: Vec<String>,
        /// `Inherit` or `False`.
        invitations: String,
        /// Its add-in.
        addin: Option<String>,
        /// `ma-chan://…`.
        uri: String,
    }
    /// `GET /api/v1/addins`.
    AddinView {
        /// `pool\name`.
        identity: String,
        /// Pool.
        pool: Fqdn,
        /// Display name of the pool.
        pool_name: String,
        /// Name.
        name: String,
        /// Address.
        url: String,
        /// Rooms that have it.
        rooms: u64,
    }
}
