//! Making, listing and removing the rooms that are there for test messages.

use async_trait::async_trait;
use node::traits::{Category, ChatStore, Privacy, Room, RoomKind};
use serde_json::json;
use shared::SipUri;
use shared::cmdlets::{GetLgTestRoom, RemoveLgTestRoom, TestCsPersistentChatMessage};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};

use super::chat_place::{candidates, chat_error};
use crate::clock::new_id;
use crate::door::{Cx, Handler, Outcome, plan};
use crate::test_room::{CATEGORY, TAG, place, tagged};

/// What -Setup makes.
pub struct Setup {
    pool: shared::topology::ChatPool,
    store: std::sync::Arc<dyn ChatStore>,
    users: [String; 2],
    name: String,
}

impl Setup {
    /// Checks the arguments of -Setup.
    pub fn read(a: &TestCsPersistentChatMessage, cx: &Cx) -> Result<Self, ApiError> {
        // To test is not to make rooms.
        shared::roles::can("New-CsPersistentChatRoom", &cx.actor.roles)
            .map_err(|why| ApiError::new(ErrorCode::Forbidden, format!("-Setup makes a room. {why}")))?;
        let user = |v: &Option<String>, field: &str| {
            let missing =
                || ApiError::invalid(field, format!("-Setup needs both test users; give -{field}."));
            let raw = v.as_deref().filter(|t| !t.trim().is_empty()).ok_or_else(missing)?;
            SipUri::try_from(raw).map(|u| u.to_string()).map_err(|e| ApiError::invalid(field, e.0))
        };
        let users = [
            user(&a.test_user1_sip_address, "TestUser1SipAddress")?,
            user(&a.test_user2_sip_address, "TestUser2SipAddress")?,
        ];
        if users[0] == users[1] {
            return Err(ApiError::invalid("TestUser2SipAddress", "The test needs two different users."));
        }
        let to = crate::probe::target(&cx.app, &a.target_fqdn, a.registrar_port, a.chat_room_uri.as_deref())?;
        let none = || {
            ApiError::invalid(
                "TargetFqdn",
                "No chat pool belongs to this target, so there is no place for a room.",
            )
        };
        let fqdn = to.pool.ok_or_else(none)?;
        let (pool, store) = place(&cx.app, &fqdn).ok_or_else(|| {
            ApiError::new(ErrorCode::Unavailable, format!("The database of {fqdn} is not open now."))
        })?;
        let short = |u: &str| u.trim_start_matches("sip:").split('@').next().unwrap_or_default().to_owned();
        let name = format!("Test of {} and {}", short(&users[0]), short(&users[1]));
        Ok(Self { pool, store, users, name })
    }

    /// What it will do.
    pub fn plan(&self) -> Plan {
        plan([format!(
            "Make the room {}\\{} in the category {CATEGORY} for {} and {}; nobody else may enter it. No test message is sent.",
            self.pool.fqdn, self.name, self.users[0], self.users[1]
        )])
    }

    /// Makes category and room; what is there already is made to fit.
    pub async fn make(&self, cx: &Cx) -> Result<Outcome, ApiError> {
        cx.open_audit(self.pool.id.as_str())?;
        let (found, rooms) = tagged(&*self.store).await.map_err(chat_error)?;
        // The act counts as applied with its last part, the room; the parts before may be repeated.
        let part = || new_id(&*cx.app.entropy, cx.now());
        let category = match found {
            Some(mut c) => {
                c.allowed.extend(self.users.iter().cloned());
                c.allowed.sort();
                c.allowed.dedup();
                self.store.update_category(&part(), c.clone()).await.map_err(chat_error)?;
                c
            }
            None => {
                let c = Category {
                    id: part(),
                    name: CATEGORY.to_owned(),
                    description: TAG.to_owned(),
                    invitations: false,
                    file_upload: false,
                    chat_history: true,
                    allowed: self.users.to_vec(),
                    denied: Vec::new(),
                    creators: Vec::new(),
                };
                self.store.create_category(&part(), c.clone()).await.map_err(chat_error)?;
                c
            }
        };
        let old = rooms.into_iter().find(|r| r.name == self.name);
        let mut raw = [0; 16];
        cx.app.entropy.fill(&mut raw);
        let room = Room {
            id: old.as_ref().map_or_else(
                || uuid::Builder::from_random_bytes(raw).into_uuid().to_string(),
                |r| r.id.clone(),
            ),
            category_id: category.id,
            name: self.name.clone(),
            description: TAG.to_owned(),
            kind: RoomKind::Normal,
            // Secret: it is nobody else's concern and turns up in no search.
            privacy: Privacy::Secret,
            invitations: false,
            members: self.users.to_vec(),
            ..Room::default()
        };
        let done = match old {
            Some(_) => self.store.update_room(&cx.op_id, room).await,
            None => self.store.create_room(&cx.op_id, room).await,
        };
        done.map_err(chat_error)?;
        let object =
            json!({ "Identity": format!("{}\\{}", self.pool.fqdn, self.name), "TestUsers": self.users });
        Ok(Outcome::changed(Topic::Rooms, "").with(object))
    }
}

#[async_trait]
impl Handler for GetLgTestRoom {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let mut out = Vec::new();
        for p in candidates(cx, self.persistent_chat_pool_fqdn.as_deref(), "PersistentChatPoolFqdn")? {
            let (_, rooms) = tagged(&*p.store).await.map_err(chat_error)?;
            out.extend(
                rooms.iter().map(|r| json!({ "Identity": p.identity(&r.name), "TestUsers": r.members })),
            );
        }
        Ok(Outcome::objects(out))
    }
}

#[async_trait]
impl Handler for RemoveLgTestRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let mut names = Vec::new();
        for p in candidates(cx, self.persistent_chat_pool_fqdn.as_deref(), "PersistentChatPoolFqdn")? {
            let (_, rooms) = tagged(&*p.store).await.map_err(chat_error)?;
            names.extend(
                rooms
                    .iter()
                    .map(|r| format!("Delete the test room {} with its messages.", p.identity(&r.name))),
            );
        }
        if names.is_empty() {
            return Err(ApiError::not_found("There is no test room that -Setup has made."));
        }
        Ok(Plan { confirm: Confirm::Ask, ..plan(names) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        for p in candidates(cx, self.persistent_chat_pool_fqdn.as_deref(), "PersistentChatPoolFqdn")? {
            let (category, rooms) = tagged(&*p.store).await.map_err(chat_error)?;
            let part = || new_id(&*cx.app.entropy, cx.now());
            for r in &rooms {
                p.store.delete_room(&part(), &r.id).await.map_err(chat_error)?;
            }
            let Some(c) = category else { continue };
            // A room that somebody put into the category keeps it.
            if p.store.rooms().await.map_err(chat_error)?.iter().all(|r| r.category_id != c.id) {
                p.store.delete_category(&part(), &c.id).await.map_err(chat_error)?;
            }
        }
        Ok(Outcome::changed(Topic::Rooms, ""))
    }
}
