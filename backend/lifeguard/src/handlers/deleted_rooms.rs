//! Rooms that were deleted and can still be restored, and how much rooms are used.

use async_trait::async_trait;
use node::administration::Retired;
use serde_json::json;
use shared::api::RoomUsageView;
use shared::cmdlets::{GetLgDeletedRoom, GetLgRoomUsage, RemoveLgDeletedRoom, RestoreLgRoom};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan};

use super::chat_place::{Place, candidates, chat_error, single, split};
use crate::door::{Cx, Handler, Outcome, plan};
use crate::views::room_life;

/// The deleted room that `identity` names: `pool\id`, or `pool\name` when only one was called so.
async fn find(cx: &Cx, identity: &str) -> Result<(Place, Retired), ApiError> {
    let (pool, name) = split(identity);
    let wanted = name.to_lowercase();
    let mut found = Vec::new();
    for p in candidates(cx, pool, "Identity")? {
        let list = p.store.retired().await.map_err(chat_error)?;
        let mut hits: Vec<Retired> = list
            .into_iter()
            .filter(|r| r.room.id == wanted || r.room.name.to_lowercase() == wanted)
            .collect();
        if hits.len() > 1 {
            let ids = hits.iter().map(|r| p.identity(&r.room.id)).collect::<Vec<_>>().join(", ");
            let text = format!("{} deleted rooms were called {name}; name one by its id: {ids}.", hits.len());
            return Err(ApiError::invalid("Identity", text));
        }
        if let Some(hit) = hits.pop() {
            found.push((p, hit));
        }
    }
    single(found, "deleted room", name, "Identity")
}

#[async_trait]
impl Handler for GetLgDeletedRoom {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let wanted = self.persistent_chat_pool_fqdn.as_deref();
        let pool =
            wanted.map(|f| super::find_pool(&cx.topology()?, f, "PersistentChatPoolFqdn")).transpose()?;
        let list = room_life::deleted(&cx.app).await?;
        let here = list.into_iter().filter(|r| pool.as_ref().is_none_or(|p| p.fqdn == r.pool));
        let object = |r: shared::api::DeletedRoomView| {
            json!({
                "Identity": r.identity, "Name": r.name, "Category": format!("{}\\{}", r.pool, r.category),
                "Deleted": r.deleted, "DeletedBy": r.deleted_by, "KeptUntil": r.kept_until, "Messages": r.messages,
            })
        };
        Ok(Outcome::objects(here.map(object).collect()))
    }
}

/// The name that a room gets back.
fn new_name<'a>(a: &'a RestoreLgRoom, r: &'a Retired) -> &'a str {
    a.name.as_deref().map(str::trim).filter(|n| !n.is_empty()).unwrap_or(&r.room.name)
}

#[async_trait]
impl Handler for RestoreLgRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, r) = find(cx, &self.identity).await?;
        let name = new_name(self, &r);
        p.check_free(name, &r.room.id).await?;
        let was =
            if name == r.room.name { String::new() } else { format!(", which was called {}", r.room.name) };
        Ok(plan([format!(
            "Restore the room {}{was}, with its {} messages, members and rights.",
            p.identity(name),
            r.messages
        )]))
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, r) = find(cx, &self.identity).await?;
        p.open(cx)?;
        p.store.restore(&cx.op_id, &r.room.id, new_name(self, &r)).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for RemoveLgDeletedRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, r) = find(cx, &self.identity).await?;
        let text = format!(
            "Remove the deleted room {} for good, with its {} messages. This cannot be undone except from a backup.",
            p.identity(&r.room.name),
            r.messages
        );
        Ok(Plan { confirm: Confirm::TypeName(r.room.name), ..plan([text]) })
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, r) = find(cx, &self.identity).await?;
        p.open(cx)?;
        p.store.delete_room(&cx.op_id, &r.room.id).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for GetLgRoomUsage {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let pool = self.persistent_chat_pool_fqdn.as_deref();
        let pool =
            pool.map(|f| super::find_pool(&cx.topology()?, f, "PersistentChatPoolFqdn")).transpose()?;
        let asked = room_life::UsageAsked {
            pool: pool.map(|p| p.fqdn.to_string()).unwrap_or_default(),
            hint: self.hint.clone().unwrap_or_default(),
            limit: Some(usize::MAX),
            ..room_life::UsageAsked::default()
        };
        let object = |r: RoomUsageView| {
            json!({
                "Identity": r.identity, "Category": r.category, "Messages": r.messages, "Bytes": r.bytes,
                "LastMessage": r.last, "People": r.people, "Members": r.members, "Hints": r.hints,
            })
        };
        let page = room_life::usage(&cx.app, &asked, usize::MAX).await?;
        Ok(Outcome::objects(page.rooms.into_iter().map(object).collect()))
    }
}
