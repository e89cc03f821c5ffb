//! Add-ins: web pages that clients show beside a room. Source: model §15.

use async_trait::async_trait;
use node::administration::Addin;
use serde_json::{Value, json};
use shared::cmdlets::{
    GetCsPersistentChatAddin, NewCsPersistentChatAddin, RemoveCsPersistentChatAddin, SetCsPersistentChatAddin,
};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};

use super::chat_place::{Place, candidates, chat_error, named, nothing, place_of_new, single, split, text};
use crate::clock::new_id;
use crate::door::{Cx, Handler, Outcome, plan};

fn object(p: &Place, a: &Addin) -> Value {
    json!({ "Identity": p.identity(&a.name), "Name": a.name, "Url": a.url })
}

async fn find(cx: &Cx, identity: &str, pool: Option<&str>) -> Result<(Place, Addin), ApiError> {
    let (in_name, name) = split(identity);
    let wanted = name.to_lowercase();
    let mut found = Vec::new();
    for p in candidates(cx, in_name.or(pool), "Identity")? {
        let list = p.store.addins().await.map_err(chat_error)?;
        if let Some(a) = list.into_iter().find(|a| a.name.to_lowercase() == wanted) {
            found.push((p, a));
        }
    }
    single(found, "add-in", name, "Identity")
}

/// Checks an add-in as it will be: its values, and that its name is free.
async fn check(p: &Place, a: &Addin) -> Result<(), ApiError> {
    a.check().map_err(chat_error)?;
    let taken = |o: &Addin| o.id != a.id && o.name.to_lowercase() == a.name.to_lowercase();
    if p.store.addins().await.map_err(chat_error)?.iter().any(taken) {
        let text = format!("The pool {} has an add-in {} already.", p.pool.fqdn, a.name);
        return Err(ApiError::invalid("Name", text));
    }
    Ok(())
}

#[async_trait]
impl Handler for GetCsPersistentChatAddin {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let pool = self.persistent_chat_pool_fqdn.as_deref();
        if let Some(id) = &self.identity {
            let (p, a) = find(cx, id, pool).await?;
            return Ok(Outcome::objects(vec![object(&p, &a)]));
        }
        let mut out = Vec::new();
        for p in candidates(cx, pool, "PersistentChatPoolFqdn")? {
            out.extend(p.store.addins().await.map_err(chat_error)?.iter().map(|a| object(&p, a)));
        }
        Ok(Outcome::objects(out))
    }
}

fn new_addin(a: &NewCsPersistentChatAddin, id: String) -> Addin {
    Addin { id, name: a.name.trim().to_owned(), url: a.url.trim().to_owned() }
}

#[async_trait]
impl Handler for NewCsPersistentChatAddin {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let p = place_of_new(cx, self.persistent_chat_pool_fqdn.as_deref())?;
        let a = new_addin(self, String::new());
        check(&p, &a).await?;
        let id = p.identity(&a.name);
        let mut out = plan([format!("Register the add-in {id} with the address {}.", a.url)]);
        out.changes.push(PlannedChange::new(&id, "Url", "", &a.url));
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let p = place_of_new(cx, self.persistent_chat_pool_fqdn.as_deref())?;
        p.open(cx)?;
        let a = new_addin(self, new_id(&*cx.app.entropy, cx.now()));
        p.store.save_addin(&cx.op_id, a.clone()).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, "").with(object(&p, &a)))
    }
}

async fn changed(a: &SetCsPersistentChatAddin, cx: &Cx) -> Result<(Place, Addin, Addin), ApiError> {
    let identity = named(a.identity.as_deref(), a.instance.as_ref())?;
    let (p, old) = find(cx, &identity, None).await?;
    let given = |v: &Option<String>, old: &str| v.as_deref().map_or(old, str::trim).to_owned();
    let new = Addin { id: old.id.clone(), name: given(&a.name, &old.name), url: given(&a.url, &old.url) };
    check(&p, &new).await?;
    Ok((p, old, new))
}

#[async_trait]
impl Handler for SetCsPersistentChatAddin {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, old, new) = changed(self, cx).await?;
        let id = p.identity(&old.name);
        let mut out = Plan::default();
        text(&old.name, &new.name, &id, "Name", &mut out);
        text(&old.url, &new.url, &id, "Url", &mut out);
        Ok(nothing(out))
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, _, new) = changed(self, cx).await?;
        p.open(cx)?;
        p.store.save_addin(&cx.op_id, new).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatAddin {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, a) = find(cx, &identity, None).await?;
        let mut out = plan([format!("Unregister the add-in {}.", p.identity(&a.name))]);
        let rooms = p.store.rooms().await.map_err(chat_error)?;
        let using: Vec<&str> =
            rooms.iter().filter(|r| r.addin.as_ref() == Some(&a.id)).map(|r| r.name.as_str()).collect();
        if !using.is_empty() {
            // In use it goes only when that is accepted, which -Force does, too.
            out.confirm = Confirm::Ask;
            out.sentences.push(format!("Rooms that have it lose it: {}.", using.join(", ")));
        }
        Ok(out)
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let identity = named(self.identity.as_deref(), self.instance.as_ref())?;
        let (p, a) = find(cx, &identity, None).await?;
        p.open(cx)?;
        p.store.delete_addin(&cx.op_id, &a.id).await.map_err(chat_error)?;
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}
