//! Categories and rooms. They live in the pool's mgc, so the audit row is opened first, the mgc records
//! the op_id with the change, and the row is closed after (ARCHITECTURE.md, "two databases").
//! Source: model §§12, 13.

use std::sync::Arc;

use async_trait::async_trait;
use node::traits::{Category, ChatStore, Databases, Privacy, Room, RoomKind, StoreError};
use serde_json::{Value, json};
use shared::cmdlets::{
    GetCsPersistentChatCategory, GetCsPersistentChatRoom, NewCsPersistentChatCategory,
    NewCsPersistentChatRoom, RemoveCsPersistentChatCategory, RemoveCsPersistentChatRoom,
    SetCsPersistentChatCategory, SetCsPersistentChatRoom,
};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::ChatPool;

use super::{find_pool, only_pool};
use crate::clock::new_id;
use crate::door::{Cx, Handler, Outcome, blocked, plan};
use crate::views::lists::open_stores;

/// Maps the chat store's error to the one error.
pub fn chat_error(e: StoreError) -> ApiError {
    let code = match &e {
        StoreError::Invalid { .. } => ErrorCode::InvalidArgument,
        StoreError::NotFound(_) => ErrorCode::NotFound,
        StoreError::Conflict(_) => ErrorCode::Conflict,
        _ => ErrorCode::Unavailable,
    };
    let mut out = ApiError::new(code, e.to_string());
    if let StoreError::Invalid { field, .. } = e {
        out.field = Some(field);
    }
    out
}

struct Place {
    pool: ChatPool,
    store: Arc<dyn ChatStore>,
}

fn place(cx: &Cx, pool: ChatPool) -> Result<Place, ApiError> {
    let store = cx.app.fleet.current(&pool.id);
    let store = store.ok_or_else(|| {
        ApiError::new(
            ErrorCode::Unavailable,
            format!("The database of {} is not open now. Look at the pool's databases.", pool.fqdn),
        )
    })?;
    Ok(Place { pool, store })
}

fn split(identity: &str) -> (Option<&str>, &str) {
    match identity.split_once('\\') {
        Some((p, n)) => (Some(p), n.trim()),
        None => (None, identity.trim()),
    }
}

async fn category(
    cx: &Cx,
    identity: &str,
    pool: Option<&str>,
    field: &str,
) -> Result<(Place, Category), ApiError> {
    let (in_name, name) = split(identity);
    let mut found = Vec::new();
    for p in candidates(cx, in_name.or(pool), field)? {
        let list = p.store.categories().await.map_err(chat_error)?;
        if let Some(c) = list.into_iter().find(|c| c.name.eq_ignore_ascii_case(name)) {
            found.push((p, c));
        }
    }
    single(found, "category", name, field)
}

async fn room(cx: &Cx, identity: &str) -> Result<(Place, Room), ApiError> {
    let (pool, name) = split(identity);
    let mut found = Vec::new();
    for p in candidates(cx, pool, "Identity")? {
        let list = p.store.rooms().await.map_err(chat_error)?;
        if let Some(r) = list.into_iter().find(|r| r.name.eq_ignore_ascii_case(name)) {
            found.push((p, r));
        }
    }
    single(found, "room", name, "Identity")
}

fn candidates(cx: &Cx, pool: Option<&str>, field: &str) -> Result<Vec<Place>, ApiError> {
    match pool {
        Some(p) => Ok(vec![place(cx, find_pool(&cx.topology()?, p, field)?)?]),
        None => Ok(open_stores(&cx.app)?.into_iter().map(|(pool, store)| Place { pool, store }).collect()),
    }
}

fn single<T>(
    mut found: Vec<(Place, T)>,
    what: &str,
    name: &str,
    field: &str,
) -> Result<(Place, T), ApiError> {
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(ApiError {
            field: Some(field.to_owned()),
            ..ApiError::not_found(format!("There is no {what} {name}."))
        }),
        n => Err(ApiError::invalid(
            field,
            format!("{n} pools have a {what} {name}; write it as pool\\{name}."),
        )),
    }
}

fn category_object(p: &ChatPool, c: &Category) -> Value {
    json!({
        "Identity": format!("{}\\{}", p.fqdn, c.name), "Name": c.name, "Description": c.description,
        "Invitations": c.invitations, "FileUpload": c.file_upload, "ChatHistory": c.chat_history,
        "AllowedMembers": c.allowed, "DeniedMembers": c.denied, "Creators": c.creators,
    })
}

fn room_object(cx: &Cx, p: &ChatPool, category: &str, r: &Room) -> Value {
    let v = crate::views::lists::room_view(&cx.app, p, category, r);
    json!({
        "Identity": v.identity, "Name": v.name, "Description": v.description,
        "Category": format!("{}\\{category}", p.fqdn), "Disabled": v.disabled, "Type": v.room_type, "Privacy": v.privacy,
        "Members": v.members, "Managers": v.managers, "Presenters": v.presenters, "ChatRoomUri": v.uri,
    })
}

/// Opens the audit row for an act in a pool's mgc.
fn open(cx: &Cx, p: &Place) -> Result<(), ApiError> {
    cx.open_audit(p.pool.id.as_str())
}

fn lists(before: &[String], after: &[String], target: &str, property: &str, p: &mut Plan) {
    if before != after {
        p.sentences.push(format!(
            "{property} of {target}: {}.",
            if after.is_empty() { "none".to_owned() } else { after.join(", ") }
        ));
        p.changes.push(PlannedChange::new(target, property, before.join(", "), after.join(", ")));
    }
}

fn text(before: &str, after: &str, target: &str, property: &str, p: &mut Plan) {
    if before != after {
        p.sentences.push(format!("{property} of {target} becomes '{after}'."));
        p.changes.push(PlannedChange::new(target, property, before, after));
    }
}

fn nothing(p: Plan) -> Result<Plan, ApiError> {
    if p.sentences.is_empty() { Ok(plan(["Nothing changes.".to_owned()])) } else { Ok(p) }
}

#[async_trait]
impl Handler for GetCsPersistentChatCategory {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        if let Some(id) = &self.identity {
            let (p, c) = category(cx, id, self.persistent_chat_pool_fqdn.as_deref(), "Identity").await?;
            return Ok(Outcome::objects(vec![category_object(&p.pool, &c)]));
        }
        let mut out = Vec::new();
        for p in candidates(cx, self.persistent_chat_pool_fqdn.as_deref(), "PersistentChatPoolFqdn")? {
            out.extend(
                p.store.categories().await.map_err(chat_error)?.iter().map(|c| category_object(&p.pool, c)),
            );
        }
        Ok(Outcome::objects(out))
    }
}

fn place_of_new(a: &NewCsPersistentChatCategory, cx: &Cx) -> Result<Place, ApiError> {
    let t = cx.topology()?;
    let pool = match &a.persistent_chat_pool_fqdn {
        Some(f) => find_pool(&t, f, "PersistentChatPoolFqdn")?,
        None => only_pool(&t, "PersistentChatPoolFqdn")?,
    };
    place(cx, pool)
}

fn new_category(a: &NewCsPersistentChatCategory, id: String) -> Category {
    Category {
        id,
        name: a.name.trim().to_owned(),
        description: a.description.clone().unwrap_or_default(),
        invitations: false,
        file_upload: false,
        chat_history: true,
        allowed: a.allowed_members.clone(),
        denied: Vec::new(),
        creators: Vec::new(),
    }
}

#[async_trait]
impl Handler for NewCsPersistentChatCategory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let p = place_of_new(self, cx)?;
        let id = format!("{}\\{}", p.pool.fqdn, self.name.trim());
        let mut out = plan([format!("Create the category {id}.")]);
        out.changes.push(PlannedChange::new(&id, "AllowedMembers", "", self.allowed_members.join(", ")));
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let p = place_of_new(self, cx)?;
        open(cx, &p)?;
        let c = new_category(self, new_id(&*cx.app.entropy, cx.now()));
        p.store.create_category(&cx.op_id, c.clone()).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, "").with(category_object(&p.pool, &c)))
    }
}

fn category_after(a: &SetCsPersistentChatCategory, c: &Category) -> Category {
    let apply = |m: &Option<shared::cmdlet::ListModifier>, list: &[String]| {
        m.as_ref().map_or_else(|| list.to_vec(), |m| m.apply(list))
    };
    Category {
        name: a.name.as_deref().map_or_else(|| c.name.clone(), |n| n.trim().to_owned()),
        description: a.description.clone().unwrap_or_else(|| c.description.clone()),
        allowed: apply(&a.allowed_members, &c.allowed),
        denied: apply(&a.denied_members, &c.denied),
        creators: apply(&a.creators, &c.creators),
        ..c.clone()
    }
}

#[async_trait]
impl Handler for SetCsPersistentChatCategory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, old) = category(cx, &self.identity, None, "Identity").await?;
        let new = category_after(self, &old);
        let id = format!("{}\\{}", p.pool.fqdn, old.name);
        let mut out = Plan::default();
        text(&old.name, &new.name, &id, "Name", &mut out);
        text(&old.description, &new.description, &id, "Description", &mut out);
        lists(&old.allowed, &new.allowed, &id, "AllowedMembers", &mut out);
        lists(&old.denied, &new.denied, &id, "DeniedMembers", &mut out);
        lists(&old.creators, &new.creators, &id, "Creators", &mut out);
        nothing(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, old) = category(cx, &self.identity, None, "Identity").await?;
        open(cx, &p)?;
        p.store.update_category(&cx.op_id, category_after(self, &old)).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatCategory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, c) = category(cx, &self.identity, None, "Identity").await?;
        let rooms =
            p.store.rooms().await.map_err(chat_error)?.iter().filter(|r| r.category_id == c.id).count();
        let mut out = plan([format!("Delete the category {}\\{}.", p.pool.fqdn, c.name)]);
        out.confirm = Confirm::Ask;
        if rooms > 0 {
            let text = format!("It has {rooms} rooms; a category is deleted when it is empty.");
            out = blocked(out, "V23", "Identity", text, "C:Remove-CsPersistentChatCategory");
        }
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, c) = category(cx, &self.identity, None, "Identity").await?;
        open(cx, &p)?;
        p.store.delete_category(&cx.op_id, &c.id).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for GetCsPersistentChatRoom {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (pool, name) = match self.identity.as_deref().map(split) {
            Some((p, n)) => (p.or(self.persistent_chat_pool_fqdn.as_deref()), Some(n.to_owned())),
            None => (self.persistent_chat_pool_fqdn.as_deref(), None),
        };
        let mut out = Vec::new();
        for p in candidates(cx, pool, "Identity")? {
            let categories = p.store.categories().await.map_err(chat_error)?;
            for r in p.store.rooms().await.map_err(chat_error)? {
                let hit = name.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(&r.name))
                    && self.filter.as_ref().is_none_or(|f| wildcard_match(f, &r.name));
                if hit {
                    let c = categories
                        .iter()
                        .find(|c| c.id == r.category_id)
                        .map(|c| c.name.as_str())
                        .unwrap_or_default();
                    out.push(room_object(cx, &p.pool, c, &r));
                }
            }
        }
        match (&name, out.is_empty()) {
            (Some(n), true) => Err(ApiError::not_found(format!("There is no room {n}."))),
            _ => Ok(Outcome::objects(out)),
        }
    }
}

fn kind(word: Option<&str>) -> RoomKind {
    if word == Some("Auditorium") { RoomKind::Auditorium } else { RoomKind::Normal }
}

fn privacy(word: Option<&str>) -> Privacy {
    match word {
        Some("Open") => Privacy::Open,
        Some("Secret") => Privacy::Secret,
        _ => Privacy::Closed,
    }
}

#[async_trait]
impl Handler for NewCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, c) =
            category(cx, &self.category, self.persistent_chat_pool_fqdn.as_deref(), "Category").await?;
        let id = format!("{}\\{}", p.pool.fqdn, self.name.trim());
        let privacy = privacy(self.privacy.as_deref()).word();
        let mut out = plan([format!("Create the room {id} in the category {} ({privacy}).", c.name)]);
        out.changes.push(PlannedChange::new(&id, "Category", "", &c.name));
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, c) =
            category(cx, &self.category, self.persistent_chat_pool_fqdn.as_deref(), "Category").await?;
        open(cx, &p)?;
        let mut raw = [0; 16];
        cx.app.entropy.fill(&mut raw);
        let r = Room {
            id: uuid::Builder::from_random_bytes(raw).into_uuid().to_string(),
            category_id: c.id,
            name: self.name.trim().to_owned(),
            description: self.description.clone().unwrap_or_default(),
            kind: kind(self.room_type.as_deref()),
            privacy: privacy(self.privacy.as_deref()),
            disabled: self.disabled.unwrap_or(false),
            invitations: true,
            members: Vec::new(),
            managers: Vec::new(),
            presenters: Vec::new(),
        };
        p.store.create_room(&cx.op_id, r.clone()).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, "").with(room_object(cx, &p.pool, &c.name, &r)))
    }
}

fn room_after(a: &SetCsPersistentChatRoom, r: &Room) -> Room {
    let apply = |m: &Option<shared::cmdlet::ListModifier>, list: &[String]| {
        m.as_ref().map_or_else(|| list.to_vec(), |m| m.apply(list))
    };
    Room {
        name: a.name.as_deref().map_or_else(|| r.name.clone(), |n| n.trim().to_owned()),
        description: a.description.clone().unwrap_or_else(|| r.description.clone()),
        kind: a.room_type.as_deref().map_or(r.kind, |w| kind(Some(w))),
        privacy: a.privacy.as_deref().map_or(r.privacy, |w| privacy(Some(w))),
        disabled: a.disabled.unwrap_or(r.disabled),
        members: apply(&a.members, &r.members),
        managers: apply(&a.managers, &r.managers),
        presenters: apply(&a.presenters, &r.presenters),
        ..r.clone()
    }
}

#[async_trait]
impl Handler for SetCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, old) = room(cx, &self.identity).await?;
        let new = room_after(self, &old);
        let id = format!("{}\\{}", p.pool.fqdn, old.name);
        let mut out = Plan::default();
        text(&old.name, &new.name, &id, "Name", &mut out);
        text(&old.description, &new.description, &id, "Description", &mut out);
        text(old.kind.word(), new.kind.word(), &id, "Type", &mut out);
        text(old.privacy.word(), new.privacy.word(), &id, "Privacy", &mut out);
        if old.disabled != new.disabled {
            let words = if new.disabled {
                "is disabled: its members are disconnected and it vanishes from searches; content is kept"
            } else {
                "is enabled"
            };
            out.sentences.push(format!("The room {id} {words}."));
            out.changes.push(PlannedChange::new(
                &id,
                "Disabled",
                old.disabled.to_string(),
                new.disabled.to_string(),
            ));
        }
        lists(&old.members, &new.members, &id, "Members", &mut out);
        lists(&old.managers, &new.managers, &id, "Managers", &mut out);
        lists(&old.presenters, &new.presenters, &id, "Presenters", &mut out);
        nothing(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, old) = room(cx, &self.identity).await?;
        open(cx, &p)?;
        p.store.update_room(&cx.op_id, room_after(self, &old)).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, r) = room(cx, &self.identity).await?;
        let mut out = plan([format!(
            "Delete the room {}\\{} with its messages. This cannot be undone except from a backup.",
            p.pool.fqdn, r.name
        )]);
        out.confirm = Confirm::TypeName(r.name);
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, r) = room(cx, &self.identity).await?;
        open(cx, &p)?;
        p.store.delete_room(&cx.op_id, &r.id).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}
