//! Rooms of all pools, a part at a time.

use node::administration::RoomQuery;
use serde::Deserialize;
use shared::api::RoomPage;
use shared::error::ApiError;

use super::lists::{open_stores, room_view};
use crate::app::App;
use crate::handlers::chat_error;

/// Rooms in a part unless another number is asked for.
const PART: usize = 100;
/// Most rooms in a part.
const MOST: usize = 1000;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    pool: String,
    category: Option<String>,
    name: Option<String>,
    skip: usize,
    limit: Option<usize>,
}

/// The rooms of the pools whose database is open, pool by pool, by name.
///
/// # Errors
/// When a store does not answer.
pub async fn rooms(app: &App, a: &Asked) -> Result<RoomPage, ApiError> {
    let limit = a.limit.unwrap_or(PART).min(MOST);
    let mut page = RoomPage { total: 0, rooms: Vec::new() };
    for (p, s) in open_stores(app)? {
        if !a.pool.is_empty() && !p.fqdn.as_str().eq_ignore_ascii_case(&a.pool) {
            continue;
        }
        let categories = s.categories().await.map_err(chat_error)?;
        let same = |n: &String| categories.iter().find(|c| c.name.to_lowercase() == n.to_lowercase());
        let category = match a.category.as_ref().map(same) {
            Some(None) => continue,
            Some(Some(c)) => Some(c.id.clone()),
            None => None,
        };
        // A word may also name the pool.
        let pool = format!("{} {}", p.fqdn, p.display_name).to_lowercase();
        let words = a.q.split_whitespace().filter(|w| !pool.contains(&w.to_lowercase()));
        let query = RoomQuery {
            words: words.map(str::to_owned).collect(),
            category,
            name: a.name.clone(),
            skip: a.skip.saturating_sub(usize::try_from(page.total).unwrap_or(usize::MAX)),
            limit: limit - page.rooms.len(),
        };
        let (hits, rooms) = s.search(query).await.map_err(chat_error)?;
        page.total += hits;
        if rooms.is_empty() {
            continue;
        }
        let addins = s.addins().await.map_err(chat_error)?;
        page.rooms.extend(rooms.iter().map(|r| {
            let category = categories.iter().find(|c| c.id == r.category_id);
            room_view(app, &p, category.map(|c| c.name.as_str()).unwrap_or_default(), &addins, r)
        }));
    }
    Ok(page)
}
