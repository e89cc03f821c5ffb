//! Lists of categories, rooms and add-ins, as the open stores have them.

use std::sync::Arc;

use node::administration::{Addin, RoomQuery};
use node::traits::{Category, ChatStore, Room};
use shared::api::{AddinView, CategoryView, RoomView};
use shared::topology::ChatPool;

use super::{Out, published, read};
use crate::app::App;

/// Open stores of all pools, in topology order.
///
/// # Errors
/// When the store does not answer.
pub fn open_stores(app: &App) -> Out<Vec<(ChatPool, Arc<dyn ChatStore>)>> {
    use node::traits::Databases;
    let t = read(app, published)?;
    // A node that is away does not keep the others' rooms from being shown.
    let there = |p: &ChatPool| app.fleet.elsewhere().away(&p.id).is_none();
    let pools = t.pools.into_iter().filter(there);
    Ok(pools.filter_map(|p| app.fleet.current(&p.id).map(|s| (p, s))).collect())
}

/// A category as pages show it.
pub fn category_view(p: &ChatPool, c: &Category, rooms: u64) -> CategoryView {
    CategoryView {
        identity: format!("{}\\{}", p.fqdn, c.name),
        pool: p.fqdn.clone(),
        pool_name: p.display_name.clone(),
        name: c.name.clone(),
        description: c.description.clone(),
        allowed: c.allowed.clone(),
        denied: c.denied.clone(),
        creators: c.creators.clone(),
        chat_history: c.chat_history,
        file_upload: c.file_upload,
        invitations: c.invitations,
        rooms,
    }
}

/// A room as pages show it; its URI carries the SIP domain of the pool's channel contact.
pub fn room_view(app: &App, p: &ChatPool, category: &str, addins: &[Addin], r: &Room) -> RoomView {
    let domain = app
        .deployment
        .borrow()
        .pools
        .iter()
        .find(|d| d.id == p.id)
        .map(|d| d.channel_uri.domain().to_owned())
        .unwrap_or_default();
    RoomView {
        identity: format!("{}\\{}", p.fqdn, r.name),
        pool: p.fqdn.clone(),
        pool_name: p.display_name.clone(),
        category: category.to_owned(),
        name: r.name.clone(),
        description: r.description.clone(),
        room_type: r.kind.word().to_owned(),
        privacy: r.privacy.word().to_owned(),
        disabled: r.disabled,
        members: r.members.clone(),
        managers: r.managers.clone(),
        presenters: r.presenters.clone(),
        invitations: if r.invitations { "Inherit" } else { "False" }.to_owned(),
        addin: addins.iter().find(|a| Some(&a.id) == r.addin.as_ref()).map(|a| a.name.clone()),
        uri: format!("ma-chan://{domain}/{}", r.id),
    }
}

/// Categories of all pools whose database is open.
///
/// # Errors
/// When a store does not answer.
pub async fn categories(app: &App) -> Out<Vec<CategoryView>> {
    let mut out = Vec::new();
    for (p, s) in open_stores(app)? {
        for c in s.categories().await.map_err(crate::handlers::chat_error)? {
            let its = RoomQuery { category: Some(c.id.clone()), ..RoomQuery::default() };
            let (n, _) = s.search(its).await.map_err(crate::handlers::chat_error)?;
            out.push(category_view(&p, &c, n));
        }
    }
    Ok(out)
}

/// Add-ins of all pools whose database is open.
///
/// # Errors
/// When a store does not answer.
pub async fn addins(app: &App) -> Out<Vec<AddinView>> {
    let mut out = Vec::new();
    for (p, s) in open_stores(app)? {
        let addins = s.addins().await.map_err(crate::handlers::chat_error)?;
        // Most pools have none, and all rooms of a pool are much to read.
        let rooms = if addins.is_empty() {
            Vec::new()
        } else {
            s.rooms().await.map_err(crate::handlers::chat_error)?
        };
        for a in addins {
            out.push(AddinView {
                identity: format!("{}\\{}", p.fqdn, a.name),
                pool: p.fqdn.clone(),
                pool_name: p.display_name.clone(),
                rooms: rooms.iter().filter(|r| r.addin.as_ref() == Some(&a.id)).count() as u64,
                name: a.name,
                url: a.url,
            });
        }
    }
    Ok(out)
}
