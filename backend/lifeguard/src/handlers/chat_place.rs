//! What acts in a pool's chat database share: finding pool, category, room and add-in by the identities
//! of the documents, and saying what a change would do. They live in the pool's mgc, so the audit row is
//! opened first, the mgc records the op_id with the change, and the row is closed after
//! (ARCHITECTURE.md, "two databases"). Source: model §§12, 13.

use std::sync::Arc;

use node::administration::Addin;
use node::rules;
use node::traits::{Category, ChatStore, Databases, Room, StoreError};
use serde_json::Value;
use shared::error::{ApiError, ErrorCode};
use shared::plan::{Plan, PlannedChange};
use shared::topology::ChatPool;
use store::management::directory::{self, User};

use super::{find_pool, only_pool};
use crate::door::{Cx, plan};
use crate::views::lists::open_stores;

/// People named in one sentence; the rest is counted.
const NAMED: usize = 12;

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

/// A pool whose database is open.
pub struct Place {
    /// The pool.
    pub pool: ChatPool,
    /// Its store.
    pub store: Arc<dyn ChatStore>,
}

impl Place {
    /// `pool\name`.
    pub fn identity(&self, name: &str) -> String {
        format!("{}\\{name}", self.pool.fqdn)
    }

    /// Opens the audit row for an act in this pool's mgc.
    pub fn open(&self, cx: &Cx) -> Result<(), ApiError> {
        cx.open_audit(self.pool.id.as_str())
    }

    /// Names are unique over the rooms and categories of a pool, whatever their case (V20).
    pub async fn check_free(&self, name: &str, own: &str) -> Result<(), ApiError> {
        let wanted = name.to_lowercase();
        let taken = |id: &str, n: &str| id != own && n.to_lowercase() == wanted;
        let category = self.store.categories().await.map_err(chat_error)?;
        let room = self.store.rooms().await.map_err(chat_error)?;
        let what = if category.iter().any(|c| taken(&c.id, &c.name)) {
            "category"
        } else if room.iter().any(|r| taken(&r.id, &r.name)) {
            "room"
        } else {
            return Ok(());
        };
        let text =
            format!("A {what} {name} exists already in this pool; rooms and categories share their names.");
        Err(ApiError::invalid("Name", text))
    }

    /// The category of a room.
    pub async fn category_of(&self, r: &Room) -> Result<Category, ApiError> {
        let list = self.store.categories().await.map_err(chat_error)?;
        list.into_iter()
            .find(|c| c.id == r.category_id)
            .ok_or_else(|| ApiError::not_found(format!("The category of the room {} is not there.", r.name)))
    }

    /// The add-in of this pool that `identity` names.
    pub async fn addin(&self, identity: &str, field: &str) -> Result<Addin, ApiError> {
        let (pool, name) = split(identity);
        let here = pool.is_none_or(|p| p.eq_ignore_ascii_case(self.pool.fqdn.as_str()));
        let list = self.store.addins().await.map_err(chat_error)?;
        let wanted = name.to_lowercase();
        list.into_iter().find(|a| here && a.name.to_lowercase() == wanted).ok_or_else(|| ApiError {
            field: Some(field.to_owned()),
            ..ApiError::not_found(format!("The pool {} has no add-in {name}.", self.pool.fqdn))
        })
    }
}

fn place(cx: &Cx, pool: ChatPool) -> Result<Place, ApiError> {
    if let Some(why) = cx.app.fleet.elsewhere().away(&pool.id) {
        let text = format!("The database of {} is out of reach: {why}.", pool.fqdn);
        return Err(ApiError::new(ErrorCode::Unavailable, text));
    }
    let store = cx.app.fleet.current(&pool.id);
    let store = store.ok_or_else(|| {
        ApiError::new(
            ErrorCode::Unavailable,
            format!("The database of {} is not open now. Look at the pool's databases.", pool.fqdn),
        )
    })?;
    Ok(Place { pool, store })
}

/// The pool that a new object goes to: the one named, or the only one.
pub fn place_of_new(cx: &Cx, pool: Option<&str>) -> Result<Place, ApiError> {
    let t = cx.topology()?;
    let pool = match pool {
        Some(f) => find_pool(&t, f, "PersistentChatPoolFqdn")?,
        None => only_pool(&t, "PersistentChatPoolFqdn")?,
    };
    place(cx, pool)
}

/// `pool\name` or `name`.
pub fn split(identity: &str) -> (Option<&str>, &str) {
    match identity.split_once('\\') {
        Some((p, n)) => (Some(p), n.trim()),
        None => (None, identity.trim()),
    }
}

/// The pools to look in: the one named, or all whose database is open.
pub fn candidates(cx: &Cx, pool: Option<&str>, field: &str) -> Result<Vec<Place>, ApiError> {
    match pool {
        Some(p) => Ok(vec![place(cx, find_pool(&cx.topology()?, p, field)?)?]),
        None => Ok(open_stores(&cx.app)?.into_iter().map(|(pool, store)| Place { pool, store }).collect()),
    }
}

/// The one that was found.
pub fn single<T>(
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

/// The category that `identity` names.
pub async fn category(
    cx: &Cx,
    identity: &str,
    pool: Option<&str>,
    field: &str,
) -> Result<(Place, Category), ApiError> {
    let (in_name, name) = split(identity);
    let wanted = name.to_lowercase();
    let mut found = Vec::new();
    for p in candidates(cx, in_name.or(pool), field)? {
        let list = p.store.categories().await.map_err(chat_error)?;
        if let Some(c) = list.into_iter().find(|c| c.name.to_lowercase() == wanted) {
            found.push((p, c));
        }
    }
    single(found, "category", name, field)
}

/// The room that `identity` names.
pub async fn room(
    cx: &Cx,
    identity: &str,
    pool: Option<&str>,
    field: &str,
) -> Result<(Place, Room), ApiError> {
    let (in_name, name) = split(identity);
    let wanted = name.to_lowercase();
    let mut found = Vec::new();
    for p in candidates(cx, in_name.or(pool), field)? {
        let list = p.store.rooms().await.map_err(chat_error)?;
        if let Some(r) = list.into_iter().find(|r| r.name.to_lowercase() == wanted) {
            found.push((p, r));
        }
    }
    single(found, "room", name, field)
}

/// The identity given by -Identity or by the object of -Instance.
pub fn named(identity: Option<&str>, instance: Option<&Value>) -> Result<String, ApiError> {
    let of_object = instance.and_then(|i| i.get("Identity")).and_then(Value::as_str);
    match (identity, instance) {
        (Some(_), Some(_)) => Err(ApiError::invalid("Instance", "Use either -Identity or -Instance.")),
        (Some(id), None) => Ok(id.to_owned()),
        (None, Some(_)) => of_object
            .map(str::to_owned)
            .ok_or_else(|| ApiError::invalid("Instance", "The object has no Identity.")),
        (None, None) => Err(ApiError::invalid("Identity", "Give -Identity, pool\\name.")),
    }
}

/// Display names instead of the SIP addresses that the directory knows (-AsObject).
pub fn shown(users: Option<&[User]>, list: &[String]) -> Vec<String> {
    let name = |p: &String| {
        let user = users.and_then(|u| u.iter().find(|u| u.sip_address.as_str().eq_ignore_ascii_case(p)));
        user.map_or_else(|| p.clone(), |u| u.display_name.clone())
    };
    list.iter().map(name).collect()
}

/// The directory, when -AsObject asks for names.
pub fn directory_for(cx: &Cx, as_object: bool) -> Result<Option<Vec<User>>, ApiError> {
    if as_object { cx.read(|c| Ok(directory::users(c)?)).map(Some) } else { Ok(None) }
}

/// A room with its category, before and after a change.
pub struct Turn<'a> {
    /// As it is.
    pub before: (&'a Category, &'a Room),
    /// As it will be.
    pub after: (&'a Category, &'a Room),
}

/// Says who of the directory may be in a room now and may not after the change: they are put out of it.
pub fn say_who_is_put_out(cx: &Cx, turns: &[Turn<'_>], out: &mut Plan) -> Result<(), ApiError> {
    let users = cx.read(|c| Ok(directory::users(c)?))?;
    let loses = |u: &&User| {
        let may = |(c, r): (&Category, &Room)| rules::may_join(c, r, u.sip_address.as_str()).is_ok();
        turns.iter().any(|t| may(t.before) && !may(t.after))
    };
    let names: Vec<String> =
        users.iter().filter(loses).map(|u| format!("{} ({})", u.display_name, u.sip_address)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rooms = if turns.len() == 1 { "the room" } else { "its rooms" };
    out.sentences.push(format!("No longer allowed in {rooms}, and put out at once: {first}{more}."));
    out.affected_users = Some(names.len() as u64);
    Ok(())
}

/// Plans the change of a list.
pub fn lists(before: &[String], after: &[String], target: &str, property: &str, p: &mut Plan) {
    if before != after {
        p.sentences.push(format!(
            "{property} of {target}: {}.",
            if after.is_empty() { "none".to_owned() } else { after.join(", ") }
        ));
        p.changes.push(PlannedChange::new(target, property, before.join(", "), after.join(", ")));
    }
}

/// Plans the change of a text.
pub fn text(before: &str, after: &str, target: &str, property: &str, p: &mut Plan) {
    if before != after {
        p.sentences.push(format!("{property} of {target} becomes '{after}'."));
        p.changes.push(PlannedChange::new(target, property, before, after));
    }
}

/// Plans the change of a switch.
pub fn flag(before: bool, after: bool, target: &str, property: &str, p: &mut Plan) {
    let word = |b: bool| if b { "True" } else { "False" };
    text(word(before), word(after), target, property, p);
}

/// A plan that says so when nothing changes.
pub fn nothing(p: Plan) -> Plan {
    if p.sentences.is_empty() { plan(["Nothing changes.".to_owned()]) } else { p }
}
