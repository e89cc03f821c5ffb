//! Routing: client requests to an active chat server of the pool they name, over mutual TLS; the chat
//! server's requests and all responses back. Responses find their way by the connection numbers sealed in
//! the Via branch, so no transaction is kept.

use std::time::Duration;

use ring::hmac;
use shared::deployment::{ChatPoolHost, Deployment};
use wire::sip::{Message, NameAddr, Request, Response, Uri};

use super::ends::bye;
use super::{CLIENT_HEAD, FrontEnd, refuse};
use crate::connection::{Peer, Unsent};
use crate::dialog::dialog_key;

/// Most dialogs of a user.
const DIALOGS: usize = 16;
/// How long a request waits for room on the link to its chat server: answers of a large room may fill it.
const BUSY: Duration = Duration::from_secs(5);

/// A dialog between a client and a chat server.
#[derive(Clone)]
pub struct Route {
    /// The client's connection.
    pub client: Peer,
    /// The chat server's.
    pub server: Peer,
    /// From of the INVITE, for ending the dialog when the client is gone.
    pub from: String,
    /// To, from the answer.
    pub to: String,
    /// Where requests in the dialog go.
    pub target: String,
    /// Who began it.
    pub user: String,
    /// The INVITE until it is answered, so that it can be answered when the server is gone.
    pub invite: Option<Request>,
}

/// The pool that an address reaches: its own contacts, its endpoint, or the old fixed address.
fn pool_of<'a>(d: &'a Deployment, uri: &str) -> Option<&'a ChatPoolHost> {
    let aor = Uri::parse(uri)?.aor();
    let names = |p: &&ChatPoolHost| {
        aor == p.lookup_uri.as_str()
            || aor == p.channel_uri.as_str()
            || p.endpoints.iter().any(|e| aor == e.as_str())
    };
    d.pools.iter().find(names).or_else(|| match d.pools.as_slice() {
        [only]
            if aor.starts_with("sip:ocschat@")
                && d.sip_domains.iter().any(|s| aor.ends_with(&format!("@{s}"))) =>
        {
            Some(only)
        }
        _ => None,
    })
}

/// Name and seal of a branch: the connection that asked, the one that was asked, a number.
fn seal(key: &hmac::Key, parts: &str) -> String {
    hex::encode(&hmac::sign(key, parts.as_bytes()).as_ref()[..16])
}

/// The connection that asked, when the branch is ours and the response comes from where the request went.
fn way_back(key: &hmac::Key, branch: &str, from: u64) -> Option<u64> {
    let (parts, tag) = branch.strip_prefix("z9hG4bKfe")?.rsplit_once('x')?;
    let mut numbers = parts.split('x').map(|n| n.parse::<u64>().ok());
    let (back, to) = (numbers.next()??, numbers.next()??);
    let tag = hex::decode(tag).ok()?;
    let whole = hmac::sign(key, parts.as_bytes());
    // 16 of the 32 bytes; compared in constant time like all of them would be.
    let same = tag.len() == 16 && whole.as_ref()[..16].iter().zip(&tag).fold(0, |d, (a, b)| d | (a ^ b)) == 0;
    (same && to == from).then_some(back)
}

fn no_dialog(r: &Request) -> Response {
    refuse(r, 481, "Call/Transaction Does Not Exist", "2", "No such dialog")
}

impl FrontEnd {
    /// A Via for a request that came from the connection `back` and goes to `to`.
    pub(super) fn via(&self, back: u64, to: u64) -> String {
        let parts = format!("{back}x{to}x{}", self.next());
        let tag = seal(&self.key, &parts);
        format!("SIP/2.0/TLS {}:5061;branch=z9hG4bKfe{parts}x{tag}", self.name)
    }

    /// Who sends: the signed-in user of the connection, or the one whom another Front End names.
    fn user_of(&self, peer: &Peer, r: &Request) -> Option<String> {
        if self.is_front_end(peer) {
            return r.headers.get("P-Asserted-Identity").and_then(NameAddr::parse).map(|n| n.uri.aor());
        }
        self.bound(peer).map(|b| b.aor)
    }

    /// Forwards a client's request; what is answered at once when it is not forwarded. While it waits for room on
    /// the link, only its own connection waits.
    pub(super) async fn to_server(&self, peer: &Peer, r: Request) -> Option<Response> {
        let is_ack = r.method == "ACK";
        let hops: u32 = r.headers.get("Max-Forwards").and_then(|v| v.trim().parse().ok()).unwrap_or(70);
        let reply = if hops == 0 {
            Some(refuse(&r, 483, "Too Many Hops", "1005", "Max-Forwards is used up"))
        } else {
            let route = self.state().dialogs.get(&dialog_key(r.call_id(), r.from())).cloned();
            match route {
                // In a dialog its own user speaks, whoever is signed in meanwhile.
                Some(d) if d.client.id == peer.id => self.forward(peer, r, &d, hops).await,
                Some(_) if r.method == "INVITE" => {
                    Some(refuse(&r, 482, "Loop Detected", "2", "Another client has a dialog of this Call-ID"))
                }
                None if r.method == "INVITE" && r.to_tag().is_none() => self.begin(peer, r, hops),
                _ if self.user_of(peer, &r).is_none() => {
                    Some(refuse(&r, 403, "Forbidden", "4001", "Sign in first"))
                }
                _ => Some(no_dialog(&r)),
            }
        };
        reply.filter(|_| !is_ack)
    }

    /// Takes our own Route off the front; those behind it lead on, to a proxy between us and the client.
    fn take_own_route(&self, r: &mut Request) {
        let own =
            |v: &str| NameAddr::parse(v).is_some_and(|n| n.uri.host.eq_ignore_ascii_case(self.name.as_str()));
        if r.headers.get("Route").is_some_and(own) {
            r.headers.remove_first("Route");
        }
    }

    async fn forward(&self, peer: &Peer, mut r: Request, d: &Route, hops: u32) -> Option<Response> {
        r.headers.set("Max-Forwards", (hops - 1).to_string());
        // A client that follows Record-Route names us first.
        self.take_own_route(&mut r);
        r.headers.push_front("Via", self.via(peer.id, d.server.id));
        if r.method == "INVITE" {
            r.headers.push_front("Record-Route", format!("<sip:{}:5061;transport=tls;lr>", self.name));
        }
        r.headers.set("P-Asserted-Identity", format!("<{}>", d.user));
        let key = dialog_key(r.call_id(), r.from());
        let m = Message::Request(r);
        let end = matches!(&m, Message::Request(r) if r.method == "BYE");
        let sent = if end { d.server.send(&m) } else { d.server.send_within(&m, BUSY).await };
        let Message::Request(mut r) = m else { return None };
        if end {
            self.state().dialogs.remove(&key);
            if sent == Err(Unsent::Full) {
                d.server.send_soon(Message::Request(r));
                return None;
            }
        }
        r.headers.remove_first("Via");
        match sent {
            Ok(()) => None,
            Err(Unsent::TooLarge) => {
                Some(refuse(&r, 513, "Message Too Large", "1000", "The message is too large"))
            }
            // A busy link is no end: the dialog stays, the client asks again.
            Err(Unsent::Full) => {
                let mut busy = refuse(&r, 503, "Service Unavailable", "1020", "The chat server is busy");
                busy.headers.push("Retry-After", "5");
                Some(busy)
            }
            Err(Unsent::Closed) => {
                self.state().dialogs.remove(&key);
                Some(refuse(&r, 503, "Service Unavailable", "1020", "The chat server's connection ended"))
            }
        }
    }

    /// Looks for a server in a task of its own: the connection's other requests do not wait for it.
    fn begin(&self, peer: &Peer, r: Request, hops: u32) -> Option<Response> {
        let Some(user) = self.user_of(peer, &r) else {
            return Some(refuse(&r, 403, "Forbidden", "4001", "Sign in first"));
        };
        if r.call_id().is_none() {
            return Some(refuse(&r, 400, "Bad Request", "1001", "No Call-ID"));
        }
        let key = dialog_key(r.call_id(), r.from());
        let this = self.this.upgrade()?;
        {
            let mut state = self.state();
            let own = state.dialogs.of_user(&user) + state.inviting.values().filter(|u| **u == user).count();
            if own >= DIALOGS {
                return Some(refuse(&r, 486, "Busy Here", "1020", "Too many dialogs of this user"));
            }
            if state.inviting.contains_key(&key) {
                return Some(refuse(&r, 482, "Loop Detected", "2", "The same INVITE is under way"));
            }
            state.inviting.insert(key.clone(), user.clone());
        }
        let peer = peer.clone();
        tokio::spawn(async move {
            let made = this.new_dialog(&peer, &r, &key, &user).await;
            this.state().inviting.remove(&key);
            let reply = match made {
                Ok(d) => this.forward(&peer, r, &d, hops).await.inspect(|_| {
                    this.state().dialogs.remove(&key);
                }),
                Err(response) => Some(*response),
            };
            if let Some(reply) = reply {
                peer.send_or_close(&Message::Response(reply));
            }
        });
        None
    }

    async fn new_dialog(
        &self,
        peer: &Peer,
        r: &Request,
        key: &str,
        user: &str,
    ) -> Result<Route, Box<Response>> {
        let d = self.deployment();
        let Some(pool) = pool_of(&d, &r.uri) else {
            let text = "No pool or endpoint has this address";
            return Err(Box::new(refuse(r, 404, "Not Found", "1003", text)));
        };
        let picked = if pool.next_hop == self.pool {
            self.pick(pool).await
        } else if self.is_front_end(peer) {
            Err("This Front End is not the pool's next hop".to_owned())
        } else {
            self.next_hop(&d, pool).await
        };
        let server = picked.map_err(|why| Box::new(refuse(r, 503, "Service Unavailable", "1020", &why)))?;
        let route = Route {
            client: peer.clone(),
            server,
            from: r.headers.get("From").unwrap_or_default().to_owned(),
            to: String::new(),
            target: r.uri.clone(),
            user: user.to_owned(),
            invite: Some(r.clone()),
        };
        let mut state = self.state();
        // The client may have gone, or have signed out, while a server was looked for.
        let signed_in = state.bound.get(&peer.id).is_some_and(|b| b.aor == user);
        let there = state.accepted.get(&peer.id).is_some_and(|c| c.trusted || signed_in);
        if state.stopped || !there || state.dialogs.contains_key(key) {
            return Err(Box::new(refuse(r, 480, "Temporarily Unavailable", "1020", "The client is gone")));
        }
        state.dialogs.insert(key.to_owned(), route.clone());
        Ok(route)
    }

    /// A chat server's request goes to the client of its dialog.
    pub(super) async fn to_client(&self, server: &Peer, mut r: Request) {
        let key = dialog_key(r.call_id(), r.to());
        let route = self.state().dialogs.get(&key).filter(|d| d.server.id == server.id).cloned();
        let gone = |r: &Request| {
            if r.method != "ACK" {
                let text = "The client is gone";
                let no = refuse(r, 481, "Call/Transaction Does Not Exist", "2", text);
                server.send_soon(Message::Response(no));
            }
        };
        let Some(route) = route else { return gone(&r) };
        if r.method == "BYE" {
            self.state().dialogs.remove(&key);
        }
        self.take_own_route(&mut r);
        r.headers.push_front("Via", self.via(server.id, route.client.id));
        let m = Message::Request(r);
        let sent = if self.is_front_end(&route.client) {
            // Many users stand behind it: none of them is dropped for the others' traffic.
            route.client.deliver(&m).await.is_ok()
        } else {
            route.client.send_or_close(&m)
        };
        if let (false, Message::Request(mut r)) = (sent, m) {
            r.headers.remove_first("Via");
            gone(&r);
        }
    }

    /// Whether a response is in a dialog of the client that sends it: chat servers ask clients nothing outside of one. What
    /// comes from chat servers answers requests of clients, and is not looked at here.
    fn own_dialog(&self, from: &Peer, r: &Response) -> bool {
        let state = self.state();
        let key = dialog_key(r.call_id(), r.to());
        !state.accepted.contains_key(&from.id)
            || state.dialogs.get(&key).is_some_and(|d| d.client.id == from.id)
    }

    /// A response goes to the connection that asked, if it comes from the one that was asked.
    pub(super) async fn response(&self, from: &Peer, mut r: Response) {
        let Some(branch) = r.top_via_branch() else { return };
        let Some(number) = way_back(&self.key, &branch, from.id) else {
            tracing::debug!(remote = %from.remote, "a response to nothing that was asked there");
            return;
        };
        if !self.own_dialog(from, &r) {
            tracing::debug!(remote = %from.remote, "a response in a dialog of somebody else");
            return;
        }
        r.headers.remove_first("Via");
        let key = dialog_key(r.call_id(), r.from());
        let invite = r.cseq().filter(|(_, m)| m == "INVITE");
        let mut orphan = false;
        let (accepted, upstream) = {
            let mut state = self.state();
            let dialog = state.dialogs.get_mut(&key).filter(|d| d.server.id == from.id);
            match (&invite, dialog) {
                (Some(cseq), Some(d)) => {
                    // A refused re-INVITE leaves the dialog as it is.
                    let pending = d.invite.as_ref().is_some_and(|i| i.cseq().as_ref() == Some(cseq));
                    if r.status >= 300 && pending {
                        state.dialogs.remove(&key);
                    } else if r.status < 300 {
                        if r.status >= 200 {
                            d.invite = None;
                        }
                        r.headers.get("To").unwrap_or_default().clone_into(&mut d.to);
                        if let Some(c) = r.headers.get("Contact").and_then(NameAddr::parse) {
                            d.target = c.uri.to_string();
                        }
                    }
                }
                (Some(_), None) => orphan = (200..300).contains(&r.status),
                _ => {}
            }
            let accepted = state.accepted.get(&number).map(|c| (c.peer.clone(), c.trusted));
            (accepted, state.upstream.get(&number).map(|u| u.peer.clone()))
        };
        if orphan {
            // The client has gone between INVITE and answer: nobody else would end the dialog.
            let target = r.headers.get("Contact").and_then(NameAddr::parse).map(|c| c.uri.to_string());
            let get = |n| r.headers.get(n).unwrap_or_default();
            let mut end = bye(target.unwrap_or_default(), get("From"), get("To"), get("Call-ID").trim());
            end.headers.push_front("Via", self.via(from.id, from.id));
            from.send_soon(Message::Request(end));
            return;
        }
        let large = r.head_len() > CLIENT_HEAD;
        let m = Message::Response(r);
        match (accepted, upstream) {
            (Some((peer, true)), _) => {
                let _ = peer.deliver(&m).await;
            }
            (Some((peer, false)), _) => {
                peer.send_or_close(&m);
            }
            // A client's answer to an INFO: nothing hangs on it when the link is full.
            (None, Some(peer)) if !large => {
                let _ = peer.send(&m);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_believed_from_the_connection_that_was_asked_alone() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let branch = |parts: &str| format!("z9hG4bKfe{parts}x{}", seal(&key, parts));
        assert_eq!(way_back(&key, &branch("3x9x1"), 9), Some(3));
        assert_eq!(way_back(&key, &branch("3x9x1"), 8), None);
        let other = hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]);
        assert_eq!(way_back(&other, &branch("3x9x1"), 9), None);
        for forged in ["z9hG4bKfe3x9x1", "z9hG4bKfe3x9", "z9hG4bKfe", "", "z9hG4bKfe3x9x1x00"] {
            assert_eq!(way_back(&key, forged, 9), None, "{forged}");
        }
    }
}
