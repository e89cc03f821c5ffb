//! XCCOS commands of a dialog (xccos.md §5).

use std::sync::Arc;

use shared::deployment::ChatPoolHost;
use wire::roomuri::RoomUri;
use wire::sip::{Request, Response};
use wire::xccos::{self, ChanIb, Chat, Data, Element, Item, Uib, code};

use super::replies::{
    Answer, SEARCH_LIMIT, chat_of, chat_size, failed, fault, found, joined, newest_that_fit, ok, room_uri,
    server_info, too_much,
};
use super::session::{Entered, Kind, Session};
use super::{ChatServer, TRUST, refuse};
use crate::members::Who;
use crate::rules;
use crate::traits::{Category, ChatStore, ComplianceEvent, NewPost, Room, StoreError};

/// Longest text of a message, bytes.
pub const MESSAGE_LIMIT: usize = 65_536;
/// Longest message with its formatted alternative as it is told, escaped: half of what one SIP message takes.
const TOLD_LIMIT: usize = wire::stream::MAX_BODY / 2;
/// Most messages in one answer (model §10: at most 500).
const HISTORY_LIMIT: u32 = 500;
/// Most rooms joined with one command.
const JOIN_LIMIT: usize = 200;
/// Most elements in one envelope.
const ELEMENTS: usize = 32;

impl ChatServer {
    /// One INFO: its own answer is sent first, results follow as INFOs of ours.
    pub(super) async fn info(&self, s: &Arc<Session>, r: &Request) {
        if !self.may_chat(s, TRUST).await {
            // As Lync does it: the first command of a user without policy ends the dialog (xccos.md §9).
            let text = "The user is not enabled for Persistent Chat";
            self.reply(&s.peer, refuse(r, 481, "Call/Transaction Does Not Exist", text)).await;
            self.end(s);
            s.bye().await;
            return;
        }
        let envelope = match xccos::parse(&r.body) {
            Ok(e) if e.elements.len() <= ELEMENTS => e,
            Ok(_) => return self.reply(&s.peer, refuse(r, 400, "Bad Request", "Too many elements")).await,
            Err(_) => {
                return self.reply(&s.peer, refuse(r, 400, "Bad Request", "The body is not XCCOS")).await;
            }
        };
        let posts = envelope.elements.iter().any(|e| matches!(e, Element::Chat(_)));
        if !posts {
            self.reply(&s.peer, Response::reply_to(r, 200, "OK")).await;
        }
        // 200 to a post only after the commit: what was answered is stored. Of several the worst is answered.
        let mut worst = Response::reply_to(r, 200, "OK");
        let mut results = Vec::new();
        for (index, e) in envelope.elements.into_iter().enumerate() {
            match e {
                Element::Command { id, seqid, data } => {
                    let (number, text, data) = self.command(s, &id, &data).await;
                    let reply = Element::Reply {
                        id: id.replacen("cmd:", "rpl:", 1),
                        seqid: 1,
                        command: Some((seqid, envelope.envid)),
                        code: number,
                        text,
                        data,
                    };
                    if posts {
                        results.push(reply);
                    } else {
                        s.send(reply, self.next()).await;
                    }
                }
                Element::Chat(chat) => {
                    let reply = self.post(s, r, &chat, index).await;
                    if reply.status > worst.status {
                        worst = reply;
                    }
                }
                _ => {}
            }
        }
        if posts {
            self.reply(&s.peer, worst).await;
        }
        for reply in results {
            s.send(reply, self.next()).await;
        }
    }

    async fn command(&self, s: &Arc<Session>, id: &str, data: &Data) -> Answer {
        let Some(host) = self.host() else { return failed(&StoreError::Closed) };
        if id == "cmd:requri" {
            return ok(Data::one(Item::Uib(Uib { uri: host.channel_uri.to_string(), ..Uib::default() })));
        }
        let Some(store) = self.store() else { return failed(&StoreError::Closed) };
        match id {
            _ if s.kind == Kind::Lookup => {
                (code::NOT_SUPPORTED, "ERROR_MSG_NOT_SUPPORTED".to_owned(), Data::default())
            }
            "cmd:getserverinfo" => ok(Data::one(server_info(&host))),
            "cmd:join" | "cmd:bjoin" => self.join(s, &host, &store, data, id == "cmd:bjoin").await,
            "cmd:part" => self.part(s, &store, data),
            "cmd:bccontext" => self.history(s, &host, &store, data).await,
            "cmd:chansrch" => search(s, &host, &*store, data).await,
            "cmd:getinv" | "cmd:nodespermcreatechild" | "cmd:getpref" | "cmd:setpref" => ok(Data::default()),
            _ => (code::NOT_SUPPORTED, "ERROR_MSG_NOT_SUPPORTED".to_owned(), Data::default()),
        }
    }

    /// The room with its category, when this user may join it.
    async fn joinable(
        &self,
        s: &Session,
        store: &dyn ChatStore,
        id: &str,
    ) -> Result<(Room, Category), StoreError> {
        let missing = || StoreError::NotFound("no such room".to_owned());
        let (room, category) = store.room(&id.to_lowercase()).await?.ok_or_else(missing)?;
        // Who may not see a room does not learn that there is one.
        let who = s.who();
        if rules::hidden(&category, &room, &*who) {
            return Err(missing());
        }
        rules::may_join(&category, &room, &*who)?;
        Ok((room, category))
    }

    async fn enter(
        &self,
        s: &Arc<Session>,
        store: &Arc<dyn ChatStore>,
        id: &str,
    ) -> Result<(Room, Category), StoreError> {
        if self.journal.is_full() {
            return Err(StoreError::Database("compliance events wait to be written".to_owned()));
        }
        let (room, _) = self.joinable(s, &**store, id).await?;
        let last = store.history(&room.id, 1).await?.last().map_or(0, |m| m.chat_id);
        match self.present.enter(s, &room.id, last, &self.roster) {
            Entered::New => self.record(store, "JOIN", &room.id, &s.user),
            Entered::Again => {}
            Entered::Closed => return Err(StoreError::Closed),
        }
        // A change of rights that was told before this session was in the room has passed it by.
        let again = self.joinable(s, &**store, id).await;
        if again.is_err() {
            self.leave(s, store, &room.id);
        }
        again
    }

    fn leave(&self, s: &Session, store: &Arc<dyn ChatStore>, room: &str) {
        if self.present.leave(s, room, &self.roster) {
            self.record(store, "PART", room, &s.user);
        }
    }

    async fn join(
        &self,
        s: &Arc<Session>,
        host: &ChatPoolHost,
        store: &Arc<dyn ChatStore>,
        data: &Data,
        bulk: bool,
    ) -> Answer {
        let mut rooms = Vec::new();
        let mut failures = Vec::new();
        if data.0.len() > JOIN_LIMIT {
            return too_much();
        }
        for item in &data.0 {
            let Item::ChanId { domain, value, .. } = item else { continue };
            match self.enter(s, store, value).await {
                Ok((mut r, c)) => {
                    let here = self.roster.people(&r.id);
                    self.name_managers(&mut r, here.iter().map(|p| p.0.as_str())).await;
                    rooms.push((r, c, here));
                }
                Err(e) if bulk => {
                    tracing::debug!(user = %s.user, room = %value, cause = %e, "a bulk join left a room out");
                    failures.push(Item::Fib {
                        key: "OPERATION_FAILED".to_owned(),
                        value: value.clone(),
                        domain: domain.clone(),
                    });
                }
                Err(e) => return failed(&e),
            }
        }
        joined(host, rooms, failures)
    }

    /// Names those of the people in a room who manage it by a group or unit.
    async fn name_managers(&self, r: &mut Room, here: impl Iterator<Item = &str>) {
        if !r.managers.iter().any(|m| shared::dn::is(m)) {
            return;
        }
        let mut named = Vec::new();
        for uri in here {
            let Ok(uri) = shared::SipUri::try_from(uri) else { continue };
            // Who cannot be looked up now is shown as a member.
            let Ok(Some(u)) = self.directory.user_by_aor(&uri).await else { continue };
            let who = Who { uri: uri.to_string(), principals: u.principals };
            if r.managers.iter().any(|m| rules::covers(m, &who)) {
                named.push(who.uri);
            }
        }
        r.managers.extend(named);
    }

    fn part(&self, s: &Session, store: &Arc<dyn ChatStore>, data: &Data) -> Answer {
        let mut left = Vec::new();
        for c in data.rooms() {
            let Some(uri) = RoomUri::parse(&c.uri) else { continue };
            self.leave(s, store, &uri.id);
            left.push(Item::ChanIb(ChanIb { uri: c.uri.clone(), ..ChanIb::default() }));
        }
        ok(Data(left))
    }

    async fn history(
        &self,
        s: &Session,
        host: &ChatPoolHost,
        store: &Arc<dyn ChatStore>,
        data: &Data,
    ) -> Answer {
        let Some(asked) = data.rooms().next() else {
            return failed(&StoreError::invalid("chanib", "no room"));
        };
        let Some(uri) = RoomUri::parse(&asked.uri).filter(|u| s.is_in(&u.id)) else {
            return failed(&StoreError::Forbidden("join the room first".to_owned()));
        };
        let count = asked.last.unwrap_or(u32::from(host.settings.default_chat_history)).min(HISTORY_LIMIT);
        match store.history(&uri.id, count).await {
            Ok(list) => {
                self.record(store, "BACKCHAT", &uri.id, &s.user);
                let msgs = newest_that_fit(list.iter().map(|m| chat_of(host, m)).collect());
                ok(Data::one(Item::ChanIb(ChanIb {
                    uri: room_uri(host, &uri.id),
                    msgs,
                    ..ChanIb::default()
                })))
            }
            Err(e) => failed(&e),
        }
    }

    async fn post(&self, s: &Session, r: &Request, chat: &Chat, index: usize) -> Response {
        let refused = |e: &StoreError| {
            let (number, word) = fault(e);
            let (status, reason) = match number {
                code::DATABASE => (503, "Service Unavailable"),
                _ => (403, "Forbidden"),
            };
            let mut out = Response::reply_to(r, status, reason);
            out.headers.push("ms-diagnostics", format!("{number};reason=\"{word}: {e}\""));
            out
        };
        let Some((number, _)) = r.cseq() else { return refuse(r, 400, "Bad Request", "No valid CSeq") };
        let room = RoomUri::parse(&chat.chan_uri).map(|u| u.id).unwrap_or_default();
        if !s.is_in(&room) {
            return refused(&StoreError::Forbidden("join the room first".to_owned()));
        }
        if chat.ts.is_empty() {
            return refused(&StoreError::invalid("ts", "a post has a time"));
        }
        let told = Chat { author: s.user.clone(), authdisp: Some(s.display.clone()), ..chat.clone() };
        if chat.text.len() > MESSAGE_LIMIT || chat_size(&told) > TOLD_LIMIT {
            return refused(&StoreError::invalid(
                "chat",
                "a post has at most 65536 bytes, and 524288 with its formatted alternative",
            ));
        }
        if self.journal.is_full() {
            return refused(&StoreError::Database("compliance events wait to be written".to_owned()));
        }
        let Some(store) = self.store() else { return refused(&StoreError::Closed) };
        let post = NewPost {
            room: room.clone(),
            author: s.user.clone(),
            author_display: s.display.clone(),
            text: chat.text.clone(),
            rtf: chat.rtf.clone(),
            // A client repeats a post with the same dialog and number; one envelope may hold several.
            client_id: format!("{}/{number}/{index}", s.nonce),
        };
        match store.post(post).await {
            Ok(m) => {
                let (user, text, message) = (s.user.clone(), chat.text.clone(), Some(m.chat_id));
                self.record_event(&store, ComplianceEvent { kind: "CHAT", room, user, text, message });
                Response::reply_to(r, 200, "OK")
            }
            Err(e) => refused(&e),
        }
    }
}

async fn search(s: &Session, host: &ChatPoolHost, store: &dyn ChatStore, data: &Data) -> Answer {
    let criteria = data
        .0
        .iter()
        .find_map(|i| if let Item::Qib { criteria, .. } = i { Some(criteria.as_str()) } else { None });
    match store.find_rooms(&s.user, criteria.unwrap_or_default(), SEARCH_LIMIT).await {
        Ok(list) => ok(found(host, &list)),
        Err(e) => failed(&e),
    }
}
