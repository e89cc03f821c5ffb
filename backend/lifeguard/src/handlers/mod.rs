//! What each cmdlet does, a file per family.

mod access;
mod accounts;
mod active;
mod addins;
mod alert_targets;
mod alerts;
mod announcements;
mod backups;
mod categories;
mod certificates;
mod chat_place;
mod compliance;
mod configuration;
mod databases;
mod deleted_rooms;
mod endpoints;
mod failover;
mod groups;
mod install_database;
mod kept;
mod log_shipping;
mod messages;
mod mirrors;
mod names;
mod nodes;
mod password_links;
mod policies;
mod precondition;
mod principals;
mod queries;
mod replication;
mod roles;
mod rooms;
mod runbook;
mod scoped;
mod services;
mod shares;
mod state;
mod test_history;
mod test_message;
mod test_room;
mod topology;
mod trusted;
mod user_import;
mod users;
mod watch;

use rusqlite::Connection;
use shared::ApiError;
use shared::Fqdn;
use shared::identity::pool_fqdn;
use shared::topology::{ChatPool, Topology};
use store::management::topology as tstore;

use crate::door::{Cx, Fault};

pub use accounts::{
    MAX_NAME, MAX_PASSWORD as MAX_ACCOUNT_PASSWORD, MIN_PASSWORD as MIN_ACCOUNT_PASSWORD, check_account,
};
pub use chat_place::{chat_error, named_in};
pub use groups::find as find_group;
pub use policies::printed as printed_policy;
pub use services::stop_drained;
pub use topology::{load as load_draft, moved as moved_draft};
pub use users::{MIN_PASSWORD as MIN_USER_PASSWORD, check_password as check_user_password, new_user};

/// The published topology; empty before the first publish.
pub fn published(c: &Connection) -> Result<Topology, Fault> {
    Ok(tstore::published(c)?.map(|v| v.document).unwrap_or_default())
}

/// The pool that an identity names (all spellings of the documents).
pub fn find_pool(t: &Topology, identity: &str, field: &str) -> Result<ChatPool, ApiError> {
    let fqdn = pool_fqdn(identity).map_err(|e| ApiError::invalid(field, e.0))?;
    t.pool_by_fqdn(&fqdn).cloned().ok_or_else(|| unknown_pool(t, &fqdn, field))
}

fn unknown_pool(t: &Topology, fqdn: &Fqdn, field: &str) -> ApiError {
    let known: Vec<_> = t.pools.iter().map(|p| p.fqdn.as_str()).collect();
    let text = if known.is_empty() {
        "No Persistent Chat pool is published yet.".to_owned()
    } else {
        format!("There is no Persistent Chat pool {fqdn}. Published pools: {}.", known.join(", "))
    };
    ApiError { field: Some(field.to_owned()), ..ApiError::not_found(text) }
}

/// The only pool, or an error that asks for one.
pub fn only_pool(t: &Topology, field: &str) -> Result<ChatPool, ApiError> {
    match t.pools.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(ApiError::not_found("No Persistent Chat pool is published yet.")),
        many => Err(ApiError::invalid(
            field,
            format!("There are {} Persistent Chat pools. Name one with -{field}.", many.len()),
        )),
    }
}

impl Cx {
    /// The published topology.
    pub fn topology(&self) -> Result<Topology, ApiError> {
        self.read(published)
    }
}
