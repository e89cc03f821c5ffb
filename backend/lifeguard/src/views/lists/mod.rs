//! Lists of directory, rooms, drafts and audit.

mod chat_rooms;
mod chat_users;
mod drafts;
mod portal;
mod scopes;
mod watching;

use shared::error::ApiError;
use store::management::{StoreError, topology};

pub use self::chat_rooms::{addins, categories, category_view, open_stores, room_view};
pub use self::chat_users::{endpoints, policies};
pub use self::drafts::{topology_view, versions, wizard_draft, wizard_view};
pub use self::portal::{access, accounts, shares};
pub use self::scopes::{compliance, configurations};
pub use self::watching::watch;
use crate::app::App;
use crate::door::store_error;

type Out<T> = Result<T, ApiError>;

pub(super) fn read<T>(app: &App, f: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError>) -> Out<T> {
    app.store.read(f).map_err(store_error)
}

pub(super) fn published(c: &rusqlite::Connection) -> Result<shared::topology::Topology, StoreError> {
    Ok(topology::published(c)?.map(|v| v.document).unwrap_or_default())
}
