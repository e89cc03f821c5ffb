//! Who may be in rooms: the lists of a category spelt out over the directory.
//! Source: model §16, C:Get-CsPersistentChatEligiblePrincipal.

use async_trait::async_trait;
use node::rules;
use node::traits::RoomKind;
use serde_json::{Value, json};
use shared::cmdlets::GetCsPersistentChatEligiblePrincipal;
use shared::error::ApiError;
use shared::identity::wildcard_match;
use shared::plan::Plan;
use store::management::directory;

use super::chat_place::{category, room};
use crate::door::{Cx, Handler, Outcome};

fn domain(name: &str) -> Value {
    json!({ "Identity": name, "DisplayName": name, "SipAddress": null, "PersistentChatPrincipalType": "DC" })
}

#[async_trait]
impl Handler for GetCsPersistentChatEligiblePrincipal {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let pool = self.persistent_chat_pool_fqdn.as_deref();
        let (category, room) = match (&self.category, &self.room) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("Room", "Use either -Category or -Room (V25)."));
            }
            (None, None) => return Err(ApiError::invalid("Category", "Give -Category or -Room.")),
            (Some(c), None) => (category(cx, c, pool, "Category").await?.1, None),
            (None, Some(r)) => {
                let (p, r) = room(cx, r, pool, "Room").await?;
                (p.category_of(&r).await?, Some(r))
            }
        };
        if self.presenters && room.as_ref().is_none_or(|r| r.kind != RoomKind::Auditorium) {
            let text = "Only a room of type Auditorium has presenters (V22).";
            return Err(ApiError::invalid("Presenters", text));
        }
        let may = |principal: &str| {
            rules::allowed(&category, principal)
                && room
                    .as_ref()
                    .filter(|_| self.presenters)
                    .is_none_or(|r| rules::member(&category, r, principal))
        };
        // A domain is a principal of its own; the filter is over SIP addresses, which it has not.
        let whole = |d: &&String| {
            !d.contains('@')
                && self.filter.is_none()
                && !category.denied.iter().any(|x| x.eq_ignore_ascii_case(d))
        };
        let mut out: Vec<Value> = category.allowed.iter().filter(whole).map(|d| domain(d)).collect();
        for u in cx.read(|c| Ok(directory::users(c)?))? {
            let sip = u.sip_address.as_str();
            if may(sip) && self.filter.as_ref().is_none_or(|f| wildcard_match(f, sip)) {
                out.push(json!({
                    "Identity": sip, "DisplayName": u.display_name, "SipAddress": sip,
                    "PersistentChatPrincipalType": "User",
                }));
            }
        }
        out.truncate(self.result_size.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)));
        Ok(Outcome::objects(out))
    }
}
