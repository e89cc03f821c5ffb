//! Chat rooms. Source: model §13.

use async_trait::async_trait;
use node::administration::Addin;
use node::members::Membership as _;
use node::rules;
use node::traits::{Category, Privacy, Room, RoomKind};
use serde_json::{Value, json};
use shared::cmdlets::{
    GetCsPersistentChatRoom, NewCsPersistentChatRoom, RemoveCsPersistentChatRoom, SetCsPersistentChatRoom,
};
use shared::error::ApiError;
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::directory::User;

use super::chat_place::{
    Place, Turn, candidates, category, chat_error, directory_for, lists, named, nothing, room,
    say_who_is_put_out, shown, some_of, split, text,
};
use super::principals;
use crate::door::{Cx, Handler, Outcome, plan};
use crate::views::room_life::KEPT_DAYS;

fn object(cx: &Cx, p: &Place, category: &str, addins: &[Addin], r: &Room, names: Option<&[User]>) -> Value {
    let v = crate::views::lists::room_view(&cx.app, &p.pool, category, addins, r);
    json!({
        "Identity": v.identity, "Name": v.name, "Description": v.description,
        "Category": p.identity(category), "Disabled": v.disabled, "Type": v.room_type, "Privacy": v.privacy,
        "Invitations": v.invitations, "Addin": v.addin, "Members": shown(names, &v.members),
        "Managers": shown(names, &v.managers), "Presenters": shown(names, &v.presenters), "ChatRoomUri": v.uri,
    })
}

/// V25: Identity excludes all filters of place and name; Category excludes them, too.
fn check_filters(a: &GetCsPersistentChatRoom) -> Result<(), ApiError> {
    let others =
        [("Filter", a.filter.is_some()), ("PersistentChatPoolFqdn", a.persistent_chat_pool_fqdn.is_some())];
    let either = |field: &str, with: &str| {
        Err(ApiError::invalid(field, format!("Use either -{with} or -{field} (V25).")))
    };
    if a.identity.is_some() && a.category.is_some() {
        return either("Category", "Identity");
    }
    for (with, given) in [("Identity", a.identity.is_some()), ("Category", a.category.is_some())] {
        if let Some((field, _)) = others.iter().find(|(_, other)| given && *other) {
            return either(field, with);
        }
    }
    Ok(())
}

fn wanted(a: &GetCsPersistentChatRoom, name: Option<&str>, category: &str, addin: &str, r: &Room) -> bool {
    let has = |list: &[String], p: &Option<String>| {
        p.as_ref().is_none_or(|p| list.iter().any(|x| x.eq_ignore_ascii_case(p)))
    };
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let text =
        |f: &String| wildcard_match(f, &r.name) || a.search_description && wildcard_match(f, &r.description);
    name.is_none_or(|n| same(n, &r.name))
        && a.filter.as_ref().is_none_or(text)
        && a.category.as_deref().is_none_or(|c| same(split(c).1, category))
        && a.addin.as_deref().is_none_or(|w| same(split(w).1, addin))
        && a.disabled.is_none_or(|d| d == r.disabled)
        && a.invitations.as_deref().is_none_or(|i| (i == "Inherit") == r.invitations)
        && a.privacy.as_deref().is_none_or(|p| p == r.privacy.word())
        && a.room_type.as_deref().is_none_or(|t| t == r.kind.word())
        && has(&r.managers, &a.manager)
        && has(&r.members, &a.member)
}

#[async_trait]
impl Handler for GetCsPersistentChatRoom {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        check_filters(self)?;
        let names = directory_for(cx, self.as_object)?;
        let identity = self.identity.as_deref().map(split);
        let name = identity.map(|(_, n)| n);
        let of_category = self.category.as_deref().and_then(|c| split(c).0);
        let pool =
            identity.and_then(|(p, _)| p).or(of_category).or(self.persistent_chat_pool_fqdn.as_deref());
        let mut out = Vec::new();
        for p in candidates(cx, pool, if name.is_some() { "Identity" } else { "PersistentChatPoolFqdn" })? {
            let categories = p.store.categories().await.map_err(chat_error)?;
            let addins = p.store.addins().await.map_err(chat_error)?;
            for r in p.store.rooms().await.map_err(chat_error)? {
                let c = categories.iter().find(|c| c.id == r.category_id).map_or("", |c| c.name.as_str());
                let addin =
                    addins.iter().find(|a| Some(&a.id) == r.addin.as_ref()).map_or("", |a| a.name.as_str());
                if !wanted(self, name, c, addin, &r) {
                    continue;
                }
                if let Some(mb) = self.chat_content_exceeds_mb
                    && p.store.content_bytes(&r.id).await.map_err(chat_error)? <= u64::from(mb) << 20
                {
                    continue;
                }
                out.push(object(cx, &p, c, &addins, &r, names.as_deref()));
            }
        }
        match (name, out.is_empty()) {
            (Some(n), true) => Err(ApiError::not_found(format!("There is no room {n}."))),
            _ => {
                out.truncate(
                    self.result_size.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)),
                );
                Ok(Outcome::objects(out))
            }
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

async fn new_room(a: &NewCsPersistentChatRoom, cx: &Cx) -> Result<(Place, Category, Room), ApiError> {
    let (p, c) = category(cx, &a.category, a.persistent_chat_pool_fqdn.as_deref(), "Category").await?;
    let addin = match a.addin.as_deref() {
        Some(name) => Some(p.addin(name, "Addin").await?.id),
        None => None,
    };
    let mut raw = [0; 16];
    cx.app.entropy.fill(&mut raw);
    let r = Room {
        id: uuid::Builder::from_random_bytes(raw).into_uuid().to_string(),
        category_id: c.id.clone(),
        name: a.name.trim().to_owned(),
        description: a.description.clone().unwrap_or_default(),
        kind: kind(a.room_type.as_deref()),
        privacy: privacy(a.privacy.as_deref()),
        disabled: a.disabled.unwrap_or(false),
        invitations: a.invitations.as_deref() != Some("False"),
        addin,
        ..Room::default()
    };
    rules::check_room(&c, &r, &cx.app.store.current()).map_err(chat_error)?;
    p.check_free(&r.name, &r.id).await?;
    Ok((p, c, r))
}

#[async_trait]
impl Handler for NewCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, c, r) = new_room(self, cx).await?;
        let id = p.identity(&r.name);
        let privacy = r.privacy.word();
        let mut out = plan([format!("Create the room {id} in the category {} ({privacy}).", c.name)]);
        out.changes.push(PlannedChange::new(&id, "Category", "", &c.name));
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, c, r) = new_room(self, cx).await?;
        p.open(cx)?;
        p.store.create_room(&cx.op_id, r.clone()).await.map_err(chat_error)?;
        let addins = p.store.addins().await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, "").with(object(cx, &p, &c.name, &addins, &r, None)))
    }
}

/// A room before and after Set-CsPersistentChatRoom.
struct Change {
    place: Place,
    old: Room,
    old_category: Category,
    new: Room,
    category: Category,
    /// Who leaves the lists because the new category does not allow them.
    cut: Vec<String>,
    /// Names of the add-in before and after.
    addins: [String; 2],
}

async fn change(a: &SetCsPersistentChatRoom, cx: &Cx) -> Result<Change, ApiError> {
    let identity = named(a.identity.as_deref(), a.instance.as_ref())?;
    let (place, old) = room(cx, &identity, None, "Identity").await?;
    let old_category = place.category_of(&old).await?;
    let members = cx.app.store.current();
    let (category, base, cut) = match a.category.as_deref() {
        None => (old_category.clone(), old.clone(), Vec::new()),
        Some(wanted) => {
            let (there, c) = category(cx, wanted, Some(place.pool.fqdn.as_str()), "Category").await?;
            if there.pool.id != place.pool.id {
                let text = format!("A room stays on its pool, {}; name a category of it.", place.pool.fqdn);
                return Err(ApiError::invalid("Category", text));
            }
            let (base, cut) = rules::cut_to(&c, &old, &members);
            (c, base, cut)
        }
    };
    let known = place.store.addins().await.map_err(chat_error)?;
    let name_of = |id: Option<&String>| {
        known.iter().find(|x| Some(&x.id) == id).map(|x| x.name.clone()).unwrap_or_default()
    };
    let addin = match a.addin.as_deref() {
        None => old.addin.clone(),
        Some("") => None,
        Some(name) => Some(place.addin(name, "Addin").await?.id),
    };
    let apply =
        |m: &Option<shared::cmdlet::ListModifier>, list: &[String]| principals::apply(cx, m.as_ref(), list);
    let addins = [name_of(old.addin.as_ref()), name_of(addin.as_ref())];
    let new = Room {
        name: a.name.as_deref().map_or_else(|| old.name.clone(), |n| n.trim().to_owned()),
        description: a.description.clone().unwrap_or_else(|| old.description.clone()),
        kind: a.room_type.as_deref().map_or(old.kind, |w| kind(Some(w))),
        privacy: a.privacy.as_deref().map_or(old.privacy, |w| privacy(Some(w))),
        disabled: a.disabled.unwrap_or(old.disabled),
        invitations: a.invitations.as_deref().map_or(old.invitations, |w| w == "Inherit"),
        members: apply(&a.members, &base.members)?,
        managers: apply(&a.managers, &base.managers)?,
        presenters: apply(&a.presenters, &base.presenters)?,
        addin,
        ..base
    };
    rules::check_change(&category, Some(&old), &new, &members).map_err(chat_error)?;
    place.check_free(&new.name, &new.id).await?;
    Ok(Change { place, old, old_category, new, category, cut, addins })
}

#[async_trait]
impl Handler for SetCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let Change { place, old, old_category, new, category, cut, addins } = change(self, cx).await?;
        let id = place.identity(&old.name);
        let mut out = Plan::default();
        text(&old.name, &new.name, &id, "Name", &mut out);
        text(&old.description, &new.description, &id, "Description", &mut out);
        text(&old_category.name, &category.name, &id, "Category", &mut out);
        if !cut.is_empty() {
            let who = cut.join(", ");
            out.sentences.push(format!(
                "The category {} does not allow {who}; they leave the lists of the room.",
                category.name
            ));
        }
        text(old.kind.word(), new.kind.word(), &id, "Type", &mut out);
        text(old.privacy.word(), new.privacy.word(), &id, "Privacy", &mut out);
        if old.disabled != new.disabled {
            let words = if new.disabled {
                "is disabled: its members are disconnected and it vanishes from searches; content is kept"
            } else {
                "is enabled"
            };
            out.sentences.push(format!("The room {id} {words}."));
            let change =
                PlannedChange::new(&id, "Disabled", old.disabled.to_string(), new.disabled.to_string());
            out.changes.push(change);
        }
        let word = |inherits: bool| if inherits { "Inherit" } else { "False" };
        text(word(old.invitations), word(new.invitations), &id, "Invitations", &mut out);
        text(&addins[0], &addins[1], &id, "Addin", &mut out);
        lists(&old.members, &new.members, &id, "Members", &mut out);
        lists(&old.managers, &new.managers, &id, "Managers", &mut out);
        lists(&old.presenters, &new.presenters, &id, "Presenters", &mut out);
        if new.members.is_empty() && !old.members.is_empty() && new.privacy != Privacy::Open {
            // Inherited membership opens the room wider than anyone may have meant.
            out.sentences.push(format!(
                "No member is left in its list: membership is inherited, so everyone whom the category {} allows may enter.",
                category.name
            ));
            out.confirm = if cut.is_empty() { Confirm::None } else { Confirm::Ask };
        }
        for (before, after) in
            [(&old.members, &new.members), (&old.managers, &new.managers), (&old.presenters, &new.presenters)]
        {
            principals::warn_of_empty(cx, before, after, &mut out)?;
        }
        let turn = Turn { before: (&old_category, &old), after: (&category, &new) };
        say_who_is_put_out(cx, &[turn], &mut out)?;
        Ok(nothing(out))
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let c = change(self, cx).await?;
        c.place.open(cx)?;
        c.place.store.update_room(&cx.op_id, c.new).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, r) = room(cx, &identity, None, "Identity").await?;
        let what = format!("Delete the room {} with its messages.", p.identity(&r.name));
        let mut out = if self.permanent {
            plan([format!("{what} This cannot be undone except from a backup.")])
        } else {
            plan([format!("{what} It can be restored for {KEPT_DAYS} days.")])
        };
        let inside = cx.app.rosters.of(&p.pool.id).people(&r.id);
        if !inside.is_empty() {
            let names: Vec<String> = inside.iter().map(|(uri, name)| format!("{name} ({uri})")).collect();
            let n = names.len();
            out.sentences.push(format!("Put out at once: {n} who are in the room now, {}.", some_of(&names)));
            out.affected_users = Some(n as u64);
        }
        out.confirm = if self.permanent { Confirm::TypeName(r.name) } else { Confirm::Ask };
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, r) = room(cx, &identity, None, "Identity").await?;
        p.open(cx)?;
        let gone = match self.permanent {
            true => p.store.delete_room(&cx.op_id, &r.id).await,
            false => p.store.retire(&cx.op_id, &r.id, &cx.actor.name).await,
        };
        gone.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}
