//! Rooms that are there for test messages only, tagged so that they can be found and removed again.
//! Source: pain 13, L:special-setup-instructions.

use std::sync::Arc;

use node::members::Membership as _;
use node::rules;
use node::traits::{Category, ChatStore, Databases, Room, StoreError};
use shared::Fqdn;
use shared::topology::ChatPool;

use crate::app::App;

/// Name of their category.
pub const CATEGORY: &str = "Test messages";
/// Their description: the tag, together with the category.
pub const TAG: &str =
    "Made by Test-CsPersistentChatMessage -Setup for test messages; Remove-LgTestRoom removes it.";

/// The tagged rooms of a pool, with their category.
///
/// # Errors
/// When the database does not answer.
pub async fn tagged(store: &dyn ChatStore) -> Result<(Option<Category>, Vec<Room>), StoreError> {
    let category = store.categories().await?.into_iter().find(|c| c.name == CATEGORY && c.description == TAG);
    let mut rooms = store.rooms().await?;
    rooms.retain(|r| category.as_ref().is_some_and(|c| c.id == r.category_id) && r.description == TAG);
    Ok((category, rooms))
}

/// The published pool of this name with its open database.
pub fn place(app: &App, pool: &Fqdn) -> Option<(ChatPool, Arc<dyn ChatStore>)> {
    let t = app.store.read(crate::handlers::published).ok()?;
    let pool = t.pool_by_fqdn(pool)?.clone();
    let store = app.fleet.current(&pool.id)?;
    Some((pool, store))
}

/// The test room of a pool that all these users may join; tests go there rather than among people.
pub async fn of(app: &App, pool: Option<&Fqdn>, users: &[&str]) -> Option<String> {
    let (pool, store) = place(app, pool?)?;
    let (category, rooms) = tagged(&*store).await.ok()?;
    let category = category?;
    let members = app.store.current();
    let fits = |r: &&Room| users.iter().all(|u| rules::may_join(&category, r, &members.who(u)).is_ok());
    rooms.iter().find(fits).map(|r| format!("{}\\{}", pool.fqdn, r.name))
}
