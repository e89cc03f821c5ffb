//! What acts in a pool's chat database share: finding pool, category, room and add-in by the identities
//! of the documents, and saying what a change would do. They live in the pool's mgc, so the audit row is
//! opened first, the mgc records the op_id with the change, and the row is closed after
//! (ARCHITECTURE.md, "two databases"). Source: model §§12, 13.

use std::collections::HashMap;
use std::sync::Arc;

use node::administration::{Addin, Named, RoomQuery};
use node::members::{Members, Membership as _};
use node::rules::{self, Cut};
use node::traits::{Category, ChatStore, Databases, Room, StoreError};
use serde_json::Value;
use shared::dn;
use shared::error::{ApiError, ErrorCode, Problem};
use shared::plan::{Plan, PlannedChange};
use shared::topology::ChatPool;
use store::management::directory::{self, User};

use super::{find_pool, names, only_pool};
use crate::app::App;
use crate::door::{Cx, plan};
use crate::views::lists::open_stores;

/// People named in one sentence; the rest is counted.
const NAMED: usize = 20;
/// Comparisons that a preview makes at most; beyond them it says that there may be more.
const LOOKED_AT: usize = 30_000_000;

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

    /// Names are unique over the rooms and categories of a pool, whatever their case (V20), and none looks
    /// like another.
    pub async fn check_free(&self, name: &str, own: &str) -> Result<(), ApiError> {
        let all = self.store.names().await.map_err(chat_error)?;
        if all.iter().any(|n| n.id == own && n.name == name) {
            return Ok(());
        }
        names::check("Name", name)?;
        let what = |n: &Named| if n.category { "category" } else { "room" };
        let wanted = name.to_lowercase();
        if let Some(n) = all.iter().find(|n| n.id != own && n.name.to_lowercase() == wanted) {
            let text = format!(
                "A {} {name} exists already in this pool; rooms and categories share their names.",
                what(n)
            );
            return Err(ApiError::invalid("Name", text));
        }
        let others = all.iter().filter(|n| n.id != own).map(|n| n.name.as_str());
        names::check_like("Name", name, others)
    }

    /// The room of this name. The index finds it; only the case of letters beyond ASCII takes a look at all.
    async fn room_called(&self, name: &str, wanted: &str) -> Result<Option<Room>, ApiError> {
        let asked = RoomQuery { name: Some(name.to_owned()), limit: 1, ..RoomQuery::default() };
        let (_, mut hit) = self.store.search(asked).await.map_err(chat_error)?;
        if let Some(r) = hit.pop() {
            return Ok(Some(r));
        }
        if name.is_ascii() {
            return Ok(None);
        }
        let all = self.store.rooms().await.map_err(chat_error)?;
        Ok(all.into_iter().find(|r| r.name.to_lowercase() == wanted))
    }

    /// Rooms of a category.
    pub async fn rooms_of(&self, c: &Category) -> Result<Vec<Room>, ApiError> {
        let asked = RoomQuery { category: Some(c.id.clone()), limit: usize::MAX, ..RoomQuery::default() };
        Ok(self.store.search(asked).await.map_err(chat_error)?.1)
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
        if let Some(r) = p.room_called(name, &wanted).await? {
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

/// People in a sentence: the first ones by name, the rest counted.
pub fn some_of(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    format!("{}{more}", names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Who of the directory may be in a room now and may not after the change, and whether that is all of them.
fn put_out(users: &[User], turns: &[Turn<'_>], members: [&Members; 2]) -> (Vec<String>, bool) {
    // Rooms of one category share what the category says.
    let mut by_category: Vec<(Cut, Cut, Vec<&Turn<'_>>)> = Vec::new();
    let mut place: HashMap<[*const Category; 2], usize> = HashMap::new();
    for t in turns {
        let i = *place.entry([t.before.0, t.after.0].map(std::ptr::from_ref)).or_insert_with(|| {
            by_category.push((Cut::new(t.before.0), Cut::new(t.after.0), Vec::new()));
            by_category.len() - 1
        });
        by_category[i].2.push(t);
    }
    let (mut names, mut left) = (Vec::new(), LOOKED_AT);
    for u in users {
        let [before, after] = members.map(|m| m.who(u.sip_address.as_str()));
        let other = before != after;
        let loses = by_category.iter().any(|(cut, new, turns)| {
            if !cut.allowed(&before) {
                return false;
            }
            let out = !new.allowed(&after);
            let mut touched = turns.iter().filter(|t| out || other || t.before.1 != t.after.1);
            touched.any(|t| {
                let cost = 1 + t.before.1.members.len() + t.after.1.members.len();
                left = left.saturating_sub(cost);
                left > 0
                    && rules::may_join(t.before.0, t.before.1, &before).is_ok()
                    && rules::may_join(t.after.0, t.after.1, &after).is_err()
            })
        });
        if loses {
            names.push(format!("{} ({})", u.display_name, u.sip_address));
        }
        if left == 0 {
            return (names, false);
        }
    }
    (names, true)
}

/// Says who of the directory may be in a room now and may not after the change: they are put out of it.
pub fn say_who_is_put_out(cx: &Cx, turns: &[Turn<'_>], out: &mut Plan) -> Result<(), ApiError> {
    let now = cx.app.store.current();
    let rooms = if turns.len() == 1 { "the room" } else { "its rooms" };
    say_who_loses(cx, turns, [&now, &now], rooms, out)
}

/// The same for a change of who belongs to what.
pub fn say_who_loses(
    cx: &Cx,
    turns: &[Turn<'_>],
    members: [&Members; 2],
    rooms: &str,
    out: &mut Plan,
) -> Result<(), ApiError> {
    if turns.is_empty() {
        return Ok(());
    }
    let users = cx.read(|c| Ok(directory::users(c)?))?;
    let (names, all) = put_out(&users, turns, members);
    if !all {
        let text = "There are too many people and rooms to look at each: more may be put out than are named.";
        out.warnings.push(Problem::warning("preview.partial", "Identity", text, "pain 26"));
    }
    if names.is_empty() {
        return Ok(());
    }
    let n = if names.len() > NAMED { format!(" ({} people)", names.len()) } else { String::new() };
    out.sentences.push(format!("No longer allowed in {rooms}, and put out at once{n}: {}.", some_of(&names)));
    out.affected_users = Some(names.len() as u64);
    Ok(())
}

/// Rooms of all open pools whose category or own lists name any of `names` (in small letters).
pub async fn rooms_naming(cx: &Cx, names: &[String]) -> Result<Vec<(Place, Category, Room)>, ApiError> {
    let has = |list: &[String]| list.iter().any(|p| dn::is(p) && names.contains(&p.to_lowercase()));
    let mut out = Vec::new();
    for (pool, store) in open_stores(&cx.app)? {
        let categories = store.categories().await.map_err(chat_error)?;
        let of: HashMap<&str, (&Category, bool)> = categories
            .iter()
            .map(|c| (c.id.as_str(), (c, has(&c.allowed) || has(&c.denied) || has(&c.creators))))
            .collect();
        for r in store.rooms().await.map_err(chat_error)? {
            let Some((c, all)) = of.get(r.category_id.as_str()) else { continue };
            if *all || has(&r.members) || has(&r.managers) || has(&r.presenters) {
                out.push((Place { pool: pool.clone(), store: store.clone() }, (*c).clone(), r));
            }
        }
    }
    Ok(out)
}

/// Categories and rooms whose own lists name `name`, as identities.
///
/// # Errors
/// When a store does not answer.
pub async fn named_in(app: &App, name: &str) -> Result<Vec<String>, ApiError> {
    let name = name.to_lowercase();
    let has = |list: &[String]| list.iter().any(|p| p.to_lowercase() == name);
    let mut out = Vec::new();
    for (pool, store) in open_stores(app)? {
        let p = Place { pool, store };
        for c in p.store.categories().await.map_err(chat_error)? {
            if has(&c.allowed) || has(&c.denied) || has(&c.creators) {
                out.push(p.identity(&c.name));
            }
        }
        for r in p.store.rooms().await.map_err(chat_error)? {
            if has(&r.members) || has(&r.managers) || has(&r.presenters) {
                out.push(p.identity(&r.name));
            }
        }
    }
    Ok(out)
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
