//! Settings of the chat service. They reach running servers with the deployment: the next history that is
//! asked for, and the next roster, follow them. Source: model §10.

use async_trait::async_trait;
use shared::cmdlets::{
    GetCsPersistentChatConfiguration, NewCsPersistentChatConfiguration, RemoveCsPersistentChatConfiguration,
    SetCsPersistentChatConfiguration,
};
use shared::configuration::{ChatConfiguration, effective};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::Plan;
use shared::topology::Topology;
use store::management::configuration::Kind;

use super::scoped::{self, Settings};
use crate::door::{Cx, Handler, Outcome, plan};

impl Settings for ChatConfiguration {
    const KIND: Kind = Kind::PersistentChat;
    const WHAT: &'static str = "settings of the chat service";

    fn check(&self) -> Result<(), (&'static str, String)> {
        self.check()
    }

    fn effects(before: &[(String, Self)], after: &[(String, Self)], t: &Topology) -> Vec<String> {
        let mut out = Vec::new();
        for p in &t.pools {
            let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
            let of = |list| effective(list, site, &p.fqdn).cloned().unwrap_or_default();
            let (b, a): (Self, Self) = (of(before), of(after));
            if b.default_chat_history != a.default_chat_history {
                out.push(format!(
                    "Who enters a room of {} gets the last {} messages instead of {}.",
                    p.fqdn, a.default_chat_history, b.default_chat_history
                ));
            }
            if b.participant_update_limit != a.participant_update_limit {
                out.push(format!(
                    "Rosters of {} are updated up to {} participants instead of {}.",
                    p.fqdn, a.participant_update_limit, b.participant_update_limit
                ));
            }
        }
        out
    }
}

macro_rules! applied {
    ($a:ident) => {
        |c: ChatConfiguration| ChatConfiguration {
            default_chat_history: $a.default_chat_history.unwrap_or(c.default_chat_history),
            max_file_size_kb: $a.max_file_size_kb.unwrap_or(c.max_file_size_kb),
            participant_update_limit: $a.participant_update_limit.unwrap_or(c.participant_update_limit),
            room_management_url: match $a.room_management_url.as_deref().map(str::trim) {
                None => c.room_management_url,
                Some("") => None,
                Some(u) => Some(u.to_owned()),
            },
        }
    };
}

fn changed() -> Outcome {
    Outcome::changed(Topic::Directory, "configuration").redeploy()
}

#[async_trait]
impl Handler for GetCsPersistentChatConfiguration {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let list = scoped::list::<ChatConfiguration>(cx, self.identity.as_deref(), self.filter.as_deref())?;
        Ok(Outcome::objects(list))
    }
}

#[async_trait]
impl Handler for NewCsPersistentChatConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        cx.read(|c| {
            let new = scoped::create(c, &self.identity, applied!(self))?;
            if self.in_memory {
                return Ok(plan([format!("Return settings for {}; nothing is stored.", new.identity)]));
            }
            new.plan(c)
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        if self.in_memory {
            let new = cx.read(|c| scoped::create(c, &self.identity, applied!(self)))?;
            let object = scoped::object(&new.identity, &new.after.unwrap_or_default());
            return Ok(Outcome::objects(vec![object]));
        }
        let made = cx.commit(&p.sentences.join(" "), |tx| {
            scoped::create(tx, &self.identity, applied!(self))?.store(tx)
        })?;
        Ok(changed().with(made))
    }
}

#[async_trait]
impl Handler for SetCsPersistentChatConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        cx.read(|c| {
            scoped::change(c, self.identity.as_deref(), self.instance.as_ref(), applied!(self))?.plan(c)
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            scoped::change(tx, self.identity.as_deref(), self.instance.as_ref(), applied!(self))?.store(tx)
        })?;
        Ok(changed())
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        cx.read(|c| scoped::delete::<ChatConfiguration>(c, &self.identity)?.plan(c))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            scoped::delete::<ChatConfiguration>(tx, &self.identity)?.store(tx)
        })?;
        Ok(changed())
    }
}
