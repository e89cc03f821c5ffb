//! Categories of rooms. Source: model §12.

use async_trait::async_trait;
use node::members::Membership as _;
use node::rules;
use node::traits::Category;
use serde_json::{Value, json};
use shared::cmdlets::{
    GetCsPersistentChatCategory, NewCsPersistentChatCategory, RemoveCsPersistentChatCategory,
    SetCsPersistentChatCategory,
};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use store::management::directory::User;

use super::chat_place::{
    Place, Turn, candidates, category, chat_error, directory_for, flag, lists, named, nothing, place_of_new,
    say_who_is_put_out, shown, text,
};
use super::principals;
use crate::clock::new_id;
use crate::door::{Cx, Handler, Outcome, blocked, plan};

fn object(p: &Place, c: &Category, names: Option<&[User]>) -> Value {
    json!({
        "Identity": p.identity(&c.name), "Name": c.name, "Description": c.description,
        "Invites": c.invitations, "FileUpload": c.file_upload, "ChatHistory": c.chat_history,
        "AllowedMembers": shown(names, &c.allowed), "DeniedMembers": shown(names, &c.denied),
        "Creators": shown(names, &c.creators),
    })
}

#[async_trait]
impl Handler for GetCsPersistentChatCategory {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let names = directory_for(cx, self.as_object)?;
        let pool = self.persistent_chat_pool_fqdn.as_deref();
        if let Some(id) = &self.identity {
            let (p, c) = category(cx, id, pool, "Identity").await?;
            return Ok(Outcome::objects(vec![object(&p, &c, names.as_deref())]));
        }
        let mut out = Vec::new();
        for p in candidates(cx, pool, "PersistentChatPoolFqdn")? {
            let list = p.store.categories().await.map_err(chat_error)?;
            out.extend(list.iter().map(|c| object(&p, c, names.as_deref())));
        }
        Ok(Outcome::objects(out))
    }
}

fn new_category(a: &NewCsPersistentChatCategory, cx: &Cx, id: String) -> Result<Category, ApiError> {
    Ok(Category {
        id,
        name: a.name.trim().to_owned(),
        description: a.description.clone().unwrap_or_default(),
        invitations: a.enable_invitations,
        file_upload: a.enable_file_upload,
        chat_history: !a.remove_chat_history,
        allowed: principals::resolve(cx, &a.allowed_members)?,
        denied: Vec::new(),
        creators: Vec::new(),
    })
}

#[async_trait]
impl Handler for NewCsPersistentChatCategory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let p = place_of_new(cx, self.persistent_chat_pool_fqdn.as_deref())?;
        let c = new_category(self, cx, String::new())?;
        rules::check_category(&c, None, &cx.app.store.current()).map_err(chat_error)?;
        p.check_free(&c.name, "").await?;
        let id = p.identity(&c.name);
        let mut out = plan([format!("Create the category {id}.")]);
        out.changes.push(PlannedChange::new(&id, "AllowedMembers", "", c.allowed.join(", ")));
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let p = place_of_new(cx, self.persistent_chat_pool_fqdn.as_deref())?;
        p.open(cx)?;
        let c = new_category(self, cx, new_id(&*cx.app.entropy, cx.now()))?;
        p.store.create_category(&cx.op_id, c.clone()).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, "").with(object(&p, &c, None)))
    }
}

fn after(a: &SetCsPersistentChatCategory, cx: &Cx, c: &Category) -> Result<Category, ApiError> {
    let apply =
        |m: &Option<shared::cmdlet::ListModifier>, list: &[String]| principals::apply(cx, m.as_ref(), list);
    Ok(Category {
        id: c.id.clone(),
        name: a.name.as_deref().map_or_else(|| c.name.clone(), |n| n.trim().to_owned()),
        description: a.description.clone().unwrap_or_else(|| c.description.clone()),
        invitations: a.invitations.unwrap_or(c.invitations),
        file_upload: a.file_upload.unwrap_or(c.file_upload),
        chat_history: a.chat_history.unwrap_or(c.chat_history),
        allowed: apply(&a.allowed_members, &c.allowed)?,
        denied: apply(&a.denied_members, &c.denied)?,
        creators: apply(&a.creators, &c.creators)?,
    })
}

#[async_trait]
impl Handler for SetCsPersistentChatCategory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, old) = category(cx, &identity, None, "Identity").await?;
        let new = after(self, cx, &old)?;
        let members = cx.app.store.current();
        rules::check_category(&new, Some(&old), &members).map_err(chat_error)?;
        p.check_free(&new.name, &new.id).await?;
        // Nobody loses anything by other changes: then its rooms need no look.
        let rooms = match rules::touched_by(&old, &new).is_empty() {
            true => Vec::new(),
            false => p.rooms_of(&old).await?,
        };
        for r in &rooms {
            rules::check_kept(&old, &new, r, &members).map_err(|e| {
                let text = format!("The room {} would break its lists: {e}", r.name);
                ApiError::new(ErrorCode::Conflict, text)
            })?;
        }
        let id = p.identity(&old.name);
        let mut out = Plan::default();
        text(&old.name, &new.name, &id, "Name", &mut out);
        text(&old.description, &new.description, &id, "Description", &mut out);
        lists(&old.allowed, &new.allowed, &id, "AllowedMembers", &mut out);
        lists(&old.denied, &new.denied, &id, "DeniedMembers", &mut out);
        lists(&old.creators, &new.creators, &id, "Creators", &mut out);
        flag(old.chat_history, new.chat_history, &id, "ChatHistory", &mut out);
        flag(old.file_upload, new.file_upload, &id, "FileUpload", &mut out);
        flag(old.invitations, new.invitations, &id, "Invitations", &mut out);
        principals::warn_of_empty(cx, &old.allowed, &new.allowed, &mut out)?;
        principals::warn_of_empty(cx, &old.denied, &new.denied, &mut out)?;
        let turns: Vec<_> = rooms.iter().map(|r| Turn { before: (&old, r), after: (&new, r) }).collect();
        say_who_is_put_out(cx, &turns, &mut out)?;
        Ok(nothing(out))
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, old) = category(cx, &identity, None, "Identity").await?;
        p.open(cx)?;
        p.store.update_category(&cx.op_id, after(self, cx, &old)?).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatCategory {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, c) = category(cx, &identity, None, "Identity").await?;
        let rooms = p.rooms_of(&c).await?.len();
        let mut out = plan([format!("Delete the category {}.", p.identity(&c.name))]);
        out.confirm = Confirm::Ask;
        let deleted = p.store.retired().await.map_err(chat_error)?;
        let lost = deleted.iter().filter(|r| r.room.category_id == c.id).count();
        if lost > 0 {
            out.sentences.push(format!("{lost} deleted rooms of it can no longer be restored afterwards."));
        }
        if rooms > 0 {
            let text = format!("It has {rooms} rooms; a category is deleted when it is empty.");
            out = blocked(out, "V23", "Identity", text, "C:Remove-CsPersistentChatCategory");
        }
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, c) = category(cx, &identity, None, "Identity").await?;
        p.open(cx)?;
        p.store.delete_category(&cx.op_id, &c.id).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}
