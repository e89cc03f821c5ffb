//! Settings at scopes: the chat service, the compliance adapter.

use super::dto::dto;

dto! {
    /// `GET /api/v1/configurations`: settings of the chat service at a scope.
    ConfigurationView {
        /// `Global`, `Site:Redmond`, `Service:PersistentChatServer:pool`.
        identity: String,
        /// Messages that a client gets when it enters a room.
        default_chat_history: u32,
        /// Largest file.
        max_file_size_kb: u32,
        /// Above so many participants rosters are not updated.
        participant_update_limit: u32,
        /// Page where users manage rooms.
        room_management_url: Option<String>,
        /// FQDNs of the pools that it decides for.
        pools: Vec<String>,
    }
    /// `GET /api/v1/compliance`: settings of the compliance adapter at a scope.
    ComplianceView {
        /// `Global`, `Site:Redmond`, `Service:PersistentChatServer:pool`.
        identity: String,
        /// Whether an adapter is set.
        writes: bool,
        /// Where it writes.
        directory: String,
        /// How often.
        run_interval: String,
        /// Writes details of rooms.
        room_details: bool,
        /// Writes details of users.
        user_details: bool,
        /// A file for each room.
        file_per_room: bool,
        /// FQDNs of the pools with compliance that it decides for.
        pools: Vec<String>,
    }
}
