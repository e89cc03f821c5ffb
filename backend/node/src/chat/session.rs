//! One dialog with a client: what it takes to send requests in it, and the rooms it has joined.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use wire::sip::{Message, NameAddr, Request, Response};
use wire::xccos::{self, Element, Envelope};

use crate::connection::Peer;
use crate::traits::ChatUser;

/// First envelope number; real servers use 63 bits.
const ENVELOPES: u64 = 9_000_000_000_000_000;

/// What the dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tells the channel service's address.
    Lookup,
    /// Chat.
    Channel,
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
    /// His policy allows Persistent Chat.
    pub chat_enabled: bool,
    /// Requests wait here for the dialog's task.
    pub queue: mpsc::Sender<Request>,
    call: String,
    from: String,
    to: String,
    target: String,
    route: Vec<String>,
    cseq: AtomicU32,
    /// Joined rooms with the number of the last message told.
    joined: Mutex<HashMap<String, u64>>,
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
        queue: mpsc::Sender<Request>,
    ) -> Self {
        Self {
            peer: peer.clone(),
            kind,
            display: known.map_or_else(|| user.clone(), |u| u.display_name.clone()),
            chat_enabled: known.is_some_and(|u| u.chat_enabled && u.enabled),
            user,
            queue,
            call: invite.call_id().unwrap_or_default().to_owned(),
            // Seen from here, the one invited speaks: From is the invited address.
            from: answer.headers.get("To").unwrap_or_default().to_owned(),
            to: invite.headers.get("From").unwrap_or_default().to_owned(),
            target: invite
                .headers
                .get("Contact")
                .and_then(NameAddr::parse)
                .map_or_else(|| invite.uri.clone(), |c| c.uri.to_string()),
            route: invite.headers.values("Record-Route"),
            cseq: AtomicU32::new(0),
            joined: Mutex::default(),
        }
    }

    fn rooms_map(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, method: &str) -> Request {
        let n = self.cseq.fetch_add(1, Ordering::Relaxed) + 1;
        let mut r = Request::new(method, self.target.clone());
        r.headers.push("Via", format!("SIP/2.0/TLS {};branch=z9hG4bKpc{}x{n}", self.peer.local, self.call));
        r.headers.push("Max-Forwards", "70");
        for hop in &self.route {
            r.headers.push("Route", hop.clone());
        }
        r.headers.push("From", self.from.clone());
        r.headers.push("To", self.to.clone());
        r.headers.push("Call-ID", self.call.clone());
        r.headers.push("CSeq", format!("{n} {method}"));
        r
    }

    /// Sends one element in an INFO of its own.
    pub fn send(&self, element: Element, number: u64) {
        let mut r = self.request("INFO");
        r.set_body(xccos::CONTENT_TYPE, Envelope::one(ENVELOPES + number, element).to_xml());
        self.peer.send(&Message::Request(r));
    }

    /// Ends the dialog.
    pub fn bye(&self) {
        self.peer.send(&Message::Request(self.request("BYE")));
    }

    /// Its Call-ID.
    pub fn call(&self) -> &str {
        &self.call
    }

    /// Enters a room; `last` is the number of its newest message. False when it was there already.
    pub fn enter(&self, room: &str, last: u64) -> bool {
        self.rooms_map().insert(room.to_owned(), last).is_none()
    }

    /// Leaves a room; whether it was there.
    pub fn leave(&self, room: &str) -> bool {
        self.rooms_map().remove(room).is_some()
    }

    /// Whether it is in the room.
    pub fn is_in(&self, room: &str) -> bool {
        self.rooms_map().contains_key(room)
    }

    /// Rooms it is in.
    pub fn rooms(&self) -> Vec<String> {
        self.rooms_map().keys().cloned().collect()
    }

    /// Rooms with the last message told.
    pub fn positions(&self) -> Vec<(String, u64)> {
        self.rooms_map().iter().map(|(r, n)| (r.clone(), *n)).collect()
    }

    /// Leaves all rooms.
    pub fn take_rooms(&self) -> Vec<String> {
        self.rooms_map().drain().map(|(r, _)| r).collect()
    }

    /// Whether message `chat_id` is still to be told; notes it as told.
    pub fn advance(&self, room: &str, chat_id: u64) -> bool {
        match self.rooms_map().get_mut(room) {
            Some(last) if chat_id > *last => {
                *last = chat_id;
                true
            }
            _ => false,
        }
    }
}
