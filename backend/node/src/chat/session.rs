//! One dialog with a client: what it takes to send requests in it, and the rooms it has joined.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wire::sip::{Headers, NameAddr, Request, Response};
use wire::stream::MAX_BODY;
use wire::xccos::{self, Data, Element, Envelope};

use crate::connection::Peer;
use crate::dialog::dialog_key;
use crate::members::Who;
use crate::roster::Roster;
use crate::traits::ChatUser;

/// First envelope number; real servers use 63 bits.
const ENVELOPES: u64 = 9_000_000_000_000_000;
/// Code of an answer that does not fit into one message.
pub const LIMIT_EXCEEDED: u16 = 413;

/// What the dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tells the channel service's address.
    Lookup,
    /// Chat.
    Channel,
}

/// Joined rooms with the number of the last message told.
#[derive(Default)]
struct Rooms {
    /// The dialog has ended: nothing is entered any more.
    closed: bool,
    last: HashMap<String, u64>,
}

/// What came of entering a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// It is in the room now.
    New,
    /// It was there already.
    Again,
    /// The dialog has ended.
    Closed,
}

/// Whether the user may chat, and when that was looked up; when the client was last heard of.
struct Standing {
    enabled: bool,
    who: Arc<Who>,
    checked: Instant,
    heard: Instant,
}

/// A dialog.
pub struct Session {
    /// Connection to the Front End.
    pub peer: Peer,
    /// What it is for.
    pub kind: Kind,
    /// The user, as the Front End asserts him.
    pub user: String,
    /// His display name.
    pub display: String,
    /// Random: tells two dialogs apart that a client gave the same Call-ID.
    pub nonce: String,
    standing: Mutex<Standing>,
    call: String,
    key: String,
    local_tag: Option<String>,
    remote_tag: Option<String>,
    remote_cseq: AtomicU32,
    target: String,
    /// Header lines that all requests of ours have, written.
    fixed: String,
    /// Held while a request is numbered and queued, so that they leave in the order of their numbers.
    cseq: tokio::sync::Mutex<u32>,
    joined: Mutex<Rooms>,
}

/// The body of an INFO with this element; what is too large for the peer is cut down to what fits.
pub fn body_of(element: Element, number: u64) -> Option<Vec<u8>> {
    let write = |e: Element| Envelope::one(ENVELOPES + number, e).to_xml().into_bytes();
    let smaller = match &element {
        Element::Reply { id, seqid, command, .. } => Some(Element::Reply {
            id: id.chars().take(64).collect(),
            seqid: *seqid,
            command: *command,
            code: LIMIT_EXCEEDED,
            text: "ERROR_LIMIT_EXCEEDED".to_owned(),
            data: Data::default(),
        }),
        // Stored before posts were limited: the plain text is what everybody reads.
        Element::Chat(c) => Some(Element::Chat(xccos::Chat { rtf: None, ..c.clone() })),
        _ => None,
    };
    let body = write(element);
    if body.len() <= MAX_BODY {
        return Some(body);
    }
    smaller.map(write).filter(|b| b.len() <= MAX_BODY)
}

/// The header lines that all requests of ours in a dialog have. Values of a message hold no line end.
fn fixed(invite: &Request, answer: &Response) -> String {
    let mut headers = Headers::default();
    headers.push("Max-Forwards", "70");
    for hop in invite.headers.values("Record-Route") {
        headers.push("Route", hop);
    }
    // Seen from here, the one invited speaks: From is the invited address.
    headers.push("From", answer.headers.get("To").unwrap_or_default());
    headers.push("To", invite.headers.get("From").unwrap_or_default());
    headers.push("Call-ID", invite.call_id().unwrap_or_default());
    let mut out = String::new();
    for (name, value) in headers.iter() {
        // Writing to memory does not fail.
        let _ = std::fmt::Write::write_fmt(&mut out, format_args!("{name}: {value}\r\n"));
    }
    out
}

impl Session {
    /// From an INVITE and the answer to it.
    pub fn new(
        peer: &Peer,
        invite: &Request,
        answer: &Response,
        kind: Kind,
        user: String,
        known: Option<&ChatUser>,
    ) -> Self {
        let now = Instant::now();
        let enabled = known.is_some_and(|u| u.chat_enabled && u.enabled);
        let principals = known.map_or_else(Vec::new, |u| u.principals.clone());
        let who = Arc::new(Who { uri: user.clone(), principals });
        Self {
            peer: peer.clone(),
            kind,
            display: known.map_or_else(|| user.clone(), |u| u.display_name.clone()),
            user,
            nonce: uuid::Uuid::new_v4().simple().to_string(),
            standing: Mutex::new(Standing { enabled, who, checked: now, heard: now }),
            call: invite.call_id().unwrap_or_default().to_owned(),
            key: dialog_key(invite.call_id(), invite.from()),
            local_tag: answer.to_tag(),
            remote_tag: invite.from_tag(),
            remote_cseq: AtomicU32::new(invite.cseq().map_or(0, |c| c.0)),
            target: invite
                .headers
                .get("Contact")
                .and_then(NameAddr::parse)
                .map_or_else(|| invite.uri.clone(), |c| c.uri.to_string()),
            fixed: fixed(invite, answer),
            cseq: tokio::sync::Mutex::new(0),
            joined: Mutex::default(),
        }
    }

    fn rooms_map(&self) -> MutexGuard<'_, Rooms> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request from this connection belongs to the dialog: Call-ID and both tags.
    pub fn owns(&self, peer: &Peer, r: &Request) -> bool {
        self.peer.id == peer.id && r.from_tag() == self.remote_tag && r.to_tag() == self.local_tag
    }

    /// Whether a response from this connection answers a request of ours in the dialog.
    pub fn owns_answer(&self, peer: &Peer, r: &Response) -> bool {
        self.peer.id == peer.id && r.from_tag() == self.local_tag && r.to_tag() == self.remote_tag
    }

    /// Tag of our end.
    pub fn tag(&self) -> &str {
        self.local_tag.as_deref().unwrap_or_default()
    }

    /// Notes a request's number; false when a later one came before it.
    pub fn in_order(&self, number: u32) -> bool {
        self.standing().heard = Instant::now();
        self.remote_cseq.fetch_max(number, Ordering::AcqRel) <= number
    }

    /// Whether nothing came from the client for this long.
    pub fn silent_for(&self, time: Duration) -> bool {
        self.standing().heard.elapsed() > time
    }

    /// Whether the user may chat, when that was looked up within `age`.
    pub fn enabled_within(&self, age: Duration) -> Option<bool> {
        let s = self.standing();
        (s.checked.elapsed() <= age).then_some(s.enabled)
    }

    /// Whether the user may chat, as last looked up.
    pub fn enabled(&self) -> bool {
        self.standing().enabled
    }

    /// The user with what he belongs to, as last looked up.
    pub fn who(&self) -> Arc<Who> {
        self.standing().who.clone()
    }

    /// Notes what the directory says of the user; none when he is not there any more.
    pub fn learn(&self, known: Option<ChatUser>) {
        let mut s = self.standing();
        s.enabled = known.as_ref().is_some_and(|u| u.enabled && u.chat_enabled);
        let principals = known.map_or_else(Vec::new, |u| u.principals);
        if s.who.principals != principals {
            s.who = Arc::new(Who { uri: self.user.clone(), principals });
        }
        s.checked = Instant::now();
    }

    /// Writes a request of ours: its head's length, and the whole. What it repeats each time is kept written.
    fn request(&self, method: &str, n: u32, body: Option<&[u8]>) -> (usize, Vec<u8>) {
        let (target, local, call, fixed) = (&self.target, self.peer.local, &self.call, &self.fixed);
        let body = body.unwrap_or_default();
        let mut out = Vec::with_capacity(fixed.len() + target.len() + call.len() + body.len() + 256);
        let kind = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: {}\r\n", xccos::CONTENT_TYPE)
        };
        // Writing to memory does not fail.
        let _ = write!(
            out,
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/TLS {local};branch=z9hG4bKpc{call}x{n}\r\n{fixed}CSeq: {n} {method}\r\n{kind}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let head = out.len();
        out.extend_from_slice(body);
        (head, out)
    }

    async fn queue(&self, method: &str, body: Option<&[u8]>) -> bool {
        let mut n = self.cseq.lock().await;
        *n += 1;
        let (head, bytes) = self.request(method, *n, body);
        self.peer.deliver_written(head, bytes).await.is_ok()
    }

    /// Sends one element in an INFO of its own, when the connection has room; false when it has ended.
    pub async fn send(&self, element: Element, number: u64) -> bool {
        self.send_body(body_of(element, number).as_deref()).await
    }

    /// Sends what [`body_of`] has written, when the connection has room; false when it has ended.
    pub async fn send_body(&self, body: Option<&[u8]>) -> bool {
        let Some(body) = body else {
            tracing::warn!(user = %self.user, "a notice too large for one message was left out");
            return true;
        };
        self.queue("INFO", Some(body)).await
    }

    /// Ends the dialog.
    pub async fn bye(&self) {
        self.queue("BYE", None).await;
    }

    /// What it is found by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Enters a room; `last` is the number of its newest message. Who is there already keeps his place.
    /// The roster is told under the same lock, so that an end of the dialog cannot come between.
    pub fn enter(&self, room: &str, last: u64, roster: &Roster) -> Entered {
        let mut rooms = self.rooms_map();
        if rooms.closed {
            return Entered::Closed;
        }
        if rooms.last.contains_key(room) {
            return Entered::Again;
        }
        rooms.last.insert(room.to_owned(), last);
        roster.enter(room, &self.user, &self.display);
        Entered::New
    }

    /// Leaves a room; whether it was there.
    pub fn leave(&self, room: &str, roster: &Roster) -> bool {
        let mut rooms = self.rooms_map();
        let was = rooms.last.remove(room).is_some();
        if was {
            roster.leave(room, &self.user);
        }
        was
    }

    /// Ends it: leaves all rooms and enters none any more. The rooms it was in.
    pub fn close(&self, roster: &Roster) -> Vec<String> {
        let mut rooms = self.rooms_map();
        rooms.closed = true;
        let left: Vec<String> = rooms.last.drain().map(|(r, _)| r).collect();
        for room in &left {
            roster.leave(room, &self.user);
        }
        left
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.rooms_map().closed
    }

    /// Whether it is in the room.
    pub fn is_in(&self, room: &str) -> bool {
        self.rooms_map().last.contains_key(room)
    }

    /// Rooms it is in.
    pub fn rooms(&self) -> Vec<String> {
        self.rooms_map().last.keys().cloned().collect()
    }

    /// Rooms with the last message told.
    pub fn positions(&self) -> Vec<(String, u64)> {
        self.rooms_map().last.iter().map(|(r, n)| (r.clone(), *n)).collect()
    }

    /// Whether message `chat_id` of the room is still to be told.
    pub fn wants(&self, room: &str, chat_id: u64) -> bool {
        self.rooms_map().last.get(room).is_some_and(|last| *last < chat_id)
    }

    /// Notes a message as told, after it was queued.
    pub fn advance(&self, room: &str, chat_id: u64) {
        if let Some(last) = self.rooms_map().last.get_mut(room) {
            *last = (*last).max(chat_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::xccos::{Chat, Item, Uib};

    #[test]
    fn no_body_is_larger_than_the_decoder_takes() {
        let uib = |i| Item::Uib(Uib { uri: format!("sip:user{i}@litwareinc.com"), ..Uib::default() });
        let reply = Element::Reply {
            id: "rpl:join".to_owned(),
            seqid: 1,
            command: Some((1, 2)),
            code: 200,
            text: "SUCCESS_OK".to_owned(),
            data: Data((0..50_000).map(uib).collect()),
        };
        let body = body_of(reply, 1).unwrap();
        assert!(String::from_utf8_lossy(&body).contains("ERROR_LIMIT_EXCEEDED"));
        let chat = Chat { text: "read me".to_owned(), rtf: Some("&".repeat(400_000)), ..Chat::default() };
        let body = body_of(Element::Chat(chat), 1).unwrap();
        assert!(body.len() < 1000 && String::from_utf8_lossy(&body).contains("read me"));
        let huge = Element::Notice { id: "ntc:join".to_owned(), data: Data((0..50_000).map(uib).collect()) };
        assert_eq!(body_of(huge, 1), None);
    }
}
