//! XCCOS commands of a dialog (xccos.md §5).

use std::sync::Arc;

use shared::deployment::ChatPoolHost;
use wire::roomuri::{RoomUri, category_uri};
use wire::sip::{Message, Request, Response};
use wire::xccos::{self, ChanIb, Chat, Data, Element, Item, Uib, code};

use super::session::{Kind, Session};
use super::{ChatServer, PARTICIPANTS, chat_of, refuse, room_uri};
use crate::traits::{Category, ChatStore, NewPost, Room, RoomKind, StoreError};

/// Longest text of a message, bytes.
const MESSAGE_LIMIT: usize = 65_536;
/// Most rooms in an answer to a search.
const SEARCH_LIMIT: usize = 999;
/// Most messages in one answer (model §10: at most 500).
const HISTORY_LIMIT: u32 = 500;

/// Result of a command: code, text, data.
type Answer = (u16, String, Data);

fn ok(data: Data) -> Answer {
    (code::OK, "SUCCESS_OK".to_owned(), data)
}

fn fault(e: &StoreError) -> (u16, &'static str) {
    match e {
        StoreError::Forbidden(_) => (code::FORBIDDEN, "ERROR_PERMISSION"),
        StoreError::NotFound(_) => (code::NO_SUCH_NODE, "ERROR_NO_SUCH_NODE"),
        StoreError::Disabled => (code::NODE_DISABLED, "ERROR_NODE_DISABLED"),
        StoreError::Invalid { .. } | StoreError::Conflict(_) => (code::BAD_REQUEST, "ERROR_INVALID_ARGUMENT"),
        StoreError::Closed | StoreError::Database(_) => (code::DATABASE, "ERROR_DATABASE_CONNECTION"),
    }
}

fn failed(e: &StoreError) -> Answer {
    let (number, text) = fault(e);
    (number, text.to_owned(), Data::default())
}

fn describe(host: &ChatPoolHost, r: &Room, c: &Category) -> ChanIb {
    let domain = host.channel_uri.domain();
    ChanIb {
        uri: room_uri(host, &r.id),
        name: Some(r.name.clone()),
        description: Some(r.description.clone()),
        parent: Some(category_uri(domain, &c.id)),
        behavior: Some(if r.kind == RoomKind::Auditorium { "AUDITORIUM" } else { "NORMAL" }.to_owned()),
        props: [
            ("logged", c.chat_history),
            ("invite", c.invitations && r.invitations),
            ("filepost", c.file_upload),
        ]
        .map(|(what, on)| {
            (format!("urn:parlano:ma:prop:{what}"), if on { "True" } else { "False" }.to_owned())
        })
        .to_vec(),
        ..ChanIb::default()
    }
}

impl ChatServer {
    /// One INFO: its own answer is sent first, results follow as INFOs of ours.
    pub(super) async fn info(&self, s: &Arc<Session>, r: &Request) {
        if !s.chat_enabled {
            // As Lync does it: the first command of a user without policy ends the dialog (xccos.md §9).
            s.peer.send(&Message::Response(refuse(
                r,
                481,
                "Call/Transaction Does Not Exist",
                "The user is not enabled for Persistent Chat",
            )));
            self.end(s.call());
            s.bye();
            return;
        }
        let Ok(envelope) = xccos::parse(&r.body) else {
            s.peer.send(&Message::Response(refuse(r, 400, "Bad Request", "The body is not XCCOS")));
            return;
        };
        let mut answered = false;
        for e in envelope.elements {
            match e {
                Element::Command { id, seqid, data } => {
                    if !std::mem::replace(&mut answered, true) {
                        s.peer.send(&Message::Response(Response::reply_to(r, 200, "OK")));
                    }
                    let (number, text, data) = self.command(s, &id, &data).await;
                    let reply = Element::Reply {
                        id: id.replacen("cmd:", "rpl:", 1),
                        seqid: 1,
                        command: Some((seqid, envelope.envid)),
                        code: number,
                        text,
                        data,
                    };
                    s.send(reply, self.next());
                }
                Element::Chat(chat) => {
                    // 200 only after the commit: a post that was answered is stored.
                    let reply = self.post(s, r, &chat).await;
                    if !std::mem::replace(&mut answered, true) {
                        s.peer.send(&Message::Response(reply));
                    }
                }
                _ => {}
            }
        }
        if !answered {
            s.peer.send(&Message::Response(Response::reply_to(r, 200, "OK")));
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
            "cmd:join" | "cmd:bjoin" => self.join(s, &host, &*store, data, id == "cmd:bjoin").await,
            "cmd:part" => self.part(s, data),
            "cmd:bccontext" => self.history(s, &host, &*store, data).await,
            "cmd:chansrch" => search(s, &host, &*store, data).await,
            "cmd:getinv" | "cmd:nodespermcreatechild" | "cmd:getpref" | "cmd:setpref" => ok(Data::default()),
            _ => (code::NOT_SUPPORTED, "ERROR_MSG_NOT_SUPPORTED".to_owned(), Data::default()),
        }
    }

    async fn enter(
        &self,
        s: &Session,
        store: &dyn ChatStore,
        id: &str,
    ) -> Result<(Room, Category), StoreError> {
        let found = store.room(&id.to_lowercase()).await?;
        let (room, category) = found.ok_or_else(|| StoreError::NotFound("no such room".to_owned()))?;
        crate::rules::may_join(&category, &room, &s.user)?;
        let last = store.history(&room.id, 1).await?.last().map_or(0, |m| m.chat_id);
        if s.enter(&room.id, last) {
            self.roster.enter(&room.id, &s.user, &s.display);
            self.record("JOIN", &room.id, &s.user, "");
        }
        Ok((room, category))
    }

    async fn join(
        &self,
        s: &Session,
        host: &ChatPoolHost,
        store: &dyn ChatStore,
        data: &Data,
        bulk: bool,
    ) -> Answer {
        let mut rooms = Vec::new();
        let mut failures = Vec::new();
        let mut people: Vec<(String, String)> = Vec::new();
        for item in &data.0 {
            let Item::ChanId { domain, value, .. } = item else { continue };
            match self.enter(s, store, value).await {
                Ok((r, c)) => {
                    let here = self.roster.people(&r.id);
                    let mut info = describe(host, &r, &c);
                    for p in &here {
                        if !people.contains(p) {
                            people.push(p.clone());
                        }
                    }
                    let ids: Vec<String> = here
                        .iter()
                        .filter_map(|p| people.iter().position(|q| p == q))
                        .map(|i| i.to_string())
                        .collect();
                    info.aibs.push((PARTICIPANTS.to_owned(), ids.join(",")));
                    info.infos.push(("urn:parlano:ma:info:ucnt".to_owned(), here.len().to_string()));
                    rooms.push(Item::ChanIb(info));
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
        let user = |(i, (uri, disp)): (usize, (String, String))| {
            Item::Uib(Uib { id: u32::try_from(i).ok(), uri, disp: Some(disp), ..Uib::default() })
        };
        rooms.extend(failures);
        rooms.extend(people.into_iter().enumerate().map(user));
        ok(Data(rooms))
    }

    fn part(&self, s: &Session, data: &Data) -> Answer {
        let mut left = Vec::new();
        for c in data.rooms() {
            let Some(uri) = RoomUri::parse(&c.uri) else { continue };
            if s.leave(&uri.id) {
                self.roster.leave(&uri.id, &s.user);
                self.record("PART", &uri.id, &s.user, "");
            }
            left.push(Item::ChanIb(ChanIb { uri: c.uri.clone(), ..ChanIb::default() }));
        }
        ok(Data(left))
    }

    async fn history(&self, s: &Session, host: &ChatPoolHost, store: &dyn ChatStore, data: &Data) -> Answer {
        let Some(asked) = data.rooms().next() else {
            return failed(&StoreError::invalid("chanib", "no room"));
        };
        let Some(uri) = RoomUri::parse(&asked.uri).filter(|u| s.is_in(&u.id)) else {
            return failed(&StoreError::Forbidden("join the room first".to_owned()));
        };
        let count = asked.last.unwrap_or(u32::from(host.settings.default_chat_history)).min(HISTORY_LIMIT);
        match store.history(&uri.id, count).await {
            Ok(list) => {
                self.record("BACKCHAT", &uri.id, &s.user, "");
                let msgs: Vec<Chat> = list.iter().map(|m| chat_of(host, m)).collect();
                ok(Data::one(Item::ChanIb(ChanIb {
                    uri: room_uri(host, &uri.id),
                    msgs,
                    ..ChanIb::default()
                })))
            }
            Err(e) => failed(&e),
        }
    }

    async fn post(&self, s: &Session, r: &Request, chat: &Chat) -> Response {
        let refused = |e: &StoreError| {
            let (number, word) = fault(e);
            let status = if number == code::DATABASE { 503 } else { 403 };
            let mut out = Response::reply_to(
                r,
                status,
                if status == 503 { "Service Unavailable" } else { "Forbidden" },
            );
            out.headers.push("ms-diagnostics", format!("{number};reason=\"{word}: {e}\""));
            out
        };
        let room = RoomUri::parse(&chat.chan_uri).map(|u| u.id).unwrap_or_default();
        if !s.is_in(&room) {
            return refused(&StoreError::Forbidden("join the room first".to_owned()));
        }
        if chat.ts.is_empty() || chat.text.len() > MESSAGE_LIMIT {
            return refused(&StoreError::invalid("ts", "a post has a time and at most 65536 bytes"));
        }
        let Some(store) = self.store() else { return refused(&StoreError::Closed) };
        let post = NewPost {
            room: room.clone(),
            author: s.user.clone(),
            author_display: s.display.clone(),
            text: chat.text.clone(),
            rtf: chat.rtf.clone(),
            // A client repeats a post with the same dialog and number.
            client_id: format!("{}/{}", s.call(), r.cseq().map_or(0, |c| c.0)),
        };
        match store.post(post).await {
            Ok(_) => {
                self.record("CHAT", &room, &s.user, &chat.text);
                Response::reply_to(r, 200, "OK")
            }
            Err(e) => refused(&e),
        }
    }
}

fn server_info(host: &ChatPoolHost) -> Item {
    let domain = host.channel_uri.domain();
    let pairs = [
        ("infoType", "123".to_owned()),
        ("searchLimit", SEARCH_LIMIT.to_string()),
        ("messageSizeLimit", MESSAGE_LIMIT.to_string()),
        ("storySizeLimit", MESSAGE_LIMIT.to_string()),
        ("rootUri", category_uri(domain, "root")),
        ("dbVersion", "1".to_owned()),
    ];
    Item::Other { name: "sib".to_owned(), attrs: pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect() }
}

async fn search(s: &Session, host: &ChatPoolHost, store: &dyn ChatStore, data: &Data) -> Answer {
    let criteria = data
        .0
        .iter()
        .find_map(|i| if let Item::Qib { criteria, .. } = i { Some(criteria.as_str()) } else { None });
    match store.find_rooms(&s.user, criteria.unwrap_or_default()).await {
        Ok(list) => ok(Data(
            list.iter().take(SEARCH_LIMIT).map(|(r, c)| Item::ChanIb(describe(host, r, c))).collect(),
        )),
        Err(e) => failed(&e),
    }
}
