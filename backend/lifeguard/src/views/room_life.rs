//! What becomes of rooms: how much they are used, and those that were deleted and can still be restored.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use node::administration::{Retired, Usage};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::Timestamp;
use shared::api::{DeletedRoomView, RoomUsagePage, RoomUsageView};
use shared::error::ApiError;
use shared::plan::Invocation;
use shared::topology::ChatPool;

use super::lists::open_stores;
use crate::app::App;
use crate::door::{Actor, execute};
use crate::handlers::chat_error;

/// A deleted room can be restored for so many days.
pub const KEPT_DAYS: i64 = 30;
/// People are counted over so many days.
pub const PEOPLE_DAYS: i64 = 30;
/// A room without a message for so many days is dead.
const DEAD_DAYS: i64 = 180;
/// A room with more messages is large: joining and searching it takes noticeably longer.
const LARGE: u64 = 100_000;
const DAY_MS: i64 = 86_400_000;
/// How often rooms whose time is over are looked for.
const SWEEP: Duration = Duration::from_secs(3600);
/// Most rooms in a part.
const MOST: usize = 1000;

fn ago(now: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_millis(now.millis() - days * DAY_MS)
}

fn until(r: &Retired) -> Timestamp {
    Timestamp::from_millis(r.at.millis() + KEPT_DAYS * DAY_MS)
}

/// Rooms of all open pools that can be restored, the newest first.
///
/// # Errors
/// When a store does not answer.
pub async fn deleted(app: &App) -> Result<Vec<DeletedRoomView>, ApiError> {
    let mut out = Vec::new();
    for (p, s) in open_stores(app)? {
        let list = s.retired().await.map_err(chat_error)?;
        if list.is_empty() {
            continue;
        }
        let names: HashMap<_, _> =
            s.categories().await.map_err(chat_error)?.into_iter().map(|c| (c.id, c.name)).collect();
        out.extend(list.into_iter().map(|r| DeletedRoomView {
            identity: format!("{}\\{}", p.fqdn, r.room.id),
            kept_until: until(&r),
            name: r.room.name,
            pool: p.fqdn.clone(),
            pool_name: p.display_name.clone(),
            category: names.get(&r.room.category_id).cloned().unwrap_or_default(),
            deleted: r.at,
            deleted_by: r.by,
            messages: r.messages,
        }));
    }
    out.sort_by_key(|r| std::cmp::Reverse(r.deleted));
    Ok(out)
}

/// Removes deleted rooms whose time is over, through the door like anybody's act.
pub async fn sweep(app: &Arc<App>) {
    let now = app.clock.now();
    let list = match deleted(app).await {
        Ok(list) => list,
        Err(e) => return tracing::warn!(cause = %e.message, "deleted rooms could not be looked at"),
    };
    for r in list.into_iter().filter(|r| r.kept_until <= now) {
        let actor = Actor {
            name: "portal".to_owned(),
            maker: String::new(),
            roles: vec!["+Remove-LgDeletedRoom".to_owned()],
            credential: "schedule",
            source: String::new(),
            request_id: String::new(),
        };
        let inv = Invocation {
            args: Map::from_iter([("Identity".to_owned(), Value::from(r.identity.clone()))]),
            reason: Some(format!("deleted more than {KEPT_DAYS} days ago")),
            typed_name: Some(r.name.clone()),
            confirmed: true,
            ..Invocation::default()
        };
        if let Err(e) = execute(app, actor, "Remove-LgDeletedRoom", inv).await {
            tracing::warn!(room = r.identity, cause = %e.message, "a deleted room could not be removed");
        }
    }
}

/// Sweeps as long as the portal runs.
pub async fn keep(app: Arc<App>) {
    loop {
        sweep(&app).await;
        tokio::time::sleep(SWEEP).await;
    }
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UsageAsked {
    /// FQDN of a pool.
    pub pool: String,
    /// Words in the room's or category's name.
    pub q: String,
    /// `Dead`, `Large`, `Disabled` or `Empty`.
    pub hint: String,
    /// Rooms to leave out.
    pub skip: usize,
    /// Most rooms.
    pub limit: Option<usize>,
}

fn hints(u: Option<&Usage>, disabled: bool, now: Timestamp) -> Vec<String> {
    let mut out = Vec::new();
    match u.and_then(|u| u.last) {
        None => out.push("Empty"),
        Some(last) if last < ago(now, DEAD_DAYS) => out.push("Dead"),
        Some(_) => {}
    }
    if u.is_some_and(|u| u.messages > LARGE) {
        out.push("Large");
    }
    if disabled {
        out.push("Disabled");
    }
    out.into_iter().map(str::to_owned).collect()
}

/// How much rooms are used, those with the most bytes first, in parts of at most `most`.
///
/// # Errors
/// When a store does not answer.
pub async fn usage(app: &App, a: &UsageAsked, most: usize) -> Result<RoomUsagePage, ApiError> {
    let now = app.clock.now();
    let mut all = Vec::new();
    for (p, s) in open_stores(app)? {
        if !a.pool.is_empty() && !p.fqdn.as_str().eq_ignore_ascii_case(&a.pool) {
            continue;
        }
        let used = s.usage(ago(now, PEOPLE_DAYS)).await.map_err(chat_error)?;
        let used: HashMap<String, Usage> = used.into_iter().map(|u| (u.room.clone(), u)).collect();
        let names: HashMap<_, _> =
            s.categories().await.map_err(chat_error)?.into_iter().map(|c| (c.id, c.name)).collect();
        for r in s.rooms().await.map_err(chat_error)? {
            let u = used.get(&r.id);
            let category = names.get(&r.category_id).cloned().unwrap_or_default();
            all.push(one(&p, &r, category, u, now));
        }
    }
    let words: Vec<String> = a.q.split_whitespace().map(str::to_lowercase).collect();
    let said = |r: &RoomUsageView| {
        let text = format!("{} {}", r.name, r.category).to_lowercase();
        words.iter().all(|w| text.contains(w.as_str()))
    };
    let hinted =
        |r: &RoomUsageView| a.hint.is_empty() || r.hints.iter().any(|h| h.eq_ignore_ascii_case(&a.hint));
    all.retain(|r| said(r) && hinted(r));
    all.sort_by(|x, y| y.bytes.cmp(&x.bytes).then_with(|| x.identity.cmp(&y.identity)));
    let total = all.len() as u64;
    let limit = a.limit.unwrap_or(100).min(most);
    Ok(RoomUsagePage { total, rooms: all.into_iter().skip(a.skip).take(limit).collect() })
}

/// [`usage`] in the parts that a page asks for.
///
/// # Errors
/// As [`usage`].
pub async fn usage_part(app: &App, a: &UsageAsked) -> Result<RoomUsagePage, ApiError> {
    usage(app, a, MOST).await
}

fn one(
    p: &ChatPool,
    r: &node::traits::Room,
    category: String,
    u: Option<&Usage>,
    now: Timestamp,
) -> RoomUsageView {
    RoomUsageView {
        identity: format!("{}\\{}", p.fqdn, r.name),
        name: r.name.clone(),
        pool: p.fqdn.clone(),
        pool_name: p.display_name.clone(),
        category,
        messages: u.map_or(0, |u| u.messages),
        bytes: u.map_or(0, |u| u.bytes),
        last: u.and_then(|u| u.last),
        people: u.map_or(0, |u| u.people),
        members: r.members.len() as u64,
        hints: hints(u, r.disabled, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_called_what_it_is() {
        let now = Timestamp::from_millis(1_000 * DAY_MS);
        let used = |days: i64, messages| Usage {
            room: String::new(),
            messages,
            bytes: 1,
            last: Some(ago(now, days)),
            people: 1,
        };
        assert_eq!(hints(None, false, now), ["Empty"]);
        assert!(hints(Some(&used(179, LARGE)), false, now).is_empty());
        assert_eq!(hints(Some(&used(181, LARGE + 1)), true, now), ["Dead", "Large", "Disabled"]);
    }
}
